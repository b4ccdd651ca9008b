"""Seconds an epoch of the worker's training loop against loops and trainers that people use, in one run, on one thread.

The tutorial's loop: nn.Module, DataLoader over a TensorDataset (items collated one by one), torch.optim.Adam, the loss
read at every step. PyTorch Lightning's Trainer and pythae's BaseTrainer (`benchmarks.trainers`) train the same modules
where they are installed. Ours: `playground.engine.loop.Loop` with its metrics and scores; data and order stay on the
device. Same model, same batch of 128, 8,000 images of 28 x 28 (MNIST's where `PLAYGROUND_DATA` has them, else random
pixels: arithmetic does not care).

They take turns of 10 steps within one thread, the other loop handing over from a hook after its step, so that both meet
the same moments of a busy machine. What counts is the processor time of that thread (`time.thread_time`: both do all
their work there, and what other processes take is left out). A ratio is that of windows of 250 steps, four epochs with
all that belongs to them (a score of ours, the other's starts of epochs), and the row the median window; the first, with
all that is done once, is dropped. Half of the dense VAE's epoch in the tutorial is collating, many small updates and
products that AVX-512 does in half the time; a convolutional autoencoder is bound by its arithmetic. A last row gives
the tutorial's loop all of the processor's cores, by the clock: it helps on an idle machine and hurts on a busy one.
"""

from __future__ import annotations

import copy
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.trainers import TRAINERS, missing
from playground.coders import ACTIVATIONS
from playground.coders import Path as Coder
from playground.data.archives import available
from playground.data.base import Table
from playground.engine.loop import Loop
from playground.exams_vae import DENSE, Plain, PlainLoop
from playground.experiment import Experiment
from playground.families.autoencoder import Autoencoder
from playground.families.vae import Vae
from playground.fast import Doubling
from playground.nets import Linear

BATCH, EPOCH = 128, 8000 / 128  # images and steps
TURN, WINDOW = 10, 250  # steps
WINDOWS, SECONDS = 10, 60.0  # windows against each opponent, fewer where they take longer than this
PLAIN = "a DataLoader loop"


class Case(NamedTuple):
    """A model twice, as a module with a loss and as our loop, and the share of each opponent's time it may take."""

    name: str
    module: nn.Module
    loop: Loop
    targets: dict[str, float]


@contextmanager
def images() -> Iterator[None]:
    """Have 28 x 28 images under the name of `mnist`: random ones in a folder of their own where none are here."""
    if available("mnist"):
        yield
        return
    before = os.environ.get("PLAYGROUND_DATA")
    with tempfile.TemporaryDirectory() as root:
        (folder := Path(root) / "mnist").mkdir()
        rng = np.random.default_rng(0)
        for name, shape, top in (("images-idx3", (10_000, 28, 28), 256), ("labels-idx1", (10_000,), 10)):
            header = b"\0\0\x08" + bytes([len(shape)]) + np.array(shape, ">u4").tobytes()
            (folder / f"t10k-{name}-ubyte").write_bytes(header + rng.integers(0, top, shape, np.uint8).tobytes())
        os.environ["PLAYGROUND_DATA"] = root
        try:
            yield
        finally:
            os.environ.pop("PLAYGROUND_DATA") if before is None else os.environ.update(PLAYGROUND_DATA=before)


def training_images(loop: Loop) -> Tensor:
    """Return the images that a loop trains on."""
    assert isinstance(loop.data, Table)
    return loop.data.on("cpu")[0].x


def vae() -> Case:
    """Return the dense VAE."""
    settings = {name: value for name, value in DENSE if name in DENSE.model_fields_set}
    loop = Loop(Experiment(family="vae", dataset="mnist", device="cpu").changed(**settings))
    assert isinstance(loop.family, Vae)
    targets = {PLAIN: 0.70, "Lightning's Trainer": 0.55, "pythae's BaseTrainer": 0.55}
    return Case("VAE 784-400-20", Plain(loop.family), loop, targets)


def convolutional() -> Case:
    """Return an autoencoder with two convolutions of 16 and 32 maps."""
    experiment = Experiment(family="autoencoder", dataset="mnist", device="cpu")
    loop = Loop(experiment.changed(body="conv", codings=32, activation="relu", batch=BATCH))
    assert isinstance(loop.family, Autoencoder)
    targets = {PLAIN: 0.95, "Lightning's Trainer": 0.87, "pythae's BaseTrainer": 0.87}
    return Case("convolutional autoencoder", PlainConvolutional(loop.family), loop, targets)


class PlainConvolutional(nn.Module):
    """The autoencoder as tutorials write it, with the squared error."""

    def __init__(self, like: Autoencoder) -> None:
        """Start from the weights of `like`."""
        super().__init__()
        self.into, self.out = (nn.Sequential(*plain(path)) for path in (like.encoder, like.decoder))

    def encode(self, x: Tensor) -> tuple[Tensor]:  # (B, 784) -> codes (B, 32)
        return (self.into(x.view(len(x), 1, 28, 28)),)

    def decode(self, z: Tensor) -> Tensor:  # (B, 32) -> (B, 784)
        return self.out(z).flatten(1)

    def loss(self, x: Tensor) -> Tensor:
        """Return the squared error of images (B, 784), summed over the batch."""
        return (self.decode(*self.encode(x)) - x).square().sum()


