"""Scores of models that code: fakes with known answers, then the families themselves."""

import math
from types import SimpleNamespace

import pytest
import torch

from playground.data import datasets
from playground.data.base import Items
from playground.diagnostics import coding
from playground.diagnostics.coding import CodingPanel
from playground.diagnostics.panels import panel
from playground.experiment import Experiment
from playground.families import families, family
from playground.families.base import Bounds
from playground.latent.pca import Pca
from playground.rng import Streams, fresh

DIGITS = datasets()["digits"]()
CODING = [name for name, f in families().items() if {"encode", "decode"} <= f.abilities]


class Fake:
    """A model made of two functions."""

    abilities = frozenset({"encode", "decode"})

    def __init__(self, encode, decode, sparsity="none"):
        self.encode, self.decode, self.config = encode, decode, SimpleNamespace(sparsity=sparsity)

    def errors(self, x):
        return (self.decode(self.encode(x)) - x).square().flatten(1).sum(1)

    def corrupt(self, x, generator):
        return x

    def spread(self, x):
        return None

    def bounds(self, x, samples, generator):
        return None

    def activations(self, x):
        return {"a": torch.cat([torch.zeros(len(x), 2), x.flatten(1)[:, :1] + 1, x.flatten(1)[:, 20:21] - 0.5], 1)}


COPY = Fake(lambda x: x.flatten(1), lambda z: z.view(-1, 1, 8, 8))
MEAN = DIGITS.load()[0].x.mean(0)
ONE_FOR_ALL = Fake(lambda x: torch.zeros(len(x), 3), lambda z: MEAN.expand(len(z), 1, 8, 8))


def test_a_copier_is_found_out():
    scores = CodingPanel(DIGITS, 0).score(COPY, 1)
    assert scores["held/mse"] == scores["train/recon"] == 0
    assert scores["copy/noise"] == 0
    assert scores["blur/sharpness"] == 1
    assert scores["code/active"] + scores["code/dead"] == 64
    assert scores["code/dead"] >= 3  # the corners of the digits are always empty
    assert scores["pca/mse"] == pytest.approx(0, abs=1e-6)
    assert scores["knn/accuracy"] > 0.95


def test_what_a_copier_and_pca_make_of_corrupted_items():
    class Noisy(Fake):
        def corrupt(self, x, generator):
            return x + 0.5 * torch.randn(x.shape, generator=generator)

    assert "denoise/mse" not in CodingPanel(DIGITS, 0).score(COPY, 1)
    scores = CodingPanel(DIGITS, 0).score(Noisy(COPY.encode, COPY.decode), 1)
    assert scores["held/mse"] == 0
    assert scores["denoise/mse"] == pytest.approx(0.25, rel=0.03)  # all of the noise stays
    assert scores["denoise/pca"] == pytest.approx(0.25, rel=0.03)  # of 64 components too
    three = Noisy(lambda x: x.flatten(1)[:, :3], lambda z: MEAN.expand(len(z), 1, 8, 8))
    scores = CodingPanel(DIGITS, 0).score(three, 1)
    assert scores["denoise/mse"] == pytest.approx(scores["mean/mse"], rel=0.02)
    # three components keep three of 64 parts of the noise
    assert scores["denoise/pca"] == pytest.approx(scores["pca/mse"] + 3 / 64 * 0.25, rel=0.1)


def test_the_mean_item_for_all():
    scores = CodingPanel(DIGITS, 0).score(ONE_FOR_ALL, 1)
    assert scores["held/mse"] == pytest.approx(scores["mean/mse"], rel=0.02)
    assert scores["copy/noise"] == pytest.approx(1, rel=0.05)
    assert (scores["code/active"], scores["code/dead"]) == (0, 3)
    assert scores["blur/sharpness"] < 0.3


def test_units_that_never_and_always_fire():
    scores = CodingPanel(DIGITS, 0).score(COPY, 1)
    assert scores["unit/dead"] == pytest.approx(3 / 4)  # two zeros; the first pixel is never inked
    never, always = coding.never_and_always(torch.tensor([[0.0, 1.0, -1.0], [0.0, 2.0, 3.0]]))
    assert never.tolist() == [True, False, False]
    assert always.tolist() == [False, True, False]
    assert coding.units({}) == {}


def test_pca_as_a_family_scores_pcas_own_error():
    x = DIGITS.load()[0].x
    pca = Pca.fit(x, 2)
    scores = CodingPanel(DIGITS, 0).score(Fake(pca.encode, pca.decode), 1)
    assert scores["held/mse"] == pytest.approx(scores["pca/mse"], rel=1e-4)
    assert scores["pca/mse"] == pytest.approx(0.053018, rel=1e-4)  # all 450 held-out digits
    assert scores["knn/accuracy"] == scores["knn/pca"]
    assert 64 * scores["held/mse"] == pytest.approx(scores["held/recon"], rel=1e-4)


