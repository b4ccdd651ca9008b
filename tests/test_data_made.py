"""Made data: digits from fonts, sequences by formulas, clouds near surfaces, each against what defines it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import make_swiss_roll
from sklearn.linear_model import LogisticRegression

from playground.data import dataset, fontdigits
from playground.data.clouds import NearPlane, SwissRoll3d
from playground.data.fontdigits import FontDigits, fonts, glyphs
from playground.data.sequences import BUMPS, Ecg, Saw, Sines
from playground.rng import Streams

# -- digits from fonts -----------------------------------------------------------------------------------------------


def test_font_digits_are_even_over_classes_and_the_same_every_time() -> None:
    data = FontDigits(items=1000)
    train, held = data.load()
    assert (len(train.x), len(held.x), data.classes) == (800, 200, tuple("0123456789"))
    assert torch.bincount(train.labels).tolist() == [80] * 10
    assert torch.bincount(held.labels).tolist() == [20] * 10
    again = data.load()
    assert torch.equal(train.x, again[0].x)
    assert torch.equal(held.x, again[1].x)
    assert len(train.x.flatten(1).unique(dim=0)) == 800


def test_without_wobble_an_item_is_its_glyph_twenty_pixels_high() -> None:
    upright = FontDigits(wobble=0.0)
    x = upright.draw(torch.arange(10).repeat(30), 0)[:, 0]
    for image in x:
        rows, columns = (image.amax(side) > 0.2 for side in (1, 0))
        assert int(rows.sum()) in (19, 20, 21)
        assert abs(float(rows.nonzero().float().mean()) - 13.5) <= 0.5
        assert abs(float(columns.nonzero().float().mean()) - 13.5) <= 2
    ink = x.sum((1, 2))
    small = torch.nn.functional.avg_pool2d(glyphs().view(-1, 1, 40, 40), 2).sum((1, 2, 3))
    assert float((ink[:, None] - small).abs().min(1).values.max()) < 4  # each has the ink of one of the glyphs


def test_maps_turn_slant_stretch_and_move_as_said() -> None:
    maps = FontDigits(wobble=1.0).maps(4000, torch.Generator().manual_seed(0))
    linear = maps[:, :, :2].double() / (28 / 20)
    area = torch.linalg.det(linear)
    assert 1.25**-2 - 1e-3 <= float(area.min()) < 0.7
    assert 1.4 < float(area.max()) <= 1.25**2 + 1e-3
    middle = torch.linalg.solve(maps[:, :, :2], -maps[:, :, 2])  # where the glyph's middle goes
    assert float(middle.abs().max()) == pytest.approx(0.2, abs=0.002)
    turn = torch.atan2(linear[:, 1, 0], linear[:, 1, 1])
    assert float(turn.abs().max()) == pytest.approx(math.radians(30), abs=0.002)


def test_a_plain_classifier_reads_the_digits() -> None:
    train, held = FontDigits(items=3000).load()
    model = LogisticRegression(max_iter=200).fit(train.x.flatten(1).numpy(), train.labels.numpy())
    assert model.score(held.x.flatten(1).numpy(), held.labels.numpy()) > 0.85


def test_pillows_own_font_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert len(fonts()) == 20  # with the packages of requirements.txt
    glyphs.cache_clear()
    monkeypatch.setattr(fontdigits, "_font_folder", lambda: None)
    assert [font.getname()[0] for font in fonts()] == ["Aileron"]
    assert glyphs().shape == (1, 10, 40, 40)
    assert FontDigits(items=1000).preview(9).shape == (9, 1, 28, 28)
    glyphs.cache_clear()


# -- sequences -------------------------------------------------------------------------------------------------------


def test_a_sine_has_all_its_power_at_its_frequency() -> None:
    data = Sines(jitter=0.0, items=500)
    train, held = data.load()
    assert (len(train.x), len(held.x), data.shape) == (400, 100, (64, 1))
    power = torch.fft.rfft(train.x[..., 0].double()).abs().square()
    assert torch.equal(power.argmax(1), train.labels + 1)
    assert float((power.max(1).values / power.sum(1)).min()) > 1 - 1e-6
    height = 2 * power.max(1).values.sqrt() / 64
    assert 0.5 <= float(height.min()) < 0.52
    assert 0.98 < float(height.max()) <= 1.0 + 1e-6


def test_noise_has_the_standard_deviation_that_it_says() -> None:
    data = Sines(jitter=0.3, items=500)
    clean = Sines(jitter=0.0, items=500)
    noise = data.load()[0].x - clean.load()[0].x
    assert float(noise.std()) == pytest.approx(0.3, rel=0.02)


def test_saws_rise_fall_or_do_both_by_straight_lines() -> None:
    data = Saw(jitter=0.0, length=256, items=600)
    x, labels = data.load()[0]
    slope = x[..., 0].diff(dim=1)
    flat = slope.sort(1).values
    assert (flat[labels == 0][:, 16:] > 0).all()  # all but the jumps, at most four
    assert (flat[labels == 1][:, :-16] < 0).all()
    up = (slope[labels == 2] > 0).double().mean(1)
    assert float(up.min()) > 0.3
    assert float(up.max()) < 0.7
    bends = slope.diff(dim=1).abs() > 1e-4
    assert int(bends.sum(1).max()) <= 16


def test_heartbeats_are_the_bumps_of_their_model() -> None:
    assert [round(height, 3) for _, height, _ in BUMPS] == [0.25, -0.167, 1.0, -0.25, 0.4]
    data = Ecg(jitter=0.0, items=1000, length=256)
    train, held = data.load()
    every = torch.cat([train.labels, held.labels])
    assert torch.bincount(every).tolist() == [940, 20, 20, 20]
    assert set(held.labels.tolist()) == {0, 1, 2, 3}
    normal = train.x[train.labels == 0, :, 0]
    peaks = (normal[:, 1:-1] > normal[:, :-2]) & (normal[:, 1:-1] >= normal[:, 2:]) & (normal[:, 1:-1] > 0.7)
    assert set(peaks.sum(1).tolist()) <= {2, 3, 4}
    missed = train.x[train.labels == 2, :, 0]
    assert float((missed > 0.7).double().mean()) < 0.8 * float((normal > 0.7).double().mean())
    turned = train.x[train.labels == 3, :, 0]
    assert float(turned.amin(1).max()) < -0.3  # a normal beat's lowest is S, -0.25 of R
    assert float(normal.amin()) > -0.3
    assert len(set(Ecg(rare=0.5).load()[1].labels.tolist())) == 4


@pytest.mark.parametrize("name", ["sines", "saw", "ecg"])
def test_length_is_a_knob(name: str) -> None:
    data = dataset(name)(length=32, items=500)
    assert data.shape == (32, 1)
    assert data.batch(8, 0, Streams(0)).shape == (8, 32, 1)
    assert torch.isfinite(data.load()[0].x).all()


# -- clouds ----------------------------------------------------------------------------------------------------------


def test_a_plane_has_two_directions_and_noise_across() -> None:
    data = NearPlane(tilt=20.0, jitter=0.05)
    torch.testing.assert_close(data.directions() @ data.directions().T, torch.eye(2))
    x = data.known(20_000, 0).x.double()
    values, vectors = torch.linalg.eigh(x.T.cov())
    torch.testing.assert_close(
        values, torch.tensor([0.05**2, 0.9**2 / 3 + 0.05**2, 1.6**2 / 3 + 0.05**2]).double(), rtol=0.03, atol=0
    )
    normal = torch.linalg.cross(*data.directions().double())
    assert abs(float(vectors[:, 0] @ normal)) == pytest.approx(1, abs=1e-3)
    assert math.degrees(math.acos(abs(float(normal[2])))) == pytest.approx(20, abs=1e-3)
    assert data.known(5, 0).labels is None


def test_the_roll_is_scikit_learns_with_strips_along_it() -> None:
    data = SwissRoll3d(jitter=0.0)
    x, labels = data.known(4000, 0)
    theirs, t = make_swiss_roll(4000, noise=0.0, random_state=0)
    theirs[:, 1] -= 10.5
    for ours, those in ((x.numpy(), theirs / 9),):
        np.testing.assert_allclose(ours.mean(0), those.mean(0), atol=0.05)
        np.testing.assert_allclose(np.cov(ours.T), np.cov(those.T), atol=0.05)
    turns = x[:, [0, 2]].norm(dim=1) * 9  # the radius is t
    place = (turns / (1.5 * math.pi) - 1) / 2
    assert torch.equal((place.clamp(1e-6, 1 - 1e-6) * 6).long(), labels)
    assert float((turns.cos() * turns / 9 - x[:, 0]).abs().max()) < 1e-4
    assert torch.bincount(labels, minlength=6).min() > 580
    assert (float(turns.min()), float(turns.max())) == pytest.approx((t.min(), t.max()), abs=0.02)


def test_cloud_batches_come_from_the_stream_and_noise_is_live() -> None:
    data = NearPlane()
    a, b = Streams(1), Streams(1)
    assert torch.equal(data.batch(16, 0, a), data.batch(16, 512, b))  # the stream alone decides
    assert not torch.equal(data.batch(16, 0, a), data.batch(16, 0, Streams(1)))
    assert data.with_values(jitter=0.0).known(100, 0).x @ torch.linalg.cross(*data.directions()) == pytest.approx(
        0, abs=1e-6
    )
