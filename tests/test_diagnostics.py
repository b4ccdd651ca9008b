"""Distances and mode scores against oracles: perfection scores its perfection, a known fault its known size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from playground.data import datasets, of_kinds
from playground.data.base import Distribution, Modes
from playground.diagnostics import distances
from playground.diagnostics.modes import score_modes
from playground.diagnostics.panel import Panel, discrimination, separated
from playground.rng import fresh

PLANE = [name for name in of_kinds(frozenset({"points"})) if datasets()[name].dim == 2]
MIXTURES = [name for name in PLANE if datasets()[name]().modes() is not None]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Sampler:
    """A family's face around a plain sampling rule: what the panel calls, and no more."""

    abilities = frozenset({"generate", "score"})
    config: Any = None

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        return self.draw(n, generator)

    def generate(self, z: Tensor) -> Tensor:
        return z

    def discriminate(self, x: Tensor) -> Tensor:
        return torch.zeros(len(x))


@pytest.mark.parametrize("name", PLANE)
def test_a_perfect_sampler_scores_within_its_floors(name: str) -> None:
    data = datasets()[name]()
    panel = Panel(data, seed=0)
    floors = panel.floors()
    for step in range(3):
        for metric, value in panel.score(Sampler(data.sample), step).items():
            if metric in ("d/real", "d/fake") or metric.startswith("near/"):
                continue
            room = 1.5 * (floors[metric].high - floors[metric].low) + 1e-9  # many scores: some fall outside 95 %
            assert floors[metric].low - room <= value <= floors[metric].high + room, metric


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_sampler_with_k_modes_scores_k(name: str, missing: int) -> None:
    data = datasets()[name]()
    modes = data.modes()
    keep = len(modes.centres) - missing
    if keep < 1:
        return
    x = data.sample(20_000, generator(1))
    score = score_modes(x[torch.cdist(x, modes.centres).argmin(1) < keep], modes)
    assert (score.covered, score.eight_percent) == (keep, keep)
    assert [mass > 0 for mass in score.masses] == [i < keep for i in range(len(modes.centres))]


def test_missing_modes_leave_every_floor() -> None:
    data = datasets()["ring8"]()
    panel = Panel(data, seed=0)

    def half(n: int, rng: torch.Generator) -> Tensor:
        x = data.sample(4 * n, rng)
        return x[x[:, 1] > 0.5][:n]

    scores, floors = panel.score(Sampler(half), 0), panel.floors()
    assert scores["modes/covered"] == 3
    for metric in ("dist/js", "dist/kl", "dist/sw", "dist/mmd", "modes/tv", "modes/reverse_kl"):
        assert scores[metric] > 5 * floors[metric].high, metric


def test_score_leaves_no_trace_and_repeats() -> None:
    data = datasets()["ring8"]()
    before = torch.get_rng_state()
    panel = Panel(data, seed=3)
    first = panel.score(Sampler(data.sample), 500)
    panel.floors()
    assert panel.score(Sampler(data.sample), 500) == first == Panel(data, 3).score(Sampler(data.sample), 500)
    assert panel.score(Sampler(data.sample), 750) != first
    assert torch.equal(before, torch.get_rng_state())


def test_a_dead_or_broken_generator_gives_finite_scores() -> None:
    panel = Panel(datasets()["ring8"](), seed=0)
    point = panel.score(Sampler(lambda n, _: torch.zeros(n, 2)), 0)
    assert (point["modes/covered"], point["spread/all"]) == (0, 0)
    nan = panel.score(Sampler(lambda n, _: torch.full((n, 2), math.nan)), 0)
    assert nan["modes/hq"] == 0
    assert all(math.isfinite(v) for v in (point | nan).values())


def test_two_disjoint_halves_of_real_data_are_within_the_band() -> None:
    data = datasets()["ring8"]()
    panel = Panel(data, seed=0)
    x = data.sample(3000, generator(4))
    halves, floors = panel.compare(x[:1000], x[1000:]), panel.floors()
    assert halves["dist/js"] <= 1.3 * floors["dist/js"].high
    assert halves["dist/sw"] <= 1.5 * floors["dist/sw"].high


def test_overlapping_modes_take_measured_perfection() -> None:
    data = datasets()["ring8"](std=0.9)
    assert not separated(data.modes())
    floor = Panel(data, seed=0).floors()["modes/hq"]
    assert floor.low <= floor.perfect <= floor.high
    assert floor.perfect > 0.99  # neighbours' tails count as high quality


def test_accuracy_knows_where_each_loss_draws_its_line() -> None:
    real, fake = torch.tensor([2.0, 1.0, 3.0, -1.0]), torch.tensor([-1.0, -2.0, 1.0, -3.0])
    assert discrimination(real, fake)["d/accuracy"] == 0.75
    assert discrimination(real + 50, fake + 50, None)["d/accuracy"] == 0.75  # a critic has no zero
    constant = discrimination(torch.zeros(8), torch.zeros(8))
    assert constant == {"d/accuracy": 0.5, "d/real": 0, "d/fake": 0}


