"""Verdicts on synthetic histories, one for each state; cures that can be taken; odd input that must not crash."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.data import datasets, of_kinds
from playground.data.base import Modes
from playground.diagnostics.cures import LADDERS
from playground.diagnostics.signals import Verdict
from playground.diagnostics.verdict import verdict
from playground.diagnostics.where import mode_names
from playground.experiment import Experiment

EVEN = [0.12] * 8
FINE = {
    "modes/covered": 8,
    "modes/eight_percent": 8,
    "modes/hq": 0.93,
    "modes/tv": 0.09,
    "spread": 0.9,
    "spread/all": 1,
}


def rows(masses: list[list[float]], every: int = 250, **columns: Any) -> list[dict[str, float]]:
    """Score rows: a list of masses gives the rows, a column is constant or a list."""
    made = []
    for i, mass in enumerate(masses):
        row = {"step": (i + 1) * every, "dist/sw": 0.5, "d/accuracy": 0.6} | FINE
        row |= {name: value[i] if isinstance(value, list) else value for name, value in columns.items()}
        made.append(row | {f"mass/{k}": m for k, m in enumerate(mass)})
    return made


def train(n: int = 200, **columns: Any) -> dict[str, Any]:
    normal = {"loss/d": 1.2, "loss/g": 0.9, "grad/d": 2.0, "grad/g": 3.0, "score/real": 0.55, "score/fake": 0.45}
    return {"step": np.arange(n) * 10} | {name: np.broadcast_to(v, n) for name, v in (normal | columns).items()}


def judge(
    scores: list[dict[str, float]], t: dict[str, Any] | None = None, dataset: str = "ring8", **fields: Any
) -> Verdict:
    return verdict(Experiment(dataset=dataset).changed(**fields), train() if t is None else t, scores)


def test_healthy() -> None:
    v = judge(rows([EVEN] * 6))
    assert v.state == "healthy"
    assert v.sentence == "Healthy: all 8 modes have fakes and 93 % of the fakes are sharp."
    assert v.cure is None
    assert {e.label for e in v.evidence} >= {"Modes with at least one sharp fake", "Sharp fakes of late (within 3 std)"}


def test_warming_at_first_whatever_the_scores() -> None:
    v = judge(rows([[0.9, *[0] * 7]], every=100), train(20))
    assert v.state == "warming"
    assert "190 steps so far" in v.sentence
    assert "So far 1 of 8 modes" in v.sentence
    assert judge([], train(0)).state == "warming"
    assert judge([], {}).sentence == "Warming up: judged from step 500 on."


def test_warming_while_more_modes_are_found() -> None:
    finding = [[0.3] * k + [0.0] * (8 - k) for k in (2, 3, 3, 5, 6)]
    v = judge(rows(finding, **{"modes/tv": 0.5}))
    assert (v.state, v.sentence[:14]) == ("warming", "Still learning")


def test_what_is_said_of_modes_is_what_was_counted() -> None:
    """After a fork to another G its parent's scores are among the last ones: a mean over both holds every mode."""
    masses = [EVEN] * 4 + [[0.3, 0.3, 0.3, 0, 0, 0, 0, 0]] * 2
    v = judge(rows(masses, **{"modes/eight_percent": [8] * 4 + [3] * 2, "modes/tv": 0.5}))
    assert v.sentence.startswith("Still learning: 3 of 8 modes have a fair share")
    assert "3 of 8" in [e.value for e in v.evidence]


def test_partial_collapse_names_the_missing_modes_and_for_how_long() -> None:
    masses = [[0.2, 0, 0, 0.2, 0.2, 0.2, 0, 0.15]] * 6
    v = judge(rows([EVEN, *masses], **{"modes/tv": 0.4, "modes/covered": 5}))
    assert v.state == "partial-collapse"
    assert v.missing == (1, 2, 6)
    assert v.sentence == (
        "Partial collapse: 5 of 8 modes. Modes 2 (top right), 3 (top) and 7 (bottom) "
        "have had almost no fakes for 1,250 steps."
    )
    one = judge(rows([[0.14] * 7 + [0]] * 6, **{"modes/tv": 0.2}))
    assert "Mode 8 (bottom right) has had almost no fakes" in one.sentence


