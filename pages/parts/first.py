"""What the live components of a lab are told for their first paint, before any frame has come."""

from __future__ import annotations

from typing import Any

from pages.parts import labs, state
from playground.families import family
from playground.figures.timeline import deeds


def paint() -> dict[str, Any]:
    """Return the plain data of `docs/contracts.md` for the run of the present lab page."""
    run, engine = state.lab().run, state.engine()
    experiment = engine.experiment(run)
    modes, codes = experiment.data.modes(), labs.codes(experiment)
    parts = len(modes.centres) if modes else 0 if codes else len(experiment.data.classes)
    folder = engine.folder(run)
    return {
        "status": engine.status(run).to_json(),
        "events": deeds(folder) if folder else [],
        "seed": experiment.seed,
        "modes": parts or None,  # of images: classes
        "live": [name for name, k in experiment.knobs().items() if k.live],
        "title": experiment.data.title,
        "codes": codes,
        "kind": experiment.data.kind,
        "classes": list(experiment.data.classes),
        "slow": experiment.data.kind == "points",  # images are too large to walk through number by number
        "players": list(family(experiment.family).players),
    }
