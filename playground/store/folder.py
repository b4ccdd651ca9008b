"""A run's folder: the experiment, what was done to it, what was measured, and the moments to come back to.

JSON, safetensors, and an SQLite database for what grows (`records.py`), written as the run goes. A kill at any moment
loses at most what came after the last saved moment, and no reader ever meets half a file. `docs/contracts.md` lists the
files.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import secrets
import shutil
import sqlite3
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from torch import Tensor

from playground.config import ConfigError
from playground.experiment import Experiment
from playground.files import held, hold, sync, write_whole
from playground.store import keyframes
from playground.store.errors import StoreError, Unwritable, gone, written
from playground.store.keyframes import Keyframe
from playground.store.plain import Parts
from playground.store.records import FILE as RECORDS
from playground.store.records import Records, Writer, create, migrate, reading
from playground.store.rows import ROW, Window
from playground.store.saver import Saver

DELETED, KEPT_DELETED = ".deleted", 86_400.0  # where deleted runs wait, and for how many seconds
HALF = re.compile(r"\.(making|forking|receiving)-[0-9a-f]{16}")
RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,60}-[0-9a-f]{8}")


def new_id(experiment: Experiment) -> str:
    """Return a fresh run id: the data set and 8 random hex digits."""
    return f"{experiment.dataset}-{secrets.token_hex(4)}"


class RunFolder:
    """One run on disk. Any number of readers; one writer, which takes the lock with `acquire`."""

    def __init__(self, path: Path) -> None:
        self.path, self.run_id = path, path.name
        self._writer: Writer | None = None  # there while this process is the writer
        self._saver: Saver | None = None
        self._let_go: weakref.finalize[[Writer, Saver, int], RunFolder] | None = None

    @classmethod
    def create(cls, root: Path, experiment: Experiment, run_id: str | None = None) -> RunFolder:
        """Make the folder of a new run and record its start; it is there as a whole or not at all."""
        place = _inside(root, run_id or new_id(experiment))
        fresh = root / f".making-{secrets.token_hex(8)}"
        try:
            with written(place):
                fresh.mkdir(parents=True)
                folder = cls(fresh)
                folder.restate(experiment)
                create(fresh / RECORDS, Parts([], 0, np.empty(0, ROW), [], [{"step": 0, "kind": "start"}]))
                folder.set_status(state="paused", step=0)
                fresh.rename(place)
                sync(root)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return cls(place)

    @classmethod
    def open(cls, root: Path, run_id: str) -> RunFolder:
        """Open a run for reading; raises `StoreError` where there is none of this id."""
        folder = cls(_inside(root, run_id))
        if not (folder.path / "config.json").is_file():
            raise StoreError(f"There is no run {run_id!r} in {root}: choose another from the list of runs.")
        return folder

    def acquire(self) -> None:
        """Become the one writer, and tidy up after one that was killed.

        Raises `StoreError` where another process writes here, or the records are damaged or of a newer version.
        """
        if self._writer is not None:
            return
        lock = self._lock()
        try:
            with written(self.path):
                keyframes.tidy(self.path)
                for left in (*self.path.glob(f".{RECORDS}.*"), *self.path.glob(".status.json.*")):
                    left.unlink(missing_ok=True)
                migrate(self.path)
                self._writer, self._saver = Writer(self.path / RECORDS), Saver(self.path)
        except BaseException:
            os.close(lock)
            raise
        self._let_go = weakref.finalize(self, _let_go, self._writer, self._saver, lock)

    def release(self) -> None:
        """Stop being the writer."""
        if self._let_go is not None:
            saver, let_go = self._saver, self._let_go
            self._writer = self._saver = self._let_go = None
            with written(self.path):
                let_go()
            if saver is not None:
                saver.settle()

    def _lock(self) -> int:
        """Take the lock; raises `StoreError` where a living process has it."""
        try:
            lock = hold(self.path / "lock")
            if lock is None:
                raise StoreError(f"Run {self.run_id} is being trained by another process: stop it there first.")
            if os.path.samestat(os.fstat(lock), (self.path / "lock").stat()):
                return lock
            os.close(lock)
        except FileNotFoundError:
            pass
        raise gone(self.run_id)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Writer]:
        """Give the writer; where this process is not it, it becomes so for this moment."""
        passing = self._writer is None
        self.acquire()
        assert self._writer is not None
        try:
            with written(self.path):
                yield self._writer
        finally:
            if passing:
                self.release()

    def busy(self) -> bool:
        """Say whether a living process writes here."""
        return held(self.path / "lock")

    def delete(self) -> None:
        """Put the run aside, from where `restore` brings it back; raises `StoreError` where a process writes here."""
        lock = self._lock()  # nobody begins to write here meanwhile
        try:
            aside = self.path.parent / DELETED / self.run_id
            aside.parent.mkdir(exist_ok=True)
            self.path.rename(aside)
            os.utime(aside)  # when it was deleted
        finally:
            os.close(lock)

    # -- experiment, events, status -----------------------------------------------------------------------------------

    def experiment(self) -> Experiment:
        """Return the experiment as it was started; later edits are events."""
        try:
            experiment = Experiment.from_json(orjson.loads((self.path / "config.json").read_bytes()))
            _give_points(experiment, self.path / "points.safetensors")
            return experiment
        except (OSError, orjson.JSONDecodeError, ConfigError) as error:
            raise StoreError(f"Run {self.run_id} has no readable config.json: {error}") from None

    def restate(self, experiment: Experiment) -> None:
        """Write what the run was started as."""
        write_whole(self.path / "config.json", orjson.dumps(experiment.to_json(), option=orjson.OPT_INDENT_2), True)
        (self.path / "points.safetensors").unlink(missing_ok=True)
        _take_points(experiment, self.path / "points.safetensors")

    def event(self, step: int, kind: str, **what: Any) -> dict[str, Any]:
        """Record that something was done at `step`; return the record."""
        return self.note(step, kind, [what])[0]

    def note(self, step: int, kind: str, all_of_it: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Record several things of a kind that were done at once, as a whole or not at all; return the records."""
        records = [{"step": step, "kind": kind, **what} for what in all_of_it]
        with self._writing() as writer:
            writer.note(records)
        return records

    def events(self) -> list[dict[str, Any]]:
        """Return what was done to the run, in order."""
        with self.reading() as records:
            return records.events()

    def set_status(self, **status: Any) -> None:
        """Write the last known state."""
        write_whole(self.path / "status.json", orjson.dumps({"time": time.time(), **status}))

    def status(self) -> dict[str, Any]:
        """Return the last known state; one that claims a process which is gone reads as stopped."""
        status = self.saved_status()
        return status | {"state": self.state_now(str(status.get("state")))}

    def saved_status(self) -> dict[str, Any]:
        """Return the last state that was written."""
        try:
            status: dict[str, Any] = orjson.loads((self.path / "status.json").read_bytes())
            return status
        except (OSError, orjson.JSONDecodeError):
            return {"state": "stopped", "step": 0}

    def state_now(self, state: str) -> str:
        """Return what a state that was written amounts to: "stopped" where it claims a process which is gone."""
        return "stopped" if state in ("running", "warming", "paused") and not self.busy() else state

    # -- metrics ------------------------------------------------------------------------------------------------------

    def append_train(self, steps: Sequence[int], rows: Sequence[Mapping[str, float]]) -> None:
        """Add rows of metrics; a name that a row lacks is NaN there. Who else reads sees them after `flush`."""
        with self._writing() as writer:
            writer.add_rows(steps, rows)

    def append_scores(self, step: int, scores: Mapping[str, float]) -> None:
        """Add one row of scores; a value that is not finite is null. Who else reads sees it after `flush`."""
        with self._writing() as writer:
            writer.add_scores(step, scores)

    def flush(self) -> None:
        """Write what waits: it outlives the end of this process from then on."""
        if self._writer is not None:
            with written(self.path):
                self._writer.flush()
        if self._saver is not None:
            self._saver.hear()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Records]:
        """Give the records as they stand now, for several questions to one moment."""
        if self._writer is not None:
            with contextlib.suppress(sqlite3.Error):  # what is saved can be read all the same
                self._writer.flush()
        with reading(self.path) as records:
            yield records

    def train(self) -> dict[str, np.ndarray]:
        """Return the logged metrics: "step" (int64) and a float32 column a metric."""
        with self.reading() as records:
            table, names = records.rows(), records.columns()
        return {"step": table["step"]} | {name: table["values"][:, i] for i, name in enumerate(names)}

    def train_rows(self, start: int = 0) -> np.ndarray:
        """Return the raw rows from number `start` on; below 0 it counts from the end."""
        with self.reading() as records:
            return records.rows(max(0, records.count() + start) if start < 0 else start)

    def columns(self) -> list[str]:
        """Return the names of the logged metrics."""
        with self.reading() as records:
            return records.columns()

    def cuts(self) -> int:
        """Return how often records were cut off: a reader that sees it change reads anew."""
        with self.reading() as records:
            return records.cuts()

    def scores(self) -> list[dict[str, Any]]:
        """Return the rows of scores, in order."""
        with self.reading() as records:
            return records.scores()

    def at(self, step: int) -> dict[str, dict[str, float]]:
        """Return the last "metrics" and "scores" at or before `step`."""
        with self.reading() as records:
            row, names, told = records.row_at(step), records.columns(), records.scores()
        values = row["values"][0].tolist() if len(row) else []
        scores = [score for score in told if score["step"] <= step][-1:]
        return {
            "metrics": {n: v for n, v in zip(names, values, strict=False) if not math.isnan(v)},
            "scores": {n: v for n, v in (scores[0] if scores else {}).items() if v is not None},
        }

    def window(self, names: Sequence[str], low: int, high: int, width: int) -> dict[str, Window]:
        """Return metrics and scores from step `low` to `high`, at most `width` buckets each; see `rows.Window`.

        A little more at both ends comes along, so that a line goes on to the edge of a picture. A million steps take
        milliseconds: what is wider than `width` is read from the buckets beside the rows.
        """
        with self.reading() as records:
            return records.window(names, low, high, width)

    # -- keyframes ----------------------------------------------------------------------------------------------------

    def save_keyframe(
        self, step: int, tensors: Mapping[str, Tensor], experiment: Experiment, wait: bool = True
    ) -> list[int]:
        """Save a moment, thin the older ones where there are too many, and return the steps of those there are.

        What was measured and done until then is on the disk before it is, and it is there whole or not at all. Without
        `wait` this returns while it is on its way; what goes wrong with it is raised by what is written next.
        """
        with self._writing() as writer:
            writer.flush()
            assert self._saver is not None
            self._saver.save(step, keyframes.packed(Keyframe(step, experiment, dict(tensors), writer.events)))
            if wait:
                self._saver.settle()
        return self.keyframes() if wait else sorted({*keyframes.steps(self.path), step})

    def keyframes(self) -> list[int]:
        """Return the steps of the saved moments, ascending."""
        self._rest()
        return keyframes.steps(self.path)

    def _rest(self) -> None:
        """Wait for a moment that is on its way to the disk."""
        if self._saver is not None:
            self._saver.rest()

    def excuse(self) -> None:
        """Hear no more of a moment that found no room either: who goes on from a full disk has been told of it."""
        if self._saver is not None:
            with contextlib.suppress(Unwritable):
                self._saver.settle()

    def drop_keyframe(self, step: int) -> None:
        """Forget one saved moment."""
        self._rest()
        keyframes.drop(self.path, step)

    def current(self) -> Experiment:
        """Return the experiment as the last readable keyframe has it, edits applied; else as it was started."""
        started = self.experiment()  # it brings along the items that the run was given
        return keyframes.current(self.path) or started

    def load_keyframe(self, step: int | None = None) -> Keyframe:
        """Read the last readable moment at or before `step` (None: of all); raises `StoreError` where there is none."""
        self._rest()
        for moment in keyframes.good(self.path, step):
            return moment
        raise StoreError(f"Run {self.run_id} has no saved moment to go on from: start it anew.")

    def cut(self, step: int, events: int) -> None:
        """Forget what came after `step`: metrics, scores and keyframes beyond it, and all but the first `events`."""
        for later in reversed(self.keyframes()):  # from the end, and before the records: what is left is always a run
            if later > step:
                self.drop_keyframe(later)
        with self._writing() as writer:
            writer.cut(step, events)


