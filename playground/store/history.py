"""Curves of any length in bounded memory: each is kept as buckets of (step, low, mean, high) that double when full.

A page asks for at most as many points as its screen is wide; the whole history stays on disk. `History.update` reads
only what was appended since the last call, and starts over when a run went back to an earlier step.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from playground.store.folder import RunFolder
from playground.store.rows import Window

POINTS = 2000  # of a curve kept in memory: even, and more than a screen is wide


class Curve:
    """One metric. `step` is each bucket's last step; a bucket holds `per` logged values, their low, mean and high."""

    def __init__(self) -> None:
        self.per = 1
        self.step = np.empty(0, np.int64)
        self.low, self.mean, self.high = np.empty(0), np.empty(0), np.empty(0)
        self._rest_step, self._rest = np.empty(0, np.int64), np.empty(0)

    def add(self, step: np.ndarray, value: np.ndarray) -> None:
        """Append values (n,) at ascending steps (n,); those that are not finite are left out."""
        there = np.isfinite(value)
        step = np.concatenate([self._rest_step, step[there]])
        value = np.concatenate([self._rest, value[there].astype(float)])
        while True:
            used = min(len(step) // self.per, POINTS - len(self.step)) * self.per
            blocks = value[:used].reshape(-1, self.per)
            self.step = np.concatenate([self.step, step[self.per - 1 : used : self.per]])
            self.low = np.concatenate([self.low, blocks.min(1)])
            self.mean = np.concatenate([self.mean, blocks.mean(1)])
            self.high = np.concatenate([self.high, blocks.max(1)])
            step, value = step[used:], value[used:]
            if len(self.step) < POINTS:
                break
            self._halve()
        self._rest_step, self._rest = step, value

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return step, low, mean, high, the unfinished last bucket included."""
        if not len(self._rest):
            return self.step, self.low, self.mean, self.high
        last = (self._rest_step[-1], self._rest.min(), self._rest.mean(), self._rest.max())
        whole = (self.step, self.low, self.mean, self.high)
        step, low, mean, high = (np.append(a, v) for a, v in zip(whole, last, strict=True))
        return step, low, mean, high

    def _halve(self) -> None:
        self.per *= 2
        self.step = self.step[1::2]
        self.low, self.high = self.low.reshape(-1, 2).min(1), self.high.reshape(-1, 2).max(1)
        self.mean = self.mean.reshape(-1, 2).mean(1)


class History:
    """The curves, scores and events of one run, kept up to date from its folder."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.curves: dict[str, Curve] = {}
        self.events: list[dict[str, Any]] = []
        self.last_scores: dict[str, Any] = {}
        self._cuts, self._rows, self._scores, self._events = -1, 0, 0, 0

    def update(self) -> History:
        """Read what was appended since the last call; return itself."""
        with self.folder.reading() as records:
            cuts = records.cuts()
            if cuts != self._cuts:
                self._cuts, self._rows, self._scores, self._events = cuts, 0, 0, 0
                self.curves, self.events, self.last_scores = {}, [], {}
            columns = records.columns()
            for rows in records.pieces(self._rows):
                self._rows += len(rows)
                for i, name in enumerate(columns):
                    self.curves.setdefault(name, Curve()).add(rows["step"], rows["values"][:, i])
            fresh, events = records.scores(self._scores), records.events(self._events)
        self._scores, self._events = self._scores + len(fresh), self._events + len(events)
        names = list(dict.fromkeys(name for row in fresh for name in row if name != "step"))
        for name in names:
            pairs = [(row["step"], row[name]) for row in fresh if row.get(name) is not None]
            steps, values = np.array([p[0] for p in pairs], np.int64), np.array([p[1] for p in pairs], float)
            self.curves.setdefault(name, Curve()).add(steps, values)
        if fresh:
            self.last_scores = fresh[-1]
        self.events = (self.events + events)[-POINTS:]
        return self

    def finer(self, low: float, high: float) -> dict[str, Window]:
        """Return curves that are kept coarser than they were measured, from step `low` to `high`, as fine as fits."""
        coarse = [name for name, curve in self.curves.items() if curve.per > 1]
        return self.folder.window(coarse, int(low), int(high) + 1, POINTS) if coarse else {}

    def course(self, name: str, finer: Mapping[str, Window] = MappingProxyType({})) -> tuple[np.ndarray, np.ndarray]:
        """Return the steps and means of a curve (n,), with what `finer` has of it in the place of that stretch."""
        step, _, mean, _ = self.curves[name].arrays()
        if name not in finer:
            return step, mean
        some = finer[name]
        before, after = step < some.step[0], step > some.step[-1]
        return (
            np.concatenate([step[before], some.step, step[after]]),
            np.concatenate([mean[before], some.mean, mean[after]]),
        )
