"""Forward and backward of an MLP written by hand, for the plain GAN step: what autograd computes in less time.

A layer is h = act(a), a = x Wᵀ + b. With δ = ∂loss/∂a from above, backpropagation (Rumelhart et al. 1986) is

    ∂loss/∂W = δᵀ x        ∂loss/∂b = Σ_batch δ        ∂loss/∂x = δ W        δ_below = ∂loss/∂x ⊙ act'(a)

On a small net autograd spends most of its time on bookkeeping and on fresh memory. Here every product is written into a
buffer that the next step uses again, weight gradients go straight into the flat vector, and a discriminator that the
generator trains through gives gradients of its input only.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from playground import nets
from playground.fast import numpy_is_wide, onednn_linear, products
from playground.losses import LOSSES
from playground.nets import MLP, SLOPE, Flat, Linear

aten = torch.ops.aten
BLOCK = 128  # rows of a sum of products
QUIET = np.errstate(over="ignore", invalid="ignore")  # a run that blows up is stopped by the loop, with its reason

PLAIN: tuple[str, list[float], str] = ("none", [], "")  # no activation


class Elementwise(NamedTuple):
    """An activation: `apply(a, out)` writes act(a); `slope(δ, saved)` multiplies δ by act'(a) in place.

    Where act'(a) is a function of act(a), `apply` overwrites a itself, which need not be kept.
    """

    apply: Callable[[Tensor, Tensor], Tensor]
    slope: Callable[[Tensor, Tensor], Tensor]
    from_output: bool = True
    fused: tuple[str, list[float], str] = PLAIN  # how oneDNN calls it, to apply it as it goes


ELEMENTWISE = {
    "relu": Elementwise(
        lambda a, out: torch.relu_(a),
        lambda d, h: aten.threshold_backward.grad_input(d, h, 0, grad_input=d),
        fused=("relu", [], ""),
    ),
    "leaky-relu": Elementwise(
        lambda a, out: F.leaky_relu_(a, SLOPE),
        lambda d, h: aten.leaky_relu_backward.grad_input(d, h, SLOPE, True, grad_input=d),
        fused=("leaky_relu", [SLOPE], ""),
    ),
    "tanh": Elementwise(
        lambda a, out: torch.tanh_(a),
        lambda d, h: aten.tanh_backward.grad_input(d, h, grad_input=d),
    ),
    "elu": Elementwise(
        lambda a, out: F.elu_(a),
        lambda d, h: aten.elu_backward.grad_input(d, 1.0, 1.0, 1.0, True, h, grad_input=d),
    ),
    "gelu": Elementwise(
        lambda a, out: aten.gelu.out(a, out=out),
        lambda d, a: aten.gelu_backward.grad_input(d, a, grad_input=d),
        from_output=False,
    ),
    "silu": Elementwise(
        lambda a, out: aten.silu.out(a, out=out),
        lambda d, a: aten.silu_backward.grad_input(d, a, grad_input=d),
        from_output=False,
    ),
}


class Matrix(NamedTuple):
    """One matrix in memory twice over: as PyTorch sees it, and as the products do (`fast.products`)."""

    tensor: Tensor
    array: Any

    @classmethod
    def of(cls, tensor: Tensor) -> Matrix:
        """Return it as both see it."""
        return cls(tensor, tensor.numpy() if tensor.is_cpu else tensor)

    def first(self, rows: int) -> Matrix:
        """Return the first rows."""
        return Matrix(self.tensor[:rows], self.array[:rows])


class Layer:
    """One layer: its weights, its gradients, and memory for `rows` rows that every step writes into anew.

    Memory is used as often as can be, since what a step touches should stay in the core's own cache: the activation
    goes where its argument was if its slope allows, and δ of the layer below where the activation was. On a CPU the
    products are NumPy's (`fast.products`), on arrays that share the tensors' memory; where those know no AVX-512, large
    ones are oneDNN's, but for the weights' gradients: its sums over a batch round coarsely.
    """

    def __init__(self, weight: tuple[Tensor, Tensor], bias: tuple[Tensor, Tensor], rows: int, in_place: bool) -> None:
        (self.weight, self.weight_grad), (self.bias, self.bias_grad) = weight, bias
        outputs, inputs = self.weight.shape
        self.dot = products(self.weight)
        self.onednn = None if numpy_is_wide() else onednn_linear(self.weight, rows)
        self.w, self.wt = Matrix.of(self.weight).array, Matrix.of(self.weight.T).array
        self.w_grad = Matrix.of(self.weight_grad).array
        self.part = Matrix.of(torch.empty_like(self.weight))  # of a sum of products
        self.a = Matrix.of(self.weight.new_empty(rows, outputs))  # x Wᵀ + b
        self.h = self.a if in_place else Matrix.of(torch.empty_like(self.a.tensor))  # act(a)
        self.below = self.h if inputs == outputs else Matrix.of(self.weight.new_empty(rows, inputs))  # δ W
        self.x = self.a  # from the last forward: what entered, and what the activation's slope needs
        self.saved = self.weight

    def shortened(self, rows: int) -> Layer:
        """Return the same layer at fewer rows, in the same memory."""
        layer = copy.copy(self)
        layer.a, layer.h, layer.below = self.a.first(rows), self.h.first(rows), self.below.first(rows)
        layer.onednn = None if numpy_is_wide() else onednn_linear(self.weight, rows)
        return layer

    def forward(self, x: Matrix, act: Elementwise) -> Matrix:
        """Return act(x Wᵀ + b) (B, out), and keep what the way back needs."""
        a = self.argument(x, self.a, act.fused)
        self.saved = a.tensor
        if self.onednn and act.fused is not PLAIN:
            return a
        h = a if act.from_output else self.h
        act.apply(a.tensor, h.tensor)
        return h

    def argument(self, x: Matrix, out: Matrix, fused: tuple[str, list[float], str] = PLAIN) -> Matrix:
        """Return x Wᵀ + b (B, out), and keep x: written into `out` where it is small, else `fused` is applied too."""
        self.x = x
        if self.onednn:
            return Matrix.of(self.onednn(x.tensor, self.weight, self.bias, *fused))
        self.dot(x.array, self.wt, out=out.array)
        out.tensor.add_(self.bias)
        return out

    def weight_gradient(self, delta: Matrix) -> None:
        """Write δᵀx and Σδ into the flat gradient.

        In blocks of rows, which round less than one long sum does: early on real and fake rows all but cancel, and Adam
        makes whole steps of what is left.
        """
        torch.sum(delta.tensor, 0, out=self.bias_grad)
        d, x, rows = delta.array, self.x.array, len(delta.array)
        self.dot(d[:BLOCK].T, x[:BLOCK], out=self.w_grad)
        for i in range(BLOCK, rows, BLOCK):
            self.dot(d[i : i + BLOCK].T, x[i : i + BLOCK], out=self.part.array)
            self.weight_grad.add_(self.part.tensor)

    def input_gradient(self, delta: Matrix) -> Matrix:
        """Return δW (B, in)."""
        if self.onednn:
            return Matrix.of(self.onednn(delta.tensor, self.weight.T, None, *PLAIN))
        self.dot(delta.array, self.w, out=self.below.array)
        return self.below


class Backprop:
    """Forward and backward of one MLP on `flat`; one backward a forward, since it eats its own trail."""

    def __init__(self, net: MLP, flat: Flat) -> None:
        self.act = ELEMENTWISE[net.activation]
        self.width = net.sizes[0]
        self.pieces = flat.parts()  # weight, bias, weight, bias, ...
        self.rows = 0  # that there is memory for
        self.plans: dict[int, list[Layer]] = {}
        self.layers: list[Layer] = []  # those of the last forward

    def plan(self, rows: int) -> list[Layer]:
        """Return the layers at so many rows."""
        if rows > self.rows:
            pairs = zip(self.pieces[0::2], self.pieces[1::2], strict=True)
            full = [Layer(weight, bias, rows, self.act.from_output) for weight, bias in pairs]
            self.rows, self.plans = rows, {rows: full}
        if rows not in self.plans:
            self.plans[rows] = [layer.shortened(rows) for layer in self.plans[self.rows]]
        return self.plans[rows]

    @QUIET
    def forward(self, x: Tensor) -> Tensor:  # (B, in) -> (B, out)
        """Return the output, and keep what `backward` needs."""
        self.layers = self.plan(x.shape[0])
        *hidden, last = self.layers
        h = Matrix.of(x)
        for layer in hidden:
            h = layer.forward(h, self.act)
        return last.argument(h, Matrix.of(torch.empty_like(last.a.tensor))).tensor  # memory that the caller keeps

    @QUIET
    def backward(self, delta: Tensor) -> None:
        """Take ∂loss/∂output (B, out) of the last forward and fill the flat gradient."""
        d = Matrix.of(delta)
        for i in reversed(range(len(self.layers))):
            self.layers[i].weight_gradient(d)
            if i > 0:
                d = self.layers[i].input_gradient(d)
                self.act.slope(d.tensor, self.layers[i - 1].saved)

    @QUIET
    def input_gradient(self, delta: Tensor) -> Tensor:
        """Take ∂loss/∂output (B, out) of the last forward and return ∂loss/∂x (B, in), valid until the next call."""
        *hidden, last = self.layers
        d = last.input_gradient(Matrix.of(delta))
        for layer in reversed(hidden):
            self.act.slope(d.tensor, layer.saved)
            d = layer.input_gradient(d)
        return d.tensor


class Slopes(NamedTuple):
    """Slopes of a loss at D's outputs, times the batch size: D's loss at real and at fake outputs, G's at fake ones."""

    real: Callable[[Tensor, float], Tensor]  # (outputs, label smoothing)
    fake: Callable[[Tensor], Tensor]
    g: Callable[[Tensor], Tensor]


