"""Names for modes: their number and where to look for them, "3 (top)"."""

from __future__ import annotations

import math
from collections.abc import Callable

from playground.data.base import Modes

SIDES = ("right", "top right", "top", "top left", "left", "bottom left", "bottom", "bottom right")


def mode_names(modes: Modes | None) -> list[str]:
    """Return "number (place)" for each mode, numbers from 1.

    The place is a side where that tells all modes apart, else an hour of the clock for a ring, else the coordinates.
    """
    if modes is None:
        return []
    offset = modes.centres.cpu().double() - modes.centres.cpu().double().mean(0)
    radii = offset.norm(dim=1)
    scale = float(radii.max()) or 1.0
    points = [(float(x), float(y)) for x, y in offset]
    ring = float(radii.min()) > 0.99 * scale
    rules: list[Callable[[float, float], str]] = [lambda x, y: _side(x / scale, y / scale)]
    rules += [_hour] if ring else []
    for rule in rules:
        places = [rule(x, y) for x, y in points]
        if len(set(places)) == len(places):
            break
    else:
        places = [f"at {x:.2g}, {y:.2g}" for x, y in modes.centres.tolist()]
    return [f"{i} ({place})" for i, place in enumerate(places, 1)]


def _side(x: float, y: float) -> str:
    if math.hypot(x, y) < 0.2:
        return "middle"
    return SIDES[round(math.degrees(math.atan2(y, x)) / 45) % 8]


def _hour(x: float, y: float) -> str:
    return f"{round((90 - math.degrees(math.atan2(y, x))) / 30 - 1) % 12 + 1} o'clock"
