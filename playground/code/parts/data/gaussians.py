"""Points of a mixture of Gaussians."""

import math

import torch


def centres():
    """Return the middle of each blob."""
    if DATASET in ("grid9", "grid25"):
        line = (torch.arange(SIDE, dtype=torch.float64) - (SIDE - 1) / 2) * SPACING
        y, x = torch.meshgrid(line, line, indexing="ij")
        return torch.stack([x.flatten(), y.flatten()], 1).float()
    elif DATASET == "two-gaussians":
        return torch.tensor([[RADIUS, 0.0], [-RADIUS, 0.0]])
    elif DATASET == "disjoint":
        angle = torch.arange(3, dtype=torch.float64) * (2 * math.pi / 3) + math.pi / 2
        return (RADIUS * torch.stack([angle.cos(), angle.sin()], 1)).float()
    else:
        angle = torch.arange(N_MODES, dtype=torch.float64) * (2 * math.pi / N_MODES)
        return (RADIUS * torch.stack([angle.cos(), angle.sin()], 1)).float()


def batch(n):
    """Draw n points: a blob each, then Gaussian noise around its centre."""
    middle = centres()
    if DATASET == "ring8-rare":
        u = torch.rand(
            n, generator=data_rng
        )  # below RARE the first blob, the rest evenly over the others
        others = ((u - RARE) * ((N_MODES - 1) / (1 - RARE))).floor().long() + 1
        which = others.clamp(0, N_MODES - 1)
    else:
        which = torch.randint(len(middle), (n,), generator=data_rng)
    return torch.randn(n, 2, generator=data_rng) * STD + middle[which]
