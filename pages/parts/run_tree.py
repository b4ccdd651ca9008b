"""The family trees of runs: who was forked from whom, at which step, and what became of each; a click opens it."""

from __future__ import annotations

import streamlit as st

from pages.parts import plain, state
from playground.figures.tree import Member, families, tree
from playground.store.index import Row


def draw(rows: list[Row], titles: dict[str, str]) -> None:
    """Draw every family among these runs."""
    found = families(member(row, titles[row.run]) for row in rows)
    if not found:
        st.markdown(
            ":gray[No run was forked yet. In a lab, drag **Past** to a moment and press **Fork from here**: a second "
            "run goes on from there, and both stand here as a family.]"
        )
        return
    st.caption("A line is a run, from left to right in steps; a child branches off where it was forked. Click one.")
    for i, family in enumerate(found):
        chosen = st.plotly_chart(
            tree(family).update_layout(font_family=plain.FONT), theme=None, key=f"tree-{family[0].run}-{i}",
            on_select="rerun", selection_mode="points", config={"displayModeBar": False}, alt=words(family),
        )  # fmt: skip
        points = chosen["selection"]["points"]
        if points:
            st.switch_page(state.switch(run_of(points[0])).page)


def member(row: Row, title: str) -> Member:
    """Return a run as its family's drawing wants it."""
    parent, forked = (row.parent.run, row.parent.step) if row.parent else (None, 0)
    return Member(row.run, f"{title} · {row.run[-8:]}", parent, forked, row.step, row.verdict[0], row.verdict[1])


def run_of(point: dict[str, object]) -> str:
    """Return the run that a clicked point stands for."""
    told = point["customdata"]
    return str(told[0] if isinstance(told, list) else told)


def words(family: list[Member]) -> str:
    """Say what the drawing shows."""
    said = [f"{m.title}, forked from {m.parent} at step {m.forked:,}" if m.parent else m.title for m in family]
    return "; ".join(said)
