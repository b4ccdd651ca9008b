"""What can be done to a whole race beside driving it: a live setting for all, pinning, another race."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts import says, state
from playground.config import ConfigError, Knob, knobs
from playground.engine import EngineError
from playground.engine.race import Race
from playground.experiment import Experiment


def draw(race: Race) -> None:
    """Draw the tools in the title row."""
    with st.popover("Set for all", icon=":material/tune:", key="set-all", on_change="rerun") as box:
        if box.open:
            _setter(race)
    st.toggle(
        "Pin", race.pinned, key=f"pin-{race.card.id}", help="A pinned race goes on when nobody watches.",
        on_change=_pin, args=(race,),
    )  # fmt: skip
    st.button("Another race", icon=":material/add:", key="another-race", on_click=_leave)


def send(race: Race, verb: str, **args: Any) -> None:
    """Tell the race something; what it has against it is said."""
    try:
        state.engine().send(race.card.id, verb, **args)
    except (ConfigError, EngineError) as error:
        says.fail(error)


def branch(race: Race, step: int) -> None:
    """Go on with a second race from a saved moment; the first one stays as it is."""
    try:
        st.session_state.race = state.engine().races.fork(race.card.id, step)
    except EngineError as error:
        says.fail(error)


def live_fields(race: Race, now: Experiment) -> dict[str, Knob]:
    """Return the fields that may change for all racers while they train."""
    found = {}
    for part in (now.model, now.data):
        for name, k in knobs(type(part)).items():
            if k.live and k.kind != "text" and name != race.card.knob and k.matters(part, now.data.kind):
                found[name] = k
    return found


def _setter(race: Race) -> None:
    now = state.engine().experiment(race.left()[0])
    fields = live_fields(race, now)
    name = st.selectbox(
        "Setting", list(fields), format_func=lambda n: f"{fields[n].label} · {fields[n].group}", key="set-field"
    )
    k, value = fields[name], now.value(name)
    key = f"set-{name}"
    if k.kind == "choice":
        wanted: Any = st.selectbox("Value", k.choices, k.choices.index(value), format_func=k.said, key=key)
    elif k.kind == "bool":
        wanted = st.toggle(k.label, value, key=key)
    else:
        kind = int if k.kind == "int" else float
        low, high = (None if end is None else kind(end) for end in (k.low, k.high))
        wanted = st.number_input("Value", low, high, kind(value), format="%d" if kind is int else "%.4g", key=key)
    st.caption(f"All racers take it at the same step. Now: {k.said(value)}.")
    if st.button("Set for all", type="primary", key="set-go") and wanted is not None and wanted != value:
        send(race, "set", values={name: wanted})
        st.rerun()


def _pin(race: Race) -> None:
    state.engine().pin(race.card.id, st.session_state[f"pin-{race.card.id}"])


def _leave() -> None:
    st.session_state.race = None
    st.query_params.clear()
