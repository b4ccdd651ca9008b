"""Items through a model and back: what the pages and notebooks that look at one saved moment begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from playground.config import ConfigError
from playground.data.base import DataSet
from playground.families.base import Family
from playground.latent.arrays import array
from playground.latent.truncation import truncate
from playground.rng import fresh

Part = Literal["held-out", "training"]
ROWS = 512  # items through the network at a time


@dataclass(frozen=True)
class Coded:
    """n items with what became of them: `codes` (n, Z), their `spread` where a code is a distribution, `recon` like
    `x`, and `errors` (n,), the mean squared error a number."""

    x: np.ndarray
    labels: np.ndarray | None
    codes: np.ndarray
    recon: np.ndarray
    errors: np.ndarray
    spread: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)


def coded(model: Family, data: DataSet, n: int, part: Part = "held-out", seed: int = 0) -> Coded:
    """Send n held-out or training items (or as many as there are) through a model; the same seed takes the same."""
    take = data.held_out if part == "held-out" else data.known
    items = take(n, seed, device_of(model))
    return through(model, items.x, None if items.labels is None else items.labels.cpu().numpy())


def through(model: Family, x: Any, labels: np.ndarray | None = None) -> Coded:
    """Send items (n, *shape) through a model and back."""
    items = torch.as_tensor(x, dtype=torch.float32).to(device_of(model))
    codes, recon, spread = zip(*(_through(model, rows) for rows in torch.split(items, ROWS)), strict=True)
    before, after = items.cpu().numpy(), np.concatenate(recon)
    errors = ((after - before) ** 2).reshape(len(before), -1).mean(1)
    known = None if spread[0] is None else np.concatenate(spread)
    return Coded(before, labels, np.concatenate(codes), after, errors, known)


@dataclass(frozen=True)
class Sampled:
    """n samples of a generator: `x` (n, *shape) with the `codes` (n, Z) that they were made of, and the class of each
    where z names one."""

    x: np.ndarray
    codes: np.ndarray
    classes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)


def sampled(model: Family, n: int, seed: int = 0, psi: float = 1.0) -> Sampled:
    """Draw n samples from a generator, their codes truncated by `psi` (1: as they are); the same seed, the same."""
    if "generate" not in model.abilities:
        raise ConfigError(f"{model.title} has no prior to draw from: send items through it instead.")
    parts = model.codes()
    z = truncate(model.noise(n, fresh(seed, "samples", device=device_of(model))), psi, parts)
    given = next((part for part in parts if part.kind == "category" and part.given), None)
    classes = None if given is None else z[:, given.start : given.start + given.size].argmax(1)
    return Sampled(decoded(model, z), z, classes)


def decoded(model: Family, codes: Any) -> np.ndarray:
    """Return the items (n, *shape) that codes (n, Z) stand for; a generator's codes are its z."""
    make = model.decode if "decode" in model.abilities else model.generate
    z = torch.from_numpy(array(codes)).to(device_of(model))
    return np.concatenate([_plain(make(rows)) for rows in torch.split(z, ROWS)])


def device_of(model: Family) -> torch.device:
    """Return where a model's weights lie."""
    return next((value.device for value in model.state().values() if value.is_floating_point()), torch.device("cpu"))


def _through(model: Family, x: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    codes, spread = model.encode(x), model.spread(x)
    return _plain(codes), _plain(model.decode(codes)), None if spread is None else _plain(spread)


def _plain(x: Tensor) -> np.ndarray:
    return np.asarray(x.detach().float().cpu().numpy(), np.float32)
