"""Work that takes seconds, done once and beside the pages: a page shows that it is under way, and follows when it is
there."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import streamlit as st

T = TypeVar("T")
AT_ONCE = 0.3  # seconds that a page waits before it says that it waits
POLL = 0.7

_pool = ThreadPoolExecutor(1, "page-work")  # one at a time: training has the other cores


def ask(key: Hashable, work: Callable[[], T]) -> Future[T]:
    """Return the work's future, begun the first time that `key` is asked for; it is done, or under way, or queued."""
    begun: Future[T] = _begun(key, work)
    with suppress(TimeoutError):
        begun.exception(AT_ONCE)
    return begun


def begin(key: Hashable, work: Callable[[], T]) -> Future[T]:
    """Return the work's future as `ask` does, without waiting for it at all."""
    begun: Future[T] = _begun(key, work)
    return begun


@st.cache_resource(max_entries=48, show_spinner=False)
def _begun(key: Hashable, _work: Callable[[], T]) -> Future[T]:
    return _pool.submit(_work)


@st.fragment(run_every=POLL)
def waiting(work: Future[T], words: str) -> None:
    """Say what is under way, in a space of some height; the page is drawn anew when it is done."""
    if work.done():
        st.rerun()
    with st.container(key="waiting"):
        st.markdown(f":material/hourglass_top: {words}")
        st.skeleton(height=420)
