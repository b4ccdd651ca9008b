"""The engine: every run of this server, the workers that train them, who watches, who waits.

A run is `ready` (an experiment and a preview) until a verb that trains launches it: it gets a folder and a worker, a
warm one if it can. There are at most as many workers as cores; where all are training a run waits in the queue, and a
run at rest gives its worker up (keyframe first). A run that nobody watches, unless pinned, is paused and then stopped.
"""

from __future__ import annotations

import atexit
import gc
import os
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from playground.config import ConfigError
from playground.engine.loop import edited
from playground.engine.mapped import FrameReader
from playground.engine.preview import Preview
from playground.engine.process import WorkerGone, WorkerProcess
from playground.experiment import Experiment
from playground.home import home
from playground.store import RunFolder, StoreError, new_id, runs

LAUNCHES = ("play", "step", "trace", "goto", "set")  # verbs that need a worker
RESTING = ("paused", "finished", "failed")
ANSWER = 20.0  # seconds within which a worker acknowledges
FPS = 20.0
LATEST = 2**62  # "the last keyframe there is"
READY = 200  # runs kept that were prepared and never started


class EngineError(RuntimeError):
    """What could not be done and why, in one sentence."""


@dataclass(frozen=True)
class Status:
    """What is known of a run without asking its worker."""

    run: str
    state: str
    step: int = 0
    sps: float = 0.0
    device: str = ""
    error: str | None = None
    queue: int | None = None  # place in the queue, 1 = next
    past: int | None = None  # the keyframe that is looked at
    keyframes: list[int] = field(default_factory=list)
    speed: int = 0
    until: dict[str, int] | None = None
    edits: int = 0
    viewers: int = 0
    pinned: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


class _Run:
    """One run's record. `lock` keeps its commands in order; the reader thread of its worker never takes it."""

    def __init__(self, run_id: str, experiment: Experiment, folder: RunFolder | None = None) -> None:
        self.id, self.experiment, self.folder = run_id, experiment, folder
        self.lock = threading.RLock()
        self.rest = "ready" if folder is None else "stopped"  # the state while it has no worker
        self.error: str | None = None
        self.crashed = False  # the worker died, the training did not: it can go on from the last keyframe
        self.told: dict[str, Any] = {}  # the worker's last status
        self.worker: WorkerProcess | None = None
        self.reader: FrameReader | None = None
        self.kept: tuple[int, bytes] | None = None  # the last frame of a run without a worker
        self.shown: Any = None  # what `kept` is a picture of
        self.number = 0
        self.past: int | None = None
        self.speed = 0
        self.until: dict[str, int] | None = None
        self.viewers: dict[str, frozenset[str]] = {}
        self.alone_since = time.monotonic()
        self.pinned = False
        self.listeners: set[Callable[[], None]] = set()

    def layers(self) -> frozenset[str]:
        return frozenset().union(*self.viewers.values())

    def state(self) -> str:
        return self.rest if self.worker is None else str(self.told.get("state", "warming"))

    def notify(self) -> None:
        for listener in list(self.listeners):
            listener()


