"""Races on disk: which runs were started side by side, and in what they differ; one `<home>/races/<id>.json` each.

A race holds nothing but its card: each racer is a run like any other, in a folder of its own.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from playground.experiment import Experiment
from playground.files import write_whole
from playground.store.errors import StoreError, written
from playground.store.folder import new_id

FOLDER = "races"
MOST = 6  # runs side by side
ID = re.compile(r"race-[0-9a-f]{8}")


class Racer(BaseModel):
    """One run of a race: its id, its value of the knob in words, and the experiment it starts as."""

    model_config = ConfigDict(frozen=True)

    run: str
    label: str
    start: dict[str, Any]

    @property
    def experiment(self) -> Experiment:
        """What it starts as."""
        return Experiment.from_json(self.start)


class Card(BaseModel):
    """A race: its id, its title, the field in which its runs differ, and the runs."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    knob: str
    racers: tuple[Racer, ...]

    @classmethod
    def of(cls, title: str, knob: str, starts: dict[str, Experiment]) -> Card:
        """Return a new race of these experiments, each under its value of the knob in words."""
        racers = tuple(Racer(run=new_id(e), label=label, start=e.to_json()) for label, e in starts.items())
        return cls(id=new_race_id(), title=title, knob=knob, racers=racers)

    @property
    def runs(self) -> list[str]:
        """The ids of its runs, in order."""
        return [racer.run for racer in self.racers]


def new_race_id() -> str:
    """Return a fresh id of a race."""
    return f"race-{secrets.token_hex(4)}"


def is_race(name: str) -> bool:
    """Say whether this could be the id of a race."""
    return ID.fullmatch(name) is not None


def write(root: Path, card: Card) -> None:
    """Remember a race; raises `Unwritable`."""
    with written(root / card.id, "Race"):
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        write_whole(root / FOLDER / f"{card.id}.json", card.model_dump_json().encode())


def read(root: Path, race: str) -> Card:
    """Return a remembered race; raises `StoreError` where there is none."""
    try:
        if not is_race(race):
            raise OSError
        return Card.model_validate_json((root / FOLDER / f"{race}.json").read_bytes())
    except (OSError, ValidationError):
        raise StoreError(f"There is no race {race!r} here: choose another, or start a new one.") from None


def cards(root: Path) -> list[Card]:
    """Return the remembered races, the latest first; a file that is none is left out."""
    found = []
    for path in (root / FOLDER).glob("race-*.json"):
        with contextlib.suppress(StoreError, OSError):
            found.append((path.stat().st_mtime, read(root, path.stem)))
    return [card for _, card in sorted(found, key=lambda one: -one[0])]
