"""InfoGAN: the bound on the information, who learns from it, and that categories come to name modes."""

import math

import pytest
import torch

from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.families.base import View
from playground.families.infogan import InfoGan, normal_log_density
from playground.presets import preset
from playground.rng import Streams, fresh

SMALL = {"g_depth": 1, "g_width": 16, "d_depth": 1, "d_width": 16, "batch": 16, "noise_dim": 3}


def build(dataset="digits", seed=0, **values):
    experiment = Experiment.of("infogan").on(dataset).changed(seed=seed, **SMALL | values)
    rng = Streams(seed)
    return InfoGan(experiment.model, experiment.data, rng), rng


def advance(gan, rng, n=1, players=None):
    for i in range(n):
        result = gan.step(gan.take(gan.rows, i * gan.rows, rng), rng, players)
    return {name: value.item() for name, value in result.all().items()}


def outputs(gan, logits, mean, log_std):
    return torch.cat([torch.zeros(len(logits), 1), logits, mean, log_std], 1)


def rows(gan, z):
    return torch.cat([torch.zeros(len(z), gan.numbers), z[:, gan.config.noise_dim :]], 1)


def test_a_category_read_without_fail_holds_ln_k_nats():
    gan, _ = build(categories=10)
    z = gan.noise(64, fresh(0, "z"))
    read = outputs(gan, 1000 * z[:, 3:13], torch.zeros(64, 2), torch.zeros(64, 2))
    told = gan._own_term(read, rows(gan, z))[1]
    assert told["info/categorical"].item() == pytest.approx(math.log(10), abs=1e-5)


def test_a_category_guessed_blindly_holds_nothing():
    gan, _ = build(categories=10)
    z = gan.noise(64, fresh(0, "z"))
    told = gan._own_term(outputs(gan, torch.zeros(64, 10), torch.zeros(64, 2), torch.zeros(64, 2)), rows(gan, z))[1]
    assert told["info/categorical"].item() == pytest.approx(0, abs=1e-5)


def test_numbers_read_to_within_a_normal_hold_ln_2_minus_its_entropy():
    """c - mean ~ N(0, σ²) read with that σ: L_I = ln 2 - ½ ln(2 π e σ²) a number."""
    gan, _ = build(continuous=1)
    z = gan.noise(20_000, fresh(0, "z"))
    mean = z[:, -1:] + 0.3 * torch.randn(20_000, 1, generator=fresh(0, "e"))
    read = outputs(gan, torch.zeros(20_000, 10), mean, torch.full((20_000, 1), math.log(0.3)))
    told = gan._own_term(read, rows(gan, z))[1]["info/continuous"].item()
    assert told == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi * math.e * 0.09), abs=0.03)


def test_density_is_the_normals():
    x, mean, log_std = torch.randn(3, 50, generator=fresh(0, "x")) * torch.tensor([[1.0], [1.0], [0.3]])
    expected = torch.distributions.Normal(mean, log_std.exp()).log_prob(x)
    assert torch.allclose(normal_log_density(x, mean, log_std), expected, atol=1e-4)
    assert torch.isfinite(normal_log_density(x, x, torch.full((50,), -1e9))).all()


def test_the_term_is_minus_the_weighted_bounds():
    gan, _ = build(info_category=0.3, info_continuous=0.7)
    z = gan.noise(8, fresh(0, "z"))
    term, told = gan._own_term(torch.randn(8, 1 + 10 + 4, generator=fresh(0, "o")), rows(gan, z))
    assert term.item() == pytest.approx(-0.3 * told["info/categorical"].item() - 0.7 * told["info/continuous"].item())


def test_codes_say_what_z_holds():
    gan, _ = build(categories=4, continuous=3)
    kinds = [(code.kind, code.start, code.size, code.given) for code in gan.codes()]
    assert kinds[:2] == [("noise", 0, 3, False), ("category", 3, 4, False)]
    assert kinds[2:] == [("continuous", 7 + i, 1, False) for i in range(3)]
    z = gan.noise(1000, fresh(0, "z"))
    assert z.shape == (1000, 10)
    assert torch.equal(z[:, 3:7].sum(1), torch.ones(1000))
    assert float(z[:, 7:].abs().max()) <= 1
    assert z[:, 7:].std().item() == pytest.approx(1 / math.sqrt(3), rel=0.05)


