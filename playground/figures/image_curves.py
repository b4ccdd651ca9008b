"""The curves of an image generator: which classes its fakes fall into over time, how far they are from the data in the
features of the app's own classifier, how alike they are to each other and to what was trained on; each with its floor.

The Fréchet distance here is in our features ("FID on our features"); it cannot be compared with the FID of papers.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from playground.experiment import Experiment
from playground.figures import palette
from playground.figures.chart import Axis, Style, chart
from playground.figures.curves import Curve, History, bare, strip

SHARE = Axis("share", ticks=".0%", hover=".1%", low=0, high=1.05, may_be_log=False)


def classes(history: History, style: Style) -> go.Figure:
    """Draw how many classes the fakes fall into."""
    most = 1.12 * max(len(history.classes), 1)
    axis = Axis("classes covered", "classes", ticks=",d", hover=",d", low=0, high=most, may_be_log=False)
    line = history.scored("class/covered", "classes with a fifth of their share", palette.FAKE)
    return chart([line], axis, style, events=history.events)


def shares(history: History, style: Style) -> go.Figure:
    """Draw each class's share of the fakes over time as a strip."""
    return strip(history, style, "class", "class", history.classes)


def evenness(history: History, style: Style) -> go.Figure:
    """Draw KL(fakes ‖ data) over classes, in nats."""
    line = history.scored("class/kl", "KL(fakes ‖ data) of classes", palette.FAKE)
    return chart([line], Axis("divergence, nats", "nats"), style, events=history.events)


def frechet(history: History, style: Style) -> go.Figure:
    """Draw the Fréchet distance in the features of the app's own classifier."""
    line = history.scored("dist/fid", "FID on our features", palette.FAKE)
    return chart([line], Axis("distance, no unit"), style, events=history.events)


def kernel(history: History, style: Style) -> go.Figure:
    """Draw the kernel distance in the same features, unbiased: it may be below 0."""
    line = history.scored("dist/kid", "kernel distance", palette.FAKE)
    return chart([line], Axis("distance, no unit", hover=".3~g"), style, events=history.events)


def reached(history: History, style: Style) -> go.Figure:
    """Draw precision, recall, density and coverage in feature space; the floor is coverage's."""
    lines = [
        bare(history.scored("prdc/precision", "precision", palette.FAKE)),
        bare(history.scored("prdc/recall", "recall", palette.REAL, palette.DASH["fake"])),
        bare(history.scored("prdc/density", "density", palette.SECOND, "dot")),
        history.scored("prdc/coverage", "coverage", palette.GENERATOR, "dashdot"),
    ]
    top = max([1.0, *(float(np.nanmax(x.values)) for x in lines if np.isfinite(x.values).any())])
    axis = Axis("share; density about 1", ticks=".1f", hover=".3f", low=0, high=1.05 * top, may_be_log=False)
    return chart(lines, axis, style, events=history.events)


def variety(history: History, style: Style) -> go.Figure:
    """Draw how different two fakes are, next to how different two real items are."""
    line = history.scored("diversity/pixels", "distance of two fakes / of two real items", palette.FAKE)
    return chart([line], Axis("ratio", may_be_log=False), style, events=history.events)


def likeness(history: History, style: Style) -> go.Figure:
    """Draw how alike two fakes of a class are (MS-SSIM), and the share of near copies of training items."""
    lines = [
        history.scored("diversity/ssim", "likeness of fakes of a class", palette.FAKE),
        history.scored("copies/share", "near copies of training items", palette.SECOND, palette.DASH["second"]),
    ]
    return chart(lines, SHARE, style, events=history.events)


def _has_classes(experiment: Experiment) -> bool:
    return bool(experiment.data.classes)


CURVES: dict[str, Curve] = {
    "classes": Curve(
        "Classes",
        "How many classes the fakes fall into: those with at least a fifth of their share of the data.",
        classes,
        _has_classes,
    ),
    "shares": Curve(
        "Class shares",
        "Each class's share of the fakes over time: purple too few, white its share of the data, green too many. A GAN "
        "that cycles through its modes paints a chequered strip.",
        shares,
        _has_classes,
    ),
    "evenness": Curve(
        "Evenness",
        "How far the fakes' classes are from the data's: 0 where all shares are the same.",
        evenness,
        _has_classes,
    ),
    "frechet": Curve(
        "FID on our features",
        "How far the fakes are from the data in the features of the app's own classifier. Not comparable with papers.",
        frechet,
    ),
    "kernel": Curve(
        "Kernel distance",
        "The same question asked of a kernel's means: around 0, below it too, when nothing differs.",
        kernel,
    ),
    "reached": Curve(
        "Precision, recall, coverage",
        "Precision and density: fakes among the data. Recall and coverage: data among the fakes. The first two without "
        "the others are collapse, the others without the first two are mush.",
        reached,
    ),
    "variety": Curve(
        "Variety",
        "How different two fakes are, compared with two real items: 0 when all fakes are one image.",
        variety,
    ),
    "likeness": Curve(
        "Likeness and copies",
        "How alike two fakes of the same class are (MS-SSIM), and how many fakes all but repeat a training item.",
        likeness,
    ),
}
