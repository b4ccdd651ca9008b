"""The parts of a collapse report: the verdict by name, shares beside the data and over time, scores, copies, twins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.parts import plain
from playground.data.base import DataSet
from playground.diagnostics.collapse import History, Report, Score
from playground.diagnostics.panel import Floor
from playground.figures import collapse, curves, palette
from playground.figures.chart import Style
from playground.figures.plane import plane

# As in `assets/verdict_looks.js`.
GOOD, CALM, BAD = ("green", "check_circle"), ("gray", "hourglass_top"), ("red", "dangerous")
TONES = {"healthy": GOOD, "warming": CALM, "full-collapse": BAD, "g-vanished": BAD, "diverged": BAD}
SHOWN = 8  # pairs of fakes


def verdict(told: Report) -> None:
    """Draw what is the matter, and what is covered and missing by name."""
    colour, icon = TONES.get(told.state, ("orange", "warning"))
    with st.container(key="report-verdict"):
        st.markdown(f":{colour}[:material/{icon}:] **{told.sentence}**")
        if told.classes:
            names = [
                f":red-badge[{c.name} missing]" if not c.covered else f":green-badge[{c.name}]" for c in told.classes
            ]
            st.markdown(" ".join(names))
        st.caption(f"{told.n:,} fakes, compared in {told.space}. {told.why}")


def classes(told: Report, over: History | None, step: int) -> None:
    """Draw the shares of classes or modes beside the data, and over the run."""
    if not told.classes:
        return
    left, right = st.columns([1, 1], gap="large")
    with left:
        st.markdown(
            "**Fakes and data, class by class**" if told.kind == "images" else "**Fakes and data, mode by mode**"
        )
        plain.chart(
            collapse.class_histogram(told.classes, Style(height=260)), "shares", "Shares of the fakes and of the data"
        )
    with right:
        st.markdown("**The same over the run**")
        if over is None or not len(over.steps):
            st.markdown(":gray[No measurements were made yet: scores are taken every so many steps while it trains.]")
            return
        figure = at(collapse.strip(over, Style(height=260)), step)
        figure.update_yaxes(title_text="class" if told.kind == "images" else "mode")
        plain.chart(figure, "strip", "Shares over time")
        st.caption("Purple too few, white the data's share, green too many. A chequered strip is a GAN that cycles.")


def scores(told: Report) -> None:
    """Draw every score with its definition, source, value at perfection and noise floor."""
    st.markdown("## Every score", anchors=False)
    head = "".join(f"<th>{name}</th>" for name in ("Score", "Here", "Perfect", "Noise floor", "What it is", "Source"))
    st.html(f'<div class="wide"><table class="report"><tr>{head}</tr>{"".join(map(row, told.scores))}</table></div>')


def row(score: Score) -> str:
    """Return a score as a row of the table."""
    inside = '<span class="inside" title="Cannot be told from a perfect sampler">within the floor</span>'
    floor = score.floor
    cells = [
        f"<td><b>{escape(score.title)}</b></td>",
        f'<td class="n" data-label="here"><b>{written(score.value, score)}</b></td>',
        f'<td class="n" data-label="perfect">{written(floor.perfect, score) if floor else "–"}</td>',
        f'<td class="n" data-label="noise floor">{band(floor, score)}{inside if score.within else ""}</td>',
        f"<td>{escape(score.definition)}</td>",
        f'<td class="source">{escape(score.source)}</td>',
    ]
    return f"<tr>{''.join(cells)}</tr>"


def written(value: float, score: Score) -> str:
    """Return a value as its score is written."""
    if not math.isfinite(value):
        return "–"
    if score.form == "share":
        return f"{100 * value:.1f} %"
    if score.form == "count":
        return f"{value:,.0f}"
    return f"{value:,.3g}".replace("-", "−") + (" nats" if score.form == "nats" else "")


def band(floor: Floor | None, score: Score) -> str:
    """Return a noise floor as its two ends."""
    return "–" if floor is None else f"{written(floor.low, score)} to {written(floor.high, score)}"


def suspects(told: Report) -> None:
    """Draw the fakes that lie closest to training images, each over its nearest."""
    if told.copies is None:
        return
    found = told.copies
    st.markdown("## Learned by heart?", anchors=False)
    pictures, reading = st.columns([20, 13], gap="large")
    with pictures:
        texts = [f"{closeness:.2f}" for closeness in found.fakes[list(found.suspects)]]
        st.markdown("Fakes closest to a training image, and under each that image")
        with st.container(key="pairs-copies"):
            plain.images(found.items, "images", texts)
            plain.images(found.nearest, "images")
    with reading:
        share = float(np.mean(found.fakes < found.limit))
        st.markdown(f"**{100 * share:.1f} %** of the fakes are nearer to a training image than 99 % of held-out ones.")
        plain.chart(collapse.closeness(found, Style(height=220)), "closeness", "How near fakes and held-out images lie")


def duplicates(told: Report, data: DataSet) -> None:
    """Draw the most alike fakes and what they say of how many different ones there are."""
    st.markdown("## How many different ones?", anchors=False)
    pictures, reading = st.columns([20, 13], gap="large")
    with pictures:
        pairs = told.birthday.closest[:SHOWN]
        if told.kind == "images" and pairs:
            st.markdown("The most alike pairs of fakes, one over the other")
            with st.container(key="pairs-alike"):
                for side in (0, 1):
                    plain.images(told.fakes[[pair[side] for pair in pairs]], "images")
        elif told.kind == "points":
            seen = data.preview(len(told.fakes))
            plain.chart(plane(seen, told.fakes, data.extent, Style(height=400)), "plane", "The fakes in the plane")
    with reading:
        st.markdown(told.birthday.sentence)
        plain.chart(collapse.duplicates(told.birthday, Style(height=220)), "birthday", "Chance of two alike in a batch")
        st.caption("The birthday paradox test: Arora et al. 2018, arXiv 1706.08224.")


def over_time(shown: Sequence[curves.Curve], told: curves.History, step: int) -> None:
    """Draw curves side by side with a rule at the moment that is looked at."""
    for column, curve in zip(st.columns(len(shown), gap="large"), shown, strict=True):
        with column:
            plain.chart(at(curve.draw(told, Style(height=240)), step), f"past-{curve.title}", curve.title)
            st.caption(curve.about)


def at(figure: go.Figure, step: int) -> go.Figure:
    """Return a figure over steps with a rule at the moment that is looked at."""
    return figure.add_vline(step, line={"color": palette.GENERATOR, "width": 1.5})
