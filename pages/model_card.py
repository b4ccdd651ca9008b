"""The model card: what a trained model is made of, what it was trained on, and what it came to beside PCA."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from pages.parts import code, explored, plain
from pages.parts.look import Look
from playground.config import knobs
from playground.families import family
from playground.families.base import Piece
from playground.figures.diagram import diagram, size

ABOUT = (
    "**The model card** says what a trained model is made of: the way through its layers with every shape, how many "
    "weights it has, how much smaller its codings are than an item, and what it came to beside PCA."
)
# By score: what it is, and the score that it is held against.
SCORES = {
    "held/mse": ("Squared error a number, held-out items", "pca/mse", "PCA with as many codings"),
    "train/mse": ("Squared error a number, training items", "", ""),
    "denoise/mse": ("Squared error a number, cleaned held-out items", "denoise/pca", "PCA with as many codings"),
    "held/recon": ("Reconstruction loss an item, held-out items", "train/recon", "training items"),
    "held/elbo": ("ELBO of held-out items, nats", "held/iw", "importance-weighted bound"),
    "held/kl": ("KL of codes to the prior, nats", "", ""),
    "knn/accuracy": ("Five nearest codings name the class", "", ""),
    "code/active": ("Codings in use", "", ""),
    "blur/sharpness": ("Sharpness of reconstructions (input: 1)", "", ""),
}


def main() -> None:
    """Draw the page."""
    look = explored.page("Model card", ABOUT)
    model, experiment, scores = look.model, look.experiment, look.scores()
    pieces = model.layout()
    st.markdown(f"**{family(experiment.family).title}** on {experiment.data.title}. {experiment.data.about}")
    with st.container(key="facts", horizontal=True, gap="large"):
        for name, value, note in facts(look, pieces, scores):
            st.metric(name, value, help=note, width="content")
    st.html(diagram(pieces))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("## Figures", anchors=False)
        figures(scores)
        st.markdown("## Networks", anchors=False)
        plain.table([(f"*{name}", text) for name, text in model.describe().items()])
        st.caption(family(experiment.family).paper)
        st.markdown("## Script", anchors=False)
        st.markdown("The run from its first weights on, in plain PyTorch.")
        code.offer(look.run, where="card")
    code.dialog()
    with right:
        st.markdown("## Settings", anchors=False)
        settings(look)


def facts(look: Look, pieces: Sequence[Piece], scores: dict[str, float]) -> list[tuple[str, str, str]]:
    """Return the card's headline numbers: name, value, what it means."""
    shape = look.experiment.data.shape
    numbers, weights = math.prod(shape), sum(piece.parameters for piece in pieces)
    code = next((math.prod(piece.shape) for piece in pieces if piece.part == "code"), numbers)
    ratio = f"{numbers / code:.3g} : 1" if code <= numbers else f"1 : {code / numbers:.3g}"
    told = [
        ("Weights", f"{weights:,}", "Every trained number; tied weights are counted once."),
        ("Compression", ratio, f"{size(shape)} = {numbers:,} numbers become {code:,} codings."),
        ("Step", f"{look.step:,}", "The saved moment that this card describes."),
        ("Seed", str(look.experiment.seed), "With these settings it repeats the run, on a CPU number by number."),
    ]
    if scores.get("pca/mse") and "held/mse" in scores:
        share = scores["held/mse"] / scores["pca/mse"]
        note = "Held-out squared error over that of PCA with as many codings. Below 1 the model beats PCA."
        told.append(("Error over PCA's", f"{share:.2f}", note))
    return told


def figures(scores: dict[str, float]) -> None:
    """Draw the scores, each with what to hold it against."""
    rows = []
    for key, (name, other, what) in SCORES.items():
        if key in scores:
            rows.append((name, f"*{scores[key]:.4g}", f"{what}: {scores[other]:.4g}" if other in scores else ""))
    if rows:
        plain.table(rows)
    else:
        st.markdown(":gray[Nothing had been measured by this moment: choose a later one.]")


def settings(look: Look) -> None:
    """Draw every setting that has an effect; those that differ from their default are strong."""
    rows, last = [], ""
    for part in (look.experiment.data, look.experiment.model, look.experiment):
        for k in (k for k in knobs(type(part)).values() if k.matters(part, look.experiment.data.kind)):
            value = getattr(part, k.name)
            text = k.said(value) + (f" {k.unit}" if k.unit else "")
            rows.append(("" if k.group == last else k.group, k.label, text if value == k.default else f"*{text}"))
            last = k.group
    plain.table(rows)


main()
