"""The curves of a run: pure functions from its history to Plotly figures, each with what it shows in a sentence.

Each score is drawn with its value at perfection and its noise floor (a grey band: what a perfect sampler scores at that
sample size); losses with their values where fakes and data are alike (dotted: ln 2, 2 ln 2); live edits as grey rules.
A figure holds at most 600 points a line, so that it can be redrawn twice a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.diagnostics.panel import Floor
from playground.experiment import Experiment
from playground.figures import palette
from playground.figures.chart import Axis, Line, Style, chart, layout, marks
from playground.figures.series import Array, decimate, smooth
from playground.losses import LOSSES

__all__ = ["CURVES", "EACH_STEP", "Curve", "History", "Style", "decimate", "draw", "smooth"]

EACH_STEP = ("loss", "score", "grad", "info", "began")  # groups of metrics that come with a step; the others are scores


@dataclass(frozen=True)
class History:
    """What a run has measured: `train` columns and `scores` rows with "step", floors, events, loss, classes."""

    train: Mapping[str, Any] = field(default_factory=dict)
    scores: Sequence[Mapping[str, Any]] = ()
    floors: Mapping[str, Floor] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()
    loss: str = ""
    modes: int = 0
    classes: tuple[str, ...] = ()
    smoothed_labels: bool = False
    theory: Mapping[str, tuple[float, str]] = field(
        default_factory=dict
    )  # what a family's settings know of its metrics

    @classmethod
    def of(
        cls,
        experiment: Experiment,
        train: Mapping[str, Any],
        scores: Sequence[Mapping[str, Any]],
        floors: Mapping[str, Floor | Sequence[float]] | None = None,
        events: Sequence[Mapping[str, Any]] = (),
    ) -> History:
        """Take an experiment's loss and modes; floors may come as [perfect, low, high]."""
        known = {k: f if isinstance(f, Floor) else Floor(*map(float, f)) for k, f in (floors or {}).items()}
        modes, model = experiment.data.modes(), experiment.model
        count = 0 if modes is None else len(modes.weights)
        smoothed = bool(getattr(model, "smoothing", 0))
        loss, classes = str(getattr(model, "loss", "")), tuple(experiment.data.classes)
        return cls(train, scores, known, events, loss, count, classes, smoothed, getattr(model, "theory", {}))

    def trained(self, metric: str, name: str, colour: str, dash: str = "solid") -> Line:
        """Return a train metric as a line."""
        values = np.asarray(self.train.get(metric, ()), np.float64)
        steps = np.asarray(self.train.get("step", ()), np.float64)[: len(values)]
        return Line(name, steps, values[: len(steps)], colour, dash, noisy=True)

    def scored(self, metric: str, name: str, colour: str, dash: str = "solid") -> Line:
        """Return a score as a line with its floor; rows without it are gaps."""
        rows = [row for row in self.scores if row.get("step") is not None]
        steps: Array = np.array([row["step"] for row in rows], np.float64)
        values = [row.get(metric) for row in rows]
        filled: Array = np.array([np.nan if v is None else v for v in values], np.float64)
        return Line(name, steps, filled, colour, dash, self.floors.get(metric))


def losses(history: History, style: Style) -> go.Figure:
    """Draw D's loss solid and G's dashed, with the values both take where fakes and data are alike."""
    known = LOSSES.get(history.loss)
    theory = [] if known is None or history.smoothed_labels else sorted(set(known.theory.values()))
    entropy = history.loss in ("minimax", "non-saturating", "relativistic")
    axis = (
        Axis("loss, nats", "nats")
        if entropy
        else Axis("loss, critic units" if "wasserstein" in history.loss else "loss")
    )
    lines = [_d(history, "loss/d"), _g(history, "loss/g")]
    return chart(lines, axis, style, theory=theory, events=history.events)


def outputs(history: History, style: Style) -> go.Figure:
    """Draw D's mean output on real points (solid) and on fakes (dashed), a probability unless D is a critic."""
    known = LOSSES.get(history.loss)
    critic = known is not None and known.output == "critic"
    axis = Axis("critic value") if critic else Axis("D's belief in real", low=0, high=1.02, may_be_log=False)
    lines = [
        history.trained("score/real", "D on real points", palette.REAL, palette.DASH["real"]),
        history.trained("score/fake", "D on fakes", palette.FAKE, palette.DASH["fake"]),
    ]
    return chart(lines, axis, style, theory=[] if critic else [(0.5, "cannot tell: 1/2")], events=history.events)


