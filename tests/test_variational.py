"""KL and likelihood terms equal torch.distributions'; bounds and regularisers have their known values."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from playground import variational as va


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


MEAN, LOG_VARIANCE = draw(7, 3), draw(7, 3, seed=1)
Q = va.Posterior(MEAN, LOG_VARIANCE)
TORCHS = Normal(MEAN, (0.5 * LOG_VARIANCE).exp())


def test_a13_kl_of_a_normal():
    assert float(va.kl_normal(torch.tensor(1.0), torch.tensor(0.25).log())) == pytest.approx(0.818147, abs=1e-6)
    assert float(va.kl_normal(torch.tensor(0.0), torch.tensor(0.0))) == 0


def test_kl_equals_torch_distributions():
    torch.testing.assert_close(Q.kl(), kl_divergence(TORCHS, Normal(0.0, 1.0)))


def test_log_densities_equal_torch_distributions():
    z = draw(5, 7, 3, seed=2)
    torch.testing.assert_close(Q.log_density(z), TORCHS.log_prob(z).sum(-1))
    torch.testing.assert_close(va.log_prior(z), Normal(0.0, 1.0).log_prob(z).sum(-1))


@pytest.mark.parametrize("samples", [(), (4,)])
def test_likelihoods_equal_torch_distributions(samples):
    x, raw = torch.sigmoid(draw(7, 1, 4, 4)), draw(*samples, 7, 1, 4, 4, seed=1)
    bernoulli = Independent(Bernoulli(logits=raw, validate_args=False), 3)
    torch.testing.assert_close(va.log_likelihood(x, raw, "bernoulli"), bernoulli.log_prob(x))
    for kind in ("gaussian", "learned"):
        normal = Independent(Normal(raw, torch.tensor(0.3, dtype=torch.float64)), 3)
        torch.testing.assert_close(va.log_likelihood(x, raw, kind, math.log(0.3)), normal.log_prob(x))


def test_bernoulli_logits_of_any_size_stay_finite():
    raw = torch.tensor([[1e4, -1e4]], requires_grad=True)
    value = va.log_likelihood(torch.tensor([[0.0, 1.0]]), raw, "bernoulli")
    assert value.tolist() == [-2e4]
    assert torch.isfinite(torch.autograd.grad(value.sum(), raw)[0]).all()


def test_samples_have_the_posteriors_mean_and_spread():
    z = Q.sample(draw(200_000, 7, 3, seed=3))
    torch.testing.assert_close(z.mean(0), MEAN, atol=0.03, rtol=0)
    torch.testing.assert_close(z.std(0), TORCHS.stddev, atol=0.03, rtol=0)


def test_outputs_are_means_then_log_variances_that_cannot_overflow():
    mean, log_variance = va.posterior(torch.tensor([[1.0, 2.0, -1e9, 1e9]]))
    assert mean.tolist() == [[1.0, 2.0]]
    assert log_variance.tolist() == [[-20.0, 20.0]]
    assert torch.isfinite(va.kl_normal(mean, log_variance)).all()


def test_importance_bound_is_the_elbo_of_one_sample_and_rises_to_the_evidence():
    """x | z ~ N(z, 1): the evidence is N(x; 0, 2), whatever q is."""
    x, q = torch.tensor([[1.5]], dtype=torch.float64), va.Posterior(*torch.zeros(2, 1, 1, dtype=torch.float64))
    evidence = float(Normal(0.0, math.sqrt(2)).log_prob(x))

    def bound(k, seed):
        z = q.sample(draw(k, 1, 1, seed=seed))
        weights = va.log_likelihood(x, z, "gaussian") + va.log_prior(z) - q.log_density(z)
        return float(va.importance_bound(weights)), float(weights.mean())

    one, mean = bound(1, 0)
    assert one == pytest.approx(mean)
    means = [torch.tensor([bound(k, seed)[0] for seed in range(4000 // k)]).mean() for k in (1, 10, 100)]
    assert means[0] < means[1] < means[2] < evidence + 0.02
    assert bound(200_000, 1)[0] == pytest.approx(evidence, abs=0.01)


def test_free_bits_cost_what_they_leave_free():
    kl = torch.tensor([[0.0, 1.0], [0.2, 3.0]])
    assert float(va.free_bits(kl, 0.0)) == pytest.approx(2.1)
    assert float(va.free_bits(kl, 0.5)) == pytest.approx(2.5)  # of the means 0.1 and 2 the first is lifted


def test_capacity_pulls_from_both_sides():
    assert va.towards(torch.tensor([3.0, 7.0]), 5.0).tolist() == [2.0, 2.0]


def test_ramp_rises_in_a_line_and_stays():
    assert [va.ramp(step, 10) for step in (0, 5, 10, 99)] == [0.0, 0.5, 1.0, 1.0]
    assert va.ramp(0, 0) == 1.0


def test_a_learned_sigma_keeps_off_zero_and_is_left_alone_above():
    log_sigma = torch.tensor([-1e3, 0.0, 2.0])
    torch.testing.assert_close(va.soft_floor(log_sigma), torch.tensor([-6.0, 0.0025, 2.0003]), atol=1e-4, rtol=0)


def test_data_mean_is_in_data_units():
    raw = torch.tensor([0.0, 2.0])
    assert va.data_mean(raw, "bernoulli").tolist() == pytest.approx([0.5, 0.880797])
    assert va.data_mean(raw, "gaussian") is raw
