"""What was measured of a run and done to it, in its `run.sqlite` (SQLite, WAL): one writer, any number of readers.

Rows of metrics lie there as pieces: as they came until there are `CHUNK` of them, then as one whole chunk; each has its
buckets beside it (`rows.py`), so that a curve of a million steps is drawn without reading them. What the writer was
given waits until `flush`, which takes all of it or nothing: a commit outlives the end of the process, and `sync`
outlives that of the machine. Schema changes go into `SCHEMAS`; one from the future is refused.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from playground.files import put_in_place, sync
from playground.store import plain
from playground.store.errors import StoreError
from playground.store.plain import Parts
from playground.store.rows import BUCKET, ROW, WIDTH, Window, buckets, columns, joined, window

FILE = "run.sqlite"
SCHEMAS = (  # one after the other leads to the present; PRAGMA user_version says how many a file has been through
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    CREATE TABLE columns (place INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE train (row INTEGER PRIMARY KEY, n INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                        brief BLOB NOT NULL, middle BLOB, rows BLOB NOT NULL);
    CREATE TABLE scores (id INTEGER PRIMARY KEY, said BLOB NOT NULL);
    CREATE TABLE events (id INTEGER PRIMARY KEY, said BLOB NOT NULL);
    INSERT INTO facts VALUES ('cuts', 0);
    """,
)
LATEST = 2**62  # beyond every step
CHUNK, MIDDLE = 1024, 32  # rows of a whole chunk, and of a bucket in the middle between rows and chunks
BATCH = 64  # whole chunks read at once by who goes through all rows
RECENT = 600  # rows that a verdict looks back on; it takes a tenth as many scores
BUSY = 10.0  # seconds to wait while another process checkpoints or recovers


class Recent(NamedTuple):
    """What a verdict is made from: the last rows as arrays by metric, the last scores, and where the model began."""

    train: dict[str, np.ndarray]
    scores: list[dict[str, Any]]
    since: int  # the step at which it took another's place, else 0


