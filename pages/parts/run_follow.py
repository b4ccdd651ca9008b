"""The table of runs follows those that train: what stands in their rows is drawn anew, and nothing else moves.

Only where a run began, ended or went, the whole page is drawn again, since buttons and filters hang on that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import run_row, state
from playground.presets import preset_of
from playground.store.index import Row
from playground.store.listing import Order

ALIVE = frozenset(["queued", "warming", "running"])
EVERY, AT_REST = 2.0, 10.0  # seconds between looks while any run trains, and while none does


@dataclass
class Table:
    """What the page shows: the runs when it was drawn, and the place of each row's cells."""

    rows: dict[str, Row]
    order: Order
    places: dict[str, tuple[DeltaGenerator, bool]] = field(default_factory=dict)  # by run; whether inside a group
    drawn: float = field(default_factory=time.monotonic)


def follow(table: Table) -> None:
    """Fill the rows, and keep those of runs that train up to date."""
    for run in table.places:
        if table.rows[run].state not in ALIVE:
            _fill(table, table.rows[run])
    busy = any(row.state in ALIVE for row in table.rows.values())
    st.fragment(_look, run_every=EVERY if busy else AT_REST)(table)


def _look(table: Table) -> None:
    """Draw the rows of runs that train; there is no widget here that this could take from under a hand."""
    now = table.rows
    if time.monotonic() - table.drawn > EVERY / 2:  # else the page has just been drawn
        now = {row.run: row for row in state.engine().rows(preset_of)}
        if {run: row.state for run, row in now.items()} != {run: row.state for run, row in table.rows.items()}:
            st.rerun()
    for run in table.places:
        if now[run].state in ALIVE:
            _fill(table, now[run])


def _fill(table: Table, row: Row) -> None:
    place, inside = table.places[row.run]
    place.html(run_row.cells(row, table.order, inside), width="stretch")
