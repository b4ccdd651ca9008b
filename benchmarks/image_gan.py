"""What a step of a DCGAN on 28 x 28 costs against a plain PyTorch loop, and what it learns within minutes.

The plain loop: nn.Sequential of PyTorch's own layers with nn.BatchNorm2d, torch.optim.Adam, D in training mode all the
way, from the same first weights and the same random numbers: the losses must agree. Ours is the worker's loop with its
metrics. They take turns in short blocks on one thread, and a ratio is the median over neighbouring blocks; further
rows say what bfloat16, a second thread and PyTorch's channels-last layout make of a step.

`--minutes 10 --sheet digits.png` trains the preset `image-mnist` on the real digits for so many minutes of processor
time on one thread (of a quiet machine: by the clock) and prints what the app's own classifier makes of its fakes.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from playground import film, nets
from playground.coders import Path as Way
from playground.conv_nets import BatchNorm
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.families.gan import Gan
from playground.fast import use_threads
from playground.presets import preset
from playground.rng import Streams, fresh

STEPS, PAIRS, SECONDS = 4, 15, 30.0  # steps a block; blocks of each, fewer where they take longer than this
CHECKED = 5  # steps over which the losses of the two are compared
AGREE = 1e-4
TARGET = 1.05  # of the plain loop's time
BENDS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU, "leaky-relu": lambda: nn.LeakyReLU(nets.SLOPE), "tanh": nn.Tanh, "none": nn.Identity,
}  # fmt: skip


def experiment(maps: int = 32, **values: Any) -> Experiment:
    """Return the benchmark's experiment: a DCGAN by its guidelines on printed digits."""
    chosen = {"body": "dcgan", "maps": maps, "noise_dim": 64, "batch": 64, "lr_d": 2e-4, "lr_g": 2e-4} | values
    return Experiment(device="cpu").on("font-digits").changed(**chosen)


class Plain:
    """The loop of the tutorials on the same model."""

    def __init__(self, setup: Experiment, gan: Gan, layout: torch.memory_format = torch.contiguous_format) -> None:
        self.gan, self.rng, self.taken = gan, Streams(setup.seed), 0
        self.g, self.d = (plain(net).to(memory_format=layout) for net in (gan.g, gan.d))
        c = gan.config
        self.adam_g = torch.optim.Adam(self.g.parameters(), c.lr_g, (c.beta1, c.beta2))
        self.adam_d = torch.optim.Adam(self.d.parameters(), c.lr_d, (c.beta1, c.beta2))
        self.loss = nn.BCEWithLogitsLoss()

    def step(self) -> tuple[Tensor, Tensor]:
        """Train D, then G, and return their losses."""
        real = self.gan.take(self.gan.rows, self.taken, self.rng)
        self.taken += len(real)
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)

        self.adam_d.zero_grad()
        fake = self.g(self.gan.noise(len(real), self.rng["noise"])).detach()
        loss_d: Tensor = self.loss(self.d(real), ones) + self.loss(self.d(fake), zeros)
        loss_d.backward()  # type: ignore[no-untyped-call]
        self.adam_d.step()

        self.adam_g.zero_grad()
        loss_g: Tensor = self.loss(self.d(self.g(self.gan.noise(len(real), self.rng["noise"]))), ones)
        loss_g.backward()  # type: ignore[no-untyped-call]
        self.adam_g.step()
        return loss_d.detach(), loss_g.detach()


def plain(net: nn.Module) -> nn.Sequential:
    """Return the same network, same weights, built of nothing but PyTorch's own layers."""
    assert isinstance(net, Way)
    layers: list[nn.Module] = []
    for stop in net.row:
        parts = stop.layer if isinstance(stop.layer, nn.Sequential) else [stop.layer]
        layers += [own(part) for part in parts] + [BENDS[stop.act]()]
    return nn.Sequential(*layers)


def own(layer: nn.Module) -> nn.Module:
    """Return PyTorch's own layer with the weights of ours."""
    if isinstance(layer, BatchNorm):
        made: nn.Module = nn.BatchNorm2d(len(layer.weight))
    elif isinstance(layer, nets.Linear):
        made = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
    else:
        return copy.deepcopy(layer)
    made.load_state_dict(dict(layer.named_parameters()), strict=False)
    return made


def pair(**values: Any) -> tuple[Plain, Loop]:
    """Return both loops at the same starting point."""
    setup = experiment(**values)
    loop = Loop(setup)
    assert isinstance(loop.family, Gan)
    return Plain(setup, loop.family), loop


