"""The runs page, and the lab with real training behind it, through AppTest."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import playground.engine
from playground.experiment import Experiment
from tests.engine_room import play_to, shared_engine, tiny
from tests.fakes import FakeEngine

ROUTER = Path(__file__).parents[1] / "pages" / "router.py"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(playground.engine, "get_engine", lambda: fake)
    monkeypatch.setattr("pages.parts.live.get_engine", lambda: fake)
    return fake


def runs_page() -> AppTest:
    at = AppTest.from_file(ROUTER, default_timeout=60).run()
    return shows(at.switch_page("runs.py").run())


def shows(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    return at


def words(at: AppTest) -> str:
    return "\n".join(element.value for kind in (at.markdown, at.error, at.info) for element in kind)


def test_without_runs_it_says_what_will_be_here(engine: FakeEngine) -> None:
    assert "is kept here" in words(runs_page())


def test_each_run_says_where_it_stands(engine: FakeEngine) -> None:
    first, second, third = (engine.prepare(Experiment()) for _ in range(3))
    engine.become(first, "running", step=1200)
    engine.become(second, "failed", error="The loss of D became NaN at step 7.")
    engine.become(third, "queued", queue=1)
    said = words(runs_page())
    for part in (first, "step 1,200", "NaN at step 7", f"Waiting for a free core: {third}"):
        assert part in said


def test_a_run_is_opened_in_the_lab(engine: FakeEngine) -> None:
    run = engine.prepare(Experiment(dataset="moons"))
    engine.become(run, "paused", step=10)
    at = shows(runs_page().button(key=f"open-{run}").click().run())
    assert at.session_state["lab"].run == run


def test_a_run_goes_on_without_a_viewer(engine: FakeEngine) -> None:
    run = engine.prepare(Experiment())
    engine.become(run, "stopped", step=10)
    shows(runs_page().button(key=f"go-{run}").click().run())
    assert engine.status(run).state == "running"
    assert engine.status(run).pinned


def test_a_run_is_pinned_and_let_go(engine: FakeEngine) -> None:
    run = engine.prepare(Experiment())
    engine.become(run, "running", step=10)
    at = shows(runs_page().toggle(key=f"pin-{run}").set_value(True).run())
    assert engine.status(run).pinned
    shows(at.toggle(key=f"pin-{run}").set_value(False).run())
    assert not engine.status(run).pinned


def test_a_run_is_deleted_after_a_question(engine: FakeEngine) -> None:
    run = engine.prepare(Experiment())
    engine.become(run, "stopped", step=10)
    at = runs_page()
    assert run in engine.known
    shows(at.button(key=f"sure-{run}").click().run())
    assert run not in engine.known


def test_a_lab_whose_run_was_deleted_begins_anew(engine: FakeEngine) -> None:
    at = shows(AppTest.from_file(ROUTER, default_timeout=60).run())
    engine.delete(at.session_state["lab"].run)
    shows(at.run())
    assert at.session_state["lab"].run in engine.known


def test_the_lab_shows_what_a_real_run_has_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = shared_engine()
    monkeypatch.setattr(playground.engine, "get_engine", lambda: engine)
    monkeypatch.setattr("pages.parts.live.get_engine", lambda: engine)
    run = engine.prepare(tiny(score_every=20))
    play_to(engine, run, 60)
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.query_params["run"] = run
    shows(at.run())
    assert at.session_state["lab"].run == run
    for tab in ("Losses", "D(x)", "Gradients", "Modes", "Distances"):
        shows(at.segmented_control(key="curves").select(tab).run())
        assert at.get("plotly_chart")
    runs = shows(at.switch_page("runs.py").run())
    assert "Warming up" in words(runs)
    engine.delete(run)