def gradients(history: History, style: Style) -> go.Figure:
    """Draw the norms of both players' gradients."""
    return chart([_d(history, "grad/d"), _g(history, "grad/g")], Axis("gradient norm"), style, events=history.events)


def modes(history: History, style: Style) -> go.Figure:
    """Draw how many modes have fakes, by the three rules in use."""
    lines = [
        history.scored("modes/covered", "≥ 1 sharp fake", palette.FAKE),
        bare(history.scored("modes/one_percent", "≥ 1 % of fakes", palette.SECOND, "dash")),
        bare(history.scored("modes/eight_percent", "≥ 8 % of share", palette.GENERATOR, "dot")),
    ]
    axis = Axis(
        "modes covered", "modes", ticks=",d", hover=",d", low=0, high=1.12 * max(history.modes, 1), may_be_log=False
    )
    return chart(lines, axis, style, events=history.events)


def quality(history: History, style: Style) -> go.Figure:
    """Draw the share of sharp fakes; for data without modes, precision and coverage."""
    axis = Axis("share", ticks=".0%", hover=".1%", low=0, high=1.05, may_be_log=False)
    lines = [
        history.scored("modes/hq", "sharp fakes (within 3 std)", palette.FAKE),
        history.scored("prdc/precision", "fakes that look real", palette.FAKE),
        bare(history.scored("prdc/coverage", "data covered", palette.REAL, "dash")),
    ]
    return chart(lines, axis, style, events=history.events)


def divergences(history: History, style: Style) -> go.Figure:
    """Draw JS and forward KL between data and fakes on a grid."""
    lines = [
        history.scored("dist/js", "JS(data, fakes)", palette.FAKE),
        history.scored("dist/kl", "KL(data ‖ fakes), 1 % skew", palette.SECOND, palette.DASH["second"]),
    ]
    return chart(lines, Axis("divergence, nats", "nats"), style, events=history.events)


def wasserstein(history: History, style: Style) -> go.Figure:
    """Draw the sliced Wasserstein-1 distance."""
    line = history.scored("dist/sw", "sliced W1", palette.FAKE)
    return chart([line], Axis("distance, data units", "data units"), style, events=history.events)


def mmd(history: History, style: Style) -> go.Figure:
    """Draw the unbiased squared MMD, which may be below 0."""
    line = history.scored("dist/mmd", "MMD², unbiased", palette.FAKE)
    return chart([line], Axis("MMD², no unit", hover=".3~g"), style, events=history.events)


def accuracy(history: History, style: Style) -> go.Figure:
    """Draw D's accuracy on held-out real points and fresh fakes."""
    axis = Axis("accuracy", ticks=".0%", hover=".1%", low=0.35, high=1.05, may_be_log=False)
    return chart(
        [history.scored("d/accuracy", "D on points never seen", palette.DISCRIMINATOR)],
        axis,
        style,
        events=history.events,
    )


def spread(history: History, style: Style) -> go.Figure:
    """Draw how wide the fakes are, over all and within their modes, relative to the data."""
    lines = [
        history.scored("spread", "within modes", palette.FAKE),
        bare(history.scored("spread/all", "over all", palette.SECOND, palette.DASH["second"])),
    ]
    return chart(lines, Axis("width of fakes / width of data"), style, events=history.events)


def masses(history: History, style: Style) -> go.Figure:
    """Draw each mode's share of the fakes over time as a strip: purple is none, white its fair share."""
    return strip(history, style, "mode", "mass", [str(i + 1) for i in range(history.modes)])


