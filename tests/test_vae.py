"""The VAE family: its objective term by term, its bounds, its bodies and likelihoods."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Normal, kl_divergence

from playground import fast
from playground import variational as va
from playground.coders import BESIDE
from playground.config import ConfigError
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.families.vae import Vae
from playground.rng import Streams, fresh


def build(dataset="digits", seed=0, **values):
    likelihood = {} if dataset in ("digits", "shapes") else {"likelihood": "gaussian"}
    e = Experiment.of("vae").changed(**likelihood).on(dataset).changed(**{"width1": 32, "width2": 16} | values)
    rng = Streams(seed)
    return Vae(e.model, e.data, rng), e.data.batch(e.model.batch, 0, rng), rng


def drawn(model, x, samples=1, seed=0):
    """Return posterior, codes and decoder outputs that a fresh model's first step uses."""
    q = va.posterior(model.encoder(x))
    noise = torch.randn(samples, *q.mean.shape, generator=Streams(seed)["noise"])
    z = q.mean + (0.5 * q.log_variance).exp() * noise
    raw = torch.stack([model.decoder(codes) for codes in z])
    return q, z, raw


def test_the_loss_is_the_papers_negative_elbo():
    model, x, rng = build()
    with torch.no_grad():
        q, _, raw = drawn(model, x)
        fit = Bernoulli(logits=raw[0], validate_args=False).log_prob(x).flatten(1).sum(1)
        kl = kl_divergence(Normal(q.mean, (0.5 * q.log_variance).exp()), Normal(0.0, 1.0)).sum(1)
    metrics = model.step(x, rng).all()
    assert float(metrics["loss/recon"]) == pytest.approx(-float(fit.mean()), rel=1e-5)
    assert float(metrics["loss/kl"]) == pytest.approx(float(kl.mean()), rel=1e-5)
    assert float(metrics["loss/total"]) == pytest.approx(float((kl - fit).mean()), rel=1e-5)


@pytest.mark.parametrize(
    ("values", "cost"),
    [
        ({"beta": 3.0}, lambda kl, step: 3 * kl.sum()),
        ({"beta": 2.0, "warm_up": 10}, lambda kl, step: 2 * step / 10 * kl.sum()),
        ({"capacity": 5.0, "warm_up": 10, "beta": 4.0}, lambda kl, step: 4 * (kl.sum() - 5 * step / 10).abs()),
        ({"free_bits": 0.5}, lambda kl, step: kl.clamp_min(0.5).sum()),
    ],
)
def test_every_price_of_the_kl(values, cost):
    model, x, rng = build(codings=4, **values)
    for step in range(4):
        with torch.no_grad():
            kl = va.posterior(model.encoder(x)).kl().mean(0)
        metrics = model.step(x, rng).all()
        charged = float(metrics["loss/total"] - metrics["loss/recon"])
        assert charged == pytest.approx(float(cost(kl, step)), rel=1e-3, abs=1e-4)


def test_many_samples_train_the_importance_weighted_bound():
    model, x, rng = build(samples=5, codings=3)
    with torch.no_grad():
        q, z, raw = drawn(model, x, 5)
        fit = Bernoulli(logits=raw, validate_args=False).log_prob(x).flatten(2).sum(2)
        prior = Normal(0.0, 1.0).log_prob(z).sum(2)
        weights = fit + prior - Normal(q.mean, (0.5 * q.log_variance).exp()).log_prob(z).sum(2)
        bound = (torch.logsumexp(weights, 0) - math.log(5)).mean()
    assert float(model.step(x, rng).all()["loss/total"]) == pytest.approx(-float(bound), rel=1e-5)


def test_gaussian_likelihoods():
    for values in ({"likelihood": "gaussian", "sigma": 0.3}, {"likelihood": "learned"}):
        model, x, rng = build(**values)
        sigma = model.log_sigma.detach().exp()
        with torch.no_grad():
            _, _, raw = drawn(model, x)
            fit = Normal(raw[0], sigma).log_prob(x).flatten(1).sum(1).mean()
        assert float(model.step(x, rng).all()["loss/recon"]) == pytest.approx(-float(fit), rel=1e-4)
    assert model.state()["net/log_sigma"].shape == ()
    assert "net/log_sigma" not in build()[0].state()