# -- distances -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1000, 700])
def test_a_known_shift_has_the_known_sliced_wasserstein(m: int) -> None:
    x = torch.randn(1000, 2, generator=generator(5))
    shift = torch.tensor([0.6, 0.8]) * 3
    along = distances.directions(16, 2)
    y = (x if m == 1000 else torch.cat([x] * 7)[torch.arange(m * 10) % 1000][:7000]) + shift
    assert distances.sliced_wasserstein(x, y, along) == pytest.approx(3 * 2 / math.pi, rel=0.005)


def test_wasserstein_of_unequal_sizes_is_the_area_between_quantiles() -> None:
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [0.0], [3.0]])
    # quantiles: x is 0 to 1/2, then 1; y is 0 to 2/3, then 3
    assert float(distances.wasserstein_1d(x, y)) == pytest.approx((2 / 3 - 1 / 2) * 1 + (1 / 3) * 2)
    assert float(distances.wasserstein_1d(y, x)) == pytest.approx(float(distances.wasserstein_1d(x, y)))


def test_directions_are_unit_and_need_a_generator_beyond_the_plane() -> None:
    assert distances.directions(9, 2).norm(dim=1) == pytest.approx(torch.ones(9))
    assert distances.directions(9, 5, generator()).norm(dim=1).numpy() == pytest.approx([1] * 9, abs=1e-6)
    with pytest.raises(ValueError, match="pass a generator"):
        distances.directions(9, 5)


def test_mmd_of_two_points_sets_by_hand() -> None:
    x, y = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[5.0, 0.0], [5.0, 2.0]])
    k = lambda a, b: sum(math.exp(-((a - b).norm().item() ** 2) / (2 * w**2)) for w in (0.5, 1, 2, 4, 8)) / 5  # noqa: E731
    by_hand = k(x[0], x[1]) + k(y[0], y[1]) - 2 * sum(k(a, b) for a in x for b in y) / 4
    assert distances.mmd2(x, y, 2.0) == pytest.approx(by_hand, abs=1e-6)
    with pytest.raises(ValueError, match="at least 2"):
        distances.mmd2(x[:1], y, 1.0)


def test_energy_distance_grows_like_twice_a_far_shift() -> None:
    x, y = torch.randn(500, 2, generator=generator(6)), torch.randn(500, 2, generator=generator(7))
    assert distances.energy_distance(x, y) == pytest.approx(0, abs=0.03)
    assert distances.energy_distance(x, y + 100) == pytest.approx(200 * math.sqrt(2), rel=0.02)


def test_divergences_of_empty_cells() -> None:
    p, q = np.array([0.5, 0.5, 0.0]), np.array([1.0, 0.0, 0.0])
    assert distances.kl(p, q) == math.inf
    assert distances.kl(q, p) == pytest.approx(math.log(2))
    assert distances.skew_kl(p, q) == pytest.approx(0.5 * math.log(0.5 / 0.995) + 0.5 * math.log(100), abs=1e-6)
    assert distances.skew_kl(q[1::-1], q[:2]) == pytest.approx(math.log(100))
    assert distances.js(q[1::-1], q[:2]) == pytest.approx(math.log(2))


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.lists(st.floats(0, 1), min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_divergences_are_never_negative_nan_or_over_their_bound(a: list[float], b: list[float]) -> None:
    p, q = np.array(a) + 1e-300, np.array(b) + 1e-300
    p, q = p / p.sum(), q / q.sum()
    assert -1e-12 <= distances.js(p, q) <= math.log(2) + 1e-12
    assert -1e-12 <= distances.skew_kl(p, q) <= math.log(100) + 1e-12
    assert distances.js(p, q) == pytest.approx(distances.js(q, p), abs=1e-12)
    assert distances.kl(p, q) >= -1e-12


@pytest.mark.parametrize("name", PLANE)
def test_cell_masses_agree_with_counting(name: str) -> None:
    data = datasets()[name]()
    masses = distances.cell_masses(data, data.extent, 16, generator(8))
    counts = distances.cell_counts(data.sample(100_000, generator(9)).numpy(), data.extent, 16)
    assert float(masses.sum()) == pytest.approx(1, abs=1e-6)
    assert int(counts.sum()) == 100_000
    assert np.abs(masses - counts / 100_000).sum() < 0.06


def test_cells_are_counted_row_by_row_from_the_bottom_left_with_one_for_outside() -> None:
    x = np.array([[-0.9, -0.9], [0.9, -0.9], [-0.9, 0.9], [0.9, 0.9], [7.0, 0.0], [math.nan, 0.0]])
    assert distances.cell_counts(x, 1.0, 2).tolist() == [1, 1, 1, 1, 2]


def test_a_density_too_sharp_for_the_grid_is_counted_instead() -> None:
    class Needle(Distribution):
        @property
        def extent(self) -> float:
            return 1.0

        def modes(self) -> Modes:
            return Modes(torch.full((1, 2), 0.01), 1e-4, torch.ones(1))

        def sample(self, n: int, generator: torch.Generator) -> Tensor:
            return torch.full((n, 2), 0.01)

        def log_density(self, x: Tensor) -> Tensor:
            return -(x - 0.01).square().sum(1) / (2 * 1e-8) - math.log(2 * math.pi * 1e-8)

    masses = distances.cell_masses(Needle(), 1.0, 4, fresh(0, "cells"))
    assert masses.max() == 1
