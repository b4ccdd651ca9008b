"""Truncation: codes nearer to the middle of the prior, samples that are surer of themselves and more alike.

Brock et al. 2018, arXiv 1809.11096: codes near the middle are those that a generator knows best. `truncate` scales the
noise, z' = ψ z. `bounded` gives the law of their trick, in which every number beyond a threshold is drawn anew:
each number keeps its place in the order, Φ(z') = ½ + (Φ(z) - ½)(2 Φ(t) - 1), so that a sample stays itself while the
threshold moves. Categories and continuous codes keep their meaning and are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch

from playground.config import ConfigError
from playground.families.base import Code
from playground.latent.arrays import codes_of

INSIDE = 1 - 1e-6  # of the law: beyond it float32 knows no quantile


def noise_part(parts: Sequence[Code], size: int) -> np.ndarray:
    """Return which of the `size` numbers of z are noise (size,): all of them where nothing else is said."""
    noise = np.full(size, not parts)
    for part in parts:
        noise[part.start : part.start + part.size] = part.kind == "noise"
    return noise


def truncate(z: Any, psi: float, codes: Sequence[Code] = ()) -> np.ndarray:
    """Return codes (n, Z) with their noise scaled by `psi`: 0 the middle of the prior, 1 as they were."""
    if not 0 <= psi <= 2:
        raise ConfigError(f"psi is {psi:g}: truncation takes a number from 0 to 2.")
    nearer = codes_of(z).copy()
    nearer[:, noise_part(codes, nearer.shape[1])] *= psi
    return nearer


def bounded(
    z: Any, threshold: float, codes: Sequence[Code] = (), kind: Literal["gaussian", "uniform"] = "gaussian"
) -> np.ndarray:
    """Return codes (n, Z) whose noise is distributed as if each number beyond ±`threshold` had been drawn anew."""
    if not threshold > 0:
        raise ConfigError(f"threshold is {threshold:g}: truncation takes a number above 0.")
    if kind == "uniform":
        return truncate(z, min(threshold, 1.0), codes)
    nearer = codes_of(z).copy()
    noise = noise_part(codes, nearer.shape[1])
    place = torch.erf(torch.from_numpy(nearer[:, noise]).double() / 2**0.5).clamp(-INSIDE, INSIDE)
    inside = torch.erf(torch.tensor(threshold, dtype=torch.double) / 2**0.5)
    nearer[:, noise] = (2**0.5 * torch.erfinv(place * inside)).float().numpy()
    return nearer
