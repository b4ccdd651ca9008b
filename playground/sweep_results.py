"""What a sweep has found so far: runs that share values gathered into spots, and spots ranked.

A spot is better the better its mean is, but one that failed under any seed stands behind all that never did: the mean
of those that survived says too much good of it.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playground.intervals import Interval, interval
from playground.store.sweeps import Cell, Goal, Sweep, Value
from playground.sweep_goals import bounds
from playground.sweep_plan import label, said

SHOWN = 10  # runs of a spot that are told one by one


@dataclass(frozen=True)
class View:
    """How a sweep is looked at: by which goal, and which share of its steps each run under way has done."""

    sweep: Sweep
    goal: Goal
    at: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Spot:
    """Runs that share values of some settings: their places in the sweep, and the numbers of those that have one."""

    values: tuple[Value, ...]
    cells: tuple[int, ...]
    numbers: tuple[float, ...]
    interval: Interval | None  # of their mean, 95 %; None while there are none
    failed: int
    waiting: int

    @property
    def mean(self) -> float | None:
        """The mean of the numbers there are."""
        return None if self.interval is None else self.interval.mean


def spots(sweep: Sweep, fields: Sequence[str], goal: Goal) -> dict[tuple[Value, ...], Spot]:
    """Return the spots by their values of `fields`, in the order in which the values were given."""
    at = [[axis.field for axis in sweep.axes].index(name) for name in fields]
    found: dict[tuple[Value, ...], list[int]] = {
        values: [] for values in itertools.product(*(sweep.axes[i].values for i in at))
    }
    for i, cell in enumerate(sweep.cells):
        found[tuple(cell.values[j] for j in at)].append(i)
    return {values: spot(sweep, values, cells, goal) for values, cells in found.items() if cells}


def spot(sweep: Sweep, values: tuple[Value, ...], cells: Sequence[int], goal: Goal) -> Spot:
    """Gather runs."""
    results = [sweep.cells[i].result for i in cells]
    found = [result.number(goal) for result in results if result is not None]
    numbers = tuple(n for n in found if n is not None)
    return Spot(
        values, tuple(cells), numbers, interval(numbers, *bounds(goal.metric)) if numbers else None,
        failed=sum(result is not None and result.failed for result in results),
        waiting=sum(result is None for result in results),
    )  # fmt: skip


def ranked(sweep: Sweep, goal: Goal) -> list[Spot]:
    """Return the combinations that have a number, the best first."""
    there = [s for s in spots(sweep, [axis.field for axis in sweep.axes], goal).values() if s.mean is not None]
    return sorted(there, key=lambda s: (s.failed > 0, -(s.mean or 0.0) if goal.higher else s.mean))


def left_out(sweep: Sweep, fields: Sequence[str], values: tuple[Value, ...]) -> str:
    """Return why there is no run with these values; "" where that was chance (a random part of the grid)."""
    at = [[axis.field for axis in sweep.axes].index(name) for name in fields]
    return next((out.reason for out in sweep.left_out if tuple(out.values[j] for j in at) == values), "")


def number(value: float) -> str:
    """Return a measured value as a person reads it."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.3g}"


def came_to(cell: Cell, goal: Goal) -> str:
    """Say what a run came to in few words."""
    if cell.result is None:
        return "not trained yet" if cell.run is None else "under way"
    value, edited = cell.result.number(goal), " · edited by hand" if cell.result.edited else ""
    return f"{'not measured' if value is None else number(value)} · {cell.result.verdict}{edited}".removeprefix(
        "not measured · " if cell.result.failed else ""
    )


def told(sweep: Sweep, cell: Cell) -> str:
    """Return a run's values with the names of their settings, and its seed where there are several."""
    base = sweep.experiment
    pairs = [(axis.field, value) for axis, value in zip(sweep.axes, cell.values, strict=True)]
    seed = [f"seed {cell.seed}"] if len(sweep.seeds) > 1 else []
    return ", ".join([*(f"{label(base, name)} {said(base, name, value)}" for name, value in pairs), *seed])


def table(sweep: Sweep) -> bytes:
    """Return every run as CSV: its values, seed, id, what it came to, and all that was measured."""
    fields = [axis.field for axis in sweep.axes]
    metrics = sorted({name for cell in sweep.cells if cell.result for name in cell.result.metrics})
    out = io.StringIO()
    writer = csv.writer(out)
    kinds = ("last", "low", "high", "smoothed")
    columns = [f"{metric} {kind}" for metric in metrics for kind in kinds]
    writer.writerow([*fields, "seed", "run", "state", "step", "verdict", "sentence", *columns])
    for cell in sweep.cells:
        r = cell.result
        state = "waiting" if r is None else "failed" if r.failed else "finished"
        came = [r.step, r.verdict, r.sentence] if r else ["", "", ""]
        found = [r.metrics.get(metric) if r else None for metric in metrics]
        numbers = [getattr(m, kind) if m else "" for m in found for kind in kinds]
        writer.writerow([*cell.values, cell.seed, cell.run or "", state, *came, *numbers])
    return out.getvalue().encode()
