"""Exams A1 and A3: the final radii of the Dirac-GAN and of the bilinear game under each training method."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from playground.data.games import Bilinear, Dirac
from playground.families.base import View
from playground.families.gan import Gan
from playground.games import LOSSES, Game, field, force, from_settings, play, players_losses
from playground.gan_settings import GanSettings
from playground.rng import Streams

A1 = [
    ({"loss": "minimax"}, 3.09695, 1.42102),
    ({"loss": "non-saturating"}, 0.640207, 0.283923),
    ({"loss": "wasserstein"}, 25636, 1.39786),
    ({"loss": "wasserstein", "clip": 1.0}, 1.00215, 1.02412),
    ({"loss": "wasserstein", "gamma": 0.7, "target": 1.0}, 1.80179, 1.22107),
]
CONVERGING = [
    ({"loss": "minimax", "gamma": 0.3}, 1e-5),
    ({"loss": "minimax", "gamma": 1.0}, 1e-5),
    ({"loss": "minimax", "consensus": 1.0}, 1e-5),
    ({"loss": "non-saturating", "gamma": 0.3}, 1e-5),
    ({"loss": "minimax", "noise": 0.7}, 0.05),
]
A3 = [
    ("simultaneous", 144.77277),
    ("alternating", 0.98943),
    ("extragradient", 0.00691083),
    ("optimistic", 0.00630474),
]


def radius(path: torch.Tensor) -> float:
    return float(path[-1].norm())


@pytest.mark.parametrize(("rules", "simultaneous", "alternating"), A1)
def test_dirac_gan_ends_at_the_known_radius(rules: dict[str, Any], simultaneous: float, alternating: float) -> None:
    assert radius(play(500, Game(**rules))) == pytest.approx(simultaneous, rel=1e-3)
    assert radius(play(500, Game(order="alternating", **rules))) == pytest.approx(alternating, rel=1e-3)


@pytest.mark.parametrize(("rules", "bound"), CONVERGING)
def test_dirac_gan_converges(rules: dict[str, Any], bound: float) -> None:
    assert radius(play(500, Game(**rules))) < bound
    if "consensus" not in rules:  # second derivatives are slow
        assert radius(play(500, Game(order="alternating", **rules))) < bound


@pytest.mark.parametrize(("order", "ratio"), A3)
def test_bilinear_game_ends_at_the_known_ratio(order: Any, ratio: float) -> None:
    path = play(1000, Game(loss="wasserstein", order=order, lr_g=0.1, lr_d=0.1))
    assert path.shape == (1001, 2)
    printed = 5e-6 if order == "alternating" else 0  # 0.98943 is given to five digits
    assert radius(path) / math.sqrt(2) == pytest.approx(ratio, rel=1e-6, abs=printed)


def test_bilinear_game_is_the_power_of_a_matrix() -> None:
    h = 0.1
    step_g, step_d = torch.tensor([[1, -h], [0, 1]]).double(), torch.tensor([[1, 0], [h, 1]]).double()
    turn = torch.tensor([[0, -h], [h, 0]]).double()
    one = torch.eye(2).double()
    for order, first, matrix in (
        ("simultaneous", "g", one + turn),
        ("alternating", "g", step_d @ step_g),
        ("alternating", "d", step_g @ step_d),
        ("extragradient", "g", one + turn @ (one + turn)),
    ):
        path = play(200, Game(loss="wasserstein", order=order, first=first, lr_g=h, lr_d=h))  # type: ignore[arg-type]
        expected = torch.linalg.matrix_power(matrix, 200) @ torch.ones(2).double()
        torch.testing.assert_close(path[-1], expected, rtol=1e-6, atol=1e-9)


def test_forces_are_the_known_ones() -> None:
    theta, psi = torch.tensor([0.7]).double(), torch.tensor([-0.4]).double()
    slope = torch.sigmoid(-theta * psi)  # f'(theta psi)
    point = torch.stack([theta, psi], 1)
    torch.testing.assert_close(force(point, Game()), torch.stack([-psi * slope, theta * slope], 1))
    gradient = torch.stack([-psi * (1 - slope), theta * slope - 0.3 * psi], 1)
    torch.testing.assert_close(force(point, Game(loss="non-saturating", gamma=0.3)), gradient)
    torch.testing.assert_close(force(point, Game(loss="wasserstein")), torch.stack([-psi, theta], 1))
    torch.testing.assert_close(
        field(point, Game(loss="wasserstein", lr_g=0.1, lr_d=0.5))[0], torch.tensor([0.04, 0.35]).double()
    )
    consensus = torch.stack([-psi - 2 * theta, theta - 2 * psi], 1)  # J = [[0, -1], [1, 0]], so J'v = (theta, psi)
    torch.testing.assert_close(force(point, Game(loss="wasserstein", consensus=2.0)), consensus)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_equilibrium_at_the_origin_where_the_loss_has_one(loss: Any) -> None:
    pushed = force(torch.zeros(1, 2), Game(loss=loss))
    assert float(pushed.abs().max()) == 0


def test_instance_noise_is_the_mean_over_the_noise() -> None:
    theta, psi, s = torch.tensor([0.9]).double(), torch.tensor([1.3]).double(), 0.7
    d, g = players_losses(theta, psi, Game(noise=s))
    noise = s * torch.randn(400_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    fake = torch.nn.functional.softplus(-psi * (theta + noise)).mean()
    real = torch.nn.functional.softplus(psi * noise).mean()
    assert float(d) == pytest.approx(float(real + fake), abs=3e-3)
    assert float(g) == pytest.approx(float(-fake), abs=3e-3)


@pytest.mark.parametrize("kind", [Dirac, Bilinear])
def test_players_of_the_data_set_play_the_same_game(kind: type[Dirac]) -> None:
    """Autograd on the two modules, D first, walks the exact path."""
    loss: Any = "wasserstein" if kind is Bilinear else "minimax"
    data = kind(start_theta=0.5, start_psi=-0.8)
    generator, discriminator = data.players()
    real = data.sample(16, torch.Generator().manual_seed(0))
    z = torch.zeros(16, 3)
    d_rule, g_rule = LOSSES[loss]
    for _ in range(50):
        for player, rule in ((discriminator, d_rule), (generator, g_rule)):
            a, b = discriminator(real), discriminator(generator(z))
            (slope,) = torch.autograd.grad(rule(a, b, a, b).mean(), list(player.parameters()))
            with torch.no_grad():
                next(player.parameters()).sub_(0.2 * slope)
    state = torch.cat([*generator.parameters(), *discriminator.parameters()]).detach()
    expected = play(50, Game(loss=loss, order="alternating", first="d"), start=(0.5, -0.8))[-1]
    torch.testing.assert_close(state.double(), expected, rtol=1e-4, atol=1e-5)


TRAINED: list[dict[str, Any]] = [
    {"loss": "minimax"},
    {"loss": "minimax", "order": "simultaneous"},
    {"loss": "non-saturating", "penalty": "r1", "penalty_weight": 0.3},
    {"loss": "non-saturating", "penalty": "r2", "penalty_weight": 0.3},
    {"loss": "wasserstein-gp", "penalty_weight": 0.0},
    {"loss": "wasserstein-gp", "penalty_weight": 0.35, "order": "simultaneous"},
    {"loss": "wasserstein-clip", "clip": 1.0},
    {"loss": "least-squares", "penalty": "dragan", "penalty_weight": 0.1, "penalty_target": 0.5},
    {"loss": "hinge"},
    {"loss": "relativistic"},
]


@pytest.mark.parametrize("settings", TRAINED, ids=lambda s: " ".join(map(str, s.values())))
def test_gan_family_walks_the_path_of_the_exact_game(settings: dict[str, Any]) -> None:
    sgd = {"optimiser_d": "sgd", "optimiser_g": "sgd", "lr_d": 0.2, "lr_g": 0.2, "batch": 4, "noise_dim": 1}
    config = GanSettings(**sgd, **settings)
    data, rng = Dirac(), Streams(0)
    gan = Gan(config, data, rng)
    for _ in range(60):
        gan.step(data.sample(gan.rows, rng["data"]), rng)
    state = torch.cat([p.detach() for p in (*gan.g.parameters(), *gan.d.parameters())]).double()
    expected = play(60, from_settings(config))[-1]
    torch.testing.assert_close(state, expected, rtol=2e-4, atol=2e-5)


def test_gan_family_reproduces_the_printed_radii_of_simultaneous_steps() -> None:
    """G first is not an order of the lab's GAN, so that only the simultaneous figures of A1 can come from it."""
    for loss, expected in (("minimax", 3.09695), ("non-saturating", 0.640207)):
        config = GanSettings(
            loss=loss, order="simultaneous", optimiser_d="sgd", optimiser_g="sgd", lr_d=0.2, lr_g=0.2, batch=1
        )  # type: ignore[arg-type]
        data, rng = Dirac(), Streams(0)
        gan = Gan(config, data, rng)
        for _ in range(500):
            gan.step(data.sample(gan.rows, rng["data"]), rng)
        phase = gan.picture(View(2.0, frozenset()), torch.zeros(1, config.noise_dim))["phase"]
        assert float(phase.norm()) == pytest.approx(expected, rel=1e-3)
