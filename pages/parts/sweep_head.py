"""The head of a sweep: what it is, how it stands, and what can be done with all of it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.parts import says, state
from playground.engine.sweep import Progress, sweeper
from playground.store import StoreError
from playground.store.sweeps import Sweep
from playground.sweep_plan import label
from playground.sweep_results import table

BADGES = {"running": "green", "stopping": "orange", "done": "blue", "elsewhere": "green"}


def head(sweep: Sweep, progress: Progress) -> None:
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
