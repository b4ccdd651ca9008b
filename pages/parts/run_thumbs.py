"""What each run made last, as a small picture in the table; those not made yet are made beside the page."""

from __future__ import annotations

import base64
from concurrent.futures import Future
from functools import partial

import streamlit as st

from pages.parts import background, state, thumbnails
from playground import thumbs
from playground.store.index import Row


def picture(row: Row) -> str:
    """Return a run's picture as a data URI; that of its data until there is one."""
    folder = state.engine().folder(row.run)
    there = thumbs.kept(folder) if folder else None
    if there is not None:
        return "data:image/png;base64," + base64.b64encode(there).decode()
    if folder is not None and row.state not in ("running", "warming", "queued"):
        work = background.begin(("thumb", row.run, row.step), partial(thumbs.made, folder))
        if not work.done():
            _missing().append(work)
    return thumbnails.thumbnail(row.dataset)


def _missing() -> list[Future[bytes | None]]:
    return st.session_state.setdefault("thumbs-missing", [])


def await_missing() -> None:
    """Draw the page anew once the pictures under way are there."""
    if _missing():
        _wait()


@st.fragment(run_every=1.0)
def _wait() -> None:
    under_way = _missing()
    if under_way and all(work.done() for work in under_way):
        under_way.clear()
        st.rerun()
