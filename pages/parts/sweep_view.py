"""A sweep as it stands: how far it is, the figure that fills, the best so far, and the way into each of its runs."""

from __future__ import annotations

from functools import partial

import plotly.graph_objects as go
import streamlit as st

from pages.parts import plain, says, state, sweep_picks
from pages.parts.sweep_cost import duration
from pages.parts.sweep_form import goal
from pages.parts.sweep_picks import HEAT, LINE, PARALLEL
from playground.engine.sweep import Progress, sweeper
from playground.figures import sweep as figures
from playground.store import StoreError
from playground.store.sweeps import Goal, Sweep
from playground.sweep_goals import goals
from playground.sweep_plan import label
from playground.sweep_results import View, table

EVERY = 1.0  # seconds between redraws while runs land
MOVING = ("running", "stopping", "elsewhere")
BADGES = {"running": "green", "stopping": "orange", "done": "blue", "elsewhere": "green"}


def show(sweep_id: str) -> None:
    """Draw a sweep."""
    sweep = sweeper(state.engine()).get(sweep_id)
    progress = sweeper(state.engine()).progress(sweep)
    _head(sweep, progress)
    aim = goal(goals(sweep.experiment), f"goal-{sweep.id}", sweep.goal)
    how = _how(sweep)
    st.fragment(_filling, run_every=EVERY if progress.phase in MOVING else None)(sweep.id, aim, how, progress.phase)


def _head(sweep: Sweep, progress: Progress) -> None:
    """Draw the name, the state, and what can be done with the whole sweep."""
    engine = sweeper(state.engine())
    with st.container(key="sweep-head", horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(progress.phase, color=BADGES.get(progress.phase, "gray"), width="content")
        varied = " × ".join(label(sweep.experiment, axis.field) for axis in sweep.axes)
        st.markdown(
            f"**{varied}** :gray[:small[{len(sweep.cells)} runs of {sweep.steps:,} steps, "
            f"{sweep.experiment.data.title} · {sweep.id}]]", width="stretch",
        )  # fmt: skip
        if progress.phase == "running":
            st.button("Stop", icon=":material/stop:", key="sweep-stop", on_click=engine.stop, args=(sweep.id,))
        elif progress.phase in ("stopped", "interrupted"):
            st.button("Resume", icon=":material/play_arrow:", key="sweep-resume", on_click=_resume, args=(sweep.id,))
        st.download_button(
            "CSV", partial(_csv, sweep.id), f"{sweep.id}.csv", "text/csv", icon=":material/download:", key="sweep-csv",
            on_click="ignore", help="Every run, with all that was measured",
        )  # fmt: skip
        with st.popover("", icon=":material/delete:", key="sweep-delete", help="Delete"):
            runs = st.toggle(f"Delete its {len(sweep.cells)} runs too", key="sweep-delete-runs")
            st.caption("Runs that are deleted can be brought back for a day; the sweep itself cannot.")
            st.button("Delete this sweep", key="sweep-delete-now", on_click=_delete, args=(sweep.id, runs))


def _how(sweep: Sweep) -> tuple[str, ...]:
    """Draw the choice of figure and return it, with the settings along its axes."""
    names = [axis.field for axis in sweep.axes]
    several = [axis.field for axis in sweep.axes if len(axis.values) > 1] or names
    if len(names) == 1:
        return (LINE, *names)
    first = HEAT if len(several) <= 2 else PARALLEL
    with st.container(key="sweep-figure", horizontal=True, vertical_alignment="bottom", gap="medium"):
        kind = st.segmented_control(
            "Figure", [HEAT, PARALLEL, LINE], default=first, required=True, key=f"figure-{sweep.id}"
        )
        words = partial(label, sweep.experiment)
        if kind == LINE or (kind == HEAT and len(names) > 2):
            order = several + [name for name in names if name not in several]
            across = st.selectbox("Across", order, key=f"across-{sweep.id}", format_func=words, width=200)
            if kind == LINE:
                return LINE, across
            rest = [name for name in order if name != across]
            return HEAT, across, st.selectbox("Up", rest, key=f"up-{sweep.id}", format_func=words, width=200)
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
    st.progress(_share(sweep, progress), _words(progress))
    if progress.trouble:
        st.error(progress.trouble, icon=":material/error:")
    figure = _figure(view, how).update_layout(font_family=plain.FONT, uirevision=f"{sweep_id}-{how}")
    chosen = st.plotly_chart(
        figure, theme=None, key=f"sweep-map-{sweep_id}-{how}", on_select="rerun", selection_mode="points",
        config={"displayModeBar": False}, alt=how[0],
    )  # fmt: skip
    st.caption(_caption(view, how[0]))
    sweep_picks.picked(view, how, chosen)
    sweep_picks.best(view)


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
    return f"{mean}Point at {what} for its verdict, click to open it. × failed, – left out."


def _resume(sweep_id: str) -> None:
    try:
        sweeper(state.engine()).resume(sweep_id)
    except StoreError as error:
        says.fail(error)


def _delete(sweep_id: str, runs: bool) -> None:
    try:
        sweeper(state.engine()).delete(sweep_id, runs)
        st.session_state["sweep"] = None
    except StoreError as error:
        says.fail(error)


def _csv(sweep_id: str) -> bytes:
    return table(sweeper(state.engine()).get(sweep_id))
