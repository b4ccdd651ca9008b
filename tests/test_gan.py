"""The GAN family's step: the same numbers as a plain loop, the order of updates, live fields, pictures, slow motion."""

import json

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from playground import losses, stage
from playground.config import knobs
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.families.base import View
from playground.families.gan import Gan
from playground.gan_settings import GanSettings
from playground.rng import Streams, fresh

SMALL = {"g_width": 16, "d_width": 16, "g_depth": 2, "d_depth": 2, "batch": 32}
DIRAC = {"optimiser_d": "sgd", "optimiser_g": "sgd", "lr_d": 0.2, "lr_g": 0.2, "batch": 1}
VIEW = View(extent=2.0, layers=frozenset({"fake", "surface", "manifold", "arrows"}), fakes=40, grid=6, mesh=5, arrows=9)


def build(dataset="ring8", seed=0, **values):
    values = (DIRAC if dataset == "dirac" else SMALL) | values
    experiment = Experiment(dataset=dataset, seed=seed).changed(**values)
    rng = Streams(seed)
    return experiment, Gan(experiment.model, experiment.data, rng), rng


def advance(experiment, gan, rng, n=1, players=None):
    for _ in range(n):
        result = gan.step(experiment.data.sample(gan.rows, rng["data"]), rng, players)
    return {name: value.item() for name, value in result.all().items()}


def point(gan):
    return tuple(gan.phase().tolist())


def plain_net(net):
    """Return the same network built of nothing but PyTorch."""
    parts = []
    for layer in net.layers:
        copy = nn.Linear(layer.in_features, layer.out_features)
        copy.load_state_dict(layer.state_dict())
        parts += [copy, nn.LeakyReLU(0.2)]
    return nn.Sequential(*parts[:-1])


def test_step_equals_a_plain_loop():
    """The textbook loop: torch.optim.Adam, two passes of D, backward through everything; 20 steps to 1e-5."""
    experiment, gan, rng = build(g_width=64, d_width=64)
    g, d = plain_net(gan.g), plain_net(gan.d)
    adam_g = torch.optim.Adam(g.parameters(), 1e-3, (0.5, 0.999))
    adam_d = torch.optim.Adam(d.parameters(), 1e-3, (0.5, 0.999))
    mine = Streams(0)
    for _ in range(20):
        metrics = advance(experiment, gan, rng)
        real = experiment.data.sample(32, mine["data"])
        fake = g(torch.randn(32, 8, generator=mine["noise"])).detach()
        score = torch.sigmoid(d(real)).mean()
        loss_d = softplus(-d(real)).mean() + softplus(d(fake)).mean()
        adam_d.zero_grad()
        loss_d.backward()
        grad_d = torch.cat([p.grad.flatten() for p in d.parameters()]).norm()
        adam_d.step()
        loss_g = softplus(-d(g(torch.randn(32, 8, generator=mine["noise"])))).mean()
        adam_g.zero_grad()
        loss_g.backward()
        adam_g.step()
        assert metrics["loss/d"] == pytest.approx(loss_d.item(), abs=1e-5)
        assert metrics["loss/g"] == pytest.approx(loss_g.item(), abs=1e-5)
        assert metrics["grad/d"] == pytest.approx(grad_d.item(), abs=1e-4)
        assert metrics["score/real"] == pytest.approx(score.item(), abs=1e-5)


def test_alternating_moves_d_first_and_g_answers_the_new_d():
    """Wasserstein from theta 1, psi 0.5, h = 0.2: psi = 0.5 + 0.2 theta = 0.7, then theta = 1 - 0.2 psi = 0.86."""
    experiment, gan, rng = build("dirac", loss="wasserstein-clip", clip=1.0, start_psi=0.5)
    advance(experiment, gan, rng)
    assert point(gan) == pytest.approx((1 - 0.2 * 0.7, 0.5 + 0.2))


def test_simultaneous_takes_both_gradients_at_the_same_point():
    experiment, gan, rng = build(
        "dirac", loss="wasserstein-clip", clip=1.0, order="simultaneous", d_steps=3, start_psi=0.5
    )
    assert gan.rows == 1  # one update each
    advance(experiment, gan, rng)
    assert point(gan) == pytest.approx((1 - 0.2 * 0.5, 0.5 + 0.2))


