"""A second line from a moment of a run: its past is copied up to there, what comes after is its own.

Both runs have the same settings, events, metrics and saved moments up to the fork, so that they lie on each other until
then, and replaying either from its start gives its numbers again. The child's `parent.json` says whose child it is.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson
from torch import Tensor

from playground.experiment import Experiment
from playground.files import sync, write_whole
from playground.store.errors import StoreError
from playground.store.folder import RunFolder, new_id
from playground.store.keyframes import Keyframe, place, write
from playground.store.parents import FILE, Parent
from playground.store.plain import Parts
from playground.store.records import FILE as RECORDS
from playground.store.records import create
from playground.store.undisturbed import undisturbed


class Graft(NamedTuple):
    """Another model in the place of a run's own at a fork: its settings and state, and which tensors were kept."""

    experiment: Experiment
    tensors: dict[str, Tensor]
    kept: tuple[str, ...]
    new: tuple[str, ...]
    changes: tuple[str, ...]  # what differs in the settings, in words
    past: bool  # whether what was measured before still means the same


def fork(folder: RunFolder, step: int | None = None, graft: Callable[[Keyframe], Graft] | None = None) -> RunFolder:
    """Return a new run beside this one that goes on from its last saved moment at or before `step` (None: of all).

    With a `graft` it goes on as the model that this makes of the moment: its saved moments begin at the fork, its
    curves before if they compare. The run may train meanwhile, or go back. Raises `StoreError` where it has no such
    moment or the disk takes no more.
    """
    root = folder.path.parent
    fresh = RunFolder(root / f".forking-{secrets.token_hex(8)}")
    try:
        experiment = undisturbed(folder, lambda: _fill(fresh, folder, step, graft))
        name = new_id(experiment)
        fresh.path.rename(root / name)
        sync(root)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"The run could not be forked: {getattr(error, 'strerror', None) or error}.") from None
    finally:
        shutil.rmtree(fresh.path, ignore_errors=True)
    return RunFolder(root / name)


def _fill(
    fresh: RunFolder, folder: RunFolder, step: int | None, graft: Callable[[Keyframe], Graft] | None
) -> Experiment:
    """Make a child of a run and return its settings; raises `FileNotFoundError` where its moment goes meanwhile."""
    moment = folder.load_keyframe(step)
    shutil.rmtree(fresh.path, ignore_errors=True)  # what was copied of a run that then went back
    (fresh.path / "keyframes").mkdir(parents=True)
    for name in ("config.json", "points.safetensors"):
        if (folder.path / name).exists():
            shutil.copyfile(folder.path / name, fresh.path / name)
    if graft is None:
        _copy(place(folder.path, moment.step), place(fresh.path, moment.step))
        for at in folder.keyframes():
            if at < moment.step:
                with contextlib.suppress(FileNotFoundError):  # thinned out meanwhile
                    _copy(place(folder.path, at), place(fresh.path, at))
        moment = fresh.load_keyframe()  # an edit at this step has saved it anew meanwhile
    with folder.reading() as records:  # after its moments: they reach at least as far
        past = records.parts().until(moment.step, moment.events)
    planted = graft(moment) if graft else None
    if planted:
        past = _plant(fresh, moment.step, planted, past)
    create(fresh.path / RECORDS, past._replace(cuts=past.cuts + 1))
    fresh.set_status(state="stopped", step=moment.step)
    came = Parent(folder.run_id, moment.step, *((planted.kept, planted.new) if planted else ()))
    write_whole(fresh.path / FILE, orjson.dumps(came._asdict()))
    return planted.experiment if planted else moment.experiment


def _plant(fresh: RunFolder, step: int, graft: Graft, past: Parts) -> Parts:
    """Put another model in the place of the one that was copied; return the records that it goes on from."""
    if not graft.past:
        past = Parts([], past.cuts, past.rows[:0], [], [])
    events = [*past.events, {"step": step, "kind": "fork", "changes": list(graft.changes)}]
    fresh.restate(graft.experiment)
    write(fresh.path, Keyframe(step, graft.experiment, graft.tensors, len(events)))
    return past._replace(events=events)


def _copy(file: Path, other: Path) -> None:
    """Let a saved moment, a file that never changes, lie in another folder too, at no cost where the disk can do that.

    Raises `FileNotFoundError` where it has gone.
    """
    try:
        os.link(file, other)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(file, other)
