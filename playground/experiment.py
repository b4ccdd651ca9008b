"""An experiment: data set, family settings, schedule, seed and device as one frozen value with a JSON and URL form."""

from __future__ import annotations

from typing import Any, Literal, Self

import torch
from pydantic import SerializeAsAny, ValidationInfo, field_validator, model_validator

from playground.config import Config, ConfigError, Knob, build, from_query, knob, knobs, to_query
from playground.data import dataset as dataset_class
from playground.data.base import DataSet, Distribution
from playground.families import family as family_class

# URL names that belong to the page or to the experiment itself; no family or data set may use them.
RESERVED = ("f", "d", "run", "preset", "hide", "view")

OFTEN, SELDOM = 250, 500  # steps from score to score where no number is given; of points a second has 600 or more
LEAST = 10  # more often and a run does little but measure
EVENTFUL = 1000  # the first so many steps are measured often in any case: that is where most happens


class Experiment(Config):
    """Everything that decides a run's numbers. `model` and `data` are validated by the family and data set named."""

    family: str = "gan"
    dataset: str = "ring8"
    model: SerializeAsAny[Config] = None  # type: ignore[assignment]  # filled in by its validator
    data: SerializeAsAny[DataSet] = None  # type: ignore[assignment]
    seed: int = knob(
        0, "Fixes every random number of the run; the same seed repeats it exactly.", short="seed", group="Run",
        low=0, high=2**31 - 1,
    )  # fmt: skip
    device: Literal["auto", "cpu", "cuda", "mps"] = knob(
        "auto", "Where to train; auto takes a CUDA GPU, else Apple's, else the CPU.", short="dev", group="Run"
    )
    steps: int = knob(
        0, "Pause by itself after so many steps; 0 goes on until stopped.", short="steps", group="Run", live=True,
        low=0, high=100_000_000, zero="until stopped",
    )  # fmt: skip
    log_every: int = knob(
        10, "Write losses every so many steps (each of the first 100 is always written).", short="log", group="Run",
        low=1, high=1000,
    )  # fmt: skip
    score_every: int = knob(
        0, "Measure modes, distances and held-out accuracy every so many steps; 0 every 250, and on points every 500 "
        "after the first 1,000.", short="score", group="Run", low=0, high=100_000, zero="by itself",
    )  # fmt: skip
    keyframe_every: int = knob(
        1000, "Save a moment to come back to every so many steps.", short="keep", group="Run", low=10, high=1_000_000
    )

    @field_validator("family")
    @classmethod
    def _known_family(cls, value: str) -> str:
        family_class(value)
        return value

    @field_validator("dataset")
    @classmethod
    def _known_dataset(cls, value: str) -> str:
        dataset_class(value)
        return value

    @field_validator("model", mode="before")
    @classmethod
    def _model(cls, value: Any, info: ValidationInfo) -> Config:
        return _part(value, family_class(info.data.get("family", "gan")).Settings)

    @field_validator("data", mode="before")
    @classmethod
    def _data(cls, value: Any, info: ValidationInfo) -> Config:
        return _part(value, dataset_class(info.data.get("dataset", "ring8")))

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        family_class(self.family).check(self.model, self.data)
        if 0 < self.score_every < LEAST:
            raise ValueError(
                f"score_every is {self.score_every}: it takes 0, which leaves it to the data, "
                f"or a whole number from {LEAST} to 100000."
            )
        return self

    model_config = Config.model_config | {"validate_default": True}

    @property
    def points(self) -> Distribution:
        """The data of an experiment on points; only ask where the family takes nothing else."""
        assert isinstance(self.data, Distribution)
        return self.data

    def next_score(self, step: int) -> int:
        """Return the first step after `step` at which the model is measured."""
        seldom = self.data.kind == "points" and step >= EVENTFUL
        every = self.score_every or (SELDOM if seldom else OFTEN)
        return step // every * every + every

    def knobs(self) -> dict[str, Knob]:
        """Return every field that can be set, by name, over experiment, data and model (names are distinct)."""
        return knobs(Experiment) | knobs(type(self.data)) | knobs(type(self.model))

    def value(self, name: str) -> Any:
        """Return a field's value by name, wherever it lives."""
        for part in (self, self.data, self.model):
            if name in knobs(type(part)):
                return getattr(part, name)
        raise ConfigError(f"There is no field {name!r}: the fields are {', '.join(self.knobs())}.")

    def changed(self, **values: Any) -> Self:
        """Return a copy with fields set by name, wherever they live; raises `ConfigError` in one sentence."""
        own: dict[str, Any] = {}
        data: dict[str, Any] = {}
        model: dict[str, Any] = {}
        for name, value in values.items():
            if name in knobs(Experiment):
                own[name] = value
            elif name in knobs(type(self.data)):
                data[name] = value
            elif name in knobs(type(self.model)):
                model[name] = value
            else:
                raise ConfigError(f"There is no field {name!r}: the fields are {', '.join(self.knobs())}.")
        return build(
            type(self),
            dict(self) | own | {"data": self.data.with_values(**data), "model": self.model.with_values(**model)},
        )

    def on(self, dataset: str) -> Self:
        """Return a copy on another data set at its default settings."""
        return build(type(self), dict(self) | {"dataset": dataset, "data": {}})

    @classmethod
    def of(cls, family: str) -> Self:
        """Return a family's experiment at its defaults, on the data set it opens with."""
        return build(cls, {"family": family, "dataset": family_class(family).opens_on})

    def to_query(self) -> dict[str, str]:
        """Return the URL form: short names, defaults left out."""
        names = {"f": (self.family, "gan"), "d": (self.dataset, family_class(self.family).opens_on)}
        return (
            {k: v for k, (v, default) in names.items() if v != default}
            | to_query(self) | to_query(self.data) | to_query(self.model)
        )  # fmt: skip

    @classmethod
    def from_query(cls, query: dict[str, str]) -> tuple[Experiment, list[str]]:
        """Read the URL form. Bad values fall back to their defaults; each is named in the returned notices."""
        notices: list[str] = []
        family, dataset = query.get("f", "gan"), query.get("d")
        try:
            family_class(family)
        except ConfigError as error:
            notices.append(f"From the link: {error} Using gan.")
            family = "gan"
        opens_on = family_class(family).opens_on
        try:
            dataset_class(dataset or opens_on)
        except ConfigError as error:
            notices.append(f"From the link: {error} Using {opens_on}.")
            dataset = opens_on
        chosen = {"family": family, "dataset": dataset or opens_on}
        model, more = from_query(family_class(chosen["family"]).Settings, query)
        data, still = from_query(dataset_class(chosen["dataset"]), query)
        own, last = from_query(cls, query)
        notices += more + still + last
        try:
            return build(cls, dict(own) | chosen | {"model": model, "data": data}), notices
        except ConfigError as error:  # each fine by itself, but they do not go together
            return cls.of(family), [*notices, f"From the link: {error} Using {family_class(family).title}'s defaults."]

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` reads back."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Experiment:
        """Validate plain data; raises `ConfigError` in one sentence."""
        return build(cls, value)


def changes(before: Experiment, after: Experiment) -> list[str]:
    """Say field by field what differs: family and data set first, then each field that both have."""
    kinds = [("family", before.family, after.family), ("data", before.dataset, after.dataset)]
    said = [f"{name} {old} → {new}" for name, old, new in kinds if old != new]
    there = after.knobs()
    labels = [k.label for k in there.values()]
    for name, k in there.items():
        if name in before.knobs() and before.value(name) != after.value(name):
            label = k.label if labels.count(k.label) == 1 else f"{k.group} {k.label.lower()}"
            said.append(f"{label} {before.value(name)} → {after.value(name)}")
    return said


def _part(value: Any, kind: type[Config]) -> Config:
    if isinstance(value, kind):
        return value
    if isinstance(value, Config):
        raise ValueError(f"these settings are {type(value).__name__}, not {kind.__name__}")
    return build(kind, {} if value is None else value)


def pick_device(wanted: str = "auto") -> torch.device:
    """Return the device to train on; raises `ConfigError` where the wanted one is not there."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, usable in there.items() if usable))
    if wanted not in there:
        raise ConfigError(f"There is no device {wanted!r}: choose auto, cpu, cuda or mps.")
    if not there[wanted]:
        raise ConfigError(f"This machine has no {wanted} device: choose auto or cpu.")
    return torch.device(wanted)
