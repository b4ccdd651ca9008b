"""Points in the plane: real ones as discs, fakes as diamonds, as the stage draws them."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.figures import palette
from playground.figures.chart import Axis, Style, layout


def plane(real: Any, fake: Any, extent: float, style: Style) -> go.Figure:
    """Draw real points and fakes (n, 2) in the square [-extent, extent]²."""
    marks = (("data", real, palette.REAL, "circle"), ("fakes", fake, palette.FAKE, "diamond"))
    traces = [
        {
            "type": "scattergl", "mode": "markers", "name": name, "hoverinfo": "skip",
            "x": np.asarray(points)[:, 0], "y": np.asarray(points)[:, 1],
            "marker": {"size": 4, "color": palette.clear(colour, 0.6), "symbol": symbol},
        }
        for name, points, colour, symbol in marks
    ]  # fmt: skip
    frame = layout(Axis("", may_be_log=False), style)
    side = {"range": [-extent, extent], "gridcolor": palette.GRID, "zeroline": False, "automargin": True}
    side |= {"constrain": "domain", "dtick": 1 if extent < 8 else None}
    across, up = side | {"title": {"text": "x₁"}}, side | {"title": {"text": "x₂"}, "scaleanchor": "x"}
    frame |= {"xaxis": across, "yaxis": up, "hovermode": False}
    return go.Figure(traces, frame)
