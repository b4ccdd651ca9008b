"""The lab page through AppTest: its states, its controls, its links."""

from __future__ import annotations

import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.labs import GAN
from playground.experiment import Experiment
from playground.presets import PRESETS
from tests.fakes import FakeEngine
from tests.page_room import ROUTER, shows


def lab(**query: str) -> AppTest:
    at = AppTest.from_file(ROUTER, default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return shows(at.run())


def run_of(at: AppTest) -> str:
    return str(at.session_state["lab"].run)


def words(at: AppTest) -> str:
    return "\n".join(element.value for kind in (at.markdown, at.error, at.warning, at.caption) for element in kind)


def widget(kind: Any, name: str) -> Any:
    """Return the widget of a field; its key ends in a number that grows when the value comes from elsewhere."""
    return next(w for w in kind if re.fullmatch(rf"{name}-\d+", w.key or ""))


# -- states ------------------------------------------------------------------------------------------------------------


def test_it_opens_ready_on_the_good_preset_and_trains_nothing(engine: FakeEngine) -> None:
    at = lab()
    assert engine.status(run_of(at)).state == "ready"
    assert engine.experiment(run_of(at)) == GAN.opening
    assert engine.said == []
    assert next(iter(PRESETS.values())).about in words(at)
    assert "GAN lab" in words(at)


@pytest.mark.parametrize("name", ["running", "warming", "paused", "stopped"])
def test_a_run_under_way(engine: FakeEngine, name: str) -> None:
    at = lab()
    engine.become(run_of(at), name, step=1200)
    shows(at.run())
    assert not at.error


def test_queued_says_its_place(engine: FakeEngine) -> None:
    at = lab()
    engine.become(run_of(at), "queued", queue=2)
    assert "place 2" in words(shows(at.run()))


def test_failed_says_the_cause_and_goes_back_to_the_last_good_moment(engine: FakeEngine) -> None:
    at = lab()
    engine.become(run_of(at), "failed", step=1310, error="The loss of D became NaN at step 1310.", keyframes=[0, 1000])
    shows(at.run())
    assert "NaN at step 1310" in at.error[0].value
    shows(at.button(key="go-back").click().run())
    assert (run_of(at), "goto", {"step": 1000}) in engine.said


def test_failed_before_any_good_moment_starts_again(engine: FakeEngine) -> None:
    at = lab()
    engine.become(run_of(at), "failed", step=0, error="The run could not start.")
    before = run_of(shows(at.run()))
    shows(at.button(key="again").click().run())
    assert run_of(at) != before


def test_finished_offers_three_things_to_try_and_begins_the_one_chosen(engine: FakeEngine) -> None:
    at = lab()
    engine.become(run_of(at), "finished", step=10_000)
    shows(at.run())
    offers = [b for b in at.button if b.key and b.key.startswith("next-")]
    assert len(offers) == min(3, len(PRESETS) - 1)
    shows(offers[0].click().run())
    assert engine.experiment(run_of(at)) == PRESETS[offers[0].key.removeprefix("next-")].experiment


# -- controls ----------------------------------------------------------------------------------------------------------


def test_a_live_field_acts_on_the_run_at_once(engine: FakeEngine) -> None:
    at = lab()
    engine.become(run_of(at), "running", step=100)
    shows(widget(at.number_input, "type-lr_d").set_value(0.004).run())
    assert engine.said == [(run_of(at), "set", {"values": {"lr_d": 0.004}})]
    assert widget(at.slider, "slide-lr_d").value == pytest.approx(-2.39794, abs=1e-4)
    assert not [b for b in at.button if b.key == "restart"]


def test_a_slider_moves_its_box(engine: FakeEngine) -> None:
    at = lab()
    shows(widget(at.slider, "slide-lr_g").set_value(-3.0).run())
    assert widget(at.number_input, "type-lr_g").value == 0.001
    assert engine.experiment(run_of(at)).value("lr_g") == 0.001


def test_a_structural_field_asks_before_it_restarts(engine: FakeEngine) -> None:
    at = opened(engine, "generator")
    engine.become(run_of(at), "running", step=100)
    before = run_of(at)
    shows(widget(at.number_input, "type-g_depth").set_value(5).run())
    assert run_of(at) == before
    assert engine.said == []
    assert "This restarts the run" in words(at)
    shows(at.button(key="restart").click().run())
    assert run_of(at) != before
    assert engine.experiment(run_of(at)).value("g_depth") == 5
    assert [verb for _, verb, _ in engine.said] == ["stop", "play"]


def test_undo_takes_a_structural_change_back(engine: FakeEngine) -> None:
    at = opened(engine, "generator")
    engine.become(run_of(at), "paused", step=100)
    was = engine.experiment(run_of(at)).value("g_depth")
    shows(widget(at.number_input, "type-g_depth").set_value(was + 1).run())
    shows(at.button(key="undo").click().run())
    assert widget(at.number_input, "type-g_depth").value == was
    assert not [b for b in at.button if b.key == "restart"]


def test_before_the_first_step_a_structural_field_just_changes(engine: FakeEngine) -> None:
    at = opened(engine, "generator")
    shows(widget(at.number_input, "type-g_depth").set_value(5).run())
    assert engine.experiment(run_of(at)).value("g_depth") == 5
    assert engine.status(run_of(at)).state == "ready"
    assert not [b for b in at.button if b.key == "restart"]


def test_a_changed_field_shows_the_way_back(engine: FakeEngine) -> None:
    at = lab()
    shows(widget(at.number_input, "type-lr_d").set_value(0.05).run())
    default = engine.experiment(run_of(at)).knobs()["lr_d"].default
    assert f"{default:g}" in at.button(key="back-lr_d").label
    shows(at.button(key="back-lr_d").click().run())
    assert engine.experiment(run_of(at)).value("lr_d") == default
    assert not [b for b in at.button if b.key == "back-lr_d"]


def test_a_field_that_does_not_matter_is_not_shown(engine: FakeEngine) -> None:
    at = lab(loss="non-saturating")
    assert not [n for n in at.number_input if n.key.startswith("type-clip-")]
    shows(widget(at.selectbox, "choose-loss").select("wasserstein-clip").run())
    assert widget(at.number_input, "type-clip")


def test_an_edit_from_elsewhere_moves_the_widgets(engine: FakeEngine) -> None:
    at = lab()
    engine.send(run_of(at), "set", values={"lr_d": 0.03})
    shows(at.run())
    assert widget(at.number_input, "type-lr_d").value == 0.03


def test_a_preset_is_loaded_whole(engine: FakeEngine) -> None:
    at = lab()
    other = next(name for name in PRESETS if PRESETS[name].experiment != GAN.opening)
    shows(widget(at.selectbox, "preset").select(other).run())
    assert engine.experiment(run_of(at)) == PRESETS[other].experiment


def test_a_data_set_is_chosen_from_the_wall(engine: FakeEngine) -> None:
    at = opened(engine, wall=True)
    shows(widget(at.pills, "dataset").select("moons").run())
    assert engine.experiment(run_of(at)).dataset == "moons"


def opened(engine: FakeEngine, group: str = "data", wall: bool = False) -> AppTest:
    """Return the page with a group open, or the wall of data sets."""
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.session_state["data" if wall else f"group-{group}"] = True
    return shows(at.run())


# -- links -------------------------------------------------------------------------------------------------------------


def test_a_link_holds_the_whole_experiment(engine: FakeEngine) -> None:
    at = lab()
    shows(widget(at.number_input, "type-lr_d").set_value(0.005).run())
    shows(widget(at.number_input, "type-std").set_value(0.2).run())
    query = dict(at.query_params.items())
    assert query.pop("run") == run_of(at)
    assert Experiment.from_query(query) == (engine.experiment(run_of(at)), [])
    elsewhere = lab(**query)
    assert engine.experiment(run_of(elsewhere)) == engine.experiment(run_of(at))


def test_a_reload_finds_the_run_again(engine: FakeEngine) -> None:
    run = run_of(lab())
    engine.become(run, "running", step=77)
    assert run_of(lab(run=run)) == run


def test_a_run_that_is_gone_comes_back_as_its_settings_with_a_notice(engine: FakeEngine) -> None:
    at = lab(run="ring8-ffffffff", lrd="0.005")
    assert engine.experiment(run_of(at)).value("lr_d") == 0.005
    assert "no longer here" in at.warning[0].value


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"lrd": "fast"}, "lr_d is 'fast'"),
        ({"lrd": "-1"}, "lr_d is -1"),
        ({"d": "imagenet"}, "no data set 'imagenet'"),
        ({"f": "flow"}, "no family 'flow'"),
        ({"preset": "no-such"}, "no preset 'no-such'"),
        ({"run": "../../etc"}, "no longer here"),
        ({"d": "custom", "src": "0123456789abcdef"}, "not on this machine"),
        ({"d": "custom", "src": "../../x"}, "names no saved points"),
    ],
)
def test_a_bad_value_in_a_link_falls_back_with_a_notice(engine: FakeEngine, query: dict[str, str], said: str) -> None:
    at = lab(**query)
    assert said in "\n".join(w.value for w in at.warning)
    assert not at.error


def test_a_teacher_hides_controls_by_link(engine: FakeEngine) -> None:
    at = lab(hide="training,std,presets,curves")
    assert not [n for n in at.number_input if n.key.startswith(("type-lr_d-", "type-std-"))]
    assert not [s for s in at.selectbox if s.key.startswith("preset-")]
    assert at.query_params["hide"] == "curves,presets,std,training"
    assert widget(at.number_input, "type-radius")
