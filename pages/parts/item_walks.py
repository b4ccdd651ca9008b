"""Ways between items that a model codes: from one to another, one coding at a time, attributes, sums of codes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import explore, gallery, plain
from pages.parts.look import MANY, Look
from playground.latent import paths
from playground.latent.coded import decoded, through

WIDE = 3.0  # standard deviations that a slider spans each way


def between(look: Look) -> None:
    """Draw the straight and the spherical way between two items."""
    with picks():
        ends = [gallery.choose(look, look.items(MANY).x, name, i) for i, name in enumerate("AB")]
    mine = through(look.model, np.stack(ends))
    explore.filmstrip(look.source, mine.codes, items=mine.x, key="filmstrip")
    st.caption(
        "The straight way may cut through the middle; the spherical one goes round and keeps the length of the codes. "
        "With many codings, draws from a normal prior lie near a sphere, and the middle is where nothing was learned."
    )


def one_by_one(look: Look) -> None:
    """Draw a slider for each coding around an item."""
    known, base = look.items(MANY, "training"), one(look)
    mine = through(look.model, base[None])
    mean, std = known.codes.mean(0), known.codes.std(0)
    low, high = np.minimum(mean - WIDE * std, mine.codes[0]), np.maximum(mean + WIDE * std, mine.codes[0])
    explore.sliders(look.source, mine.codes[0], low=low, high=high, item=base, key="sliders")
    st.caption("Each slider spans three standard deviations of its coding. One that changes nothing is a dead coding.")


def attributes(look: Look) -> None:
    """Draw one strength slider along what two classes differ in."""
    known, base, classes = look.items(MANY, "training"), one(look), look.experiment.data.classes
    assert known.labels is not None
    left, right, _ = st.columns([1, 1, 2])
    more, less = pair(left, right, classes)
    direction = paths.attribute(known.codes, known.labels, more, less)
    mine = through(look.model, base[None])
    name = f"{classes[more]} minus {classes[less]}"
    explore.attribute(look.source, mine.codes[0], direction, name=name, item=base, key="attribute")
    st.caption(f"Added to A: the mean coding of {classes[more]} less that of {classes[less]}, times the strength.")


def pair(
    left: st.delta_generator.DeltaGenerator, right: st.delta_generator.DeltaGenerator, classes: tuple[str, ...]
) -> tuple[int, int]:
    """Draw the choice of two classes."""
    more = left.selectbox("More of", range(len(classes)), 0, format_func=lambda i: classes[i], key="more")
    less = right.selectbox("Less of", range(len(classes)), 1, format_func=lambda i: classes[i], key="less")
    return more, less


def arithmetic(look: Look) -> None:
    """Draw the sum of three classes' mean codes: A is to B as what comes out is to C."""
    known, classes = look.items(MANY, "training"), look.experiment.data.classes
    assert known.labels is not None
    columns = st.columns([1, 1, 1, 1])
    words = ("Take", "without", "and add")
    picks = [
        column.selectbox(
            word, range(len(classes)), i % len(classes), format_func=lambda i: classes[i], key=f"sum-{word}"
        )
        for i, (column, word) in enumerate(zip(columns, words, strict=False))
    ]
    means = [known.codes[known.labels == i].mean(0) for i in picks]
    total = paths.arithmetic(*means)
    made = decoded(look.model, np.stack([*means, total]))
    texts = [classes[picks[0]], f"− {classes[picks[1]]}", f"+ {classes[picks[2]]}", "="]
    with st.container(key="sum"):
        plain.images(made, look.experiment.data.kind, texts)
    st.caption("Each picture is the decoded mean of a class's codings; the last one is their sum, decoded.")


def one(look: Look) -> np.ndarray:
    """Draw the choice of one item."""
    with picks():
        return gallery.choose(look, look.items(MANY).x, "A", 0)


def picks() -> st.delta_generator.DeltaGenerator:
    """Return the row in which items are chosen."""
    return st.container(key="picks", horizontal=True, vertical_alignment="center", gap="medium")
