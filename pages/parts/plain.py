"""Plain pieces of a page that Streamlit has no widget for: quiet tables and rows of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from playground.data.base import Kind
from playground.figures import pictures

FONT = "Source Sans, sans-serif"  # the page's


def table(rows: Sequence[Sequence[str]]) -> None:
    """Draw rows of text without lines between columns; a cell that begins with * is strong."""
    cells = ["".join(f"<td>{_cell(cell)}</td>" for cell in row) for row in rows]
    st.html(f'<table class="plain">{"".join(f"<tr>{row}</tr>" for row in cells)}</table>')


def _cell(text: str) -> str:
    return f"<b>{escape(text[1:])}</b>" if text.startswith("*") else escape(text)


def images(x: Any, kind: Kind, texts: Sequence[str] = ()) -> None:
    """Draw items (n, *shape) as a row of pictures that wraps."""
    st.html(pictures.figures(pictures.pictures(x, kind), [escape(text) for text in texts]))


def chart(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a still figure."""
    st.plotly_chart(
        figure.update_layout(font_family=FONT), theme=None, key=key, alt=alt, config={"displayModeBar": False}
    )
