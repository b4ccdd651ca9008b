"""Pictures to take along: contact sheets, walks and the training of a run, as PNG, animated GIF or WebP, or MP4.

Pixels are enlarged as they are (nearest neighbour), so that an 8 x 8 image stays one. A film of training draws the same
thing at each saved moment: the wall of a generator at the codes that the lab shows, the plane of a 2D run with real and
fake points, a cloud with what becomes of its points, or items above their reconstructions. Nothing here trains, and
nothing draws from a stream of training. An MP4 is ffmpeg's work, where that is on the machine.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from playground.config import ConfigError
from playground.data.base import Distribution, Kind
from playground.engine.samples import COLUMNS, wall_codes
from playground.families.base import View
from playground.figures import palette, pictures, space
from playground.home import home
from playground.latent import moments
from playground.latent.arrays import array
from playground.latent.coded import through
from playground.latent.moments import Moment
from playground.rng import fresh
from playground.store import RunFolder

Format = Literal["png", "gif", "webp", "mp4"]
FORMATS: tuple[Format, ...] = get_args(Format)

SIDE = 512  # pixels: about as wide as a picture gets
PAPER, RIM = "#ffffff", "#ffffff"
INK = "#3c4048"  # of captions
STRIP, SIZE, SMALLEST = 26, 15, 9  # pixels of a caption's strip, of its letters, and of those of a long one
MS, HELD = 90, 1500  # milliseconds of a frame, and of the last one of training
MOST = 60  # moments in a film of training
REAL_DOT, FAKE_DOT, FINE = 2.7, 3.4, 3  # half a mark in pixels, as the stage draws them; drawn larger, then shrunk
ITEMS, POINTS = 10, 400  # above their reconstructions; of a cloud


@dataclass(frozen=True)
class Still:
    """A frame of a film and its caption; `done` of `all` frames are made."""

    image: Image.Image
    caption: str
    done: int
    all: int


# -- what is shown ----------------------------------------------------------------------------------------------------


def sheet(items: Any, columns: int, kind: Kind = "images", side: int = SIDE) -> Image.Image:
    """Return items (n, *shape) laid out row by row, about `side` pixels wide; images come in [0, 1]."""
    laid_out = Image.fromarray(pictures.sheet(pictures.pictures(array(items), kind), columns))
    paper = Image.new("RGB", laid_out.size, PAPER)
    paper.paste(laid_out, mask=laid_out)
    scale = max(1, round(side / paper.width))
    return paper.resize((paper.width * scale, paper.height * scale), Image.Resampling.NEAREST)


def scatter(
    real: Any,
    fake: Any,
    extent: float,
    side: int = SIDE,
    *,
    names: tuple[str, str] = ("real", "fake"),
    colour: str = palette.FAKE,
) -> Image.Image:
    """Return real (circles) and fake points (diamonds) (n, 2) in the square [-extent, extent]², with a legend."""
    canvas = Image.new("RGB", (side * FINE, side * FINE), PAPER)
    draw = ImageDraw.Draw(canvas)
    marks = ((real, palette.REAL, _circle, REAL_DOT), (fake, colour, _diamond, FAKE_DOT))
    for points, ink, mark, half in marks:
        place = (array(points) / extent * [1, -1] + 1) / 2 * side * FINE
        for x, y in place[np.isfinite(place).all(1)].clip(-side, 4 * side).tolist():
            mark(draw, x, y, half * FINE, ink)
    for i, (name, (_, ink, mark, half)) in enumerate(zip(names, marks, strict=True)):
        y = (16 + 20 * i) * FINE
        mark(draw, 14 * FINE, y, 1.5 * half * FINE, ink)
        draw.text((26 * FINE, y), name, fill=INK, font=ImageFont.load_default(SIZE * FINE), anchor="lm")
    return canvas.resize((side, side), Image.Resampling.BOX)


def _circle(draw: ImageDraw.ImageDraw, x: float, y: float, half: float, colour: str) -> None:
    for r, ink in ((half + FINE, RIM), (half, colour)):
        draw.ellipse((x - r, y - r, x + r, y + r), fill=ink)


def _diamond(draw: ImageDraw.ImageDraw, x: float, y: float, half: float, colour: str) -> None:
    for r, ink in ((half + FINE, RIM), (half, colour)):
        draw.polygon([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], fill=ink)


def captioned(image: Image.Image, text: str) -> Image.Image:
    """Return a picture with a line of text on a strip below it; a long line is set smaller."""
    whole = Image.new("RGB", (image.width, image.height + STRIP), PAPER)
    whole.paste(image)
    draw, size = ImageDraw.Draw(whole), SIZE
    while size > SMALLEST and draw.textlength(text, ImageFont.load_default(size)) > image.width - 8:
        size -= 1
    place = (image.width / 2, image.height + STRIP / 2)
    draw.text(place, text, fill=INK, font=ImageFont.load_default(size), anchor="mm")
    return whole


# -- files ------------------------------------------------------------------------------------------------------------


def png(image: Image.Image, caption: str = "") -> bytes:
    """Return a picture as a PNG file."""
    out = io.BytesIO()
    (captioned(image, caption) if caption else image).save(out, "PNG", optimize=True)
    return out.getvalue()


def gif(frames: Iterable[Image.Image], ms: int = MS, captions: Sequence[str] = (), *, last: int | None = None) -> bytes:
    """Return frames of one size as an animated GIF that goes round; `last`: milliseconds of the last one.

    A GIF counts in hundredths of a second; frames that do not differ become one that lasts as long.
    """
    whole = [_paletted(image) for image in _told(frames, captions)]
    times = [max(20, round(t / 10) * 10) for t in _times(len(whole), ms, last)]
    out = io.BytesIO()
    whole[0].save(out, "GIF", save_all=True, append_images=whole[1:], duration=times, loop=0, optimize=False)
    return out.getvalue()


def webp(
    frames: Iterable[Image.Image], ms: int = MS, captions: Sequence[str] = (), *, last: int | None = None
) -> bytes:
    """Return frames of one size as an animated WebP without loss that goes round; smaller than a GIF, all colours."""
    whole = _told(frames, captions)
    times = _times(len(whole), ms, last)
    out = io.BytesIO()
    whole[0].save(out, "WEBP", save_all=True, append_images=whole[1:], duration=times, loop=0, lossless=True)
    return out.getvalue()


def ffmpeg() -> str | None:
    """Return where ffmpeg is, which `mp4` needs; None where this machine has none."""
    return shutil.which("ffmpeg")


def mp4(frames: Iterable[Image.Image], ms: int = MS, captions: Sequence[str] = (), *, last: int | None = None) -> bytes:
    """Return frames of one size as an MP4 that browsers and slides play; `last`: milliseconds of the last one.

    Raises `ConfigError` where there is no ffmpeg, or where it fails.
    """
    tool = ffmpeg()
    if tool is None:
        raise ConfigError("An MP4 is made by ffmpeg, which this machine lacks: install it, or choose GIF or WebP.")
    whole = [image.convert("RGB") for image in _told(frames, captions)]
    whole += whole[-1:] * (round((last or ms) / ms) - 1)
    width, height = whole[0].size
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "film.mp4"  # a file, since the index that lets it start at once is written last
        said = subprocess.run(
            [tool, "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"1000/{ms}",
             "-i", "-", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white", "-pix_fmt", "yuv420p", "-crf", "18",
             "-movflags", "+faststart", str(out)],
            input=b"".join(image.tobytes() for image in whole), capture_output=True, check=False,
        )  # fmt: skip
        if said.returncode or not out.exists():
            why = said.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
            raise ConfigError(f"ffmpeg could not make the film ({why[0]}): choose GIF or WebP.")
        return out.read_bytes()


def film(
    kind: Format, frames: Iterable[Image.Image], ms: int = MS, captions: Sequence[str] = (), *, last: int | None = None
) -> bytes:
    """Return frames as a file of this kind; a PNG holds the last of them."""
    if kind == "png":
        whole = list(frames)
        return png(whole[-1], captions[-1] if captions else "")
    return {"gif": gif, "webp": webp, "mp4": mp4}[kind](frames, ms, captions, last=last)


def _told(frames: Iterable[Image.Image], captions: Sequence[str]) -> list[Image.Image]:
    whole = list(frames)
    if not whole:
        raise ConfigError("There is nothing to make a film of: choose a run with saved moments.")
    return [captioned(i, t) for i, t in zip(whole, captions, strict=True)] if captions else whole


def _times(n: int, ms: int, last: int | None) -> list[int]:
    return [ms] * (n - 1) + [ms if last is None else last]


def _paletted(image: Image.Image) -> Image.Image:
    """Return a picture in at most 256 colours: greys as they are, others in a palette of their own."""
    pixels = np.asarray(image.convert("RGB"))
    if (pixels == pixels[..., :1]).all():
        return image.convert("L")
    return image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


# -- films ------------------------------------------------------------------------------------------------------------


def walk(moment: Moment, codes: Any, *, columns: int | None = None, side: int = SIDE) -> Iterator[Image.Image]:
    """Give the frames of a walk: codes (n, Z), or (n, k, Z) for k walks side by side."""
    steps = array(codes)
    steps = steps[:, None] if steps.ndim == 2 else steps
    n, k, size = steps.shape
    items = moment.decode(steps.reshape(n * k, size))
    across = columns or int(np.ceil(np.sqrt(k)))
    for some in items.reshape(n, k, *items.shape[1:]):
        yield sheet(some, across, moment.experiment.data.kind, side)


def samples(moment: Moment, n: int = 64, seed: int = 0, *, columns: int = COLUMNS, side: int = SIDE) -> Image.Image:
    """Return n samples of a generator as a contact sheet."""
    if "generate" not in moment.family.abilities:
        raise ConfigError(f"{moment.family.title} has no prior to draw from: make a film of its training instead.")
    if moment.experiment.data.kind in ("points", "cloud"):
        return picture(moment, side=side)
    z = moment.family.noise(n, fresh(seed, "samples"))
    return sheet(moment.decode(z), columns, moment.experiment.data.kind, side)


def training(run: str | RunFolder, codes: Any = None, *, most: int = MOST, side: int = SIDE) -> Iterator[Still]:
    """Give a picture of each saved moment of a run, at most so many, evenly; `codes` (n, Z) instead of the lab's own.

    Raises `ConfigError` where there is no picture of such a run, `StoreError` where there is no such run.
    """
    folder = RunFolder.open(home(), run) if isinstance(run, str) else run
    there = folder.keyframes()
    which = np.unique(np.linspace(0, len(there) - 1, min(most, len(there))).round().astype(int))
    for i, at in enumerate(which.tolist()):
        moment = moments.of(folder.load_keyframe(there[at]))
        yield Still(picture(moment, codes, side=side), f"step {moment.step:,}", i + 1, len(which))


def picture(moment: Moment, codes: Any = None, *, side: int = SIDE) -> Image.Image:
    """Return what a model makes, as the lab shows it."""
    data, family, seed = moment.experiment.data, moment.family, moment.experiment.seed
    if isinstance(data, Distribution):
        return _plane(moment, data, codes, side)
    if data.kind == "cloud":
        return _space(moment, side)
    if "generate" in family.abilities:
        z = wall_codes(family, seed) if codes is None else codes
        return sheet(moment.decode(z), COLUMNS, data.kind, side)
    if codes is not None:
        return sheet(moment.decode(codes), COLUMNS, data.kind, side)
    with moment.lock:
        seen = through(family, data.held_out(ITEMS, seed).x)
    return sheet(np.concatenate([seen.x, seen.recon]), len(seen), data.kind, side)


def _plane(moment: Moment, data: Distribution, codes: Any, side: int) -> Image.Image:
    if data.dim != 2 or "generate" not in moment.family.abilities:
        raise ConfigError(f"{data.title} has no plane to draw: films are of images and of points in 2D.")
    seed, n = moment.experiment.seed, View(0.0, frozenset()).fakes
    real = data.sample(n, fresh(seed, "stage", "real"))
    z = moment.family.noise(n, fresh(seed, "stage")) if codes is None else torch.from_numpy(array(codes))
    return scatter(real, moment.decode(z), float(data.extent), side)


def _space(moment: Moment, side: int) -> Image.Image:
    """Draw held-out points of a cloud and what becomes of them."""
    x = moment.experiment.data.held_out(POINTS, moment.experiment.seed).x
    with moment.lock:
        seen = through(moment.family, x)
    items, recon = (space.flat(points, float(x.abs().max())) for points in (seen.x, seen.recon))
    return scatter(items, recon, space.EXTENT, side, names=("input", "reconstruction"), colour=palette.DECODER)
