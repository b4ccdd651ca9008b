"""What goes wrong with runs on disk, each in one sentence that names the cause and the remedy."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room on the disk, in the quota, under the limit of a file


class StoreError(ValueError):
    """A run that is not there or cannot be read, said in one sentence."""


class Unwritable(StoreError):
    """The disk takes no more, or not this file: what was saved before is there, what waits can be written later."""


def gone(run_id: str) -> StoreError:
    """Return what is said of a run that another process has taken away."""
    return StoreError(f"Run {run_id} is no longer there: it was deleted meanwhile.")


@contextmanager
def written(folder: Path, what: str = "Run") -> Iterator[None]:
    """Turn what the disk says while something is written in this folder, or of that name, into `Unwritable`."""
    try:
        yield
    except sqlite3.Error as error:
        raise Unwritable(_sentence(folder, what, getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error))) from error
    except OSError as error:
        code = sqlite3.SQLITE_FULL if error.errno in FULL else 0
        raise Unwritable(_sentence(folder, what, code, error.strerror or str(error))) from error


def _sentence(folder: Path, what: str, code: int, said: str) -> str:
    if code == sqlite3.SQLITE_FULL:
        return f"The disk that holds {folder.parent} is full: all that was saved is there; make room on it, then go on."
    return f"{what} {folder.name} cannot be written in {folder.parent} ({said}): see to the disk, then go on."
