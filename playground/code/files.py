"""What lies beside a script: items that a person brought or that fonts drew, as an NPZ file."""

from __future__ import annotations

import io
import zipfile

import numpy as np


def packed(text: str, name: str, others: dict[str, bytes]) -> tuple[str, bytes]:
    """Return a script as one file to hand on: its name and bytes, a ZIP where others lie beside it."""
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
