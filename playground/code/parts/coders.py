"""Encoders and decoders of four kinds."""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

if ACTIVATION == "elu":
    bend = nn.ELU()
elif ACTIVATION == "selu":
    bend = nn.SELU()
elif ACTIVATION == "relu":
    bend = nn.ReLU()
elif ACTIVATION == "gelu":
    bend = nn.GELU()
else:
    bend = nn.Tanh()
if ACTIVATION in ("elu", "relu", "gelu"):
    before_bend = 1.0  # larger first weights, since the bend cuts half of the numbers away
else:
    before_bend = math.sqrt(0.5)

without_bend = math.sqrt(0.5)


def first_values(layer, inputs, gain=without_bend):
    """Draw a layer's first weights; each of its outputs is a sum over so many inputs."""
    nn.init.normal_(layer.weight, 0.0, gain * math.sqrt(2 / inputs), generator=init_rng)
    nn.init.zeros_(layer.bias)
    return layer


def dense(sizes):
    """Return linear layers of these sizes with a bend after each but the last."""
    layers = []
    for inputs, outputs in itertools.pairwise(sizes[:-1]):
        layers += [first_values(nn.Linear(inputs, outputs), inputs, before_bend), bend]
    return [*layers, first_values(nn.Linear(*sizes[-2:]), sizes[-2])]


class TiedLinear(nn.Module):
    """A linear layer with another's weight, transposed; the bias is its own."""

    def __init__(self, twin):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(twin.in_features))
        self.twin = (twin,)  # in a tuple, so that the weight counts once

    def forward(self, x):
        return F.linear(x, self.twin[0].weight.T, self.bias)


class Recurrent(nn.Module):
    """A recurrent layer: what it puts out at each step, or its last state alone."""

    def __init__(self, inputs, units, last=False):
        super().__init__()
        if CELL == "gru":
            self.cell = nn.GRU(inputs, units, batch_first=True)
        else:
            self.cell = nn.LSTM(inputs, units, batch_first=True)
        self.last = last
        bound = 1 / math.sqrt(units)
        for p in self.cell.parameters():
            nn.init.uniform_(p, -bound, bound, generator=init_rng)

    def forward(self, x):  # (B, T, F) -> (B, T, units) or (B, units)
        y, _ = self.cell(x)
        return y[:, -1] if self.last else y


class Rows(nn.Module):
    """An image as a sequence of its rows."""

    def forward(self, x):  # (B, C, H, W) -> (B, H, C W)
        return x.transpose(1, 2).flatten(2)


class Repeat(nn.Module):
    """The code at each step."""

    def forward(self, z):  # (B, Z) -> (B, T, Z)
        return z.unsqueeze(1).expand(-1, STEPS_OF_ITEM, -1)


class Image(nn.Module):
    """Rows put together to an image again."""

    def forward(self, x):  # (B, H, C W) -> (B, C, H, W)
        return x.view(*x.shape[:2], SHAPE[0], -1).transpose(1, 2)


def make_encoder(outputs):
    """Return the way from an item to so many numbers."""
    if BODY == "conv":
        layers = []
        for (before, _, _), (after, _, _) in itertools.pairwise(STAGES):
            conv = nn.Conv2d(before, after, 3, padding=1, stride=2 if DOWN == "strided" else 1)
            layers.append(first_values(conv, before * 9, before_bend))
            if DOWN == "pooling":
                layers.append(nn.MaxPool2d(2, ceil_mode=True))
            layers.append(bend)
        numbers = math.prod(STAGES[-1])
        last = first_values(nn.Linear(numbers, outputs), numbers)
        return nn.Sequential(*layers, nn.Flatten(), last)
    elif BODY == "recurrent":
        layers = [Rows()] if KIND == "images" else []
        sizes = [NUMBERS_A_STEP, *WIDTHS]
        for i, (before, units) in enumerate(itertools.pairwise(sizes)):
            layers.append(Recurrent(before, units, last=i == len(WIDTHS) - 1))
        last = first_values(nn.Linear(WIDTHS[-1], outputs), WIDTHS[-1])
        return nn.Sequential(*layers, last)
    else:
        if KIND != "cloud":
            return nn.Sequential(nn.Flatten(), *dense([NUMBERS, *WIDTHS, outputs]))
        return nn.Sequential(*dense([NUMBERS, *WIDTHS, outputs]))


def make_decoder(inputs):
    """Return the way from a code to an item."""
    if BODY == "conv":
        numbers = math.prod(STAGES[-1])
        start = first_values(nn.Linear(inputs, numbers), inputs, before_bend)
        layers = [start, bend, nn.Unflatten(1, STAGES[-1])]
        for (before, _, _), (after, *size) in itertools.pairwise(STAGES[::-1]):
            last = tuple(size) == SHAPE[1:]
            gain = without_bend if last else before_bend
            if UP == "transpose":
                odd = [1 - side % 2 for side in size]
                conv = nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=odd)
                inputs = before * 9 / 4  # a pixel meets a quarter of the filter
                layers.append(first_values(conv, inputs, gain))
            else:
                conv = nn.Conv2d(before, after, 3, padding=1)
                layers += [nn.Upsample(tuple(size)), first_values(conv, before * 9, gain)]
            if not last:
                layers.append(bend)
        return nn.Sequential(*layers)
    elif BODY == "recurrent":
        layers = [Repeat()]
        for before, units in itertools.pairwise([inputs, *WIDTHS[::-1]]):
            layers.append(Recurrent(before, units))
        layers.append(first_values(nn.Linear(WIDTHS[0], NUMBERS_A_STEP), WIDTHS[0]))
        if KIND == "images":
            layers.append(Image())
        return nn.Sequential(*layers)
    elif TIED:
        layers = []
        for level in [layer for layer in encoder if isinstance(layer, nn.Linear)][::-1]:
            layers += [TiedLinear(level), bend]
        if KIND != "cloud":
            layers[-1] = nn.Unflatten(1, SHAPE)
        else:
            layers.pop()
        return nn.Sequential(*layers)
    else:
        if KIND != "cloud":
            return nn.Sequential(*dense([inputs, *WIDTHS[::-1], NUMBERS]), nn.Unflatten(1, SHAPE))
        return nn.Sequential(*dense([inputs, *WIDTHS[::-1], NUMBERS]))
