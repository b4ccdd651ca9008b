"""A picture of one's own, drawn or brought as a file: what the model makes of it, and what it has seen like it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import explore, explored, plain
from playground.latent.coded import Coded, through
from playground.latent.neighbours import nearest

ALIKE = 8  # training items shown beside it


def panel(look: explored.Look) -> None:
    """Draw the pad and the way to bring a file, and what became of the last picture."""
    shape = look.experiment.data.shape
    if look.experiment.data.kind != "images" or shape[1] != shape[2]:
        return
    st.markdown("## Your own", anchors=False)
    pad, reading = st.columns([13, 20], gap="large")
    with pad:
        drawn = explore.draw(source=look.source, key="own-pad")
        if drawn is not None:
            st.session_state.own = np.asarray(drawn, np.float32) / 255
    with reading:
        mine = st.session_state.get("own")
        if mine is None or mine.shape != shape[1:]:
            st.markdown(
                ":gray[Draw with the mouse or a finger: the model encodes and decodes while you draw. “Use this "
                "picture” lays it beside the training items that are most alike.]"
            )
        else:
            alike(look, through(look.model, np.broadcast_to(mine, (1, *shape)).copy()))


def alike(look: explored.Look, mine: Coded) -> None:
    """Draw one item with its reconstruction and error, and the training items with the nearest codings."""
    known = look.items(explored.MANY, "training")
    which, _ = nearest(mine.codes, known.codes, ALIKE)
    typical = float(np.median(known.errors))
    st.markdown(
        f"Squared error a number **{mine.errors[0]:.3g}**, {mine.errors[0] / max(typical, 1e-12):.1f} times that of a "
        "typical training item. A model can only draw what it has seen the like of."
    )
    plain.images(np.concatenate([mine.x, mine.recon]), look.experiment.data.kind, ["yours", "as the model sees it"])
    st.markdown("Training items with the nearest codings")
    plain.images(known.x[which[0]], look.experiment.data.kind, names(look, known, which[0]))


def names(look: explored.Look, items: Coded, which: np.ndarray) -> list[str]:
    """Return the classes of some items as words."""
    classes = look.experiment.data.classes
    if items.labels is None or not classes:
        return []
    return [classes[label] if label >= 0 else "" for label in items.labels[which]]
