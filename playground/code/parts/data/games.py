"""A game of one number against one number."""

import torch
from torch import nn


def batch(n):
    """Return n times the one point there is."""
    return torch.zeros(n, 1)


class PointGenerator(nn.Module):
    """G(z) = theta, whatever z is."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([START_THETA]))

    def forward(self, z):  # (B, Z) -> (B, 1)
        return self.theta.repeat(len(z), 1)


class LineDiscriminator(nn.Module):
    """D(x) = -psi x; packed points count by their mean."""

    def __init__(self):
        super().__init__()
        self.psi = nn.Parameter(torch.tensor([START_PSI]))

    def forward(self, x):  # (B, m) -> (B, 1)
        return -self.psi * x.mean(1, keepdim=True)
