"""What training in a worker, watching it and drawing pages cost, measured on this machine in one run.

By the clock and between two processes: the worker (watched or not) and a bare loop over the same step take turns in
short blocks on one core; the ratio is the median over neighbouring blocks and several workers. The bare loop draws a
batch and does the step, nothing else; the worker's scores, rows and keyframes count against it. Two equal loops in two
processes differ by up to 3 %; `session.py` counts processor time in one process and tells 0.3 % apart.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import uvicorn
from starlette.applications import Starlette
from websockets.sync.client import ClientConnection, connect

from playground.engine import Engine
from playground.engine.frames import LAYERS
from playground.engine.loop import Loop
from playground.engine.samples import Samples
from playground.engine.stream import routes
from playground.experiment import Experiment

WORKERS, PAIRS, BLOCK = 3, 10, 0.6  # so many workers, and with each so many pairs of blocks of so many seconds
TIMES = 9  # how often a delay is measured
STREAMED = 4.0  # seconds of a stream
RERUN = """
import gc, sys, time
import streamlit, torch, plotly.graph_objects
import playground.engine
from streamlit.testing.v1 import AppTest
gc.collect()
if sys.argv[1] == "frozen":
    gc.freeze()
page = AppTest.from_string("import streamlit as st; st.slider('x', 0, 9)").run()
def once():
    start = time.process_time()
    page.run()
    gc.collect(2)  # what Streamlit does after every run
    return time.process_time() - start
print(sorted(once() for _ in range(15))[7])
"""


def experiment() -> Experiment:
    """Return what is trained here: the lab's own default."""
    return Experiment(device="cpu")


def images() -> Experiment:
    """Return an image GAN whose data are made here: a DCGAN on 28 x 28 pixels."""
    settings = {"body": "dcgan", "noise_dim": 64, "batch": 64, "device": "cpu"}
    return Experiment.of("gan").on("font-digits").changed(**settings)


def rows() -> Iterator[dict[str, Any]]:
    """Measure, and yield rows as `python -m playground bench` prints them."""
    with tempfile.TemporaryDirectory() as root, engine_in(Path(root)) as engine:
        yield delay("click to first frame, warm worker", first_frames(engine), 1500)
        yield clocked(engine, "worker over bare loop by the clock, nobody watching", experiment(), (), 0.98)
        yield clocked(engine, "the same, all layers watched, 20 frames/s asked", experiment(), LAYERS, 0.95)
        name = "image GAN's worker over bare loop by the clock, its wall watched"
        yield clocked(engine, name, images(), Samples.layers, 0.95, block=2.0, pairs=3)
        run = engine.prepare(experiment())
        engine.send(run, "play")
        yield delay("pause takes effect", pauses(engine, run), 100)
        yield delay("live edit takes effect", edits(engine, run), 100)
        yield from streamed(engine, run)
    yield from rerun()


@contextmanager
def engine_in(root: Path) -> Iterator[Engine]:
    """Give an engine with a warm worker, shut down afterwards."""
    threads = torch.get_num_threads()
    engine = Engine(root, workers=2, grace=3600)
    engine.launcher.pool.warm(120)
    try:
        yield engine
    finally:
        engine.shutdown()
        torch.set_num_threads(threads)


def row(name: str, value: float, target: str, ok: bool | None, *, unit: str, note: str = "") -> dict[str, Any]:
    """Return a row of the bench table."""
    return {"name": name, "value": round(value, 4), "target": target, "ok": ok, "unit": unit, "note": note}


def delay(name: str, seconds: list[float], most: float) -> dict[str, Any]:
    """Return a row on a delay in milliseconds: the median counts, the note tells the worst."""
    middle = 1000 * statistics.median(seconds)
    return row(name, middle, f"at most {most:g}", middle <= most, unit="ms", note=f"worst {1000 * max(seconds):.0f}")


def ratio(name: str, value: float, least: float, note: str) -> dict[str, Any]:
    """Return a row on steps a second over another loop's."""
    return row(name, value, f"at least {least:g}", value >= least, unit="times", note=note)


