"""A person's own images: a ZIP or a folder of PNG and JPEG pictures, an NPZ file, or a CSV file with an image a row.

Labels are the names of sub-folders, or a column or array of them. Pictures are turned as their camera says, laid over
white where transparent, cut to a square around the middle and resized, so that sizes may be mixed. What comes from
outside is hostile until shown otherwise: archives are never unpacked to disk, every size is held against a limit before
memory is taken for it, nothing is ever unpickled. Each file refused is named with one sentence; the good ones are used.
"""

from __future__ import annotations

import io
import math
import os
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from playground.config import ConfigError
from playground.data.upload import MAGIC, short

MAX_BYTES = 1_000_000_000  # of an archive or an array
MAX_UNPACKED = 4 * MAX_BYTES  # of all files of an archive together
MAX_FILE = 100_000_000  # of one picture's file
MAX_FILES = 100_000  # in one archive or folder
MAX_IMAGES = 60_000
MAX_PIXELS = 50_000_000  # of one picture
MAX_RATIO = 100  # pictures are compressed already: what shrinks further than that is a trap
MAX_CLASSES = 100
MIN_IMAGES = 10
PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
CLUTTER = {".ds_store", "thumbs.db", "desktop.ini"}  # what operating systems leave behind; skipped in silence

Progress = Callable[[int, int], None]  # files done, files in all


class Refused(NamedTuple):
    """A file that is not used: its name, and why in words that go on after it."""

    name: str
    why: str


@dataclass(frozen=True)
class Images:
    """Square images `x` (n, C, side, side), unsigned bytes; `labels` (n,) into `classes`, or None; what was refused."""

    x: Tensor
    labels: Tensor | None
    classes: tuple[str, ...]
    refused: tuple[Refused, ...] = ()


class Form(NamedTuple):
    """What images are made into: pixels a side, and one grey channel or three colours."""

    side: int
    grey: bool

    @property
    def room(self) -> int:
        """How many such images are read at most: a gigabyte of memory, as the numbers that are trained on."""
        return min(MAX_IMAGES, MAX_BYTES // (4 * (1 if self.grey else 3) * self.side**2))


class Unusable(Exception):
    """One file of many cannot be used: why, in words that go on after its name."""


class Found(NamedTuple):
    """A picture not read yet: its name, its class, and how to get its bytes."""

    name: str
    label: str
    read: Callable[[], bytes]


def from_zip(file: BinaryIO, name: str, form: Form, progress: Progress | None = None) -> Images:
    """Read the pictures of a ZIP archive; raises `ConfigError` where it has too few good ones."""
    with open_zip(file, name) as archive:
        refused: list[Refused] = []
        found = list(_entries(archive, refused))
        return _gather(found, refused, name, form, progress)


def from_folder(folder: Path, form: Form, progress: Progress | None = None) -> Images:
    """Read the pictures of a folder and its sub-folders; raises `ConfigError` where it has too few good ones."""
    refused: list[Refused] = []
    found = list(_files(folder, refused))
    return _gather(found, refused, folder.name or str(folder), form, progress)


def open_zip(file: BinaryIO, name: str) -> zipfile.ZipFile:
    """Open an archive after counting its entries; raises `ConfigError` where it is none or has too many."""
    entries, tail = 0, b""
    while block := file.read(1 << 20):
        entries += (tail + block).count(b"PK\x01\x02")
        tail = block[-3:]
    if entries > MAX_FILES:
        raise ConfigError(f"{name} holds about {entries:,} files: at most {MAX_FILES:,} are read, so take a sample.")
    file.seek(0)
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, struct.error):
        raise ConfigError(f"{name} is damaged or no ZIP archive: make it again.") from None


def _entries(archive: zipfile.ZipFile, refused: list[Refused]) -> Iterator[Found]:
    """Yield the entries that may be pictures; note those that can be refused unread."""
    unpacked = 0
    for entry in archive.infolist():
        if entry.filename.endswith("/") or _is_clutter(entry.filename):
            continue
        name = short(entry.filename, 80) or "a file without a name"
        try:
            check_entry(entry)
            unpacked += entry.file_size
            if unpacked > MAX_UNPACKED:
                raise Unusable(f"comes after the first {MAX_UNPACKED / 1e9:.0f} GB: take a sample")
        except Unusable as error:
            refused.append(Refused(name, str(error)))
        else:
            yield Found(name, PurePosixPath(entry.filename).parent.name, partial(read_entry, archive, entry))


