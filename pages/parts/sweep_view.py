"""A sweep as it stands: how far it is, the figure that fills, the best so far, and the way into each of its runs."""

from __future__ import annotations

from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.parts import plain, state, sweep_head, sweep_picks
from pages.parts.sweep_form import goal
from pages.parts.sweep_picks import HEAT, LINE, PARALLEL
from playground.engine.sweep import Progress, sweeper
from playground.figures import sweep as figures
from playground.store import StoreError
from playground.store.sweeps import Goal, Sweep
from playground.sweep_cost import duration
from playground.sweep_goals import goals
from playground.sweep_plan import label
from playground.sweep_results import View

EVERY = 1.0  # seconds between redraws while runs land
MOVING = ("running", "stopping", "elsewhere")


def show(sweep_id: str) -> None:
    """Draw a sweep."""
    sweep = sweeper(state.engine()).get(sweep_id)
    progress = sweeper(state.engine()).progress(sweep)
    sweep_head.head(sweep, progress)
    with st.container(key="sweep-controls", horizontal=True, vertical_alignment="bottom", gap="medium"):
        aim = goal(goals(sweep.experiment), f"goal-{sweep.id}", sweep.goal)
        how = _how(sweep)
    st.fragment(_filling, run_every=EVERY if progress.phase in MOVING else None)(sweep.id, aim, how, progress.phase)


def _how(sweep: Sweep) -> tuple[str, ...]:
    """Draw the choice of figure and return it, with the settings along its axes."""
    names = [axis.field for axis in sweep.axes]
    several = [axis.field for axis in sweep.axes if len(axis.values) > 1] or names
    if len(names) == 1:
        return (LINE, *names)
    first = HEAT if len(several) <= 2 else PARALLEL
    kind = st.segmented_control(
        "Figure", [HEAT, PARALLEL, LINE], default=first, required=True, key=f"figure-{sweep.id}"
    )
    words = partial(label, sweep.experiment)
    if kind == LINE or (kind == HEAT and len(names) > 2):
        order = several + [name for name in names if name not in several]
        across = st.selectbox("Across", order, key=f"across-{sweep.id}", format_func=words, width=180)
        if kind == LINE:
            return LINE, across
        rest = [name for name in order if name != across]
        return HEAT, across, st.selectbox("Up", rest, key=f"up-{sweep.id}", format_func=words, width=180)
    return (PARALLEL,) if kind == PARALLEL else (HEAT, names[1], names[0])


# -- what fills -------------------------------------------------------------------------------------------------------


def _filling(sweep_id: str, aim: Goal, how: tuple[str, ...], phase: str) -> None:
    """Draw what changes while runs land, always the same elements."""
    engine = sweeper(state.engine())
    try:
        sweep = engine.get(sweep_id)
    except StoreError:  # deleted in another window
        st.rerun()
    progress = engine.progress(sweep)
    if progress.phase != phase:
        st.rerun()
    view = View(sweep, aim, progress.at)
    left, right = st.columns([5, 3], gap="large")
    with left:
        st.progress(_share(sweep, progress), _words(progress))
        if progress.trouble:
            st.error(progress.trouble, icon=":material/error:")
        chosen = _chart(view, how)
        st.caption(_caption(view, how[0]))
        sweep_picks.picked(view, how, chosen)
    with right:
        sweep_picks.best(view)


def _chart(view: View, how: tuple[str, ...]) -> Any:
    """Draw the figure and return what was clicked."""
    name = f"{view.sweep.id}-{'-'.join(how)}"
    return st.plotly_chart(
        _figure(view, how).update_layout(font_family=plain.FONT, hoverlabel_font_family=plain.FONT, uirevision=name),
        theme=None, key=f"sweep-map-{name}", on_select="rerun", selection_mode="points", alt=how[0],
        config={"displayModeBar": False},
    )  # fmt: skip


def _figure(view: View, how: tuple[str, ...]) -> go.Figure:
    if how[0] == PARALLEL:
        return figures.parallel(view)
    return figures.heat(view, how[1], how[2]) if how[0] == HEAT else figures.line(view, how[1])


def _share(sweep: Sweep, progress: Progress) -> float:
    return min(1.0, (progress.done + sum(progress.at.values())) / len(sweep.cells))


def _words(progress: Progress) -> str:
    """Say how far a sweep is."""
    failed = f", {progress.failed} failed" if progress.failed else ""
    so_far = f"{progress.done} of {progress.total} runs are done{failed}."
    if progress.phase == "running":
        left = "" if progress.left is None else f" About {duration(progress.left)} left."
        return f"{so_far} {len(progress.at)} under way.{left}"
    rest = {
        "stopping": "Saving the runs under way …", "stopped": "Stopped: Resume goes on from where each run is.",
        "interrupted": "The server ended meanwhile: Resume goes on from where each run was saved.",
        "elsewhere": "Another process is running it.", "done": "",
    }  # fmt: skip
    return f"{so_far} {rest[progress.phase]}"


def _caption(view: View, kind: str) -> str:
    if kind == PARALLEL:
        return "A line is a combination; higher and brighter is better. Drag along an axis to pick out lines."
    over = "" if len(view.sweep.seeds) == 1 else " over seeds"
    rest = " and all other settings" if len(view.sweep.axes) > (2 if kind == HEAT else 1) else ""
    mean = f"Means{over}{rest}. " if over or rest else ""
    what = "a cell" if kind == HEAT else "a run"
    click = "for its runs" if kind == HEAT and mean else "to open it"
    return f"{mean}Point at {what} for its verdict, click {click}. × failed, – left out."
