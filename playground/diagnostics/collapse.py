"""The collapse report of one saved moment: what a generator covers, what it leaves out, and what it copies.

For images everything is measured in the feature space of a small classifier trained on the same data (`features`), for
points in the plane itself. Every score comes as data: its value, a sentence that defines it, its source, the value at
perfection and the band in which real items score when they stand in for fakes. Watch three things together: precision
without recall is collapse, many duplicates a small support, many copies a memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.config import ConfigError
from playground.data.base import DataSet, Distribution
from playground.diagnostics import birthday, classes, copies, definitions, features
from playground.diagnostics.definitions import Definition, Form
from playground.diagnostics.image_panel import LEAST, ImagePanel
from playground.diagnostics.image_verdict import ImageSignals, find
from playground.diagnostics.panel import FAKES, Floor
from playground.diagnostics.plane_panel import PlanePanel
from playground.diagnostics.signals import EVER, FEW, Evidence, State
from playground.diagnostics.verdict import verdict
from playground.diagnostics.where import mode_names
from playground.experiment import Experiment
from playground.rng import fresh

Array = NDArray[np.float64]

LOOKED_THROUGH = 60_000  # training images
SUSPECTS = 8  # fakes shown beside their nearest training image
TOGETHER = 1000  # fakes looked through for duplicates
TRIALS = 200
SAME = 1e-3  # root mean square a number: nearer than that two items are the same


class Sampler(Protocol):
    """What a report asks of a model: a `Family` that generates is one."""

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw codes."""
        ...

    def generate(self, z: Tensor) -> Tensor:
        """Make items of codes."""
        ...


@dataclass(frozen=True)
class Score:
    """One number with all that it takes to read it."""

    name: str
    title: str
    value: float
    definition: str
    source: str
    form: Form
    floor: Floor | None

    @property
    def within(self) -> bool:
        """Whether it cannot be told from a perfect sampler's."""
        return self.floor is not None and self.floor.low <= self.value <= self.floor.high


@dataclass(frozen=True)
class Class:
    """A class or mode: its name, its share of the fakes and of the data, whether it counts as covered."""

    name: str
    share: float
    data: float
    covered: bool


@dataclass(frozen=True)
class Copies:
    """How near fakes lie to training images, beside held-out images: `closeness` 0 is a copy, 1 nothing of the kind."""

    fakes: Array  # (n,) closeness
    held: Array  # (m,)
    limit: float  # below, a fake counts as a copy
    suspects: tuple[int, ...]  # the closest fakes, closest first
    items: Array  # (S, *shape) those fakes
    nearest: Array  # (S, *shape) their nearest training images
    distances: Array  # (S,) root mean square a pixel


@dataclass(frozen=True)
class Birthday:
    """Duplicates among fakes: how many it takes until two are alike, which tells the order of the support's size."""

    batch: float  # fakes it takes half of the time; infinite where `looked` hold no two alike
    looked: int
    tolerance: float  # root mean square a number; no two of as many real items lie that close
    firsts: tuple[float, ...]  # of each trial
    closest: tuple[tuple[int, int], ...]  # the closest pairs of fakes

    @property
    def support(self) -> float:
        """The estimate s² / (2 ln 2) of how many different items there are, at least where the batch is infinite."""
        return birthday.support_size(min(self.batch, self.looked))

    @property
    def sentence(self) -> str:
        """The estimate in words."""
        if math.isinf(self.batch):
            return (
                f"No two of {self.looked:,} fakes are alike: the support is larger than about {_order(self.support)}."
            )
        return (
            f"Among {self.batch:,.0f} fakes two are alike half of the time: a support of about {_order(self.support)} "
            "different ones, which is an order of magnitude and no count."
        )

    @property
    def curve(self) -> tuple[Array, Array]:
        """Batch sizes, and the share of trials in which a batch of that size holds two alike."""
        sizes = np.unique(np.geomspace(2, self.looked, 60).round())
        return sizes, np.array([np.mean(np.array(self.firsts) <= size) for size in sizes])


