"""The networks of adversarial families, by their settings: from a code to an item, from an item to scores.

Points (dim,) and images (C, H, W) in [-1, 1] go through multilayer perceptrons, images also through convolutions. The
last layer of an image generator is a tanh.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from playground import conv_nets, nets
from playground.coders import Path
from playground.config import ConfigError
from playground.data.base import DataSet
from playground.gan_settings import GanSettings


def check(c: GanSettings, data: DataSet) -> None:
    """Raise `ConfigError` where these networks cannot read this data, or a penalty cannot read D."""
    if c.body == "dense":
        return
    if data.kind != "images":
        raise ConfigError(f"Convolutions read images, and {data.title} is {data.kind}: choose the body dense.")
    if min(data.shape[1:]) < conv_nets.SMALLEST:
        least = conv_nets.SMALLEST
        raise ConfigError(f"Convolutions need images of at least {least} × {least} pixels: choose the body dense.")
    if c.d_norm == "batch" and c.penalty_in_use != "none":
        raise ConfigError(
            "A penalty on D's slope at each image needs a D that treats each by itself, and batch norm ties those of a "
            'batch together: set "Norm of D" to layer or none, or go without the penalty.'
        )


def generator(c: GanSettings, shape: Sequence[int], codes: int, rng: torch.Generator) -> nn.Module:
    """Return G: (n, codes) -> (n, *shape), its first weights drawn from `rng` alone."""
    if c.body != "dense":
        return conv_nets.generator(c, shape, codes, rng)
    net = nets.MLP(
        [codes, *[c.g_width] * c.g_depth, math.prod(shape)],
        activation=c.activation, init=c.init, gain=c.init_gain, generator=rng,
    )  # fmt: skip
    return net if len(shape) == 1 else nn.Sequential(net, nn.Tanh(), nn.Unflatten(1, tuple(shape)))


def discriminator(c: GanSettings, shape: Sequence[int], outputs: int, rng: torch.Generator) -> nn.Module:
    """Return D: rows (n, m dim) or (n, m C, H, W) of `packing` m items of `shape` -> (n, outputs)."""
    if c.body != "dense":
        return conv_nets.discriminator(c, shape, outputs, rng)
    net = nets.MLP(
        [math.prod(shape) * c.packing, *[c.d_width] * c.d_depth, outputs],
        activation=c.activation, init=c.init, gain=c.init_gain, generator=rng,
        spectral=c.spectral, minibatch=c.minibatch,
    )  # fmt: skip
    return net if len(shape) == 1 else nn.Sequential(nn.Flatten(), net)


def words(net: nn.Module) -> str:
    """Say in words what a network is: the sizes on the way, what is between them, the parameter count."""
    if not isinstance(net, Path):
        return nets.words(net)
    *shapes_and_bends, count = net.words().split(", ")
    names = {name for stop in net.row for name in stop.name.split(", ")[1:]}
    return ", ".join([*shapes_and_bends, *sorted(n for n in names if n.endswith("norm")), count])
