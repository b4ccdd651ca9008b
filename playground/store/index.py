"""The runs of a store as a table, without opening each: `<home>/index.sqlite`, a copy of what the run folders say.

A row is made anew when a file of its run has changed; it may be deleted at any time, and two servers share it.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from playground.config import ConfigError
from playground.diagnostics.verdict import verdict
from playground.experiment import Experiment
from playground.figures.series import smooth
from playground.store import about, group
from playground.store.about import About
from playground.store.errors import StoreError
from playground.store.folder import RunFolder, runs
from playground.store.group import Group
from playground.store.keyframes import FOLDER as KEYFRAMES
from playground.store.parents import FILE as PARENT
from playground.store.parents import Parent, parent
from playground.store.records import FILE as RECORDS
from playground.store.records import LATEST, RECENT, Recent

FILE, VERSION = "index.sqlite", 1
WATCHED = (
    "config.json", "status.json", about.FILE, PARENT, group.FILE, KEYFRAMES, RECORDS, f"{RECORDS}-wal",
)  # fmt: skip
POINTS, SMOOTH = 60, 0.9  # of a sparkline; weight of the past in a smoothed value
BATCH = 25  # rows written at once: who leaves early has the others next time
TELLING = ("modes/eight_percent", "class/covered", "held/recon", "prdc/coverage", "loss/g", "loss/total")
ONE_OF_MANY = re.compile(r".*/\d+")  # one mode, class or coding: not of a run as a whole
HIGH = re.compile(  # metrics that are good where they are high
    r"modes/(covered|one_percent|eight_percent|hq)|prdc/.*|class/(covered|entropy|sure)|held/(elbo|iw)|code/active"
    r"|knn/accuracy|diversity/pixels"
)
LOW = re.compile(r"loss/.*|dist/.*|modes/(reverse_kl|tv)|(held|train)/.*|class/kl|(code|unit)/dead|copies/share")


class Metric(NamedTuple):
    """What a run came to in one metric; `best` is None where neither high nor low is good."""

    last: float
    best: float | None
    smoothed: float


@dataclass(frozen=True)
class Row:
    """One run in the table. `step` is the last that was logged of one that trains, else the last saved moment."""

    run: str
    family: str
    dataset: str
    preset: str | None
    title: str  # its name, else that of its data
    state: str
    error: str | None
    step: int
    started: float
    parent: Parent | None
    group: Group | None
    about: About
    metrics: dict[str, Metric]
    spark: tuple[str, tuple[float, ...]]  # the metric that tells most, and at most 60 of its values
    verdict: tuple[str, str]


class Index:
    """The table of the runs under `root`; `preset` names the preset that an experiment is, where it is one."""

    def __init__(self, root: Path, preset: Callable[[Experiment], str | None] | None = None) -> None:
        self.root, self.preset = root, preset

    def rows(self) -> list[Row]:
        """Return a row a run that can be read, the latest started first."""
        folders = runs(self.root)
        kept = self._kept() if folders else {}
        found, fresh = [], {}
        for folder in folders:
            stamp = self._stamp(folder.path)
            if not stamp:  # deleted since it was listed
                continue
            if folder.run_id not in kept or kept[folder.run_id][0] != stamp:
                kept[folder.run_id] = fresh[folder.run_id] = (stamp, self._made(folder))
                if len(fresh) == BATCH:
                    self._keep(fresh, ())
                    fresh = {}
            found.append((folder, kept[folder.run_id][1]))
        self._keep(fresh, kept.keys() - {folder.run_id for folder in folders})
        return [_row(folder, orjson.loads(said)) for folder, said in found if said]

    # -- what is kept -------------------------------------------------------------------------------------------------

    def _kept(self) -> dict[str, tuple[str, bytes]]:
        """Return stamp and row of each run that is known; of none where the file cannot be read."""
        try:
            with closing(self._open()) as db:
                return {run: (stamp, said) for run, stamp, said in db.execute("SELECT run, stamp, said FROM runs")}
        except sqlite3.OperationalError:  # the disk is full, another process has it locked: it can be done without
            return {}
        except sqlite3.DatabaseError:  # damaged: it is only a copy
            for end in ("", "-wal", "-shm"):
                (self.root / f"{FILE}{end}").unlink(missing_ok=True)
            return {}

    def _keep(self, fresh: Mapping[str, tuple[str, bytes]], gone: Iterable[str]) -> None:
        """Keep these rows and forget runs that are gone; where that fails they are made again next time."""
        forgotten = [(run,) for run in gone]
        if not fresh and not forgotten:
            return
        with contextlib.suppress(sqlite3.Error), closing(self._open()) as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", [(run, *row) for run, row in fresh.items()])
            db.executemany("DELETE FROM runs WHERE run = ?", forgotten)
            db.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.root / FILE, timeout=1.0, isolation_level=None)
        try:
            db.execute("PRAGMA trusted_schema = 0")
            db.execute("PRAGMA synchronous = NORMAL")
            if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("BEGIN IMMEDIATE")
                db.execute("DROP TABLE IF EXISTS runs")
                db.execute("CREATE TABLE runs (run TEXT PRIMARY KEY, stamp TEXT NOT NULL, said BLOB NOT NULL)")
                db.execute(f"PRAGMA user_version = {VERSION}")
                db.execute("COMMIT")
            return db
        except BaseException:
            db.close()
            raise

    def _stamp(self, folder: Path) -> str:
        """Return what changes whenever anything that a row says does."""
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            there = {entry.name: entry.stat() for entry in entries if entry.name in WATCHED}
            files = [f"{name} {s.st_mtime_ns} {s.st_size}" for name, s in sorted(there.items()) if s.st_size]
            return f"{self.preset is not None}; {'; '.join(files)}"
        return ""

    def _made(self, folder: RunFolder) -> bytes:
        """Return a run's row as JSON; nothing where it cannot be read."""
        try:
            return orjson.dumps(_told(folder, self.preset), default=tuple)  # of a named one
        except (StoreError, ConfigError, OSError):
            return b""


