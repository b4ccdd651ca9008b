"""The lab pages: an experiment is at home on the first whose needs it meets, by what its family can do and its kind of
data; no page ever asks which family it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from playground.data import of_kinds
from playground.data.base import Kind
from playground.experiment import Experiment
from playground.families import families, family
from playground.families.base import Ability
from playground.presets import PRESETS, Preset

EVERY = frozenset[Kind](get_args(Kind))


@dataclass(frozen=True)
class Place:
    """A lab page: its script, its name, and what is at home there: what a family can do, on which kinds of data."""

    id: str
    page: str
    title: str
    able: frozenset[Ability]
    kinds: frozenset[Kind] = EVERY
    parts: tuple[str, ...] = ("presets", "family", "verdict", "curves")  # parts of the page that a link can hide

    @property
    def families(self) -> list[str]:
        """The ids of the families at home here on some kind of data that they take, in the order of their presets."""
        first = [preset.experiment.family for preset in self.presets.values()]
        here = [name for name in families() if self.data(name)]
        return sorted(here, key=lambda name: first.index(name) if name in first else len(first))

    @property
    def presets(self) -> dict[str, Preset]:
        """The presets at home here; the first is what the page opens with."""
        return {name: p for name, p in PRESETS.items() if home_of(p.experiment) is self}

    @property
    def opening(self) -> Experiment:
        """What the page opens with."""
        return self.begin(self.families[0], next(iter(self.presets.values()), None))

    def data(self, name: str) -> list[str]:
        """Return the ids of the data sets on which a family is at home here."""
        return of_kinds(frozenset(kind for kind in family(name).takes if home(name, kind) is self))

    def begin(self, name: str, preset: Preset | None = None) -> Experiment:
        """Return what a family begins with here: the preset, else its defaults on the first data set of the kind."""
        if preset:
            return preset.experiment
        takes = self.data(name)
        return Experiment.of(name) if family(name).opens_on in takes else Experiment.of(name).on(takes[0])


CODING = frozenset[Ability](["encode", "decode"])
GAN = Place("gan", "gan_lab.py", "GAN lab", frozenset(["generate"]))
IMAGES = Place("image_gan", "image_gan_lab.py", "Image GAN lab", frozenset(["generate"]), frozenset(["images"]))
AUTOENCODER = Place(
    "autoencoder", "autoencoder_lab.py", "Autoencoder lab", CODING,
    parts=("presets", "family", "verdict", "map", "curves"),
)  # fmt: skip
PLACES = {place.id: place for place in (AUTOENCODER, IMAGES, GAN)}  # the first that fits is home


def home(name: str, kind: Kind) -> Place:
    """Return the lab page of a family on data of a kind."""
    able = family(name).abilities
    return next((p for p in PLACES.values() if p.able <= able and kind in p.kinds), GAN)


def home_of(experiment: Experiment) -> Place:
    """Return the lab page of an experiment."""
    return home(experiment.family, experiment.data.kind)


def codes(experiment: Experiment) -> bool:
    """Say whether a run's model has codings to look at."""
    return family(experiment.family).abilities >= CODING


def generates(experiment: Experiment) -> bool:
    """Say whether a run's model makes samples of noise."""
    return "generate" in family(experiment.family).abilities


def walks(experiment: Experiment) -> bool:
    """Say whether there are codes to walk between: those of items, or those that samples are made of."""
    return codes(experiment) or (generates(experiment) and experiment.data.kind == "images")


def data_of(experiment: Experiment) -> list[str]:
    """Return the ids of the data sets that an experiment could take and stay on its page."""
    return home_of(experiment).data(experiment.family)
