"""Items as frames and the model's route hold them: images as u8 rows of pixels, everything else as float32 numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from playground.config import ConfigError
from playground.data.base import DataSet, Kind

ROOM = 3072  # numbers of an item in a frame: 32 x 32 pixels in colour; larger ones are averaged down


def packed(items: Tensor, kind: Kind) -> np.ndarray:
    """Return items (n, *shape) as u8 (n, H, W) or (n, H, W, 3) where they are images in [0, 1], else as f32."""
    return pixels(items * 255) if kind == "images" else items.detach().float().nan_to_num().cpu().numpy()


def signed(items: Tensor, kind: Kind) -> np.ndarray:
    """Return differences (n, *shape) of images in [-1, 1] as u8 with 128 for 0, else as f32."""
    return pixels(128 + 127 * items) if kind == "images" else items.detach().float().nan_to_num().cpu().numpy()


def pixels(values: Tensor) -> np.ndarray:
    """Return (n, C, H, W) as whole numbers 0..255, (n, H, W) where grey, (n, H, W, 3) in colour."""
    whole = values.detach().float().nan_to_num().clamp(0, 255).round().to(torch.uint8).cpu().numpy()
    return whole[:, 0] if whole.shape[1] == 1 else np.moveaxis(whole, 1, -1)


def shrunk(items: Tensor, kind: Kind, room: int = ROOM) -> Tensor:
    """Return images averaged down, and every k-th moment of sequences, until an item has at most `room` numbers."""
    factor = 1
    while _numbers(items.shape[1:], kind, factor) > room:
        factor += 1
    if factor == 1:
        return items
    return items[:, ::factor] if kind == "sequences" else F.avg_pool2d(items, factor, ceil_mode=True)


def _numbers(shape: Sequence[int], kind: Kind, factor: int) -> int:
    sides = shape[1:] if kind == "images" else shape[:1]
    others = shape[0] if kind == "images" else shape[1] if kind == "sequences" else 1
    return int(np.prod([-(-side // factor) for side in sides]) * others) if kind in ("images", "sequences") else 0


def unpacked(lists: Any, data: DataSet, most: int) -> np.ndarray:
    """Read up to `most` items from nested lists in the form of `packed` as (n, *shape); raises `ConfigError`."""
    shape = data.shape
    wanted = shape
    if data.kind == "images":
        wanted = shape[1:] if shape[0] == 1 else (*shape[1:], shape[0])
    values = numbers(lists, "items", most, wanted)
    if data.kind == "images":
        values = np.clip(values / 255, 0, 1)
        values = values[:, None] if shape[0] == 1 else np.moveaxis(values, -1, 1)
    return np.ascontiguousarray(values)


def numbers(lists: Any, name: str, most: int, shape: Sequence[int]) -> np.ndarray:
    """Read 1 to `most` rows of numbers of this shape from nested lists as float32; raises `ConfigError`."""
    words = " x ".join(str(side) for side in shape)
    try:
        with np.errstate(over="ignore"):  # infinite then, and refused below
            values = np.asarray(lists, np.float64).astype(np.float32)
    except (TypeError, ValueError):
        raise ConfigError(f"{name} are nested lists of numbers, {words} each.") from None
    if values.shape[1:] != tuple(shape) or not len(values):
        raise ConfigError(
            f"{name} are rows of {words} numbers for this model, and these have the shape {values.shape}."
        )
    if len(values) > most:
        raise ConfigError(f"{len(values)} {name} are asked for at once: {most} is the most.")
    if not np.isfinite(values).all():
        raise ConfigError(f"Some {name} are not finite numbers.")
    return values