def test_fakes_far_from_sharp_still_show_which_modes_none_is_near() -> None:
    near = {f"near/{i}": 0.25 if i < 4 else 0.0 for i in range(8)}
    v = judge(rows([[0.02] * 4 + [0.0] * 4] * 6, **{"modes/hq": 0.08, "modes/tv": 0.92}, **near))
    assert (v.state, v.missing) == ("partial-collapse", (4, 5, 6, 7))
    blob = {f"near/{i}": 0.125 for i in range(8)}
    assert judge(rows([[0.002] * 8] * 6, **{"modes/hq": 0.02, "modes/tv": 0.98}, **blob)).state == "warming"


def test_a_d_at_chance_with_poor_fakes_is_a_weak_teacher() -> None:
    blob = {f"near/{i}": 0.125 for i in range(8)}
    poor = {"modes/hq": 0.02, "modes/tv": 0.98, "d/accuracy": 0.5} | blob
    v = judge(rows([[0.002] * 8] * 6, **poor), lr_d=1e-4, lr_g=1e-3)
    assert (v.state, "weak teacher" in v.sentence) == ("warming", True)
    assert v.cure is not None
    assert v.cure.values == {"lr_d": 1e-3}


def test_a_mode_that_only_just_vanished_is_not_yet_missing() -> None:
    v = judge(rows([EVEN] * 5 + [[0.0] + [0.14] * 7], **{"modes/tv": 0.2}))
    assert v.missing == ()


def test_partial_collapse_within_modes() -> None:
    v = judge(rows([EVEN] * 6, spread=0.1))
    assert v.state == "partial-collapse"
    assert "0.10 times as wide" in v.sentence


def test_full_collapse_on_a_mode_and_between_modes() -> None:
    v = judge(rows([[0, 0, 0.97, 0, 0, 0, 0, 0]] * 6, **{"modes/tv": 0.87, "spread/all": 0.06}))
    assert v.state == "full-collapse"
    assert "3 (top)" in v.sentence
    assert v.missing == (0, 1, 3, 4, 5, 6, 7)
    dot = judge(rows([[0.0] * 8] * 6, **{"modes/hq": 0.0, "modes/tv": 1.0, "spread/all": 0.01}))
    assert dot.state == "full-collapse"
    assert "one spot" in dot.sentence


def test_d_too_strong_while_fakes_are_poor_and_stay_so() -> None:
    bad = {"modes/hq": 0.02, "modes/tv": 0.98, "d/accuracy": 0.995}
    v = judge(rows([[0.01, *[0.0] * 7]] * 6, **bad), train(**{"loss/d": 0.02, "loss/g": 6.0}))
    assert v.state == "d-too-strong"
    assert "100 %" in v.sentence or "99 %" in v.sentence
    closing_in = bad | {"dist/sw": [2.0, 1.5, 1.0, 0.7, 0.5, 0.35]}
    assert judge(rows([[0.01, *[0.0] * 7]] * 6, **closing_in)).state == "warming"
    assert judge(rows([[0.01, *[0.0] * 7]] * 6, **bad), loss="wasserstein-gp").state != "d-too-strong"


def test_g_vanished_has_no_gradient() -> None:
    bad = {"modes/hq": 0.02, "modes/tv": 0.98, "d/accuracy": 0.999}
    v = judge(rows([[0.01, *[0.0] * 7]] * 6, **bad), train(**{"grad/g": 2e-5}), loss="minimax")
    assert v.state == "g-vanished"
    assert v.cure is not None
    assert v.cure.values == {"loss": "non-saturating"}
    faded = train(**{"grad/g": np.r_[np.full(150, 4.0), np.full(50, 0.02)]})
    assert judge(rows([[0.01, *[0.0] * 7]] * 6, **bad), faded).state == "g-vanished"


