"""Convolutional players for images: DCGAN by its guidelines, and a generator that upsamples instead.

    dcgan      Radford et al. 2015, arXiv 1511.06434: strided convolutions in D, transposed ones in G, no pooling; batch
               norm in both but at G's output and D's input; ReLU and a last tanh in G, leaky ReLU 0.2 in D; N(0, 0.02)
    upsample   the same, but G repeats each pixel and convolves: where a transposed filter's steps overlap unevenly it
               weaves a checkerboard (Odena et al. 2016, Distill)

The filters are 4 x 4 with stride 2, so that steps overlap evenly. Sides are halved, rounded down, until they are below
8, at least twice: 28 goes to 14 and 7, 8 to 4 and 2. Each halving doubles the feature maps.

Batch norm (Ioffe and Szegedy 2015, arXiv 1502.03167) has three manners here. In a player's own updates it uses the
batch's statistics and remembers them; when the other player learns through it, it uses the batch's and forgets them; in
evaluation it uses what it remembers. Real and fake rows must go through D separately: mixed, they are told apart by
each other's mean. Layer norm in D (Ba et al. 2016, arXiv 1607.06450) treats each row by itself, so that a penalty on
each row's slope stays right (Gulrajani et al. 2017, arXiv 1704.00028).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from playground import nets
from playground.coders import Path, Stop
from playground.gan_settings import GanSettings
from playground.recurrent import blank

SMALLEST = 8  # side of an image
FILTER = 4
MOMENTUM = 0.1  # of the remembered statistics: the share of the newest batch


class BatchNorm(nn.Module):
    """(x - mean) / std of each map over the batch, then a learned scale and shift; images (B, C, H, W)."""

    mean: Tensor
    var: Tensor

    def __init__(self, maps: int, device: torch.device) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(maps, device=device))
        self.bias = nn.Parameter(torch.zeros(maps, device=device))
        self.register_buffer("mean", torch.zeros(maps, device=device))
        self.register_buffer("var", torch.ones(maps, device=device))
        self.visited = False  # whether another player learns through this net

    def forward(self, x: Tensor) -> Tensor:
        if self.visited:
            return F.batch_norm(x, None, None, self.weight, self.bias, training=True)
        return F.batch_norm(x, self.mean, self.var, self.weight, self.bias, self.training, MOMENTUM)


@contextmanager
def learning(net: nn.Module) -> Iterator[None]:
    """Have a network in training mode for its own update, then in evaluation mode again."""
    net.train()
    try:
        yield
    finally:
        net.eval()


@contextmanager
def visiting(net: nn.Module) -> Iterator[None]:
    """Have batch norm use the batch's statistics without remembering them; nothing else of the network changes."""
    norms = [module for module in net.modules() if isinstance(module, BatchNorm)]
    try:
        for norm in norms:
            norm.visited = True
        yield
    finally:
        for norm in norms:
            norm.visited = False


