"""Drives sweeps: gives their runs to the engine as workers come free, and keeps what each came to.

A person goes first: runs of a sweep train in the background, take what workers nobody else wants, and give one up at
once (saved, to go on later) when somebody presses play. All that the pages do is flip a sweep's state; one thread does
the rest, so that no page ever waits. What is known lies on disk: after a restart, however it came, a sweep goes on with
the runs it has, each from its last saved moment, and their numbers are those of a sweep without a break.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from playground.config import ConfigError
from playground.engine.manager import Engine
from playground.engine.record import EngineError, Status
from playground.experiment import Experiment
from playground.store import Group, StoreError, group, sweeps
from playground.store.sweeps import Result, Sweep
from playground.sweep_goals import result
from playground.sweep_plan import experiment
from playground.sweep_results import told

TICK = 0.2  # seconds between two looks
TRIES = 2  # times that a run is begun anew after its worker ended or could not take it
WINDOW = 60.0  # seconds over which the pace is measured
MOVING = ("running", "warming")

Phase = Literal["running", "stopping", "stopped", "interrupted", "elsewhere", "done"]


@dataclass(frozen=True)
class Progress:
    """How far a sweep is. `at` has the share done of each run under way; `left` is seconds, None while unknown."""

    phase: Phase
    done: int
    failed: int
    total: int
    at: dict[int, float]
    left: float | None
    trouble: str = ""


@dataclass
class Driving:
    """A sweep that this process drives."""

    sweep: Sweep
    lock: sweeps.Drive
    steps: dict[int, int] = field(default_factory=dict)  # where each run under way was last seen
    tries: dict[int, int] = field(default_factory=dict)
    pace: deque[tuple[float, int]] = field(default_factory=lambda: deque([(time.monotonic(), 0)], maxlen=600))
    delete: Literal["", "sweep", "runs"] = ""

    def saw(self, i: int, step: int) -> None:
        """Note how far a run is."""
        gained = max(0, step - self.steps.get(i, step))
        self.steps[i] = step
        now, total = time.monotonic(), self.pace[-1][1] + gained
        while len(self.pace) > 1 and now - self.pace[0][0] > WINDOW:
            self.pace.popleft()
        if now - self.pace[-1][0] >= TICK / 2:
            self.pace.append((now, total))
        else:
            self.pace[-1] = (self.pace[-1][0], total)

    def left(self) -> float | None:
        """Return the seconds that are left at the present pace."""
        open_ = {i for i, cell in enumerate(self.sweep.cells) if cell.result is None}
        steps = len(open_) * self.sweep.steps - sum(self.steps.get(i, 0) for i in open_)
        (began, before), (now, after) = self.pace[0], self.pace[-1]
        return steps * (now - began) / (after - before) if after > before and now - began > 1 else None


class Sweeper:
    """Every sweep under an engine's root. Any thread may call; nothing here waits for a worker."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.root = engine, engine.root
        self._lock = threading.RLock()
        self._driven: dict[str, Driving] = {}
        self._trouble: dict[str, str] = {}
        self._kept: dict[str, tuple[int, Sweep]] = {}  # read from disk, until the file changes
        self._thread: threading.Thread | None = None

    # -- what a page or the command line asks -------------------------------------------------------------------------

    def all(self) -> tuple[list[Sweep], list[str]]:
        """Return the sweeps there are, the latest first, and a sentence for each that cannot be read."""
        found, broken = [], []
        for sweep_id in sweeps.ids(self.root):
            try:
                found.append(self.get(sweep_id))
            except StoreError as error:
                broken.append(str(error))
        hidden = {sweep_id for sweep_id, one in self._driven.items() if one.delete}
        return sorted((s for s in found if s.id not in hidden), key=lambda s: -s.created), broken

    def get(self, sweep_id: str) -> Sweep:
        """Return a sweep as it stands; raises `StoreError`."""
        with self._lock:
            one = self._driven.get(sweep_id)
        if one is not None:
            return one.sweep
        stamp, kept = sweeps.stamp(self.root, sweep_id), self._kept.get(sweep_id)
        if kept is None or kept[0] != stamp:
            kept = self._kept[sweep_id] = stamp, sweeps.read(self.root, sweep_id)
        return kept[1]

    def start(self, sweep: Sweep) -> None:
        """Begin a new sweep."""
        sweeps.write(self.root, sweep)
        self._drive(sweep)

    def resume(self, sweep_id: str) -> None:
        """Go on with a sweep that was stopped or interrupted; raises `StoreError` where another process drives it."""
        with self._lock:
            one = self._driven.get(sweep_id)
            if one is not None and not one.delete:
                self._keep(one, one.sweep.model_copy(update={"state": "running"}))
                return
        sweep = sweeps.read(self.root, sweep_id)
        self._drive(sweep if sweep.state == "done" else sweep.model_copy(update={"state": "running"}))

    def stop(self, sweep_id: str) -> None:
        """Let a sweep rest: the runs under way are saved and go on when it is resumed."""
        with self._lock:
            one = self._driven.get(sweep_id)
            if one is not None:
                self._keep(one, one.sweep.model_copy(update={"state": "stopped"}))

    def delete(self, sweep_id: str, runs: bool) -> None:
        """Forget a sweep, and put its runs aside (for a day) where asked to; raises `StoreError`."""
        with self._lock:  # held throughout: the thread lets a sweep go as soon as it sees it at rest
            try:
                self._drive(sweeps.read(self.root, sweep_id).model_copy(update={"state": "stopped"}))
            except StoreError:
                if sweep_id not in sweeps.ids(self.root) or sweeps.driven(self.root, sweep_id):
                    raise
                sweeps.delete(self.root, sweep_id)  # nobody can read it
                return
            self._driven[sweep_id].delete = "runs" if runs else "sweep"
            self.stop(sweep_id)

    def take_up(self) -> None:
        """Go on with what was running when the last server ended, where nobody else does."""
        for sweep in self.all()[0]:
            if sweep.state == "running" and not sweeps.driven(self.root, sweep.id):
                self._drive(sweep)

    def progress(self, sweep: Sweep) -> Progress:
        """Return how far a sweep is."""
        results = [cell.result for cell in sweep.cells if cell.result is not None]
        with self._lock:
            one = self._driven.get(sweep.id)
            at = {i: step / sweep.steps for i, step in one.steps.items()} if one else {}
            left = one.left() if one else None
        failed = sum(r.failed for r in results)
        trouble = self._trouble.get(sweep.id, "")
        return Progress(self._phase(sweep, one), len(results), failed, len(sweep.cells), at, left, trouble)

    def idle(self, sweep_id: str) -> bool:
        """Say whether nothing of a sweep is under way here any more."""
        return sweep_id not in self._driven

    def _phase(self, sweep: Sweep, one: Driving | None) -> Phase:
        if sweep.state == "done":
            return "done"
        if one is not None:
            return "running" if sweep.state == "running" else "stopping"
        if sweep.state == "stopped":
            return "stopped"
        return "elsewhere" if sweeps.driven(self.root, sweep.id) else "interrupted"

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _drive(self, sweep: Sweep) -> None:
        with self._lock:
            if sweep.id in self._driven:
                return
            lock = sweeps.drive(self.root, sweep.id)
            if lock is None:
                raise StoreError(f"Sweep {sweep.id} is being run by another process: stop it there first.")
            self._trouble.pop(sweep.id, None)
            one = Driving(sweep, lock)
            self._keep(one, sweep)
            self._driven[sweep.id] = one
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sweeps", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self.engine.closed:
            with self._lock:
                driven = list(self._driven.values())
            for one in driven:
                try:
                    self._tend(one)
                except EngineError:  # a run went away between two looks
                    continue
                except Exception as error:  # whatever it is: without this thread every other sweep would hang
                    plain = isinstance(error, (StoreError, ConfigError, OSError))
                    if not self.engine.closed:
                        why = str(error) if plain else f"{type(error).__name__}: {error}"
                        self._give_up(one, f"The sweep has stopped: {why}")
            time.sleep(TICK)

    def _tend(self, one: Driving) -> None:
        """Take in what has ended, then begin what there is room for, or bring all to rest."""
        under_way = 0
        for i in self._begun(one):
            under_way += self._see(one, i)
        if self.engine.closed:
            return
        if one.sweep.state == "running":
            if all(cell.result is not None for cell in one.sweep.cells):
                self._keep(one, one.sweep.model_copy(update={"state": "done"}))
                self._let_go(one)
            else:
                self._feed(one)
        elif not under_way:
            self._let_go(one)

    def _begun(self, one: Driving) -> list[int]:
        return [i for i, cell in enumerate(one.sweep.cells) if cell.run is not None and cell.result is None]

    def _see(self, one: Driving, i: int) -> bool:
        """Look at a run that was begun: take in what it came to; return whether it is under way."""
        cell = one.sweep.cells[i]
        try:
            status = self.engine.status(cell.run or "")
        except EngineError:  # deleted, or the server ended before it began
            self._set(one, i, run=None)
            return False
        one.saw(i, status.step)
        found = self._came_to(one, i, status)
        if found is not None:
            if not self.engine.closed:
                self.engine.pin(status.run, False)
                self._set(one, i, result=found)
                one.steps.pop(i, None)
            return False
        if status.state in (*MOVING, "queued") and one.sweep.state != "running":
            self._quietly(status.run, "stop")
        return status.state in MOVING

    def _came_to(self, one: Driving, i: int, status: Status) -> Result | None:
        """Return what a run came to; None while it has not come to its end."""
        folder = self.engine.folder(status.run)
        if folder is None or status.state in MOVING:
            return None
        if status.state == "failed" and folder.status()["state"] == "failed":
            return result(self._experiment(one.sweep, i), folder, status.step, status.error or "It failed.")
        if status.step >= one.sweep.steps:
            return result(self._experiment(one.sweep, i), folder, status.step)
        if status.state == "failed" and one.tries.get(i, 0) >= TRIES:
            return Result(failed=True, step=status.step, verdict="failed", sentence=status.error or "Its worker ended.")
        return None

    def _feed(self, one: Driving) -> None:
        """Begin or go on with runs while there is room."""
        room = self.engine.launcher.room() - sum(self._training())
        for i in self._waiting(one):
            if room <= 0 or self.engine.closed:
                return
            if not self._begin(one, i):
                return
            room -= 1

    def _training(self) -> Iterator[int]:
        """Count the runs of every sweep that train now."""
        with self._lock:
            cells = [cell for one in self._driven.values() for cell in one.sweep.cells if cell.result is None]
        for cell in cells:
            if cell.run is not None:
                try:
                    status = self.engine.status(cell.run)
                    yield status.state in MOVING and not status.viewers
                except EngineError:
                    continue

    def _waiting(self, one: Driving) -> Iterator[int]:
        """Return what can be begun: first those that gave their worker up, but for what somebody looks at paused."""
        for i in self._begun(one):
            status = self.engine.status(one.sweep.cells[i].run or "")
            if status.state not in MOVING and not (status.viewers and status.state == "paused"):
                yield i
        yield from [i for i, cell in enumerate(one.sweep.cells) if cell.run is None]

    def _begin(self, one: Driving, i: int) -> bool:
        """Let a run train, from where it is; return whether it does."""
        cell, engine = one.sweep.cells[i], self.engine
        run = cell.run or engine.prepare(self._experiment(one.sweep, i))
        if cell.run is None:
            self._set(one, i, run=run)  # before it begins: a restart must find it
        one.tries[i] = one.tries.get(i, 0) + (engine.status(run).state == "failed")
        engine.pin(run, True, background=True)
        try:
            answer = engine.send(run, "play")
        except EngineError as error:
            one.tries[i] += 1
            if not engine.closed and one.tries[i] > TRIES:
                self._set(one, i, result=Result(failed=True, step=0, verdict="failed", sentence=str(error)))
            return False
        if "queue" in answer.get("data", {}):  # somebody was quicker
            self._quietly(run, "pause")
            return False
        folder = engine.folder(run)
        if folder is not None and group.read(folder.path) is None:
            group.write(folder.path, Group(kind="sweep", id=one.sweep.id, label=told(one.sweep, cell)))
        return True

    def _quietly(self, run: str, verb: str) -> None:
        """Send a verb that may come too late."""
        try:
            self.engine.send(run, verb)
        except EngineError:
            return

    def _let_go(self, one: Driving) -> None:
        """Drive a sweep no more; forget it where that was asked for."""
        delete = one.delete
        if delete == "runs":
            for cell in one.sweep.cells:
                if cell.run is not None:
                    try:
                        self.engine.delete(cell.run)
                    except EngineError:
                        continue
        with self._lock:
            if one.sweep.state == "running" or one.delete != delete:  # resumed or deleted in this very moment
                return
            self._driven.pop(one.sweep.id, None)
            one.lock.release()
            if delete:
                sweeps.delete(self.root, one.sweep.id)

    def _give_up(self, one: Driving, why: str) -> None:
        """Stop a sweep that cannot be kept on disk, and say why."""
        self._trouble[one.sweep.id] = why
        with self._lock:
            one.sweep = one.sweep.model_copy(update={"state": "stopped"})

    # -- parts --------------------------------------------------------------------------------------------------------

    def _experiment(self, sweep: Sweep, i: int) -> Experiment:
        cell = sweep.cells[i]
        names = [axis.field for axis in sweep.axes]
        return experiment(sweep.experiment, names, cell.values, sweep.steps, cell.seed)

    def _set(self, one: Driving, i: int, **changes: object) -> None:
        with self._lock:
            self._keep(one, one.sweep.with_cell(i, **changes))

    def _keep(self, one: Driving, sweep: Sweep) -> None:
        with self._lock:
            one.sweep = sweep
            if not one.delete:
                sweeps.write(self.root, sweep)


_sweepers: dict[Engine, Sweeper] = {}
_making = threading.Lock()


def sweeper(engine: Engine) -> Sweeper:
    """Return the sweeper of an engine, made on first use."""
    with _making:
        if engine not in _sweepers:
            _sweepers[engine] = Sweeper(engine)
        return _sweepers[engine]
