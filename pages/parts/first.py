"""What the live components of a lab are told for their first paint, before any frame has come."""

from __future__ import annotations

from typing import Any

from pages.parts import labs, state
from playground.families import family


def paint() -> dict[str, Any]:
    """Return the plain data of `docs/contracts.md` for the run of the present lab page."""
    run, engine = state.lab().run, state.engine()
    experiment = engine.experiment(run)
    modes = experiment.data.modes()
    return {
        "status": engine.status(run).to_json(),
        "seed": experiment.seed,
        "modes": None if modes is None else len(modes.centres),
        "live": [name for name, k in experiment.knobs().items() if k.live],
        "title": experiment.data.title,
        "codes": labs.codes(experiment),
        "kind": experiment.data.kind,
        "classes": list(experiment.data.classes),
        "slow": experiment.data.kind == "points",  # images are too large to walk through number by number
        "players": list(family(experiment.family).players),
    }
