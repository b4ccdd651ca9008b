"""A forked run and its parent in one figure: they share the past; from the fork on the parent's lines go on, dimmed."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.figures import palette
from playground.figures.palette import clear

DIM = 0.5  # of the parent's ink


def with_parent(child: go.Figure, parent: go.Figure, step: int, name: str) -> go.Figure:
    """Return the child's figure with the parent's lines from `step` on, dotted and dimmed, and a rule at the fork.

    Bands, constants and faint copies of the parent stay away; a figure that is no chart of lines stays as it is.
    """
    if not child.data or any(trace.type != "scatter" for trace in child.data):
        return child
    later = [drawn for trace in parent.data if (drawn := _later(trace, step, name)) is not None]
    if not later:
        return child
    whole = go.Figure([*later, *child.data], child.layout)
    ends = [float(child.layout.xaxis.range[0]), float(child.layout.xaxis.range[1])]
    ends[1] = max(ends[1], 1.01 * max(trace["x"][-1] for trace in later))
    whole.update_xaxes(range=ends)
    whole.add_shape(
        type="line", x0=step, x1=step, y0=0, y1=1, yref="paper", layer="below",
        line={"color": palette.EVENT, "width": 1, "dash": "dash"},
    )  # fmt: skip
    side = {"xanchor": "left", "xshift": 3} if step < sum(ends) / 2 else {"xanchor": "right", "xshift": -3}
    whole.add_annotation(
        x=step, y=0, yref="paper", yanchor="bottom", text="fork", showarrow=False, hovertext=f"Forked from {name}",
        font={"size": 10, "color": palette.INK}, **side,
    )  # fmt: skip
    return whole


def _later(trace: Any, step: int, name: str) -> dict[str, Any] | None:
    """Return the part of the parent's line from the fork on, dimmed; None for what is no measured line."""
    if trace.type != "scatter" or trace.hoverinfo == "skip" or trace.fill == "toself":
        return None
    x, y = np.asarray(trace.x, np.float64), np.asarray(trace.y, np.float64)
    on = x >= step
    if on.sum() < 2 or not np.isfinite(y[on]).any():
        return None
    return {
        "type": "scatter", "x": x[on], "y": y[on], "mode": "lines", "name": f"{trace.name}, parent",
        "line": {"color": clear(trace.line.color, DIM), "width": 1.5, "dash": "dot"}, "showlegend": False,
        "legendgroup": trace.name, "hovertemplate": f"%{{y:.4~g}}<extra>{trace.name}, parent</extra>",
    }  # fmt: skip
