"""What a worker adds to training - scores, rows, moments, frames - over a bare loop of the same steps, in one process.

`engine.py` measures the same across processes by the clock, which on a shared machine moves by a twentieth either way.
Here both train in one thread in turns of 50 ms and only processor time counts, so that neither other work nor the
core's mood comes in. The session's own clock stands still during the bare loop's turns: it paints 20 frames and commits
twice in a second of its own. The writing of moments to disk by a thread of its own is not counted.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.engine import Bare, experiment, row
from playground.engine import session
from playground.store import RunFolder

TURN = 0.05  # seconds of processor time
BLOCKS, TURNS = 8, 20  # a ratio is taken over a block of so many turns each; the median of the blocks counts
SESSIONS = 3  # one after another: where in memory a net comes to lie makes 0.3 % alone
FPS = 20
OPENED = ("real", "fake", "surface")  # the layers that the lab's stage opens with
CASES: tuple[tuple[str, Sequence[str], float], ...] = (
    ("session over bare loop, nobody watching", (), 0.98),
    ("session over bare loop, the lab's stage watched at 20 frames/s", OPENED, 0.95),
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
        for name, layers, least in CASES:
            found = [measured(layers) for _ in range(SESSIONS)]
            ratios = [ratio for some, _ in found for ratio in some]
            middle, frames = statistics.median(ratios), statistics.fmean(rate for _, rate in found)
            medians = ", ".join(f"{statistics.median(some):.3f}" for some, _ in found)
            note = f"of {SESSIONS} sessions: {medians}" + (f"; {frames:.1f} frames/s" if layers else "")
            yield row(name, middle, f"at least {least:g}", middle >= least, unit="times", note=note)
    finally:
        torch.set_num_threads(threads)


def measured(layers: Sequence[str]) -> tuple[list[float], float]:
    """Return steps a second of the session over those of the bare loop, block by block, and frames a second."""
    clock, commands = Clock(), Turn()
    with tempfile.TemporaryDirectory() as root, patch.object(session, "time", clock):
        folder = RunFolder.create(Path(root), experiment())
        ours = session.Session(
            lambda _: None, commands, lambda _: None, experiment=experiment().to_json(), folder=str(folder.path)
        )
        bare = Bare(experiment())
        ours.play()
        if layers:
            ours.watch(list(layers), FPS)

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
            pairs = [(session_turn(), bare_turn()) for _ in range(TURNS)]
            (a, b), (c, d) = ([sum(column) for column in zip(*side, strict=True)] for side in zip(*pairs, strict=True))
            return float(a / b / (c / d))

        gc.collect()
        gc.freeze()  # as a worker does
        block()  # the first second has more moments and rows than any after it
        frames, since = ours.number, clock.perf_counter()
        ratios = [block() for _ in range(BLOCKS)]
        rate = (ours.number - frames) / (clock.perf_counter() - since)
        ours.close()
        gc.unfreeze()
    return ratios, rate


if __name__ == "__main__":
    for told in rows():
        mark = "ok  " if told["ok"] else "MISS"
        print(f"{mark} {told['name']:64} {told['value']:8} {told['target']:14}", told["note"])
