"""The GAN lab: two networks learn on 2D data before your eyes; turn the knobs while they do."""

from __future__ import annotations

import streamlit as st

from pages.parts import curves, edits, labs, live, moment, settings, state, title

view, engine = state.enter(labs.GAN), state.engine()
status, experiment = engine.status(view.run), engine.experiment(view.run)
modes = experiment.data.modes()
about = {
    "status": status.to_json(),
    "seed": experiment.seed,
    "modes": None if modes is None else len(modes.centres),
    "live": [name for name, k in experiment.knobs().items() if k.live],
    "title": experiment.data.title,
}
title.row()
edits.act(live.transport(view.run, token=engine.token, data=about, key="transport"))
state.say()
settings.pending()
picture, reading = st.columns([20, 13], gap="medium")
with picture:
    edits.act(live.stage(view.run, token=engine.token, data=about, key="stage"))
with reading:
    if "verdict" not in state.hidden():
        edits.act(live.verdict(view.run, token=engine.token, data=about, key="verdict"))
    moment.line()
    if "curves" not in state.hidden():
        curves.panel(curves.GAN)
settings.column()
