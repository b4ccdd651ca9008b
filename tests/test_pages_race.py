"""The race page through AppTest, with a real engine: lining up, what differs, driving, curves and verdicts."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

import playground.engine
from pages.parts import race_curves
from pages.parts.race_view import reseeded
from playground import racing
from playground.experiment import Experiment
from playground.race_presets import RACES
from tests.engine_room import becomes, shared_engine, tiny
from tests.page_room import ROUTER, shows


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(playground.engine, "get_engine", shared_engine)
    monkeypatch.setattr("pages.parts.live.get_engine", shared_engine)
    return shared_engine()


def page() -> AppTest:
    at = AppTest.from_file(ROUTER, default_timeout=60).run()
    return shows(at.switch_page("race.py").run())


def words(at: AppTest) -> str:
    return "\n".join(element.value for kind in (at.markdown, at.error, at.caption) for element in kind)


def race_of(at: AppTest):
    return shared_engine().races.get(at.session_state["race"])


def test_the_page_says_what_a_race_is_and_offers_some() -> None:
    at = page()
    assert "the same batches in the same order" in words(at)
    for name, race in RACES.items():
        assert race.title in words(at)
        assert at.button(key=f"line-up-{name}")


def test_a_ready_race_is_lined_up_with_its_runs_at_the_start() -> None:
    at = shows(page().button(key="line-up-r1").click().run())
    race = race_of(at)
    assert [racer.label for racer in race.card.racers] == ["none", "R1"]
    assert race.status().state == "ready"
    assert race.status().until == {"steps": RACES["r1"].steps}
    said = words(at)
    assert "One setting differs: **Penalty**." in said
    assert "All start from the same weights and see the same batches." in said
    assert at.query_params["race"] in (race.card.id, [race.card.id])


def test_every_ready_race_can_be_run() -> None:
    for race in RACES.values():
        card = race.card
        assert card.knob == race.knob
        assert len(card.racers) == len(race.values)


def test_ones_own_race_takes_any_field_and_says_what_does_not_go() -> None:
    at = page()
    at.selectbox(key="race-base").set_value("First steps · Start here").run()
    at.selectbox(key="race-knob-points").set_value("lr_d").run()
    assert "one setting different (Learning rate D)" in words(at)
    at.multiselect(key="race-values-gan-points-lr_d").set_value(["0.002"]).run()
    assert "takes 2 to 6 values, and there are 1" in words(at)
    assert at.button(key="line-up").disabled
    at.selectbox(key="race-knob-points").set_value("spectral").run()
    shows(at.button(key="line-up").click().run())
    assert [racer.label for racer in race_of(at).card.racers] == ["Spectral norm off", "Spectral norm on"]


def test_another_race_and_the_way_back_to_the_first() -> None:
    engine = shared_engine()
    card = racing.plan(tiny(), "loss", ["hinge", "minimax"])
    engine.races.start(card)
    engine.send(card.id, "step", n=3)
    at = page()
    shows(at.button(key=f"open-{card.id}").click().run())
    assert race_of(at).card == card
    assert "hinge" in words(at)
    shows(at.button(key="another-race").click().run())
    assert "Ready for class" in words(at)
    assert "race" not in at.query_params
    engine.send(card.id, "stop")


def test_a_link_to_a_race_that_is_gone_says_so() -> None:
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.query_params["race"] = "race-12345678"
    at.run()
    at = shows(at.switch_page("race.py").run())
    at.session_state["race"] = "race-12345678"
    assert "There is no race" in words(shows(at.run()))


def test_seeds_are_drawn_as_bands_with_the_share_that_collapsed() -> None:
    engine = shared_engine()
    card = racing.plan(tiny(score_every=10), "seed", [0, 1, 2])
    engine.races.start(card)
    engine.send(card.id, "step", n=20)
    at = page()
    shows(at.button(key=f"open-{card.id}").click().run())
    said = words(at)
    assert "Collapsed" in said
    assert at.segmented_control(key="race-how").value == "bands"
    assert len(at.get("plotly_chart")) == 2
    engine.send(card.id, "stop")


def test_a_live_setting_is_set_for_all() -> None:
    engine = shared_engine()
    card = racing.plan(tiny(), "loss", ["hinge", "minimax"])
    engine.races.start(card)
    engine.send(card.id, "set", values={"lr_g": 2e-4})
    assert [engine.experiment(run).model.lr_g for run in card.runs] == [2e-4, 2e-4]


def test_a_new_seed_keeps_the_question_and_seeds_take_others() -> None:
    card = reseeded(racing.plan(tiny(), "loss", ["hinge", "minimax"], "Mine"), 77)
    assert card.title == "Mine"
    assert {racer.experiment.seed for racer in card.racers} == {77}
    others = reseeded(racing.plan(tiny(), "seed", [0, 1, 2]), 77)
    assert [racer.experiment.seed for racer in others.racers] == [77, 78, 79]


def test_a_race_forks_from_a_moment_that_all_share() -> None:
    engine = shared_engine()
    card = racing.plan(tiny(), "loss", ["hinge", "minimax"])
    engine.races.start(card)
    engine.send(card.id, "step", n=10)
    becomes(engine, card.id, "paused")
    child = engine.races.fork(card.id, 0)
    engine.send(card.id, "stop")
    engine.send(child, "step", n=2)
    assert [engine.status(run).step for run in engine.races.get(child).card.runs] == [2, 2]
    assert [engine.status(run).step for run in card.runs] == [10, 10]
    engine.send(child, "stop")


def test_the_opening_curves_fit_the_model() -> None:
    assert race_curves.opening(Experiment()) == ["modes/eight_percent", "loss/g"]
    assert race_curves.opening(Experiment(dataset="moons")) == ["prdc/coverage", "loss/g"]
    assert race_curves.opening(Experiment.of("autoencoder")) == ["held/mse", "loss/total"]
    assert race_curves.opening(Experiment().on("digits")) == ["class/covered", "loss/g"]
