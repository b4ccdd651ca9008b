"""Points of figures that fill an area."""

import math

import torch

if DATASET == "checkerboard":

    def batch(n):
        """Draw n points: a dark square, an even place in it."""
        line = torch.arange(SQUARES)
        y, x = torch.meshgrid(line, line, indexing="ij")
        dark = (x + y) % 2 == 0
        corners = torch.stack([x[dark], y[dark]], 1).float()
        which = torch.randint(len(corners), (n,), generator=data_rng)
        points = (torch.rand(n, 2, generator=data_rng) + corners[which]) * (
            2 * RADIUS / SQUARES
        ) - RADIUS
        if JITTER:
            points = points + JITTER * torch.randn(n, 2, generator=data_rng)
        return points

else:

    def batch(n):
        """Draw n points: a blade, a straight Gaussian point on it, then a twist of the plane."""
        which = torch.randint(N_MODES, (n,), generator=data_rng)
        noise = torch.randn(2, n, generator=data_rng)
        angle = torch.arange(N_MODES, dtype=torch.float64) * (2 * math.pi / N_MODES)
        blades = torch.view_as_complex(torch.stack([angle.cos(), angle.sin()], 1).float())
        straight = torch.complex(noise[0] * STD + RADIUS, noise[1] * JITTER)
        turned = torch.polar(torch.ones(n), straight.abs() * TWIST)
        return torch.view_as_real(straight * turned * blades[which])
