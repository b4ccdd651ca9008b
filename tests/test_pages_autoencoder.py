"""The autoencoder lab through AppTest: a run of its own beside the GAN lab's, its families, data, links and states."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import playground.engine
from pages.parts.labs import AUTOENCODER, GAN, IMAGES, home
from playground.config import ConfigError
from playground.data import archives, datasets
from playground.experiment import Experiment
from playground.families import families
from tests.fakes import FakeEngine
from tests.page_room import ROUTER, shows


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
    return shows(shows(at.run()).switch_page("autoencoder_lab.py").run())


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


def test_every_family_is_at_home_by_what_it_can_do_and_on_what() -> None:
    for name, kind in families().items():
        for on in kind.takes:
            coder = kind.abilities >= {"encode", "decode"}
            assert home(name, on).id == ("autoencoder" if coder else "image_gan" if on == "images" else "gan")
    assert set(AUTOENCODER.families) | set(GAN.families) | set(IMAGES.families) == set(families())
    assert {"gan"} <= set(GAN.families) & set(IMAGES.families)


def test_each_lab_has_a_run_of_its_own(engine: FakeEngine) -> None:
    at = AppTest.from_file(ROUTER, default_timeout=60).run()
    gan = run_of(at)
    shows(at.switch_page("autoencoder_lab.py").run())
    mine = run_of(at)
    assert engine.experiment(gan).family == "gan"
    assert engine.experiment(mine) == AUTOENCODER.opening
    shows(at.switch_page("gan_lab.py").run())
    assert run_of(at) == gan
    shows(at.switch_page("autoencoder_lab.py").run())
    assert run_of(at) == mine


# -- states ------------------------------------------------------------------------------------------------------------


def test_it_opens_ready_and_trains_nothing(engine: FakeEngine) -> None:
    at = lab()
    assert engine.status(run_of(at)).state == "ready"
    assert engine.said == []
    assert "Autoencoder lab" in words(at)


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


# -- controls ----------------------------------------------------------------------------------------------------------


def test_the_family_is_chosen_and_keeps_what_both_have(engine: FakeEngine) -> None:
    at = lab()
    shows(at.run())
    now = engine.experiment(run_of(at)).family
    other = next(name for name in AUTOENCODER.families if name != now)
    shared = engine.experiment(run_of(at)).value("codings")
    shows(widget(at.segmented_control, "family").select(other).run())
    taken = engine.experiment(run_of(at))
    assert (taken.family, taken.value("codings")) == (other, shared)


def test_another_family_asks_before_it_restarts_a_run(engine: FakeEngine) -> None:
    at = lab()
    engine.become(run_of(at), "running", step=10)
    run, now = run_of(at), engine.experiment(run_of(at)).family
    other = next(name for name in AUTOENCODER.families if name != now)
    shows(widget(at.segmented_control, "family").select(other).run())
    assert run_of(at) == run
    assert f"family {now} → {other}" in words(at)
    shows(at.button(key="restart").click().run())
    assert engine.experiment(run_of(at)).family == other


def test_only_data_that_the_family_takes_is_offered(engine: FakeEngine) -> None:
    at = lab(data=True)
    offered = {label.split(") ", 1)[-1].removesuffix(" ↓") for label in widget(at.pills, "dataset").options}
    kinds = {kind.kind for kind in datasets().values() if kind.title in offered}
    assert {"images"} <= kinds
    assert "points" not in kinds


def test_an_archive_that_is_away_is_offered_with_how_to_get_it(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(name: str, progress: Any = None) -> None:
        raise ConfigError("MNIST could not be downloaded (no connection): try again, or set PLAYGROUND_DATA.")

    monkeypatch.setattr(archives, "fetch", offline)
    at = lab(data=True)
    run = run_of(at)
    shows(widget(at.pills, "dataset").select("mnist").run())
    assert "MNIST is not on this machine" in words(at)
    at.session_state["bring"] = "fetch"
    shows(at.button(key="download").click().run())
    assert "no connection" in at.error[0].value
    assert run_of(at) == run


# -- links -------------------------------------------------------------------------------------------------------------


def test_a_link_to_a_family_opens_its_lab(engine: FakeEngine) -> None:
    at = linked(f="vae", code="5")
    experiment = engine.experiment(run_of(at))
    assert (experiment.family, experiment.value("codings")) == ("vae", 5)
    assert "Autoencoder lab" in words(at)
    assert at.query_params["f"] == ["vae"] or at.query_params["f"] == "vae"


def test_a_run_is_opened_in_the_lab_of_its_family(engine: FakeEngine) -> None:
    run = engine.prepare(Experiment.of("vae"))
    engine.become(run, "paused", step=10)
    at = linked(run=run)
    assert run_of(at) == run
    assert "Autoencoder lab" in words(at)
    shows(at.switch_page("runs.py").run())
    shows(at.button(key=f"open-{run}").click().run())
    assert run_of(at) == run
    assert "Autoencoder lab" in words(at)


def test_missing_data_in_a_link_falls_back_with_a_notice(engine: FakeEngine) -> None:
    at = linked(f="autoencoder", d="mnist")
    assert "not on this machine" in "\n".join(w.value for w in at.warning)
    assert engine.experiment(run_of(at)).dataset == AUTOENCODER.opening.dataset


def test_parts_are_hidden_by_link(engine: FakeEngine) -> None:
    at = linked(f="vae", hide="map,curves,family,presets")
    assert not [c for c in at.segmented_control if (c.key or "").startswith("family")]
    assert not [s for s in at.selectbox if (s.key or "").startswith("preset-")]