@dataclass(frozen=True)
class Report:
    """Everything that is known of one moment's fakes."""

    kind: str  # "images", "points"
    n: int
    state: State
    sentence: str
    why: str
    evidence: tuple[Evidence, ...]
    space: str  # what items are compared in
    accuracy: float  # of the classifier on held-out items, NaN without
    classes: tuple[Class, ...]
    scores: tuple[Score, ...]
    birthday: Birthday
    copies: Copies | None  # None where training never sees an item twice
    fakes: Tensor  # (n, *shape)

    @property
    def missing(self) -> list[str]:
        """The names of the classes or modes that get almost no fakes."""
        return [c.name for c in self.classes if not c.covered]

    def score(self, name: str) -> Score:
        """Return a score by its name; raises `KeyError`."""
        return {score.name: score for score in self.scores}[name]


def report(model: Sampler, data: DataSet, *, n: int = 1000, seed: int = 0) -> Report:
    """Examine n fakes of a model; 2D points are always 2,000, and images at most as many as are held out.

    Takes about a second, more where features or floors of this data are not known yet. Raises `ConfigError` for data of
    another kind or too few items.
    """
    if isinstance(data, Distribution) and data.dim == 2:
        return _of_points(model, data, seed)
    if data.kind != "images":
        raise ConfigError(f"A collapse report is about images or points of a plane, and {data.title} is {data.kind}.")
    return _of_images(model, data, n, seed)


# -- images -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def image_panel(data: DataSet, n: int) -> ImagePanel:
    """Return what fakes of this data are held against, kept with its floors."""
    return ImagePanel(data, 0, n=n, among=LOOKED_THROUGH)


def _of_images(model: Sampler, data: DataSet, n: int, seed: int) -> Report:
    panel = image_panel(data, n)
    if panel.n < LEAST:
        raise ConfigError(f"{data.title} has {panel.n} held-out images: a report takes at least {LEAST}.")
    fake = _fakes(model, panel.n, seed)
    copied, floors = _copies(panel, fake), panel.floors()
    scores = panel.compare(panel.sample(fake))
    if copied is not None:
        scores["copies/share"] = copies.copied(torch.from_numpy(copied.fakes), copied.limit)
    still = [scores | {"step": float(i * EVER)} for i in range(3)]  # as if it had always been so
    finding = find(ImageSignals.read(_experiment(data), {}, still))
    told = panel.features.classes
    space = (
        f"{panel.features.size} features of a classifier that tells {100 * panel.features.accuracy:.1f} % of held-out "
        f"images right" if told else f"{panel.features.size} principal components of the training images"
    )  # fmt: skip
    weights = panel.weights
    found = [
        Class(name, scores[f"class/{i}"], weights[i], classes.present(scores[f"class/{i}"], weights[i]))
        for i, name in enumerate(told)
    ]
    return Report(
        "images", len(fake), finding.state, finding.sentence, finding.why, finding.evidence, space,
        panel.features.accuracy, tuple(found), _scores(scores, floors, definitions.IMAGES),
        _birthday(fake, panel.data.held_out(TOGETHER, 0).x, seed), copied, fake,
    )  # fmt: skip


def _copies(panel: ImagePanel, fake: Tensor) -> Copies | None:
    if panel.held is None:
        return None
    near, held = copies.nearest(fake, panel.training), panel.held
    first = near.closeness.argsort()[:SUSPECTS]
    return Copies(
        _array(near.closeness), _array(held.closeness), copies.limit(held.closeness), tuple(first.tolist()),
        _array(fake[first]), _array(panel.training[near.which[first]]), _array(near.distance[first]),
    )  # fmt: skip


# -- points -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def plane_panel(data: Distribution) -> PlanePanel:
    """Return what fakes of this data are held against, kept with its floors."""
    return PlanePanel(data, 0)


