"""Controls made from a schema: every field that `knob` declares becomes a widget. No family or data set is named here.

A field is a head (label, live or restart mark, the way back to its default) over its widget.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts import edits, state, widgets
from playground.config import Knob, knobs
from playground.experiment import Experiment

LIVE, RESTART = ":primary[●]", ":gray[○]"
BESIDE = 14  # characters of the longest choice that still fits beside its label


def groups(experiment: Experiment, hidden: frozenset[str] = frozenset()) -> dict[str, list[Knob]]:
    """Return the fields that matter and are not hidden by group: data first, then the model's, then the run's.

    A text is no dial: what needs one (the name of uploaded points) has a way of its own to give it.
    """
    found: dict[str, list[Knob]] = {} if "data" in hidden else {"Data": []}  # where the data is chosen
    for part in (experiment.data, experiment.model, experiment):
        for k in knobs(type(part)).values():
            if (
                k.kind != "text"
                and k.matters(part, experiment.data.kind)
                and not {k.name, k.short, k.group.lower()} & hidden
            ):
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
                widgets.box(k, value)
            elif k.kind == "bool":
                widgets.toggle(k, value)
            elif k.kind == "choice" and beside:
                widgets.choice(k, value)
            if (
                value != k.default
            ):  # drawn last, so that its coming and going moves no other element; shown in the middle
                st.button(
                    "↺" if beside and k.kind == "choice" else f"↺ {k.said(k.default)}",
                    key=f"back-{k.name}",
                    type="tertiary",
                    help=f"Back to the default, {k.said(k.default)}",
                    on_click=edits.edit,
                    kwargs={k.name: k.default},
                )
        if k.kind in ("int", "float"):
            widgets.slider(k, value)
        elif k.kind == "choice" and not beside:
            widgets.choice(k, value)


def about(k: Knob) -> str:
    """Return a field's help with what it takes, when it acts and its paper, as markdown."""
    acts = "Acts on the running model at once." if k.live else "A change restarts the run."
    return "\n\n".join(
        t for t in (k.help, f"Takes {k.domain()}{k.unit and ' ' + k.unit}. {acts}", k.paper and f"*{k.paper}*") if t
    )


def bare(k: Knob) -> None:
    """Draw a choice alone, its label only for screen readers: for a row where there is room for nothing else."""
    widgets.choice(k, state.shown().value(k.name))
