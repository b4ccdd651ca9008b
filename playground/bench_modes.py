"""What each remedy does to the modes: the plain GAN and every cure for collapse, on three mixtures, over seeds.

Everything but the remedy is one recipe, printed with the table; levels say nothing without it. There are two of it: in
"even" both players learn equally fast, in "steep" D learns four times as fast, as in the preset `collapse`. Numbers are
of 10,000 fakes at the last step: modes with at least 1 % of them, the share within three standard deviations of a mode
(sharp), total variation of the modes' shares, reverse KL in nats of the sharp ones; a perfect sampler has 0.989, 0.011
and 0. A run that diverged counts as no mode at all. Intervals are 95 %, Student's t over the seeds; between seeds
that all agree there is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from playground.diagnostics.modes import ModeScore
from playground.engine.loop import TrainingFailed
from playground.exams import train
from playground.experiment import Experiment
from playground.intervals import interval

Row = dict[str, Any]

DATA = ("ring8", "grid9", "grid25")
STEPS, SEEDS = 2000, 5

NETS = {
    "g_depth": 2, "g_width": 64, "d_depth": 2, "d_width": 64, "activation": "relu", "init": "kaiming",
    "noise_dim": 16, "batch": 128, "lr_d": 1e-3, "lr_g": 1e-3,
}  # fmt: skip
RECIPES: dict[str, dict[str, Any]] = {"even": NETS, "steep": NETS | {"lr_d": 4e-3}}
REMEDIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "packing of 2": {"packing": 2},
    "5 unrolled steps": {"unroll": 5},
    "spectral norm": {"spectral": True},
    "gradient penalty 1": {"penalty": "gp", "penalty_weight": 1.0},
    "R1 0.1": {"penalty": "r1", "penalty_weight": 0.1},
    "minibatch discrimination": {"minibatch": "discrimination"},
    "minibatch deviation": {"minibatch": "std"},
    "half replayed": {"replay": 0.5},
    "hinge loss": {"loss": "hinge"},
    "relativistic loss": {"loss": "relativistic"},
}


def modes(steps: int = STEPS, seeds: int = SEEDS, recipe: str = "") -> Iterator[Row]:
    """Train every remedy on the three mixtures and yield a row each after the recipe's own; without a name, of both."""
    for name in (recipe,) if recipe else tuple(RECIPES):
        yield {"name": said(name, RECIPES[name], steps, seeds), "value": None, "target": "", "ok": None}
        for data in DATA:
            for remedy in REMEDIES:
                yield cell(name, data, remedy, steps, seeds)


def said(recipe: str, settings: dict[str, Any], steps: int, seeds: int) -> str:
    """Return a recipe in words."""
    nets = f"G {settings['noise_dim']}-64-64-2, D 2-64-64-1, ReLU, Kaiming"
    rates = f"Adam (0.5, 0.999), lr D {settings['lr_d']:g}, G {settings['lr_g']:g}"
    return f"{recipe}: {nets}, {rates}, batch {settings['batch']}, non-saturating, {steps:,} steps, {seeds} seeds"


def cell(recipe: str, data: str, remedy: str, steps: int, seeds: int) -> Row:
    """Train one remedy on one mixture over seeds."""
    settings = RECIPES[recipe] | REMEDIES[remedy]
    mixture = Experiment(dataset=data).data.modes()
    assert mixture is not None
    count = len(mixture.weights)
    scores = [trained(data, steps, seed, settings) for seed in range(seeds)]
    found = {
        "modes": interval([0 if s is None else s.one_percent for s in scores], 0, count),
        "sharp": interval([0 if s is None else s.hq for s in scores], 0, 1),
        "tv": interval([1 if s is None else s.tv for s in scores], 0, 1),
        "reverse_kl": interval([math.log(count) if s is None else s.reverse_kl for s in scores], 0, math.log(count)),
    }
    words = [found["modes"].words(".1f"), *(f"{k} {found[k].words('.2f')}" for k in ("sharp", "tv", "reverse_kl"))]
    return {
        "name": f"{recipe}, {data}: {remedy}", "value": found["modes"].mean, "target": f"of {count} modes", "ok": None,
        "note": ", ".join(words), "recipe": recipe, "data": data, "remedy": remedy, "steps": steps, "seeds": seeds,
        **{name: [f.mean, f.low, f.high] for name, f in found.items()},
    }  # fmt: skip


def trained(data: str, steps: int, seed: int, settings: dict[str, Any]) -> ModeScore | None:
    """Train one run and score 10,000 of its fakes; None where it diverged."""
    try:
        return train(data, steps, seed, device="cpu", **settings)
    except TrainingFailed:
        return None
