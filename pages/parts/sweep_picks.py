"""The way from a sweep into its runs: the cell that was clicked, and the best combinations so far."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts import says, state
from playground.config import ConfigError
from playground.engine import EngineError
from playground.store.sweeps import Cell, Sweep, Value
from playground.sweep_plan import settings
from playground.sweep_results import Spot, View, came_to, number, ranked, told

HEAT, LINE, PARALLEL = "Heat map", "Line", "Parallel coordinates"
BEST = 8  # combinations in the table


def picked(view: View, how: tuple[str, ...], chosen: Any) -> None:
    """Open the run that was clicked, or list the runs behind a cell."""
    points = chosen.selection.points if chosen is not None else []
    cells = [int(point["customdata"]) for point in points if point.get("customdata") is not None]
    cells = [i for i in cells if 0 <= i < len(view.sweep.cells)]
    if not cells:
        return
    first = view.sweep.cells[cells[0]]
    behind = [first]
    if how[0] == HEAT:
        at = [[axis.field for axis in view.sweep.axes].index(name) for name in how[1:]]
        behind = [cell for cell in view.sweep.cells if all(cell.values[j] == first.values[j] for j in at)]
    if len(behind) == 1 and behind[0].run is not None:
        _open(behind[0].run)
    with st.container(key="sweep-picked", border=True):
        for cell in behind:
            _run(view, cell)


def _run(view: View, cell: Cell) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"sweep-run-{cell.run}-{cell.seed}"
    ):
        sentence = cell.result.sentence if cell.result else came_to(cell, view.goal)
        st.markdown(f"**{told(view.sweep, cell)}** {came_to(cell, view.goal)}  \n:small[{sentence}]", width="stretch")
        if cell.run is not None and st.button("Open", key=f"open-{cell.run}", icon=":material/open_in_full:"):
            _open(cell.run)


def best(view: View) -> None:
    """Draw the best combinations so far."""
    st.markdown("**Best combinations**")
    found = ranked(view.sweep, view.goal)
    if not found:
        st.markdown(":gray[They are listed here as soon as the first run is done.]")
    for place, spot in enumerate(found[:BEST]):
        with st.container(key=f"sweep-best-{place}", horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{place + 1}**", width=24)
            st.markdown(_spot(view, spot), width="stretch")
            run = view.sweep.cells[spot.cells[0]].run
            if run is not None and st.button(
                "Open", key=f"best-open-{place}", icon=":material/open_in_full:", help="Opens its run"
            ):
                _open(run)
            if st.button(
                "Use", key=f"best-use-{place}", icon=":material/science:",
                help="Opens the lab with these settings, ready to play",
            ):  # fmt: skip
                _use(view.sweep, spot.values)


def _spot(view: View, spot: Spot) -> str:
    cells = [view.sweep.cells[i] for i in spot.cells]
    values = told(view.sweep.model_copy(update={"seeds": (0,)}), cells[0])
    interval = spot.interval
    assert interval is not None
    sure = f" [{number(interval.low)}, {number(interval.high)}]" if len(spot.numbers) > 1 else ""
    verdicts = [cell.result.verdict for cell in cells if cell.result]
    counts = ", ".join(f"{verdicts.count(v)} × {v}" if len(verdicts) > 1 else v for v in dict.fromkeys(verdicts))
    return f"**{number(interval.mean)}**{sure} :gray[:small[· {counts}]]  \n:small[{values}]"


def _open(run: str) -> None:
    try:
        page = state.switch(run).page
    except EngineError as error:
        says.fail(error)
        st.rerun()
    st.switch_page(page)


def _use(sweep: Sweep, values: tuple[Value, ...]) -> None:
    """Make a combination ready in its lab."""
    try:
        experiment = settings(sweep.experiment, [axis.field for axis in sweep.axes], values)
        page = state.switch(state.engine().prepare(experiment)).page
    except (ConfigError, EngineError) as error:
        says.fail(error)
        st.rerun()
    st.switch_page(page)
