"""Where a forked run comes from; in its `parent.json`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import orjson

FILE = "parent.json"


class Parent(NamedTuple):
    """Where a run comes from: the run, the step of the moment they share last; of other settings what was kept."""

    run: str
    step: int
    kept: tuple[str, ...] = ()  # tensors taken over, where the settings are not the parent's
    new: tuple[str, ...] = ()  # those that began anew


def parent(folder: Path) -> Parent | None:
    """Return where the run in this folder comes from; None for one that began by itself."""
    try:
        said = orjson.loads((folder / FILE).read_bytes())
        names = (tuple(map(str, said.get(what, ()))) for what in ("kept", "new"))
        return Parent(str(said["run"]), int(said["step"]), *names)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