class SpectralConv(nets.Spectral, nn.Conv2d):
    """A convolution with spectral norm."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.normalised(), self.bias, self.stride, self.padding)


def sides(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Return height and width of an image (C, H, W) and after each halving."""
    found = [(shape[1], shape[2])]
    while len(found) < 3 or max(found[-1]) >= SMALLEST:
        found.append((found[-1][0] // 2, found[-1][1] // 2))
    return found


def widths(maps: int, levels: int) -> list[int]:
    """Return the feature maps after each halving."""
    return [maps * 2**i for i in range(levels - 1)]


def generator(c: GanSettings, shape: Sequence[int], codes: int, rng: torch.Generator) -> Path:
    """Return G: (n, codes) -> images (n, C, H, W) in (-1, 1)."""
    scales = sides(shape)[::-1]
    maps = [*widths(c.maps, len(scales))[::-1], shape[0]]
    first, normed = (maps[0], *scales[0]), c.g_norm == "batch"
    linear = nets.Linear(codes, math.prod(first), init(c), c.init_gain, rng, bias=not normed)
    start = nn.Sequential(linear, nn.Unflatten(1, first), *norm(c.g_norm, first[0], rng))
    stops = [Stop(said("Linear", c.g_norm), start, first, "relu")]
    for before, after, size in zip(maps, maps[1:], scales[1:], strict=False):
        last = size == scales[-1]
        kind = "none" if last else c.g_norm
        layer = nn.Sequential(*enlarge(c, before, after, size, kind, rng), *norm(kind, after, rng))
        name = "Upsample, conv 3 × 3" if c.body == "upsample" else f"Transposed conv {FILTER} × {FILTER}, stride 2"
        stops.append(Stop(said(name, kind), layer, (after, *size), "tanh" if last else "relu"))
    return Path("generator", (codes,), stops)


def enlarge(  # noqa: PLR0917
    c: GanSettings, before: int, after: int, size: tuple[int, int], kind: str, rng: torch.Generator
) -> list[nn.Module]:
    """Return the layers that double an image's side to `size`."""
    bias = kind != "batch"  # which takes a bias away again
    if c.body == "upsample":
        conv = blank(lambda: nn.Conv2d(before, after, 3, padding=1, bias=bias), rng.device)
        nets.first_values(conv, before * 9, init(c), c.init_gain, rng)
        return [nn.Upsample(size), conv]
    odd = (size[0] % 2, size[1] % 2)
    turned = blank(lambda: nn.ConvTranspose2d(before, after, FILTER, 2, 1, odd, bias=bias), rng.device)
    met = before * FILTER**2 // 4  # a pixel meets a quarter of the filter
    nets.first_values(turned, met, init(c), c.init_gain, rng)
    return [turned]


def discriminator(c: GanSettings, shape: Sequence[int], outputs: int, rng: torch.Generator) -> Path:
    """Return D: images (n, m C, H, W), m of them packed as maps of one -> (n, outputs)."""
    scales = sides(shape)
    start = (shape[0] * c.packing, *scales[0])
    maps = [start[0], *widths(c.maps, len(scales))]
    stops: list[Stop] = []
    for before, after, size in zip(maps, maps[1:], scales[1:], strict=False):
        kind = c.d_norm if stops else "none"
        layer = nn.Sequential(halve(c, before, after, kind, rng), *norm(kind, after, rng))
        name = said(f"Conv {FILTER} × {FILTER}, stride 2", kind, c.spectral)
        stops.append(Stop(name, layer, (after, *size), "leaky-relu"))
    return Path("discriminator", start, [*stops, *judging(c, math.prod((maps[-1], *scales[-1])), outputs, rng)])


def halve(c: GanSettings, before: int, after: int, kind: str, rng: torch.Generator) -> nn.Conv2d:
    """Return the convolution that halves an image's side."""
    make = SpectralConv if c.spectral else nn.Conv2d
    conv = blank(lambda: make(before, after, FILTER, 2, 1, bias=kind != "batch"), rng.device)
    nets.first_values(conv, before * FILTER**2, init(c), c.init_gain, rng)
    if isinstance(conv, SpectralConv):
        conv.follow(rng)
    return conv


def judging(c: GanSettings, numbers: int, outputs: int, rng: torch.Generator) -> list[Stop]:
    """Return D's last layers, from feature maps to its outputs."""
    stops = [Stop("Flatten", nn.Flatten(), (numbers,))]
    if c.minibatch != "none":
        seeing = nets.MinibatchStd(numbers) if c.minibatch == "std" else nets.MinibatchDiscrimination(numbers, rng)
        numbers = seeing.width
        stops.append(Stop(type(seeing).__name__, seeing, (numbers,)))
    linear = nets.SpectralLinear if c.spectral else nets.Linear
    last = linear(numbers, outputs, init(c), c.init_gain, rng)
    return [*stops, Stop(said("Linear", "none", c.spectral), last, (outputs,))]


def norm(kind: str, maps: int, rng: torch.Generator) -> list[nn.Module]:
    """Return the norm after a layer with so many maps, if any."""
    if kind == "batch":
        return [BatchNorm(maps, rng.device)]
    return [nn.GroupNorm(1, maps, device=rng.device)] if kind == "layer" else []  # one group: all of a row's numbers


def said(layer: str, kind: str, spectral: bool = False) -> str:
    """Return a layer's name with what is done to it."""
    return ", ".join([layer, *(["spectral norm"] if spectral else []), *([f"{kind} norm"] if kind != "none" else [])])


def init(c: GanSettings) -> str:
    """Return how first weights are drawn: convolutional players start from N(0, 0.02) unless told otherwise."""
    return "normal-0.02" if c.init == "default" else c.init
