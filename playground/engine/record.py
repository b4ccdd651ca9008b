"""What the engine knows of a run: its status, its worker, who watches, and how it last looked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from playground.engine.mapped import FrameReader
from playground.engine.process import WorkerProcess
from playground.experiment import Experiment
from playground.store import Group, RunFolder
from playground.store.index import Row

FPS = 20.0
RESTING = ("paused", "finished", "failed")  # states in which a run can do without its worker
# What is drawn for somebody who has not said what to draw; a painter leaves out what its model does not have.
LOOKS = frozenset(["real", "fake", "scores", "inputs", "recon", "codes", "classes"])


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
    waits: bool = False  # for the classifier that scores of images need, once a data set
    keyframes: list[int] = field(default_factory=list)
    speed: int = 0
    until: dict[str, int] | None = None
    edits: int = 0
    viewers: int = 0
    pinned: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain data, by the names that frames use."""
        return asdict(self) | {"experiment_version": self.edits}


class Run:
    """One run's record. `lock` keeps its commands in order; the thread that reads from its worker never takes it."""

    def __init__(self, run_id: str, experiment: Experiment, folder: RunFolder | None = None) -> None:
        self.id, self.experiment, self.folder = run_id, experiment, folder
        self.lock = threading.RLock()
        self.rest = "ready" if folder is None else "stopped"  # the state while it has no worker
        self.error: str | None = None
        self.unseen: str | None = None  # why no picture of it can be made: its data are gone, say
        self.crashed = False  # the worker died, the training did not: it can go on from the last keyframe
        self.told: dict[str, Any] = {}  # the worker's last status
        self.worker: WorkerProcess | None = None
        self.asked: Future[dict[str, Any]] | None = None  # to train; its worker may not have said so yet
        self.reader: FrameReader | None = None
        self.kept: tuple[int, bytes] | None = None  # the last frame of a run without a worker
        self.shown: Any = None  # what `kept` is a picture of
        self.number = 0  # of the last frame
        self.past: int | None = None
        self.speed = 0
        self.until: dict[str, int] | None = None
        self.viewers: dict[str, frozenset[str]] = {}
        self.alone_since = time.monotonic()
        self.polled = 0.0  # when somebody last asked for a frame without a stream
        self.pinned = False
        self.background = False  # gives its worker up to any other run, unless somebody watches
        self.race: Group | None = None  # the race that drives it
        self.party = run_id  # what takes a place among those that train: a run, or a whole race
        self.pace: int | None = None  # the step that it waits at for the others of its race
        self.fps = FPS
        self.listeners: set[Callable[[], None]] = set()

    @property
    def step(self) -> int:
        """The step it is at, as last told."""
        return int(self.told.get("step", 0))

    def state(self) -> str:
        """Return the state by its name in the contracts."""
        return self.rest if self.worker is None else str(self.told.get("state", "warming"))

    def at_rest(self) -> bool:
        """Say whether it can do without its worker: it does not train, and was not just told to."""
        return self.state() in RESTING and (self.asked is None or self.asked.done())

    def yields(self) -> bool:
        """Say whether it gives its worker up to whoever wants one."""
        return self.background and not self.viewers

    def layers(self) -> frozenset[str]:
        """Return every layer that somebody watches."""
        return frozenset().union(*self.viewers.values())

    def status(self, queue: int | None) -> Status:
        """Return its status; `queue` is its place there."""
        told, live = self.told, self.worker is not None
        mine = {
            "error": self.error or self.unseen,
            "past": self.past,
            "speed": self.speed,
            "until": self.until,
            "sps": 0.0,
        }
        from_worker = {name: told.get(name, value) for name, value in mine.items()}
        return Status(
            run=self.id,
            state=self.state(),
            step=self.step,
            device=str(told.get("device", "")),
            queue=queue,
            waits=live and bool(told.get("waits")),
            keyframes=list(told.get("keyframes", [])),
            edits=int(told.get("edits", 0)),
            viewers=len(self.viewers),
            pinned=self.pinned,
            **(from_worker if live else mine),
        )

    def row(self, row: Row) -> Row:
        """Return its line in the table of runs as it is now."""
        step = max(row.step, self.step) if self.worker else self.step
        return replace(row, state=self.state(), step=step, error=self.error)

    def sight(self) -> Any:
        """Return what decides how it looks while it has no worker."""
        return (self.experiment.model_dump_json(), self.layers(), self.past, self.rest, self.error, self.step)

    def notify(self) -> None:
        """Tell the listeners that there is something new."""
        for listener in list(self.listeners):
            listener()