def test_clipping_follows_each_update_of_d():
    experiment, gan, rng = build("dirac", loss="wasserstein-clip", clip=0.3)
    advance(experiment, gan, rng)
    assert point(gan) == pytest.approx((1 - 0.2 * 0.3, 0.3))


def test_r1_adds_gamma_psi_to_the_slope():
    """d/dpsi [gamma/2 psi²] = gamma psi; the data at 0 gives no other pull at theta = 0."""
    experiment, gan, rng = build("dirac", penalty="r1", penalty_weight=0.3, start_theta=0.0)
    metrics = advance(experiment, gan, rng, players=("d",))
    assert point(gan) == pytest.approx((0.0, 1 - 0.2 * 0.3))
    assert metrics["loss/penalty"] == pytest.approx(0.5)  # without its weight
    assert metrics["loss/d"] == pytest.approx(2 * losses.LN2)  # without the penalty


def test_smoothing_reaches_the_step():
    experiment, gan, rng = build(smoothing=0.25)
    _, plain, other = build()
    smooth, without = advance(experiment, gan, rng), advance(experiment, plain, other)
    assert smooth["score/real"] == without["score/real"]
    assert smooth["loss/d"] != without["loss/d"]


def test_each_d_update_sees_its_own_real_rows():
    experiment, gan, rng = build(d_steps=3, packing=2)
    assert gan.rows == 32 * 3 * 2
    seen = []
    batch = experiment.data.sample(gan.rows, rng["data"])
    gan.step(batch, rng, tell=lambda event, turn: seen.append((event, turn.player, turn.real)))
    assert [(e, p) for e, p, _ in seen] == [("gradient", "d"), ("moved", "d")] * 3 + [("gradient", "g"), ("moved", "g")]
    assert torch.equal(torch.cat([real for event, _, real in seen if event == "gradient" and real is not None]), batch)


def test_g_answers_with_fresh_noise():
    experiment, gan, rng = build()
    noise = []
    batch = experiment.data.sample(gan.rows, rng["data"])
    gan.step(batch, rng, tell=lambda event, turn: noise.append(turn.z) if event == "gradient" else None)
    assert not torch.equal(*noise)


def test_updates_a_step_are_so_many():
    experiment, gan, rng = build(d_steps=3, g_steps=2)
    advance(experiment, gan, rng)
    assert gan.optimiser["d"].state()["step"] == 3
    assert gan.optimiser["g"].state()["step"] == 2


LIVE = {  # field: (settings under which it matters, another value)
    "loss": ({}, "hinge"),
    "clip": ({"loss": "wasserstein-clip"}, 0.001),
    "penalty": ({}, "r1"),
    "penalty_weight": ({"penalty": "r2"}, 5.0),
    "penalty_target": ({"penalty": "gp"}, 0.0),
    "lr_d": ({}, 1e-2),
    "lr_g": ({}, 1e-2),
    "beta1": ({}, 0.9),
    "beta2": ({}, 0.9),
    "momentum": ({"optimiser_d": "sgd"}, 0.9),
    "batch": ({}, 8),
    "d_steps": ({}, 2),
    "g_steps": ({}, 2),
    "order": ({}, "simultaneous"),
    "smoothing": ({}, 0.2),
    "instance_noise": ({}, 0.5),
    "instance_noise_decay": ({"instance_noise": 0.5}, 4),
    "replay": ({}, 0.5),
    "unroll": ({}, 2),
    "ema": ({}, 0.9),
}


def test_every_live_field_is_tried():
    assert set(LIVE) == {name for name, k in knobs(GanSettings).items() if k.live and not k.kinds}


