"""The autoencoder lab: items are squeezed into a few numbers and built again, while the map of codings takes shape."""

from __future__ import annotations

import streamlit as st

from pages.parts import curves, edits, first, labs, live, moment, says, settings, state, title

view, token = state.enter(labs.AUTOENCODER), state.engine().token
about = first.paint()
title.row()
edits.act(live.transport(view.run, token=token, data=about, key="transport"))
says.say()
settings.pending()
picture, reading = st.columns([20, 12], gap="medium")
with picture:
    edits.act(live.wall(view.run, token=token, data=about, key="wall"))
    if "curves" not in state.hidden():
        with st.container(key="lab-curves"):
            curves.panel(curves.CODING)
with reading:
    if "map" not in state.hidden():
        edits.act(live.latent_map(view.run, token=token, data=about, key="map"))
    if "verdict" not in state.hidden():
        edits.act(live.verdict(view.run, token=token, data=about, key="verdict"))
    moment.line()
settings.column()
