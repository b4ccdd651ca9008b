"""Adversarial families whose rows carry more than an item: the class it is of, or the codes it was made from.

A row is the item's numbers followed by its tail, flat: (n, numbers + tail). The two travel together through packing,
replay and every loss, so a replayed fake keeps what belongs to it. Noise, augmentation and the penalties' slopes act on
the item alone.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from playground import gan_nets, penalties, stage
from playground.adversarial import Adversarial
from playground.rng import Streams


class Carrying(nn.Module):
    """A generator whose rows end with the last numbers of their code."""

    def __init__(self, net: nn.Module, tail: int) -> None:
        super().__init__()
        self.net, self.tail = net, tail

    def forward(self, z: Tensor) -> Tensor:  # (B, Z) -> (B, numbers + tail)
        return torch.cat([self.net(z).flatten(1), z[:, z.shape[1] - self.tail :]], 1)


class Joint(Adversarial):
    """Rows of an item and its tail, which is also the end of the code that a fake is made from."""

    g: Carrying

    @property
    @abstractmethod
    def tail(self) -> int:
        """How many numbers follow an item in a row."""

    @property
    def numbers(self) -> int:
        """How many numbers an item has."""
        return math.prod(self.data.shape)

    @property
    def row_shape(self) -> tuple[int, ...]:
        return (self.numbers + self.tail,)

    def join(self, x: Tensor, tail: Tensor) -> Tensor:
        """Return the rows of items (n, *shape) and their tails (n, tail)."""
        return torch.cat([x.flatten(1), tail], 1)

    def apart(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the items (n, *shape) and tails (n, tail) of rows; an export can follow `shape`, not `len`."""
        x, tail = rows.split_with_sizes([self.numbers, self.tail], 1)
        return x.reshape(x.shape[0], *self.data.shape), tail

    def unpacked(self, packs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the items (B, m, numbers) and tails (B, m, tail) of packed rows."""
        rows = packs.reshape(packs.shape[0], self.config.packing, -1)
        x, tail = rows.split_with_sizes([self.numbers, self.tail], 2)
        return x, tail

    def outward(self, x: Tensor) -> Tensor:
        return super().outward(self.apart(x)[0])

    def mesh(self, side: int) -> Tensor:
        """Return a mesh in the first two noise numbers, under the first category and continuous codes of 0."""
        square = stage.noise_mesh(side, self.config.noise_dim, self.config.noise_kind, self.device)
        tail = square.new_zeros(square.shape[0], self.tail)
        tail[:, 0] = 1
        return torch.cat([square, tail], 1)

    def _seen(self, x: Tensor, rng: Streams) -> Tensor:
        items, tail = self.apart(x)
        return self.join(super()._seen(items, rng), tail)

    def _slope(self, name: str, critic: penalties.Critic, real: Tensor, fake: Tensor, rng: Streams) -> Tensor:
        """Return the penalty on the items' slope; each keeps its tail, a point between two the real one's."""
        (x, tail), (y, other) = (self.unpacked(rows) for rows in (real, fake))
        kept = (other if name == "r2" else tail).detach()
        return super()._slope(name, lambda items: critic(torch.cat([items, kept], 2).flatten(1)), x, y, rng)

    def describe(self) -> dict[str, str]:
        return {"Generator": gan_nets.words(self.g.net), "Discriminator": gan_nets.words(self.judge)}

    @property
    @abstractmethod
    def judge(self) -> nn.Module:
        """The network inside D."""
