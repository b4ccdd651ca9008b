"""One line on where the run stands and what to do next: ready, queued, running, finished, failed, stopped."""

from __future__ import annotations

from itertools import islice

import streamlit as st

from pages.parts import edits, says, state, title
from playground.engine import EngineError, Status
from playground.engine.graft import words
from playground.presets import PRESETS
from playground.store import parent


def line() -> None:
    """Draw the line; it has the same height in every state, so nothing moves."""
    status = state.engine().status(state.lab().run)
    with st.container(key="moment", horizontal=True, vertical_alignment="center", gap="small"):
        if status.state == "failed":
            _failed(status.error or "Training failed.", status.keyframes)
        elif status.state == "paused" and status.error:
            st.error(status.error, icon=":material/error:")
        elif status.state == "finished":
            _finished(status.step)
        elif status.state == "queued":
            st.markdown(f":material/hourglass_top: Waiting for a free core: place {status.queue or 1} in the queue.")
        elif status.state == "stopped":
            st.markdown(
                _descent(status) or f":material/stop_circle: Stopped at step {status.step:,}. Play goes on from there."
            )
        else:
            st.markdown(about())


def about() -> str:
    """Say what the settings on the page are worth watching for: the preset's sentence, else the data set's."""
    name = title.current()
    return PRESETS[name].about if name else state.shown().data.about


def _descent(status: Status) -> str:
    """Say of a run that has just been forked where it comes from, and which weights were kept."""
    folder = state.engine().folder(status.run)
    came = None if folder is None else parent(folder.path)
    if came is None or came.step != status.step:
        return ""
    kept = words(came.kept, came.new) if came.kept or came.new else "Change what you like and press Play."
    return f":material/fork_right: Forked from {came.run} at step {came.step:,}. {kept}"


def _failed(sentence: str, keyframes: list[int]) -> None:
    st.error(sentence, icon=":material/error:")
    if keyframes:
        st.button(
            f"Go back to step {keyframes[-1]:,}", icon=":material/history:", key="go-back", on_click=_back,
            args=(keyframes[-1],), width="content",
        )  # fmt: skip
    else:
        st.button("Start again", icon=":material/restart_alt:", key="again", on_click=edits.restart, width="content")


def _back(step: int) -> None:
    try:
        state.engine().send(state.lab().run, "goto", step=step)
    except EngineError as error:
        says.fail(error)


def _finished(step: int) -> None:
    st.markdown(f"**Finished at step {step:,}**, as set under Run. What to try next:")
    with st.container(key="next", horizontal=True, gap="small"):
        for name in next_presets():
            st.button(
                PRESETS[name].title, key=f"next-{name}", help=PRESETS[name].about, on_click=edits.begin,
                args=(PRESETS[name].experiment,),
            )  # fmt: skip


def next_presets(n: int = 3) -> list[str]:
    """Return the n presets that follow the present one, going round."""
    names, now = list(state.place().presets), title.current()
    start = names.index(now) + 1 if now in names else 0
    others = (name for name in names[start:] + names[:start] if name != now)
    return list(islice((name for name in others if not PRESETS[name].experiment.data.missing()), n))
