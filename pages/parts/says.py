"""What could not be done or used, kept until it has been said: one sentence each, on a card that floats."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import streamlit as st

SHOWN = 10.0  # seconds that a sentence stays, as in the stylesheet


@dataclass
class Said:
    """What could not be done or used, one sentence each, and until when it stays (on the monotonic clock)."""

    notices: list[str] = field(default_factory=list)
    error: str = ""
    until: float = 0.0


def said() -> Said:
    """Return what is to be said to this session."""
    return st.session_state.setdefault("said", Said())


def fail(error: Exception) -> None:
    """Keep a sentence for `say`."""
    said().error, said().until = str(error), 0.0
    if "lab" in st.session_state:
        st.session_state.lab.stale = True


def say() -> None:
    """Show what could not be done or used, one sentence each, for some seconds; the card floats, so nothing moves."""
    what, now = said(), time.monotonic()
    if (what.error or what.notices) and not what.until:
        what.until = now + SHOWN
    elif now > what.until:
        what.error, what.notices, what.until = "", [], 0.0
    with st.container(key="said"):
        if what.error:
            st.error(what.error, icon=":material/error:")
        for notice in what.notices:
            st.warning(notice, icon=":material/link_off:")
    if "lab" in st.session_state:
        st.session_state.lab.stale = False
