"""What a person does to a run: edits that act at once, drafts that wait for a restart, and the restart itself."""

from __future__ import annotations

import contextlib
import secrets
from typing import Any

import streamlit as st

from pages.parts.labs import home_of
from pages.parts.says import fail
from pages.parts.state import engine, lab, shown
from playground.config import ConfigError, build, knobs
from playground.engine import EngineError
from playground.experiment import Experiment
from playground.experiment import changes as experiment_changes


def edit(**values: Any) -> None:
    """Take changed fields: live ones act on the run at once, structural ones wait for a restart (none in `ready`)."""
    view, current = lab(), engine().experiment(lab().run)
    try:
        wanted = shown().changed(**values)
        if wanted == shown():
            return
        if all(_live(current, name) for name in values):
            engine().send(view.run, "set", values=values)
            view.draft = view.draft and wanted
        else:
            _draft(wanted)
    except (ConfigError, EngineError) as error:
        fail(error)


def choose(experiment: Experiment) -> None:
    """Take a whole other experiment (a preset, a data set): at once in `ready`, else as a draft."""
    try:
        _draft(experiment)
    except (ConfigError, EngineError) as error:
        fail(error)


def adopt(family: str) -> None:
    """Take another family: the same data, schedule and seed, and every setting that both have, where that can be."""
    now = shown()
    try:
        plain = build(Experiment, dict(now) | {"family": family, "model": {}})
    except ConfigError:  # it does not take this data
        plain = home_of(now).begin(family).changed(seed=now.seed)
    for name in knobs(type(plain.model)).keys() & knobs(type(now.model)).keys():
        with contextlib.suppress(ConfigError):  # out of its range there
            plain = plain.changed(**{name: now.value(name)})
    choose(plain)


def begin(experiment: Experiment) -> None:
    """Begin a new run of another experiment, without asking: the present one has come to its end."""
    lab().draft = experiment
    restart()


def restart(**values: Any) -> None:
    """Begin a new run from the draft (or the same settings), going on playing if the present one was."""
    view = lab()
    try:
        playing = engine().status(view.run).state in ("running", "warming", "queued")
        experiment = shown().changed(**values)
        engine().send(view.run, "stop")
        _move(experiment)
        if playing:
            engine().send(view.run, "play")
    except (ConfigError, EngineError) as error:
        fail(error)


def branch(step: int) -> None:
    """Go on with a second run from a saved moment; the first one stays as it is."""
    view = lab()
    try:
        child = engine().fork(view.run, step)
        engine().send(view.run, "look", step=None)
        view.run, view.draft, view.stale = child, None, True
    except EngineError as error:
        fail(error)


def branch_with_changes() -> None:
    """Go on with a second run that has the settings which wait, from the moment looked at, else from now."""
    view = lab()
    try:
        now = engine().status(view.run)
        child = engine().fork(view.run, now.past, view.draft)
        if now.past is not None:
            engine().send(view.run, "look", step=None)
        else:
            engine().send(view.run, "pause")
        view.run, view.draft, view.stale = child, None, True
    except EngineError as error:
        fail(error)


def undo() -> None:
    """Forget the changes that wait for a restart."""
    lab().draft, lab().stale = None, True


def changes() -> list[str]:
    """Say what a restart would change, field by field."""
    view = lab()
    return [] if view.draft is None else experiment_changes(engine().experiment(view.run), view.draft)


def _live(current: Experiment, name: str) -> bool:
    """Say whether the running model has this very field and takes it live."""
    holder = next(type(part) for part in (shown(), shown().data, shown().model) if name in knobs(type(part)))
    return holder in (type(current), type(current.data), type(current.model)) and current.knobs()[name].live


def _draft(wanted: Experiment) -> None:
    """Let an experiment wait, or take it at once in `ready`; raises `ConfigError` where its data is not here."""
    view = lab()
    if missing := wanted.data.missing():
        raise ConfigError(missing)
    if engine().status(view.run).state == "ready":
        _move(wanted)
    else:
        view.draft, view.stale = wanted if wanted != engine().experiment(view.run) else None, True


def _move(experiment: Experiment) -> None:
    view = lab()
    view.run, view.draft, view.stale = engine().prepare(experiment), None, True


def act(action: dict[str, Any] | None) -> None:
    """Follow what a live component did; the page starts anew where another run came of it."""
    if action is None:
        return
    if action["do"] == "reset":
        restart()
    elif action["do"] == "new-seed":
        restart(seed=secrets.randbelow(10_000))
    elif action["do"] == "fork":
        branch(int(action["step"]))
    elif action["do"] == "restart":
        edit(**action["values"])
    if lab().stale:
        st.rerun()
