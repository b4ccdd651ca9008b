"""The queue of runs that wait for a worker, first come first served."""

from __future__ import annotations

import threading

from playground.engine.record import Run


class Line:
    """Runs in the order in which they came; any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: list[Run] = []

    def place(self, run: Run) -> int | None:
        """Return a run's place, 1 = next; None where it does not wait."""
        with self._lock:
            return self._runs.index(run) + 1 if run in self._runs else None

    def first(self) -> Run | None:
        """Return the run that is next."""
        with self._lock:
            return self._runs[0] if self._runs else None

    def enter(self, run: Run) -> int:
        """Let a run wait at the end, or where it is, and return its place."""
        with self._lock:
            if run not in self._runs:
                self._runs.append(run)
            place = self._runs.index(run) + 1
        run.rest = "queued"
        run.notify()
        return place

    def leave(self, run: Run, state: str) -> None:
        """Let a run wait no more and take on `state`; those behind it move up and hear of it."""
        with self._lock:
            if run not in self._runs:
                return
            self._runs.remove(run)
            behind = list(self._runs)
        run.rest = "ready" if run.folder is None else state
        for other in [run, *behind]:
            other.notify()
