"""What one browser session looks at: its run, the draft that waits for a restart, and their form in the URL.

The engine's current experiment is the truth; widgets are filled from it on every rerun, so an edit from a cure
button or from a second window shows here too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import streamlit as st

import playground.engine
from playground.config import ConfigError
from playground.engine import EngineError
from playground.experiment import Experiment
from playground.presets import PRESETS

OPENING = next(iter(PRESETS))  # what the app opens on
SHOWN = 10.0  # seconds that a sentence stays, as in the stylesheet
OWN = ("run", "preset", "hide")  # names in the URL that are the page's, not the experiment's


@dataclass
class Lab:
    """A session's view: `draft` is the experiment that a restart would begin, None while nothing waits."""

    run: str
    draft: Experiment | None = None
    notices: list[str] = field(default_factory=list)
    error: str = ""
    until: float = 0.0  # when a sentence has been shown for long enough, on the monotonic clock
    stale: bool = False  # a fragment did something that the whole page must follow


def engine() -> playground.engine.Engine:
    """Return the process's engine."""
    return playground.engine.get_engine()


def lab() -> Lab:
    """Return the session's view, opened from the URL on its first call."""
    if "lab" not in st.session_state:
        st.session_state.lab = from_url(dict(st.query_params))
        st.session_state.hide = hidden_names(st.query_params.get("hide", ""))
    return st.session_state.lab


def there() -> Lab:
    """Return the session's view with a run that exists: one that was deleted meanwhile gives way to a fresh one."""
    try:
        engine().status(lab().run)
    except EngineError as error:
        st.session_state.lab = from_url({})
        lab().notices.append(str(error))
    return lab()


def from_url(query: dict[str, str]) -> Lab:
    """Find the run that a link names, else make its experiment ready; what could not be used is said in notices."""
    notices: list[str] = []
    rest = {key: value for key, value in query.items() if key not in OWN}
    if "run" in query:
        try:
            return Lab(engine().reopen(query["run"]).run)
        except EngineError:
            notices.append("The run in the link is no longer here: a fresh one with the same settings is ready.")
    if "preset" in query and query["preset"] not in PRESETS:
        notices.append(f"There is no preset {query['preset']!r}: this is the opening one.")
    if rest or "run" in query:
        experiment, more = Experiment.from_query(rest)
        notices += more
    else:
        experiment = PRESETS[query["preset"] if query.get("preset") in PRESETS else OPENING].experiment
    try:
        experiment.data.extent  # noqa: B018  # points of one's own may be missing: nobody has put them on this machine
    except ConfigError as error:
        notices.append(str(error))
        experiment = experiment.on(PRESETS[OPENING].experiment.dataset)
    return Lab(engine().prepare(experiment), notices=notices)


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


def fail(error: Exception) -> None:
    """Keep a sentence for `say`."""
    lab().error, lab().until, lab().stale = str(error), 0.0, True


def switch(run: str) -> None:
    """Look at another run."""
    st.session_state.lab = Lab(run)


def say() -> None:
    """Show what could not be done or used, one sentence each, for some seconds; the card floats, so nothing moves."""
    view, now = lab(), time.monotonic()
    if (view.error or view.notices) and not view.until:
        view.until = now + SHOWN
    elif now > view.until:
        view.error, view.notices, view.until = "", [], 0.0
    with st.container(key="said"):
        if view.error:
            st.error(view.error, icon=":material/error:")
        for notice in view.notices:
            st.warning(notice, icon=":material/link_off:")
    view.stale = False
