"""The saved moments of a run, a safetensors file each: everything needed to go on from there, and the settings then.

A moment is written under another name, flushed to the disk and renamed: it is there whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor

from playground.experiment import Experiment
from playground.files import put_in_place, sync

FORMAT = "1"
FOLDER = "keyframes"
# A moment that goes while it is opened, which happens in two steps, is a RuntimeError.
UNREADABLE = (SafetensorError, OSError, RuntimeError, KeyError, ValueError)


@dataclass(frozen=True)
class Keyframe:
    """Everything needed to go on from a moment: the current experiment, state tensors, and how many events were."""

    step: int
    experiment: Experiment
    tensors: dict[str, Tensor]
    events: int


def place(run: Path, step: int) -> Path:
    """Return where the moment of this step lies in a run's folder."""
    return run / FOLDER / f"{step:08d}.safetensors"


def steps(run: Path) -> list[int]:
    """Return the steps of a run's saved moments, ascending."""
    return sorted(int(path.stem) for path in (run / FOLDER).glob("[0-9]*.safetensors"))


def packed(moment: Keyframe) -> bytes:
    """Return a moment as its file has it."""
    metadata = {
        "step": str(moment.step),
        "experiment": orjson.dumps(moment.experiment.to_json()).decode(),
        "events": str(moment.events),
        "format": FORMAT,
    }
    # As arrays: they take a third of the time, and may share memory, as the views of one flat parameter vector do.
    arrays = {name: np.asarray(tensor.numpy(force=True), order="C") for name, tensor in moment.tensors.items()}
    return save(arrays, metadata)


def put(run: Path, step: int, content: bytes) -> None:
    """Put a moment's file in its place."""
    file = place(run, step)
    file.parent.mkdir(exist_ok=True)
    fresh = file.with_name(f".{file.stem}.part")
    try:
        fresh.write_bytes(content)
        sync(fresh)
        put_in_place(fresh, file)
    except OSError:
        fresh.unlink(missing_ok=True)  # a full disk needs the room
        raise
    sync(file.parent)


def write(run: Path, moment: Keyframe) -> None:
    """Save a moment."""
    put(run, moment.step, packed(moment))


def tidy(run: Path) -> None:
    """Take away what a writer that was killed left half written."""
    for left in (run / FOLDER).glob(".*.part"):
        left.unlink(missing_ok=True)


def drop(run: Path, step: int) -> None:
    """Forget one saved moment."""
    place(run, step).unlink(missing_ok=True)


def good(run: Path, at: int | None = None) -> Iterator[Keyframe]:
    """Give the moments that can be read at or before a step (None: all), the last first."""
    for step in reversed([k for k in steps(run) if at is None or k <= at]):
        try:
            with safe_open(place(run, step), "pt") as file:
                about = file.metadata() or {}
                if about.get("format") != FORMAT:
                    continue
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
            experiment = Experiment.from_json(orjson.loads(about["experiment"]))
            moment = Keyframe(int(about["step"]), experiment, tensors, int(about["events"]))
        except UNREADABLE:
            continue
        yield moment


def current(run: Path) -> Experiment | None:
    """Return the settings of the last moment that can be read, without its tensors; None where there is none."""
    for step in reversed(steps(run)):
        try:
            with safe_open(place(run, step), "pt") as file:
                about: Mapping[str, str] = file.metadata() or {}
            return Experiment.from_json(orjson.loads(about["experiment"]))
        except UNREADABLE:
            continue
    return None
