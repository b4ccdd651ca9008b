"""Bands over several runs: known quantiles, runs that end early, runs that have nothing."""

from __future__ import annotations

import numpy as np

from playground.figures.bands import bands, spread
from playground.figures.chart import Style
from playground.figures.comparison import Course


def course(values: list[float], steps: list[int] | None = None) -> Course:
    at = np.arange(1, len(values) + 1) if steps is None else np.array(steps)
    return Course("x", at.astype(float), np.array(values, float))


def test_quantiles_are_the_known_ones() -> None:
    seen = spread([course([k, 10 * k]) for k in (1, 2, 3, 4, 5)])
    assert seen.low.tolist() == [1, 10]
    assert seen.quarter.tolist() == [2, 20]
    assert seen.median.tolist() == [3, 30]
    assert seen.three_quarters.tolist() == [4, 40]
    assert seen.high.tolist() == [5, 50]


def test_a_run_that_ended_early_counts_until_then() -> None:
    seen = spread([course([0, 0, 0]), course([2, 2, 2]), course([10])])
    assert seen.runs.tolist() == [3, 2, 2]
    assert seen.median.tolist() == [2, 1, 1]


def test_runs_measured_at_other_steps_are_compared_between_them() -> None:
    seen = spread([course([0, 10], [0, 10]), course([4], [5])])
    assert seen.steps.tolist() == [0, 5, 10]
    assert seen.high.tolist() == [0, 5, 10]
    assert seen.low.tolist() == [0, 4, 10]


def test_without_measurements_the_frame_is_empty() -> None:
    assert not spread([]).steps.size
    assert not bands("loss/g", [None, None], Style()).data


def test_the_figure_has_two_bands_under_a_median() -> None:
    drawn = bands("modes/covered", [course([1, 2]), course([3, 4]), None], Style())
    assert [trace.name for trace in drawn.data] == ["all runs", "middle half", "median"]
    assert list(drawn.data[2].y) == [2, 3]
