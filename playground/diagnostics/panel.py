"""The scores of a running model: one call measures fakes and discriminator on fresh held-out points.

Every score comes with a `Floor`: its value at perfection and the band in which a perfect sampler falls at this sample
size, found by scoring real points against other real points. A value inside the band cannot be told from perfection.
It takes 2,000 fakes for modes and grid, 1,000 points a side for the rest (400 for precision and recall, 300 for MMD),
drawn from streams of their own, so that measuring changes nothing of the run.
Watch: coverage of modes says what is missing, HQ and spread how sharp it is, JS and SW how far the whole is off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from playground.data.base import Distribution, Modes
from playground.diagnostics import distances
from playground.diagnostics.modes import HQ_PERFECT, RADIUS, score_modes
from playground.diagnostics.prdc import expected_coverage, prdc
from playground.families.base import Family
from playground.rng import fresh

FAKES = 2000
N = 1000  # real points, and as many of the fakes where the two are compared
N_NEIGHBOURS, N_KERNEL = 400, 300  # points on each side for precision and recall, for MMD: their cost is quadratic
NEIGHBOURS = 5
CELLS = 32  # a side of the JS grid
DIRECTIONS = 16
REPEATS = 12  # real against real, for the floors
AT_MOST_ONE = ("class/sure", "prdc/precision", "prdc/recall", "prdc/coverage", "diversity/ssim")

# D says real above a logit of 0. These losses only compare outputs and have no such line: they are cut at the median of
# all outputs, which asks whether D ranks real above fake.
RANKING = ("wasserstein-clip", "wasserstein-gp", "relativistic")


@dataclass(frozen=True)
class Floor:
    """The value at perfection and the band (about 95 %) in which a perfect sampler falls at this sample size."""

    perfect: float
    low: float
    high: float


class Panel:
    """Scores for one data set on one device. Make a new one when the data's settings change; what is dear is lazy."""

    def __init__(self, data: Distribution, seed: int, device: torch.device | str = "cpu") -> None:
        self.data, self.seed, self.device = data, seed, torch.device(device)
        self.modes: Modes | None = data.modes() if data.dim == 2 else None

    def ready(self) -> bool:
        """Say that a score answers at once."""
        return True

    def score(self, family: Family, step: int) -> dict[str, float]:
        """Measure the model as it is now; only what applies and is finite is returned. Draws from its own stream."""
        if self.data.dim != 2 or "generate" not in family.abilities:  # a game has its phase, nothing here applies
            return {}
        rng = fresh(self.seed, "score", step, device=self.device)
        real, fake = self.data.sample(N, rng), family.generate(family.noise(FAKES, rng))
        scores = self.compare(real.cpu(), fake.cpu())
        if "score" in family.abilities:
            scores |= discrimination(family.discriminate(real), family.discriminate(fake[:N]), boundary(family))
        return {name: value for name, value in scores.items() if math.isfinite(value)}

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Score fakes (2000, 2) against held-out real points (1000, 2), both on the CPU.

        Mostly in NumPy: what is this small takes PyTorch several times as long.
        """
        scores = score_modes(fake, self.modes).metrics() if self.modes else neighbours(real, fake)
        q = distances.cell_counts(fake.numpy(), self.data.extent, CELLS) / len(fake)
        scores["dist/js"] = distances.js(self._cells, q)
        scores["dist/kl"] = distances.skew_kl(self._cells, q)
        scores["dist/sw"] = distances.sliced_wasserstein(real[:N], fake[:N], self._along)
        scores["dist/mmd"] = distances.mmd2(real[:N_KERNEL], fake[:N_KERNEL], self._scale)
        scores["spread/all"] = float((_variance(fake) / _variance(real)).sqrt())
        return scores

    def floors(self) -> dict[str, Floor]:
        """Return perfection and noise band of every score; measured once (about 0.1 s), then kept."""
        return self._floors

    @cached_property
    def _floors(self) -> dict[str, Floor]:
        if self.data.dim != 2:
            return {}
        rng = fresh(self.seed, "floors", device=self.device)
        rows = [
            self.compare(self.data.sample(N, rng).cpu(), self.data.sample(FAKES, rng).cpu()) for _ in range(REPEATS)
        ]
        perfect = self._perfect()
        floors = {"d/accuracy": accuracy_floor()}
        for name in [name for name in rows[0] if not name.startswith("near/")]:  # for the verdict, never drawn
            seen = torch.tensor([row[name] for row in rows if name in row], dtype=torch.float64)
            floors[name] = capped(name, band(seen, perfect.get(name)))
        return floors

    def _perfect(self) -> dict[str, float]:
        """Return the values that theory gives for perfection; scores not named here take their measured mean."""
        known = {"dist/js": 0.0, "dist/kl": 0.0, "dist/sw": 0.0, "dist/mmd": 0.0, "spread/all": 1.0}
        if self.modes is None:
            return known | {
                "prdc/density": 1.0,
                "prdc/coverage": expected_coverage(N_NEIGHBOURS, N_NEIGHBOURS, NEIGHBOURS),
            }
        if not separated(self.modes):  # overlapping balls: the closed forms do not hold
            return known | {"modes/reverse_kl": 0.0}
        k, weights = len(self.modes.weights), self.modes.weights.tolist()
        return known | {
            "modes/covered": float(k),
            "modes/one_percent": float(sum(w * HQ_PERFECT >= 0.01 for w in weights)),
            "modes/eight_percent": float(k),
            "modes/hq": HQ_PERFECT,
            "modes/reverse_kl": 0.0,
            "modes/tv": 1 - HQ_PERFECT,
            "spread": 1.0,
            **{f"mass/{i}": w * HQ_PERFECT for i, w in enumerate(weights)},
        }

    @cached_property
    def _cells(self) -> np.ndarray:
        return distances.cell_masses(self.data, self.data.extent, CELLS, fresh(self.seed, "cells"))

    @cached_property
    def _along(self) -> Tensor:
        return distances.directions(DIRECTIONS, 2)

    @cached_property
    def _scale(self) -> float:
        return distances.median_distance(self.data.sample(N_NEIGHBOURS, fresh(self.seed, "scale")))


def boundary(family: Family) -> float | None:
    """Return the output above which D says real; None where it only ranks."""
    ranks = getattr(family, "ranks", getattr(family.config, "loss", None) in RANKING)
    return None if ranks else 0.0


def discrimination(real: Tensor, fake: Tensor, boundary: float | None = 0.0) -> dict[str, float]:
    """Return D's accuracy (mean of both sides) and its mean on real (n,) and fake (m,) logits or critic values."""
    line = torch.cat([real, fake]).median() if boundary is None else boundary
    accuracy = ((real > line).float().mean() + (fake <= line).float().mean()) / 2
    return {"d/accuracy": float(accuracy), "d/real": float(real.mean()), "d/fake": float(fake.mean())}


