"""Frames of image generators: the wall at fixed codes, D's view of it, and that looking changes nothing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_wall import Made

from playground.config import ConfigError
from playground.diagnostics import features
from playground.engine import samples
from playground.engine.frames import Painter, decode
from playground.engine.mapped import SIZE
from playground.engine.painters import painter
from playground.engine.samples import Samples, classes_in_rows, rowwise, with_category
from playground.engine.wall import Wall
from playground.experiment import Experiment
from playground.families import family
from playground.families.base import Code
from playground.rng import Streams

EVERYTHING = frozenset(Samples.layers)
TINY = {"g_depth": 1, "g_width": 16, "d_depth": 1, "d_width": 16, "noise_dim": 5, "batch": 16}


def loop_on(data=None, seed=0, **values):
    """What a painter sees of a loop of a small GAN."""
    data = data or Experiment(dataset="digits", family="gan").data
    kind = family("gan")
    config = kind.Settings(**{**TINY, **values})
    model = kind(config, data, Streams(seed))
    experiment = SimpleNamespace(seed=seed, model=config)
    return SimpleNamespace(data=data, family=model, step=0, device=torch.device("cpu"), experiment=experiment)


def learn(loop, steps=3):
    rng = Streams(7)
    for _ in range(steps):
        loop.family.step(loop.family.take(loop.family.rows, loop.step * loop.family.rows, rng), rng)
        loop.step += 1


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """Start without a trained classifier."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))


def drawn(loop_or_pictures, layers=EVERYTHING, turn=None, **about):
    pictures = loop_or_pictures if hasattr(loop_or_pictures, "frame") else painter(loop_or_pictures)
    return decode(pictures.frame(frozenset(layers), about, turn))


# -- what is in a frame -----------------------------------------------------------------------------------------------


def test_the_wall_of_digits():
    loop = loop_on()
    arrays, meta = drawn(loop)
    assert {name: (a.dtype.name, a.shape) for name, a in arrays.items()} == {
        "fake": ("uint8", (64, 8, 8)), "real": ("uint8", (64, 8, 8)), "scores": ("float32", (2, 64))
    }  # fmt: skip
    assert (meta["kind"], meta["shape"], meta["rows"], meta["critic"]) == ("images", [1, 8, 8], 8, False)
    assert meta["classes"] == [str(i) for i in range(10)]
    assert meta["layers"] == ["fake", "real", "scores"]
    assert meta["codes"] == []
    assert meta["counts"] is meta["labels"] is meta["row_names"] is None
    held = loop.data.held_out(64, 0).x
    assert np.array_equal(arrays["real"], (held[:, 0] * 255).round().numpy())


def test_scores_are_what_d_says():
    for loss, read in (("non-saturating", torch.sigmoid), ("wasserstein-clip", lambda d: d)):
        loop = loop_on(loss=loss)
        pictures = painter(loop)
        arrays, meta = drawn(pictures)
        assert meta["critic"] is (loss == "wasserstein-clip")
        expected = [read(loop.family.discriminate(x)) for x in (loop.family.generate(pictures.z), pictures.real)]
        assert np.allclose(arrays["scores"], torch.stack(expected).detach().numpy(), atol=1e-6)


def test_the_codes_stay_while_the_generator_moves():
    loop = loop_on()
    pictures = painter(loop)
    z, first = pictures.z.clone(), drawn(pictures)[0]
    learn(loop)
    later = drawn(pictures)[0]
    assert torch.equal(z, pictures.z)
    assert np.array_equal(first["real"], later["real"])
    assert not np.array_equal(first["fake"], later["fake"])
    assert not np.array_equal(first["scores"], later["scores"])
    assert torch.equal(painter(loop_on()).z, z)  # another session, the same wall
    assert not torch.equal(painter(loop_on(seed=1)).z, z)


def test_only_what_is_asked_for_is_drawn():
    assert set(drawn(loop_on(), {"fake"})[0]) == {"fake"}
    assert set(drawn(loop_on(), {"surface"})[0]) == set()


