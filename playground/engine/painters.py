"""Which pictures a model gets: by what it can do, never by which family it is."""

from __future__ import annotations

from typing import Any, Protocol

from playground.engine.frames import Painter
from playground.engine.loop import Loop
from playground.engine.samples import Samples
from playground.engine.wall import Wall


class Pictures(Protocol):
    """What a session asks of a painter: frames of its loop, and what is behind one thing in them."""

    loop: Loop

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers that it can draw."""
        ...

    def frame(self, layers: frozenset[str], about: dict[str, Any], turn: int | None = None) -> bytes:
        """Return a frame with these layers; with a `turn` the dear ones take turns (`docs/contracts.md`)."""
        ...

    def pick(self, i: int) -> dict[str, Any]:
        """Return what is behind the i-th thing; raises `ValueError` where there is none."""
        ...

    def decode(self, at: list[float] | None = None, code: list[float] | None = None) -> dict[str, Any]:
        """Return what lies at a place of the map, or behind a code; raises `ValueError` where that has no answer."""
        ...


def painter(loop: Loop) -> Pictures:
    """Return the painter for a loop's model."""
    abilities = loop.family.abilities
    if {"encode", "decode"} <= abilities:
        return Wall(loop)
    return Samples(loop) if {"generate", "score"} <= abilities and loop.data.kind == "images" else Painter(loop)
