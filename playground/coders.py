"""Encoders and decoders for items of any shape: what an autoencoder and its variational kinds are built of.

    linear      one matrix there and one back: with the squared error it spans what PCA spans
                (Baldi and Hornik 1989, Neural Networks 2, 53-58)
    dense       up to six layers of units, mirrored on the way back (Hinton and Salakhutdinov 2006, Science 313, 504)
    conv        3 x 3 filters; each layer halves the side, by its stride or by pooling, and the decoder doubles it, by
                transposed convolutions (which weave a checkerboard) or by upsampling (Odena et al. 2016, Distill)
    recurrent   GRU or LSTM that reads a sequence, or an image row by row, into its last state; the decoder is fed the
                code at each step (Sutskever et al. 2014, arXiv 1409.3215; Cho et al. 2014, arXiv 1406.1078)

A `Path` is a row of stops: each a layer with its activation, which knows its name and the shape that leaves it. That is
all a model card, a histogram of activations or layer-wise training needs to know. Tied weights are one tensor: the
decoder's layer reads the encoder's, transposed, and owns only its bias.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from playground import fast, nets
from playground.config import Config, ConfigError, knob
from playground.data.base import DataSet
from playground.families.base import Piece
from playground.recurrent import Image, Recurrent, Repeat, Rows, blank

Body = Literal["linear", "dense", "conv", "recurrent"]
Activation = Literal["elu", "selu", "relu", "gelu", "tanh"]

NET = "Network"
BESIDE = 10  # steps between two measurements of what bfloat16 does to the loss; rows are logged that often
ACTIVATIONS = nets.ACTIVATIONS | {"selu": F.selu, "sigmoid": torch.sigmoid, "none": lambda x: x}
# Variance kept from layer to layer: Kaiming's rule for those that cut half away, 1/inputs for the others.
GAINS = {"relu": 1.0, "elu": 1.0, "gelu": 1.0}


def precision_knob(group: str) -> Any:
    """Declare the field that says in which arithmetic the layers compute."""
    return knob(
        "float32", "Arithmetic of the layers. bfloat16 keeps 8 bits of each number and is faster where the device has "
        "it (else float32 goes on); watch what it does to the loss.", short="prec", group=group, live=True,
        paper="Kalamkar et al. 2019, arXiv 1905.12322",
    )  # fmt: skip


class BodySettings(Config):
    """What every coding family can set on its networks."""

    # fmt: off
    body: Body = knob("dense", "What encoder and decoder are made of: one matrix each, layers of units, filters that "
        "slide over images, or a recurrent net that reads row by row.", short="body", group=NET,
        choice_labels=("linear", "dense", "convolutional", "recurrent"))
    codings: int = knob(2, "Numbers that an item is squeezed into; 2 can be drawn as a map as they are.",
        short="code", group=NET, low=1, high=256, scale="log")
    layers: int = knob(2, "Hidden layers on the way to the codings; the decoder has the same in reverse.",
        short="nl", group=NET, label="Hidden layers", low=1, high=6, needs=("body", ("dense", "recurrent")))
    width1: int = knob(128, "Units in the first hidden layer.", short="w1", group=NET, label="Units in layer 1",
        low=1, high=1024, scale="log", needs=("depth", (1, 2, 3, 4, 5, 6)))
    width2: int = knob(64, "Units in the second hidden layer.", short="w2", group=NET, label="Units in layer 2",
        low=1, high=1024, scale="log", needs=("depth", (2, 3, 4, 5, 6)))
    width3: int = knob(32, "Units in the third hidden layer.", short="w3", group=NET, label="Units in layer 3",
        low=1, high=1024, scale="log", needs=("depth", (3, 4, 5, 6)))
    width4: int = knob(32, "Units in the fourth hidden layer.", short="w4", group=NET, label="Units in layer 4",
        low=1, high=1024, scale="log", needs=("depth", (4, 5, 6)))
    width5: int = knob(32, "Units in the fifth hidden layer.", short="w5", group=NET, label="Units in layer 5",
        low=1, high=1024, scale="log", needs=("depth", (5, 6)))
    width6: int = knob(32, "Units in the sixth hidden layer.", short="w6", group=NET, label="Units in layer 6",
        low=1, high=1024, scale="log", needs=("depth", (6,)))
    activation: Activation = knob("elu", "Bend after each hidden layer.", short="act", group=NET,
        needs=("body", ("dense", "conv")), paper="Klambauer et al. 2017, arXiv 1706.02515",
        choice_labels=("ELU", "SELU", "ReLU", "GELU", "tanh"))
    conv_layers: int = knob(2, "Convolutions on the way to the codings; each halves the side of the image.", short="cl",
        group=NET, label="Convolutions", low=1, high=5, needs=("body", ("conv",)))
    maps: int = knob(16, "Feature maps of the first convolution; each further one has twice as many.", short="maps",
        group=NET, label="Feature maps", low=1, high=64, scale="log", needs=("body", ("conv",)))
    down: Literal["strided", "pooling"] = knob("strided", "What halves the image: a filter that moves two pixels at "
        "a time, or the largest of each 2 × 2.", short="down", group=NET, label="Halving", needs=("body", ("conv",)),
        paper="Springenberg et al. 2014, arXiv 1412.6806")
    up: Literal["transpose", "upsampling"] = knob("transpose", "What doubles it again: a convolution turned round, or "
        "repeated pixels and a convolution.", short="up", group=NET, label="Doubling", needs=("body", ("conv",)),
        choice_labels=("transposed", "upsampling"), paper="Odena et al. 2016, Distill")
    cell: Literal["gru", "lstm"] = knob("gru", "Kind of recurrent layer.", short="cell", group=NET,
        needs=("body", ("recurrent",)), choice_labels=("GRU", "LSTM"),
        paper="Cho et al. 2014, arXiv 1406.1078; Hochreiter and Schmidhuber 1997")
    # fmt: on

    @property
    def depth(self) -> int:
        """How many hidden layers have a width of their own."""
        return self.layers if self.body in ("dense", "recurrent") else 0

    @property
    def widths(self) -> list[int]:
        """The units of each hidden layer, outermost first."""
        return [getattr(self, f"width{i + 1}") for i in range(self.depth)]


def check(c: BodySettings, data: DataSet) -> None:
    """Raise `ConfigError` where a body cannot read items of this kind."""
    if c.body == "conv" and data.kind != "images":
        raise ConfigError(f"Convolutions read images, and {data.title} is {data.kind}: choose another body.")
    if c.body == "recurrent" and data.kind not in ("images", "sequences"):
        raise ConfigError(f"A recurrent net reads images or sequences, and {data.title} is {data.kind}: choose dense.")


# -- paths ------------------------------------------------------------------------------------------------------------


class Stop(nn.Module):
    """A layer with the activation after it; `shape` is what leaves it, without the batch."""

    def __init__(self, name: str, layer: nn.Module, shape: Sequence[int], act: str = "none", note: str = "") -> None:
        super().__init__()
        self.name, self.layer, self.shape, self.act, self.note = name, layer, tuple(shape), act, note

    @property
    def weight(self) -> Tensor:
        """The weight of a fully connected layer, (out, in)."""
        assert isinstance(self.layer, (nets.Linear, TiedLinear))
        return self.layer.weight

    @property
    def hidden(self) -> bool:
        """Whether what leaves it counts as a hidden layer's output."""
        return self.act != "none" or isinstance(self.layer, Recurrent)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = ACTIVATIONS[self.act](self.layer(x))
        return y


