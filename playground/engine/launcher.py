"""Gives runs their workers and takes them away again: at most so many at once, a warm one where there is one.

Where all train a run waits in the line; a run at rest (paused, finished, failed) parts with its worker, saved first.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from playground.engine.line import Line
from playground.engine.mapped import FrameReader
from playground.engine.pool import Pool
from playground.engine.process import WorkerGone, WorkerProcess
from playground.engine.record import RESTING, EngineError, Run
from playground.experiment import Experiment
from playground.store import LATEST, RunFolder, group

Answer = dict[str, Any]

TRAINS = ("play", "step", "trace")
SAVED = 12.0  # seconds that a worker may take to save its run


class Launcher:
    """`launch`, `release` and `tell_layers` need the run's lock; what comes from workers comes on their own threads."""

    def __init__(self, root: Path, limit: int) -> None:
        self.root, self.limit = root, limit
        self.pool, self.line = Pool(), Line()
        self.closing = False
        self._one = threading.Lock()  # one launch at a time, else two could take the last place
        self._held: set[Run] = set()

    def launch(self, run: Run, verb: str, args: dict[str, Any]) -> Future[Answer] | Answer:
        """Give the run a worker and pass the verb on to it; `play` waits in the line where there is none."""
        if verb in TRAINS and run.rest == "failed" and not run.crashed:
            raise EngineError(f"{run.error} Go back to a good moment to train on.")
        with self._one:
            if not self._has_place(run):
                if verb != "play":
                    raise EngineError(
                        f"All {self.limit} workers are training: pause another run, or press play to queue this one."
                    )
                return {"ok": True, "step": run.step, "data": {"queue": self.line.enter(run)}}
            fresh = run.folder is None
            folder = run.folder = run.folder or RunFolder.create(self.root, run.experiment, run.id)
            if run.race is not None:
                group.write(folder.path, run.race)
            worker = self.pool.take()
            self._held.add(run)
            run.told = run.told | {"state": "warming", "sps": 0.0, "error": None, "past": None}
            run.error, run.crashed, run.past, run.reader = None, False, None, None
            run.worker, run.alone_since = worker, time.monotonic()
        self.line.leave(run, "paused")
        worker.on_status = lambda status: self._on_status(run, worker, status)
        worker.on_exit = lambda: self._on_exit(run, worker)
        worker.on_answer = lambda answer: self._on_answer(run, worker, answer)
        worker.send(
            "open", experiment=run.experiment.to_json(), folder=str(folder.path), number=run.number, speed=run.speed,
            resume=LATEST if not fresh and folder.keyframes() else None, until=run.until, pace=run.pace,
        )  # fmt: skip
        self.tell_layers(run)
        answer = self.tell(run, worker, verb, args)
        if verb == "play" and not worker.ready.is_set():  # what it comes to is told by the state
            return {"ok": True, "step": run.step, "data": {"warming": True}}
        return answer

    def tell(self, run: Run, worker: WorkerProcess, verb: str, args: dict[str, Any]) -> Future[Answer]:
        """Pass a verb on; until one that trains is answered, nobody else may have the worker."""
        answer = worker.send(verb, **args)
        if verb in TRAINS:
            run.asked = answer
        return answer

    def release(self, run: Run, state: str) -> None:
        """Save a run, take its worker away, and leave it in `state` (a failed or finished one stays so)."""
        worker = run.worker
        if worker is None:
            return
        saved = True
        try:
            worker.send("stop").result(SAVED)
        except (WorkerGone, TimeoutError):
            saved = False
        last = run.reader.read() if run.reader is not None else None
        told = run.told
        if told.get("state") in ("failed", "finished"):
            state = str(told["state"])
        run.rest, run.error = state, told.get("error")
        run.speed, run.until, run.past = int(told.get("speed", 0)), told.get("until"), told.get("past")
        self._part(run)
        if last is not None and saved and state in RESTING:
            run.kept, run.number, run.shown = last, last[0], run.sight()
        worker.forget()
        if saved:
            self.pool.give_back(worker)
        else:
            worker.kill()
            self._fall_back(run)
        run.notify()

    def tell_layers(self, run: Run) -> None:
        """Tell the worker what is watched."""
        if run.worker is not None:
            run.worker.send("watch", layers=sorted(run.layers()), fps=run.fps)
        run.notify()

    def keep_warm(self) -> None:
        """See that a spare worker waits while there is a place for one."""
        self.pool.keep_warm(self._parties() < self.limit)

    def shutdown(self) -> None:
        """Save every run and end every worker."""
        self.closing = True
        self.pool.shutdown()

    def room(self) -> int:
        """Return how many runs may train in the background: as many as workers nobody else trains with or waits for."""
        others = {run.party for run in list(self._held) if not run.yields() and not run.at_rest()}
        return self.limit - len(others) - (self.line.first() is not None)

    def _parties(self) -> int:
        """Return how many runs have workers; those of a race share them, and count as one."""
        return len({run.party for run in list(self._held)})

    def _has_place(self, run: Run) -> bool:
        """Say whether a run may have a worker, taking those of runs at rest, then of the background, if need be."""
        held = list(self._held)
        if self._parties() < self.limit or run.party in {other.party for other in held}:
            return True
        first = not run.yields()  # before what goes on in the background
        moving = {r.party for r in held if not r.at_rest() and not (first and r.yields())}
        spare = [other for other in held if other.party not in moving]
        for other in sorted(spare, key=lambda r: (not r.at_rest(), len(r.viewers), r.alone_since)):
            self._give_up(other)
            if self._parties() < self.limit:
                return True
        return False

    def _give_up(self, run: Run) -> None:
        """Let a run at rest, or in the background, part with its worker, unless it is in use after all."""
        if not run.lock.acquire(blocking=False):  # waiting here for a run that waits for a place would never end
            return
        try:
            if run.at_rest() or run.yields():
                self.release(run, run.state() if run.state() in RESTING else "paused")
        finally:
            run.lock.release()

    def _part(self, run: Run) -> None:
        run.worker, run.reader = None, None
        self._held.discard(run)

    # -- what workers say ---------------------------------------------------------------------------------------------

    def _on_status(self, run: Run, worker: WorkerProcess, status: dict[str, Any]) -> None:
        if run.worker is worker:
            run.told = status
            run.number = max(run.number, int(status["frame"]))
            run.notify()

    def _on_answer(self, run: Run, worker: WorkerProcess, answer: Answer) -> None:
        """Take what an acknowledgement says of the run, before whoever waits for it goes on."""
        if run.worker is not worker or run.folder is None:
            return
        data = answer.get("data") or {}
        if "experiment" in data:
            run.experiment = Experiment.from_json(data["experiment"])
        if run.reader is None and answer["ok"]:  # this answers `open`
            run.reader = FrameReader(run.folder.path / "frame.bin")
        elif run.reader is None:
            run.rest, run.error = "failed", f"The run could not start: {answer['error']}"
            run.crashed = True  # nothing was trained: play tries again, the data may have come
            self._part(run)
            worker.leave()
            run.notify()

    def _on_exit(self, run: Run, worker: WorkerProcess) -> None:
        """Take note that a worker died: what it trained can go on from its last keyframe."""
        if run.worker is not worker or self.closing:
            return
        run.error = f"The worker process ended unexpectedly ({worker.ending()}): play goes on from the last keyframe."
        run.rest, run.crashed, run.kept = "failed", True, None
        self._fall_back(run)
        self._part(run)
        run.notify()

    def _fall_back(self, run: Run) -> None:
        """Tell of a run what its folder holds: its worker is gone, and what it did since with it."""
        if run.folder is not None and (saved := run.folder.keyframes()):
            run.told = run.told | {"step": saved[-1], "keyframes": saved}
