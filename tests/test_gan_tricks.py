"""Each trick against what it promises, worked out by hand."""

import pytest
import torch
from torch import nn

from playground import nets, optim, tricks
from playground.config import knobs
from playground.experiment import Experiment
from playground.families.gan import Gan
from playground.gan_settings import GanSettings
from playground.rng import Streams, fresh

SMALL = {"g_width": 16, "d_width": 16, "g_depth": 2, "d_depth": 2, "batch": 32}


def build(dataset="ring8", **values):
    experiment = Experiment(dataset=dataset).changed(**SMALL | values)
    rng = Streams(0)
    return experiment, Gan(experiment.model, experiment.data, rng), rng


def advance(experiment, gan, rng, *, n=1, players=None, tell=None):
    for _ in range(n):
        batch = experiment.data.sample(gan.rows, rng["data"])
        gan.step(batch, rng, players, **({} if tell is None else {"tell": tell}))


def copies(state):
    return {name: value.clone() for name, value in state.items()}


# -- packing


def test_packs_join_rows_that_are_used_once():
    x = torch.arange(24.0).view(12, 2)
    packed = tricks.pack(x, 3)
    assert packed.shape == (4, 6)
    assert torch.equal(packed.flatten(), x.flatten())
    assert tricks.pack(x, 1) is x


def test_packed_d_judges_independent_points():
    """Real rows of one pack are no more alike than any two: their mean product is that of independent draws, 0."""
    experiment, gan, rng = build(packing=2, batch=2048)
    assert gan.d.layers[0].in_features == 4
    seen = []
    advance(experiment, gan, rng, tell=lambda event, turn: seen.append(turn))
    for x in (seen[0].real, seen[0].fake - seen[0].fake.mean(0)):
        packs = tricks.pack(x, 2)
        scale = x.square().mean()
        assert abs((packs[:, :2] * packs[:, 2:]).mean() / scale) < 4 / (2 * 2048) ** 0.5
    assert seen[0].real_score.shape == (2048,)


def test_packed_d_scores_a_point_beside_its_copies():
    experiment, gan, _ = build(packing=3)
    x = experiment.data.sample(10, fresh(0, "x"))
    with torch.no_grad():
        assert torch.allclose(gan.discriminate(x), gan.d(torch.cat([x, x, x], 1)).squeeze(1), atol=1e-6)


# -- instance noise


def test_instance_noise_falls_in_a_straight_line():
    assert [tricks.noise_level(0.5, 100, step) for step in (0, 50, 100, 1000)] == [0.5, 0.25, 0.0, 0.0]
    assert tricks.noise_level(0.5, 0, 10_000) == 0.5


def test_instance_noise_is_on_all_that_d_sees():
    experiment, gan, rng = build(instance_noise=0.5, batch=4096)
    batch = experiment.data.sample(gan.rows, rng["data"])
    turns = []
    gan.step(batch, rng, tell=lambda event, turn: turns.append(turn) if event == "gradient" else None)
    d, g = turns
    with torch.no_grad():
        clean = gan.g(g.z)  # after G's small step; close enough to see the noise
    assert (d.real - batch).std().item() == pytest.approx(0.5, rel=0.05)
    assert (g.fake - clean).std().item() == pytest.approx(0.5, rel=0.05)


def test_faded_instance_noise_draws_nothing():
    _, gan, rng = build(instance_noise=0.5, instance_noise_decay=2)
    gan.steps = 2
    x = torch.zeros(5, 2)
    assert gan._seen(x, rng) is x
    assert torch.equal(rng["instance"].get_state(), Streams(0)["instance"].get_state())


# -- replay


def test_replay_swaps_a_share_for_older_fakes():
    memory = tricks.Replay(8, (1,), torch.device("cpu"))
    rng = torch.Generator().manual_seed(0)
    first = torch.arange(4.0).view(4, 1)
    assert torch.equal(memory.mix(first, 0.5, rng), first)  # nothing to replay yet
    second = first + 10
    mixed = memory.mix(second, 0.5, rng)
    assert torch.equal(mixed[:2], second[:2])
    assert set(mixed[2:].flatten().tolist()) <= {0.0, 1.0, 2.0, 3.0}
    assert memory.written == 8
    memory.mix(first + 20, 0.0, rng)
    assert memory.rows.flatten().tolist() == [20, 21, 22, 23, 10, 11, 12, 13]  # the newest overwrite the oldest