class Path(nn.Module):
    """Stops one after the other: an encoder or a decoder. `start` is the shape that enters."""

    def __init__(self, part: str, start: Sequence[int], stops: Sequence[Stop]) -> None:
        super().__init__()
        self.part, self.start, self.row = part, tuple(start), tuple(stops)
        self.stops = nn.ModuleList(stops)  # so that PyTorch knows them

    def forward(self, x: Tensor) -> Tensor:  # (B, *shape) -> (B, *shape of the last stop)
        for stop in self.row:
            x = stop(x)
        return x

    def watch(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the output and what each hidden layer put out on the way, (B, units) by name."""
        seen: dict[str, Tensor] = {}
        for stop in self.row:
            x = stop(x)
            if stop.hidden:
                seen[f"{self.part.capitalize()} {len(seen) + 1}"] = x.flatten(1)
        return x, seen

    def layout(self) -> list[Piece]:
        """Return each stop for the model card."""
        return [
            Piece(self.part, stop.name, stop.shape, sum(p.numel() for p in stop.parameters()), stop.note)
            for stop in self.row
        ]

    def filters(self, shape: Sequence[int]) -> Tensor | None:
        """Return the first layer's weights (units, *shape of what a unit sees), detached; None where it has none."""
        first = next(m for m in self.modules() if any(True for _ in m.parameters(recurse=False)))
        if isinstance(first, nets.Linear):
            return first.weight.detach().view(-1, *shape)
        return first.weight.detach() if isinstance(first, nn.Conv2d) else None

    def words(self) -> str:
        """Say in words what it is: the sizes on the way, the activations, the parameter count."""
        sizes = [" × ".join(str(n) for n in shape) for shape in (self.start, *(stop.shape for stop in self.row))]
        cells = {type(stop.layer.cell).__name__ for stop in self.row if isinstance(stop.layer, Recurrent)}
        acts = sorted(cells | {stop.act for stop in self.row} - {"none"})
        count = sum(p.numel() for p in self.parameters())
        return ", ".join([" → ".join(sizes), *acts, f"{count:,} parameters"])

    @property
    def levels(self) -> list[Stop]:
        """The stops with fully connected weights, in the order they are passed."""
        return [stop for stop in self.row if isinstance(stop.layer, (nets.Linear, TiedLinear))]


class TiedLinear(nn.Module):
    """A linear layer whose weight is another's, transposed: one tensor, two uses. The bias is its own."""

    def __init__(self, twin: nets.Linear) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(twin.in_features, device=twin.weight.device))
        self._twin = (twin,)  # in a tuple, so that the weight is registered once

    @property
    def weight(self) -> Tensor:
        """The twin's weight as this layer uses it, (out, in)."""
        return self._twin[0].weight.T

    def forward(self, x: Tensor) -> Tensor:  # (B, in) -> (B, out)
        return F.linear(x, self.weight, self.bias)


