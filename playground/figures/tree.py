"""Families of runs as a drawing: steps to the right, a run a line, each child branching off where it was forked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from playground.figures import palette

TONES = {"healthy": "#1b9e77", "warming": "#8a8f98", "full-collapse": "#c0392b", "g-vanished": "#c0392b",
         "diverged": "#c0392b", "failed": "#c0392b"}  # fmt: skip
WARN = "#d98200"
MARKS = {"#1b9e77": "circle", "#8a8f98": "circle-open", "#c0392b": "square", WARN: "diamond"}
ROW, ROOM = 34, 64  # pixels of a run, and of the axis with its title


@dataclass(frozen=True)
class Member:
    """A run of a family: its name, where it was forked (None: it began by itself), its last step, its verdict."""

    run: str
    title: str
    parent: str | None
    forked: int
    step: int
    verdict: str  # the state
    sentence: str = ""


def families(members: Iterable[Member]) -> list[list[Member]]:
    """Return the families of two runs or more, each from its root down, children in the order of their forks.

    A parent that is gone leaves its children as roots.
    """
    there = {member.run: member for member in members}
    children: dict[str, list[Member]] = {run: [] for run in there}
    roots: list[Member] = []
    for member in there.values():
        (children[member.parent] if member.parent in there and member.parent else roots).append(member)
    found = [list(_down(root, children)) for root in roots]
    return [family for family in found if len(family) > 1]


def _down(member: Member, children: dict[str, list[Member]]) -> Iterable[Member]:
    yield member
    for child in sorted(children[member.run], key=lambda c: (c.forked, c.run)):
        yield from _down(child, children)


def tree(family: Sequence[Member]) -> go.Figure:
    """Return the drawing of a family; each line's end carries its run in `customdata`, to be pointed at and clicked."""
    place = {member.run: i for i, member in enumerate(family)}
    end = max(member.step for member in family) or 1
    traces: list[dict[str, object]] = []
    for member in family:
        y, colour = place[member.run], TONES.get(member.verdict, WARN)
        start = member.forked if member.parent in place else 0
        if member.parent in place:  # down from the parent's line at the fork
            up = place[str(member.parent)]
            traces.append(_line([start, start], [up, y], palette.EVENT, "dot"))
        traces.append(_line([start, max(member.step, start)], [y, y], colour, "solid"))
        traces.append(_end(member, y, colour))
        if member.parent in place:
            traces.append(_fork(member, place[str(member.parent)]))
    layout = {
        "height": ROW * len(family) + ROOM, "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "showlegend": False,
        "template": go.layout.Template(), "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "inherit", "size": 13, "color": palette.INK}, "separators": ".,", "hovermode": "closest",
        "hoverlabel": {"bgcolor": "rgba(38,42,50,0.94)", "bordercolor": "rgba(0,0,0,0)", "font": {"color": "#f4f5f7"}},
        "xaxis": {"title": {"text": "step"}, "range": [-0.02 * end, 1.5 * end], "gridcolor": palette.GRID,
                  "zeroline": False, "tickformat": ",~d", "automargin": True, "fixedrange": True},
        "yaxis": {"visible": False, "range": [len(family) - 0.5, -0.5], "fixedrange": True},
    }  # fmt: skip
    return go.Figure(traces, layout)


def _line(x: list[int], y: list[int], colour: str, dash: str) -> dict[str, object]:
    return {"type": "scatter", "x": x, "y": y, "mode": "lines", "hoverinfo": "skip",
            "line": {"color": colour, "width": 3 if dash == "solid" else 1.5, "dash": dash}}  # fmt: skip


def _end(member: Member, y: int, colour: str) -> dict[str, object]:
    """Return the mark at a run's last step, with its name beside it."""
    return {
        "type": "scatter", "x": [member.step], "y": [y], "mode": "markers+text", "text": [f"  {member.title}"],
        "textposition": "middle right", "cliponaxis": False, "customdata": [member.run],
        "marker": {"size": 13, "color": colour, "symbol": MARKS[colour]},
        "hovertemplate": f"{member.run}, step %{{x:,d}}<br>{member.sentence}<extra>Click to open</extra>",
    }  # fmt: skip


def _fork(member: Member, y: int) -> dict[str, object]:
    """Return the mark on the parent's line where a child was forked."""
    return {
        "type": "scatter", "x": [member.forked], "y": [y], "mode": "markers", "customdata": [member.run],
        "marker": {"size": 8, "color": palette.EVENT, "symbol": "circle"},
        "hovertemplate": f"{member.run} was forked here, step %{{x:,d}}<extra></extra>",
    }  # fmt: skip
