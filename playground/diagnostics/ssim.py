"""How alike two images are: multi-scale structural similarity (Wang, Simoncelli and Bovik 2003, ACSSC 2, 1398-1402).

    SSIM = mean of l c,   l = (2 m1 m2 + C1) / (m1² + m2² + C1),   c = (2 s12 + C2) / (s1² + s2² + C2)

with means m, variances s² and covariance s12 under a Gaussian window. MS-SSIM halves the images S times and multiplies
c^β of each scale with (l c)^β of the last. Odena et al. 2016 (arXiv 1610.09585) take its mean over pairs of fakes of
one class as a measure of collapse: the higher, the more alike. The five scales of the paper need 176 pixels a side;
these images get a window of 5 pixels (σ 0.7) and as many scales as it fits into: one at 8 x 8 pixels, which is plain
SSIM, two at 16, three at 28 and 32; the paper's first exponents, made to sum to 1. Watch it only against real pairs.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

SIGMA, WINDOW = 0.7, 5
BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
C1, C2 = 0.01**2, 0.03**2


def scales(side: int) -> int:
    """Return how many scales images of that (smaller) side get."""
    found = 1
    while found < len(BETAS) and side // 2**found >= WINDOW:
        found += 1
    return found


def exponents(count: int) -> list[float]:
    """Return the exponents of so many scales."""
    return [beta / sum(BETAS[:count]) for beta in BETAS[:count]]


def ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """Return the similarity (n,) of images x and y (n, C, H, W) in [0, 1]: 1 where they are the same."""
    total = torch.ones(len(x), device=x.device)
    betas = exponents(scales(min(x.shape[-2:])))
    for i, beta in enumerate(betas):
        whole, contrast = _ssim(x, y)
        last = i == len(betas) - 1
        total = total * (whole if last else contrast).clamp(min=0) ** beta  # a negative one has no real power
        if not last:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    return total


def _ssim(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of l c over each pair's pixels (edges mirrored) and of c where the window fits, (n,) and (n,)."""
    high, wide = x.shape[-2:]
    down, across = _window(high).to(x), _window(wide).to(x)
    a, b, aa, bb, ab = down @ torch.stack([x, y, x * x, y * y, x * y]) @ across.T
    contrast = (2 * (ab - a * b) + C2) / ((aa - a * a).clamp(min=0) + (bb - b * b).clamp(min=0) + C2)
    light = (2 * a * b + C1) / (a * a + b * b + C1)
    edge = WINDOW // 2
    inside = contrast[..., edge : high - edge, edge : wide - edge]
    return (light * contrast).flatten(1).mean(1), inside.flatten(1).mean(1)


@lru_cache(maxsize=16)
def _window(side: int) -> Tensor:
    """Return the Gaussian window as a matrix (side, side) with mirrored edges; products are fast on small images."""
    at = torch.arange(WINDOW) - WINDOW // 2
    weights = (-(at**2) / (2 * SIGMA**2)).exp()
    matrix = torch.zeros(side, side)
    for step, weight in zip(at.tolist(), (weights / weights.sum()).tolist(), strict=True):
        for i in range(side):
            j = abs(i + step)
            matrix[i, j if j < side else 2 * (side - 1) - j] += weight
    return matrix
