"""Support size by the birthday paradox (Arora, Risteski and Zhang 2018, arXiv 1706.08224).

If batches of s samples hold a duplicate half of the time, the support is about s^2 / (2 ln 2) when it is uniform.
Uneven weights make duplicates likelier, so the estimate leans low; it is an order of magnitude, never a count.
Watch: for continuous data "duplicate" means nearer than a tolerance; the answer scales with it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def collision_probability(batch: int, support: int) -> float:
    """Return the chance that `batch` uniform draws from `support` items hold at least two of the same."""
    if batch > support:
        return 1.0
    return -math.expm1(sum(math.log1p(-i / support) for i in range(batch)))


def half_batch(support: int) -> int:
    """Return the smallest batch whose collision probability reaches one half."""
    miss, batch = 1.0, 0
    while miss > 0.5:
        miss *= 1 - batch / support
        batch += 1
    return batch


def support_size(batch: float) -> float:
    """Return s^2 / (2 ln 2), the support at which batches of s collide half of the time: an order of magnitude."""
    return batch**2 / (2 * math.log(2))


def colliding_batch(samples: Tensor, tolerance: float, generator: torch.Generator, trials: int = 200) -> float:
    """Return the median number of samples drawn from (n, d), one after another, until two lie within `tolerance`.

    Infinite where more than half of the trials see no such pair among all n.
    """
    return sorted(first_collisions(samples, tolerance, generator, trials))[trials // 2]


def first_collisions(samples: Tensor, tolerance: float, generator: torch.Generator, trials: int = 200) -> list[float]:
    """Return for each trial how many of (n, d), in an order of its own, it takes until two lie within `tolerance`.

    Infinite where no two do.
    """
    near = torch.cdist(samples, samples, compute_mode="donot_use_mm_for_euclid_dist") <= tolerance
    pairs = near.triu(1).nonzero().cpu()
    if not len(pairs):
        return [math.inf] * trials
    firsts = []
    for _ in range(trials):
        place = torch.randperm(len(samples), generator=generator)
        firsts.append(float(place[pairs].amax(1).min()) + 1)
    return firsts
