"""What a sweep would train: every combination of the values chosen, under every seed, but for what cannot be.

A combination is left out, with the reason, where the settings do not go together, and where one has no effect (the
weight of a penalty that is off): that run would be the same as another. Seeds come last in the order of training, so
that the whole picture is there under the first seed before the second begins.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.config import ConfigError, Knob, decimal, knobs
from playground.data import datasets
from playground.experiment import LEAST, OFTEN, Experiment
from playground.store.sweeps import Axis, Cell, Goal, LeftOut, Sweep, Value, new_id
from playground.sweep_goals import goal as usual_goal

MOST, MOST_AXES, MOST_SEEDS = 500, 4, 5  # runs, fields and seeds of a sweep
MOMENTS = 8  # saved of each run while it trains
FIXED = (
    "seed",
    "device",
    "steps",
    "log_every",
    "score_every",
    "keyframe_every",
)  # no axis: the plan's own, or no effect
DATASET = Knob("dataset", "choice", "", "Data set", "What is learned.", "d", False, "Data")


@dataclass(frozen=True)
class Plan:
    """What would be trained: combinations (each under every seed) and those left out."""

    base: Experiment
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    steps: int
    goal: Goal
    combinations: tuple[tuple[Value, ...], ...]
    left_out: tuple[LeftOut, ...]
    grid: int  # combinations before any were left out

    @property
    def runs(self) -> int:
        """How many runs there would be."""
        return len(self.combinations) * len(self.seeds)

    def experiment(self, values: Sequence[Value], seed: int) -> Experiment:
        """Return the experiment of one run."""
        return experiment(self.base, [axis.field for axis in self.axes], values, self.steps, seed)

    def sweep(self, name: str = "") -> Sweep:
        """Return it as a sweep to run; raises `ConfigError` where it is too large or empty."""
        refuse(self)
        cells = tuple(Cell(values=values, seed=seed) for seed in self.seeds for values in self.combinations)
        title = name or " × ".join(label(self.base, axis.field) for axis in self.axes)
        return Sweep(
            id=new_id(), name=title, base=self.base.to_json(), axes=self.axes, seeds=self.seeds, steps=self.steps,
            goal=self.goal, cells=cells, left_out=self.left_out,
        )  # fmt: skip


def fields(base: Experiment) -> dict[str, Knob]:
    """Return the settings that a sweep over this experiment can vary, the data set itself first."""
    return {"dataset": DATASET} | {n: k for n, k in base.knobs().items() if k.kind != "text" and n not in FIXED}


def label(base: Experiment, field: str) -> str:
    """Return a field's name in words."""
    found = fields(base).get(field)
    return found.label if found else field


def said(base: Experiment, field: str, value: Value) -> str:
    """Return a value as a person reads it."""
    k = fields(base).get(field)
    if field == "dataset" and value in datasets():
        return datasets()[str(value)].title
    if k is not None and k.kind == "choice":
        return dict(zip(k.choices, k.choice_labels, strict=True)).get(str(value), str(value))
    if isinstance(value, bool):
        return "on" if value else "off"
    return decimal(value) if isinstance(value, float) else str(value)


def plan(
    base: Experiment, vary: Mapping[str, Sequence[Value]], *, seeds: int = 1, steps: int = 2000,
    goal: Goal | None = None, pick: int = 0, pick_seed: int = 0,
) -> Plan:  # fmt: skip
    """Return what a sweep would train; `pick` takes so many combinations at random (0: all).

    Raises `ConfigError` in one sentence where a field or value is not there.
    """
    if not 1 <= len(vary) <= MOST_AXES:
        raise ConfigError(f"A sweep varies 1 to {MOST_AXES} settings: choose which, and two values or more of each.")
    if not 1 <= seeds <= MOST_SEEDS:
        raise ConfigError(f"seeds is {seeds}: a sweep trains each combination under 1 to {MOST_SEEDS} seeds.")
    if not 10 <= steps <= 1_000_000:
        raise ConfigError(f"steps is {steps}: each run of a sweep takes 10 to 1,000,000.")
    axes = tuple(Axis(field=name, values=allowed(base, name, values)) for name, values in vary.items())
    size = math.prod(len(axis.values) for axis in axes)
    if size > 10 * MOST:  # each is built and checked while the page is drawn
        raise ConfigError(f"The grid has {size:,} combinations: take fewer values of some setting.")
    kept, left_out = sift(base, axes, steps)
    if 0 < pick < len(kept):
        chosen = set(random.Random(pick_seed).sample(range(len(kept)), pick))
        kept = [values for i, values in enumerate(kept) if i in chosen]
    numbers = tuple(range(base.seed, base.seed + seeds))
    return Plan(base, axes, numbers, steps, goal or usual_goal(base), tuple(kept), tuple(left_out), size)


