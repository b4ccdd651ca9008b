"""The scores of one saved moment of a generator of points: those of the running panel, and what only a report asks.

More than the panel: precision, recall, density and coverage for data with modes too, the entropy of the modes, the
Fréchet distance and the mean distance of two fakes. It takes as many fakes as asked for, and 1,000 real points.
"""

from __future__ import annotations

import math
from functools import cached_property

import torch
from torch import Tensor

from playground.data.base import Distribution
from playground.diagnostics.frechet import frechet_samples
from playground.diagnostics.modes import score_modes
from playground.diagnostics.panel import FAKES, Floor, N, Panel, band, capped, neighbours
from playground.rng import fresh

REPEATS = 12
WIDE = 3.0  # standard deviations on each side of a floor
FAR_APART = 500  # points whose distances are averaged


class PlanePanel:
    """Scores of fakes (2000, 2) against the data, with floors."""

    def __init__(self, data: Distribution, seed: int) -> None:
        self.data, self.seed, self.panel = data, seed, Panel(data, seed)

    def compare(self, fake: Tensor, real: Tensor | None = None) -> dict[str, float]:
        """Score fakes (n, 2) against real points, by default the panel's own."""
        real = self.real if real is None else real
        scores = self.panel.compare(real, fake) | neighbours(real, fake)
        scores["dist/frechet"] = frechet_samples(real, fake[:N])
        scores["diversity/points"] = far_apart(fake) / far_apart(real)
        if self.panel.modes is not None:
            near = torch.tensor(score_modes(fake, self.panel.modes).near, dtype=torch.float64)
            scores["modes/entropy"] = max(0.0, float(-torch.xlogy(near, near).sum()))
        return {name: value for name, value in scores.items() if math.isfinite(value)}

    @cached_property
    def real(self) -> Tensor:
        """The real points that fakes are held against."""
        return self.data.sample(N, fresh(self.seed, "report"))

    def floors(self) -> dict[str, Floor]:
        """Return perfection and noise band of every score; measured once, then kept."""
        return self._floors

    @cached_property
    def _floors(self) -> dict[str, Floor]:
        rng, known = fresh(self.seed, "report", "floors"), self.panel.floors()
        rows = [self.compare(self.data.sample(FAKES, rng), self.data.sample(N, rng)) for _ in range(REPEATS)]
        perfect = {name: floor.perfect for name, floor in known.items()}
        perfect |= {"dist/frechet": 0.0, "diversity/points": 1.0, "prdc/density": 1.0}
        if self.panel.modes is not None:
            w = self.panel.modes.weights.double()
            perfect["modes/entropy"] = float(-torch.xlogy(w, w).sum())
        floors = {}
        for name in rows[0]:
            seen = torch.tensor([row[name] for row in rows if name in row], dtype=torch.float64)
            floors[name] = capped(name, band(seen, perfect.get(name), WIDE))
        return floors


def far_apart(x: Tensor) -> float:
    """Return the mean distance of two of the first 500 points (n, 2)."""
    return float(torch.pdist(x[:FAR_APART]).mean())
