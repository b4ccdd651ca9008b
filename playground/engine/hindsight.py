"""What was known of a run at a saved moment: the last metrics and scores by then, and the verdict as it was.

A verdict looks at the recent past only, so it is the one that was on the screen at that step.
"""

from __future__ import annotations

import math
from typing import Any

from playground.diagnostics.verdict import verdict
from playground.engine.told import short
from playground.store import Keyframe, RunFolder


def known_at(folder: RunFolder, moment: Keyframe) -> dict[str, Any]:
    """Return "metrics", "scores" and "verdict" (plain data) as of a saved moment."""
    with folder.reading() as records:
        recent = records.recent(moment.step)
    train, scores, _ = recent
    last = {name: float(column[-1]) for name, column in train.items() if name != "step" and len(column)}
    return {
        "metrics": short({name: value for name, value in last.items() if not math.isnan(value)}),
        "scores": short({name: value for name, value in (scores[-1] if scores else {}).items() if value is not None}),
        "verdict": verdict(moment.experiment, *recent).to_json(),
    }
