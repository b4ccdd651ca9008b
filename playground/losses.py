"""GAN losses on raw discriminator outputs: pure functions of tensors, each with its value where G has won (q = p).

With a = D(x) on real points, b = D(G(z)) on fakes (raw outputs, no sigmoid), ς(t) = log(1 + eᵗ) = softplus(t), and E
the batch mean:

    minimax          d: E ς(-a) + E ς(b)              g: -E ς(b)       Goodfellow et al. 2014, arXiv 1406.2661
    non-saturating   d: as minimax                    g:  E ς(-b)      the same paper, section 3
    least-squares    d: ½E(a - 1)² + ½E b²            g: ½E(b - 1)²    Mao et al. 2016, arXiv 1611.04076
    hinge            d: E max(0, 1-a) + E max(0, 1+b) g: -E b          Lim and Ye 2017, arXiv 1705.02894
    wasserstein      d: E b - E a                     g: -E b          Arjovsky et al. 2017, arXiv 1701.07875
    relativistic     d: E ς(-(a - Eb)) + E ς(b - Ea)  g: a, b swapped  Jolicoeur-Martineau 2018, arXiv 1807.00734

`softplus` of a logit is exact where log(sigmoid(t) + eps) is not. What D's output means differs: the log odds of real
("logit", optimum log p/q), the label itself ("label", optimum p/(p+q)), or a free score ("critic"). Watch the loss
against its theory line: D's loss at 2 ln 2 says only that D cannot tell, which a weak D says of bad fakes as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

Name = Literal[
    "minimax", "non-saturating", "least-squares", "hinge", "wasserstein-clip", "wasserstein-gp", "relativistic"
]
Output = Literal["logit", "label", "critic"]

LN2 = math.log(2)
SMOOTHED = ("minimax", "non-saturating", "least-squares", "relativistic")  # those with labels that can be smoothed


@dataclass(frozen=True)
class Loss:
    """The two players' losses, what D's output means, and each loss where fakes and data are alike."""

    d: Callable[[Tensor, Tensor, float], Tensor]  # (real outputs, fake outputs, label smoothing) -> scalar
    g: Callable[[Tensor, Tensor], Tensor]  # (fake outputs, real outputs) -> scalar; most need no real outputs
    output: Output
    formula_d: str
    formula_g: str
    theory: Mapping[str, tuple[float, str]] = field(default_factory=dict)  # metric -> (value at q = p, its label)


def bce_d(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy of labels 1 - smoothing (real) and 0 (fake): E ς(-a) + s E a + E ς(b)."""
    loss = softplus(-real).mean() + softplus(fake).mean()
    return loss + smoothing * real.mean() if smoothing else loss


def minimax_g(fake: Tensor, real: Tensor) -> Tensor:
    """Return E log(1 - σ(b)); its slope vanishes where D is sure that fakes are fake."""
    return -softplus(fake).mean()


def non_saturating_g(fake: Tensor, real: Tensor) -> Tensor:
    """Return -E log σ(b)."""
    return softplus(-fake).mean()


def least_squares_d(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return ½E(a - (1 - smoothing))² + ½E b²."""
    return 0.5 * (real - (1 - smoothing)).square().mean() + 0.5 * fake.square().mean()


def least_squares_g(fake: Tensor, real: Tensor) -> Tensor:
    """Return ½E(b - 1)²."""
    return 0.5 * (fake - 1).square().mean()


def hinge_d(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return E max(0, 1 - a) + E max(0, 1 + b); it has no labels to smooth."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def critic_d(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return E b - E a: minus the Wasserstein-1 estimate of a 1-Lipschitz critic; it has no labels to smooth."""
    return fake.mean() - real.mean()


def critic_g(fake: Tensor, real: Tensor) -> Tensor:
    """Return -E b."""
    return -fake.mean()


def relativistic_d(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy of "more real than the mean of the others", smoothing the label of the real ones."""
    return bce_d(real - fake.mean(), fake - real.mean(), smoothing)


def relativistic_g(fake: Tensor, real: Tensor) -> Tensor:
    """Return the same with the roles swapped; real points matter to G here."""
    return bce_d(fake - real.mean(), real - fake.mean())


CROSS_ENTROPY = "L_D = E ς(-D(x)) + E ς(D(G(z))), ς = softplus"
CRITIC = "L_D = E D(G(z)) - E D(x)"
TWO_LN2 = (2 * LN2, "2 ln 2")

LOSSES: dict[str, Loss] = {
    "minimax": Loss(
        bce_d, minimax_g, "logit", CROSS_ENTROPY, "L_G = -E ς(D(G(z))) = E log(1 - σ(D(G(z))))",
        {"loss/d": TWO_LN2, "loss/g": (-LN2, "-ln 2")},
    ),
    "non-saturating": Loss(
        bce_d, non_saturating_g, "logit", CROSS_ENTROPY, "L_G = E ς(-D(G(z))) = -E log σ(D(G(z)))",
        {"loss/d": TWO_LN2, "loss/g": (LN2, "ln 2")},
    ),
    "least-squares": Loss(
        least_squares_d, least_squares_g, "label", "L_D = ½ E (D(x) - 1)² + ½ E D(G(z))²", "L_G = ½ E (D(G(z)) - 1)²",
        {"loss/d": (0.25, "1/4"), "loss/g": (0.125, "1/8")},
    ),
    "hinge": Loss(
        hinge_d, critic_g, "critic", "L_D = E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))", "L_G = -E D(G(z))",
        {"loss/d": (2.0, "2")},
    ),
    "wasserstein-clip": Loss(critic_d, critic_g, "critic", CRITIC, "L_G = -E D(G(z))", {"loss/d": (0.0, "0")}),
    "wasserstein-gp": Loss(critic_d, critic_g, "critic", CRITIC, "L_G = -E D(G(z))", {"loss/d": (0.0, "0")}),
    "relativistic": Loss(
        relativistic_d, relativistic_g, "critic",
        "L_D = E ς(-(D(x) - E D(G(z)))) + E ς(D(G(z)) - E D(x))",
        "L_G = E ς(-(D(G(z)) - E D(x))) + E ς(D(x) - E D(G(z)))",
        {"loss/d": TWO_LN2, "loss/g": TWO_LN2},
    ),
}  # fmt: skip


def score(name: str, output: Tensor) -> Tensor:
    """Return D's outputs as a person reads them: the probability of real, or a critic's own value."""
    kind = LOSSES[name].output
    if kind == "logit":
        return torch.sigmoid(output)
    return output.clamp(0, 1) if kind == "label" else output


def as_logit(name: str, output: Tensor) -> Tensor:
    """Return D's outputs as log odds of real, so that σ gives `score`; a critic's value stays as it is."""
    return torch.logit(output, eps=1e-6) if LOSSES[name].output == "label" else output
