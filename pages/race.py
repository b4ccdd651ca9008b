"""Race: runs side by side from the same start, one setting different, driven by one bar."""

from __future__ import annotations

import streamlit as st

from pages.parts import race_curves, race_setup, race_view, says, state
from playground.engine import EngineError


def main() -> None:
    """Draw the race that the session or its link names, else the choice of one."""
    name = st.session_state.setdefault("race", st.query_params.get("race"))
    try:
        race = state.engine().races.get(name) if name else None
    except EngineError as error:
        st.session_state.race, race = None, None
        says.fail(error)
    says.say()
    wanted = {"race": race.card.id} if race else {}
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)
    if race is None:
        race_setup.draw()
    else:
        race_view.draw(race)
        race_curves.draw(race)


main()
