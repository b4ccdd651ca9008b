"""BEGAN: the controller's known numbers, what each player descends, and that it comes to draw digits."""

import pytest
import torch

from playground.experiment import Experiment
from playground.families.began import Began, control
from playground.rng import Streams, fresh

SMALL = {"depth": 1, "width": 32, "batch": 32}


def build(seed=0, **values):
    experiment = Experiment.of("began").changed(seed=seed, **SMALL | values)
    rng = Streams(seed)
    return Began(experiment.model, experiment.data, rng), rng


def advance(model, rng, n=1, players=None):
    for i in range(n):
        result = model.step(model.take(model.rows, i * model.rows, rng), rng, players)
    return {name: value.item() for name, value in result.all().items()}


def numbers(*values):
    return [torch.tensor(v, dtype=torch.float64) for v in values]


def test_a13_control_and_measure_have_the_known_values():
    k, m = control(*numbers(0.0, 0.2, 0.05), gamma=0.5, rate=0.001)
    assert k.item() == pytest.approx(5e-5, abs=1e-12)
    assert m.item() == pytest.approx(0.25, abs=1e-12)


@pytest.mark.parametrize(("k", "fake", "expected"), [(0.0, 0.9, 0.0), (0.9999, 0.0, 1.0), (0.5, 0.1, 0.5)])
def test_k_stays_within_0_and_1_and_rests_in_balance(k, fake, expected):
    assert control(*numbers(k, 0.2, fake), gamma=0.5, rate=1.0)[0].item() == pytest.approx(expected)


def test_m_is_the_error_of_real_images_in_balance():
    assert control(*numbers(0.3, 0.2, 0.1), gamma=0.5, rate=0.1)[1].item() == pytest.approx(0.2)


def test_step_moves_k_by_the_errors_it_tells():
    model, rng = build(lambda_k=0.5, gamma=0.7)
    before = model.k.item()
    told = advance(model, rng)
    real, fake = told["score/real"], told["score/fake"]
    assert told["began/k"] == pytest.approx(min(max(before + 0.5 * (0.7 * real - fake), 0), 1), abs=1e-6)
    assert told["began/m"] == pytest.approx(real + abs(0.7 * real - fake), abs=1e-6)
    assert told["loss/g"] == fake
    assert told["loss/d"] == pytest.approx(real)  # k was 0


def test_d_weighs_fakes_by_k():
    model, rng = build()
    model.k = torch.tensor(0.25)
    told = advance(model, rng, players=("d",))
    assert told["loss/d"] == pytest.approx(told["score/real"] - 0.25 * told["score/fake"], abs=1e-6)


def test_g_alone_leaves_k_and_d_alone():
    model, rng = build(lambda_k=1.0)
    before = {name: value.clone() for name, value in model.state().items()}
    advance(model, rng, players=("g",))
    moved = {name.split("/")[0] for name, value in model.state().items() if not torch.equal(value, before[name])}
    assert moved == {"g", "optimiser_g"}


def test_each_player_goes_where_it_should():
    """D alone comes to rebuild real images better; G alone makes fakes that D rebuilds better."""
    model, rng = build()
    first, last = advance(model, rng, players=("d",)), advance(model, rng, 100, players=("d",))
    assert last["score/real"] < 0.7 * first["score/real"]
    first, last = advance(model, rng, players=("g",)), advance(model, rng, 100, players=("g",))
    assert last["loss/g"] < 0.7 * first["loss/g"]


def test_score_is_minus_the_error_of_rebuilding():
    model, _ = build()
    x = model.data.held_out(8, 0).x
    with torch.no_grad():
        rebuilt = (model.d.decoder(model.d.encoder(2 * x - 1)) + 1) / 2
    assert torch.allclose(model.discriminate(x), -2 * (x - rebuilt).abs().flatten(1).mean(1), atol=1e-6)
    assert model.critic


def test_average_of_g_draws_where_it_is_on():
    model, rng = build(ema=0.9)
    advance(model, rng, 3)
    z = model.noise(4, fresh(0, "z"))
    drawn = model.generate(z)
    assert float(drawn.min()) >= 0
    assert float(drawn.max()) <= 1
    model.set(model.config.with_values(ema=0.0))
    assert not torch.equal(drawn, model.generate(z))
