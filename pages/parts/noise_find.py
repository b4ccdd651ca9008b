"""Projection: a real, drawn or uploaded image is looked for in a generator's latent space, with its progress shown."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import gallery, own, plain
from pages.parts.look import Look
from pages.parts.noise import Samples
from playground.figures import palette
from playground.figures.chart import Axis, Line, Style, chart
from playground.latent import projections
from playground.latent.invert import Inverted
from playground.latent.projections import Job

OFFERED = 96  # held-out items to choose from
STEPS, TRIES = 300, 8
NAME = "Image"


def project(look: Look, samples: Samples) -> None:
    """Draw the choice of an image, and the search for the code whose sample comes nearest to it."""
    with st.container(key="picks", horizontal=True, vertical_alignment="center", gap="medium"):
        target = gallery.choose(look, _held(look), NAME, 0)
        with st.popover("Upload", icon=":material/upload_file:", key="target-file"):
            own.bring(look.experiment.data.shape, f"end-{NAME}")
        if pressed := st.button("Project", type="primary", icon=":material/center_focus_strong:", key="project"):
            st.session_state.projected = (look, target.tobytes())
    if st.session_state.get("projected") != (look, target.tobytes()):
        st.markdown(
            ":gray[Which z makes this image? “Project” starts from the nearest of many random samples and moves their "
            "codes downhill until their images come no nearer. Choose a held-out item, draw one, or upload a picture.]"
        )
        return
    job = projections.start(look.run, look.step, target, again=pressed, steps=STEPS, tries=TRIES)
    if job.result is None:
        searching(job)
    else:
        result(target, job.result, samples)


@st.fragment(run_every=0.4)
def searching(job: Job) -> None:
    """Draw how far the search is; the page follows when it is over."""
    if job.result is not None:
        st.rerun()
    if job.over:
        st.error(f"{job.note}.".replace("..", "."), icon=":material/error:")
        return
    near = "" if job.error is None or not np.isfinite(job.error) else f", squared error {job.error:.3g}"
    st.progress(job.progress, f"{job.note}: {job.progress:.0%} of {STEPS} steps{near}")
    st.button("Stop", icon=":material/stop:", key="stop-search", on_click=job.cancel)


def result(target: np.ndarray, found: Inverted, samples: Samples) -> None:
    """Draw what was found beside what was looked for, and how the search went."""
    pictures, search = st.columns([13, 20], gap="large")
    nearest = np.square(samples.x - target).reshape(len(samples.x), -1).mean(1)
    with pictures:
        with st.container(key="sum"):
            plain.images(np.stack([target, found.item]), "images", ["yours", "G(z)"])
        st.markdown(
            f"Squared error a number **{found.error:.3g}**; of the wall's {len(samples.x)} samples the nearest has "
            f"{nearest.min():.3g}."
        )
        st.caption(
            "G can only make what lies on its own surface: what stays different is what it never learned to make. A "
            "class that training has lost shows here at once."
        )
    with search:
        steps = np.arange(1, len(found.errors) + 1, dtype=np.float64)
        line = Line("best so far", steps, np.minimum.accumulate(found.errors), palette.GENERATOR)
        plain.chart(chart([line], Axis("squared error a number"), Style(log=True)), "search", "Error over the search")


@st.cache_resource(max_entries=8, show_spinner=False)
def _held(look: Look) -> np.ndarray:
    items = look.experiment.data.held_out(OFFERED, look.experiment.seed).x
    return items.numpy()
