"""Components of the Explore pages that walk through a generator's codes: a film of samples, sliders along directions.

As in `explore`, Python gives the codes once, and the components ask the run's saved moment to decode them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from pages.parts.explore import SLIDERS
from pages.parts.mounts import component
from pages.parts.source import Source, blob, f32

_reel = component("reel", "coding.css")


def film(
    source: Source,
    codes: ArrayLike,
    *,
    says: Sequence[str] = (),
    rows: Sequence[str] = (),
    columns: int | None = None,
    at: int = 0,
    plays: bool = True,
    begin: bool = False,
    loop: bool = False,
    side: int = 528,
    key: str,
) -> None:
    """Mount a wall of walkers from frame to frame: codes (frames, walkers, Z), decoded once, then played or turned.

    `says` names the frames beside the slider, `rows` the rows of the wall, which has so many `columns` (a square wall
    without). It begins `at` a frame, by itself with `begin`; a `loop` goes round, any other film there and back. `side`
    is its width in pixels where there is room.
    """
    about = {"says": list(says), "rows": list(rows), "columns": columns, "side": side}
    about |= {"at": at, "plays": plays, "begin": begin, "loop": loop}
    _reel(key=key, data=blob(source, {"codes": f32(codes)}, about))


def directions(
    source: Source, base: ArrayLike, axes: ArrayLike, *, names: Sequence[str], reach: Sequence[float], key: str
) -> None:
    """Mount a strength slider for each direction, axes (k, Z) from -reach to reach (k,), around a code (Z,).

    Under them are pictures along the one touched last, with the others where they stand.
    """
    arrays = {"base": f32(base), "axes": f32(np.atleast_2d(np.asarray(axes)))}
    SLIDERS(key=key, data=blob(source, arrays, {"names": list(names), "reach": [float(r) for r in reach]}))
