"""Mixtures of round Gaussians: the data on which missing modes can be counted.

The 8-ring was made known by unrolled GANs (Metz et al. 2017, arXiv 1611.02163), ring and grid as a benchmark by VEEGAN
(Srivastava et al. 2017, arXiv 1705.07761) and PacGAN (Lin et al. 2018, arXiv 1712.04086).

    p(x) = sum_k w_k N(x; c_k, s^2 I)

Published rings differ: some count one centre twice (an angle grid with both ends), some call the variance sigma. Here a
ring of K modes has K distinct centres and `std` is a standard deviation in data units. Watch which modes the fakes
reach, how wide they are there, and whether thin bridges stay between them (a continuous G cannot tear its noise apart).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from playground.config import knob
from playground.data.base import Distribution, Modes

PACGAN = "Lin et al. 2018, arXiv 1712.04086"


def std_knob(default: float) -> float:
    """Declare the spread that every mixture has."""
    value: float = knob(
        default, "Standard deviation of each mode, in data units; small modes are hard to hit.", short="s", live=True,
        group="Data", label="Mode std", low=0.005, high=1.0, unit="data units", scale="log",
    )  # fmt: skip
    return value


def radius_knob(default: float, help: str) -> float:
    """Declare how far the centres are from the origin."""
    value: float = knob(
        default, help, short="r", live=True, group="Data", low=0.25, high=4.0, unit="data units", step=0.05
    )
    return value


@lru_cache(maxsize=64)
def ring_centres(k: int, radius: float, turn: float, device: torch.device) -> Tensor:
    """Return k distinct centres (k, 2) on a circle, the first at angle `turn` in radians."""
    angle = torch.arange(k, dtype=torch.float64, device="cpu") * (2 * math.pi / k) + turn
    return (radius * torch.stack([angle.cos(), angle.sin()], 1)).float().to(device)


@lru_cache(maxsize=64)
def grid_centres(side: int, spacing: float, device: torch.device) -> Tensor:
    """Return side x side centres (side^2, 2) around the origin, row by row from the bottom."""
    line = (torch.arange(side, dtype=torch.float64, device="cpu") - (side - 1) / 2) * spacing
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1).float().to(device)


class Mixture(Distribution):
    """A mixture of K Gaussians with one common standard deviation, of equal weight unless `weights` says otherwise."""

    std: float = std_knob(0.1)

    @abstractmethod
    def centres(self, device: torch.device) -> Tensor:
        """Return the centres (K, 2)."""

    def weights(self, k: int) -> Tensor:
        """Return the shares (K,) of the modes, float64 on the CPU."""
        return torch.full((k,), 1 / k, dtype=torch.float64)

    def pick(self, n: int, k: int, generator: torch.Generator) -> Tensor:
        """Draw n mode numbers (n,)."""
        return torch.randint(k, (n,), generator=generator, device=generator.device)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, 2) points: a mode each, then Gaussian noise around its centre."""
        centres = self.centres(generator.device)
        which = self.pick(n, len(centres), generator)
        noise = torch.randn(n, 2, generator=generator, device=generator.device)
        return noise.mul_(self.std).add_(centres.index_select(0, which))

    def log_density(self, x: Tensor) -> Tensor:
        """Return log sum_k w_k N(x; c_k, s^2 I), (n,)."""
        centres = self.centres(x.device).to(x.dtype)
        weights = self.weights(len(centres)).to(x.dtype).to(x.device)
        square = (x[:, None] - centres).square().sum(2)  # (n, K)
        log_each = weights.log() - square / (2 * self.std**2) - math.log(2 * math.pi * self.std**2)
        return log_each.logsumexp(1)

    def modes(self) -> Modes:
        """Return centres, common std and weights, on the CPU."""
        centres = self.centres(torch.device("cpu")).clone()
        return Modes(centres, self.std, self.weights(len(centres)).float())

    @property
    def extent(self) -> float:
        """Reach four standard deviations beyond the outermost centre, and a little air."""
        return 1.15 * (float(self.centres(torch.device("cpu")).abs().max()) + 4 * self.std)


class Ring8(Mixture):
    """K Gaussians on a ring, K distinct centres."""

    id: ClassVar[str] = "ring8"
    title: ClassVar[str] = "Ring of Gaussians"
    about: ClassVar[str] = "Eight small blobs on a circle: the classic test of whether G finds every mode."
    rank: ClassVar[int] = 0

    n_modes: int = knob(
        8, "How many blobs stand on the ring.", short="k", live=True, group="Data", label="Modes", low=1, high=32,
        paper=PACGAN,
    )  # fmt: skip
    radius: float = radius_knob(2.0, "Distance of the blobs from the middle.")

    def centres(self, device: torch.device) -> Tensor:
        """Return K centres on the circle, the first on the right, then anticlockwise."""
        return ring_centres(self.n_modes, self.radius, 0.0, device)


