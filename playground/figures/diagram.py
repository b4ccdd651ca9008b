"""The way through a network as a row of bars, HTML: each as high as the numbers that leave it are many (log scale)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from playground.families.base import Piece

TALL, LOW = 112, 8  # pixels of the widest layer and of a single number


def diagram(pieces: Sequence[Piece]) -> str:
    """Return the pieces of a model's `layout` as HTML; the stylesheet colours them by their part."""
    most = max((math.log2(_numbers(piece) + 1) for piece in pieces), default=1.0)
    return f'<div class="diagram">{"".join(_piece(piece, most) for piece in pieces)}</div>'


def size(shape: Sequence[int]) -> str:
    """Write a shape as people do: 28 × 28 × 1 comes as 1 × 28 × 28."""
    return " × ".join(f"{n:,}" for n in shape)


def _piece(piece: Piece, most: float) -> str:
    tall = LOW + (TALL - LOW) * math.log2(_numbers(piece) + 1) / most
    weights = f"{piece.parameters:,} weights" if piece.parameters else "&nbsp;"
    note = escape(piece.note) or "&nbsp;"
    return (
        f'<div class="piece {escape(piece.part)}" title="{escape(piece.part)}: {escape(piece.name)}">'
        f'<div class="bar" style="height:{tall:.0f}px"></div><b>{size(piece.shape)}</b>'
        f"<span>{escape(piece.name)}</span><small>{weights}</small><small>{note}</small></div>"
    )


def _numbers(piece: Piece) -> int:
    return math.prod(piece.shape)
