"""The line above the table of runs: words to search, filters, the order, and table or family tree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from playground.data import datasets
from playground.families import family
from playground.figures.comparison import FIRST, named
from playground.store.index import Row
from playground.store.listing import PLAIN, Figure, Order, Wanted, best_first

FIGURES: dict[Figure, str] = {"last": "Last", "best": "Best", "smoothed": "Smoothed"}
WORDS = {
    "healthy": "Healthy", "warming": "Too early to say", "d-too-strong": "D too strong", "failed": "Failed",
    "g-vanished": "G's gradient vanished", "partial-collapse": "Partial collapse", "full-collapse": "Full collapse",
}  # fmt: skip


def verdict(state: str) -> str:
    """Return a verdict's state in words."""
    return WORDS.get(state, state.replace("-", " ").capitalize())


def choices(rows: list[Row]) -> tuple[Wanted, Order, str]:
    """Draw the line; return which runs to show, in what order, and "table" or "tree"."""
    with st.container(key="choices", horizontal=True, vertical_alignment="center", gap="small"):
        words = st.text_input(
            "Search", key="search", placeholder="Search names, tags, notes, data, models", width=300,
            label_visibility="collapsed", icon=":material/search:",
        )  # fmt: skip
        starred = st.toggle("Starred", key="starred")
        ticked = filters(rows)
        order = sorting(rows)
        st.space("stretch")
        view = st.segmented_control(
            "View", ["table", "tree"], default="table", required=True, key="runs-view", label_visibility="collapsed",
            format_func={"table": ":material/table_rows: Table", "tree": ":material/account_tree: Family tree"}.get,
        )  # fmt: skip
    return Wanted(words, starred, **ticked), order, view or "table"


def filters(rows: list[Row]) -> dict[str, Any]:
    """Draw the filters; return what is ticked of each kind."""
    kinds: dict[str, tuple[str, Iterable[str], Any]] = {
        "families": ("Model", (row.family for row in rows), lambda name: family(name).title),
        "datasets": ("Data", (row.dataset for row in rows), lambda name: datasets()[name].title),
        "states": ("State", (row.state for row in rows), str.capitalize),
        "verdicts": ("Verdict", (row.verdict[0] for row in rows), verdict),
        "tags": ("Tag", (tag for row in rows for tag in row.about.tags), str),
    }
    active = sum(bool(st.session_state.get(f"filter-{name}")) for name in kinds)
    with st.popover(f"Filter ({active})" if active else "Filter", icon=":material/filter_list:", key="filter"):
        return {
            name: st.pills(label, sorted(set(there)), selection_mode="multi", format_func=words, key=f"filter-{name}")
            for name, (label, there, words) in kinds.items()
        }


def sorting(rows: list[Row]) -> Order:
    """Draw the choice of the order."""
    measured = {name for row in rows for name in row.metrics}
    metrics = sorted(measured, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), named(name)))
    by = st.selectbox(
        "Order", [*PLAIN, *metrics], key="runs-order", label_visibility="collapsed", width=232,
        format_func=lambda name: PLAIN.get(name) or f"By {named(name)}",
    )  # fmt: skip
    figure: Figure = "last"
    if by not in PLAIN:
        asked = st.segmented_control(
            "Which value", list(FIGURES), default="last", required=True, key="runs-figure",
            format_func=FIGURES.get, label_visibility="collapsed",
        )  # fmt: skip
        figure = asked or "last"
    usual = by != "title" and (by in PLAIN or best_first(by))
    turned = st.session_state.get("runs-turned", False)
    down = usual != turned
    st.button(
        "", icon=":material/south:" if down else ":material/north:", key="runs-turn", type="tertiary", on_click=_turn,
        help="Largest first: press for smallest first" if down else "Smallest first: press for largest first",
    )  # fmt: skip
    return Order(by, figure, down)


def _turn() -> None:
    st.session_state["runs-turned"] = not st.session_state.get("runs-turned", False)
