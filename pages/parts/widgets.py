"""Widgets over one field each: a slider and a box for numbers, a list for choices, a switch for yes and no.

Widgets hold no truth. One that shows something else than the experiment gives way to a fresh one: setting its value
instead would race with the browser, which may still report the old value as if somebody chose it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.parts import edits
from playground.config import Knob

NOTHING = object()  # what a widget that was never drawn says
TICKS = 100  # positions of a slider without a step of its own
BOX = 92  # pixels: narrow enough that the stepping buttons give their room to the digits


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


def slider(k: Knob, value: float) -> None:
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


def box(k: Knob, value: float) -> None:
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


def choice(k: Knob, value: str) -> None:
    key = fresh_key(f"choose-{k.name}", value)
    st.selectbox(
        k.label,
        k.choices,
        k.choices.index(value),
        key=key,
        format_func=k.said,
        label_visibility="collapsed",
        on_change=_take,
        args=(k, key, str),
    )


def toggle(k: Knob, value: bool) -> None:
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
        edits.edit(**{k.name: convert(value)})
