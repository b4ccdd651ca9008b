"""The hand-written backward: equal to autograd for each loss and activation, repeatable, at home in any batch size."""

from functools import partial

import pytest
import torch

from benchmarks.step import greatest_difference
from playground import explicit, fast, losses, nets, optim
from playground.experiment import Experiment
from playground.families.gan import Gan
from playground.rng import Streams

ACTIVATIONS = list(explicit.ELEMENTWISE)
BATCH, NOISE = 32, 3


class Pair:
    """A generator and a discriminator with their optimisers, stepped by hand or by autograd."""

    def __init__(
        self, *, activation="leaky-relu", loss="non-saturating", packing=1, smoothing=0.0,
        hand=True, double=False, width=24,
    ):  # fmt: skip
        generator = torch.Generator().manual_seed(0)
        self.draw = torch.Generator().manual_seed(1)
        self.g = nets.MLP((NOISE, width, width, width, 2), activation=activation, generator=generator)
        self.d = nets.MLP((2 * packing, width, width, 1), activation=activation, generator=generator)
        self.dtype = torch.float64 if double else torch.float32
        self.g.to(self.dtype), self.d.to(self.dtype)
        self.flat_g, self.flat_d = nets.flatten(self.g), nets.flatten(self.d)
        self.rule_g, self.rule_d = (optim.make("adam", flat, lr=1e-3, beta1=0.5) for flat in (self.flat_g, self.flat_d))
        self.loss, self.packing, self.smoothing, self.hand = loss, packing, smoothing, hand
        self.players = explicit.Players(self.g, self.flat_g, self.d, self.flat_d)

    def step(self, batch=BATCH):
        rows = batch * self.packing
        real = torch.randn(rows, 2, generator=self.draw).to(self.dtype) + 1
        z = [torch.randn(rows, NOISE, generator=self.draw).to(self.dtype) for _ in range(2)]
        return self.by_hand(real, z) if self.hand else self.by_autograd(real, z)

    def by_hand(self, real, z):
        value_d, *_ = self.players.d_gradient(real, self.players.g.forward(z[0]), self.loss, self.smoothing)
        self.rule_d.step()
        compared = real if self.loss == "relativistic" else None
        value_g, *_ = self.players.g_gradient(self.players.g.forward(z[1]), compared, self.loss)
        self.rule_g.step()
        return value_d, value_g

    def by_autograd(self, real, z):
        loss = losses.LOSSES[self.loss]
        value_d = loss.d(self.judge(real), self.judge(self.g(z[0]).detach()), self.smoothing)
        self.flat_d.backward(value_d)
        self.rule_d.step()
        value_g = loss.g(self.judge(self.g(z[1])), self.judge(real))
        self.flat_g.backward(value_g)
        self.rule_g.step()
        return value_d, value_g

    def judge(self, x):
        return self.d(x.reshape(-1, 2 * self.packing)).squeeze(1)


def assert_same_losses(near, **options):
    hand, auto = Pair(**options), Pair(hand=False, **options)
    for _ in range(20):
        for a, b in zip(hand.step(), auto.step(), strict=True):
            assert a.item() == pytest.approx(b.item(), abs=near)
    return hand, auto


