"""Precision, recall (Kynkaanniemi et al. 2019, arXiv 1904.06991), density, coverage (Naeem et al. 2020, 2002.09797).

r_k(x) is the distance from x to its k-th nearest neighbour in its own set, itself not counted.
- precision: share of fakes within r_k of some real point. recall: share of real points within r_k of some fake.
- density: how many real balls hold a fake, over k, averaged; unbounded, 1 in expectation at equality: never clamp it.
- coverage: share of real points with a fake inside their own ball.
Watch: coverage and recall fall when modes go missing; precision stays high while what is left looks right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Prdc:
    """The four scores; all are shares but density, which has no upper bound."""

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(real: Tensor, fake: Tensor, k: int = 5, real_radius: Tensor | None = None) -> Prdc:
    """Score fakes (m, d) against real points (n, d), whose `radii` may be known; a ball's edge is outside, as in the
    papers' code."""
    if min(len(real), len(fake)) <= k:
        raise ValueError(f"{k} neighbours need more than {k} points on each side.")
    real_radius = radii(real, k) if real_radius is None else real_radius
    fake_radius = radii(fake, k)
    between = _distances(real, fake)  # (n, m)
    inside = between < real_radius[:, None]
    return Prdc(
        precision=float(inside.any(0).float().mean()),
        recall=float((between < fake_radius[None]).any(1).float().mean()),
        density=float(inside.sum()) / (k * len(fake)),
        coverage=float(inside.any(1).float().mean()),
    )


def expected_coverage(n: int, m: int, k: int) -> float:
    """Return the coverage to expect of m fakes from the same distribution as n real points (Naeem et al. 2020)."""
    return 1 - math.prod((n - i) / (n + m - i) for i in range(1, k + 1))


def _distances(x: Tensor, y: Tensor) -> Tensor:
    # The product form of the distance loses the digits that near neighbours need.
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def radii(x: Tensor, k: int) -> Tensor:
    """Return the distance of each point of x (n, d) to its k-th nearest neighbour, (n,)."""
    return _distances(x, x).topk(k + 1, dim=1, largest=False).values[:, k]  # the nearest is the point itself, at 0
