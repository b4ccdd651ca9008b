"""What an image generator makes at a moment: the samples of the lab's wall, to choose from, and what its z means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.parts.look import Look
from playground.engine.samples import wall_codes
from playground.families.base import Code
from playground.figures.pictures import pictures, uri
from playground.latent.coded import decoded
from playground.latent.moments import moment
from playground.latent.truncation import noise_part


@dataclass(frozen=True)
class Samples:
    """The wall of the lab at a moment: codes (n, Z) with their samples (n, *shape), and what z's numbers mean."""

    z: np.ndarray
    x: np.ndarray
    parts: list[Code]

    @property
    def noise(self) -> np.ndarray:
        """Which numbers of z are noise (Z,)."""
        return noise_part(self.parts, self.z.shape[1])

    @property
    def categories(self) -> list[Code]:
        """The parts of z that are categories."""
        return [part for part in self.parts if part.kind == "category"]

    @property
    def continuous(self) -> list[Code]:
        """The parts of z that are continuous codes."""
        return [part for part in self.parts if part.kind == "continuous"]


@st.cache_resource(max_entries=24, show_spinner="Drawing samples …")
def of(look: Look) -> Samples:
    """Return the samples of a moment."""
    then = moment(look.run, look.step)
    with then.lock:
        z = wall_codes(then.family, then.experiment.seed).cpu().numpy()
        return Samples(z, decoded(then.family, z), then.family.codes())


def choose(samples: Samples, name: str, first: int) -> np.ndarray:
    """Draw the choice of a sample for `name`, at first number `first`; return its code (Z,)."""
    at = st.session_state.setdefault(f"sample-{name}", first) % len(samples.z)
    with st.popover(f"![]({_uri(samples, [at])[0]}) **{name}**", key=f"gallery-{name}", on_change="rerun") as shown:
        if shown.open:
            _wall(samples, name, single=True)
    code: np.ndarray = samples.z[at]
    return code


def choose_some(samples: Samples, name: str, first: list[int]) -> list[int]:
    """Draw the choice of one or more samples; return their numbers."""
    kept = st.session_state.get(f"samples-{name}") or first
    ids = [i % len(samples.z) for i in kept]
    faces = " ".join(f"![]({face})" for face in _uri(samples, ids[:3]))
    with st.popover(f"{faces} **{name}**", key=f"gallery-{name}", on_change="rerun") as shown:
        if shown.open:
            st.caption("One or more: their mean counts, which is steadier than any one of them.")
            _wall(samples, name, single=False, chosen=ids)
    return ids


def _wall(samples: Samples, name: str, single: bool, chosen: list[int] | None = None) -> None:
    faces = _uri(samples, list(range(len(samples.z))))
    key = f"wallpick-{name}"
    st.pills(
        f"Samples for {name}", range(len(faces)), format_func=lambda i: f"![]({faces[i]})", key=key,
        selection_mode="single" if single else "multi", default=None if single else chosen,
        label_visibility="collapsed", on_change=_take, args=(name, key, single),
    )  # fmt: skip


def _take(name: str, key: str, single: bool) -> None:
    picked = st.session_state[key]
    if single and picked is not None:
        st.session_state[f"sample-{name}"] = picked
    elif not single:
        st.session_state[f"samples-{name}"] = list(picked)


def _uri(samples: Samples, ids: list[int]) -> list[str]:
    return [uri(picture) for picture in pictures(samples.x[ids], "images")]
