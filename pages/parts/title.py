"""The title row: preset picker, device, share link and "What am I looking at?"."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from pages.parts import controls, edits, state, widgets
from playground.experiment import Experiment
from playground.presets import PRESETS

LESSON = Path(__file__).parents[2] / "assets" / "lessons" / "gan_lab.md"
PARTS = ("presets", "verdict", "curves")  # parts of the page that a link can hide


def row(heading: str) -> None:
    """Draw the row; its widgets call `state` and need no return value."""
    with st.container(key="title-row", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"# {heading}", width="content", anchors=False)
        if "presets" not in state.hidden():
            _presets()
        st.space("stretch")
        _device()
        with st.popover("Share", icon=":material/link:", key="share", on_change="rerun") as share:
            if share.open:
                _share()
        with st.popover("What am I looking at?", icon=":material/help:", key="help", on_change="rerun") as lesson:
            if lesson.open:
                st.markdown(LESSON.read_text(encoding="utf-8"), unsafe_allow_html=False)


def current() -> str | None:
    """Return the name of the preset that the page shows; None where settings were changed."""
    return preset_of(state.shown())


def preset_of(experiment: Experiment) -> str | None:
    """Return the name of the preset that an experiment is, seed, device and steps aside."""
    aside = {"seed": experiment.seed, "device": experiment.device, "steps": experiment.steps}
    return next((name for name, p in PRESETS.items() if p.experiment.changed(**aside) == experiment), None)


def _presets() -> None:
    key = widgets.fresh_key("preset", current())
    st.selectbox(
        "Preset",
        list(PRESETS),
        list(PRESETS).index(current()) if current() else None,
        key=key,
        format_func=lambda name: f"{PRESETS[name].group}: {PRESETS[name].title}",
        placeholder="Your own settings",
        label_visibility="collapsed",
        width=360,
        on_change=_choose_preset,
        args=(key,),
        help=PRESETS[current()].about if current() else None,
    )


def _choose_preset(key: str) -> None:
    if name := widgets.told(key):
        edits.choose(PRESETS[name].experiment)


def _device() -> None:
    with st.container(key="device", width=120):
        controls.bare(state.shown().knobs()["device"])


def _share() -> None:
    names = [*PARTS, *(title.lower() for title in controls.groups(state.shown()))]
    hide = st.multiselect("Hide from whoever opens the link", names, default=sorted(state.hidden() & set(names)))
    query = {k: v for k, v in state.to_url().items() if k != "hide"} | ({"hide": ",".join(hide)} if hide else {})
    st.code(f"{st.context.url or ''}?{urlencode(query, safe=',')}", language=None, wrap_lines=True)
    st.caption(
        "Another window of this app shows this very run. Elsewhere the link makes the same experiment ready: "
        "the seed is in it, so it repeats number by number."
    )