def neighbours(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Return precision, recall, density and coverage of the first 400 fakes against the first 400 real points."""
    score = prdc(real[:N_NEIGHBOURS], fake[:N_NEIGHBOURS], NEIGHBOURS)
    return {f"prdc/{name}": getattr(score, name) for name in ("precision", "recall", "density", "coverage")}


def separated(modes: Modes) -> bool:
    """Say whether no two modes' balls of 3 sigma touch, so that the closed forms of perfection hold."""
    return len(modes.centres) < 2 or float(torch.pdist(modes.centres).min()) > 2 * RADIUS * modes.std


def _variance(x: Tensor) -> Tensor:
    return x.var(0).sum()


def accuracy_floor(n: int = N) -> Floor:
    """Return the floor of D's accuracy on n real items and n fakes that nobody can tell apart."""
    margin = 1.96 * math.sqrt(0.25 / (2 * n))  # two binomial shares at one half, averaged
    return Floor(0.5, 0.5 - margin, 0.5 + margin)


def capped(name: str, floor: Floor) -> Floor:
    """Return a floor that does not go above 1 where its score cannot."""
    return replace(floor, high=min(floor.high, 1.0)) if name in AT_MOST_ONE else floor


def band(seen: Tensor, perfect: float | None, wide: float = 2.0) -> Floor:
    """Return mean +- 2 std (`wide`) of the repeats, never narrower than what they showed."""
    mean, std = float(seen.mean()), float(seen.std())
    low, high = min(mean - wide * std, float(seen.min())), max(mean + wide * std, float(seen.max()))
    if float(seen.min()) >= 0:
        low = max(0.0, low)
    return Floor(mean if perfect is None else perfect, low, high)
