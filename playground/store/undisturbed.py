"""Several looks at a run as one: who copies it reads moments, then records, and it may train or go back meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from playground.store.errors import StoreError, gone
from playground.store.folder import RunFolder

TRIES = 20  # at reading a run whose writer goes back again and again
Taken = TypeVar("Taken")


def undisturbed(folder: RunFolder, take: Callable[[], Taken]) -> Taken:
    """Return what `take` finds in several looks at a run, as if its writer had not gone back between them.

    Between two looks a run may go back and be trained another way, and a moment may be thinned out: then `take` looks
    again. Raises `StoreError` where that does not end, or the run is taken away.
    """
    for _ in range(TRIES):
        if not (folder.path / "config.json").is_file():
            raise gone(folder.run_id)
        cuts = folder.cuts()
        with contextlib.suppress(FileNotFoundError):
            taken = take()
            if folder.cuts() == cuts:
                return taken
    raise StoreError(f"Run {folder.run_id} changes too quickly to be copied: pause it first.")
