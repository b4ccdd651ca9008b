"""What a data set is: a frozen config whose fields are its knobs, that gives batches to train on.

Four kinds of items: points of the plane (`Distribution`, with a density where one exists), images (C, H, W) in [0, 1],
sequences (T, C) and clouds of points in space (3,). A `Table` holds all its items and shuffles them anew each epoch.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from playground.config import Config
from playground.rng import Streams, fresh

Kind = Literal["points", "images", "sequences", "cloud"]


@dataclass(frozen=True)
class Modes:
    """The centres a sample should be near: `centres` (K, 2), common `std` (data units), `weights` (K,) summing to 1."""

    centres: Tensor
    std: float
    weights: Tensor


class Items(NamedTuple):
    """Items with what is known of them: `x` (n, *shape) float32, `labels` (n,) int64 into `classes`, or None."""

    x: Tensor
    labels: Tensor | None = None


class DataSet(Config):
    """One class a data set; its fields are made with `knob` (group "Data")."""

    id: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    kind: ClassVar[Kind]
    rank: ClassVar[int] = 99  # place in menus, smallest first

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one item: (2,) points, (C, H, W) images, (T, C) sequences, (3,) a cloud."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that labels count through; empty where items have none."""
        return ()

    @abstractmethod
    def labelled(self, n: int, taken: int, rng: Streams) -> Items:
        """Return the next n items of a run that has taken `taken` so far, with their labels, on `rng.device`."""

    def batch(self, n: int, taken: int, rng: Streams) -> Tensor:
        """Return the same items (n, *shape) without their labels."""
        return self.labelled(n, taken, rng).x

    @abstractmethod
    def held_out(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Return n items (or as many as there are) that no batch ever holds; the same seed gives the same ones."""

    @abstractmethod
    def known(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Return n items (or as many as there are) of the kind that batches hold; the same seed gives the same ones."""

    def preview(self, n: int) -> Tensor:
        """Return about n items (n, *shape) to show what the data is like, at little cost."""
        return self.known(n, 0).x

    def missing(self) -> str | None:
        """Return what to do where the items are not on this machine, in one sentence; None where they are."""
        return None

    def file(self) -> Path | None:
        """Return the file of items that a person brought, which goes with a run; None where all else is made."""
        return None

    def listing(self) -> dict[str, Any]:
        """Return what the source of a script (`playground/code/parts/data`) asks of this data besides its knobs."""
        return {}

    def beside(self) -> dict[str, bytes]:
        """Return the files that a script reads and nobody else has, by name."""
        return {}

    def log_density(self, x: Tensor) -> Tensor | None:
        """Return the exact log density in nats, (n,), of points (n, dim); None where no closed form exists."""
        return None

    def modes(self) -> Modes | None:
        """Return the modes of a mixture with common spread, else None."""
        return None

    def players(self) -> tuple[nn.Module, nn.Module] | None:
        """Return a game's own (generator, discriminator) that take the networks' place, else None."""
        return None


class Distribution(DataSet):
    """A distribution over points, drawn from without end."""

    kind: ClassVar[Kind] = "points"
    dim: ClassVar[int] = 2

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a point."""
        return (self.dim,)

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, dim) float32 points on the generator's device."""

    def labelled(self, n: int, taken: int, rng: Streams) -> Items:
        """Draw n points."""
        return Items(self.sample(n, rng["data"]))

    def held_out(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Draw n points from a stream of their own."""
        return Items(self.sample(n, fresh(seed, "held-out", device=device)))

    def known(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Draw n points from a stream of their own."""
        return Items(self.sample(n, fresh(seed, "known", device=device)))

    @property
    @abstractmethod
    def extent(self) -> float:
        """Half the side of the square [-extent, extent]^2 that shows the data with some air around it."""


class Table(DataSet):
    """A data set of so many items, all in memory on the training device, shuffled anew each epoch."""

    @abstractmethod
    def load(self) -> tuple[Items, Items]:
        """Return the items to train on and those held out, on the CPU; raises `ConfigError` where they are missing."""

    def on(self, device: torch.device | str) -> tuple[Items, Items]:
        """Return `load()` on a device; moved once, then kept while it is in use."""
        return _moved(self, torch.device(device))

    def labelled(self, n: int, taken: int, rng: Streams) -> Items:
        """Return the next n items of the present epoch's order, going on into the next epoch's where it ends."""
        x, labels = self.on(rng.device)[0]
        which = indices(len(x), n, taken, rng.seed, rng.device)
        return Items(x.index_select(0, which), None if labels is None else labels.index_select(0, which))

    def batch(self, n: int, taken: int, rng: Streams) -> Tensor:
        """Return the same items (n, *shape); their labels are not looked up."""
        x = self.on(rng.device)[0].x
        return x.index_select(0, indices(len(x), n, taken, rng.seed, rng.device))

    def held_out(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Return n of the held-out items in an order of the seed's."""
        return _some(self.on(device)[1], n, seed)

    def known(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Return n of the training items in an order of the seed's."""
        return _some(self.on(device)[0], n, seed)


def split(items: Items) -> tuple[Items, Items]:
    """Return items to train on and every fifth held out, evenly over the classes and the same ones every time."""
    order = torch.randperm(len(items.x), generator=fresh(0, "split"))
    if items.labels is not None:
        order = order[items.labels[order].sort(stable=True).indices]
    held = torch.arange(len(order)) % 5 == 1  # of two items already one
    parts = [order[~held].sort().values, order[held].sort().values]
    train, kept = (Items(items.x[p], None if items.labels is None else items.labels[p]) for p in parts)
    return train, kept


def indices(length: int, n: int, taken: int, seed: int, device: torch.device) -> Tensor:
    """Return which n of `length` items come after the first `taken` (n,): each item once an epoch."""
    parts: list[Tensor] = []
    while n > 0:
        epoch, at = divmod(taken, length)
        parts.append(_order(length, epoch, seed, device)[at : at + n])
        taken, n = taken + len(parts[-1]), n - len(parts[-1])
    return parts[0] if len(parts) == 1 else torch.cat(parts)


@lru_cache(maxsize=8)
def _order(length: int, epoch: int, seed: int, device: torch.device) -> Tensor:
    return torch.randperm(length, generator=fresh(seed, "epoch", epoch, device=device), device=device)


@lru_cache(maxsize=4)
def _moved(table: Table, device: torch.device) -> tuple[Items, Items]:
    train, held = (Items(*(None if t is None else t.to(device) for t in part)) for part in table.load())  # type: ignore[arg-type]
    return train, held


def _some(items: Items, n: int, seed: int) -> Items:
    which = torch.randperm(len(items.x), generator=fresh(seed, "some"))[:n].to(items.x.device)
    return Items(items.x[which], None if items.labels is None else items.labels[which])
