"""Images out of IDX files."""

import gzip
from pathlib import Path

import numpy as np
import torch


def read_idx(name):
    """Return the unsigned bytes of an IDX file, gzipped or not."""
    path = Path(FOLDER) / name
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        dimensions = file.read(4)[3]
        shape = [int.from_bytes(file.read(4), "big") for _ in range(dimensions)]
        return torch.from_numpy(np.frombuffer(file.read(), np.uint8).reshape(shape).copy())


items = torch.cat([read_idx(name) for name in IMAGES]).float().div(255)[:, None]
labels = torch.cat([read_idx(name) for name in LABELS]).long()
if not OFFICIAL:
    train = training(len(items), labels)
    items = items[train]
    labels = labels[train]
