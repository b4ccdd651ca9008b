"""Exams of the metrics: closed forms, reference formulas and published traps, each with its known answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from playground.data import datasets
from playground.data.base import Modes
from playground.diagnostics import birthday, distances
from playground.diagnostics.frechet import frechet, frechet_samples
from playground.diagnostics.modes import HQ_PERFECT, reverse_kl_all, score_modes
from playground.diagnostics.prdc import expected_coverage, prdc
from playground.exams import EXAMS


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def even(k: int, m: int) -> Modes:
    """K centres on a line, far apart, and weights of a mixture; only the first m are sampled in the tests."""
    return Modes(torch.stack([torch.arange(k) * 10.0, torch.zeros(k)], 1), 0.1, torch.full((k,), 1 / k))


@pytest.mark.parametrize(
    ("m", "k", "known"),
    [(1, 8, 2.079442), (4, 8, 0.693147), (7, 8, 0.133531), (1, 25, 3.218876), (7, 25, 1.272966)],
)
def test_b1_reverse_kl_of_exact_samples_at_m_of_k_centres(m: int, k: int, known: float) -> None:
    modes = even(k, m)
    score = score_modes(modes.centres[:m].repeat(10, 1), modes)
    assert score.reverse_kl == pytest.approx(known, abs=1e-6)
    assert (score.covered, score.one_percent, score.eight_percent) == (m, m, m)
    assert score.tv == pytest.approx(1 - m / k, abs=1e-6)
    assert reverse_kl_all(modes.centres[:m], modes) == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize(("m", "known"), [(1, 0.496929), (4, 0.215762), (7, 0.045406)])
def test_b1_js_of_exact_samples_at_m_of_8_centres(m: int, known: float) -> None:
    assert distances.js(np.full(8, 1 / 8), (np.arange(8) < m) / m) == pytest.approx(known, abs=1e-6)


def test_b1_no_sample_in_any_mode_gives_numbers() -> None:
    score = score_modes(torch.full((50, 2), 99.0), even(8, 0))
    assert (score.covered, score.hq, score.tv) == (0, 0.0, 1.0)
    assert score.reverse_kl == pytest.approx(math.log(8), abs=1e-6)
    assert "spread" not in score.metrics()
    assert all(math.isfinite(v) for v in score.metrics().values())


def test_b4_equals_the_papers_formulas_written_out() -> None:
    rng = np.random.default_rng(1)
    real, fake, k = rng.normal(size=(120, 3)), rng.normal(0.4, 0.9, size=(90, 3)), 5
    far = lambda a, b: np.sqrt(((a[:, None] - b[None]) ** 2).sum(2))  # noqa: E731
    radius = lambda a: np.sort(far(a, a), 1)[:, k]  # noqa: E731
    between, r, f = far(real, fake), radius(real), radius(fake)
    score = prdc(torch.tensor(real), torch.tensor(fake), k)
    assert score.precision == pytest.approx((between < r[:, None]).any(0).mean(), abs=1e-6)
    assert score.recall == pytest.approx((between < f[None]).any(1).mean(), abs=1e-6)
    assert score.density == pytest.approx((between < r[:, None]).sum(0).mean() / k, abs=1e-6)
    assert score.coverage == pytest.approx((between.min(1) < r).mean(), abs=1e-6)


def test_b4_same_distribution_has_density_1_and_the_expected_coverage() -> None:
    rng = generator(2)
    scores = [prdc(torch.randn(1000, 2, generator=rng), torch.randn(1000, 2, generator=rng)) for _ in range(8)]
    assert expected_coverage(1000, 1000, 5) == pytest.approx(0.968984, abs=1e-6)
    assert np.mean([s.density for s in scores]) == pytest.approx(1, abs=0.02)
    assert np.mean([s.coverage for s in scores]) == pytest.approx(0.968984, abs=0.012)  # 0.011 each, 8 of them


def test_b4_density_is_never_clamped() -> None:
    real = torch.randn(500, 20, generator=generator(3))  # in 20 dimensions the middle lies inside most balls
    assert prdc(real, 0.01 * torch.randn(500, 20, generator=generator(4))).density > 10


@pytest.mark.parametrize(("m", "recall", "coverage"), [(8, 0.993, 0.963), (4, 0.5, 0.5), (1, 0.123, 0.123)])
def test_b5a_ring8_precision_recall_and_coverage_by_modes(m: int, recall: float, coverage: float) -> None:
    rng = generator(5)
    angle = torch.arange(8) * (math.pi / 4)
    centres = 2 * torch.stack([angle.cos(), angle.sin()], 1)
    draw = lambda of: centres[torch.randint(of, (2000,), generator=rng)] + 0.02 * torch.randn(2000, 2, generator=rng)  # noqa: E731
    score = prdc(draw(8), draw(m))
    assert score.recall == pytest.approx(recall, abs=0.03)
    assert score.coverage == pytest.approx(coverage, abs=0.03)
    assert score.precision == pytest.approx(0.994, abs=0.03)


def test_b6_frechet_distances() -> None:
    zero, eye = torch.zeros(2), torch.eye(2)
    assert frechet(zero, eye, torch.tensor([3.0, 4.0]), 4 * eye) == pytest.approx(27.0, abs=1e-9)
    tilted, straight = torch.tensor([[2.0, 1.0], [1.0, 2.0]]), torch.diag(torch.tensor([1.0, 3.0]))
    assert frechet(zero, tilted, zero, straight) == pytest.approx(0.516685, abs=1e-6)
    assert frechet(zero, tilted, zero, tilted) < 1e-6


def test_b6_rank_deficient_covariances_give_a_number() -> None:
    flat = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    assert frechet(torch.zeros(2), flat, torch.zeros(2), flat) == pytest.approx(0, abs=1e-9)
    few = torch.randn(3, 10, generator=generator(6))  # rank 2 of 10
    assert frechet_samples(few, few) == pytest.approx(0, abs=1e-6)
    assert math.isfinite(frechet_samples(few, torch.ones(4, 10)))
    assert frechet_samples(torch.zeros(2, 1), torch.tensor([[1.0], [3.0]])) == pytest.approx(4 + 2)  # n - 1


def test_b8_birthday_paradox() -> None:
    assert [birthday.half_batch(n) for n in (100, 365, 1000)] == [13, 23, 38]
    assert birthday.collision_probability(23, 365) == pytest.approx(0.507297, abs=1e-6)
    assert birthday.collision_probability(366, 365) == 1
    assert 365 / 2 < birthday.support_size(23) < 365 * 2


def test_b8_support_is_found_from_samples_to_an_order_of_magnitude() -> None:
    items = torch.randint(200, (400, 1), generator=generator(7)).float()
    batch = birthday.colliding_batch(items, 0.5, generator(8))
    assert 100 < birthday.support_size(batch) < 400
    assert birthday.colliding_batch(torch.arange(50.0)[:, None], 0.5, generator(9)) == math.inf


@pytest.mark.parametrize(("shift", "known"), [(0.5, 0.030311), (1, 0.111421), (2, 0.336831), (4, 0.632720)])
def test_a5a_jsd_of_shifted_gaussians(shift: float, known: float) -> None:
    assert distances.gaussian_jsd(shift) == pytest.approx(known, abs=1e-6)
    assert distances.gaussian_jsd(-3 * shift, std=3) == pytest.approx(known, abs=1e-6)


# -- traps -----------------------------------------------------------------------------------------------------------


def test_trap_ball_against_box() -> None:
    data = datasets()["ring8"]()
    score = score_modes(data.sample(200_000, generator(10)), data.modes())
    assert pytest.approx(0.98889, abs=5e-6) == HQ_PERFECT
    assert score.hq == pytest.approx(HQ_PERFECT, abs=1e-3)
    assert abs(score.hq - math.erf(3 / math.sqrt(2)) ** 2) > 4e-3


def test_trap_a_smooth_ring_does_not_pass_for_eight_modes() -> None:
    angle = torch.rand(5000, generator=generator(11)) * 2 * math.pi
    score = score_modes(2 * torch.stack([angle.cos(), angle.sin()], 1), datasets()["ring8"]().modes())
    assert score.covered == 8  # the generous rule is fooled
    assert score.hq < 0.45  # quality is not: 8 arcs of 6 sigma on a circumference of 4 pi
    assert score.tv > 0.5


def test_trap_too_narrow_samples_show_in_spread_not_in_coverage() -> None:
    data = datasets()["ring8"]()
    score = score_modes(
        data.modes().centres.repeat(300, 1) + 0.02 * torch.randn(2400, 2, generator=generator(12)), data.modes()
    )
    assert score.hq > 0.993
    assert score.spread == pytest.approx(0.2 / 0.97433, abs=0.01)


def test_trap_spread_divides_by_n_minus_1() -> None:
    rng = generator(13)
    one = Modes(torch.zeros(1, 2), 1.0, torch.ones(1))
    spreads = torch.tensor([score_modes(torch.randn(3, 2, generator=rng), one).spread for _ in range(1500)])
    assert float(spreads.square().nanmean()) == pytest.approx(1, abs=0.08)  # with n it would be 0.67


def test_trap_biased_mmd() -> None:
    rng = generator(14)
    draw = lambda: torch.randn(100, 2, generator=rng)  # noqa: E731
    values = torch.tensor([distances.mmd2(draw(), draw(), 1.5) for _ in range(300)])
    assert float(values.mean()) == pytest.approx(0, abs=3 * float(values.std()) / math.sqrt(300))
    assert 0.3 < float((values < 0).float().mean()) < 0.8  # the biased one is never negative


@pytest.mark.parametrize("name", ["B1", "B4", "B5a", "B6", "B8"])
def test_the_exams_of_metrics_pass(name: str) -> None:
    assert [row for row in EXAMS[name]() if not row["ok"]] == []
