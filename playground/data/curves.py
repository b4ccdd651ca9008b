"""Curves with Gaussian noise around them: data that is nearly one-dimensional.

    p(x) = integral over t in [0, 1] of N(x; c(t), s^2 I) m(t) dt

A straight line has it in closed form through the normal distribution function, a circle through the Bessel function I0;
the others get Gauss-Legendre quadrature along the curve, fine enough against the noise to be exact to about 1e-5.
Two moons and the swiss roll are scikit-learn's, centred and scaled to this view. Watch how G lays its noise along the
curve, where it overshoots the ends, and how D's surface sharpens as the noise is turned down.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import cache
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from playground.config import knob
from playground.data.base import Distribution
from playground.data.gaussians import radius_knob

PANEL = 16  # Gauss-Legendre nodes a panel
PANEL_WIDTH = 9.0  # longest panel in units of the noise: on samples the log density is then right to about 1e-5
CHUNK = 128  # points at once: their kernel matrix stays in the cache, three times as fast as all at once
NOTHING = -80.0  # log of a share too small to count; exp of less would end in denormal numbers, five times slower


def jitter_knob(default: float, low: float = 0.02, high: float = 0.5) -> float:
    """Declare the noise around a curve; below the noise scale of `low` quadrature would get slow."""
    value: float = knob(
        default, "Standard deviation of the Gaussian noise added to every point.", short="j", live=True, group="Data",
        label="Noise", low=low, high=high, unit="data units", scale="log",
    )  # fmt: skip
    return value


def exact(x: Tensor) -> Tensor:
    """Return points as float64, on the CPU where the device has no such type."""
    return (x.cpu() if x.device.type == "mps" else x).double()


def like(found: Tensor, x: Tensor) -> Tensor:
    """Return a result in the type and on the device of `x`; the type first, for devices without float64."""
    return found.to(x.dtype).to(x.device)


def log_interval(x: Tensor, low: float | Tensor, high: float | Tensor, std: float) -> Tensor:
    """Return log(Phi((x-low)/std) - Phi((x-high)/std)), without cancellation however far x is outside."""
    middle, half = (low + high) / 2, (high - low) / 2
    distance = (x - middle).abs()
    near, far = (half - distance) / std, -(half + distance) / std
    upper: Tensor = torch.special.log_ndtr(near)
    lower: Tensor = torch.special.log_ndtr(far)
    return upper + torch.log1p(-(lower - upper).exp())


def log_circle(x: Tensor, radius: float, std: float) -> Tensor:
    """Return the log density of a circle with Gaussian noise: a Rice distribution in the radius, even in the angle."""
    r = x.square().sum(1).sqrt()
    bessel: Tensor = torch.special.i0e(r * (radius / std**2)).log()  # exponentially scaled: I0 itself overflows
    return bessel - (r - radius).square() / (2 * std**2) - math.log(2 * math.pi * std**2)


@cache
def panel() -> tuple[Tensor, Tensor]:
    """Return Gauss-Legendre nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(PANEL)
    return torch.from_numpy((nodes + 1) / 2), torch.from_numpy(weights / 2)


def log_kernels(x: Tensor, centres: Tensor, log_weights: Tensor, std: float) -> Tensor:
    """Return log sum_i w_i N(x; c_i, std^2 I), (n,), for centres (m, 2) and log weights (m,) in float64."""
    wide, scale = exact(x), 1 / (math.sqrt(2) * std)
    across, upward = (centres.to(wide.device) * scale).unbind(1)
    weights = log_weights.to(wide.device) - math.log(2 * math.pi * std**2)
    found = []
    for part in torch.split(wide * scale, CHUNK):
        log_each = weights - (part[:, :1] - across).square() - (part[:, 1:] - upward).square()  # (chunk, m)
        top = log_each.detach().amax(1, keepdim=True)
        found.append((log_each - top).clamp(min=NOTHING).exp().sum(1).log() + top[:, 0])
    return like(torch.cat(found), x)