class Records:
    """The records of a run as they stood when this was opened, for reading."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def columns(self) -> list[str]:
        """Return the names of the logged metrics, in the order of a row's columns."""
        return [name for (name,) in self.db.execute("SELECT name FROM columns ORDER BY place")]

    def cuts(self) -> int:
        """Return how often records were cut off."""
        return int(self.db.execute("SELECT value FROM facts WHERE name = 'cuts'").fetchone()[0])

    def count(self) -> int:
        """Return how many rows there are."""
        found = self.db.execute("SELECT row + n FROM train ORDER BY row DESC LIMIT 1").fetchone()
        return int(found[0]) if found else 0

    def count_events(self) -> int:
        """Return how many events there are."""
        return int(self.db.execute("SELECT count(*) FROM events").fetchone()[0])

    def pieces(self, start: int = 0) -> Iterator[np.ndarray]:
        """Give the rows from number `start` on, in pieces of a few megabytes."""
        whole = start // CHUNK * CHUNK  # chunks begin at their multiples
        asked = self.db.execute("SELECT row, rows FROM train WHERE row >= ? ORDER BY row", (whole,))
        while some := asked.fetchmany(BATCH):
            rows = np.frombuffer(b"".join(blob for _, blob in some), ROW)
            if len(rows := rows[max(0, start - some[0][0]) :]):
                yield rows

    def rows(self, start: int = 0) -> np.ndarray:
        """Return the rows from number `start` on."""
        return np.concatenate([np.empty(0, ROW), *self.pieces(start)])

    def row_at(self, step: int) -> np.ndarray:
        """Return the last row at or before `step`: (1,), or (0,) where there is none."""
        return self.before(step, 1)

    def before(self, step: int, n: int) -> np.ndarray:
        """Return the last n rows at or before `step`."""
        found: list[np.ndarray] = []
        for (blob,) in self.db.execute("SELECT rows FROM train WHERE first <= ? ORDER BY row DESC", (step,)):
            rows = np.frombuffer(blob, ROW)
            found.insert(0, rows[rows["step"] <= step])
            if sum(map(len, found)) >= n:
                break
        return np.concatenate([np.empty(0, ROW), *found])[-n:]

    def recent(self, step: int = LATEST) -> Recent:
        """Return the recent past as of `step`."""
        rows = self.before(step, RECENT)
        train = {"step": rows["step"]} | {name: rows["values"][:, i] for i, name in enumerate(self.columns())}
        asked = self.db.execute("SELECT said FROM scores ORDER BY id DESC")  # of a long run most are never read
        scores = (row for (said,) in asked if (row := orjson.loads(said))["step"] <= step)
        return Recent(train, [*islice(scores, RECENT // 10)][::-1], since(self.events()))

    def whole(self) -> np.ndarray:
        """Return all rows as one bucket: (1,), or (0,) where there are none."""
        found = np.frombuffer(b"".join(brief for (brief,) in self.db.execute("SELECT brief FROM train")), BUCKET)
        return joined(found, len(found))

    def window(self, names: Sequence[str], low: int, high: int, width: int) -> dict[str, Window]:
        """Return metrics and scores from step `low` to `high`, a little more at both ends, at most `width` each."""
        logged = self.columns()
        found = columns(window(self._buckets(low, high, width), low, high, width), logged) if logged else {}
        rest = [name for name in names if name not in logged]
        told = self.scores() if rest else []
        for some in (rest[i : i + WIDTH] for i in range(0, len(rest) if told else 0, WIDTH)):
            rows = np.zeros(len(told), ROW)
            rows["step"], rows["values"] = [score["step"] for score in told], np.nan
            rows["values"][:, : len(some)] = [[nan_of(score.get(name)) for name in some] for score in told]
            found |= columns(window(buckets(rows), low, high, width), some)
        return {name: found[name] for name in names if name in found}

    def _buckets(self, low: int, high: int, width: int) -> np.ndarray:
        """Return buckets that hold all steps from `low` to `high`, as coarse as `width` allows."""
        ask = "SELECT count(*), min(row), max(row + n) FROM train WHERE last >= ? AND first <= ?"
        pieces, first, end = self.db.execute(ask, (low, high)).fetchone()
        middle = pieces * MIDDLE >= width
        # the pieces at both sides too: a line goes on to the edge of the picture
        within = "FROM train WHERE row + n >= ? AND row <= ?"
        ends = (first or 0, end or 0)
        if pieces * 2 >= width:
            asked = self.db.execute(f"SELECT brief {within} ORDER BY row", ends)
            return np.frombuffer(b"".join(brief for (brief,) in asked), BUCKET)
        what = "middle, CASE WHEN middle IS NULL THEN rows END" if middle else "NULL, rows"
        parts = [
            np.frombuffer(blob, BUCKET) if blob is not None else buckets(np.frombuffer(rows, ROW))
            for blob, rows in self.db.execute(f"SELECT {what} {within} ORDER BY row", ends)
        ]
        return np.concatenate([np.empty(0, BUCKET), *parts])

    def scores(self, start: int = 0) -> list[dict[str, Any]]:
        """Return the rows of scores from number `start` on."""
        return self._said("scores", start)

    def events(self, start: int = 0) -> list[dict[str, Any]]:
        """Return what was done to the run, from number `start` on."""
        return self._said("events", start)

    def parts(self) -> Parts:
        """Return all of it."""
        return Parts(self.columns(), self.cuts(), self.rows(), self.scores(), self.events())

    def _said(self, table: str, start: int) -> list[dict[str, Any]]:
        asked = self.db.execute(f"SELECT said FROM {table} WHERE id > ? ORDER BY id", (start,))
        return [orjson.loads(said) for (said,) in asked]


class Writer:
    """The one connection that writes. What it is given waits until `flush`."""

    def __init__(self, file: Path) -> None:
        self.db = connect(file)
        self._lock = threading.RLock()
        records = Records(self.db)
        self.columns = records.columns()
        self.count, self.events = records.count(), records.count_events()
        self._tail = records.rows(self.count // CHUNK * CHUNK)  # what has not come to a whole chunk yet
        self._named = len(self.columns)  # names that are on disk
        self._rows: list[np.ndarray] = []
        self._scores: list[bytes] = []
        self._events: list[bytes] = []

    def add_rows(self, steps: Sequence[int], rows: Sequence[Mapping[str, float]]) -> None:
        """Take rows of metrics in; a name that a row lacks is NaN there."""
        with self._lock:
            unseen = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in self.columns]
            if len(self.columns) + len(unseen) > WIDTH:
                raise StoreError(f"A run keeps at most {WIDTH} metrics a step: {', '.join(unseen)} have no room.")
            self.columns += unseen
            places = {name: i for i, name in enumerate(self.columns)}
            table = np.zeros(len(steps), ROW)
            table["step"], table["values"] = steps, np.nan
            for i, row in enumerate(rows):
                for name, value in row.items():
                    table["values"][i, places[name]] = value
            self._rows.append(table)
            if sum(map(len, self._rows)) >= CHUNK:
                self.flush()

    def add_scores(self, step: int, scores: Mapping[str, float]) -> None:
        """Take a row of scores in; a value that is not finite is null."""
        with self._lock:
            self._scores.append(orjson.dumps({"step": step, **scores}))

    def note(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Write down what was done, all of it or, where that fails, nothing."""
        with self._lock:
            self._events += [orjson.dumps(record) for record in records]
            try:
                self.flush()
            except BaseException:
                del self._events[len(self._events) - len(records) :]
                raise
            self.events += len(records)

    def flush(self) -> None:
        """Write what waits, all of it or, where that fails, nothing: then it waits on."""
        with self._lock:
            if not (self._rows or self._scores or self._events):
                return
            count, tail = self.count, self._tail
            with transaction(self.db):
                fresh = self.columns[self._named :]
                self.db.executemany("INSERT INTO columns (name) VALUES (?)", [(name,) for name in fresh])
                rows = np.concatenate([np.empty(0, ROW), *self._rows])
                while len(rows):
                    piece, rows = rows[: CHUNK - len(tail)], rows[CHUNK - len(tail) :]
                    tail = np.concatenate([tail, piece])
                    if len(tail) == CHUNK:
                        self.db.execute("DELETE FROM train WHERE row >= ?", (count + len(piece) - CHUNK,))
                        insert(self.db, count + len(piece) - CHUNK, tail)
                        tail = tail[:0]
                    else:
                        insert(self.db, count, piece)
                    count += len(piece)
                for table, said in (("scores", self._scores), ("events", self._events)):
                    self.db.executemany(f"INSERT INTO {table} (said) VALUES (?)", [(line,) for line in said])
            self.count, self._tail, self._named = count, tail, len(self.columns)
            self._rows, self._scores, self._events = [], [], []

    def cut(self, step: int, events: int) -> None:
        """Forget what was measured after `step`, and all but the first `events`."""
        with self._lock:
            self.flush()
            scores = [i for i, score in enumerate(Records(self.db).scores()) if score["step"] <= step]
            with transaction(self.db):
                self.db.execute("UPDATE facts SET value = value + 1 WHERE name = 'cuts'")
                self.db.execute("DELETE FROM train WHERE first > ?", (step,))
                last = self.db.execute("SELECT row, rows FROM train WHERE last > ?", (step,)).fetchone()
                if last is not None:
                    rows = np.frombuffer(last[1], ROW)
                    self.db.execute("DELETE FROM train WHERE row = ?", (last[0],))
                    insert(self.db, last[0], rows[rows["step"] <= step])
                self.db.execute("DELETE FROM scores WHERE id > ?", (len(scores),))
                self.db.execute("DELETE FROM events WHERE id > ?", (events,))
            records = Records(self.db)
            self.count, self.events = records.count(), records.count_events()
            self._tail = records.rows(self.count // CHUNK * CHUNK)

    def close(self) -> None:
        """Write what waits and let go of the file."""
        try:
            self.flush()
        finally:
            self.db.close()


def nan_of(value: float | None) -> float:
    """Return a score as a number: NaN where it could not be measured."""
    return np.nan if value is None else value


def since(events: Sequence[Mapping[str, Any]]) -> int:
    """Return the step at which a model last took another's place (a fork with other settings), 0 where none did."""
    return next((int(event["step"]) for event in reversed(events) if event["kind"] == "fork"), 0)


def insert(db: sqlite3.Connection, at: int, rows: np.ndarray) -> None:
    """Add rows from number `at` on as one piece."""
    if not len(rows):
        return
    fine = buckets(rows)
    middle = joined(fine, MIDDLE).tobytes() if len(rows) == CHUNK else None
    known = (at, len(rows), int(rows["step"][0]), int(rows["step"][-1]))
    blobs = (joined(fine, len(rows)).tobytes(), middle, rows.tobytes())
    db.execute("INSERT INTO train VALUES (?, ?, ?, ?, ?, ?, ?)", known + blobs)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Make what is done inside come about as a whole or not at all."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk has rolled it back by itself
            db.execute("ROLLBACK")
        raise


@contextmanager
def reading(folder: Path) -> Iterator[Records]:
    """Give a run's records as they stand now; raises `StoreError` where they cannot be read."""
    file = folder / FILE
    try:
        with closing(connect(file, "rw") if file.exists() else _old(folder)) as db:
            db.execute("PRAGMA query_only = 1")
            db.execute("BEGIN")  # everything read is of one moment
            yield Records(db)
    except sqlite3.Error as error:
        raise StoreError(f"The records of run {folder.name} cannot be read: {error}.") from None


def connect(file: Path, mode: str = "rw") -> sqlite3.Connection:
    """Open the records in this file; raises `StoreError` where a newer version wrote them."""
    db = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY, isolation_level=None, check_same_thread=False
    )
    try:
        db.execute("PRAGMA trusted_schema = 0")
        db.execute("PRAGMA synchronous = NORMAL")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > len(SCHEMAS):
            raise StoreError(
                f"Run {file.parent.name} was written by a newer version ({version}): update the app first."
            )
        return db
    except BaseException:
        db.close()
        raise


def migrate(folder: Path) -> None:
    """Bring a run's records into the present form, whole or not at all; only the run's one writer may.

    Plain files become `run.sqlite`, and those that are left over from doing so are taken away.
    """
    file = folder / FILE
    if not file.exists():
        create(file, plain.read(folder))
    with closing(connect(file)) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version < len(SCHEMAS):
            with transaction(db):
                _upgrade(db, version)
    for name in plain.FILES:
        (folder / name).unlink(missing_ok=True)


def create(file: Path, parts: Parts) -> None:
    """Write records into a new file, which is there whole or not at all."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with closing(connect(fresh, "rwc")) as db:
        db.execute("PRAGMA synchronous = OFF")
        with transaction(db):
            _fill(db, parts)
        db.execute("PRAGMA journal_mode = WAL")  # stays with the file
    sync(fresh)
    put_in_place(fresh, file)
    sync(file.parent)


def _old(folder: Path) -> sqlite3.Connection:
    """Return plain files as records in memory."""
    parts = plain.read(folder)
    if (folder / FILE).exists():  # the writer has brought them into the present form meanwhile
        return connect(folder / FILE)
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    with transaction(db):
        _fill(db, parts)
    return db


def _upgrade(db: sqlite3.Connection, version: int) -> None:
    for schema in SCHEMAS[version:]:
        for command in schema.split(";"):  # not executescript, which commits what came before
            db.execute(command)
    db.execute(f"PRAGMA user_version = {len(SCHEMAS)}")


def _fill(db: sqlite3.Connection, parts: Parts) -> None:
    _upgrade(db, 0)
    db.execute("UPDATE facts SET value = ? WHERE name = 'cuts'", (parts.cuts,))
    db.executemany("INSERT INTO columns (name) VALUES (?)", [(name,) for name in parts.columns])
    for at in range(0, len(parts.rows), CHUNK):
        insert(db, at, parts.rows[at : at + CHUNK])
    for table, told in (("scores", parts.scores), ("events", parts.events)):
        db.executemany(f"INSERT INTO {table} (said) VALUES (?)", [(orjson.dumps(line),) for line in told])
