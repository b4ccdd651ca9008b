"""What scripts of adversarial families are written from: which sources, and what these ask besides the settings."""

from __future__ import annotations

from typing import Any

from playground import conv_nets
from playground.data.base import DataSet
from playground.families.base import Listing
from playground.gan_settings import GanSettings

TRAINING = ("losses", "penalties", "optimistic", "tricks", "adversarial")


def listing(
    c: GanSettings, data: DataSet, *more: str, tail: int = 0, told: tuple[str, ...] = (), **own: Any
) -> Listing:
    """Return the listing of a family of two players; `tail` numbers follow an item in a row, `more` are parts of its
    own, `told` the metrics of its own term."""
    values = nets(c, data) | {
        "ROW": (tail + _numbers(data),) if tail else data.shape,
        "NUMBERS": _numbers(data), "TAIL": tail,
        "PENALTY": c.penalty_in_use, "BATCHWISE": c.mixes, "GAME": False, "INFORMS": bool(told),
        "AUGMENT": c.augment if data.kind == "images" else "none",
        "EVER_UNROLLS": c.unroll > 0,
        "EVER_SEEN": c.instance_noise > 0 or (c.augment != "none" and data.kind == "images"),
        "D_STEPS": c.d_steps if c.order == "alternating" else 1,
        "G_STEPS": c.g_steps if c.order == "alternating" else 1,
        "G_REMEMBERS": c.body != "dense" and c.g_norm == "batch",
        "D_REMEMBERS": c.spectral or (c.body != "dense" and c.d_norm == "batch"),
        "COLUMNS": ["loss/d", *(["loss/penalty"] if c.penalty_in_use != "none" else []), "loss/g", *told],
    }  # fmt: skip
    rows = ("joint", *more) if tail else ("images",)
    return Listing({"networks": ("gan_nets", *rows), "training": TRAINING}, values | own)


def nets(c: GanSettings, data: DataSet) -> dict[str, Any]:
    """Return what the networks' sources ask."""
    found: dict[str, Any] = {
        "G_WIDTHS": [c.g_width] * c.g_depth, "D_WIDTHS": [c.d_width] * c.d_depth,
        "INIT": "normal-0.02" if c.init == "default" and c.body != "dense" else c.init,
        "BIASED": c.body != "dense" and "batch" in (c.g_norm, c.d_norm),
    }  # fmt: skip
    if c.body != "dense":
        sides = conv_nets.sides(data.shape)
        maps = conv_nets.widths(c.maps, len(sides))
        found |= {"SIDES": sides, "D_MAPS": maps, "G_MAPS": [*maps[::-1], data.shape[0]]}
    return found


def _numbers(data: DataSet) -> int:
    numbers = 1
    for size in data.shape:
        numbers *= size
    return numbers