# σ(-a) stays exact where 1 - σ(a) rounds to nothing, on points that D is sure of.
CROSS_ENTROPY = Slopes(
    lambda a, s: s - torch.sigmoid(-a) if s else -torch.sigmoid(-a),
    torch.sigmoid,
    lambda b: -torch.sigmoid(-b),
)
CRITIC = Slopes(lambda a, s: -torch.ones_like(a), torch.ones_like, lambda b: -torch.ones_like(b))

# A relativistic loss ties all rows together: its slopes are left to autograd.
SLOPES = {
    "minimax": CROSS_ENTROPY._replace(g=lambda b: -torch.sigmoid(b)),
    "non-saturating": CROSS_ENTROPY,
    "least-squares": Slopes(lambda a, s: a - (1 - s), lambda b: b, lambda b: b - 1),
    "hinge": CRITIC._replace(real=lambda a, s: -(a < 1).to(a.dtype), fake=lambda b: (b > -1).to(b.dtype)),
    "wasserstein-clip": CRITIC,
    "wasserstein-gp": CRITIC,
}


class Players:
    """A generator and a discriminator, each with the gradient of its loss, named as in `losses.LOSSES`."""

    def __init__(self, g: MLP, flat_g: Flat, d: MLP, flat_d: Flat) -> None:
        self.g, self.d = Backprop(g, flat_g), Backprop(d, flat_d)

    def d_gradient(
        self, real: Tensor, fake: Tensor, loss: str, smoothing: float = 0.0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Fill D's gradient on points (B m, dim); return the loss and D's outputs on real and fake rows, (B,) each."""
        rows = torch.cat([real, fake]).view(-1, self.d.width)  # one pass: this net treats each row by itself
        out = self.d.forward(rows)[:, 0]
        n = out.shape[0] // 2
        a, b = out[:n], out[n:]
        value = LOSSES[loss].d
        if loss in SLOPES:
            slope = torch.cat([SLOPES[loss].real(a, smoothing), SLOPES[loss].fake(b)]).div_(n)
        else:
            slope = torch.cat(by_autograd(lambda a, b: value(a, b, smoothing), a, b))
        self.d.backward(slope.unsqueeze(1))
        return value(a, b, smoothing), a, b

    def g_gradient(self, fake: Tensor, real: Tensor | None, loss: str) -> tuple[Tensor, Tensor, Tensor]:
        """Fill G's gradient, `fake` (B m, dim) being what the last `g.forward` returned.

        `real` is for losses that compare the two, else None. D judges rows of m points (PacGAN) where its input is m
        times as wide as G's output. Returns the loss, D's output on the fake rows (B,) and ∂loss/∂fake (B m, dim).
        """
        a = None if real is None else self.d.forward(real.reshape(-1, self.d.width)).squeeze(1)
        b = self.d.forward(fake.view(-1, self.d.width)).squeeze(1)
        a = b if a is None else a
        slope = self.d.input_gradient(g_slope(loss, b, a).unsqueeze(1)).view(fake.shape)
        self.g.backward(slope)
        return LOSSES[loss].g(b, a), b, slope

    def push(self, fake: Tensor, loss: str) -> Tensor:
        """Return minus the gradient of G's loss at each fake, (n, dim), times n; a pack holds copies of one fake."""
        n, dim = fake.shape
        b = self.d.forward(fake.repeat(1, self.d.width // dim)).squeeze(1)
        slope = self.d.input_gradient(g_slope(loss, b, b).unsqueeze(1))
        return -n * slope.view(n, -1, dim).sum(1)


def g_slope(loss: str, fake: Tensor, real: Tensor) -> Tensor:
    """Return ∂(G's loss)/∂(D's outputs on fakes), (B,)."""
    if loss in SLOPES:
        return SLOPES[loss].g(fake) / fake.shape[0]
    return by_autograd(lambda b: LOSSES[loss].g(b, real), fake)[0]


def fits(net: nn.Module) -> TypeGuard[MLP]:
    """Say whether `Backprop` can stand for this network: plain linear layers, no spectral norm, no minibatch layer."""
    return isinstance(net, MLP) and net.minibatch is None and all(type(layer) is Linear for layer in net.layers)


def players(g: nn.Module, flat_g: Flat, d: nn.Module, flat_d: Flat) -> Players | None:
    """Return the hand-written gradients of two networks, or None where they do not fit one of them."""
    return Players(g, flat_g, d, flat_d) if fits(g) and fits(d) else None


def forward(net: nn.Module, flat: Flat) -> Callable[[Tensor], Tensor]:
    """Return the network's forward without gradients, in memory of its own where it fits (half the time)."""
    return Backprop(net, flat).forward if fits(net) else partial(nets.evaluate, net)


def by_autograd(loss: Callable[..., Tensor], *outputs: Tensor) -> tuple[Tensor, ...]:
    """Return the gradient of a loss with respect to each batch of D's outputs."""
    leaves = [x.detach().requires_grad_() for x in outputs]
    return torch.autograd.grad(loss(*leaves), leaves)
