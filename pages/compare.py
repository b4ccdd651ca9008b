"""Runs side by side: their curves laid over each other, and the settings in which they differ."""

from __future__ import annotations

import csv
import io

import streamlit as st

from pages.parts import labs, plain, run_row, state
from pages.parts.compared import course, history, overlays
from playground.figures import comparison
from playground.figures.chart import Style
from playground.presets import preset_of
from playground.store import History
from playground.store.index import Row

HEIGHT = 260
MOST = 40  # runs that have a look of their own: ten colours, four dashes


def main() -> None:
    """Draw the page."""
    with st.container(key="title-row", horizontal=True, vertical_alignment="center"):
        st.markdown("# Compare", anchors=False)
    runs = {row.run: row for row in state.engine().rows(preset_of)}
    if len(runs) < 2:
        empty(len(runs))
        return
    st.markdown("The same curve of several runs, one over the other, and the settings in which the runs differ.")
    names = {name: title(run) for name, run in runs.items()}
    if "compared" in st.session_state:  # without those deleted meanwhile
        st.session_state.compared = [name for name in st.session_state.compared if name in runs]
    first = None if "compared" in st.session_state else list(runs)[:2]
    chosen = st.multiselect(
        "Runs", list(runs), first, max_selections=MOST, format_func=names.__getitem__, key="compared",
        placeholder="Choose runs",
    )  # fmt: skip
    told = {name: history(name) for name in chosen}
    metrics = sorted({metric for one in told.values() for metric in one.curves}, key=place)
    if not metrics:
        st.markdown(":gray[Choose runs that have been trained: what they measured is drawn here.]")
        return
    draw(chosen, names, metrics)
    settings(chosen, names)


def empty(there: int) -> None:
    """Say what the page is for, and how to come to two runs."""
    with st.container(key="empty"):
        st.markdown(
            "**Compare** lays the same curve of several runs over each other, and names the settings in which the "
            "runs differ."
        )
        st.page_link("race.py", label="Race two or more that differ in one setting", icon=":material/sports_score:")
        for place in reversed(labs.PLACES.values()):
            st.page_link(place.page, label=f"Start one in the {place.title}", icon=":material/play_arrow:")
        st.caption(f"It takes two runs, and there is {'one' if there else 'none'} yet.")


def draw(chosen: list[str], names: dict[str, str], metrics: list[str]) -> None:
    """Draw the choice of curves, how to draw them, and the curves."""
    with st.container(key="choices", horizontal=True, vertical_alignment="bottom", gap="medium"):
        shown = st.multiselect(
            "Curves", metrics, metrics[:2], format_func=comparison.named, key=f"metrics-{metrics[0]}",
            placeholder="Choose curves",
        )  # fmt: skip
        against = st.segmented_control(
            "Along", ["step", "time", "share"], default="step", required=True, key="against",
            format_func={"step": "Steps", "time": "Time", "share": "Share of the run"}.__getitem__,
        )  # fmt: skip
        smooth = st.slider("Smoothing", 0.0, 0.99, 0.6, 0.01, key="compare-smooth", width=200)
        log_y = st.toggle("Log values", key="compare-log")
        log_x = st.toggle("Log steps", key="compare-log-x")
        st.download_button(
            "CSV", lambda: table(chosen, shown), "compared.csv", "text/csv", icon=":material/download:",
            key="compare-csv", on_click="ignore",
        )  # fmt: skip
    overlays(chosen, names, shown, Style(smooth, log_y, height=HEIGHT), against=against or "step", log_x=log_x)


def settings(chosen: list[str], names: dict[str, str]) -> None:
    """Draw what differs between the runs."""
    rows = comparison.differences([state.engine().experiment(name) for name in chosen])
    st.markdown("**Settings that differ**")
    if rows:
        plain.table([["", *(f"*{names[name]}" for name in chosen)], *([row.label, *row.values] for row in rows)])
    else:
        st.markdown(":gray[None: these runs have the same settings, seed included.]")


def title(row: Row) -> str:
    """Return a run's name with its id, which tells two of the same name apart."""
    return f"{run_row.title(row)} · {row.run[-8:]}"


def place(metric: str) -> tuple[int, int, str]:
    """Return where a metric stands in the choice: what says most first, then those that have a name in words."""
    first = comparison.FIRST.index(metric) if metric in comparison.FIRST else len(comparison.FIRST)
    return first, metric not in comparison.NAMES, metric


def table(runs: list[str], metrics: list[str]) -> bytes:
    """Return the values of the chosen curves as CSV, one a line; called on demand, outside of the session."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["run", "metric", "step", "value"])
    for run in runs:
        folder = state.engine().folder(run)
        told = History(folder).update() if folder else None
        for metric in metrics if told else ():
            found = course(run, told, metric) if told else None
            if found:
                writer.writerows((run, metric, int(x), y) for x, y in zip(found.steps, found.values, strict=True))
    return out.getvalue().encode()


main()
