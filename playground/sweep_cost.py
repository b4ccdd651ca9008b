"""What a sweep would cost on this machine, before it starts: time from a short measurement, disk from what runs keep.

seconds = runs · start + steps · (seconds a step + seconds a score / steps between scores) / workers. A step is timed on
throwaway loops: of the base, and of a few combinations where a setting decides how much there is to compute. It is an
estimate: workers that share cores slow each other down, and so does whoever else uses the machine.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from playground.config import ConfigError
from playground.engine.loop import Loop, TrainingFailed
from playground.experiment import Experiment
from playground.sweep_plan import Plan, fields, refuse

WARM, SECONDS, LEAST = 3, 0.25, 5  # steps before the clock starts, how long it runs, and steps it needs at least
TIMED = 4  # combinations that are timed beside the base
START = 0.6  # seconds that a run costs beside its steps: a warm worker opens it, measures its floors, saves it
ROW, FRAME = 160, 540_000  # bytes of a logged step, and of what else lies in a run's folder


@dataclass(frozen=True)
class Speed:
    """What a step of an experiment costs here."""

    step: float  # seconds
    score: float
    bytes: int  # of a saved moment


@dataclass(frozen=True)
class Estimate:
    """What a sweep would cost."""

    runs: int
    steps: int
    seconds: float
    bytes: int
    workers: int
    per_second: float  # steps of one run


def estimate(plan: Plan, workers: int) -> Estimate:
    """Measure for a second or so and return what a plan costs; raises `ConfigError` where it cannot be trained."""
    refuse(plan)
    return total(plan, [speed(e) for e in representatives(plan)], workers)


def total(plan: Plan, speeds: Sequence[Speed], workers: int) -> Estimate:
    """Return the cost of a plan whose steps cost as those measured do on average."""
    one = plan.experiment(plan.combinations[0], plan.seeds[0])
    step, score = (sum(getattr(s, name) for s in speeds) / len(speeds) for name in ("step", "score"))
    size = max(s.bytes for s in speeds)
    at_once = max(1, min(workers, plan.runs))
    work = plan.steps * step + plan.steps // one.score_every * score + START
    moments = 1 + -(-plan.steps // one.keyframe_every)
    rows = min(plan.steps, 100) + plan.steps // one.log_every
    return Estimate(
        runs=plan.runs, steps=plan.runs * plan.steps, seconds=plan.runs * work / at_once,
        bytes=plan.runs * (moments * size + rows * ROW + FRAME), workers=at_once, per_second=1 / step,
    )  # fmt: skip


def room(root: Path, needed: int) -> None:
    """Raise `ConfigError` where the disk of the runs has no room for so many bytes and some to spare."""
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if needed > 0.9 * free:
        raise ConfigError(
            f"The runs would take about {needed / 1e9:.1f} GB of the {free / 1e9:.1f} GB free: train fewer or shorter."
        )


def representatives(plan: Plan) -> list[Experiment]:
    """Return what is timed: one run where no setting decides how much is computed, else a few spread over the grid."""
    known = fields(plan.base)
    dear = [i for i, axis in enumerate(plan.axes) if known[axis.field].kind != "float"]
    distinct = list({tuple(values[i] for i in dear): values for values in plan.combinations}.values())
    n = min(TIMED, len(distinct))
    spaced = [distinct[round(i * (len(distinct) - 1) / max(1, n - 1))] for i in range(n)]
    return [plan.experiment(values, plan.seeds[0]) for values in spaced]


def speed(experiment: Experiment) -> Speed:
    """Time an experiment's steps, kept for the next time; raises `ConfigError` where it cannot be trained here."""
    return _speed(experiment.changed(seed=0, steps=0).model_dump_json())


@lru_cache(maxsize=256)
def _speed(text: str) -> Speed:
    loop = Loop(Experiment.model_validate_json(text))
    done, began = 0, time.perf_counter()
    try:
        loop.advance(WARM)
        began = time.perf_counter()
        while done < LEAST or time.perf_counter() - began < SECONDS:
            loop.advance(1)
            done += 1
        loop.flush()
    except TrainingFailed:  # it diverges at once: the steps it did are timed all the same
        done = max(done, 1)
    step = (time.perf_counter() - began) / done
    size = sum(value.numel() * value.element_size() for value in loop.tensors().values()) + 4096
    return Speed(step, _score(loop), size)


def _score(loop: Loop) -> float:
    """Time a score; of images none, as the classifier that it asks may still have to be trained."""
    if loop.failed or (loop.experiment.data.kind == "images" and "encode" not in loop.family.abilities):
        return 0.0
    loop.score()  # the first one measures what is kept
    began = time.perf_counter()
    loop.score()
    return time.perf_counter() - began


def duration(seconds: float) -> str:
    """Return a time in words, as roughly as it is known."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Return a number of bytes in words."""
    return f"{count / 1e6:,.0f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"
