"""What keeping a run costs: writing it down while it trains, opening a million steps, drawing them, listing many runs.

The append is held against what it replaced, a row appended to a plain file a flush; the others are times.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.engine import row
from playground.experiment import Experiment
from playground.store import History, RunFolder, fork
from playground.store.index import Index
from playground.store.keyframes import place
from playground.store.plain import Parts
from playground.store.records import FILE, create
from playground.store.rows import ROW

STEPS, RUNS, WIDTH = 1_000_000, 500, 1000
NAMES = ["loss/d", "loss/g", "score/real", "score/fake", "grad/d", "grad/g"]
LAST = 2**62


def rows() -> Iterator[dict[str, Any]]:
    """Measure, and yield rows as `python -m playground bench` prints them."""
    with tempfile.TemporaryDirectory() as root:
        yield from writing(Path(root) / "writing")
        yield from a_million(Path(root) / "million")
        yield from many(Path(root) / "many")


def writing(root: Path) -> Iterator[dict[str, Any]]:
    """Yield what the training loop pays: rows every 32 steps, a commit twice a second, a moment every 1,000 steps."""
    folder = RunFolder.create(root, Experiment())
    folder.acquire()
    numbers = iter(range(10, 10**9, 10))
    logged = [dict.fromkeys(NAMES, 0.5)] * 3  # 32 steps of which every tenth is logged

    def append() -> None:
        folder.append_train([next(numbers) for _ in logged], logged)

    def commit() -> None:
        for _ in range(20):
            append()
        folder.flush()

    plain = (root / "plain.bin").open("ab", buffering=0)
    with plain:
        before = spent(lambda: written_plainly(plain), 2000)
    each = spent(append, 2000)
    yield row("rows of 32 steps taken in", 1e6 * each, "-", None, unit="us", note=f"a plain file: {1e6 * before:.0f}")
    yield row("a commit of half a second", 1e6 * spent(commit, 50), "-", None, unit="us")
    state = {f"model/{i}": torch.zeros(128, 128) for i in range(8)}
    experiment = Experiment()
    moment = spent(lambda: folder.save_keyframe(next(numbers), state, experiment), 40)
    note = "training goes on meanwhile"
    yield row("a moment of 0.5 MB, flushed to the disk", 1e3 * moment, "-", None, unit="ms", note=note)
    folder.release()


def written_plainly(file: Any) -> None:
    """Append three rows to an open file, as it was done before there was a database."""
    table = np.zeros(3, ROW)
    for i in range(3):
        for j in range(len(NAMES)):
            table["values"][i, j] = 0.5
    file.write(table.tobytes())


def a_million(root: Path) -> Iterator[dict[str, Any]]:
    """Yield what reading a run of a million logged steps takes."""
    folder = RunFolder.create(root, Experiment())
    table = np.zeros(STEPS, ROW)
    table["step"] = np.arange(1, STEPS + 1)
    table["values"] = np.random.default_rng(0).normal(size=(STEPS, ROW["values"].shape[0])).astype(np.float32)
    scores = [{"step": step, **dict.fromkeys(("dist/js", "modes/covered"), 0.5)} for step in range(250, STEPS, 250)]
    (folder.path / FILE).unlink()
    create(folder.path / FILE, Parts(NAMES, 0, table, scores, [{"step": 0, "kind": "start"}]))
    opened = spent(lambda: folder.train_rows(-600), 20)
    yield row("the last 600 rows of a million", 1e3 * opened, "-", None, unit="ms")
    yield row("all of a million rows", 1e3 * spent(folder.train, 3), "-", None, unit="ms")
    for name, low, high in (("all of it", 0, LAST), ("a tenth", 400_000, 500_000), ("a thousandth", 400_000, 401_000)):
        taken = 1e3 * spent(lambda low=low, high=high: folder.window(NAMES, low, high, WIDTH), 20)  # type: ignore[misc]
        yield row(f"a million steps drawn, {name}", taken, "at most 50", taken <= 50, unit="ms")
    taken = 1e3 * spent(lambda: folder.window(["dist/js"], 0, LAST, WIDTH), 20)
    yield row("their scores drawn", taken, "at most 50", taken <= 50, unit="ms", note=f"{len(scores):,} of them")
    yield row("live curves of them, first look", spent(lambda: History(folder).update(), 1), "-", None, unit="s")


def many(root: Path) -> Iterator[dict[str, Any]]:
    """Yield what the table of many runs takes."""
    first = RunFolder.create(root, Experiment())
    first.acquire()
    first.append_train(range(1, 501), [dict.fromkeys(NAMES, 0.5)] * 500)
    first.append_scores(500, {"modes/eight_percent": 8.0, "dist/js": 0.1})
    first.save_keyframe(500, {"model/a": torch.zeros(100)}, Experiment())
    first.release()
    runs = [first, *(fork(first) for _ in range(RUNS - 1))]
    yield row(f"{RUNS} runs listed, anew", spent(Index(root).rows, 1), "-", None, unit="s")
    taken = 1e3 * spent(Index(root).rows, 5)
    yield row(f"{RUNS} runs listed, nothing changed", taken, "at most 500", taken <= 500, unit="ms")
    changed = iter(runs)
    taken = 1e3 * spent(lambda: (next(changed).event(500, "play"), Index(root).rows()), 5)
    yield row(f"{RUNS} runs listed, one changed", taken, "at most 500", taken <= 500, unit="ms")
    assert place(first.path, 500).stat().st_nlink == RUNS, "forks share what they have in common"


def spent(call: Callable[[], object], times: int) -> float:
    """Return the seconds that a call takes, the median of so many."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


if __name__ == "__main__":
    for measured in rows():
        mark = {True: "ok  ", False: "MISS", None: "    "}[measured["ok"]]
        print(f"{mark} {measured['name']:44} {measured['value']:10} {measured['unit']:4}", measured["note"])
