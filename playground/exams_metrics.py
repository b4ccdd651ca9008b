"""Exams of the sample metrics: what they must say of sets whose answer is known.

B4   density and coverage of two samples of one distribution, Naeem et al. 2020, arXiv 2002.09797
B5a  precision, recall and coverage of a ring of which 8, 4 and 1 modes are sampled
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from playground.diagnostics.prdc import expected_coverage, prdc
from playground.exam_rows import Rows, near
from playground.rng import fresh

K, N = 5, 1000


def b4() -> Rows:
    """Density and coverage where real items and fakes come from the same distribution, and a density above 1."""
    rng = fresh(0, "B4")
    yield near("expected coverage, 1,000 and 1,000, k = 5", expected_coverage(N, N, K), 0.968984, by=1e-6)
    scores = [prdc(torch.randn(N, 2, generator=rng), torch.randn(N, 2, generator=rng), K) for _ in range(8)]
    yield near("mean density of 8 pairs", sum(s.density for s in scores) / len(scores), 1.0, by=0.02)
    yield near("mean coverage of 8 pairs", sum(s.coverage for s in scores) / len(scores), 0.968984, by=0.012)


def b5a() -> Rows:
    """Precision, recall and coverage of 2,000 fakes on some of the eight modes of a ring."""
    rng = fresh(0, "B5a")
    angle = torch.arange(8) * (math.pi / 4)
    centres = 2 * torch.stack([angle.cos(), angle.sin()], 1)

    def draw(modes: int) -> torch.Tensor:
        which = torch.randint(modes, (2 * N,), generator=rng)
        return centres[which] + 0.02 * torch.randn(2 * N, 2, generator=rng)

    for modes, recall, coverage in ((8, 0.993, 0.963), (4, 0.5, 0.5), (1, 0.123, 0.123)):
        score = prdc(draw(8), draw(modes), K)
        yield near(f"recall, {modes} of 8 modes", score.recall, recall, by=0.03)
        yield near(f"coverage, {modes} of 8 modes", score.coverage, coverage, by=0.03)
        yield near(f"precision, {modes} of 8 modes", score.precision, 0.994, by=0.03)


METRICS: dict[str, Callable[[], Rows]] = {"B4": b4, "B5a": b5a}
