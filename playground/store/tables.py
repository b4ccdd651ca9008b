"""A run's numbers as one table, for other tools: CSV, Parquet and TensorBoard event files.

A row a step that was logged or scored, a column a metric or score ("loss/d", "modes/covered"), nothing where a step has
no such value.
"""

from __future__ import annotations

import io
import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow
import pyarrow.parquet
from tensorboardX import SummaryWriter

from playground.config import ConfigError
from playground.store.folder import RunFolder


def table(folder: RunFolder) -> dict[str, np.ndarray]:
    """Return "step" (int64, ascending) and a float64 column a metric and score, NaN where a step has none."""
    train, scores = folder.train(), folder.scores()
    steps = np.unique(np.concatenate([train["step"], np.array([row["step"] for row in scores], np.int64)]))
    columns = {"step": steps.astype(np.int64)}
    for name, values in train.items():
        if name != "step":
            columns[name] = _spread(steps, train["step"], values)
    for name in dict.fromkeys(name for row in scores for name in row if name != "step"):
        there = [row for row in scores if row.get(name) is not None]
        columns[name] = _spread(steps, np.array([row["step"] for row in there]), [row[name] for row in there])
    return columns


def _spread(steps: np.ndarray, at: np.ndarray, values: Any) -> np.ndarray:
    column = np.full(len(steps), np.nan)
    column[np.searchsorted(steps, at)] = values
    return column


def csv(folder: RunFolder) -> Iterator[str]:
    """Give the table line by line, blank where there is no value."""
    columns = table(folder)
    yield ",".join(columns) + "\n"
    for step, *values in zip(*(column.tolist() for column in columns.values()), strict=True):
        yield ",".join([str(step), *("" if math.isnan(v) else f"{v:.9g}" for v in values)]) + "\n"


def parquet(folder: RunFolder) -> bytes:
    """Return the table as a Parquet file; what a step does not have is null. Its metadata hold the experiment."""
    columns = {name: pyarrow.array(column, from_pandas=True) for name, column in table(folder).items()}
    about = {"experiment": orjson.dumps(folder.experiment().to_json()), "run": folder.run_id.encode()}
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns).replace_schema_metadata(about), out)
    return out.getvalue()


def tensorboard(folder: RunFolder) -> bytes:
    """Return a TensorBoard event file: a scalar a metric and score, the experiment as text."""
    with tempfile.TemporaryDirectory() as where:
        with SummaryWriter(where) as writer:
            writer.add_text(
                "experiment", f"```\n{orjson.dumps(folder.experiment().to_json(), option=2).decode()}\n```", 0
            )
            columns = table(folder)
            steps = columns.pop("step").tolist()
            for name, column in columns.items():
                for step, value in zip(steps, column.tolist(), strict=True):
                    if not math.isnan(value):
                        writer.add_scalar(name, value, step)
        return next(Path(where).glob("events.*")).read_bytes()


NUMBERS: dict[str, Callable[[RunFolder], bytes]] = {
    "csv": lambda folder: "".join(csv(folder)).encode(), "parquet": parquet, "tfevents": tensorboard,
}  # fmt: skip


def numbers(folder: RunFolder, kind: str) -> bytes:
    """Return the run's numbers as a file of this kind: csv, parquet or tfevents."""
    if kind not in NUMBERS:
        raise ConfigError(f"Numbers are written as {', '.join(NUMBERS)}, not as {kind!r}.")
    return NUMBERS[kind](folder)
