"""Two games of one number against one number, played exactly: the Dirac-GAN and the bilinear game.

Dirac-GAN (Mescheder et al. 2018, "Which training methods for GANs do actually converge?", arXiv 1801.04406): the data
is one point, 0; the generator is one number theta; the discriminator is the line psi x. With f(t) = -log(1 + e^-t)

    L(theta, psi) = f(psi theta) + f(0),    G descends L, D ascends it

so the paper's psi x is large where D sees a *fake*. Everywhere else here D's output is large on real points, hence its
output is -psi x and the paper's picture stays as it is. The bilinear game min_x max_y xy is the Wasserstein loss of the
same players. The only equilibrium of all these games is (0, 0). Watch whether a training method spirals in, circles, or
is thrown out; many are right in continuous time and wrong at any step size.

Conventions, each of which changes the numbers:
- alternating: G moves first and D answers the moved G (`first="g"`); the lab's GAN moves D first (`first="d"`);
- a clip is applied right after each update of D;
- the penalty is gamma/2 (|D'| - target)^2: R1 and R2 are target 0, a gradient penalty of weight lambda is gamma = 2
  lambda in its paper's own writing (arXiv 1704.00028), gamma = lambda in the Dirac-GAN's;
- consensus (Mescheder et al. 2017, arXiv 1705.10461) subtracts gamma times the gradient of |v|^2/2 from the force v;
- instance noise blurs data and fakes by N(0, s^2); its expectation is a Gauss-Hermite sum, not a sample;
- optimism (Daskalakis et al. 2017, arXiv 1711.00141): w + 2h v_t - h v_(t-1), with v_(-1) = v_0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from playground.config import Config

Loss = Literal["minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "relativistic"]
Order = Literal["simultaneous", "alternating", "extragradient", "optimistic"]
Rule = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

QUADRATURE = 40  # Gauss-Hermite nodes for instance noise

# What each player descends, from D's outputs on real points a and fakes b, and their means over the noise.
LOSSES: dict[Loss, tuple[Rule, Rule]] = {
    "minimax": (lambda a, b, ma, mb: softplus(-a) + softplus(b), lambda a, b, ma, mb: -softplus(b)),
    "non-saturating": (lambda a, b, ma, mb: softplus(-a) + softplus(b), lambda a, b, ma, mb: softplus(-b)),
    "least-squares": (lambda a, b, ma, mb: ((a - 1) ** 2 + b**2) / 2, lambda a, b, ma, mb: (b - 1) ** 2 / 2),
    "hinge": (lambda a, b, ma, mb: relu(1 - a) + relu(1 + b), lambda a, b, ma, mb: -b),
    "wasserstein": (lambda a, b, ma, mb: b - a, lambda a, b, ma, mb: -b),
    "relativistic": (
        lambda a, b, ma, mb: softplus(mb - a) + softplus(b - ma),
        lambda a, b, ma, mb: softplus(ma - b) + softplus(a - mb),
    ),
}


@dataclass(frozen=True)
class Game:
    """The rules of one game; a zero switches a term off."""

    loss: Loss = "minimax"
    order: Order = "simultaneous"
    first: Literal["g", "d"] = "g"
    lr_g: float = 0.2
    lr_d: float = 0.2
    gamma: float = 0.0
    target: float = 0.0
    consensus: float = 0.0
    noise: float = 0.0
    clip: float | None = None


def from_settings(settings: Config) -> Game:
    """Return the game that a GAN's settings play on one number each, plain gradient steps assumed."""

    def get(name: str, default: float = 0.0) -> float:
        return float(getattr(settings, name, default))

    name = str(getattr(settings, "loss", "minimax"))
    penalty = str(getattr(settings, "penalty_in_use", "none"))
    weight = {"none": 0.0, "r1": 1.0, "r2": 1.0}.get(penalty, 2.0) * get("penalty_weight")
    loss: Loss = "wasserstein" if name.startswith("wasserstein") else name  # type: ignore[assignment]
    return Game(
        loss=loss,
        order="alternating" if getattr(settings, "order", "") == "alternating" else "simultaneous",
        first="d",
        lr_g=get("lr_g"),
        lr_d=get("lr_d"),
        gamma=weight,
        target=get("penalty_target") if penalty in ("gp", "dragan") else 0.0,
        noise=get("instance_noise"),
        clip=get("clip") if name == "wasserstein-clip" else None,
    )


@cache
def _hermite() -> tuple[Tensor, Tensor]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(QUADRATURE)
    return torch.from_numpy(nodes), torch.from_numpy(weights / weights.sum())


def players_losses(theta: Tensor, psi: Tensor, game: Game) -> tuple[Tensor, Tensor]:
    """Return what D and what G descend, (n,) each, without consensus, at theta and psi (n,)."""
    shift, weight = _hermite() if game.noise else (torch.zeros(1).double(), torch.ones(1).double())
    noise = game.noise * shift  # (q,)
    real, fake = -psi[:, None] * noise, -psi[:, None] * (theta[:, None] + noise)  # (n, q)
    means = real @ weight, fake @ weight
    d, g = (rule(real, fake, means[0][:, None], means[1][:, None]) @ weight for rule in LOSSES[game.loss])
    return d + game.gamma / 2 * (psi.abs() - game.target) ** 2, g


def force(points: Tensor, game: Game) -> Tensor:
    """Return the direction (n, 2) in which each player is pushed at points (theta, psi), float64."""
    at = points.detach().double().requires_grad_()
    d, g = players_losses(at[:, 0], at[:, 1], game)
    keep = bool(game.consensus)
    by_d = torch.autograd.grad(d.sum(), at, create_graph=keep, retain_graph=True)[0]
    by_g = torch.autograd.grad(g.sum(), at, create_graph=keep)[0]
    v = -torch.stack([by_g[:, 0], by_d[:, 1]], 1)
    if game.consensus:
        v = v - game.consensus * torch.autograd.grad(v.square().sum() / 2, at)[0]
    return v.detach()


def field(points: Tensor, game: Game) -> Tensor:
    """Return the update (n, 2) that one simultaneous step makes at each point (theta, psi), before any clip."""
    return force(points, game) * torch.tensor([game.lr_g, game.lr_d], dtype=torch.float64)


def play(steps: int, game: Game, start: tuple[float, float] = (1.0, 1.0)) -> Tensor:
    """Return the states (steps + 1, 2) that the game goes through, float64, the start first."""
    point = torch.tensor([start], dtype=torch.float64)
    path, before = [point], field(point, game)
    for _ in range(steps):
        if game.order == "alternating":
            for player in (0, 1) if game.first == "g" else (1, 0):
                alone = torch.zeros(1, 2, dtype=torch.float64)
                alone[0, player] = field(point, game)[0, player]
                point = _clipped(point + alone, game)
        elif game.order == "extragradient":
            ahead = _clipped(point + field(point, game), game)
            point = _clipped(point + field(ahead, game), game)
        elif game.order == "optimistic":
            now = field(point, game)
            point, before = _clipped(point + 2 * now - before, game), now
        else:
            point = _clipped(point + field(point, game), game)
        path.append(point)
    return torch.cat(path)


def _clipped(point: Tensor, game: Game) -> Tensor:
    if game.clip is None:
        return point
    return torch.stack([point[:, 0], point[:, 1].clamp(-game.clip, game.clip)], 1)
