"""Rows of metrics as bytes, and buckets of them: each metric's low, mean and high over neighbouring rows.

A bucket may stand for one row or for a thousand, and buckets join to larger ones, so that a million rows can be drawn
from a thousand buckets without reading them. Steeper and deeper than its pixels a curve cannot be drawn anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

WIDTH = 24  # float32 columns of a row; names are given to them as metrics appear, so that a row never changes its size
ROW = np.dtype([("step", "<i8"), ("values", "<f4", (WIDTH,))])
# `step` is the last one's; `n` counts the values that are there, NaN for a metric that has none
BUCKET = np.dtype(
    [("step", "<i8"), *((name, kind, (WIDTH,)) for name, kind in
     (("n", "<u4"), ("low", "<f4"), ("mean", "<f4"), ("high", "<f4")))]
)  # fmt: skip


def buckets(rows: np.ndarray) -> np.ndarray:
    """Return rows (n,) as buckets (n,) of one row each."""
    found = np.zeros(len(rows), BUCKET)
    found["step"] = rows["step"]
    found["n"] = np.isfinite(rows["values"])
    for name in ("low", "mean", "high"):
        found[name] = rows["values"]
    return found


def joined(fine: np.ndarray, per: int) -> np.ndarray:
    """Return buckets (n,) joined by `per` neighbours each, the last of them fewer: (ceil(n / per),)."""
    if per <= 1 or not len(fine):
        return fine
    starts = np.arange(0, len(fine), per)
    there, n = fine["n"] > 0, fine["n"].astype(np.float64)
    found = np.zeros(len(starts), BUCKET)
    found["step"] = fine["step"][np.minimum(starts + per, len(fine)) - 1]
    found["n"] = np.add.reduceat(fine["n"], starts)
    none = found["n"] == 0
    total = np.add.reduceat(np.where(there, fine["mean"], 0) * n, starts)
    found["mean"] = np.where(none, np.nan, total / np.maximum(found["n"], 1))
    found["low"] = np.where(none, np.nan, np.minimum.reduceat(np.where(there, fine["low"], np.inf), starts))
    found["high"] = np.where(none, np.nan, np.maximum.reduceat(np.where(there, fine["high"], -np.inf), starts))
    return found


class Window(NamedTuple):
    """A stretch of one metric: each bucket's last step, lowest, mean and highest value, all (n,)."""

    step: np.ndarray
    low: np.ndarray
    mean: np.ndarray
    high: np.ndarray


def window(fine: np.ndarray, low: int, high: int, width: int) -> np.ndarray:
    """Return the buckets (n,) from step `low` to `high`, and one more at both ends, joined to at most `width`."""
    first, last = np.searchsorted(fine["step"], low), np.searchsorted(fine["step"], high, "right")
    fine = fine[max(0, first - 1) : last + 1]
    return joined(fine, -(-len(fine) // max(1, width)))


def columns(found: np.ndarray, names: Sequence[str]) -> dict[str, Window]:
    """Return the named columns of buckets, in their order, each without the buckets that hold nothing of it."""
    told = {}
    for i, name in enumerate(names):
        there = found[found["n"][:, i] > 0]
        if len(there):
            told[name] = Window(there["step"], *(there[part][:, i].astype(float) for part in ("low", "mean", "high")))
    return told
