"""The curves of a model that codes: what it loses on items it has seen and on items held out, beside PCA; each charge
on its codings apart; what its codings, hidden units and reconstructions are worth.

Training is drawn in the encoder's blue, held-out items in its lighter tone and dashed; what PCA with as many codings
leaves over is the dotted line to beat.
"""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from playground.experiment import Experiment
from playground.families import family
from playground.figures import palette
from playground.figures.chart import Axis, Line, Style, chart, layout, marks
from playground.figures.curves import Curve, History

UNITS = {"mse": "squared error", "l1": "absolute error", "ssim": "1 − SSIM"}  # by loss; else nats
SEEN, HELD = palette.ENCODER, palette.lighter(palette.ENCODER)
DEPTH = ((0, "rgba(128,128,128,0.08)"), (0.25, "#9ecae1"), (0.6, "#3182bd"), (1, "#08306b"))  # a charge, in nats


def losses(history: History, style: Style) -> go.Figure:
    """Draw the reconstruction loss of each batch, and of held-out items in the same unit."""
    axis = Axis(f"{_unit(history)} an item", _unit(history))
    lines = [
        history.trained("loss/recon", "each batch", SEEN),
        history.trained("loss/float32", "the same in float32", palette.FAKE, "dot"),
        history.scored("train/recon", "training items", palette.lighter(SEEN, 0.2), "dot"),
        history.scored("held/recon", "held-out items", HELD, "dash"),
    ]
    return chart(lines, axis, style, events=history.events)


def errors(history: History, style: Style) -> go.Figure:
    """Draw the mean squared error a number on training and held-out items, with PCA's."""
    lines = [
        history.scored("train/mse", "training items", SEEN),
        history.scored("held/mse", "held-out items", HELD, "dash"),
    ]
    known = [row["pca/mse"] for row in history.scores if row.get("pca/mse") is not None]
    theory = [(known[-1], f"PCA, as many codings: {known[-1]:.3g}")] if known else []
    return chart(lines, Axis("squared error a number"), style, theory=theory, events=history.events)


def charges(history: History, style: Style) -> go.Figure:
    """Draw each charge that training adds to the reconstruction, by itself."""
    lines = [
        history.trained("loss/kl", "KL of codes to the prior", palette.DECODER, "dash"),
        history.trained("loss/sparse", "sparsity", palette.FAKE, "dot"),
        history.trained("loss/contractive", "contraction", palette.SECOND, "dashdot"),
    ]
    return chart(lines, Axis("charge, before its weight"), style, events=history.events)


def bounds(history: History, style: Style) -> go.Figure:
    """Draw the evidence lower bound on held-out items and the tighter importance-weighted one."""
    lines = [
        history.scored("held/iw", "importance-weighted", HELD, "dash"),
        history.scored("held/elbo", "ELBO, sampled z", SEEN),
    ]
    return chart(lines, Axis("nats an item", "nats"), style, events=history.events)


def kl(history: History, style: Style) -> go.Figure:
    """Draw each coding's KL over time as a strip, the busiest on top: a pale row is a coding that says nothing."""
    axis = Axis("coding", ticks="d", may_be_log=False)
    rows = [row for row in history.scores if "kl/0" in row][-style.width :]
    if not rows:
        return chart([], axis, style)
    steps, count = [row["step"] for row in rows], sum(f"kl/{i}" in rows[-1] for i in range(len(rows[-1])))
    grid = np.array([[row.get(f"kl/{i}", np.nan) for row in rows] for i in range(count)], np.float64)  # (Z, R)
    order = np.argsort(grid[:, -1])
    highest = max(1.0, float(np.nanmax(grid)))
    strip = {
        "type": "heatmap", "x": steps, "y": np.arange(1, count + 1), "z": grid[order], "zmin": 0, "zmax": highest,
        "colorscale": DEPTH, "colorbar": {"thickness": 8, "title": {"text": "nats"}, "outlinewidth": 0, "len": 1.1},
        "customdata": np.repeat(order[:, None] + 1, len(steps), 1),
        "hovertemplate": "coding %{customdata}, step %{x:,d}<br>%{z:.3f} nats<extra></extra>",
    }  # fmt: skip
    frame = layout(axis, style, ends=(steps[0], steps[-1])) | marks(history.events, (steps[0], steps[-1]))
    frame["yaxis"] |= {"showticklabels": False, "title": {"text": f"{count} codings, busiest on top", "standoff": 8}}
    return go.Figure([strip], frame | {"hovermode": "closest", "showlegend": False})


