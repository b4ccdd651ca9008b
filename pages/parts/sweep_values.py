"""The values that one setting of a sweep takes: picked where it is a choice, written or spread where it is a number."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.parts import says
from playground.config import ConfigError, Knob, decimal
from playground.data import datasets
from playground.experiment import Experiment
from playground.families import family
from playground.sweep_plan import Value, parse, said, spread

AROUND = (0.3, 1.0, 3.0)  # times the present value: what a logarithmic setting takes at first
FEW = 4  # choices that are all taken at first


def editor(base: Experiment, k: Knob) -> tuple[Value, ...]:
    """Draw the editor of a setting's values and return them; none where what is written cannot be read."""
    if k.kind in ("int", "float"):
        return _numbers(base, k)
    options: list[Value] = [True, False] if k.kind == "bool" else list(_choices(base, k))
    now = base.dataset if k.name == "dataset" else base.value(k.name)
    others = [value for value in options if value != now]
    first = options if len(options) <= FEW else [now, *others[: FEW - 2]]
    chosen = st.multiselect(
        "Values", options, first, key=f"sweep-values-{k.name}", format_func=lambda value: said(base, k.name, value),
        placeholder="Choose two or more", width="stretch",
    )  # fmt: skip
    return tuple(chosen)


def _choices(base: Experiment, k: Knob) -> tuple[str, ...]:
    """Return what a choice can take; of data sets, those of the same kind that the model takes and that are here."""
    if k.name != "dataset":
        return k.choices
    takes = [name for name, data in datasets().items() if data.kind in family(base.family).takes]
    same = [name for name in takes if datasets()[name].kind == base.data.kind and name not in ("custom", "own-images")]
    return tuple(name for name in same if datasets()[name]().missing() is None)


def _numbers(base: Experiment, k: Knob) -> tuple[Value, ...]:
    key = f"sweep-values-{k.name}"
    st.session_state.setdefault(key, first(k, base.value(k.name)))
    text = st.text_input(
        "Values", key=key, width="stretch", placeholder="0.1, 0.2, 0.5",
        help=f"Takes {k.domain()}. Values with commas between them, or a range: 1e-4..1e-2 x 5",
    )  # fmt: skip
    with st.popover("", icon=":material/straighten:", key=f"sweep-range-{k.name}", help="A range of values"):
        low, high = _ends(k, base.value(k.name))
        low = st.number_input("From", value=low, format="%.6g", key=f"{key}-low")
        high = st.number_input("To", value=high, format="%.6g", key=f"{key}-high")
        count = st.number_input("How many", 2, 50, 5, key=f"{key}-count")
        log = st.toggle("Evenly by their logarithm", k.scale == "log", key=f"{key}-log")
        fill = partial(_fill, k, low=low, high=high, count=int(count), log=log)
        st.button("Fill in", key=f"{key}-fill", type="primary", on_click=fill)
    try:
        return parse(k, text)
    except ConfigError as error:
        st.error(str(error), icon=":material/error:")
        return ()


def first(k: Knob, now: Value) -> str:
    """Return the values that a number takes at first: its own, and one on each side."""
    low, high = k.low if k.low is not None else -1e30, k.high if k.high is not None else 1e30
    if k.scale == "log" and float(now) > 0:
        values = [float(now) * factor for factor in ((0.5, 1, 2) if k.kind == "int" else AROUND)]
    else:
        room = (high - low) / 4 if high - low < 1e6 else max(1.0, abs(float(now)))
        values = [float(now) - room, float(now), float(now) + room]
    kept = sorted({min(max(float(f"{value:.3g}"), low), high) for value in values})
    return ", ".join(dict.fromkeys(f"{round(v)}" if k.kind == "int" else decimal(v) for v in kept))


def _ends(k: Knob, now: Value) -> tuple[float, float]:
    """Return a range to begin with: two decades around a logarithmic value, else all that the setting takes."""
    low, high = (float(v) if v is not None else float(now) for v in (k.low, k.high))
    return (max(low, float(now) / 10), min(high, float(now) * 10)) if k.scale == "log" and now else (low, high)


def _fill(k: Knob, *, low: float, high: float, count: int, log: bool) -> None:
    try:
        st.session_state[f"sweep-values-{k.name}"] = ", ".join(decimal(v) for v in spread(k, low, high, count, log=log))
    except ConfigError as error:
        says.fail(error)
