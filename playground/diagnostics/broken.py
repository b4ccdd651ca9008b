"""Whether a run of an adversarial family broke: the first and surest check of its verdicts.

A player that did not move leaves a gap in its column, so only all losses gone, or one infinite, means broken. Watch the
step: the last good moment lies before it.
"""

from __future__ import annotations

import math

import numpy as np

from playground.diagnostics import reasons
from playground.diagnostics.signals import Evidence, Finding, Signals, State

FAR = 10.0  # fakes ten views away, or ten times as wide as the data, do not come back by themselves
HUGE = 1e5  # a loss that size is on its way to infinity


def broken(s: Signals) -> Finding | None:
    """Return what broke: a loss that is no number or about to be none, or fakes far outside the picture."""
    state: State = "diverged"
    losses = {name: column[-1] for name, column in s.train.items() if name.startswith("loss/") and len(column)}
    values = np.array(list(losses.values()))
    # A player that did not move leaves a gap in its column; only all losses gone, or one infinite, means broken.
    if len(values) and (np.isinf(values).any() or not np.isfinite(values).any()):
        evidence = tuple(Evidence(_named(name), f"{value:g}", "a finite number") for name, value in losses.items())
        return Finding(
            state,
            f"Diverged: at step {s.step:,} the losses stopped being numbers.",
            reasons.BROKEN,
            evidence,
        )
    biggest = float(np.nanmax(np.abs(values))) if len(values) else 0.0
    width, off = s.last("spread/all"), math.nan
    if s.experiment.data.kind == "points":  # images end in a tanh, which keeps them in the picture
        off = s.last("dist/sw") / s.experiment.points.extent
    if not (biggest > HUGE or width > FAR or off > FAR):
        return None
    sentence = (
        f"Diverged: the fakes have left the picture (they are {width:,.0f} times as wide as the data)."
        if width > FAR
        else "Diverged: the fakes have left the picture."
        if off > FAR
        else f"Diverged: a loss has grown to {biggest:.2g}."
    )
    return Finding(
        state,
        sentence,
        reasons.OUTWARD,
        (
            Evidence("Largest loss", f"{biggest:,.3g} nats", "below 10"),
            *([Evidence("Width of the fakes", f"{width:,.3g} × the data's", "1")] if math.isfinite(width) else []),
        ),
    )


def _named(metric: str) -> str:
    group, _, player = metric.partition("/")
    return f"{player.upper()} {group}"