def test_oscillating_between_modes_is_told_from_collapse() -> None:
    here, there = [0.45, 0.45, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0.45, 0.45, 0, 0]
    v = judge(rows([here, there] * 4, **{"modes/tv": 0.8, "spread/all": 0.4}))
    assert v.state == "oscillating"
    assert "4 were visited of late, about 2 at a time" in v.sentence
    heap = [[0.0] * i + [0.9] + [0.0] * (7 - i) for i in range(8)]
    v = judge(rows(heap, **{"modes/tv": 0.9, "spread/all": 0.1}))
    assert v.state == "full-collapse"
    assert "one heap that hops from mode to mode (8 visited of late)" in v.sentence
    sampling = torch.distributions.Multinomial(2000, torch.tensor(EVEN)).sample((8,)) / 2000
    assert judge(rows(sampling.tolist(), **{"modes/hq": 0.6})).state == "warming"


def test_diverged_on_nan_infinity_and_blow_up() -> None:
    nan = train(**{"loss/d": np.r_[np.ones(199), math.nan], "loss/g": np.r_[np.ones(199), math.nan]})
    assert judge(rows([EVEN] * 6), nan).state == "diverged"
    assert judge(rows([EVEN] * 6), train(**{"loss/g": math.inf})).state == "diverged"
    assert judge(rows([EVEN] * 6), train(**{"loss/g": -3e6})).state == "diverged"
    gone = judge(rows([[0.0] * 8] * 6, **{"spread/all": 300.0, "modes/hq": 0.0}))
    assert gone.state == "diverged"
    assert "300 times as wide" in gone.sentence
    assert judge(rows([EVEN] * 2, every=20), train(20, **{"loss/d": math.inf})).state == "diverged"  # however early


def test_a_player_that_stands_still_is_no_divergence() -> None:
    assert judge(rows([EVEN] * 6), train(**{"loss/g": math.nan})).state == "healthy"


# -- data without modes ----------------------------------------------------------------------------------------------


def cloud(n: int = 8, **columns: Any) -> list[dict[str, float]]:
    fine = {"prdc/coverage": 0.9, "prdc/precision": 0.95, "spread/all": 1.0, "dist/sw": 0.1, "d/accuracy": 0.6}
    return [
        {"step": (i + 1) * 250} | {k: v[i] if isinstance(v, list) else v for k, v in (fine | columns).items()}
        for i in range(n)
    ]


@pytest.mark.parametrize(
    ("columns", "state"),
    [
        ({}, "healthy"),
        ({"prdc/coverage": 0.3}, "partial-collapse"),
        ({"prdc/coverage": 0.02, "prdc/precision": 0.9, "spread/all": 0.05}, "full-collapse"),
        ({"prdc/coverage": 0.1, "prdc/precision": 0.1, "d/accuracy": 0.99}, "d-too-strong"),
        ({"prdc/coverage": 0.4, "prdc/precision": 0.4}, "warming"),
        ({"prdc/coverage": 0.4, "prdc/precision": 0.4, "dist/sw": [0.2, 0.9] * 4}, "oscillating"),
    ],
)
@pytest.mark.parametrize("dataset", [name for name in datasets() if name == "moons"] or ["ring8"])
def test_states_without_modes(columns: dict[str, Any], state: str, dataset: str) -> None:
    if datasets()[dataset]().modes() is None:
        assert judge(cloud(**columns), dataset=dataset).state == state


# -- games -----------------------------------------------------------------------------------------------------------


def game(growth: float, radius: float = 1.0, n: int = 300, turn: float = 0.2) -> dict[str, Any]:
    r, angle = radius * np.exp(np.minimum(growth * np.arange(n), 709.0)), turn * np.arange(n)
    return {
        "step": np.arange(n),
        "phase/theta": r * np.cos(angle),
        "phase/psi": r * np.sin(angle),
        "loss/d": np.ones(n),
    }


@pytest.mark.parametrize(
    ("path", "state"),
    [
        (game(0.0), "oscillating"),
        (game(0.01), "diverged"),
        (game(-0.01), "healthy"),
        (game(0.0, radius=1e-5), "healthy"),
        (game(0.0, turn=0.001), "warming"),
        (game(0.0, n=4), "warming"),
        (game(3.0), "diverged"),
        (game(math.nan), "diverged"),
    ],
)
def test_a_game_is_judged_by_its_path(path: dict[str, Any], state: str) -> None:
    assert judge([], path).state == state


