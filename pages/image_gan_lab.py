"""The image GAN lab: two networks learn to make images; the same noise all along shows how they come into being."""

from __future__ import annotations

import streamlit as st

from pages.parts import curves, edits, first, labs, live, moment, says, settings, state, title

view, token = state.enter(labs.IMAGES), state.engine().token
about = first.paint()
title.row()
edits.act(live.transport(view.run, token=token, data=about, key="transport"))
says.say()
settings.pending()
picture, reading = st.columns([21, 12], gap="medium")
with picture:
    edits.act(live.samples(view.run, token=token, data=about, key="samples"))
with reading:
    if "verdict" not in state.hidden():
        edits.act(live.verdict(view.run, token=token, data=about, key="verdict"))
    moment.line()
    if "curves" not in state.hidden():
        curves.panel(curves.IMAGES)
settings.column()
