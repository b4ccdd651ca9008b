"""Maps of a moment's codes for the latent page: PCA at once, UMAP and t-SNE when their process has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.parts import explore
from pages.parts.look import Look
from playground.latent import jobs
from playground.latent.coded import Coded, Part, decoded
from playground.latent.jobs import Job
from playground.latent.neighbours import knn_accuracy, trustworthiness
from playground.latent.projection import Map, Method, project

METHODS: dict[Method, str] = {"raw": "As it is", "pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}
GRID = 12  # a side of the decoder grid
JUDGED = 1000  # items that a map is judged by: the cost is quadratic


@dataclass(frozen=True)
class Asked:
    """What is to be drawn: which items, how they are laid out, and what lies under them."""

    part: Part
    n: int
    method: Method
    grid: bool
    prior: bool


def linear(look: Look, asked: Asked) -> Map:
    """Return the map that needs no waiting: the codes as they are where there are two, else PCA's."""
    codes = look.items(asked.n, asked.part).codes
    key = f"{look.run} {asked.part} {asked.n}"
    before = st.session_state.get("map-before", ("", None))
    found = project(codes, "raw" if codes.shape[1] <= 2 else "pca", before[1] if before[0] == key else None)
    st.session_state["map-before"] = (key, found.points)
    return found


def wanted(look: Look, asked: Asked) -> tuple[Map, Job | None]:
    """Return the map asked for, or the linear one and the job that still works on it."""
    plain = linear(look, asked)
    if asked.method in ("raw", "pca"):
        jobs.get_projector().warm()  # UMAP compiles at its first map: better now than when somebody waits
        return plain, None
    codes, key = look.items(asked.n, asked.part).codes, (look.run, look.step, look.cuts, asked.part, asked.n)
    last = st.session_state.get("layout-before", ("", None))
    mine = f"{look.run} {asked.part} {asked.n} {asked.method}"
    job = jobs.get_projector().ask(key, codes, asked.method, last[1] if last[0] == mine else None)
    if job.result is None:
        return plain, job
    st.session_state["layout-before"] = (mine, job.result.points)
    return job.result, None


@st.fragment(run_every=0.5)
def waiting(look: Look, asked: Asked) -> None:
    """Draw how far a map is; the page follows when it is there."""
    _, job = wanted(look, asked)
    if job is None:
        st.rerun()
    if job.state == "failed":
        st.error(job.note, icon=":material/error:")
    else:
        meanwhile = "The codings as they are" if look.items(1).codes.shape[1] <= 2 else "PCA"
        st.progress(job.progress, f"{METHODS[asked.method]}: {(job.note or 'waiting').lower()}. {meanwhile} meanwhile.")


def draw(look: Look, asked: Asked, drawn: Map) -> explore.Action | None:
    """Draw the map; return what was done on it."""
    items, flat = look.items(asked.n, asked.part), drawn.basis is not None and drawn.mean is not None
    raw = items.codes.shape[1] == 2 and flat
    return explore.scatter(
        look.source, drawn.points, items=items.x, labels=items.labels, codes=None if raw else items.codes,
        plane=explore.Plane(drawn.mean, drawn.basis.T) if flat and not raw else None,
        background=grid(look, drawn) if asked.grid and flat else None,
        prior=prior(drawn) if asked.prior and flat else None, note=note(asked, drawn), key="scatter",
    )  # fmt: skip


def note(asked: Asked, drawn: Map) -> str:
    """Return the line under a map: what it shows of the codes."""
    if drawn.basis is None:
        return f"{METHODS[asked.method]}: who is near whom can be trusted, distances between groups cannot."
    if drawn.explained is not None and drawn.explained < 0.9995:
        return f"PCA: this plane holds {drawn.explained:.0%} of what the codings vary by."
    return "The two codings as they are."


def grid(look: Look, drawn: Map) -> explore.Background:
    """Return what the decoder makes of even places on a linear map."""
    low, high = (np.asarray(f(drawn.points, 0), np.float64) for f in (np.min, np.max))
    axes = [np.linspace(a, b, GRID) for a, b in zip(low, high, strict=True)]
    places = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)  # row 0 at the bottom
    made = decoded(look.model, drawn.code(places)).reshape(GRID, GRID, *look.experiment.data.shape)
    return explore.Background(made, (float(low[0]), float(low[1])), (float(high[0]), float(high[1])))


def prior(drawn: Map) -> explore.Normal | None:
    """Return the prior N(0, I) as it lies on a linear map."""
    if drawn.basis is None or drawn.mean is None:
        return None
    return explore.Normal(drawn.place(np.zeros((1, len(drawn.mean))))[0], drawn.basis.T @ drawn.basis)


@st.cache_resource(max_entries=32, show_spinner=False)
def judged(look: Look, asked: Asked, by: str, _items: Coded, _drawn: Map) -> dict[str, float]:
    """Return how far a map can be trusted (`by` names it), and how well classes can be told on codes, map and data."""
    some = slice(0, JUDGED)
    told = {"trust": trustworthiness(_items.codes[some], _drawn.points[some])}
    if _items.labels is not None:
        labels = _items.labels[some]
        told |= {
            "codes": knn_accuracy(_items.codes[some], labels), "map": knn_accuracy(_drawn.points[some], labels),
            "data": knn_accuracy(_items.x[some].reshape(len(labels), -1), labels),
            "chance": float(np.bincount(labels).max() / len(labels)),
        }  # fmt: skip
    return told
