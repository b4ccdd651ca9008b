"""Small IDX archives for tests, written by the format's definition; the real ones where a folder of them is there."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import numpy as np

REAL = Path(os.environ.get("PLAYGROUND_DATA") or Path(__file__).parents[1] / "../shared/data").resolve()


def real_mnist() -> bool:
    """Say whether the 10,000 official test images of MNIST are on this machine."""
    return (REAL / "mnist" / "t10k-images-idx3-ubyte.gz").is_file()


def idx(array: np.ndarray) -> bytes:
    """Write unsigned bytes as an IDX file."""
    return (
        bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
    )


def digits(n: int, seed: int = 0, side: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """Make n images and labels, every class equally often: a bright bar whose place is its class, and noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    images = rng.integers(0, 60, (n, side, side))
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 2 : 2 * label + 5] += 190
    return images.astype(np.uint8), labels.astype(np.uint8)


def put(folder: Path, part: str = "train", n: int = 60, zipped: bool = True, seed: int = 0) -> None:
    """Put one part of a set into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = digits(n, seed)
    for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
        data = idx(array)
        (folder / (name + ".gz" * zipped)).write_bytes(gzip.compress(data) if zipped else data)


def put_all(root: Path) -> None:
    """Put a small training part of each set under a folder for `PLAYGROUND_DATA`."""
    for seed, name in enumerate(("mnist", "fashion-mnist", "kmnist")):
        put(root / name, n=600, seed=seed)
