"""Small pictures of data sets at their default settings."""

from __future__ import annotations

import base64
import io
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from playground.data import datasets
from playground.data.base import Distribution, Kind
from playground.rng import fresh

SIDE = 44  # pixels
GREEN = (27, 158, 119)  # the colour of real points


def thumbnail(name: str) -> str:
    """Return a small picture of a data set at its default settings, as a data URI; its initial where it is missing."""
    return _thumbnail(name, datasets()[name]().missing() is None)


@cache
def _thumbnail(name: str, there: bool) -> str:
    data = datasets()[name]()
    if not there:
        return _uri(_initial(data.title))
    if not isinstance(data, Distribution):
        return _uri(_pixels(data.preview(9 if data.kind == "images" else 1500).numpy(), data.kind))
    if data.players() is None:
        points = data.sample(1500, fresh(0, "thumbnail")).numpy() / data.extent
    else:  # a game has no cloud of points: what one sees is a path that goes round
        turn = np.linspace(0, 6 * np.pi, 1500)
        points = np.stack([np.cos(turn), np.sin(turn)], 1) * np.linspace(0.9, 0.1, 1500)[:, None]
    return _uri(_dots(points))


def _dots(points: np.ndarray) -> Image.Image:
    """Draw points of [-1, 1]^2."""
    where = np.clip(((points + 1) / 2 * SIDE).astype(int), 0, SIDE - 1)
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    alpha[SIDE - 1 - where[:, 1], where[:, 0]] = 255
    return Image.fromarray(np.dstack([np.full((SIDE, SIDE), c, np.uint8) for c in GREEN] + [alpha]), "RGBA")


def _initial(title: str) -> Image.Image:
    """Draw the first letter, half transparent."""
    picture = Image.new("RGBA", (SIDE, SIDE))
    font = ImageFont.load_default(SIDE / 2)
    ImageDraw.Draw(picture).text((SIDE / 2, SIDE / 2), title[0], (*GREEN, 128), font, anchor="mm")
    return picture


def _pixels(x: np.ndarray, kind: Kind) -> Image.Image:
    """Draw nine images (9, C, H, W) in three rows, the first channel of a sequence (T, C) as a line, or a cloud."""
    if kind == "images":
        rows = [np.concatenate(list(x[i : i + 3]), axis=2) for i in (0, 3, 6)]
        wall = np.uint8(255 * np.concatenate(rows, axis=1)).transpose(1, 2, 0)
        return Image.fromarray(wall.squeeze(2) if wall.shape[2] == 1 else wall).resize((SIDE, SIDE))
    if kind == "sequences":
        line = x[0, :, 0]
        return _dots(np.stack([np.linspace(-0.9, 0.9, len(line)), 0.9 * line / np.abs(line).max()], 1))
    return _dots(x[:, [0, 2]] / 2)


def _uri(picture: Image.Image) -> str:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