def test_a_learned_sigma_finds_the_error_that_is_left():
    loop = Loop(Experiment.of("vae").changed(likelihood="learned", codings=8, lr=3e-3))
    loop.advance(1200)
    scores = loop.score()
    assert loop.metrics["noise/sigma"] ** 2 == pytest.approx(scores["train/mse"], rel=0.5)
    assert scores["held/elbo"] > 0  # a density may exceed 1


def test_the_elbo_uses_sampled_codes_and_not_their_means():
    model, x, _ = build(likelihood="gaussian", sigma=0.1)
    first, second = (model.bounds(x, 4, fresh(seed, "z")) for seed in (0, 1))
    assert not torch.equal(first.recon, second.recon)
    assert torch.equal(first.kl, second.kl)
    assert float(first.recon.mean()) > float(model.errors(x).mean())  # noise in the code costs
    many = model.bounds(x, 200, fresh(2, "z"))
    assert float(many.weighted.mean()) >= float((-many.recon - many.kl.sum(1)).mean())


def test_codes_are_means_with_a_spread_and_the_prior_generates():
    model, x, _ = build(codings=3)
    assert model.encode(x).shape == model.spread(x).shape == (128, 3)
    assert (model.spread(x) > 0).all()
    z = model.noise(7, fresh(0, "z"))
    assert torch.equal(model.generate(z), model.decode(z))
    y = model.decode(z)
    assert y.shape == (7, 1, 8, 8)
    assert 0 < float(y.min()) < float(y.max()) < 1


@pytest.mark.parametrize(
    ("dataset", "values"),
    [
        ("digits", {"body": "linear"}), ("digits", {"body": "conv", "maps": 4}), ("digits", {"body": "recurrent"}),
        ("shapes", {"body": "conv", "maps": 4, "likelihood": "learned"}), ("sines", {"body": "recurrent"}),
        ("swiss-roll-3d", {}),
    ],
)  # fmt: skip
def test_bodies_and_data_of_every_kind(dataset, values):
    model, x, rng = build(dataset, batch=16, **values)
    before = float(model.step(x, rng).all()["loss/total"])
    for _ in range(40):
        metrics = model.step(x, rng).all()
    assert float(metrics["loss/total"]) < before
    assert model.decode(model.encode(x)).shape == x.shape
    assert model.bounds(x, 2, fresh(0, "z")).kl.shape == (16, 2)
    assert model.layout()[0].shape == model.data.shape


def test_a_bernoulli_refuses_what_is_not_between_0_and_1():
    with pytest.raises(ConfigError, match="choose the likelihood gaussian or learned"):
        Experiment.of("vae").on("sines")


def test_extreme_data_and_settings_stay_finite():
    model, x, rng = build(beta=100.0, lr=0.1, codings=4)
    for scale in (1.0, 0.0, 1.0):
        for _ in range(30):
            metrics = model.step(x * scale, rng).all()
        assert all(torch.isfinite(v) for v in metrics.values())


def test_a_capacity_is_reached():
    loop = Loop(Experiment.of("vae").changed(capacity=3.0, beta=10.0, codings=8, lr=3e-3))
    loop.advance(1000)
    assert loop.score()["held/kl"] == pytest.approx(3.0, abs=0.5)


def test_reconstruction_errors_sort_items():
    model, x, _ = build()
    errors = model.errors(x)
    raw = model.decoder(model.encode(x)).detach()
    known = F.binary_cross_entropy_with_logits(raw, x, reduction="none").flatten(1).sum(1)
    torch.testing.assert_close(errors, known)


@pytest.mark.parametrize("body", ["dense", "conv", "recurrent"])
def test_bfloat16_is_told_beside_float32(body):
    model, x, rng = build(body=body, precision="bfloat16")
    here = fast.has_bfloat16(torch.device("cpu"))
    rows = [model.step(x, rng).all() for _ in range(BESIDE + 1)]
    assert ["loss/float32" in row for row in rows] == [*[False] * (BESIDE - 1), here, False]
    assert all(value.dtype == torch.float32 for row in rows for value in row.values())
    if here:
        told = rows[BESIDE - 1]
        assert float(told["loss/float32"]) == pytest.approx(float(told["loss/recon"]), rel=0.02)
