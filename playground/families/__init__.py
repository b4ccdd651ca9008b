"""Model families by id. A module here that defines a `Family` subclass with an `id` adds it by being there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from playground.config import ConfigError
from playground.families.base import Family


@cache
def families() -> dict[str, type[Family]]:
    """Return every family by id, found by looking at this package's modules."""
    found: dict[str, type[Family]] = {}
    for module in pkgutil.iter_modules(__path__):
        for thing in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if inspect.isclass(thing) and issubclass(thing, Family) and not inspect.isabstract(thing):
                found[thing.id] = thing
    return dict(sorted(found.items()))


def family(name: str) -> type[Family]:
    """Return a family by id; raises `ConfigError` naming those there are."""
    if name not in families():
        raise ConfigError(f"There is no family {name!r}: the families are {', '.join(families())}.")
    return families()[name]
