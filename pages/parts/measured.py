"""What the runs on a page have measured, in bounded memory: the lab's run, and the one that it was forked from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from pages.parts import state
from pages.parts.zoom import Stretch
from playground.engine import EngineError
from playground.engine.frames import decode
from playground.experiment import Experiment
from playground.figures.curves import EACH_STEP, History
from playground.store import Parent
from playground.store import parent as parent_of
from playground.store.history import History as Stored
from playground.store.rows import Window


@dataclass(frozen=True)
class Before:
    """A parent, the step of the fork, and what the parent has measured."""

    run: str
    step: int
    told: History


def history(stretch: Stretch | None = None) -> History:
    """Return what the session's run has measured, in bounded memory and up to date; a `stretch` of it finer."""
    run = state.lab().run
    folder = state.engine().folder(run)
    kept: tuple[str, Stored] | None = st.session_state.get("history")
    if folder is not None and (kept is None or kept[0] != run):
        kept = st.session_state.history = (run, Stored(folder))
    return measured(run, kept[1] if folder is not None and kept else None, stretch)


def measured(run: str, kept: Stored | None, stretch: Stretch | None = None) -> History:
    """Return what a run has measured, from what is kept of its folder; nothing where it has none yet."""
    engine = state.engine()
    experiment = engine.experiment(run)
    if kept is None:
        return History.of(experiment, {}, [])
    frame = engine.frame(run)
    return read(experiment, kept, decode(frame[1])[1].get("floors", {}) if frame else {}, stretch)


def read(experiment: Experiment, kept: Stored, floors: dict[str, Any], stretch: Stretch | None = None) -> History:
    """Return what a run has measured as its curves want it."""
    stored = kept.update()
    finer = stored.finer(*stretch) if stretch else {}
    train = columns(stored, [name for name in stored.curves if name.split("/")[0] in EACH_STEP], finer)
    scores = columns(stored, [name for name in stored.curves if name not in train], finer)
    rows = [
        dict(zip(scores, values, strict=True)) for values in zip(*(c.tolist() for c in scores.values()), strict=True)
    ]
    return History.of(experiment, train, rows, floors, stored.events)


def came() -> Parent | None:
    """Return where the lab's run comes from; None for one that began by itself."""
    folder = state.engine().folder(state.lab().run)
    return None if folder is None else parent_of(folder.path)


def parent(stretch: Stretch | None = None) -> Before | None:
    """Return the parent of the lab's run and what it has measured; None where it has none or that is gone."""
    from_ = came()
    if from_ is None:
        return None
    kept: dict[str, Stored] = st.session_state.setdefault("parent-histories", {})
    try:
        experiment, folder = state.engine().experiment(from_.run), state.engine().folder(from_.run)
    except EngineError:
        return None
    if folder is None:
        return None
    told = read(experiment, kept.setdefault(from_.run, Stored(folder)), {}, stretch)
    return Before(from_.run, from_.step, told)


def columns(stored: Stored, names: list[str], finer: Mapping[str, Window]) -> dict[str, np.ndarray]:
    """Return curves as columns over one common "step"; a gap is NaN."""
    courses = {name: stored.course(name, finer) for name in names}
    if not courses:
        return {}
    steps = np.unique(np.concatenate([step for step, _ in courses.values()]))
    table = {"step": steps}
    for name, (step, mean) in courses.items():
        table[name] = np.full(len(steps), np.nan)
        table[name][np.searchsorted(steps, step)] = mean
    return table
