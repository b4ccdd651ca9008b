"""Penalties on D's slope: pure functions of a critic and points, each per sample, averaged over the batch.

    gp      E (|∇D(x̂)| - t)²   at x̂ = x + u (x̃ - x), u ~ U(0, 1) for each pair  Gulrajani et al. 2017, arXiv 1704.00028
    r1      ½ E |∇D(x)|²        at real points                                Mescheder et al. 2018, arXiv 1801.04406
    r2      ½ E |∇D(x̃)|²        at fakes                                      the same paper
    dragan  E (|∇D(x+δ)| - t)²  around real points, δ ~ N(0, (½ std x)² I)   Kodali et al. 2017, arXiv 1705.07215

All are multiplied by one weight (λ, or γ: R1 is γ/2 |∇D|², so the half stands here). With target t = 1 the critic is
held near slope 1; t = 0 pulls it flat. The slope is taken for each sample: one norm for the whole batch would be
another, weaker penalty. A layer that sees the batch as a whole (minibatch tricks) blurs that. Watch grad/d settle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Name = Literal["none", "gp", "r1", "r2", "dragan"]
Critic = Callable[[Tensor], Tensor]

FORMULAS = {
    "gp": "λ E (|∇D(x̂)| - t)²",
    "r1": "γ/2 E |∇D(x)|²",
    "r2": "γ/2 E |∇D(G(z))|²",
    "dragan": "λ E (|∇D(x+δ)| - t)²",
}


def square_slope(critic: Critic, x: Tensor) -> Tensor:
    """Return |∇D|² at each point, (B,), differentiable in D's parameters (and in x where it carries a graph)."""
    x = x if x.requires_grad else x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)  # (B, dim, ...)
    return slope.square().flatten(1).sum(1)


def off_target(critic: Critic, x: Tensor, target: float) -> Tensor:
    """Return E (|∇D| - target)², a scalar."""
    slope = (square_slope(critic, x) + 1e-12).sqrt()  # the root's slope at 0 is infinite
    return (slope - target).square().mean()


def gp(critic: Critic, real: Tensor, fake: Tensor, target: float, generator: torch.Generator) -> Tensor:
    """Return the gradient penalty on a random point between each real and fake point."""
    u = torch.rand(len(real), *[1] * (real.dim() - 1), generator=generator, device=real.device)
    return off_target(critic, torch.lerp(real, fake, u), target)


def r1(critic: Critic, real: Tensor) -> Tensor:
    """Return half the mean square slope at the real points; on fakes this is R2."""
    return 0.5 * square_slope(critic, real).mean()


def dragan(critic: Critic, real: Tensor, target: float, generator: torch.Generator) -> Tensor:
    """Return the gradient penalty around the real points, noised by half the batch's standard deviation."""
    noise = torch.randn(real.shape, generator=generator, device=real.device)
    return off_target(critic, real + 0.5 * real.std(unbiased=False) * noise, target)


def penalty(
    name: str, critic: Critic, *, real: Tensor, fake: Tensor, target: float, generator: torch.Generator
) -> Tensor:
    """Return the penalty of that name without its weight, a scalar."""
    if name == "gp":
        return gp(critic, real, fake, target, generator)
    if name == "dragan":
        return dragan(critic, real, target, generator)
    return r1(critic, real if name == "r1" else fake)
