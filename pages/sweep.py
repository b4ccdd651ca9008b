"""Many runs at once: choose settings and values, see what that will take, and watch which combination does best."""

from __future__ import annotations

import streamlit as st

from pages.parts import says, state, sweep_form, sweep_view
from playground.engine.sweep import sweeper
from playground.store.sweeps import Sweep

NEW = "new"


def main() -> None:
    """Draw the page."""
    sweeps, broken = sweeper(state.engine()).all()
    with st.container(key="title-row", horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown("# Sweep", anchors=False, width="stretch")
        chosen = choose(sweeps)
    st.markdown("Every combination of a few settings is trained, and you see which does best.")
    says.say()
    for sentence in broken:
        st.warning(sentence, icon=":material/broken_image:")
    if chosen is None:
        sweep_form.form()
    else:
        sweep_view.show(chosen.id)


def choose(sweeps: list[Sweep]) -> Sweep | None:
    """Draw the choice among sweeps and a new one, and return it; a link names it."""
    there = {sweep.id: sweep for sweep in sweeps}
    if "sweep" not in st.session_state:
        linked = st.query_params.get("sweep")
        running = next((sweep.id for sweep in sweeps if sweep.state == "running"), None)
        st.session_state["sweep"] = linked if linked in there else running
    now = st.session_state["sweep"] if st.session_state["sweep"] in there else None
    if there:
        options = [NEW, *there]
        key = f"sweep-choice-{now}"  # shows what is chosen, also where a button chose it
        st.selectbox(
            "Sweep", options, options.index(now) if now else 0, key=key, width=300, label_visibility="collapsed",
            format_func=lambda name: "New sweep" if name == NEW else f"{there[name].name} · {name[-8:]}",
            on_change=_choose, args=(key,),
        )  # fmt: skip
    if now and st.query_params.get("sweep") != now:
        st.query_params["sweep"] = now
    elif not now and "sweep" in st.query_params:
        del st.query_params["sweep"]
    return there[now] if now else None


def _choose(key: str) -> None:
    st.session_state["sweep"] = None if st.session_state[key] == NEW else st.session_state[key]


main()
