"""Sequences made by formulas: sines, sawtooth waves, and heartbeats with rare anomalies; shape (T, 1).

    sine  x(t) = a sin(2 pi (k t/T + phase)) + noise
    saw   x(t) = a wave(k t/T + phase) + noise, rising from -1 to 1, falling, or both by turns
    ecg   x(t) = sum over beats b and bumps i of h_i exp(-(t - t_b - d_i)^2 / 2 w_i^2) + noise

The heartbeat's bumps P, Q, R, S, T stand at the angles and have the widths of McSharry et al. 2003 (IEEE Transactions
on Biomedical Engineering 50(3), doi 10.1109/TBME.2003.808805); h_i is that model's a_i b_i^2, over that of R. Watch the
reconstruction errors of the rare beats: an autoencoder has hardly seen them, and so finds them.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from playground.config import knob
from playground.data.base import Items, Kind, Table, split
from playground.rng import fresh


def rows(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Draw even numbers between two ends, (n, 1)."""
    return low + (high - low) * torch.rand(n, 1, generator=generator)


class Sequences(Table):
    """Waves of one channel. A subclass says what they look like."""

    kind: ClassVar[Kind] = "sequences"

    length: int = knob(
        64, "How many numbers a sequence has.", short="len", group="Data", label="Length", low=16, high=256, step=16
    )
    items: int = knob(
        5000, "How many sequences there are; every fifth is held out.", short="items", group="Data", label="Sequences",
        low=500, high=50_000, step=500,
    )  # fmt: skip
    jitter: float = knob(
        0.05, "Standard deviation of the noise on every number.", short="j", group="Data", label="Noise", low=0.0,
        high=0.5, step=0.01,
    )  # fmt: skip

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers in time, one channel."""
        return (self.length, 1)

    @abstractmethod
    def waves(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return a wave (n, length) of each label's class, without noise."""

    def labels(self, generator: torch.Generator) -> Tensor:
        """Return which class each item is of, (items,): all classes equally often."""
        return torch.arange(self.items) % len(self.classes)

    def load(self) -> tuple[Items, Items]:
        """Make all sequences, the same ones every time; four fifths to train on."""
        generator = fresh(0, self.id)
        labels = self.labels(generator)
        x = self.waves(labels, generator)
        x = x + self.jitter * torch.randn(x.shape, generator=generator)
        return split(Items(x[..., None].contiguous(), labels))


class Sines(Sequences):
    """Sine waves, a class a frequency."""

    id: ClassVar[str] = "sines"
    title: ClassVar[str] = "Sine waves"
    about: ClassVar[str] = "Sine waves of one to four periods with any phase: two numbers and a class say it all."
    rank: ClassVar[int] = 30

    @property
    def classes(self) -> tuple[str, ...]:
        """How many periods a sequence holds."""
        return ("1 period", "2 periods", "3 periods", "4 periods")

    def waves(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return sines (n, length) of any phase, heights from 0.5 to 1."""
        turns = torch.arange(self.length) / self.length * (labels[:, None] + 1)
        height, phase = rows(len(labels), 0.5, 1, generator), rows(len(labels), 0, 1, generator)
        return height * (2 * math.pi * (turns + phase)).sin()


class Saw(Sequences):
    """Waves of straight lines, a class a form."""

    id: ClassVar[str] = "saw"
    title: ClassVar[str] = "Sawtooth waves"
    about: ClassVar[str] = "Waves of straight lines that rise, fall or do both: jumps are what smooth decoders blur."
    rank: ClassVar[int] = 31

    @property
    def classes(self) -> tuple[str, ...]:
        """Which way the lines go."""
        return ("rising", "falling", "triangle")

    def waves(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return waves (n, length) of any phase, one to four periods, heights from 0.5 to 1."""
        n = len(labels)
        height, periods = rows(n, 0.5, 1, generator), rows(n, 1, 4, generator)
        phase = rows(n, 0, 1, generator)
        rising = 2 * ((torch.arange(self.length) / self.length * periods + phase) % 1) - 1
        forms = torch.stack([rising, -rising, 2 * rising.abs() - 1])
        return height * forms[labels, torch.arange(n)]


# P, Q, R, S, T: angle in the cycle of a beat, height over R's, width (radians); McSharry et al. 2003, table I.
BUMPS = tuple(
    (angle, a * b * b / (30 * 0.1**2), b)
    for angle, a, b in zip(
        (-math.pi / 3, -math.pi / 12, 0.0, math.pi / 12, math.pi / 2),
        (1.2, -5.0, 30.0, -7.5, 0.75),
        (0.25, 0.1, 0.1, 0.1, 0.4),
        strict=True,
    )
)
BEATS = 3  # a sequence holds, at rest


class Ecg(Sequences):
    """Heartbeats, some of them wrong."""

    id: ClassVar[str] = "ecg"
    title: ClassVar[str] = "Heartbeats"
    about: ClassVar[str] = "ECG-like beats of five bumps each; rare ones come early, fail, or end upside down."
    rank: ClassVar[int] = 32

    length: int = knob(
        128, "How many numbers a sequence has.", short="len", group="Data", label="Length", low=32, high=256, step=16
    )
    rare: float = knob(
        0.06, "Share of the sequences with an anomaly, the three kinds alike.", short="rare", group="Data",
        label="Anomalies", low=0.01, high=0.5, step=0.01,
    )  # fmt: skip

    @property
    def classes(self) -> tuple[str, ...]:
        """The normal beat and what can go wrong with the middle one."""
        return ("normal", "early beat", "missed beat", "T upside down")

    def labels(self, generator: torch.Generator) -> Tensor:
        """Return mostly 0, and a known share of anomalies, their three kinds by turns."""
        bad = max(3, round(self.rare * self.items))
        return torch.where(torch.arange(self.items) < bad, 1 + torch.arange(self.items) % 3, 0)

    def waves(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return sequences (n, length) of about three beats, of any phase and a rate that differs by a tenth."""
        n = len(labels)
        rate, phase = rows(n, 0.9, 1.1, generator), rows(n, -0.35, 0.35, generator)
        height = rows(n, 0.9, 1.1, generator)
        place = (torch.arange(self.length) / self.length - 0.5) * BEATS * rate  # in beats, 0 in the middle
        early, missed, turned = ((labels == kind)[:, None] for kind in (1, 2, 3))
        x = torch.zeros(n, self.length)
        for beat in range(-2, 3):  # those that reach into the sequence
            middle = beat == 0
            angle = 2 * math.pi * (place - phase - beat)  # (n, length)
            if middle:
                angle = angle + early * (2 * math.pi * 0.3)  # 0.3 beats before its time
            for i, (at, bump, width) in enumerate(BUMPS):
                size: Tensor | float = bump
                wide: Tensor | float = width
                if middle:  # an early beat starts in the ventricles: no P, and wide
                    size = bump * torch.where(
                        missed | (early & (i == 0)), 0.0, torch.where(turned & (i == 4), -1.0, 1.0)
                    )
                    wide = width * torch.where(early, 2.0, 1.0)
                x += size * (-((angle - at) / wide).square() / 2).exp()
        return height * x
