"""Which classes the fakes fall into, as told by a classifier: the modes that images have names for.

- covered: classes with at least a fifth of the share they have in the data.
- entropy: -sum q_i log q_i in nats over the fakes' shares q; log K where K classes have even shares.
- KL(fakes ‖ data) = sum q_i log(q_i / w_i) in nats, with the data's shares w (Srivastava et al. 2017, arXiv
  1705.07761): log(K / m) for a sampler even on m of K even classes. A class without items counts as half an
  item.
Watch the mean top probability beside them: a classifier puts noise into a class as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

PRESENT = 0.2  # of its share: with at least that a class counts as covered


def class_scores(labels: Tensor, weights: Sequence[float]) -> dict[str, float]:
    """Return the scores of fakes with these classes (n,), against the data's shares (K,)."""
    w = torch.tensor(weights, dtype=torch.float64)
    q = torch.bincount(labels.cpu(), minlength=len(w)).double() / max(len(labels), 1)
    floor = w.clamp(min=0.5 / max(len(labels), 1))
    return {
        **{f"class/{i}": share for i, share in enumerate(q.tolist())},
        "class/covered": float(((q >= PRESENT * w) & (q > 0)).sum()),
        "class/entropy": max(0.0, float(-torch.xlogy(q, q).sum())),  # below 0 only by rounding
        "class/kl": max(0.0, float((torch.xlogy(q, q) - torch.xlogy(q, floor)).sum())),
    }


def present(share: float, weight: float) -> bool:
    """Say whether a class with this share of the fakes counts as covered; one that the data lacks always does."""
    return share >= PRESENT * weight


def perfect(weights: Sequence[float]) -> dict[str, float]:
    """Return the scores of fakes with the data's own shares."""
    known = [w for w in weights if w > 0]
    return {
        **{f"class/{i}": w for i, w in enumerate(weights)},
        "class/covered": float(len(known)),
        "class/entropy": -sum(w * math.log(w) for w in known),
        "class/kl": 0.0,
    }
