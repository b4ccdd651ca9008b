"""MNIST and two successors as data sets: 28 x 28 grey images of 10 classes, read from IDX files.

MNIST (LeCun, Cortes and Burges 1998), Fashion-MNIST (Xiao et al. 2017, arXiv 1708.07747) and Kuzushiji-MNIST (Clanuwat
et al. 2018, arXiv 1812.01718). Files are looked for in the folder that `PLAYGROUND_DATA` names, in a sub-folder named
like the set, then where `fetch` puts them. Nothing is downloaded unless asked for. With both official parts there,
training has the 60,000 images and the 10,000 test images are held out; of any other lot of images every fifth is.
"""

from __future__ import annotations

import contextlib
import os
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from pydantic import PrivateAttr
from torch import Tensor

from playground.config import ConfigError
from playground.data.base import Items, Kind, Table, split
from playground.data.idx import Archive, archives, read_archive
from playground.home import home

if TYPE_CHECKING:
    from playground.download import Progress

SIDE = 28
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class ArchiveSet(Table):
    """A data set of IDX files. A subclass says where they come from and what a folder of them may be called."""

    kind: ClassVar[Kind] = "images"
    folders: ClassVar[tuple[str, ...]]
    mirrors: ClassVar[tuple[str, ...]]
    sha256: ClassVar[tuple[str, ...]]  # in the order of FILES, gzipped
    # Part of what makes two sets equal, so that nothing kept of one set of files is taken for another's.
    _files: tuple[tuple[str, int, int], ...] = PrivateAttr(())

    def model_post_init(self, _: object) -> None:
        """Remember which files there are as this object is made: paths, bytes and times of their last change."""
        both = (path for archive in self.found() for path in (archive.images, archive.labels))
        with contextlib.suppress(OSError):
            self._files = tuple((str(path), (info := path.stat()).st_size, info.st_mtime_ns) for path in both)

    @property
    def shape(self) -> tuple[int, ...]:
        """One grey channel."""
        return (1, SIDE, SIDE)

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """The ten classes."""

    def found(self) -> list[Archive]:
        """Return the files on this machine, all from the first folder that has any."""
        try:
            return next(filter(None, (list(archives(folder)) for folder in self._places())), [])
        except OSError:  # a folder that this user may not read has nothing for him
            return []

    def _places(self) -> Iterator[Path]:
        """Yield the folders that may hold the files."""
        root = Path(os.environ.get("PLAYGROUND_DATA") or os.devnull)
        if root.is_dir():
            children = sorted(child for child in root.iterdir() if child.is_dir())
            for folder in [root, *children]:
                if folder.resolve().name.lower() in self.folders:
                    yield from (place for place in (folder, folder / "raw") if place.is_dir())
        if (cache := self.cache).is_dir():
            yield cache

    @property
    def cache(self) -> Path:
        """Where `fetch` puts the files."""
        return home() / "data" / self.id

    def missing(self) -> str | None:
        """Return how to get the files where they are not on this machine; None where they are."""
        if self.found():
            return None
        there = [name for name in SETS if name != self.id and SETS[name]().found()]
        root = os.environ.get("PLAYGROUND_DATA")
        wrong = f" (now {root}, which is no folder)" if root and not Path(root).is_dir() else ""
        return (
            f"{self.title} is not on this machine: download it, or set PLAYGROUND_DATA{wrong} to a folder with a "
            f"sub-folder {self.folders[0]} that holds its IDX files; {', '.join(['digits', 'font-digits', *there])} "
            "are there."
        )

    def listing(self) -> dict[str, Any]:
        """Name the files that are trained on, and say whether they are the official part for that."""
        found = {archive.part: archive for archive in self.found()}
        official = {"train", "t10k"} <= found.keys()
        read = [found["train"]] if official else list(found.values())
        return {
            "FOLDER": str(read[0].images.parent) if read else self.folders[0],
            "IMAGES": [archive.images.name for archive in read] or [f"{FILES[0]}.gz"],
            "LABELS": [archive.labels.name for archive in read] or [f"{FILES[1]}.gz"],
            "OFFICIAL": official or not read,
        }

    def preview(self, n: int) -> Tensor:
        """Return the first n images of the smallest file."""
        if missing := self.missing():
            raise ConfigError(missing)
        return read_archive(min(self.found(), key=lambda a: a.images.stat().st_size), SIDE, len(self.classes), n).x

    def load(self) -> tuple[Items, Items]:
        """Return the official parts where both are there, else all images with every fifth held out; raises
        `ConfigError` where there are none or a file is not right."""
        if missing := self.missing():
            raise ConfigError(missing)
        read = {archive.part: read_archive(archive, SIDE, len(self.classes)) for archive in self.found()}
        if "train" in read and "t10k" in read:
            return read["train"], read["t10k"]
        labels = [items.labels for items in read.values() if items.labels is not None]
        return split(Items(torch.cat([items.x for items in read.values()]), torch.cat(labels)))


