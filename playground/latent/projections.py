"""Projections into a generator's latent space as jobs: begun by a page, done on a thread, asked after while they run.

Each job has a model of its own, so that a page that decodes in the meantime never waits for it; one is done at a time,
the others wait. The same question is answered from what is known.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from playground.config import ConfigError
from playground.latent import moments
from playground.latent.arrays import array
from playground.latent.invert import Cancelled, Inverted, invert
from playground.latent.moments import Moment

KEPT = 16  # jobs in memory, the last asked for

State = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(eq=False)
class Job:
    """How far a projection is. `note` is a line for the page; of a failed one, the cause. Read it from any thread."""

    state: State = "waiting"
    progress: float = 0.0  # share of the steps that are done
    error: float | None = None  # the least mean squared error a number so far
    note: str = "Waiting for another projection"
    result: Inverted | None = None
    moment: Moment | None = field(default=None, repr=False)
    wanted: bool = True
    thread: threading.Thread | None = field(default=None, repr=False)

    def cancel(self) -> None:
        """Have it end at its next step; one that is done stays done."""
        self.wanted = False

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "cancelled")

    def wait(self, seconds: float | None = None) -> Job:
        """Wait until it is over, at most so long, and return it: for notebooks and tests."""
        if self.thread is not None:
            self.thread.join(seconds)
        return self


_jobs: OrderedDict[str, Job] = OrderedDict()
_lock, _turn = threading.Lock(), threading.Lock()


def start(run: str | Moment, step: int | None, target: Any, **knobs: Any) -> Job:
    """Begin to project an item (*shape) into the latent space of a run's saved moment, or of a `Moment`; never waits.

    `knobs` are those of `invert` (steps seed tries prior). The same question gives the same job, begun anew where it
    failed or was cancelled.
    """
    moment = moments.moment(run, step) if isinstance(run, str) else run
    item = array(target)
    named = f"{id(moment)} {moment.step} {moment.experiment.model_dump_json()} {sorted(knobs.items())} {item.shape} "
    key = hashlib.sha256(named.encode() + item.tobytes()).hexdigest()
    with _lock:
        known = _jobs.get(key)
        if known is None or known.state in ("failed", "cancelled") or not known.wanted:
            known = _jobs[key] = Job(moment=moment)  # held on to: its id names it
            known.thread = threading.Thread(
                target=_work, args=(known, moment, item, knobs), name="projection", daemon=True
            )
            known.thread.start()
        _jobs.move_to_end(key)
        while len(_jobs) > KEPT:
            _jobs.popitem(last=False)[1].cancel()
        return known


def _work(job: Job, moment: Moment, item: np.ndarray, knobs: dict[str, Any]) -> None:
    """Do a job."""

    def progress(share: float, error: float) -> None:
        job.progress, job.error = share, error
        if not job.wanted:
            raise Cancelled

    with _turn:
        try:
            progress(0.0, float("nan"))
            job.state, job.note = "running", "Searching the latent space"
            job.result = invert(moments.alone(moment), item, progress=progress, **knobs)
            job.error, job.progress = job.result.error, 1.0
            job.state, job.note = "done", ""
        except Cancelled:
            job.state, job.note = "cancelled", "Cancelled"
        except Exception as error:  # of the model or its data: the page says it
            plain = isinstance(error, ConfigError)
            job.note = str(error) if plain else f"The projection failed: {type(error).__name__}: {error}"
            job.state = "failed"
