"""The lab pages: a family is at home on the first one whose needs it meets; no page ever asks which family it is."""

from __future__ import annotations

from dataclasses import dataclass

from playground.data import of_kinds
from playground.experiment import Experiment
from playground.families import families, family
from playground.families.base import Ability
from playground.presets import PRESETS, Preset


@dataclass(frozen=True)
class Place:
    """A lab page: its script, its name, and what a family at home there can do."""

    id: str
    page: str
    title: str
    able: frozenset[Ability]
    parts: tuple[str, ...] = ("presets", "verdict", "curves")  # parts of the page that a link can hide

    @property
    def families(self) -> list[str]:
        """The ids of the families at home here."""
        return [name for name in families() if home_of(name) is self]

    @property
    def presets(self) -> dict[str, Preset]:
        """The presets of these families; the first is what the page opens with."""
        return {name: p for name, p in PRESETS.items() if p.experiment.family in self.families}

    @property
    def opening(self) -> Experiment:
        """What the page opens with."""
        first = next(iter(self.presets.values()), None)
        return first.experiment if first else Experiment.of(self.families[0])


CODING = frozenset[Ability](["encode", "decode"])
GAN = Place("gan", "gan_lab.py", "GAN lab", frozenset(["generate", "score"]))
AUTOENCODER = Place(
    "autoencoder", "autoencoder_lab.py", "Autoencoder lab", CODING, ("presets", "family", "verdict", "map", "curves")
)
PLACES = {place.id: place for place in (AUTOENCODER, GAN)}


def home_of(name: str) -> Place:
    """Return the lab page of a family."""
    return next((p for p in PLACES.values() if p.able <= family(name).abilities), GAN)


def codes(experiment: Experiment) -> bool:
    """Say whether a run's model has codings to look at."""
    return family(experiment.family).abilities >= CODING


def data_of(experiment: Experiment) -> list[str]:
    """Return the ids of the data sets that an experiment's family takes."""
    return of_kinds(family(experiment.family).takes)
