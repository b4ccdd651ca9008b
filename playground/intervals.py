"""A mean over seeds and how sure it is: the 95 % interval of Student's t."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import t


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its 95 % interval."""

    mean: float
    low: float
    high: float

    def words(self, form: str) -> str:
        """Say it as "mean [low, high]"."""
        return f"{self.mean:{form}} [{self.low:{form}}, {self.high:{form}}]"


def interval(values: Sequence[float], least: float = -math.inf, most: float = math.inf) -> Interval:
    """Return the mean with Student's t interval, cut at what is possible; of a single value it is the value itself."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Interval(mean, mean, mean)
    half = float(t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return Interval(mean, max(mean - half, least), min(mean + half, most))
