"""Worker processes: one warm spare always waits, so that a run starts without waiting for imports."""

from __future__ import annotations

import threading
import time

from playground.engine.process import WorkerProcess

REST = 3.0  # seconds before a new spare is started: the run that has just begun needs the cores more


class Pool:
    """Hands workers out and takes them back; any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spare: WorkerProcess | None = WorkerProcess()
        self._all = [self._spare]
        self._next = 0.0

    def take(self) -> WorkerProcess:
        """Return the spare, or a new worker that is still starting."""
        with self._lock:
            worker, self._spare = self._spare, None
            self._next = time.monotonic() + REST
            if worker is None or not worker.alive():
                worker = self._start()
        return worker

    def give_back(self, worker: WorkerProcess) -> None:
        """Take a worker back whose run is closed: it becomes the spare where there is none that is ready, or leaves."""
        with self._lock:
            spare = self._spare
            if worker.alive() and (spare is None or not spare.ready.is_set()):
                self._spare = worker
                if spare is not None:
                    spare.kill()  # it has nothing to save, and what it still had to import costs two seconds
                return
        worker.leave()

    def keep_warm(self, wanted: bool) -> None:
        """See that there is a spare where one is wanted."""
        with self._lock:
            self._all = [worker for worker in self._all if worker.alive()]
            if self._spare is not None and not self._spare.alive():
                self._spare = None
            if wanted and self._spare is None and time.monotonic() > self._next:
                self._spare = self._start()

    def warm(self, timeout: float) -> bool:
        """Wait until the spare is ready; say whether it is."""
        spare = self._spare
        return spare is not None and spare.ready.wait(timeout)

    def shutdown(self) -> None:
        """End every worker; each saves its run first."""
        with self._lock:
            workers, self._spare = self._all, None
        for worker in workers:
            worker.leave()
        for worker in workers:
            worker.join(10)

    def _start(self) -> WorkerProcess:
        worker = WorkerProcess()
        self._all.append(worker)
        return worker