def test_d_scores_without_looking_at_codes():
    gan, rng = build()
    real = gan.take(6, 0, rng)
    other = real.clone()
    other[:, gan.numbers :] = 1
    with torch.no_grad():
        assert torch.equal(gan.d(real), gan.d(other))
        x = gan.data.held_out(6, 0).x
        assert torch.allclose(gan.discriminate(x), gan.d(gan.join(2 * x - 1, torch.zeros(6, 12)))[:, 0], atol=1e-6)


def test_both_players_learn_from_the_information():
    """With a loss that pulls at nothing but the codes: G alone and D alone each raise the bound."""
    for player in ("d", "g"):
        gan, rng = build(info_category=10.0, info_continuous=0.0, lr_d=3e-3, lr_g=3e-3)
        first = advance(gan, rng, players=(player,))["info/categorical"]
        assert advance(gan, rng, 150, players=(player,))["info/categorical"] > first + 0.02


def test_replayed_fakes_are_read_by_their_own_codes():
    gan, rng = build(replay=0.5)
    advance(gan, rng, 3)
    stored = gan.replay.rows.clone()
    heard = []
    gan.step(gan.take(gan.rows, 0, rng), rng, tell=lambda event, turn: heard.append(turn))
    old = (heard[0].fake[:, None] == stored[None]).all(2).any(1)
    assert old.tolist() == [False] * 8 + [True] * 8


EVERY = [
    {"packing": 2}, {"packing": 3, "minibatch": "std"}, {"replay": 0.5, "unroll": 2}, {"ema": 0.9, "spectral": True},
    {"instance_noise": 0.3}, {"order": "simultaneous", "minibatch": "discrimination"},
    *[{"penalty": name, "packing": 2} for name in ("gp", "r1", "r2", "dragan")],
    *[{"loss": name} for name in ("least-squares", "hinge", "wasserstein-clip", "wasserstein-gp", "relativistic")],
]  # fmt: skip


@pytest.mark.parametrize("dataset", ["digits", "ring8"])
@pytest.mark.parametrize("values", EVERY, ids=str)
def test_every_loss_penalty_and_trick_trains(values, dataset):
    gan, rng = build(dataset, **values)
    told = advance(gan, rng, 3)
    assert {"info/categorical", "info/continuous"} <= told.keys()
    assert all(abs(value) < 1e6 for value in told.values())


def test_convolutions_read_codes_too():
    gan, rng = build(body="dcgan", maps=4, packing=2)
    assert all(abs(value) < 1e6 for value in advance(gan, rng, 2).values())
    assert gan.generate(gan.noise(3, fresh(0, "z"))).shape == (3, 1, 8, 8)


@pytest.mark.slow
def test_codes_come_to_name_the_blobs_of_a_ring():
    """Of one category's fakes nearly all lie at one blob, and the eight categories have at least six between them."""
    p = preset("infogan-ring")
    loop = Loop(p.experiment.changed(device="cpu"))
    loop.advance(p.steps)
    gan = loop.family
    z = gan.noise(2000, fresh(0, "named"))
    choice = z[:, 2:10].argmax(1)
    blob = torch.cdist(gan.generate(z), gan.data.modes().centres).argmin(1)
    table = torch.bincount(8 * choice + blob, minlength=64).view(8, 8)
    assert table.max(1).values.sum() > 0.85 * 2000
    assert len(set(table.argmax(1).tolist())) >= 6
    assert loop.metrics["info/categorical"] > 0.9 * math.log(8)


def test_on_points_the_stage_has_its_pictures():
    gan, rng = build("ring8")
    advance(gan, rng)
    view = View(3.0, frozenset({"fake", "surface", "manifold", "arrows"}), fakes=20, grid=6, mesh=5, arrows=4)
    shapes = {name: tuple(layer.shape) for name, layer in gan.picture(view, gan.noise(20, fresh(0, "z"))).items()}
    assert shapes == {"fake": (20, 2), "surface": (6, 6), "manifold": (5, 5, 2), "arrows": (4, 2)}
