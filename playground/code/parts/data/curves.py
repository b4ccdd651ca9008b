"""Points near a curve."""

import math

import torch

if DATASET == "line":

    def batch(n):
        """Draw n points: even along the segment, Gaussian around it."""
        along = (torch.rand(n, generator=data_rng) * 2 - 1) * RADIUS
        way = torch.tensor([math.cos(math.radians(TILT)), math.sin(math.radians(TILT))])
        return torch.randn(n, 2, generator=data_rng) * JITTER + along[:, None] * way

elif DATASET == "ring":

    def batch(n):
        """Draw n points: an even angle, then Gaussian noise."""
        angle = torch.rand(n, generator=data_rng) * (2 * math.pi)
        noise = torch.randn(n, 2, generator=data_rng) * JITTER
        return noise + RADIUS * torch.stack([angle.cos(), angle.sin()], 1)

elif DATASET == "circles":

    def batch(n):
        """Draw n points: one of the two circles, an even angle, then Gaussian noise."""
        u = torch.rand(2, n, generator=data_rng)
        angle, radius = u[0] * (2 * math.pi), torch.where(u[1] < 0.5, RADIUS * INNER, RADIUS)
        noise = torch.randn(n, 2, generator=data_rng) * JITTER
        return noise + torch.stack([angle.cos() * radius, angle.sin() * radius], 1)

else:
    if DATASET == "moons":

        def curve(t, arm):
            """Return the points at t in [0, 1] of the upper (0) or lower (1) half circle."""
            angle, side = t * math.pi, 1 - 2 * arm
            return (
                torch.stack([(angle.cos() - 0.5) * side, (angle.sin() - 0.25) * side], 1) * RADIUS
            )

    elif DATASET == "swiss-roll":

        def curve(t, arm):
            """Return the points at t in [0, 1] of a spiral of one and a half turns."""
            r = t * (2 / 3) + 1 / 3
            angle = r * (4.5 * math.pi)
            return torch.stack([angle.cos() * r, angle.sin() * r], 1) * RADIUS

    else:

        def curve(t, arm):
            """Return the points at t in [0, 1] of one of the arms."""
            angle = t * (2 * math.pi * TURNS) + arm * (2 * math.pi / N_MODES)
            return torch.stack([angle.cos() * t, angle.sin() * t], 1) * RADIUS

    def batch(n):
        """Draw n points: a place on the curve, then Gaussian noise."""
        u = torch.rand(n, generator=data_rng)
        if DATASET == "moons":
            u = u * 2
        elif DATASET == "spirals":
            u = u * N_MODES
        arm = u.floor()
        noise = torch.randn(n, 2, generator=data_rng) * JITTER
        if DATASET == "spirals":
            return noise + curve(
                (u - arm).sqrt(), arm
            )  # nearly even along an arm, which gets longer
        return noise + curve(u - arm, arm)
