"""The memory of a server that runs for hours, on Linux.

glibc gives each thread an arena of its own, up to eight a core, and what is freed in one is of no use to the others.
Streamlit runs each script in a new thread, so over an hour every arena comes to hold what the largest rerun took. Where
there may be but two, new threads share those that are there; and pages that lie free within them can be handed back.
"""

from __future__ import annotations

import ctypes
import os
import sys

ARENAS = 2
M_ARENA_MAX = -8  # in glibc's malloc.h


def few_arenas() -> None:
    """Make no more arenas for new threads than two in all, where memory is glibc's and nobody has said otherwise."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        _glibc("mallopt", M_ARENA_MAX, ARENAS)


def hand_back() -> None:
    """Hand free pages back to the system, where memory is glibc's; takes less than a millisecond."""
    _glibc("malloc_trim", 0)


def _glibc(name: str, *arguments: int) -> None:
    if sys.platform.startswith("linux") and hasattr(library := ctypes.CDLL(None), name):
        getattr(library, name)(*arguments)