class Bend(nn.Module):
    """An activation as a layer."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.act = ACTIVATIONS[name]

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x)


def plain(path: Coder) -> list[nn.Module]:
    """Return a path's layers, same weights, as PyTorch's own."""
    layers: list[nn.Module] = []
    for stop in path.row:
        layer = copy.deepcopy(stop.layer)
        if isinstance(layer, Linear):
            layer = nn.Linear(layer.in_features, layer.out_features)
            layer.load_state_dict(stop.layer.state_dict())
        elif isinstance(layer, Doubling):
            layer.__class__ = nn.ConvTranspose2d
        layers += [layer] if stop.act == "none" else [layer, Bend(stop.act)]
    return layers


class Enough(Exception):
    """All windows are measured."""


class Turns:
    """What the other loop calls after each of its steps: it lets ours have its turn, and keeps the times of both."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.steps = loop, 0
        self.since, self.end = time.thread_time(), time.perf_counter() + SECONDS
        self.theirs = self.ours = 0.0
        self.windows: list[tuple[float, float]] = []  # seconds of the other's and of ours

    def __call__(self) -> None:
        self.steps += 1
        if self.steps % TURN:
            return
        start = time.thread_time()
        self.loop.advance(TURN)
        end = time.thread_time()
        self.theirs, self.ours = self.theirs + start - self.since, self.ours + end - start
        if self.steps % WINDOW == 0:
            self._close()
        self.since = time.thread_time()

    def _close(self) -> None:
        self.windows.append((self.theirs, self.ours))
        self.theirs = self.ours = 0.0
        if len(self.windows) > WINDOWS or (len(self.windows) > 3 and time.perf_counter() > self.end):
            raise Enough


class Handing:
    """A DataLoader that says when the step on a batch is done."""

    def __init__(self, loader: DataLoader[Any], done: Callable[[], None]) -> None:
        self.loader, self.done = loader, done

    def __iter__(self) -> Iterator[Any]:
        for batch in self.loader:
            yield batch
            self.done()


def by_hand(module: nn.Module, x: Tensor, done: Callable[[], None]) -> None:
    """Train as tutorials do, without end; `done` is called after each step."""
    lesson = PlainLoop(module, x)
    lesson.loader = Handing(lesson.loader, done)
    while True:
        lesson.epoch()


def against(case: Case, opponent: str) -> dict[str, Any]:
    """Return the row of a case against one opponent."""
    row = {
        "name": f"{case.name}: seconds an epoch over those of {opponent}",
        "target": f"at most {case.targets[opponent]:g}",
    }
    if cause := missing(opponent):
        return row | {"value": None, "ok": None, "note": cause}
    turns = Turns(case.loop)
    with suppress(Enough):
        (TRAINERS | {PLAIN: by_hand})[opponent](copy.deepcopy(case.module), training_images(case.loop), turns)
    windows = turns.windows[1:]
    theirs, ours = (statistics.median(column) * EPOCH / WINDOW for column in zip(*windows, strict=True))
    ratios = sorted(ours / theirs for theirs, ours in windows)
    ratio = statistics.median(ratios)
    return row | {
        "value": ratio,
        "ok": ratio <= case.targets[opponent],
        "note": f"{ours:.2f} s against {theirs:.2f} s; {ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} windows",
    }


def seconds(epoch: Callable[[], object], threads: int) -> float:
    """Return the wall time of a call at that number of threads."""
    torch.set_num_threads(threads)
    start = time.perf_counter()
    epoch()
    return time.perf_counter() - start


def on_all_cores(case: Case, threads: int) -> dict[str, Any]:
    """Return the row of our loop on one thread against the tutorial's on so many, by the clock."""
    lesson, steps = PlainLoop(copy.deepcopy(case.module), training_images(case.loop)), round(EPOCH)
    times = [(seconds(lesson.epoch, threads), seconds(lambda: case.loop.advance(steps), 1)) for _ in range(4)][1:]
    return {
        "name": f"{case.name}: over that loop's on {threads} threads",
        "value": statistics.median(ours / theirs for theirs, ours in times),
        "target": "",
        "ok": None,
        "note": f"{statistics.median(theirs for theirs, _ in times):.2f} s an epoch by the clock; "
        "on a busy machine threads wait for each other",
    }


def rows() -> Iterator[dict[str, Any]]:
    """Measure, and yield rows as `python -m playground bench` prints them."""
    threads = torch.get_num_threads()
    try:
        with images(), torch.random.fork_rng(devices=[]):
            for case in (vae(), convolutional()):
                torch.set_num_threads(1)
                yield from (against(case, opponent) for opponent in case.targets)
                if threads > 1:
                    yield on_all_cores(case, threads)
    finally:
        torch.set_num_threads(threads)


def main() -> int:
    """Print the table; the exit code says whether all targets were met."""
    good = True
    for row in rows():
        value = "-" if row["value"] is None else f"{row['value']:.3g}"
        print(f"{row['name']:75} {value:>9}  {row['target']:16} {row.get('note', '')}", flush=True)
        good = good and row["ok"] is not False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
