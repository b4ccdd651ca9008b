"""Worker processes: a warm spare always waits, so that a run starts without waiting for imports; more before a race."""

from __future__ import annotations

import threading
import time

from playground.engine.process import WorkerProcess

REST = 3.0  # seconds before a new spare is started: the run that has just begun needs the cores more
STOCKED = 90.0  # seconds that spares of a race which was lined up wait for its start


class Pool:
    """Hands workers out and takes them back; any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spares = [WorkerProcess()]
        self._all = list(self._spares)
        self._next = self._stocked_until = 0.0

    def take(self) -> WorkerProcess:
        """Return a spare, one that is ready before others, or a new worker that is still starting."""
        with self._lock:
            self._next = time.monotonic() + REST
            for worker in sorted(self._spares, key=lambda spare: not spare.ready.is_set()):
                self._spares.remove(worker)
                if worker.alive():
                    return worker
            return self._start()

    def stock(self, n: int) -> None:
        """Have n spares for runs that are about to begin together."""
        with self._lock:
            self._stocked_until = time.monotonic() + STOCKED
            self._spares += [self._start() for _ in range(n - len(self._spares))]

    def give_back(self, worker: WorkerProcess) -> None:
        """Take a worker back whose run is closed: it becomes the spare where there is none that is ready, or leaves."""
        with self._lock:
            if worker.alive() and not any(spare.ready.is_set() for spare in self._spares):
                for starting in self._spares:
                    starting.kill()  # it has nothing to save, and what it still had to import costs two seconds
                self._spares = [worker]
                return
        worker.leave()

    def keep_warm(self, wanted: bool) -> None:
        """See that there is a spare where one is wanted, and no more than that once nobody needs a stock."""
        with self._lock:
            self._all = [worker for worker in self._all if worker.alive()]
            self._spares = [worker for worker in self._spares if worker.alive()]
            now = time.monotonic()
            if wanted and not self._spares and now > self._next:
                self._spares.append(self._start())
            if now > self._stocked_until:
                for worker in self._spares[1:]:
                    worker.leave()
                del self._spares[1:]

    def warm(self, timeout: float) -> bool:
        """Wait until a spare is ready; say whether it is."""
        spares = list(self._spares)
        return bool(spares) and spares[0].ready.wait(timeout)

    def shutdown(self) -> None:
        """End every worker; each saves its run first."""
        with self._lock:
            workers, self._spares = self._all, []
        for worker in workers:
            worker.leave()
        for worker in workers:
            worker.join(10)

    def _start(self) -> WorkerProcess:
        worker = WorkerProcess()
        self._all.append(worker)
        return worker
