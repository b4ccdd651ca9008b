"""The races that were run before, with the way back into them."""

from __future__ import annotations

import streamlit as st

from pages.parts import says, state
from playground.engine import EngineError

LATEST = 6  # races shown


def draw() -> None:
    """Draw the latest races; nothing where there are none."""
    engine = state.engine()
    cards = engine.races.cards()[:LATEST]
    if not cards:
        return
    st.markdown("**Earlier races**")
    for card in cards:
        with st.container(key=f"run-{card.id}", horizontal=True, vertical_alignment="center", gap="small"):
            try:
                status = engine.status(card.id)
            except EngineError as error:
                says.fail(error)
                continue
            st.badge(status.state, color="gray", width=88)
            data = card.racers[0].experiment.data.title
            st.markdown(
                f"**{card.title}** :gray[:small[{data} · {len(card.racers)} runs · step {status.step:,}]]",
                width="stretch",
            )
            if st.button("Open", key=f"open-{card.id}", icon=":material/open_in_full:"):
                st.session_state.race = card.id
                st.rerun()
