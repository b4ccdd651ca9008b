"""By what runs of a sweep are ranked: which metrics have a better end, and what a trained run measured of them.

Losses of a GAN are not here: they say who is winning, not how good the fakes are. For the small games, which have no
fakes to judge, it is the gradient of D: it is nothing at the equilibrium and stays large on a circle around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from playground.config import ConfigError
from playground.diagnostics.verdict import verdict
from playground.experiment import Experiment
from playground.families import family
from playground.figures.comparison import named
from playground.store import RunFolder
from playground.store.sweeps import Goal, Measured, Reading, Result

UP, DOWN = True, False
DISTANCES = {"dist/js": DOWN, "dist/sw": DOWN, "dist/mmd": DOWN}
NEIGHBOURS = {"prdc/coverage": UP, "prdc/recall": UP, "prdc/precision": UP, "prdc/density": UP}
MODES = {
    "modes/eight_percent": UP, "modes/hq": UP, "modes/tv": DOWN, "modes/covered": UP, "modes/one_percent": UP,
    "modes/reverse_kl": DOWN,
}  # fmt: skip
IMAGES = {
    "class/covered": UP, "dist/fid": DOWN, "dist/kid": DOWN, "class/kl": DOWN, "class/entropy": UP, **NEIGHBOURS,
    "copies/share": DOWN,
}  # fmt: skip
CODING = {
    "held/mse": DOWN, "held/recon": DOWN, "held/elbo": UP, "held/iw": UP, "knn/accuracy": UP, "code/active": UP,
    "train/mse": DOWN, "copy/noise": UP,
}  # fmt: skip
GAMES = {"grad/d": DOWN, "grad/g": DOWN}

READINGS: dict[Reading, str] = {"last": "last", "best": "best", "smoothed": "mean of the last quarter"}
# Metrics that can fall below 0, and shares: an interval ends where its metric does.
SIGNED = ("held/elbo", "held/iw", "dist/mmd", "dist/kid")
SHARES = (
    "modes/hq", "modes/tv", "prdc/coverage", "prdc/recall", "prdc/precision", "knn/accuracy", "copies/share",
)  # fmt: skip
QUARTER = 4  # the last part of a run


def goals(experiment: Experiment) -> dict[str, bool]:
    """Return the metrics by which its runs can be ranked, the usual one first, with whether higher is better."""
    data = experiment.data
    if {"encode", "decode"} <= family(experiment.family).abilities:
        return CODING
    if data.kind == "images":
        return IMAGES
    if data.players() is not None:
        return GAMES
    return (MODES if data.modes() is not None else NEIGHBOURS) | DISTANCES


def goal(experiment: Experiment, metric: str | None = None, reading: Reading = "last") -> Goal:
    """Return the goal of that name (None: the usual one); raises `ConfigError` naming those there are."""
    there = goals(experiment)
    if metric is None:
        metric = next(iter(there))
    if metric not in there:
        raise ConfigError(f"Runs cannot be ranked by {metric!r}: choose {', '.join(there)}.")
    return Goal(metric=metric, reading=reading, higher=there[metric])


def words(aim: Goal) -> str:
    """Return a goal in words: what is drawn, and which end of it is better."""
    return f"{named(aim.metric)} ({READINGS[aim.reading]}; {'higher' if aim.higher else 'lower'} is better)"


def bounds(metric: str) -> tuple[float, float]:
    """Return the lowest and highest value that a metric can have."""
    return -math.inf if metric in SIGNED else 0.0, 1.0 if metric in SHARES else math.inf


# -- what a run came to -----------------------------------------------------------------------------------------------


def result(experiment: Experiment, folder: RunFolder, step: int, error: str | None = None) -> Result:
    """Return what a run measured of every goal, and its verdict; `error` is why it failed, if it did."""
    train, scores = folder.train(), folder.scores()
    measured = {name: found for name in known() if (found := read(train, scores, name)) is not None}
    if error is not None:
        broken = any(word in error for word in ("NaN", "infinite"))
        return Result(failed=True, step=step, verdict="diverged" if broken else "failed", sentence=error)
    with folder.reading() as records:
        told = verdict(experiment, *records.recent())
    edited = any(event["kind"] == "set" for event in folder.events())
    return Result(edited=edited, step=step, verdict=told.state, sentence=told.sentence, metrics=measured)


def known() -> Iterable[str]:
    """Return every metric that some experiment can be ranked by."""
    return dict.fromkeys(name for part in (MODES, NEIGHBOURS, DISTANCES, IMAGES, CODING, GAMES) for name in part)


def read(train: Mapping[str, np.ndarray], scores: list[dict[str, Any]], metric: str) -> Measured | None:
    """Return what a run measured of a metric; None where it never did."""
    values = [float(row[metric]) for row in scores if row.get(metric) is not None]
    if not values and metric in train:
        values = [v for v in np.asarray(train[metric], float).tolist() if math.isfinite(v)]
    if not values:
        return None
    tail = values[-max(1, math.ceil(len(values) / QUARTER)) :]
    numbers = {"last": values[-1], "low": min(values), "high": max(values), "smoothed": sum(tail) / len(tail)}
    return Measured(**{name: float(f"{value:.6g}") for name, value in numbers.items()})
