"""Differentiable augmentation against closed forms: known shifts, squares and tints; gradients; chance of its own."""

from __future__ import annotations

import pytest
import torch

from playground.augmentation import augment, cut, shifts, tint, translate
from playground.experiment import Experiment
from playground.families.gan import Gan
from playground.rng import Streams

KINDS = ("translation", "cutout", "colour")


def images(n: int = 4, maps: int = 3, high: int = 8, wide: int = 12) -> torch.Tensor:
    return torch.rand(n, maps, high, wide, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_translation_by_known_shifts():
    x = images()
    by = torch.tensor([[0, 0], [1, 0], [0, -1], [-1, 1]])
    y = translate(x, by)
    assert torch.equal(y[0], x[0])
    assert torch.equal(y[1, :, 1:], x[1, :, :-1])  # a pixel down
    assert y[1, :, 0].abs().max() == 0  # what comes in is grey
    assert torch.equal(y[2, :, :, :-1], x[2, :, :, 1:])  # a pixel to the left
    assert torch.equal(y[3, :, :-1, 1:], x[3, :, 1:, :-1])


def test_shifts_reach_an_eighth_of_the_side_and_no_further():
    by = shifts(torch.zeros(4000, 1, 16, 28), torch.Generator().manual_seed(0))
    assert by.unique(return_counts=True)[0].tolist() == list(range(-4, 5))
    assert sorted(by[:, 0].unique().tolist()) == [-2, -1, 0, 1, 2]
    assert by.float().mean(0).abs().max() < 0.1


def test_cutout_turns_half_the_side_grey_around_a_centre():
    x = torch.ones(3, 2, 8, 8)
    y = cut(x, torch.tensor([[0.5, 0.5], [0.0, 0.0], [0.99, 0.5]]))
    assert y[0, :, 2:6, 2:6].abs().max() == 0
    assert y[0].sum() == 2 * (64 - 16)
    assert y[1].sum() == 2 * (64 - 4)  # a quarter of the square is inside the image
    assert y[2].sum() == 2 * (64 - 12)


def test_tint_against_its_formulas():
    x = images()
    half = torch.full((4, 3), 0.5)
    assert torch.allclose(tint(x, half), x, atol=1e-6)
    brighter = tint(x, torch.cat([torch.ones(4, 1), half[:, 1:]], 1))
    assert torch.allclose(brighter, x + 0.5, atol=1e-6)
    grey = tint(x, torch.tensor([[0.5, 0.0, 0.5]] * 4))
    assert torch.allclose(grey, x.mean(1, keepdim=True).expand_as(x), atol=1e-6)
    flat = tint(x, torch.tensor([[0.5, 0.5, 0.0]] * 4))
    middle = x.mean((1, 2, 3), keepdim=True)
    assert torch.allclose(flat, middle + (x - middle) / 2, atol=1e-6)
    one = x[:, :1]
    assert torch.allclose(tint(one, torch.tensor([[0.5, 0.9, 0.5]] * 4)), one, atol=1e-6)  # grey has no saturation


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_flow_through_to_the_pixels_that_are_seen(kind):
    x = images().double().requires_grad_()
    y = augment(x, kind, torch.Generator().manual_seed(3))
    assert y.shape == x.shape
    (slope,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
    assert slope.abs().sum() > 0
    torch.autograd.grad(slope.sum(), x)  # penalties and unrolling differentiate once more
    assert torch.autograd.gradcheck(lambda v: augment(v, kind, torch.Generator().manual_seed(3)), (x[:1, :, :, :4],))


def test_each_image_is_changed_by_itself():
    x = images(1).expand(50, -1, -1, -1)
    for kind in KINDS:
        y = augment(x, kind, torch.Generator().manual_seed(0))
        assert len({tuple(row.flatten().tolist()) for row in y}) > 5


def test_off_draws_nothing_and_on_draws_from_its_own_stream():
    experiment = Experiment.of("gan").on("digits").changed(body="dcgan", maps=4, batch=4)
    states = {}
    for kind in ("none", "translation"):
        rng = Streams(0)
        gan = Gan(experiment.changed(augment=kind).model, experiment.data, rng)
        gan.step(gan.take(gan.rows, 0, rng), rng)
        states[kind] = rng.state()
    assert torch.equal(states["none"]["augment"], Streams(0)["augment"].get_state())
    assert not torch.equal(states["translation"]["augment"], states["none"]["augment"])
    assert all(torch.equal(states["none"][name], states["translation"][name]) for name in ("noise", "init"))


def test_d_sees_real_and_fake_alike_and_points_are_left_alone():
    experiment = Experiment.of("gan").on("digits").changed(augment="cutout")
    rng = Streams(0)
    gan = Gan(experiment.model, experiment.data, rng)
    white = torch.ones(16, 1, 8, 8)
    assert (gan._seen(white, rng) == 0).any(dim=(1, 2, 3)).all()
    ring = Experiment.of("gan").changed(augment="cutout")
    points = Gan(ring.model, ring.data, rng)
    x = torch.ones(5, 2)
    assert torch.equal(points._seen(x, rng), x)
