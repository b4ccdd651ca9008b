"""When a run was where: its saved moments carry the time of day, so that curves can be drawn over wall time."""

from __future__ import annotations

from typing import Any

import numpy as np

from playground.store.folder import RunFolder
from playground.store.keyframes import place


class Clock:
    """Seconds since a run's first saved moment by step, pauses included; `known` is false where they were lost."""

    def __init__(self, folder: RunFolder) -> None:
        told = []
        for step in folder.keyframes():
            try:
                told.append((step, place(folder.path, step).stat().st_mtime))
            except FileNotFoundError:  # thinned out meanwhile
                continue
        self.steps = np.array([step for step, _ in told], float)
        at = np.array([when for _, when in told], float)
        self.seconds = np.maximum.accumulate(at - at[0]) if len(at) else at
        # a shared run is unpacked at once: its moments are of one time
        self.known = len(at) > 1 and bool(self.seconds[-1] > 0)

    def at(self, steps: Any) -> np.ndarray:
        """Return the seconds at steps (n,): between two moments in proportion, NaN outside of them."""
        if not self.known:
            return np.full(len(steps), np.nan)
        found: np.ndarray = np.interp(np.asarray(steps, float), self.steps, self.seconds, left=np.nan, right=np.nan)
        return found
