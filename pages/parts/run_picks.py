"""Runs ticked in the table, and what can be done with all of them at once: compare, star, tag, delete."""

from __future__ import annotations

import streamlit as st

from pages.parts import says, state
from playground.engine import EngineError
from playground.store import About, StoreError, about
from playground.store.index import Row


def picked() -> list[str]:
    """Return the ticked runs, in the order in which they were ticked; kept while pages are turned."""
    return st.session_state.setdefault("picked", [])


def tick(run: str) -> None:
    """Draw a run's box."""
    key = f"pick-{run}"
    st.session_state[key] = run in picked()  # the list is the truth: a run that was brought back is not ticked
    st.checkbox("Select", key=key, label_visibility="collapsed", on_change=_take, args=(run, key))


def pick(runs: list[str]) -> None:
    """Tick these runs alone."""
    st.session_state["picked"] = list(runs)


def bar(rows: list[Row], found: list[Row]) -> None:
    """Say how many runs there are, or what to do with those that are ticked; one line, always there."""
    there = {row.run for row in rows}
    chosen = st.session_state["picked"] = [run for run in picked() if run in there]
    with st.container(key="picks-bar", horizontal=True, vertical_alignment="center", gap="small"):
        if not chosen:
            many = f"{len(found):,} of {len(rows):,} runs" if len(found) < len(rows) else f"{len(rows):,} runs"
            st.markdown(f":gray[{many if len(rows) != 1 else '1 run'}]", width="content")
            return
        st.markdown(f"**{len(chosen)} selected**", width="content")
        if st.button("Compare", key="compare-picked", icon=":material/stacked_line_chart:", disabled=len(chosen) < 2):
            compare(chosen)
        st.button("Star", key="star-picked", icon=":material/star:", on_click=_star, args=(chosen,))
        with st.popover("Tag", icon=":material/sell:", key="tag-picked"):
            tag = st.text_input("Tag all of them", key="tag-word", max_chars=about.TAG)
            st.button("Add", key="tag-add", on_click=_tag, args=(chosen, tag), disabled=not tag.strip())
        st.button("Delete", key="delete-picked", icon=":material/delete:", on_click=delete, args=(chosen,))
        st.button("Clear", key="clear-picked", icon=":material/close:", type="tertiary", on_click=pick, args=([],))


def compare(runs: list[str]) -> None:
    """Lay these runs over each other on the Compare page."""
    st.session_state["compared"] = list(runs)
    st.switch_page("compare.py")


def delete(runs: list[str]) -> None:
    """Delete runs, those that can be; they wait for a day."""
    gone = []
    for run in list(runs):
        try:
            state.engine().delete(run)
            gone.append(run)
        except EngineError as error:
            says.fail(error)
    st.session_state["deleted"] = gone


def _take(run: str, key: str) -> None:
    rest = [name for name in picked() if name != run]
    st.session_state["picked"] = [*rest, run] if st.session_state[key] else rest


def say(run: str, words: About) -> None:
    """Keep what is said of a run."""
    folder = state.engine().folder(run)
    if folder is None:
        return
    try:
        about.write(folder.path, words)
    except StoreError as error:
        says.fail(error)


def _star(runs: list[str]) -> None:
    said = {run: about.read(folder.path) for run in runs if (folder := state.engine().folder(run))}
    starred = all(words.star for words in said.values())
    for run, words in said.items():
        say(run, words.model_copy(update={"star": not starred}))


def _tag(runs: list[str], tag: str) -> None:
    for run in runs:
        if folder := state.engine().folder(run):
            before = about.read(folder.path)
            say(run, About(**before.model_dump() | {"tags": (*before.tags, tag)}))
    st.session_state["tag-word"] = ""
