"""Which stretch of each curve is looked at, so that it can be drawn as fine as it was measured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from pages.parts.mounts import component, nothing

_zoom = component("zoom")

Stretch = tuple[float, float]


@dataclass(frozen=True)
class View:
    """What is in sight of a figure: from which step to which, and the ranges of its axes in their own units."""

    steps: Stretch
    x: list[float]
    y: list[float]

    def keep(self, figure: go.Figure) -> None:
        """Show this part of the figure, whatever else it holds: a figure that is drawn anew has forgotten its zoom."""
        figure.update_xaxes(range=self.x).update_yaxes(range=self.y)


def views(within: str, key: str) -> dict[str, View]:
    """Return what is in sight of the figures whose key begins with `within`, by key; of those that are zoomed.

    What surrounds the call, the fragment at best, runs again when somebody zooms. A `key` of its own, such as a run's,
    begins without a zoom.
    """
    heard = _zoom(key=f"zoom-{name(key)}", data={"within": within}, on_ranges_change=nothing)
    ranges: dict[str, Any] = heard.ranges or {}
    return {figure: View((at["steps"][0], at["steps"][1]), at["x"], at["y"]) for figure, at in ranges.items() if at}


def name(key: str) -> str:
    """Return a figure's key as the browser knows it."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", key)
