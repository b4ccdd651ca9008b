"""Between items: the ways from one to another, one coding at a time, what two classes differ in, and sums of codes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import explore, explored, gallery, plain
from pages.parts.look import MANY, Look
from playground.latent import paths
from playground.latent.coded import Coded, decoded, through

ABOUT = (
    "**Interpolation** walks through the codings: from one item to another, along a single coding, or along what makes "
    "a 3 differ from an 8. Where the walk leads through sensible pictures, the model has understood something."
)
WAYS = ["Between two", "One coding at a time", "Attributes", "Arithmetic"]
WIDE = 3.0  # standard deviations that a slider spans each way


def main() -> None:
    """Draw the page."""
    look = explored.page("Interpolation", ABOUT)
    items, known = look.items(MANY), look.items(MANY, "training")
    classes = look.experiment.data.classes if known.labels is not None else ()
    with st.container(key="choices", horizontal=True, vertical_alignment="center", gap="medium"):
        way = st.segmented_control(
            "Walk", WAYS if len(classes) > 1 else WAYS[:2], default=WAYS[0], required=True, key="way",
            label_visibility="collapsed",
        )  # fmt: skip
        names = {"Between two": ("A", "B"), "Arithmetic": ()}.get(way or WAYS[0], ("A",))
        ends = [gallery.choose(look, items, name, i) for i, name in enumerate(names)]
    if way == "Attributes":
        attributes(look, known, ends[0], classes)
    elif way == "Arithmetic":
        arithmetic(look, known, classes)
    elif way == "One coding at a time":
        one_by_one(look, known, ends[0])
    else:
        between(look, ends)


def between(look: Look, ends: list[np.ndarray]) -> None:
    """Draw the straight and the spherical way between two items."""
    mine = through(look.model, np.stack(ends))
    explore.filmstrip(look.source, mine.codes, items=mine.x, key="filmstrip")
    st.caption(
        "The straight way may cut through the middle; the spherical one goes round and keeps the length of the codes. "
        "With many codings, draws from a normal prior lie near a sphere, and the middle is where nothing was learned."
    )


def one_by_one(look: Look, known: Coded, base: np.ndarray) -> None:
    """Draw a slider for each coding around an item."""
    mine = through(look.model, base[None])
    mean, std = known.codes.mean(0), known.codes.std(0)
    low, high = np.minimum(mean - WIDE * std, mine.codes[0]), np.maximum(mean + WIDE * std, mine.codes[0])
    explore.sliders(look.source, mine.codes[0], low=low, high=high, item=base, key="sliders")
    st.caption("Each slider spans three standard deviations of its coding. One that changes nothing is a dead coding.")


def attributes(look: Look, known: Coded, base: np.ndarray, classes: tuple[str, ...]) -> None:
    """Draw one strength slider along what two classes differ in."""
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


def arithmetic(look: Look, known: Coded, classes: tuple[str, ...]) -> None:
    """Draw the sum of three classes' mean codes: A is to B as what comes out is to C."""
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


main()
