"""The sweep page by its widgets: from nothing to a filled heat map, on an engine with real workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine_room import shared_engine, tiny, until
from streamlit.testing.v1 import AppTest

import playground.engine
from playground.engine.sweep import sweeper
from playground.store import sweeps
from playground.store.sweeps import Measured, Result, Sweep
from playground.sweep_plan import plan
from tests.page_room import ROUTER, shows

LOSSES, RATES = ["non-saturating", "hinge"], [1e-4, 1e-3, 1e-2]


@pytest.fixture(autouse=True)
def _engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    engine = shared_engine()
    monkeypatch.setattr(playground.engine, "get_engine", lambda: engine)
    yield
    for sweep_id in sweeps.ids(engine.root):
        sweeper(engine).delete(sweep_id, runs=True)
        until(lambda sweep_id=sweep_id: sweeper(engine).idle(sweep_id))


def page() -> AppTest:
    at = AppTest.from_file(str(ROUTER), default_timeout=60).switch_page("sweep.py")
    return shows(at.run())


def words(at: AppTest) -> str:
    texts = [e.value for kind in (at.markdown, at.caption, at.warning, at.error) for e in kind]
    return "\n".join([*texts, *(e.proto.body for e in at.get("html"))])


def result(value: float, failed: bool = False) -> Result:
    found = {"modes/eight_percent": Measured(last=value, low=value, high=value, smoothed=value)}
    return Result(failed=failed, step=500, verdict="diverged" if failed else "healthy", sentence="So.", metrics=found)


def kept(*results: Result | None, state: str = "stopped", **vary: list[object]) -> Sweep:
    """A sweep that lies on disk, with these results."""
    made = plan(tiny(), vary or {"loss": LOSSES, "lr_g": RATES}, steps=500).sweep()
    sweep = made.model_copy(update={"state": state})
    for i, found in enumerate(results):
        sweep = sweep.with_cell(i, result=found, run=f"ring8-{i:08x}")
    sweeps.write(shared_engine().root, sweep)
    return sweep


def test_a_new_sweep_tells_what_it_takes_before_it_starts() -> None:
    at = page()
    until(lambda: "measured now" in words(at.run()), "the estimate")
    assert "9 combinations × 1 seed" in words(at)
    assert "workers of this machine" in words(at)
    assert at.button(key="sweep-start").label == "Start 9 runs"
    at.number_input(key="sweep-seeds").set_value(3).run()
    until(lambda: "measured now" in words(at.run()), "the next one")
    assert at.button(key="sweep-start").label == "Start 27 runs"


def test_settings_are_chosen_added_and_dropped() -> None:
    at = page()
    at.button(key="sweep-add").click().run()
    chosen = at.session_state["sweep-fields"]
    assert chosen == ["lr_g", "loss", "lr_d"]
    at.selectbox(key="sweep-field-2-lr_d").set_value("batch").run()
    assert at.session_state["sweep-fields"] == ["lr_g", "loss", "batch"]
    assert at.text_input(key="sweep-values-batch").value == "128, 256, 512"
    at.text_input(key="sweep-values-batch").set_value("16..64 x 3").run()
    assert "27 combinations" in words(shows(at))
    at.button(key="sweep-drop-0").click().run()
    assert at.session_state["sweep-fields"] == ["loss", "batch"]
    assert "9 combinations" in words(shows(at))


def test_a_range_is_filled_in_as_values() -> None:
    at = page()
    at.number_input(key="sweep-values-lr_g-low").set_value(1e-4)
    at.number_input(key="sweep-values-lr_g-high").set_value(1e-2)
    at.number_input(key="sweep-values-lr_g-count").set_value(3).run()
    shows(at.button(key="sweep-values-lr_g-fill").click().run())
    assert at.text_input(key="sweep-values-lr_g").value == "0.0001, 0.001, 0.01"


def test_what_cannot_be_trained_is_told_and_cannot_be_started() -> None:
    at = page()
    at.text_input(key="sweep-values-lr_g").set_value("fast").run()
    assert "it takes a number from 0.000001 to 1." in words(shows(at))
    assert at.button(key="sweep-start").disabled  # not the rest of it, without this setting
    at.text_input(key="sweep-values-lr_g").set_value(", ".join(str(i / 1e5) for i in range(1, 200))).run()
    assert "597 runs, and a sweep takes at most 500" in words(shows(at))
    assert at.button(key="sweep-start").disabled


def test_combinations_that_are_left_out_are_named_with_the_reason() -> None:
    at = page()
    at.selectbox(key="sweep-field-0-lr_g").set_value("penalty").run()
    at.selectbox(key="sweep-field-1-loss").set_value("penalty_weight").run()
    at.multiselect(key="sweep-values-penalty").set_value(["none", "r1"]).run()
    at.text_input(key="sweep-values-penalty_weight").set_value("0.1, 1").run()
    assert "3 of 4 combinations" in words(shows(at))
    assert "Penalty none, Penalty weight 1" in words(at)
    assert "no effect here" in words(at)


@pytest.mark.slow
def test_a_sweep_is_started_fills_and_is_done() -> None:
    at = page()
    at.session_state["sweep-fields"] = ["lr_g", "loss"]
    at.multiselect(key="sweep-values-loss").set_value(["hinge"]).run()
    at.text_input(key="sweep-values-lr_g").set_value("0.001, 0.01")
    at.number_input(key="sweep-steps").set_value(30).run()
    until(lambda: "measured now" in words(at.run()), "the estimate")
    shows(at.button(key="sweep-start").click().run())
    (sweep,) = sweeper(shared_engine()).all()[0]
    assert at.session_state["sweep"] == sweep.id
    until(lambda: sweeper(shared_engine()).get(sweep.id).state == "done", "its end")
    shows(at.run())
    assert "2 of 2 runs are done." in at.get("progress")[0].proto.text
    assert at.button(key="best-open-0").label == "Open"
    assert not [b for b in at.button if b.key == "sweep-stop"]


def test_a_stopped_sweep_is_resumed_and_what_failed_is_told() -> None:
    sweep = kept(result(5), result(8), result(0, failed=True))
    at = page()
    at.session_state["sweep"] = sweep.id
    shows(at.run())
    assert "3 of 6 runs are done, 1 failed. Stopped" in at.get("progress")[0].proto.text
    best = [m.value for m in at.markdown if "Learning rate G" in m.value and m.value.startswith("**")]
    assert best[1].startswith("**8**")  # after the head
    shows(at.button(key="sweep-resume").click().run())
    assert sweeper(shared_engine()).progress(sweeper(shared_engine()).get(sweep.id)).phase == "running"
    shows(at.button(key="sweep-stop").click().run())
    until(lambda: sweeper(shared_engine()).idle(sweep.id), "it to rest")


@pytest.mark.parametrize("kind", ["Heat map", "Parallel coordinates", "Line"])
def test_each_figure_is_drawn_of_three_settings(kind: str) -> None:
    sweep = kept(result(5), result(8), loss=LOSSES, lr_g=RATES, spectral=[True, False])
    at = page()
    at.session_state["sweep"] = sweep.id
    at.run()
    shows(at.segmented_control(key=f"figure-{sweep.id}").set_value(kind).run())
    assert len(at.get("plotly_chart")) == 1
    if kind == "Heat map":
        shows(at.selectbox(key=f"across-{sweep.id}").set_value("spectral").run())
    shows(at.selectbox(key=f"goal-{sweep.id}-metric").set_value("dist/js").run())
    assert "as soon as the first run is done" in words(at)


def test_settings_of_a_combination_are_used_in_its_lab() -> None:
    sweep = kept(result(5), result(8))
    at = page()
    at.session_state["sweep"] = sweep.id
    at.run()
    at.button(key="best-use-0").click().run()
    shown = at.session_state["labs"]["gan"].run
    experiment = shared_engine().experiment(shown)
    assert (experiment.value("lr_g"), experiment.steps) == (1e-3, 0)


def test_a_run_that_is_gone_cannot_be_opened_and_the_page_says_so() -> None:
    sweep = kept(result(5))
    at = page()
    at.session_state["sweep"] = sweep.id
    at.run()
    shows(at.button(key="best-open-0").click().run())
    assert "There is no run" in words(at)


def test_a_damaged_sweep_is_named_and_the_others_are_there() -> None:
    damaged, whole = kept(), kept(result(5))
    (shared_engine().root / "sweeps" / f"{damaged.id}.json").write_text("{")
    at = page()
    assert f"{damaged.id} cannot be read" in words(at)
    shows(at.selectbox(key="sweep-choice-None").set_value(whole.id).run())
    assert at.session_state["sweep"] == whole.id


def test_a_sweep_is_deleted() -> None:
    sweep = kept(result(5))
    at = page()
    at.session_state["sweep"] = sweep.id
    at.run()
    shows(at.button(key="sweep-delete-now").click().run())
    assert at.session_state["sweep"] is None
    until(lambda: sweep.id not in sweeps.ids(shared_engine().root), "the file to go")