# -- encoder and decoder ----------------------------------------------------------------------------------------------


def encoder(shape: Sequence[int], c: BodySettings, outputs: int, generator: torch.Generator) -> Path:
    """Return the way from items (n, *shape) to (n, outputs) numbers, on the generator's device."""
    if c.body == "conv":
        return Path("encoder", shape, halving(shape, c, outputs, generator))
    if c.body == "recurrent":
        return Path("encoder", shape, reading(shape, c, outputs, generator))
    numbers = math.prod(shape)
    flat = [Stop("Flatten", nn.Flatten(), (numbers,))] if len(shape) > 1 else []
    return Path("encoder", shape, flat + dense([numbers, *c.widths, outputs], c.activation, generator))


def decoder(
    shape: Sequence[int], c: BodySettings, inputs: int, generator: torch.Generator, tied: Path | None = None
) -> Path:
    """Return the way from codes (n, inputs) to items (n, *shape); `tied` to a dense encoder, it has its weights."""
    if c.body == "conv":
        return Path("decoder", (inputs,), doubling(shape, c, inputs, generator))
    if c.body == "recurrent":
        return Path("decoder", (inputs,), writing(shape, c, inputs, generator))
    sizes = [inputs, *reversed(c.widths), math.prod(shape)]
    stops = dense(sizes, c.activation, generator) if tied is None else mirror(tied, c.activation)
    full = [Stop("Unflatten", nn.Unflatten(1, tuple(shape)), shape)] if len(shape) > 1 else []
    return Path("decoder", (inputs,), stops + full)


# -- linear and dense -------------------------------------------------------------------------------------------------


def dense(sizes: Sequence[int], activation: str, generator: torch.Generator) -> list[Stop]:
    """Return fully connected layers of `sizes`, with the activation after all but the last."""
    pairs = list(itertools.pairwise(sizes))
    acts = [activation] * (len(pairs) - 1) + ["none"]
    return [
        Stop("Linear", linear(i, o, act, generator), (o,), act, "" if act == "none" else act)
        for (i, o), act in zip(pairs, acts, strict=True)
    ]


def mirror(path: Path, activation: str) -> list[Stop]:
    """Return the layers that undo an encoder's with its own weights, innermost first."""
    levels = path.levels
    stops = []
    for i, level in reversed(list(enumerate(levels))):
        assert isinstance(level.layer, nets.Linear)
        act, note = activation if i else "none", f"tied to the encoder's layer {i + 1}"
        stops.append(Stop("Linear, tied", TiedLinear(level.layer), (level.layer.in_features,), act, note))
    return stops


def linear(inputs: int, outputs: int, act: str, generator: torch.Generator) -> nets.Linear:
    """Return a linear layer that starts with the variance its activation wants."""
    return nets.Linear(inputs, outputs, "kaiming", GAINS.get(act, math.sqrt(0.5)), generator)


# -- convolutional ----------------------------------------------------------------------------------------------------


