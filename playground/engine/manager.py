"""The engine: every run of this server, the workers that train them, who watches, who waits.

A run is `ready` (an experiment and a preview) until a verb that trains launches it: it gets a folder and a worker, a
warm one if it can. There are at most as many workers as cores; where all are training a run waits in the queue, and a
run at rest gives its worker up (keyframe first). A run that nobody watches, unless pinned, is paused and then stopped.
"""

from __future__ import annotations

import atexit
import contextlib
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
from playground.engine.graft import grafting
from playground.engine.launcher import Answer, Launcher
from playground.engine.loop import edited
from playground.engine.preview import Gallery
from playground.engine.process import WorkerGone
from playground.engine.races import Races
from playground.engine.record import LOOKS, EngineError, Run, Status
from playground.experiment import Experiment
from playground.home import home
from playground.latent import moments
from playground.latent.moments import Moment
from playground.store import RunFolder, StoreError, forget_deleted, fork, new_id, restore, runs
from playground.store.index import Index, Row
from playground.store.races import is_race
from playground.store.thin import bounds, thin_store

LAUNCHES = ("play", "step", "trace", "goto", "set")  # verbs that need a worker
VERBS = (*LAUNCHES, "pause", "speed", "until", "pick", "decode", "look", "keyframe", "stop")
DRIVES = (*LAUNCHES, "pause", "speed", "until", "stop")  # verbs that part a run from the others of its race
ANSWER = 12.0  # seconds within which a worker acknowledges
START = 90.0  # seconds within which a worker that is still starting does
POLL = 5.0  # seconds after which one who asked for a frame without a stream counts as gone
POLLING, POLLED = "polling", [*LOOKS, "surface", "manifold"]  # their name, and what they are shown
READY = 200  # runs kept that were prepared and never started


