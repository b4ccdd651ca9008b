"""What keeps an autoencoder with room to spare from copying: few codings in use, or codings that move little.

L1            Σ_j |h_j|
KL            Σ_j KL(ρ || ρ̂_j), ρ̂_j the mean of coding j over the batch, in (0, 1) (Ng 2011, CS294A notes)
k-sparse      only the k largest codings of an item are kept (Makhzani and Frey 2013, arXiv 1312.5663)
contractive   ‖∂h/∂x‖²_F (Rifai et al. 2011, ICML); for h = σ(Wx + b) it is Σ_j (h_j (1 - h_j))² Σ_i W_ji²
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Sparsity = Literal["none", "l1", "kl", "k-sparse"]

EXACT = 8  # codings; with more of them the contractive penalty looks along one random direction instead of all
EPS = 1e-6


def l1(codes: Tensor) -> Tensor:
    """Return the mean over items of Σ|h|, codes (n, Z)."""
    return codes.abs().sum(1).mean()


def bernoulli_kl(rho: float, mean: Tensor) -> Tensor:
    """Return KL(ρ || ρ̂) in nats of two coins for each ρ̂ in [0, 1], which is kept off 0 and 1."""
    p = mean.clamp(EPS, 1 - EPS)
    return rho * (rho / p).log() + (1 - rho) * ((1 - rho) / (1 - p)).log()


def keep_largest(codes: Tensor, k: int) -> Tensor:
    """Return codes (n, Z) with all but the k largest of each row at 0."""
    if k >= codes.shape[1]:
        return codes
    values, at = codes.topk(k, dim=1)
    return torch.zeros_like(codes).scatter(1, at, values)


def contractive_sigmoid(weight: Tensor, codes: Tensor) -> Tensor:
    """Return ‖∂h/∂x‖²_F of each item (n,) for codes h = σ(Wx + b), W (Z, numbers)."""
    return (codes * (1 - codes)).square() @ weight.square().sum(1)


def contractive(codes: Tensor, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return ‖∂h/∂x‖²_F of each item (n,), `codes` (n, Z) computed from `x`, which needs a gradient; differentiable.

    Exact up to `EXACT` codings or without a generator. Else it is estimated without bias from one random direction v of
    signs: E |vᵀJ|² = ‖J‖²_F (Hutchinson 1989).
    """
    n, z = codes.shape
    if generator is None or z <= EXACT:
        directions = torch.eye(z, device=x.device).unsqueeze(1).expand(z, n, z)
    else:
        directions = torch.randint(0, 2, (1, n, z), generator=generator, device=x.device) * 2.0 - 1
    total = x.new_zeros(n)
    for v in directions:
        (slope,) = torch.autograd.grad(codes, x, v.to(codes.dtype), create_graph=True)
        total = total + slope.square().flatten(1).sum(1)
    return total


PENALTIES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "l1": lambda codes, rho: l1(codes),
    "kl": lambda codes, rho: bernoulli_kl(rho, codes.mean(0)).sum(),
}
