"""The latent tools of image generators and the Mode collapse page through AppTest, on runs trained for a moment."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from time import sleep

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import playground.engine
from pages.parts import labs
from pages.parts.noise import Samples
from pages.parts.noise_walks import at_length, settled
from playground.config import ConfigError
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.families import families
from playground.families.base import Code
from playground.figures.chart import Style
from playground.figures.plane import plane
from playground.store import RunFolder
from tests.fakes import FakeEngine
from tests.page_room import ROUTER, shows

GENERATORS = [name for name in labs.IMAGES.families if families()[name].abilities == {"generate", "score"}]
WAYS = ["Between two samples", "Walk", "Number by number", "Directions", "Arithmetic", "Truncation"]


@cache
def trained(family: str, dataset: str) -> Path:
    """Train a small generator for a moment, with two moments saved."""
    small = {"g_width": 16, "d_width": 16, "g_depth": 1, "d_depth": 1, "noise_dim": 6, "batch": 16}
    plain = Experiment.of(family).on(dataset)
    known = {name: value for name, value in small.items() if name in plain.knobs()}
    experiment = plain.changed(device="cpu", score_every=1000, keyframe_every=20, **known)
    folder = RunFolder.create(Path(mkdtemp(prefix="playground-")), experiment, f"{dataset}-{len(family):08x}")
    loop = Loop(experiment, folder)
    loop.advance(40)
    loop.flush()
    folder.release()
    return folder.path


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    fake = FakeEngine()
    st.cache_resource.clear()  # by run and step, and the tests' runs have the same names
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    monkeypatch.setattr(playground.engine, "get_engine", lambda: fake)
    monkeypatch.setattr("pages.parts.live.get_engine", lambda: fake)
    return fake


def with_run(engine: FakeEngine, home: Path, family: str = "gan", dataset: str = "digits") -> str:
    path = trained(family, dataset)
    shutil.copytree(path, home / path.name)
    return engine.keep(RunFolder.open(home, path.name))


def opened(page: str = "interpolation.py") -> AppTest:
    at = AppTest.from_file(ROUTER, default_timeout=60).run()
    return shows(at.switch_page(page).run())


def words(at: AppTest) -> str:
    kinds = (at.markdown, at.error, at.info, at.caption)
    html = [element.proto.body for element in at.get("html")]
    return "\n".join([*(element.value for kind in kinds for element in kind), *html])


# -- interpolation -----------------------------------------------------------------------------------------------------


def test_points_have_no_codes_to_walk_between(engine: FakeEngine, tmp_path: Path) -> None:
    with_run(engine, tmp_path, "gan", "ring8")
    assert "Nothing has been trained yet that this page can show" in words(opened())


@pytest.mark.parametrize("way", WAYS)
def test_every_way_through_the_noise_of_a_gan(engine: FakeEngine, tmp_path: Path, way: str) -> None:
    with_run(engine, tmp_path)
    at = opened()
    control = at.segmented_control(key="way-of-noise")
    assert list(control.options) == [*WAYS, "Projection"]
    shows(control.select(way).run())
    assert not at.error


@pytest.mark.parametrize("family", GENERATORS)
def test_codes_with_a_meaning_have_a_way_of_their_own(engine: FakeEngine, tmp_path: Path, family: str) -> None:
    with_run(engine, tmp_path, family)
    at = opened()
    control = at.segmented_control(key="way-of-noise")
    assert ("Codes" in control.options) == (family in ("conditional-gan", "infogan"))
    for way in control.options:
        shows(at.segmented_control(key="way-of-noise").select(way).run())
        assert not at.error, (way, at.error)


def test_picked_samples_are_what_is_added_up(engine: FakeEngine, tmp_path: Path) -> None:
    with_run(engine, tmp_path)
    at = opened()
    shows(at.segmented_control(key="way-of-noise").select("Arithmetic").run())
    before = words(at)
    at.session_state["samples-A"] = [3, 4, 5]
    shows(at.run())
    assert words(at) != before


# -- taking along ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "dataset"), [("image_gan_lab.py", "digits"), ("gan_lab.py", "ring8")])
def test_a_film_of_training_is_made_beside_the_page(
    engine: FakeEngine, tmp_path: Path, page: str, dataset: str
) -> None:
    run = with_run(engine, tmp_path, "gan", dataset)
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.session_state["keep"] = True
    at.query_params["run"] = run
    engine.reopen = engine.status
    shows(at.run())
    assert at.session_state["lab"].run == run
    shows(at.button(key="keep-make").click().run())
    made = at.session_state["making"].work.result(60)
    assert made[:6] == b"GIF89a"
    assert (at.session_state["making"].done, at.session_state["making"].all) == (3, 3)
    assert not shows(at.run()).error


def test_there_is_no_film_of_what_has_no_saved_moments(engine: FakeEngine) -> None:
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.session_state["keep"] = True
    assert "press Play first" in words(shows(at.run()))


# -- mode collapse -----------------------------------------------------------------------------------------------------


def reported(engine: FakeEngine) -> AppTest:
    """Open the page, and wait until the report is there."""
    at = opened("mode_collapse.py")
    for _ in range(600):
        if not at.get("skeleton"):
            return at
        sleep(0.1)
        shows(at.run())
    raise AssertionError("The report did not come.")


def test_without_a_run_the_page_says_what_it_shows_and_begins_one(engine: FakeEngine) -> None:
    engine.become(engine.prepare(Experiment.of("autoencoder")), "stopped", step=100, keyframes=[0])
    at = opened("mode_collapse.py")
    assert "names what is missing" in words(at)
    shows(at.button(key="begin").click().run())
    run = at.session_state["lab"].run
    assert "generate" in families()[engine.experiment(run).family].abilities
    assert engine.status(run).state == "running"


@pytest.mark.parametrize("dataset", ["digits", "ring8", "moons"])
def test_a_report_names_what_is_missing(engine: FakeEngine, tmp_path: Path, dataset: str) -> None:
    run = with_run(engine, tmp_path, "gan", dataset)
    at = reported(engine)
    assert not at.error
    said = words(at)
    assert "fakes, compared in" in said
    assert "Noise floor" in said
    assert ("FID on our features" in said) == (dataset == "digits")
    assert ("missing" in said) == (dataset != "moons")  # 40 steps: far from all classes, and moons has none
    engine.send(run, "look", step=20)
    assert "step 20" in words(shows(at.run()))
    assert not at.error


def test_a_report_on_too_few_images_says_so_in_a_sentence(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConfigError("Own images has 12 held-out images: a report takes at least 50.")

    monkeypatch.setattr("playground.diagnostics.collapse.report", refuse)
    with_run(engine, tmp_path)
    assert "at least 50" in reported(engine).error[0].value


@pytest.mark.parametrize("state", ["running", "paused", "failed", "finished"])
@pytest.mark.parametrize("page", ["mode_collapse.py", "interpolation.py"])
def test_a_saved_moment_can_be_looked_at_in_every_state(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, state: str
) -> None:
    monkeypatch.setattr("playground.diagnostics.collapse.report", lambda *_, **__: _raise("Not asked for here."))
    run = with_run(engine, tmp_path)
    engine.become(run, state, error="Training stopped at step 45: NaN." if state == "failed" else None)
    at = opened(page)
    assert "step 40" in words(at)
    assert bool([b for b in at.button if b.key == "now"]) == (state in ("running", "paused"))


def _raise(sentence: str) -> None:
    raise ConfigError(sentence)


def test_the_plane_shows_all_points_in_a_square() -> None:
    figure = plane(np.zeros((5, 2)), np.ones((7, 2)), 3.0, Style())
    assert [len(trace.x) for trace in figure.data] == [5, 7]
    assert tuple(figure.layout.xaxis.range) == tuple(figure.layout.yaxis.range) == (-3, 3)
    assert figure.layout.yaxis.scaleanchor == "x"


def test_a_sum_has_one_class_and_the_usual_length() -> None:
    parts = [Code("noise", "noise", 0, 2), Code("class", "category", 2, 3)]
    z = np.array([[3, 4, 1, 0, 0], [0, 5, 1, 0, 0], [5, 0, 0, 0, 1]], np.float32)
    samples = Samples(z, np.zeros((3, 1, 8, 8)), parts)
    total = settled(z[0] - z[1] + z[2], samples)  # a seven, less a seven, and a one
    assert total[2:].tolist() == [0, 0, 1]
    assert np.linalg.norm(at_length(total, samples)[:2]) == pytest.approx(5)
    assert at_length(total, samples)[2:].tolist() == [0, 0, 1]
