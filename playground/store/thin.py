"""Which saved moments to let go so that a run, and the store as a whole, keep to their bounds.

A run keeps its first moment, its last one and those that forks name. Of the others the one goes first that leaves the
smallest hole on the time line. That line is half even and half logarithmic, since most happens early, and a moment at
which something was done counts several times. So a long run stays one that can be scrubbed from end to end.
"""

from __future__ import annotations

import bisect
import contextlib
import math
import os
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from playground.config import ConfigError
from playground.files import hold
from playground.store import about, keyframes, records
from playground.store.errors import StoreError
from playground.store.parents import FILE as PARENT
from playground.store.parents import parent

EARLIEST = 50  # the logarithmic half of the time line begins here: before, steps count evenly
DEAR = 4.0  # a moment at which something was done leaves a hole so many times as large
TELLING = ("set", "step", "rewind", "error")  # kinds of events that one goes back to look at
HANDFUL = 8  # moments that a run keeps whatever the store's bound is
SPARE = 8  # one part in so many of a bound is freed beyond it, so that thinning is rare
LOOK = 16  # the store is looked at whenever one part in so many of its bound has been written
LOCK = ".thinning"


class Bounds(NamedTuple):
    """How many moments a run keeps, and how many bytes all moments of a store may take."""

    run: int
    store: int


class Held(NamedTuple):
    """The moments of one run, as the store's bound sees them: sizes by step, and those that must stay."""

    sizes: dict[int, int]
    kept: frozenset[int]
    star: bool
    used: float  # when one was saved last


def bounds() -> Bounds:
    """Return the bounds as set by PLAYGROUND_KEYFRAMES and PLAYGROUND_KEYFRAME_MB; raises `ConfigError`."""
    return Bounds(_number("PLAYGROUND_KEYFRAMES", 200, HANDFUL), _number("PLAYGROUND_KEYFRAME_MB", 256, 1) * 2**20)


def _number(name: str, default: int, least: int) -> int:
    said = os.environ.get(name) or str(default)
    if not said.isdecimal() or int(said) < least:
        raise ConfigError(f"{name} is {said!r}: it takes a whole number from {least} on.")
    return int(said)


def spared(steps: Sequence[int], keep: int, marked: Collection[int] = (), kept: Collection[int] = ()) -> list[int]:
    """Return which of ascending `steps` to let go so that `keep` are left, the least missed first.

    The first, the last and those in `kept` stay in any case; `marked` ones are missed more.
    """
    left, gone, last = list(steps), [], max(1, steps[-1] if steps else 1)
    known, dear = {*kept}, {*marked}
    place = {step: step / last + math.log1p(step / EARLIEST) / math.log1p(last / EARLIEST) for step in steps}

    def hole(i: int) -> float:
        if left[i] in known:
            return math.inf
        return (place[left[i + 1]] - place[left[i - 1]]) * (DEAR if left[i] in dear else 1.0)

    holes = [math.inf, *(hole(i) for i in range(1, len(left) - 1)), math.inf]
    while len(left) > keep:
        i = min(range(len(left)), key=holes.__getitem__)
        if holes[i] == math.inf:
            break
        gone.append(left.pop(i))
        holes.pop(i)
        for near in (i - 1, i):
            if 0 < near < len(left) - 1:
                holes[near] = hole(near)
    return gone


def excess(runs: Mapping[str, Held], marks: Mapping[str, Collection[int]], most: int) -> dict[str, list[int]]:
    """Return which moments of which runs to let go so that all of them take at most `most` bytes.

    Runs without a star go first, those left alone longest before others, and none falls below a handful of moments.
    """
    over = sum(sum(held.sizes.values()) for held in runs.values()) - most
    gone: dict[str, list[int]] = {}
    for run, held in sorted(runs.items(), key=lambda item: (item[1].star, item[1].used)):
        for step in spared(sorted(held.sizes), HANDFUL, marks.get(run, ()), held.kept):
            if over <= 0:
                return gone
            gone.setdefault(run, []).append(step)
            over -= held.sizes[step]
    return gone


# -- on disk ----------------------------------------------------------------------------------------------------------


def thin_run(run: Path, most: int) -> list[int]:
    """Let go what a run has too many of, and return the steps of the moments that are left."""
    steps = keyframes.steps(run)
    if len(steps) <= most:
        return steps
    gone = spared(steps, most - most // SPARE, _marked(run, steps), _named(run.parent)[run.name])
    for step in gone:
        keyframes.drop(run, step)
    return keyframes.steps(run)


def thin_store(root: Path, most: int) -> None:
    """Let go what all runs have too much of; where another process is about it, leave it to that one."""
    runs = {run.name: _held(run, kept) for run, kept in _runs(root)}
    if sum(sum(held.sizes.values()) for held in runs.values()) <= most:
        return
    lock = hold(root / LOCK, tries=1)
    if lock is None:
        return
    try:
        marks = {name: _marked(root / name, sorted(held.sizes)) for name, held in runs.items()}
        for name, steps in excess(runs, marks, most - most // SPARE).items():
            for step in steps:
                keyframes.drop(root / name, step)
    finally:
        os.close(lock)


def _runs(root: Path) -> list[tuple[Path, frozenset[int]]]:
    """Return the folders that hold moments, each with the steps that other runs go on from."""
    named = _named(root)
    found = [folder.parent for folder in root.glob(f"*/{keyframes.FOLDER}")] if root.is_dir() else []
    return [(run, frozenset(named[run.name])) for run in found if not run.name.startswith(".")]


def _named(root: Path) -> dict[str, set[int]]:
    """Return the moments that runs say they come from, deleted ones included: they may be brought back."""
    named: dict[str, set[int]] = defaultdict(set)
    for file in (*root.glob(f"*/{PARENT}"), *root.glob(f".deleted/*/{PARENT}")):
        if (origin := parent(file.parent)) is not None:
            named[origin.run].add(origin.step)
    return named


def _held(run: Path, kept: frozenset[int]) -> Held:
    sizes, used = {}, 0.0
    with contextlib.suppress(OSError), os.scandir(run / keyframes.FOLDER) as entries:
        for entry in entries:
            if entry.name.endswith(".safetensors"):
                about_it = entry.stat()
                sizes[int(entry.name.split(".")[0])] = about_it.st_size // max(1, about_it.st_nlink)
                used = max(used, about_it.st_mtime)
    return Held(sizes, kept, about.read(run).star, used)


def _marked(run: Path, steps: Sequence[int]) -> set[int]:
    """Return the moments at which something was done, or just before."""
    try:
        with records.reading(run) as told:
            at = [event["step"] for event in told.events() if event["kind"] in TELLING]
    except StoreError:
        return set()
    return {steps[max(0, bisect.bisect_right(steps, step) - 1)] for step in at} if steps else set()
