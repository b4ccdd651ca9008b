"""Figures that fill an area: squares with sharp edges, and blades bent by a twist of the plane.

Checkerboard: even over the dark squares, with optional Gaussian noise (then a sum of products of normal intervals).
Pinwheel: Gaussians stretched along their radius, then every point turned by an angle that grows with its distance from
the middle. Such a twist keeps areas, so p(x) is the mixture's density at the point turned back. The well-known pinwheel
(Johnson et al. 2016, arXiv 1603.06277) turns by the unbent first coordinate instead, which has no closed density.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from playground.config import knob
from playground.data.base import Distribution
from playground.data.curves import exact, like, log_interval
from playground.data.gaussians import radius_knob, ring_centres


@lru_cache(maxsize=16)
def dark_squares(side: int, device: torch.device) -> Tensor:
    """Return the lower left corners (m, 2) of a board's dark squares, in squares; the corner (0, 0) is dark."""
    line = torch.arange(side, device="cpu")
    y, x = torch.meshgrid(line, line, indexing="ij")
    dark = (x + y) % 2 == 0
    return torch.stack([x[dark], y[dark]], 1).float().to(device)


class Checkerboard(Distribution):
    """Even density on the dark squares of a board."""

    id: ClassVar[str] = "checkerboard"
    title: ClassVar[str] = "Checkerboard"
    about: ClassVar[str] = "Evenly filled squares with sharp edges that touch only at their corners."
    rank: ClassVar[int] = 11

    squares: int = knob(4, "Squares along one side.", short="k", live=True, group="Data", label="Squares a side",
                        low=1, high=8)  # fmt: skip
    radius: float = radius_knob(2.0, "Half the side of the board.")
    jitter: float = knob(
        0.0, "Standard deviation of the Gaussian noise added to every point; 0 keeps the edges sharp.", short="j",
        live=True, group="Data", label="Noise", low=0.0, high=0.5, unit="data units", step=0.01,
    )  # fmt: skip

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, 2) points: a dark square, an even place in it, noise where there is any."""
        corners = dark_squares(self.squares, generator.device)
        which = torch.randint(len(corners), (n,), generator=generator, device=generator.device)
        points = torch.rand(n, 2, generator=generator, device=generator.device).add_(corners.index_select(0, which))
        points.mul_(2 * self.radius / self.squares).sub_(self.radius)
        if self.jitter:
            points.add_(torch.randn(n, 2, generator=generator, device=generator.device), alpha=self.jitter)
        return points

    def log_density(self, x: Tensor) -> Tensor:
        """Return the log density (n,): constant on dark squares and -inf elsewhere, or both blurred by the noise."""
        size = 2 * self.radius / self.squares
        wide = exact(x)
        corners = dark_squares(self.squares, wide.device)
        log_each = -math.log(len(corners) * size**2)
        if not self.jitter:
            column, row = ((x + self.radius) / size).floor().unbind(1)
            inside = (column >= 0) & (column < self.squares) & (row >= 0) & (row < self.squares)
            dark = inside & ((column + row) % 2 == 0)
            return like(torch.where(dark, log_each, -math.inf), x)
        edges = torch.arange(self.squares, device=wide.device, dtype=wide.dtype) * size - self.radius
        columns, rows = (log_interval(wide[:, i : i + 1], edges, edges + size, self.jitter) for i in (0, 1))  # (n, k)
        both = columns[:, corners[:, 0].long()] + rows[:, corners[:, 1].long()]  # (n, m)
        return like(both.logsumexp(1) + log_each, x)

    @property
    def extent(self) -> float:
        """Reach four standard deviations beyond the board, and a little air."""
        return 1.15 * (self.radius + 4 * self.jitter)


class Pinwheel(Distribution):
    """Bent blades around the middle."""

    id: ClassVar[str] = "pinwheel"
    title: ClassVar[str] = "Pinwheel"
    about: ClassVar[str] = "Gaussian blades bent by a twist of the plane: modes that are neither round nor straight."
    rank: ClassVar[int] = 12

    n_modes: int = knob(
        5, "How many blades the wheel has.", short="k", live=True, group="Data", label="Blades", low=1, high=12
    )
    radius: float = radius_knob(1.2, "Distance of the blades' centres from the middle.")
    std: float = knob(
        0.35, "Standard deviation along a blade.", short="s", live=True, group="Data", label="Blade length", low=0.05,
        high=1.0, unit="data units", step=0.05,
    )  # fmt: skip
    jitter: float = knob(
        0.1, "Standard deviation across a blade.", short="j", live=True, group="Data", label="Blade width", low=0.01,
        high=0.5, unit="data units", scale="log",
    )  # fmt: skip
    twist: float = knob(
        1.0, "How far the plane is turned at distance 1; 0 gives straight blades.", short="twist", live=True,
        group="Data", low=-3.0, high=3.0, unit="radians", step=0.1,
    )  # fmt: skip

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, 2) points: a blade, a straight Gaussian point on it, then the twist."""
        blades = ring_centres(self.n_modes, 1.0, 0.0, generator.device)
        which = torch.randint(self.n_modes, (n,), generator=generator, device=generator.device)
        noise = torch.randn(2, n, generator=generator, device=generator.device)
        straight = torch.complex(noise[0] * self.std + self.radius, noise[1] * self.jitter)
        turned = torch.polar(torch.ones_like(noise[0]), straight.abs() * self.twist)
        return torch.view_as_real(straight * turned * torch.view_as_complex(blades).index_select(0, which))

    def log_density(self, x: Tensor) -> Tensor:
        """Return the straight mixture's log density at the points turned back, (n,)."""
        wide = exact(x)
        back = torch.polar(torch.ones_like(wide[:, 0]), -wide.norm(dim=1) * self.twist)
        blades = torch.view_as_complex(ring_centres(self.n_modes, 1.0, 0.0, wide.device).to(wide.dtype))
        straight = (torch.view_as_complex(wide.contiguous()) * back)[:, None] * blades.conj()  # (n, K)
        square = ((straight.real - self.radius) / self.std).square() + (straight.imag / self.jitter).square()
        log_norm = math.log(2 * math.pi * self.std * self.jitter * self.n_modes)
        return like((-square / 2).logsumexp(1) - log_norm, x)

    @property
    def extent(self) -> float:
        """Reach three and a half standard deviations along the blades, and a little air."""
        return 1.15 * (self.radius + 3.5 * self.std + self.jitter)
