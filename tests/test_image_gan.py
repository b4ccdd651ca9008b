"""Players for images: what each body is made of, batch norm's three manners, and that every trick goes with them."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from benchmarks.image_gan import greatest_difference
from playground import entrance, fast, gan_nets, nets
from playground.coders import Path
from playground.config import ConfigError
from playground.conv_nets import BatchNorm, SpectralConv, learning, sides, visiting
from playground.experiment import Experiment
from playground.families.gan import Gan
from playground.gan_settings import GanSettings
from playground.rng import Streams

BODIES = ("dense", "dcgan", "upsample")
SMALL = {"maps": 4, "batch": 8, "g_width": 8, "d_width": 8}
SIDES = [(1, 8), (3, 8), (1, 16), (3, 16), (1, 28), (3, 28), (1, 32), (3, 32), (3, 64)]
SHAPES = [*((maps, side, side) for maps, side in SIDES), (1, 9, 13), (1, 15, 15)]


def build(body: str = "dcgan", dataset: str = "digits", **values) -> tuple[Gan, Streams]:
    experiment = Experiment.of("gan").on(dataset).changed(body=body, **(SMALL | values))
    rng = Streams(experiment.seed)
    return Gan(experiment.model, experiment.data, rng), rng


def train(gan: Gan, rng: Streams, n: int = 1, players=None) -> dict[str, torch.Tensor]:
    for _ in range(n):
        start = gan.steps * gan.rows
        metrics = gan.step(gan.take(gan.rows, start, rng), rng, players).all()
    return metrics


def norms(net: nn.Module) -> list[BatchNorm]:
    return [module for module in net.modules() if isinstance(module, BatchNorm)]


def remembered(net: nn.Module) -> torch.Tensor:
    return torch.cat([torch.cat([norm.mean, norm.var]) for norm in norms(net)]).clone()


# -- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("body", BODIES)
def test_each_body_goes_from_codes_to_images_to_scores(body, shape):
    rng = torch.Generator().manual_seed(0)
    c = GanSettings(body=body, maps=4, noise_dim=5, packing=2)
    g, d = gan_nets.generator(c, shape, 5, rng), gan_nets.discriminator(c, shape, 3, rng)
    fakes = g(torch.randn(4, 5))
    assert fakes.shape == (4, *shape)
    assert fakes.abs().max() <= 1
    assert d(fakes.reshape(2, 2 * shape[0], *shape[1:])).shape == (2, 3)
    assert entrance.weights(g).shape[1] == 5


def test_sides_are_halved_until_they_are_small():
    assert sides((1, 28, 28)) == [(28, 28), (14, 14), (7, 7)]
    assert sides((1, 8, 8)) == [(8, 8), (4, 4), (2, 2)]
    assert sides((3, 32, 32)) == [(32, 32), (16, 16), (8, 8), (4, 4)]
    assert sides((3, 64, 64))[-1] == (4, 4)
    assert sides((1, 15, 9)) == [(15, 9), (7, 4), (3, 2)]


def test_dcgan_follows_its_guidelines():
    gan, _ = build("dcgan", "shapes", maps=16, noise_dim=10)
    assert isinstance(gan.g, Path)
    assert isinstance(gan.d, Path)
    assert [stop.shape for stop in gan.g.row] == [(32, 7, 7), (16, 14, 14), (1, 28, 28)]
    assert [stop.shape for stop in gan.d.row] == [(16, 14, 14), (32, 7, 7), (1568,), (1,)]
    assert [stop.act for stop in gan.g.row] == ["relu", "relu", "tanh"]
    assert [stop.act for stop in gan.d.row] == ["leaky-relu", "leaky-relu", "none", "none"]
    assert [len(norms(stop)) for stop in gan.g.row] == [1, 1, 0]
    assert [len(norms(stop)) for stop in gan.d.row] == [0, 1, 0, 0]
    assert len([m for m in gan.g.modules() if isinstance(m, nn.ConvTranspose2d)]) == 2
    assert not [m for m in gan.d.modules() if isinstance(m, nn.MaxPool2d)]
    for net in (gan.g, gan.d):
        for module in net.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)) and module.weight.numel() > 2000:
                assert module.weight.std().item() == pytest.approx(0.02, rel=0.1)
                assert module.weight.mean().abs() < 0.002


def test_upsampling_generators_repeat_pixels_and_convolve():
    gan, _ = build("upsample", "shapes")
    kinds = [type(module) for module in gan.g.modules()]
    assert kinds.count(nn.Upsample) == kinds.count(nn.Conv2d) == 2
    assert nn.ConvTranspose2d not in kinds
    assert next(m for m in gan.g.modules() if isinstance(m, nn.Upsample)).mode == "nearest"


@pytest.mark.parametrize("body", BODIES)
def test_the_model_card_says_the_layers(body):
    gan, _ = build(body, spectral=True)
    facts = gan.describe()
    assert re.fullmatch(r"8 → .* → .*, [\d,]+ parameters", facts["Generator"])
    assert "spectral norm" in facts["Discriminator"]
    assert ("batch norm" in facts["Generator"]) == (body != "dense")
    assert facts["Generator"].endswith(f"{sum(p.numel() for p in gan.g.parameters()):,} parameters")


@pytest.mark.parametrize("init", ["default", "xavier", "kaiming", "orthogonal", "normal-0.02"])
def test_first_weights_are_drawn_from_the_given_generator_alone(init):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    gans = [build("dcgan", init=init, spectral=spectral)[0] for spectral in (False, True)]
    again = build("dcgan", init=init)[0]
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(gans[0].flat["g"].data, again.flat["g"].data)
    assert torch.equal(gans[0].flat["d"].data, again.flat["d"].data)
    assert torch.isfinite(gans[1].flat["d"].data).all()


def test_points_are_for_dense_players():
    with pytest.raises(ConfigError, match=r"Convolutions read images, and .* is points: choose the body dense\."):
        Experiment.of("gan").changed(body="dcgan")
    for dataset in ("ring8", "digits"):
        assert Experiment.of("gan").on(dataset).model.body == "dense"
    with pytest.raises(ConfigError, match="learns from images or points"):
        Experiment.of("gan").on("sines")


# -- batch norm -------------------------------------------------------------------------------------------------------


def test_batch_norm_is_pytorchs_in_training_and_in_evaluation():
    ours, theirs = BatchNorm(3, torch.device("cpu")), nn.BatchNorm2d(3)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor([1.0, 2.0, 3.0]))
        theirs.bias.copy_(torch.tensor([0.5, 0.0, -0.5]))
        ours.weight.copy_(theirs.weight)
        ours.bias.copy_(theirs.bias)
    x = torch.randn(16, 3, 5, 5, generator=torch.Generator().manual_seed(0)) * 2 + 1
    for _ in range(3):
        assert torch.allclose(ours(x), theirs(x), atol=1e-6)
    ours.eval()
    theirs.eval()
    assert torch.allclose(ours(x), theirs(x), atol=1e-6)
    before = remembered(nn.Sequential(ours))
    ours.visited = True
    assert torch.allclose(ours(x).mean((0, 2, 3)), theirs.bias, atol=1e-5)  # the batch's own statistics
    assert torch.equal(before, remembered(nn.Sequential(ours)))


def test_each_player_remembers_in_its_own_updates_alone():
    gan, rng = build()
    for player, other in (("d", "g"), ("g", "d")):
        mine, theirs = remembered(gan.nets[player]), remembered(gan.nets[other])
        train(gan, rng, players=(player,))
        assert not torch.equal(mine, remembered(gan.nets[player]))
        assert torch.equal(theirs, remembered(gan.nets[other]))


def test_looking_uses_what_is_remembered_and_changes_nothing():
    gan, rng = build()
    train(gan, rng, 3)
    before = {name: value.clone() for name, value in gan.state().items()}
    z = gan.noise(6, torch.Generator().manual_seed(0))
    x = gan.data.held_out(6, 0).x
    alone = torch.cat([gan.generate(z[i : i + 1]) for i in range(6)])
    assert torch.allclose(gan.generate(z), alone, atol=1e-5)  # no row's image hangs on the others
    assert torch.allclose(gan.synthesise(z), gan.generate(z), atol=1e-6)
    assert torch.allclose(gan.discriminate(x)[:1], gan.discriminate(x[:1]), atol=1e-4)
    assert gan.synthesise(z.requires_grad_()).requires_grad
    assert all(torch.equal(value, before[name]) for name, value in gan.state().items())
    assert 0 <= alone.min() < alone.max() <= 1


def test_g_learns_through_the_statistics_of_its_own_fakes():
    gan, rng = build()
    train(gan, rng, 2)
    with visiting(gan.d):
        fakes = gan.inward(gan.data.held_out(8, 0).x)
        seen = gan.d(fakes)
    with torch.no_grad(), learning(gan.d):
        trained = gan.d(fakes)
    assert torch.allclose(seen, trained, atol=1e-6)
    assert not any(norm.visited or norm.training for norm in norms(gan.d))


def test_real_and_fake_rows_pass_d_separately_under_batch_norm():
    gan, rng = build()
    assert gan.batchwise
    assert not build(d_norm="layer")[0].batchwise
    assert not build("dense")[0].batchwise
    sizes: list[int] = []
    gan.d.register_forward_hook(lambda module, args, out: sizes.append(len(args[0])))
    train(gan, rng, players=("d",))
    assert sizes == [8, 8]


def test_unrolling_looks_ahead_without_remembering():
    gan, rng = build(unroll=2, spectral=True, batch=4)
    statistics, weights = remembered(gan.d), gan.flat["d"].data.clone()
    u = [module.u.clone() for module in gan.d.modules() if isinstance(module, SpectralConv)]
    train(gan, rng, players=("g",))
    assert torch.equal(statistics, remembered(gan.d))
    assert torch.equal(weights, gan.flat["d"].data)
    assert all(
        torch.equal(a, m.u) for a, m in zip(u, (m for m in gan.d.modules() if isinstance(m, SpectralConv)), strict=True)
    )


def test_the_average_draws_with_the_statistics_of_g():
    gan, rng = build(ema=0.5)
    train(gan, rng, 3)
    assert torch.equal(remembered(gan.average), remembered(gan.g))
    assert not torch.equal(gan.flat["average"].data, gan.flat["g"].data)


def test_a_penalty_on_each_rows_slope_is_refused_beside_batch_norm():
    experiment = Experiment.of("gan").on("digits").changed(body="dcgan")
    for values in ({"loss": "wasserstein-gp"}, {"penalty": "r1"}):
        with pytest.raises(ConfigError, match=r'set "Norm of D" to layer or none'):
            experiment.changed(**values)
        for fit in ({"d_norm": "layer"}, {"d_norm": "none"}, {"body": "dense"}):
            assert experiment.changed(**values, **fit)


# -- tricks -----------------------------------------------------------------------------------------------------------


def test_spectral_norm_gives_convolutions_a_largest_singular_value_of_one():
    gan, rng = build("dcgan", "shapes", spectral=True, d_norm="none")
    train(gan, rng, 3)
    layers = [m for m in gan.d.modules() if isinstance(m, nets.Spectral)]
    assert len(layers) == 3
    for layer in layers:
        top = torch.linalg.matrix_norm(layer.normalised().flatten(1), 2)
        assert top.item() == pytest.approx(1.0, abs=0.05)


TRICKS = [
    {"loss": "wasserstein-gp", "d_norm": "layer", "packing": 2},
    {"loss": "hinge", "spectral": True, "d_norm": "none", "minibatch": "discrimination"},
    {"loss": "wasserstein-clip", "order": "simultaneous"},
    {"loss": "least-squares", "penalty": "r1", "d_norm": "none", "d_steps": 2, "g_steps": 2},
    {"penalty": "dragan", "d_norm": "layer", "minibatch": "std", "replay": 0.5},
    {"loss": "relativistic", "instance_noise": 0.1, "ema": 0.9},
    {"unroll": 1, "packing": 2, "smoothing": 0.1},
]


@pytest.mark.parametrize("values", TRICKS, ids=str)
@pytest.mark.parametrize("body", BODIES)
def test_losses_penalties_and_tricks_go_with_every_body(body, values):
    gan, rng = build(body, **values)
    for value in train(gan, rng, 2).values():
        assert torch.isfinite(value)


@pytest.mark.parametrize(("field", "value"), [("augment", "translation"), ("precision", "bfloat16")])
def test_live_fields_of_images_act_within_one_step(field, value):
    (plain, rng), (changed, other) = build(), build()
    train(plain, rng)
    train(changed, other)
    changed.set(changed.config.with_values(**{field: value}))
    acts = field != "precision" or fast.has_bfloat16(torch.device("cpu"))
    assert torch.equal(train(plain, rng)["loss/d"], train(changed, other)["loss/d"]) != acts


def test_bfloat16_computes_nearly_the_same_and_keeps_float32_weights():
    (plain, rng), (half, other) = build("dcgan", batch=16), build("dcgan", batch=16, precision="bfloat16")
    (exact, near) = train(plain, rng, 2), train(half, other, 2)
    assert all(value.dtype == torch.float32 for value in half.state().values() if value.is_floating_point())
    for name, value in exact.items():
        assert near[name].dtype == torch.float32
        assert near[name].item() == pytest.approx(value.item(), rel=0.2, abs=0.05)
    half.set(half.config.with_values(precision="float32"))
    assert torch.isfinite(train(half, other)["loss/d"])


@pytest.mark.parametrize("values", TRICKS, ids=str)
def test_bfloat16_goes_with_every_trick(values):
    gan, rng = build(precision="bfloat16", augment="colour", **values)
    for value in train(gan, rng, 2).values():
        assert torch.isfinite(value)


def test_packed_images_are_maps_of_one():
    gan, _ = build(packing=3)
    x = gan.data.held_out(4, 0).x
    assert next(m for m in gan.d.modules() if isinstance(m, nn.Conv2d)).in_channels == 3
    assert gan.discriminate(x).shape == (4,)


def test_slow_motion_of_images_is_an_ordinary_step():
    (told, rng), (stepped, other) = build(), build()
    assert told.trace(told.take(told.rows, 0, rng), rng) == []
    train(stepped, other)
    assert torch.equal(told.flat["g"].data, stepped.flat["g"].data)


# -- against PyTorch's own --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values", [{}, {"body": "upsample"}, {"g_norm": "none"}, {"d_norm": "layer"}, {"d_norm": "none"}], ids=str
)
def test_the_step_is_that_of_a_plain_loop(values):
    """The same losses, step by step, as nn.Sequential, nn.BatchNorm2d and torch.optim.Adam give."""
    assert greatest_difference(maps=4, batch=8, items=1000, **values) <= 1e-5
