"""A picture of one's own, drawn or brought as a file: what the model makes of it, and what it has seen like it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import explore, plain
from pages.parts.look import MANY, Look
from playground.data.pictures import Form, Unusable, decode
from playground.latent.coded import Coded, through
from playground.latent.neighbours import nearest

ALIKE = 8  # training items shown beside it


def panel(look: Look) -> None:
    """Draw the pad and the way to bring a file, and what became of the last picture."""
    shape = look.experiment.data.shape
    if look.experiment.data.kind != "images" or shape[1] != shape[2]:
        return
    st.markdown("## Your own", anchors=False)
    pad, reading = st.columns([13, 20], gap="large")
    with pad:
        drawn = explore.draw(source=look.source, key="own-pad")
        if drawn is not None:
            st.session_state.own = np.broadcast_to(np.asarray(drawn, np.float32) / 255, shape).copy()
        bring(shape)
    with reading:
        mine = st.session_state.get("own")
        if mine is None or mine.shape != shape:
            st.markdown(
                ":gray[Draw with the mouse or a finger, or bring a picture: the model encodes and decodes while you "
                "draw. “Use this picture” lays it beside the training items that are most alike.]"
            )
        else:
            alike(look, through(look.model, mine[None]))


def bring(shape: tuple[int, ...], into: str = "own") -> None:
    """Take a picture from a file instead, `into` the session; light on dark or dark on light, as the file has it."""
    file = st.file_uploader("Or a picture", type=["png", "jpg", "jpeg"], key=f"{into}-file")
    if file is None or st.session_state.get(f"{into}-file-id") == (file.file_id, shape):
        return
    try:
        pixels = decode(file.getvalue(), Form(shape[1], shape[0] == 1))
    except Unusable as error:
        st.error(f"{file.name} {error}.", icon=":material/error:")
    else:
        st.session_state[into] = pixels.astype(np.float32) / 255
        st.session_state[f"{into}-file-id"] = (file.file_id, shape)
        st.rerun()  # what shows it may stand before this


def alike(look: Look, mine: Coded) -> None:
    """Draw one item with its reconstruction and error, and the training items with the nearest codings."""
    known = look.items(MANY, "training")
    which, _ = nearest(mine.codes, known.codes, ALIKE)
    typical = float(np.median(known.errors))
    st.markdown(
        f"Squared error a number **{mine.errors[0]:.3g}**, {mine.errors[0] / max(typical, 1e-12):.1f} times that of a "
        "typical training item. A model can only draw what it has seen the like of."
    )
    plain.images(np.concatenate([mine.x, mine.recon]), look.experiment.data.kind, ["yours", "as the model sees it"])
    st.markdown("Training items with the nearest codings")
    plain.images(known.x[which[0]], look.experiment.data.kind, names(look, known, which[0]))


def names(look: Look, items: Coded, which: np.ndarray) -> list[str]:
    """Return the classes of some items as words."""
    classes = look.experiment.data.classes
    if items.labels is None or not classes:
        return []
    return [classes[label] if label >= 0 else "" for label in items.labels[which]]
