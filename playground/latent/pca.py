"""Principal components, exact: the best that any linear encoder and decoder can do at so many codings.

Pearson 1901; Hotelling 1933; Eckart and Young 1936: with the k leading eigenvectors U of the covariance S of items x,

    code = Uᵀ(x - m)        x' = m + U code        mean ‖x - x'‖² = Σ of the eigenvalues left out

The yardstick beside every autoencoder of equal code size: a curved one must come below this line to be worth its while.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pca:
    """A fit: `mean` (numbers,), orthonormal `components` (k, numbers), `variance` (k,) along each, largest first."""

    mean: Tensor
    components: Tensor
    variance: Tensor
    total: float  # variance of the items in all directions
    shape: tuple[int, ...]

    @classmethod
    def fit(cls, x: Tensor, k: int) -> Self:
        """Return the k leading components of items (n, *shape), or as many as there are, on their device.

        Computed in float64 from the smaller of the two square matrices, numbers by numbers or items by items.
        """
        flat = x.flatten(1)
        flat = (flat.cpu() if flat.is_mps else flat).double()
        mean = flat.mean(0)
        centred = flat - mean
        n, numbers = centred.shape
        by_items = n < numbers
        square = (centred @ centred.T if by_items else centred.T @ centred) / n
        values, vectors = torch.linalg.eigh(square)
        k = min(k, n, numbers)
        values, vectors = values.flip(0)[:k].clamp_min(0), vectors.flip(1)[:, :k]
        if by_items:  # from the items' coordinates to directions; one without variance has none
            vectors = centred.T @ vectors / (n * values).sqrt().clamp_min(1e-12)
        components = vectors.T
        largest = components.gather(1, components.abs().argmax(1, keepdim=True))
        components = components * torch.where(largest < 0, -1.0, 1.0)  # or the same data could give either sign
        total = float(centred.square().sum() / n)
        m, u, v = (t.to(x.dtype).to(x.device) for t in (mean, components, values))
        return cls(m, u, v, total, tuple(x.shape[1:]))

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of items (n, *shape), (n, k)."""
        return (x.flatten(1) - self.mean) @ self.components.T

    def decode(self, codes: Tensor) -> Tensor:
        """Return the items (n, *shape) that codes (n, k) stand for."""
        return (codes @ self.components + self.mean).view(-1, *self.shape)

    @property
    def explained(self) -> Tensor:
        """The share of all variance along each component (k,)."""
        return self.variance / max(self.total, 1e-12)

    @property
    def error(self) -> float:
        """The mean squared error a number on the items it was fitted to: what the components left out hold."""
        return max(self.total - float(self.variance.sum()), 0.0) / math.prod(self.shape)
