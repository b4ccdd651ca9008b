"""What a generator's codes mean: directions found in it, codes with a meaning of their own, and truncation."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import films, noise, plain
from pages.parts.look import Look
from pages.parts.noise import Samples
from playground.config import ConfigError
from playground.families.base import Code
from playground.latent.coded import decoded
from playground.latent.directions import Directions, factorised, principal
from playground.latent.moments import moment
from playground.latent.truncation import truncate
from playground.latent.walks import REACH, sweep
from playground.rng import fresh

FOUND = 8  # directions
KINDS = {
    "Principal": "Principal components of what G's first layer makes of random codes (Härkönen et al. 2020, GANSpace, "
    "arXiv 2004.02546): the strongest first, with their share of that layer's variance.",
    "Closed form": "The directions that G's first weights stretch most, the eigenvectors of WᵀW (Shen and Zhou 2021, "
    "SeFa, arXiv 2007.06600): no sample is drawn for them.",
}
PSI = np.round(np.arange(0, 1.51, 0.1), 1)
COLUMNS = 8  # noises beside each other
SHOWN = 36  # samples of a truncated wall


def directions(look: Look, samples: Samples) -> None:
    """Draw a slider for each of the strongest directions around a sample."""
    with st.container(key="picks", horizontal=True, vertical_alignment="center", gap="medium"):
        base = noise.choose(samples, "Sample", 0)
        kind = st.segmented_control(
            "Directions", list(KINDS), default="Principal", required=True, key="direction-kind",
            label_visibility="collapsed",
        )  # fmt: skip
    try:
        found = _found(look, kind or "Principal")
    except ConfigError as error:  # a network without a layer to look into
        st.info(str(error), icon=":material/info:")
        return
    said = [f"{i + 1} · {share:.0%}" for i, share in enumerate(found.share)]
    films.directions(look.source, base, found.axes, names=said, reach=3 * found.std, key=f"directions-{kind}")
    st.caption(KINDS[kind or "Principal"])


@st.cache_resource(max_entries=24, show_spinner="Looking for directions …")
def _found(look: Look, kind: str) -> Directions:
    then = moment(look.run, look.step)
    with then.lock:
        wide = then.family.noise(1, fresh(0, "width")).shape[1]
        return (
            factorised(then.family, FOUND)
            if kind != "Principal"
            else principal(then.family, max(1000, 3 * wide), FOUND)
        )


def meanings(look: Look, samples: Samples) -> None:
    """Draw what the codes with a meaning do: a wall with a category a row, turned by a continuous one."""
    row, turned = _asked(samples)
    steps = np.linspace(-REACH, REACH, 17) if turned else np.zeros(1)
    codes = np.repeat(table(samples, row)[None], len(steps), 0)
    if turned:
        codes[:, :, turned.start] = steps[:, None]
    says = [f"{turned.name} {value:+.2f}".replace("-", "−") for value in steps] if turned else []
    wall, one = st.columns([13, 20], gap="large")
    with wall:
        films.film(
            look.source, codes, rows=choices(row) if row else [], columns=COLUMNS, at=len(steps) // 2,
            plays=turned is not None, says=says, key=f"meanings-{row and row.name}-{turned and turned.name}",
        )  # fmt: skip
        st.caption("A column has the same noise all the way down." + (f" {told(row)}" if row else ""))
    with one:
        single(look, samples)


def table(samples: Samples, row: Code | None) -> np.ndarray:
    """Return codes row by row: each choice of a category in turn, with the same noises and all else alike."""
    across = samples.z[:COLUMNS].copy()
    for part in samples.categories + samples.continuous:
        across[:, part.start : part.start + part.size] = across[0, part.start : part.start + part.size]
    return across if row is None else np.stack([sweep(code, row) for code in across], 1).reshape(-1, across.shape[1])


def told(row: Code) -> str:
    """Say where a category's meaning comes from."""
    if row.given:
        return f"Each row is one {row.name}, as the labels had it in training."
    return f"Each row is one choice of the {row.name}. Nobody named them: what they mean is what the model found."


def single(look: Look, samples: Samples) -> None:
    """Draw one sample with a button for each choice of its categories and a slider for each continuous code."""
    with st.container(key="picks", horizontal=True, vertical_alignment="center", gap="medium"):
        code = noise.choose(samples, "Noise", 0).copy()
        for part in samples.categories:
            now = int(code[part.start : part.start + part.size].argmax())
            chosen = st.segmented_control(
                part.name, range(part.size), default=now, required=True, key=f"choice-{part.name}-{now}",
                format_func=lambda i, part=part: choices(part)[i], label_visibility="collapsed",
            )  # fmt: skip
            code = sweep(code, part)[now if chosen is None else chosen]
    turns = samples.continuous
    if not turns:
        with st.container(key="sum"):
            plain.images(decoded(look.model, code[None]), "images", ["G(z)"])
        return
    axes = np.zeros((len(turns), len(code)), np.float32)
    axes[np.arange(len(turns)), [part.start for part in turns]] = 1
    code[[part.start for part in turns]] = 0
    films.directions(look.source, code, axes, names=[p.name for p in turns], reach=[REACH] * len(turns), key="turns")


def _asked(samples: Samples) -> tuple[Code | None, Code | None]:
    """Draw which category makes the rows and which continuous code is turned, where there are several."""
    rows, turns = {c.name: c for c in samples.categories}, {c.name: c for c in samples.continuous}
    row, turn = next(iter(rows), ""), next(iter(turns), "")
    with st.container(key="codes", horizontal=True, vertical_alignment="center", gap="medium"):
        if len(rows) > 1:
            row = st.segmented_control("Rows", list(rows), default=row, required=True, key="code-rows") or row
        if len(turns) > 1:
            turn = st.segmented_control(
                "The slider turns", list(turns), default=turn, required=True, key="code-turn"
            ) or turn  # fmt: skip
    return rows.get(row), turns.get(turn)


def choices(code: Code) -> list[str]:
    """Return the names of a category's choices."""
    return [code.choices[i] if i < len(code.choices) else str(i + 1) for i in range(code.size)]


def truncation(look: Look, samples: Samples) -> None:
    """Draw the wall at codes nearer to or farther from the middle of the prior."""
    codes = np.stack([truncate(samples.z[:SHOWN], float(psi), samples.parts) for psi in PSI])
    says = [f"ψ = {psi:.1f}" for psi in PSI]
    wall, words = st.columns([13, 20], gap="large")
    with wall:
        films.film(look.source, codes, says=says, at=int(np.flatnonzero(PSI == 1.0)[0]), key="truncation")
    with words:
        st.markdown(
            "ψ scales the noise. At **1** samples are as the prior has them. **Below 1** they come from the middle, "
            "which G knows best: surer of themselves, and more alike. At **0** all are the one sample of the middle. "
            "**Above 1** they come from where G was hardly ever asked."
        )
        st.caption("The truncation trick: Brock et al. 2018 (BigGAN), arXiv 1809.11096.")