class Mnist(ArchiveSet):
    """Handwritten digits."""

    id: ClassVar[str] = "mnist"
    title: ClassVar[str] = "MNIST"
    about: ClassVar[str] = (
        "Handwritten digits of 28 × 28 pixels, the best-known data set of all; from files or the net."
    )
    rank: ClassVar[int] = 23
    folders: ClassVar[tuple[str, ...]] = ("mnist", "mnist-784", "mnist_784")
    mirrors: ClassVar[tuple[str, ...]] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    sha256: ClassVar[tuple[str, ...]] = (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    )

    @property
    def classes(self) -> tuple[str, ...]:
        """The ten digits."""
        return tuple("0123456789")


class FashionMnist(ArchiveSet):
    """Pieces of clothing."""

    id: ClassVar[str] = "fashion-mnist"
    title: ClassVar[str] = "Fashion-MNIST"
    about: ClassVar[str] = "Clothes and shoes of 28 × 28 pixels, harder than digits; from files or the net."
    rank: ClassVar[int] = 24
    folders: ClassVar[tuple[str, ...]] = ("fashion-mnist", "fashion_mnist", "fashionmnist", "fashion")
    mirrors: ClassVar[tuple[str, ...]] = (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    )
    sha256: ClassVar[tuple[str, ...]] = (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    )

    @property
    def classes(self) -> tuple[str, ...]:
        """The ten kinds, by the authors' names."""
        return ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


class Kmnist(ArchiveSet):
    """Cursive Japanese characters."""

    id: ClassVar[str] = "kmnist"
    title: ClassVar[str] = "Kuzushiji-MNIST"
    about: ClassVar[str] = "Old Japanese handwriting of 28 × 28 pixels, many forms a class; from files or the net."
    rank: ClassVar[int] = 25
    folders: ClassVar[tuple[str, ...]] = ("kmnist", "kuzushiji-mnist", "kuzushiji")
    mirrors: ClassVar[tuple[str, ...]] = (
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    )
    sha256: ClassVar[tuple[str, ...]] = (
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    )

    @property
    def classes(self) -> tuple[str, ...]:
        """The ten Hiragana, one of each row of the syllabary."""
        return ("お o", "き ki", "す su", "つ tsu", "な na", "は ha", "ま ma", "や ya", "れ re", "を wo")


SETS: dict[str, type[ArchiveSet]] = {kind.id: kind for kind in (Mnist, FashionMnist, Kmnist)}


def available(name: str) -> bool:
    """Say whether the files of `mnist`, `fashion-mnist` or `kmnist` are on this machine."""
    return SETS[name]().missing() is None


def fetch(name: str, progress: Progress | None = None) -> None:
    """Download the four files of a set into `<home>/data/<name>`, checked by their known hashes.

    `progress(file, done, total)` is called with bytes. What broke off goes on from there at the next call, and a mirror
    that fails gives way to the next one; raises `ConfigError` in one sentence where none can be reached.
    """
    from playground.download import Source, download

    data = SETS[name]()
    for file, sha256 in zip(FILES, data.sha256, strict=True):
        source = Source(f"{file}.gz", data.mirrors, sha256)
        download(source, data.cache, progress, f"{data.title} could not be downloaded")
