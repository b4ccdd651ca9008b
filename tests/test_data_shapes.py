"""Shapes: factors are exact (a picture drawn another way from them is the same), endless, and the same everywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from playground.config import ConfigError, build
from playground.data.shapes import STARS, Shapes, hashed, star_distance
from playground.experiment import Experiment
from playground.rng import Streams

ALL = Shapes(sparkle=True)
FINE = 8  # places a pixel's side


def outline(star: tuple[int, float], size: float, angle: float, x: float, y: float) -> np.ndarray:
    """Corners and notches of a star, by the law of sines in a half sector."""
    points, sharpness = star
    notch = size * math.sin(math.pi / sharpness - math.pi / points) / math.sin(math.pi / sharpness)
    turn = np.radians(angle + 90) + np.arange(2 * points) * math.pi / points
    radius = np.where(np.arange(2 * points) % 2, notch, size)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], 1)


def covered(corners: np.ndarray) -> np.ndarray:
    """The share of each pixel inside a polygon, by counting crossings from FINE x FINE places in each."""
    line = (np.arange(28 * FINE) + 0.5) / FINE - 14
    px, py = np.meshgrid(line, -line)
    inside = np.zeros_like(px, bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, 0), strict=True):
        if y1 != y2:
            inside ^= ((y1 > py) != (y2 > py)) & (px < (x2 - x1) * (py - y1) / (y2 - y1) + x1)
    return inside.reshape(28, FINE, 28, FINE).mean((1, 3))


def test_a_picture_drawn_another_way_from_the_factors_is_the_same() -> None:
    items, factors = ALL.held_out(25, 7), ALL.factors(25, 7, "held-out")
    assert torch.equal(items.labels, factors.shape)
    assert set(factors.shape.tolist()) == set(range(5))
    for i in range(25):
        star = STARS[ALL.classes[factors.shape[i]]]
        want = covered(outline(star, *(float(f[i]) for f in factors[1:])))
        got = items.x[i, 0].numpy()
        assert abs(got - want).mean() < 0.005
        corners = 0.1 if factors.shape[i] == 0 else 0.45  # where the edge is not straight within a pixel
        assert abs(got - want).max() < corners
        assert got.sum() == pytest.approx(want.sum(), rel=0.12)
    assert torch.equal(ALL.render(factors), items.x)


def test_distances_are_the_true_ones() -> None:
    place = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 5.0], [3.0, 3.0]], dtype=torch.float64)
    one = torch.ones(4, dtype=torch.float64)
    square = star_distance(place[:, 0], place[:, 1], math.sqrt(2) * one, 45 * one, (4 * one, 2 * one))  # [-1, 1]^2
    torch.testing.assert_close(square, torch.tensor([-1, 2, 4, 2 * math.sqrt(2)], dtype=torch.float64))
    circle = star_distance(place[:, 0], place[:, 1], 2 * one, 0 * one, (512 * one, 2 * one))
    torch.testing.assert_close(circle, place.norm(dim=1) - 2, atol=1e-4, rtol=0)
    star = star_distance(place[:, 0], place[:, 1], 2 * one, 0 * one, (5 * one, 10 / 3 * one))
    assert float(star[2]) == pytest.approx(3)  # straight above the corner that is up


def test_factors_are_even_independent_and_keep_the_shape_in_the_picture() -> None:
    f = ALL.factors(20_000, 0)
    x = ALL.render(ALL.factors(2000, 0))
    assert float(x[:, 0, [0, -1]].max()) == 0.0
    assert float(x[:, 0, :, [0, -1]].max()) == 0.0
    np.testing.assert_allclose(torch.bincount(f.shape) / 20_000, 0.2, atol=0.015)
    for factor, low, high in ((f.size, 4, 8), (f.x, -4.5, 4.5), (f.y, -4.5, 4.5)):
        assert low <= float(factor.min()) < low + 0.01
        assert high - 0.01 < float(factor.max()) <= high
        assert float(factor.mean()) == pytest.approx((low + high) / 2, abs=0.1)
    for name, top in (("circle", 0), ("triangle", 120), ("square", 90), ("star", 72)):
        assert float(f.angle[f.shape == ALL.classes.index(name)].max()) == pytest.approx(top, abs=0.2)
    turned = f.angle / f.angle.max()
    others = f.shape != 0
    table = torch.corrcoef(torch.stack([f.size, turned, f.x, f.y])[:, others])
    assert float((table - torch.eye(4)).abs().max()) < 0.04


def test_a_run_can_ask_for_the_factors_of_any_item_it_took() -> None:
    far = 3_000_000_000  # more items than anybody takes
    rng = Streams(4)
    assert torch.equal(ALL.batch(16, far, rng), ALL.render(ALL.factors(16, 4, "batch", far)))
    assert torch.equal(ALL.batch(16, far, rng)[5:], ALL.batch(11, far + 5, rng))
    assert not torch.equal(ALL.factors(16, 4).x, ALL.factors(16, 4, "known").x)
    assert rng.state() == {}  # without noise no stream is touched


def test_the_hash_is_splitmix64() -> None:
    """The generator seeded with 0 starts with these numbers (its authors' own code, prng.di.unimi.it/splitmix64.c)."""
    first = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC]
    ours = hashed(0, 0, 1, torch.device("cpu"))[:, 0]
    assert ours[0] == 0  # the counter starts one step earlier
    assert ours[1:].tolist() == [(z >> 40) / 2**24 for z in first]


def test_switches_hold_factors_still() -> None:
    f = Shapes(grow=False, turn=False, move=False, triangle=False, star=False).factors(100, 0)
    assert (f.size == 8).all()
    assert not f.angle.any()
    assert not f.x.any()
    assert set(f.shape.tolist()) == {0, 1}
    none = dict.fromkeys(STARS, False)
    with pytest.raises(ConfigError, match="No shape is chosen"):
        build(Shapes, none)
    whole = Shapes(largest=12.0, grow=False)
    assert float(whole.known(50, 0).x[:, 0, 0].max()) == 0


def test_noise_is_live_and_stays_in_range() -> None:
    calm, noisy = Shapes(), Shapes(jitter=0.2)
    a, b = calm.known(50, 0).x, noisy.known(50, 0).x
    assert float(b.min()) >= 0
    assert float(b.max()) <= 1
    black = a == 0
    assert float(b[black].mean()) == pytest.approx(0.2 / math.sqrt(2 * math.pi), rel=0.05)
    assert Experiment.of("autoencoder").on("shapes").changed(jitter=0.2).data == noisy
