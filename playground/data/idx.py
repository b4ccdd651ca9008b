"""The IDX format, in which MNIST and its successors come: a magic number, the sizes, then the bytes, gzipped or not.

Two zero bytes, one for the type (8: unsigned bytes), one for how many dimensions; each size as a big-endian 32-bit
number; the items. What a header promises is held against the file's own size before any memory is taken for it.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import torch

from playground.config import ConfigError
from playground.data.base import Items

MAX_BYTES = 1 << 30
GZIP = b"\x1f\x8b"
RATIO = 1032  # deflate cannot shrink anything further than 1032 to 1 (zlib's technical notes)
NAME = re.compile(r"(?P<part>.+?)[-_.]images[-_.]idx3[-_.]ubyte(\.gz)?$", re.IGNORECASE)


class Archive(NamedTuple):
    """A file of images and the file of their labels: `part` is what stands before both names ("train", "t10k")."""

    part: str
    images: Path
    labels: Path


def archives(folder: Path) -> Iterator[Archive]:
    """Yield the pairs of files of images and labels in a folder, each part once, gzipped or not."""
    there = {path.name: path for path in sorted(folder.iterdir(), reverse=True) if path.is_file()}  # raw after .gz
    found: dict[str, Archive] = {}
    for name, path in there.items():
        match = NAME.match(name)
        if match is None:
            continue
        ending = "" if match[2] else ".gz"
        twin = re.sub("images", "labels", name, flags=re.IGNORECASE).replace("idx3", "idx1")
        labels = next((there[n] for n in (twin, twin + ending, twin.removesuffix(".gz")) if n in there), None)
        if labels is not None:
            found[match["part"].lower()] = Archive(match["part"].lower(), path, labels)
    yield from (found[part] for part in sorted(found))


def read_archive(archive: Archive, side: int, classes: int, first: int | None = None) -> Items:
    """Return images (n, 1, side, side) in [0, 1] and labels, or the first so many; raises `ConfigError`."""
    images, labels = read_idx(archive.images, first), read_idx(archive.labels, first)
    name = archive.images.name
    if images.ndim != 3 or images.shape[1:] != (side, side):
        sizes = " × ".join(str(size) for size in images.shape)
        raise ConfigError(f"{name} holds numbers of the sizes {sizes}: images of {side} × {side} pixels are needed.")
    if labels.ndim != 1 or len(labels) != len(images):
        raise ConfigError(
            f"{archive.labels.name} has {labels.size:,} labels for the {len(images):,} images of {name}: "
            "get both files from the same place."
        )
    if not len(images):
        raise ConfigError(f"{name} holds no images: get the file again.")
    if int(labels.max()) >= classes:
        raise ConfigError(
            f"{archive.labels.name} has the label {labels.max()}: labels go from 0 to {classes - 1}, "
            "so it belongs to another data set."
        )
    return Items(torch.from_numpy(images).float().div_(255)[:, None], torch.from_numpy(labels).long())


def read_idx(path: Path, first: int | None = None) -> np.ndarray:
    """Return the array of unsigned bytes in an IDX file, gzipped or not, or the first so many of its items; raises
    `ConfigError` in one sentence."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(2) != GZIP:
                file.seek(0)
                return _read(file, path.name, size, first)
            file.seek(0)
            with gzip.open(file) as unzipped:
                return _read(unzipped, path.name, size * RATIO, first)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise ConfigError(f"{path.name} cannot be read ({error.strerror}): check the file.") from None
        raise ConfigError(f"{path.name} is damaged or cut off: get the file again.") from None


def _read(file: IO[bytes] | gzip.GzipFile, name: str, most: int, first: int | None) -> np.ndarray:
    """Read header and body of which there can be no more than `most` bytes."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise ConfigError(f"{name} is no IDX file (it starts with {magic.hex() or 'nothing'}): get the file again.")
    if magic[2] != 8:
        raise ConfigError(f"{name} holds IDX numbers of type 0x{magic[2]:02x}: only unsigned bytes (0x08) are read.")
    header = file.read(4 * magic[3])
    if len(header) < 4 * magic[3]:
        raise ConfigError(f"{name} is cut off within its header: get the file again.")
    shape = struct.unpack(f">{magic[3]}I", header)
    wanted = math.prod(shape)
    if wanted > min(most, MAX_BYTES):
        raise ConfigError(f"{name} promises {wanted:,} bytes, more than it can hold: get the file again.")
    if first is not None and shape and first < shape[0]:
        shape = (first, *shape[1:])
        body = file.read(wanted := math.prod(shape))
    else:
        body = file.read(wanted + 1)
    if len(body) != wanted:
        less = "less" if len(body) < wanted else "more"
        raise ConfigError(f"{name} holds {less} than the {wanted:,} bytes that it promises: get the file again.")
    return np.frombuffer(bytearray(body), np.uint8).reshape(shape)