class Grid9(Mixture):
    """A square grid of Gaussians, 3 x 3."""

    id: ClassVar[str] = "grid9"
    title: ClassVar[str] = "3 × 3 grid of Gaussians"
    about: ClassVar[str] = "Nine blobs in a square: a gentle step from the ring, with one mode in the middle."
    rank: ClassVar[int] = 1

    side: int = knob(
        3, "Blobs along one side; the grid has the square of this many modes.", short="k", live=True, group="Data",
        label="Modes a side", low=1, high=8, paper=PACGAN,
    )  # fmt: skip
    spacing: float = knob(
        1.5, "Distance between neighbouring blobs.", short="gap", live=True, group="Data", low=0.1, high=3.0,
        unit="data units", step=0.05,
    )  # fmt: skip

    def centres(self, device: torch.device) -> Tensor:
        """Return the grid's nodes row by row from the bottom left."""
        return grid_centres(self.side, self.spacing, device)


class Grid25(Grid9):
    """A square grid of Gaussians, 5 x 5."""

    id: ClassVar[str] = "grid25"
    title: ClassVar[str] = "5 × 5 grid of Gaussians"
    about: ClassVar[str] = "Twenty-five small blobs: many modes to miss, the harder benchmark of VEEGAN and PacGAN."
    rank: ClassVar[int] = 2

    side: int = knob(
        5, "Blobs along one side; the grid has the square of this many modes.", short="k", live=True, group="Data",
        label="Modes a side", low=1, high=8, paper=PACGAN,
    )  # fmt: skip
    spacing: float = knob(
        1.0, "Distance between neighbouring blobs.", short="gap", live=True, group="Data", low=0.1, high=3.0,
        unit="data units", step=0.05,
    )  # fmt: skip
    std: float = std_knob(0.05)


class TwoGaussians(Mixture):
    """Two Gaussians side by side."""

    id: ClassVar[str] = "two-gaussians"
    title: ClassVar[str] = "Two Gaussians"
    about: ClassVar[str] = "The smallest problem with something to miss: pull the two apart and watch G choose one."
    rank: ClassVar[int] = 3

    radius: float = radius_knob(1.5, "Distance of each blob from the middle; the two stand twice as far apart.")
    std: float = std_knob(0.3)

    def centres(self, device: torch.device) -> Tensor:
        """Return (r, 0) and (-r, 0)."""
        return ring_centres(2, self.radius, 0.0, device)


class Disjoint(Mixture):
    """Three Gaussians far apart."""

    id: ClassVar[str] = "disjoint"
    title: ClassVar[str] = "Three disjoint blobs"
    about: ClassVar[str] = "Three blobs with nothing between: a continuous G must leave thin bridges or drop one."
    rank: ClassVar[int] = 6

    radius: float = radius_knob(1.8, "Distance of the three blobs from the middle.")
    std: float = std_knob(0.2)

    def centres(self, device: torch.device) -> Tensor:
        """Return a triangle of centres, the first on top."""
        return ring_centres(3, self.radius, math.pi / 2, device)


class Ring8Rare(Ring8):
    """A ring in which the first mode is rare."""

    id: ClassVar[str] = "ring8-rare"
    title: ClassVar[str] = "Ring with a rare mode"
    about: ClassVar[str] = "Like the ring, but the blob on the right is rare: the first one that G forgets."
    rank: ClassVar[int] = 13

    rare: float = knob(
        0.02, "Share of the data in the rare mode (the blob on the right); the others divide the rest evenly.",
        short="rare", live=True, group="Data", label="Rare share", low=0.001, high=0.5, scale="log",
    )  # fmt: skip

    def weights(self, k: int) -> Tensor:
        """Return the rare share first, then the others' even shares; a single mode has all."""
        if k == 1:
            return torch.ones(1, dtype=torch.float64)
        shares = torch.full((k,), (1 - self.rare) / (k - 1), dtype=torch.float64)
        shares[0] = self.rare
        return shares

    def pick(self, n: int, k: int, generator: torch.Generator) -> Tensor:
        """Draw n mode numbers (n,): below the rare share mode 0, the rest spread evenly over 1..K-1."""
        u = torch.rand(n, generator=generator, device=generator.device)
        others = (u - self.rare).mul_((k - 1) / (1 - self.rare)).floor_().long().add_(1)
        return others.clamp_(0, k - 1)
