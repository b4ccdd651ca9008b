"""Puts a run's moments on the disk while training goes on: to flush a file takes longer than many steps.

One after the other, on a thread of its own: each after the records before it, so that what is found is a run at any
instant. What goes wrong is raised in the next call.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from playground.files import sync
from playground.store import keyframes, thin
from playground.store.errors import written
from playground.store.records import FILE


class Saver:
    """What saves the moments of one run."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._pool = ThreadPoolExecutor(1, f"moments of {run.name}")
        self._last: Future[None] | None = None
        self._size = 0  # bytes of moments since the store was looked at

    def save(self, step: int, content: bytes) -> None:
        """Begin to put a moment on the disk, once the one before is there."""
        self.settle()
        most = thin.bounds()
        self._size += len(content)
        if look := self._size > most.store // thin.LOOK:
            self._size = 0
        self._last = self._pool.submit(_save, self.run, step, content, most, look)

    def rest(self) -> None:
        """Wait until all moments are on the disk, or could not be put there."""
        if self._last is not None:
            wait([self._last])

    def settle(self) -> None:
        """Wait until all moments are on the disk; raises `Unwritable` where one could not be put there."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def hear(self) -> None:
        """Raise `Unwritable` where a moment could not be put on the disk; one that is on its way goes on."""
        if self._last is not None and self._last.done():
            self.settle()

    def close(self) -> None:
        """Wait, and end the thread."""
        self._pool.shutdown()


def _save(run: Path, step: int, content: bytes, most: thin.Bounds, look: bool) -> None:
    with written(run):
        wal = run / f"{FILE}-wal"
        if wal.exists():
            sync(wal)
        keyframes.put(run, step, content)
        if look:
            thin.thin_store(run.parent, most.store)
        thin.thin_run(run, most.run)
