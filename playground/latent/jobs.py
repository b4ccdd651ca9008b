"""Maps of codes for the pages: PCA at once, UMAP and t-SNE from one warm process of their own, kept on disk.

`ask` never waits for a map: it says how far it is, and whoever wants it asks again. What nobody has asked for in a
while is not drawn any more. A map that was drawn once is found again, in memory or in the folder `maps` of the runs,
by its key and the codes themselves: a run that went back and came to the same step has other codes and another map.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors import SafetensorError

from playground.blobs import decode, encode
from playground.config import ConfigError
from playground.files import write_whole
from playground.home import home
from playground.latent.arrays import array, codes_of
from playground.latent.mapper import WARM, receive, send
from playground.latent.projection import Map, Method, project

ROOT = Path(__file__).parents[2]
KEPT, ON_DISK = 64, 300  # maps in memory and in the folder, the last used
ABANDONED = 10.0  # seconds without a question after which a map that waits is not drawn
IDLE = 900.0  # seconds without work after which the process gives its memory back
MOST = 10_000  # points of a map
STARTING = "Starting the process that draws maps"


@dataclass(frozen=True)
class Job:
    """How far a map is. `note` is a line for the page; of a failed one, the cause."""

    state: Literal["waiting", "running", "done", "failed"]
    progress: float = 0.0
    note: str = ""
    result: Map | None = None


@dataclass
class Task:
    """A map to draw."""

    codes: np.ndarray
    method: Method | Literal["warm"]
    before: np.ndarray | None
    job: Job
    asked: float = field(default_factory=time.monotonic)


class Gone(RuntimeError):
    """The process ended in the middle of a map."""


class Projector:
    """See the module's text. `ask`, `warm` and `shutdown` may be called from any thread."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep maps in `folder`, by default `maps` beside the runs."""
        self.folder = folder
        self.child: subprocess.Popen[bytes] | None = None
        self._tasks: OrderedDict[str, Task] = OrderedDict()  # the first is drawn, the others wait or failed
        self._done: OrderedDict[str, Job] = OrderedDict()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    def ask(self, key: Hashable, codes: Any, method: Method, before: Any = None, *, again: bool = False) -> Job:
        """Return how far the map of codes (n, Z) is, and begin it where it is new.

        `key` names it (run, step, method); `before` (a `Map` or its points) is the map it should agree with. A map that
        failed stays so until it is asked for `again`.
        """
        try:
            codes = codes_of(codes)
            if method in ("raw", "pca"):
                return Job("done", 1.0, result=project(codes, method, points_of(before)))
            if len(codes) > MOST:
                raise ConfigError(f"A {method} map of {len(codes):,} items would take long: {MOST:,} is the most.")
        except ConfigError as error:
            return Job("failed", note=str(error))
        name = hashlib.sha256(f"{key} {method} {codes.shape} ".encode() + codes.tobytes()).hexdigest()[:32]
        with self._news:
            if (known := self._known(name, again)) is not None:
                return known
            task = Task(codes, method, points_of(before), Job("waiting", note="Waiting for another map"))
            self._tasks[name] = task
            self._go()
            return task.job

    def warm(self) -> None:
        """Have the process started and UMAP compiled, ahead of need."""
        with self._news:
            if self.child is None and WARM not in self._tasks:
                nothing = np.zeros((0, 0), np.float32)
                self._tasks[WARM] = Task(nothing, WARM, None, Job("waiting"), asked=float("inf"))
            self._go()

    def shutdown(self) -> None:
        """End the process; it holds nothing that would be lost."""
        self._closing = True
        atexit.unregister(self.shutdown)
        with self._news:
            self._news.notify_all()
        if (child := self.child) is not None:
            child.kill()
        if self._thread is not None:
            self._thread.join(10)

    @property
    def closed(self) -> bool:
        """Whether it was shut down."""
        return self._closing

    # -- what is known ------------------------------------------------------------------------------------------------

    def _known(self, name: str, again: bool) -> Job | None:
        """Return what is known of a map: drawn, under way, failed; None where it is new."""
        if name in self._done:
            self._done.move_to_end(name)
            return self._done[name]
        task = self._tasks.get(name)
        if task is not None and not (again and task.job.state == "failed"):
            task.asked = time.monotonic()
            return task.job
        self._tasks.pop(name, None)
        found = self._read(name)
        if found is not None:
            self._keep(name, found)
        return found

    def _keep(self, name: str, job: Job) -> None:
        self._done[name] = job
        while len(self._done) > KEPT:
            self._done.popitem(last=False)

    def _path(self, name: str) -> Path:
        return (self.folder or home() / "maps") / f"{name}.safetensors"

    def _read(self, name: str) -> Job | None:
        path = self._path(name)
        try:
            points = decode(path.read_bytes())[0]["points"]
            os.utime(path)
        except (OSError, SafetensorError, ValueError, KeyError):
            return None
        return Job("done", 1.0, result=Map(points))

    def _write(self, name: str, points: np.ndarray) -> None:
        """Keep a map on disk, and of many the last used; where there is no room it is only in memory."""
        path = self._path(name)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, encode({"points": points}, {}))
            there = sorted(path.parent.glob("*.safetensors"), key=lambda p: p.stat().st_mtime)
            for old in there[:-ON_DISK]:
                old.unlink(missing_ok=True)

    # -- the work, on a thread of its own -----------------------------------------------------------------------------

    def _go(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="maps", daemon=True)
            self._thread.start()
        self._news.notify_all()

    def _work(self) -> None:
        while not self._closing:
            if (found := self._next()) is None:
                continue
            name, task = found
            try:
                points = self._draw(task)
            except Exception as error:  # what goes wrong there is told here; the next map is drawn all the same
                plain = isinstance(error, (Gone, ConfigError))
                task.job = Job("failed", note=str(error) if plain else f"{type(error).__name__}: {error}")
                task.asked = min(task.asked, time.monotonic())
                continue
            if task.method != WARM:
                self._write(name, points)
            with self._news:
                self._keep(name, Job("done", 1.0, result=Map(points)))
                del self._tasks[name]
        self._end()

    def _next(self) -> tuple[str, Task] | None:
        """Return the next map to draw; None after a wait for news."""
        with self._news:
            for name, task in list(self._tasks.items()):
                if task.job.state != "running" and time.monotonic() - task.asked > ABANDONED:
                    del self._tasks[name]
            waiting = next((item for item in self._tasks.items() if item[1].job.state == "waiting"), None)
            if waiting is not None:
                waiting[1].job = Job("running", note=STARTING)
                return waiting
            if not self._news.wait(IDLE):
                self._end()
        return None

    def _draw(self, task: Task) -> np.ndarray:
        """Have a map drawn by the process and return its points."""
        child = self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        before = {} if task.before is None else {"before": task.before}
        try:
            send(child.stdin, {"codes": task.codes} | before, {"method": task.method})  # type: ignore[arg-type]
            while (message := receive(child.stdout)) is not None:  # type: ignore[arg-type]
                arrays, meta = message
                if "error" in meta:
                    raise ConfigError(f"The map could not be drawn: {meta['error']}")
                if "done" in meta:
                    return arrays["points"]
                task.job = replace(task.job, progress=meta["progress"], note=meta["note"])
        except BrokenPipeError:
            pass  # said below
        code = child.wait()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        raise Gone(f"The process that draws maps ended unexpectedly ({how}): ask for the map again.")

    def _start(self) -> subprocess.Popen[bytes]:
        """Return the process, started where there is none."""
        child = self.child
        if child is None or child.poll() is not None:
            self._end()
            paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
            one = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
            child = self.child = subprocess.Popen(
                [sys.executable, "-m", "playground.latent.mapper"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | one | {"PYTHONPATH": paths},
            )  # fmt: skip
            if self._closing:
                child.kill()
        return child

    def _end(self) -> None:
        child, self.child = self.child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()


def points_of(before: Any) -> np.ndarray | None:
    """Return the points of a map, or of an array of them."""
    return None if before is None else array(before.points if isinstance(before, Map) else before)


_projector: Projector | None = None
_making = threading.Lock()


def get_projector() -> Projector:
    """Return this process's projector, made on first use; its own process starts with the first map, or `warm`."""
    global _projector  # noqa: PLW0603  # one a process is the point
    with _making:
        if _projector is None or _projector.closed:
            _projector = Projector()
            atexit.register(_projector.shutdown)
        return _projector
