"""The form of a preset: a named experiment with a word on what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.experiment import Experiment


@dataclass(frozen=True)
class Preset:
    """A named experiment: what differs from the defaults, what to watch, and after how many steps it has been seen."""

    title: str
    about: str
    group: str
    dataset: str = "ring8"
    values: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 4000
    cures: tuple[str, ...] = ()
    family: str = "gan"

    @cached_property
    def experiment(self) -> Experiment:
        """The validated experiment, made when first asked for: it is torch that takes the time."""
        from playground.experiment import Experiment

        return Experiment.of(self.family).on(self.dataset).changed(**self.values)
