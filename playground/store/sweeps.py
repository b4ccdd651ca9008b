"""A sweep on disk: which settings take which values, which run each combination has, and what each came to.

One JSON file a sweep, `<home>/sweeps/<id>.json`, written whole and renamed: a kill leaves the old one or the new. What
a run came to is kept here too: a sweep can be read when its runs are gone.
"""

from __future__ import annotations

import os
import re
import secrets
import time
import weakref
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playground.config import ConfigError
from playground.experiment import Experiment
from playground.files import held, hold, write_whole
from playground.store.errors import StoreError, written

FOLDER = "sweeps"
SWEEP_ID = re.compile(r"sweep-[0-9a-f]{8}")

Value = bool | int | float | str
State = Literal["running", "stopped", "done"]
Reading = Literal["last", "best", "smoothed"]


class Part(BaseModel):
    """What a sweep's file is made of: frozen, without numbers that are none."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Axis(Part):
    """A setting and the values that it takes."""

    field: str
    values: tuple[Value, ...] = Field(min_length=1)


class Goal(Part):
    """By what runs are ranked: a metric, which of its values counts, and whether higher is better."""

    metric: str
    reading: Reading = "last"
    higher: bool


class Measured(Part):
    """A metric over a run: its last value, its lowest and highest, and the mean of its last quarter."""

    last: float
    low: float
    high: float
    smoothed: float


class Result(Part):
    """What a run came to: that it failed is a result too."""

    failed: bool = False
    edited: bool = False  # somebody changed its settings while it trained: it is not what its values say
    step: int
    verdict: str
    sentence: str
    metrics: dict[str, Measured] = {}

    def number(self, goal: Goal) -> float | None:
        """Return the value that counts; None where the run failed or never measured it."""
        found = None if self.failed else self.metrics.get(goal.metric)
        if found is None:
            return None
        return (found.high if goal.higher else found.low) if goal.reading == "best" else getattr(found, goal.reading)


class Cell(Part):
    """One combination under one seed: the run that has it, and what that came to."""

    values: tuple[Value, ...]
    seed: int
    run: str | None = None
    result: Result | None = None


class LeftOut(Part):
    """A combination that is not trained, and why."""

    values: tuple[Value, ...]
    reason: str


class Sweep(Part):
    """Runs over combinations of settings. `cells` are in the order in which they are trained."""

    id: str
    name: str
    base: dict[str, Any]
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    steps: int
    goal: Goal
    created: float = Field(default_factory=time.time)
    state: State = "running"
    cells: tuple[Cell, ...]
    left_out: tuple[LeftOut, ...] = ()

    @cached_property
    def experiment(self) -> Experiment:
        """The experiment that the axes change."""
        return Experiment.from_json(self.base)

    def with_cell(self, i: int, **changes: Any) -> Sweep:
        """Return a copy with the i-th cell changed."""
        cell = self.cells[i].model_copy(update=changes)
        return self.model_copy(update={"cells": (*self.cells[:i], cell, *self.cells[i + 1 :])})


def new_id() -> str:
    """Return a fresh sweep id."""
    return f"sweep-{secrets.token_hex(4)}"


def path(root: Path, sweep_id: str) -> Path:
    """Return where a sweep lies; raises `StoreError` for what is no id."""
    if not SWEEP_ID.fullmatch(sweep_id):
        raise StoreError(f"{sweep_id!r} is no sweep's id: one looks like sweep-0a1b2c3d.")
    return root / FOLDER / f"{sweep_id}.json"


def write(root: Path, sweep: Sweep) -> None:
    """Keep a sweep as it stands; raises `Unwritable`."""
    file = path(root, sweep.id)
    with written(root / sweep.id, "Sweep"):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, sweep.model_dump_json().encode())


def read(root: Path, sweep_id: str) -> Sweep:
    """Read a sweep; raises `StoreError` in one sentence where there is none or its file is damaged."""
    file = path(root, sweep_id)
    try:
        sweep = Sweep.model_validate_json(file.read_bytes())
        axes = sweep.experiment.knobs().keys() | {"dataset"}
    except OSError:
        raise StoreError(f"There is no sweep {sweep_id!r} in {root}: choose another from the list.") from None
    except (ValidationError, ConfigError) as error:
        why = "it is not what a sweep is written as" if isinstance(error, ValidationError) else str(error)
        raise StoreError(f"Sweep {sweep_id} cannot be read ({why}): delete it; its runs stay.") from None
    if sweep.id != sweep_id or any(axis.field not in axes for axis in sweep.axes):
        raise StoreError(f"Sweep {sweep_id} cannot be read (it names what is not there): delete it; its runs stay.")
    return sweep


def stamp(root: Path, sweep_id: str) -> int:
    """Return what changes when a sweep's file does; 0 where there is none."""
    try:
        return path(root, sweep_id).stat().st_mtime_ns
    except OSError:
        return 0


def ids(root: Path) -> list[str]:
    """Return the ids of the sweeps under `root`, readable or not, the latest changed first."""
    files = [file for file in (root / FOLDER).glob("sweep-*.json") if SWEEP_ID.fullmatch(file.stem)]
    return sorted((file.stem for file in files), key=lambda sweep_id: stamp(root, sweep_id), reverse=True)


def delete(root: Path, sweep_id: str) -> None:
    """Forget a sweep; its runs stay."""
    for file in (path(root, sweep_id), _lock(root, sweep_id)):
        file.unlink(missing_ok=True)


# -- who drives it ----------------------------------------------------------------------------------------------------


class Drive:
    """Marks this process as the one that drives a sweep, until `release` or its end."""

    def __init__(self, lock: int) -> None:
        self.release: Callable[[], Any] = weakref.finalize(self, os.close, lock)


def drive(root: Path, sweep_id: str) -> Drive | None:
    """Become the one that drives a sweep; None where another process does."""
    file = _lock(root, sweep_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = hold(file)
    return None if lock is None else Drive(lock)


def driven(root: Path, sweep_id: str) -> bool:
    """Say whether a living process drives a sweep."""
    return held(_lock(root, sweep_id))


def _lock(root: Path, sweep_id: str) -> Path:
    return path(root, sweep_id).with_suffix(".lock")