class Engine:
    """See the module's text. All methods may be called from any thread; verbs of one run are carried out in order."""

    def __init__(self, root: Path | None = None, workers: int | None = None, grace: float | None = None) -> None:
        """`workers` at most train at once; a run nobody watches is stopped after `grace` seconds."""
        self.root = root or home()
        self.limit = workers or int(os.environ.get("PLAYGROUND_WORKERS") or 0) or os.cpu_count() or 1
        self.grace = float(os.environ.get("PLAYGROUND_GRACE") or 30.0) if grace is None else grace
        self.token = secrets.token_urlsafe(24)
        self._runs: dict[str, _Run] = {}
        self._queue: list[_Run] = []
        self._lock = threading.RLock()  # for the tables; held for moments only, never while waiting for a worker
        self._previews: dict[str, Preview] = {}
        self._drawing = threading.Lock()
        self._closing = threading.Event()
        self._spare: WorkerProcess | None = WorkerProcess()
        self._leaving: list[WorkerProcess] = []
        self._spare_at = 0.0
        threading.Thread(target=self._keep_house, name="engine", daemon=True).start()
        atexit.register(self.shutdown)

    # -- the public face ----------------------------------------------------------------------------------------------

    def prepare(self, experiment: Experiment) -> str:
        """Return the id of a new run in state `ready`."""
        run = _Run(new_id(experiment), experiment)
        with self._lock:
            idle = [r for r in self._runs.values() if r.rest == "ready" and r.worker is None and not r.viewers]
            for old in idle[: max(0, len(idle) - READY)]:
                del self._runs[old.id]
            self._runs[run.id] = run
        return run.id

    def send(self, run_id: str, verb: str, **args: Any) -> dict[str, Any]:
        """Carry a verb out and return its acknowledgement; raises `EngineError` in one sentence."""
        run = self._find(run_id)
        try:
            with run.lock:
                answer = self._dispatch(run, verb, args)
            if isinstance(answer, Future):
                answer = answer.result(ANSWER)
        except WorkerGone:
            raise EngineError(
                run.error or "The worker has ended: press play to go on from the last keyframe."
            ) from None
        except TimeoutError:
            raise EngineError(
                f"The worker did not answer {verb} within {ANSWER:g} s: one step may take very long."
            ) from None
        except (ConfigError, StoreError, TypeError) as error:
            raise EngineError(str(error)) from None
        if not answer["ok"]:
            raise EngineError(run.error if run.worker is None and run.error else answer["error"])
        if "experiment" in (answer.get("data") or {}):
            run.experiment = Experiment.from_json(answer["data"]["experiment"])
        return answer

    def status(self, run_id: str) -> Status:
        """Return what is known of a run now."""
        run = self._find(run_id)
        told, has_worker = run.told, run.worker is not None
        with self._lock:
            queue = self._queue.index(run) + 1 if run in self._queue else None
        return Status(
            run=run.id,
            state=run.state(),
            step=int(told.get("step", 0)),
            sps=float(told.get("sps", 0.0)) if has_worker else 0.0,
            device=str(told.get("device", "")),
            error=told.get("error") if has_worker else run.error,
            queue=queue,
            past=told.get("past") if has_worker else run.past,
            keyframes=list(told.get("keyframes", [])),
            speed=told.get("speed", 0) if has_worker else run.speed,
            until=told.get("until") if has_worker else run.until,
            edits=int(told.get("edits", 0)),
            viewers=len(run.viewers),
            pinned=run.pinned,
        )

    def experiment(self, run_id: str) -> Experiment:
        """Return a run's experiment with its edits applied."""
        return self._find(run_id).experiment

    def folder(self, run_id: str) -> RunFolder | None:
        """Return a run's folder; None while it is `ready`."""
        return self._find(run_id).folder

    def frame(self, run_id: str, newer_than: int = 0) -> tuple[int, bytes] | None:
        """Return the newest frame and its number, or None where none is newer."""
        run = self._find(run_id)
        reader = run.reader
        if run.worker is not None:
            return reader.read(newer_than) if reader is not None else None
        with run.lock:
            if run.worker is None:
                self._draw(run)
        return run.kept if run.kept is not None and run.kept[0] > newer_than else None

    def watch(self, run_id: str, viewer: str, layers: list[str]) -> None:
        """Count `viewer` as watching these layers of a run."""
        run = self._find(run_id)
        with run.lock:
            before = run.layers()
            run.viewers[viewer] = frozenset(layers) or frozenset(["fake"])
            if run.layers() != before:
                self._tell_layers(run)

    def unwatch(self, run_id: str, viewer: str) -> None:
        """Count `viewer` no more."""
        run = self._find(run_id)
        with run.lock:
            before = run.layers()
            run.viewers.pop(viewer, None)
            run.alone_since = time.monotonic()
            if run.layers() != before:
                self._tell_layers(run)

    def listen(self, run_id: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` (on any thread) when there is a new frame or status; return what ends that."""
        run = self._find(run_id)
        run.listeners.add(listener)
        return lambda: run.listeners.discard(listener)

    def runs(self) -> list[Status]:
        """Return the status of every run that was started, the latest first."""
        return [self.status(folder.run_id) for folder in runs(self.root)]

    def reopen(self, run_id: str) -> Status:
        """Find a run on disk again, such as after a restart; playing it goes on from its last keyframe."""
        return self.status(run_id)

    def pin(self, run_id: str, on: bool) -> None:
        """Let a run go on (or no more) when nobody watches."""
        run = self._find(run_id)
        run.pinned, run.alone_since = on, time.monotonic()

    def delete(self, run_id: str) -> None:
        """Stop a run and take it off the disk for good; raises `EngineError` where another process trains it."""
        run = self._find(run_id)
        with run.lock:
            self._stop(run)
            with self._lock:
                self._runs.pop(run_id, None)
            try:
                if run.folder is not None:
                    run.folder.delete()
            except StoreError as error:
                raise EngineError(str(error)) from None

    def shutdown(self) -> None:
        """Save every run and end every worker."""
        if self._closing.is_set():
            return
        self._closing.set()
        atexit.unregister(self.shutdown)
        with self._lock:
            workers = [run.worker for run in self._runs.values()] + [self._spare] + self._leaving
        there = [worker for worker in workers if worker is not None]
        for worker in there:
            worker.leave()
        for worker in there:
            worker.join(10)

    # -- verbs --------------------------------------------------------------------------------------------------------

    def _dispatch(self, run: _Run, verb: str, args: dict[str, Any]) -> Future[dict[str, Any]] | dict[str, Any]:
        if self._closing.is_set():
            raise EngineError("The engine is shutting down.")
        if verb == "speed":
            run.speed = int(args["steps_per_frame"])
        elif verb == "until":
            run.until = args or None
        if verb == "stop":
            return self._stop(run)
        if run.worker is not None:
            return run.worker.send(verb, **args)
        return self._dispatch_at_rest(run, verb, args)

    def _dispatch_at_rest(self, run: _Run, verb: str, args: dict[str, Any]) -> Future[dict[str, Any]] | dict[str, Any]:
        """Carry out a verb on a run that has no worker."""
        done: dict[str, Any] = {"ok": True, "step": int(run.told.get("step", 0))}
        if verb == "set" and run.folder is None:
            run.experiment = edited(run.experiment, args["values"])
            run.told = run.told | {"edits": run.told.get("edits", 0) + 1}
            run.notify()
        elif verb in LAUNCHES:
            if verb in ("play", "step", "trace") and run.rest == "failed" and not run.crashed:
                raise EngineError(f"{run.error} Go back to a good moment to train on.")
            return self._launch(run, verb, args)
        elif verb == "pause" and run in self._queue:
            with self._lock:
                self._queue.remove(run)
            run.rest = "ready" if run.folder is None else "paused"
            self._tell_queue()
            run.notify()
        elif verb == "pick":
            return done | {"data": self._preview(run).painter.pick(int(args["i"]))}
        elif verb == "look":
            run.past = args["step"]
            run.notify()
        elif verb not in ("speed", "until", "keyframe", "pause"):
            raise EngineError(f"There is no command {verb!r}.")
        return done

    def _launch(self, run: _Run, verb: str, args: dict[str, Any]) -> Future[dict[str, Any]] | dict[str, Any]:
        worker = self._take_worker()
        if worker is None:
            if verb != "play":
                raise EngineError(f"All {self.limit} workers are training: pause another run, or press play to queue.")
            with self._lock:
                if run not in self._queue:
                    self._queue.append(run)
            run.rest = "queued"
            run.notify()
            return {"ok": True, "step": int(run.told.get("step", 0)), "data": {"queue": self._queue.index(run) + 1}}
        resume = None
        if run.folder is None:
            run.folder = RunFolder.create(self.root, run.experiment, run.id)
        elif run.folder.keyframes():
            resume = LATEST
        with self._lock:
            if run in self._queue:
                self._queue.remove(run)
            run.told = {"state": "warming", **{k: run.told[k] for k in ("step", "keyframes", "edits") if k in run.told}}
            run.error, run.crashed, run.past, run.reader = None, False, None, None
            run.worker, run.alone_since = worker, time.monotonic()
        worker.on_status = lambda status: self._on_status(run, worker, status)
        worker.on_exit = lambda: self._on_exit(run, worker)
        opened = worker.send(
            "open", experiment=run.experiment.to_json(), folder=str(run.folder.path), resume=resume, number=run.number,
            speed=run.speed, until=run.until,
        )  # fmt: skip
        opened.add_done_callback(lambda future: self._on_open(run, worker, future))
        self._tell_layers(run)
        run.notify()
        return worker.send(verb, **args)

    def _stop(self, run: _Run) -> dict[str, Any]:
        if run in self._queue:
            with self._lock:
                self._queue.remove(run)
            run.rest = "ready" if run.folder is None else "stopped"
            self._tell_queue()
        elif run.worker is not None:
            self._release(run, "stopped")
        return {"ok": True, "step": int(run.told.get("step", 0))}

    def _tell_layers(self, run: _Run) -> None:
        if run.worker is not None:
            run.worker.send("watch", layers=sorted(run.layers()), fps=FPS)
        run.notify()

    # -- workers ------------------------------------------------------------------------------------------------------

    def _take_worker(self) -> WorkerProcess | None:
        """Return a worker within the limit, taking one from a run at rest where need be; None where all train."""
        with self._lock:
            busy = [run for run in self._runs.values() if run.worker is not None]
        if len(busy) >= self.limit:
            idle = sorted((run for run in busy if run.state() in RESTING), key=lambda r: r.alone_since)
            if not any(self._give_up(run) for run in idle):
                return None
        with self._lock:
            worker, self._spare = self._spare, None
            self._spare_at = time.monotonic() + 3.0  # the run that starts now needs the cores more than its successor
        return worker if worker is not None and worker.alive() else WorkerProcess()

    def _give_up(self, run: _Run) -> bool:
        """Let a run at rest part with its worker; False where it is in use after all."""
        if not run.lock.acquire(blocking=False):
            return False
        try:
            if run.worker is None or run.state() not in RESTING:
                return run.worker is None
            self._release(run, run.state())
            return True
        finally:
            run.lock.release()

    def _release(self, run: _Run, state: str) -> None:
        """Save a run and take its worker away; the worker becomes the spare, or leaves. Needs the run's lock."""
        worker = run.worker
        assert worker is not None
        stopping = worker.send("stop")
        try:
            stopping.result(ANSWER)
        except (WorkerGone, TimeoutError):
            worker.leave()
        last = run.reader.read() if run.reader is not None else None
        with self._lock:
            run.worker = None
            run.rest, run.error = state, run.told.get("error")
            if last is not None:
                run.kept, run.number, run.shown = last, last[0], self._sight(run)
            worker.on_status, worker.on_exit = lambda status: None, lambda: None
            if self._spare is None and worker.alive() and stopping.done() and not stopping.exception():
                self._spare = worker
            else:
                self._leaving = [w for w in self._leaving if w.alive()] + [worker]
                worker.leave()
        run.notify()

    def _on_status(self, run: _Run, worker: WorkerProcess, status: dict[str, Any]) -> None:
        if run.worker is worker:
            run.told = status
            run.number = max(run.number, int(status["frame"]))
            run.notify()

    def _on_open(self, run: _Run, worker: WorkerProcess, future: Future[dict[str, Any]]) -> None:
        failed = future.exception()
        answer: dict[str, Any] = {"ok": False} if failed else future.result()
        if answer["ok"] and run.folder is not None:
            run.experiment = Experiment.from_json(answer["data"]["experiment"])
            run.reader = FrameReader(run.folder.path / "frame.bin")
        elif run.worker is worker and not failed:
            with self._lock:
                run.worker, run.rest, run.error = None, "failed", f"The run could not start: {answer['error']}"
                self._leaving.append(worker)
            worker.leave()
            run.notify()

    def _on_exit(self, run: _Run, worker: WorkerProcess) -> None:
        """Take note that a worker died: what it trained can go on from its last keyframe."""
        with self._lock:
            if run.worker is not worker or self._closing.is_set():
                return
            run.worker, run.rest, run.crashed = None, "failed", True
            run.error = (
                f"The worker process ended unexpectedly ({worker.ending()}): play goes on from the last keyframe."
            )
            run.kept = None
        run.notify()

    # -- pictures of runs at rest -------------------------------------------------------------------------------------

    def _sight(self, run: _Run) -> Any:
        """Return what decides how a run at rest looks."""
        return (
            run.experiment.model_dump_json(),
            run.layers(),
            run.past,
            run.rest,
            run.error,
            int(run.told.get("step", 0)),
        )

    def _draw(self, run: _Run) -> None:
        """Make `kept` a picture of what the run is now."""
        sight = self._sight(run)
        if run.kept is not None and run.shown == sight:
            return
        status = self.status(run.id)
        about = {k: v for k, v in status.to_json().items() if k not in ("run", "viewers", "pinned", "edits", "device")}
        with self._drawing:
            preview = self._preview(run)
            frame = preview.frame(
                run.layers() or frozenset(["real", "fake"]), about | {"experiment_version": status.edits}
            )
        run.number += 1
        run.kept, run.shown = (run.number, frame), sight

    def _preview(self, run: _Run) -> Preview:
        step = run.past if run.past is not None else LATEST
        key = f"{run.id}/{step}" if run.folder is not None else run.experiment.model_dump_json()
        if key not in self._previews:
            while len(self._previews) >= 8:
                self._previews.pop(next(iter(self._previews)))
            self._previews[key] = Preview(run.experiment, run.folder, step)
        return self._previews[key]

    # -- the house ----------------------------------------------------------------------------------------------------

    def _find(self, run_id: str) -> _Run:
        with self._lock:
            if run_id in self._runs:
                return self._runs[run_id]
            try:
                folder = RunFolder.open(self.root, run_id)
                keyframes = folder.keyframes()
                experiment = folder.load_keyframe().experiment if keyframes else folder.experiment()
            except StoreError as error:
                raise EngineError(str(error)) from None
            status = folder.status()
            run = _Run(run_id, experiment, folder)
            run.rest, run.error = str(status["state"]), status.get("error")
            run.told = {
                "step": keyframes[-1] if keyframes else 0,
                "keyframes": keyframes,
                "device": status.get("device", ""),
            }
            self._runs[run_id] = run
            return run

    def _keep_house(self) -> None:
        """Twice a second: see to runs that nobody watches, to the queue, and to the warm spare."""
        while not self._closing.wait(min(0.5, self.grace / 8)):
            with self._lock:
                there = list(self._runs.values())
            for run in there:
                if not run.viewers and not run.pinned:
                    self._mind(run, time.monotonic() - run.alone_since)
            self._serve_queue()
            with self._lock:
                active = sum(run.worker is not None for run in self._runs.values())
                if self._spare is not None and not self._spare.alive():
                    self._spare = None
                if self._spare is None and active < self.limit and time.monotonic() > self._spare_at:
                    self._spare = WorkerProcess()

    def _mind(self, run: _Run, alone: float) -> None:
        """Pause a run that has been alone for half its grace, stop it after all of it."""
        if run.worker is None and run not in self._queue:
            return
        if run.lock.acquire(blocking=False):
            try:
                if alone > self.grace:
                    self._stop(run)
                elif alone > self.grace / 2 and run.worker is not None and run.state() == "running":
                    run.worker.send("pause")
            finally:
                run.lock.release()

    def _serve_queue(self) -> None:
        """Launch who is next in the queue where a worker has become free."""
        while self._queue and not self._closing.is_set():
            with self._lock:
                if not self._queue:
                    return
                run = self._queue[0]
            if not run.lock.acquire(blocking=False):
                return
            try:
                if run in self._queue:
                    self._launch(run, "play", {})
                if run.rest == "queued" and run.worker is None:
                    return
            finally:
                run.lock.release()
            self._tell_queue()

    def _tell_queue(self) -> None:
        for waiting in list(self._queue):
            waiting.notify()


_engine: Engine | None = None
_making = threading.Lock()


def get_engine() -> Engine:
    """Return this process's engine, made on first use."""
    global _engine  # noqa: PLW0603  # one a process is the point
    with _making:
        if _engine is None or _engine._closing.is_set():
            _engine = Engine()
            gc.collect()
            gc.freeze()  # what is imported by now stays: else every page rerun walks all of torch, 65-170 ms
        return _engine


def viewer_id() -> str:
    """Return a name for a new viewer."""
    return uuid.uuid4().hex
