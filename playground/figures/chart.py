"""The frame that all curves share: lines, perfection and floor, theory, events; transparent, without a box."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.diagnostics.panel import Floor
from playground.figures import palette
from playground.figures.palette import clear
from playground.figures.series import Array, decimate, smooth


@dataclass(frozen=True)
class Style:
    """How to draw: smoothing weight on the past, a logarithmic axis, points a line, height in pixels."""

    smooth: float = 0.0
    log: bool = False
    width: int = 600
    height: int = 240


@dataclass(frozen=True)
class Line:
    """One curve: a name for the legend, its points, colour and dash; `floor` adds perfection and the noise band."""

    name: str
    steps: Array
    values: Array
    colour: str
    dash: str = "solid"
    floor: Floor | None = None
    noisy: bool = False  # a mini-batch's value, worth smoothing; scores are means over thousands of points


@dataclass(frozen=True)
class Axis:
    """The vertical axis: its title, the unit on hover, number formats and a fixed range."""

    title: str
    unit: str = ""
    ticks: str = ""
    hover: str = ".4~g"
    low: float | None = None
    high: float | None = None
    may_be_log: bool = True


Theory = Sequence[tuple[float, str]]

LABELS = 3  # the latest edits that get their text; the others keep it for the pointer


def chart(
    lines: Sequence[Line], axis: Axis, style: Style, *, theory: Theory = (), events: Sequence[Mapping[str, Any]] = ()
) -> go.Figure:
    """Return the figure of some lines over steps; with nothing to draw yet, the empty frame of the same size."""
    drawn = [line for line in lines if np.isfinite(line.values).any()]
    if not drawn:
        empty = layout(axis, style) | {"annotations": [NOTHING]}
        return go.Figure(layout=empty).update_xaxes(showticklabels=False).update_yaxes(showticklabels=False)
    below = any(np.nanmin(line.values) <= 0 for line in drawn)
    log = style.log and axis.may_be_log and not below
    note = "; linear, as some are not above 0" if style.log and axis.may_be_log and below else ""
    ends = [min(float(line.steps[0]) for line in drawn), max(float(line.steps[-1]) for line in drawn)]
    traces = [trace for line in drawn for trace in _floor(line, axis, ends, log)]
    traces += [_constant(ends, value, label) for value, label in theory if value > 0 or not log]
    traces += [trace for line in drawn for trace in _line(line, axis, style)]
    return go.Figure(traces, layout(axis, style, log, note, ends) | marks(events, ends))


def _line(line: Line, axis: Axis, style: Style) -> list[dict[str, Any]]:
    smoothed = bool(style.smooth) and line.noisy
    unit = f" {axis.unit}" if axis.unit else ""
    x, y = decimate(line.steps, smooth(line.values, style.smooth) if smoothed else line.values, style.width)
    main = {
        "type": "scatter", "x": x, "y": y, "name": line.name, "mode": "lines" if len(x) > 1 else "markers",
        "line": {"color": line.colour, "dash": line.dash, "width": 1.8}, "legendgroup": line.name,
        "hovertemplate": f"%{{y:{axis.hover}}}{unit}<extra>{line.name}</extra>",
    }  # fmt: skip
    if not smoothed:
        return [main]
    x, y = decimate(line.steps, line.values, style.width)
    raw = {
        "type": "scatter", "x": x, "y": y, "mode": "lines", "line": {"color": clear(line.colour, 0.28), "width": 1},
        "legendgroup": line.name, "name": line.name, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    return [raw, main]


def _floor(line: Line, axis: Axis, ends: list[float], log: bool) -> list[dict[str, Any]]:
    """Draw the noise band in grey and perfection as a thin dotted line in the colour of its curve."""
    if line.floor is None:
        return []
    f, traces = line.floor, []
    if f.high > 0 or not log:
        low = max(f.low, f.high / 1000) if log else f.low  # a band down to 0 has no end on a logarithmic axis
        band = {
            "type": "scatter", "x": [*ends, *reversed(ends)], "y": [low, low, f.high, f.high], "fill": "toself",
            "fillcolor": palette.FLOOR, "mode": "lines", "line": {"width": 0}, "name": "noise floor",
            "hoverinfo": "skip", "showlegend": False, "legendgroup": line.name,
        }  # fmt: skip
        traces.append(band)
    if f.perfect > 0 or not log:
        value = f"{100 * f.perfect:.3g} %" if "%" in axis.ticks else f"{f.perfect:.3g}"
        traces.append(_constant(ends, f.perfect, f"perfect: {value}", line.colour, line.name))
    return traces


def _constant(
    ends: list[float], value: float, label: str, colour: str = palette.THEORY, group: str = ""
) -> dict[str, Any]:
    return {
        "type": "scatter", "x": ends, "y": [value, value], "mode": "lines+text", "text": ["", label], "name": label,
        "textposition": "top left", "textfont": {"size": 10, "color": palette.INK}, "cliponaxis": False,
        "line": {"color": colour, "dash": palette.DASH["theory"], "width": 1.2}, "legendgroup": group,
        "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def layout(
    axis: Axis, style: Style, log: bool = False, note: str = "", ends: Sequence[float] = (0, 1)
) -> dict[str, Any]:
    """Return the layout all figures share: no box, no background, one hover for all lines, zoom kept on redraw."""
    quiet = {"showgrid": True, "gridcolor": palette.GRID, "zeroline": False, "showline": False, "automargin": True}
    y = quiet | {"title": {"text": axis.title + note, "standoff": 8}, "type": "log" if log else "linear"}
    y |= {"tickformat": axis.ticks} if axis.ticks else {"separatethousands": True, "exponentformat": "none"}
    if axis.low is not None and axis.high is not None and not log:
        y["range"] = [axis.low, axis.high]
    room = 0.01 * (ends[1] - ends[0]) or 1.0
    x = quiet | {"title": {"text": "step", "standoff": 4}, "tickformat": ",~d", "hoverformat": ",d"}
    return {
        "template": go.layout.Template(),
        "height": style.height,
        "margin": {"l": 8, "r": 12, "t": 30, "b": 8, "pad": 2},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "inherit", "size": 12, "color": palette.INK},
        "separators": ".,",
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "rgba(38,42,50,0.94)", "bordercolor": "rgba(0,0,0,0)", "font": {"color": "#f4f5f7"}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
        "showlegend": True,
        "uirevision": "curves",  # zoom and hidden lines survive every redraw
        "xaxis": x | {"range": [ends[0] - room, ends[1] + room]},
        "yaxis": y,
    }


NOTHING: dict[str, Any] = {
    "text": "No values yet", "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper",
}  # fmt: skip


# -- events ----------------------------------------------------------------------------------------------------------


def edits(events: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """Return (step, text) of what changed the run, one entry a step; a field set twice there shows its last value."""
    at: dict[int, dict[str, str]] = {}
    first: dict[tuple[int, str], Any] = {}
    for event in events:
        step, kind = int(event.get("step", 0)), event.get("kind")
        if kind == "set":
            field = str(event.get("field", "?"))
            old = first.setdefault((step, field), event.get("old"))
            at.setdefault(step, {})[field] = f"{field} {_short(old)} → {_short(event.get('value'))}"
        elif kind == "fork":
            at.setdefault(step, {})[kind] = ", ".join(map(str, event.get("changes", ()))) or "forked"
        elif kind in ("rewind", "error"):
            at.setdefault(step, {})[kind] = "went back here" if kind == "rewind" else "error"
    return [(step, ", ".join(texts.values())) for step, texts in sorted(at.items())]


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) and math.isfinite(value) else str(value)


def marks(events: Sequence[Mapping[str, Any]], ends: Sequence[float]) -> dict[str, Any]:
    """Return the layout's rules and texts for what changed the run: a grey line each, the latest with their text."""
    found = [(step, text) for step, text in edits(events) if ends[0] <= step <= ends[1]]
    return {
        "shapes": [_rule(step) for step, _ in found],
        "annotations": [_label(step, text, len(found) - 1 - i, ends) for i, (step, text) in enumerate(found)],
    }


def _rule(step: int) -> dict[str, Any]:
    return {
        "type": "line", "x0": step, "x1": step, "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
        "line": {"color": palette.EVENT, "width": 1},
    }  # fmt: skip


def _label(step: int, text: str, age: int, ends: Sequence[float]) -> dict[str, Any]:
    """Return the text of an edit beside its rule, one line lower for each later edit; older ones shrink to a dot."""
    written = age < LABELS
    left = step < (ends[0] + ends[1]) / 2
    return {
        "x": step, "y": 1, "yref": "paper", "yanchor": "top", "yshift": -12 * age if written else 0, "showarrow": False,
        "xanchor": ("left" if left else "right") if written else "center", "hovertext": text,
        "text": (text if len(text) <= 28 else text[:27] + "…") if written else "•",
        "font": {"size": 10, "color": palette.INK},
    }  # fmt: skip
