"""The runs on disk: what each came to; to open, go on with, pin or delete; and who waits for a core."""

from __future__ import annotations

import io
from functools import partial

import streamlit as st

from pages.parts import labs, says, state
from pages.parts.title import preset_of
from playground.data import datasets
from playground.diagnostics.verdict import verdict
from playground.engine import EngineError, Status
from playground.presets import PRESETS
from playground.store import RunFolder, StoreError, receive, share

PAGE = 12  # runs shown at once
COLOURS = {"running": "green", "warming": "green", "queued": "orange", "failed": "red", "finished": "blue"}


def main() -> None:
    """Draw the page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown("# Runs", anchors=False, width="stretch")
        receiver()
    says.say()
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
    pages = -(-len(runs) // PAGE)
    page = st.pagination(pages, key="runs-page") if pages > 1 else 1
    for run in runs[(page - 1) * PAGE : page * PAGE]:
        row(run)


def row(run: Status) -> None:
    """Draw one run: where it stands, what it is and came to, what can be done with it."""
    experiment = state.engine().experiment(run.run)
    preset = preset_of(experiment)
    title = PRESETS[preset].title if preset else datasets()[experiment.dataset].title
    said = run.error if run.state == "failed" else sentence(run.run, run.step)
    with st.container(key=f"run-{run.run}", horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(run.state, color=COLOURS.get(run.state, "gray"), width=88)
        st.markdown(f"**{title}** :gray[:small[{run.run} · step {run.step:,}]]  \n:small[{said}]", width="stretch")
        if run.state in ("stopped", "paused"):
            st.button("Go on", key=f"go-{run.run}", icon=":material/play_arrow:", on_click=_go_on, args=(run.run,))
        if st.button("Open", key=f"open-{run.run}", icon=":material/open_in_full:"):
            st.switch_page(state.switch(run.run).page)
        st.toggle(
            "Pin",
            run.pinned,
            key=f"pin-{run.run}",
            help="A pinned run goes on when nobody watches.",
            on_change=_pin,
            args=(run.run,),
        )
        folder = state.engine().folder(run.run)
        if folder is not None:
            st.download_button(
                "",
                partial(whole, folder),
                f"{run.run}.zip",
                "application/zip",
                icon=":material/ios_share:",
                key=f"share-{run.run}",
                help="Share: one file that another server takes in",
                on_click="ignore",
            )
        with st.popover("", icon=":material/delete:", help="Delete", key=f"delete-{run.run}"):
            st.markdown(f"Delete **{run.run}** for good, with its curves and saved moments?")
            st.button("Delete", key=f"sure-{run.run}", type="primary", on_click=_delete, args=(run.run,))


def whole(folder: RunFolder) -> bytes:
    """Return a run as one file, made when it is asked for."""
    file = io.BytesIO()
    share(folder, file)
    return file.getvalue()


def receiver() -> None:
    """Draw the way in for a run that somebody shared."""
    with st.popover("Bring a run", icon=":material/upload_file:", key="receive"):
        st.markdown(
            "A file that **Share** wrote, here or on another server. It is checked before it is among the runs."
        )
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


@st.cache_data(max_entries=200, show_spinner=False)
def sentence(run: str, step: int) -> str:
    """Return the verdict on a run as it stood at `step`."""
    folder = state.engine().folder(run)
    if folder is None or not step:
        return "Not measured yet."
    return verdict(state.engine().experiment(run), folder.train(), folder.scores()).sentence


def _go_on(run: str) -> None:
    """Play a run, pinned: nobody watches it from here."""
    try:
        state.engine().pin(run, True)
        state.engine().send(run, "play")
    except EngineError as error:
        says.fail(error)


def _pin(run: str) -> None:
    state.engine().pin(run, st.session_state[f"pin-{run}"])


def _delete(run: str) -> None:
    try:
        state.engine().delete(run)
    except EngineError as error:
        says.fail(error)


main()
