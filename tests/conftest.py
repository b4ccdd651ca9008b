"""Fixtures of several test files."""

from __future__ import annotations

import pytest

import playground.engine
from tests.fakes import FakeEngine


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The pages' engine, one that trains nothing and shows any state it is asked to."""
    fake = FakeEngine()
    monkeypatch.setattr(playground.engine, "get_engine", lambda: fake)
    monkeypatch.setattr("pages.parts.live.get_engine", lambda: fake)
    return fake
