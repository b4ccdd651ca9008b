"""The latent space of one moment: a map of codings to point at, click and select from; how far it can be trusted."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import explore, explored, maps, own, plain
from pages.parts.look import MANY, Look
from playground.families import family
from playground.figures import coding
from playground.figures.chart import Style
from playground.latent.coded import Coded, decoded
from playground.latent.neighbours import nearest

ABOUT = (
    "**The latent space** is where a model keeps what it knows: each item is a point, and like items lie together. "
    "Point at one to see it, click anywhere to decode that place, draw around a group to see what it is."
)
SIZES = [250, 500, 1000, 2000, 5000]
SHOWN = 40  # pictures of a selection


def main() -> None:
    """Draw the page."""
    look = explored.page("Latent space", ABOUT)
    asked = choices(look)
    items = look.items(asked.n, asked.part)
    chart, reading = st.columns([20, 13], gap="large")
    with chart:
        drawn, job = maps.wanted(look, asked)
        did = maps.draw(look, asked, drawn)
    if did is not None:
        st.session_state.pointed = (look, asked.part, asked.n, did)
    with reading:
        with st.container(key="map-progress"):
            if job is not None:
                maps.waiting(look, asked)
        of, part, n, what = st.session_state.get("pointed", (None, "", 0, {}))
        pointed(look, items, what if (of, part, n) == (look, asked.part, asked.n) else {})
        trust(maps.judged(look, asked, "linear" if job else asked.method, items, drawn))
        aggregate(look, items)


def aggregate(look: Look, items: Coded) -> None:
    """Draw all codes together, beside the prior where there is one."""
    prior = "generate" in family(look.experiment.family).abilities
    st.markdown("**All codes together**" + (" **and the prior**" if prior else ""))
    figure = coding.posterior(items.codes, items.spread, prior, Style(height=200))
    plain.chart(figure, "posterior", "Mean and width of each coding")
    told = "Each coding's mean and width over all items"
    told += (
        " (the aggregate posterior). Grey is N(0, 1), from which samples are drawn: where they differ, those come from "
        "places that no item has."
        if prior
        else ". Nothing asks them to be alike: random codes would decode to nothing in particular."
    )
    st.caption(told)


def choices(look: Look) -> maps.Asked:
    """Draw what to lay out and how."""
    codings = look.items(1).codes.shape[1]
    methods = [name for name in maps.METHODS if (name == "raw") <= (codings <= 2) and (name == "pca") <= (codings > 2)]
    with st.container(key="choices", horizontal=True, vertical_alignment="center", gap="medium"):
        method = st.segmented_control(
            "Map", methods, default=methods[0], required=True, format_func=lambda name: maps.METHODS[name],
            key=f"method-{methods[0]}", label_visibility="collapsed",
        )  # fmt: skip
        part = st.segmented_control(
            "Items", ["held-out", "training"], default="held-out", required=True, key="map-part",
            format_func=lambda name: f"{name.capitalize()} items", label_visibility="collapsed",
        )  # fmt: skip
        n = st.selectbox(
            "How many",
            SIZES,
            2,
            format_func=lambda n: f"{n:,} points",
            key="map-n",
            label_visibility="collapsed",
            width=144,
        )
        grid = st.toggle(
            "Decoder grid", key="map-grid", help="What the decoder makes of each place; not of UMAP, t-SNE."
        )
        generates = "generate" in family(look.experiment.family).abilities
        prior = generates and st.toggle(
            "Prior", True, key="map-prior", help="N(0, 1), from which samples are drawn: 1, 2, 3 standard deviations."
        )
    return maps.Asked(part or "held-out", int(n), method or methods[0], grid, prior)


def pointed(look: Look, items: Coded, did: explore.Action) -> None:
    """Draw what was clicked or selected, with what is near it."""
    kind, known = look.experiment.data.kind, look.items(MANY, "training")
    if did.get("do") == "point":
        code = np.asarray([did["code"]], np.float32)
        which, _ = nearest(code, known.codes, own.ALIKE)
        st.markdown("**This place, decoded**")
        plain.images(decoded(look.model, code), kind, [", ".join(f"{value:.2f}" for value in code[0][:4])])
        st.markdown("**Training items with the nearest codings**")
        plain.images(known.x[which[0]], kind, own.names(look, known, which[0]))
    elif did.get("do") == "select" and did["ids"]:
        ids = np.asarray(did["ids"])
        st.markdown(f"**{len(ids):,} items selected**" + (f", {SHOWN} shown" if len(ids) > SHOWN else ""))
        if items.labels is not None:
            figure = coding.class_counts(items.labels[ids], look.experiment.data.classes, Style(height=140))
            plain.chart(figure, "selected", "Classes of the selection")
        plain.images(items.x[ids[:SHOWN]], kind)
    else:
        st.markdown(
            ":gray[Point at a dot to see its item. Click a place to decode it. Drag around a group to select it.]"
        )


def trust(told: dict[str, float]) -> None:
    """Draw how far the map can be trusted, each figure with what it would be at best and by chance."""
    rows = [("Trustworthiness of the map", f"*{told['trust']:.3f}", "perfect 1, a random map about 0.5")]
    if "codes" in told:
        versus = f"on the data itself {told['data']:.1%}, chance {told['chance']:.1%}"
        rows.append(("5 nearest codings name the class", f"*{told['codes']:.1%}", versus))
        rows.append(
            ("5 nearest on the map name it", f"*{told['map']:.1%}", "less than the codings: the map hides some")
        )
    plain.table(rows)


main()
