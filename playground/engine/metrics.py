"""Metrics of steps: read together, checked for numbers that are none, and named in words."""

from __future__ import annotations

from math import isfinite

import torch
from torch import Tensor


def fetched(waiting: list[tuple[int, dict[str, Tensor]]]) -> list[tuple[int, dict[str, float]]]:
    """Return the metrics of some steps as numbers, read together: on a GPU one synchronisation instead of many."""
    numbers = iter(torch.stack([value for _, metrics in waiting for value in metrics.values()]).tolist())
    return [(step, {name: next(numbers) for name in metrics}) for step, metrics in waiting]


def first_bad(rows: list[tuple[int, dict[str, float]]]) -> int | None:
    """Return which row is the first that holds a number that is NaN or infinite."""
    if isfinite(sum(value for _, row in rows for value in row.values())):
        return None
    return next((i for i, (_, row) in enumerate(rows) if not all(map(isfinite, row.values()))), None)


def said(metric: str) -> str:
    """Return a metric's name as words: "grad/g" is "the gradient of G"."""
    group, _, of = metric.partition("/")
    return f"the {'gradient' if group == 'grad' else group} of {of.upper() if len(of) == 1 else of}"
