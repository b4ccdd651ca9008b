"""The choice of a race: ready ones, one's own, and those that were run before."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts import labs, race_list, says, state
from playground import racing
from playground.config import ConfigError, Knob
from playground.engine import EngineError
from playground.experiment import Experiment
from playground.presets import PRESETS
from playground.race_presets import RACES
from playground.store.races import MOST, Card

SEEDS = (3, 12)  # how many a race of seeds may have
OPENS_WITH = ("loss", "codings", "beta")  # the knob that is offered first, of those there are
ICON = ":material/sports_score:"


def draw() -> None:
    """Draw the page without a race."""
    with st.container(key="title-row", horizontal=True, vertical_alignment="center"):
        st.markdown("# Race", anchors=False)
    st.markdown(
        "Runs side by side: the same first weights, the same batches in the same order, one setting different. "
        "What you then see is that setting's doing."
    )
    _ready()
    _own()
    race_list.draw()


def enter(card: Card, until: int = 0) -> None:
    """Make a race ready and go to it."""
    engine = state.engine()
    try:
        engine.races.start(card)
        if until:
            engine.send(card.id, "until", steps=until)
    except (ConfigError, EngineError) as error:
        says.fail(error)
    else:
        st.session_state.race = card.id


def _ready() -> None:
    st.markdown("**Ready for class**")
    with st.container(key="ready-races"):
        for column, (name, race) in zip(st.columns(len(RACES)), RACES.items(), strict=True):
            with column.container(border=True, height="stretch", key=f"ready-{name}"):
                st.markdown(f"**{race.title}**  \n:small[{race.about}]")
                st.button("Line up", key=f"line-up-{name}", icon=ICON, on_click=_line_up, args=(name,))


def _line_up(name: str) -> None:
    try:
        enter(RACES[name].card, until=RACES[name].steps)
    except ConfigError as error:
        says.fail(error)


def _own() -> None:
    st.markdown("**Your own**")
    left, middle, right = st.columns([3, 3, 4], gap="medium", vertical_alignment="top")
    with left:
        bases = _bases()
        base = bases[st.selectbox("Everything as in", list(bases), key="race-base")]
    fields = racing.raced(base)
    first = next((name for name in OPENS_WITH if name in fields), "seed")
    with middle:
        knob = st.selectbox(
            "One setting different", list(fields), list(fields).index(first), key=f"race-knob-{base.data.kind}",
            format_func=lambda name: f"{fields[name].label} · {fields[name].group}",
        )  # fmt: skip
    with right:
        values = _values(base, knob, fields[knob])
    _start(base, knob, values)


def _bases() -> dict[str, Experiment]:
    """Return what a race may be made of: what the labs look at now, then the presets."""
    found = {}
    for place, view in state.labs().items():
        found[f"{labs.PLACES[place].title}: as it is now"] = state.engine().experiment(view.run)
    return found | {f"{preset.title} · {preset.group}": preset.experiment for preset in PRESETS.values()}


def _values(base: Experiment, knob: str, k: Knob) -> list[Any]:
    """Draw the choice of values and return them; numbers may be written in."""
    key, suggested = f"race-values-{base.family}-{base.data.kind}-{knob}", racing.suggested(base, knob)
    if knob == "seed":
        n = st.slider("Seeds", *SEEDS, 6, key=key, help=f"Up to {MOST} side by side; more go one after the other.")
        return [base.seed + i for i in range(n)]
    if k.kind == "bool":
        st.markdown("Values  \n**off** and **on**")
        return [False, True]
    if k.kind == "choice":
        return st.multiselect("Values", k.choices, suggested, format_func=k.said, max_selections=MOST, key=key)
    texts = [k.said(value) for value in suggested]
    chosen = st.multiselect(
        "Values", texts, texts, max_selections=MOST, key=key, accept_new_options=True, placeholder="Write a number",
        help=f"Takes {k.domain()}. Write others and press Enter.",
    )  # fmt: skip
    try:
        return [k.parse(text) for text in chosen]
    except ConfigError as error:
        st.markdown(f":red[{error}]")
        return []


def _start(base: Experiment, knob: str, values: list[Any]) -> None:
    """Say what the race would be, and draw the button that makes it ready."""
    try:
        card = racing.plan(base, knob, values)
        missing = base.data.missing()
    except ConfigError as error:
        card, missing = None, str(error)
    with st.container(key="race-start", horizontal=True, vertical_alignment="center", gap="medium"):
        st.button(
            "Line up", type="primary", icon=ICON, key="line-up", disabled=bool(missing),
            on_click=enter, args=(card, 0 if card is None or len(values) <= MOST else base.steps or 2000),
        )  # fmt: skip
        if card is None or missing:
            st.markdown(f":gray[{missing}]", width="stretch")
        else:
            label = base.knobs()[knob].label
            runs = ", ".join(f"**{racer.label}**" for racer in card.racers)
            st.markdown(f"{len(values)} runs, one setting different ({label}): {runs}.", width="stretch")