# -- steps a second ---------------------------------------------------------------------------------------------------


class Bare:
    """A loop over the family's step with nothing around it."""

    def __init__(self, what: Experiment) -> None:
        self.loop = Loop(what)
        self.taken = 0
        self.steps(0.2)

    def steps(self, seconds: float) -> float:
        """Train for so long; return steps a second."""
        count, start = 0, time.perf_counter()
        while (now := time.perf_counter()) - start < seconds:
            self.step()
            count += 1
        return count / (now - start)

    def step(self) -> None:
        """Draw a batch and train on it."""
        family, rng = self.loop.family, self.loop.rng
        family.step(family.take(family.rows, self.taken, rng), rng)
        self.taken += family.rows


def clocked(
    engine: Engine,
    name: str,
    what: Experiment,
    layers: Sequence[str],
    least: float,
    *,
    block: float = BLOCK,
    pairs: int = PAIRS,
) -> dict[str, Any]:
    """Return the row on workers that train this while these layers are watched."""
    found = []
    for _ in range(WORKERS):
        run, bare = engine.prepare(what), Bare(what)
        engine.send(run, "play")
        with watching(engine, run, layers), one_core(engine, run):
            found.append(race(engine, run, bare, block, pairs))
        engine.send(run, "stop")
        engine.launcher.pool.warm(120)
    speeds = [pair for some in found for pair in some]
    ours, bare_rate = (statistics.median(column) for column in zip(*speeds, strict=True))
    each = ", ".join(f"{statistics.median(a / b for a, b in some):.3f}" for some in found)
    note = f"{ours:.0f} against {bare_rate:.0f} steps/s; of {WORKERS} workers: {each}"
    return ratio(name, statistics.median(a / b for a, b in speeds), least, note)


def race(engine: Engine, run: str, bare: Bare, block: float, pairs: int) -> list[tuple[float, float]]:
    """Return steps a second of (worker, bare loop) in neighbouring blocks.

    Between its blocks the worker is held by its pace, which leaves no event and no moment as the pause button does.
    """

    def worker() -> float:
        begin, start = engine.drive(run, "pace", to=None)["step"], time.perf_counter()
        time.sleep(block)
        end = engine.drive(run, "pace", to=0)["step"]
        return float(end - begin) / (time.perf_counter() - start)

    def alone() -> float:
        return bare.steps(block)

    engine.drive(run, "pace", to=0)
    worker()
    found = []
    for number in range(pairs):  # who goes first changes: the second of two is a little quicker
        first, second = (alone, worker) if number % 2 else (worker, alone)
        speed = {first: first(), second: second()}
        found.append((speed[worker], speed[alone]))
    return found


