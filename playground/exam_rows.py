"""Rows of an exam: a name, a value, the known answer and whether they agree; plain data that `bench` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Rows = Iterator[dict[str, Any]]


def row(name: str, value: float, target: str, ok: bool, note: str = "") -> dict[str, Any]:
    """Return one line of an exam."""
    return {"name": name, "value": value, "target": target, "ok": bool(ok)} | ({"note": note} if note else {})


def near(name: str, value: float, known: float, *, rel: float = 0.0, by: float = 0.0, note: str = "") -> dict[str, Any]:
    """Return a row that passes within `rel` of the known value, or within `by`."""
    gate = f"± {rel:g} relative" if rel else f"± {by:g}"
    return row(name, value, f"{known:g} {gate}", abs(value - known) <= max(rel * abs(known), by), note)
