"""A race on screen: its title and tools, one bar for all, a picture a racer, and what is equal and what is not."""

from __future__ import annotations

import secrets
from typing import Any

import streamlit as st

from pages.parts import labs, live, plain, race_setup, race_tools, state
from playground import racing
from playground.engine.race import Race
from playground.experiment import Experiment
from playground.figures import comparison
from playground.store.races import MOST, Card

COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}  # pictures side by side, by how many there are
LAYERS = {
    "real": "Real", "fake": "Fakes", "surface": "D(x)", "manifold": "Manifold", "arrows": "Arrows", "trails": "Trails",
}  # fmt: skip
GAME = ("path", "field")


def draw(race: Race) -> None:
    """Draw everything but the curves."""
    base = race.card.racers[0].experiment
    with st.container(key="title-row", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("# Race", width="content", anchors=False)
        st.markdown(f"**{race.card.title}**", width="stretch", help=equal(race.card))
        layers, picture = _looks(race, base)
        race_tools.draw(race)
    engine = state.engine()
    about = {"status": engine.status(race.card.id).to_json(), "players": [], "slow": False, "kind": base.data.kind}
    act(race, live.transport(race.card.id, token=engine.token, data=about, key="transport"))
    if race.together:
        _grid(race, base, layers, picture)
    _differences(race)


def act(race: Race, action: dict[str, Any] | None) -> None:
    """Follow what the bar asks of the page."""
    if action is None:
        return
    if action["do"] == "reset":
        race_tools.send(race, "reset")
    elif action["do"] == "fork":
        race_tools.branch(race, int(action["step"]))
        st.rerun()
    elif action["do"] == "new-seed":
        seed = secrets.randbelow(10_000)
        race_tools.send(race, "stop")
        race_setup.enter(reseeded(race.card, seed))
        st.rerun()


def reseeded(card: Card, seed: int) -> Card:
    """Return the same race from other random numbers; a race of seeds takes as many others."""
    first = card.racers[0].experiment
    if card.knob == "seed":
        return racing.plan(first, "seed", [seed + i for i in range(len(card.racers))])
    values = [racer.experiment.value(card.knob) for racer in card.racers]
    return racing.plan(first.changed(seed=seed), card.knob, values, card.title)


def pictures(base: Experiment) -> dict[str, str]:
    """Return the pictures that there are of such runs, by the part that draws them."""
    if labs.codes(base):
        return {"wall": "Reconstructions", "map": "Map of codings"}
    return {"samples": "Samples"} if base.data.kind == "images" else {"stage": "Stage"}


def _looks(race: Race, base: Experiment) -> tuple[list[str], str]:
    """Draw what to show in all pictures, and return it: layers of a stage, or which picture."""
    kinds = pictures(base)
    if not race.together:
        return [], next(iter(kinds))
    if len(kinds) > 1:
        shown = st.segmented_control(
            "Picture", list(kinds), default=next(iter(kinds)), required=True, format_func=kinds.__getitem__,
            key="race-picture", label_visibility="collapsed",
        )  # fmt: skip
        return [], shown or next(iter(kinds))
    if "stage" not in kinds:
        return [], next(iter(kinds))
    if base.data.players() is not None:
        return list(GAME), "stage"
    on = st.pills(
        "Layers", list(LAYERS), selection_mode="multi", default=["real", "fake", "surface"], key="race-layers",
        format_func=LAYERS.__getitem__, label_visibility="collapsed",
    )  # fmt: skip
    return list(on), "stage"


def _grid(race: Race, base: Experiment, layers: list[str], picture: str) -> None:
    engine, racers = state.engine(), race.card.racers
    across = COLUMNS[len(racers)]
    modes = base.data.modes()
    parts = len(modes.centres) if modes else len(base.data.classes)
    with st.container(key="racers"):
        rows = [racers[i : i + across] for i in range(0, len(racers), across)]
        for r, row in enumerate(rows):
            for c, (column, racer) in enumerate(zip(st.columns(across, gap="small"), row, strict=False)):
                if racer.run not in race.left():
                    column.markdown(f":gray[**{racer.label}** was deleted.]")
                    continue
                hue, dash = comparison.look(r * across + c)
                about = {
                    "status": engine.status(racer.run).to_json(), "label": racer.label, "colour": hue, "dash": dash,
                    "rows": len(rows), "picture": picture, "layers": layers, "parts": parts or None,
                    "kind": base.data.kind, "classes": list(base.data.classes), "title": racer.label,
                }  # fmt: skip
                with column:
                    live.racer(racer.run, token=engine.token, data=about, key=f"racer-{r * across + c}")


@st.cache_data(max_entries=50, show_spinner=False)
def _starts(_card: Card, race: str) -> str:
    return racing.starts([racer.experiment for racer in _card.racers]).sentence


def equal(card: Card) -> str:
    """Say what the racers share before their first step."""
    return _starts(card, card.id)


def _differences(race: Race) -> None:
    """Draw the settings in which the runs differ now; what was to differ is strong, anything else was done to one."""
    card, engine = race.card, state.engine()
    runs = [racer for racer in card.racers if racer.run in race.left()]
    rows = comparison.differences([engine.experiment(racer.run) for racer in runs])
    label = card.racers[0].experiment.knobs()[card.knob].label
    with st.container(key="race-differences"):
        only = f"One setting differs: **{label}**." if [row.label for row in rows] == [label] else "What differs:"
        st.markdown(f"{only} {equal(card)}")
        if len(card.racers) <= MOST and len(rows) > 1:
            names = [f"*{racer.label}" for racer in runs]
            plain.table(
                [["", *names], *([f"*{row.label}" if row.label == label else row.label, *row.values] for row in rows)]
            )
