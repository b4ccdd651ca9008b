"""Known answers for the data sets: places, spreads and shares by definition, densities against closed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import make_moons, make_swiss_roll

from playground.data import dataset, datasets
from playground.data.areas import Checkerboard, Pinwheel
from playground.data.base import Distribution
from playground.data.curves import Circles, Curve, Line, Moons, Ring, Spirals, SwissRoll
from playground.data.gaussians import Grid25, Mixture, Ring8, Ring8Rare

ISSUE = (
    "ring8 grid9 grid25 two-gaussians line ring disjoint swiss-roll moons circles spirals checkerboard pinwheel "
    "ring8-rare dirac bilinear"
)


def draw(data: Distribution, n: int = 20_000, seed: int = 0) -> torch.Tensor:
    return data.sample(n, torch.Generator().manual_seed(seed)).double()


def density(data: Distribution, x: torch.Tensor) -> torch.Tensor:
    found = data.log_density(x)
    assert found is not None
    return found


def test_every_named_data_set_is_there_in_order() -> None:
    assert list(datasets())[:16] == ISSUE.split()


@pytest.mark.parametrize("k", [1, 2, 7, 8, 32])
def test_a_ring_has_k_distinct_centres(k: int) -> None:
    """An angle grid with both ends would count one centre twice."""
    centres = Ring8(n_modes=k).modes().centres
    assert centres[0].tolist() == [2, 0]
    torch.testing.assert_close(centres.norm(dim=1), torch.full((k,), 2.0))
    apart = torch.cdist(centres, centres) + 10 * torch.eye(k)
    torch.testing.assert_close(apart.amin(), torch.tensor(min(10.0, 4 * math.sin(math.pi / k) if k > 1 else 10.0)))


def test_grid_has_every_node_once() -> None:
    nodes = {(float(x), float(y)) for x, y in Grid25(spacing=0.5).modes().centres}
    assert nodes == {(x / 2, y / 2) for x in range(-2, 3) for y in range(-2, 3)}


@pytest.mark.parametrize("name", ["ring8", "grid9", "grid25", "two-gaussians", "disjoint", "ring8-rare"])
def test_std_is_a_standard_deviation_and_weights_are_shares(name: str) -> None:
    data = dataset(name)(std=0.03)
    assert isinstance(data, Mixture)
    modes, x = data.modes(), draw(data)
    distance, nearest = torch.cdist(x, modes.centres.double()).min(1)
    assert modes.std == 0.03
    assert float(distance.square().mean() / 2) == pytest.approx(0.03**2, rel=0.03)
    assert float((distance <= 3 * 0.03).double().mean()) == pytest.approx(1 - math.exp(-4.5), abs=0.003)
    shares = torch.bincount(nearest, minlength=len(modes.weights)) / len(x)
    assert float(modes.weights.sum()) == pytest.approx(1)
    error = (modes.weights * (1 - modes.weights) / len(x)).sqrt()
    assert ((shares - modes.weights).abs() < 4.5 * error).all()
    peak = modes.weights.log() - math.log(2 * math.pi * 0.03**2)
    torch.testing.assert_close(density(data, modes.centres), peak)


def test_rare_mode_is_the_first_and_single_mode_has_all() -> None:
    assert Ring8Rare(rare=0.01).modes().weights.tolist() == pytest.approx([0.01] + [0.99 / 7] * 7)
    assert Ring8Rare(n_modes=1).modes().weights.tolist() == [1]
    torch.testing.assert_close(
        draw(Ring8Rare(n_modes=1), 500).mean(0), torch.tensor([2.0, 0.0]).double(), atol=0.02, rtol=0
    )


def test_ring_density_is_the_integral_over_the_circle() -> None:
    x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    angle = torch.arange(4000, dtype=torch.float64) * (2 * math.pi / 4000)

    def integral(radius: float) -> torch.Tensor:
        circle = radius * torch.stack([angle.cos(), angle.sin()], 1)
        return (-torch.cdist(x, circle).square() / 0.02).logsumexp(1) - math.log(4000 * 0.02 * math.pi)

    torch.testing.assert_close(density(Ring(radius=1.2, jitter=0.1), x), integral(1.2))
    both = torch.logaddexp(integral(1.5), integral(0.3)) - math.log(2)
    torch.testing.assert_close(density(Circles(radius=1.5, inner=0.2, jitter=0.1), x), both)


def test_ring_density_does_not_overflow_for_little_noise() -> None:
    x = torch.tensor([[1.8, 0.0], [0.0, 0.0], [3.0, 3.0]])
    found = density(Ring(jitter=0.005), x)
    assert torch.isfinite(found).all()
    assert float(found[0]) == pytest.approx(-math.log(2 * math.pi * 1.8 * math.sqrt(2 * math.pi) * 0.005), abs=1e-4)


def test_line_density_is_half_at_its_end_and_flat_inside() -> None:
    data = Line(tilt=90, radius=1.0, jitter=0.05)
    inside = -math.log(2 * math.sqrt(2 * math.pi) * 0.05)
    found = density(data, torch.tensor([[0.0, 0.0], [0.0, 1.0], [0.05, -0.5], [0.0, 9.0]]))
    assert found[:3].tolist() == pytest.approx([inside, inside - math.log(2), inside - 0.5], abs=1e-5)
    assert math.isfinite(float(found[3]))
    x = draw(Line(radius=2, jitter=0.01))
    assert float(x.norm(dim=1).max()) == pytest.approx(2, abs=0.05)
    assert float(torch.atan2(x[:, 1], x[:, 0]).abs().min()) < math.radians(30) + 0.05


@pytest.mark.parametrize(
    "data",
    [
        Moons(),
        Moons(jitter=0.5),
        SwissRoll(),
        SwissRoll(jitter=0.02),
        Spirals(),
        Spirals(n_modes=4, turns=2.0, jitter=0.03),
        Spirals(n_modes=1, turns=0.25, jitter=0.3),
    ],
    ids=str,
)
def test_quadrature_along_a_curve_has_converged(data: Curve) -> None:
    x = draw(data, 500)
    coarse, (centres, log_mass) = density(data, x), data.nodes(fine=4)
    square = torch.cdist(x, centres, compute_mode="donot_use_mm_for_euclid_dist").square()
    fine = (log_mass - square / (2 * data.jitter**2)).logsumexp(1) - math.log(2 * math.pi * data.jitter**2)
    assert float(log_mass.exp().sum()) == pytest.approx(1, abs=1e-9)
    assert float((coarse - fine).abs().max()) < 1e-4


def test_moons_and_swiss_roll_are_those_of_scikit_learn() -> None:
    moons, side = make_moons(2000, noise=None)
    ours = Moons(radius=1.0).outline()
    for arm in (0, 1):
        theirs = torch.from_numpy(moons[side == arm] - np.array([0.5, 0.25]))
        assert float(torch.cdist(theirs, ours[arm]).min(1).values.max()) < 0.01
    roll, t = make_swiss_roll(2000, noise=0.0, random_state=0)
    theirs = torch.from_numpy(roll[:, [0, 2]] / (4.5 * math.pi))
    place = torch.from_numpy((t / (1.5 * math.pi) - 1) / 2)
    torch.testing.assert_close(SwissRoll(radius=1.0).curve(place, torch.zeros_like(place)), theirs)


@pytest.mark.parametrize(("squares", "dark"), [(1, 1), (2, 2), (3, 5), (4, 8)])
def test_checkerboard_is_even_on_its_dark_squares(squares: int, dark: int) -> None:
    data = Checkerboard(squares=squares, radius=1.0)
    x = draw(data)
    level = -math.log(dark * (2 / squares) ** 2)
    found = density(data, x * (1 - 1e-6))
    assert float((found - level).abs().max()) < 1e-6
    outside = density(data, torch.tensor([[1.5, 0.0], [0.0, -1.01]]))
    assert torch.isneginf(outside).all()
    soft = density(Checkerboard(squares=squares, radius=1.0, jitter=0.001), data.sample(4, torch.Generator()))
    assert soft.tolist() == pytest.approx([level] * 4, abs=0.1)


def test_pinwheel_without_twist_is_a_mixture_and_twisting_keeps_area() -> None:
    straight = Pinwheel(n_modes=4, twist=0.0, std=0.2, jitter=0.2, radius=1.0)
    ring = Ring8(n_modes=4, radius=1.0, std=0.2)
    x = draw(ring, 200)
    torch.testing.assert_close(density(straight, x), density(ring, x), rtol=1e-5, atol=1e-5)
    bent = straight.with_values(twist=1.5)
    z = torch.view_as_complex(x)
    turned = torch.view_as_real(z * torch.polar(torch.ones(200).double(), 1.5 * z.abs()))
    torch.testing.assert_close(density(bent, turned), density(straight, x))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ring8", {"n_modes": 3, "radius": 0.5, "std": 0.3}),
        ("grid25", {"side": 2, "spacing": 0.4, "std": 0.2}),
        ("ring8-rare", {"n_modes": 4, "rare": 0.5}),
        ("line", {"tilt": -75, "jitter": 0.3}),
        ("circles", {"inner": 0.9, "jitter": 0.2}),
        ("spirals", {"n_modes": 4, "turns": 0.5, "jitter": 0.15}),
        ("swiss-roll", {"jitter": 0.3, "radius": 1.0}),
        ("checkerboard", {"squares": 5, "jitter": 0.1}),
        ("pinwheel", {"n_modes": 3, "twist": -2.0, "jitter": 0.2}),
        ("custom", {"jitter": 0.3}),
    ],
)
def test_live_settings_change_samples_and_density_together(name: str, settings: dict[str, Any]) -> None:
    data = dataset(name)(**settings)
    line = (torch.arange(160, dtype=torch.float64) + 0.5) / 80 - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    half = 1.2 * data.extent
    found = density(data, torch.stack([x.flatten(), y.flatten()], 1) * half)
    mass = found.exp() * (half / 80) ** 2
    assert float(mass.sum()) == pytest.approx(1, abs=5e-3)
    seen = density(data, data.sample(5000, torch.Generator().manual_seed(0)))
    assert float(seen.mean()) == pytest.approx(float((mass * found).nansum()), abs=4 * float(seen.std()) / 70 + 0.01)
    assert not torch.equal(draw(data, 50), draw(dataset(name)(), 50))
