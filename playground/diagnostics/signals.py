"""What a verdict is made from: a run's recent metrics read into arrays that hold numbers or nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median  # of few numbers in a tenth of NumPy's time
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from playground.data.base import Modes
from playground.experiment import Experiment

State = Literal[
    "warming",
    "healthy",
    "partial-collapse",
    "full-collapse",
    "d-too-strong",
    "g-vanished",
    "oscillating",
    "diverged",
    "posterior-collapse",
    "identity-copying",
    "dead-codings",
    "overfitting",
    "memorising",
    "blurry",
]
Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

RECENT = 3  # score rows: one alone may catch the fakes on the move
FEW = 0.08  # of a mode's share: below, the mode counts as missing (the 8 % rule of the panel)
POOR = 0.3  # share of good fakes below which the picture as a whole is poor
EVER = 10**9  # steps; what lasted as long is a moment seen by itself, of which nobody knows how long
TAIL = 20  # train rows: about 200 steps at the default rate of logging


@dataclass(frozen=True)
class Evidence:
    """One measured figure, with its unit, beside what it would be at best ("" where the figure says so itself)."""

    label: str
    value: str
    reference: str


@dataclass(frozen=True)
class Cure:
    """What usually helps: field values to set, and whether a running model takes them without a restart."""

    label: str
    values: dict[str, Any]
    live: bool
    why: str


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    state: State
    sentence: str
    why: str
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[int, ...] = ()
    remedy: str = ""  # whose cure helps, where it is not the state's own


@dataclass(frozen=True)
class Verdict:
    """The state of a run in a sentence, with reasons, figures, the missing modes (from 0) and a known cure."""

    state: State
    sentence: str
    why: str
    evidence: tuple[Evidence, ...]
    missing: tuple[int, ...]
    cure: Cure | None

    def to_json(self) -> dict[str, Any]:
        """Return plain data for the page and the command line."""
        return asdict(self) | {"evidence": [asdict(e) for e in self.evidence], "missing": list(self.missing)}


@dataclass(frozen=True)
class Signals:
    """A run's recent past: train columns and score rows by name, float64 with NaN for what was not measured."""

    experiment: Experiment
    train: dict[str, Array]
    scores: list[dict[str, float]]
    modes: Modes | None
    since: int = 0

    @classmethod
    def read(
        cls, experiment: Experiment, train: Mapping[str, Any], scores: Sequence[Mapping[str, Any]], since: int = 0
    ) -> Self:
        """Take whatever a run has written after step `since`; anything that is not a number becomes NaN."""
        columns = {name: _column(column) for name, column in train.items()}
        rows = [{name: _number(v) for name, v in row.items()} for row in scores]
        if since and "step" in columns:
            own = ~(columns["step"] <= since)  # of a row that is no number any more, neither is its step
            columns = {name: column[own] for name, column in columns.items()}
        rows = [row for row in rows if not (since and row.get("step", math.nan) <= since)]
        modes = experiment.data.modes() if experiment.data.shape == (2,) else None
        return cls(experiment, columns, rows, modes, since)

    @property
    def step(self) -> int:
        """The last step known, 0 before the first."""
        ends = [column[-1] for column in [self.train.get("step", np.empty(0))] if len(column)]
        ends += [row["step"] for row in self.scores[-1:] if "step" in row]
        return int(max((e for e in ends if math.isfinite(e)), default=0))

    @property
    def age(self) -> int:
        """Steps that this model has been trained, in place of another where `since` is not 0."""
        return max(0, self.step - self.since)

    def warming(self, until: int) -> str:
        """Say that it is too early to judge: that is done after so many steps."""
        so_far = "since the fork" if self.since else "so far"
        done = f"{count(self.age, 'step')} {so_far}, " if self.age else ""  # the first score is still to come
        return f"Warming up: {done}judged from step {self.since + until:,} on."

    @property
    def loss(self) -> str:
        """The loss in use, "" for a family without that choice."""
        return str(getattr(self.experiment.model, "loss", ""))

    @property
    def mode_count(self) -> int:
        """How many modes the data has, 0 where they cannot be counted."""
        return 0 if self.modes is None else len(self.modes.weights)

    @property
    def weights(self) -> Array:
        """The modes' true shares (K,)."""
        return np.empty(0) if self.modes is None else self.modes.weights.double().cpu().numpy()

    def column(self, name: str) -> Array:
        """Return a score's known values in order."""
        values = np.array([row.get(name, math.nan) for row in self.scores], np.float64)
        return values[np.isfinite(values)]

    def known(self, name: str) -> bool:
        """Say whether a score was measured at all."""
        return len(self.column(name)) > 0

    def last(self, name: str) -> float:
        """Return a score's last value, NaN if it has none."""
        values = self.column(name)
        return float(values[-1]) if len(values) else math.nan

    def recent(self, name: str) -> float:
        """Return the median of a score's last values, NaN if it has none."""
        values = self.column(name)[-RECENT:]
        return median(values.tolist()) if len(values) else math.nan

    def tail(self, name: str) -> float:
        """Return the median of a train metric's last rows, NaN if it has none."""
        values = self._finite(name)[-TAIL:]
        return median(values.tolist()) if len(values) else math.nan

    def top(self, name: str) -> float:
        """Return the height that a train metric reached in the window (its 95th percentile), NaN if it has none."""
        values = self._finite(name)
        return float(np.percentile(values, 95)) if len(values) else math.nan

    def _finite(self, name: str) -> Array:
        values = self.train.get(name, np.empty(0))
        return values[np.isfinite(values)]

    def by_mode(self, group: str) -> Array:
        """Return "mass" (sharp fakes of each mode) or "near" (all nearest to it) of the rows that have them, (R, K)."""
        rows = [[row.get(f"{group}/{i}", 0.0) for i in range(self.mode_count)] for row in self._mode_rows(group)]
        return np.nan_to_num(np.array(rows, np.float64).reshape(len(rows), self.mode_count), posinf=0, neginf=0)

    def _mode_rows(self, group: str = "mass") -> list[dict[str, float]]:
        return [row for row in self.scores if f"{group}/0" in row]

    def shares(self) -> Array:
        """Return the modes' shares of the fakes over the last eight scores: of all by nearness, else of sharp ones."""
        return (self.by_mode("near") if self.known("near/0") else self.by_mode("mass"))[-8:]

    def moved(self) -> float:
        """Return the median share of fakes that change mode from one score to the next, 0 with fewer than two."""
        shares = self.shares()
        return float(np.median(np.abs(np.diff(shares, axis=0)).sum(1) / 2)) if len(shares) >= 2 else 0.0

    def mean_masses(self) -> Array:
        """Return the modes' mean masses over the last scores (K,)."""
        masses = self.by_mode("mass")[-RECENT:]
        return masses.mean(0) if len(masses) else np.zeros(self.mode_count)

    def scarce(self) -> Mask:
        """Say of each score row which modes have less than 8 % of their share, (R, K).

        Of all fakes by nearness; where most fakes are sharp enough to tell, of sharp fakes too.
        """
        rows = self._mode_rows()
        sharp = np.array([row.get("modes/hq", 0.0) >= POOR for row in rows], bool)[:, None]
        scarce: Mask = sharp & (self.by_mode("mass") < FEW * self.weights)
        near = self.by_mode("near")
        return scarce | (near < FEW * self.weights) if len(near) == len(rows) else scarce

    def missing(self) -> list[int]:
        """Return the modes that were scarce in all of the last scores, from 0."""
        last = self.scarce()[-RECENT:]
        return [i for i in range(self.mode_count) if len(last) and last[:, i].all()]

    def missing_for(self, modes: Sequence[int]) -> int:
        """Return for how many steps, from score to score, all of these modes have been scarce."""
        steps = [row.get("step", math.nan) for row in self._mode_rows()]
        absent = [all(row[i] for i in modes) for row in self.scarce()]
        first = len(absent)
        while first > 0 and absent[first - 1]:
            first -= 1
        since = steps[-1] - steps[first] if first < len(steps) else math.nan
        return int(since) if math.isfinite(since) else 0

    def finding_more(self) -> bool:
        """Say whether the last scores hold more and more modes, with none given up."""
        held = (~self.scarce()[-4:]).sum(1)
        return len(held) >= 2 and bool(held[-1] > held[0] and (np.diff(held) >= 0).all())

    def improving(self) -> bool:
        """Say whether the fakes came clearly closer (sliced Wasserstein a fifth lower) over the last scores."""
        sw = self.column("dist/sw")[-5:]
        return len(sw) >= 3 and bool(np.median(sw[-2:]) < 0.8 * np.median(sw[:2]))


def _column(values: Any) -> Array:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        return np.array([_number(v) for v in values], np.float64)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def share(value: float) -> str:
    """Write a share as a percentage, "unknown" if it was not measured."""
    return f"{100 * value:.0f} %" if math.isfinite(value) else "unknown"


def count(n: int, noun: str) -> str:
    """Write a number of things: 1 step, 1,200 steps."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def lasting(steps: int) -> str:
    """Write for how long something has been so: " for 500 steps"; nothing of a moment seen by itself."""
    return f" for {count(steps, 'step')}" if steps < EVER else ""


def listed(names: Sequence[str], most: int = 4) -> str:
    """Write names as a list: 1, 2 and 3; beyond `most`, how many more."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
