"""Controls made from a schema: every field that `knob` declares becomes a widget. No family or data set is named here.

A field is a head (label, live or restart mark, the way back to its default) over its widget; numbers get a slider and
a box to type in. Widgets hold no truth. One that shows something else than the experiment gives way to a fresh one:
setting its value instead would race with the browser, which may still report the old value as if somebody chose it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.parts import state
from playground.config import Knob, knobs
from playground.experiment import Experiment

LIVE, RESTART = ":primary[●]", ":gray[○]"
NOTHING = object()  # what a widget that was never drawn says
TICKS = 100  # positions of a slider without a step of its own
BESIDE = 16  # characters of the longest choice that still fits beside its label
BOX = 92  # pixels: narrow enough that the stepping buttons give their room to the digits


def groups(experiment: Experiment, hidden: frozenset[str] = frozenset()) -> dict[str, list[Knob]]:
    """Return the fields that matter and are not hidden by group: data first, then the model's, then the run's.

    A text is no dial: what needs one (the name of uploaded points) has a way of its own to give it.
    """
    found: dict[str, list[Knob]] = {}
    for part in (experiment.data, experiment.model, experiment):
        for k in knobs(type(part)).values():
            if k.kind != "text" and k.matters(part) and not {k.name, k.short, k.group.lower()} & hidden:
                found.setdefault(k.group or "Other", []).append(k)
    return found


def group(title: str, fields: list[Knob], open_: bool, above: Callable[[], None] | None = None) -> None:
    """Draw a group that collapses; its fields are drawn only while it is open."""
    changed = sum(state.shown().value(k.name) != k.default for k in fields)
    label = f"**{title}**" + (f" :gray[:small[{changed} changed]]" if changed else "")
    with st.expander(label, expanded=open_, key=f"group-{title.lower()}", on_change="rerun") as box:
        if box.open:
            if above:
                above()
            for k in fields:
                control(k)


def control(k: Knob) -> None:
    """Draw one field: label with mark and help, widget, and, where it was changed, its default as the way back."""
    value, beside = state.shown().value(k.name), all(len(label) <= BESIDE for label in k.choice_labels)
    with st.container(key=f"field-{k.name}", gap=None):
        with st.container(key=f"head-{k.name}", horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"{LIVE if k.live else RESTART} {k.label}", help=about(k), width="stretch")
            if k.kind in ("int", "float"):
                _box(k, value)
            elif k.kind == "bool":
                _toggle(k, value)
            elif k.kind == "choice" and beside:
                _choice(k, value)
            if (
                value != k.default
            ):  # drawn last, so that its coming and going moves no other element; shown in the middle
                st.button(
                    "↺" if beside and k.kind == "choice" else f"↺ {text_of(k, k.default)}",
                    key=f"back-{k.name}",
                    type="tertiary",
                    help=f"Back to the default, {text_of(k, k.default)}",
                    on_click=state.edit,
                    kwargs={k.name: k.default},
                )
        if k.kind in ("int", "float"):
            _slider(k, value)
        elif k.kind == "choice" and not beside:
            _choice(k, value)


def about(k: Knob) -> str:
    """Return a field's help with what it takes, when it acts and its paper, as markdown."""
    acts = "Acts on the running model at once." if k.live else "A change restarts the run."
    return "\n\n".join(
        t for t in (k.help, f"Takes {k.domain()}{k.unit and ' ' + k.unit}. {acts}", k.paper and f"*{k.paper}*") if t
    )


def text_of(k: Knob, value: Any) -> str:
    """Return a value as a person reads it."""
    if k.kind == "choice":
        return dict(zip(k.choices, k.choice_labels, strict=True)).get(value, str(value))
    if k.kind == "bool":
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


# -- numbers: a slider and a box over one value --------------------------------------------------------------------


def position(k: Knob, value: float) -> float:
    """Return where a value stands on its slider: the value, or its base-10 logarithm (0 stands a decade below)."""
    return value if k.scale == "linear" else math.log10(max(value, floor_of(k)))


