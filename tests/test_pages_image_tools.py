"""The latent tools of image generators and the Mode collapse page through AppTest, on runs trained for a moment."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import playground.engine
from pages.parts import labs
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.families import families
from playground.store import RunFolder
from tests.fakes import FakeEngine

ROUTER = Path(__file__).parents[1] / "pages" / "router.py"
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


def shows(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    return at


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
    assert list(control.options) == WAYS
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
