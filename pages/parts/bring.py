"""Dialogs in which a person brings data: drawn points, a table, and archives that are not on this machine yet."""

from __future__ import annotations

import streamlit as st

from pages.parts import edits, live, state
from playground.config import ConfigError
from playground.data import archives, dataset, upload
from playground.data.custom import save_points
from playground.experiment import Experiment


def take(points: upload.Points) -> None:
    """Go on with a person's own points as the data."""
    use(state.shown().on(upload.ID).changed(source=save_points(points)))


def use(experiment: Experiment) -> None:
    """Go on with an experiment on what was brought; the dialog closes."""
    edits.choose(experiment)
    st.rerun()


@st.dialog("Draw your own data")
def draw() -> None:
    drawn = live.pad(key="pad")
    if drawn is not None:
        try:
            points = upload.from_drawing(drawn)
        except ConfigError as error:
            st.error(str(error))
        else:
            take(points)


@st.dialog("Upload a CSV")
def csv() -> None:
    st.caption("Two or more columns of numbers, a row a point; a header row is fine. Nothing leaves this machine.")
    file = st.file_uploader("CSV file", key="csv", label_visibility="collapsed")
    if file is None:
        return
    try:
        names = upload.numeric_columns(file.getvalue(), file.name)
        across, up = st.columns(2)
        first = across.selectbox("Across", names, key="csv-x")
        second = up.selectbox("Up", [name for name in names if name != first], key="csv-y")
        points = upload.read_points(file.getvalue(), file.name, (first, second))
    except ConfigError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.caption(f"{len(points.points):,} points from {file.name}, moved and scaled into view.")
    if st.button("Use these points", type="primary", key="use-csv"):
        take(points)


@st.dialog("Not on this machine yet")
def fetch() -> None:
    """Offer to download an archive, or say where to put it; with it there, go on with it."""
    name = st.session_state.fetching
    data = dataset(name)
    st.markdown(f"**{data.title}**: {data.about}")
    sentence = data().missing()
    if sentence is None:
        use(state.shown().on(name))
        return
    st.markdown(sentence)
    again, load = st.columns(2)
    again.button("Look again", icon=":material/refresh:", key="look-again", width="stretch", on_click=_stay)
    if load.button("Download", type="primary", icon=":material/download:", key="download", width="stretch"):
        _download(name)


def _download(name: str) -> None:
    """Download with progress; what broke off goes on from there the next time."""
    bar = st.progress(0.0, "Asking …")

    def told(file: str, done: int, total: int) -> None:
        bar.progress(min(1.0, done / total) if total else 0.0, f"{file}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")

    try:
        archives.fetch(name, told)
    except ConfigError as error:
        bar.empty()
        st.error(str(error), icon=":material/cloud_off:")
        return
    use(state.shown().on(name))


def _stay() -> None:
    """Open the dialog again: it looks anew when it is drawn."""
    st.session_state.bring = "fetch"
