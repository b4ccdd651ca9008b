"""Frames of runs that no worker has: of a run not started yet, or of a saved moment. Made in the server.

A run at step 0 looks the same here as in the worker that takes it on: the seed decides both.
"""

from __future__ import annotations

from typing import Any

from playground.engine.frames import Painter
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.store import RunFolder


class Preview:
    """A model at rest: untrained, or as a keyframe has it."""

    def __init__(self, experiment: Experiment, folder: RunFolder | None = None, step: int | None = None) -> None:
        self.loop, self.then = Loop(experiment), {}
        if folder is not None and folder.keyframes():
            self.loop.load(folder.load_keyframe(step))
            self.then = folder.at(self.loop.step)
        self.painter = Painter(self.loop)

    def frame(self, layers: frozenset[str], about: dict[str, Any]) -> bytes:
        """Return a frame with these layers; `about` joins its description."""
        mine: dict[str, Any] = {"seed": self.loop.experiment.seed, "device": self.loop.device.type, "events": []}
        mine |= {"metrics": {}, "scores": {}, "verdict": None, "floors": {}}
        return self.painter.frame(layers, mine | self.then | about)
