"""Which modes of a mixture the fakes hit, how much of their mass each got, and how sharp they are.

Published code disagrees on every rule below, so each is named here and on screen:
- high quality (HQ): within 3 sigma of the nearest centre, Euclidean (the ball rule). In two dimensions a perfect
  sampler scores 1 - exp(-9/2) = 0.98889; a box of +-3 sigma would give 0.99461. More than that is too narrow.
- covered: at least one HQ sample nearest to the mode (VEEGAN, Srivastava et al. 2017, arXiv 1705.07761; PacGAN, Lin et
  al. 2018, arXiv 1712.04086). Stricter: HQ samples are at least 1 % of all, or 8 % of the mass the mode should have.
- reverse KL: sum p_i log(p_i / w_i) in nats over the modes, p_i the shares among HQ samples; it is log(K p_i) inside
  when the K weights are equal. A sampler exact on m of K modes scores log(K / m).
- mode TV: (sum |mass_i - w_i| + share of samples that are not HQ) / 2, masses over all samples; 0.0111 at perfection.
Watch: covered counts a single stray sample; mass and TV do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.data.base import Modes
from playground.diagnostics.distances import kl

RADIUS = 3.0  # in standard deviations
HQ_PERFECT = 1 - math.exp(-(RADIUS**2) / 2)
# A normal cut at 3 sigma is a little narrower than the whole: E[r^2 | r <= 3] = 2 - 9 e^-4.5 / (1 - e^-4.5) in 2D.
CUT_STD = math.sqrt(1 - RADIUS**2 * (1 - HQ_PERFECT) / (2 * HQ_PERFECT))


@dataclass(frozen=True)
class ModeScore:
    """Mode statistics of one set of samples; shares are of all samples, divergences in nats."""

    covered: int
    one_percent: int
    eight_percent: int
    hq: float
    reverse_kl: float  # HQ samples only
    tv: float
    masses: tuple[float, ...]  # HQ samples of each mode over all samples
    near: tuple[float, ...]  # all samples nearest to each mode, however far, over all samples
    spread: float  # std around the fakes' own centre in each mode over the true std; NaN below 2 samples in a mode

    def metrics(self) -> dict[str, float]:
        """Return the scores under the names that runs store; a spread that no mode defines is left out."""
        named = {
            "modes/covered": float(self.covered),
            "modes/one_percent": float(self.one_percent),
            "modes/eight_percent": float(self.eight_percent),
            "modes/hq": self.hq,
            "modes/reverse_kl": self.reverse_kl,
            "modes/tv": self.tv,
        }
        masses = {f"mass/{i}": mass for i, mass in enumerate(self.masses)}
        near = {f"near/{i}": share for i, share in enumerate(self.near)}
        return named | masses | near | ({} if math.isnan(self.spread) else {"spread": self.spread})


@np.errstate(over="ignore", invalid="ignore")
def score_modes(samples: Tensor, modes: Modes) -> ModeScore:
    """Score samples (n, 2) against the modes; samples that are not finite count as low quality. Raises on n = 0."""
    if len(samples) == 0:
        raise ValueError("There are no samples to score: draw at least one.")
    x, centres, weights = (t.cpu().numpy() for t in (samples, modes.centres, modes.weights))
    k = len(centres)
    squared = sum(np.subtract.outer(of_x, of_c) ** 2 for of_x, of_c in zip(x.T, centres.T, strict=True))  # (n, K)
    nearest = squared.argmin(1)
    hq = squared[np.arange(len(x)), nearest] <= (RADIUS * modes.std) ** 2  # not so where it is NaN
    counts = np.bincount(nearest[hq], minlength=k)
    masses = counts / len(x)
    return ModeScore(
        covered=int((counts >= 1).sum()),
        one_percent=int((masses >= 0.01).sum()),
        eight_percent=int((masses >= 0.08 * weights).sum()),
        hq=float(masses.sum()),
        reverse_kl=reverse_kl(counts, weights),
        tv=float((np.abs(masses - weights).sum() + 1 - masses.sum()) / 2),
        masses=tuple(masses.tolist()),
        near=tuple((np.bincount(nearest, minlength=k) / len(x)).tolist()),
        spread=_spread(x[hq], nearest[hq], counts, modes.std),
    )


def reverse_kl(counts: np.ndarray, weights: np.ndarray) -> float:
    """Return sum p_i log(p_i / w_i) in nats for counts (K,); with no count at all, the worst that one mode scores."""
    if counts.sum() == 0:
        return float(-np.log(weights.min()))
    return max(0.0, kl(counts / counts.sum(), weights))  # below 0 only by rounding


def reverse_kl_all(samples: Tensor, modes: Modes) -> float:
    """Return the reverse KL over all samples (n, 2), each given to its nearest mode however far it lies."""
    nearest = torch.cdist(samples, modes.centres.to(samples)).argmin(1)
    return reverse_kl(torch.bincount(nearest, minlength=len(modes.centres)).numpy(), modes.weights.numpy())


def _spread(x: np.ndarray, mode: np.ndarray, counts: np.ndarray, std: float) -> float:
    """Return the spread of sharp samples (n, 2), each in the mode of that number (n,), of `counts` samples (K,)."""
    freedom = int(counts.sum() - (counts >= 1).sum()) * x.shape[1]  # one mean a mode is estimated: n - 1
    if freedom == 0:
        return math.nan
    sums = np.stack([np.bincount(mode, column, len(counts)) for column in x.T], 1)  # (K, 2)
    means = sums / np.maximum(counts, 1)[:, None]
    return math.sqrt(((x - means[mode]) ** 2).sum() / freedom) / (std * CUT_STD)
