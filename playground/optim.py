"""Optimisers that act on one flat parameter vector: a step is one to four operations, whatever the number of layers.

    sgd               m ← μm + g;  θ ← θ - lr m
    adam              Kingma and Ba 2014, arXiv 1412.6980
    rmsprop           v ← β₂v + (1-β₂)g²;  θ ← θ - lr g/(√v + ε), with momentum μ as in sgd (Tieleman and Hinton 2012)
    nadam             Adam with Nesterov momentum (Dozat 2016, ICLR workshop)
    optimistic-adam   θ ← θ - 2 lr d_t + lr d_{t-1}, d Adam's direction (Daskalakis et al. 2018, arXiv 1711.00141)

Each equals its namesake in `torch.optim` (where there is one). Optimism takes one step back along the last direction:
it foresees the other player's move, and damps the circling of two players around an equilibrium.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from playground.nets import Flat

Name = Literal["sgd", "adam", "rmsprop", "optimistic-adam"]

EPS = 1e-8


class Optimiser:
    """One rule on one vector. `lr`, `beta1`, `beta2`, `momentum` may be set at any time and act from the next step."""

    slots: tuple[str, ...] = ()  # the names of the vectors that the rule remembers

    def __init__(self, flat: Flat, lr: float, beta1: float, beta2: float, momentum: float) -> None:
        self.flat, self.lr = flat, lr
        self.beta1, self.beta2, self.momentum = beta1, beta2, momentum
        self._state = {name: torch.zeros_like(flat.data) for name in self.slots}

    def step(self) -> None:
        """Move the parameters along `flat.grad`."""
        raise NotImplementedError

    def state(self) -> dict[str, Tensor]:
        """Return what the next step depends on, by name (no copies)."""
        return dict(self._state)

    def load(self, state: dict[str, Tensor]) -> None:
        """Copy a saved `state` back in place."""
        for name, mine in self._state.items():
            mine.copy_(state[name])


class SGD(Optimiser):
    """Gradient descent with heavy-ball momentum."""

    slots = ("momentum",)

    @torch.no_grad()
    def step(self) -> None:
        if self.momentum == 0:
            self.flat.data.add_(self.flat.grad, alpha=-self.lr)
            return
        m = self._state["momentum"].mul_(self.momentum).add_(self.flat.grad)
        self.flat.data.add_(m, alpha=-self.lr)


class RMSprop(Optimiser):
    """SGD on gradients divided by the root of their running mean square; β₂ is its decay."""

    slots = ("mean_square", "momentum")

    @torch.no_grad()
    def step(self) -> None:
        data, grad = self.flat.data, self.flat.grad
        root = self._state["mean_square"].mul_(self.beta2).addcmul_(grad, grad, value=1 - self.beta2).sqrt().add_(EPS)
        if self.momentum == 0:
            data.addcdiv_(grad, root, value=-self.lr)
            return
        m = self._state["momentum"].mul_(self.momentum).addcdiv_(grad, root)
        data.add_(m, alpha=-self.lr)


class Adam(Optimiser):
    """Adam in one fused kernel."""

    slots: tuple[str, ...] = ("mean", "mean_square")

    def __init__(self, flat: Flat, lr: float, beta1: float, beta2: float, momentum: float) -> None:
        super().__init__(flat, lr, beta1, beta2, momentum)
        # The count lives on the device: a CUDA step then needs no copy from the host.
        self._state["step"] = torch.zeros((), dtype=torch.float32, device=flat.data.device)

    def step(self) -> None:
        self._adam(self.flat.data, self.lr)

    def _adam(self, target: Tensor, lr: float) -> None:
        """Add -lr times Adam's direction to `target`: the kernel behind torch.optim.Adam(fused=True)."""
        s = self._state
        s["step"].add_(1)
        torch._fused_adam_(
            [target], [self.flat.grad], [s["mean"]], [s["mean_square"]], [], [s["step"]],
            lr=lr, beta1=self.beta1, beta2=self.beta2, weight_decay=0.0, eps=EPS, amsgrad=False, maximize=False,
        )  # fmt: skip


class OptimisticAdam(Adam):
    """Adam with optimism; before the first step the last direction counts as equal to the first one."""

    slots = ("mean", "mean_square", "last")

    @torch.no_grad()
    def step(self) -> None:
        last = self._state["last"]
        minus = torch.zeros_like(last)
        self._adam(minus, 1.0)
        before = torch.where(self._state["step"] == 1, minus, last)
        self.flat.data.add_(minus, alpha=2 * self.lr).sub_(before, alpha=self.lr)
        last.copy_(minus)


class NAdam(Optimiser):
    """Adam that looks one step of its momentum ahead.

    With μ_t = β₁ (1 - 0.96^(0.004 t) / 2) and Π the product of all μ so far,
    θ ← θ - lr (μ_{t+1} m / (1 - Π μ_{t+1}) + (1 - μ_t) g / (1 - Π)) / (√(v / (1 - β₂^t)) + ε).
    """

    slots = ("mean", "mean_square")

    def __init__(self, flat: Flat, lr: float, beta1: float, beta2: float, momentum: float) -> None:
        super().__init__(flat, lr, beta1, beta2, momentum)
        self._state["step"] = torch.zeros((), dtype=torch.float32, device=flat.data.device)
        self._state["product"] = torch.zeros((), dtype=torch.float32, device=flat.data.device)  # 1 - Π

    @torch.no_grad()
    def step(self) -> None:
        s, g = self._state, self.flat.grad
        t = s["step"].add_(1)
        now, ahead = (self.beta1 * (1 - 0.5 * 0.96 ** (0.004 * when)) for when in (t, t + 1))
        s["product"].mul_(now).add_(1 - now)
        m = s["mean"].lerp_(g, 1 - self.beta1)
        v = s["mean_square"].mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)
        root = (v / (1 - self.beta2**t)).sqrt_().add_(EPS)
        done = s["product"]
        direction = m * (ahead / (1 - (1 - done) * ahead)) + g * ((1 - now) / done)
        self.flat.data.addcdiv_(direction, root, value=-self.lr)


RULES: dict[str, type[Optimiser]] = {
    "sgd": SGD,
    "adam": Adam,
    "rmsprop": RMSprop,
    "nadam": NAdam,
    "optimistic-adam": OptimisticAdam,
}


def make(
    name: str, flat: Flat, *, lr: float, beta1: float = 0.9, beta2: float = 0.999, momentum: float = 0.0
) -> Optimiser:
    """Return the optimiser of that name for `flat`."""
    return RULES[name](flat, lr, beta1, beta2, momentum)
