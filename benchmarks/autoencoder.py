"""Seconds an epoch of the worker's training loop against the loop that tutorials teach, in one run on one machine.

The tutorial's loop: nn.Module, DataLoader over a TensorDataset (items collated one by one), torch.optim.Adam, the loss
read at every step. Ours: `playground.engine.loop.Loop` with its metrics and scores; data and order stay on the device.
Same model, same batch of 128, same number of threads (one, as a worker trains), 8,000 images of 28 x 28 (MNIST's where
`PLAYGROUND_DATA` has them, else random pixels: arithmetic does not care). They take turns epoch by epoch, and the ratio
is the median over neighbouring epochs. Half of the dense VAE's epoch in the tutorial is collating, many small updates
and products that AVX-512 does in half the time; a convolutional autoencoder is bound by its arithmetic. A second row
gives the tutorial's loop all of the processor's cores, which helps it on an idle machine and hurts it on a busy one.
"""

from __future__ import annotations

import copy
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from playground.coders import ACTIVATIONS
from playground.coders import Path as Coder
from playground.data.archives import available
from playground.data.base import Table
from playground.engine.loop import Loop
from playground.exams_vae import DENSE, Plain, PlainLoop
from playground.experiment import Experiment
from playground.families.autoencoder import Autoencoder
from playground.families.vae import Vae
from playground.nets import Linear

BATCH, STEPS = 128, 63  # an epoch of 8,000
ROUNDS, SECONDS = 12, 60.0  # epochs of each loop, fewer where they take longer than this
TARGETS = {"VAE 784-400-20": 0.70, "convolutional autoencoder": 0.95}


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


def vae() -> tuple[Callable[[], object], Loop]:
    """Return a tutorial's epoch and our loop, of the dense VAE."""
    settings = {name: value for name, value in DENSE if name in DENSE.model_fields_set}
    loop = Loop(Experiment(family="vae", dataset="mnist", device="cpu").changed(**settings))
    assert isinstance(loop.family, Vae)
    return PlainLoop(Plain(loop.family), training_images(loop)).epoch, loop


def convolutional() -> tuple[Callable[[], object], Loop]:
    """Return a tutorial's epoch and our loop, of an autoencoder with two convolutions of 16 and 32 maps."""
    experiment = Experiment(family="autoencoder", dataset="mnist", device="cpu")
    loop = Loop(experiment.changed(body="conv", codings=32, activation="relu", batch=BATCH))
    assert isinstance(loop.family, Autoencoder)
    net = nn.Sequential(*plain(loop.family.encoder), *plain(loop.family.decoder))
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(training_images(loop)), batch_size=BATCH, shuffle=True)

    def epoch() -> float:
        total = 0.0
        for (x,) in loader:
            adam.zero_grad()
            loss = (net(x) - x).square().sum() / len(x)
            loss.backward()
            adam.step()
            total += loss.item()
        return total

    return epoch, loop


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
        layers += [layer] if stop.act == "none" else [layer, Bend(stop.act)]
    return layers


def seconds(epoch: Callable[[], object], threads: int) -> float:
    """Return the wall time of a call at that number of threads."""
    torch.set_num_threads(threads)
    start = time.perf_counter()
    epoch()
    return time.perf_counter() - start


def race(epoch: Callable[[], object], loop: Loop) -> list[tuple[float, float]]:
    """Return seconds of neighbouring epochs, the tutorial's and ours."""
    times: list[tuple[float, float]] = []
    end = time.perf_counter() + SECONDS
    while len(times) < 3 or (len(times) <= ROUNDS and time.perf_counter() < end):
        times.append((seconds(epoch, 1), seconds(lambda: loop.advance(STEPS), 1)))
    return times[1:]  # the first round warms up


def rows() -> Iterator[dict[str, Any]]:
    """Measure, and yield rows as `python -m playground bench` prints them."""
    threads = torch.get_num_threads()
    try:
        with images(), torch.random.fork_rng(devices=[]):
            for (name, target), pair in zip(TARGETS.items(), (vae, convolutional), strict=True):
                epoch, loop = pair()
                times = race(epoch, loop)
                single, ours = (statistics.median(column) for column in zip(*times, strict=True))
                ratio = statistics.median(ours / single for single, ours in times)
                yield {
                    "name": f"{name}: seconds an epoch over a DataLoader loop's",
                    "value": ratio,
                    "target": f"at most {target:g}",
                    "ok": ratio <= target,
                    "note": f"{ours:.2f} s against {single:.2f} s, both on one thread, {len(times)} pairs of epochs",
                }
                many = statistics.median(seconds(epoch, threads) for _ in range(3))
                yield {
                    "name": f"{name}: the same with that loop on {threads} threads",
                    "value": ours / many,
                    "target": "",
                    "ok": None,
                    "note": f"{many:.2f} s an epoch; on a busy machine threads wait for each other",
                }
    finally:
        torch.set_num_threads(threads)


def main() -> int:
    """Print the table; the exit code says whether all targets were met."""
    good = True
    for row in rows():
        print(f"{row['name']:65} {row['value']:9.3g}  {row['target']:16} {row.get('note', '')}", flush=True)
        good = good and row["ok"] is not False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
