"""What a run belongs to: the race or sweep it was started in, and what is its own there; in its `group.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from playground.files import write_whole
from playground.store.errors import written

FILE = "group.json"


class Group(BaseModel):
    """A run's place in a race or sweep: the group's id, and what tells the run from the others ("penalty: R1")."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["race", "sweep"]
    id: str
    label: str = ""


def read(folder: Path) -> Group | None:
    """Return what the run in this folder belongs to; None for one that stands alone."""
    try:
        return Group.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def write(folder: Path, group: Group) -> None:
    """Keep what the run in this folder belongs to; raises `Unwritable`."""
    with written(folder):
        write_whole(folder / FILE, group.model_dump_json().encode())
