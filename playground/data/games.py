"""Games of one number against one number: the data is a single point, the two players come with it.

The Dirac-GAN (Mescheder et al. 2018, arXiv 1801.04406) is the smallest GAN: data at 0, G(z) = theta, D(x) = -psi x. Its
whole state is the point (theta, psi) of the plane, so training is a path in a picture; see `playground.games` for the
exact game and the sign of psi. Under the Wasserstein loss without clip or penalty (in the lab: `wasserstein-gp` with
weight 0) it is the bilinear game min max theta psi. With SGD for both players the path is that of the exact game: watch
it circle outwards, round or into (0, 0) as the loss, the penalty and the order of the updates change.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from playground.config import knob
from playground.data.base import Distribution


class PointGenerator(nn.Module):
    """G(z) = theta, whatever z is."""

    def __init__(self, theta: float) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([theta]))

    def forward(self, z: Tensor) -> Tensor:  # (B, Z) -> (B, 1)
        return self.theta.repeat(len(z), 1)  # not a view: penalties differentiate at the fakes


class LineDiscriminator(nn.Module):
    """D(x) = -psi x: positive psi calls positive points fake, as in the paper. Packed points count by their mean."""

    def __init__(self, psi: float) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.tensor([psi]))

    def forward(self, x: Tensor) -> Tensor:  # (B, m) -> (B, 1)
        return -self.psi * x.mean(1, keepdim=True)


class Dirac(Distribution):
    """All data at 0."""

    id: ClassVar[str] = "dirac"
    title: ClassVar[str] = "Dirac-GAN"
    about: ClassVar[str] = "One number against one: the smallest GAN, whose whole training is a path in a plane."
    rank: ClassVar[int] = 14
    dim: ClassVar[int] = 1

    start_theta: float = knob(
        1.0, "Where the generator's number starts; the data is at 0.", short="th0", group="Data", label="θ at start",
        low=-2.0, high=2.0, step=0.1, paper="Mescheder et al. 2018, arXiv 1801.04406",
    )  # fmt: skip
    start_psi: float = knob(
        1.0, "Where the discriminator's slope starts; above 0 it calls positive points fake.", short="ps0",
        group="Data", label="ψ at start", low=-2.0, high=2.0, step=0.1,
        paper="Mescheder et al. 2018, arXiv 1801.04406",
    )  # fmt: skip

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Return n zeros (n, 1)."""
        return torch.zeros(n, 1, device=generator.device)

    def players(self) -> tuple[nn.Module, nn.Module]:
        """Return the two numbers as networks, at their starts."""
        return PointGenerator(self.start_theta), LineDiscriminator(self.start_psi)

    @property
    def extent(self) -> float:
        """Show the start with room for a circle through it, and a little more."""
        return 1.55 * max(math.sqrt(2), math.hypot(self.start_theta, self.start_psi))


class Bilinear(Dirac):
    """The same two numbers, named for what the Wasserstein loss makes of them."""

    id: ClassVar[str] = "bilinear"
    title: ClassVar[str] = "Bilinear game"
    about: ClassVar[str] = "Two numbers that pull at their product: set the Wasserstein loss, penalty weight 0 and SGD."
    rank: ClassVar[int] = 15
