"""Ways through a generator's codes: between two samples, round several, number by number, and sums of samples."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import explore, films, keep, noise, plain
from pages.parts.look import Look
from pages.parts.noise import Samples
from playground.latent.coded import decoded
from playground.latent.paths import arithmetic as difference
from playground.latent.walks import REACH, natural, walk

STOPS, FRAMES = 5, 120  # of a round
WALLS = {"One sample": 1, "Nine at once": 9}
WIDE = 3.0  # standard deviations that a slider of Gaussian noise spans each way
NEAR, SHAKEN = 8, 0.25  # samples around a sum, and how far each number of z is moved for them
WHAT = "Where the way leads through sensible pictures, G has learned more than single items."


def between(look: Look, samples: Samples) -> None:
    """Draw the straight and the spherical way between two samples."""
    with st.container(key="picks", horizontal=True, gap="medium"):
        ends = np.stack([noise.choose(samples, name, first) for name, first in (("A", 0), ("B", 9))])
    explore.filmstrip(look.source, ends, noise=samples.noise, key="noise-strip")
    st.caption(
        f"{WHAT} Codes of many normal numbers lie near a sphere: the straight way cuts through its inside, where G was "
        "hardly ever asked; the spherical one keeps to lengths that codes have."
    )


def rounds(look: Look, samples: Samples) -> None:
    """Draw a walk through several samples and back to the first, as a film, to be saved."""
    with st.container(key="picks", horizontal=True, vertical_alignment="center", gap="medium"):
        many = st.segmented_control(
            "How many", list(WALLS), default="Nine at once", required=True, key="walkers", label_visibility="collapsed"
        )
        stops = st.slider("Samples on the way", 2, 8, STOPS, key="walk-stops", width=200)
        seed = st.number_input("Walk", 1, 99, 1, key="walk-seed", width=120, help="Another number takes other samples.")
    codes = round_trips(look, samples, WALLS[many or "Nine at once"], stops, int(seed))
    says = [f"{i + 1} of {len(codes)}" for i in range(len(codes))]
    film, files = st.columns([13, 20], gap="large")
    with film:
        films.film(look.source, codes, says=says, begin=True, loop=True, key="noise-film")
    with files:
        st.markdown(f"Each goes through {stops} samples of the wall and comes back to its first, at one speed. {WHAT}")
        keep.walk(look, codes)


def round_trips(look: Look, samples: Samples, walkers: int, stops: int, seed: int) -> np.ndarray:
    """Return closed walks (frames, walkers, Z) through samples that `seed` chooses."""
    order = np.random.default_rng(seed).permutation(len(samples.z))
    ways = [
        walk(samples.z[np.take(order, range(i * stops, (i + 1) * stops), mode="wrap")], FRAMES, samples.parts,
             natural(look.model), closed=True)
        for i in range(walkers)
    ]  # fmt: skip
    return np.stack(ways, 1)


def numbers(look: Look, samples: Samples) -> None:
    """Draw a slider for each number of a sample's code."""
    with st.container(key="picks", horizontal=True, gap="medium"):
        base = noise.choose(samples, "Sample", 0)
    spread = np.where(samples.noise, WIDE if natural(look.model) == "spherical" else 1.0, 1.0)
    for part in samples.continuous:
        spread[part.start : part.start + part.size] = REACH
    low = -spread
    for part in samples.categories:
        low[part.start : part.start + part.size] = 0.0
    explore.sliders(look.source, base, low=low, high=spread, names=names(samples), key="noise-sliders")
    st.caption(
        "Most single numbers change a little of everything: the directions of the next tab change one thing more."
    )


def names(samples: Samples) -> list[str]:
    """Return what each number of z is called."""
    said = [str(i + 1) for i in range(samples.z.shape[1])]
    for part in samples.parts:
        if part.kind != "noise":
            for k in range(part.size):
                choice = part.choices[k] if k < len(part.choices) else str(k + 1)
                said[part.start + k] = part.name if part.size == 1 else f"{part.name} {choice}"
    return said


def sums(look: Look, samples: Samples) -> None:
    """Draw A - B + C of picked samples, and what lies near the sum."""
    with st.container(key="picks", horizontal=True, vertical_alignment="center", gap="medium"):
        picks = {name: noise.choose_some(samples, name, first) for name, first in PICKS.items()}
        usual = st.toggle(
            "Usual length", True, key="sum-length",
            help="Bring the sum to the length that codes have: three single codes added up are longer than any that G "
            "was trained on.",
        )  # fmt: skip
    means = [samples.z[ids].mean(0) for ids in picks.values()]
    total = settled(difference(*means), samples)
    if usual:
        total = at_length(total, samples)
    shaken = np.random.default_rng(0).uniform(-SHAKEN, SHAKEN, (NEAR, len(total))) * samples.noise
    made = decoded(look.model, np.stack([*means, total, *(total + shaken)]))
    with st.container(key="sum"):
        plain.images(made[:4], "images", ["A", "− B", "+ C", "="])
    st.markdown("**Near the sum**")
    with st.container(key="near"):
        plain.images(made[4:], "images")
    st.caption(
        "As “man with glasses − man + woman” gives a woman with glasses: a bold 7, less a thin 7, and a thin 1. "
        "Pick two or three samples of each kind: the mean of their codes says more clearly what they share."
    )


PICKS = {"A": [0], "− B": [1], "+ C": [2]}


def settled(code: np.ndarray, samples: Samples) -> np.ndarray:
    """Return a code with one choice of each category again, the one that the sum speaks for most."""
    code = code.copy()
    for part in samples.categories:
        here = code[part.start : part.start + part.size]
        here[:] = np.eye(part.size, dtype=np.float32)[here.argmax()]
    return code


def at_length(code: np.ndarray, samples: Samples) -> np.ndarray:
    """Return a code with its noise brought to the usual length."""
    here = samples.noise
    long = float(np.linalg.norm(code[here]))
    usual = float(np.linalg.norm(samples.z[:, here], axis=1).mean())
    return np.where(here, code * (usual / max(long, 1e-9)), code).astype(np.float32)