@pytest.mark.parametrize("field", LIVE)
def test_live_field_acts_within_one_step(field):
    """Two equal runs, one of them set: the next step (for replay: the one after) ends in another state."""
    base, value = LIVE[field]
    states = []
    for change in (False, True):
        experiment, gan, rng = build(**base)
        advance(experiment, gan, rng, n=2)
        if change:
            assert knobs(GanSettings)[field].matters(gan.config.with_values(**{field: value}))
            gan.set(gan.config.with_values(**{field: value}))
        advance(experiment, gan, rng, n=2 if field == "replay" else 1)
        states.append({k: v.clone() for k, v in gan.state().items()})
    assert any(not torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_fields_without_effect_say_so():
    matters = {n: k.matters for n, k in knobs(GanSettings).items()}
    plain = GanSettings()
    assert not matters["penalty_weight"](plain)
    assert not matters["clip"](plain)
    assert not matters["momentum"](plain)
    assert matters["beta1"](plain)
    gp = GanSettings(loss="wasserstein-gp")
    assert gp.penalty_in_use == "gp"
    assert matters["penalty_weight"](gp)
    assert matters["penalty_target"](gp)
    assert not matters["penalty"](gp)
    assert not matters["smoothing"](gp)
    assert not matters["penalty_target"](GanSettings(penalty="r1"))
    assert not matters["d_steps"](GanSettings(order="simultaneous"))
    rms = GanSettings(optimiser_d="rmsprop", optimiser_g="rmsprop")
    assert matters["beta2"](rms)
    assert matters["momentum"](rms)
    assert not matters["beta1"](rms)


def test_uniform_and_gaussian_noise():
    _, gaussian, _ = build(noise_dim=3)
    _, uniform, _ = build(noise_dim=3, noise_kind="uniform")
    z, u = gaussian.noise(20_000, fresh(0, "z")), uniform.noise(20_000, fresh(0, "z"))
    assert z.std().item() == pytest.approx(1, abs=0.01)
    assert u.std().item() == pytest.approx(1 / 3**0.5, abs=0.01)
    assert u.abs().max().item() <= 1
    assert z.abs().max().item() > 3


def test_surface_starts_at_the_bottom_left():
    """Put D(x) = 3 x1 + x2 on the stage: the value at row i, column j is that of the cell's centre."""
    _, gan, _ = build()
    gan.d = gan.forward["d"] = nn.Linear(2, 1)
    gan.explicit = None  # it belongs to the networks that were there before
    gan.d.load_state_dict({"weight": torch.tensor([[3.0, 1.0]]), "bias": torch.zeros(1)})
    z = gan.noise(40, fresh(0, "z"))
    layers = gan.picture(VIEW, z)
    centres = torch.tensor([-5, -3, -1, 1, 3, 5]) / 3.0  # of six cells across [-2, 2]
    expected = torch.sigmoid(3 * centres[None, :] + centres[:, None])
    assert torch.allclose(layers["surface"], expected, atol=1e-6)
    slope = torch.sigmoid(-gan.d(layers["fake"][:9])) * torch.tensor([[3.0, 1.0]])  # -∇ ς(-D) = σ(-D) ∇D
    assert torch.allclose(layers["arrows"], slope, atol=1e-6)


def test_arrows_of_the_picture_are_those_of_the_step():
    experiment, gan, rng = build()
    pushes = []
    gan.step(
        experiment.data.sample(gan.rows, rng["data"]),
        rng,
        ("g",),
        tell=lambda event, turn: pushes.append((turn.push, gan.push(turn.fake))) if event == "gradient" else None,
    )
    assert torch.allclose(*pushes[0], atol=1e-6)


def test_manifold_is_the_noise_square_through_g():
    _, gan, _ = build(noise_dim=3, noise_kind="uniform")
    manifold = gan.picture(VIEW, gan.noise(40, fresh(0, "z")))["manifold"]
    corner = gan.generate(torch.tensor([[0.96, -0.96, 0.0]]))  # first number grows along a row, second along a column
    assert torch.allclose(manifold[0, 4], corner[0], atol=1e-6)


def test_gaussian_mesh_lines_hold_equal_shares():
    codes = stage.noise_mesh(5, 2, "gaussian", torch.device("cpu"))
    shares = torch.special.ndtr(codes[:5, 0]).diff()
    assert torch.allclose(shares, torch.full((4,), 0.24), atol=1e-5)
    assert stage.noise_mesh(4, 1, "uniform", torch.device("cpu")).shape == (16, 1)


def test_least_squares_output_is_shown_as_a_label():
    experiment, gan, rng = build(loss="least-squares")
    advance(experiment, gan, rng, n=2)
    x = experiment.data.sample(20, fresh(0, "x"))
    assert torch.allclose(torch.sigmoid(gan.discriminate(x)), gan.surface(x), atol=1e-5)
    assert not gan.critic
    assert build(loss="hinge")[1].critic


def test_a_game_is_pictured_as_its_state():
    experiment, gan, rng = build("dirac")
    metrics = advance(experiment, gan, rng)
    layers = gan.picture(VIEW, gan.noise(4, fresh(0, "z")))
    assert layers.keys() == {"phase"}
    assert point(gan) == (metrics["phase/theta"], metrics["phase/psi"])
    assert torch.equal(layers["phase"], gan.phase())
    assert gan.generate(gan.noise(4, fresh(0, "z"))).shape == (4, 1)


TOLD = [
    "Draw noise", "G makes fakes", "D scores the real points", "D scores the fakes", "D's loss",
    "The gradient flows back through D", "D's weights move",
    "Draw noise again", "G makes fakes again", "D scores the new fakes", "G's loss", "The gradient reaches the fakes",
    "The gradient flows back through G", "G's weights move",
]  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [{}, {"order": "simultaneous"}, {"d_steps": 3, "g_steps": 2}, {"loss": "wasserstein-gp", "unroll": 2},
     {"spectral": True, "packing": 2, "replay": 0.5, "instance_noise": 0.1, "loss": "relativistic"},
     {"loss": "wasserstein-clip", "minibatch": "std", "ema": 0.9, "penalty": "r1"}],
)  # fmt: skip
def test_slow_motion_is_the_step_itself(values):
    (experiment, stepped, rng), (_, traced, other) = build(**values), build(**values)
    for _ in range(3):
        metrics = advance(experiment, stepped, rng)
        told = traced.trace(experiment.data.sample(traced.rows, other["data"]), other)
    mine, theirs = stepped.state(), traced.state()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    shown = {name: value for moment in told for name, value in moment.tensors.items()}
    assert shown["L_D"].item() == metrics["loss/d"]
    assert shown["L_G"].item() == metrics["loss/g"]
    assert [moment.title.split(". ")[0] for moment in told] == [str(i + 1) for i in range(len(told))]