def test_bounds_are_means_in_nats():
    b = Bounds(torch.tensor([3.0, 5.0]), torch.tensor([[1.0, 0.0], [2.0, 1.0]]), torch.tensor([-5.0, -6.0]))
    scores = coding.bounds(b)
    assert (scores["held/recon"], scores["held/kl"]) == (4, 2)
    assert scores["held/elbo"] == -6
    assert scores["held/iw"] == -5.5
    assert (scores["kl/0"], scores["kl/1"]) == (1.5, 0.5)


def test_codings_that_are_alive():
    codes = torch.randn(500, 3, generator=fresh(0, "codes")) * torch.tensor([1.0, 0.05, 0.0])
    assert coding.alive(codes, probabilistic=False).tolist() == [True, True, False]
    assert coding.alive(codes, probabilistic=True).tolist() == [True, False, False]


def test_how_busy_sparse_codings_are():
    assert coding.busy(torch.tensor([[0.0, 0.1], [0.2, 0.1]])) == pytest.approx(0.1)
    assert coding.busy(torch.tensor([[0.0, 7.0], [-3.0, 0.0]])) == pytest.approx(0.5)
    assert "sparse/rho" in coding.codings(Fake(None, None, "kl"), torch.rand(9, 2), torch.rand(9, 1, 8, 8))
    assert "sparse/rho" not in coding.codings(Fake(None, None), torch.rand(9, 2), torch.rand(9, 1, 8, 8))


def test_sharpness_of_a_blurred_image_is_below_1():
    x = torch.rand(4, 1, 12, 12, generator=fresh(0, "x"))
    blurred = torch.nn.functional.avg_pool2d(x, 3, 1, 1)
    assert coding.sharpness(x, x) == 1
    assert coding.sharpness(blurred, x) < 0.2
    assert coding.sharpness(x, torch.zeros_like(x)) > 1  # finite, whatever the items


@pytest.mark.parametrize("name", CODING)
def test_a_family_is_measured_finitely_and_left_as_it_was(name):
    e = Experiment.of(name)
    rng = Streams(0)
    model = family(name)(e.model, e.data, rng)
    scores = panel(model, e.data, 0)
    model.step(e.data.batch(model.rows, 0, rng), rng)
    state, streams = ({k: v.clone() for k, v in part.items()} for part in (model.state(), rng.state()))
    found = scores.score(model, 10)
    assert found == scores.score(model, 10)
    assert {"held/recon", "train/recon", "held/mse", "train/mse", "pca/mse", "code/active", "copy/noise"} <= set(found)
    assert all(isinstance(v, float) and math.isfinite(v) for v in found.values())
    assert all(torch.equal(v, state[k]) for k, v in model.state().items())
    assert all(torch.equal(v, streams[k]) for k, v in rng.state().items())
    assert all(f.low <= f.perfect <= f.high for f in scores.floors().values())


def test_a_vaes_scores_come_from_samples():
    e = Experiment.of("vae").changed(codings=3)
    model = family("vae")(e.model, e.data, Streams(0))
    scores = CodingPanel(e.data, 0)
    first, second = scores.score(model, 1), scores.score(model, 2)
    assert first["held/recon"] != second["held/recon"]
    assert first["held/mse"] == second["held/mse"]
    assert first["held/elbo"] == pytest.approx(-first["held/recon"] - first["held/kl"])
    assert first["held/iw"] > first["held/elbo"]
    assert first["held/kl"] == pytest.approx(sum(first[f"kl/{j}"] for j in range(3)), rel=1e-5)


class Cloudy:
    """Few items without classes: what does not apply is left out."""

    kind, classes, shape = "cloud", (), (3,)

    def held_out(self, n, seed, device="cpu"):
        return Items(torch.randn(40, 3, generator=fresh(seed, "held")))

    def known(self, n, seed, device="cpu"):
        return Items(torch.randn(50, 3, generator=fresh(seed, "known")))


def test_what_does_not_apply_is_left_out():
    model = Fake(lambda x: x[:, :1], lambda z: z.expand(len(z), 3))
    model.activations = lambda x: {}
    scores = CodingPanel(Cloudy(), 0).score(model, 0)
    assert not {"blur/sharpness", "knn/accuracy", "knn/pca", "unit/dead", "sparse/rho", "held/kl"} & set(scores)
    assert CodingPanel(Cloudy(), 0).floors() == {}
