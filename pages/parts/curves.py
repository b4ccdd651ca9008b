"""The curves of a run: one group at a time, redrawn every other second while it trains; only what is open is computed.

Buttons and sliders stand outside the timed part, which always draws the same elements: nothing flickers, and a click
never meets a redraw half way.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from pages.parts import measured, plain, state, zoom
from playground.figures import coding_curves, family_curves, image_curves
from playground.figures.curves import CURVES, Curve, Style
from playground.figures.descent import with_parent
from playground.store.history import History as Stored

Tabs = dict[str, list[Curve]]  # the curves by the tab that shows them

GAN: Tabs = {
    "Losses": [CURVES["losses"]],
    "D(x)": [CURVES[name] for name in ("outputs", "accuracy")],
    "Code": [family_curves.CURVES[name] for name in ("category", "numbers")],
    "Gradients": [CURVES["gradients"]],
    "Modes": [CURVES[name] for name in ("modes", "quality", "masses", "spread")],
    "Distances": [CURVES[name] for name in ("divergences", "wasserstein", "mmd")],
}
IMAGES: Tabs = {
    "Losses": [CURVES["losses"]],
    "D(x)": [CURVES[name] for name in ("outputs", "accuracy")],
    "Code": [family_curves.CURVES[name] for name in ("category", "numbers")],
    "Balance": [family_curves.CURVES[name] for name in ("errors", "balance", "weight")],
    "Gradients": [CURVES["gradients"]],
    "Classes": [image_curves.CURVES[name] for name in ("shares", "classes", "evenness")],
    "Quality": [image_curves.CURVES[name] for name in ("frechet", "reached", "kernel")],
    "Variety": [image_curves.CURVES[name] for name in ("variety", "likeness")],
}
CODING: Tabs = {
    "Losses": [coding_curves.CURVES[name] for name in ("losses", "errors")],
    "Charges": [coding_curves.CURVES[name] for name in ("charges", "kl", "bounds")],
    "Codings": [coding_curves.CURVES[name] for name in ("codings", "units", "neighbours")],
    "Sharpness": [coding_curves.CURVES["sharpness"]],
    "Gradients": [coding_curves.CURVES["gradients"]],
}
EVERY = 2.0  # seconds between redraws: each costs a browser 30 ms in which the page stands still
HEIGHT = 240
FINE = 4000  # points of a line that is zoomed: as many as are kept of it, and those of the stretch in sight
BAR = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"]}
MOVING = ("running", "warming")


@st.fragment
def panel(all_tabs: Tabs) -> None:
    """Draw the choice of curves, how to draw them, and the curves."""
    run, engine = state.lab().run, state.engine()
    experiment = engine.experiment(run)
    fitting = {tab: [curve for curve in curves if curve.suits(experiment)] for tab, curves in all_tabs.items()}
    tabs = {tab: curves for tab, curves in fitting.items() if curves}
    with st.container(key="curve-tabs", horizontal=True, vertical_alignment="center"):
        tab = st.segmented_control(
            "Curves", list(tabs), default="Losses", required=True, key="curves", label_visibility="collapsed"
        )
        chosen = tabs.get(tab or "", tabs["Losses"])
        st.space("stretch")
        with st.popover("", icon=":material/tune:", type="tertiary", help="How to draw; CSV", key="curve-tools"):
            smooth = st.slider(
                "Smoothing", 0.0, 0.99, 0.6, 0.01, key="smooth", help="Weight of the past in each point."
            )
            falls = all_tabs is CODING  # errors begin high and fall by orders of magnitude
            log = st.toggle(
                "Logarithmic axis", falls, key="log-errors" if falls else "log", help="Where all values are above 0."
            )
            if measured.came():
                st.toggle(
                    "Parent's line", True, key="parent-line", help="How the run went on that this was forked from."
                )
            st.download_button(
                "CSV of these curves", lambda: table(run, chosen), f"{run}.csv", "text/csv", key="csv-curves",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
            st.caption("For a picture, point at a curve: the camera saves a PNG.")
    moving = engine.status(run).state in MOVING
    st.fragment(_charts, run_every=EVERY if moving else None)(chosen, Style(smooth, log, height=HEIGHT))


def _charts(chosen: list[Curve], style: Style) -> None:
    run = state.lab().run
    with_before = st.session_state.get("parent-line", True)
    zoomed = zoom.views("curve-", f"{run}-{chosen[0].title}-{style.log}")
    told, before = measured.history(), measured.parent() if with_before else None
    for i, curve in enumerate(chosen):
        name = f"{run}-{curve.title.lower().replace(' ', '-')}"
        mine, theirs, look = told, before, style
        view = zoomed.get(f"curve-{i}")
        if view:
            mine, theirs = measured.history(view.steps), measured.parent(view.steps) if with_before else None
            look = replace(style, width=FINE)
        figure = curve.draw(mine, look)
        if theirs:
            figure = with_parent(figure, curve.draw(theirs.told, look), theirs.step, theirs.run)
        figure.update_layout(uirevision=name, font_family=plain.FONT)
        if view:
            view.keep(figure)
        bar = BAR | {"toImageButtonOptions": {"filename": name, "scale": 2}}
        st.plotly_chart(figure, theme=None, config=bar, key=f"curve-{i}", alt=curve.title)
        st.caption(curve.about)


def table(run: str, chosen: list[Curve]) -> bytes:
    """Return the values that the curves show as CSV, one a line; called outside of the session, on demand."""
    folder, out = state.engine().folder(run), io.StringIO()
    told = measured.measured(run, folder and Stored(folder))
    writer = csv.writer(out)
    writer.writerow(["curve", "line", "step", "value"])
    for curve in chosen:
        for trace in lines(curve.draw(told, Style())):
            writer.writerows((curve.title, trace.name, int(x), y) for x, y in zip(trace.x, trace.y, strict=True))
    return out.getvalue().encode()


def lines(figure: go.Figure) -> list[go.Scatter]:
    """Return a figure's measured lines, without theory, floors and faint copies."""
    return [trace for trace in figure.data if trace.type == "scatter" and trace.hoverinfo != "skip"]