def test_slow_motion_tells_every_sub_step():
    experiment, gan, rng = build()
    told = gan.trace(experiment.data.sample(gan.rows, rng["data"]), rng)
    assert [moment.title.split(". ")[1] for moment in told] == TOLD
    for moment in told:
        assert all(len(value) <= 6 for value in moment.tensors.values() if value.dim())
        assert moment.layers.keys() <= {"real", "fake", "surface", "arrows"}
    assert told[2].shapes == {"x": "(32, 2)", "D(x)": "(32,)"}
    assert not torch.equal(told[2].layers["surface"], told[6].layers["surface"])
    assert torch.equal(told[6].layers["surface"], told[9].layers["surface"])
    moved = told[-1].tensors["G(z) after"] - told[-1].tensors["G(z) before"]
    assert moved.abs().max() > 0


def test_slow_motion_of_simultaneous_updates_moves_both_last():
    experiment, gan, rng = build(order="simultaneous")
    told = gan.trace(experiment.data.sample(gan.rows, rng["data"]), rng)
    assert [moment.title.split(". ")[1] for moment in told[-2:]] == ["D's weights move", "G's weights move"]


def test_slow_motion_draws_on_the_data_as_it_is_now():
    loop = Loop(Experiment().changed(**SMALL))
    loop.set({"radius": 4.0})
    assert loop.family.data.extent == loop.data.extent
    assert loop.trace()


def test_slow_motion_of_a_game_draws_its_state():
    experiment, gan, rng = build("dirac")
    told = gan.trace(experiment.data.sample(gan.rows, rng["data"]), rng)
    assert told[6].layers["phase"].tolist() == pytest.approx([1.0, point(gan)[1]])


def test_model_card():
    _, gan, _ = build(spectral=True, minibatch="std", packing=2)
    card = gan.describe()
    assert card["Generator"] == "8 → 16 → 16 → 2, leaky-relu, 450 parameters"
    assert card["Discriminator"].startswith("4 → 16 → 16 → 1, leaky-relu")
    assert "spectral norm" in card["Discriminator"]
    assert "MinibatchStd" in card["Discriminator"]


def test_recipes_of_the_exams_are_valid_settings():
    unrolled = {"noise_dim": 256, "activation": "tanh", "init": "orthogonal", "init_gain": 1.4, "unroll": 5}
    toy = {"loss": "wasserstein-gp", "penalty_weight": 0.1, "d_steps": 5, "beta2": 0.9, "lr_d": 3e-4, "lr_g": 3e-4}
    for recipe in (unrolled, toy):
        experiment = Experiment().changed(**recipe)
        assert Experiment.from_json(json.loads(json.dumps(experiment.to_json()))) == experiment