def greatest_difference(**values: Any) -> float:
    """Return by how much the losses of the two loops differ at most over the first steps."""
    lesson, loop = pair(**values)
    worst = 0.0
    for _ in range(CHECKED):
        theirs = lesson.step()
        loop.advance()
        loop.flush()
        ours = loop.metrics["loss/d"], loop.metrics["loss/g"]
        worst = max(worst, *(abs(a.item() - b) for a, b in zip(theirs, ours, strict=True)))
    return worst


def seconds(step: Callable[[], object], threads: int = 1) -> float:
    """Return the wall time of a block of steps."""
    use_threads(threads)
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    return time.perf_counter() - start


def race(*blocks: Callable[[], float]) -> list[tuple[float, ...]]:
    """Return seconds of neighbouring blocks, one of each in turn."""
    times: list[tuple[float, ...]] = []
    end = time.perf_counter() + SECONDS
    while len(times) < 3 or (len(times) <= PAIRS and time.perf_counter() < end):
        times.append(tuple(block() for block in blocks))
    return times[1:]  # the first round warms up


def rows() -> Iterator[dict[str, Any]]:
    """Measure, and yield rows as `python -m playground bench` prints them."""
    threads = torch.get_num_threads()
    try:
        difference = greatest_difference()
        yield {
            "name": f"DCGAN: losses against a plain loop, {CHECKED} steps",
            "value": difference,
            "target": f"at most {AGREE:g}",
            "ok": difference <= AGREE,
        }
        (lesson, loop), half = pair(), Loop(experiment(precision="bfloat16"))
        assert isinstance(loop.family, Gan)
        last = Plain(experiment(), loop.family, torch.channels_last)
        times = race(*(partial(seconds, step) for step in (lesson.step, loop.advance, half.advance, last.step)))
        yield compared("DCGAN: seconds a step over the plain loop's, one thread", times, 1, 0, TARGET)
        yield compared("DCGAN: the same in bfloat16 over float32", times, 2, 1)
        yield compared("DCGAN: the plain loop in channels-last over contiguous", times, 3, 0)
        times = race(partial(seconds, loop.advance), partial(seconds, loop.advance, 2))
        yield compared("DCGAN: two threads over one (on a busy machine they wait for each other)", times, 1, 0)
    finally:
        use_threads(threads)


def compared(name: str, times: list[tuple[float, ...]], a: int, b: int, target: float = 0.0) -> dict[str, Any]:
    """Return the row of column a over column b."""
    ratio = statistics.median(block[a] / block[b] for block in times)
    mine, other = (statistics.median(block[i] for block in times) / STEPS * 1000 for i in (a, b))
    return {
        "name": name,
        "value": ratio,
        "target": f"at most {target:g}" if target else "",
        "ok": ratio <= target if target else None,
        "note": f"{mine:.0f} against {other:.0f} ms a step, {len(times)} rounds of blocks",
    }


def digits(minutes: float, sheet: Path | None) -> Iterator[dict[str, Any]]:
    """Train `image-mnist` for so many minutes of processor time, and yield its scores at marks on the way."""
    start, clock = time.process_time(), time.perf_counter()
    loop = Loop(preset("image-mnist").experiment.changed(device="cpu"))
    z = loop.family.noise(100, fresh(0, "sheet"))
    for mark in (minutes / 10, minutes / 4, minutes / 2, minutes):
        while time.process_time() - start < 60 * mark:
            loop.advance(10)
        scores, spent = loop.score(), (time.process_time() - start) / 60
        note = (
            f"{loop.step:,} steps, {(time.perf_counter() - clock) / 60:.1f} minutes by the clock, "
            f"KL {scores['class/kl']:.3f}, sure {scores['class/sure']:.3f}, "
            f"FID on our features {scores['dist/fid']:.2f}, copies {scores['copies/share']:.3f}"
        )
        covered, whole = scores["class/covered"], mark == minutes
        yield {
            "name": f"MNIST: digits of 10 after {spent:.1f} minutes of processor time",
            "value": covered,
            "target": "10" if whole else "",
            "ok": covered == 10 if whole else None,
            "note": note,
        }
        if sheet:
            film.sheet(loop.family.generate(z).cpu().numpy(), 10).save(sheet)


def main() -> int:
    """Print the table; the exit code says whether all targets were met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.0, help="train the MNIST preset for so many minutes instead")
    parser.add_argument("--sheet", type=Path, help="where the picture of a hundred of its digits goes")
    args = parser.parse_args()
    good = True
    for row in digits(args.minutes, args.sheet) if args.minutes else rows():
        print(f"{row['name']:75} {row['value']:9.3g}  {row['target']:16} {row.get('note', '')}", flush=True)
        good = good and row["ok"] is not False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
