"""What one browser session looks at: for each lab page its run, the draft that waits for a restart, and their URL.

The engine's current experiment is the truth; widgets are filled from it on every rerun, so an edit from a cure
button or from a second window shows here too.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

import playground.engine
from pages.parts.labs import PLACES, Place, home_of
from pages.parts.says import said
from playground.config import ConfigError
from playground.engine import EngineError
from playground.experiment import Experiment
from playground.presets import PRESETS

OWN = ("run", "preset", "hide")  # names in the URL that are the page's, not the experiment's


@dataclass
class Lab:
    """What a lab page looks at: `draft` is the experiment that a restart would begin, None while nothing waits."""

    run: str
    draft: Experiment | None = None
    stale: bool = False  # a fragment did something that the whole page must follow


def engine() -> playground.engine.Engine:
    """Return the process's engine."""
    return playground.engine.get_engine()


def enter(place: Place) -> Lab:
    """Make a lab page the present one, opened from the URL at first; return its view, with a run that exists.

    A link to what is at home on another page goes there.
    """
    if place.id not in labs():
        query = {} if labs() else dict(st.query_params)  # what the first page of a session was opened with
        st.session_state.setdefault("hide", hidden_names(query.get("hide", "")))
        view = from_url(query, place)
        home = home_of(engine().experiment(view.run))
        labs()[home.id] = view
        if home is not place:
            st.switch_page(home.page)
    st.session_state.place, st.session_state.lab = place.id, labs()[place.id]
    try:
        engine().status(lab().run)
    except EngineError as error:  # deleted meanwhile
        st.session_state.lab = labs()[place.id] = from_url({}, place)
        said().notices.append(str(error))
    return lab()


def labs() -> dict[str, Lab]:
    """Return the session's views by lab page."""
    return st.session_state.setdefault("labs", {})


def lab() -> Lab:
    """Return the view of the present lab page."""
    return st.session_state.lab


def place() -> Place:
    """Return the present lab page."""
    return PLACES[st.session_state.place]


def from_url(query: dict[str, str], place: Place) -> Lab:
    """Find the run that a link names, else make its experiment ready; what could not be used is said in notices."""
    notices = said().notices
    rest = {key: value for key, value in query.items() if key not in OWN}
    if "run" in query:
        try:
            return Lab(engine().reopen(query["run"]).run)
        except EngineError:
            notices.append("The run in the link is no longer here: a fresh one with the same settings is ready.")
    if "preset" in query and query["preset"] not in PRESETS:
        notices.append(f"There is no preset {query['preset']!r}: this is the opening one.")
    if rest or "run" in query:
        begin = {} if "f" in rest else {"f": place.opening.family, "d": place.opening.dataset}
        experiment, more = Experiment.from_query(begin | rest)
        notices += more
    else:
        experiment = PRESETS[query["preset"]].experiment if query.get("preset") in PRESETS else place.opening
    return Lab(engine().prepare(_at_hand(experiment)))


def _at_hand(experiment: Experiment) -> Experiment:
    """Return an experiment whose data is here: what a link names may be missing on this machine."""
    try:
        experiment.data.held_out(1, 0)
        return experiment
    except ConfigError as error:
        said().notices.append(str(error))
        return experiment.on(home_of(experiment).opening.dataset)


def hidden_names(text: str) -> frozenset[str]:
    """Read `hide=group,field`, lower case."""
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def to_url() -> dict[str, str]:
    """Return the query that brings this run, its settings and its hidden controls back."""
    query = {"run": lab().run} | engine().experiment(lab().run).to_query()
    return query | ({"hide": ",".join(sorted(hidden()))} if hidden() else {})


def sync_url() -> None:
    """Write the URL if it says something else than the page."""
    if dict(st.query_params) != (wanted := to_url()):
        st.query_params.from_dict(wanted)


def hidden() -> frozenset[str]:
    """Return what the link hides: names of groups, fields and parts of the page, lower case."""
    return st.session_state.get("hide", frozenset())


def shown() -> Experiment:
    """Return the experiment that the controls show: the draft where one waits, else the run's."""
    return lab().draft or engine().experiment(lab().run)


def switch(run: str) -> Place:
    """Look at another run; return the lab page where it is at home."""
    home = home_of(engine().experiment(run))
    labs()[home.id] = Lab(run)
    return home
