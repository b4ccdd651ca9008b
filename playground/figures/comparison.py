"""Runs laid over each other: one metric of several runs in one figure, and the settings in which the runs differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from playground.experiment import Experiment
from playground.figures import palette
from playground.figures.chart import Axis, Line, Style, chart
from playground.figures.curves import EACH_STEP
from playground.figures.series import Array
from playground.store.index import TELLING

DASHES = ("solid", "dash", "dot", "dashdot")
Against = Literal["step", "share", "time"]

NAMES = {
    "loss/d": "loss of D", "loss/g": "loss of G", "loss/total": "training loss", "loss/recon": "reconstruction error",
    "loss/kl": "KL divergence, nats", "loss/penalty": "penalty", "loss/sparse": "sparsity charge",
    "score/real": "D on real items", "score/fake": "D on fakes", "grad/d": "gradient norm of D",
    "grad/g": "gradient norm of G", "grad/all": "gradient norm", "modes/covered": "modes with a sharp fake",
    "modes/one_percent": "modes with 1 % of the fakes", "modes/eight_percent": "modes with 8 % of their share",
    "modes/hq": "share of sharp fakes", "modes/reverse_kl": "reverse KL over modes, nats",
    "modes/tv": "total variation of modes", "dist/js": "JS divergence, nats", "dist/kl": "KL divergence, nats",
    "dist/sw": "sliced Wasserstein, data units", "dist/mmd": "squared MMD", "dist/fid": "FID on our features",
    "dist/kid": "kernel distance on our features", "class/covered": "classes covered",
    "class/entropy": "entropy of classes, nats", "class/kl": "KL of classes, nats", "prdc/precision": "precision",
    "prdc/recall": "recall", "prdc/density": "density", "prdc/coverage": "coverage", "spread/all": "width of the fakes",
    "d/accuracy": "accuracy of D on held-out items", "held/recon": "held-out reconstruction error",
    "train/recon": "reconstruction error, training items", "held/mse": "held-out squared error a number",
    "held/elbo": "held-out ELBO, nats", "held/kl": "held-out KL, nats", "knn/accuracy": "5 nearest name the class",
    "code/active": "active codings", "code/dead": "dead codings", "diversity/ssim": "likeness within a class (MS-SSIM)",
    "copies/share": "share of copies", "began/m": "convergence measure M", "began/k": "control k",
}  # fmt: skip
FIRST = TELLING


@dataclass(frozen=True)
class Course:
    """One run's values of a metric at ascending steps, under the run's name; `seconds` of wall time where known."""

    name: str
    steps: Array
    values: Array
    seconds: Array | None = None


def named(metric: str) -> str:
    """Return a metric's name in words, its own where it has no other."""
    return NAMES.get(metric, metric)


def look(i: int) -> tuple[str, str]:
    """Return colour and dash of the i-th run: ten colours, then the same ones dashed."""
    return palette.CLASSES[i % len(palette.CLASSES)], DASHES[i // len(palette.CLASSES) % len(DASHES)]


def overlay(
    metric: str, courses: Sequence[Course | None], style: Style, *, against: Against = "step", log_x: bool = False
) -> go.Figure:
    """Return the figure of one metric, a line a run; None keeps a run's colour for it where it lacks the metric.

    `against` "share" stretches each run over its own length, so that long and short ones can be held side by side;
    "time" draws seconds since the start, and leaves out what is of unknown time.
    """
    lines, noisy = [], metric.split("/", maxsplit=1)[0] in EACH_STEP
    for i, course in enumerate(courses):
        if course is not None and len(course.steps):
            colour, dash = look(i)
            along = _along(course, against)
            known = np.isfinite(along)
            if known.any():
                lines.append(Line(course.name, along[known], course.values[known], colour, dash, noisy=noisy))
    drawn = chart(lines, Axis(named(metric)), style)
    if against == "share":
        drawn.update_xaxes(title_text="share of the run", tickformat=".0%", hoverformat=".0%")
    if against == "time":
        drawn.update_xaxes(title_text="seconds since the start", tickformat="~s", hoverformat=".3s")
    if log_x and lines:
        steps = np.concatenate([line.steps[line.steps > 0] for line in lines])
        if len(steps):
            ends = np.log10([steps.min(), steps.max()])
            drawn.update_xaxes(type="log", range=[ends[0] - 0.02, ends[1] + 0.02])
    return drawn


def _along(course: Course, against: Against) -> Array:
    if against == "time":
        return course.seconds if course.seconds is not None else np.full(len(course.steps), np.nan)
    return course.steps / max(1, course.steps[-1]) if against == "share" else course.steps


@dataclass(frozen=True)
class Difference:
    """One setting that is not the same in all runs: its label and each run's value in words ("" where it has none)."""

    label: str
    values: tuple[str, ...]


def differences(experiments: Sequence[Experiment]) -> list[Difference]:
    """Return what the settings of runs differ in: data set and model first, then each field, seed included."""
    rows = [("Model", [e.family for e in experiments]), ("Data", [e.dataset for e in experiments])]
    fields = dict.fromkeys(name for e in experiments for name in e.knobs())
    for name in fields:
        label = next(e.knobs()[name].label for e in experiments if name in e.knobs())
        rows.append((label, [_said(e.value(name)) if name in e.knobs() else "" for e in experiments]))
    return [Difference(label, tuple(values)) for label, values in rows if len(set(values)) > 1]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
