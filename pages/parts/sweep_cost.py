"""What a new sweep will take on this machine, measured while it is being put together; and its start."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.parts import background, plain, says, state
from playground.config import ConfigError
from playground.engine.sweep import sweeper
from playground.experiment import Experiment
from playground.store import StoreError
from playground.store.sweeps import Goal, Value
from playground.sweep_cost import Estimate, duration, estimate, room, size
from playground.sweep_plan import Plan, label, plan, said

TOLD = 12  # combinations left out that are named
POLL = 0.5


def card(base: Experiment, vary: dict[str, tuple[Value, ...]], aim: Goal, **how: int) -> None:
    """Draw what these choices cost and the button that starts them, or why they cannot be trained."""
    with st.container(key="sweep-cost", border=True):
        st.markdown("**What it will take**")
        try:
            made = plan(base, vary, goal=aim, **how)
            made.sweep()
            if missing := base.data.missing():
                raise ConfigError(missing)
        except ConfigError as error:
            st.warning(str(error), icon=":material/error:")
            st.button(
                "Start", icon=":material/play_arrow:", key="sweep-start", type="primary", disabled=True, width="stretch"
            )
            return
        workers = state.engine().launcher.limit
        key = ("sweep-cost", made.base.model_dump_json(), made.axes, made.combinations, made.runs, made.steps)
        _told(made, key, workers)
        _left_out(made)


@st.fragment(run_every=POLL)
def _measuring(made: Plan) -> None:
    if st.session_state["sweep-work"].done():
        st.rerun()
    _facts(made, None)


def _told(made: Plan, key: tuple[object, ...], workers: int) -> None:
    """Draw the estimate, or that it is being measured, in the same space."""
    work = st.session_state["sweep-work"] = background.ask(key, partial(estimate, made, workers))
    trouble = ""
    if not work.done():
        _measuring(made)
    else:
        try:
            found = work.result()
            _facts(made, found)
            room(state.engine().root, found.bytes)
        except ConfigError as error:
            trouble = str(error)
            st.warning(trouble, icon=":material/error:")
    st.button(
        f"Start {made.runs} runs" if made.runs > 1 else "Start 1 run", icon=":material/play_arrow:", key="sweep-start",
        type="primary", on_click=_start, args=(made,), disabled=bool(trouble), width="stretch",
    )  # fmt: skip


def _facts(made: Plan, found: Estimate | None) -> None:
    """Draw the figures; without an estimate yet, their places."""
    part = "" if len(made.combinations) == made.grid else f" of {made.grid}"
    combinations = f"{len(made.combinations)}{part} combinations × {len(made.seeds)} seed{'s'[: len(made.seeds) - 1]}"
    where = f"on {found.workers} worker{'s'[: found.workers - 1]} of this machine" if found else ""
    rows = [
        ["Runs", f"*{made.runs}", combinations],
        ["Steps", f"*{made.runs * made.steps:,}", f"{found.per_second:,.0f} a second, measured now" if found else "…"],
        ["Time", f"*about {duration(found.seconds)}" if found else "*measuring …", where],
        ["Disk", f"*about {size(found.bytes)}" if found else "*…", "curves and saved moments" if found else ""],
    ]
    plain.table(rows)


def _left_out(made: Plan) -> None:
    """Name the combinations that are not trained, with the reason."""
    if not made.left_out:
        return
    base, names = made.base, [axis.field for axis in made.axes]
    with st.expander(f"{len(made.left_out)} combinations are left out", key="sweep-out"):
        for out in made.left_out[:TOLD]:
            pairs = zip(names, out.values, strict=True)
            words = ", ".join(f"{label(base, name)} {said(base, name, value)}" for name, value in pairs)
            st.markdown(f":small[**{words}** {out.reason}]")
        if len(made.left_out) > TOLD:
            st.caption(f"and {len(made.left_out) - TOLD} more")


def _start(made: Plan) -> None:
    try:
        sweep = made.sweep()
        sweeper(state.engine()).start(sweep)
        st.session_state["sweep"] = sweep.id
    except (ConfigError, StoreError, OSError) as error:
        says.fail(error)
