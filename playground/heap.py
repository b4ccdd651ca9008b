"""The memory of a server that runs for hours, on Linux.

glibc gives each thread an arena of its own, up to eight a core, and what is freed in one is of no use to the others.
Streamlit runs each script in a new thread, so over an hour every arena comes to hold what the largest rerun took. With
two of them threads share what was freed, and wait for each other now and then.
"""

from __future__ import annotations

import ctypes
import os
import sys

ARENAS = 2
M_ARENA_MAX = -8  # in glibc's malloc.h


def few_arenas() -> None:
    """Have the threads of this process share two arenas, where memory is glibc's and nobody has said otherwise."""
    if sys.platform.startswith("linux") and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_ARENA_MAX, ARENAS)