# -- a row ------------------------------------------------------------------------------------------------------------


def _told(folder: RunFolder, preset: Callable[[Experiment], str | None] | None) -> dict[str, Any]:
    """Return what a row says of a run, its state as it was written last."""
    experiment, status, saved = folder.current(), folder.saved_status(), folder.keyframes()
    said, whose, belongs = about.read(folder.path), parent(folder.path), group.read(folder.path)
    with folder.reading() as records:
        names, ever = records.columns(), records.whole()
        recent, scores = records.recent(), records.scores()
        telling = next((name for name in TELLING if name in names or any(name in score for score in scores)), "")
        spark = records.window([telling], 0, LATEST, POINTS).get(telling)
    train, metrics = recent.train, {}
    for i, name in enumerate(names):
        if len(known := train[name][np.isfinite(train[name])]):
            metrics[name] = _metric(name, known, [ever["low"][0, i], ever["high"][0, i]])
    for name in dict.fromkeys(name for score in scores for name in score if name != "step"):
        values = np.array([score[name] for score in scores if score.get(name) is not None], float)
        if len(values) and not ONE_OF_MANY.fullmatch(name):
            metrics[name] = _metric(name, values[-RECENT:], values)
    return {
        "family": experiment.family,
        "dataset": experiment.dataset,
        "preset": preset(experiment) if preset else None,
        "title": said.name or experiment.data.title,
        "state": status["state"],
        "error": status.get("error"),
        "step": saved[-1] if saved else 0,
        "logged": int(train["step"][-1]) if len(train["step"]) else 0,
        "started": (folder.path / "config.json").stat().st_mtime,
        "parent": whose,
        "group": belongs and belongs.model_dump(),
        "about": said.model_dump(),
        "metrics": metrics,
        "spark": (telling, [] if spark is None else spark.mean.tolist()),
        "verdict": _verdict(experiment, status, recent),
    }


def _metric(name: str, values: np.ndarray, ever: Any) -> Metric:
    """Return what a run came to, from a metric's latest values and those among which its best one is."""
    best = float(np.max(ever)) if HIGH.fullmatch(name) else float(np.min(ever)) if LOW.fullmatch(name) else None
    return Metric(float(values[-1]), best, float(smooth(values, SMOOTH)[-1]))


def _verdict(experiment: Experiment, status: Mapping[str, Any], recent: Recent) -> tuple[str, str]:
    """Judge the run's recent past; what stopped it says more."""
    if status["state"] == "failed" and status.get("error"):
        return "failed", str(status["error"])
    if not len(recent.train["step"]) and not recent.scores:
        return "warming", "Not measured yet."
    found = verdict(experiment, *recent)
    return found.state, found.sentence


def _row(folder: RunFolder, told: dict[str, Any]) -> Row:
    """Return a row, with the state as it is now."""
    state, logged = folder.state_now(told["state"]), told.pop("logged")
    live = {
        "state": state,
        "step": max(logged, told["step"]) if state in ("running", "paused") else told["step"],
        "parent": told["parent"] and Parent(*told["parent"][:2], *map(tuple, told["parent"][2:])),
        "group": told["group"] and Group(**told["group"]),
        "about": About(**told["about"]),
        "metrics": {name: Metric(*three) for name, three in told["metrics"].items()},
        "spark": (told["spark"][0], tuple(told["spark"][1])),
        "verdict": tuple(told["verdict"]),
    }
    return Row(run=folder.run_id, **told | live)