@contextmanager
def one_core(engine: Engine, run: str) -> Iterator[None]:
    """Keep the worker and this thread on one core, where the system lets one choose: two cores are never equal."""
    worker = engine.record(run).worker
    if worker is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    all_cores = os.sched_getaffinity(0)
    for thread in (worker.pid, 0):
        os.sched_setaffinity(thread, {max(all_cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


@contextmanager
def watching(engine: Engine, run: str, layers: Sequence[str]) -> Iterator[None]:
    """Read every frame of a run for as long as this lasts, at most 20 a second; no layers: nobody watches."""
    if not layers:
        yield
        return
    over = threading.Event()

    def read() -> None:
        seen = 0
        while not over.wait(1 / 20):
            found = engine.frame(run, seen)
            seen = found[0] if found else seen

    engine.watch(run, "bench", list(layers))
    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join()
        engine.unwatch(run, "bench")


# -- delays -----------------------------------------------------------------------------------------------------------


def first_frames(engine: Engine) -> list[float]:
    """Return the seconds from the first play of a run to a frame of it in motion."""
    found = []
    for seed in range(5):
        run = engine.prepare(experiment().changed(seed=seed))
        engine.watch(run, "bench", ["real", "fake", "surface"])
        number = waited(lambda run=run: engine.frame(run, -1))[0]  # type: ignore[misc]
        start = time.perf_counter()
        engine.send(run, "play")
        while not (engine.status(run).step and engine.frame(run, number)):
            time.sleep(0.001)
        found.append(time.perf_counter() - start)
        engine.send(run, "stop")
        engine.launcher.pool.warm(120)
    return found


def pauses(engine: Engine, run: str) -> list[float]:
    """Return the seconds that a pause takes to be acknowledged."""
    return [timed(lambda: engine.send(run, "pause"), before=lambda: engine.send(run, "play")) for _ in range(TIMES)]


def edits(engine: Engine, run: str) -> list[float]:
    """Return the seconds that a live edit takes to be acknowledged on a run that trains."""
    engine.send(run, "play")
    rates = iter([1e-3 + 1e-5 * i for i in range(TIMES)])
    found = [timed(lambda: engine.send(run, "set", values={"lr_g": next(rates)})) for _ in range(TIMES)]
    engine.send(run, "pause")
    return found


def timed(call: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Return the seconds that a call takes, after a pause for breath."""
    before()
    time.sleep(0.15)
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def waited(condition: Callable[[], Any]) -> Any:
    """Return the first value of `condition` that is something."""
    while not (value := condition()):
        time.sleep(0.001)
    return value


# -- the stream -------------------------------------------------------------------------------------------------------


def streamed(engine: Engine, run: str) -> Iterator[dict[str, Any]]:
    """Yield rows on a stream that a browser reads as fast as frames come."""
    app = Starlette(routes=routes(engine))  # served as Streamlit does it, without compression
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws_per_message_deflate=False))
    clock: Future[int] = Future()

    def serve() -> None:
        clock.set_result(time.pthread_getcpuclockid(threading.get_ident()))
        server.run()

    thread = threading.Thread(target=serve)
    thread.start()
    waited(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"ws://127.0.0.1:{port}/playground/stream/{run}?token={engine.token}"
    engine.send(run, "play")
    with connect(url, origin=f"http://127.0.0.1:{port}") as socket:  # type: ignore[call-overload]
        watch(socket, 1.0)  # the first frames also bring the noise floors
        before, (count, size) = time.clock_gettime(clock.result()), watch(socket, STREAMED)
        used = time.clock_gettime(clock.result()) - before
    engine.send(run, "pause")
    server.should_exit = True
    thread.join()
    each = 1000 * used / count
    yield row("server time a frame", each, "at most 2", each <= 2, unit="ms", note=f"{count / STREAMED:.1f} frames/s")
    yield row("size of a frame, all layers", size / 1000, "at most 30", size <= 30_000, unit="KB")


def watch(socket: ClientConnection, seconds: float) -> tuple[int, int]:
    """Read frames for so long; return how many came and the size of the largest."""
    count = largest = number = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        socket.send(json.dumps({"next": number, "layers": LAYERS}))
        while not isinstance(message := socket.recv(), bytes):
            pass
        number = int.from_bytes(message[:8], "little")
        count, largest = count + 1, max(largest, len(message))
    return count, largest


# -- a page's rerun ---------------------------------------------------------------------------------------------------


def rerun() -> Iterator[dict[str, Any]]:
    """Yield the row on what every rerun costs whatever the page draws, with and without what the engine does."""
    found = {}
    for how in ("frozen", "plain"):
        command = [sys.executable, "-c", RERUN, how]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
        found[how] = 1000 * float(done.stdout.split()[-1])
    note = f"one slider, garbage collection included; {found['plain']:.0f} without gc.freeze()"
    good = found["frozen"] <= 15
    yield row("a page rerun's fixed cost", found["frozen"], "at most 15", good, unit="ms", note=note)


if __name__ == "__main__":
    for measured in rows():
        mark = {True: "ok  ", False: "MISS", None: "    "}[measured["ok"]]
        print(
            f"{mark} {measured['name']:44} {measured['value']:10} {measured['unit']:6} {measured['target']:14}",
            measured["note"],
        )