def assert_same_run(**options):
    """In float64, where rounding is far below Adam's ε: a critic's biases may have a gradient of exactly 0."""
    hand, auto = assert_same_losses(1e-10, double=True, **options)
    assert torch.allclose(hand.flat_d.data, auto.flat_d.data, rtol=0, atol=1e-9)
    assert torch.allclose(hand.flat_g.data, auto.flat_g.data, rtol=0, atol=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_equals_autograd_over_20_steps(activation):
    assert set(ACTIVATIONS) == set(nets.ACTIVATIONS)
    assert_same_losses(1e-5, activation=activation)
    assert_same_run(activation=activation)


@pytest.mark.parametrize("loss", list(losses.LOSSES))
def test_every_loss_equals_autograd_over_20_steps(loss):
    assert_same_run(loss=loss)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("loss", list(explicit.SLOPES))
def test_closed_slopes_equal_autograd(loss, smoothing):
    a, b = torch.linspace(-30, 30, 81), torch.linspace(-30, 29, 81)
    known, ours = losses.LOSSES[loss], explicit.SLOPES[loss]
    smoothing = smoothing if loss in losses.SMOOTHED else 0.0
    real, fake = explicit.by_autograd(lambda a, b: known.d(a, b, smoothing), a, b)
    (g,) = explicit.by_autograd(lambda b: known.g(b, a), b)
    for closed, autograd in ((ours.real(a, smoothing), real), (ours.fake(b), fake), (ours.g(b), g)):
        assert torch.allclose(closed / 81, autograd, rtol=1e-5, atol=0)  # in float32, at both ends


def test_smoothed_labels_and_packs_equal_autograd():
    assert_same_run(smoothing=0.1, packing=2)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_equal_autograd_to_rounding_in_float64(activation):
    net = nets.MLP((2, 8, 8, 3), activation=activation, generator=torch.Generator().manual_seed(0)).double()
    flat = nets.flatten(net)
    hand = explicit.Backprop(net, flat)
    x = torch.randn(10, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    up = torch.randn(10, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    out = net(x)
    weights = torch.autograd.grad(out, [x, *net.parameters()], up)
    assert torch.allclose(hand.forward(x.detach()), out, atol=1e-12)
    assert torch.allclose(hand.input_gradient(up), weights[0], atol=1e-12)
    hand.forward(x.detach())
    hand.backward(up)
    for ours, theirs in zip([g for _, g in flat.parts()], weights[1:], strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)


def test_a_run_repeats_to_the_last_bit_whatever_came_before():
    plain, restless = Pair(), Pair()
    for batch in (7, 50, 64, 9, 33, 12):  # leave other memory behind, then go back to the start
        restless.step(batch)
    fresh = Pair()
    for flat, start in ((restless.flat_g, fresh.flat_g), (restless.flat_d, fresh.flat_d)):
        flat.data.copy_(start.data)
    restless.rule_g.load(fresh.rule_g.state())
    restless.rule_d.load(fresh.rule_d.state())
    restless.draw.manual_seed(1)
    restless.flat_d.backward(restless.judge(torch.ones(BATCH, 2)).mean())  # a step of autograd's in between
    for _ in range(20):
        assert all(torch.equal(a, b) for a, b in zip(plain.step(), restless.step(), strict=True))
    assert torch.equal(plain.flat_g.data, restless.flat_g.data)
    assert torch.equal(plain.flat_d.data, restless.flat_d.data)


@pytest.mark.parametrize("wide", [False, True])  # with oneDNN for the large ones, and where NumPy's are quicker
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_large_and_small_batches_in_any_order_equal_autograd(activation, wide, monkeypatch):
    monkeypatch.setattr(explicit, "numpy_is_wide", lambda: wide)
    net = nets.MLP((2, 64, 64, 1), activation=activation, generator=torch.Generator().manual_seed(0))
    flat = nets.flatten(net)
    hand = explicit.Backprop(net, flat)
    draw = torch.Generator().manual_seed(1)
    for rows in (16, 1024, 16, 1500, 2048, 1500):  # from 1024 rows on, these layers count as large
        x = torch.randn(rows, 2, generator=draw, requires_grad=True)
        out = net(x)
        known = torch.autograd.grad(out.mean(), [x, *net.parameters()])
        slope = torch.full_like(out, 1 / rows)
        assert torch.allclose(hand.forward(x.detach()), out, atol=1e-6)
        assert torch.allclose(hand.input_gradient(slope), known[0], atol=1e-6)
        hand.forward(x.detach())
        hand.backward(slope)
        assert torch.allclose(flat.grad, torch.cat([g.reshape(-1) for g in known[1:]]), atol=1e-6)


def test_the_way_without_onednn_gives_the_same_numbers(monkeypatch):
    monkeypatch.setattr(explicit, "numpy_is_wide", lambda: False)
    quick = Pair(width=64)
    with monkeypatch.context() as patch:
        patch.setattr(fast, "LARGE", float("inf"))
        plain = Pair(width=64)
        known = [plain.step(600) for _ in range(5)]
    for losses_ in known:
        assert [a.item() for a in quick.step(600)] == pytest.approx([a.item() for a in losses_], abs=1e-5)


def test_outputs_stay_whole_when_the_next_forward_runs():
    pair = Pair()
    z = torch.randn(BATCH, NOISE, generator=pair.draw)
    first = pair.players.g.forward(z)
    kept = first.clone()
    pair.players.g.forward(-z)
    assert torch.equal(first, kept)


@pytest.mark.parametrize("values", [{}, {"packing": 2}, {"loss": "relativistic"}, {"loss": "hinge"}])
def test_arrows_by_hand_equal_those_of_autograd(values):
    experiment, model, rng = gan(**values)
    points = experiment.data.sample(20, rng["data"])
    by_hand = model.push(points)
    model.explicit = None
    assert torch.allclose(by_hand, model.push(points), atol=1e-6)


def test_says_what_it_does_not_fit():
    generator = torch.Generator().manual_seed(0)
    make = partial(nets.MLP, (2, 8, 8, 1), generator=generator)
    assert explicit.fits(make())
    assert not explicit.fits(make(spectral=True))
    assert not explicit.fits(make(minibatch="std"))
    assert not explicit.fits(torch.nn.Linear(2, 1))


def test_all_batch_sizes_share_one_memory():
    pair = Pair()
    for batch in (64, 3, 40):
        pair.step(batch)
    for player in (pair.players.g, pair.players.d):
        memory = {layer.a.tensor.data_ptr() for plan in player.plans.values() for layer in plan}
        assert len(memory) == len(player.layers)


# -- in the GAN family ------------------------------------------------------------------------------------------------


def gan(**values):
    small = {"g_width": 16, "d_width": 16, "g_depth": 2, "d_depth": 2, "batch": 32}
    experiment = Experiment().changed(**small | values)
    rng = Streams(0)
    return experiment, Gan(experiment.model, experiment.data, rng), rng


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"loss": "relativistic", "instance_noise": 0.3},
        {"smoothing": 0.1, "packing": 2, "replay": 0.5},
        {"d_steps": 2, "g_steps": 3, "ema": 0.9},
        {"order": "simultaneous", "loss": "least-squares", "activation": "silu"},
    ],
)
def test_family_steps_equal_those_of_autograd(values):
    (experiment, hand, rng), (_, auto, other) = gan(**values), gan(**values)
    assert hand.explicit is not None
    auto.explicit = None
    for _ in range(20):
        ours = hand.step(experiment.data.sample(hand.rows, rng["data"]), rng).all()
        theirs = auto.step(experiment.data.sample(auto.rows, other["data"]), other).all()
        assert list(ours) == list(theirs)
        for name in ("loss/d", "loss/g", "grad/d", "grad/g"):  # a relativistic D's mean score is free to drift
            assert ours[name].item() == pytest.approx(theirs[name].item(), abs=1e-5)


@pytest.mark.parametrize("values", [{"penalty": "r1"}, {"unroll": 1}, {"loss": "wasserstein-gp"}])
def test_family_leaves_to_autograd_what_needs_it(values):
    _, model, _ = gan(**values)
    assert model._by_hand is None


@pytest.mark.parametrize(("dataset", "values"), [("dirac", {}), ("ring8", {"spectral": True})])
def test_family_leaves_other_networks_to_autograd(dataset, values):
    experiment = Experiment(dataset=dataset).changed(**values)
    assert Gan(experiment.model, experiment.data, Streams(0)).explicit is None


@pytest.mark.parametrize("batch", [64, 256])
def test_benchmark_compares_two_loops_that_do_the_same(batch):
    threads = torch.get_num_threads()
    assert greatest_difference(batch) <= 1e-5
    torch.set_num_threads(threads)
