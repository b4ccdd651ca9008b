"""Items through a model and back: what the pages and notebooks that look at one saved moment begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from playground.data.base import DataSet
from playground.families.base import Family

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


def decoded(model: Family, codes: Any) -> np.ndarray:
    """Return the items (n, *shape) that codes (n, Z) stand for."""
    z = torch.as_tensor(np.asarray(codes, np.float32)).to(device_of(model))
    return np.concatenate([_plain(model.decode(rows)) for rows in torch.split(z, ROWS)])


def device_of(model: Family) -> torch.device:
    """Return where a model's weights lie."""
    return next((value.device for value in model.state().values() if value.is_floating_point()), torch.device("cpu"))


def _through(model: Family, x: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    codes, spread = model.encode(x), model.spread(x)
    return _plain(codes), _plain(model.decode(codes)), None if spread is None else _plain(spread)


def _plain(x: Tensor) -> np.ndarray:
    return np.asarray(x.detach().float().cpu().numpy(), np.float32)
