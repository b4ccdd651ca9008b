"""Pictures to take along: what is written is read again, and its frames, sizes, times and pixels are looked at."""

from __future__ import annotations

import io
import os
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from playground import film
from playground.config import ConfigError
from playground.engine.loop import Loop
from playground.engine.samples import wall_codes
from playground.experiment import Experiment
from playground.figures import palette
from playground.latent import moments
from playground.latent.walks import walk
from playground.store import RunFolder, StoreError

TINY = {"g_depth": 1, "g_width": 16, "d_depth": 1, "d_width": 16, "noise_dim": 6, "batch": 16}


def experiment(family="gan", dataset="digits", **values):
    plain = Experiment.of(family).on(dataset).changed(device="cpu", seed=2, score_every=100_000, keyframe_every=10)
    return plain.changed(**({**TINY, **values} if family == "gan" else values))


def trained(root, what, steps=30):
    folder = RunFolder.create(root, what)
    Loop(what, folder).advance(steps)
    folder.release()
    return folder


def read(blob):
    """Return the format, the frames as arrays and their milliseconds of a file."""
    image = Image.open(io.BytesIO(blob))
    frames, times = [], []
    for i in range(getattr(image, "n_frames", 1)):
        image.seek(i)
        image.load()
        frames.append(np.asarray(image.convert("RGB")))
        times.append(image.info.get("duration"))
    return image.format, frames, times


def noise(n=5, colours=1, seed=0):
    return np.random.default_rng(seed).random((n, colours, 8, 8)).astype(np.float32)


# -- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colours", [1, 3])
def test_a_sheet_keeps_its_pixels(colours):
    items = noise(6, colours)
    whole = np.asarray(film.sheet(items, 3, side=260))
    assert whole.shape == (17 * 10, 26 * 10, 3)
    small = whole[5::10, 5::10]
    assert np.array_equal(np.repeat(np.repeat(small, 10, 0), 10, 1), whole)
    for i, item in enumerate(items):
        top, left = i // 3 * 9, i % 3 * 9
        shown = np.rint(np.broadcast_to(item, (3, 8, 8)) * 255).astype(np.uint8)
        assert np.array_equal(small[top : top + 8, left : left + 8], np.moveaxis(shown, 0, -1))
    assert (small[8] == 255).all()


def test_a_png_is_read_as_it_was():
    image = film.sheet(noise(), 5)
    kind, frames, _ = read(film.png(image))
    assert kind == "PNG"
    assert np.array_equal(frames[0], np.asarray(image))
    told = read(film.png(image, "step 1,200"))[1][0]
    assert told.shape == (image.height + film.STRIP, image.width, 3)
    assert np.array_equal(told[: image.height], np.asarray(image))
    assert (told[image.height :] < 128).any()


def test_long_captions_are_set_smaller():
    image = film.sheet(noise(1), 1, side=96)
    for text in ("step 1", "step 1,200,000"):
        strip = np.asarray(film.captioned(image, text))[image.height :]
        assert (strip < 160).any()
        assert (strip[:, :2] == 255).all()
        assert (strip[:, -2:] == 255).all()


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_films_are_read_as_they_were(kind, colours):
    images = [film.sheet(noise(4, colours, seed), 2) for seed in range(4)]
    form, frames, times = read(film.film(kind, images, 70, [f"step {i}" for i in range(4)], last=900))
    assert (form, len(frames)) == (kind.upper(), 4)
    assert times == [70, 70, 70, 900]
    for image, frame in zip(images, frames, strict=True):
        off = np.abs(frame[: image.height].astype(int) - np.asarray(image))
        assert off.max() <= (0 if kind == "webp" or colours == 1 else 40)


def test_a_film_goes_round_and_one_that_stands_still_lasts_as_long():
    image = film.sheet(noise(), 5)
    other = film.sheet(noise(seed=1), 5)
    for kind in ("gif", "webp"):
        blob = film.film(kind, [image, image, other], 100)
        assert Image.open(io.BytesIO(blob)).info["loop"] == 0
        assert sum(read(blob)[2]) == 300


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)


