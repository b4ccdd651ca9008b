"""The script of a run on the pages: previewed and saved from a lab and from the model card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.store import RunFolder
from tests.fakes import FakeEngine
from tests.page_room import ROUTER, shows


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))


def trained(engine: FakeEngine, home: Path, experiment: Experiment) -> str:
    folder = RunFolder.create(home, experiment.changed(device="cpu", score_every=1000, keyframe_every=10))
    loop = Loop(folder.experiment(), folder)
    loop.advance(20)
    loop.flush()
    folder.release()
    return engine.keep(folder)


def test_a_lab_shows_the_script_of_a_run_before_it_was_trained(engine: FakeEngine) -> None:
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.session_state["keep"] = True
    shows(at.run())
    shows(at.button(key="code-keep").click().run())
    assert "from torch import nn" in at.code[-1].value
    assert not at.session_state["keep"]  # the popover closed, so that it does not lie on the script


def test_the_model_card_shows_the_script_of_what_was_trained(engine: FakeEngine, tmp_path: Path) -> None:
    trained(engine, tmp_path, Experiment.of("vae").changed(layers=1, width1=16))
    at = AppTest.from_file(ROUTER, default_timeout=60).run()
    shows(at.switch_page("model_card.py").run())
    shows(at.button(key="code-card").click().run())
    assert "STEPS = 20" in at.code[-1].value
    assert "KL" in at.code[-1].value or "kl" in at.code[-1].value


def test_a_script_of_ones_own_points_is_saved_with_them(engine: FakeEngine, tmp_path: Path) -> None:
    run = trained(engine, tmp_path, Experiment().on("custom"))
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.query_params["run"] = run
    engine.reopen = engine.status
    at.session_state["keep"] = True
    shows(at.run())
    shows(at.button(key="code-keep").click().run())
    assert f"Save {run}.zip" in [button.label for button in at.get("download_button")]


def test_what_began_with_learned_weights_has_no_script(engine: FakeEngine, tmp_path: Path) -> None:
    first = trained(engine, tmp_path, Experiment().changed(g_depth=1))
    run = trained(engine, tmp_path, Experiment().changed(g_depth=1))
    came = {"run": first, "step": 5, "kept": ["model/d/layers.0.weight"], "new": []}
    (tmp_path / run / "parent.json").write_text(json.dumps(came))
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.query_params["run"] = run
    engine.reopen = engine.status
    at.session_state["keep"] = True
    shows(at.run())
    shows(at.button(key="code-keep").click().run())
    assert f"began with what run {first} had learned" in at.error[0].value