class Line(Distribution):
    """A straight segment with noise."""

    id: ClassVar[str] = "line"
    title: ClassVar[str] = "Line"
    about: ClassVar[str] = "A tilted segment, evenly filled: the easiest curve, but G must find both ends."
    rank: ClassVar[int] = 4

    radius: float = radius_knob(2.0, "Half the length of the segment.")
    tilt: float = knob(
        30.0, "Angle of the segment against the horizontal.", short="tilt", live=True, group="Data", low=-90, high=90,
        unit="degrees", step=1,
    )  # fmt: skip
    jitter: float = jitter_knob(0.08, low=0.005)

    @property
    def direction(self) -> tuple[float, float]:
        """Return the segment's unit vector."""
        return math.cos(math.radians(self.tilt)), math.sin(math.radians(self.tilt))

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, 2) points: even along the segment, Gaussian around it."""
        along = torch.rand(n, generator=generator, device=generator.device).mul_(2).sub_(1).mul_(self.radius)
        points = torch.randn(n, 2, generator=generator, device=generator.device).mul_(self.jitter)
        cos, sin = self.direction
        points[:, 0].add_(along, alpha=cos)
        points[:, 1].add_(along, alpha=sin)
        return points

    def log_density(self, x: Tensor) -> Tensor:
        """Return the log of a box along the segment times a Gaussian across it, both blurred, (n,)."""
        cos, sin = self.direction
        wide = exact(x)
        along, across = wide[:, 0] * cos + wide[:, 1] * sin, wide[:, 1] * cos - wide[:, 0] * sin
        box = log_interval(along, -self.radius, self.radius, self.jitter) - math.log(2 * self.radius)
        gauss = -(across.square()) / (2 * self.jitter**2) - math.log(math.sqrt(2 * math.pi) * self.jitter)
        return like(box + gauss, x)

    @property
    def extent(self) -> float:
        """Reach four standard deviations beyond the ends, and a little air."""
        return 1.15 * (self.radius + 4 * self.jitter)


class Ring(Distribution):
    """A circle with noise."""

    id: ClassVar[str] = "ring"
    title: ClassVar[str] = "Ring"
    about: ClassVar[str] = "A circle without modes: G must bend a square of noise round until it closes."
    rank: ClassVar[int] = 5

    radius: float = radius_knob(1.8, "Radius of the circle.")
    jitter: float = jitter_knob(0.1, low=0.005)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, 2) points: an even angle, then Gaussian noise."""
        angle = torch.rand(n, generator=generator, device=generator.device).mul_(2 * math.pi)
        points = torch.randn(n, 2, generator=generator, device=generator.device).mul_(self.jitter)
        return points.add_(torch.stack([angle.cos(), angle.sin()], 1), alpha=self.radius)

    def log_density(self, x: Tensor) -> Tensor:
        """Return -(r-R)^2/2s^2 + log(e^(-a) I0(a)) - log(2 pi s^2) with a = rR/s^2, (n,)."""
        return like(log_circle(exact(x), self.radius, self.jitter), x)

    @property
    def extent(self) -> float:
        """Reach four standard deviations beyond the circle, and a little air."""
        return 1.15 * (self.radius + 4 * self.jitter)


class Circles(Ring):
    """Two circles, one inside the other."""

    id: ClassVar[str] = "circles"
    title: ClassVar[str] = "Two circles"
    about: ClassVar[str] = "One circle inside another, half the points on each: two pieces that nothing joins."
    rank: ClassVar[int] = 9

    jitter: float = jitter_knob(0.07, low=0.005)
    inner: float = knob(
        0.5, "Radius of the inner circle as a share of the outer one.", short="inner", live=True, group="Data",
        low=0.05, high=0.95, step=0.05,
    )  # fmt: skip

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, 2) points: one of the circles, an even angle, then Gaussian noise."""
        u = torch.rand(2, n, generator=generator, device=generator.device)
        angle, inside = u[0] * (2 * math.pi), u[1] < 0.5
        radius = torch.where(inside, self.radius * self.inner, self.radius)
        points = torch.randn(n, 2, generator=generator, device=generator.device).mul_(self.jitter)
        return points.add_(torch.stack([angle.cos().mul_(radius), angle.sin().mul_(radius)], 1))

    def log_density(self, x: Tensor) -> Tensor:
        """Return the log of the mean of both circles' densities, (n,)."""
        wide = exact(x)
        outer, inner = (log_circle(wide, r, self.jitter) for r in (self.radius, self.radius * self.inner))
        return like(torch.logaddexp(outer, inner) - math.log(2), x)


