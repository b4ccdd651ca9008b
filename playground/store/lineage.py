"""Who descends from whom: the parent that a run names, the children that name it."""

from __future__ import annotations

from playground.store.folder import RunFolder, runs
from playground.store.parents import parent

__all__ = ["children", "parent"]


def children(folder: RunFolder) -> list[tuple[str, int]]:
    """Return the runs that were forked from this one, and the step of each fork, by step."""
    found = [(run.run_id, came) for run in runs(folder.path.parent) if (came := parent(run.path)) is not None]
    return sorted(((run, came.step) for run, came in found if came.run == folder.run_id), key=lambda c: (c[1], c[0]))