class Engine:
    """See the module's text. All methods may be called from any thread; verbs of one run are carried out in order."""

    def __init__(self, root: Path | None = None, workers: int | None = None, grace: float | None = None) -> None:
        """At most `workers` runs train at once; one that nobody watches is stopped after `grace` seconds."""
        self.root = root or home()
        self.grace = float(os.environ.get("PLAYGROUND_GRACE") or 30.0) if grace is None else grace
        self.token = secrets.token_urlsafe(24)
        self.launcher = Launcher(self.root, workers or int(os.environ.get("PLAYGROUND_WORKERS") or 0) or cores())
        self._gallery, self.races = Gallery(), Races(self)
        self._runs: dict[str, Run] = {}
        self._lock = threading.RLock()  # for the tables; held for moments only, never while waiting for a worker
        self._closing = threading.Event()
        forget_deleted(self.root)
        thin_store(self.root, bounds().store)
        threading.Thread(target=self._keep_house, name="engine", daemon=True).start()
        atexit.register(self.shutdown)

    # -- the public face ----------------------------------------------------------------------------------------------

    def prepare(self, experiment: Experiment, run_id: str | None = None) -> str:
        """Return the id of a new run in state `ready`."""
        run = Run(run_id or new_id(experiment), experiment)
        with self._lock:
            unused = [r for r in self._runs.values() if r.state() == "ready" and not r.viewers]
            for old in unused[: max(0, len(unused) - READY)]:
                del self._runs[old.id]
            self._runs[run.id] = run
        return run.id

    def send(self, run_id: str, verb: str, **args: Any) -> Answer:
        """Carry a verb out and return its acknowledgement; raises `EngineError` in one sentence.

        What has a run's id in its arguments here and below takes that of a race as well, for all its runs together.
        """
        if is_race(run_id):
            return self.races.get(run_id).send(verb, **args)
        if verb not in VERBS:
            raise EngineError(f"There is no command {verb!r}: the commands are {', '.join(VERBS)}.")
        if verb in DRIVES and self._find(run_id).race is not None:
            raise EngineError("This run is in a race: drive it on the Race page, or fork it to go on with it alone.")
        return self.drive(run_id, verb, **args)

    def drive(self, run_id: str, verb: str, **args: Any) -> Answer:
        """Carry a verb out on one run, in a race or not."""
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
        except OSError as error:
            raise EngineError(f"The run's folder in {self.root} cannot be written: {error}.") from None
        except (TypeError, KeyError, ValueError) as error:
            raise EngineError(f"The command {verb} is not right: {error}.") from None
        if not answer["ok"]:
            raise EngineError(run.error if run.worker is None and run.error else answer["error"])
        return answer

    def status(self, run_id: str) -> Status:
        """Return what is known of a run now."""
        if is_race(run_id):
            return self.races.get(run_id).status()
        run = self._find(run_id)
        if run.worker is None and run.rest in ("running", "warming"):  # another process had it when it was found
            _read(run)
        return run.status(self.launcher.line.place(run))

    def experiment(self, run_id: str) -> Experiment:
        """Return a run's experiment with its edits applied."""
        return self._find(run_id).experiment

    def folder(self, run_id: str) -> RunFolder | None:
        """Return a run's folder; None while it is `ready`."""
        return self._find(run_id).folder

    def moment(self, run_id: str, step: int | None = None) -> Moment:
        """Return the model of a run's last saved moment at or before `step` (None: the newest), for looking at."""
        run = self._find(run_id)
        return moments.untrained(run.experiment) if run.folder is None else moments.saved(run.folder, step)

    def frame(self, run_id: str, newer_than: int = 0) -> tuple[int, bytes] | None:
        """Return the newest frame and its number, or None where none is newer."""
        if is_race(run_id):
            return self.races.get(run_id).frame(newer_than)
        run = self._find(run_id)
        if run.viewers.keys() <= {POLLING}:
            self._poll(run)
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
        if is_race(run_id):
            return self.races.get(run_id).watch(viewer)
        run = self._find(run_id)
        with run.lock:
            before = run.layers()
            run.viewers[viewer] = frozenset(layers) or LOOKS
            if run.layers() != before:
                self.launcher.tell_layers(run)

    def unwatch(self, run_id: str, viewer: str) -> None:
        """Count `viewer` no more."""
        if is_race(run_id):
            return self.races.get(run_id).unwatch(viewer)
        run = self._find(run_id)
        with run.lock:
            before = run.layers()
            run.viewers.pop(viewer, None)
            run.alone_since = time.monotonic()
            if not run.viewers and run.worker is None:
                run.kept = None  # made again when somebody looks
            if run.layers() != before:
                self.launcher.tell_layers(run)

    def _poll(self, run: Run) -> None:
        """Count whoever asks for frames without a stream as a viewer for a while."""
        run.polled = time.monotonic()
        if POLLING not in run.viewers:
            self.watch(run.id, POLLING, POLLED)

    def listen(self, run_id: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` (on any thread) when there is a new frame or status; return what ends that."""
        listeners = (self.races.get(run_id) if is_race(run_id) else self._find(run_id)).listeners
        listeners.add(listener)
        return lambda: listeners.discard(listener)

    def runs(self) -> list[Status]:
        """Return the status of every run that was started, the latest first; one that cannot be read is left out."""
        found = []
        for folder in runs(self.root):
            with contextlib.suppress(EngineError):
                found.append(self.status(folder.run_id))
        return found

    def rows(self, preset: Callable[[Experiment], str | None] | None = None) -> list[Row]:
        """Return the table of the runs (`store.index`), each in the state that it has here."""
        known = dict(self._runs)
        return [known[row.run].row(row) if row.run in known else row for row in Index(self.root, preset).rows()]

    def reopen(self, run_id: str) -> Status:
        """Find a run again, on disk after a restart; playing it goes on from its last keyframe."""
        return self.status(run_id)

    def pin(self, run_id: str, on: bool, background: bool = False) -> None:
        """Let a run go on (or no more) when nobody watches; in the `background` it makes way for any other run."""
        found = self.races.get(run_id) if is_race(run_id) else self._find(run_id)
        found.pinned, found.alone_since = on, time.monotonic()
        if isinstance(found, Run):
            found.background = background

    def delete(self, run_id: str) -> None:
        """Stop a run and put it aside for a day; raises `EngineError` where another process trains it."""
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
            with self._lock:
                self._runs.pop(run_id, None)  # somebody may have looked it up from disk meanwhile

    def fork(self, run_id: str, step: int | None = None, experiment: Experiment | None = None) -> str:
        """Return the id of a run that goes on from a moment at or before `step`; an `experiment` is grafted on."""
        run = self._find(run_id)
        if run.folder is None:
            raise EngineError("This run has not begun: train it first, then fork it.")
        if step is None and run.worker is not None:
            self.send(run_id, "keyframe")
        try:
            graft = grafting(experiment) if experiment else None
            return fork(run.folder, step, graft).run_id
        except (ConfigError, StoreError) as error:
            raise EngineError(str(error)) from None

    def restore(self, run_id: str) -> None:
        """Bring a deleted run back; raises `EngineError` where it is gone for good."""
        try:
            restore(self.root, run_id)
        except StoreError as error:
            raise EngineError(str(error)) from None

    def shutdown(self) -> None:
        """Save every run and end every worker."""
        if not self._closing.is_set():
            self._closing.set()
            self.races.close()
            atexit.unregister(self.shutdown)
            self.launcher.shutdown()

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
        elif verb == "pace":
            run.pace = args["to"]
        if verb == "stop":
            return self._stop(run)
        if run.worker is not None:
            return self.launcher.tell(run, run.worker, verb, args)
        if verb in LAUNCHES and not (verb == "set" and run.folder is None):
            self._refuse_unseen(run)
            return self.launcher.launch(run, verb, args)
        return {"ok": True, "step": run.step} | self._at_rest(run, verb, args)

    def _refuse_unseen(self, run: Run) -> None:
        """Raise where the run's data or model cannot even be shown here: a worker could do no better."""
        if run.unseen:
            self._gallery.draw(run, self.status(run.id))
            if run.unseen:
                raise EngineError(run.unseen)

    def _at_rest(self, run: Run, verb: str, args: dict[str, Any]) -> Answer:
        """Carry out a verb that needs no worker."""
        if verb in ("pick", "decode"):
            return {"data": self._gallery.ask(run, verb, args)}
        if verb == "set":
            run.experiment = edited(run.experiment, args["values"])
            run.told = run.told | {"edits": run.told.get("edits", 0) + 1}
        elif verb == "look":
            past = [k for k in run.told.get("keyframes", []) if args["step"] is not None and k <= args["step"]]
            run.past = past[-1] if past else None
        elif verb == "pause":
            self.launcher.line.leave(run, "paused")
        run.notify()
        return {}

    def _stop(self, run: Run) -> Answer:
        self.launcher.line.leave(run, "stopped")
        self.launcher.release(run, "stopped")
        return {"ok": True, "step": run.step}

    # -- the house ----------------------------------------------------------------------------------------------------

    def record(self, run_id: str) -> Run:
        """Return what is known of a run, for who drives several; raises `EngineError` where there is none."""
        return self._find(run_id)

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
                if POLLING in run.viewers and time.monotonic() - run.polled > POLL:
                    self.unwatch(run.id, POLLING)
                alone = not run.viewers and not run.pinned and run.race is None
                if alone and (run.worker is not None or run.rest == "queued"):
                    self._mind(run, time.monotonic() - run.alone_since)
            while self._serve_next():
                pass
            self.launcher.keep_warm()

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
        run = self.launcher.line.first()
        if run is None or not run.lock.acquire(blocking=False):
            return False
        try:
            if self.launcher.line.place(run) is not None:
                self.launcher.launch(run, "play", {})
            return run.worker is not None
        finally:
            run.lock.release()


def _from_disk(folder: RunFolder) -> Run:
    run = Run(folder.run_id, folder.current(), folder)
    _read(run)
    return run


def _read(run: Run) -> None:
    """Take on what the folder says of the run."""
    assert run.folder is not None
    saved, status = run.folder.keyframes(), run.folder.status()
    run.rest, run.error = str(status["state"]), status.get("error")
    run.told = {"step": saved[-1] if saved else 0, "keyframes": saved, "device": status.get("device", "")}


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
