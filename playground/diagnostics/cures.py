"""The usual cure for each state: a ladder of changes, of which the first not yet in place is offered.

Live changes come first: they act on the running model. Sources: penalties Mescheder et al. 2018, arXiv 1801.04406;
packing Lin et al. 2018, arXiv 1712.04086; spectral norm Miyato et al. 2018, arXiv 1802.05957; two time scales Heusel et
al. 2017, arXiv 1706.08500; instance noise Sonderby et al. 2017, arXiv 1610.04490; non-saturating loss Goodfellow et al.
2014, arXiv 1406.2661. None is certain; the verdict after some hundred steps says whether it helped. Against collapse
only what `python -m playground bench modes` has shown to help is offered: R1, packing, and spectral norm where D learns
much faster than G; unrolling, minibatch features, replay, other losses and a still faster D found no more modes there.
On 8 x 8 digits R1 brought a collapsed convolutional GAN back and less momentum a swinging one; BEGAN's γ is offered as
its paper has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from playground.config import ConfigError
from playground.diagnostics.signals import Cure
from playground.experiment import Experiment

SLOWEST = 1e-5  # learning rates are not lowered below this


def cure_for(
    state: str, experiment: Experiment, ladders: Mapping[str, Callable[[Now], Ladder]] | None = None
) -> Cure | None:
    """Return the first remedy for a state, or "d-too-weak", that the experiment can take and lacks; None when well."""
    ladders = LADDERS if ladders is None else ladders
    for label, values, why in ladders[state](Now(experiment)) if state in ladders else []:
        cure = _applicable(experiment, label, values, why)
        if cure is not None:
            return cure
    return None


class Now:
    """The current settings, with a default for fields that a family does not have."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment, self.fields = experiment, experiment.knobs()

    def __call__(self, name: str, default: Any = None) -> Any:
        """Return a field's value."""
        return self.experiment.value(name) if name in self.fields else default

    @property
    def game(self) -> bool:
        """Say whether the data is a game of two numbers."""
        return self.experiment.data.shape == (1,)

    @property
    def images(self) -> bool:
        """Say whether the data is images."""
        return self.experiment.data.kind == "images"

    @property
    def extent(self) -> float:
        """Half the width of what the networks see: images lie in [-1, 1]."""
        return 1.0 if self.images else self.experiment.points.extent

    def slower(self, *names: str, by: float = 3.0) -> dict[str, float]:
        """Return these learning rates divided, rounded to two digits and not below the slowest."""
        return {name: float(f"{max(self(name, 1e-3) / by, SLOWEST):.2g}") for name in names}

    def steps(self, by: float) -> dict[str, float]:
        """Return the learning rates of all players divided."""
        return self.slower(*(name for name in ("lr_d", "lr_g", "lr") if name in self.fields), by=by)


Ladder = list[tuple[str, dict[str, Any], str]]


def _collapse(now: Now) -> Ladder:
    ladder: Ladder = []
    if now("g_steps", 1) > now("d_steps", 1):
        why = "G takes several updates for each of D's, so it crowds one place before D can object."
        ladder.append(("One G update a step", {"g_steps": now("d_steps", 1)}, why))
    ladder += _calmer(now)
    if now("lr_d", 1.0) < now("lr_g", 0.0):
        ladder.append(("Let D learn as fast as G", {"lr_d": now("lr_g")}, TWO_SPEEDS))
    if now("penalty") == "none":
        ladder.append(_r1(now))
    if now("gamma", 1.0) < 1.0:
        ladder.append(("Ask for variety", {"gamma": round(min(now("gamma") + 0.2, 1.0), 2)}, VARIETY))
    if now("d_norm") == "batch" and now("penalty") == "none":
        label, values, why = _r1(now)
        ladder.append((f"{label} (with layer norm)", {"d_norm": "layer", **values}, f"{why} Restarts the run."))
    if now("packing", 1) < 2:
        ladder.append(PACK)
    if not now("spectral", True) and now("lr_d", 0.0) > 1.9 * now("lr_g", 1.0):
        ladder.append(SPECTRAL)
    return ladder


def _too_weak(now: Now) -> Ladder:
    ladder: Ladder = []
    if now("lr_d", 1.0) < 2.9 * now("lr_g", 0.0):
        faster = float(f"{3 * max(now('lr_d'), now('lr_g') / 3):.2g}")
        why = "G can only be as good as what D has learned to tell apart."
        ladder.append(("Let D learn faster", {"lr_d": faster}, why))
    if now("d_steps", 9) < 3:
        ladder.append(("Train D 3 times a step", {"d_steps": 3}, "D gets ahead of G and has something to teach it."))
    return ladder


def _too_strong(now: Now) -> Ladder:
    ladder: Ladder = []
    if now("d_steps", 1) > now("g_steps", 1):
        why = "D takes several updates for each of G's, which is more than it needs."
        ladder.append(("One D update a step", {"d_steps": now("g_steps", 1)}, why))
    ladder += _calmer(now)
    noise = [_noise(now)] if now("instance_noise", 1.0) < 0.05 else []
    slope = [_r1(now)] if now("penalty") == "none" else []
    ladder += [*slope, *_copying(now), *noise] if now.images else [*noise, *slope]
    if now("lr_d", 0.0) > now("lr_g", 1.0) / 4:
        why = "A slower D gives G time to answer before the next lesson."
        ladder.append(("Slow D down", now.slower("lr_d"), why))
    if now("smoothing", 1.0) < 0.1:
        why = "D is no longer paid for being entirely sure, so its slope does not fade."
        ladder.append(("Smooth the labels", {"smoothing": 0.1}, why))
    return ladder


