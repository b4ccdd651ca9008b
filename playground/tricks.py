"""What people do to a GAN to keep it from collapsing or circling, each on its own: pure functions and one buffer.

    packing         D judges m independent points at once        Lin et al. 2018 (PacGAN), arXiv 1712.04086
    instance noise  N(0, σ_t² I) on all that D sees, σ_t → 0     Sønderby et al. 2017, arXiv 1610.04490
    replay          part of D's fakes come from earlier G's      Shrivastava et al. 2017, arXiv 1612.07828
    unrolling       G's loss after k updates of D, seen through  Metz et al. 2017, arXiv 1611.02163
    averaging       a moving average of G's weights draws        Yazıcı et al. 2019, arXiv 1806.04498

Label smoothing stands with the losses, spectral norm and the minibatch layers with the nets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from playground import optim


def pack(x: Tensor, m: int) -> Tensor:
    """Join m rows at a time, each used once: (B m, dim, ...) -> (B, m dim, ...). Rows must be independent draws."""
    return x if m == 1 else x.reshape(len(x) // m, m * x.shape[1], *x.shape[2:])


def noise_level(start: float, decay: int, step: int) -> float:
    """Return the instance noise's standard deviation: falls linearly to 0 over `decay` steps; 0 never falls."""
    return start * max(0.0, 1 - step / decay) if decay else start


def blur(x: Tensor, std: float, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise of that standard deviation; 0 draws nothing."""
    return x + std * torch.randn(x.shape, generator=generator, device=x.device) if std else x


class Replay:
    """The last `size` fakes that D was shown; `mix` swaps some of a new batch for older ones."""

    def __init__(self, size: int, shape: Sequence[int], device: torch.device) -> None:
        self.rows = torch.zeros(size, *shape, device=device)
        self.written = 0  # rows ever stored; the newest overwrite the oldest

    def mix(self, fake: Tensor, share: float, generator: torch.Generator) -> Tensor:
        """Return `fake` with its last `share` of rows replaced by stored ones, then store the new rows."""
        old = min(self.written, len(self.rows))
        count = int(share * len(fake)) if old else 0
        pick = torch.randint(max(old, 1), (count,), generator=generator, device=fake.device)
        mixed = torch.cat([fake[: len(fake) - count], self.rows[pick]])
        new = fake[: len(self.rows)]
        at = torch.arange(self.written, self.written + len(new), device=fake.device) % len(self.rows)
        self.rows[at] = new
        self.written += len(new)
        return mixed


def views(module: nn.Module, flat: Tensor) -> dict[str, Tensor]:
    """Return the parameters of `module` by name as views of a flat vector (P,), in the module's order."""
    named = dict(module.named_parameters())
    parts = flat.split_with_sizes([p.numel() for p in named.values()])
    return {name: part.view(p.shape) for (name, p), part in zip(named.items(), parts, strict=True)}


def unroll(
    critic: nn.Module,
    optimiser: optim.Optimiser,
    steps: int,
    loss: Callable[[Callable[[Tensor], Tensor]], Tensor],
    clip: float | None = None,
) -> Callable[[Tensor], Tensor]:
    """Return the critic as it would be after `steps` updates on `loss(critic)`; the critic itself stays as it is.

    The updates are the optimiser's own, from its present state, and are differentiable: a gradient through the returned
    function also flows through each update. `clip` limits the parameters after each one.
    """
    weights = optimiser.flat.data.detach().requires_grad_()
    state = dict(optimiser.state())

    def at(w: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda x: functional_call(critic, views(critic, w), (x,))

    for _ in range(steps):
        (grad,) = torch.autograd.grad(loss(at(weights)), weights, create_graph=True)
        weights, state = differentiable_step(optimiser, weights, grad, state)
        if clip is not None:
            weights = weights.clamp(-clip, clip)
    return at(weights)


def differentiable_step(
    optimiser: optim.Optimiser, weights: Tensor, grad: Tensor, state: dict[str, Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return weights and state after the optimiser's rule, out of place; the same numbers as its `step`."""
    o, s = optimiser, dict(state)
    if isinstance(o, optim.SGD):
        s["momentum"] = o.momentum * s["momentum"] + grad
        return weights - o.lr * s["momentum"], s
    s["mean_square"] = o.beta2 * s["mean_square"] + (1 - o.beta2) * grad.square()
    if isinstance(o, optim.RMSprop):
        s["momentum"] = o.momentum * s["momentum"] + grad / (safe_root(s["mean_square"]) + optim.EPS)
        return weights - o.lr * s["momentum"], s
    s["step"] = s["step"] + 1
    s["mean"] = o.beta1 * s["mean"] + (1 - o.beta1) * grad
    root = safe_root(s["mean_square"] / (1 - o.beta2 ** s["step"]))
    direction = s["mean"] / (1 - o.beta1 ** s["step"]) / (root + optim.EPS)
    if not isinstance(o, optim.OptimisticAdam):
        return weights - o.lr * direction, s
    # Optimistic Adam stores minus the direction; before its first step the last direction equals the first.
    last = torch.where(s["step"] == 1, -direction, s["last"])
    s["last"] = -direction
    return weights - 2 * o.lr * direction - o.lr * last, s


def safe_root(x: Tensor) -> Tensor:
    """Return √x with slope 0 at 0 in place of an infinite one (a dead unit has had no gradient yet)."""
    return torch.where(x > 0, x, 1.0).sqrt() * (x > 0)
