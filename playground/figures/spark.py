"""A curve as small as a word: a line with a dot at its end, as an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import numpy as np

from playground.figures import palette

WIDTH, HEIGHT, ROOM = 120, 32, 4  # pixels


def spark(values: Sequence[float], colour: str = palette.FAKE) -> str:
    """Return values as the data URI of a picture, evenly spaced from left to right; of fewer than two an empty one."""
    y = np.asarray(values, float)
    y = y[np.isfinite(y)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
    if len(y) < 2:
        return _uri(f"{head}</svg>")
    span = float(y.max() - y.min())
    flat = np.full(len(y), 0.5) if span == 0 else (y - y.min()) / span
    xs = np.linspace(ROOM, WIDTH - ROOM, len(y))
    ys = HEIGHT - ROOM - flat * (HEIGHT - 2 * ROOM)
    path = " ".join(f"{x:.1f},{v:.1f}" for x, v in zip(xs, ys, strict=True))
    line = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-linejoin="round"/>'
    return _uri(f'{head}{line}<circle cx="{xs[-1]:.1f}" cy="{ys[-1]:.1f}" r="2.5" fill="{colour}"/></svg>')


def _uri(svg: str) -> str:
    return f"data:image/svg+xml,{quote(svg)}"
