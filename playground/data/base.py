"""What a data set is: a frozen config whose fields are its knobs, with a sampler and, where one exists, a density."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from playground.config import Config


@dataclass(frozen=True)
class Modes:
    """The centres a sample should be near: `centres` (K, 2), common `std` (data units), `weights` (K,) summing to 1."""

    centres: Tensor
    std: float
    weights: Tensor


class Distribution(Config):
    """A distribution over points. One class a data set; its fields are made with `knob` (group "Data")."""

    id: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    dim: ClassVar[int] = 2
    rank: ClassVar[int] = 99  # place in menus, smallest first

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, dim) float32 points on the generator's device."""

    def log_density(self, x: Tensor) -> Tensor | None:
        """Return the exact log density in nats, (n,), of points (n, dim); None where no closed form exists."""
        return None

    def modes(self) -> Modes | None:
        """Return the modes of a mixture with common spread, else None."""
        return None

    def players(self) -> tuple[nn.Module, nn.Module] | None:
        """Return a game's own (generator, discriminator) that take the networks' place, else None."""
        return None

    @property
    @abstractmethod
    def extent(self) -> float:
        """Half the side of the square [-extent, extent]^2 that shows the data with some air around it."""
