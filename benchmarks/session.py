"""What a worker adds to training - scores, rows, moments, frames - over a bare loop of the same steps, in one process.

`engine.py` measures the same across processes by the clock, where two equal loops may differ by 3 %. Here both
train in one thread in turns of 50 ms and only processor time counts, so that neither other work nor the core's mood
comes in. What the session's other threads do (they write moments to disk) counts against it too. The session's own
clock stands still during the bare loop's turns: it paints 20 frames and commits twice in a second of its own.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import torch

from benchmarks.engine import Bare, experiment, images, ratio
from playground.engine import session
from playground.engine.frames import LAYERS
from playground.engine.samples import Samples
from playground.experiment import Experiment
from playground.store import RunFolder

TURN = 0.05  # seconds of processor time
FPS = 20
OPENED = ("real", "fake", "surface")  # the layers that the lab's stage opens with


class Case(NamedTuple):
    """What is measured: the median ratio over blocks of so many turns each; a block is long enough to hold a score."""

    name: str
    experiment: Experiment
    layers: Sequence[str]  # that are watched
    least: float
    sessions: int = 3  # one after another: where in memory a net comes to lie makes 0.3 % alone
    blocks: int = 8
    turns: int = 20


CASES = (
    Case("session over bare loop, nobody watching", experiment(), (), 0.98),
    Case("the same, the lab's stage watched at 20 frames/s", experiment(), OPENED, 0.95),
    Case("the same, all seven layers watched", experiment(), LAYERS, 0.95),
    Case("image GAN's session over bare loop, its wall watched", images(), Samples.layers, 0.95, 1, 3, 200),
)


class Clock:
    """The session's clock: processor time outside of the bare loop's turns."""

    process_time = staticmethod(time.process_time)

    def __init__(self) -> None:
        self.others = 0.0

    def perf_counter(self) -> float:
        """Return the seconds that were the session's."""
        return time.thread_time() - self.others


class Turn(deque[dict[str, Any]]):
    """A queue of commands that seems to hold one when the turn is over, so that the session looks up."""

    end = 0.0

    def __len__(self) -> int:
        return int(time.thread_time() >= self.end)


def rows() -> Iterator[dict[str, Any]]:
    """Measure, and yield rows as `python -m playground bench` prints them."""
    threads = torch.get_num_threads()
    try:
        for case in CASES:
            found = [measured(case) for _ in range(case.sessions)]
            ratios = [ratio for some, _ in found for ratio in some]
            middle, frames = statistics.median(ratios), statistics.fmean(rate for _, rate in found)
            medians = ", ".join(f"{statistics.median(some):.3f}" for some, _ in found)
            note = f"of {case.sessions} sessions: {medians}" + (f"; {frames:.1f} frames/s" if case.layers else "")
            yield ratio(case.name, middle, case.least, note)
    finally:
        torch.set_num_threads(threads)


def other_threads() -> float:
    """Return the seconds of processor time that went into threads of this process other than this one."""
    return time.process_time() - time.thread_time()


def measured(case: Case) -> tuple[list[float], float]:
    """Return steps a second of the session over those of the bare loop, block by block, and frames a second."""
    clock, commands = Clock(), Turn()
    with tempfile.TemporaryDirectory() as root, patch.object(session, "time", clock):
        folder = RunFolder.create(Path(root), case.experiment)
        ours = session.Session(
            lambda _: None, commands, lambda _: None, experiment=case.experiment.to_json(), folder=str(folder.path)
        )
        bare = Bare(case.experiment)
        ours.play()
        if case.layers:
            ours.watch(list(case.layers), FPS)

        def session_turn() -> tuple[int, float]:
            step, start = ours.loop.step, time.thread_time()
            commands.end = start + TURN
            while not commands:
                ours.work()
            return ours.loop.step - step, time.thread_time() - start

        def bare_turn() -> tuple[int, float]:
            """Do as many steps; after each this loop asks the clocks too, which are dearer than those of a real run."""
            count, start = 0, time.thread_time()
            commands.end = start + TURN
            while not commands:
                bare.step()
                clock.perf_counter()
                count += 1
            used = time.thread_time() - start
            clock.others += used
            return count, used

        def block() -> float:
            """Return the ratio over so many turns each."""
            before = other_threads()
            pairs = [(session_turn(), bare_turn()) for _ in range(case.turns)]
            (a, b), (c, d) = ([sum(column) for column in zip(*side, strict=True)] for side in zip(*pairs, strict=True))
            return float(a / (b + other_threads() - before) / (c / d))

        gc.collect()
        gc.freeze()  # as a worker does
        block()  # the first second has more moments and rows than any after it
        frames, since = ours.number, clock.perf_counter()
        ratios = [block() for _ in range(case.blocks)]
        rate = (ours.number - frames) / (clock.perf_counter() - since)
        ours.close()
        gc.unfreeze()
    return ratios, rate


if __name__ == "__main__":
    for told in rows():
        mark = "ok  " if told["ok"] else "MISS"
        print(f"{mark} {told['name']:64} {told['value']:8} {told['target']:14}", told["note"])
