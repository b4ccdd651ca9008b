"""Conditional GANs: both players are told the class, so that a digit can be asked for by name.

Mirza and Osindero 2014, "Conditional generative adversarial nets", arXiv 1411.1784:

    min_G max_D  E_(x,y) log σ(D(x, y)) + E_(z,y) log(1 - σ(D(G(z, y), y)))

z ends with the class, one-hot. D takes it beside the image (concatenation, as in that paper), or as an inner product of
its features with a vector for each class (projection, Miyato and Koyama 2018, arXiv 1802.05637: D(x, y) = ψ(φ(x)) +
yᵀ V φ(x), the form that p(y | x) of a softmax gives to the optimal D). The fakes of an update are asked for in the
classes of its real images: shares of classes can then tell D nothing. Watch whether the class asked for is the class
that comes; a good D for each class leaves no room for the collapse of one class onto another.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from playground import gan_listing, gan_nets, penalties
from playground.config import Config, ConfigError, knob
from playground.data.base import DataSet
from playground.families.base import Code, Listing
from playground.gan_settings import D, GanSettings
from playground.joint import Carrying, Joint
from playground.rng import Streams

MIRZA = "Mirza and Osindero 2014, arXiv 1411.1784"


class ConditionalSettings(GanSettings):
    """A GAN's settings, and how D takes the class."""

    label_way: Literal["concatenation", "projection"] = knob(
        "projection", "How D takes the class: beside the image, or as a product of its features with a vector for each "
        "class.", short="lab", group=D, label="Class enters by", paper="Miyato and Koyama 2018, arXiv 1802.05637",
    )  # fmt: skip


class ClassJudge(nn.Module):
    """D on packed rows of m images, each followed by its one-hot class."""

    def __init__(
        self, c: ConditionalSettings, shape: tuple[int, ...], classes: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.shape, self.classes, self.packing = shape, classes, c.packing
        self.projects, self.flat = c.label_way == "projection", c.body == "dense"
        channels, high, wide = shape
        if self.projects:
            self.net = gan_nets.discriminator(c, shape, 1 + c.packing * classes, generator)
        else:  # dense layers take a class as it is, convolutions as planes
            seen = (channels * high * wide + classes,) if self.flat else (channels + classes, high, wide)
            self.net = gan_nets.discriminator(c, seen, 1, generator)

    def forward(self, rows: Tensor) -> Tensor:  # (B, m (numbers + K)) -> (B, 1)
        if self.flat and not self.projects:
            return self.net(rows)  # type: ignore[no-any-return]
        packed = rows.reshape(rows.shape[0], self.packing, -1)
        numbers = math.prod(self.shape)
        x, labels = packed[:, :, :numbers], packed[:, :, numbers:]
        x = x.reshape(rows.shape[0], self.packing, *self.shape)
        if not self.projects:
            planes = labels[..., None, None].expand(-1, -1, -1, *self.shape[1:])
            return self.net(torch.cat([x, planes], 2).flatten(1, 2))  # type: ignore[no-any-return]
        out: Tensor = self.net(x.flatten(1, 2))  # ψ(φ) and V φ, (B, 1 + m K)
        score = out[:, :1] + (out[:, 1:] * labels.flatten(1)).sum(1, keepdim=True)
        return score


class ConditionalGan(Joint):
    """A GAN on pairs of an image and its class."""

    id = "conditional-gan"
    title = "Conditional GAN"
    paper = MIRZA
    Settings = ConditionalSettings
    takes = frozenset({"images"})
    opens_on = "digits"
    config: ConditionalSettings
    d: ClassJudge

    @classmethod
    def check(cls, config: Config, data: DataSet) -> None:
        """Refuse data without classes."""
        super().check(config, data)
        if not data.classes:
            raise ConfigError(f"{cls.title} learns from classes, and {data.title} has none: choose data with classes.")

    @classmethod
    def listing(cls, config: Config, data: DataSet) -> Listing:
        assert isinstance(config, ConditionalSettings)
        return gan_listing.listing(config, data, "conditional_gan", tail=len(data.classes), LABELLED=True)

    @property
    def tail(self) -> int:
        return len(self.data.classes)

    @property
    def judge(self) -> nn.Module:
        return self.d.net

    def networks(self, generator: torch.Generator) -> tuple[nn.Module, nn.Module]:
        c, shape = self.config, self.data.shape
        g = Carrying(gan_nets.generator(c, shape, c.noise_dim + self.tail, generator), self.tail)
        return g, ClassJudge(c, shape, self.tail, generator)

    def take(self, n: int, taken: int, rng: Streams) -> Tensor:
        x, labels = self.data.labelled(n, taken, rng)
        assert labels is not None
        return self.join(self.inward(x), self.one_hot(labels))

    def one_hot(self, labels: Tensor) -> Tensor:
        """Return labels (n,) as rows (n, K) of a 1 among zeros."""
        return F.one_hot(labels, self.tail).float()

    @cached_property
    def shares(self) -> Tensor:
        """The share of each class in the data, (K,)."""
        labels = self.data.known(10_000, 0, self.device).labels
        assert labels is not None
        return torch.bincount(labels, minlength=self.tail) / len(labels)

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw noise, and classes with their shares in the data."""
        noise = super().noise(n, generator)
        labels = torch.multinomial(self.shares, n, replacement=True, generator=generator)
        return torch.cat([noise, self.one_hot(labels)], 1)

    def _codes(self, real: Tensor, n: int, rng: Streams) -> Tensor:
        """Draw noise, and take the classes of the real rows."""
        return torch.cat([super().noise(n, rng["noise"]), self.apart(real)[1][:n]], 1)

    def codes(self) -> list[Code]:
        start = self.config.noise_dim
        return [
            Code("noise", "noise", 0, start),
            Code("class", "category", start, self.tail, tuple(self.data.classes), given=True),
        ]

    def _judge(self, d: penalties.Critic, x: Tensor) -> Tensor:
        """Score each image under the class that D likes it best in: what has no label is not held against it."""
        classes = [row.expand(x.shape[0], -1) for row in torch.eye(self.tail, device=x.device)]
        return torch.stack([super(ConditionalGan, self)._judge(d, self.join(x, tail)) for tail in classes]).amax(0)
