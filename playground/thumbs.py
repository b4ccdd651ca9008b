"""A small picture of what a run made last: its points in the plane or a corner of its wall, kept beside its moments.

It is made from the newest saved moment and again only when there is a newer one. What has no picture (a game)
has none; what cannot be read has none either: a thumbnail is never worth an error.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin
from safetensors import SafetensorError

from playground.config import ConfigError
from playground.data.base import Distribution
from playground.figures import palette, pictures, space
from playground.files import write_whole
from playground.latent import moments
from playground.latent.arrays import array
from playground.latent.moments import Moment
from playground.rng import fresh
from playground.store import RunFolder, StoreError

FILE, SIDE = "thumb.png", 96  # pixels
POINTS, COLUMNS, FINE = 400, 4, 3  # of a plane, of a wall, pixels drawn for one shown
STAMP = "moment"


def kept(folder: RunFolder) -> bytes | None:
    """Return the picture of a run's newest moment as a PNG file, where it has been made; else None."""
    try:
        with Image.open(folder.path / FILE) as picture:
            text = getattr(picture, "text", {})
        return (folder.path / FILE).read_bytes() if text.get(STAMP) == _stamp(folder) else None
    except (OSError, SyntaxError):  # the latter is what Pillow says of a damaged file
        return None


def made(folder: RunFolder) -> bytes | None:
    """Return the picture of a run's newest moment as a PNG file, made now where need be; None where it has none."""
    if (there := kept(folder)) is not None:
        return there
    try:
        stamp = _stamp(folder)
        picture = draw(moments.of(folder.load_keyframe()))
        info = PngImagePlugin.PngInfo()
        info.add_text(STAMP, stamp)
        out = io.BytesIO()
        picture.save(out, "PNG", optimize=True, pnginfo=info)
        write_whole(folder.path / FILE, out.getvalue())
        return out.getvalue()
    except (ConfigError, StoreError, OSError, KeyError, RuntimeError, SafetensorError):
        return None


def draw(moment: Moment) -> Image.Image:
    """Return what a model makes, SIDE pixels square; raises `ConfigError` where it has no picture."""
    data, family, seed = moment.experiment.data, moment.family, moment.experiment.seed
    generates = "generate" in family.abilities
    if isinstance(data, Distribution) and data.dim == 2 and data.players() is None and generates:
        real = data.sample(POINTS, fresh(seed, "thumbnail", "real"))
        return _plane(array(real), moment.decode(family.noise(POINTS, fresh(seed, "thumbnail"))), float(data.extent))
    if data.kind == "cloud":
        x = data.held_out(POINTS, seed).x
        reach, recon = float(x.abs().max()), moment.decode(moment.encode(x))
        return _plane(space.flat(array(x), reach), space.flat(recon, reach), space.EXTENT, palette.DECODER)
    if data.kind == "points":
        raise ConfigError(f"{data.title} has no picture of its own.")
    if generates:
        items = moment.decode(family.noise(COLUMNS**2, fresh(seed, "thumbnail")))
    else:
        items = moment.decode(moment.encode(data.held_out(COLUMNS**2, seed).x))
    sheet = Image.fromarray(pictures.sheet(pictures.pictures(items, data.kind), COLUMNS))
    return sheet.resize((SIDE, SIDE), Image.Resampling.BOX if sheet.width > SIDE else Image.Resampling.NEAREST)


def _plane(real: np.ndarray, fake: np.ndarray, extent: float, colour: str = palette.FAKE) -> Image.Image:
    """Draw real points, and fakes over them, on nothing."""
    large = Image.new("RGBA", (FINE * SIDE, FINE * SIDE))
    pen = ImageDraw.Draw(large)
    for points, ink, half in ((real, palette.lighter(palette.REAL), 4), (fake, colour, 4)):
        place = (points / extent * [1, -1] + 1) / 2 * FINE * SIDE
        for x, y in place[np.isfinite(place).all(1)].clip(-SIDE, 4 * SIDE).tolist():
            pen.ellipse((x - half, y - half, x + half, y + half), fill=ink)
    return large.resize((SIDE, SIDE), Image.Resampling.BOX)


def _stamp(folder: RunFolder) -> str:
    steps = folder.keyframes()
    if not steps:
        raise StoreError("There is no saved moment to make a picture of.")
    return f"{steps[-1]} {folder.cuts()}"
