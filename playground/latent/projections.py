"""Projections into a generator's latent space as jobs: begun by a page, done on a thread, asked after while they run.

Each job has a model of its own, so that a page that decodes in the meantime never waits for it; one is done at a time,
the others wait. The same question is answered from what is known.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Literal

import numpy as np

from playground.config import ConfigError
from playground.home import home
from playground.latent import moments
from playground.latent.arrays import array
from playground.latent.invert import Cancelled, Inverted, invert
from playground.latent.moments import Moment
from playground.store import RunFolder

KEPT = 16  # jobs in memory, the last asked for

State = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(eq=False)
class Job:
    """How far a projection is. `note` is a line for the page; of a failed one, the cause. Read it from any thread."""

    moment: Moment = field(repr=False)
    state: State = "waiting"
    progress: float = 0.0  # share of the steps that are done
    error: float | None = None  # the least mean squared error a number so far
    note: str = "Waiting for another projection"
    result: Inverted | None = None
    wanted: bool = True
    ended: threading.Event = field(default_factory=threading.Event, repr=False)

    def cancel(self) -> None:
        """Have it end at its next step; one that is done stays done."""
        self.wanted = self.over

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "cancelled")

    def wait(self, seconds: float | None = None) -> Job:
        """Wait until it is over, at most so long, and return it: for notebooks and tests."""
        self.ended.wait(seconds)
        return self


_jobs: OrderedDict[str, Job] = OrderedDict()
_waiting: SimpleQueue[tuple[Job, np.ndarray, dict[str, Any]]] = SimpleQueue()
_lock = threading.Lock()
_threads: list[threading.Thread] = []


def start(run: str | Moment, step: int | None, target: Any, *, again: bool = False, **knobs: Any) -> Job:
    """Begin to project an item (*shape) into the latent space of a run's saved moment, or of a `Moment`; never waits.

    `knobs` are those of `invert` (steps seed tries prior). The same question gives the same job; one that failed
    or was cancelled stays so until it is asked for `again`.
    """
    moment = moments.moment(run, step) if isinstance(run, str) else run
    which = moments.name(RunFolder.open(home(), run), step) if isinstance(run, str) else id(run)
    item = array(target)
    named = f"{which} {sorted(knobs.items())} {item.shape} "
    key = hashlib.sha256(named.encode() + item.tobytes()).hexdigest()
    with _lock:
        known = _jobs.get(key)
        if known is None or (again and (known.state in ("failed", "cancelled") or not known.wanted)):
            known = _jobs[key] = Job(moment)  # held on to: its id names it
            _waiting.put((known, item, knobs))
        if not _threads:
            _threads.append(threading.Thread(target=_work, name="projections", daemon=True))
            _threads[0].start()
        _jobs.move_to_end(key)
        while len(_jobs) > KEPT:
            _jobs.popitem(last=False)[1].cancel()
        return known


def _work() -> None:
    """Do jobs, first come first served."""
    while True:
        job, item, knobs = _waiting.get()
        _do(job, item, knobs)
        job.ended.set()


def _do(job: Job, item: np.ndarray, knobs: dict[str, Any]) -> None:
    def progress(share: float, error: float) -> None:
        job.progress, job.error = share, error
        if not job.wanted:
            raise Cancelled

    try:
        progress(0.0, float("nan"))
        job.state, job.note = "running", "Searching the latent space"
        job.result = invert(moments.alone(job.moment), item, progress=progress, **knobs)
        job.error, job.progress = job.result.error, 1.0
        job.state, job.note = "done", ""
    except Cancelled:
        job.state, job.note = "cancelled", "Cancelled"
    except Exception as error:  # of the model or its data: the page says it
        plain = isinstance(error, ConfigError)
        job.note = str(error) if plain else f"The projection failed: {type(error).__name__}: {error}"
        job.state = "failed"