def allowed(base: Experiment, name: str, values: Sequence[Value]) -> tuple[Value, ...]:
    """Return the values of a field, each once and of its kind; raises `ConfigError`."""
    there = fields(base)
    if name not in there:
        raise ConfigError(f"There is no setting {name!r} to vary: choose among {', '.join(there)}.")
    k = there[name]
    if not values:
        raise ConfigError(f"{k.label} has no values: give two or more.")
    if any(isinstance(v, float) and not math.isfinite(v) for v in values):
        raise ConfigError(f"{name} is no number: it takes {k.domain()}.")
    if k.kind == "int":
        wrong = [v for v in values if float(v) != int(v)]
        if wrong:
            raise ConfigError(f"{name} is {wrong[0]}: it takes {k.domain()}.")
    cast = {"int": int, "float": float, "bool": bool}.get(k.kind, str)
    kinds: list[Value] = [cast(value) for value in values]
    for value in kinds:
        if (k.low is not None and value < k.low) or (k.high is not None and value > k.high):  # type: ignore[operator]
            raise ConfigError(f"{name} is {value}: it takes {k.domain()}.")
        if k.choices and value not in k.choices:
            raise ConfigError(f"{name} is {value!r}: it takes {k.domain()}.")
    return tuple(dict.fromkeys(kinds))


def sift(base: Experiment, axes: Sequence[Axis], steps: int) -> tuple[list[tuple[Value, ...]], list[LeftOut]]:
    """Return the combinations that can be trained, and those that cannot or would be another's twin."""
    names, kept, left_out = [axis.field for axis in axes], [], []
    seen: set[str] = set()
    for values in itertools.product(*(axis.values for axis in axes)):
        try:
            made = experiment(base, names, values, steps, base.seed)
            idle = [name for name in names if not acts(made, name)]
            alike = effective(base, made, idle).model_dump_json()
        except ConfigError as error:
            left_out.append(LeftOut(values=values, reason=str(error)))
            continue
        if alike in seen:
            what = " and ".join(label(base, name) for name in idle)
            left_out.append(LeftOut(values=values, reason=f"{what} has no effect here: it is the same run as another."))
        else:
            seen.add(alike)
            kept.append(values)
    return kept, left_out


def experiment(base: Experiment, names: Sequence[str], values: Sequence[Value], steps: int, seed: int) -> Experiment:
    """Return the experiment of one combination; raises `ConfigError` where its settings do not go together.

    Only its schedule differs from what the base would do: it ends by itself, is measured at the very end too, and saves
    a few moments on the way.
    """
    every = max(LEAST, steps // math.ceil(steps / (base.score_every or OFTEN)))
    return settings(base, names, values).changed(
        steps=steps, seed=seed, score_every=every, keyframe_every=max(10, math.ceil(steps / MOMENTS))
    )


def settings(base: Experiment, names: Sequence[str], values: Sequence[Value]) -> Experiment:
    """Return the base with these values; raises `ConfigError` where they do not go together."""
    changes = dict(zip(names, values, strict=True))
    dataset = changes.pop("dataset", base.dataset)
    return (base if dataset == base.dataset else base.on(str(dataset))).changed(**changes)


def acts(made: Experiment, name: str) -> bool:
    """Say whether a field has an effect in an experiment."""
    for part in (made, made.data, made.model):
        if name in knobs(type(part)):
            return knobs(type(part))[name].matters(part, made.data.kind)
    return True  # the data set


def effective(base: Experiment, made: Experiment, idle: Sequence[str]) -> Experiment:
    """Return an experiment with fields that have no effect as the base has them: twins become equal."""
    return made.changed(**{name: base.value(name) for name in idle if name in base.knobs()}) if idle else made


def refuse(made: Plan) -> None:
    """Raise `ConfigError` in one sentence where a plan is empty or too large."""
    if not made.combinations:
        raise ConfigError(f"No combination can be trained: {made.left_out[0].reason}")
    if made.runs > MOST:
        raise ConfigError(
            f"This would be {made.runs:,} runs, and a sweep takes at most {MOST}: take fewer values or seeds, or a "
            "random part of the grid."
        )


# -- values as text ---------------------------------------------------------------------------------------------------


def parse(k: Knob, text: str) -> tuple[Value, ...]:
    """Read values as written by hand: "1e-4, 1e-3", or "1e-4..1e-2 x 5" for so many from low to high.

    A range is spaced evenly, by its logarithm where the setting's own slider is. Raises `ConfigError`.
    """
    if ".." in text and k.kind in ("int", "float"):
        ends, _, count = text.replace("×", "x").partition("x")
        low, _, high = ends.partition("..")
        n = k.parse(count.strip() or "3") if k.kind == "int" else float(k.parse(count.strip() or "3"))
        return spread(k, float(k.parse(low.strip())), float(k.parse(high.strip())), int(n), log=k.scale == "log")
    return tuple(k.parse(part.strip()) for part in text.split(",") if part.strip())


def spread(k: Knob, low: float, high: float, count: int, *, log: bool) -> tuple[Value, ...]:
    """Return `count` values from low to high, evenly or by their logarithm; raises `ConfigError`."""
    if not 2 <= count <= 50:
        raise ConfigError(f"{k.name} takes {count} values of a range: 2 to 50 make sense.")
    if low >= high or (log and low <= 0):
        raise ConfigError(f"{k.name} from {low:g} to {high:g} is no range{' on a log scale' if log else ''}.")
    shares = [i / (count - 1) for i in range(count)]
    values = [low * (high / low) ** s if log else low + (high - low) * s for s in shares]
    inner = [low, *(float(f"{value:.3g}") for value in values[1:-1]), high]
    return tuple(dict.fromkeys(round(v) if k.kind == "int" else v for v in inner))
