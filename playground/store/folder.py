"""A run's folder: the experiment, what was done to it, what was measured, and the moments to come back to.

Plain formats only (JSON, JSON lines, binary rows, safetensors), written as the run goes. A kill at any moment leaves at
worst a torn last record, which readers leave out and the next writer cuts off. `docs/contracts.md` lists the files.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import secrets
import shutil
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from playground.config import ConfigError
from playground.experiment import Experiment
from playground.store.files import append, cut, held, hold, put_in_place, read_lines, write_whole

FORMAT = "1"
WIDTH = 24  # float32 columns of a row; names are given to them as metrics appear, so that a row never changes its size
ROW = np.dtype([("step", "<i8"), ("values", "<f4", (WIDTH,))])
KEEP, KEEP_BYTES = 100, 200 * 2**20  # keyframes of a run: at most so many, of so many bytes together
DELETED, KEPT_DELETED = ".deleted", 86_400.0  # where deleted runs wait, and for how many seconds
RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,60}-[0-9a-f]{8}")


class StoreError(ValueError):
    """A run that is not there or cannot be read, said in one sentence."""


@dataclass(frozen=True)
class Keyframe:
    """Everything needed to go on from a moment: the current experiment, state tensors, and how many events were."""

    step: int
    experiment: Experiment
    tensors: dict[str, Tensor]
    events: int


def new_id(experiment: Experiment) -> str:
    """Return a fresh run id: the data set and 8 random hex digits."""
    return f"{experiment.dataset}-{secrets.token_hex(4)}"


class RunFolder:
    """One run on disk. Any number of readers; one writer, which takes the lock with `acquire`."""

    def __init__(self, path: Path) -> None:
        self.path, self.run_id = path, path.name
        self._unlock: Callable[[], Any] | None = None  # there while this process is the writer
        self._columns: list[str] | None = None
        self._event_count: int | None = None  # known to the writer

    @classmethod
    def create(cls, root: Path, experiment: Experiment, run_id: str | None = None) -> RunFolder:
        """Make the folder of a new run and record its start."""
        folder = cls(_inside(root, run_id or new_id(experiment)))
        folder.path.mkdir(parents=True, exist_ok=True)
        write_whole(folder.path / "config.json", orjson.dumps(experiment.to_json(), option=orjson.OPT_INDENT_2))
        _take_points(experiment, folder.path / "points.safetensors")
        folder.set_status(state="paused", step=0)
        folder.event(0, "start")
        return folder

    @classmethod
    def open(cls, root: Path, run_id: str) -> RunFolder:
        """Open a run for reading; raises `StoreError` where there is none of this id."""
        folder = cls(_inside(root, run_id))
        if not (folder.path / "config.json").is_file():
            raise StoreError(f"There is no run {run_id!r} in {root}: choose another from the list of runs.")
        return folder

    def acquire(self) -> None:
        """Become the one writer and cut off torn records; raises `StoreError` where another process writes here."""
        if self._unlock is not None:
            return
        lock = hold(self.path / "lock")
        if lock is None:
            raise StoreError(f"Run {self.run_id} is being trained by another process: stop it there first.")
        self._unlock = weakref.finalize(self, os.close, lock)
        train = self.path / "train.bin"
        if train.exists():
            cut(train, train.stat().st_size // ROW.itemsize * ROW.itemsize)
        for name in ("events.jsonl", "scores.jsonl"):
            cut(self.path / name, read_lines(self.path / name)[1])

    def release(self) -> None:
        """Stop being the writer."""
        if self._unlock is not None:
            self._unlock()
            self._unlock = None

    def busy(self) -> bool:
        """Say whether a living process writes here."""
        return held(self.path / "lock")

    def delete(self) -> None:
        """Put the run aside, from where `restore` brings it back; raises `StoreError` where a process writes here."""
        if self.busy():
            raise StoreError(f"Run {self.run_id} is being trained by another process: stop it there first.")
        aside = self.path.parent / DELETED / self.run_id
        aside.parent.mkdir(exist_ok=True)
        self.path.rename(aside)
        os.utime(aside)  # when it was deleted

    # -- experiment, events, status -----------------------------------------------------------------------------------

    def experiment(self) -> Experiment:
        """Return the experiment as it was started; later edits are events."""
        try:
            experiment = Experiment.from_json(orjson.loads((self.path / "config.json").read_bytes()))
            _give_points(experiment, self.path / "points.safetensors")
            return experiment
        except (OSError, orjson.JSONDecodeError, ConfigError) as error:
            raise StoreError(f"Run {self.run_id} has no readable config.json: {error}") from None

    def event(self, step: int, kind: str, **what: Any) -> dict[str, Any]:
        """Record that something was done at `step`; return the record."""
        record = {"step": step, "kind": kind, **what}
        append(self.path / "events.jsonl", orjson.dumps(record) + b"\n")
        if self._event_count is not None:
            self._event_count += 1
        return record

    def events(self) -> list[dict[str, Any]]:
        """Return what was done to the run, in order."""
        return read_lines(self.path / "events.jsonl")[0]

    def set_status(self, **status: Any) -> None:
        """Write the last known state."""
        write_whole(self.path / "status.json", orjson.dumps({"time": time.time(), **status}))

    def status(self) -> dict[str, Any]:
        """Return the last known state; one that claims a process which is gone reads as stopped."""
        try:
            status: dict[str, Any] = orjson.loads((self.path / "status.json").read_bytes())
        except (OSError, orjson.JSONDecodeError):
            status = {"state": "stopped", "step": 0}
        if status.get("state") in ("running", "warming", "paused") and not self.busy():
            status["state"] = "stopped"
        return status

    # -- metrics ------------------------------------------------------------------------------------------------------

    def append_train(self, steps: Sequence[int], rows: Sequence[Mapping[str, float]]) -> None:
        """Add rows of metrics; a name that a row lacks is NaN there."""
        if self._columns is None:
            self._columns = self._header()["columns"]
        unseen = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in self._columns]
        if unseen:
            self._columns += unseen
            if len(self._columns) > WIDTH:
                raise StoreError(f"A run keeps at most {WIDTH} metrics a step: {', '.join(unseen)} have no room.")
            self._write_header(columns=self._columns)
        table = np.zeros(len(steps), ROW)
        table["step"], table["values"] = steps, np.nan
        for i, row in enumerate(rows):
            for name, value in row.items():
                table["values"][i, self._columns.index(name)] = value
        append(self.path / "train.bin", table.tobytes())

    def train(self) -> dict[str, np.ndarray]:
        """Return the logged metrics: "step" (int64) and a float32 column a metric."""
        table = self.train_rows()
        return {"step": table["step"]} | {name: table["values"][:, i] for i, name in enumerate(self.columns())}

    def train_rows(self, start: int = 0) -> np.ndarray:
        """Return the raw rows from number `start` on, a torn last one left out."""
        path = self.path / "train.bin"
        if not path.exists():
            return np.empty(0, ROW)
        whole = path.stat().st_size // ROW.itemsize - start
        return np.fromfile(path, ROW, count=max(0, whole), offset=start * ROW.itemsize)

    def columns(self) -> list[str]:
        """Return the names of the logged metrics."""
        return list(self._header()["columns"])

    def cuts(self) -> int:
        """Return how often records were cut off: a reader that sees it change reads anew."""
        return int(self._header()["cuts"])

    def append_scores(self, step: int, scores: Mapping[str, float]) -> None:
        """Add one row of scores; a value that is not finite is null in the file."""
        append(self.path / "scores.jsonl", orjson.dumps({"step": step, **scores}) + b"\n")

    def scores(self) -> list[dict[str, Any]]:
        """Return the rows of scores, in order."""
        return read_lines(self.path / "scores.jsonl")[0]

    def at(self, step: int) -> dict[str, dict[str, float]]:
        """Return the last "metrics" and "scores" at or before `step`."""
        rows = self.train_rows()
        i = int(np.searchsorted(rows["step"], step, "right")) - 1
        values = rows["values"][i].tolist() if i >= 0 else []
        metrics = {name: v for name, v in zip(self.columns(), values, strict=False) if not math.isnan(v)}
        scores = [row for row in self.scores() if row["step"] <= step]
        return {"metrics": metrics, "scores": scores[-1] if scores else {}}

    # -- keyframes ----------------------------------------------------------------------------------------------------

    def save_keyframe(self, step: int, tensors: Mapping[str, Tensor], experiment: Experiment) -> list[int]:
        """Save a moment, thin the older ones where there are too many, and return the steps of those there are."""
        where = self.path / "keyframes"
        where.mkdir(exist_ok=True)
        if self._event_count is None:
            self._event_count = len(self.events())
        metadata = {
            "step": str(step),
            "experiment": orjson.dumps(experiment.to_json()).decode(),
            "events": str(self._event_count),
            "format": FORMAT,
        }
        # safetensors refuses tensors that share memory, as the views of one flat parameter vector do
        copies = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
        fresh = where / f".{step:08d}.part"
        save_file(copies, fresh, metadata)
        put_in_place(fresh, self._keyframe(step))
        return self._thin()

    def keyframes(self) -> list[int]:
        """Return the steps of the saved moments, ascending."""
        return sorted(int(path.stem) for path in (self.path / "keyframes").glob("[0-9]*.safetensors"))

    def drop_keyframe(self, step: int) -> None:
        """Forget one saved moment."""
        self._keyframe(step).unlink(missing_ok=True)

    def current(self) -> Experiment:
        """Return the experiment as the last readable keyframe has it, edits applied; else as it was started."""
        started = self.experiment()
        for at in reversed(self.keyframes()):
            with contextlib.suppress(SafetensorError, OSError, KeyError, ValueError):
                with safe_open(self._keyframe(at), "pt") as file:
                    about = file.metadata() or {}
                return Experiment.from_json(orjson.loads(about["experiment"]))
        return started

    def load_keyframe(self, step: int | None = None) -> Keyframe:
        """Read the last readable moment at or before `step` (None: of all); raises `StoreError` where there is none."""
        for at in reversed([k for k in self.keyframes() if step is None or k <= step]):
            try:
                with safe_open(self._keyframe(at), "pt") as file:
                    about = file.metadata() or {}
                    if about.get("format") != FORMAT:
                        continue
                    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
                experiment = Experiment.from_json(orjson.loads(about["experiment"]))
                return Keyframe(int(about["step"]), experiment, tensors, int(about["events"]))
            except (SafetensorError, OSError, KeyError, ValueError):
                continue
        raise StoreError(f"Run {self.run_id} has no saved moment to go on from: start it anew.")

    def cut(self, step: int, events: int) -> None:
        """Forget what came after `step`: metrics, scores and keyframes beyond it, and all but the first `events`."""
        self._write_header(cuts=self.cuts() + 1)
        self._event_count = None
        rows = self.train_rows()
        cut(self.path / "train.bin", int(np.searchsorted(rows["step"], step, "right")) * ROW.itemsize)
        for name, keep in (("scores.jsonl", None), ("events.jsonl", events)):
            lines = read_lines(self.path / name)[0]
            kept = [r for r in lines if r["step"] <= step] if keep is None else lines[:keep]
            if len(kept) < len(lines):
                write_whole(self.path / name, b"".join(orjson.dumps(r) + b"\n" for r in kept))
        for later in self.keyframes():
            if later > step:
                self._keyframe(later).unlink()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _keyframe(self, step: int) -> Path:
        return self.path / "keyframes" / f"{step:08d}.safetensors"

    def _thin(self) -> list[int]:
        """Drop every second of the older three quarters until what is left is few and small enough."""
        steps = self.keyframes()
        size = self._keyframe(steps[-1]).stat().st_size
        while len(steps) > KEEP or (len(steps) > 8 and len(steps) * size > KEEP_BYTES):
            old = steps[: len(steps) * 3 // 4]
            for step in old[1::2]:
                self._keyframe(step).unlink()
            steps = self.keyframes()
        return steps

    def _header(self) -> dict[str, Any]:
        try:
            header: dict[str, Any] = orjson.loads((self.path / "train.json").read_bytes())
        except (OSError, orjson.JSONDecodeError):
            header = {}
        return {"columns": [], "cuts": 0} | header

    def _write_header(self, **changes: Any) -> None:
        write_whole(self.path / "train.json", orjson.dumps(self._header() | changes))


def runs(root: Path) -> list[RunFolder]:
    """Return the runs under `root`, the latest started first."""
    if not root.is_dir():
        return []
    found = [path for path in root.iterdir() if RUN_ID.fullmatch(path.name) and (path / "config.json").is_file()]
    return [RunFolder(path) for path in sorted(found, key=lambda p: (p / "config.json").stat().st_mtime, reverse=True)]


def restore(root: Path, run_id: str) -> RunFolder:
    """Bring a deleted run back; raises `StoreError` where it is gone for good."""
    path = _inside(root, run_id)
    try:
        (root / DELETED / run_id).rename(path)
    except OSError:
        raise StoreError(f"Run {run_id} cannot be brought back: it is gone for good.") from None
    return RunFolder(path)


def forget_deleted(root: Path, seconds: float = KEPT_DELETED) -> None:
    """Take runs off the disk that were deleted longer ago than that."""
    for path in (root / DELETED).glob("*"):
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
