"""The curves of several runs, one over the other; what somebody zooms into is drawn as fine as it was measured."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.parts import plain, state, zoom
from pages.parts.curves import FINE
from playground.figures import comparison
from playground.figures.chart import Style
from playground.figures.comparison import Course
from playground.store import History
from playground.store.clock import Clock


@st.fragment
def overlays(
    chosen: list[str],
    names: dict[str, str],
    shown: list[str],
    style: Style,
    *,
    against: comparison.Against,
    log_x: bool,
) -> None:
    """Draw the chosen curves of the chosen runs; the stretch that somebody zooms into as fine as it was measured."""
    told = {run: history(run) for run in chosen}
    clocks = {run: Clock(told[run].folder) for run in chosen} if against == "time" else {}
    if lost := [names[run] for run, clock in clocks.items() if not clock.known]:
        st.caption(f"Nothing is known of the time of {', '.join(lost)}: it was unpacked as a whole, or has one moment.")
    zoomed = zoom.views("compare-", f"{against}-{style.log}-{log_x}-{'-'.join(shown)}")
    left, right = st.columns(2, gap="large")
    for i, metric in enumerate(shown):
        view = None if against == "time" else zoomed.get(zoom.name(f"compare-{metric}"))
        courses = [course(names[run], told[run], metric, view and view.steps, against) for run in chosen]
        if against == "time":
            courses = [
                c and replace(c, seconds=clocks[run].at(c.steps)) for c, run in zip(courses, chosen, strict=True)
            ]
        look = replace(style, width=FINE) if view else style
        figure = comparison.overlay(metric, courses, look, against=against, log_x=log_x)
        if view:
            view.keep(figure)
        with (left, right)[i % 2]:
            plain.chart(figure, f"compare-{metric}", comparison.named(metric))


def history(run: str) -> History:
    """Return what a run has measured, in bounded memory."""
    folder = state.engine().folder(run)
    assert folder is not None, "a run that is listed lies on disk"
    kept = st.session_state.setdefault("compared-histories", {})
    if run not in kept:
        kept[run] = History(folder)
    return kept[run].update()


def course(
    name: str, told: History, metric: str, stretch: zoom.Stretch | None = None, against: str = "step"
) -> Course | None:
    """Return a run's curve of a metric, finer where it is zoomed into; None where it has none."""
    if metric not in told.curves:
        return None
    last = told.curves[metric].arrays()[0][-1:].tolist() if against == "share" else [1]
    finer = told.finer(*(at * scale for at in stretch for scale in last)) if stretch else {}
    return Course(name, *told.course(metric, finer))
