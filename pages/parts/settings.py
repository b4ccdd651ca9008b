"""The settings column: data first, then the model's groups, then the run's; and the card that asks before a restart."""

from __future__ import annotations

import streamlit as st

from pages.parts import controls, datasets, edits, state, widgets
from playground.engine.graft import foretold
from playground.experiment import Experiment
from playground.families import family

DRAWN_ELSEWHERE = frozenset({"device"})  # in the title row
SIDE_BY_SIDE = 3  # families that fit in a row
OPEN_FIRST = 3  # groups open at first: those that mostly act at once, what a person turns while the picture moves


def column() -> None:
    """Draw the settings in the sidebar; touching one reruns only this column."""
    with st.sidebar:
        _panel()


@st.fragment
def _panel() -> None:
    if state.lab().stale:
        st.rerun()  # another run, a draft or an error: the rest of the page must follow
    _family()
    st.caption(f"{controls.LIVE} acts at once  ·  {controls.RESTART} restarts the run")
    fields = controls.groups(state.shown(), state.hidden() | DRAWN_ELSEWHERE)
    lively = [title for title, knobs in fields.items() if 2 * sum(k.live for k in knobs) >= len(knobs)][:OPEN_FIRST]
    for i, (title, knobs) in enumerate(fields.items()):
        controls.group(title, knobs, open_=i == 0 or title in lively, above=datasets.picker if i == 0 else None)
    state.sync_url()


def _family() -> None:
    """Draw the choice of family where the page is home to several."""
    names, now = state.place().families, state.shown().family
    if len(names) > 1 and "family" not in state.hidden():
        key = widgets.fresh_key("family", now)
        rest = {"key": key, "label_visibility": "collapsed", "on_change": _adopt, "args": (key,)}
        if len(names) > SIDE_BY_SIDE:
            st.selectbox("Family", names, names.index(now), format_func=lambda name: family(name).title, **rest)
        else:
            st.segmented_control(
                "Family", names, default=now, required=True, format_func=lambda name: family(name).title,
                width="stretch", **rest,
            )  # fmt: skip


def _adopt(key: str) -> None:
    if name := widgets.told(key):
        edits.adopt(name)


def pending() -> None:
    """Draw the card that names what waits for a restart, floating over the stage."""
    said = edits.changes()
    if not said:
        return
    forks = bool(state.engine().status(state.lab().run).keyframes)
    with st.container(key="pending"):
        st.markdown(f"**This restarts the run:** {', '.join(said[:3])}{' …' if len(said) > 3 else ''}")
        if forks and (kept := _kept(state.lab().run, state.shown())):
            st.markdown(f":gray[:small[**A fork instead:** {kept}]]")
        with st.container(horizontal=True, gap="small"):
            st.button("Restart", type="primary", icon=":material/restart_alt:", key="restart", on_click=edits.restart)
            if forks:
                st.button(
                    "Fork with these settings", icon=":material/fork_right:", key="fork-with",
                    on_click=edits.branch_with_changes,
                    help="A second run goes on from here and keeps what still fits, as said above; this one stays.",
                )  # fmt: skip
            st.button("Undo", icon=":material/undo:", key="undo", on_click=edits.undo)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Experiment: Experiment.to_json})
def _kept(run: str, draft: Experiment) -> str:
    """Say what a fork with the settings that wait would keep of a run's weights and optimisers."""
    folder = state.engine().folder(run)
    return foretold(folder, draft) if folder else ""
