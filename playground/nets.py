"""Multilayer perceptrons for small GANs, and one flat vector that holds all the parameters of a module.

`MLP` is a stack of linear layers with one activation between them. Two things may be added to it:

- spectral norm (Miyato et al. 2018, arXiv 1802.05957): every layer uses W / σ(W), so the whole net is 1-Lipschitz where
  its activation is; σ is followed by one power iteration a training forward, u ← Wv/|Wv|, v ← Wᵀu/|Wᵀu|, σ = uᵀWv;
- a layer before the last linear one that lets the discriminator see its batch as a whole: minibatch discrimination
  (Salimans et al. 2016, arXiv 1606.03498) or minibatch standard deviation (Karras et al. 2017, arXiv 1710.10196). Real
  and fake points must then go through in separate calls, or the layer compares one with the other.

`Flat` makes every parameter and gradient a view of one vector: an optimiser step, a gradient norm, a moving average or
a copy is then one operation instead of one for each tensor, which is most of the time of a small net on a CPU.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from playground import fast

Activation = Literal["relu", "leaky-relu", "tanh", "elu", "gelu", "silu"]
Init = Literal["default", "xavier", "kaiming", "orthogonal", "normal-0.02"]
Minibatch = Literal["none", "discrimination", "std"]

SLOPE = 0.2  # of the leaky ReLU below zero (Radford et al. 2015, arXiv 1511.06434)

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "leaky-relu": lambda x: F.leaky_relu(x, SLOPE),
    "tanh": torch.tanh,
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
}


class MLP(nn.Module):
    """Linear layers of `sizes` (in, hidden..., out) with `activation` between them, on the generator's device."""

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        activation: Activation = "leaky-relu",
        init: Init = "default",
        gain: float = 1.0,
        generator: torch.Generator,
        spectral: bool = False,
        minibatch: Minibatch = "none",
    ) -> None:
        super().__init__()
        self.sizes, self.activation = tuple(sizes), activation
        last, out = self.sizes[-2:]
        self.minibatch: nn.Module | None = None
        if minibatch == "discrimination":
            self.minibatch = MinibatchDiscrimination(last, generator)
        elif minibatch == "std":
            self.minibatch = MinibatchStd(last)
        widths = [*self.sizes[:-2], last]
        pairs = [*itertools.pairwise(widths), (self.minibatch.width if self.minibatch else last, out)]
        layer = SpectralLinear if spectral else Linear
        self.layers = nn.ModuleList(layer(i, o, init, gain, generator) for i, o in pairs)

    def forward(self, x: Tensor) -> Tensor:  # (B, in) -> (B, out)
        act = ACTIVATIONS[self.activation]
        *hidden, last = self.layers
        for layer in hidden:
            x = act(layer(x))  # (B, width)
        logits: Tensor = last(x if self.minibatch is None else self.minibatch(x))
        return logits


def first_values(layer: nn.Module, inputs: int, init: str, gain: float, rng: torch.Generator) -> None:
    """Draw a layer's weight and bias in place; an output is a sum over `inputs` numbers.

    "default" is PyTorch's own U(±gain/√in) for both, the others start with bias 0.
    """
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    if isinstance(bias, Tensor):
        nn.init.zeros_(bias)
    if init == "default":
        bound = gain / math.sqrt(inputs)
        nn.init.uniform_(weight, -bound, bound, generator=rng)
        if isinstance(bias, Tensor):
            nn.init.uniform_(bias, -bound, bound, generator=rng)
    elif init == "xavier":
        nn.init.xavier_uniform_(weight, gain, generator=rng)
    elif init == "kaiming":
        nn.init.normal_(weight, 0.0, gain * math.sqrt(2 / inputs), generator=rng)
    elif init == "orthogonal":
        nn.init.orthogonal_(weight, gain, generator=rng)
    else:
        nn.init.normal_(weight, 0.0, 0.02 * gain, generator=rng)


class Linear(nn.Linear):
    """A linear layer whose first values come from `generator` alone."""

    def __init__(
        self, inputs: int, outputs: int, init: str, gain: float, generator: torch.Generator, *, bias: bool = True
    ) -> None:
        self._init = (init, gain, generator)  # nn.Linear draws its first values by calling reset_parameters
        super().__init__(inputs, outputs, bias=bias, device=generator.device)
        del self._init

    def reset_parameters(self) -> None:
        """Draw weight and bias."""
        first_values(self, self.in_features, *self._init)

    def forward(self, x: Tensor) -> Tensor:  # (B, in) -> (B, out)
        return fast.linear(x, self.weight, self.bias)


class Spectral:
    """What a layer needs to divide its weight by its largest singular value (Miyato et al. 2018, algorithm 1).

    A convolution's weight counts as a matrix (out, in k k), as in the paper: not quite the largest stretch of an image,
    but within a factor of it.
    """

    weight: Tensor
    training: bool
    u: Tensor
    v: Tensor

    def follow(self, generator: torch.Generator) -> None:
        """Begin to follow the largest singular value of the weight, which has its first values."""
        assert isinstance(self, nn.Module)
        outputs, inputs = self.weight.flatten(1).shape
        u = torch.randn(outputs, generator=generator, device=generator.device)
        self.register_buffer("u", F.normalize(u, dim=0, eps=1e-12))
        self.register_buffer("v", torch.zeros(inputs, device=generator.device))
        for _ in range(30):  # a fresh u is far from the top singular vector; σ must be right from the first step
            self._iterate()

    def _iterate(self) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            weight = self.weight.flatten(1)
            v = F.normalize(weight.mT @ self.u, dim=0, eps=1e-12)  # (in,)
            u = F.normalize(weight @ v, dim=0, eps=1e-12)  # (out,)
            self.u.copy_(u)
            self.v.copy_(v)
        return u, v  # not the buffers: a graph may still need these values after the next iteration

    def normalised(self) -> Tensor:
        """Return W / σ(W), one power iteration later in training mode."""
        with torch.autocast(self.weight.device.type, enabled=False):  # 8 bits are too few to tell W's directions apart
            u, v = self._iterate() if self.training else (self.u.clone(), self.v.clone())
            return self.weight / torch.dot(u, self.weight.flatten(1) @ v)


