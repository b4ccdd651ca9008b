"""The scores of a running generator of images: classes, closeness in a feature space, diversity, copies.

About 500 fakes (as many as there are held-out items, where those are fewer) against as many training items, in the
feature space of `features`; a tenth of a second on one core at 28 x 28.

    class/i class/covered class/entropy class/kl   what the app's own classifier says of the fakes (`classes`)
    class/sure        its mean top probability: low where fakes look like nothing
    prdc/*            precision, recall, density, coverage among features (`prdc`), 5 neighbours
    dist/fid dist/kid Fréchet and kernel distance of features: "FID on our features", comparable here only
    diversity/ssim    mean MS-SSIM of pairs of fakes of a class (`ssim`): high is alike
    diversity/pixels  mean distance of two fakes over that of two real items
    copies/share      fakes nearer to a training item than 99 % of held-out items are (`copies`)
    d/accuracy d/real d/fake   D on held-out items and on fakes

Every score has a `Floor`, measured by scoring real items as if they were fakes. Fréchet distances fall with the number
of samples, so a floor holds for this number only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from playground.data.base import DataSet, Table
from playground.diagnostics import classes, copies, distances, features
from playground.diagnostics.frechet import frechet_samples
from playground.diagnostics.panel import Floor, accuracy_floor, band, boundary, capped, discrimination
from playground.diagnostics.prdc import expected_coverage, prdc, radii
from playground.diagnostics.ssim import ms_ssim
from playground.families.base import Family
from playground.rng import derive, fresh

N = 500  # fakes, and real items they are held against
LEAST = 20
NEIGHBOURS = 5
PAIRS = 150  # within a class
COPIES = 150  # fakes held against training items
LOOKED_THROUGH = 10_000  # training items
JUDGED = 250  # fakes and real items that D judges
REPEATS = 10  # real against real, for the floors
WIDE = 3.0  # standard deviations on each side of a floor


@dataclass(frozen=True)
class Sample:
    """Images with what they are compared by."""

    x: Tensor  # (n, C, H, W)
    features: Tensor  # (n, F)
    labels: Tensor | None  # (n,) the classifier's
    sure: float
    spread: float

    @cached_property
    def radii(self) -> Tensor:
        """How far each lies from its fifth nearest neighbour (n,)."""
        return radii(self.features, NEIGHBOURS)


class ImagePanel:
    """Scores for one data set on one device. Make a new one when the data's settings change; what is dear is lazy."""

    def __init__(
        self, data: DataSet, seed: int, device: torch.device | str = "cpu", n: int = N, among: int = LOOKED_THROUGH
    ) -> None:
        """Score `n` fakes, and look for copies among so many training items."""
        self.data, self.seed, self.device, self.wanted, self.among = data, seed, torch.device(device), n, among
        self._asked = False  # for a feature space made ahead

    def score(self, family: Family, step: int) -> dict[str, float]:
        """Measure the model as it is now; only what applies and is finite is returned. Draws from its own stream."""
        if self.n < LEAST:
            return {}
        rng = fresh(self.seed, "score", step, device=self.device)
        fake = family.generate(family.noise(self.n, rng))
        scores = self.compare(self.sample(fake)) | self.copied(fake[:COPIES])
        if "score" in family.abilities:
            real = self.data.held_out(JUDGED, derive(self.seed, "judged", step), self.device).x
            outputs = family.discriminate(real), family.discriminate(fake[:JUDGED])
            scores |= discrimination(*outputs, boundary(family))
        return {name: value for name, value in scores.items() if math.isfinite(value)}

    def ready(self) -> bool:
        """Say whether a score answers at once; a feature space that is not there is made by another process."""
        if self.n < LEAST or features.ready(self.data):
            return True
        if not self._asked:
            self._asked = True
            features.warm(self.data)
        return not features.under_way(self.data)  # a process that died: the score makes its own

    def compare(self, fake: Sample, real: Sample | None = None) -> dict[str, float]:
        """Score fakes against real items, by default the panel's own."""
        real = real or self.real
        scores = {} if fake.labels is None else classes.class_scores(fake.labels, self.weights)
        near = prdc(real.features, fake.features, NEIGHBOURS, real.radii)
        scores |= {f"prdc/{name}": getattr(near, name) for name in ("precision", "recall", "density", "coverage")}
        scores |= {
            "class/sure": fake.sure,
            "dist/fid": frechet_samples(real.features, fake.features),
            "dist/kid": distances.kid(real.features, fake.features),
            "diversity/ssim": alike(fake),
            "diversity/pixels": fake.spread / max(real.spread, 1e-12),
        }
        return scores

    def copied(self, fake: Tensor) -> dict[str, float]:
        """Return the share of fakes that copy training items; nothing where training items never come again."""
        if self.held is None:
            return {}
        close = copies.nearest(fake, self.training).closeness
        return {"copies/share": copies.copied(close, copies.limit(self.held.closeness))}

    def sample(self, x: Tensor) -> Sample:
        """Return images with what they are compared by."""
        space = self.features
        embedded = space.embed(x)
        told = space.told(embedded)
        flat = x.flatten(1)
        spread = float(torch.cdist(flat, flat).sum()) / max(len(flat) * (len(flat) - 1), 1)
        if not space.classes:
            return Sample(x, embedded, None, math.nan, spread)
        top = told.max(1)
        return Sample(x, embedded, top.indices, float(top.values.mean()), spread)

    # -- what is measured once ----------------------------------------------------------------------------------------

    @cached_property
    def n(self) -> int:
        """How many fakes are scored: as many as there are held-out items, half the training items, or 500."""
        held, known = (len(take(self.wanted * 2, 0).x) for take in (self.data.held_out, self.data.known))
        return min(self.wanted, held, known // 2)

    @cached_property
    def features(self) -> features.Features:
        """The feature space; trained on first use where nobody has."""
        return features.features(self.data, self.device)

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """The classes' shares in the data."""
        return features.shares(self.data)

    @cached_property
    def real(self) -> Sample:
        """The training items that fakes are held against."""
        return self.sample(self.data.known(self.n, derive(self.seed, "real"), self.device).x)

    @cached_property
    def training(self) -> Tensor:
        """The training items among which copies are looked for."""
        return self.data.known(self.among, 0, self.device).x

    @cached_property
    def held(self) -> copies.Nearest | None:
        """How near held-out items lie to the training items; None where training items never come again."""
        if not isinstance(self.data, Table):
            return None
        return copies.nearest(self.data.held_out(self.wanted, 0, self.device).x, self.training)

    def floors(self) -> dict[str, Floor]:
        """Return perfection and noise band of every score; measured once (about a second), then kept."""
        return self._floors

    @cached_property
    def _floors(self) -> dict[str, Floor]:
        if self.n < LEAST:
            return {}
        rows = [self._real_as_fakes(i) for i in range(REPEATS)]
        perfect = self._perfect()
        floors = {"d/accuracy": accuracy_floor(min(JUDGED, self.n))}
        for name in rows[0]:
            seen = torch.tensor([row[name] for row in rows], dtype=torch.float64)
            if bool(seen.isfinite().all()):
                floors[name] = capped(name, band(seen, perfect.get(name), WIDE))
        return floors | self._counted()

    def _real_as_fakes(self, i: int) -> dict[str, float]:
        """Score real items: by turns held-out ones and training ones that are not among those held against."""
        seed = derive(self.seed, "floors", i)
        known = self.data.known(2 * self.n, seed, self.device).x
        fake = known[self.n :] if i % 2 else self.data.held_out(self.n, seed, self.device).x
        return self.compare(self.sample(fake), self.sample(known[: self.n]))

    def _perfect(self) -> dict[str, float]:
        """Return the values that theory gives for perfection; scores not named here take their measured mean."""
        known = {"dist/fid": 0.0, "dist/kid": 0.0, "diversity/pixels": 1.0, "prdc/density": 1.0}
        return known | {"prdc/coverage": expected_coverage(self.n, self.n, NEIGHBOURS)} | classes.perfect(self.weights)

    def _counted(self) -> dict[str, Floor]:
        """Return the floors of scores that count: what chance gives a perfect sampler of so many fakes."""
        found: dict[str, Floor] = {}
        if self.features.classes:
            w, rng = torch.tensor(self.weights), fresh(self.seed, "floors")
            draws = [w.multinomial(self.n, True, generator=rng) for _ in range(200)]
            rows = [classes.class_scores(draw, self.weights) for draw in draws]
            slip = 1 - self.features.accuracy  # a classifier that errs moves shares by no more than that
            for name, value in classes.perfect(self.weights).items():
                seen = torch.tensor([row[name] for row in rows], dtype=torch.float64)
                low, high = seen.quantile(0.005), seen.quantile(0.995)
                more = slip * value if name != "class/covered" else 0.0
                found[name] = Floor(value, max(0.0, float(low) - more), float(high) + more)
            found["class/kl"] = Floor(0.0, 0.0, found["class/kl"].high + slip**2)
        if self.held is not None:
            level, m, h = copies.LEVEL, min(COPIES, self.n), len(self.held.closeness)
            margin = WIDE * math.sqrt(level * (1 - level) * (1 / m + 1 / h))
            found["copies/share"] = Floor(level, 0.0, level + margin)
        return found


def alike(fake: Sample) -> float:
    """Return the mean MS-SSIM of pairs of fakes of the same class, drawn as they come; NaN without a pair."""
    x = fake.x
    if fake.labels is None:
        first, second = torch.arange(len(x)).chunk(2)
    else:
        order = fake.labels.sort(stable=True).indices
        same = fake.labels[order[:-1]] == fake.labels[order[1:]]
        first, second = order[:-1][same], order[1:][same]
    pairs = min(len(first), len(second))
    if not pairs:
        return math.nan
    spaced = torch.linspace(0, pairs - 1, min(pairs, PAIRS)).long()  # over all classes
    return float(ms_ssim(x[first[:pairs][spaced]], x[second[:pairs][spaced]]).mean())
