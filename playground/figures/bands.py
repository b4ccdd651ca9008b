"""Many runs of one setting as one picture: the median, a band that holds the middle half, and the range of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from playground.figures import palette
from playground.figures.chart import Axis, Line, Style, chart
from playground.figures.comparison import Course, named
from playground.figures.curves import EACH_STEP
from playground.figures.series import Array, smooth

POINTS = 400  # steps at which the runs are compared


@dataclass(frozen=True)
class Spread:
    """What several runs say at the same steps: least, lower quartile, median, upper quartile, most, how many."""

    steps: Array
    low: Array
    quarter: Array
    median: Array
    three_quarters: Array
    high: Array
    runs: Array


def spread(courses: Sequence[Course], smoothing: float = 0.0) -> Spread:
    """Compare courses at common steps; where a run ends early (it failed), the others go on without it."""
    known = [c for c in courses if len(c.steps) and np.isfinite(c.values).any()]
    if not known:
        return Spread(*[np.zeros(0)] * 7)
    steps = np.unique(np.concatenate([c.steps for c in known]))
    if len(steps) > POINTS:
        steps = steps[np.linspace(0, len(steps) - 1, POINTS).round().astype(int)]
    table = np.full((len(known), len(steps)), np.nan)
    for row, course in zip(table, known, strict=True):
        there = np.isfinite(course.values)
        at, values = course.steps[there], smooth(course.values[there], smoothing) if smoothing else course.values[there]
        inside = (steps >= at[0]) & (steps <= at[-1])
        row[inside] = np.interp(steps[inside], at, values)
    seen = np.isfinite(table).any(axis=0)
    table, steps = table[:, seen], steps[seen]
    low, quarter, median, three_quarters, high = np.nanquantile(table, [0, 0.25, 0.5, 0.75, 1], axis=0)
    return Spread(steps, low, quarter, median, three_quarters, high, np.isfinite(table).sum(axis=0))


def bands(metric: str, courses: Sequence[Course | None], style: Style) -> go.Figure:
    """Return the figure of one metric over several runs: median, middle half and range, each run a faint line."""
    there = [course for course in courses if course is not None]
    noisy = metric.split("/", maxsplit=1)[0] in EACH_STEP
    seen = spread(there, style.smooth if noisy else 0.0)
    middle = Line("median", seen.steps, seen.median, palette.ENCODER) if len(seen.steps) else None
    drawn = chart([middle] if middle else [], Axis(named(metric)), style)
    if middle is None:
        return drawn
    around = [
        _band("all runs", seen.steps, seen.low, seen.high, 0.12),
        _band("middle half", seen.steps, seen.quarter, seen.three_quarters, 0.28),
    ]
    drawn.add_traces(around)
    drawn.data = (*drawn.data[-2:], *drawn.data[:-2])  # bands lie under the median
    return drawn.update_layout(showlegend=True)


def _band(name: str, steps: Array, low: Array, high: Array, opacity: float) -> go.Scatter:
    return go.Scatter(
        x=np.concatenate([steps, steps[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", mode="lines",
        line={"width": 0}, fillcolor=palette.clear(palette.ENCODER, opacity), name=name, hoverinfo="skip",
    )  # fmt: skip