def at(k: Knob, where: float) -> float:
    """Return the value at a slider position, within the range; log sliders take round values, whole ones octaves."""
    if k.scale == "log":
        if (k.low or 0) <= 0 and where <= math.log10(floor_of(k)):
            where = 0.0
        else:
            where = octave(10**where) if k.kind == "int" else float(f"{10**where:.2g}")
    value = min(max(where, k.low or 0), k.high or 0)
    return round(value) if k.kind == "int" else float(f"{value:.10g}")


def octave(x: float) -> float:
    """Return the nearest of 1, 2, 3, 4, 6, 8, 12, 16, 24, ...: sizes that people choose."""
    low = 2.0 ** math.floor(math.log2(max(x, 1.0)))
    return min((low, 1.5 * low, 2 * low), key=lambda size: abs(math.log(size / max(x, 1.0))))


def floor_of(k: Knob) -> float:
    """Return the smallest value above zero that a log slider shows."""
    return k.low if k.low else (1.0 if k.kind == "int" else (k.step or (k.high or 1) / 1e5))


def _slider(k: Knob, value: float) -> None:
    if k.low is None or k.high is None:
        return
    low, high = position(k, k.low or 0), position(k, k.high or 0)
    step: float = 0.01 if k.scale == "log" else k.step or (1 if k.kind == "int" else (high - low) / TICKS)
    whole = k.kind == "int" and k.scale == "linear"
    where = int(value) if whole else float(min(max(position(k, value), low), high))
    key = fresh_key(f"slide-{k.name}", value, lambda where: at(k, where))
    bounds = (int(low), int(high), int(step)) if whole else (float(low), float(high), float(step))
    st.slider(
        k.label, bounds[0], bounds[1], where, bounds[2], key=key, label_visibility="collapsed", on_change=_take,
        args=(k, key, lambda where: at(k, where)),
    )  # fmt: skip


def _box(k: Knob, value: float) -> None:
    kind = int if k.kind == "int" else float
    key = fresh_key(f"type-{k.name}", value)
    st.number_input(
        k.label,
        None if k.low is None else kind(k.low),
        None if k.high is None else kind(k.high),
        kind(value),
        step=kind(k.step or (1 if kind is int else floor_of(k) if k.scale == "log" else 0.01)),
        format="%d" if kind is int else "%.4g",
        key=key,
        label_visibility="collapsed",
        width=BOX,
        on_change=_take,
        args=(k, key, kind),
    )


# -- the other kinds -----------------------------------------------------------------------------------------------


def _choice(k: Knob, value: str) -> None:
    key = fresh_key(f"choose-{k.name}", value)
    st.selectbox(
        k.label,
        k.choices,
        k.choices.index(value),
        key=key,
        format_func=lambda v: text_of(k, v),
        label_visibility="collapsed",
        on_change=_take,
        args=(k, key, str),
    )


def _toggle(k: Knob, value: bool) -> None:
    key = fresh_key(f"switch-{k.name}", value)
    st.toggle(k.label, value, key=key, label_visibility="collapsed", on_change=_take, args=(k, key, bool))


def fresh_key(name: str, value: Any, means: Callable[[Any], Any] = lambda shown: shown) -> str:
    """Return the key of a widget that shall show `value`: a new one where the present widget means something else."""
    turns: dict[str, int] = st.session_state.setdefault("turns", {})
    key = f"{name}-{turns.get(name, 0)}"
    now = st.session_state.get(key, NOTHING)
    if now is not NOTHING and means(now) != value:
        turns[name] = turns.get(name, 0) + 1
    return f"{name}-{turns.get(name, 0)}"


def told(key: str) -> Any:
    """Return what a widget says; None if it has given way to a fresh one, which the browser may learn a moment late."""
    name, turn = key.rsplit("-", 1)
    return st.session_state.get(key) if st.session_state.turns.get(name, 0) == int(turn) else None


def _take(k: Knob, key: str, convert: Callable[[Any], Any]) -> None:
    """Pass a touched widget's value on; an emptied box keeps what was there."""
    if (value := told(key)) is not None:
        state.edit(**{k.name: convert(value)})


def bare(k: Knob) -> None:
    """Draw a choice alone, its label only for screen readers: for a row where there is room for nothing else."""
    _choice(k, state.shown().value(k.name))
