"""Figures of a sweep: a heat map over two settings, a line over one, parallel coordinates over any number.

All are drawn from the first moment on, with every place where a run will be: they fill, they do not grow. Bright is
better, whichever way the metric points. Beside what runs came to they show what is under way (a share of its steps),
what failed (×) and what was left out (–).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.figures import palette
from playground.figures.chart import NOTHING, Axis, Style, layout
from playground.figures.comparison import named
from playground.store.sweeps import Goal, Sweep, Value
from playground.sweep_goals import READINGS
from playground.sweep_plan import fields, label, said
from playground.sweep_results import SHOWN, Spot, View, came_to, left_out, number, spots

CELL, LEAST, MOST = 96, 380, 640  # pixels: height of a row of the heat map, and of the whole figure
WRITTEN = 120  # cells beyond which none has room for its number
SPREAD = 0.1  # of an axis of parallel coordinates, over which lines through one of its values are spread
LINE = palette.CLASSES[0]

Found = Mapping[tuple[Value, ...], Spot]


def heat(view: View, across: str, up: str) -> go.Figure:
    """Draw the mean over all else at each pair of values; the customdata of a point is its first cell's number."""
    sweep, goal = view.sweep, view.goal
    found = spots(sweep, [across, up], goal)
    xs, ys = values_of(sweep, across), values_of(sweep, up)
    means = [[found[x, y].mean if (x, y) in found else None for x in xs] for y in ys]
    low, high = ends([m for row in means for m in row if m is not None])
    grid = {"type": "heatmap", "x": list(range(len(xs))), "y": list(range(len(ys))), "xgap": 2, "ygap": 2}
    scale = palette.scale(palette.VALUES)
    traces: list[dict[str, Any]] = [
        grid | {"z": [[0.0] * len(xs)] * len(ys), "colorscale": [[0, palette.FLOOR], [1, palette.FLOOR]]}
        | {"showscale": False, "hoverinfo": "skip"},
        grid | {"z": means, "zmin": low, "zmax": high, "colorscale": scale, "reversescale": not goal.higher}
        | {"hoverinfo": "skip", "colorbar": bar(goal)},
        touch(view, (across, up), found),
    ]  # fmt: skip
    frame = _frame(sweep, across, up, min(max(LEAST, CELL * len(ys) + 150), MOST))
    frame["yaxis"] |= {"tickvals": grid["y"], "ticktext": [said(sweep.experiment, up, y) for y in ys]}
    frame["margin"] |= {"t": 8}  # the colour bar makes its own room
    if len(xs) * len(ys) <= WRITTEN:
        where = [(i, j, x, y) for i, x in enumerate(xs) for j, y in enumerate(ys)]
        frame["annotations"] = [
            {"x": i, "y": j, "showarrow": False} | note(view, (across, up), (x, y), found, (low, high))
            for i, j, x, y in where
        ]
    return go.Figure(traces, frame)


def touch(view: View, names: Sequence[str], found: Found) -> dict[str, Any]:
    """Return the unseen points over a heat map's cells that answer the pointer."""
    xs, ys = (values_of(view.sweep, name) for name in names)
    places = [(i, j, (x, y)) for i, x in enumerate(xs) for j, y in enumerate(ys)]
    texts = [hover(view, names, values, found.get(values)) for _, _, values in places]
    first = [found[values].cells[0] if values in found else -1 for _, _, values in places]
    unseen = {"opacity": 0.0}
    return {
        "type": "scatter", "mode": "markers", "x": [p[0] for p in places], "y": [p[1] for p in places],
        "marker": {"symbol": "square", "size": 34, "color": palette.INK} | unseen, "customdata": first,
        "hovertext": texts, "hoverinfo": "text", "showlegend": False,
        "selected": {"marker": unseen}, "unselected": {"marker": unseen},
    }  # fmt: skip


def note(
    view: View, names: Sequence[str], values: tuple[Value, ...], found: Found, over: tuple[float, float]
) -> dict[str, Any]:
    """Return what is written into a cell, dark or light by the colour under it."""
    spot, colour = found.get(values), palette.INK
    if spot is not None and spot.mean is not None:
        share = (spot.mean - over[0]) / (over[1] - over[0])
        colour = palette.ink_on(palette.along(share if view.goal.higher else 1 - share))
    return {"text": words(view, names, values, spot), "font": {"size": 12, "color": colour}}


def words(view: View, names: Sequence[str], values: tuple[Value, ...], spot: Spot | None) -> str:
    """Return a cell's words: its mean, how far it is, that it failed, or that it was left out."""
    if spot is None:
        return "–" if left_out(view.sweep, names, values) else ""
    under_way = [view.at[i] for i in spot.cells if i in view.at]
    if spot.mean is None:
        return f"{100 * sum(under_way) / len(under_way):.0f} %" if under_way else "×" if spot.failed else ""
    return number(spot.mean) + (f"<br>× {spot.failed}" if spot.failed else "")


