"""The curves of a race laid over each other, of seeds as bands too, and what became of each run."""

from __future__ import annotations

import streamlit as st

from pages.parts import labs, plain, state
from playground import racing
from playground.diagnostics.verdict import verdict
from playground.engine.race import Race
from playground.experiment import Experiment
from playground.figures import comparison
from playground.figures.bands import bands
from playground.figures.chart import Style
from playground.figures.comparison import FIRST, Course
from playground.figures.curves import EACH_STEP
from playground.store import History

EVERY = 2.0  # seconds between redraws
HEIGHT = 260


@st.fragment
def draw(race: Race) -> None:
    """Draw the choice of curves, the curves, and the table of verdicts."""
    first = opening(race.card.racers[0].experiment)
    known = {metric for one in histories(race).values() for metric in one.curves}
    metrics = sorted(
        known.union(first), key=lambda m: (FIRST.index(m) if m in FIRST else len(FIRST), m not in comparison.NAMES, m)
    )
    seeds = race.card.knob == "seed"
    with st.container(key="choices", horizontal=True, vertical_alignment="bottom", gap="medium"):
        shown = st.multiselect(
            "Curves", metrics, first, format_func=comparison.named, key=f"race-metrics-{race.card.id}",
            placeholder="Choose curves",
        )  # fmt: skip
        smooth = st.slider("Smoothing", 0.0, 0.99, 0.6, 0.01, key="race-smooth", width=200)
        log = st.toggle("Log values", key="race-log")
        how = "bands" if seeds else "lines"
        if seeds:
            how = (
                st.segmented_control(
                    "Draw",
                    ["bands", "lines"],
                    default="bands",
                    required=True,
                    key="race-how",
                    format_func=str.capitalize,
                )
                or "bands"
            )
    moving = state.engine().status(race.card.id).state in ("running", "warming", "queued")
    style, every = Style(smooth, log, height=HEIGHT), EVERY if moving else None
    st.fragment(_moving, run_every=every)(race, shown, style, how)


def opening(base: Experiment) -> list[str]:
    """Return the two curves that such a race opens with: how good it is, and the loss that its generator follows."""
    if labs.codes(base):
        return ["held/mse", "loss/total"]
    if base.data.kind == "images":
        return ["class/covered", "loss/g"]
    return ["modes/eight_percent" if base.data.modes() else "prdc/coverage", "loss/g"]


def _moving(race: Race, shown: list[str], style: Style, how: str) -> None:
    told = histories(race)
    left, right = st.columns(2, gap="large")
    for i, metric in enumerate(shown):
        courses = [_course(racer.label, told.get(racer.run), metric) for racer in race.card.racers]
        figure = bands(metric, courses, style) if how == "bands" else comparison.overlay(metric, courses, style)
        with (left, right)[i % 2]:
            plain.chart(figure, f"race-{i}", comparison.named(metric))
    verdicts(race)


def verdicts(race: Race) -> None:
    """Draw what became of each run, and of seeds the share that collapsed."""
    engine = state.engine()
    rows, states = [["*Run", "*Step", "*Verdict"]], []
    for racer in race.card.racers:
        if racer.run not in race.left():
            continue
        status = engine.status(racer.run)
        told, sentence = _judged(racer.run, _last_score(racer.run), status.state)
        states.append((told, sentence))
        rows.append([f"*{racer.label}", f"{status.step:,}", status.error or sentence])
    if race.card.knob == "seed":
        share = racing.collapsed(states)
        st.markdown(f"**Collapsed by the last verdict: {share}.**" if share.n else "**Collapsed: not judged yet.**")
    plain.table(rows)


@st.cache_data(max_entries=200, show_spinner=False)
def _judged(run: str, score: int, state_name: str) -> tuple[str, str]:
    """Return the state of a run's verdict and its sentence as of its last score."""
    folder = state.engine().folder(run)
    if folder is None or not score:
        return "warming", f"{racing.EARLY}: not measured yet."
    with folder.reading() as records:
        told = verdict(state.engine().experiment(run), *records.recent())
    return told.state, told.sentence


def _last_score(run: str) -> int:
    there = state.engine().folder(run) is not None
    scored = [c for name, c in _history(run).curves.items() if _is_score(name)] if there else []
    return max((int(curve.arrays()[0][-1]) for curve in scored), default=0)


def _is_score(metric: str) -> bool:
    return metric.split("/", maxsplit=1)[0] not in EACH_STEP


def histories(race: Race) -> dict[str, History]:
    """Return what each racer has measured, in bounded memory; nothing of one that has not begun."""
    there = [run for run in race.left() if state.engine().folder(run) is not None]
    return {run: _history(run) for run in there}


def _history(run: str) -> History:
    kept: dict[str, History] = st.session_state.setdefault("race-histories", {})
    folder = state.engine().folder(run)
    assert folder is not None, "asked only of runs that lie on disk"
    return kept.setdefault(run, History(folder)).update()


def _course(name: str, told: History | None, metric: str) -> Course | None:
    if told is None or metric not in told.curves:
        return None
    steps, _, mean, _ = told.curves[metric].arrays()
    return Course(name, steps, mean)
