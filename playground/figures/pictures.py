"""Items as small pictures, whatever they are: images as they are, sequences as drawn lines, points in space as bars.

Pages that lay items out in lists and choices draw these, so they need not ask what kind of data they show.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from playground.data.base import Kind
from playground.figures import palette

Pixels = NDArray[np.uint8]

SIDE = 48  # pixels of a drawn line or of bars
FINE = 3  # drawn so many times larger, then shrunk: soft edges
INKS = (palette.ENCODER, palette.DECODER, palette.REAL, palette.FAKE)  # of a sequence's channels, of a point's axes
RANGE = 1.25  # a drawn line fills its picture from -RANGE to RANGE


def pictures(x: Any, kind: Kind) -> Pixels:
    """Return pictures (n, h, w, 3) of items (n, *shape); images come in [0, 1], the others in about [-1, 1]."""
    items = np.asarray(x, np.float32)
    if kind == "images":
        whole: Pixels = np.rint(np.clip(items, 0, 1) * 255).astype(np.uint8)
        return np.moveaxis(np.broadcast_to(whole, (len(items), 3, *items.shape[2:])), 1, 3)
    return np.stack([_lines(item) if kind == "sequences" else _bars(item) for item in items])


def sheet(images: Pixels, columns: int, gap: int = 1) -> Pixels:
    """Return pictures (n, h, w, 3) laid out row by row, (H, W, 4), clear between them and where there is none."""
    n, h, w, _ = images.shape
    rows = -(-n // columns)
    out = np.zeros((rows * (h + gap) - gap, columns * (w + gap) - gap, 4), np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (h + gap), i % columns * (w + gap)
        out[top : top + h, left : left + w, :3], out[top : top + h, left : left + w, 3] = image, 255
    return out


def uri(image: Pixels) -> str:
    """Return a picture (h, w, 3 or 4) as a PNG data URI."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def figures(images: Pixels, texts: Sequence[str] = ()) -> str:
    """Return pictures with captions as HTML figures; the stylesheet gives them their size and keeps pixels crisp."""
    said = list(texts) or [""] * len(images)
    each = [
        f'<figure><img src="{uri(image)}" alt="{text}"><figcaption>{text}</figcaption></figure>'
        for image, text in zip(images, said, strict=True)
    ]
    return f'<div class="pictures">{"".join(each)}</div>'


def _lines(values: NDArray[np.float32]) -> Pixels:
    """Draw the channels of a sequence (T, C) as lines on black; a single one in white."""
    canvas = Image.new("RGB", (SIDE * FINE, SIDE * FINE))
    draw, end = ImageDraw.Draw(canvas), SIDE * FINE - 1
    inks = INKS if values.shape[1] > 1 else ("#ffffff",)
    across = np.linspace(0, end, len(values)).tolist()
    for i, series in enumerate(values.T):
        up = (1 - np.clip(series / RANGE, -1, 1)) / 2 * end
        draw.line(list(zip(across, up.tolist(), strict=True)), fill=inks[i % len(inks)], width=FINE + 1)
    return np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.uint8)


def _bars(values: NDArray[np.float32]) -> Pixels:
    """Draw a few numbers as bars up and down from the middle line, on black."""
    canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
    middle, wide = SIDE // 2, SIDE // max(1, len(values))
    for i, value in enumerate(values):
        tall = round(float(np.clip(value / RANGE, -1, 1)) * (middle - 2))
        low, high = sorted((middle, middle - tall))
        canvas[low : high + 1, i * wide + 2 : (i + 1) * wide - 2] = palette.rgb(INKS[i % len(INKS)])
    return canvas
