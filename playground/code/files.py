"""What lies beside a script: items that a person brought or that fonts drew, as one NPZ file."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import torch

from playground.data.base import DataSet
from playground.data.custom import Custom


def name(data: DataSet) -> str:
    """Return the name of the file that a script reads, "" where it makes or finds its items itself."""
    return "points.npz" if isinstance(data, Custom) else ""


def beside(data: DataSet) -> dict[str, bytes]:
    """Return the files that a script reads, by name."""
    if isinstance(data, Custom):
        return {name(data): npz(points=data.rows(torch.device("cpu")).numpy())}
    return {}


def packed(text: str, name: str, data: DataSet) -> tuple[str, bytes]:
    """Return a script as one file to hand on: its name and bytes, a ZIP where items lie beside it."""
    others = beside(data)
    if not others:
        return f"{name}.py", text.encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as whole:
        for inside, content in {f"{name}.py": text.encode(), **others}.items():
            whole.writestr(inside, content)
    return f"{name}.zip", file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    """Return arrays as a compressed NPZ file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()
