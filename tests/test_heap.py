"""How many arenas of glibc the threads of a process come to use, and that what they free is handed back."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

from playground import heap
from playground.heap import ARENAS

GLIBC = platform.libc_ver()[0] == "glibc"  # elsewhere nothing is asked for, and nothing may change

THREADS = """
import ctypes, sys, threading
from playground.heap import few_arenas
{first}
together = threading.Barrier(16)
def allocate():
    bytes(1000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None) if sys.platform == "linux" else None
if hasattr(libc, "malloc_info"):
    libc.fdopen.restype = ctypes.c_void_p
    out = ctypes.c_void_p(libc.fdopen(1, b"w"))
    libc.malloc_info(0, out)
    libc.fflush(out)
"""


FREED = """
from pathlib import Path
from playground.heap import hand_back
told = Path("/proc/self/status")
def resident():
    lines = told.read_text().splitlines() if told.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)
much = [bytes(1500) for _ in range(40_000)]  # 60 MB; every hundredth stays, so that no end of the heap is free
few, much = much[::100], None
before = resident()
hand_back()
print(before - resident())
"""


def arenas(first: str, **environment: str) -> int:
    """Return how many arenas 16 threads leave behind in a new process."""
    inherited = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    done = subprocess.run(
        [sys.executable, "-c", THREADS.format(first=first)],
        env=inherited | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.count("<heap nr=")


def test_threads_share_two_arenas_unless_the_environment_says_otherwise():
    assert arenas("few_arenas()") <= ARENAS
    assert (arenas("") > ARENAS) == GLIBC
    assert (arenas("few_arenas()", MALLOC_ARENA_MAX="5") > ARENAS) == GLIBC


def test_pages_that_lie_free_between_others_are_handed_back():
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True)
    assert (int(done.stdout) > 40_000) == GLIBC  # kB


def test_only_glibc_is_asked_and_only_for_what_it_has(monkeypatch):
    asked = []

    class Library:
        def mallopt(self, *what):
            asked.append(what)

    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: Library())
    for system in ("darwin", "win32", "linux"):
        assert asked == []
        monkeypatch.setattr(heap.sys, "platform", system)
        heap.few_arenas()
        heap.hand_back()  # this library has no `malloc_trim`
    assert asked == [(heap.M_ARENA_MAX, ARENAS)]
