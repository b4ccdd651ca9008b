"""Which moment of which run the Explore pages look at: the same choice at the top of each, kept from page to page.

The moment is the run's own, as play and pause are: what its lab shows is what these pages show, in every window.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts import labs, live, says, state
from pages.parts.look import Look
from playground.config import ConfigError
from playground.engine import EngineError, Status
from playground.experiment import Experiment
from playground.families import family
from playground.figures.timeline import deeds
from playground.presets import PRESETS, preset_of
from playground.store import StoreError

MOVING = ("running", "warming", "paused")


def page(title: str, about: str, suits: Callable[[Experiment], bool] = labs.codes) -> Look:
    """Draw a page's head and return the moment to look at, of a run that `suits`; where there is none, say so and end
    the page."""
    says.say()
    runs = [run for run in state.engine().runs() if run.keyframes and suits(state.engine().experiment(run.run))]
    with st.container(key="title-row", horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(f"# {title}", width="content", anchors=False)
        run = _run(runs) if runs else None
        look = _moment(run) if run else None
    if look is None or run is None:
        _empty(about, suits)
        st.stop()
    _past(run, look)
    try:
        look.ready()
    except (ConfigError, EngineError, StoreError) as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    return look


def _run(runs: list[Status]) -> Status:
    """Choose a run: at first the one in the lab, else the latest."""
    by_id = {run.run: run for run in runs}
    in_labs = [lab.run for lab in reversed(state.labs().values())]
    wanted = [st.session_state.get("explored"), st.query_params.get("run"), *in_labs, runs[0].run]
    now = next(name for name in wanted if name in by_id)
    chosen = st.selectbox(
        "Run", list(by_id), list(by_id).index(now), format_func=lambda name: title_of(by_id[name]), width=360,
        label_visibility="collapsed", key="explored-run",
    )  # fmt: skip
    if chosen != st.session_state.get("explored"):
        st.session_state.explored = chosen
    return by_id[chosen]


def title_of(run: Status) -> str:
    """Say what a run is: its preset or its family and data, and where it stands."""
    experiment = state.engine().experiment(run.run)
    preset = preset_of(experiment)
    name = PRESETS[preset].title if preset else f"{family(experiment.family).title}, {experiment.data.title}"
    return f"{name} · {run.run.rsplit('-', 1)[-1]} · step {run.step:,}"


def _moment(run: Status) -> Look:
    """Say and return the moment that the run is looked at, here as in its lab; its latest where that is the present."""
    at, folder = _shown(run), state.engine().folder(run.run)
    st.markdown(f"step {at:,}", width="content")
    st.space("stretch")
    if run.state in MOVING:
        st.button(
            "Now", icon=":material/photo_camera:", key="now", on_click=_now, args=(run.run,),
            help="Save the present moment of this run and look at it",
        )  # fmt: skip
    if st.button("Lab", icon=":material/science:", key="to-lab", help="Open this run in its lab"):
        st.switch_page(state.switch(run.run).page)
    return Look(run.run, at, folder.cuts() if folder else 0)


def _past(run: Status, look: Look) -> None:
    """Draw the past slider; a page without a stream is drawn anew once what it asked for has been carried out."""
    engine, folder = state.engine(), state.engine().folder(run.run)
    about = {"status": run.to_json(), "events": deeds(folder) if folder else []}
    action = live.past(run.run, token=engine.token, data=about, key="past")
    if action is not None and _shown(engine.status(run.run)) != look.step:
        st.rerun()


def _shown(run: Status) -> int:
    """Return the step of the saved moment that a run is looked at, of its latest where that is the present."""
    return run.past if run.past in run.keyframes else run.keyframes[-1]


def _now(run: str) -> None:
    try:
        state.engine().send(run, "look", step=None)
        state.engine().send(run, "keyframe")
    except EngineError as error:
        says.fail(error)


def _empty(about: str, suits: Callable[[Experiment], bool]) -> None:
    """Say what the page shows, and offer to train something for it to show."""
    first = opening(suits)
    with st.container(key="empty"):
        st.markdown(about)
        what = family(first.family).title
        label = f"Train a{'n' if what[0] in 'AEIOU' else ''} {what} on {first.data.title.lower()}"
        if st.button(label, type="primary", icon=":material/play_arrow:", key="begin"):
            begin(first)
        st.caption("Nothing has been trained yet that this page can show. This opens the lab and presses play.")


def opening(suits: Callable[[Experiment], bool]) -> Experiment:
    """Return what a page without runs offers to train: a preset that fits, on digits and generating if it can be."""
    fitting = [p.experiment for p in PRESETS.values() if suits(p.experiment) and not p.experiment.data.missing()]
    fitting = fitting or [place.opening for place in labs.PLACES.values() if suits(place.opening)]
    return max(fitting, key=lambda e: (e.dataset == "digits", labs.generates(e)))


def begin(experiment: Experiment) -> None:
    """Begin to train, in the lab where it is at home."""
    run = state.engine().prepare(experiment)
    try:
        state.engine().send(run, "play")
    except EngineError as error:
        says.fail(error)
    st.switch_page(state.switch(run).page)
