"""Directions in a generator's noise along which its samples change most, found without labels.

    principal    Härkönen et al. 2020 (GANSpace), arXiv 2004.02546: the principal components of what an early layer
                 makes of random codes; their coordinates x are traced back to z by least squares, U = argmin
                 Σ ‖U x - z‖². The layer counts with its normalisation and its bend
    factorised   Shen and Zhou 2021 (SeFa), arXiv 2007.06600: the eigenvectors of WᵀW, W the weights that z meets first,
                 which are the unit directions d with the largest ‖W d‖. No sample is drawn

Only the noise of z is searched: categories and continuous codes have sliders of their own, and what a class changes is
taken out before the components are found. A linear generator has its singular directions as both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.config import ConfigError
from playground.families.base import Code, Family
from playground.latent.arrays import array
from playground.latent.coded import device_of
from playground.latent.pca import Pca
from playground.latent.truncation import noise_part
from playground.rng import fresh


@dataclass(frozen=True)
class Directions:
    """k directions, the strongest first: `axes` (k, Z), unit and 0 outside the noise; `std` (k,), how far z usually
    goes along each; `share` (k,) of the early layer's variance (of ‖W‖² for the factorised ones)."""

    axes: np.ndarray
    std: np.ndarray
    share: np.ndarray

    def __len__(self) -> int:
        return len(self.axes)


def principal(model: Family, n: int = 1000, k: int = 8, seed: int = 0) -> Directions:
    """Return up to k principal directions from n random codes; the same seed gives the same.

    Raises `ConfigError` where the model has no early layer to look into.
    """
    parts = model.codes()
    z = model.noise(n, fresh(seed, "directions", device=device_of(model)))
    noise = torch.from_numpy(noise_part(parts, z.shape[1])).to(z.device)
    k = min(k, int(noise.sum()))
    if n <= 2 * int(noise.sum()):
        raise ConfigError(f"n is {n}: principal directions take more than twice as many codes as z has numbers.")
    free = z[:, noise] = whitened(z[:, noise])
    y = model.early(z)
    if y is None:
        raise ConfigError(f"{model.title} has no early layer to look into: choose a run of a GAN.")
    y = within(y.float(), groups(z, parts))
    fit = Pca.fit(y, k)
    x = fit.encode(y)  # (n, k)
    u = torch.linalg.lstsq(x.double().cpu(), free.double().cpu()).solution  # (k, noise), z a unit of x
    reach = u.norm(dim=1)
    std = reach * x.double().cpu().std(0)
    return _placed(u / reach.clamp_min(1e-12)[:, None], std, fit.explained, noise)


def factorised(model: Family, k: int = 8) -> Directions:
    """Return up to k directions that the first weights stretch most; raises `ConfigError` where there are none."""
    weights = model.entrance()
    if weights is None:
        raise ConfigError(f"{model.title} has no first layer to factorise: choose a run of a GAN.")
    noise = torch.from_numpy(noise_part(model.codes(), weights.shape[1])).to(weights.device)
    w = weights[:, noise].double().cpu()
    values, vectors = torch.linalg.eigh(w.T @ w)
    k = min(k, len(values))
    values = values.flip(0).clamp_min(0)
    sample = model.noise(1000, fresh(0, "spread", device=weights.device))[:, noise]
    std = torch.full((k,), float(sample.std()))
    return _placed(vectors.flip(1).T[:k], std, values[:k] / values.sum().clamp_min(1e-12), noise)


def whitened(z: Tensor) -> Tensor:
    """Return random codes with mean 0 and equal, uncorrelated spread: what chance has put into them is no direction."""
    centred = (z - z.mean(0)).double()
    lower = torch.linalg.cholesky(centred.T @ centred / len(z))
    white: Tensor = torch.linalg.solve_triangular(lower, centred.T, upper=False).T
    return white.mul(z.std()).to(z.dtype)


def groups(z: Tensor, parts: list[Code]) -> Tensor:
    """Return which categories each code names, as one number (n,)."""
    found = torch.zeros(len(z), dtype=torch.long, device=z.device)
    for part in parts:
        if part.kind == "category":
            found = found * part.size + z[:, part.start : part.start + part.size].argmax(1)
    return found


def within(y: Tensor, group: Tensor) -> Tensor:
    """Return rows (n, units) less the mean of their group."""
    _, which = torch.unique(group, return_inverse=True)
    sums = torch.zeros(int(which.max()) + 1, y.shape[1], device=y.device).index_add_(0, which, y)
    means: Tensor = sums / which.bincount()[:, None]
    return y - means[which]


def _placed(axes: Tensor, std: Tensor, share: Tensor, noise: Tensor) -> Directions:
    """Return directions of the noise as directions of z, each with its largest number positive."""
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    whole = torch.zeros(len(axes), len(noise))
    whole[:, noise.cpu()] = (axes * torch.where(largest < 0, -1.0, 1.0)).float().cpu()
    return Directions(array(whole), array(std), array(share))
