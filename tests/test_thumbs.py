"""Thumbnails of runs: what the run made last, made once a moment; none where there is no picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from playground import thumbs
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.store import RunFolder

SMALL = {"g_depth": 1, "d_depth": 1, "g_width": 8, "d_width": 8, "batch": 8}


def trained(root, experiment):
    folder = RunFolder.create(root, experiment)
    loop = Loop(experiment, folder)
    loop.advance(2)
    loop.keyframe()
    return folder, loop


@pytest.mark.parametrize("experiment", [
    Experiment.of("gan").changed(**SMALL),
    Experiment.of("gan").on("digits").changed(**SMALL),
    Experiment.of("vae").changed(width1=16, layers=1),
    Experiment.of("autoencoder").on("sines").changed(width1=16, layers=1),
    Experiment.of("autoencoder").on("swiss-roll-3d").changed(width1=16, layers=1),
], ids=["points", "images", "codes", "sequences", "cloud"])  # fmt: skip
def test_a_thumbnail_shows_what_the_run_made_and_is_kept(tmp_path, experiment):
    folder, _ = trained(tmp_path, experiment.changed(device="cpu"))
    assert thumbs.kept(folder) is None
    blob = thumbs.made(folder)
    picture = np.asarray(Image.open(io.BytesIO(blob)).convert("RGBA"))
    assert picture.shape == (thumbs.SIDE, thumbs.SIDE, 4)
    assert picture.std() > 0
    assert thumbs.kept(folder) == blob == thumbs.made(folder)


def test_a_later_moment_has_another_picture(tmp_path):
    folder, loop = trained(tmp_path, Experiment(device="cpu").changed(**SMALL))
    first = thumbs.made(folder)
    loop.advance(300)
    loop.keyframe()
    assert thumbs.kept(folder) is None
    assert thumbs.made(folder) != first


def test_what_has_no_picture_or_cannot_be_read_has_none(tmp_path):
    folder, _ = trained(tmp_path, Experiment(dataset="dirac", device="cpu").changed(**SMALL))
    assert thumbs.made(folder) is None
    empty = RunFolder.create(tmp_path, Experiment())
    assert thumbs.made(empty) is None
    damaged, _ = trained(tmp_path, Experiment(device="cpu").changed(**SMALL))
    (damaged.path / thumbs.FILE).write_bytes(b"torn")
    assert thumbs.kept(damaged) is None
    assert thumbs.made(damaged)
