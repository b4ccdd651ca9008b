"""The curves that only some generators have: how much InfoGAN's fakes tell of their code, how BEGAN's players balance.

What theory gives is a property `theory` of a family's settings, by metric: (value, label).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from playground.experiment import Experiment
from playground.figures import palette
from playground.figures.chart import Axis, Style, chart
from playground.figures.curves import Curve, History


def category(history: History, style: Style) -> go.Figure:
    """Draw the bound on the information that fakes hold of their category, under all there is to know."""
    line = history.trained("info/categorical", "told of the category", palette.FAKE)
    return chart(
        [line], Axis("nats", "nats"), style, theory=_theory(history, "info/categorical"), events=history.events
    )


def numbers(history: History, style: Style) -> go.Figure:
    """Draw the bound on the information that fakes hold of the continuous codes, under the most that Q may claim."""
    line = history.trained("info/continuous", "told of the numbers", palette.SECOND)
    return chart([line], Axis("nats", "nats"), style, theory=_theory(history, "info/continuous"), events=history.events)


def errors(history: History, style: Style) -> go.Figure:
    """Draw D's error on real images and on fakes, and the measure of convergence over them."""
    lines = [
        history.trained("began/m", "M", palette.SECOND, "dot"),
        history.trained("score/real", "L(x), real", palette.REAL, palette.DASH["real"]),
        history.trained("score/fake", "L(G(z)), fakes", palette.FAKE, palette.DASH["fake"]),
    ]
    return chart(lines, Axis("error a pixel, of −1 to 1"), style, events=history.events)


def balance(history: History, style: Style) -> go.Figure:
    """Draw the error of fakes over that of real images, which the controller holds at γ."""
    line = history.trained("score/fake", "L(G(z)) / L(x)", palette.FAKE)
    real = np.asarray(history.train.get("score/real", ()), np.float64)[: len(line.values)]
    ratio = replace(line, values=np.divide(line.values, real, out=np.full(len(real), np.nan), where=real > 0))
    return chart([ratio], Axis("ratio"), style, theory=_theory(history, "began/ratio"), events=history.events)


def weight(history: History, style: Style) -> go.Figure:
    """Draw k, the weight of fakes in D's loss."""
    line = history.trained("began/k", "k", palette.DISCRIMINATOR)
    axis = Axis("k", low=0, high=1.02, may_be_log=False)
    return chart([line], axis, style, events=history.events)


def _theory(history: History, metric: str) -> list[tuple[float, str]]:
    return [history.theory[metric]] if metric in history.theory else []


def _knows(metric: str) -> Callable[[Experiment], bool]:
    return lambda experiment: metric in getattr(experiment.model, "theory", {})


CURVES: dict[str, Curve] = {
    "category": Curve(
        "Category",
        "How much a fake tells of the category it was made from, at least: at the dotted line, all of it.",
        category,
        _knows("info/categorical"),
    ),
    "numbers": Curve(
        "Continuous codes",
        "The same of the numbers in the code, together; at the dotted line each is read to within 0.25.",
        numbers,
        _knows("info/continuous"),
    ),
    "errors": Curve(
        "Errors and M",
        "How badly D rebuilds real images and fakes. M, the real error plus what balance lacks, falls as they learn.",
        errors,
        _knows("began/ratio"),
    ),
    "balance": Curve(
        "Balance",
        "The error of fakes over that of real images: the controller moves k until it is γ.",
        balance,
        _knows("began/ratio"),
    ),
    "weight": Curve(
        "k",
        "How much D cares to rebuild fakes badly: 0 leaves it a plain autoencoder.",
        weight,
        _knows("began/ratio"),
    ),
}