def test_shares_of_the_classes_come_with_the_last_score():
    scores = {f"class/{i}": i / 45 for i in range(10)}
    counts = drawn(loop_on(), scores=scores)[1]["counts"]
    assert counts["fake"] == [i / 45 for i in range(10)]
    assert counts["data"] == pytest.approx([0.1] * 10, abs=0.02)
    assert sum(counts["data"]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("sides", [(3, 32, 32), (1, 64, 64), (3, 64, 64)])
def test_colours_and_large_images_fit_into_a_frame(sides):
    loop = loop_on(Made(sides=sides))
    blob = painter(loop).frame(EVERYTHING, {})
    assert len(blob) < SIZE - 32_768  # what a run says beside its pictures needs room too
    arrays, _ = decode(blob)
    assert len(arrays["real"]) == 64  # of 50 held out: the first come again
    assert np.array_equal(arrays["real"][50:], arrays["real"][:14])


def test_a_model_that_went_wrong_is_still_drawn():
    loop = loop_on()
    loop.family.load({n: v * torch.nan if v.is_floating_point() else v for n, v in loop.family.state().items()})
    pictures = painter(loop)
    arrays, _ = drawn(pictures)
    assert np.isfinite(arrays["scores"]).all()
    assert pictures.pick(0)["d"] is not None


def test_painters_by_ability_and_kind_of_data():
    assert isinstance(painter(loop_on()), Samples)
    assert isinstance(painter(loop_on(Experiment(dataset="ring8").data)), Painter)
    vae = Experiment.of("vae")
    model = family("vae")(vae.model, vae.data, Streams(0))
    loop = SimpleNamespace(data=vae.data, family=model, step=0, device=torch.device("cpu"), experiment=vae)
    assert isinstance(painter(loop), Wall)


def test_the_classifier_names_samples_once_it_is_there(monkeypatch):
    loop = loop_on()
    pictures = painter(loop)
    assert drawn(pictures)[1]["labels"] is None
    assert pictures.pick(3)["class"] is None
    space = SimpleNamespace(classify=lambda x: torch.eye(10)[torch.arange(len(x)) % 7])
    monkeypatch.setattr(features, "ready", lambda data: True)
    monkeypatch.setattr(features, "features", lambda data, device: space)
    assert drawn(pictures)[1]["labels"] == [i % 7 for i in range(64)]
    assert pictures.pick(12)["class"] == "5"


# -- rows of a category -----------------------------------------------------------------------------------------------


def test_rows_show_the_classes_in_turn():
    for k in range(2, 11):
        classes = classes_in_rows(Code("class", "category", 0, k)).reshape(-1, 8)
        assert 8 <= len(classes) <= 10
        assert (classes == classes[:, :1]).all()
        assert classes[:, 0].tolist() == [r % k for r in range(len(classes))]
    assert set(classes_in_rows(Code("class", "category", 0, 47))) == set(range(47))


def test_given_classes_come_before_found_ones():
    noise, found = Code("noise", "noise", 0, 4), Code("code 1", "category", 4, 3)
    given = Code("class", "category", 7, 2, ("cat", "dog"), given=True)
    assert rowwise([noise, found, given]) == given
    assert rowwise([noise, found]) == found
    assert rowwise([noise]) is rowwise([]) is None
    assert samples.choice(given, 1) == "dog"
    assert samples.choice(found, 1) == "code 1 2"


def test_a_wall_with_classes(monkeypatch):
    loop = loop_on(noise_dim=12)
    parts = [Code("class", "category", 0, 10, loop.data.classes, True), Code("noise", "noise", 10, 2)]
    monkeypatch.setattr(loop.family, "codes", lambda: parts)
    pictures = painter(loop)
    arrays, meta = drawn(pictures)
    assert (len(arrays["fake"]), meta["rows"], meta["row_names"]) == (80, 10, list(loop.data.classes))
    assert meta["codes"][0] == {
        "name": "class", "kind": "category", "start": 0, "size": 10, "choices": list(loop.data.classes), "given": True
    }  # fmt: skip
    assert pictures.z[:, :10].argmax(1).tolist() == [i // 8 for i in range(80)]
    assert torch.equal(pictures.z[:, :10].sum(1), torch.ones(80))
    assert pictures.pick(35)["class"] == "4"
    same = with_category(pictures.z, parts[0], np.zeros(80, np.int64))
    assert torch.equal(same[:, 10:], pictures.z[:, 10:])


# -- what is behind a sample ------------------------------------------------------------------------------------------


def test_what_is_picked_is_on_the_wall():
    loop = loop_on()
    pictures = painter(loop)
    arrays, _ = drawn(pictures)
    told = pictures.pick(63)
    assert np.abs(np.array(told["x"], float) - arrays["fake"][63]).max() <= 1
    assert told["d"] == pytest.approx(arrays["scores"][0, 63], abs=1e-4)
    assert (told["i"], told["class"], len(told["z"])) == (63, None, 5)
    again = pictures.decode(code=told["z"])
    assert np.abs(np.array(again["x"], float) - told["x"]).max() <= 1
    assert again["d"] == pytest.approx(told["d"], abs=1e-3)


def test_what_is_not_there_is_one_sentence():
    pictures = painter(loop_on())
    with pytest.raises(ConfigError, match="samples 0 to 63"):
        pictures.pick(64)
    for wish in ({}, {"at": [0, 0]}, {"code": [1.0]}, {"code": [float("nan")] * 5}):
        with pytest.raises(ConfigError, match="5 finite numbers"):
            pictures.decode(**wish)


# -- nothing changes --------------------------------------------------------------------------------------------------


def test_watching_changes_nothing():
    plain, watched = loop_on(), loop_on()
    pictures = painter(watched)
    before = torch.get_rng_state()
    for turn in range(10):
        learn(plain, 2)
        learn(watched, 2)
        drawn(pictures, turn=turn)
        pictures.pick(turn)
    assert torch.equal(before, torch.get_rng_state())
    a, b = plain.family.state(), watched.family.state()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_in_turns_a_dear_wall_is_made_anew_a_slice_at_a_time():
    loop = loop_on()
    pictures = painter(loop)
    first = drawn(pictures)[0]
    learn(loop)
    pictures._cost = 3.5 * samples.DEAR
    part = drawn(pictures, turn=2)[0]
    moved = (part["fake"] != first["fake"]).reshape(64, -1).any(1)
    assert moved[32:48].all()
    assert not moved[:32].any()
    assert not moved[48:].any()
    assert (part["scores"] != first["scores"])[:, 32:48].all()
    assert np.array_equal(part["scores"][:, :32], first["scores"][:, :32])
    whole = drawn(pictures)[0]
    assert (whole["fake"] != first["fake"]).reshape(64, -1).any(1).all()
