"""Reconstructions of one moment: worst first, by class, with residuals and PCA's beside; and a picture of one's own."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from pages.parts import explored, own, plain, still
from pages.parts.look import MANY, Look
from playground.figures import coding
from playground.figures.chart import Style
from playground.latent.coded import Coded

ABOUT = (
    "**Reconstructions** lays items beside what a model makes of them: the worst first, class by class, with what is "
    "missing and what PCA of the same size would give. Draw a digit of your own and see whether it survives."
)
COLUMNS, ROWS = 10, 3  # of items on the page at once
POINTS = 1000  # of a cloud
ORDERS = {"Worst first": -1, "Best first": 1, "As they come": 0}


def main() -> None:
    """Draw the page."""
    look = explored.page("Reconstructions", ABOUT)
    order, part, wanted = choices(look)
    items = look.items(MANY, part)
    ids = sorted_ids(items, order, wanted)
    wall, reading = st.columns([20, 13], gap="large")
    with wall:
        if look.experiment.data.kind == "cloud":
            some = ids[:POINTS]
            figure = coding.cloud(items.x[some], items.recon[some], items.errors[some], Style(height=560))
            plain.chart(figure, "cloud", "Points in space and their reconstructions")
        else:
            walls(look, items, ids)
    with reading:
        marks = {"mean": float(items.errors.mean()), "PCA": float(((by_pca(look, items) - items.x) ** 2).mean())}
        st.markdown(f"**Errors of {len(items):,} {part} items**")
        plain.chart(coding.error_histogram(items.errors, marks, Style(height=200)), "errors", "Histogram of errors")
        if items.labels is not None:
            st.markdown("**Which classes are hard**")
            classes = look.experiment.data.classes
            figure = coding.class_errors(items.errors, items.labels, classes, Style(height=40 + 20 * len(classes)))
            plain.chart(figure, "class-errors", "Mean error by class")
    own.panel(look)


def by_pca(look: Look, items: Coded) -> np.ndarray:
    """Return what PCA of the same size makes of the items."""
    pca = look.pca()
    return pca.decode(pca.encode(torch.from_numpy(items.x))).numpy()


def choices(look: Look) -> tuple[int, str, int | None]:
    """Draw what to show; return the order (-1 worst first), which items and which class (None: all)."""
    classes = look.experiment.data.classes
    with st.container(key="choices", horizontal=True, vertical_alignment="center", gap="medium"):
        order = st.segmented_control(
            "Order", list(ORDERS), default="Worst first", required=True, key="order", label_visibility="collapsed"
        )
        part = st.segmented_control(
            "Items", ["held-out", "training"], default="held-out", required=True, key="part",
            format_func=lambda name: f"{name.capitalize()} items", label_visibility="collapsed",
        )  # fmt: skip
        wanted = None
        if classes:
            wanted = st.selectbox(
                "Class", range(len(classes)), None, format_func=lambda i: classes[i], placeholder="All classes",
                key="class", label_visibility="collapsed", width=200,
            )  # fmt: skip
    return ORDERS[order or "Worst first"], part or "held-out", wanted


def sorted_ids(items: Coded, order: int, wanted: int | None) -> np.ndarray:
    """Return which items to show, in order."""
    ids = np.arange(len(items)) if wanted is None or items.labels is None else np.flatnonzero(items.labels == wanted)
    return ids[np.argsort(order * items.errors[ids], kind="stable")] if order else ids


def walls(look: Look, items: Coded, ids: np.ndarray) -> None:
    """Draw rows of items with what became of them, a page at a time."""
    pages = max(1, -(-len(ids) // (COLUMNS * ROWS)))
    page = st.pagination(pages, key=f"page-{len(ids)}") if pages > 1 else 1
    pca = by_pca(look, items)
    for row in range(ROWS):
        some = ids[((page - 1) * ROWS + row) * COLUMNS :][:COLUMNS]
        if len(some):
            still.columns(
                look.source, items.x[some], items.recon[some], pca=pca[some],
                labels=None if items.labels is None else items.labels[some], errors=items.errors[some],
                ids=some.tolist(), key=f"wall-{row}",
            )  # fmt: skip


main()
