"""Losses against values and slopes worked out by hand."""

import math

import pytest
import torch

from playground.losses import LOSSES, SMOOTHED, as_logit, bce_d, score

A = torch.tensor([1.0, -2.0], dtype=torch.float64)  # D's outputs on real rows
B = torch.tensor([0.5, 3.0], dtype=torch.float64)  # and on fakes


def s(t: float) -> float:
    """Return softplus."""
    return math.log1p(math.exp(t))


CROSS_ENTROPY = (s(-1) + s(2)) / 2 + (s(0.5) + s(3)) / 2
MEAN_A, MEAN_B = -0.5, 1.75

BY_HAND = {
    "minimax": (CROSS_ENTROPY, -(s(0.5) + s(3)) / 2),
    "non-saturating": (CROSS_ENTROPY, (s(-0.5) + s(-3)) / 2),
    "least-squares": (0.5 * (0 + 9) / 2 + 0.5 * (0.25 + 9) / 2, 0.5 * (0.25 + 4) / 2),
    "hinge": ((0 + 3) / 2 + (1.5 + 4) / 2, -1.75),
    "wasserstein-clip": (MEAN_B - MEAN_A, -1.75),
    "wasserstein-gp": (MEAN_B - MEAN_A, -1.75),
    "relativistic": (
        (s(-(1 - MEAN_B)) + s(-(-2 - MEAN_B))) / 2 + (s(0.5 - MEAN_A) + s(3 - MEAN_A)) / 2,
        (s(-(0.5 - MEAN_A)) + s(-(3 - MEAN_A))) / 2 + (s(1 - MEAN_B) + s(-2 - MEAN_B)) / 2,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_value_at_given_outputs(name):
    d, g = BY_HAND[name]
    assert LOSSES[name].d(A, B, 0.0).item() == pytest.approx(d, abs=1e-12)
    assert LOSSES[name].g(B, A).item() == pytest.approx(g, abs=1e-12)


def sigma(t: float) -> float:
    return 1 / (1 + math.exp(-t))


SLOPES = {  # of D's loss in the first real and first fake output, of G's loss in the first fake output; batch of two
    "minimax": (-sigma(-1) / 2, sigma(0.5) / 2, -sigma(0.5) / 2),
    "non-saturating": (-sigma(-1) / 2, sigma(0.5) / 2, -sigma(-0.5) / 2),
    "least-squares": (0.0, 0.25, -0.25),
    "hinge": (0.0, 0.5, -0.5),  # a = 1 is where the hinge bends: torch takes slope 0
    "wasserstein-clip": (-0.5, 0.5, -0.5),
    "wasserstein-gp": (-0.5, 0.5, -0.5),
}


@pytest.mark.parametrize("name", SLOPES)
def test_slope_at_given_outputs(name):
    a, b = A.clone().requires_grad_(), B.clone().requires_grad_()
    real, fake = torch.autograd.grad(LOSSES[name].d(a, b, 0.0), (a, b))
    (g,) = torch.autograd.grad(LOSSES[name].g(b, a), b)
    assert (real[0].item(), fake[0].item(), g[0].item()) == pytest.approx(SLOPES[name])


@pytest.mark.parametrize("name", LOSSES)
def test_slopes_are_the_derivative(name):
    a, b = A.clone().requires_grad_() * 0.9, B.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: LOSSES[name].d(x, y, 0.1), (a, b))
    assert torch.autograd.gradcheck(lambda x, y: LOSSES[name].g(y, x), (a, b))


@pytest.mark.parametrize("name", LOSSES)
def test_theory_is_the_value_where_d_cannot_tell(name):
    """At q = p the best D says the same everywhere: log odds 0, label one half, any constant for a critic."""
    loss = LOSSES[name]
    even = torch.full((4,), 0.5 if loss.output == "label" else 0.0)
    values = {"loss/d": loss.d(even, even, 0.0), "loss/g": loss.g(even, even)}
    assert "loss/d" in loss.theory
    for metric, (value, label) in loss.theory.items():
        assert values[metric].item() == pytest.approx(value, abs=1e-6)
        assert label


def test_optimal_logit_gives_two_ln_2_minus_twice_the_jensen_shannon_divergence():
    """Two distributions on two points, p = (.8, .2), q = (.3, .7), each point as many times as it weighs."""
    p, q = torch.tensor([0.8, 0.2]), torch.tensor([0.3, 0.7])
    best = (p / q).log()
    real, fake = best.repeat_interleave(torch.tensor([8, 2])), best.repeat_interleave(torch.tensor([3, 7]))
    middle = (p + q) / 2
    js = ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()) / 2
    assert bce_d(real, fake).item() == pytest.approx(2 * math.log(2) - 2 * js.item(), abs=1e-6)


def test_smoothing_changes_the_real_label_only():
    """Cross-entropy with label t: t ς(-a) + (1 - t) ς(a); the fakes' term stays."""
    t = 0.9
    real = (t * s(-1) + (1 - t) * s(1) + t * s(2) + (1 - t) * s(-2)) / 2
    fake = (s(0.5) + s(3)) / 2
    assert bce_d(A, B, 0.1).item() == pytest.approx(real + fake, abs=1e-12)
    b = B.clone().requires_grad_()
    plain, smooth = (torch.autograd.grad(bce_d(A, b, x), b)[0] for x in (0.0, 0.1))
    assert torch.equal(plain, smooth)
    assert LOSSES["least-squares"].d(torch.full((2,), 0.9), torch.zeros(2), 0.1).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_without_labels_ignore_smoothing(name):
    changes = LOSSES[name].d(A, B, 0.0) != LOSSES[name].d(A, B, 0.2)
    assert bool(changes) == (name in SMOOTHED)


@pytest.mark.parametrize("name", ["minimax", "non-saturating", "relativistic"])
def test_huge_logits_stay_exact(name):
    a, b = torch.tensor([-1000.0, -1000.0]), torch.tensor([1000.0, 1000.0])
    expected = 4000.0 if name == "relativistic" else 2000.0  # how wrong D is, not -log(eps)
    assert LOSSES[name].d(a, b, 0.0).item() == expected
    assert math.isfinite(LOSSES[name].g(a, b).item())


def test_relativistic_losses_ignore_a_shift_of_the_critic():
    loss = LOSSES["relativistic"]
    assert loss.d(A + 7, B + 7, 0.0).item() == pytest.approx(loss.d(A, B, 0.0).item())
    assert loss.g(B + 7, A + 7).item() == pytest.approx(loss.g(B, A).item())


def test_score_reads_outputs_as_probability_or_value():
    out = torch.tensor([-1.0, 0.25, 2.0])
    assert torch.equal(score("minimax", out), torch.sigmoid(out))
    assert torch.equal(score("least-squares", out), torch.tensor([0.0, 0.25, 1.0]))
    assert torch.equal(score("hinge", out), out)
    assert torch.allclose(torch.sigmoid(as_logit("least-squares", out)), torch.tensor([0.0, 0.25, 1.0]), atol=1e-5)
    assert torch.equal(as_logit("wasserstein-gp", out), out)
