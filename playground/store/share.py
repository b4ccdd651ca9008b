"""A run as one file to hand on: a ZIP of its records and saved moments, each named with its SHA-256, and nothing else.

What comes from elsewhere is not trusted. Only names that a run has are taken, no more bytes than the list announces and
a run may have are read, every hash must agree, and each part must read as what it is before the run appears among the
others, under an id of its own where that is taken. Nothing is unpickled; settings are validated as a link's are.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

import orjson
from pydantic import BaseModel, Field, ValidationError
from safetensors import SafetensorError, safe_open

from playground.data.kept import content_name
from playground.files import read_lines
from playground.store import plain, thin
from playground.store.errors import StoreError
from playground.store.folder import RUN_ID, RunFolder, new_id
from playground.store.records import migrate
from playground.store.rows import ROW, WIDTH
from playground.store.undisturbed import undisturbed

VERSION = 1
LIST = "manifest.json"
PARTS = re.compile(
    r"config\.json|about\.json|parent\.json|events\.jsonl|train\.json|train\.bin|scores\.jsonl|points\.safetensors|keyframes/\d{8,12}\.safetensors"
)
MOST, LARGEST, LIST_BYTES = 1000, 2**30, 2**20  # parts, bytes of all of them together, bytes of the list

Progress = Callable[[int, int], None]


class Part(BaseModel):
    """One part of a run in the list."""

    bytes: int = Field(ge=0)
    sha256: str


class Manifest(BaseModel):
    """The list that stands first in a shared run."""

    kind: Literal["gan-playground-run"]
    version: int
    run: str
    parts: dict[str, Part]


def share(folder: RunFolder, file: Path | BinaryIO) -> None:
    """Write a run into one file, as it stands; one that trains meanwhile is taken up to its last whole record."""
    parts = undisturbed(folder, lambda: _parts(folder))
    listed = {name: Part(bytes=len(part), sha256=_hash(part)) for name, part in parts.items()}
    about = Manifest(kind="gan-playground-run", version=VERSION, run=folder.run_id, parts=listed)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as whole:
        whole.writestr(LIST, about.model_dump_json(indent=1))
        for name, part in parts.items():  # weights look like noise: to squeeze them takes long and gains nothing
            whole.writestr(name, part, zipfile.ZIP_STORED if name.endswith(".safetensors") else zipfile.ZIP_DEFLATED)


def _parts(folder: RunFolder) -> dict[str, bytes]:
    """Return what is shared of a run: first its moments, then its records, which reach at least as far."""
    files = {name: (folder.path / name).read_bytes() for name in _names(folder)}
    with folder.reading() as records:
        lines = plain.written(records.parts())
    return dict(sorted((files | lines).items(), key=lambda part: ("/" in part[0], part[0])))


def receive(file: Path | BinaryIO, root: Path, progress: Progress = lambda done, total: None) -> RunFolder:
    """Take in a run that `share` wrote and return it; raises `StoreError` in one sentence, and leaves nothing then."""
    root.mkdir(parents=True, exist_ok=True)
    fresh = root / f".receiving-{secrets.token_hex(8)}"
    try:
        with zipfile.ZipFile(file) as whole:
            about = _list(whole)
            fresh.mkdir()
            for i, (name, said) in enumerate(about.parts.items(), 1):
                (fresh / name).parent.mkdir(exist_ok=True)
                (fresh / name).write_bytes(_part(whole, name, said))
                progress(i, len(about.parts))
        folder = RunFolder(fresh)
        last = _checked(folder)
        migrate(fresh)
        folder.set_status(state="stopped", step=last)
        wanted = about.run
        name = wanted if RUN_ID.fullmatch(wanted) and not (root / wanted).exists() else new_id(folder.experiment())
        fresh.rename(root / name)
        thin.thin_store(root, thin.bounds().store)
        return RunFolder(root / name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise StoreError("This is no shared run, or it was cut off on its way: share it again.") from None
    except OSError as error:
        raise StoreError(f"The run could not be written: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _names(folder: RunFolder) -> list[str]:
    """Return the parts that a run has as files."""
    found = (path.relative_to(folder.path).as_posix() for path in sorted(folder.path.rglob("*")) if path.is_file())
    return [name for name in found if PARTS.fullmatch(name)]


def _list(whole: zipfile.ZipFile) -> Manifest:
    """Read what the file says it holds."""
    try:
        raw = whole.open(LIST).read(LIST_BYTES + 1)
    except KeyError:
        raise StoreError(f"This ZIP is no shared run: it has no {LIST}.") from None
    try:
        about = Manifest.model_validate_json(raw)
    except ValidationError:
        raise StoreError(f"This ZIP is no shared run: its {LIST} says something else.") from None
    if about.version > VERSION:
        raise StoreError(f"This run was shared by a newer version (format {about.version}): update the app first.")
    if bad := next((name for name in about.parts if not PARTS.fullmatch(name)), None):
        raise StoreError(f"This shared run holds {bad[:60]!r}, which no run has: it is refused as a whole.")
    size = sum(part.bytes for part in about.parts.values())
    if len(about.parts) > MOST or size > LARGEST:
        raise StoreError(
            f"This shared run is too large: {len(about.parts):,} parts of {size / 2**20:,.0f} MB together, and "
            f"{MOST:,} parts of {LARGEST / 2**20:,.0f} MB are the most."
        )
    if "config.json" not in about.parts:
        raise StoreError("This shared run has no config.json: share it again.")
    return about


def _part(whole: zipfile.ZipFile, name: str, said: Part) -> bytes:
    """Read one part, never more than it is said to have."""
    try:
        part = whole.open(name).read(said.bytes + 1)
    except KeyError:
        raise StoreError(f"This shared run lacks its {name}: share it again.") from None
    if len(part) != said.bytes or _hash(part) != said.sha256:
        raise StoreError(f"The {name} of this shared run is damaged: share it again.")
    return part


def _checked(folder: RunFolder) -> int:
    """See that every part reads as what it is, and return the last saved step."""
    _check_points(folder)
    try:
        folder.experiment()
    except StoreError as error:
        why = str(error).split(": ", 1)[-1].rstrip(".")
        raise StoreError(f"The settings of this shared run are none that this version knows: {why}.") from None
    for name in ("events.jsonl", "scores.jsonl"):
        lines, whole = read_lines(folder.path / name)
        good = all(isinstance(line, dict) and isinstance(line.get("step"), int) for line in lines)
        if (folder.path / name).exists() and not (good and whole == (folder.path / name).stat().st_size):
            raise StoreError(f"The {name} of this shared run cannot be read: share it again.")
    try:
        parts = plain.read(folder.path)
        names = parts.cuts >= 0 and all(isinstance(name, str) for name in parts.columns) and len(parts.columns) <= WIDTH
    except (TypeError, ValueError):  # a header of another shape
        names = False
    rows = folder.path / "train.bin"
    if not names or (rows.exists() and rows.stat().st_size % ROW.itemsize):
        raise StoreError("The metrics of this shared run cannot be read: share it again.")
    steps = folder.keyframes()
    if any(folder.load_keyframe(step).step != step for step in steps):  # an earlier one is read where one is not good
        raise StoreError("A saved moment of this shared run cannot be read: share it again.")
    return steps[-1] if steps else 0


def _check_points(folder: RunFolder) -> None:
    """See that the items that come along are those that the settings name by their hash."""
    file = folder.path / "points.safetensors"
    if not file.exists():
        return
    try:
        source = orjson.loads((folder.path / "config.json").read_bytes())["data"]["source"]
        with safe_open(file, "pt") as items:
            (name,) = items.keys()
            true = content_name(items.get_tensor(name), items.metadata()["about"])
    except (orjson.JSONDecodeError, SafetensorError, KeyError, TypeError, ValueError):
        true, source = "", None
    if true != source:
        raise StoreError("The items that come with this shared run are not those it was trained on: share it again.")


def _hash(part: bytes) -> str:
    return hashlib.sha256(part).hexdigest()
