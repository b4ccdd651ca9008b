"""Figures of one moment of a model that codes: how errors are spread, by class, and codes beside their prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.figures import palette
from playground.figures.chart import Axis, Style, layout

BINS = 40
DARKER = ((0, "#a6cee3"), (1, "#08306b"))  # the encoder's blue, the darker the larger the error
LEAST = 0.01  # nats: below it a coding says nothing of its item (Burda et al. 2016, arXiv 1509.00519, count so)


def error_histogram(errors: Any, marks: Mapping[str, float], style: Style) -> go.Figure:
    """Draw how many items (n,) have which squared error, with marked values (the mean, PCA's) as dotted rules."""
    counts, edges = np.histogram(np.asarray(errors, np.float64), BINS)
    bars = {
        "type": "bar", "x": (edges[:-1] + edges[1:]) / 2, "y": counts, "width": np.diff(edges), "name": "items",
        "marker": {"color": palette.ENCODER}, "hovertemplate": "error %{x:.3g}: %{y} items<extra></extra>",
    }  # fmt: skip
    frame = _frame(Axis("items", may_be_log=False), style, "squared error a number")
    frame["margin"] |= {"t": 24}
    frame["shapes"] = [
        {
            "type": "line",
            "x0": at,
            "x1": at,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"color": palette.INK, "dash": "dot"},
        }
        for at in marks.values()
    ]
    frame["annotations"] = [
        {"x": at, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
         "xanchor": "right" if at == min(marks.values()) else "left",
         "text": f"{name} {at:.3g}", "font": {"size": 11, "color": palette.INK}}
        for name, at in marks.items()
    ]  # fmt: skip
    return go.Figure([bars], frame)


def class_errors(errors: Any, labels: Any, classes: Sequence[str], style: Style) -> go.Figure:
    """Draw each class's mean squared error, the hardest on top."""
    found = [(name, np.asarray(errors)[np.asarray(labels) == i]) for i, name in enumerate(classes)]
    means = sorted((float(mine.mean()), name, len(mine)) for name, mine in found if len(mine))
    bars = {
        "type": "bar", "orientation": "h", "x": [mean for mean, _, _ in means], "y": [name for _, name, _ in means],
        "customdata": [n for _, _, n in means], "marker": {"color": palette.ENCODER},
        "hovertemplate": "%{y}: %{x:.3g} over %{customdata} items<extra></extra>",
    }  # fmt: skip
    frame = _frame(Axis("", may_be_log=False), style, "mean squared error a number")
    return go.Figure([bars], frame | {"yaxis": frame["yaxis"] | {"type": "category", "dtick": 1}})


def posterior(codes: Any, spread: Any, prior: bool, style: Style) -> go.Figure:
    """Draw each coding's mean and width over all items (bars), with a `prior` in the band of N(0, 1).

    The width of the aggregate posterior is sqrt(var(mean) + mean(std²)): where it is 1 and the mean 0, they agree.
    """
    mean, var = np.asarray(codes, np.float64).mean(0), np.asarray(codes, np.float64).var(0)
    noise = np.zeros_like(var) if spread is None else (np.asarray(spread, np.float64) ** 2).mean(0)
    wide = np.sqrt(var + noise)
    order = np.argsort(-var)
    bars = {
        "type": "scatter", "mode": "markers", "x": np.arange(1, len(mean) + 1), "y": mean[order], "name": "codes",
        "error_y": {"type": "data", "array": wide[order], "color": palette.ENCODER, "thickness": 3, "width": 0},
        "marker": {"color": palette.ENCODER, "size": 7}, "customdata": np.stack([order + 1, wide[order]], 1),
        "hovertemplate": "coding %{customdata[0]}: mean %{y:.2f}, width %{customdata[1]:.2f}<extra></extra>",
    }  # fmt: skip
    frame = _frame(Axis("value of the coding", may_be_log=False), style, "codings, the busiest first")
    frame["xaxis"] |= {"range": [0.4, len(mean) + 0.6], "tickformat": "d", "dtick": 1 if len(mean) <= 20 else None}
    if not prior:
        return go.Figure([bars], frame)
    band = {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": -1,
        "y1": 1,
        "line": {"width": 0},
        "layer": "below",
    }
    frame["shapes"] = [band | {"fillcolor": palette.FLOOR}]
    return go.Figure([bars], frame)


def cloud(x: Any, recon: Any, errors: Any, style: Style) -> go.Figure:
    """Draw points in space (n, 3) coloured by their error, and what they are rebuilt as in the decoder's colour."""
    places, made = np.asarray(x), np.asarray(recon)
    flat = {"type": "scatter3d", "mode": "markers"}
    real = flat | {
        "name": "points, darker where worse", "marker": {"size": 2.5, "color": errors, "colorscale": DARKER},
        **dict(zip("xyz", places.T, strict=True)),
    }  # fmt: skip
    rebuilt = flat | {
        "name": "reconstructions", "marker": {"size": 1.8, "color": palette.DECODER, "opacity": 0.6},
        **dict(zip("xyz", made.T, strict=True)),
    }  # fmt: skip
    frame = layout(Axis("", may_be_log=False), style)
    axis = {"showbackground": False, "gridcolor": palette.GRID, "zeroline": False, "title": {"text": ""}}
    scene = {"xaxis": axis, "yaxis": axis, "zaxis": axis, "aspectmode": "data"}
    kept = {name: frame[name] for name in ("height", "paper_bgcolor", "font", "legend", "hoverlabel")}
    return go.Figure([real, rebuilt], kept | {"scene": scene, "margin": {"l": 0, "r": 0, "t": 24, "b": 0}})


def class_counts(labels: Any, classes: Sequence[str], style: Style) -> go.Figure:
    """Draw how many items of each class there are."""
    counts = np.bincount(np.asarray(labels, np.int64), minlength=len(classes))
    bars = {
        "type": "bar", "x": list(classes), "y": counts, "hovertemplate": "%{x}: %{y} items<extra></extra>",
        "marker": {"color": [palette.CLASSES[i % len(palette.CLASSES)] for i in range(len(classes))]},
    }  # fmt: skip
    frame = _frame(Axis("items", may_be_log=False), style, "")
    return go.Figure([bars], frame | {"xaxis": frame["xaxis"] | {"type": "category"}})


def _frame(axis: Axis, style: Style, across: str) -> dict[str, Any]:
    """Return the common layout with an axis of its own across."""
    frame = layout(axis, style)
    quiet = {
        name: value for name, value in frame["xaxis"].items() if name not in ("range", "tickformat", "hoverformat")
    }
    return frame | {
        "xaxis": quiet | {"title": {"text": across, "standoff": 4}}, "hovermode": "closest", "showlegend": False,
        "bargap": 0.15, "margin": frame["margin"] | {"t": 8},
    }  # fmt: skip
