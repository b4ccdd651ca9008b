"""What a worker tells as plain data: numbers as a person reads them, a step in its sub-steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.engine.frames import rounded
from playground.families.base import SubStep


def short(values: Mapping[str, float]) -> dict[str, float]:
    """Return numbers with as many digits as a person reads."""
    return {name: float(f"{value:.6g}") for name, value in values.items()}


def told_step(s: SubStep) -> dict[str, Any]:
    """Return a sub-step as plain data."""
    return {
        "player": s.player, "title": s.title, "formula": s.formula, "note": s.note, "shapes": s.shapes,
        "tensors": {name: rounded(value) for name, value in s.tensors.items()},
        "layers": {name: rounded(value) for name, value in s.layers.items()},
    }  # fmt: skip
