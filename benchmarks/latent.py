"""What looking at a trained model costs: the model's route, maps of codes, frames of the wall; measured in one run.

The page must never wait for a map: while UMAP is drawn, a thread here asks for it and another one ticks as a page's
event loop does, and how long either was held up is what counts.
"""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette

from benchmarks.engine import delay, engine_in, row, waited
from playground.blobs import decode
from playground.engine import Engine
from playground.engine.loop import Loop
from playground.engine.painters import Pictures, painter
from playground.engine.stream import routes
from playground.experiment import Experiment
from playground.latent.jobs import Projector
from playground.latent.projection import project

TIMES = 15  # how often a delay is measured
DECODED = 64  # codes in one question
CODINGS, SIZE, GROUPS = 2000, 30, 8  # of a map: so many codes of so many numbers, in groups
TICK = 0.01  # seconds
TURNS = 24  # frames
QUIET = 3.0  # seconds of waking up with nothing going on


def rows() -> Iterator[dict[str, Any]]:
    """Measure, and yield rows as `python -m playground bench` prints them."""
    with tempfile.TemporaryDirectory() as folder, engine_in(Path(folder)) as engine:
        yield from route(engine)
    yield from wall()
    codes = grouped(0)
    yield delay("PCA map of 2,000 codings", [timed(lambda: project(codes, "pca")) for _ in range(TIMES)], 200)
    with tempfile.TemporaryDirectory() as folder:
        yield from maps(Projector(Path(folder)))


def convolutional() -> Experiment:
    """Return a VAE with a convolutional body on images of 28 x 28 pixels."""
    return Experiment.of("vae").on("shapes").changed(body="conv", codings=16, device="cpu")


def grouped(seed: int) -> np.ndarray:
    """Return codes (2000, 30) in eight groups."""
    rng = np.random.default_rng(seed)
    centres = 3 * rng.normal(size=(GROUPS, SIZE))
    return (centres[rng.integers(0, GROUPS, CODINGS)] + rng.normal(size=(CODINGS, SIZE))).astype(np.float32)


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


# -- the model's route ------------------------------------------------------------------------------------------------


def route(engine: Engine) -> Iterator[dict[str, Any]]:
    """Yield rows on 64 decodes that a page asks for over HTTP."""
    run = engine.prepare(convolutional())
    codes = np.random.default_rng(0).normal(size=(DECODED, 16)).round(4).tolist()
    body = json.dumps({"do": "decode", "codes": codes})
    with serving(engine) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)

        def ask() -> None:
            path = f"/playground/model/{run}?token={engine.token}"
            connection.request("POST", path, body, {"Origin": f"http://127.0.0.1:{port}"})
            answer = connection.getresponse().read()
            assert decode(answer)[0]["items"].shape == (DECODED, 28, 28)

        first = timed(ask)
        yield delay("64 decodes of 28 x 28, convolutional, over the route", [timed(ask) for _ in range(TIMES)], 100)
        yield row("the first question, model not in memory yet", 1000 * first, "", None, unit="ms")
        connection.close()


@contextmanager
def serving(engine: Engine) -> Iterator[int]:
    """Serve the engine's routes; give the port."""
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes(engine)), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    waited(lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


# -- frames of the wall -----------------------------------------------------------------------------------------------


def wall() -> Iterator[dict[str, Any]]:
    """Yield rows on a frame with all layers while a run trains and layers take turns: time of this process alone."""
    for body in ("dense", "conv"):
        pictures = painter(Loop(convolutional().changed(body=body)))
        size, spent = frames(pictures)
        middle = 1000 * statistics.median(spent)
        name, note = f"frame of the wall, all layers, {body} body, 28 x 28", f"{size / 1000:.0f} KB"
        yield row(name, middle, "at most 15", middle <= 15, unit="ms", note=note)


def frames(pictures: Pictures) -> tuple[int, list[float]]:
    """Return the size of a frame and what each of some frames in turns takes, in seconds."""
    everything, spent = frozenset(pictures.layers), []
    size = len(pictures.frame(everything, {}))
    for turn in range(TURNS):
        start = time.process_time()
        pictures.frame(everything, {}, turn)
        spent.append(time.process_time() - start)
    return size, spent


# -- maps -------------------------------------------------------------------------------------------------------------


def maps(projector: Projector) -> Iterator[dict[str, Any]]:
    """Yield rows on UMAP: from nothing, again, from the map before, and what held anybody here up."""
    codes, held = grouped(0), list[float]()

    def drawn(key: str, codes: np.ndarray, before: Any = None) -> tuple[float, Any]:
        start = time.perf_counter()
        while True:
            held.append(timed(lambda: projector.ask(key, codes, "umap", before)))
            job = projector.ask(key, codes, "umap", before)
            if job.state == "failed":
                raise RuntimeError(job.note)
            if job.state == "done":
                return time.perf_counter() - start, job.result
            time.sleep(0.05)

    with Ticks() as alone:
        time.sleep(QUIET)
    with Ticks() as ticks:
        first, found = drawn("first", codes)
        again, _ = drawn("again", grouped(1))
        warm, _ = drawn("warm", codes + 0.01, found)
        cached, _ = drawn("first", codes)
    projector.shutdown()
    yield row("UMAP of 2,000 codings, its process not started", first, "", None, unit="s", note="imports and compiles")
    yield row("UMAP of 2,000 codings, process warm", again, "", None, unit="s")
    yield row("UMAP of 2,000 codings, from the map before", warm, "", None, unit="s")
    yield row("a map drawn before, again", 1000 * cached, "at most 50", cached <= 0.05, unit="ms")
    yield held_up("asking for a map, 99 % of the times within", held, f"worst {1000 * max(held):.0f}")
    rest = 1000 * float(np.quantile(alone.late, 0.99))
    yield held_up("the page's thread while UMAP is drawn, 99 % within", ticks.late, f"{rest:.0f} with nothing going on")


def held_up(name: str, seconds: list[float], note: str) -> dict[str, Any]:
    """Return a row on how long somebody was held up."""
    most = 1000 * float(np.quantile(seconds, 0.99))
    return row(name, most, "at most 50", most <= 50, unit="ms", note=note)


class Ticks:
    """A thread that wants to wake up every 10 ms, as a page's event loop does, and notes how late it is."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick)

    def __enter__(self) -> Ticks:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _tick(self) -> None:
        start = time.perf_counter()
        while not self._over.wait(TICK):
            now = time.perf_counter()
            self.late.append(now - start - TICK)
            start = now


if __name__ == "__main__":
    for measured in rows():
        mark = {True: "ok  ", False: "MISS", None: "    "}[measured["ok"]]
        print(
            f"{mark} {measured['name']:60} {measured['value']:10} {measured['unit']:4} {measured['target']:14}",
            measured["note"],
        )
