"""A run's records as plain files, as runs had them before `run.sqlite` and as shared runs hand them on.

`train.json` names the columns of `train.bin` (rows of int64 step and 24 float32, little endian) and says how often
records were cut off; `scores.jsonl` and `events.jsonl` hold an object a line. A torn end is left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from playground.files import read_lines
from playground.store.rows import ROW

FILES = ("train.json", "train.bin", "scores.jsonl", "events.jsonl")


class Parts(NamedTuple):
    """What was measured of a run and done to it."""

    columns: list[str]
    cuts: int
    rows: np.ndarray
    scores: list[dict[str, Any]]
    events: list[dict[str, Any]]

    def until(self, step: int, events: int) -> Parts:
        """Return what was measured up to `step`, and the first `events` that were done."""
        rows = self.rows[: int(np.searchsorted(self.rows["step"], step, "right"))]
        scores = [score for score in self.scores if score["step"] <= step]
        return self._replace(rows=rows, scores=scores, events=self.events[:events])


def read(folder: Path) -> Parts:
    """Read what these files say, each empty where it is not there."""
    try:
        header = orjson.loads((folder / "train.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        header = {}
    header = {"columns": [], "cuts": 0} | header
    file = folder / "train.bin"
    rows = np.fromfile(file, ROW, count=file.stat().st_size // ROW.itemsize) if file.exists() else np.empty(0, ROW)
    scores, events = (read_lines(folder / name)[0] for name in ("scores.jsonl", "events.jsonl"))
    return Parts(list(header["columns"]), int(header["cuts"]), rows, scores, events)


def written(parts: Parts) -> dict[str, bytes]:
    """Return these files by name."""
    lines = {
        name: b"".join(orjson.dumps(line) + b"\n" for line in told)
        for name, told in (("scores.jsonl", parts.scores), ("events.jsonl", parts.events))
    }
    header = orjson.dumps({"columns": parts.columns, "cuts": parts.cuts})
    return {"train.json": header, "train.bin": parts.rows.tobytes()} | lines