def strip(history: History, style: Style, what: str, prefix: str, names: Sequence[str]) -> go.Figure:
    """Draw the shares `prefix/0 ..` of the fakes over time, a row each: purple is none, white its fair share."""
    axis = Axis(what, may_be_log=False)
    rows = [row for row in history.scores if f"{prefix}/0" in row][-style.width :]
    if not rows or not names:
        return chart([], axis, style)
    steps = [row["step"] for row in rows]
    keys = [f"{prefix}/{i}" for i in range(len(names))]
    fair = [history.floors[key].perfect if key in history.floors else 1 / len(names) for key in keys]
    grid = np.array([[row.get(key, np.nan) for row in rows] for key in keys], np.float64)  # (K, R)
    cells = {
        "type": "heatmap", "x": steps, "y": list(range(1, len(names) + 1)), "zmin": 0, "zmax": 2, "showscale": False,
        "z": grid / np.maximum(fair, 1e-9)[:, None], "colorscale": palette.scale(),
        "customdata": np.repeat(np.array(names)[:, None], len(steps), 1),
        "hovertemplate": f"{what} %{{customdata}}, step %{{x:,d}}<br>%{{z:.2f}} of its fair share<extra></extra>",
    }  # fmt: skip
    frame = layout(axis, style, ends=(steps[0], steps[-1])) | marks(history.events, (steps[0], steps[-1]))
    every = 1 if len(names) <= 12 else 5
    shown = list(range(every, len(names) + 1, every))
    frame["yaxis"] |= {"tickmode": "array", "tickvals": shown, "ticktext": [names[i - 1] for i in shown]}
    return go.Figure([cells], frame | {"hovermode": "closest", "showlegend": False})


def _d(history: History, metric: str) -> Line:
    return history.trained(metric, "Discriminator", palette.DISCRIMINATOR, palette.DASH["discriminator"])


def _g(history: History, metric: str) -> Line:
    return history.trained(metric, "Generator", palette.GENERATOR, palette.DASH["generator"])


def _has_modes(experiment: Experiment) -> bool:
    return experiment.data.modes() is not None


def bare(line: Line) -> Line:
    """Return a line without its floor, where the first line's stands for all."""
    return Line(line.name, line.steps, line.values, line.colour, line.dash)


@dataclass(frozen=True)
class Curve:
    """One figure: its title, what it shows in a sentence or two, how it is drawn, and for which experiments."""

    title: str
    about: str
    draw: Callable[[History, Style], go.Figure]
    suits: Callable[[Experiment], bool] = lambda _: True


CURVES: dict[str, Curve] = {
    "losses": Curve(
        "Losses",
        "What each player minimises. D at its dotted line cannot tell fakes from data; neither loss has to fall.",
        losses,
    ),
    "outputs": Curve(
        "D(real), D(fake)",
        "How real D finds real points and fakes on average; they meet where D cannot tell.",
        outputs,
        lambda experiment: hasattr(experiment.model, "loss"),
    ),
    "gradients": Curve(
        "Gradients",
        "How hard each player is pushed. A generator near 0 gets no hint any more.",
        gradients,
    ),
    "modes": Curve(
        "Modes",
        "How many modes have fakes: at least one sharp fake, 1 % of all fakes, or 8 % of the mode's share.",
        modes,
        _has_modes,
    ),
    "masses": Curve(
        "Mode shares",
        "Each mode's share of the fakes over time: purple too few, white its fair share, green too many.",
        masses,
        _has_modes,
    ),
    "quality": Curve(
        "Quality",
        "The share of fakes within three standard deviations of a mode; a perfect sampler has 98.9 %, not 100 %.",
        quality,
    ),
    "divergences": Curve(
        "JS and KL",
        "How different data and fakes are on a grid of 32 by 32 cells; KL grows when fakes miss data.",
        divergences,
    ),
    "wasserstein": Curve(
        "Wasserstein",
        "How far fakes would have to move to become data, averaged over 16 directions.",
        wasserstein,
    ),
    "mmd": Curve(
        "MMD",
        "The squared distance of means in a kernel's space; around 0, below it too, when nothing differs.",
        mmd,
    ),
    "accuracy": Curve(
        "D's accuracy",
        "How often D is right on points it has never seen: half of the time once G has won.",
        accuracy,
    ),
    "spread": Curve(
        "Width",
        "How wide the fakes are compared with the data, over all and within their modes.",
        spread,
    ),
}


def draw(name: str, history: History, style: Style | None = None) -> go.Figure:
    """Return the figure of that name; raises `LookupError` naming those there are."""
    if name not in CURVES:
        raise LookupError(f"There is no curve {name!r}: the curves are {', '.join(CURVES)}.")
    return CURVES[name].draw(history, style or Style())
