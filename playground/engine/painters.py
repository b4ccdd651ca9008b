"""Which pictures a model gets: by what it can do, never by which family it is."""

from __future__ import annotations

from typing import Any, Protocol

from playground.engine.frames import Painter
from playground.engine.loop import Loop


class Pictures(Protocol):
    """What a session asks of a painter: frames of its loop, and what is behind one thing in them."""

    loop: Loop

    def frame(self, layers: frozenset[str], about: dict[str, Any], turn: int | None = None) -> bytes:
        """Return a frame with these layers; with a `turn` the dear ones take turns (`docs/contracts.md`)."""
        ...

    def pick(self, i: int) -> dict[str, Any]:
        """Return what is behind the i-th thing; raises `ValueError` where there is none."""
        ...


def painter(loop: Loop) -> Pictures:
    """Return the painter for a loop's model."""
    return Painter(loop)
