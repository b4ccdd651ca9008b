"""Shapes made on the fly, 28 x 28 pixels, from factors that are known exactly: shape, size, angle, x and y.

After dSprites (Matthey et al. 2017), but drawn anew for every item instead of stored: item i of a stream has the
factors that a hash of (stream, i) gives, so there are as many items as one can count, any of them can be asked for
again, and a run taken on later goes on with the very same ones. A shape is a polygon or a star of n points, whose
signed distance has a closed form: fold the plane into one of its 2n half sectors, where the outline is a single edge.

    pixel = clamp(1/2 - d, 0, 1),    d = signed distance from the pixel's centre to the outline, in pixels

Watch which codings of an autoencoder follow which factor: five factors are all there is to know about an item.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, ClassVar, Literal, NamedTuple, Self

import torch
from pydantic import model_validator
from torch import Tensor

from playground.config import ConfigError, knob
from playground.data.base import DataSet, Items, Kind
from playground.rng import Streams, derive, fresh

SIDE = 28
MARGIN = 1.5  # pixels between the largest shape and the rim, so that the outermost ones stay black
# Points n and sharpness m of each shape: its edges stand at pi/m to the middle of a sector (m = 2 is a polygon).
STARS = {"circle": (512, 2.0), "triangle": (3, 2.0), "square": (4, 2.0), "star": (5, 10 / 3), "sparkle": (4, 3.2)}

Part = Literal["batch", "known", "held-out"]


class Factors(NamedTuple):
    """What an item is made of, (n,) each."""

    shape: Tensor  # int64, which of the data set's `classes`
    size: Tensor  # pixels from the centre to a corner
    angle: Tensor  # degrees counter-clockwise, from 0 to where the shape looks the same again (a circle: 0)
    x: Tensor  # pixels right of the middle
    y: Tensor  # pixels above the middle


class Shapes(DataSet):
    """Shapes without end."""

    id: ClassVar[str] = "shapes"
    title: ClassVar[str] = "Shapes"
    about: ClassVar[str] = "Circles, squares and stars made on the fly: shape, size, angle and place known exactly."
    kind: ClassVar[Kind] = "images"
    rank: ClassVar[int] = 21

    circle: bool = knob(True, "Draw circles, the shape without an angle.", short="circle", group="Data")
    triangle: bool = knob(True, "Draw triangles.", short="tri", group="Data")
    square: bool = knob(True, "Draw squares.", short="square", group="Data")
    star: bool = knob(True, "Draw stars of five points.", short="star", group="Data")
    sparkle: bool = knob(False, "Draw stars of four points.", short="sparkle", group="Data")
    largest: float = knob(
        8.0, "Distance from the centre of the largest shape to its corners.", short="big", group="Data",
        label="Largest size", low=3.0, high=12.0, step=0.5, unit="pixels",
    )  # fmt: skip
    grow: bool = knob(
        True, "Let sizes go from half the largest up to it.", short="grow", group="Data", label="Sizes vary"
    )
    turn: bool = knob(True, "Let every angle come up.", short="turn", group="Data", label="Angles vary")
    move: bool = knob(
        True, "Let shapes lie anywhere that keeps them in the picture.", short="move", group="Data", label="Places vary"
    )
    jitter: float = knob(
        0.0, "Standard deviation of the noise on every pixel, cut off at black and white.", short="j", live=True,
        group="Data", label="Noise", low=0.0, high=0.5, step=0.01,
    )  # fmt: skip

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not self.classes:
            raise ConfigError(f"No shape is chosen: switch on one of {', '.join(STARS)}.")
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """One grey channel."""
        return (1, SIDE, SIDE)

    @property
    def classes(self) -> tuple[str, ...]:
        """The shapes that are drawn."""
        return tuple(name for name in STARS if getattr(self, name))

    @property
    def reach(self) -> float:
        """How far x and y go from the middle, in pixels."""
        return SIDE / 2 - MARGIN - self.largest if self.move else 0.0

    def factors(
        self, n: int, seed: int, part: Part = "batch", taken: int = 0, device: torch.device | str = "cpu"
    ) -> Factors:
        """Return the factors of n items: those that a run of this seed trains on after the first `taken`, or those
        that `known` and `held_out` return for this seed."""
        u = hashed(derive(seed, "shapes", part), taken, n, torch.device(device))  # (5, n)
        which = (u[0] * len(self.classes)).long()
        points, _ = _stars(self.classes, u.device)
        return Factors(
            which,
            self.largest * (0.5 + 0.5 * u[1]) if self.grow else torch.full_like(u[1], self.largest),
            u[2] * (360 / points[which]) * (points[which] < 100) if self.turn else torch.zeros_like(u[2]),
            self.reach * (2 * u[3] - 1),
            self.reach * (2 * u[4] - 1),
        )

    def listing(self) -> dict[str, Any]:
        """Name the shapes that are drawn: how many points, how sharp."""
        return {"STARS": {name: STARS[name] for name in self.classes}}

    def render(self, factors: Factors) -> Tensor:
        """Draw items without noise, (n, 1, 28, 28), on the factors' device."""
        points, sharpness = _stars(self.classes, factors.x.device)
        star = points[factors.shape, None, None], sharpness[factors.shape, None, None]
        window = min(SIDE, math.ceil(2 * self.largest) + 2)  # all of a shape lies in it, and the rest costs nothing
        line = torch.arange(window, device=factors.x.device)
        first = [(SIDE / 2 + at - window / 2).round_().clamp_(0, SIDE - window) for at in (factors.x, -factors.y)]
        column, row = first[0][:, None, None] + line, first[1][:, None, None] + line[:, None]
        right, up = column - (SIDE - 1) / 2 - factors.x[:, None, None], (SIDE - 1) / 2 - row - factors.y[:, None, None]
        size, angle = factors.size[:, None, None], factors.angle[:, None, None]
        distance = star_distance(right, up, size, angle, star)  # (n, window, window)
        pixels = distance.neg_().add_(0.5).clamp_(0, 1).flatten(1)
        picture = pixels.new_zeros(len(pixels), SIDE * SIDE)
        return picture.scatter_(1, (row * SIDE + column).long().flatten(1), pixels).view(-1, *self.shape)

    def labelled(self, n: int, taken: int, rng: Streams) -> Items:
        """Draw the items after the first `taken`, noise from the stream `data`."""
        factors = self.factors(n, rng.seed, "batch", taken, rng.device)
        x = self.render(factors)
        return Items(self._noisy(x, rng["data"]) if self.jitter else x, factors.shape)

    def held_out(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Draw n items of a stream of their own."""
        return self._items(n, seed, "held-out", device)

    def known(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Draw n items of a stream of their own."""
        return self._items(n, seed, "known", device)

    def _items(self, n: int, seed: int, part: Part, device: torch.device | str) -> Items:
        factors = self.factors(n, seed, part, device=device)
        x = self.render(factors)
        return Items(self._noisy(x, fresh(seed, part, device=device)) if self.jitter else x, factors.shape)

    def _noisy(self, x: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.randn(x.shape, generator=generator, device=x.device)
        return x.add_(noise, alpha=self.jitter).clamp_(0, 1)


def star_distance(right: Tensor, up: Tensor, size: Tensor, angle: Tensor, star: tuple[Tensor, Tensor]) -> Tensor:
    """Return signed distances, negative inside, of places to stars around the origin with one corner up.

    `size` is the distance to the corners, `angle` turns in degrees counter-clockwise, `star` says how many points n and
    how sharp m, from 2 (a polygon with n corners) to n (needles). All broadcast to the shape of `right + up`.
    """
    half, edge = math.pi / star[0], math.pi / star[1]
    turned = torch.atan2(up, right).sub_(angle * (math.pi / 180) + math.pi / 2)  # 0 at a corner
    folded = turned.remainder_(2 * half).sub_(half)  # 0 in the middle of a sector, half at its corners
    radius = (right.square() + up.square()).sqrt_()
    along = folded.cos().mul_(radius).sub_(size * half.cos())  # from the corner
    across = folded.sin_().abs_().mul_(radius).sub_(size * half.sin())
    way = (along * edge.cos()).addcmul_(across, edge.sin()).neg_().clamp_(min=0)
    torch.minimum(way, size * half.sin() / edge.sin(), out=way)  # the edge ends in the middle of the sector
    along.addcmul_(way, edge.cos())
    across.addcmul_(way, edge.sin())
    return across.square_().addcmul_(along, along).sqrt_().copysign_(along)


def hashed(stream: int, start: int, n: int, device: torch.device) -> Tensor:
    """Return five numbers in [0, 1) for each of the items start .. start + n - 1, (5, n), the same on every device.

    SplitMix64's output function (Steele, Lea and Flood 2014, doi 10.1145/2660193.2660195) of a counter; int64 products
    wrap around as unsigned ones do.
    """
    item = torch.arange(start, start + n, dtype=torch.int64, device=device)
    z = (item * 5 + torch.arange(5, device=device)[:, None]) * _signed(0x9E3779B97F4A7C15) + stream
    z = (z ^ _shift(z, 30)) * _signed(0xBF58476D1CE4E5B9)
    z = (z ^ _shift(z, 27)) * _signed(0x94D049BB133111EB)
    return _shift(z ^ _shift(z, 31), 40).float() / 2**24


def _shift(z: Tensor, bits: int) -> Tensor:
    """Shift right, zeros coming in from the left."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def _signed(constant: int) -> int:
    return constant - (1 << 64) if constant >> 63 else constant


@lru_cache(maxsize=8)
def _stars(classes: tuple[str, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    points, sharpness = torch.tensor([STARS[name] for name in classes], device=device).T
    return points, sharpness
