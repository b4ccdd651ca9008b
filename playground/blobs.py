"""Arrays with a description as one small binary blob: a safetensors file with JSON in its metadata."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import orjson
from safetensors.numpy import load, save


def encode(arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> bytes:
    """Return a blob of these arrays and this description."""
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return save(whole, {"meta": orjson.dumps(meta, option=orjson.OPT_SERIALIZE_NUMPY).decode()})


def decode(blob: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return a blob's arrays and description."""
    length = int.from_bytes(blob[:8], "little")
    header = orjson.loads(blob[8 : 8 + length])
    return load(blob), orjson.loads(header["__metadata__"]["meta"])


def npz(**arrays: np.ndarray) -> bytes:
    """Return arrays as a compressed NPZ file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()
