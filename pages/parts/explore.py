"""The components of the Explore pages: scatter, filmstrip, sliders, attribute and digit pad.

They get arrays from Python once and then ask the run's saved moment itself (`POST /playground/model/<run>`) to decode
and encode, past Python: the newest wish only, so that a dragged slider never queues. Arrays are NumPy or CPU tensors;
items are in data units and of the source's shape: images (n, C, H, W) in [0, 1], sequences (n, T, C), a cloud (n, 3).
Nothing here reruns the page but what the functions return.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pages.parts.mounts import Action, component, nothing
from pages.parts.source import Background, Normal, Plane, Source, blob, f32, numbers, pack
from playground.engine.items import ROOM
from playground.engine.wall import marks

__all__ = ["Background", "Normal", "Plane", "Source", "attribute", "draw", "filmstrip", "scatter", "sliders"]

_scatter = component("scatter", "coding.css")
_filmstrip = component("filmstrip", "coding.css")
SLIDERS = component("sliders", "coding.css")
_digit = component("digit", "coding.css")


def scatter(
    source: Source,
    points: ArrayLike,
    *,
    items: ArrayLike,
    labels: ArrayLike | None = None,
    codes: ArrayLike | None = None,
    plane: Plane | None = None,
    background: Background | None = None,
    prior: Normal | None = None,
    note: str = "",
    key: str,
) -> Action | None:
    """Mount a map of points (n, 2) of items (n, *shape): hover shows an item, a click decodes, a lasso selects.

    A click decodes the point itself where neither `codes` (n, Z) nor `plane` is given (a raw 2D code); with a plane the
    code it stands for; with codes the nearest point's, moved within the plane where there is one too. `note` is the
    line under the map. Returns, in the one run after it happened, {"do": "point", "at": [x, y], "i": nearest or None,
    "code": [...]} or {"do": "select", "ids": [...]} (empty: the selection was let go).
    """
    arrays = {"points": f32(points), "items": pack(source, items, ROOM)}
    about: dict[str, Any] = {"note": note}
    if labels is not None:
        arrays["classes"] = marks(np.asarray(labels))
    if codes is not None:
        arrays["codes"] = f32(codes)
    if plane is not None:
        arrays |= {"mean": f32(plane.mean), "axes": f32(plane.axes)}
    if background is not None:
        grid = np.asarray(background.items)
        arrays["background"] = pack(source, grid.reshape(-1, *source.shape), ROOM)
        about["background"] = {"rows": grid.shape[0], "low": background.low, "high": background.high}
    if prior is not None:
        about["prior"] = {"mean": numbers(prior.mean), "cov": numbers(prior.cov), "name": prior.name}
    return _scatter(key=key, data=blob(source, arrays, about), on_action_change=nothing).action  # type: ignore[no-any-return]


def filmstrip(
    source: Source,
    ends: ArrayLike,
    *,
    items: ArrayLike | None = None,
    noise: ArrayLike | None = None,
    names: tuple[str, str] = ("A", "B"),
    frames: int = 9,
    key: str,
) -> None:
    """Mount the ways between two codes (2, Z), straight and spherical, one above the other, with one slider.

    `items` (2, *shape) are the pictures that the codes were made of, shown at the two ends where given; where only some
    numbers are `noise` (Z,), the others go straight on both ways.
    """
    arrays = {"ends": f32(ends)}
    if noise is not None:
        arrays["noise"] = np.asarray(noise, np.uint8)
    if items is not None:
        arrays["items"] = pack(source, items)
    _filmstrip(key=key, data=blob(source, arrays, {"names": names, "frames": frames}))


def sliders(
    source: Source,
    base: ArrayLike,
    *,
    low: ArrayLike,
    high: ArrayLike,
    names: Sequence[str] = (),
    item: ArrayLike | None = None,
    key: str,
) -> None:
    """Mount one slider a code number around the code `base` (Z,), from low (Z,) to high (Z,), decoded as they move.

    `item` (*shape) is the picture that the code was made of; `names` label the numbers, "1", "2", ... without.
    """
    arrays = {"base": f32(base), "low": f32(low), "high": f32(high)}
    if item is not None:
        arrays["items"] = pack(source, np.asarray(item)[None])
    SLIDERS(key=key, data=blob(source, arrays, {"names": list(names)}))


def attribute(
    source: Source,
    base: ArrayLike,
    direction: ArrayLike,
    *,
    name: str,
    reach: float = 2.0,
    item: ArrayLike | None = None,
    key: str,
) -> None:
    """Mount one strength slider, -reach to reach, that decodes base + strength * direction (both (Z,))."""
    arrays = {"base": f32(base), "axes": f32(direction)[None]}
    if item is not None:
        arrays["items"] = pack(source, np.asarray(item)[None])
    SLIDERS(key=key, data=blob(source, arrays, {"names": [name], "reach": [reach]}))


def draw(
    *, source: Source | None = None, side: int = 28, start: ArrayLike | None = None, key: str
) -> list[list[int]] | None:
    """Mount a pad of side x side pixels; return rows of 0..255 in the one run after "Use this picture".

    With a source the drawing is encoded and decoded as one draws (its images must be square; their side counts then).
    `start` (side, side) in 0..255 is what stands there at first.
    """
    side = source.shape[-1] if source is not None else side
    arrays = {} if start is None else {"start": np.asarray(start, np.uint8)}
    data = blob(source, arrays, {"side": side})
    drawn = _digit(key=key, data=data, on_pixels_change=nothing).pixels
    return drawn["pixels"] if drawn else None
