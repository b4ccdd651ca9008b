"""Points of space laid flat, as the lab's picture of a cloud shows them before anybody turns it (`assets/cloud.js`)."""

from __future__ import annotations

import math

import numpy as np

TURN, TILT = 0.7, 0.45  # radians about the vertical axis, and of the view from above
AWAY = 6.0  # reaches from the eye to the middle
EXTENT = 1.4  # half a side of the paper that holds it


def flat(points: np.ndarray, reach: float) -> np.ndarray:
    """Return where points (n, 3), of which the data's reach `reach` on each axis, lie on paper (n, 2)."""
    x, y, z = (points / reach).T
    right, back = math.cos(TURN) * x - math.sin(TURN) * y, math.sin(TURN) * x + math.cos(TURN) * y
    up, near = z * math.cos(TILT) + back * math.sin(TILT), z * math.sin(TILT) - back * math.cos(TILT)
    laid: np.ndarray = np.stack([right, up], 1) / np.maximum(1 - near / AWAY, 0.1)[:, None]
    return laid
