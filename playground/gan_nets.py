"""The networks of adversarial families, by their settings: from a code to an item, from an item to scores.

Points (dim,) and images (C, H, W) in [-1, 1] go through multilayer perceptrons, images also through convolutions. The
last layer of an image generator is a tanh.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from playground import nets
from playground.gan_settings import GanSettings


def generator(c: GanSettings, shape: Sequence[int], codes: int, rng: torch.Generator) -> nn.Module:
    """Return G: (n, codes) -> (n, *shape), its first weights drawn from `rng` alone."""
    net = nets.MLP(
        [codes, *[c.g_width] * c.g_depth, math.prod(shape)],
        activation=c.activation, init=c.init, gain=c.init_gain, generator=rng,
    )  # fmt: skip
    return net if len(shape) == 1 else nn.Sequential(net, nn.Tanh(), nn.Unflatten(1, tuple(shape)))


def discriminator(c: GanSettings, shape: Sequence[int], outputs: int, rng: torch.Generator) -> nn.Module:
    """Return D: rows (n, m dim) or (n, m C, H, W) of `packing` m items of `shape` -> (n, outputs)."""
    net = nets.MLP(
        [math.prod(shape) * c.packing, *[c.d_width] * c.d_depth, outputs],
        activation=c.activation, init=c.init, gain=c.init_gain, generator=rng,
        spectral=c.spectral, minibatch=c.minibatch,
    )  # fmt: skip
    return net if len(shape) == 1 else nn.Sequential(nn.Flatten(), net)
