"""What `export` writes: a run's samples, a walk through them or its training as a picture or an animation, its networks
as safetensors or ONNX, its numbers as CSV, Parquet or TensorBoard events: the file's name decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from playground import exports, film
from playground.config import ConfigError
from playground.latent import moments
from playground.latent.coded import sampled
from playground.latent.moments import Moment
from playground.latent.walks import natural, walk
from playground.store import RunFolder, tables

STOPS, WALKERS, STEPS = 5, 9, 90  # of a walk: samples it leads through, walks side by side, frames
SHOWN = 10  # steps of each walk in a still picture


# Each kind of file that is not a picture: what makes its content of a run and a step.
FILES: dict[str, Callable[[RunFolder, int | None], bytes]] = {
    "safetensors": exports.weights,
    "onnx.zip": exports.packed,
    **{kind: lambda run, _, kind=kind: tables.numbers(run, kind) for kind in tables.NUMBERS},  # type: ignore[misc]
}


def export(run: RunFolder, what: str, out: Path, *, kind: str | None, step: int | None, seed: int) -> dict[str, Any]:
    """Write a file and say what it holds; raises `ConfigError` in one sentence."""
    form = kind or next((form for form in (*film.FORMATS, *FILES) if out.name.lower().endswith(f".{form}")), "")
    if form in FILES:
        blob, frames = FILES[form](run, step), 0
    elif form in film.FORMATS:
        pictures, captions = stills(run, what, form, step, seed)
        last = film.HELD if what == "training" else None
        blob, frames = film.film(form, pictures, captions=captions, last=last), len(pictures)
    else:
        kinds = ", .".join((*film.FORMATS, *FILES))
        raise ConfigError(f"{out.name} does not say what to write: end it in .{kinds}, or give --format.")
    try:
        out.write_bytes(blob)
    except OSError as error:
        raise ConfigError(f"Cannot write {out}: {error.strerror}.") from None
    return {"file": str(out), "format": form, "frames": frames, "bytes": len(blob)}


def stills(run: RunFolder, what: str, form: str, step: int | None, seed: int) -> tuple[list[Image.Image], list[str]]:
    """Return the frames to write, and a caption for each."""
    if what == "training":
        told = list(film.training(run))
        return [still.image for still in told], [still.caption for still in told]
    moment = moments.saved(run, step)
    caption = f"step {moment.step:,}"
    if what == "samples":
        return [film.samples(moment, seed=seed)], [caption]
    frames = [whole_walk(moment, seed)] if form == "png" else list(walking(moment, seed))
    return frames, [caption] * len(frames)


def walking(moment: Moment, seed: int) -> Iterator[Image.Image]:
    """Give the frames of walks side by side, each through samples of its own and back to its first."""
    return film.walk(moment, np.stack([way(moment, seed + i, STEPS, closed=True) for i in range(WALKERS)], 1))


def whole_walk(moment: Moment, seed: int) -> Image.Image:
    """Return walks as rows of a still picture, each between two samples."""
    codes = np.concatenate([way(moment, seed + i, SHOWN, closed=False) for i in range(WALKERS)])
    return film.sheet(moment.decode(codes), SHOWN, moment.experiment.data.kind)


def way(moment: Moment, seed: int, n: int, *, closed: bool) -> np.ndarray:
    """Return the codes of a walk (n, Z)."""
    if moment.experiment.data.kind == "points":
        raise ConfigError("A walk is shown in items, and this run makes points: export its samples or its training.")
    with moment.lock:
        stops = sampled(moment.family, STOPS if closed else 2, seed).codes
    return walk(stops, n, moment.family.codes(), natural(moment.family), closed=closed)