def test_replay_of_a_batch_larger_than_the_memory():
    memory = tricks.Replay(4, (1,), torch.device("cpu"))
    rng = torch.Generator().manual_seed(0)
    for start in (0, 10):
        memory.mix(torch.arange(6.0).view(6, 1) + start, 0.5, rng)
    assert memory.rows.flatten().tolist() == [10, 11, 12, 13]


def test_replay_reaches_d_alone():
    experiment, gan, rng = build(replay=0.5)
    advance(experiment, gan, rng, n=3)
    turns = []
    stored = gan.replay.rows.clone()
    advance(experiment, gan, rng, tell=lambda event, turn: turns.append(turn) if event == "gradient" else None)
    old = (turns[0].fake[:, None] == stored[None]).all(2).any(1)
    assert old.tolist() == [False] * 16 + [True] * 16
    assert gan.replay.written == 4 * 32
    assert len(turns[1].fake) == 32


# -- average of G


def test_average_follows_g_with_its_decay():
    experiment, gan, rng = build(ema=0.75)
    start = gan.flat["g"].data.clone()
    advance(experiment, gan, rng)
    one = gan.flat["g"].data.clone()
    advance(experiment, gan, rng)
    expected = 0.75 * (0.75 * start + 0.25 * one) + 0.25 * gan.flat["g"].data
    assert torch.allclose(gan.flat["average"].data, expected, atol=1e-6)


def test_average_draws_only_where_it_is_on():
    experiment, gan, rng = build()
    advance(experiment, gan, rng, n=3)
    z = gan.noise(5, fresh(0, "z"))
    with torch.no_grad():
        assert torch.allclose(gan.generate(z), gan.g(z), atol=1e-6)
    gan.set(gan.config.with_values(ema=0.999))
    with torch.no_grad():
        assert torch.allclose(gan.generate(z), gan.g(z), atol=1e-6)  # it starts from where G is now
    advance(experiment, gan, rng, n=3)
    with torch.no_grad():
        assert torch.allclose(gan.generate(z), gan.average(z), atol=1e-6)
        assert not torch.equal(gan.generate(z), gan.g(z))


# -- spectral norm and minibatch layers


def test_spectral_norm_holds_every_layer_at_one():
    experiment, gan, rng = build(spectral=True, lr_d=1e-2)
    advance(experiment, gan, rng, n=50)
    for layer in gan.d.layers:
        weight = layer(torch.eye(layer.in_features)) - layer.bias  # rows: what each unit vector becomes
        assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=0.05)


def test_spectral_norm_iterates_in_d_updates_alone():
    experiment, gan, rng = build(spectral=True, unroll=2)
    advance(experiment, gan, rng)
    before = copies(gan.d.state_dict())
    advance(experiment, gan, rng, players=("g",))
    gan.discriminate(torch.zeros(3, 2))
    gan.push(torch.zeros(3, 2))
    after = gan.d.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    advance(experiment, gan, rng, players=("d",))
    assert not torch.equal(before["layers.0.u"], gan.d.state_dict()["layers.0.u"])
    assert not gan.d.training


@pytest.mark.parametrize("kind", ["discrimination", "std"])
def test_minibatch_features_never_mix_real_and_fake(kind):
    """D's scores of the real rows are the same whatever the fakes are."""
    _, gan, rng = build(minibatch=kind)
    real = torch.randn(32, 2, generator=fresh(0, "real"))
    scores = [gan._d_loss(gan.d, real, torch.full((32, 2), shift), rng)[1].real_score for shift in (0.0, 5.0)]
    assert torch.equal(*scores)


@pytest.mark.parametrize("kind", ["discrimination", "std"])
def test_minibatch_features_see_a_collapsed_batch(kind):
    _, gan, _ = build(minibatch=kind)
    spread = torch.randn(32, 2, generator=fresh(0, "real"))
    spread[0] = 0
    with torch.no_grad():
        assert gan.d(torch.zeros(32, 2))[0] != gan.d(spread)[0]


