"""An engine without workers for page tests: it keeps what it was told and shows any state it is asked to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from playground.engine import EngineError, Status
from playground.experiment import Experiment
from playground.presets import preset_of
from playground.store import About, RunFolder
from playground.store.index import Index, Row


class FakeEngine:
    """Runs are dictionaries; verbs are written down; `become` sets a state."""

    token = "token"

    def __init__(self) -> None:
        self.known: dict[str, Experiment] = {}
        self.states: dict[str, Status] = {}
        self.said: list[tuple[str, str, dict[str, Any]]] = []
        self.folders: dict[str, RunFolder] = {}
        self.deleted: dict[str, tuple[Experiment, Status]] = {}

    def prepare(self, experiment: Experiment) -> str:
        run = f"{experiment.dataset}-{len(self.known):08x}"
        self.known[run], self.states[run] = experiment, Status(run, "ready")
        return run

    def become(self, run: str, state: str, **more: Any) -> None:
        self.states[run] = replace(self.states[run], state=state, **more)

    def experiment(self, run: str) -> Experiment:
        return self.known[run]

    def status(self, run: str) -> Status:
        if run not in self.known:
            raise EngineError(f"There is no run {run!r} here: choose another from the list of runs.")
        return self.states[run]

    reopen = status

    def runs(self) -> list[Status]:
        return [s for s in self.states.values() if s.state != "ready"]

    def rows(self, preset: object = None) -> list[Row]:
        return [self._row(status) for status in self.runs()]

    def _row(self, status: Status) -> Row:
        folder, experiment = self.folders.get(status.run), self.known[status.run]
        if folder is not None:
            row = next(row for row in Index(folder.path.parent, preset_of).rows() if row.run == status.run)
            return replace(row, state=status.state, step=status.step, error=status.error)
        plain = Row(
            status.run, experiment.family, experiment.dataset, preset_of(experiment), experiment.data.title,
            status.state, status.error, status.step, 0.0, None, None, About(), {}, ("", ()), ("warming", "Too early."),
        )  # fmt: skip
        return plain

    def keep(self, folder: RunFolder) -> str:
        """Know a run that lies on disk, with its saved moments."""
        run, steps = folder.run_id, folder.keyframes()
        self.known[run], self.folders[run] = folder.experiment(), folder
        self.states[run] = Status(run, "stopped", step=steps[-1], keyframes=steps)
        return run

    def folder(self, run: str) -> RunFolder | None:
        return self.folders.get(run)

    def frame(self, run: str, newer_than: int = 0) -> None:
        return None

    def pin(self, run: str, on: bool) -> None:
        self.become(run, self.states[run].state, pinned=on)

    def delete(self, run: str) -> None:
        self.deleted[run] = self.known.pop(run), self.states.pop(run)

    def fork(self, run: str, step: int | None = None, experiment: Experiment | None = None) -> str:
        child = self.prepare(experiment or self.known[run])
        self.become(child, "stopped", step=step or self.states[run].step)
        return child

    def restore(self, run: str) -> None:
        self.known[run], self.states[run] = self.deleted.pop(run)

    def send(self, run: str, verb: str, **args: Any) -> dict[str, Any]:
        self.said.append((run, verb, args))
        if verb == "set":
            self.known[run] = self.known[run].changed(**args["values"])
            self.become(run, self.states[run].state, edits=self.states[run].edits + 1)
        elif verb == "look":
            self.become(run, self.states[run].state, past=args["step"])
        elif verb in ("play", "pause", "stop"):
            self.become(run, {"play": "running", "pause": "paused", "stop": "stopped"}[verb])
        return {"ok": True}
