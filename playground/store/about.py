"""What a person says of a run: a name, tags, a note, a star; in its `about.json`, changed by anybody at any time."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from playground.files import write_whole
from playground.store.errors import gone, written

FILE = "about.json"
NAME, TAG, NOTE, TAGS = 80, 24, 2000, 12  # letters at most, and how many tags


class About(BaseModel):
    """A person's words on a run; what is too long is cut, tags are in small letters and each there once."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    star: bool = Field(default=False, strict=True)

    @field_validator("name", "note")
    @classmethod
    def _cut(cls, text: str) -> str:
        return text.strip()[:NOTE]

    @field_validator("name")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return " ".join(text.split())[:NAME]

    @field_validator("tags")
    @classmethod
    def _tidy(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        words = (" ".join(tag.lower().split())[:TAG] for tag in tags)
        return tuple(dict.fromkeys(word for word in words if word))[:TAGS]


def read(folder: Path) -> About:
    """Return what was said of the run in this folder; nothing where that cannot be read."""
    try:
        return About.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError):
        return About()


def write(folder: Path, about: About) -> None:
    """Keep what is said of the run in this folder; raises `StoreError` where it is gone or the disk takes no more."""
    with written(folder):
        try:
            write_whole(folder / FILE, about.model_dump_json().encode())
        except FileNotFoundError:
            raise gone(folder.name) from None