class Curve(Distribution):
    """One or more arms c(t, arm), t in [0, 1], with Gaussian noise; every arm has the same share."""

    radius: float = radius_knob(2.0, "Size of the whole figure.")
    jitter: float = jitter_knob(0.07)

    @property
    def n_arms(self) -> int:
        """How many arms there are."""
        return 1

    @abstractmethod
    def curve(self, t: Tensor, arm: Tensor) -> Tensor:
        """Return the points (n, 2) at t (n,) of the arms numbered `arm` (n,)."""

    def place(self, u: Tensor) -> Tensor:
        """Turn even numbers in [0, 1] into t: the inverse of the distribution function whose density is `mass`."""
        return u

    def mass(self, t: Tensor) -> Tensor:
        """Return the density of t on [0, 1]."""
        return torch.ones_like(t)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, 2) points: an arm and a place on it, then Gaussian noise."""
        u = torch.rand(n, generator=generator, device=generator.device).mul_(self.n_arms)
        arm = u.floor()
        points = torch.randn(n, 2, generator=generator, device=generator.device).mul_(self.jitter)
        return points.add_(self.curve(self.place(u.sub_(arm)), arm))

    def outline(self) -> Tensor:
        """Return 257 points on each arm (arms, 257, 2), float64."""
        t = torch.linspace(0, 1, 257, dtype=torch.float64)
        return torch.stack([self.curve(t, torch.full_like(t, arm)) for arm in range(self.n_arms)])

    def nodes(self, fine: int = 1) -> tuple[Tensor, Tensor]:
        """Return quadrature points on the curve (m, 2) and the logs of their weights (m,), float64 on the CPU."""
        steps = self.outline()[0].diff(dim=0).norm(dim=1)
        length = np.append(0, steps.cumsum(0).numpy())
        panels = fine * math.ceil(float(length[-1]) / (PANEL_WIDTH * self.jitter))
        equal = np.linspace(0, length[-1], panels + 1)  # panels of equal length, whatever the speed of t
        bounds = torch.from_numpy(np.interp(equal, length, np.linspace(0, 1, 257)))
        node, weight = panel()
        width = bounds.diff()[:, None]
        t, dt = (bounds[:-1, None] + width * node).flatten(), (width * weight).flatten()
        log_mass = (dt * self.mass(t) / self.n_arms).log()
        points = [self.curve(t, torch.full_like(t, arm)) for arm in range(self.n_arms)]
        return torch.cat(points), log_mass.repeat(self.n_arms)

    def log_density(self, x: Tensor) -> Tensor:
        """Return the log of the noise's density integrated along all arms, (n,)."""
        return log_kernels(x, *self.nodes(), self.jitter)

    @property
    def extent(self) -> float:
        """Reach four standard deviations beyond the curve, and a little air."""
        return 1.15 * (float(self.outline().abs().max()) + 4 * self.jitter)


class Moons(Curve):
    """Two interleaving half circles."""

    id: ClassVar[str] = "moons"
    title: ClassVar[str] = "Two moons"
    about: ClassVar[str] = "Two half circles that reach into each other: two pieces, each bent."
    rank: ClassVar[int] = 8

    radius: float = radius_knob(1.3, "Radius of each half circle.")

    @property
    def n_arms(self) -> int:
        """The upper and the lower moon."""
        return 2

    def curve(self, t: Tensor, arm: Tensor) -> Tensor:
        """Return (cos a, sin a) on the upper moon and (1 - cos a, 1/2 - sin a) on the lower, centred and scaled."""
        angle, side = t * math.pi, 1 - 2 * arm  # the lower moon is the upper one turned by half a circle
        return torch.stack([(angle.cos() - 0.5) * side, (angle.sin() - 0.25) * side], 1) * self.radius


class SwissRoll(Curve):
    """A spiral of one and a half turns, denser inside."""

    id: ClassVar[str] = "swiss-roll"
    title: ClassVar[str] = "Swiss roll"
    about: ClassVar[str] = "A rolled-up line: G has to wind its noise without taking a short cut between the layers."
    rank: ClassVar[int] = 7

    def curve(self, t: Tensor, arm: Tensor) -> Tensor:
        """Return radius (1+2t)/3 at the angle 1.5 pi (1+2t), that of the usual swiss roll seen from its side."""
        r = t * (2 / 3) + 1 / 3
        angle = r * (4.5 * math.pi)
        return torch.stack([angle.cos() * r, angle.sin() * r], 1) * self.radius


class Spirals(Curve):
    """Arms that wind out of the middle."""

    id: ClassVar[str] = "spirals"
    title: ClassVar[str] = "Spirals"
    about: ClassVar[str] = "Arms winding round each other from one middle: thin, long and close together."
    rank: ClassVar[int] = 10

    n_modes: int = knob(
        2, "How many arms wind out of the middle.", short="k", live=True, group="Data", label="Arms", low=1, high=4
    )
    jitter: float = jitter_knob(0.07, low=0.03)
    turns: float = knob(
        1.25, "How many times each arm goes round.", short="turns", live=True, group="Data", low=0.25, high=2.0,
        step=0.05,
    )  # fmt: skip

    @property
    def n_arms(self) -> int:
        """As many as set."""
        return self.n_modes

    def place(self, u: Tensor) -> Tensor:
        """Return sqrt(u): nearly even along the arm, which gets longer outwards."""
        return u.sqrt()

    def mass(self, t: Tensor) -> Tensor:
        """Return 2t, the density of sqrt(u)."""
        return 2 * t

    def curve(self, t: Tensor, arm: Tensor) -> Tensor:
        """Return radius t at the angle 2 pi (turns t + arm/arms)."""
        angle = t * (2 * math.pi * self.turns) + arm * (2 * math.pi / self.n_modes)
        return torch.stack([angle.cos() * t, angle.sin() * t], 1) * self.radius
