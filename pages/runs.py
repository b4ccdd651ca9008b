"""The runs on disk: what each came to; to find, open, go on with, name, share or delete; and who waits for a core."""

from __future__ import annotations

import streamlit as st

from pages.parts import labs, run_row, says, state
from playground.engine import EngineError, Status
from playground.store import About, StoreError, about, receive

PAGE = 12  # runs shown at once
ORDERS = {"Newest first": None, "Most steps first": "step", "By name": "title"}


def main() -> None:
    """Draw the page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown("# Runs", anchors=False, width="stretch")
        receiver()
    says.say()
    undo()
    runs = state.engine().runs()
    if not runs:
        st.markdown(
            "Every run that you start in a lab is kept here: its settings, its curves, and moments to go back to."
        )
        for place in labs.PLACES.values():
            st.page_link(place.page, label=f"Start one in the {place.title}", icon=":material/play_arrow:")
        return
    waiting = [run for run in runs if run.state == "queued"]
    if waiting:
        order = sorted(waiting, key=lambda run: run.queue or 0)
        st.info(f"Waiting for a free core: {', '.join(run.run for run in order)}.", icon=":material/hourglass_top:")
    said = {run.run: words(run.run) for run in runs}
    found = chosen(runs, said)
    if not found:
        st.markdown(":gray[No run has all of these words: take one away.]")
    pages = -(-len(found) // PAGE)
    page = st.pagination(pages, key="runs-page") if pages > 1 else 1
    tags = sorted({tag for one in said.values() for tag in one.tags})
    for run in found[(page - 1) * PAGE : page * PAGE]:
        run_row.row(run, said[run.run], tags)


def words(run: str) -> About:
    """Return what a person says of a run."""
    folder = state.engine().folder(run)
    return About() if folder is None else about.read(folder.path)


def chosen(runs: list[Status], said: dict[str, About]) -> list[Status]:
    """Draw the search and the order, and return the runs to show."""
    with st.container(key="choices", horizontal=True, vertical_alignment="center", gap="medium"):
        search = st.text_input(
            "Search", key="search", placeholder="Search names, tags, notes, data, models", width=320,
            label_visibility="collapsed", icon=":material/search:",
        )  # fmt: skip
        starred = st.toggle("Starred only", key="starred")
        order = st.selectbox("Order", list(ORDERS), key="runs-order", label_visibility="collapsed", width=184)
    titles = {run.run: run_row.title(run, said[run.run]) for run in runs}
    kept = [
        run for run in runs
        if (said[run.run].star or not starred) and has(search, text(run, titles[run.run], said[run.run]))
    ]  # fmt: skip
    if ORDERS[order] == "step":
        kept.sort(key=lambda run: -run.step)
    elif ORDERS[order] == "title":
        kept.sort(key=lambda run: titles[run.run].lower())
    return kept


def text(run: Status, title: str, said: About) -> str:
    """Return all the words by which a run is found."""
    experiment = state.engine().experiment(run.run)
    return " ".join(
        [title, *said.tags, said.note, run.run, run.state, experiment.dataset, experiment.family, experiment.data.title]
    )


def has(search: str, text: str) -> bool:
    """Say whether each searched word is somewhere in the text."""
    return all(word in text.lower() for word in search.lower().split())


def undo() -> None:
    """Draw the way back for the run deleted last."""
    run = st.session_state.get("deleted")
    if run is None:
        return
    with st.container(key="undo", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"Deleted **{run}**; it can be brought back for a day.", width="content")
        st.button("Undo", key="bring-back", icon=":material/undo:", on_click=_bring_back, args=(run,))


def _bring_back(run: str) -> None:
    st.session_state["deleted"] = None
    try:
        state.engine().restore(run)
    except EngineError as error:
        says.fail(error)


def receiver() -> None:
    """Draw the way in for a run that somebody shared."""
    with st.popover("Bring a run", icon=":material/upload_file:", key="receive"):
        st.markdown("A file that **Share** wrote, here or on another server; it is checked before it is taken in.")
        file = st.file_uploader("Shared run", "zip", key="received", label_visibility="collapsed")
    if file is None or st.session_state.get("took-in") == file.file_id:
        return
    st.session_state["took-in"] = file.file_id
    try:
        taken = receive(file, state.engine().root)
    except StoreError as error:
        says.fail(error)
    else:
        st.toast(f"Run {taken.run_id} is here: open it below.", icon=":material/check:")


main()
