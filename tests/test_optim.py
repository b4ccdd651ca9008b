"""Optimisers on the flat vector: equal to torch.optim, resumable to the last bit, live settings."""

import pytest
import torch

from playground import nets, optim

NAMES = ["sgd", "adam", "rmsprop", "nadam", "optimistic-adam"]


def problem(seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    net = nets.MLP((2, 32, 32, 1), activation="tanh", generator=generator)
    x = torch.randn(64, 2, generator=generator)
    return net, x, x.prod(1, keepdim=True)


def descend(net, flat, rule, data, steps):
    x, y = data
    for _ in range(steps):
        flat.backward((net(x) - y).square().mean())
        rule.step()


REFERENCES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "sgd-momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.005, betas=(0.5, 0.999)),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.005, betas=(0.8, 0.99)),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.001, alpha=0.99),
    "rmsprop-momentum": lambda p: torch.optim.RMSprop(p, lr=0.001, alpha=0.99, momentum=0.9),
}
OURS = {
    "sgd": ("sgd", {"lr": 0.05}),
    "sgd-momentum": ("sgd", {"lr": 0.05, "momentum": 0.9}),
    "adam": ("adam", {"lr": 0.005, "beta1": 0.5}),
    "nadam": ("nadam", {"lr": 0.005, "beta1": 0.8, "beta2": 0.99}),
    "rmsprop": ("rmsprop", {"lr": 0.001, "beta2": 0.99}),
    "rmsprop-momentum": ("rmsprop", {"lr": 0.001, "beta2": 0.99, "momentum": 0.9}),
}


@pytest.mark.parametrize("case", list(REFERENCES))
def test_equals_torch_on_plain_parameters(case):
    (net, *data), (plain, *_) = problem(), problem()
    net, plain, data = net.double(), plain.double(), [t.double() for t in data]  # in float32 rounding grows by itself
    flat = nets.flatten(net)
    name, options = OURS[case]
    descend(net, flat, optim.make(name, flat, **options), data, 50)
    reference = REFERENCES[case](plain.parameters())
    for _ in range(50):
        reference.zero_grad()
        (plain(data[0]) - data[1]).square().mean().backward()
        reference.step()
    for ours, theirs in zip(net.parameters(), plain.parameters(), strict=True):
        # torch keeps Nadam's running product in single precision
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-6 if case == "nadam" else 1e-9)


@pytest.mark.parametrize("case", list(REFERENCES))
def test_equals_torch_in_float32_on_the_same_gradients(case):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(1000, generator=generator)
    flat = nets.Flat(torch.nn.ParameterList([start]))
    plain = torch.nn.Parameter(start.clone())
    name, options = OURS[case]
    rule, reference = optim.make(name, flat, **options), REFERENCES[case]([plain])
    for _ in range(50):
        plain.grad = torch.randn(1000, generator=generator)
        flat.grad.copy_(plain.grad)
        rule.step()
        reference.step()
    assert torch.allclose(flat.data, plain.detach(), rtol=1e-6, atol=1e-6)


def test_optimistic_adam_equals_its_formula_in_float64():
    flat = nets.Flat(torch.nn.ParameterList([torch.tensor([1.0, -2.0], dtype=torch.float64)]))
    rule = optim.make("optimistic-adam", flat, lr=0.1, beta1=0.5, beta2=0.9)
    theta, m, v, last = torch.tensor([1.0, -2.0], dtype=torch.float64), 0.0, 0.0, None
    for t in range(1, 20):
        g = 2 * theta + t
        flat.grad.copy_(2 * flat.data + t)
        rule.step()
        m, v = 0.5 * m + 0.5 * g, 0.9 * v + 0.1 * g * g
        d = m / (1 - 0.5**t) / ((v / (1 - 0.9**t)).sqrt() + 1e-8)
        theta = theta - 0.2 * d + 0.1 * (d if last is None else last)
        last = d
        assert torch.allclose(flat.data, theta, atol=1e-12)


def test_optimism_damps_the_bilinear_game_that_adam_spins_out_of():
    radius = {}
    for name in ("adam", "optimistic-adam"):
        players = [nets.Flat(torch.nn.ParameterList([torch.tensor([1.0])])) for _ in range(2)]
        rules = [optim.make(name, p, lr=0.02, beta1=0.0, beta2=0.999) for p in players]
        for _ in range(2000):
            x, y = players[0].data.clone(), players[1].data.clone()
            players[0].grad.copy_(y)
            players[1].grad.copy_(-x)
            for rule in rules:
                rule.step()
        radius[name] = torch.cat([p.data for p in players]).norm().item()
    assert radius["adam"] > 1.0
    assert radius["optimistic-adam"] < 0.5


@pytest.mark.parametrize("name", NAMES)
def test_resume_is_exact_to_the_last_bit(name):
    options = {"lr": 0.01, "beta1": 0.5, "beta2": 0.99, "momentum": 0.5}
    net, *data = problem()
    flat = nets.flatten(net)
    rule = optim.make(name, flat, **options)
    descend(net, flat, rule, data, 7)
    weights = flat.data.clone()
    saved = {k: v.clone() for k, v in rule.state().items()}
    descend(net, flat, rule, data, 7)

    again, *_ = problem(seed=3)
    flat_again = nets.flatten(again)
    flat_again.data.copy_(weights)
    resumed = optim.make(name, flat_again, **options)
    resumed.load(saved)
    descend(again, flat_again, resumed, data, 7)
    assert torch.equal(flat.data, flat_again.data)


@pytest.mark.parametrize("name", NAMES)
def test_a_new_rate_acts_on_the_next_step(name):
    net, *data = problem()
    flat = nets.flatten(net)
    rule = optim.make(name, flat, lr=0.01)
    descend(net, flat, rule, data, 3)
    rule.lr = 0.0
    before = flat.data.clone()
    descend(net, flat, rule, data, 3)
    assert torch.equal(flat.data, before)
