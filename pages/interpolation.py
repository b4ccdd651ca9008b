"""Interpolation and latent tools: ways between items that a model codes, or samples that it makes."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts import explored, item_walks, labs, noise, noise_find, noise_turns, noise_walks
from pages.parts.look import Look

ABOUT = (
    "**Interpolation** walks through the codes: from one item to another, along a single number, or along what makes "
    "a 3 differ from an 8. Where the walk leads through sensible pictures, the model has understood something."
)
Ways = dict[str, Callable[[Look], None]]


def main() -> None:
    """Draw the page."""
    look = explored.page("Interpolation", ABOUT, labs.walks)
    ways = of_items(look) if labs.codes(look.experiment) else of_samples(look)
    with st.container(key="choices"):
        key = "way" if labs.codes(look.experiment) else "way-of-noise"
        way = st.segmented_control(
            "Walk", list(ways), default=next(iter(ways)), required=True, key=key, label_visibility="collapsed"
        )
    ways[way or next(iter(ways))](look)


def of_items(look: Look) -> Ways:
    """Return the ways through a model that codes."""
    ways: Ways = {"Between two": item_walks.between, "One coding at a time": item_walks.one_by_one}
    if len(look.experiment.data.classes) > 1 and look.items(1, "training").labels is not None:
        ways |= {"Attributes": item_walks.attributes, "Arithmetic": item_walks.arithmetic}
    return ways


def of_samples(look: Look) -> Ways:
    """Return the ways through a generator's codes."""
    samples = noise.of(look)
    ways: dict[str, Callable[[Look, noise.Samples], None]] = {
        "Between two samples": noise_walks.between,
        "Walk": noise_walks.rounds,
        "Number by number": noise_walks.numbers,
        "Directions": noise_turns.directions,
        "Arithmetic": noise_walks.sums,
        "Codes": noise_turns.meanings,
        "Truncation": noise_turns.truncation,
        "Projection": noise_find.project,
    }
    if not samples.categories and not samples.continuous:
        del ways["Codes"]
    return {name: lambda look, draw=draw: draw(look, samples) for name, draw in ways.items()}


main()
