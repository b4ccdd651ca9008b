"""Mode collapse you can name: what a generator covers and leaves out at a moment, how it got there, what it copies."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial

import streamlit as st

from pages.parts import background, curves, explored, labs, measured, report_parts, state
from pages.parts.look import Look
from playground.config import ConfigError
from playground.diagnostics import collapse, features
from playground.experiment import Experiment
from playground.latent.moments import alone, moment
from playground.store import StoreError
from playground.store.history import History as Stored

ABOUT = (
    "**Mode collapse**: a generator that makes few of the things in its data, however good each looks. This page names "
    "what is missing, tells how sure that is, and shows what is copied, at any saved moment of a run."
)
ABOVE = ("Class shares", "Mode shares")  # drawn beside the shares of the moment


def main() -> None:
    """Draw the page."""
    look = explored.page("Mode collapse", ABOUT, examined)
    experiment = look.experiment
    rows = past(look)
    try:
        work = asked(look)
        if not work.done():
            background.waiting(work, words(experiment))
            return
        told = work.result()
    except (ConfigError, StoreError) as error:
        st.error(str(error), icon=":material/error:")
        return
    report_parts.verdict(told)
    report_parts.classes(told, collapse.history(rows, experiment.data), look.step)
    report_parts.scores(told)
    report_parts.suspects(told)
    report_parts.duplicates(told, experiment.data)
    history(look)


def examined(experiment: Experiment) -> bool:
    """Say whether there is a report on such a run: it makes images, or points of a plane."""
    data = experiment.data
    plane = data.kind == "points" and data.shape == (2,) and data.players() is None
    return labs.generates(experiment) and (plane or data.kind == "images")


def asked(look: Look) -> Future[collapse.Report]:
    """Return the report on a moment, made beside the page."""
    return background.ask(("report", look), partial(_report, look))


def _report(look: Look) -> collapse.Report:
    then = moment(look.run, look.step)
    return collapse.report(alone(then), then.experiment.data, seed=then.experiment.seed)


def words(experiment: Experiment) -> str:
    """Say what takes its time."""
    if experiment.data.kind == "images" and not features.ready(experiment.data):
        return f"A small classifier learns {experiment.data.title}, once for this data; then the fakes are examined …"
    return "The fakes of this moment are being examined …"


def past(look: Look) -> list[dict[str, float]]:
    """Return the run's score rows."""
    folder = state.engine().folder(look.run)
    return [] if folder is None else folder.scores()


def history(look: Look) -> None:
    """Draw the scores over the run, with the moment that is looked at."""
    folder = state.engine().folder(look.run)
    all_tabs = curves.IMAGES if look.experiment.data.kind == "images" else curves.GAN
    fitting = {
        tab: [curve for curve in group if curve.suits(look.experiment) and curve.title not in ABOVE]
        for tab, group in all_tabs.items()
    }
    tabs = [tab for tab in ("Classes", "Quality", "Variety", "Modes", "Distances") if fitting.get(tab)]
    st.markdown("## Over the run", anchors=False)
    tab = st.segmented_control(
        "Scores", tabs, default=tabs[0], required=True, key="past-scores", label_visibility="collapsed"
    )
    told = measured.measured(look.run, folder and Stored(folder))
    report_parts.over_time(fitting[tab or tabs[0]], told, look.step)


main()
