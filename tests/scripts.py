"""Exported scripts beside the runs they repeat: run both, compare what they print with what was logged."""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from playground.code.export import script
from playground.engine.loop import Loop
from playground.experiment import Experiment


def curves(text: str, folder: Path, experiment: Experiment) -> dict[str, np.ndarray]:
    """Run a script in a folder and return the columns that it prints."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in experiment.data.beside().items():
        (folder / name).write_bytes(data)
    (folder / "script.py").write_text(text)
    said, before = io.StringIO(), Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_path(str(folder / "script.py"))
    finally:
        os.chdir(before)
    rows = list(csv.reader(io.StringIO(said.getvalue())))
    return {name: np.array([float(row[i]) for row in rows[1:]]) for i, name in enumerate(rows[0])}


@contextlib.contextmanager
def doubled() -> Iterator[None]:
    """Compute in double precision, where two ways to round do not drift apart within some hundred steps."""
    single = torch.Tensor.float
    forget()
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)
        torch.Tensor.float = single
        forget()


def forget() -> None:
    """Empty the caches of the data sets: what they keep is of one precision."""
    for name, module in list(sys.modules.items()):
        if name.startswith("playground.data."):
            for thing in vars(module).values():
                if hasattr(thing, "cache_clear") and getattr(thing, "__module__", "") == name:
                    thing.cache_clear()


def repeated(  # noqa: PLR0917
    experiment: Experiment,
    folder: Path,
    steps: int,
    events: Sequence[dict[str, Any]] = (),
    tolerance: float = 1e-5,
    double: bool = True,
) -> str:
    """Check that the script of a run gives its loss curves; return the script."""
    text = script(experiment, events, steps)
    with doubled() if double else contextlib.nullcontext():
        logged, own = dict(trained(experiment, steps, events).rows), curves(text, folder, experiment)
    assert own.pop("step").tolist() == list(logged)
    for name, column in own.items():
        its = np.array([row.get(name, np.nan) for row in logged.values()])
        np.testing.assert_allclose(column, its, tolerance, tolerance, err_msg=f"{name} of {experiment.to_query()}")
    return text


def trained(experiment: Experiment, steps: int, events: Sequence[dict[str, Any]] = ()) -> Loop:
    """Run an experiment with its events, in memory."""
    loop = Loop(experiment)
    for event in sorted(events, key=lambda e: e["step"]):
        loop.advance(event["step"] - loop.step)
        if event["kind"] == "set":
            loop.set({event["field"]: event["value"]})
        elif event["kind"] == "step":
            loop.advance(event["n"], event["players"])
    loop.advance(steps - loop.step)
    loop.flush()
    return loop


def check_clean(texts: Sequence[str], folder: Path) -> None:
    """Check that scripts hold nothing that they do not use, nothing of this package, and nothing that ruff minds."""
    for i, text in enumerate(texts):
        (folder / f"s{i}.py").write_text(text)
        names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
        used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        defined = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        assert {node.id for node in names if node.id.isupper()} | defined <= used
        assert "playground" not in text
    options = ["--isolated", "--line-length=100", "--extend-select=E501"]
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *options, folder], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
