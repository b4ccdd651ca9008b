"""Digits of 28 x 28 pixels drawn from fonts, each bent by a random affine map: MNIST's little sister, made offline.

The fonts are those that the pinned packages bring: Pillow's own, and, where they are found, the families that Streamlit
ships for its pages (variable ones at three weights). Each digit is drawn large once; an item is then

    x(p) = glyph(A^-1 (p - t)),    A = rotation x shear x scales

with glyphs of two pixels where the item has one, so that a bilinear sample is about the mean over the item's pixel.
Fonts and maps are even and drawn from one fixed seed: everybody with the same packages has the same items.
"""

from __future__ import annotations

import importlib.util
import math
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from playground.blobs import npz
from playground.config import knob
from playground.data.base import Items, Kind, Table, split
from playground.rng import fresh

SIDE = 28
HEIGHT = 20  # pixels of a digit that is neither stretched nor shrunk, as in MNIST
FINE = 2 * HEIGHT  # pixels a side of a glyph
DRAWN = 80  # size of the font that it is drawn in before that
WEIGHTS = (300, 500, 800)
CHUNK = 1000
# Digits of these are drawn: the start of the file's name, and the weights where the font has an axis of them.
FAMILIES = {
    "SourceSansVF-Upright": WEIGHTS,
    "SourceSansVF-Italic": WEIGHTS,
    "SourceSerifVariable-Roman": WEIGHTS,
    "SourceSerifVariable-Italic": WEIGHTS,
    "SourceCodeVF-Upright": WEIGHTS,
    "KaTeX_Main-Regular": (),
    "KaTeX_Main-Italic": (),
    "KaTeX_SansSerif-Bold": (),
    "KaTeX_Typewriter-Regular": (),
}  # fmt: skip


class FontDigits(Table):
    """Digits from fonts."""

    id: ClassVar[str] = "font-digits"
    title: ClassVar[str] = "Digits from fonts"
    about: ClassVar[str] = (
        "Printed digits of 28 × 28 pixels, turned, slanted, stretched and moved at random; made here."
    )
    kind: ClassVar[Kind] = "images"
    rank: ClassVar[int] = 22

    items: int = knob(
        10_000, "How many images there are; every fifth is held out.", short="items", group="Data", label="Images",
        low=1000, high=60_000, step=1000,
    )  # fmt: skip
    wobble: float = knob(
        0.5, "How far the random maps go: 1 turns and slants by up to 30 degrees, 0 leaves all digits upright.",
        short="wob", group="Data", label="Wobble", low=0.0, high=1.0, step=0.1,
    )  # fmt: skip

    @property
    def shape(self) -> tuple[int, ...]:
        """One grey channel."""
        return (1, SIDE, SIDE)

    @property
    def classes(self) -> tuple[str, ...]:
        """The ten digits."""
        return tuple("0123456789")

    def preview(self, n: int) -> Tensor:
        """Draw n images, not all of them."""
        return self.draw(torch.arange(n) % 10, 0)

    def load(self) -> tuple[Items, Items]:
        """Draw all images, the same ones every time; four fifths to train on."""
        labels = torch.arange(self.items) % 10
        x = torch.cat([self.draw(part, i) for i, part in enumerate(torch.split(labels, CHUNK))])
        return split(Items(x, labels))

    def listing(self) -> dict[str, Any]:
        """Name the file of the glyphs: who runs a script may have other fonts."""
        return {"DATA": "glyphs.npz"}

    def beside(self) -> dict[str, bytes]:
        """Return the digits of every font as a file."""
        return {"glyphs.npz": npz(glyphs=(glyphs() * 255).round().byte().numpy())}

    def draw(self, labels: Tensor, chunk: int) -> Tensor:
        """Draw digits (n,) as images (n, 1, 28, 28), those of the chunk of that number."""
        generator = fresh(0, "font-digits", chunk)
        drawn = glyphs()
        font = torch.randint(len(drawn), labels.shape, generator=generator)
        grid = F.affine_grid(self.maps(len(labels), generator), [len(labels), 1, SIDE, SIDE], align_corners=False)
        return F.grid_sample(drawn[font, labels][:, None], grid, align_corners=False).clamp_(0, 1)

    def maps(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw maps (n, 2, 3) from places of the picture to places of the glyph, both in [-1, 1]^2."""
        turn, slant, wide, high, right, down = self.wobble * (2 * torch.rand(6, n, generator=generator) - 1)
        turn, slant = turn * math.radians(30), (slant * math.radians(30)).tan()
        across, up = 1.25**wide * SIDE / HEIGHT, 1.25**high * SIDE / HEIGHT
        cos, sin = turn.cos(), turn.sin()
        row1 = torch.stack([across * (cos + slant * sin), across * (slant * cos - sin)], 1)
        row2 = torch.stack([up * sin, up * cos], 1)
        linear = torch.stack([row1, row2], 1)  # (n, 2, 2)
        place = torch.stack([right, down], 1) * 0.2  # up to 2.8 pixels off the middle
        return torch.cat([linear, -(linear @ place[..., None])], 2)


@cache
def glyphs() -> Tensor:
    """Return the digits of every font and weight, (fonts, 10, 40, 40) in [0, 1], each filling the height."""
    return torch.stack([torch.stack([_glyph(font, digit) for digit in "0123456789"]) for font in fonts()])


def fonts() -> list[ImageFont.FreeTypeFont]:
    """Return the fonts that are there, Pillow's own first; the others at each of their weights."""
    found = [font for font in [ImageFont.load_default(DRAWN)] if isinstance(font, ImageFont.FreeTypeFont)]
    folder = _font_folder()
    for name, weights in FAMILIES.items():
        for path in sorted(folder.glob(f"{name}.*woff2")) if folder else []:
            found += [_font(path, weight) for weight in weights or (None,)]
    return found


def _font(path: Path, weight: int | None) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(path, DRAWN)
    if weight is not None:
        others = [float(axis["default"] or 0) for axis in font.get_variation_axes()[1:]]
        font.set_variation_by_axes([float(weight), *others])
    return font


def _font_folder() -> Path | None:
    """Return where Streamlit keeps the fonts of its pages; the package itself is not imported."""
    spec = importlib.util.find_spec("streamlit")
    folder = Path(spec.origin).parent / "static" / "static" / "media" if spec and spec.origin else None
    return folder if folder and folder.is_dir() else None


def _glyph(font: ImageFont.FreeTypeFont, digit: str) -> Tensor:
    """Draw one digit as high as the picture, in its middle, its sides kept in proportion."""
    left, top, right, bottom = font.getbbox(digit)
    size = (math.ceil(right - left), math.ceil(bottom - top))
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).text((-left, -top), digit, 255, font)
    scale = FINE / max(size)
    mask = mask.resize((max(1, round(size[0] * scale)), max(1, round(size[1] * scale))), Image.Resampling.LANCZOS)
    picture = Image.new("L", (FINE, FINE))
    picture.paste(mask, ((FINE - mask.width) // 2, (FINE - mask.height) // 2))
    return torch.from_numpy(np.asarray(picture, np.float32) / 255)
