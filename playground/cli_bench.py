"""What `bench` prints: speed (the files of benchmarks/), exams (known answers), presets (those that promise how many
modes they find) and modes (what each remedy does to the modes), both over seeds.

A row is plain data, see "Bench rows" in docs/contracts.md; a part that cannot be measured here is a row that says why.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from playground.config import ConfigError
from playground.engine.loop import Loop, TrainingFailed
from playground.presets import preset

Row = dict[str, Any]

SPEED = ("step", "image_gan", "autoencoder", "engine", "session", "stage", "latent", "store", "answer")
PROMISED_SEEDS = 3

# Modes with at least 1 % of the samples, or classes covered by images, that every seed of a preset must end with.
PROMISED: dict[str, tuple[int, int]] = {
    "first-steps": (8, 8),
    "collapse": (1, 4),
    "collapse-r1": (8, 8),
    "hopping": (0, 3),
    "hopping-packing": (7, 8),
    "vanishing": (0, 0),
    "vanishing-cured": (7, 8),
    "grid25": (18, 25),
    "image-digits": (10, 10),
    "image-collapse": (3, 7),
    "image-collapse-r1": (10, 10),
}
# By the kind of the data: the score that counts, and what it is called.
COUNTS = {
    "points": ("modes/one_percent", "modes with 1 % of the fakes"),
    "images": ("class/covered", "classes covered"),
}


def bench(what: str | None, as_json: bool, **how: Any) -> int:
    """Measure one part (of modes `how`: steps, seeds, recipe), or all; return 1 if a row missed its target."""
    found: list[Row] = []
    for part in (what,) if what else tuple(PARTS):
        if not as_json:
            print(f"{part.capitalize()}\n{'':4} {'':60} {'value':>10}  {'target':<20} note")
        for row in PARTS[part](**how):
            found.append({"part": part, **row})
            if not as_json:
                print(line(row), flush=True)
    if as_json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    return int(any(row["ok"] is False for row in found))


def line(row: Row) -> str:
    """Return a row as a line of text."""
    mark = {True: "ok", False: "MISS", None: ""}[row["ok"]]
    value = "" if row["value"] is None else f"{row['value']:.4g}"
    unit = f" {row['unit']}" if row.get("unit") else ""
    return f"{mark:<4} {row['name']:<60} {value:>10}  {row['target'] + unit:<20} {row.get('note', '')}".rstrip()


def speed() -> Iterator[Row]:
    """Yield the rows of the files of benchmarks/ that `SPEED` names."""
    checkout = Path(__file__).parent.parent
    if not (checkout / "benchmarks").is_dir():
        raise ConfigError("The speed benchmarks are files of a checkout: run this in a clone of the project.")
    sys.path.insert(0, str(checkout))
    for name in SPEED:
        yield from guarded(name, lambda name=name: importlib.import_module(f"benchmarks.{name}").rows())  # type: ignore[misc]


def exams() -> Iterator[Row]:
    """Yield the rows of every exam, quick ones first."""
    from playground.exams import EXAMS

    for name, exam in EXAMS.items():
        for row in guarded(name, exam):
            yield row | {"name": f"{name}: {row['name']}"}


def guarded(name: str, measure: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    """Yield what `measure` gives; a failure is a row that missed, so that the rest is still measured."""
    try:
        yield from measure()
    except Exception as error:
        yield {"name": name, "value": None, "target": "", "ok": False, "note": f"{type(error).__name__}: {error}"}


def presets(names: Sequence[str] = tuple(PROMISED), seeds: int = PROMISED_SEEDS) -> Iterator[Row]:
    """Train presets over seeds and yield how many modes each ends with; the value is the mean over seeds."""
    for name in names:
        low, high = PROMISED[name]
        found = [modes_found(name, seed) for seed in range(seeds)]
        yield {
            "name": f"{name}, {preset(name).steps:,} steps: {COUNTS[preset(name).experiment.data.kind][1]}",
            "value": sum(found) / seeds,
            "target": f"each {low}" if low == high else f"each {low} to {high}",
            "ok": all(low <= n <= high for n in found),
            "note": "seeds gave " + " ".join(f"{n:.0f}" for n in found),
        }


def modes_found(name: str, seed: int) -> float:
    """Train a preset and return how many modes or classes its fakes cover; 0 if it diverged."""
    loop = Loop(preset(name).experiment.changed(seed=seed, device="cpu"))
    try:
        loop.advance(preset(name).steps)
    except TrainingFailed:
        return 0.0
    return loop.score()[COUNTS[loop.data.kind][0]]


def modes(**how: Any) -> Iterator[Row]:
    """Yield what each remedy does to the modes."""
    from playground.bench_modes import modes as measured

    yield from measured(**how)


PARTS: dict[str, Callable[..., Iterator[Row]]] = {"speed": speed, "exams": exams, "presets": presets, "modes": modes}
