"""Choosing an item: from a small gallery that can be turned, or drawn by hand."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import explore
from pages.parts.look import Look
from playground.figures.pictures import pictures, uri

SHOWN = 24


def choose(look: Look, items: np.ndarray, name: str, first: int) -> np.ndarray:
    """Draw the choice of item `name`, at first number `first`; return the item (*shape) of items (n, *shape)."""
    kept = st.session_state.setdefault(f"end-{name}", first)
    if isinstance(kept, np.ndarray) and kept.shape != items.shape[1:]:
        kept = first  # drawn for other data
    item = kept if isinstance(kept, np.ndarray) else items[kept % len(items)]
    kind = look.experiment.data.kind
    picture = uri(pictures(item[None], kind)[0])
    with st.popover(f"![]({picture}) **{name}**", key=f"gallery-{name}", on_change="rerun") as shown:
        if shown.open:
            _wall(look, items, name)
            if kind == "images" and item.shape[1] == item.shape[2]:
                _pad(look, name)
    return item


def _wall(look: Look, items: np.ndarray, name: str) -> None:
    turn = st.session_state.setdefault(f"turn-{name}", 0)
    ids = (np.arange(SHOWN) + turn * SHOWN) % len(items)
    shown = [uri(picture) for picture in pictures(items[ids], look.experiment.data.kind)]
    st.pills(
        f"Item {name}", range(len(ids)), format_func=lambda i: f"![]({shown[i]})", key=f"pick-{name}-{turn}",
        label_visibility="collapsed", on_change=_pick, args=(name, turn, ids.tolist()),
    )  # fmt: skip
    st.button("Others", icon=":material/refresh:", key=f"others-{name}", on_click=_others, args=(name,))


def _pad(look: Look, name: str) -> None:
    drawn = explore.draw(side=look.experiment.data.shape[1], key=f"draw-{name}")
    if drawn is not None:
        shape = look.experiment.data.shape
        st.session_state[f"end-{name}"] = np.broadcast_to(np.asarray(drawn, np.float32) / 255, shape).copy()
        st.rerun()


def _pick(name: str, turn: int, ids: list[int]) -> None:
    if (i := st.session_state[f"pick-{name}-{turn}"]) is not None:
        st.session_state[f"end-{name}"] = ids[i]


def _others(name: str) -> None:
    st.session_state[f"turn-{name}"] += 1