def hover(view: View, names: Sequence[str], values: tuple[Value, ...], spot: Spot | None) -> str:
    """Return what the pointer says of some values: the mean, then each run."""
    sweep, base = view.sweep, view.sweep.experiment
    pairs = zip(names, values, strict=True)
    head = "<br>".join(f"{label(base, name)} <b>{said(base, name, value)}</b>" for name, value in pairs)
    if spot is None:
        return f"{head}<br>{left_out(sweep, names, values) or 'not in the random part of the grid'}"
    others = [k for k, axis in enumerate(sweep.axes) if axis.field not in names]
    rows = []
    for i in spot.cells[:SHOWN]:
        cell = sweep.cells[i]
        rest = [said(base, sweep.axes[k].field, cell.values[k]) for k in others]
        told = f"{100 * view.at[i]:.0f} % of its steps" if i in view.at else came_to(cell, view.goal)
        rows.append(f"{', '.join([*rest, f'seed {cell.seed}'])}: {told}")
    more = [f"and {len(spot.cells) - SHOWN} more"] if len(spot.cells) > SHOWN else []
    mean = [f"mean {number(spot.mean)}"] if spot.mean is not None and len(spot.numbers) > 1 else []
    return "<br>".join([head, *mean, *rows, *more])


def line(view: View, field: str) -> go.Figure:
    """Draw each run's number over a setting's values, their mean, and its 95 % interval over the runs of a value."""
    sweep, goal = view.sweep, view.goal
    found = spots(sweep, [field], goal)
    values = values_of(sweep, field)
    k = fields(sweep.experiment)[field]
    numeric = k.kind in ("int", "float")
    place = {value: float(value) if numeric else float(i) for i, value in enumerate(values)}
    there = sorted((place[v[0]], s) for v, s in found.items() if s.mean is not None)
    x, means = [p for p, _ in there], [s.mean for _, s in there]
    bands = [s.interval for _, s in there]
    traces: list[dict[str, Any]] = []
    if any(b is not None and b.high > b.low for b in bands):
        upper, lower = [b.high for b in bands if b], [b.low for b in bands if b]
        traces.append(
            {"type": "scatter", "x": [*x, *reversed(x)], "y": [*upper, *reversed(lower)], "fill": "toself"}
            | {"fillcolor": palette.clear(LINE, 0.18), "line": {"width": 0}, "hoverinfo": "skip", "mode": "lines"}
            | {"name": "95 % interval of the mean"}
        )
    traces.append(
        {"type": "scatter", "x": x, "y": means, "mode": "lines+markers" if numeric else "markers", "name": "mean"}
        | {"line": {"color": LINE, "width": 2}, "marker": {"size": 9, "symbol": "diamond"}, "hoverinfo": "skip"}
    )
    traces += [dots(view, field, found, place), crosses(view, field, found, place)]
    frame = _frame(sweep, field, "", LEAST + 60)
    frame["showlegend"] = True
    log = numeric and k.scale == "log" and all(p > 0 for p in place.values())
    if numeric:
        frame["xaxis"] |= {"type": "log" if log else "linear", "range": _wide(list(place.values()), log)}
        frame["xaxis"] |= {"tickvals": list(place.values())} if len(values) <= WRITTEN // 8 else {}
    frame["yaxis"] |= {"title": {"text": named(goal.metric), "standoff": 8}, "showgrid": True}
    drawn = go.Figure(traces, frame)
    return drawn if there else drawn.update_layout(annotations=[NOTHING]).update_yaxes(showticklabels=False)


def dots(view: View, field: str, found: Found, place: Mapping[Value, float]) -> dict[str, Any]:
    """Return a point a run, that answers the pointer."""
    cells = [(i, s.values[0], view.sweep.cells[i].result) for s in found.values() for i in s.cells]
    all_ = [(i, value, r.number(view.goal)) for i, value, r in cells if r is not None]
    runs = [(i, value, n) for i, value, n in all_ if n is not None]
    texts = [hover(view, [field], (value,), found[(value,)]) for _, value, _ in runs]
    plain = {"size": 8, "color": palette.clear(LINE, 0.0), "line": {"color": LINE, "width": 1.5}}
    return {
        "type": "scatter", "mode": "markers", "name": "each run", "x": [place[value] for _, value, _ in runs],
        "y": [n for *_, n in runs], "customdata": [i for i, *_ in runs], "marker": plain, "hovertext": texts,
        "hoverinfo": "text", "selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}},
    }  # fmt: skip


def crosses(view: View, field: str, found: Found, place: Mapping[Value, float]) -> dict[str, Any]:
    """Return a cross on the axis for each value at which runs failed."""
    bad = [s for s in found.values() if s.failed]
    return {
        "type": "scatter", "mode": "markers+text", "name": "failed", "x": [place[s.values[0]] for s in bad],
        "y": [0.03] * len(bad), "yaxis": "y2", "text": [f"{s.failed}" for s in bad], "textposition": "top center",
        "marker": {"symbol": "x", "size": 9, "color": palette.GENERATOR}, "showlegend": bool(bad),
        "hovertext": [hover(view, [field], s.values, s) for s in bad], "hoverinfo": "text",
        "customdata": [s.cells[0] for s in bad], "unselected": {"marker": {"opacity": 1}},
    }  # fmt: skip


