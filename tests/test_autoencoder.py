"""The autoencoder's step: the same numbers as a plain loop, each loss, corruption and constraint by what it is."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from playground import corruption, fast, reconstruction, sparsity
from playground.coders import BESIDE
from playground.data import dataset
from playground.data.base import Items, Table
from playground.families.autoencoder import Autoencoder, AutoencoderSettings
from playground.rng import Streams, fresh

SMALL = {"width1": 24, "width2": 12, "batch": 32}


class Shapeless(Table):
    """Items of any kind, drawn at random."""

    title = "Shapeless"
    kind = "images"
    sides: tuple[int, ...] = (1, 8, 8)

    @property
    def shape(self):
        return self.sides

    def load(self):
        x = torch.rand(96, *self.sides, generator=fresh(0, "shapeless"))
        return Items(x), Items(x[:32])


class Sequences(Shapeless):
    kind = "sequences"
    sides: tuple[int, ...] = (12, 2)


class Cloud(Shapeless):
    kind = "cloud"
    sides: tuple[int, ...] = (3,)


def build(data=None, seed=0, **values):
    data = dataset("digits")() if data is None else data
    settings = AutoencoderSettings(**SMALL | values)
    Autoencoder.check(settings, data)
    rng = Streams(seed)
    return Autoencoder(settings, data, rng), data, rng


def advance(model, data, rng, n=1):
    for _ in range(n):
        start = model.steps * model.rows
        result = model.step(data.batch(model.rows, start, rng), rng)
    return {name: value.item() for name, value in result.all().items()}


def error(model, x):
    return float((model.decode(model.encode(x)) - x).square().mean())


# -- the step ---------------------------------------------------------------------------------------------------------


def test_step_equals_a_plain_loop():
    model, data, rng = build(activation="selu")
    parts = []
    for path in (model.encoder, model.decoder):
        for level in path.levels:
            layer = nn.Linear(*reversed(level.weight.shape))
            layer.load_state_dict(level.layer.state_dict())
            parts += [layer, nn.SELU() if level.hidden else nn.Identity()]
    net = nn.Sequential(*parts)
    adam, mine = torch.optim.Adam(net.parameters(), 1e-3), Streams(0)
    for step in range(20):
        metrics = advance(model, data, rng)
        x = data.batch(32, step * 32, mine).flatten(1)
        loss = (net(x) - x).square().sum(1).mean()
        adam.zero_grad()
        loss.backward()
        norm = torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()
        adam.step()
        assert metrics["loss/recon"] == metrics["loss/total"] == pytest.approx(loss.item(), rel=1e-4)
        assert metrics["grad/all"] == pytest.approx(norm, rel=1e-3)


KINDS = [
    (Shapeless(), "linear"), (Shapeless(), "dense"), (Shapeless(), "conv"), (Shapeless(), "recurrent"),
    (Shapeless(sides=(3, 9, 11)), "conv"), (Shapeless(sides=(3, 9, 11)), "recurrent"),
    (Sequences(), "linear"), (Sequences(), "dense"), (Sequences(), "recurrent"), (Cloud(), "linear"),
    (Cloud(), "dense"),
]  # fmt: skip


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("data", "body"), KINDS)
def test_every_body_learns_every_kind_of_data_it_reads(data, body, precision):
    model, data, rng = build(data, body=body, codings=8, lr=3e-3, precision=precision)
    held = data.held_out(20, 0).x
    before = float(model.errors(held).mean())
    metrics = advance(model, data, rng, 30)
    assert all(math.isfinite(value) for value in metrics.values())
    assert float(model.errors(held).mean()) < before
    assert model.decode(model.encode(held)).shape == held.shape
    assert model.decode(model.encode(held)).dtype == torch.float32


@pytest.mark.parametrize(
    "values",
    [{"body": "conv"}, {"body": "recurrent", "cell": "lstm"}, {"stack_steps": 5}, {"tied": True, "optimiser": "nadam"},
     {"corruption": "mask", "sparsity": "k-sparse", "codings": 16}, {"contractive": 0.1, "codings": 16}],
)  # fmt: skip
def test_resuming_is_exact_to_the_last_bit(values):
    model, data, rng = build(**values)
    advance(model, data, rng, 7)
    kept = {name: value.clone() for name, value in model.state().items()}
    streams = {name: value.clone() for name, value in rng.state().items()}
    expected = advance(model, data, rng, 11)
    again, _, other = build(seed=5, **values)
    again.load(kept)
    other.seed = rng.seed
    other.load(streams)
    assert advance(again, data, other, 11) == expected
    assert all(torch.equal(again.state()[name], value) for name, value in model.state().items())


def test_bfloat16_is_told_beside_float32():
    model, data, rng = build(precision="bfloat16")
    if not fast.has_bfloat16(torch.device("cpu")):
        assert "loss/float32" not in advance(model, data, rng)
        return
    rows = [advance(model, data, rng) for _ in range(BESIDE + 1)]
    assert ["loss/float32" in row for row in rows] == [*[False] * (BESIDE - 1), True, False]
    told = rows[BESIDE - 1]
    assert told["loss/float32"] == pytest.approx(told["loss/recon"], rel=0.02)
    assert told["loss/float32"] != told["loss/recon"]


# -- losses -----------------------------------------------------------------------------------------------------------


def test_losses_are_sums_over_an_items_numbers():
    x, y = (torch.rand(5, 1, 8, 8, generator=fresh(0, name)) for name in "xy")
    for name, known in (("mse", F.mse_loss), ("l1", F.l1_loss), ("bce", F.binary_cross_entropy_with_logits)):
        value = reconstruction.LOSSES[name](y, x)
        assert value.shape == (5,)
        assert torch.allclose(value, torch.stack([known(b, a, reduction="sum") for a, b in zip(x, y, strict=True)]))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 12, 9)])
def test_ssim_is_its_formula_window_by_window(shape):
    """Wang et al. 2004 with uniform 7 x 7 windows inside the image and sample covariances, in float64 with NumPy."""
    x, y = (torch.rand(3, *shape, generator=fresh(1, name)) for name in "xy")
    expected = []
    for a, b in zip(x.double().numpy(), y.double().numpy(), strict=True):
        windows = []
        for channel in range(shape[0]):
            for i in range(shape[1] - 6):
                for j in range(shape[2] - 6):
                    p, q = (image[channel, i : i + 7, j : j + 7].ravel() for image in (a, b))
                    (vp, cov), (_, vq) = np.cov(p, q)
                    top = (2 * p.mean() * q.mean() + 1e-4) * (2 * cov + 9e-4)
                    windows.append(top / ((p.mean() ** 2 + q.mean() ** 2 + 1e-4) * (vp + vq + 9e-4)))
        expected.append(np.mean(windows))
    np.testing.assert_allclose(reconstruction.ssim(y, x).numpy(), expected, atol=1e-5)
    assert torch.allclose(reconstruction.ssim(x, x), torch.ones(3), atol=1e-5)
    assert torch.allclose(reconstruction.dissimilar(x, x), torch.zeros(3), atol=1e-2)


@pytest.mark.parametrize("loss", ["mse", "bce", "l1", "ssim"])
def test_every_loss_makes_reconstructions_better(loss):
    model, data, rng = build(loss=loss, codings=16, lr=3e-3)
    held = data.held_out(200, 0).x
    before = error(model, held)
    advance(model, data, rng, 150)
    assert error(model, held) < 0.6 * before


def test_cross_entropy_and_a_sigmoid_output_stay_between_0_and_1():
    for values in ({"loss": "bce"}, {"output": "sigmoid"}):
        model, *_ = build(**values)
        out = model.decode(100 * torch.randn(50, 2, generator=fresh(0, "z")))
        assert out.min() >= 0
        assert out.max() <= 1


def test_the_loss_may_change_while_it_runs():
    model, data, rng = build()
    advance(model, data, rng, 5)
    model.set(model.config.with_values(loss="bce", lr=0.01))
    assert model.optimiser.lr == 0.01
    x = data.held_out(10, 0).x
    y = model.decode(model.encode(x))
    known = F.binary_cross_entropy(y, x, reduction="none").flatten(1).sum(1)
    assert torch.allclose(model.errors(x), known, rtol=1e-4)


# -- corruption -------------------------------------------------------------------------------------------------------

X = torch.full((400, 1, 10, 10), 0.4)


def test_gaussian_noise_has_its_standard_deviation():
    noise = corruption.corrupt("gaussian", X, 0.5, fresh(0, "noise")) - X
    assert noise.std() == pytest.approx(0.5, rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.01)


def test_a_mask_sets_its_share_to_zero_and_leaves_the_rest():
    seen = corruption.corrupt("mask", X, 0.3, fresh(0, "noise"))
    assert set(seen.unique().tolist()) == {0.0, float(X[0, 0, 0, 0])}
    assert (seen == 0).float().mean() == pytest.approx(0.3, abs=0.01)


def test_salt_and_pepper_are_half_and_half():
    seen = corruption.corrupt("salt-pepper", X, 0.3, fresh(0, "noise"))
    assert (seen == 0).float().mean() == pytest.approx(0.15, abs=0.01)
    assert (seen == 1).float().mean() == pytest.approx(0.15, abs=0.01)
    wide = torch.linspace(-3, 2, 1000).view(1, 500, 2)
    seen = corruption.corrupt("salt-pepper", wide, 0.4, fresh(0, "noise"), images=False)
    changed = seen[seen != wide]
    assert set(changed.tolist()) == {-3.0, 2.0}


@pytest.mark.parametrize("kind", ["none", "gaussian", "mask", "salt-pepper"])
def test_no_strength_changes_nothing_and_the_stream_decides(kind):
    assert corruption.corrupt(kind, X, 0.0, fresh(0, "noise")) is X
    once, again = (corruption.corrupt(kind, X, 0.5, fresh(0, "noise")) for _ in range(2))
    assert torch.equal(once, again)


def test_denoising_asks_for_the_clean_item():
    """With all of the input masked the best answer is the mean item, whatever the item was."""
    model, data, rng = build(corruption="mask", strength=1.0, lr=0.01, batch=256)
    advance(model, data, rng, 300)
    mean = data.on("cpu")[0].x.mean(0)
    back = model.decode(model.encode(torch.zeros(1, 1, 8, 8)))
    assert torch.allclose(back[0], mean, atol=0.08)
    assert model.corrupt(data.held_out(3, 0).x, fresh(0, "noise")).abs().sum() == 0


# -- constraints ------------------------------------------------------------------------------------------------------


def test_k_sparse_keeps_exactly_k_the_largest():
    codes = torch.randn(50, 20, generator=fresh(0, "codes"))
    kept = sparsity.keep_largest(codes, 3)
    assert ((kept != 0).sum(1) == 3).all()
    assert torch.equal(kept.max(1).values, codes.max(1).values)
    assert torch.equal(kept[kept != 0], codes[kept != 0])
    assert sparsity.keep_largest(codes, 20) is codes
    model, data, rng = build(codings=20, sparsity="k-sparse", keep=4)
    advance(model, data, rng, 5)
    assert ((model.encode(data.held_out(30, 0).x) != 0).sum(1) == 4).all()


@pytest.mark.parametrize("name", ["digits", "font-digits"])
def test_kl_takes_the_mean_activation_to_rho(name):
    """The sparse kind reaches its rho within 20 %, of 64 numbers and of 784."""
    model, data, rng = build(dataset(name)(), layers=1, width1=64, codings=64, sparsity="kl", batch=128, lr=2e-3)
    metrics = advance(model, data, rng, 600)
    codes = model.encode(data.known(1000, 0).x)
    assert codes.min() >= 0
    assert codes.max() <= 1
    assert float(codes.mean()) == pytest.approx(0.05, rel=0.2)
    assert metrics["loss/total"] == pytest.approx(metrics["loss/recon"] + 10 * metrics["loss/sparse"], rel=1e-5)
    assert error(model, data.held_out(400, 0).x) < 0.06


def test_l1_makes_codings_small():
    sizes = []
    for weight in (0.0, 0.3):
        model, data, rng = build(codings=32, sparsity="l1", l1_weight=weight)
        advance(model, data, rng, 200)
        sizes.append(float(model.encode(data.known(500, 0).x).abs().mean()))
    assert sizes[1] < 0.5 * sizes[0]


def test_contraction_is_the_jacobian_for_any_net():
    model, data, _ = build(codings=5, contractive=0.5)
    x = data.known(6, 0).x
    batched = torch.func.vmap(torch.func.jacrev(lambda item: model.encoder(item[None])[0]))(x)
    known = batched.flatten(1).square().sum(1)
    leaf = x.clone().requires_grad_()
    assert torch.allclose(sparsity.contractive(model.encoder(leaf), leaf), known.detach(), rtol=1e-4)
    # With many codings one random direction a step stands for all: right on average.
    model, *_ = build(codings=40, contractive=0.5)
    leaf = x.clone().requires_grad_()
    codes = model.encoder(leaf)
    exact = sparsity.contractive(codes, leaf)
    generator = fresh(0, "directions")
    guesses = torch.stack([sparsity.contractive(codes, leaf, generator).detach() for _ in range(400)])
    assert torch.allclose(guesses.mean(0), exact.detach(), rtol=0.15)


@pytest.mark.parametrize("values", [{}, {"body": "linear", "code_bend": "sigmoid", "codings": 24}, {"codings": 24}])
def test_contraction_makes_codings_move_less(values):
    slopes = []
    for weight in (0.0, 1.0):
        model, data, rng = build(contractive=weight, lr=3e-3, **values)
        metrics = advance(model, data, rng, 150)
        assert ("loss/contractive" in metrics) == (weight > 0)
        leaf = data.known(50, 0).x.requires_grad_()
        codes = model._bend(model.encoder(leaf))
        slopes.append(float(sparsity.contractive(codes, leaf).mean().detach()))
    assert slopes[1] < 0.7 * slopes[0]


# -- stacking ---------------------------------------------------------------------------------------------------------


def test_stacking_trains_one_layer_after_the_other():
    model, data, rng = build(stack_steps=4)
    told, moved = [], []
    for _ in range(15):
        before = {name: value.clone() for name, value in model.net.state_dict().items()}
        told.append(advance(model, data, rng)["stack/layer"])
        after = model.net.state_dict()
        moved.append({name for name in before if not torch.equal(before[name], after[name])})
    assert told == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 0, 0, 0]
    down = [f"encoder.stops.{i}.layer" for i in (1, 2, 3)]
    up = [f"decoder.stops.{i}.layer" for i in (2, 1, 0)]
    for i in range(3):
        pair = {f"{layer}.{what}" for layer in (down[i], up[i]) for what in ("weight", "bias")}
        assert all(names == pair for names in moved[4 * i : 4 * i + 4])
    assert moved[-1] == set(model.net.state_dict())


def test_a_stacked_net_starts_its_last_part_from_a_good_place():
    model, data, rng = build(stack_steps=150, codings=8, lr=3e-3)
    x = data.held_out(300, 0).x
    before = error(model, x)
    advance(model, data, rng, 450)
    assert error(model, x) < 0.5 * before
    advance(model, data, rng, 100)
    assert error(model, x) < 0.042


# -- what can be seen -------------------------------------------------------------------------------------------------


def test_bent_codings_count_as_a_hidden_layer():
    x = dataset("digits")().held_out(9, 0).x
    names = [list(build(**values)[0].activations(x)) for values in ({}, {"sparsity": "kl"}, {"body": "linear"})]
    assert names[0] == ["Encoder 1", "Encoder 2", "Decoder 1", "Decoder 2"]
    assert names[1] == ["Encoder 1", "Encoder 2", "Codings", "Decoder 1", "Decoder 2"]
    assert names[2] == []


def test_errors_are_the_training_loss_item_by_item():
    model, data, rng = build(loss="l1")
    x = data.batch(32, 0, rng)
    loss = advance(model, data, rng)["loss/recon"]
    again, *_ = build(loss="l1")
    assert float(again.errors(x).mean()) == pytest.approx(loss, rel=1e-5)
