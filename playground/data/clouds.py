"""Points of space that lie near a surface: what two codings can say of three numbers.

    near-plane     x = (u, v) W + noise,                           u and v even, W two rows of length 1 at right angles
    swiss-roll-3d  x = (t cos t, h, t sin t) / scale + noise,      t from 1.5 pi to 4.5 pi, as scikit-learn makes it

A linear autoencoder finds the plane, as PCA does. The roll needs bends: watch whether the colours, which follow the
roll from its inside out, lie side by side on the map of the codings or on top of each other.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from playground.config import knob
from playground.data.base import DataSet, Items, Kind
from playground.rng import Streams, fresh

ROLL = 9.0  # makes t, up to 14.1, and the width, 21, fit into about [-1.6, 1.6]


def jitter_knob(default: float) -> float:
    """Declare the noise around a surface."""
    value: float = knob(
        default, "Standard deviation of the Gaussian noise on every coordinate.", short="j", live=True, group="Data",
        label="Noise", low=0.0, high=0.5, unit="data units", step=0.01,
    )  # fmt: skip
    return value


class Cloud(DataSet):
    """Points drawn without end. A subclass draws places on its surface."""

    kind: ClassVar[Kind] = "cloud"
    jitter: float

    @property
    def shape(self) -> tuple[int, ...]:
        """A point of space."""
        return (3,)

    @abstractmethod
    def surface(self, n: int, generator: torch.Generator) -> Items:
        """Draw n points (n, 3) on the surface, on the generator's device, with their labels."""

    def _draw(self, n: int, generator: torch.Generator) -> Items:
        x, labels = self.surface(n, generator)
        return Items(x + self.jitter * torch.randn(n, 3, generator=generator, device=generator.device), labels)

    def labelled(self, n: int, taken: int, rng: Streams) -> Items:
        """Draw n points."""
        return self._draw(n, rng["data"])

    def held_out(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Draw n points from a stream of their own."""
        return self._draw(n, fresh(seed, "held-out", device=device))

    def known(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Draw n points from a stream of their own."""
        return self._draw(n, fresh(seed, "known", device=device))


class NearPlane(Cloud):
    """A rectangle, tilted in space."""

    id: ClassVar[str] = "near-plane"
    title: ClassVar[str] = "Near a plane"
    about: ClassVar[str] = "Points of space close to a tilted rectangle: a linear autoencoder and PCA agree on it."
    rank: ClassVar[int] = 33

    tilt: float = knob(
        35.0, "Angle of the plane to the ground.", short="tilt", live=True, group="Data", low=-90.0, high=90.0,
        unit="degrees", step=5.0,
    )  # fmt: skip
    jitter: float = jitter_knob(0.1)

    def directions(self) -> Tensor:
        """Return the two unit vectors that span the plane (2, 3), the longer side first."""
        tilt, turn = math.radians(self.tilt), math.radians(30)
        across = (math.cos(turn), math.sin(turn), 0.0)
        up = (-math.sin(turn) * math.cos(tilt), math.cos(turn) * math.cos(tilt), math.sin(tilt))
        return torch.tensor([across, up])

    def surface(self, n: int, generator: torch.Generator) -> Items:
        """Draw evenly from a rectangle of half sides 1.6 and 0.9."""
        place = 2 * torch.rand(n, 2, generator=generator, device=generator.device) - 1
        return Items(place @ (self.directions() * torch.tensor([[1.6], [0.9]])).to(place.device))


class SwissRoll3d(Cloud):
    """A rolled sheet."""

    id: ClassVar[str] = "swiss-roll-3d"
    title: ClassVar[str] = "Swiss roll in space"
    about: ClassVar[str] = "A rolled-up sheet: flat for one who can unroll it, the test of every method that maps."
    rank: ClassVar[int] = 34

    jitter: float = jitter_knob(0.02)

    @property
    def classes(self) -> tuple[str, ...]:
        """Six strips of the sheet, from the inside out."""
        return ("innermost", "strip 2", "strip 3", "strip 4", "strip 5", "outermost")

    def surface(self, n: int, generator: torch.Generator) -> Items:
        """Draw as `sklearn.datasets.make_swiss_roll` does, moved to the middle and scaled."""
        u, v = torch.rand(2, n, generator=generator, device=generator.device)
        t = 1.5 * math.pi * (1 + 2 * u)
        x = torch.stack([t * t.cos(), 21 * (v - 0.5), t * t.sin()], 1) / ROLL
        return Items(x, (u * len(self.classes)).long())