# -- unrolling


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_unrolled_gradient_on_the_bilinear_game(steps):
    """D(x) = -psi x, Wasserstein, SGD with rate h: psi_k = psi + k h theta, L_G = psi_k theta.

    Through the updates dL_G/dtheta = psi + 2 k h theta; with psi_k held fixed it would be psi + k h theta.
    """
    rate = 0.1
    _, gan, rng = build(
        "dirac", loss="wasserstein-clip", clip=1.0, optimiser_d="sgd", optimiser_g="sgd", lr_d=rate, unroll=steps,
        start_theta=0.5, start_psi=0.2, batch=4,
    )  # fmt: skip
    turn = gan._g_turn(torch.zeros(4, 1), rng)
    assert gan.flat["g"].grad.item() == pytest.approx(0.2 + 2 * steps * rate * 0.5, abs=1e-6)
    assert turn.loss.item() == pytest.approx((0.2 + steps * rate * 0.5) * 0.5, abs=1e-6)
    assert gan.phase().tolist() == pytest.approx([0.5, 0.2])


def test_unrolled_clip_cuts_the_weights_and_their_gradient():
    _, gan, rng = build(
        "dirac", loss="wasserstein-clip", clip=0.3, optimiser_d="sgd", lr_d=1.0, unroll=1, start_psi=0.0, batch=4
    )
    gan._g_turn(torch.zeros(4, 1), rng)
    assert gan.flat["g"].grad.item() == pytest.approx(0.3)  # psi_1 = 0.3 whatever theta


@pytest.mark.parametrize("rule", knobs(GanSettings)["optimiser_d"].choices)
def test_unrolled_updates_are_the_optimisers_own(rule):
    """The unrolled critic equals the real one after as many real updates on the same rows, from a warm state."""
    experiment, gan, rng = build(optimiser_d=rule, momentum=0.5, lr_d=1e-2, activation="tanh")
    advance(experiment, gan, rng, n=3)
    x = experiment.data.sample(32, fresh(0, "x"))
    y = gan.generate(gan.noise(32, fresh(0, "z")))

    def loss(critic):
        return (critic(y) - critic(x)).mean() + critic(x).square().mean()

    ahead = tricks.unroll(gan.d, gan.optimiser["d"], 3, loss)(x).detach()
    for _ in range(3):
        gan.flat["d"].backward(loss(gan.d))
        gan.optimiser["d"].step()
    with torch.no_grad():
        assert torch.allclose(ahead, gan.d(x), atol=1e-5)


def test_unrolled_gradient_is_the_derivative():
    """Against central differences in one number of the generator, with Adam inside, in float64."""
    torch.manual_seed(0)
    d = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    rule = optim.make("adam", nets.flatten(d), lr=0.05, beta1=0.5)
    for name in ("mean", "mean_square"):
        rule.state()[name].copy_(torch.rand(13, dtype=torch.float64) + 0.1)
    rule.state()["step"].fill_(7)
    x = torch.linspace(-1, 1, 8, dtype=torch.float64)[:, None]

    def g_loss(theta):
        y = theta * x + theta.square()
        critic = tricks.unroll(
            d, rule, 3, lambda c: nn.functional.softplus(c(y)).mean() + nn.functional.softplus(-c(x)).mean()
        )
        return nn.functional.softplus(-critic(y)).mean()

    assert torch.autograd.gradcheck(g_loss, torch.tensor(0.7, dtype=torch.float64, requires_grad=True), atol=1e-6)


@pytest.mark.parametrize("rule", knobs(GanSettings)["optimiser_d"].choices)
def test_d_is_as_before_after_unrolling(rule):
    experiment, gan, rng = build(unroll=4, optimiser_d=rule, penalty="r1", activation="relu")
    advance(experiment, gan, rng, n=2)
    before = {k: v.clone() for k, v in gan.state().items() if k.startswith(("d/", "optimiser_d/"))}
    advance(experiment, gan, rng, players=("g",))
    assert all(torch.equal(value, gan.state()[name]) for name, value in before.items())
    assert bool(torch.isfinite(gan.flat["g"].data).all())
