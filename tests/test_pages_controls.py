"""Controls come from the schema: scales, groups, what they say, and the way back to a default."""

from __future__ import annotations

from typing import Literal

import pytest

from pages.parts.controls import about, groups
from pages.parts.widgets import at, position
from playground.config import Config, Knob, knob, knobs
from playground.experiment import Experiment


class Sample(Config):
    rate: float = knob(2e-4, "Step size.", short="lr", live=True, low=1e-6, high=0.1, scale="log", paper="Someone 2014")
    units: int = knob(128, "Units a layer.", short="w", low=4, high=256, scale="log")
    weight: float = knob(0.0, "Penalty weight.", short="p", low=0.0, high=100.0, scale="log")
    depth: int = knob(3, "Layers.", short="dep", low=1, high=6)
    turn: float = knob(0.5, "Angle.", short="t", low=-1.0, high=1.0, unit="rad")
    kind: Literal["a", "b"] = knob("a", "Which.", short="k", choice_labels=("First", "Second"))
    on: bool = knob(False, "Whether.", short="o")


KNOBS = knobs(Sample)


@pytest.mark.parametrize("k", [k for k in KNOBS.values() if k.kind in ("int", "float")], ids=lambda k: k.name)
def test_ends_of_a_slider_are_the_ends_of_the_range(k: Knob) -> None:
    assert at(k, position(k, k.low or 0)) == k.low
    assert at(k, position(k, k.high or 0)) == k.high
    assert at(k, position(k, k.low or 0) - 1) == k.low
    assert at(k, position(k, k.high or 0) + 1) == k.high


def test_a_log_slider_gives_equal_room_to_each_decade_and_two_digits() -> None:
    rate = KNOBS["rate"]
    assert position(rate, 1e-3) - position(rate, 1e-4) == pytest.approx(position(rate, 1e-2) - position(rate, 1e-3))
    assert at(rate, position(rate, 2.34567e-4)) == 2.3e-4
    assert [at(KNOBS["units"], position(KNOBS["units"], n)) for n in (4, 6, 100, 128, 200)] == [4, 6, 96, 128, 192]
    assert isinstance(at(KNOBS["units"], 1.9), int)


def test_a_log_slider_can_be_switched_off_at_zero() -> None:
    weight = KNOBS["weight"]
    assert at(weight, position(weight, 0.0)) == 0.0
    assert at(weight, position(weight, 10.0)) == 10.0


def test_a_slider_at_its_value_is_left_alone() -> None:
    """A position that already means the value must not be moved, or the thumb would jump under the finger."""
    for value in (1, 2, 3, 6):
        assert at(KNOBS["depth"], position(KNOBS["depth"], value)) == value
    for tenth in range(-10, 11):
        assert at(KNOBS["turn"], position(KNOBS["turn"], tenth / 10)) == tenth / 10


def test_help_says_the_range_when_it_acts_and_the_paper() -> None:
    assert "0.1" in about(KNOBS["rate"])
    assert "at once" in about(KNOBS["rate"])
    assert "Someone 2014" in about(KNOBS["rate"])
    assert "restarts" in about(KNOBS["depth"])
    assert "rad" in about(KNOBS["turn"])


def test_values_are_told_as_a_person_reads_them() -> None:
    assert KNOBS["kind"].said("b") == "Second"
    assert KNOBS["on"].said(True) == "on"
    assert KNOBS["rate"].said(2e-4) == "0.0002"
    assert KNOBS["rate"].said(5e-5) == "0.00005"
    assert KNOBS["rate"].said(1.25e-6) == "0.00000125"
    assert KNOBS["rate"].said(1e-9) == "1e-09"


def test_every_field_of_an_experiment_has_a_control_unless_it_does_not_matter_or_is_hidden() -> None:
    experiment = Experiment()
    found = [k.name for fields in groups(experiment).values() for k in fields]
    parts = (experiment.data, experiment.model, experiment)
    wanted = [
        k.name for part in parts for k in knobs(type(part)).values() if k.matters(part, "points") and k.kind != "text"
    ]
    assert sorted(found) == sorted(wanted)
    first, *_ = groups(experiment)
    assert first == "Data"
    assert "Data" not in groups(experiment, frozenset({"data"}))
    assert "seed" not in [k.name for k in groups(experiment, frozenset({"seed"}))["Run"]]
