"""How far a reconstruction is from its item: one number an item, summed over the item's numbers.

    mse    Σ (y - x)²
    bce    -Σ x ln σ(y) + (1 - x) ln(1 - σ(y)), from logits y: nats; for x strictly between 0 and 1 its least is not 0
    l1     Σ |y - x|
    ssim   numbers x (1 - SSIM) (Wang et al. 2004, IEEE TIP 13, 600-612): means, variances and covariance in windows of
           7 x 7 give (2μxμy + c1)(2σxy + c2) / ((μx² + μy² + c1)(σx² + σy² + c2)), c1 = 0.01², c2 = 0.03² for [0, 1]

The squared error blurs where it is in doubt, the absolute error takes the median, SSIM looks at local structure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Name = Literal["mse", "bce", "l1", "ssim"]

WINDOW = 7


def squared(y: Tensor, x: Tensor) -> Tensor:
    """Return the squared error of each item (n,)."""
    return (y - x).square().flatten(1).sum(1)


def absolute(y: Tensor, x: Tensor) -> Tensor:
    """Return the absolute error of each item (n,)."""
    return (y - x).abs().flatten(1).sum(1)


def cross_entropy(logits: Tensor, x: Tensor) -> Tensor:
    """Return the cross-entropy of each item (n,) in nats; x lies in [0, 1]."""
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def ssim(y: Tensor, x: Tensor) -> Tensor:
    """Return the structural similarity of images (n, C, H, W) in [0, 1], (n,): 1 where they are equal.

    Uniform windows that lie inside the image, sample covariances, mean over windows and channels.
    """
    means = F.avg_pool2d(torch.cat([x, y, x * x, y * y, x * y]), WINDOW, 1)
    mx, my, xx, yy, xy = means.chunk(5)
    sample = WINDOW**2 / (WINDOW**2 - 1)
    vx, vy, cov = sample * (xx - mx * mx), sample * (yy - my * my), sample * (xy - mx * my)
    c1, c2 = 0.01**2, 0.03**2
    alike = (2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return alike.flatten(1).mean(1)


def dissimilar(y: Tensor, x: Tensor) -> Tensor:
    """Return 1 - SSIM of each image times its numbers (n,)."""
    return (1 - ssim(y, x)) * x[0].numel()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": squared, "bce": cross_entropy, "l1": absolute, "ssim": dissimilar,
}  # fmt: skip