def stages(shape: Sequence[int], c: BodySettings) -> list[tuple[int, int, int]]:
    """Return maps, height and width of an image and of what leaves each convolution: half the side, rounded up."""
    found = [(shape[0], shape[1], shape[2])]
    for i in range(c.conv_layers):
        _, high, wide = found[-1]
        found.append((c.maps * 2**i, (high + 1) // 2, (wide + 1) // 2))
    return found


def halving(shape: Sequence[int], c: BodySettings, outputs: int, generator: torch.Generator) -> list[Stop]:
    """Return the convolutional encoder's stops."""
    stops = []
    for before, after in itertools.pairwise(stages(shape, c)):
        if c.down == "strided":
            name, layer = "Conv 3 × 3, stride 2", conv(before[0], after[0], c.activation, generator, stride=2)
        else:
            pool = nn.MaxPool2d(2, ceil_mode=True)
            name = "Conv 3 × 3, max pool 2"
            layer = nn.Sequential(conv(before[0], after[0], c.activation, generator), pool)
        stops.append(Stop(name, layer, after, c.activation, c.activation))
    numbers = math.prod(stops[-1].shape)
    return [*stops, Stop("Flatten", nn.Flatten(), (numbers,)), *dense([numbers, outputs], "none", generator)]


def doubling(shape: Sequence[int], c: BodySettings, inputs: int, generator: torch.Generator) -> list[Stop]:
    """Return the convolutional decoder's stops."""
    *_, smallest = steps = stages(shape, c)
    numbers = math.prod(smallest)
    first = Stop("Linear", linear(inputs, numbers, c.activation, generator), (numbers,), c.activation, c.activation)
    stops = [first, Stop("Unflatten", nn.Unflatten(1, smallest), smallest)]
    for before, after in itertools.pairwise(reversed(steps)):
        act = "none" if after is steps[0] else c.activation
        size = after[1:]
        if c.up == "transpose":
            odd = tuple(1 - side % 2 for side in size)  # 4 becomes 7 or 8
            name = "Transposed conv 3 × 3, stride 2"
            layer = conv(before[0], after[0], act, generator, fast.Doubling, stride=2, output_padding=odd)
        else:
            name = "Upsample, conv 3 × 3"
            layer = nn.Sequential(nn.Upsample(size), conv(before[0], after[0], act, generator))
        stops.append(Stop(name, layer, after, act, "" if act == "none" else act))
    return stops


def conv(
    inputs: int,
    outputs: int,
    act: str,
    generator: torch.Generator,
    kind: type[nn.Conv2d] | type[nn.ConvTranspose2d] = nn.Conv2d,
    **how: Any,
) -> nn.Module:
    """Return a 3 x 3 convolution that starts with the variance its activation wants, its values from `generator`."""
    layer = blank(lambda: kind(inputs, outputs, 3, padding=1, **how), generator.device)
    seen = inputs * 9 / (1 if kind is nn.Conv2d else 4)  # turned round, a pixel meets a quarter of the filter
    nn.init.normal_(layer.weight, 0.0, GAINS.get(act, math.sqrt(0.5)) * math.sqrt(2 / seen), generator=generator)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


# -- recurrent --------------------------------------------------------------------------------------------------------


def sequence(shape: Sequence[int]) -> tuple[int, int]:
    """Return steps and numbers a step of an item: an image's rows, or a sequence as it is."""
    return (shape[0], shape[1]) if len(shape) == 2 else (shape[1], shape[0] * shape[2])


def reading(shape: Sequence[int], c: BodySettings, outputs: int, generator: torch.Generator) -> list[Stop]:
    """Return the recurrent encoder's stops: sequence to vector."""
    steps, numbers = sequence(shape)
    stops = [Stop("Rows", Rows(), (steps, numbers))] if len(shape) == 3 else []
    for i, (before, units) in enumerate(itertools.pairwise([numbers, *c.widths])):
        last = i == c.depth - 1
        name, left = (f"{c.cell.upper()}, last state", (units,)) if last else (c.cell.upper(), (steps, units))
        stops.append(Stop(name, Recurrent(c.cell, before, units, generator, last), left))
    return [*stops, *dense([c.widths[-1], outputs], "none", generator)]


def writing(shape: Sequence[int], c: BodySettings, inputs: int, generator: torch.Generator) -> list[Stop]:
    """Return the recurrent decoder's stops: vector to sequence."""
    steps, numbers = sequence(shape)
    stops = [Stop("Repeat at each step", Repeat(steps), (steps, inputs))]
    for before, units in itertools.pairwise([inputs, *reversed(c.widths)]):
        stops.append(Stop(c.cell.upper(), Recurrent(c.cell, before, units, generator), (steps, units)))
    stops.append(Stop("Linear at each step", linear(c.widths[0], numbers, "none", generator), (steps, numbers)))
    return [*stops, Stop("Image", Image(shape[0]), shape)] if len(shape) == 3 else stops
