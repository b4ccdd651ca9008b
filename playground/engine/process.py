"""The server's end of a worker process: sends commands down, hands acknowledgements and statuses on."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]


class WorkerGone(RuntimeError):
    """The worker process ended before it answered."""


class WorkerProcess:
    """One child process. `on_status` and `on_exit` are called on the thread that reads from it."""

    def __init__(self) -> None:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "playground.engine.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
        )  # fmt: skip
        self.pid = self._child.pid
        self.ready = threading.Event()
        self.on_status: Callable[[dict[str, Any]], None] = lambda status: None
        self.on_exit: Callable[[], None] = lambda: None
        self.on_answer: Callable[[dict[str, Any]], None] = lambda answer: None
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name=f"worker {self.pid}", daemon=True)
        self._reader.start()

    def send(self, do: str, **args: Any) -> Future[dict[str, Any]]:
        """Send a command; the future holds its acknowledgement, or `WorkerGone`."""
        future: Future[dict[str, Any]] = Future()
        with self._lock:  # one lock for number and pipe: commands arrive in the order of their numbers
            self._count += 1
            number = self._count
            self._waiting[number] = future
            try:
                assert self._child.stdin is not None
                self._child.stdin.write(orjson.dumps({"id": number, "do": do, **args}) + b"\n")
                self._child.stdin.flush()
            except (BrokenPipeError, ValueError, OSError):
                self._waiting.pop(number, None)
                future.set_exception(WorkerGone())
        return future

    def alive(self) -> bool:
        """Say whether the process is there."""
        return self._child.poll() is None

    def leave(self) -> None:
        """Ask the process to save its run and end, by ending its stdin."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            assert self._child.stdin is not None
            self._child.stdin.close()

    def forget(self) -> None:
        """Stop telling anybody what happens here."""
        self.on_status, self.on_exit, self.on_answer = lambda status: None, lambda: None, lambda answer: None

    def kill(self) -> None:
        """End the process at once."""
        self._child.kill()

    def join(self, timeout: float) -> None:
        """Wait for the process to end; one that does not in time is killed."""
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if threading.current_thread() is not self._reader:
            self._reader.join(1)

    def ending(self) -> str:
        """Say in words how the process ended."""
        code = self._child.wait()
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"

    def _hear(self, message: dict[str, Any]) -> None:
        if "status" in message:
            self.on_status(message["status"])
        elif "ready" in message:
            self.ready.set()
        else:
            with self._lock:
                future = self._waiting.pop(message["ack"], None)
            self.on_answer(message)
            if future is not None:
                future.set_result(message)

    def _read(self) -> None:
        assert self._child.stdout is not None
        try:
            with self._child.stdout as lines:
                for line in lines:
                    self._hear(orjson.loads(line))
        except (ValueError, OSError):  # what it says cannot be understood, or its frames not be read
            self.kill()
        with self._lock:
            waiting, self._waiting = list(self._waiting.values()), {}
        for future in waiting:
            future.set_exception(WorkerGone())
        self.ending()
        self.leave()
        self.on_exit()
