"""The runs on disk as a table: what each made and came to; to find, sort, open, name, compare, share and delete."""

from __future__ import annotations

import streamlit as st

from pages.parts import labs, run_follow, run_picks, run_row, run_search, run_thumbs, run_tree, says, state
from playground.engine import EngineError
from playground.presets import preset_of
from playground.store import StoreError, receive
from playground.store.index import Row
from playground.store.listing import Entry, entries

PAGE = 12  # entries shown at once
FEW = 4  # runs of a group that are shown without being asked for


def main() -> None:
    """Draw the page."""
    with st.container(key="title-row", horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown("# Runs", anchors=False, width="stretch")
        receiver()
    says.say()
    undo()
    rows = state.engine().rows(preset_of)
    if not rows:
        empty()
        return
    queue(rows)
    titles = {row.run: run_row.title(row) for row in rows}
    wanted, order, view = run_search.choices(rows)
    found = order.sorted((row for row in rows if wanted.has(row, titles[row.run])), titles)
    if view == "tree":
        run_tree.draw(found, titles)
        return
    listed = entries(found)
    pages = -(-len(listed) // PAGE)
    with st.container(key="runs-bar", horizontal=True, vertical_alignment="center"):
        run_picks.bar(rows, found)
        page = st.pagination(pages, key="runs-page") if pages > 1 else 1
    if not found:
        st.markdown(":gray[No run fits all of this: take a word or a filter away.]")
        return
    tags = sorted({tag for row in rows for tag in row.about.tags})
    run_row.head(order)
    shown = listed[(page - 1) * PAGE : page * PAGE]
    table = run_follow.Table({row.run: row for row in rows}, order)
    for entry in shown:
        draw(entry, table, tags)
    run_follow.follow(table)
    run_thumbs.await_missing()


def draw(entry: Entry, table: run_follow.Table, tags: list[str]) -> None:
    """Draw a run, or a group with its runs below it."""
    opened = True
    if entry.group is not None:
        opened = run_row.group(entry, open_=len(entry.rows) <= FEW)
    for row in entry.rows if opened else ():
        table.places[row.run] = run_row.row(row, tags), entry.group is not None


def empty() -> None:
    """Say what the page is for, and where to begin."""
    with st.container(key="empty"):
        st.markdown(
            "**Every run that you start is kept here**: its settings, its curves, and moments to go back to. From here "
            "you compare runs, fork them, share them, and bring in those of others."
        )
        for place in reversed(labs.PLACES.values()):
            st.page_link(place.page, label=f"Start one in the {place.title}", icon=":material/play_arrow:")


def queue(rows: list[Row]) -> None:
    """Say who waits for a core."""
    places = {row.run: state.engine().status(row.run).queue or 0 for row in rows if row.state == "queued"}
    if places:
        order = sorted(places, key=places.__getitem__)
        st.info(f"Waiting for a free core: {', '.join(order)}.", icon=":material/hourglass_top:")


def undo() -> None:
    """Draw the way back for the runs deleted last."""
    gone: list[str] = st.session_state.get("deleted", [])
    if not gone:
        return
    named = f"**{gone[0]}**" if len(gone) == 1 else f"**{len(gone)} runs**"
    with st.container(key="undo", horizontal=True, vertical_alignment="center", gap="small"):
        what = "it" if len(gone) == 1 else "they"
        st.markdown(f"Deleted {named}; {what} can be brought back for a day.", width="content")
        st.button("Undo", key="bring-back", icon=":material/undo:", on_click=_bring_back, args=(gone,))


def _bring_back(gone: list[str]) -> None:
    st.session_state["deleted"] = []
    for run in gone:
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
