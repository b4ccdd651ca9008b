"""Frames of models that code: what is in them, that nothing jumps, and that looking changes nothing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from playground.config import ConfigError
from playground.data.base import Items, Table
from playground.engine.frames import Painter, decode
from playground.engine.items import packed, shrunk, unpacked
from playground.engine.loop import Loop
from playground.engine.mapped import SIZE
from playground.engine.painters import painter
from playground.engine.wall import Wall, every_class, histogram
from playground.experiment import Experiment
from playground.families import family
from playground.latent.baseline import baseline
from playground.latent.moving import MovingMap
from playground.latent.pca import Pca
from playground.rng import Streams

EVERYTHING = frozenset(Wall.layers)


class Made(Table):
    """Items of any shape, made up."""

    id, title, about = "made", "Made up", "Noise."
    sides: tuple[int, ...] = (3, 64, 64)
    sort: str = "images"
    named: bool = True

    @property
    def kind(self):
        return self.sort

    @property
    def shape(self):
        return self.sides

    @property
    def classes(self):
        return ("a", "b") if self.named else ()

    def load(self):
        g = torch.Generator().manual_seed(0)
        train, held = (torch.rand(n, *self.sides, generator=g) for n in (60, 50))
        labels = [torch.arange(n) % 2 if self.named else None for n in (60, 50)]
        return Items(train, labels[0]), Items(held, labels[1])


def loop_on(data, name="autoencoder", **values):
    """What a painter sees of a loop, on any data."""
    kind = family(name)
    config = kind.Settings(**values)
    model = kind(config, data, Streams(0))
    return SimpleNamespace(
        data=data, family=model, step=0, device=torch.device("cpu"), experiment=SimpleNamespace(seed=0, model=config)
    )


def small(name="autoencoder", **values):
    """A loop over small digits."""
    return Loop(Experiment.of(name).changed(**{"device": "cpu", "seed": 5, "batch": 32, **values}))


def drawn(loop, layers=EVERYTHING, turn=None):
    return decode(painter(loop).frame(layers, {}, turn))


# -- what is in a frame -----------------------------------------------------------------------------------------------


def test_the_wall_of_digits():
    arrays, meta = drawn(small(codings=2, corruption="gaussian"))
    rows = {name: arrays[name] for name in ("inputs", "corrupted", "recon", "pca", "residual")}
    assert all((a.shape, a.dtype) == ((10, 8, 8), np.uint8) for a in rows.values())
    assert (arrays["codes"].shape, arrays["codes"].dtype) == ((450, 2), np.int16)
    assert (arrays["classes"].shape, arrays["classes"].dtype) == ((450,), np.uint8)
    assert arrays["filters"].shape == (36, 8, 8)
    assert arrays["acts"].shape == (len(meta["acts"]), 24)
    np.testing.assert_allclose(arrays["acts"].sum(1), 1, rtol=1e-5)
    assert "samples" not in arrays
    assert meta["kind"] == "images"
    assert meta["shape"] == [1, 8, 8]
    assert [column["class"] for column in meta["columns"]] == list("0123456789")
    assert meta["map"] == {"dim": 2, "projection": "raw", "explained": 1.0}
    assert meta["kl"] is None
    assert set(meta["layers"]) == set(arrays)
    assert {"name", "units", "dead", "always", "low", "high"} == set(meta["acts"][0])


def test_the_wall_of_a_vae_has_samples_and_kl():
    arrays, meta = drawn(small("vae", codings=5))
    assert arrays["samples"].shape == (20, 8, 8)
    assert len(meta["kl"]) == 5
    assert all(value >= 0 for value in meta["kl"])
    assert meta["map"]["projection"] == "pca"
    assert 0 < meta["map"]["explained"] <= 1


def test_errors_and_differences_are_those_of_the_pictures():
    arrays, meta = drawn(small(codings=8))
    x, recon = arrays["inputs"] / 255.0, arrays["recon"] / 255.0
    inside = (arrays["recon"] > 0) & (arrays["recon"] < 255)  # the others are cut off to be shown
    shown = (arrays["residual"].astype(float) - 128) / 127
    np.testing.assert_allclose(shown[inside], (recon - x)[inside], atol=0.01)
    assert "corrupted" not in arrays
    assert all(column["pca"] < column["error"] for column in meta["columns"])  # it has not learned yet


def test_only_what_is_asked_for_is_drawn():
    arrays, meta = drawn(small(), frozenset(["recon", "classes"]))
    assert set(arrays) == {"recon", "classes"}
    assert meta["columns"][0]["pca"] is None
    assert meta["map"] is None


def test_there_are_as_many_samples_whatever_else_is_drawn():
    loop = small("vae")
    assert len(drawn(loop, frozenset(["samples"]))[0]["samples"]) == len(drawn(loop)[0]["samples"]) == 20


def test_sequences_and_clouds_are_numbers():
    series = Made(sides=(30, 2), sort="sequences", named=False)
    arrays, meta = drawn(loop_on(series))
    assert (arrays["inputs"].shape, arrays["inputs"].dtype) == ((10, 30, 2), np.float32)
    np.testing.assert_allclose(arrays["residual"], arrays["recon"] - arrays["inputs"], atol=1e-6)
    assert (arrays["classes"] == 255).all()
    assert "filters" not in arrays
    cloud = Made(sides=(3,), sort="cloud")
    arrays, meta = drawn(loop_on(cloud))
    assert arrays["recon"].shape == (50, 3)
    assert meta["columns"] == []


def test_colours_and_large_images_fit_into_a_frame():
    loop = loop_on(Made(), "vae", codings=3)
    blob = painter(loop).frame(EVERYTHING, {})
    arrays = decode(blob)[0]
    assert arrays["inputs"].shape == (10, 32, 32, 3)
    assert arrays["filters"].shape[1:] == (32, 32, 3)
    assert 4 <= len(arrays["samples"]) < 20
    assert len(blob) < SIZE - 16_384  # what a run says beside its pictures needs room too
    picked = painter(loop).pick(0)
    assert np.shape(picked["x"]) == (64, 64, 3)


def test_the_columns_show_every_class_in_turn():
    labels = torch.tensor([2, 2, 0, 2, 0, 1, 1])
    assert every_class(labels, 7, 5).tolist() == [2, 5, 0, 4, 6]
    assert every_class(None, 7, 5).tolist() == [0, 1, 2, 3, 4]


def test_a_layer_that_says_always_the_same_is_dead():
    about, shares = histogram("x", torch.cat([torch.zeros(8, 3), torch.rand(8, 1) + 1], 1))
    assert (about["dead"], about["always"], about["low"]) == (0.75, 0.25, 0.0)
    assert shares[0] == 0.75


def test_a_model_that_went_wrong_is_still_drawn():
    loop = small("vae", codings=3)
    loop.family.load({n: v * torch.nan if v.is_floating_point() else v for n, v in loop.family.state().items()})
    arrays, meta = drawn(loop)
    assert meta["columns"][0]["error"] is None
    assert not arrays["codes"].any()


# -- nothing jumps, nothing changes -----------------------------------------------------------------------------------


def test_watching_changes_nothing():
    plain, watched = small("vae", codings=4), small("vae", codings=4)
    pictures = painter(watched)
    before = torch.get_rng_state()
    for turn in range(20):
        plain.advance(3)
        watched.advance(3)
        pictures.frame(EVERYTHING, {}, turn)
        pictures.pick(turn)
        pictures.decode(at=[0.0, 0.1])
    assert torch.equal(before, torch.get_rng_state())
    a, b = plain.tensors(), watched.tensors()
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_moment_always_looks_the_same():
    loop = small("vae", codings=4, seed=9)
    loop.advance(10)
    assert painter(loop).frame(EVERYTHING, {}) == painter(loop).frame(EVERYTHING, {})


def test_in_turns_a_slice_of_the_codes_is_made_anew():
    loop = small(codings=2)
    pictures = painter(loop)
    first = decode(pictures.frame(EVERYTHING, {}))[0]["codes"]
    loop.advance(30)
    extent = pictures._map.extent
    pictures.frame(EVERYTHING, {}, 3)
    moved = np.abs(pictures._map.map.points / extent - first / 32767).max(1) > 1e-3
    assert moved[450 * 3 // 8 : 450 * 4 // 8].mean() > 0.9
    assert not moved[: 450 * 3 // 8].any()
    assert not moved[450 * 4 // 8 :].any()


def clouds(n=400):
    rng = np.random.default_rng(0)
    return (rng.normal(size=(n, 6)) * [3, 2.9, 1, 0.5, 0.2, 0.1]).astype(np.float32)


def test_the_map_neither_flips_nor_leaps():
    codes, moving = clouds(), MovingMap()
    before = moving.look(codes).points
    for turn in range(60):  # variances cross, and the encoder turns its codes over now and then
        scale = np.array([1 - turn / 90, 1, 1 + turn / 15, 1, 1, 1], np.float32)
        sign = -1 if turn % 3 == 0 else 1
        after = moving.look(codes * scale * sign).points
        assert np.linalg.norm(after - before, axis=1).mean() < 0.35 * after.std()
        before = after
    assert np.abs(moving.map.basis[[1, 2]]).max() > 0.9  # it has come to the directions that are now the widest
    assert moving.map.explained > 0.8


def test_the_view_grows_and_shrinks_a_little_at_a_time():
    codes, moving = clouds(), MovingMap()
    moving.look(codes)
    first = moving.extent
    for scale in (100, 100, 0.01, 0.01):
        before = moving.extent
        moving.look(codes * np.float32(scale))
        assert 0.95 <= moving.extent / before <= 1.2 + 1e-9
    moving.look(codes, anew=True)
    assert moving.extent == pytest.approx(first)


def test_codes_that_collapse_and_come_back():
    codes, moving = clouds(), MovingMap()
    moving.look(codes)
    assert not moving.look(codes * 0).points.any()
    again = moving.look(codes)
    assert np.isfinite(again.points).all()
    assert again.points.std() > 1


# -- what is behind one thing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("codings", [1, 2, 6])
def test_what_is_picked_lies_where_the_frame_has_it(codings):
    loop = small(codings=codings)
    loop.advance(20)
    pictures = painter(loop)
    arrays, meta = decode(pictures.frame(EVERYTHING, {}))
    picked = pictures.pick(17)
    assert picked["class"] == meta["classes"][arrays["classes"][17]]
    assert len(picked["code"]) == codings
    point = arrays["codes"][17] / 32767 * meta["map_extent"]
    there = pictures.decode(at=point.tolist())
    if codings <= 2:
        np.testing.assert_allclose(there["code"], picked["code"], atol=2e-3)
        assert np.abs(np.array(there["x"], float) - picked["recon"]).max() < 3
    again = pictures.decode(code=picked["code"])
    assert np.abs(np.array(again["x"], float) - picked["recon"]).max() <= 1


def test_a_place_can_be_decoded_before_the_map_was_drawn():
    assert len(painter(small(codings=3)).decode(at=[0, 0])["code"]) == 3


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({}, "either"),
        ({"at": [0, 0], "code": [0, 0]}, "either"),
        ({"at": [0, 0, 0]}, "2 finite numbers"),
        ({"code": [0.0]}, "3 finite numbers"),
        ({"code": [0.0, 1, float("nan")]}, "3 finite numbers"),
    ],
)
def test_what_cannot_be_decoded_is_one_sentence(wish, sentence):
    with pytest.raises(ConfigError, match=sentence):
        painter(small(codings=3)).decode(**wish)


def test_there_is_no_point_beyond_the_last():
    with pytest.raises(ConfigError, match="points 0 to 449"):
        painter(small()).pick(450)


def test_a_generator_has_no_codes_to_decode():
    pictures = painter(Loop(Experiment(device="cpu")))
    assert isinstance(pictures, Painter)
    with pytest.raises(ValueError, match="does not decode"):
        pictures.decode(at=[0, 0])


# -- items in and out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sides", [(1, 5, 4), (3, 5, 4)])
def test_images_come_back_as_they_went(sides):
    data = Made(sides=sides)
    x = torch.randint(0, 256, (3, *sides), generator=torch.Generator().manual_seed(1)) / 255
    there = packed(x, "images")
    assert there.shape == ((3, 5, 4) if sides[0] == 1 else (3, 5, 4, 3))
    np.testing.assert_allclose(unpacked(there.tolist(), data, 9), x, atol=1e-6)


def test_large_items_are_averaged_down():
    x = torch.rand(2, 3, 70, 50)
    assert shrunk(x, "images").shape == (2, 3, 35, 25)
    np.testing.assert_allclose(shrunk(x, "images")[0, 0, 0, 0], x[0, 0, :2, :2].mean(), rtol=1e-5)
    assert shrunk(torch.rand(2, 5000, 1), "sequences").shape == (2, 2500, 1)
    assert shrunk(x[:, :1, :28, :28], "images") is not None
    assert torch.equal(shrunk(x[:, :1, :28, :28], "images"), x[:, :1, :28, :28])


# -- what PCA makes of it ---------------------------------------------------------------------------------------------


def test_the_baseline_is_pca_of_the_training_items():
    data = Experiment.of("autoencoder").data
    held = data.held_out(100, 0).x
    for codings in (2, 8):
        ours, exact = baseline(data, codings, torch.device("cpu")), Pca.fit(data.load()[0].x, codings)
        assert ours.components.shape == (codings, 64)
        np.testing.assert_allclose(ours.decode(ours.encode(held)), exact.decode(exact.encode(held)), atol=1e-4)
    wide = baseline(Made(), 40, torch.device("cpu"))
    assert wide.components.shape == (40, 12288)
