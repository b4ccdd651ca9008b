"""Choosing the data: a wall of thumbnails of what the family takes, and the ways to bring one's own."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts import bring, bring_images, edits, labs, state, widgets
from pages.parts.thumbnails import thumbnail
from playground.data import dataset, datasets, upload
from playground.data.own_images import OwnImages

# By data set that is made of what a person brings: its ways, each a dialog, with words and icon of their buttons.
OWN = {
    upload.ID: [
        ("draw", "Draw your own", ":material/draw:"),
        ("upload", "Upload a CSV", ":material/upload_file:"),
    ],
    OwnImages.id: [("images", "Your own images", ":material/add_photo_alternate:")],
}
DIALOGS = {"draw": bring.draw, "upload": bring.csv, "fetch": bring.fetch, "images": bring_images.images}


def picker() -> None:
    """Draw the present data set's name; opened, a wall of all of them and the ways to bring one's own."""
    with st.popover(
        f"**{dataset(state.shown().dataset).title}**", key="data", on_change="rerun", width="stretch"
    ) as wall:
        if wall.open:
            _wall()
    way = st.session_state.pop("bring", None)
    if way:
        DIALOGS[way]()


def _wall() -> None:
    takes = labs.data_of(state.shown())
    kinds = [name for name in takes if name not in OWN]
    now = state.shown().dataset if state.shown().dataset in kinds else None
    key = widgets.fresh_key("dataset", now)
    st.pills(
        "Data set",
        kinds,
        default=now,
        key=key,
        format_func=_label,
        label_visibility="collapsed",
        on_change=_choose,
        args=(key,),
    )
    with st.container(horizontal=True):
        for way, label, icon in [choice for name in takes for choice in OWN.get(name, ())]:
            st.button(label, icon=icon, key=way, on_click=_bring, args=(way,))


def _label(name: str) -> str:
    """Return a data set's picture and title; one that has to be fetched first is marked."""
    away = " ↓" if datasets()[name]().missing() else ""
    return f"![]({thumbnail(name)}) {datasets()[name].title}{away}"


def _bring(way: str, **what: Any) -> None:
    """Close the wall, and open the dialog in which data is made or fetched."""
    st.session_state.update({"data": False, "bring": way}, **what)


def _choose(key: str) -> None:
    if not (name := widgets.told(key)):
        return
    if datasets()[name]().missing():
        _bring("fetch", fetching=name)
    else:
        edits.choose(state.shown().on(name))
        st.session_state.data = False
