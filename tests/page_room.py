"""What every test of a page needs: the app's entry, and the rule that no page ever shows a traceback."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROUTER = Path(__file__).parents[1] / "pages" / "router.py"


def shows(at: AppTest) -> AppTest:
    """Check that the page shows no traceback, and return it."""
    assert not at.exception, at.exception
    return at
