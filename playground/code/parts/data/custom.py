"""A person's own points."""

from pathlib import Path

import numpy as np
import torch

with np.load(Path(__file__).parent / DATA) as file:
    brought = dict(file)
points = torch.from_numpy(brought["points"])
if DEVICE != "cpu":
    points = points.to(DEVICE)


def batch(n):
    """Draw n of the rows, with replacement, each with fresh noise."""
    drawn = points[torch.randint(len(points), (n,), generator=data_rng)]
    if JITTER:
        drawn = drawn + JITTER * torch.randn(n, 2, generator=data_rng)
    return drawn
