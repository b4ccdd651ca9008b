"""Frechet distance of two Gaussians fitted to samples (Heusel et al. 2017, arXiv 1706.08500; Dowson and Landau 1982).

d^2 = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)). The trace of the root is taken from the eigenvalues of the symmetric
S1^(1/2) S2 S1^(1/2), so a covariance without full rank gives a number, never NaN and never a complex one.
Watch: it sees means and covariances only; a ring through eight modes fools it.
"""

from __future__ import annotations

import torch
from torch import Tensor


def frechet(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """Return the squared Frechet distance of N(mean1 (d,), cov1 (d, d)) and N(mean2, cov2), in squared data units."""
    mean1, cov1, mean2, cov2 = (t.detach().cpu().double() for t in (mean1, cov1, mean2, cov2))
    values, vectors = torch.linalg.eigh(cov1)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov2 @ root).clamp(min=0).sqrt().sum()
    distance = (mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * cross
    return float(distance.clamp(min=0))  # below 0 only by rounding


def frechet_samples(x: Tensor, y: Tensor) -> float:
    """Return the squared Frechet distance of samples x (n, d) and y (m, d), covariances with n - 1. Raises on n < 2."""
    if min(len(x), len(y)) < 2:
        raise ValueError("A covariance needs at least 2 samples on each side.")
    x, y = x.detach().cpu().double(), y.detach().cpu().double()
    covs = [torch.cov(t.T).reshape(t.shape[1], t.shape[1]) for t in (x, y)]
    return frechet(x.mean(0), covs[0], y.mean(0), covs[1])
