"""Figures of a collapse report: classes of the fakes beside the data's, over time too, and whether fakes repeat.

Each takes what `playground.diagnostics.collapse` found: shares of classes or modes, their history, how near fakes lie
to training images, how many it takes until two are alike. Watch the strip: a column that changes its colours from score
to score is a GAN that runs through the classes without keeping any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.diagnostics import birthday
from playground.diagnostics.collapse import Birthday, Class, Copies, History
from playground.diagnostics.panel import Floor
from playground.figures import curves, palette
from playground.figures.chart import Axis, Style, chart, layout

SHARE = Axis("share", ticks=".0%", hover=".1%", may_be_log=False)
BINS = 36
ROTATED = 12  # names beyond which they stand upright


def class_histogram(classes: Sequence[Class], style: Style) -> go.Figure:
    """Draw each class's share of the fakes (filled) beside its share of the data (outlined); missing ones are named."""
    names = [c.name for c in classes]
    if not names:
        return chart([], SHARE, style)
    bars = {"type": "bar", "x": names}
    real = bars | {
        "name": "data", "y": [c.data for c in classes], "hovertemplate": "%{x}: %{y:.1%} of the data<extra></extra>",
        "marker": {"color": palette.clear(palette.REAL, 0.25), "line": {"color": palette.REAL, "width": 1.5}},
    }  # fmt: skip
    fake = bars | {
        "name": "fakes", "y": [c.share for c in classes], "marker": {"color": palette.FAKE},
        "hovertemplate": "%{x}: %{y:.1%} of the fakes<extra></extra>",
    }  # fmt: skip
    frame = _frame(SHARE, style, "")
    frame["annotations"] = [
        {"x": i, "y": c.data, "text": "missing", "textangle": -90 if len(names) > 6 else 0, "showarrow": False,
         "yanchor": "bottom", "font": {"size": 11, "color": palette.GENERATOR}}
        for i, c in enumerate(classes) if not c.covered
    ]  # fmt: skip
    across = frame["xaxis"] | {"type": "category", "automargin": True}
    if len(names) > ROTATED:  # fewer stand upright only where they have no room
        across["tickangle"] = -90
    top = 1.25 * max(max(c.share, c.data) for c in classes)
    return go.Figure([real, fake], frame | {"xaxis": across, "yaxis": frame["yaxis"] | {"range": [0, top]}})


def strip(history: History | None, style: Style, events: Sequence[Mapping[str, Any]] = ()) -> go.Figure:
    """Draw each class's share of the fakes over time: purple is none, white its share of the data, green too much."""
    if history is None:
        return curves.strip(curves.History(), style, "class", "class", [])
    steps, shares = history.steps.tolist(), history.shares.tolist()
    rows = [{"step": s} | {f"class/{i}": v for i, v in enumerate(r)} for s, r in zip(steps, shares, strict=True)]
    floors = {f"class/{i}": Floor(w, w, w) for i, w in enumerate(history.data.tolist())}
    return curves.strip(
        curves.History(scores=rows, floors=floors, events=events), style, "class", "class", history.names
    )


def closeness(copies: Copies | None, style: Style) -> go.Figure:
    """Draw how close fakes are to their nearest training image (filled), beside held-out images (outlined).

    Left of the dotted rule lie the closest 1 % of held-out images; fakes there count as copies.
    """
    if copies is None:
        return chart([], SHARE, style)
    edges = np.linspace(0, max(1.0, float(copies.fakes.max()), float(copies.held.max())), BINS + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    held, fake = (np.histogram(values, edges)[0] / len(values) for values in (copies.held, copies.fakes))
    tip = "closeness %{x:.2f}: %{y:.1%} of "
    bars = {
        "type": "bar", "x": middle, "y": fake, "width": np.diff(edges), "name": "fakes",
        "marker": {"color": palette.clear(palette.FAKE, 0.75)}, "hovertemplate": f"{tip}the fakes<extra></extra>",
    }  # fmt: skip
    steps = {
        "type": "scatter", "x": middle, "y": held, "mode": "lines", "name": "held-out images",
        "line": {"color": palette.REAL, "width": 2, "shape": "hvh"},
        "hovertemplate": f"{tip}held-out images<extra></extra>",
    }  # fmt: skip
    frame = _frame(SHARE, style, "distance to the nearest training image / mean of the 50 nearest")
    frame |= _rule(copies.limit, "copies", "right")
    return go.Figure([bars, steps], frame | {"bargap": 0})


def duplicates(found: Birthday, style: Style) -> go.Figure:
    """Draw how often a batch of fakes holds two alike, over its size, and what even odds would give (dotted)."""
    sizes, shares = found.curve
    line = {
        "type": "scatter", "x": sizes, "y": shares, "mode": "lines", "name": "fakes, measured",
        "line": {"color": palette.FAKE, "width": 2}, "hovertemplate": "%{x:,d} fakes: %{y:.0%}<extra></extra>",
    }  # fmt: skip
    support = max(2, round(found.support))
    theory = {
        "type": "scatter", "x": sizes, "y": [birthday.collision_probability(int(s), support) for s in sizes],
        "mode": "lines", "name": "s² / (2 ln 2) different ones, all as likely",
        "line": {"color": palette.THEORY, "dash": palette.DASH["theory"], "width": 1.5},
        "hovertemplate": "%{x:,d}: %{y:.0%}<extra></extra>",
    }  # fmt: skip
    frame = _frame(Axis("batches with two alike", ticks=".0%", may_be_log=False), style, "fakes in a batch")
    frame["xaxis"] |= {"type": "log", "tickformat": ",d", "dtick": 1}
    frame["yaxis"] |= {"range": [0, 1.05]}
    frame["shapes"] = [_line(y0=0.5, y1=0.5, x0=0, x1=1, xref="paper")]
    return go.Figure([line, theory], frame)


# -- what they share --------------------------------------------------------------------------------------------------


def _frame(axis: Axis, style: Style, across: str) -> dict[str, Any]:
    """Return the common layout with an axis of its own across and the legend shown."""
    frame = layout(axis, style)
    steps = ("range", "tickformat", "hoverformat")
    quiet = {name: value for name, value in frame["xaxis"].items() if name not in steps}
    return frame | {"xaxis": quiet | {"title": {"text": across, "standoff": 4}}, "hovermode": "closest", "bargap": 0.2}


def _rule(at: float, text: str, side: str) -> dict[str, Any]:
    """Return a dotted upright rule with its text at the top, on its left where `side` is "right"."""
    words = {
        "x": at, "y": 1, "yref": "paper", "yanchor": "top", "xanchor": side, "showarrow": False, "text": f"{text} ",
        "font": {"size": 11, "color": palette.INK},
    }  # fmt: skip
    return {"shapes": [_line(x0=at, x1=at, y0=0, y1=1, yref="paper")], "annotations": [words]}


def _line(**where: Any) -> dict[str, Any]:
    return {"type": "line", "line": {"color": palette.INK, "dash": "dot", "width": 1}, **where}
