"""Penalties against closed forms: a linear critic has one slope everywhere, a quadratic one a slope that is known."""

import pytest
import torch
from torch import nn

from playground.penalties import dragan, gp, off_target, penalty, r1, square_slope

W = torch.tensor([3.0, 4.0])  # slope 5


def linear(x):
    return x @ W[:, None]


def bowl(x):
    """Return D(x) = |x|²/2, whose slope at x is |x|."""
    return 0.5 * x.square().sum(1, keepdim=True)


@pytest.fixture
def stream():
    return torch.Generator().manual_seed(0)


def points(n=64, seed=1):
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))


def test_r1_of_a_linear_critic_is_half_its_square_slope():
    assert r1(linear, points()).item() == pytest.approx(12.5)
    assert penalty("r1", linear, real=points(), fake=points(), target=1, generator=None).item() == pytest.approx(12.5)


def test_r1_looks_at_real_points_and_r2_at_fakes():
    real, fake = points(seed=1), points(seed=2) + 3
    for name, where in (("r1", real), ("r2", fake)):
        value = penalty(name, bowl, real=real, fake=fake, target=1, generator=None)
        assert value.item() == pytest.approx(0.5 * where.square().sum(1).mean().item(), rel=1e-6)


@pytest.mark.parametrize(("target", "expected"), [(1.0, 16.0), (0.0, 25.0), (5.0, 0.0)])
def test_gradient_penalty_of_a_linear_critic(target, expected, stream):
    assert gp(linear, points(), points(seed=2), target, stream).item() == pytest.approx(expected, abs=1e-4)
    assert dragan(linear, points(), target, stream).item() == pytest.approx(expected, abs=1e-4)


def test_gradient_penalty_is_per_sample():
    """Slopes 0.5 and 1.5 cost (½)² each; one norm over the batch, √2.5, would cost another amount."""
    x = torch.tensor([[0.5, 0.0], [0.0, 1.5]])
    assert off_target(bowl, x, 1.0).item() == pytest.approx(0.25, abs=1e-5)


def test_gradient_penalty_looks_between_pairs(stream):
    """Between (0, 0) and (4, 0) the bowl's slope is the place itself, so E slope² = E (4u)²."""
    seen = []

    def spy(x):
        seen.append(x.detach())
        return bowl(x)

    gp(spy, torch.zeros(4000, 2), torch.tensor([[4.0, 0.0]]).expand(4000, 2), 0.0, stream)
    where = seen[0][:, 0]
    assert bool(((where >= 0) & (where <= 4)).all())
    assert bool((seen[0][:, 1] == 0).all())
    assert where.mean().item() == pytest.approx(2, abs=0.06)  # 3 standard errors of 4 U(0, 1) at 4000
    assert where.std().item() == pytest.approx(4 / 12**0.5, abs=0.05)
    assert len(where.unique()) > 3900  # a place for each pair, not one for the batch


def test_dragan_looks_around_real_points(stream):
    seen = []

    def spy(x):
        seen.append(x.detach())
        return bowl(x)

    real = points(4000) * 2
    dragan(spy, real, 1.0, stream)
    assert (seen[0] - real).std().item() == pytest.approx(0.5 * real.std().item(), rel=0.05)


def test_slope_reaches_the_parameters():
    """∂(γ/2 w²)/∂w = γ w for D(x) = w x."""
    d = nn.Linear(1, 1)
    r1(d, torch.ones(5, 1)).backward()
    assert d.weight.grad.item() == pytest.approx(d.weight.item())
    assert d.bias.grad is None or d.bias.grad.item() == 0


def test_square_slope_of_a_flat_critic_has_a_finite_gradient():
    d = nn.Linear(2, 1)
    nn.init.zeros_(d.weight)
    off_target(d, points(), 1.0).backward()
    assert bool(torch.isfinite(d.weight.grad).all())
    assert bool((square_slope(d, points()) == 0).all())


@pytest.mark.parametrize("name", ["gp", "r1", "r2", "dragan"])
def test_the_points_themselves_are_left_alone(name, stream):
    real, fake = points(seed=1), points(seed=2)
    before = real.clone(), fake.clone()
    penalty(name, bowl, real=real, fake=fake, target=1.0, generator=stream)
    assert not real.requires_grad
    assert torch.equal(real, before[0])
    assert torch.equal(fake, before[1])