def codings(history: History, style: Style) -> go.Figure:
    """Draw how many codings vary from item to item, and how many do not."""
    lines = [
        history.scored("code/active", "codings that vary", SEEN),
        history.scored("code/dead", "codings that do not", palette.EVENT, "dash"),
    ]
    axis = Axis("codings", ticks=",d", hover=",d", low=0, high=1.08 * _most(lines), may_be_log=False)
    return chart(lines, axis, style, events=history.events)


def units(history: History, style: Style) -> go.Figure:
    """Draw the shares of hidden units that never and always fire, and a coding's mean activation."""
    lines = [
        history.scored("unit/dead", "units that never fire", palette.EVENT, "dash"),
        history.scored("unit/always", "units that always fire", palette.DECODER, "dot"),
        history.scored("sparse/rho", "mean activation of a coding", SEEN),
    ]
    return chart(lines, Axis("share", ticks=".0%", hover=".1%", low=0, high=1.05, may_be_log=False), style,
                 events=history.events)  # fmt: skip


def sharpness(history: History, style: Style) -> go.Figure:
    """Draw how sharp reconstructions are beside their inputs, and how well noise is copied."""
    lines = [
        history.scored("blur/sharpness", "sharpness of reconstructions", SEEN),
        history.scored("copy/noise", "error on pure noise", palette.SECOND, palette.DASH["second"]),
    ]
    axis = Axis("share of the input's", hover=".3f")
    return chart(lines, axis, style, theory=[(1.0, "as sharp as the inputs; noise not copied")], events=history.events)


def neighbours(history: History, style: Style) -> go.Figure:
    """Draw how often the five nearest codings name an item's class."""
    axis = Axis("accuracy", ticks=".0%", hover=".1%", low=0, high=1.05, may_be_log=False)
    return chart([history.scored("knn/accuracy", "5 nearest codings", SEEN)], axis, style, events=history.events)


def gradients(history: History, style: Style) -> go.Figure:
    """Draw the norm of all gradients together."""
    line = history.trained("grad/all", "all weights", SEEN)
    return chart([line], Axis("gradient norm"), style, events=history.events)


def _unit(history: History) -> str:
    return UNITS.get(history.loss, "nats")


def _most(lines: list[Line]) -> float:
    return max((float(np.nanmax(line.values)) for line in lines if np.isfinite(line.values).any()), default=1.0) or 1.0


def _generates(experiment: Experiment) -> bool:
    return "generate" in family(experiment.family).abilities


def _images(experiment: Experiment) -> bool:
    return experiment.data.kind == "images" and math.prod(experiment.data.shape) > 1


CURVES: dict[str, Curve] = {
    "losses": Curve(
        "Reconstruction",
        "What training minimises, without its charges. Held-out items may cost a little more, not more and more.",
        losses,
    ),
    "errors": Curve(
        "Squared error",
        "Per number of an item, so that any two models compare. Below the dotted line it beats PCA.",
        errors,
    ),
    "charges": Curve(
        "Charges",
        "What the codes are charged beside the reconstruction: each by itself, before its weight.",
        charges,
    ),
    "bounds": Curve(
        "Likelihood",
        "Both lie below the true log-likelihood of held-out items; the importance-weighted one lies closer.",
        bounds,
        _generates,
    ),
    "kl": Curve(
        "KL a coding",
        "How much each coding tells about an item. A row that stays pale has given up: it copies the prior.",
        kl,
        _generates,
    ),
    "codings": Curve("Codings", "How many codings differ from item to item. A dead one is a wasted number.", codings),
    "units": Curve("Hidden units", "A unit that never fires, or always, does no work.", units),
    "sharpness": Curve(
        "Sharpness",
        "Below 1 reconstructions are blurred. Error on noise near 0 means that anything is copied, not only data.",
        sharpness,
        _images,
    ),
    "neighbours": Curve(
        "Classes",
        "Whether items of a class lie together among the codings, though nobody told the model their classes.",
        neighbours,
        lambda experiment: bool(experiment.data.classes),
    ),
    "gradients": Curve("Gradients", "How hard the weights are pushed; it should sink as learning settles.", gradients),
}
