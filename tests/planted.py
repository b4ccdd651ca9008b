"""Samplers with known faults, in a model's place: what the scores, reports and verdicts must say of them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from playground.data.base import DataSet


class Sampler:
    """A stand-in for a trained model: `noise` are random numbers, and `pick` makes items of them."""

    abilities = frozenset({"generate"})
    title = "Sampler"
    config: Any = SimpleNamespace()

    def __init__(self, pick: Callable[[Tensor], Tensor]) -> None:
        self.pick = pick

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.rand(n, 2, generator=generator)

    def generate(self, z: Tensor) -> Tensor:
        return self.pick(z)


def anew(items: Tensor) -> Sampler:
    """Return a sampler that gives each of these items once before any comes again."""

    def pick(z: Tensor) -> Tensor:
        order = z[:, 0].argsort().argsort()  # a random order of 0 .. n - 1
        shuffled = torch.randperm(len(items), generator=torch.Generator().manual_seed(int(z[0, 0] * 1e6)))
        return items[shuffled[order % len(items)]]

    return Sampler(pick)


def held_out(data: DataSet) -> Sampler:
    """Return a perfect sampler: items that training never sees."""
    return anew(data.held_out(5000, 7).x)


def only(data: DataSet, *classes: int) -> Sampler:
    """Return a sampler of held-out items of some classes."""
    items = data.held_out(5000, 7)
    assert items.labels is not None
    keep = torch.isin(items.labels, torch.tensor(classes))
    return anew(items.x[keep])


def single(data: DataSet) -> Sampler:
    """Return a sampler of one image."""
    item = data.held_out(1, 7).x
    return Sampler(lambda z: item.expand(len(z), *item.shape[1:]).clone())


def memorised(data: DataSet) -> Sampler:
    """Return a sampler of training items."""
    return anew(data.known(5000, 7).x)
