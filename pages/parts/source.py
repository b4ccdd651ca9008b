"""What the Explore components are given: the moment they ask, and arrays packed as one blob in the frames' layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from playground.data.base import Kind
from playground.engine.frames import encode
from playground.engine.items import packed, shrunk


@dataclass(frozen=True)
class Source:
    """The moment that a component asks: a run, a saved step (None: the newest), and what its items look like."""

    run: str
    step: int | None
    token: str  # engine.token
    kind: Kind
    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plane:
    """The way back from the map to codes: the point p stands for the code mean (Z,) + p @ axes (2, Z) (PCA's, say)."""

    mean: ArrayLike
    axes: ArrayLike


@dataclass(frozen=True)
class Background:
    """Decodes on a grid of map points: items (rows, columns, *shape), row 0 at the bottom, centres from low to high."""

    items: ArrayLike
    low: tuple[float, float]
    high: tuple[float, float]


@dataclass(frozen=True)
class Normal:
    """A normal distribution on the map, drawn as its ellipses of 1, 2 and 3 standard deviations: the prior, say."""

    mean: ArrayLike  # (2,)
    cov: ArrayLike  # (2, 2)
    name: str = "Prior"


def pack(source: Source, items: ArrayLike, room: int | None = None) -> np.ndarray:
    """Return items (n, *shape) as frames hold them: u8 (n, H, W) or (n, H, W, 3) for images, else f32 as they are.

    With `room`, items of more numbers than that are averaged down (images) or thinned (sequences).
    """
    x = torch.from_numpy(f32(items))
    return np.ascontiguousarray(packed(x if room is None else shrunk(x, source.kind, room), source.kind))


def blob(source: Source | None, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> bytes:
    """Return a component's data: arrays and description as one frame blob, told apart by its bytes."""
    if source is None:
        return encode(arrays, about | {"kind": "images"})
    here = {"run": source.run, "step": source.step, "token": source.token, "kind": source.kind}
    return encode(arrays, about | here | {"shape": source.shape, "classes": source.classes})


def f32(values: ArrayLike) -> np.ndarray:
    """Return numbers as a contiguous float32 array."""
    return np.ascontiguousarray(np.asarray(values), dtype=np.float32)


def numbers(values: ArrayLike) -> Any:
    """Return numbers as nested lists."""
    return np.asarray(values, np.float64).tolist()
