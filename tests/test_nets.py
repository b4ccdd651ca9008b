"""Networks: shapes, first values from one generator, spectral norm, minibatch layers, the flat vector."""

import math

import pytest
import torch
from torch.func import functional_call

from playground import nets

ACTIVATIONS = ["relu", "leaky-relu", "tanh", "elu", "gelu", "silu"]


def gen(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mlp(sizes=(2, 16, 16, 1), seed=0, **options) -> nets.MLP:
    return nets.MLP(sizes, generator=gen(seed), **options)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_forward_equals_a_sequential_of_the_same_layers(activation):
    net = mlp(activation=activation)
    modules = {
        "relu": torch.nn.ReLU(), "leaky-relu": torch.nn.LeakyReLU(0.2), "tanh": torch.nn.Tanh(),
        "elu": torch.nn.ELU(), "gelu": torch.nn.GELU(), "silu": torch.nn.SiLU(),
    }  # fmt: skip
    act = modules[activation]
    plain = torch.nn.Sequential(net.layers[0], act, net.layers[1], act, net.layers[2])
    x = torch.randn(5, 2, generator=gen(1))
    assert torch.equal(net(x), plain(x))
    assert net(x).shape == (5, 1)


@pytest.mark.parametrize("init", ["default", "xavier", "kaiming", "orthogonal", "normal-0.02"])
@pytest.mark.parametrize("minibatch", ["none", "discrimination", "std"])
def test_first_values_come_from_the_generator_alone(init, minibatch):
    before = torch.get_rng_state()
    options = {"init": init, "minibatch": minibatch, "spectral": True}
    one, two, other = mlp(**options), mlp(**options), mlp(seed=1, **options)
    assert torch.equal(torch.get_rng_state(), before)
    pairs = list(zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(one.layers[0].weight, other.layers[0].weight)


def test_first_values_have_the_textbook_spread():
    wide = (200, 200, 200)
    expected = {"default": 1 / math.sqrt(3 * 200), "xavier": math.sqrt(2 / 400), "kaiming": 0.1, "normal-0.02": 0.02}
    for init, std in expected.items():
        assert mlp(wide, init=init).layers[0].weight.std().item() == pytest.approx(std, rel=0.02)
        assert mlp(wide, init=init, gain=2.0).layers[0].weight.std().item() == pytest.approx(2 * std, rel=0.02)
    w = mlp(wide, init="orthogonal", gain=1.4).layers[1].weight
    assert torch.allclose(w @ w.T, 1.96 * torch.eye(200), atol=1e-4)


def test_depth_one_and_single_linear_layer_work():
    assert mlp((2, 4, 1)).forward(torch.ones(3, 2)).shape == (3, 1)
    assert mlp((2, 1)).forward(torch.ones(3, 2)).shape == (3, 1)


# -- spectral norm ----------------------------------------------------------------------------------------------------


def test_spectral_norm_divides_by_the_largest_singular_value():
    net = mlp((2, 64, 64, 1), spectral=True, init="orthogonal", gain=3.0)
    for _ in range(20):
        net(torch.ones(1, 2))
    for layer in net.layers:
        eye = torch.eye(layer.in_features)
        weight = (layer.eval()(eye) - layer.bias).T
        assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1.0, abs=1e-4)


def test_spectral_norm_iterates_once_a_training_forward_and_never_in_evaluation():
    net = mlp(spectral=True)
    layer = net.layers[1]
    with torch.no_grad():
        layer.weight.add_(torch.randn(16, 16, generator=gen(3)))
    net.eval()
    u = layer.u.clone()
    net(torch.ones(4, 2))
    assert torch.equal(layer.u, u)
    net.train()
    net(torch.ones(4, 2))
    v = torch.nn.functional.normalize(layer.weight.T @ u, dim=0)
    assert torch.allclose(layer.u, torch.nn.functional.normalize(layer.weight @ v, dim=0))
    assert {"layers.1.u", "layers.1.v"} <= net.state_dict().keys()


def test_spectral_norm_has_the_gradient_of_the_reference():
    net, plain = mlp(spectral=True), mlp(spectral=False)
    plain.load_state_dict(net.state_dict(), strict=False)
    for layer, reference in zip(net.layers, plain.layers, strict=True):
        torch.nn.utils.parametrizations.spectral_norm(reference)
        known = reference.parametrizations.weight[0]
        known._u.copy_(layer.u)
        known._v.copy_(layer.v)
    x = torch.randn(8, 2, generator=gen(2))
    for _ in range(100):  # the two take the half steps of an iteration in another order: equal once it has converged
        net(x), plain(x)
    for _ in range(3):
        ours = torch.autograd.grad(net(x).square().sum(), list(net.parameters()))
        theirs = torch.autograd.grad(plain(x).square().sum(), [p for m in plain.layers for p in m.parameters()][::-1])
        by_shape = {tuple(t.shape): t for t in theirs}
        assert all(torch.allclose(g, by_shape[tuple(g.shape)], atol=1e-5) for g in ours if g.dim() == 2)


@pytest.mark.parametrize("options", [{"spectral": True}, {"minibatch": "discrimination"}, {"minibatch": "std"}])
def test_a_gradient_penalty_can_be_differentiated(options):
    net = mlp(activation="tanh", **options).double()
    x = torch.randn(4, 2, generator=gen(1), dtype=torch.float64, requires_grad=True)
    net.eval()  # the finite differences below must see one function, not one that iterates
    assert torch.autograd.gradgradcheck(net, (x,))
    net.train()
    (slope,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    net(x)  # a second forward moves u and v; the first graph must still be whole
    slope.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters() if p.dim() == 2)


def test_functional_call_uses_other_weights():
    net = mlp(spectral=True)
    other = mlp(seed=5, spectral=True)
    x = torch.randn(4, 2, generator=gen(1))
    state = dict(other.state_dict())
    net.eval(), other.eval()
    assert torch.equal(functional_call(net, state, (x,)), other(x))


# -- minibatch layers -------------------------------------------------------------------------------------------------


def test_minibatch_discrimination_of_equal_rows_is_one():
    layer = nets.MinibatchDiscrimination(3, gen())
    out = layer(torch.ones(10, 3))
    assert out.shape == (10, 3 + layer.KERNELS)
    assert torch.equal(out[:, 3:], torch.ones(10, layer.KERNELS))


def test_minibatch_discrimination_equals_its_formula():
    layer = nets.MinibatchDiscrimination(3, gen())
    h = torch.randn(5, 3, generator=gen(1))
    m = (h @ layer.T).view(5, layer.KERNELS, layer.DIM)
    for i in range(5):
        for k in range(layer.KERNELS):
            near = sum(math.exp(-(m[i, k] - m[j, k]).abs().sum().item()) for j in range(5)) / 5
            assert layer(h)[i, 3 + k].item() == pytest.approx(near, abs=1e-5)


def test_minibatch_std_is_the_mean_standard_deviation():
    h = torch.tensor([[0.0, 5.0], [2.0, 5.0]])
    out = nets.MinibatchStd(2)(h)
    assert torch.allclose(out[:, 2], torch.tensor(0.5), atol=1e-4)  # (1 + 0) / 2
    collapsed = torch.ones(4, 2, requires_grad=True)
    nets.MinibatchStd(2)(collapsed).sum().backward()
    assert collapsed.grad.isfinite().all()


def test_a_large_batch_stays_small_in_memory():
    layer = nets.MinibatchDiscrimination(3, gen())
    assert layer(torch.randn(1600, 3, generator=gen(1))).shape == (1600, layer.width)


# -- the flat vector --------------------------------------------------------------------------------------------------


def test_parameters_and_gradients_are_views_of_the_flat_vector():
    net = mlp()
    before = [p.detach().clone() for p in net.parameters()]
    flat = nets.flatten(net)
    assert flat.data.shape == flat.grad.shape == (sum(p.numel() for p in before),)
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), before, strict=True))
    flat.data.mul_(2)
    assert all(torch.equal(p, 2 * q) for p, q in zip(net.parameters(), before, strict=True))
    assert all(d.data_ptr() == p.data_ptr() for (d, _), p in zip(flat.parts(), net.parameters(), strict=True))
    assert all(g.data_ptr() == p.grad.data_ptr() for (_, g), p in zip(flat.parts(), net.parameters(), strict=True))


def test_both_backwards_fill_the_flat_gradient():
    net, x = mlp(), torch.randn(8, 2, generator=gen(1))
    flat = nets.flatten(net)
    net(x).square().mean().backward()
    first = flat.grad.clone()
    assert first.norm() > 0
    flat.backward(net(x).square().mean())
    assert torch.equal(flat.grad, first)
    assert flat.grad_norm().item() == pytest.approx(math.sqrt(sum(p.grad.square().sum() for p in net.parameters())))
    flat.zero_grad()
    assert all(not p.grad.any() for p in net.parameters())


def test_backward_for_one_player_leaves_the_other_alone():
    g, d = mlp((2, 8, 2)), mlp((2, 8, 1), seed=1)
    flat_g, flat_d = nets.flatten(g), nets.flatten(d)
    flat_g.backward(d(g(torch.ones(3, 2))).mean())
    assert flat_g.grad.any()
    assert not flat_d.grad.any()


def test_state_can_be_loaded_into_a_flattened_module():
    net, other = mlp(), mlp(seed=2)
    flat = nets.flatten(net)
    net.load_state_dict(other.state_dict())
    assert torch.equal(flat.data, torch.cat([p.detach().reshape(-1) for p in other.parameters()]))
