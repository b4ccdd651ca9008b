"""A person's own images as a data set, and the door through which they come in.

Images are read once, made square, and kept under the hash of their content (see `playground.data.kept`); every fifth is
held out, evenly over the classes. `playground.data.pictures` and `playground.data.arrays` tell what can be brought.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, BinaryIO, ClassVar, Self

import torch
from pydantic import model_validator

from playground.blobs import npz
from playground.config import ConfigError, knob
from playground.data import arrays, pictures
from playground.data.base import Items, Kind, Table, split
from playground.data.kept import damaged, keep, kept, kept_file
from playground.data.pictures import MAX_BYTES, PICTURES, Form, Images, Progress, Refused
from playground.data.shapes import Shapes
from playground.data.upload import short

SIDES = (8, 16, 28, 32, 64)
AGAIN = "upload them"

__all__ = ["Images", "OwnImages", "Refused", "images_file", "load_images", "read_images", "save_images"]


def read_images(
    data: bytes | Path, filename: str = "", side: int = 28, grey: bool = True, progress: Progress | None = None
) -> Images:
    """Read a ZIP of pictures, an NPZ or a CSV file (its bytes or its path), or a folder of pictures.

    Files that cannot be used are named in `refused`; raises `ConfigError` in one sentence where fewer than ten images
    are left. `progress(files done, files in all)` is called for pictures.
    """
    if side not in SIDES:
        raise ConfigError(f"The side is {side}: it takes one of {', '.join(map(str, SIDES))}.")
    form = Form(side, grey)
    name = short(PurePath((filename or (data.name if isinstance(data, Path) else "")).replace("\\", "/")).name)
    name = name or "The file"
    if isinstance(data, bytes):
        return _read(io.BytesIO(data), len(data), name, form, progress)
    if data.is_dir():
        return pictures.from_folder(data, form, progress)
    try:
        with data.open("rb") as file:
            return _read(file, data.stat().st_size, name, form, progress)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read ({error.strerror}): check the path.") from None


def _read(file: BinaryIO, size: int, name: str, form: Form, progress: Progress | None) -> Images:
    """Tell by its first bytes what a file is, and read it."""
    if size > MAX_BYTES:
        raise ConfigError(f"{name} has {size / 1e6:,.0f} MB: at most {MAX_BYTES / 1e6:,.0f} MB are read.")
    head = file.read(16)
    file.seek(0)
    if not head:
        raise ConfigError(f"{name} is empty: bring a ZIP of PNG or JPEG pictures, or an NPZ or CSV file of rows.")
    if head.startswith(PICTURES):
        raise ConfigError(f"{name} is a single picture: put ten or more of them into a ZIP archive.")
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return arrays.from_csv(file.read(), name, form)
    if _holds_arrays(file, name):
        return arrays.from_npz(file, name, form)
    return pictures.from_zip(file, name, form, progress)


def _holds_arrays(file: BinaryIO, name: str) -> bool:
    """Say whether a ZIP archive is an NPZ file, by its name or because all that it holds ends in .npy."""
    with pictures.open_zip(file, name) as archive:
        names = archive.namelist()
    file.seek(0)
    return name.lower().endswith(".npz") or (bool(names) and all(inside.endswith(".npy") for inside in names))


def images_file(source: str) -> Path:
    """Return where the images of that hash lie, there or not; raises `ConfigError` for what is no hash."""
    return kept_file(source, "images", "upload some first")


def save_images(images: Images) -> str:
    """Write images under the hash of their content and return it, 16 hex digits; what was refused is not kept."""
    labels = None if images.labels is None else images.labels.tolist()
    return keep("images", images.x, {"classes": images.classes, "labels": labels})


def load_images(source: str) -> Images:
    """Return saved images; raises `ConfigError` where they are not on this machine or not readable."""
    return _load(images_file(source))


@lru_cache(maxsize=4)
def _load(path: Path) -> Images:
    x, about = kept(path, "images", AGAIN)
    classes, labels = tuple(map(str, about.get("classes") or ())), about.get("labels")
    ok = x.ndim == 4 and x.dtype == torch.uint8 and len(x) > 1 and x.shape[1] in (1, 3) and x.shape[2] == x.shape[3]
    if labels is not None:
        ok = ok and len(labels) == len(x) and all(isinstance(v, int) and 0 <= v < len(classes) for v in labels)
    if not ok:
        raise damaged(path, "images", AGAIN)
    return Images(x, None if labels is None else torch.tensor(labels), classes)


@lru_cache(maxsize=1)
def example() -> Images:
    """Return 300 squares and stars, what the data set shows before there are any images of one's own."""
    items = Shapes(circle=False, triangle=False).known(300, 1)
    return Images((items.x * 255).round().byte(), items.labels, ("square", "star"))


class OwnImages(Table):
    """Uploaded images."""

    id: ClassVar[str] = "own-images"
    title: ClassVar[str] = "Your own images"
    about: ClassVar[str] = "Pictures that you brought: a ZIP or folder of PNG and JPEG files, or rows of an NPZ or CSV."
    kind: ClassVar[Kind] = "images"
    rank: ClassVar[int] = 51

    source: str = knob(
        "", "Name of the saved images, made from their content; empty for an example.", short="src", group="Data",
        label="Images",
    )  # fmt: skip

    @model_validator(mode="after")
    def _is_a_hash(self) -> Self:
        self.file()
        return self

    def file(self) -> Path | None:
        """Return where the images lie; None for the example."""
        return images_file(self.source) if self.source else None

    def images(self) -> Images:
        """Return the images themselves; raises `ConfigError` where they are not on this machine."""
        return load_images(self.source) if self.source else example()

    @property
    def shape(self) -> tuple[int, ...]:
        """One grey channel or three colours, square."""
        return tuple(self.images().x.shape[1:])

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the sub-folders, or of the labels; none where all images are of one kind."""
        return self.images().classes

    def missing(self) -> str | None:
        """Return what to do where the images are not on this machine; None where they are."""
        try:
            self.images()
        except ConfigError as error:
            return str(error)
        return None

    def listing(self) -> dict[str, Any]:
        """Name the file of the images."""
        return {"DATA": "images.npz"}

    def beside(self) -> dict[str, bytes]:
        """Return the images and their labels as a file."""
        images = self.images()
        labels = {} if images.labels is None else {"labels": images.labels.numpy()}
        return {"images.npz": npz(images=images.x.numpy(), **labels)}

    def load(self) -> tuple[Items, Items]:
        """Return four fifths of the images to train on, and the others."""
        images = self.images()
        return split(Items(images.x.float().div_(255), images.labels))
