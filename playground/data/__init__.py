"""Data sets by id. A module here that defines `Distribution` subclasses with an `id` adds them by being there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from playground.config import ConfigError
from playground.data.base import Distribution


@cache
def datasets() -> dict[str, type[Distribution]]:
    """Return every data set by id, in the order of their `rank`."""
    found: dict[str, type[Distribution]] = {}
    for module in pkgutil.iter_modules(__path__):
        for thing in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if inspect.isclass(thing) and issubclass(thing, Distribution) and not inspect.isabstract(thing):
                found[thing.id] = thing
    return dict(sorted(found.items(), key=lambda item: (item[1].rank, item[0])))


def dataset(name: str) -> type[Distribution]:
    """Return a data set by id; raises `ConfigError` naming those there are."""
    if name not in datasets():
        raise ConfigError(f"There is no data set {name!r}: the data sets are {', '.join(datasets())}.")
    return datasets()[name]
