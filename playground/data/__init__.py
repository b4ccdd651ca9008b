"""Data sets by id. A module here that defines `DataSet` subclasses with an `id` adds them by being there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from playground.config import ConfigError
from playground.data.base import DataSet, Kind


@cache
def datasets() -> dict[str, type[DataSet]]:
    """Return every data set by id, in the order of their `rank`."""
    found: dict[str, type[DataSet]] = {}
    for module in pkgutil.iter_modules(__path__):
        for thing in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if inspect.isclass(thing) and issubclass(thing, DataSet) and not inspect.isabstract(thing):
                found[thing.id] = thing
    return dict(sorted(found.items(), key=lambda item: (item[1].rank, item[0])))


def of_kinds(kinds: frozenset[Kind]) -> list[str]:
    """Return the ids of the data sets of these kinds, in the order of menus."""
    return [name for name, kind in datasets().items() if kind.kind in kinds]


def dataset(name: str) -> type[DataSet]:
    """Return a data set by id; raises `ConfigError` naming those there are."""
    if name not in datasets():
        raise ConfigError(f"There is no data set {name!r}: the data sets are {', '.join(datasets())}.")
    return datasets()[name]
