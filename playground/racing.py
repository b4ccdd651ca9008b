"""What makes a race: one experiment, one field, several values; all else is equal, the seed and so the batches too.

The runs start from the same weights wherever their networks have the same shapes, and see the same items in the same
order: `starts` builds them and says where that is so. What they came to is judged by each run's own verdict; of several
seeds, the share that collapsed comes with Wilson's interval (Wilson 1927, "Probable inference, the law of succession,
and statistical inference", JASA 22): of few seeds a share alone says little.

    (p + t/2 +- sqrt(t (p (1 - p) + t/4))) / (1 + t),   p = k/n,   t = 1.96^2 / n
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from playground.config import ConfigError, Knob, knobs
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.store.races import MOST, Card

FEWEST = 2
SEEDS = 12  # seeds of one setting at most: above `MOST` they go one after the other
APART = frozenset({"device", "steps", "log_every", "score_every", "keyframe_every"})  # no race: they change no lesson
COLLAPSED = frozenset({"partial-collapse", "full-collapse", "posterior-collapse"})
EARLY = "Warming up"  # how a verdict begins that rests on too little yet
NETS = {
    "g": "generator", "d": "discriminator", "encoder": "encoder", "decoder": "decoder", "reader": "reader of codes",
}  # fmt: skip
NO_NETS = ("optimiser", "average", "count", "replay", "balance")


def raced(experiment: Experiment) -> dict[str, Knob]:
    """Return the fields in which runs of this experiment can differ, by name: those that act, seed first."""
    found = {"seed": experiment.knobs()["seed"]}
    for part in (experiment.model, experiment.data):
        for name, k in knobs(type(part)).items():
            if k.kind != "text" and k.matters(part, experiment.data.kind):
                found[name] = k
    return found


def suggested(base: Experiment, knob: str) -> list[Any]:
    """Return values worth racing, the base's own among them: choices, on and off, or numbers around it."""
    k, now = base.knobs()[knob], base.value(knob)
    if knob == "seed":
        return [now + i for i in range(4)]
    if k.kind == "bool":
        return [False, True]
    if k.kind == "choice":
        return _that_work(base, knob, [now, *(c for c in k.choices if c != now)])[:4]
    return _that_work(base, knob, _around(k, now))


def _around(k: Knob, now: float) -> list[Any]:
    """Return the value with a smaller and a larger one: a factor on a logarithmic scale, else a share of the range."""
    low, high = k.low or 0.0, k.high if k.high is not None else max(1.0, 10 * now)
    if k.scale == "log" and now > 0:
        factor = 4 if k.kind == "int" else 10
        spread = [now / factor, now, now * factor]
    else:
        stride = max((high - low) / 4, 1 if k.kind == "int" else 0)
        spread = [now - stride, now, now + stride]
    inside = [min(max(value, low), high) for value in spread]
    return sorted({round(value) if k.kind == "int" else float(f"{value:.3g}") for value in inside})


def _that_work(base: Experiment, knob: str, values: Sequence[Any]) -> list[Any]:
    found = []
    for value in values:
        try:
            base.changed(**{knob: value})
        except ConfigError:  # it does not go with the other settings
            continue
        found.append(value)
    return found


def plan(base: Experiment, knob: str, values: Sequence[Any], title: str = "") -> Card:
    """Return a race of `base` with `knob` at each of the values; raises `ConfigError` in one sentence."""
    if knob not in raced(base):
        raise ConfigError(f"Runs cannot race in {knob!r}: choose one of {', '.join(raced(base))}.")
    k = base.knobs()[knob]
    most = SEEDS if knob == "seed" else MOST
    if not FEWEST <= len(values) <= most:
        raise ConfigError(f"A race in {knob} takes {FEWEST} to {most} values, and there are {len(values)}.")
    starts = {named(k, value): base.changed(**{knob: value}) for value in values}
    if len(starts) < len(values):
        raise ConfigError(f"A value of {knob} is there twice: racers that are the same run side by side for ever.")
    return Card.of(title or f"{k.label}: {', '.join(k.said(value) for value in values)}", knob, starts)


def named(k: Knob, value: Any) -> str:
    """Return what a racer is called: a choice by its name, a number or a switch with its field's."""
    return k.said(value) if k.kind == "choice" else f"{k.label} {k.said(value)}"


# -- what is equal at the start ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Starts:
    """What the runs of a race share before their first step: networks by name, and the first batch."""

    nets: dict[str, bool]
    batches: bool

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        same = [net for net, equal in self.nets.items() if equal]
        other = [net for net, equal in self.nets.items() if not equal]
        batches = "the same batches" if self.batches else "batches of their own"
        if not other:
            return f"All start from the same weights and see {batches}."
        if not same:
            return f"All networks start from weights of their own, and see {batches}."
        return f"The same first weights of the {_listed(same)}, others of the {_listed(other)}; {batches}."


def starts(experiments: Sequence[Experiment]) -> Starts:
    """Build each experiment and compare the networks' first weights and the first batch, to the last bit."""
    loops = [Loop(e.changed(device="cpu")) for e in experiments]
    nets = [_nets(loop) for loop in loops]
    names = dict.fromkeys(name for found in nets for name in found)
    equal = {name: all(_equal(found.get(name), nets[0].get(name)) for found in nets[1:]) for name in names}
    batches = [loop.family.take(loop.family.rows, 0, loop.rng) for loop in loops]
    return Starts(equal, all(torch.equal(batch, batches[0]) for batch in batches[1:]))


def _nets(loop: Loop) -> dict[str, dict[str, torch.Tensor]]:
    """Return each network's tensors under the network's name in words."""
    found: dict[str, dict[str, torch.Tensor]] = {}
    for path, tensor in loop.family.state().items():
        owner, _, rest = path.partition("/")
        owner = rest.split(".", 1)[0] if owner == "net" else owner
        if not owner.startswith(NO_NETS):
            found.setdefault(NETS.get(owner, owner), {})[path] = tensor
    return found


def _equal(a: dict[str, torch.Tensor] | None, b: dict[str, torch.Tensor] | None) -> bool:
    return a is not None and b is not None and a.keys() == b.keys() and all(torch.equal(a[n], b[n]) for n in a)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# -- what came out ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """How many of how many, and the interval that holds the true share with 95 %."""

    k: int
    n: int
    low: float
    high: float

    def __str__(self) -> str:
        if not self.n:
            return "none judged yet"
        return f"{self.k} of {self.n}: {self.k / self.n:.0%} (95 % interval {self.low:.0%} to {self.high:.0%})"


def collapsed(verdicts: Sequence[tuple[str, str]]) -> Share:
    """Return the share that collapsed of (state, sentence) verdicts: of all that are past their warm-up.

    One that is still learning has not collapsed and counts; one of which it is too early to say anything does not.
    """
    judged = [state for state, sentence in verdicts if not (state == "warming" and sentence.startswith(EARLY))]
    return wilson(sum(state in COLLAPSED for state in judged), len(judged))


def wilson(k: int, n: int, z: float = 1.96) -> Share:
    """Return k of n with Wilson's interval."""
    if n == 0:
        return Share(0, 0, 0.0, 1.0)
    p, t = k / n, z * z / n
    middle, half = p + t / 2, math.sqrt(t * (p * (1 - p) + t / 4))
    return Share(k, n, max(0.0, (middle - half) / (1 + t)), min(1.0, (middle + half) / (1 + t)))
