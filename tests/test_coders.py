"""Encoders and decoders: shapes for every body and kind of data, tied weights, what a model card reads from them."""

import itertools
import math

import pytest
import torch

from playground import coders, nets
from playground.coders import BodySettings
from playground.config import ConfigError
from playground.data.base import Table
from playground.families.autoencoder import Autoencoder, AutoencoderSettings
from playground.rng import Streams, fresh

IMAGES = [(1, 8, 8), (3, 9, 12), (1, 28, 28)]
SHAPES = {"linear": [*IMAGES, (20, 2), (3,)], "dense": [*IMAGES, (20, 2), (3,)], "recurrent": [*IMAGES, (20, 2)]}
SHAPES["conv"] = IMAGES
SMALL = {"width1": 6, "width2": 5, "width3": 4, "maps": 3}
MORE = {"recurrent": [{"cell": "lstm"}]}
MORE["conv"] = [
    {"down": d, "up": u, "conv_layers": n}
    for d, u, n in itertools.product(("strided", "pooling"), ("transpose", "upsampling"), (1, 5))
]
CASES = [
    (body, shape, more) for body, shapes in SHAPES.items() for shape in shapes for more in [{}, *MORE.get(body, [])]
]


class Items(Table):
    """A data set of any kind and shape, without items."""

    title = "Items"
    kind = "images"
    sides: tuple[int, ...] = (1, 8, 8)

    @property
    def shape(self):
        return self.sides

    def load(self):
        raise NotImplementedError


class Sequences(Items):
    kind = "sequences"
    sides: tuple[int, ...] = (20, 2)


class Cloud(Items):
    kind = "cloud"
    sides: tuple[int, ...] = (3,)


def both(shape, codings=2, seed=0, tied=False, **values):
    c = BodySettings(codings=codings, **SMALL | values)
    generator = fresh(seed, "init")
    encoder = coders.encoder(shape, c, codings, generator)
    return encoder, coders.decoder(shape, c, codings, generator, encoder if tied else None)


@pytest.mark.parametrize(("body", "shape", "more"), CASES)
def test_every_body_takes_items_to_codes_and_back(body, shape, more):
    encoder, decoder = both(shape, 5, body=body, **more)
    x = torch.rand(7, *shape)
    codes = encoder(x)
    assert codes.shape == (7, 5)
    assert decoder(codes).shape == x.shape
    assert encoder(x[:1]).shape == (1, 5)


@pytest.mark.parametrize(("body", "shape", "more"), CASES)
def test_the_shapes_told_are_those_that_flow(body, shape, more):
    x = torch.rand(3, *shape)
    for path in both(shape, 4, body=body, **more):
        for stop, piece in zip(path.row, path.layout(), strict=True):
            x = stop(x)
            assert x.shape[1:] == piece.shape
        assert sum(piece.parameters for piece in path.layout()) == sum(p.numel() for p in path.parameters())
        assert f"{sum(p.numel() for p in path.parameters()):,} parameters" in path.words()


@pytest.mark.parametrize(("body", "shape", "more"), CASES)
def test_hidden_layers_are_watched_in_order(body, shape, more):
    x = torch.rand(3, *shape)
    encoder, decoder = both(shape, 4, body=body, **more)
    codes, seen = encoder.watch(x)
    assert torch.equal(codes, encoder(x))
    hidden = {"linear": 0, "conv": more.get("conv_layers", 2)}.get(body, 2)
    assert list(seen) == [f"Encoder {i + 1}" for i in range(hidden)]
    assert all(value.shape == (3, math.prod(value.shape[1:])) for value in seen.values())
    assert len(decoder.watch(codes)[1]) == hidden


@pytest.mark.parametrize("body", SHAPES)
def test_first_values_come_from_the_generator_alone(body):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, again, other = (both((1, 8, 8), body=body, seed=seed)[0].state_dict() for seed in (3, 3, 4))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert all(torch.isfinite(value).all() for value in first.values())


def test_widths_are_as_set_outermost_first():
    c = BodySettings(layers=3, width1=400, width2=100, width3=7)
    assert c.widths == [400, 100, 7]
    sizes = [stop.shape for stop in coders.encoder((1, 28, 28), c, 30, fresh(0, "init")).row]
    assert sizes == [(784,), (400,), (100,), (7,), (30,)]
    sizes = [stop.shape for stop in coders.decoder((1, 28, 28), c, 30, fresh(0, "init")).row]
    assert sizes == [(7,), (100,), (400,), (784,), (1, 28, 28)]


