"""Finding and ordering runs in their table: by words, by what they are and came to; those of a group together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from playground.store.group import Group
from playground.store.index import LOW, Row

Figure = Literal["last", "best", "smoothed"]

PLAIN = {"started": "Newest", "title": "Name", "step": "Steps", "verdict": "Verdict"}
# From the best to the worst, as a person would sort them.
VERDICTS = ("healthy", "oscillating", "memorising", "partial-collapse", "d-too-strong", "g-vanished", "full-collapse",
            "diverged", "failed", "warming")  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which runs to show: searched words, and of each kind those that are ticked (none: all)."""

    words: str = ""
    starred: bool = False
    families: Sequence[str] = ()
    datasets: Sequence[str] = ()
    states: Sequence[str] = ()
    verdicts: Sequence[str] = ()
    tags: Sequence[str] = ()

    def has(self, row: Row, title: str) -> bool:
        """Say whether a run is among those that are wanted; `title` is what it is called on the page."""
        kinds = ((self.families, row.family), (self.datasets, row.dataset), (self.states, row.state))
        verdicts = not self.verdicts or row.verdict[0] in self.verdicts
        tagged = not self.tags or any(tag in self.tags for tag in row.about.tags)
        fits = all(not ticked or value in ticked for ticked, value in kinds)
        return (row.about.star or not self.starred) and fits and verdicts and tagged and self._found(row, title)

    def _found(self, row: Row, title: str) -> bool:
        said = [title, row.title, *row.about.tags, row.about.note, row.run, row.state, row.dataset, row.family]
        text = " ".join([*said, row.group.label if row.group else "", row.verdict[1]]).lower()
        return all(word in text for word in self.words.lower().split())


@dataclass(frozen=True)
class Order:
    """By what runs are sorted: a key of `PLAIN`, or a metric in one of its figures; `down`: the largest first."""

    by: str = "started"
    figure: Figure = "last"
    down: bool = True

    def sorted(self, rows: Iterable[Row], titles: dict[str, str]) -> list[Row]:
        """Return runs in this order; those without the metric come last, whichever way."""
        there = list(rows)
        with_value = [row for row in there if self._value(row, titles) is not None]
        without = [row for row in there if self._value(row, titles) is None]
        return [*sorted(with_value, key=lambda row: self._value(row, titles), reverse=self.down), *without]  # type: ignore[arg-type, return-value]

    def _value(self, row: Row, titles: dict[str, str]) -> float | str | None:
        if self.by == "title":
            return titles[row.run].lower()
        if self.by == "verdict":
            return -VERDICTS.index(row.verdict[0]) if row.verdict[0] in VERDICTS else -len(VERDICTS)
        if self.by in ("started", "step"):
            return float(getattr(row, self.by))
        return figure_of(row, self.by, self.figure)


def figure_of(row: Row, metric: str, figure: Figure) -> float | None:
    """Return what a run came to in a metric; None where it has not measured it, or knows no best."""
    if metric not in row.metrics:
        return None
    found: float | None = getattr(row.metrics[metric], figure)
    return found


def best_first(metric: str) -> bool:
    """Say whether a metric's largest values come first where the best do."""
    return LOW.fullmatch(metric) is None


@dataclass(frozen=True)
class Entry:
    """What stands in the list at one place: a run, or the runs of a race or sweep together."""

    rows: tuple[Row, ...]
    group: Group | None = field(default=None)


def entries(rows: Sequence[Row]) -> list[Entry]:
    """Return the list's entries in order; a group stands where its first run would, and keeps their order inside."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        key = (row.group.kind, row.group.id) if row.group else ("run", row.run)
        found.setdefault(key, []).append(row)
    return [Entry(tuple(some), some[0].group if len(some) > 1 else None) for some in found.values()]