def test_an_orbit_that_breathes_within_a_turn_is_an_orbit() -> None:
    path = game(0.0)
    path["phase/psi"] = path["phase/psi"] * 1.3  # an ellipse, as alternating steps make
    assert judge([], path).state == "oscillating"


# -- cures -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", sorted(LADDERS))
@pytest.mark.parametrize("loss", ["minimax", "non-saturating", "least-squares", "hinge", "wasserstein-gp"])
def test_each_cure_can_be_taken_and_then_the_next_is_offered(state: str, loss: str) -> None:
    from playground.diagnostics.cures import cure_for

    experiment = Experiment().changed(loss=loss)
    offered = []
    while (cure := cure_for(state, experiment)) is not None:
        fields = experiment.knobs()
        assert cure.live == all(fields[name].live for name in cure.values)
        assert cure.label
        assert cure.why
        before, experiment = experiment, experiment.changed(**cure.values)
        assert experiment != before
        offered.append(cure)
        assert len(offered) < 30
    assert offered
    live = [cure.live for cure in offered]
    assert live == sorted(live, reverse=True)  # what needs a restart comes last


def test_the_cure_of_collapse_acts_live() -> None:
    v = judge(rows([[0.3, 0.3, 0.3, 0, 0, 0, 0, 0]] * 6, **{"modes/tv": 0.6}))
    assert v.state == "partial-collapse"
    assert v.cure is not None
    assert v.cure.live


# -- names -----------------------------------------------------------------------------------------------------------


def test_modes_are_named_by_side_clock_or_coordinates() -> None:
    def names(kind: str, **fields: Any) -> list[str]:
        return mode_names(datasets()[kind](**fields).modes())

    assert names("ring8")[:3] == ["1 (right)", "2 (top right)", "3 (top)"]
    assert names("grid9")[4] == "5 (middle)"
    assert names("ring8", n_modes=12)[:4] == ["1 (3 o'clock)", "2 (2 o'clock)", "3 (1 o'clock)", "4 (12 o'clock)"]
    assert names("grid25")[0] == "1 (at -2, -2)"
    assert mode_names(None) == []
    assert mode_names(Modes(torch.zeros(1, 2), 1.0, torch.ones(1))) == ["1 (middle)"]


# -- odd input -------------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(st.none(), st.floats(), st.integers(-5, 10**6), st.just(math.nan), st.just(0.0), st.just("?"))
METRICS = st.sampled_from(["step", "loss/d", "loss/g", "grad/g", "phase/theta", "phase/psi", "score/real", "odd"])
SCORES = st.sampled_from(
    ["step", *(f"mass/{i}" for i in range(9)), "dist/sw", "spread", "spread/all", "d/accuracy", *FINE, "prdc/coverage"]
)


@given(
    train=st.dictionaries(METRICS, st.lists(NUMBERS, max_size=30)),
    scores=st.lists(st.dictionaries(SCORES, NUMBERS), max_size=14),
    dataset=st.sampled_from(
        ["ring8", "grid9", *(name for name in of_kinds(frozenset({"points"})) if datasets()[name]().modes() is None)]
    ),
)
@settings(max_examples=120, deadline=None)
def test_odd_input_never_crashes_and_is_plain_json(
    train: dict[str, list[Any]], scores: list[dict[str, Any]], dataset: str
) -> None:
    v = verdict(Experiment(dataset=dataset), train, scores)
    assert json.loads(json.dumps(v.to_json()))["state"] == v.state
    assert v.sentence.endswith(".")
    assert "nan" not in v.sentence.lower()


@given(st.integers(0, 12), st.sampled_from([0.0, 1.0, math.nan, 1e30, -1.0]))
@settings(max_examples=60, deadline=None)
def test_constant_histories_never_crash(n: int, value: float) -> None:
    everything = {name: value for name in [*FINE, "dist/sw", "d/accuracy", *(f"mass/{i}" for i in range(8))]}
    scores = [{"step": 250 * (i + 1)} | everything for i in range(n)]
    v = verdict(
        Experiment(), {"step": np.arange(50), "loss/d": np.full(50, value), "grad/g": np.full(50, value)}, scores
    )
    assert v.sentence
