"""The quicker linear layer: the same numbers as PyTorch's, forwards, backwards and backwards again."""

import pytest
import torch
import torch.nn.functional as F

from playground import fast


def tensors(rows=128, inputs=256, outputs=200):
    g = torch.Generator().manual_seed(0)
    return [torch.randn(size, generator=g).requires_grad_() for size in ((rows, inputs), (outputs, inputs), (outputs,))]


@pytest.mark.parametrize("rows", [3, 128])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_and_its_gradients_are_pytorchs(rows, bias):
    x, weight, b = tensors(rows)
    given = (x, weight, b) if bias else (x, weight)
    for loss in (lambda y: torch.tanh(y).square().sum(), lambda y: y.sum()):
        found, known = (f(*given) for f in (fast.linear, F.linear))
        torch.testing.assert_close(found, known, rtol=1e-4, atol=1e-4)
        first = [torch.autograd.grad(loss(y), given, create_graph=True) for y in (found, known)]
        torch.testing.assert_close(*first, rtol=1e-3, atol=1e-3)
        second = [torch.autograd.grad(g[0].square().sum(), weight) for g in first]
        torch.testing.assert_close(*second, rtol=1e-3, atol=0.1)


def test_a_transposed_weight_is_taken_as_it_lies():
    weight = tensors()[1]
    y = torch.randn(128, 200, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(fast.linear(y, weight.T), F.linear(y, weight.T), rtol=1e-4, atol=1e-3)


def test_other_types_and_autocast_go_to_pytorch():
    x, weight, b = (t.detach().double() for t in tensors())
    assert fast.linear(x, weight, b).dtype == torch.float64
    with torch.autocast("cpu", torch.bfloat16):
        assert fast.linear(*(t.float() for t in (x, weight, b))).dtype == torch.bfloat16


def test_rows_with_gaps_between_them_are_closed_up_before_onednn_sees_them(monkeypatch):
    if fast.ONEDNN is None:
        monkeypatch.setattr(fast, "ONEDNN", lambda x, w, b, *_: F.linear(x, w, b))
    seen, op = [], fast.ONEDNN
    monkeypatch.setattr(fast, "ONEDNN", lambda x, *rest: seen.append(x) or op(x, *rest))
    monkeypatch.setattr(fast, "LARGE", 1)
    _, weight, b = tensors()
    wide = torch.randn(128, 300, generator=torch.Generator().manual_seed(1)).requires_grad_()
    ours, known = (f(wide[:, :256], weight, b) for f in (fast.linear, F.linear))
    grads = [torch.autograd.grad(y.square().sum(), (wide, weight, b)) for y in (ours, known)]
    torch.testing.assert_close(*grads, rtol=1e-3, atol=1e-2)
    assert len(seen) == 3
    assert all(x.is_contiguous() or x.T.is_contiguous() for x in seen)


@pytest.mark.parametrize("odd", [(0, 0), (1, 1), (1, 0)])
@pytest.mark.parametrize("outputs", [1, 3])
def test_doubling_by_parity_is_pytorchs_transposed_convolution(outputs, odd):
    torch.manual_seed(0)
    layer = fast.Doubling(5, outputs, 3, stride=2, padding=1, output_padding=odd)
    x = torch.randn(2, 5, 4, 6).requires_grad_()
    given = (x, layer.weight, layer.bias)
    found, known = layer(x), torch.nn.ConvTranspose2d.forward(layer, x)
    torch.testing.assert_close(found, known, atol=1e-5, rtol=1e-4)
    first = [torch.autograd.grad(torch.tanh(y).square().sum(), given, create_graph=True) for y in (found, known)]
    torch.testing.assert_close(*first, atol=1e-4, rtol=1e-4)
    second = [torch.autograd.grad(g[0].square().sum(), layer.weight) for g in first]
    torch.testing.assert_close(*second, atol=1e-3, rtol=1e-3)


def test_doubling_leaves_many_channels_and_other_types_to_pytorch(monkeypatch):
    monkeypatch.setattr(fast, "by_parity", lambda *_: pytest.fail("by parity"))
    x = torch.randn(2, 5, 4, 4)
    fast.Doubling(5, 16, 3, stride=2, padding=1)(x)
    few = fast.Doubling(5, 1, 3, stride=2, padding=1)
    with torch.autocast("cpu", torch.bfloat16):
        assert few(x).dtype == torch.bfloat16
    assert few.double()(x.double()).dtype == torch.float64