def check_entry(entry: zipfile.ZipInfo) -> None:
    """Raise `Unusable` for what an archive's directory tells of an entry."""
    path = entry.filename.replace("\\", "/")
    if path.startswith("/") or ".." in path.split("/") or ":" in path.split("/")[0]:
        raise Unusable("has a path that climbs out of the archive")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Unusable("is a link, not a file")
    if entry.flag_bits & 0x1:
        raise Unusable("is encrypted: pack it without a password")
    if entry.file_size > MAX_FILE:
        raise Unusable(f"unpacks to {entry.file_size / 1e6:,.0f} MB: at most {MAX_FILE / 1e6:.0f} MB are read")
    if entry.file_size > MAX_RATIO * max(entry.compress_size, 10_000):
        raise Unusable(
            f"unpacks to {entry.file_size // max(entry.compress_size, 1):,} times its size: it is a ZIP bomb"
        )


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return an entry's bytes, no more than its archive says; raises `Unusable`."""
    try:
        with archive.open(entry) as file:
            data = file.read(entry.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
        raise Unusable("is damaged within the archive") from None
    except (NotImplementedError, RuntimeError):
        raise Unusable("is packed in a way that cannot be read: pack it as an ordinary ZIP") from None
    if len(data) > entry.file_size:
        raise Unusable("unpacks to more than the archive says: it is a ZIP bomb")
    return data


def _files(folder: Path, refused: list[Refused]) -> Iterator[Found]:
    """Yield the files that may be pictures, folder by folder; links are not followed."""
    count = 0
    for here, folders, names in os.walk(folder):
        place = Path(here)
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        links = [f for f in folders if (place / f).is_symlink()]
        for name in sorted(names) + links:
            path = place / name
            inside = str(path.relative_to(folder))
            if _is_clutter(inside):
                continue
            count += 1
            if count > MAX_FILES:
                raise ConfigError(f"{folder.name} holds more than {MAX_FILES:,} files: take a sample of them.")
            if path.is_symlink():
                refused.append(Refused(short(inside, 80), "is a link, not a file"))
            elif not path.is_file():
                refused.append(Refused(short(inside, 80), "is no ordinary file"))
            else:
                yield Found(short(inside, 80), "" if place == folder else place.name, partial(_read_file, path))


def _read_file(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE:
            raise Unusable(f"has {path.stat().st_size / 1e6:,.0f} MB: at most {MAX_FILE / 1e6:.0f} MB are read")
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"cannot be read ({error.strerror})") from None


def _is_clutter(name: str) -> bool:
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].lower() in CLUTTER or parts[-1].startswith("._")


def _gather(found: list[Found], refused: list[Refused], source: str, form: Form, progress: Progress | None) -> Images:
    """Read what was found, one picture in memory at a time."""
    x: list[np.ndarray] = []
    names: list[str] = []
    for i, picture in enumerate(found):
        if len(x) == form.room:
            refused.append(Refused(f"{len(found) - i:,} more", f"come after the first {form.room:,} pictures"))
            break
        try:
            x.append(decode(picture.read(), form))
        except Unusable as error:
            refused.append(Refused(picture.name, str(error)))
        else:
            names.append(picture.label)
        if progress is not None:
            progress(i + 1, len(found))
    return together(x, names, source, refused)


def together(x: list[np.ndarray], names: list[str], source: str, refused: list[Refused]) -> Images:
    """Make images of arrays (C, side, side) and their classes' names; raises `ConfigError` where they are too few."""
    if len(x) < MIN_IMAGES:
        few = f"{source} holds {len(x)} usable image{'s' * (len(x) != 1)}: at least {MIN_IMAGES} are needed"
        said = "; ".join(f"{name} {why}" for name, why in refused[:3])
        more = f"; and {len(refused) - 3:,} more" if len(refused) > 3 else ""
        raise ConfigError(f"{few} ({said}{more})." if refused else f"{few}.")
    counts = Counter(names)
    if len(counts) > MAX_CLASSES:
        raise ConfigError(f"{source} holds {len(counts):,} classes: at most {MAX_CLASSES} are told apart.")
    classes = tuple(sorted(counts, key=_natural)) if len(counts) > 1 else ()
    labels = torch.tensor([classes.index(name) for name in names]) if classes else None
    shown = tuple(short(name, 40) or "no folder" for name in classes)
    return Images(torch.from_numpy(np.stack(x)), labels, shown, tuple(refused))


def _natural(name: str) -> tuple[float, str]:
    """Sort "2" before "10", and numbers before words."""
    return (float(name) if name.isascii() and name.isdigit() else math.inf, name)


def decode(data: bytes, form: Form) -> np.ndarray:
    """Return a PNG's or JPEG's pixels (C, side, side), unsigned bytes; raises `Unusable`."""
    if not data:
        raise Unusable("is empty")
    if not data.startswith(PICTURES):
        kind = next((kind for magic, kind in MAGIC.items() if data.startswith(magic)), None)
        if kind and kind.startswith("a zip archive"):
            raise Unusable("is an archive within the archive: unpack it first")
        raise Unusable(f"is {kind}, not a PNG or JPEG picture" if kind else "is not a PNG or JPEG picture")
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise Unusable(_too_many(f"{width:,} × {height:,}"))
            picture.draft("RGB", (4 * form.side, 4 * form.side))  # a large JPEG need not be decoded whole
            return squared(picture, form)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unusable(_too_many("far too many")) from None
    except Unusable:
        raise
    except Exception:  # decoders meet hostile bytes with errors of any kind
        raise Unusable("is damaged: it cannot be decoded") from None


def _too_many(size: str) -> str:
    return f"has {size} pixels: at most {MAX_PIXELS / 1e6:.0f} million are read"


def squared(picture: Image.Image, form: Form) -> np.ndarray:
    """Return a picture's middle square as pixels (C, side, side), one grey channel or three."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits a pixel, which Pillow would cut off instead of scaling
        picture = Image.fromarray((np.asarray(picture, np.float64) / 257).clip(0, 255).round().astype(np.uint8))
    if picture.has_transparency_data:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    picture = picture.convert("L" if form.grey else "RGB")
    if picture.size != (form.side, form.side):
        picture = ImageOps.fit(picture, (form.side, form.side), Image.Resampling.LANCZOS)
    pixels = np.asarray(picture)
    return pixels[None].copy() if form.grey else pixels.transpose(2, 0, 1).copy()
