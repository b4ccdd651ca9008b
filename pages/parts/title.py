"""The title row: preset picker, device, share link and "What am I looking at?"."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from pages.parts import controls, edits, keep, state, widgets
from playground.presets import PRESETS, preset_of

LESSONS = Path(__file__).parents[2] / "assets" / "lessons"


def row() -> None:
    """Draw the row of the present lab page; its widgets call `state` and need no return value."""
    with st.container(key="title-row", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"# {state.place().title}", width="content", anchors=False)
        if "presets" not in state.hidden():
            _presets()
        st.space("stretch")
        _device()
        keep.popover()
        with st.popover("Share", icon=":material/link:", key="share", on_change="rerun") as share:
            if share.open:
                _share()
        with st.popover("What am I looking at?", icon=":material/help:", key="help", on_change="rerun") as lesson:
            if lesson.open:
                st.markdown((LESSONS / f"{state.place().id}_lab.md").read_text(encoding="utf-8"))


def current() -> str | None:
    """Return the name of the preset that the page shows; None where settings were changed."""
    return preset_of(state.shown())


def _presets() -> None:
    names, now = list(state.place().presets), current()
    key = widgets.fresh_key("preset", now)
    st.selectbox(
        "Preset",
        names,
        names.index(now) if now else None,
        key=key,
        format_func=lambda name: f"{PRESETS[name].title} · {PRESETS[name].group}",
        placeholder="Your own settings",
        label_visibility="collapsed",
        width=360,
        on_change=_choose_preset,
        args=(key,),
        help=PRESETS[now].about if now else None,
    )


def _choose_preset(key: str) -> None:
    if name := widgets.told(key):
        edits.choose(PRESETS[name].experiment)


def _device() -> None:
    with st.container(key="device", horizontal=True, vertical_alignment="center", width="content"):
        st.caption("Device", width="content")
        controls.bare(state.shown().knobs()["device"])


def _share() -> None:
    names = [*state.place().parts, *(title.lower() for title in controls.groups(state.shown()))]
    hide = st.multiselect("Hide from whoever opens the link", names, default=sorted(state.hidden() & set(names)))
    query = {k: v for k, v in state.to_url().items() if k != "hide"} | ({"hide": ",".join(hide)} if hide else {})
    st.code(f"{st.context.url or ''}?{urlencode(query, safe=',')}", language=None, wrap_lines=True)
    st.caption(
        "Another window of this app shows this very run. Elsewhere the link makes the same experiment ready: "
        "the seed is in it, so it repeats number by number."
    )
