"""What a denoising autoencoder is shown in place of an item (Vincent et al. 2010, JMLR 11, 3371-3408).

    gaussian      x + s N(0, 1)
    mask          each number becomes 0 with probability s
    salt-pepper   each number becomes the smallest or the largest there is, with probability s/2 each

The target stays the clean item. For small Gaussian noise the best answer points along the slope of the log density:
r(x) - x ≈ s² ∇ log p(x) (Alain and Bengio 2014, arXiv 1211.4246).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Corruption = Literal["none", "gaussian", "mask", "salt-pepper"]


def corrupt(kind: str, x: Tensor, strength: float, generator: torch.Generator, *, images: bool = True) -> Tensor:
    """Return items (n, *shape) with noise; salt and pepper are 0 and 1 in images, else the batch's own extremes."""
    if kind == "none" or strength == 0:
        return x
    if kind == "gaussian":
        return x + strength * torch.randn(x.shape, generator=generator, device=x.device)
    chance = torch.rand(x.shape, generator=generator, device=x.device)
    if kind == "mask":
        return torch.where(chance < strength, 0.0, x)
    low, high = (0.0, 1.0) if images else (x.amin(), x.amax())
    return torch.where(chance < strength, torch.where(chance < strength / 2, low, high), x)
