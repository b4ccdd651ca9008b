"""Long series made fit to draw: thinned to the width of the screen without losing a peak, and smoothed without bias."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def decimate(steps: Any, values: Any, width: int = 600) -> tuple[Array, Array]:
    """Return at most `width` points of a series that keep the first, the last and each bucket's lowest and highest.

    A bucket without a finite value becomes a single gap (NaN).
    """
    x, y = np.asarray(steps, np.float64), np.asarray(values, np.float64)
    if len(x) != len(y):
        raise ValueError(f"There are {len(x)} steps for {len(y)} values: a series needs one step a value.")
    if width < 4:
        raise ValueError("A series is thinned to at least 4 points.")
    n = len(x)
    if n <= width:
        return x, y
    size = -(-n // ((width - 2) // 2))  # points in a bucket, rounded up
    rows = -(-n // size)
    padded = np.full(rows * size, np.nan)
    padded[:n] = np.where(np.isfinite(y), y, np.nan)
    grid = padded.reshape(rows, size)
    offset = np.arange(rows) * size
    lowest = np.where(np.isnan(grid), np.inf, grid).argmin(1) + offset  # the first of a bucket of gaps
    highest = np.where(np.isnan(grid), -np.inf, grid).argmax(1) + offset
    keep = np.unique(np.concatenate([[0], lowest, highest, [n - 1]]))
    return x[keep], np.where(np.isfinite(y[keep]), y[keep], np.nan)


def smooth(values: Any, weight: float) -> Array:
    """Return the exponential moving average with `weight` on the past, 0 <= weight < 1, corrected for its start at 0.

    m_t = sum_s w^(t-s) v_s / sum_s w^(t-s) over the finite values up to t, so a constant stays itself from the first
    point on (Kingma and Ba 2014, arXiv 1412.6980, section 3) and gaps stay gaps without pulling the mean.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"The smoothing weight is {weight:g}: it takes a number from 0 to below 1.")
    y = np.asarray(values, np.float64)
    known = np.isfinite(y)
    total, mass = _decayed_sum(np.where(known, y, 0.0), weight), _decayed_sum(known.astype(np.float64), weight)
    return np.where(known, total / np.where(mass > 0, mass, 1.0), np.nan)


def _decayed_sum(x: Array, weight: float) -> Array:
    """Return sum_s w^(t-s) x_s for every t by doubling: log2(n) passes instead of a loop over n."""
    total, shift, factor = x, 1, weight
    while shift < len(x) and factor > 1e-12:
        total = total + factor * np.concatenate([np.zeros(shift), total[:-shift]])
        shift, factor = 2 * shift, factor * factor
    return total
