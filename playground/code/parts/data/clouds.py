"""Points of space near a surface."""

import math

import torch


def batch(n):
    """Draw n points near the surface."""
    if DATASET == "near-plane":
        tilt, turn = math.radians(TILT), math.radians(30)
        across = [math.cos(turn), math.sin(turn), 0.0]
        up = [-math.sin(turn) * math.cos(tilt), math.cos(turn) * math.cos(tilt), math.sin(tilt)]
        sides = torch.tensor([across, up]) * torch.tensor([[1.6], [0.9]])
        surface = (2 * torch.rand(n, 2, generator=data_rng) - 1) @ sides
    else:
        u, v = torch.rand(2, n, generator=data_rng)
        t = 1.5 * math.pi * (1 + 2 * u)
        surface = torch.stack([t * t.cos(), 21 * (v - 0.5), t * t.sin()], 1) / 9
    return surface + JITTER * torch.randn(n, 3, generator=data_rng)
