"""Frames of runs that no worker has: of a run not started yet, or of a saved moment. Made in the server.

A run at step 0 looks the same here as in the worker that takes it on: the seed decides both.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from playground.config import ConfigError
from playground.engine.hindsight import known_at
from playground.engine.loop import Loop
from playground.engine.painters import painter
from playground.engine.record import LOOKS, Run, Status
from playground.experiment import Experiment
from playground.store import LATEST, RunFolder, StoreError

KEPT = 8  # models at rest in memory


class Preview:
    """A model at rest: untrained, or as the keyframe has it that is looked at."""

    def __init__(self, experiment: Experiment, folder: RunFolder | None) -> None:
        self.loop, self.folder = Loop(experiment), folder
        self.then: dict[str, Any] = {}
        self.shown: int | None = None
        self.painter = painter(self.loop)

    def look(self, step: int) -> None:
        """Show the last saved moment at or before `step`, where there is one."""
        if self.folder is None or self.shown == step or not self.folder.keyframes():
            return
        saved = self.folder.load_keyframe(step)
        self.loop.load(saved)
        self.then, self.shown = known_at(self.folder, saved), step

    def frame(self, layers: frozenset[str], status: Status) -> bytes:
        """Return a frame with these layers."""
        e = self.loop.experiment
        about = {"seed": e.seed, "events": [], "metrics": {}, "scores": {}, "verdict": None, "floors": {}, **self.then}
        names = ("state", "step", "sps", "queue", "error", "past", "keyframes", "speed", "until")
        told = {name: getattr(status, name) for name in names}
        told |= {"experiment_version": status.edits, "device": self.loop.device.type}
        return self.painter.frame(layers, about | told)


class Gallery:
    """The pictures of runs at rest, made when they are asked for."""

    def __init__(self) -> None:
        self._previews: dict[str, Preview] = {}
        self._lock = threading.Lock()

    def draw(self, run: Run, status: Status) -> None:
        """Make `run.kept` a picture of what the run is now."""
        sight = run.sight()
        if run.kept is not None and run.shown == sight:
            return
        try:
            with self._lock:
                frame = self._of(run).frame(run.layers() or LOOKS, replace(status, error=run.error))
        except Exception as error:  # of the data or the family: the server goes on and the page says it
            plain = isinstance(error, (ConfigError, StoreError))
            run.kept, run.unseen = None, str(error) if plain else f"{type(error).__name__}: {error}"
            return
        run.number += 1
        run.kept, run.shown, run.unseen = (run.number, frame), sight, None

    def ask(self, run: Run, verb: str, args: dict[str, Any]) -> dict[str, Any]:
        """Return what is behind one thing in the picture of a run at rest: the verbs pick and decode."""
        with self._lock:
            painter = self._of(run).painter
            return painter.pick(**args) if verb == "pick" else painter.decode(**args)

    def _of(self, run: Run) -> Preview:
        step = run.past if run.past is not None else LATEST
        key = f"{run.experiment.model_dump_json()}{run.folder and (run.id, run.folder.cuts(), run.step)}"
        if key not in self._previews:
            while len(self._previews) >= KEPT:
                self._previews.pop(next(iter(self._previews)))
            self._previews[key] = Preview(run.experiment, run.folder)
        self._previews[key].look(step)
        return self._previews[key]