class SpectralLinear(Spectral, Linear):
    """A linear layer with spectral norm."""

    def __init__(self, inputs: int, outputs: int, init: str, gain: float, generator: torch.Generator) -> None:
        Linear.__init__(self, inputs, outputs, init, gain, generator)
        self.follow(generator)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.normalised(), self.bias)


class MinibatchDiscrimination(nn.Module):
    """Append for each row and kernel how near the batch's other rows are: mean over j of exp(-|M_i - M_j|₁), M = hT.

    The paper sums over the batch; the mean differs by the constant B and lets the batch size change while training.
    A row is compared with about 64 evenly spaced rows at most, so that a large batch stays cheap.
    """

    KERNELS, DIM, ROWS = 8, 4, 64

    def __init__(self, inputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.width = inputs + self.KERNELS
        self.T = nn.Parameter(torch.empty(inputs, self.KERNELS * self.DIM, device=generator.device))
        nn.init.normal_(self.T, 0.0, 1 / math.sqrt(inputs), generator=generator)

    def forward(self, h: Tensor) -> Tensor:  # (B, A) -> (B, A + K)
        m = (h @ self.T).view(h.shape[0], self.KERNELS, self.DIM).permute(2, 1, 0)  # (C, K, B)
        others = m[:, :, :: math.ceil(len(h) / self.ROWS)]  # (C, K, R)
        apart = torch.zeros((), device=h.device, dtype=h.dtype)
        for mine, theirs in zip(m, others, strict=True):  # one number at a time: a (C, K, B, R) table is slow to fill
            apart = apart + (mine[:, :, None] - theirs[:, None]).abs()  # (K, B, R)
        near = apart.neg().exp().mean(2).T  # (B, K)
        return torch.cat([h, near], 1)


class MinibatchStd(nn.Module):
    """Append one feature: the standard deviation over the batch, averaged over all features."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.width = inputs + 1

    def forward(self, h: Tensor) -> Tensor:  # (B, A) -> (B, A + 1)
        std = (h.var(0, unbiased=False) + 1e-8).sqrt().mean()  # the root's slope at 0 is infinite
        return torch.cat([h, std.expand(h.shape[0], 1)], 1)


class Flat:
    """All parameters of a module as one vector: `data` and `grad` (P,), of which the parameters are views.

    Hold on to it: `module.to(...)` or `p.grad = None` afterwards would part the two.
    """

    def __init__(self, module: nn.Module) -> None:
        self.parameters = tuple(module.parameters())
        self.data = torch.cat([p.detach().reshape(-1) for p in self.parameters])
        self.grad = torch.zeros_like(self.data)
        for p, (data, grad) in zip(self.parameters, self.parts(), strict=True):
            p.data, p.grad = data, grad

    def backward(self, loss: Tensor) -> None:
        """Set `grad` to the gradient of `loss`, for these parameters only; what was there before is overwritten.

        Quicker than `zero_grad` and `loss.backward()`, and it leaves the gradients of other modules alone.
        """
        grads = torch.autograd.grad(loss, self.parameters, allow_unused=True, materialize_grads=True)
        torch.cat([g.reshape(-1) for g in grads], out=self.grad)

    def zero_grad(self) -> None:
        """Set the gradient to zero."""
        self.grad.zero_()

    def grad_norm(self) -> Tensor:
        """Return the Euclidean norm of the gradient, a scalar on the device."""
        norm: Tensor = torch.linalg.vector_norm(self.grad)
        return norm

    def parts(self) -> list[tuple[Tensor, Tensor]]:
        """Return (data, grad) views in the shape of each parameter, in the module's order."""
        sizes = [p.numel() for p in self.parameters]
        pieces = zip(self.parameters, torch.split(self.data, sizes), torch.split(self.grad, sizes), strict=True)
        return [(data.view(p.shape), grad.view(p.shape)) for p, data, grad in pieces]


def flatten(module: nn.Module) -> Flat:
    """Make all parameters and gradients of `module`, already on its device, views of one vector."""
    return Flat(module)


@torch.no_grad()
def evaluate(net: nn.Module, x: Tensor) -> Tensor:
    """Return the output in evaluation mode, without gradients; the mode is afterwards what it was."""
    was = net.training
    net.eval()
    try:
        out: Tensor = net(x)
    finally:
        net.train(was)
    return out


def words(net: nn.Module) -> str:
    """Say in words what a network is: layers, activation, parameter count."""
    count = sum(p.numel() for p in net.parameters())
    number = f"{count:,} parameter{'s' if count != 1 else ''}"
    net = next((m for m in net.modules() if isinstance(m, MLP)), net)
    if not isinstance(net, MLP):
        return f"{type(net).__name__}, {number}"
    extras = [type(m).__name__ for m in net.modules() if isinstance(m, (MinibatchDiscrimination, MinibatchStd))]
    extras += ["spectral norm"] if any(isinstance(m, SpectralLinear) for m in net.modules()) else []
    return ", ".join([" → ".join(str(n) for n in net.sizes), net.activation, *extras, number])
