"""The process that draws UMAP and t-SNE maps for the server: `python -m playground.latent.mapper`.

Questions come on stdin and answers leave on stdout, blobs of arrays with their length before them; nothing is pickled.
UMAP's code is compiled on its first use in a process, which takes longer than most maps: the question "warm" has that
done ahead of need. The end of stdin means that the server is gone, and so is this process, at once.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import Any, BinaryIO, Literal

import numpy as np

from playground.blobs import decode, encode
from playground.config import ConfigError
from playground.latent.projection import project

Message = tuple[dict[str, np.ndarray], dict[str, Any]]

POLITE = 2  # added to its niceness: training and the pages come first, but a person waits here too
COMPILING = "Compiling UMAP, once after each start of the server (about 15 s)"
WARM: Literal["warm"] = "warm"  # the question that has everything ready for a map
COMPILED_ON = 80  # points: enough for UMAP to take the way it takes with many


def send(out: BinaryIO, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
    """Write one message."""
    blob = encode(arrays, meta)
    out.write(len(blob).to_bytes(8, "little") + blob)
    out.flush()


def receive(stream: BinaryIO) -> Message | None:
    """Read one message; None where the other end is gone."""
    head = stream.read(8)
    size = int.from_bytes(head, "little")
    blob = stream.read(size) if len(head) == 8 else b""
    return decode(blob) if len(head) == 8 and len(blob) == size else None


class Mapper:
    """Answers questions one after the other."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.asked: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.compiled = False

    def listen(self, stdin: BinaryIO) -> None:
        """Take questions in (on a thread of its own), and leave with the server even in the middle of a map."""
        while (message := receive(stdin)) is not None:
            self.asked.put(message)
        os._exit(0)

    def run(self) -> None:
        """Answer for ever."""
        while True:
            arrays, meta = self.asked.get()
            try:
                self.answer(arrays, str(meta["method"]))
            except Exception as error:
                plain = isinstance(error, ConfigError)
                send(self.out, {}, {"error": str(error) if plain else f"{type(error).__name__}: {error}"})

    def answer(self, arrays: dict[str, np.ndarray], method: Any) -> None:
        """Draw one map and send it, telling how far it is."""
        if method in ("umap", WARM) and not self.compiled:
            self.compile()
        if method == WARM:
            return send(self.out, {"points": np.zeros((0, 2), np.float32)}, {"done": True})
        note = f"{'UMAP' if method == 'umap' else 't-SNE'} of {len(arrays['codes']):,} codings"
        self.note(0.0, note)
        found = project(arrays["codes"], method, arrays.get("before"), lambda share: self.note(share, note))
        send(self.out, {"points": found.points}, {"done": True})

    def note(self, progress: float, note: str) -> None:
        """Tell how far the map is."""
        send(self.out, {}, {"progress": round(progress, 3), "note": note})

    def compile(self) -> None:
        """Have UMAP compiled; who asks meanwhile is told why it takes so long."""
        self.note(0.0, COMPILING)
        codes = np.random.default_rng(0).normal(size=(COMPILED_ON, 4)).astype(np.float32)
        project(codes, "umap", report=lambda share: None)
        self.compiled = True


def main() -> None:
    """Run on this process's stdin and stdout."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print must not break the protocol
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server ends us through stdin
    if hasattr(os, "nice"):
        os.nice(POLITE)
    mapper = Mapper(out)
    threading.Thread(target=mapper.listen, args=(sys.stdin.buffer,), daemon=True).start()
    mapper.run()


if __name__ == "__main__":
    main()
