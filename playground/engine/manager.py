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
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from playground.config import ConfigError
from playground.engine.loop import LATEST, edited
from playground.engine.mapped import FrameReader
from playground.engine.pool import Pool
from playground.engine.preview import Gallery
from playground.engine.process import WorkerGone, WorkerProcess
from playground.engine.record import LOOKS, RESTING, EngineError, Run, Status
from playground.experiment import Experiment
from playground.home import home
from playground.store import RunFolder, StoreError, new_id, runs

LAUNCHES = ("play", "step", "trace", "goto", "set")  # verbs that need a worker
TRAINS = ("play", "step", "trace")
ANSWER = 12.0  # seconds within which a worker acknowledges
START = 90.0  # seconds within which a worker that is still starting does
FPS = 20.0
READY = 200  # runs kept that were prepared and never started

Answer = dict[str, Any]


class Engine:
    """See the module's text. All methods may be called from any thread; verbs of one run are carried out in order."""

    def __init__(self, root: Path | None = None, workers: int | None = None, grace: float | None = None) -> None:
        """At most `workers` runs train at once; one that nobody watches is stopped after `grace` seconds."""
        self.root = root or home()
        self.limit = workers or int(os.environ.get("PLAYGROUND_WORKERS") or 0) or os.cpu_count() or 1
        self.grace = float(os.environ.get("PLAYGROUND_GRACE") or 30.0) if grace is None else grace
        self.token = secrets.token_urlsafe(24)
        self.pool = Pool()
        self._gallery = Gallery()
        self._runs: dict[str, Run] = {}
        self._queue: list[Run] = []
        self._lock = threading.RLock()  # for the tables; held for moments only, never while waiting for a worker
        self._closing = threading.Event()
        threading.Thread(target=self._keep_house, name="engine", daemon=True).start()
        atexit.register(self.shutdown)

    # -- the public face ----------------------------------------------------------------------------------------------

    def prepare(self, experiment: Experiment) -> str:
        """Return the id of a new run in state `ready`."""
        run = Run(new_id(experiment), experiment)
        with self._lock:
            unused = [r for r in self._runs.values() if r.state() == "ready" and not r.viewers]
            for old in unused[: max(0, len(unused) - READY)]:
                del self._runs[old.id]
            self._runs[run.id] = run
        return run.id

    def send(self, run_id: str, verb: str, **args: Any) -> Answer:
        """Carry a verb out and return its acknowledgement; raises `EngineError` in one sentence."""
        run, limit = self._find(run_id), ANSWER
        try:
            with run.lock:
                answer = self._dispatch(run, verb, args)
                if run.worker is not None and not run.worker.ready.is_set():
                    limit = START
            if isinstance(answer, Future):
                answer = answer.result(limit)
        except WorkerGone:
            raise EngineError(run.error or "The worker has ended: play goes on from the last keyframe.") from None
        except TimeoutError:
            raise EngineError(
                f"The worker has not answered {verb} within {limit:g} s: its step is very long."
            ) from None
        except (ConfigError, StoreError) as error:
            raise EngineError(str(error)) from None
        except (TypeError, KeyError, ValueError) as error:
            raise EngineError(f"The command {verb} is not right: {error}.") from None
        if not answer["ok"]:
            raise EngineError(run.error if run.worker is None and run.error else answer["error"])
        return answer

    def status(self, run_id: str) -> Status:
        """Return what is known of a run now."""
        run = self._find(run_id)
        with self._lock:
            place = self._queue.index(run) + 1 if run in self._queue else None
        return run.status(place)

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
        if run.worker is None:
            with run.lock:
                if run.worker is None:
                    self._gallery.draw(run, self.status(run_id))
        elif reader is not None and (found := reader.read(newer_than)) is not None:
            return found
        kept = run.kept
        return kept if kept is not None and kept[0] > newer_than else None

    def watch(self, run_id: str, viewer: str, layers: list[str]) -> None:
        """Count `viewer` as watching these layers of a run."""
        run = self._find(run_id)
        with run.lock:
            before = run.layers()
            run.viewers[viewer] = frozenset(layers) or LOOKS
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
        """Find a run again, on disk after a restart; playing it goes on from its last keyframe."""
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
        if not self._closing.is_set():
            self._closing.set()
            atexit.unregister(self.shutdown)
            self.pool.shutdown()

    @property
    def closed(self) -> bool:
        """Whether it was shut down."""
        return self._closing.is_set()

    # -- verbs --------------------------------------------------------------------------------------------------------

    def _dispatch(self, run: Run, verb: str, args: dict[str, Any]) -> Future[Answer] | Answer:
        if self.closed:
            raise EngineError("The server is shutting down.")
        if verb == "speed":
            run.speed = int(args["steps_per_frame"])
        elif verb == "until":
            run.until = {name: int(value) for name, value in args.items() if value} or None
        if verb == "stop":
            return self._stop(run)
        if run.worker is not None:
            return run.worker.send(verb, **args)
        if verb in LAUNCHES and not (verb == "set" and run.folder is None):
            return self._launch(run, verb, args)
        return {"ok": True, "step": run.step} | self._at_rest(run, verb, args)

    def _at_rest(self, run: Run, verb: str, args: dict[str, Any]) -> Answer:
        """Carry out a verb that needs no worker."""
        if verb == "pick":
            return {"data": self._gallery.pick(run, int(args["i"]))}
        if verb == "set":
            run.experiment = edited(run.experiment, args["values"])
            run.told = run.told | {"edits": run.told.get("edits", 0) + 1}
        elif verb == "look":
            past = [k for k in run.told.get("keyframes", []) if args["step"] is not None and k <= args["step"]]
            run.past = past[-1] if past else None
        elif verb == "pause":
            self._leave_queue(run, "paused")
        elif verb not in ("speed", "until", "keyframe"):
            raise EngineError(f"There is no command {verb!r}.")
        run.notify()
        return {}

    def _launch(self, run: Run, verb: str, args: dict[str, Any]) -> Future[Answer] | Answer:
        """Give the run a worker and pass the verb on to it; `play` waits in the queue where there is none."""
        if verb in TRAINS and run.rest == "failed" and not run.crashed:
            raise EngineError(f"{run.error} Go back to a good moment to train on.")
        worker = self._take_worker()
        if worker is None:
            if verb != "play":
                raise EngineError(f"All {self.limit} workers are training: pause another run, or press play to queue.")
            return {"ok": True, "step": run.step, "data": {"queue": self._enter_queue(run)}}
        resume = None
        if run.folder is None:
            run.folder = RunFolder.create(self.root, run.experiment, run.id)
        elif run.folder.keyframes():
            resume = LATEST
        with self._lock:
            if run in self._queue:
                self._queue.remove(run)
            run.told = run.told | {"state": "warming", "sps": 0.0, "error": None, "past": None}
            run.error, run.crashed, run.past, run.reader = None, False, None, None
            run.worker, run.alone_since = worker, time.monotonic()
        worker.on_status = lambda status: self._on_status(run, worker, status)
        worker.on_exit = lambda: self._on_exit(run, worker)
        worker.on_answer = lambda answer: self._on_answer(run, worker, answer)
        worker.send(
            "open", experiment=run.experiment.to_json(), folder=str(run.folder.path), resume=resume, number=run.number,
            speed=run.speed, until=run.until,
        )  # fmt: skip
        self._tell_layers(run)
        answer = worker.send(verb, **args)
        if verb == "play" and not worker.ready.is_set():  # what it comes to is told by the state
            return {"ok": True, "step": run.step, "data": {"warming": True}}
        return answer

    def _stop(self, run: Run) -> Answer:
        self._leave_queue(run, "stopped")
        if run.worker is not None:
            self._release(run, "stopped")
        return {"ok": True, "step": run.step}

    def _enter_queue(self, run: Run) -> int:
        with self._lock:
            if run not in self._queue:
                self._queue.append(run)
            place = self._queue.index(run) + 1
        run.rest = "queued"
        run.notify()
        return place

    def _leave_queue(self, run: Run, state: str) -> None:
        with self._lock:
            if run not in self._queue:
                return
            self._queue.remove(run)
            waiting = list(self._queue)
        run.rest = "ready" if run.folder is None else state
        for other in [run, *waiting]:
            other.notify()

    def _tell_layers(self, run: Run) -> None:
        if run.worker is not None:
            run.worker.send("watch", layers=sorted(run.layers()), fps=FPS)
        run.notify()

    # -- workers ------------------------------------------------------------------------------------------------------

    def _take_worker(self) -> WorkerProcess | None:
        """Return a worker within the limit, taking one from a run at rest where need be; None where all train."""
        with self._lock:
            busy = [run for run in self._runs.values() if run.worker is not None]
        if len(busy) >= self.limit:
            idle = sorted(
                (run for run in busy if run.state() in RESTING), key=lambda r: (len(r.viewers), r.alone_since)
            )
            if not any(self._give_up(run) for run in idle):
                return None
        return self.pool.take()

    def _give_up(self, run: Run) -> bool:
        """Let a run at rest part with its worker; False where it is in use after all."""
        if not run.lock.acquire(blocking=False):
            return False
        try:
            if run.worker is not None and run.state() in RESTING:
                self._release(run, run.state())
            return run.worker is None
        finally:
            run.lock.release()

    def _release(self, run: Run, state: str) -> None:
        """Save a run and take its worker away. Needs the run's lock."""
        worker = run.worker
        assert worker is not None
        saved = True
        try:
            worker.send("stop").result(ANSWER)
        except (WorkerGone, TimeoutError):
            saved = False
        last = run.reader.read() if run.reader is not None else None
        with self._lock:
            failed = run.told.get("state") == "failed"
            run.worker, run.reader = None, None
            run.rest, run.error = ("failed", run.told.get("error")) if failed else (state, None)
            if last is not None and state in RESTING:
                run.kept, run.number, run.shown = last, last[0], run.sight()
        worker.forget()
        if saved:
            self.pool.give_back(worker)
        else:
            worker.kill()
        run.notify()

    def _on_status(self, run: Run, worker: WorkerProcess, status: dict[str, Any]) -> None:
        if run.worker is worker:
            run.told = status
            run.number = max(run.number, int(status["frame"]))
            run.notify()

    def _on_answer(self, run: Run, worker: WorkerProcess, answer: Answer) -> None:
        """Take what an acknowledgement says of the run, before whoever waits for it goes on."""
        data = answer.get("data") or {}
        if run.worker is worker and "experiment" in data:
            run.experiment = Experiment.from_json(data["experiment"])
        if run.worker is worker and run.reader is None and run.folder is not None:  # this answers `open`
            if answer["ok"]:
                run.reader = FrameReader(run.folder.path / "frame.bin")
                return
            with self._lock:
                run.worker, run.rest, run.error = None, "failed", f"The run could not start: {answer['error']}"
            worker.leave()
            run.notify()

    def _on_exit(self, run: Run, worker: WorkerProcess) -> None:
        """Take note that a worker died: what it trained can go on from its last keyframe."""
        with self._lock:
            if run.worker is not worker or self.closed:
                return
            run.worker, run.reader, run.kept = None, None, None
            run.rest, run.crashed = "failed", True
            run.error = (
                f"The worker process ended unexpectedly ({worker.ending()}): play goes on from the last keyframe."
            )
            if run.folder is not None and (saved := run.folder.keyframes()):
                run.told = run.told | {"step": saved[-1], "keyframes": saved}
        run.notify()

    # -- the house ----------------------------------------------------------------------------------------------------

    def _find(self, run_id: str) -> Run:
        """Return a run's record, from disk where it is not known yet; raises `EngineError` where there is none."""
        with self._lock:
            if run_id not in self._runs:
                try:
                    self._runs[run_id] = _from_disk(RunFolder.open(self.root, run_id))
                except StoreError as error:
                    raise EngineError(str(error)) from None
            return self._runs[run_id]

    def _keep_house(self) -> None:
        """See to runs that nobody watches, to the queue, and to the warm spare, twice a second."""
        while not self._closing.wait(min(0.5, self.grace / 8)):
            with self._lock:
                there = list(self._runs.values())
            for run in there:
                if not run.viewers and not run.pinned and (run.worker is not None or run in self._queue):
                    self._mind(run, time.monotonic() - run.alone_since)
            while self._serve_next():
                pass
            self.pool.keep_warm(sum(run.worker is not None for run in there) < self.limit)

    def _mind(self, run: Run, alone: float) -> None:
        """Pause a run that has been alone for half its grace, stop it after all of it."""
        if not run.lock.acquire(blocking=False):
            return
        try:
            if alone > self.grace:
                self._stop(run)
            elif alone > self.grace / 2 and run.worker is not None and run.state() == "running":
                run.worker.send("pause")
        finally:
            run.lock.release()

    def _serve_next(self) -> bool:
        """Launch who is next in the queue where a worker is free; return whether that was so."""
        with self._lock:
            run = self._queue[0] if self._queue else None
        if run is None or not run.lock.acquire(blocking=False):
            return False
        try:
            if run in self._queue:
                self._launch(run, "play", {})
            started = run.worker is not None
        finally:
            run.lock.release()
        for waiting in list(self._queue) if started else ():
            waiting.notify()
        return started


def _from_disk(folder: RunFolder) -> Run:
    saved, experiment = folder.keyframes(), folder.experiment()
    run = Run(folder.run_id, folder.load_keyframe().experiment if saved else experiment, folder)
    status = folder.status()
    run.rest, run.error = str(status["state"]), status.get("error")
    run.told = {"step": saved[-1] if saved else 0, "keyframes": saved, "device": status.get("device", "")}
    return run


_engine: Engine | None = None
_making = threading.Lock()


def get_engine() -> Engine:
    """Return this process's engine, made on first use."""
    global _engine  # noqa: PLW0603  # one a process is the point
    with _making:
        if _engine is None or _engine.closed:
            _engine = Engine()
            gc.collect()
            gc.freeze()  # what is imported by now stays: else every page rerun walks all of torch, 65-170 ms
        return _engine
