"""Settings as data: every field of a config carries its range, help, paper and whether it may change while running.

`knob` declares such a field on a frozen pydantic model; `knobs` reads them back. Controls, URL form, command-line
flags, validation and docs are all made from `knobs`, so a family or a data set never talks to any of them.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Kind = Literal["int", "float", "bool", "choice", "text"]


class Config(BaseModel):
    """A frozen, validated value; unknown fields, NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def with_values(self, **values: Any) -> Self:
        """Return a validated copy with these fields changed; raises `ConfigError` naming the field and its range."""
        return build(type(self), {**self.model_dump(), **values})


C = TypeVar("C", bound=Config)


class ConfigError(ValueError):
    """A bad setting, said in one sentence that names the field and what it may be."""


@dataclass(frozen=True)
class Knob:
    """What everybody needs to know of one field."""

    name: str
    kind: Kind
    default: Any
    label: str
    help: str
    short: str
    live: bool
    group: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    choice_labels: tuple[str, ...] = ()
    unit: str = ""
    zero: str = ""
    paper: str = ""
    scale: Literal["linear", "log"] = "linear"
    step: float | None = None
    needs: tuple[str, tuple[Any, ...]] | None = None
    kinds: tuple[str, ...] = ()

    def matters(self, config: Config, kind: str = "") -> bool:
        """Say whether this field has an effect under `config`, on data of a kind ("": any).

        A clip range only matters with clipping, a choice of convolutions only on images.
        """
        fits = not self.kinds or not kind or kind in self.kinds
        return fits and (self.needs is None or getattr(config, self.needs[0]) in self.needs[1])

    def parse(self, text: str) -> Any:
        """Read a value from its URL or command-line text; raises `ConfigError`."""
        try:
            if self.kind == "int":
                return int(text)
            if self.kind == "float":
                return float(text)
        except ValueError:
            raise ConfigError(f"{self.name} is {text!r}: it takes {self.domain()}.") from None
        if self.kind == "bool":
            if text.lower() in ("1", "true", "yes", "on"):
                return True
            if text.lower() in ("0", "false", "no", "off"):
                return False
            raise ConfigError(f"{self.name} is {text!r}: it takes {self.domain()}.")
        return text

    def said(self, value: Any) -> str:
        """Return a value as a person reads it."""
        if self.kind == "choice":
            return dict(zip(self.choices, self.choice_labels, strict=True)).get(value, str(value))
        if self.kind == "bool":
            return "on" if value else "off"
        if self.zero and value == 0:
            return self.zero
        return decimal(value) if isinstance(value, float) else str(value)

    def domain(self) -> str:
        """Say in words which values the field takes."""
        if self.kind == "bool":
            return "yes or no"
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        if self.kind == "text":
            return "text"
        noun = "a whole number" if self.kind == "int" else "a number"
        if self.low is not None and self.high is not None:
            return f"{noun} from {decimal(self.low)} to {decimal(self.high)}"
        return f"{noun} of at least {decimal(self.low)}" if self.low is not None else noun


def decimal(value: float) -> str:
    """Write a number with six digits, and down to a millionth without an exponent."""
    text = f"{value:g}"
    return f"{value:.11f}".rstrip("0") if "e-" in text and abs(value) >= 1e-6 else text


def knob(
    default: Any,
    help: str,
    *,
    short: str,
    live: bool = False,
    group: str = "",
    label: str | None = None,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    zero: str = "",
    paper: str = "",
    scale: Literal["linear", "log"] = "linear",
    step: float | None = None,
    choice_labels: tuple[str, ...] = (),
    needs: tuple[str, tuple[Any, ...]] | None = None,
    kinds: tuple[str, ...] = (),
) -> Any:
    """Declare a field. `short` is its URL name; `needs=(field, values)` and `kinds` of data say when it acts.

    `zero` says what 0 stands for, where that is no amount.
    """
    extra: dict[str, Any] = {
        "label": label,
        "short": short,
        "live": live,
        "group": group,
        "unit": unit,
        "zero": zero,
        "paper": paper,
        "scale": scale,
        "step": step,
        "choice_labels": list(choice_labels),
        "needs": None if needs is None else [needs[0], list(needs[1])],
        "kinds": list(kinds),
    }
    return Field(default, ge=low, le=high, description=help, json_schema_extra=extra)


@cache
def knobs(config: type[Config]) -> dict[str, Knob]:
    """Read back the declared fields of a config class, in order; fields without `knob` metadata are not listed."""
    found = {}
    for name, info in config.model_fields.items():
        extra = info.json_schema_extra
        if not isinstance(extra, dict) or "short" not in extra:
            continue
        bounds = {type(m).__name__: m for m in info.metadata}
        kind, choices = _kind(info.annotation)
        needs: Any = extra["needs"]
        labels: Any = extra["choice_labels"]
        scale: Any = extra["scale"]
        step: Any = extra["step"]
        kinds: Any = extra["kinds"]
        found[name] = Knob(
            name=name,
            kind=kind,
            default=info.default,
            label=str(extra["label"] or name.replace("_", " ").capitalize()),
            help=info.description or "",
            short=str(extra["short"]),
            live=bool(extra["live"]),
            group=str(extra["group"]),
            low=bounds["Ge"].ge if "Ge" in bounds else None,
            high=bounds["Le"].le if "Le" in bounds else None,
            choices=choices,
            choice_labels=tuple(labels) or choices,
            unit=str(extra["unit"]),
            zero=str(extra["zero"]),
            paper=str(extra["paper"]),
            scale=scale,
            step=step,
            needs=None if needs is None else (needs[0], tuple(needs[1])),
            kinds=tuple(kinds),
        )
    return found


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(str(a) for a in get_args(annotation))
    if get_origin(annotation) in (Union, types.UnionType):
        return _kind(next(a for a in get_args(annotation) if a is not type(None)))
    plain: dict[Any, Kind] = {int: "int", float: "float", bool: "bool"}
    return plain.get(annotation, "text"), ()


def build(kind: type[C], values: dict[str, Any]) -> C:
    """Validate `values` into a config; raises `ConfigError` with one sentence on the first bad field."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        known = knobs(kind)
        if name in known:
            raise ConfigError(f"{name} is {first.get('input')!r}: it takes {known[name].domain()}.") from None
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"There is no field {name!r}: the fields are {', '.join(known)}.") from None
        if first["type"] == "value_error":
            raise ConfigError(first["msg"].removeprefix("Value error, ")) from None
        raise ConfigError(f"{name}: {first['msg']}.") from None


def to_query(config: Config) -> dict[str, str]:
    """Return the URL form: short names, defaults left out."""
    query = {}
    for name, k in knobs(type(config)).items():
        value = getattr(config, name)
        if value != k.default:
            query[k.short] = f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
    return query


def from_query(kind: type[C], query: dict[str, str]) -> tuple[C, list[str]]:
    """Read the URL form; a bad value falls back to its default and is named in the returned notices."""
    values: dict[str, Any] = {}
    notices = []
    for name, k in knobs(kind).items():
        if k.short not in query:
            continue
        try:
            build(kind, {name: (parsed := k.parse(query[k.short]))})
            values[name] = parsed
        except ConfigError as error:
            notices.append(f"From the link: {error} Using the default, {k.default}.")
    try:
        return build(kind, values), notices
    except ConfigError as error:  # fields fine one by one that do not go together
        return kind(), [*notices, f"From the link: {error} Using the defaults."]