def _vanished(now: Now) -> Ladder:
    ladder: Ladder = []
    if now("loss") in ("minimax", "least-squares"):
        why = "Its gradient is largest where D is surest that a fake is fake: just where G needs it."
        ladder.append(("Use the non-saturating loss", {"loss": "non-saturating"}, why))
    if now("loss") == "wasserstein-clip":
        why = "Clipping bends the critic flat layer by layer; a penalty on its slope keeps the gradient near one."
        ladder.append(("Penalise the slope, do not clip", {"loss": "wasserstein-gp"}, why))
    return ladder + _too_strong(now)


def _circling(now: Now) -> Ladder:
    ladder: Ladder = []
    if now("order") == "simultaneous":
        ladder.append(ALTERNATE)
    ladder += _calmer(now)
    if now("penalty") == "none":
        ladder.append(_r1(now))
    if not now.game and now("instance_noise", 1.0) < 0.05:
        ladder.append(_noise(now))
    if now.game:
        return [*ladder, OPTIMISTIC]
    ladder.append(("Take smaller steps", now.steps(by=2), "Shorter steps overshoot the meeting point less."))
    if now("ema", 1.0) == 0:
        why = "The average of G's recent weights sits in the middle of the circle it runs."
        ladder.append(("Draw from an average of G", {"ema": 0.999}, why))
    return ladder


def _outwards(now: Now) -> Ladder:
    if now.game:
        return _circling(now)
    why = "Go back to the last good moment first; the step that broke it was too long."
    ladder: Ladder = [("Take smaller steps", now.steps(by=3), why)]
    if now("penalty") == "none":
        ladder.append(_r1(now))
    return ladder


def _copying(now: Now) -> Ladder:
    return [AUGMENT] if now("augment") == "none" else []


def _calmer(now: Now) -> Ladder:
    """Offer less momentum where networks of images have much, and swing (Radford et al. 2015, arXiv 1511.06434)."""
    if not now.images or now("beta1", 0.0) < 0.8:
        return []
    return [("Lower the momentum", {"beta1": 0.5}, MOMENTUM)]


def _r1(now: Now) -> tuple[str, dict[str, Any], str]:
    # A game's D is one slope, and one of images has hundreds of inputs: there the penalty may pull harder.
    weight = 1.0 if now.game or now.images else 0.1
    why = "D may no longer be steep at real samples, so it stays smooth enough to draw fakes towards what they lack."
    return "Add an R1 penalty", {"penalty": "r1", "penalty_weight": weight}, why


def _noise(now: Now) -> tuple[str, dict[str, Any], str]:
    amount = float(f"{0.05 * now.extent:.1g}")
    why = "Blurring real and fake samples alike makes the two overlap, so D cannot be sure and its slope reaches G."
    return "Add instance noise", {"instance_noise": amount}, why


TWO_SPEEDS = "A D slower than G notices a crowded place only when the fakes have moved on."
PACK = (
    "Pack 2 samples",
    {"packing": 2},
    "D judges two samples at once and sees that fakes are too alike. Restarts the run.",
)
AUGMENT = (
    "Augment what D sees",
    {"augment": "translation"},
    "D sees no image twice the same, so it cannot learn the training images by heart.",
)
MOMENTUM = "With much momentum each player runs on past where the other was; images need about one half."
VARIETY = "At a low γ D spends itself on rebuilding real images, and fakes lose variety; a higher one asks for more."
SPECTRAL = (
    "Bound D's slope",
    {"spectral": True},
    "With spectral norm even a D this quick cannot be steep anywhere, so it draws fakes from afar. Restarts the run.",
)
ALTERNATE = (
    "Update in turn",
    {"order": "alternating"},
    "When G answers the new D, the outward drift of the spiral is gone.",
)
OPTIMISTIC = (
    "Use optimistic Adam",
    {"optimiser_d": "optimistic-adam", "optimiser_g": "optimistic-adam", "beta1": 0.0},
    "It steps along where the gradient is heading, which turns the circle inwards; momentum would carry it out again.",
)

LADDERS: dict[str, Callable[[Now], Ladder]] = {
    "partial-collapse": _collapse,
    "full-collapse": _collapse,
    "d-too-strong": _too_strong,
    "d-too-weak": _too_weak,
    "g-vanished": _vanished,
    "oscillating": _circling,
    "diverged": _outwards,
    "memorising": _copying,
}


def _applicable(experiment: Experiment, label: str, values: dict[str, Any], why: str) -> Cure | None:
    fields = experiment.knobs()
    if any(name not in fields for name in values) or all(experiment.value(n) == v for n, v in values.items()):
        return None
    try:
        changed = experiment.changed(**values)
    except ConfigError:  # out of this family's range, or at odds with another field
        return None
    if not all(fields[name].matters(changed.model) for name in values if name in type(changed.model).model_fields):
        return None
    return Cure(label, values, all(fields[name].live for name in values), why)
