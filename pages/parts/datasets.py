"""Choosing the data: a wall of thumbnails, a pad to draw on, a CSV file to bring."""

from __future__ import annotations

import base64
import io
from functools import cache

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from pages.parts import edits, labs, live, state, widgets
from playground.config import ConfigError
from playground.data import dataset, datasets, upload
from playground.data.base import Distribution, Kind
from playground.data.custom import save_points
from playground.rng import fresh

SIDE = 44  # pixels of a thumbnail
GREEN = (27, 158, 119)  # the colour of real points


def picker() -> None:
    """Draw the present data set's name; opened, a wall of all of them and the ways to bring one's own."""
    with st.popover(
        f"**{dataset(state.shown().dataset).title}**", key="data", on_change="rerun", width="stretch"
    ) as wall:
        if wall.open:
            _wall()
    way = st.session_state.pop("bring", None)
    if way:
        {"draw": _draw, "upload": _upload}[way]()


def _wall() -> None:
    kinds = [name for name in labs.data_of(state.shown()) if name != upload.ID]
    now = state.shown().dataset if state.shown().dataset in kinds else None
    key = widgets.fresh_key("dataset", now)
    st.pills(
        "Data set",
        kinds,
        default=now,
        key=key,
        format_func=lambda name: f"![]({thumbnail(name)}) {datasets()[name].title}",
        label_visibility="collapsed",
        on_change=_choose,
        args=(key,),
    )
    with st.container(horizontal=True):
        st.button("Draw your own", icon=":material/draw:", key="draw", on_click=_bring, args=("draw",))
        st.button("Upload a CSV", icon=":material/upload_file:", key="upload", on_click=_bring, args=("upload",))


def _bring(way: str) -> None:
    """Close the wall, and open the dialog in which points of one's own are made."""
    st.session_state.data, st.session_state.bring = False, way


def thumbnail(name: str) -> str:
    """Return a small picture of a data set at its default settings, as a data URI; its initial where it is missing."""
    return _thumbnail(name, datasets()[name]().missing() is None)


@cache
def _thumbnail(name: str, there: bool) -> str:
    data = datasets()[name]()
    if not there:
        return _uri(_initial(data.title))
    if not isinstance(data, Distribution):
        return _uri(_pixels(data.preview(9 if data.kind == "images" else 1500).numpy(), data.kind))
    if data.players() is None:
        points = data.sample(1500, fresh(0, "thumbnail")).numpy() / data.extent
    else:  # a game has no cloud of points: what one sees is a path that goes round
        turn = np.linspace(0, 6 * np.pi, 1500)
        points = np.stack([np.cos(turn), np.sin(turn)], 1) * np.linspace(0.9, 0.1, 1500)[:, None]
    return _uri(_dots(points))


def _dots(points: np.ndarray) -> Image.Image:
    """Draw points of [-1, 1]^2."""
    where = np.clip(((points + 1) / 2 * SIDE).astype(int), 0, SIDE - 1)
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    alpha[SIDE - 1 - where[:, 1], where[:, 0]] = 255
    return Image.fromarray(np.dstack([np.full((SIDE, SIDE), c, np.uint8) for c in GREEN] + [alpha]), "RGBA")


def _initial(title: str) -> Image.Image:
    """Draw the first letter, half transparent."""
    picture = Image.new("RGBA", (SIDE, SIDE))
    font = ImageFont.load_default(SIDE / 2)
    ImageDraw.Draw(picture).text((SIDE / 2, SIDE / 2), title[0], (*GREEN, 128), font, anchor="mm")
    return picture


def _pixels(x: np.ndarray, kind: Kind) -> Image.Image:
    """Draw nine images (9, C, H, W) in three rows, the first channel of a sequence (T, C) as a line, or a cloud."""
    if kind == "images":
        rows = [np.concatenate(list(x[i : i + 3]), axis=2) for i in (0, 3, 6)]
        wall = np.uint8(255 * np.concatenate(rows, axis=1)).transpose(1, 2, 0)
        return Image.fromarray(wall.squeeze(2) if wall.shape[2] == 1 else wall).resize((SIDE, SIDE))
    if kind == "sequences":
        line = x[0, :, 0]
        return _dots(np.stack([np.linspace(-0.9, 0.9, len(line)), 0.9 * line / np.abs(line).max()], 1))
    return _dots(x[:, [0, 2]] / 2)


def _uri(picture: Image.Image) -> str:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def _choose(key: str) -> None:
    if name := widgets.told(key):
        edits.choose(state.shown().on(name))
        st.session_state.data = False


def _take(points: upload.Points) -> None:
    """Go on with a person's own points as the data."""
    edits.choose(state.shown().on(upload.ID).changed(source=save_points(points)))
    st.rerun()


@st.dialog("Draw your own data")
def _draw() -> None:
    drawn = live.pad(key="pad")
    if drawn is not None:
        try:
            points = upload.from_drawing(drawn)
        except ConfigError as error:
            st.error(str(error))
        else:
            _take(points)


@st.dialog("Upload a CSV")
def _upload() -> None:
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
        _take(points)
