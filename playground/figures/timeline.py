"""What is marked on the line of a run's past: edits, going back, errors, and where it or others were forked."""

from __future__ import annotations

from typing import Any

from playground.figures.chart import edits
from playground.store import RunFolder, lineage

KINDS = {"error": "error", "went back here": "rewind"}


def deeds(folder: RunFolder) -> list[dict[str, Any]]:
    """Return {"step", "kind" (set rewind error fork child), "text"} of what happened to a run, by step."""
    found = [{"step": step, "kind": KINDS.get(text, "set"), "text": text} for step, text in edits(folder.events())]
    came = lineage.parent(folder.path)
    if came:
        found.append({"step": came.step, "kind": "fork", "text": f"forked here from {came.run}"})
    for child, step in lineage.children(folder):
        found.append({"step": step, "kind": "child", "text": f"{child} was forked from here"})
    return sorted(found, key=lambda deed: deed["step"])