def test_an_mp4_plays_each_frame_for_its_time_and_holds_the_last(tmp_path, ffmpeg):
    colours = [(200, 30, 30), (30, 160, 30), (30, 30, 200)]
    made = film.mp4([Image.new("RGB", (101, 65), colour) for colour in colours], ms=200, last=1000)
    (tmp_path / "film.mp4").write_bytes(made)
    assert made.index(b"moov") < made.index(b"mdat")  # plays before it is whole
    read = subprocess.run(
        ["ffmpeg", "-i", str(tmp_path / "film.mp4"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert b"yuv420p" in read.stderr
    assert b"102x66" in read.stderr  # even, as most players want it
    assert b"Duration: 00:00:01.40" in read.stderr
    pictures = np.frombuffer(read.stdout, np.uint8).reshape(-1, 66, 102, 3)
    assert len(pictures) == 7
    seen = [picture[20:40, 20:60].mean((0, 1)) for picture in pictures]
    assert np.abs(np.array(seen) - np.array([colours[min(i, 2)] for i in range(len(seen))])).max() < 12


def test_an_mp4_without_ffmpeg_or_with_a_bad_one_is_one_sentence(tmp_path, monkeypatch):
    frames = [Image.new("RGB", (8, 8))]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert film.ffmpeg() is None
    with pytest.raises(ConfigError, match="ffmpeg, which this machine lacks"):
        film.mp4(frames)
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\necho it broke >&2\nexit 3\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    with pytest.raises(ConfigError, match=r"could not make the film \(it broke\)"):
        film.mp4(frames)


def test_a_film_of_nothing_is_one_sentence():
    for kind in ("gif", "webp"):
        with pytest.raises(ConfigError, match="nothing to make a film of"):
            film.film(kind, [])


def test_points_are_drawn_where_they_are():
    square = [[0.5, 0.5], [-0.5, -0.5]]
    whole = np.asarray(film.scatter(square[:1], square[1:], 1.0, side=200))
    assert tuple(whole[50, 150]) == palette.rgb(palette.REAL)
    assert tuple(whole[150, 50]) == palette.rgb(palette.FAKE)
    assert tuple(whole[100, 100]) == (255, 255, 255)
    film.scatter([[np.nan, 1], [9, 9]], [[np.inf, 0]], 1.0)  # beside the view, or nowhere


# -- films of runs ----------------------------------------------------------------------------------------------------


def test_training_of_an_image_gan_is_its_wall_at_each_saved_moment(tmp_path):
    folder = trained(tmp_path, experiment())
    stills = list(film.training(folder))
    assert [s.caption for s in stills] == [f"step {step}" for step in (0, 10, 20, 30)]
    assert [(s.done, s.all) for s in stills] == [(i, 4) for i in (1, 2, 3, 4)]
    last = moments.saved(folder)
    expected = film.sheet(last.decode(wall_codes(last.family, 2)), 8)
    assert np.array_equal(np.asarray(stills[-1].image), np.asarray(expected))
    blob = film.gif([s.image for s in stills], captions=[s.caption for s in stills], last=film.HELD)
    form, frames, times = read(blob)
    assert (form, len(frames), times[-1]) == ("GIF", 4, 1500)
    assert frames[0].shape[:2] == (expected.height + film.STRIP, expected.width)
    assert [s.caption for s in film.training(folder, most=2)] == ["step 0", "step 30"]
    own = next(iter(film.training(folder, np.zeros((3, 6)))))
    assert own.image.height < expected.height


@pytest.mark.parametrize(
    ("family", "dataset"),
    [
        ("gan", "ring8"),
        ("vae", "digits"),
        ("autoencoder", "digits"),
        ("autoencoder", "sines"),
        ("autoencoder", "swiss-roll-3d"),
    ],
)
def test_every_kind_of_run_has_a_film(tmp_path, family, dataset):
    folder = trained(tmp_path, experiment(family, dataset), 10)
    first, last = (s.image for s in film.training(folder))
    assert first.size == last.size
    assert not np.array_equal(np.asarray(first), np.asarray(last))
    blob = film.webp([first, last], captions=["step 0", "step 10"])
    assert len(read(blob)[1]) == 2


def test_a_film_of_a_plane_has_both_clouds(tmp_path):
    folder = trained(tmp_path, experiment(dataset="ring8"), 10)
    shown = np.asarray(film.picture(moments.saved(folder)))
    for colour in (palette.REAL, palette.FAKE):
        assert (shown == palette.rgb(colour)).all(2).sum() > 1000


def test_a_walk_has_a_frame_a_code():
    moment = moments.untrained(experiment())
    codes = walk(np.random.default_rng(0).normal(size=(3, 6)), 12, closed=True)
    frames = list(film.walk(moment, codes))
    assert len(frames) == 12
    assert np.array_equal(np.asarray(frames[5]), np.asarray(film.sheet(moment.decode(codes[5:6]), 1)))
    four = list(film.walk(moment, np.repeat(codes[:, None], 4, 1)))
    assert four[0].size == film.sheet(noise(4), 2).size


def test_what_cannot_be_shown_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    with pytest.raises(StoreError, match="no run"):
        next(iter(film.training("digits-00000000")))
    with pytest.raises(ConfigError, match="no plane"):
        film.picture(moments.untrained(Experiment().on("dirac").changed(device="cpu")))
    with pytest.raises(ConfigError, match="no prior"):
        film.samples(moments.untrained(experiment("autoencoder")))
    assert film.samples(moments.untrained(experiment("vae")), 9, columns=3).width > 400
