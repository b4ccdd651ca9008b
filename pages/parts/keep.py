"""Taking along what is seen: a picture of a run's last saved moment, a film of its training, or one of a walk."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from pages.parts import background, code, files, state
from pages.parts.look import Look
from playground import film
from playground.config import ConfigError
from playground.experiment import Experiment
from playground.latent.moments import moment
from playground.store import StoreError

KINDS: dict[str, film.Format] = {"GIF": "gif", "WebP": "webp"} | ({"MP4": "mp4"} if film.ffmpeg() else {})
MIME: dict[film.Format, str] = {"mp4": "video/mp4"}
POLL = 0.4


@dataclass
class Making:
    """A film of training under way: which one, how far it is, and what it will be."""

    key: tuple[object, ...]
    kind: film.Format
    file: str
    done: int = 0
    all: int = 0
    work: Future[bytes] | None = None

    def make(self, run: str, speed: int) -> bytes:
        """Draw the saved moments and return the file, which shows so many of them a second."""
        images, captions = [], []
        for still in film.training(run):
            images.append(still.image)
            captions.append(still.caption)
            self.done, self.all = still.done, still.all
        return film.film(self.kind, images, round(1000 / speed), captions, last=film.HELD)


def drawn(experiment: Experiment) -> bool:
    """Say whether there are pictures of such a run: of images, sequences, clouds, and of points in the plane."""
    data = experiment.data
    return data.players() is None and (data.kind != "points" or data.shape == (2,))


def popover() -> None:
    """Draw what can be saved of the lab's run."""
    run, engine = state.lab().run, state.engine()
    with st.popover(
        "",
        icon=":material/download:",
        key="keep",
        help="Save a picture, a film, networks, numbers, code",
        on_change="rerun",
    ) as box:
        if box.open:
            steps = engine.status(run).keyframes
            if len(steps) < 2:
                st.markdown("Pictures, films and numbers are made of a run's saved moments: press Play first.")
            else:
                if drawn(engine.experiment(run)):
                    _offer(run, steps)
                files.offer(run)
            st.markdown("**Script** in plain PyTorch that repeats the run")
            code.offer(run, where="keep")
    code.dialog()


def _offer(run: str, steps: list[int]) -> None:
    """Draw the choice of a picture or a film."""
    past = state.engine().status(run).past
    at = past if past in steps else steps[-1]
    st.download_button(
        f"Picture of step {at:,} (PNG)", partial(_picture, run, at), f"{run}-{at}.png",
        "image/png", key="keep-png", icon=":material/image:", on_click="ignore", width="stretch",
    )  # fmt: skip
    st.markdown(f"**Film of training**, from {min(len(steps), film.MOST)} saved moments")
    with st.container(horizontal=True, vertical_alignment="center"):
        name = st.segmented_control(
            "Kind", list(KINDS), default="GIF", required=True, key="keep-kind", label_visibility="collapsed"
        )
        kind, cuts = KINDS[name or "GIF"], _cuts(run)
        speed = st.slider("Moments a second", 1, 30, 10, key="keep-speed", width=140)
        key = (run, kind, speed, len(steps), steps[-1], cuts)
        if st.button("Make it", key="keep-make", icon=":material/movie:", type="primary"):
            making = st.session_state.making = Making(key, kind, f"{run}.{kind}")
            making.work = background.ask(("film", *key), partial(making.make, run, speed))
    making = st.session_state.get("making")
    if making is not None and making.key[:3] == key[:3] and making.work is not None:
        _progress(making)


@st.fragment(run_every=POLL)
def _progress(making: Making) -> None:
    """Draw how far the film is, and in the end the button that saves it."""
    assert making.work is not None
    if not making.work.done():
        st.progress(making.done / max(1, making.all), f"{making.done} of {making.all or '…'} moments")
        return
    try:
        made = making.work.result()
    except (ConfigError, StoreError) as error:
        st.error(str(error), icon=":material/error:")
        return
    st.download_button(
        f"Save the film ({len(made) / 1e3:,.0f} KB)", made, making.file, MIME.get(making.kind, f"image/{making.kind}"),
        key="keep-film", icon=":material/download:", on_click="ignore", width="stretch",
    )  # fmt: skip


def walk(look: Look, codes: np.ndarray) -> None:
    """Draw the buttons that save a walk (frames, walkers, Z)."""
    with st.container(horizontal=True):
        for name, kind in KINDS.items():
            st.download_button(
                name, partial(_walk, look, codes, kind), f"{look.run}-walk.{kind}",
                MIME.get(kind, f"image/{kind}"), key=f"walk-{kind}",
                icon=":material/download:", on_click="ignore", help="Save the walk",
            )  # fmt: skip


def _walk(look: Look, codes: np.ndarray, kind: film.Format) -> bytes:
    return film.film(kind, film.walk(moment(look.run, look.step), codes), ms=63)


def _picture(run: str, step: int) -> bytes:
    return film.png(film.picture(moment(run, step)), f"{run}, step {step:,}")


def _cuts(run: str) -> int:
    folder = state.engine().folder(run)
    return folder.cuts() if folder else 0