def parallel(view: View) -> go.Figure:
    """Draw a line a combination through its values to its mean; better is higher up and brighter."""
    sweep, goal = view.sweep, view.goal
    base, names = sweep.experiment, [axis.field for axis in sweep.axes]
    there = [s for s in spots(sweep, names, goal).values() if s.mean is not None]
    frame = layout(Axis(""), Style(height=LEAST + 80)) | {"margin": {"l": 64, "r": 64, "t": 72, "b": 16}}
    if not there:
        hidden = {"visible": False}
        return go.Figure(layout=frame | {"annotations": [NOTHING], "xaxis": hidden, "yaxis": hidden})
    means = np.array([s.mean for s in there], float)
    apart = SPREAD * (means.argsort().argsort() / max(1, len(means) - 1) - 0.5)  # lines through one value fan out
    apart = apart if goal.higher else -apart
    dimensions: list[dict[str, Any]] = []
    for k, axis in enumerate(sweep.axes):
        known = {value: i / max(1, len(axis.values) - 1) for i, value in enumerate(axis.values)}
        dimensions.append(
            {"label": short(label(base, axis.field)), "values": [known[s.values[k]] for s in there] + apart}
            | {"tickvals": list(known.values()), "ticktext": [said(base, axis.field, v) for v in axis.values]}
            | {"range": [-SPREAD, 1 + SPREAD]}
        )
    low, high = ends(means.tolist())
    room = 0.05 * (high - low)
    reach = [low - room, high + room] if goal.higher else [high + room, low - room]
    dimensions.append({"label": short(named(goal.metric)), "values": means, "range": reach, "tickformat": ".3~g"})
    colours = {"color": means, "colorscale": palette.scale(palette.VALUES), "cmin": low, "cmax": high}
    ink = {"color": palette.INK, "size": 12}
    drawn = go.Parcoords(
        line=colours | {"reversescale": not goal.higher}, dimensions=dimensions, labelfont=ink, tickfont=ink,
        rangefont={"color": "rgba(0,0,0,0)"}, unselected={"line": {"opacity": 0.06}},
    )  # fmt: skip
    return go.Figure(drawn, frame)


# -- what they share --------------------------------------------------------------------------------------------------


def values_of(sweep: Sweep, field: str) -> tuple[Value, ...]:
    """Return a field's values."""
    return next(axis.values for axis in sweep.axes if axis.field == field)


def short(name: str) -> str:
    """Return a name broken into short lines."""
    return "<br>".join(textwrap.wrap(name, 10))


def ends(numbers: Sequence[float]) -> tuple[float, float]:
    """Return the lowest and highest number, apart even where all are equal."""
    if not numbers:
        return 0.0, 1.0
    low, high = min(numbers), max(numbers)
    return (low, high) if high > low else (low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1))


def bar(goal: Goal) -> dict[str, Any]:
    """Return the colour bar, above the map."""
    which = f"{named(goal.metric)}, {READINGS[goal.reading]}: {'higher' if goal.higher else 'lower'} is better"
    return {
        "orientation": "h", "thickness": 10, "len": 1.0, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom",
        "title": {"text": which, "side": "top", "font": {"size": 12}}, "outlinewidth": 0, "tickformat": ".3~g",
        "nticks": 6, "ypad": 0,
    }  # fmt: skip


def _frame(sweep: Sweep, across: str, up: str, height: int) -> dict[str, Any]:
    """Return the common layout over a setting's values."""
    base = sweep.experiment
    frame = layout(Axis(label(base, up) if up else ""), Style(height=height))
    values = values_of(sweep, across)
    quiet = {"showgrid": False, "zeroline": False, "showline": False, "automargin": True, "ticks": ""}
    x = quiet | {"title": {"text": label(base, across), "standoff": 8}, "tickvals": list(range(len(values)))}
    x |= {"ticktext": [said(base, across, v) for v in values], "range": [-0.5, len(values) - 0.5]}
    y = frame["yaxis"] | {"showgrid": False, "ticks": ""}
    if up:
        y |= {"range": [-0.5, len(values_of(sweep, up)) - 0.5]}
    second = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
    left = frame["hoverlabel"] | {"align": "left"}
    return frame | {
        "xaxis": x, "yaxis": y, "yaxis2": second, "hovermode": "closest", "hoverdistance": -1, "hoverlabel": left,
        "showlegend": False, "dragmode": False,
    }  # fmt: skip


def _wide(places: Sequence[float], log: bool) -> list[float]:
    """Return an axis range with some room at both ends."""
    low, high = (float(np.log10(f(places))) if log else f(places) for f in (min, max))
    room = 0.06 * (high - low) or 0.5
    return [low - room, high + room]