def test_variance_is_kept_through_six_layers():
    """Items of unit variance come out with a variance near 1: neither dead nor exploding at the start."""
    for activation in coders.ACTIVATIONS.keys() & {"elu", "selu", "relu", "gelu", "tanh"}:
        c = BodySettings(layers=6, activation=activation, **{f"width{i}": 256 for i in range(1, 7)})
        out = coders.encoder((256,), c, 256, fresh(0, "init"))(torch.randn(500, 256, generator=fresh(0, "x")))
        assert 0.05 < out.std() < 3, activation


@pytest.mark.parametrize("layers", [1, 3])
def test_tied_weights_are_one_tensor(layers):
    encoder, decoder = both((1, 8, 8), layers=layers, tied=True)
    for down, up in zip(encoder.levels, reversed(decoder.levels), strict=True):
        assert up.weight.data_ptr() == down.weight.data_ptr()
        assert torch.equal(up.weight, down.weight.T)
    names = [name for name, _ in decoder.named_parameters()]
    assert names
    assert all(name.endswith("bias") for name in names)
    assert "tied to the encoder's layer 1" in decoder.layout()[-2].note


def test_tied_weights_stay_one_tensor_when_flattened_and_trained():
    model = Autoencoder(AutoencoderSettings(tied=True, **SMALL), Items(), Streams(0))
    untied = Autoencoder(AutoencoderSettings(tied=False, **SMALL), Items(), Streams(0))
    weights = sum(stop.weight.numel() for stop in model.encoder.levels)
    assert len(untied.flat.data) - len(model.flat.data) == weights
    rng = Streams(0)
    for _ in range(3):
        model.step(torch.rand(16, 1, 8, 8, generator=rng["data"]), rng)
    down, up = model.encoder.levels[0], model.decoder.levels[-1]
    assert up.weight.data_ptr() == down.weight.data_ptr()
    # The gradient is the sum of both uses: moving the one tensor moves the error as the gradient says.
    x = torch.rand(16, 1, 8, 8, generator=rng["data"])
    model.flat.backward(model._plain(x, x)[0])
    weight, slope = model.flat.parts()[0]
    direction = torch.randn(weight.shape, generator=rng["direction"])
    expected = float((slope * direction).sum())
    with torch.no_grad():
        ends = []
        for sign in (1, -1):
            weight.add_(sign * 1e-3 * direction)
            ends.append(float(model._plain(x, x)[0]))
            weight.sub_(sign * 1e-3 * direction)
    assert (ends[0] - ends[1]) / 2e-3 == pytest.approx(expected, rel=0.02)


def test_filters_are_the_first_layers_weights():
    for body, shape in (("linear", (2, 1, 8, 8)), ("dense", (6, 1, 8, 8)), ("conv", (3, 1, 3, 3))):
        filters = both((1, 8, 8), body=body)[0].filters((1, 8, 8))
        assert filters.shape == shape
        assert not filters.requires_grad
    assert both((1, 8, 8), body="recurrent")[0].filters((1, 8, 8)) is None
    encoder, _ = both((1, 8, 8), body="linear")
    layer = encoder.levels[0].layer
    assert isinstance(layer, nets.Linear)
    assert torch.equal(encoder.filters((1, 8, 8))[1].flatten(), layer.weight[1])


def test_a_recurrent_encoder_reads_rows_in_order():
    """The last state depends on every row, and turning the image upside down changes it."""
    encoder, _ = both((1, 8, 8), body="recurrent")
    x = torch.rand(1, 1, 8, 8, generator=fresh(0, "x"), requires_grad=True)
    encoder(x)[0, 0].backward()
    assert (x.grad.abs().sum(3) > 0).all()
    assert not torch.allclose(encoder(x), encoder(x.flip(2)))


@pytest.mark.parametrize(("body", "data"), [("conv", Sequences()), ("conv", Cloud()), ("recurrent", Cloud())])
def test_a_body_that_cannot_read_the_data_says_so(body, data):
    with pytest.raises(ConfigError, match=f"Items is {data.kind}: choose"):
        Autoencoder.check(AutoencoderSettings(body=body), data)


@pytest.mark.parametrize("loss", ["bce", "ssim"])
def test_a_loss_that_compares_images_says_so(loss):
    with pytest.raises(ConfigError, match="choose the loss mse or l1"):
        Autoencoder.check(AutoencoderSettings(loss=loss), Sequences())
