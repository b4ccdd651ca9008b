"""Layers that turn items into sequences and back: recurrent cells, rows of images, a code given at each step.

GRU (Cho et al. 2014, arXiv 1406.1078) and LSTM (Hochreiter and Schmidhuber 1997, Neural Computation 9) keep a state and
decide by gates how much of it to change. Read row by row, an image of 28 x 28 is a sequence of 28 steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

Layer = TypeVar("Layer", bound=nn.Module)


def blank(make: Callable[[], Layer], device: torch.device) -> Layer:
    """Return a PyTorch layer with no values yet: by itself it would draw them from the global random state."""
    with torch.device("meta"):
        layer = make()
    # to_empty does the same, but its first call on a meta tensor imports half a second of torch
    layer._apply(lambda t: torch.empty(t.shape, dtype=t.dtype, device=device))  # type: ignore[no-untyped-call]
    return layer


class Recurrent(nn.Module):
    """One recurrent layer: what it puts out at each step, or its last state alone."""

    def __init__(self, cell: str, inputs: int, units: int, generator: torch.Generator, last: bool = False) -> None:
        super().__init__()
        kind = nn.GRU if cell == "gru" else nn.LSTM
        self.cell = blank(lambda: kind(inputs, units, batch_first=True), generator.device)
        for p in self.cell.parameters():
            nn.init.uniform_(p, -1 / math.sqrt(units), 1 / math.sqrt(units), generator=generator)
        self.last = last

    def forward(self, x: Tensor) -> Tensor:  # (B, T, F) -> (B, T, units) or (B, units)
        y: Tensor = self.cell(x)[0]
        return y[:, -1] if self.last else y


class Rows(nn.Module):
    """Read an image as a sequence of its rows: (B, C, H, W) -> (B, H, C W)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(2)


class Image(nn.Module):
    """Put rows together to an image again: (B, H, C W) -> (B, C, H, W)."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.maps, -1).transpose(1, 2)


class Repeat(nn.Module):
    """Give the same vector at each step: (B, Z) -> (B, T, Z)."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, z: Tensor) -> Tensor:
        return z.unsqueeze(1).expand(-1, self.steps, -1)
