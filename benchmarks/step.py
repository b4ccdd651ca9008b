"""Steps a second of the worker's training loop against the loop that tutorials teach, in one run on one machine.

The tutorial's loop: nn.Sequential, torch.optim.Adam, two passes of D (real, then fake), backward through everything,
PyTorch's default number of threads. Ours: `playground.engine.loop.Loop`, with its metrics and scores, on one thread.
Both train the same nets (G and D of 3 x 128) on the same ring of eight Gaussians. They take turns in short blocks, and
the ratio is the median over neighbouring blocks. On a machine busy with other things the tutorial's threads wait for
each other and the ratio grows out of proportion: the row on one thread says what is left without that.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.families.gan import Gan
from playground.nets import MLP, SLOPE
from playground.rng import Streams

TARGETS = {64: 2.0, 256: 1.5}
STEPS = 20  # a block: long against the clock, short against what else the machine does
PAIRS, SECONDS = 40, 60.0  # blocks of each loop, fewer where they take longer than this
CHECKED = 20  # steps over which the losses of the two are compared


def experiment(batch: int) -> Experiment:
    """Return the benchmark's experiment: non-saturating loss, Adam, ring of eight."""
    return Experiment(device="cpu").changed(batch=batch)


class Tutorial:
    """The loop of the tutorials, from the same first weights and the same random numbers as `gan`."""

    def __init__(self, setup: Experiment, gan: Gan) -> None:
        self.data, self.model, self.rng = setup.data, gan.config, Streams(setup.seed)
        assert isinstance(gan.g, MLP)
        assert isinstance(gan.d, MLP)
        self.g, self.d = plain(gan.g), plain(gan.d)
        betas = (self.model.beta1, self.model.beta2)
        self.adam_g = torch.optim.Adam(self.g.parameters(), self.model.lr_g, betas)
        self.adam_d = torch.optim.Adam(self.d.parameters(), self.model.lr_d, betas)
        self.loss = nn.BCEWithLogitsLoss()

    def noise(self) -> Tensor:
        """Draw the codes of one batch."""
        return torch.randn(self.model.batch, self.model.noise_dim, generator=self.rng["noise"])

    def step(self) -> tuple[Tensor, Tensor]:
        """Train D, then G, and return their losses."""
        real = self.data.sample(self.model.batch, self.rng["data"])
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)

        self.adam_d.zero_grad()
        loss_d: Tensor = self.loss(self.d(real), ones) + self.loss(self.d(self.g(self.noise()).detach()), zeros)
        loss_d.backward()  # type: ignore[no-untyped-call]
        self.adam_d.step()

        self.adam_g.zero_grad()
        loss_g: Tensor = self.loss(self.d(self.g(self.noise())), ones)
        loss_g.backward()  # type: ignore[no-untyped-call]
        self.adam_g.step()
        return loss_d.detach(), loss_g.detach()


def plain(net: MLP) -> nn.Sequential:
    """Return the same network, same weights, built of nothing but PyTorch's own layers."""
    layers: list[nn.Module] = []
    for linear, inputs, outputs in zip(net.layers, net.sizes[:-1], net.sizes[1:], strict=True):
        copy = nn.Linear(inputs, outputs)
        copy.load_state_dict(linear.state_dict())
        layers += [copy, nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers[:-1])


def pair(batch: int) -> tuple[Tutorial, Loop]:
    """Return both loops at the same starting point."""
    setup = experiment(batch)
    loop = Loop(setup)
    assert isinstance(loop.family, Gan)
    return Tutorial(setup, loop.family), loop


def greatest_difference(batch: int) -> float:
    """Return by how much the losses of the two loops differ at most over 20 steps."""
    tutorial, loop = pair(batch)
    worst = 0.0
    for _ in range(CHECKED):
        losses = tutorial.step()
        loop.advance()
        loop.flush()
        ours = loop.metrics["loss/d"], loop.metrics["loss/g"]
        worst = max(worst, *(abs(a.item() - b) for a, b in zip(losses, ours, strict=True)))
    return worst


def seconds(steps: Callable[[], object], threads: int) -> float:
    """Return the wall time of a call at that number of threads."""
    torch.set_num_threads(threads)
    start = time.perf_counter()
    steps()
    return time.perf_counter() - start


def race(batch: int, threads: int) -> list[tuple[float, float, float]]:
    """Return seconds a step of neighbouring blocks: tutorial, tutorial on one thread, ours."""
    tutorial, loop = pair(batch)

    def lesson() -> None:
        for _ in range(STEPS):
            tutorial.step()

    def ours() -> None:
        loop.advance(STEPS)

    times: list[tuple[float, float, float]] = []
    end = time.perf_counter() + SECONDS
    while len(times) < 3 or (len(times) <= PAIRS and time.perf_counter() < end):
        block = seconds(lesson, threads), seconds(lesson, 1), seconds(ours, 1)
        times.append((block[0] / STEPS, block[1] / STEPS, block[2] / STEPS))
    return times[1:]  # the first block warms up


def rows() -> Iterator[dict[str, Any]]:
    """Measure, and yield rows as `python -m playground bench` prints them."""
    threads = torch.get_num_threads()
    try:
        for batch, target in TARGETS.items():
            difference = greatest_difference(batch)
            yield {
                "name": f"losses against a plain loop, {CHECKED} steps, batch {batch}",
                "value": difference,
                "target": "at most 1e-05",
                "ok": difference <= 1e-5,
            }
            times = race(batch, threads)
            default, single, ours = (1 / statistics.median(column) for column in zip(*times, strict=True))
            ratio = statistics.median(default / ours for default, _, ours in times)
            yield {
                "name": f"steps a second over the tutorial's loop, batch {batch}",
                "value": ratio,
                "target": f"at least {target:g}",
                "ok": ratio >= target,
                "unit": "times",
                "note": f"{ours:.0f} against {default:.0f} steps/s on {threads} threads, {len(times)} pairs of blocks",
            }
            yield {
                "name": f"the same with the tutorial's loop on one thread, batch {batch}",
                "value": statistics.median(single / ours for _, single, ours in times),
                "target": "",
                "ok": None,
                "unit": "times",
                "note": f"{single:.0f} steps/s; steadier on a busy machine, where threads wait for each other",
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