def _of_points(model: Sampler, data: Distribution, seed: int) -> Report:
    panel = plane_panel(data)
    fake = _fakes(model, FAKES, seed)
    scores = panel.compare(fake)
    still = [scores | {"step": float(i * EVER)} for i in range(3)]
    judged = verdict(_experiment(data), {}, still)
    modes = data.modes()
    found = []
    for i, name in enumerate(mode_names(modes)):
        assert modes is not None
        mass, weight = scores[f"mass/{i}"], float(modes.weights[i])
        found.append(Class(name, mass, weight, mass >= FEW * weight))
    real = data.sample(TOGETHER, fresh(seed, "birthday", "real"))
    return Report(
        "points", len(fake), judged.state, judged.sentence, judged.why, judged.evidence, "the plane itself", math.nan,
        tuple(found), _scores(scores, panel.floors(), definitions.POINTS), _birthday(fake, real, seed), None, fake,
    )  # fmt: skip


# -- what both need ---------------------------------------------------------------------------------------------------


def _fakes(model: Sampler, n: int, seed: int) -> Tensor:
    return model.generate(model.noise(n, fresh(seed, "report"))).detach().cpu().float()


def _experiment(data: DataSet) -> Experiment:
    """Return an experiment on the data, which is all that a finding asks of it."""
    return Experiment(family="gan", dataset=data.id, data=data)


def _scores(
    values: Mapping[str, float], floors: Mapping[str, Floor], known: Mapping[str, Definition]
) -> tuple[Score, ...]:
    return tuple(
        Score(name, d.title, values[name], d.definition, d.source, d.form, floors.get(name))
        for name, d in known.items()
        if math.isfinite(values.get(name, math.nan))
    )


def _birthday(fake: Tensor, real: Tensor, seed: int) -> Birthday:
    """Look for duplicates: fakes nearer to each other than any two of as many real items."""
    looked = min(TOGETHER, len(fake), len(real))
    x, y = fake[:looked].flatten(1), real[:looked].flatten(1)
    root = math.sqrt(x.shape[1])
    tolerance = max(float(torch.pdist(y).min()), SAME * root)
    firsts = birthday.first_collisions(x, tolerance, fresh(seed, "birthday"), TRIALS)
    away = torch.pdist(x).topk(min(SUSPECTS, looked * (looked - 1) // 2), largest=False).indices
    pairs = torch.triu_indices(looked, looked, 1).T[away].tolist()
    batch = sorted(firsts)[TRIALS // 2]
    return Birthday(batch, looked, tolerance / root, tuple(firsts), tuple((i, j) for i, j in pairs))


def _order(support: float) -> str:
    """Write a support by its order of magnitude: 1, 3, 10, 30, 100 ..."""
    power = round(2 * math.log10(max(support, 1.0)))
    return f"{(1 if power % 2 == 0 else 3) * 10 ** (power // 2):,}"


def _array(x: Tensor) -> Array:
    return x.detach().cpu().double().numpy()


# -- history ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class History:
    """Shares of the fakes by class or mode over a run: `shares` (T, K) at `steps` (T,), and the `data`'s (K,)."""

    steps: Array
    names: tuple[str, ...]
    shares: Array
    data: Array


def history(scores: Sequence[Mapping[str, float]], data: DataSet) -> History | None:
    """Return what a run's score rows say of its classes or modes; None where the data has none.

    Of points the shares of all fakes by their nearest mode, in runs too old to have those, of sharp ones.
    """
    if data.kind == "images":
        names, weights = data.classes, features.shares(data)
    else:
        modes = data.modes()
        names, weights = tuple(mode_names(modes)), tuple([] if modes is None else modes.weights.tolist())
    if not weights:
        return None
    group = next((g for g in ("class", "near", "mass") if any(f"{g}/0" in row for row in scores)), "class")
    rows = [row for row in scores if f"{group}/0" in row and "step" in row]
    shares = [[float(row.get(f"{group}/{i}", 0.0)) for i in range(len(names))] for row in rows]
    return History(
        np.array([row["step"] for row in rows], np.float64), names,
        np.array(shares, np.float64).reshape(len(rows), len(names)), np.array(weights, np.float64),
    )  # fmt: skip
