"""A new sweep: what it starts from, which settings vary and how, and by what its runs are ranked."""

from __future__ import annotations

import streamlit as st

from pages.parts import labs, state, sweep_cost, sweep_values
from playground.config import Knob
from playground.experiment import Experiment
from playground.figures.comparison import named
from playground.presets import PRESETS
from playground.store.sweeps import Goal, Value
from playground.sweep_goals import READINGS, goals
from playground.sweep_plan import MOST_AXES, fields

FIRST = ("lr_g", "loss", "lr", "codings", "lr_d")  # what is varied at first, where the experiment has it


def form() -> None:
    """Draw the choices on the left, their cost on the right."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        base = _base()
        vary = _axes(base)
        with st.container(key="sweep-how", horizontal=True, vertical_alignment="bottom", gap="medium"):
            steps = st.number_input(
                "Steps of each run", 10, 1_000_000, min(2000, _steps(base)), 100, key="sweep-steps", width=150
            )
            seeds = st.number_input(
                "Seeds", 1, 5, 1, key="sweep-seeds", width=110, help="Runs of each combination: how sure a number is."
            )
            pick = st.number_input(
                "At most, at random", 0, 500, 0, key="sweep-pick", width=150,
                help="Train only so many combinations, drawn at random from the grid; 0 trains all of them.",
            )  # fmt: skip
        with st.container(key="sweep-goal", horizontal=True, vertical_alignment="bottom", gap="medium"):
            aim = goal(goals(base), "sweep-goal")
    with right:
        sweep_cost.card(base, vary, aim, steps=int(steps), seeds=int(seeds), pick=int(pick))


def goal(there: dict[str, bool], key: str, now: Goal | None = None) -> Goal:
    """Draw the choice of what runs are ranked by."""
    names = list(there)
    metric = st.selectbox(
        "Rank by", names, names.index(now.metric) if now and now.metric in names else 0, key=f"{key}-metric",
        format_func=lambda name: f"{named(name)} · {'higher' if there[name] else 'lower'} is better", width=340,
    )  # fmt: skip
    reading = st.segmented_control(
        "Of each run, the value", list(READINGS), default=now.reading if now else "last", required=True,
        format_func=lambda name: READINGS[name].capitalize(), key=f"{key}-reading",
    )  # fmt: skip
    return Goal(metric=metric, reading=reading or "last", higher=there[metric])


def _base() -> Experiment:
    """Draw the choice of what the sweep starts from."""
    open_ = {f"lab:{name}": view for name, view in state.labs().items()}
    names = [*open_, *PRESETS]

    def words(name: str) -> str:
        if name in open_:
            return f"What the {labs.PLACES[name.removeprefix('lab:')].title} shows"
        return f"{PRESETS[name].title} · {PRESETS[name].group}"

    name = st.selectbox("Start from", names, key="sweep-base", format_func=words)
    if name in open_:
        view = open_[name]
        st.caption("Its data, model and settings, as they stand there now.")
        return view.draft or state.engine().experiment(view.run)
    st.caption(PRESETS[name].about)
    return PRESETS[name].experiment


def _steps(base: Experiment) -> int:
    return next((p.steps for p in PRESETS.values() if p.experiment == base), base.steps or 2000)


def _axes(base: Experiment) -> dict[str, tuple[Value, ...]]:
    """Draw a row for each setting that varies."""
    there = fields(base)
    first = [name for name in FIRST if name in there] or list(there)[1:2]
    chosen: list[str] = [n for n in st.session_state.setdefault("sweep-fields", first[:2]) if n in there] or first[:1]
    st.session_state["sweep-fields"] = chosen
    vary: dict[str, tuple[Value, ...]] = {}
    for i, name in enumerate(chosen):
        with st.container(key=f"sweep-axis-{i}", horizontal=True, vertical_alignment="bottom", gap="small"):
            _field(there, chosen, i)
            vary[name] = sweep_values.editor(base, there[name])
            st.button(
                "", icon=":material/close:", key=f"sweep-drop-{i}", type="tertiary", disabled=len(chosen) == 1,
                help="Vary this setting no more", on_click=_drop, args=(name,),
            )  # fmt: skip
    if len(chosen) < MOST_AXES:
        free = next(name for name in [*FIRST, *there] if name in there and name not in chosen)
        st.button(
            "Vary another setting", icon=":material/add:", key="sweep-add", type="tertiary", on_click=_add, args=(free,)
        )
    return vary


def _field(there: dict[str, Knob], chosen: list[str], i: int) -> None:
    """Draw the choice of the i-th setting."""
    names = [name for name in there if name == chosen[i] or name not in chosen]
    key = f"sweep-field-{i}-{chosen[i]}"
    st.selectbox(
        f"Setting {i + 1}", names, names.index(chosen[i]), key=key, width=240, help=there[chosen[i]].help,
        format_func=lambda name: f"{there[name].label} · {there[name].group}", on_change=_choose, args=(i, key),
    )  # fmt: skip


def _choose(i: int, key: str) -> None:
    st.session_state["sweep-fields"][i] = st.session_state[key]


def _add(name: str) -> None:
    st.session_state["sweep-fields"].append(name)


def _drop(name: str) -> None:
    st.session_state["sweep-fields"].remove(name)
