"""Ways through a generator's noise: directions that a linear model has by construction, truncation, walks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from playground import entrance
from playground.config import ConfigError
from playground.experiment import Experiment
from playground.families.base import Code
from playground.latent.coded import decoded, sampled
from playground.latent.directions import factorised, principal, whitened
from playground.latent.moments import build
from playground.latent.truncation import bounded, noise_part, truncate
from playground.latent.walks import leg, natural, sweep, walk

PARTS = [Code("class", "category", 0, 3, ("a", "b", "c"), True), Code("noise", "noise", 3, 6)]
PARTS.append(Code("code 1", "continuous", 9, 1))


def gan(**values):
    small = {"dataset": "digits", "family": "gan"}
    plain = {"g_depth": 1, "g_width": 16, "d_depth": 1, "d_width": 16, "noise_dim": 6, "device": "cpu"}
    return build(Experiment(**small).changed(**plain | values))


class Linear:
    """A generator that is one matrix: what is behind its noise is known."""

    title = "Line"

    def __init__(self, weights, parts=(), kind="gaussian"):
        self.weights, self.parts, self.kind = weights, list(parts), kind

    def codes(self):
        return self.parts

    def noise(self, n, generator):
        size = (n, self.weights.shape[1])
        z = torch.randn(size, generator=generator)
        z = z if self.kind == "gaussian" else torch.rand(size, generator=generator) * 2 - 1
        for part in self.parts:
            if part.kind == "category":
                choice = torch.randint(part.size, (n,), generator=generator)
                z[:, part.start : part.start + part.size] = torch.eye(part.size)[choice]
        return z

    def early(self, z):
        return z @ self.weights.T

    def entrance(self):
        return self.weights

    def state(self):
        return {"w": self.weights}


def planted(columns, singular):
    """Return weights (20, columns) with these singular values, and their right singular directions."""
    g = torch.Generator().manual_seed(1)
    u, v = (torch.linalg.qr(torch.randn(n, columns, generator=g))[0] for n in (20, columns))
    return u @ torch.diag(torch.tensor(singular)) @ v.T, v.T.numpy()


def agree(found, true):
    return np.abs((found * true).sum(1))


# -- directions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gaussian", "uniform"])
def test_a_linear_generator_has_its_singular_directions_as_both(kind):
    singular = [5.0, 3.0, 2.0, 1.0, 0.5]
    weights, v = planted(5, singular)
    model = Linear(weights, kind=kind)
    share = np.square(singular) / np.square(singular).sum()
    for found in (principal(model, k=3), factorised(model, 3)):
        assert np.allclose(agree(found.axes, v[:3]), 1, atol=1e-4)
        assert np.allclose(found.share, share[:3], atol=1e-4)
        assert np.allclose(found.std, 1 if kind == "gaussian" else 3**-0.5, atol=0.05)
        assert np.allclose(np.linalg.norm(found.axes, axis=1), 1, atol=1e-5)
        assert (found.axes[np.arange(3), np.abs(found.axes).argmax(1)] > 0).all()


def test_only_the_noise_is_searched_and_classes_are_no_direction():
    weights, v = planted(6, [5.0, 3.0, 2.0, 1.0, 0.5, 0.1])
    g = torch.Generator().manual_seed(2)
    loud = 50 * torch.randn(20, 3, generator=g)  # what the class changes is far more than the noise does
    quiet = torch.zeros(20, 1)
    model = Linear(torch.cat([loud, weights, quiet], 1), PARTS)
    for found in (principal(model, k=4), factorised(model, 4)):
        assert not found.axes[:, :3].any()
        assert not found.axes[:, 9].any()
        assert np.allclose(agree(found.axes[:, 3:9], v[:4]), 1, atol=0.01)
    assert len(factorised(model, 99)) == len(principal(model, k=99)) == 6


def test_a_gan_has_directions_that_change_its_samples():
    model = gan()
    for found in (principal(model, 300, 4), factorised(model, 4)):
        assert found.axes.shape == (4, 6)
        assert (np.diff(found.share) <= 1e-6).all()
        away = decoded(model, found.axes * 2) - decoded(model, np.zeros((1, 6)))
        assert (np.abs(away).max((1, 2, 3)) > 1e-4).all()


def test_where_a_code_enters():
    dense = nn.Sequential(nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 2))
    z = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(entrance.weights(dense), dense[0].weight)
    assert torch.equal(entrance.activations(dense, z), torch.relu(dense[0](z)))
    assert torch.equal(entrance.activations(dense[:1], z), dense[0](z))
    maps = nn.Sequential(nn.Unflatten(1, (4, 1, 1)), nn.ConvTranspose2d(4, 3, 2, bias=False), nn.BatchNorm2d(3))
    w = entrance.weights(maps)
    assert w.shape == (12, 4)
    assert torch.allclose(
        maps[:2](z).permute(0, 2, 3, 1).flatten(1).sort(1).values, (z @ w.T).sort(1).values, atol=1e-6
    )
    assert entrance.weights(nn.ReLU()) is None
    assert entrance.activations(nn.ReLU(), z) is None


def test_what_has_no_directions_says_so():
    with pytest.raises(ConfigError, match="no first layer"):
        factorised(build(Experiment.of("vae")))
    with pytest.raises(ConfigError, match="no early layer"):
        principal(build(Experiment.of("vae")))
    with pytest.raises(ConfigError, match="twice as many"):
        principal(gan(), 12)


def test_the_same_seed_finds_the_same():
    assert np.array_equal(principal(gan(), 300, 4, 1).axes, principal(gan(), 300, 4, 1).axes)


def test_whitened_codes_are_uncorrelated():
    z = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) @ torch.diag(torch.tensor([1.0, 2, 3, 4])) + 1
    white = whitened(z)
    assert torch.allclose(white.T @ white / 50, z.var() * torch.eye(4), atol=0.1)
    assert torch.allclose(white.mean(0), torch.zeros(4), atol=1e-5)


# -- truncation -------------------------------------------------------------------------------------------------------


def test_only_noise_is_truncated():
    z = np.arange(20, dtype=np.float32).reshape(2, 10)
    half = truncate(z, 0.5, PARTS)
    assert np.array_equal(half[:, 3:9], z[:, 3:9] / 2)
    assert np.array_equal(half[:, :3], z[:, :3])
    assert np.array_equal(half[:, 9], z[:, 9])
    assert np.array_equal(truncate(z, 0), np.zeros_like(z))
    assert noise_part([], 4).all()
    for wrong in (-0.1, 3):
        with pytest.raises(ConfigError, match="from 0 to 2"):
            truncate(z, wrong)


def test_bounded_codes_follow_the_truncated_law():
    z = np.random.default_rng(0).normal(size=(20_000, 2)).astype(np.float32)
    near = bounded(z, 0.8)
    assert np.abs(near).max() <= 0.8
    redrawn = np.random.default_rng(1).normal(size=200_000)
    redrawn = redrawn[np.abs(redrawn) <= 0.8]
    for q in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert np.quantile(near[:, 0], q) == pytest.approx(np.quantile(redrawn, q), abs=0.02)
    assert (np.diff(near[z[:, 0].argsort(), 0]) >= 0).all()  # each sample keeps its place
    assert np.allclose(bounded(z, 9.0), z, atol=0.1)
    assert np.isfinite(bounded(np.full((1, 2), 40.0), 5.0)).all()
    assert np.array_equal(bounded(z, 0.5, kind="uniform"), truncate(z, 0.5))
    with pytest.raises(ConfigError, match="above 0"):
        bounded(z, 0)


def test_samples_come_with_their_codes():
    model = gan()
    some = sampled(model, 20, seed=3)
    assert (some.x.shape, some.codes.shape, some.classes, len(some)) == ((20, 1, 8, 8), (20, 6), None, 20)
    assert np.array_equal(some.x, decoded(model, some.codes))
    assert np.array_equal(sampled(model, 20, seed=3).codes, some.codes)
    assert np.allclose(sampled(model, 20, seed=3, psi=0.5).codes, some.codes / 2)
    with pytest.raises(ConfigError, match="no prior"):
        sampled(build(Experiment.of("autoencoder")), 3)
    linear = Linear(torch.eye(10), PARTS)
    linear.abilities, linear.generate = {"generate"}, lambda z: z
    some = sampled(linear, 30)
    assert np.array_equal(some.classes, some.codes[:, :3].argmax(1))


# -- walks ------------------------------------------------------------------------------------------------------------


def stops(k, size=10, seed=0):
    return np.random.default_rng(seed).normal(size=(k, size)).astype(np.float32)


@pytest.mark.parametrize("method", ["spherical", "straight"])
@pytest.mark.parametrize("closed", [False, True])
def test_a_walk_goes_through_its_stops_at_constant_speed(method, closed):
    through = stops(4)
    path = walk(through, 400, method=method, closed=closed)
    assert path.shape == (400, 10)
    steps = np.linalg.norm(np.diff(np.concatenate([path, path[:1]]) if closed else path, axis=0), axis=1)
    assert steps.max() < 1.01 * np.median(steps)
    assert (steps < 0.99 * np.median(steps)).sum() <= 4  # a step that passes a corner is shorter as the crow flies
    near = np.linalg.norm(path[:, None] - through, axis=2).min(0)
    assert (near <= 0.6 * steps.max()).all()
    assert np.allclose(path[0], through[0], atol=1e-5)
    assert np.allclose(path[-1], through[-1], atol=1e-4) is not closed


def test_between_two_codes_of_a_length_the_walk_keeps_to_their_sphere():
    a, b = (v / np.linalg.norm(v) * 3 for v in stops(2))
    assert np.allclose(np.linalg.norm(walk([a, b], 9), axis=1), 3, atol=1e-3)
    assert np.linalg.norm(walk([a, b], 9, method="straight")[4]) < 2.9


def test_categories_are_crossed_in_a_line():
    a, b = stops(2)
    a[:3], b[:3] = [1, 0, 0], [0, 0, 1]
    path = leg(a, b, 5, PARTS)
    assert np.allclose(path[:, :3], [[1 - t, 0, t] for t in (0, 0.25, 0.5, 0.75, 1)], atol=1e-6)
    assert np.allclose(np.diff(path[:, 9]), (b[9] - a[9]) / 4, atol=1e-6)
    assert np.allclose(path[[0, -1]], [a, b], atol=1e-5)
    assert not np.allclose(path[2, 3:9], (a + b)[3:9] / 2, atol=1e-2)


def test_a_walk_that_stands_still_and_one_that_is_none():
    same = np.ones((3, 4))
    assert np.array_equal(walk(same, 5), np.ones((5, 4)))
    for codes, n in ((same[:1], 5), (same, 1)):
        with pytest.raises(ConfigError, match="at least 2 of both"):
            walk(codes, n)


def test_the_way_that_suits_the_noise():
    assert natural(gan()) == "spherical"
    assert natural(gan(noise_kind="uniform")) == "straight"


def test_sweeps_show_what_one_code_does():
    code = stops(1)[0]
    rows = sweep(code, PARTS[0])
    assert np.array_equal(rows[:, :3], np.eye(3))
    assert np.array_equal(rows[:, 3:], np.repeat(code[None, 3:], 3, 0))
    values = sweep(code, PARTS[2], 5)
    assert np.allclose(values[:, 9], [-2, -1, 0, 1, 2])
    with pytest.raises(ConfigError, match="6 numbers"):
        sweep(code, PARTS[1])
