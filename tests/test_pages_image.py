"""The image GAN lab through AppTest: a home by data as well as by family, its data, links, states and curves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import playground.engine
from pages.parts.labs import GAN, IMAGES, PLACES, home_of
from playground.data import datasets
from playground.experiment import Experiment
from playground.figures.curves import History, Style
from playground.figures.image_curves import CURVES
from playground.presets import PRESETS
from tests.fakes import FakeEngine
from tests.page_room import ROUTER, shows

DIGITS = Experiment.of("gan").on("digits")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    monkeypatch.delenv("PLAYGROUND_DATA", raising=False)
    monkeypatch.setattr(playground.engine, "get_engine", lambda: fake)
    monkeypatch.setattr("pages.parts.live.get_engine", lambda: fake)
    return fake


def lab(**state: Any) -> AppTest:
    at = AppTest.from_file(ROUTER, default_timeout=60)
    for name, value in state.items():
        at.session_state[name] = value
    return shows(shows(at.run()).switch_page("image_gan_lab.py").run())


def linked(**query: str) -> AppTest:
    """Follow a link; on the page that opens first, so that the app has to find the right one."""
    at = AppTest.from_file(ROUTER, default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return shows(at.run())


def run_of(at: AppTest) -> str:
    return str(at.session_state["lab"].run)


def words(at: AppTest) -> str:
    return "\n".join(element.value for kind in (at.markdown, at.error, at.warning, at.caption) for element in kind)


def widget(kind: Any, name: str) -> Any:
    return next(w for w in kind if re.fullmatch(rf"{name}-\d+", w.key or ""))


# -- places ------------------------------------------------------------------------------------------------------------


def test_one_family_has_two_homes_by_its_data() -> None:
    assert home_of(Experiment.of("gan")) is GAN
    assert home_of(DIGITS) is IMAGES
    assert home_of(Experiment.of("vae")).id == "autoencoder"


def test_every_preset_is_in_one_menu_and_every_page_opens_at_home() -> None:
    menus = [set(place.presets) for place in PLACES.values()]
    assert sum(len(menu) for menu in menus) == len(PRESETS)
    assert set().union(*menus) == set(PRESETS)
    for place in PLACES.values():
        assert home_of(place.opening) is place
        for name in place.families:
            assert home_of(place.begin(name)) is place


def test_each_lab_offers_data_of_its_kind(engine: FakeEngine) -> None:
    for page, kind in (("gan_lab.py", "points"), ("image_gan_lab.py", "images")):
        at = AppTest.from_file(ROUTER, default_timeout=60)
        at.session_state["data"] = True
        at = shows(shows(at.run()).switch_page(page).run())
        offered = {label.split(") ", 1)[-1].removesuffix(" ↓") for label in widget(at.pills, "dataset").options}
        assert {each.kind for each in datasets().values() if each.title in offered} == {kind}


# -- states ------------------------------------------------------------------------------------------------------------


def test_it_opens_ready_and_trains_nothing(engine: FakeEngine) -> None:
    at = lab()
    assert engine.status(run_of(at)).state == "ready"
    assert engine.said == []
    assert engine.experiment(run_of(at)) == IMAGES.opening
    assert "Image GAN lab" in words(at)


@pytest.mark.parametrize("name", ["running", "warming", "paused", "stopped", "finished"])
def test_a_run_under_way(engine: FakeEngine, name: str) -> None:
    at = lab()
    engine.become(run_of(at), name, step=1200)
    assert not shows(at.run()).error


def test_failed_says_the_cause_and_goes_back(engine: FakeEngine) -> None:
    at = lab()
    engine.become(run_of(at), "failed", step=70, error="Training stopped at step 70: NaN.", keyframes=[0, 50])
    shows(at.run())
    assert "NaN" in at.error[0].value
    shows(at.button(key="go-back").click().run())
    assert (run_of(at), "goto", {"step": 50}) in engine.said


# -- links and runs ----------------------------------------------------------------------------------------------------


def test_a_link_to_a_gan_on_images_opens_the_image_lab(engine: FakeEngine) -> None:
    at = linked(d="digits", z="32")
    experiment = engine.experiment(run_of(at))
    assert (experiment.family, experiment.dataset, experiment.value("noise_dim")) == ("gan", "digits", 32)
    assert "Image GAN lab" in words(at)


def test_a_link_to_the_page_alone_keeps_its_data(engine: FakeEngine) -> None:
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.query_params["z"] = "32"
    shows(at.switch_page("image_gan_lab.py").run())
    experiment = engine.experiment(run_of(at))
    assert (experiment.data.kind, experiment.value("noise_dim")) == ("images", 32)


def test_a_run_is_opened_where_it_is_at_home_and_each_lab_keeps_its_own(engine: FakeEngine) -> None:
    run = engine.prepare(DIGITS)
    engine.become(run, "paused", step=10)
    at = AppTest.from_file(ROUTER, default_timeout=60).run()
    points = run_of(at)
    shows(at.switch_page("runs.py").run())
    shows(at.button(key=f"open-{run}").click().run())
    assert run_of(at) == run
    assert "Image GAN lab" in words(at)
    shows(at.switch_page("gan_lab.py").run())
    assert run_of(at) == points


def test_other_data_waits_for_a_restart(engine: FakeEngine) -> None:
    at = lab(data=True)
    engine.become(run_of(at), "running", step=10)
    run, now = run_of(at), engine.experiment(run_of(at)).dataset
    other = "shapes" if now != "shapes" else "digits"
    shows(widget(at.pills, "dataset").select(other).run())
    assert run_of(at) == run
    assert f"data {now} → {other}" in words(at)
    shows(at.button(key="restart").click().run())
    assert engine.experiment(run_of(at)).dataset == other
    assert home_of(engine.experiment(run_of(at))) is IMAGES


# -- curves ------------------------------------------------------------------------------------------------------------


def history() -> History:
    rows = [
        {"step": 100 * i, "class/covered": 3.0 + i, "class/kl": 0.5, "dist/fid": 9.0 - i, "dist/kid": 0.1,
         "prdc/precision": 0.5, "prdc/recall": 0.4, "diversity/ssim": 0.3, "diversity/pixels": 0.8, "copies/share": 0.0}
        | {f"class/{k}": 0.1 for k in range(10)} for i in range(3)
    ]  # fmt: skip
    return History.of(DIGITS, {}, rows)


@pytest.mark.parametrize("name", list(CURVES))
def test_every_curve_is_drawn_and_empty_while_nothing_is_measured(name: str) -> None:
    assert CURVES[name].draw(history(), Style()).data
    assert not CURVES[name].draw(History.of(DIGITS, {}, []), Style()).data


def test_class_shares_are_relative_to_the_data(engine: FakeEngine) -> None:
    (strip,) = CURVES["shares"].draw(history(), Style()).data
    assert strip.z[0][0] == pytest.approx(1.0)
    assert strip.customdata[3][0] == "3"