def _let_go(writer: Writer, saver: Saver, lock: int) -> None:
    try:
        saver.close()
        writer.close()
    finally:
        os.close(lock)


def runs(root: Path) -> list[RunFolder]:
    """Return the runs under `root`, the latest started first."""
    if not root.is_dir():
        return []
    begun: dict[Path, float] = {}
    for path in root.iterdir():
        if RUN_ID.fullmatch(path.name):
            with contextlib.suppress(OSError):  # it has no settings, or another process takes it away
                begun[path] = (path / "config.json").stat().st_mtime
    return [RunFolder(path) for path in sorted(begun, key=lambda path: begun[path], reverse=True)]


def restore(root: Path, run_id: str) -> RunFolder:
    """Bring a deleted run back; raises `StoreError` where it is gone for good."""
    path = _inside(root, run_id)
    try:
        (root / DELETED / run_id).rename(path)
    except OSError:
        raise StoreError(f"Run {run_id} cannot be brought back: it is gone for good.") from None
    return RunFolder(path)


def forget_deleted(root: Path, seconds: float = KEPT_DELETED) -> None:
    """Take runs off the disk that were deleted longer ago than that, and what was left half made that long ago."""
    for path in (*(root / DELETED).glob("*"), *(p for p in root.glob(".*-*") if HALF.fullmatch(p.name))):
        with contextlib.suppress(OSError):  # another server does the same
            if path.stat().st_mtime < time.time() - seconds:
                shutil.rmtree(path, ignore_errors=True)


def _take_points(experiment: Experiment, copy: Path) -> None:
    """Keep a copy of what a person brought with the run that learns it."""
    if (file := experiment.data.file()) is not None:
        shutil.copyfile(file, copy)


def _give_points(experiment: Experiment, copy: Path) -> None:
    """Put the items of a run that came from elsewhere where its data set looks for them."""
    place = experiment.data.file()
    if place is not None and copy.exists() and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, copy.read_bytes())


def _inside(root: Path, run_id: str) -> Path:
    if not RUN_ID.fullmatch(run_id):
        raise StoreError(f"{run_id!r} is no run id: one looks like ring8-0a1b2c3d.")
    return root / run_id
