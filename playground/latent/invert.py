"""Projection: the z whose sample comes nearest to a given image, found by descending to it.

    z* = argmin  mean (G(z) - x)² + λ mean z² + w mean (φ(G(z)) - φ(x))² / mean φ(x)²

(Zhu et al. 2016, arXiv 1609.03552; Creswell and Bharath 2018, arXiv 1611.05644, who see that many starts are needed:
the error has many valleys.) λ pulls towards codes that the generator was trained on, φ is any feature map. The starts
are the best of many random codes; after a quarter of the steps the two best go on alone. Of a category every choice is
tried and stays as it is; continuous codes move within [-1, 1] as uniform noise does. What G cannot make, it cannot be
brought to make: the error that stays is the generator's, and a hole in its coverage shows here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.config import ConfigError
from playground.families.base import Code, Family
from playground.latent.arrays import array
from playground.latent.coded import device_of
from playground.latent.truncation import noise_part
from playground.rng import fresh

POOL = 512  # random codes that the starts are chosen from
RATE = 0.1  # of Adam (Kingma and Ba 2014, arXiv 1412.6980), falling to 0 along a cosine
BETA1, BETA2, EPS = 0.9, 0.99, 1e-8
EARLY, FINALISTS = 0.25, 2  # after this share of the steps so many go on
TOLD, OFTEN = 20, 25  # times that progress is told; never more than so many steps apart

Progress = Callable[[float, float], None]


class Cancelled(RuntimeError):
    """Nobody waits for the result any more: raised out of `progress`."""


@dataclass(frozen=True)
class Inverted:
    """The code found (Z,), its sample (*shape), and the best mean squared error a number at each step (steps,)."""

    z: np.ndarray
    item: np.ndarray
    errors: np.ndarray

    @property
    def error(self) -> float:
        """The mean squared error a number that stays."""
        return float(self.errors[-1])


def invert(
    model: Family,
    target: Any,
    *,
    steps: int = 300,
    seed: int = 0,
    tries: int = 8,
    prior: float = 1e-3,
    features: Callable[[Tensor], Tensor] | None = None,
    weight: float = 0.1,
    progress: Progress | None = None,
) -> Inverted:
    """Find the code of an item (*shape) in data units; the same seed finds the same.

    `prior` is λ, `features` φ with its `weight` w. `progress(share, error)` is told 20 times or more and may raise.
    """
    if "generate" not in model.abilities or "encode" in model.abilities:
        raise ConfigError(f"{model.title} has an encoder and no need of a search: encode the item instead.")
    if steps < 1 or tries < 1:
        raise ConfigError(
            f"A projection of {steps} steps from {tries} starts is asked for: it takes at least 1 of both."
        )
    x = torch.from_numpy(array(target)).to(device_of(model))[None]
    if x.shape[1:] != tuple(model.data.shape) or not bool(x.isfinite().all()):
        words = " x ".join(str(side) for side in model.data.shape)
        raise ConfigError(f"An item to project is {words} finite numbers for this model.")
    z = starts(model, x, tries, seed)
    search = Search(model, x, z, prior=prior, features=features, weight=weight)
    errors = []
    for i in range(steps):
        errors.append(search.step(RATE * 0.5 * (1 + math.cos(math.pi * i / steps))))
        if i + 1 == math.ceil(EARLY * steps):
            search.keep(FINALISTS)
        if progress and (i + 1) % max(1, min(steps // TOLD, OFTEN)) == 0:
            progress((i + 1) / steps, errors[-1])
    z = search.best()
    with torch.no_grad():
        item = model.synthesise(z)
    errors[-1] = float((item - x).square().mean())
    return Inverted(array(z[0]), array(item[0]), array(errors))


def starts(model: Family, x: Tensor, tries: int, seed: int) -> Tensor:
    """Return the random codes (tries, Z) whose samples lie nearest; at least one with each choice of a category."""
    z = model.noise(POOL, fresh(seed, "invert", device=x.device))
    with torch.no_grad():
        away = torch.cat([(model.generate(some) - x).square().flatten(1).sum(1) for some in torch.split(z, 64)])
    nearest = away.argsort(stable=True)
    category = next((part for part in model.codes() if part.kind == "category"), None)
    if category is None:
        return z[nearest[:tries]]
    each = max(1, tries // category.size)
    parts = z[:, category.start : category.start + category.size].argmax(1)[nearest]
    return z[torch.cat([nearest[parts == choice][:each] for choice in range(category.size)])]


class Search:
    """Codes on their way down, with Adam's memory of each."""

    def __init__(
        self,
        model: Family,
        x: Tensor,
        z: Tensor,
        *,
        prior: float,
        features: Callable[[Tensor], Tensor] | None = None,
        weight: float = 0.0,
    ) -> None:
        self.model, self.x, self.z, self.prior, self.weight, self.features = model, x, z, prior, weight, features
        parts: list[Code] = model.codes()
        size = z.shape[1]
        self.noise = torch.from_numpy(noise_part(parts, size)).to(z.device)
        self.free = torch.ones(size, device=z.device)
        self.bounded = torch.zeros(size, dtype=torch.bool, device=z.device)
        for part in parts:
            here = slice(part.start, part.start + part.size)
            self.free[here] = float(part.kind != "category")
            self.bounded[here] = part.kind == "continuous"
        if getattr(model.config, "noise_kind", "gaussian") == "uniform":
            self.bounded |= self.noise
        self.m, self.v, self.t = torch.zeros_like(z), torch.zeros_like(z), 0
        self.loss = torch.zeros(len(z), device=z.device)
        self.wanted = None if features is None else features(x).detach()

    def step(self, rate: float) -> float:
        """Move all codes by one update of Adam; return the least mean squared error before it."""
        z = self.z.detach().requires_grad_()
        item = self.model.synthesise(z)
        error = (item - self.x).square().flatten(1).mean(1)  # (tries,)
        loss = error + self.prior * z[:, self.noise].square().mean(1)
        if self.features is not None and self.wanted is not None:
            off = (self.features(item) - self.wanted).square().flatten(1).mean(1)
            loss = loss + self.weight * off / self.wanted.square().mean().clamp_min(1e-12)
        slope = torch.autograd.grad(loss.sum(), z)[0] * self.free
        self.loss, self.t = loss.detach(), self.t + 1
        self.m = BETA1 * self.m + (1 - BETA1) * slope
        self.v = BETA2 * self.v + (1 - BETA2) * slope.square()
        towards = (self.m / (1 - BETA1**self.t)) / ((self.v / (1 - BETA2**self.t)).sqrt() + EPS)
        moved = z.detach() - rate * towards
        self.z = torch.where(self.bounded, moved.clamp(-1, 1), moved)
        return float(error.detach().min())

    def keep(self, n: int) -> None:
        """Go on with the n best alone."""
        best = self.loss.argsort(stable=True)[:n]
        self.z, self.m, self.v, self.loss = (t[best] for t in (self.z, self.m, self.v, self.loss))

    def best(self) -> Tensor:
        """Return the best code (1, Z)."""
        return self.z[int(self.loss.argmin())][None]
