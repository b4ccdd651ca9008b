"""Are fakes copies of training images? How near each lies to its nearest one, beside how near held-out images lie.

A bare distance misleads: a plain image, such as a thin 1, is near many others. So a fake is held against its own
neighbourhood, as in Carlini et al. 2023 (arXiv 2301.13188):

    closeness = distance to the nearest training image / mean distance to the 50 nearest,

0 for a copy, near 1 where the nearest is no nearer than the rest. A fake counts as a copy where it is closer than 99 %
of held-out images are, so a perfect sampler has 1 %. Distances are Euclidean over pixels: a shifted copy is missed.
Watch the pairs themselves: a number alone convinces nobody.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

AROUND = 50  # nearest training images that make a neighbourhood
LEVEL = 0.01  # share of held-out images that count as copies
CHUNK = 256


class Nearest(NamedTuple):
    """Of each item: its `closeness`, `distance` to the nearest training item (a number's root mean square), `which`."""

    closeness: Tensor  # (n,)
    distance: Tensor  # (n,)
    which: Tensor  # (n,)


def nearest(x: Tensor, training: Tensor) -> Nearest:
    """Return the nearest of training items (m, *shape) to each of x (n, *shape)."""
    among, numbers = training.flatten(1), training[0].numel()
    k = min(AROUND, len(among))
    squares = among.square().sum(1)
    parts = []
    for part in torch.split(x.flatten(1), CHUNK):
        # Products lose the last digits of small distances, so the nearest is measured again as it is.
        away, which = torch.addmm(squares, part, among.T, alpha=-2).topk(k, 1, largest=False)
        around = (away + part.square().sum(1, keepdim=True)).clamp(min=0).sqrt().mean(1)
        first = (part - among[which[:, 0]]).norm(dim=1)
        parts.append((first / around.clamp(min=1e-12), first / numbers**0.5, which[:, 0]))
    return Nearest(*(torch.cat(column) for column in zip(*parts, strict=True)))


def limit(held: Tensor) -> float:
    """Return the closeness below which an item counts as a copy, from that of held-out items (n,)."""
    return float(held.cpu().double().quantile(LEVEL))


def copied(closeness: Tensor, below: float) -> float:
    """Return the share of items (n,) that count as copies."""
    return float((closeness < below).float().mean())
