"""Races worth running in front of a class: each asks one question, and the pictures side by side answer it.

What they come to on a CPU: of the four losses only Wasserstein with a gradient penalty keeps all eight modes (the
non-saturating one ends on a single mode); R1 keeps all eight where nothing keeps one; three of the six seeds lose some.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground import racing
from playground.presets import PRESETS
from playground.store.races import Card


@dataclass(frozen=True)
class RacePreset:
    """A question, what to look at, and the race: a preset with one field at several values, for so many steps."""

    title: str
    about: str
    preset: str
    knob: str
    values: tuple[Any, ...]
    steps: int
    change: Mapping[str, Any] = field(default_factory=dict)

    @property
    def card(self) -> Card:
        """Return a new race of it."""
        return racing.plan(PRESETS[self.preset].experiment.changed(**self.change), self.knob, self.values, self.title)


RACES = {
    "losses": RacePreset(
        "Loss: which one collapses on the ring?",
        "Four losses, one ring of eight blobs, a discriminator that learns too fast. Who still finds all eight?",
        "collapse", "loss", ("non-saturating", "least-squares", "hinge", "wasserstein-gp"), 3000,
    ),
    "r1": RacePreset(
        "R1 or nothing",
        "The same two networks and the same batches; one discriminator is charged for its slope at the data.",
        "collapse-r1", "penalty", ("none", "r1"), 3000,
    ),
    "seeds": RacePreset(
        "Seeds: how lucky was that?",
        "A penalty that is just too small: some seeds lose modes and some do not. Was a good run good, or lucky?",
        "collapse-r1", "seed", (0, 1, 2, 3, 4, 5), 2000, {"penalty_weight": 0.01},
    ),
    "codes": RacePreset(
        "Autoencoder: 2, 8, 32 codes",
        "The same digits through three bottlenecks: what comes back when two numbers, eight or thirty-two pass?",
        "two-numbers", "codings", (2, 8, 32), 2000,
    ),
}  # fmt: skip
