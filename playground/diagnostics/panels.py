"""Which scores a model gets: by what it can do, never by which family it is."""

from __future__ import annotations

from typing import Protocol

import torch

from playground.data.base import DataSet, Distribution
from playground.diagnostics.coding import CodingPanel
from playground.diagnostics.image_panel import ImagePanel
from playground.diagnostics.panel import Floor, Panel
from playground.families.base import Family


class Scores(Protocol):
    """What the loop asks: scores of the model as it is now, and the noise floors of those scores."""

    def ready(self) -> bool:
        """Say whether a score answers at once; what it needs first is made in the meantime."""
        ...

    def score(self, family: Family, step: int) -> dict[str, float]:
        """Measure the model, drawing from streams of its own."""
        ...

    def floors(self) -> dict[str, Floor]:
        """Return perfection and noise band by score."""
        ...


def panel(family: Family, data: DataSet, seed: int, device: torch.device | str = "cpu") -> Scores:
    """Return the scores for a model on its data."""
    if {"encode", "decode"} <= family.abilities:
        return CodingPanel(data, seed, device)
    if data.kind == "images":
        return ImagePanel(data, seed, device)
    assert isinstance(data, Distribution)
    return Panel(data, seed, device)
