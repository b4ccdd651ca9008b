"""Files that survive a kill: they are written beside their place and renamed into it; and the lock of one writer."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Any

import orjson

try:
    import fcntl
except ImportError:  # Windows has no flock; there a second writer is not noticed
    fcntl = None  # type: ignore[assignment]


def write_whole(path: Path, content: bytes, lasting: bool = False) -> None:
    """Write a file so that a reader, or a kill at any moment, sees the old content or the new and nothing between.

    A `lasting` one is on the disk itself when this returns, and outlives a loss of power.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        fresh.write_bytes(content)
        if lasting:
            sync(fresh)
        put_in_place(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)  # a full disk needs the room
        raise
    if lasting:
        sync(path.parent)


def sync(path: Path) -> None:
    """See that a file, or the names in a folder, are on the disk itself."""
    with contextlib.suppress(PermissionError):  # Windows opens no folder
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def put_in_place(fresh: Path, path: Path) -> None:
    """Rename `fresh` to `path`; on Windows a reader that has it open holds this up for a moment."""
    for attempt in range(10):
        try:
            os.replace(fresh, path)
            return
        except PermissionError:
            if attempt == 9:
                raise
            time.sleep(0.02)


def read_lines(path: Path, start: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Read JSON lines from byte `start`; return them and the byte after the last whole one (a torn end is left out)."""
    found: list[dict[str, Any]] = []
    if not path.exists():
        return found, start
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                break
            try:
                found.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                break
            start += len(line)
    return found, start


def hold(path: Path, tries: int = 20) -> int | None:
    """Take the lock that marks this process as the one writer and return its file descriptor; None: another has it.

    Closing the descriptor releases the lock, and so does the end of the process, however it comes.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT)
    for _ in range(tries):  # `held` and a process on its way out have it for a moment only
        if fcntl is None:
            return lock
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        time.sleep(0.02)
    os.close(lock)
    return None


def held(path: Path) -> bool:
    """Say whether a living process has the lock of `hold`."""
    if fcntl is None:
        return False
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
    return False
