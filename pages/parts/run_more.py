"""What a person says of a run, and what else can be done with it: pin, share, save as code, delete."""

from __future__ import annotations

import io
from functools import partial

import streamlit as st

from pages.parts import code, run_picks, state
from playground.store import About, RunFolder, share
from playground.store.index import Row


def more(run: Row, tags: list[str]) -> None:
    """Draw what else can be done with a run, behind a button."""
    said = run.about
    with st.popover("", icon=":material/more_horiz:", help="Name, note, share, code, delete", key=f"more-{run.run}"):
        with st.form(f"about-{run.run}", border=False):
            name = st.text_input("Name", said.name, max_chars=80, key=f"name-{run.run}")
            chosen = st.multiselect(
                "Tags", sorted({*tags, *said.tags}), said.tags, key=f"tags-{run.run}", accept_new_options=True,
                placeholder="Choose or write some",
            )  # fmt: skip
            note = st.text_area("Note", said.note, max_chars=2000, key=f"note-{run.run}", height=88)
            if st.form_submit_button("Keep", key=f"keep-{run.run}", type="primary"):
                run_picks.say(run.run, About(name=name, tags=tuple(chosen), note=note, star=said.star))
                st.rerun()
        pinned = state.engine().status(run.run).pinned
        st.toggle(
            "Pin", pinned, key=f"pin-{run.run}", help="A pinned run goes on when nobody watches.", on_change=_pin,
            args=(run.run,),
        )  # fmt: skip
        folder = state.engine().folder(run.run)
        if folder is not None:
            st.download_button(
                "Share", partial(whole, folder), f"{run.run}.zip", "application/zip", icon=":material/ios_share:",
                key=f"share-{run.run}", help="One file that another server takes in", on_click="ignore",
            )  # fmt: skip
            code.save(folder)
        st.button(
            "Delete", key=f"delete-{run.run}", icon=":material/delete:", on_click=run_picks.delete, args=([run.run],)
        )


def whole(folder: RunFolder) -> bytes:
    """Return a run as one file, made when it is asked for."""
    file = io.BytesIO()
    share(folder, file)
    return file.getvalue()


def _pin(run: str) -> None:
    state.engine().pin(run, st.session_state[f"pin-{run}"])
