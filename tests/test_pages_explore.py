"""The Explore pages through AppTest: nothing trained yet, a run with saved moments, and what cannot be read."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import playground.engine
from playground.data import of_kinds
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.families import families
from playground.latent.jobs import Job
from playground.latent.projection import Map
from playground.store import RunFolder
from tests.fakes import FakeEngine
from tests.page_room import ROUTER, shows

PAGES = ("latent.py", "reconstructions.py", "interpolation.py", "model_card.py")
CODERS = sorted(name for name, kind in families().items() if kind.abilities >= {"encode", "decode"})


@cache
def trained(family: str, codings: int, dataset: str) -> Path:
    """Train a small model for a moment, with two moments saved."""
    small = {"width1": 16, "layers": 1, "codings": codings, "score_every": 20, "keyframe_every": 20, "batch": 32}
    experiment = Experiment.of(family).on(dataset).changed(device="cpu", **small)
    folder = RunFolder.create(Path(mkdtemp(prefix="playground-")), experiment, f"{dataset}-{codings:08x}")
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
    monkeypatch.setattr("playground.latent.jobs.get_projector", FakeProjector)
    return fake


class FakeProjector:
    """Gives what it is told to give, and starts no process."""

    job = Job("running", 0.25, "laying out")

    def warm(self) -> None:
        pass

    def ask(self, key: Any, codes: Any, method: str, before: Any = None) -> Job:
        return self.job


def with_run(engine: FakeEngine, home: Path, family: str = CODERS[0], codings: int = 2, dataset: str = "digits") -> str:
    path = trained(family, codings, dataset)
    shutil.copytree(path, home / path.name)
    return engine.keep(RunFolder.open(home, path.name))


def opened(page: str) -> AppTest:
    at = AppTest.from_file(ROUTER, default_timeout=60).run()
    return shows(at.switch_page(page).run())


def words(at: AppTest) -> str:
    kinds = (at.markdown, at.error, at.info, at.caption)
    html = [element.proto.body for element in at.get("html")]
    return "\n".join([*(element.value for kind in kinds for element in kind), *html])


@pytest.mark.parametrize("page", PAGES)
def test_without_a_run_a_page_says_what_it_shows_and_begins_one(engine: FakeEngine, page: str) -> None:
    engine.become(engine.prepare(Experiment()), "stopped", step=100, keyframes=[0])  # of a model without codings
    at = opened(page)
    assert "Nothing has been trained yet that this page can show" in words(at)
    shows(at.button(key="begin").click().run())
    run = at.session_state["lab"].run
    able = families()[engine.experiment(run).family].abilities
    assert able >= ({"generate"} if page == "interpolation.py" else {"encode", "decode"})
    assert engine.experiment(run).dataset.startswith("digits")
    assert engine.status(run).state == "running"


@pytest.mark.parametrize("family", CODERS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_the_latest_moment_of_any_family_that_codes(
    engine: FakeEngine, tmp_path: Path, page: str, family: str
) -> None:
    run = with_run(engine, tmp_path, family, 3)
    at = opened(page)
    assert not at.error
    assert "step 40" in words(at)
    engine.send(run, "look", step=20)
    assert "step 20" in words(shows(at.run()))
    assert not at.error


@pytest.mark.parametrize("dataset", [of_kinds(frozenset([kind]))[0] for kind in ("sequences", "cloud")])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_whatever_items_there_are(engine: FakeEngine, tmp_path: Path, page: str, dataset: str) -> None:
    with_run(engine, tmp_path, "autoencoder", 2, dataset)
    at = opened(page)
    assert not at.error


@pytest.mark.parametrize("page", PAGES)
def test_the_same_run_and_moment_on_every_page(engine: FakeEngine, tmp_path: Path, page: str) -> None:
    engine.send(with_run(engine, tmp_path), "look", step=20)
    at = opened("model_card.py")
    assert "step 20" in words(at)
    shows(at.switch_page(page).run())
    assert "step 20" in words(at)
    engine.send(at.session_state["explored"], "look", step=None)
    assert "step 40" in words(shows(at.run()))


@pytest.mark.parametrize("page", PAGES)
def test_a_moment_that_cannot_be_read_is_said_in_a_sentence(engine: FakeEngine, tmp_path: Path, page: str) -> None:
    run = with_run(engine, tmp_path)
    for saved in (tmp_path / run / "keyframes").iterdir():
        saved.write_bytes(b"torn")
    at = opened(page)
    assert at.error[0].value.endswith(".")


def test_a_running_run_can_be_looked_at_now(engine: FakeEngine, tmp_path: Path) -> None:
    run = with_run(engine, tmp_path)
    engine.become(run, "running")
    at = shows(opened("model_card.py").button(key="now").click().run())
    assert (run, "keyframe", {}) in engine.said
    shows(at.button(key="to-lab").click().run())
    assert at.session_state["lab"].run == run


def test_the_model_card_counts_weights_and_compression(engine: FakeEngine, tmp_path: Path) -> None:
    with_run(engine, tmp_path)
    at = opened("model_card.py")
    told = {metric.label: metric.value for metric in at.metric}
    weights = 64 * 16 + 16 + 16 * 2 + 2 + 2 * 16 + 16 + 16 * 64 + 64
    assert told["Weights"] == f"{weights:,}"
    assert told["Compression"] == "32 : 1"
    assert "1 × 8 × 8" in words(at)


def test_reconstructions_by_order_and_class(engine: FakeEngine, tmp_path: Path) -> None:
    with_run(engine, tmp_path)
    at = opened("reconstructions.py")
    shows(at.segmented_control(key="order").select("Best first").run())
    shows(at.selectbox(key="class").select(3).run())
    shows(at.segmented_control(key="part").select("training").run())
    assert "training items" in words(at)


def test_maps_with_grid_and_figures(engine: FakeEngine, tmp_path: Path) -> None:
    with_run(engine, tmp_path, codings=3)
    at = opened("latent.py")
    shows(at.toggle(key="map-grid").set_value(True).run())
    assert "Trustworthiness of the map" in words(at)
    assert "chance" in words(at)


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (Job("running", 0.25, "laying out"), "UMAP: laying out. PCA meanwhile."),
        (Job("failed", note="The process that draws maps has ended."), "has ended."),
        (Job("done", 1.0, result=Map(np.zeros((450, 2), np.float32))), "Trustworthiness"),
    ],
    ids=["running", "failed", "done"],
)
def test_a_map_that_takes_time_says_how_far_it_is(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Job, said: str
) -> None:
    monkeypatch.setattr(FakeProjector, "job", job)
    with_run(engine, tmp_path, codings=3)
    at = opened("latent.py")
    shows(at.segmented_control(key="method-pca").select("umap").run())
    bars = [bar.proto.text for bar in at.get("progress")]
    assert said in words(at) + "\n".join(bars)


@pytest.mark.parametrize("way", ["One coding at a time", "Attributes", "Arithmetic"])
def test_every_walk(engine: FakeEngine, tmp_path: Path, way: str) -> None:
    with_run(engine, tmp_path, codings=3)
    at = opened("interpolation.py")
    shows(at.segmented_control(key="way").select(way).run())
    assert not at.error
