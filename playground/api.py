"""Train, open and go on with runs from Python: what the pages do, without a page and in this process.

A `Run` is a view of a run's folder and holds nothing itself: one trained here, in a worker or a month ago is the same.
Samples and scores are functions of a saved moment. The numbers are those of a worker: both drive the same loop.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from playground import racing
from playground.code import export
from playground.config import ConfigError, knobs
from playground.data import datasets
from playground.diagnostics.panels import panel
from playground.diagnostics.signals import Evidence, Verdict
from playground.diagnostics.verdict import verdict
from playground.engine.loop import Loop, TrainingFailed
from playground.experiment import Experiment, pick_device
from playground.families import families
from playground.families.base import Family
from playground.home import home
from playground.latent.moments import Moment, of
from playground.latent.moments import saved as moment_of
from playground.presets import PRESETS
from playground.rng import fresh
from playground.store import Group, Recent, RunFolder, group, races, share
from playground.store import receive as take_in
from playground.store import runs as run_folders
from playground.store.races import Card

STEPS = 5000  # a run without an end of its own goes on for so many steps
SLICE = 0.1  # seconds between two looks at the progress and at Ctrl-C

Progress = Callable[[int, int, dict[str, float]], None]


class Run:
    """A run on disk: its experiment, metrics and saved moments."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"<Run {self.id}: {self.state} at step {self.step:,}>"

    @property
    def id(self) -> str:
        """The run's name: its data set and eight hex digits."""
        return self.folder.run_id

    @property
    def experiment(self) -> Experiment:
        """The settings at the last saved moment, live edits included; `folder.experiment()` is what it started as."""
        return self.folder.load_keyframe().experiment

    @property
    def state(self) -> str:
        """Where the run stands: running, paused, stopped, finished or failed."""
        return str(self.folder.status()["state"])

    @property
    def error(self) -> str | None:
        """Why training failed, in one sentence, if it did."""
        return self.folder.status().get("error")

    @property
    def step(self) -> int:
        """The last saved step, from which the run would go on."""
        return self.folder.keyframes()[-1]

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """The logged metrics by name, one value a logged step; "step" says which."""
        return self.folder.train()

    @property
    def scores(self) -> dict[str, np.ndarray]:
        """The scores by name, one value each `score_every` steps; "step" says which, NaN where not measured."""
        rows = self.folder.scores()
        names = dict.fromkeys(["step", *(name for row in rows for name in row)])
        values = {name: [np.nan if row.get(name) is None else row[name] for row in rows] for name in names}
        return {name: np.array(column, np.int64 if name == "step" else float) for name, column in values.items()}

    def last(self) -> dict[str, float]:
        """Return the last value of each metric, and the scores of the last saved moment."""
        last = {name: float(column[-1]) for name, column in self.metrics.items() if name != "step" and len(column)}
        return last | self.score()

    def model(self, step: int | None = None) -> Family:
        """Return the model, on the CPU, as saved at the last moment at or before `step` (None: the last of all)."""
        return of(self.folder.load_keyframe(step)).family

    def sample(self, n: int, step: int | None = None, seed: int = 0) -> np.ndarray:
        """Draw n points (n, dim) from the model of a saved moment; the same `seed` draws the same points."""
        if n < 1:
            raise ConfigError(f"n is {n}: draw at least one sample.")
        model = self.model(step)
        if "generate" not in model.abilities:
            raise ConfigError(f"{model.title} has no prior to draw from: decode codes of items that you encoded.")
        return model.generate(model.noise(n, fresh(seed, "sample"))).numpy()

    def encode(self, items: Any, step: int | None = None) -> np.ndarray:
        """Return the codes (n, Z) of items (n, *shape) in data units, by the model of a saved moment."""
        return self._moment(step).encode(items)

    def decode(self, codes: Any, step: int | None = None) -> np.ndarray:
        """Return the items (n, *shape) that codes (n, Z) stand for, by the model of a saved moment."""
        return self._moment(step).decode(codes)

    def _moment(self, step: int | None) -> Moment:
        return moment_of(self.folder, step)

    def score(self, step: int | None = None) -> dict[str, float]:
        """Measure the model of a saved moment; equal to the row recorded there, if one was."""
        saved = self.folder.load_keyframe(step)
        recorded = [row for row in self.folder.scores() if row["step"] == saved.step]
        if recorded:
            return {name: value for name, value in recorded[-1].items() if name != "step" and value is not None}
        model = self.model(step)
        return panel(model, saved.experiment.data, saved.experiment.seed).score(model, saved.step)

    def diagnose(self) -> Verdict:
        """Judge the run's recent past: its state in a word, a sentence with evidence, and the usual cure."""
        with self.folder.reading() as records:
            recent = records.recent()
        if not recent.scores or recent.scores[-1]["step"] < self.step:
            recent.scores.append({"step": self.step, **self.score()})
        if self.state == "failed" and any(word in str(self.error) for word in ("NaN", "infinite")):
            return _diverged(self.experiment, recent, str(self.error))
        return verdict(self.experiment, *recent)

    def share(self, file: Path | str) -> Path:
        """Write the whole run into one file (a ZIP) to hand on, and return its path; `receive` takes it in again."""
        share(self.folder, Path(file))
        return Path(file)

    def code(self) -> str:
        """Return a plain PyTorch script that repeats the run without this package; raises `ConfigError` where none
        can."""
        return export.of_run(self.folder)

    def resume(self, steps: int | None = None, progress: Progress | None = None) -> Run:
        """Train `steps` more from the last saved moment and save; return this run.

        Without `steps` an interrupted training goes on to where it was to end. `progress(step, end, metrics)` is called
        some ten times a second. Ctrl-C saves, then raises `KeyboardInterrupt`; raises `TrainingFailed` where a number
        becomes NaN or infinite (what was saved before stays).
        """
        if steps is None:
            left = int(self.folder.status().get("end", 0)) - self.step
            steps = left if left > 0 else STEPS
        if steps < 1:
            raise ConfigError(f"steps is {steps}: train at least one step.")
        try:
            loop = Loop(self.folder.experiment(), self.folder, resume=self.step)
            self._train(loop, loop.step + steps, progress)
        finally:
            self.folder.release()
        return self

    def _train(self, loop: Loop, end: int, progress: Progress | None) -> None:
        def note(state: str) -> None:
            about = {"device": loop.device.type, "error": loop.failed, "pid": os.getpid(), "end": end}
            self.folder.set_status(state=state, step=loop.step, **about)

        note("running")
        try:
            with _asked_to_stop() as asked:
                for _ in _slices(loop, end):
                    if progress:
                        progress(loop.step, end, loop.metrics)
                    if asked.is_set():
                        break
            loop.keyframe()
        except TrainingFailed:
            note("failed")
            raise
        note("stopped")
        if asked.is_set():
            raise KeyboardInterrupt(f"Stopped at step {loop.step:,} and saved; run {self.id} can be resumed.")


def train(experiment: Experiment, steps: int | None = None, progress: Progress | None = None) -> Run:
    """Train an experiment here and now, and return the run; see `Run.resume` for `progress` and what is raised.

    `steps` defaults to the experiment's own end, or 5,000. The folder is made under `PLAYGROUND_HOME`, else `runs`.
    """
    return create(experiment).resume(steps or experiment.steps or STEPS, progress)


def create(experiment: Experiment, root: Path | None = None, run_id: str | None = None) -> Run:
    """Make the folder of a new run with its first moment saved, without training it."""
    pick_device(experiment.device)  # refused before there is a folder
    if missing := experiment.data.missing():
        raise ConfigError(missing)
    folder = RunFolder.create(root or home(), experiment, run_id)
    Loop(experiment, folder)
    folder.release()
    return Run(folder)


def load_run(run_id: str) -> Run:
    """Open a run by its id; raises `StoreError` where there is none."""
    return Run(RunFolder.open(home(), run_id))


@dataclass(frozen=True)
class Raced:
    """What a race came to: its card, and by each racer's label the run and the verdict on it."""

    card: Card
    runs: dict[str, Run]
    verdicts: dict[str, Verdict]

    @property
    def collapsed(self) -> racing.Share:
        """The share of the runs that collapsed, with its 95 % interval."""
        return racing.collapsed([(verdict.state, verdict.sentence) for verdict in self.verdicts.values()])


def race(
    experiment: Experiment,
    knob: str,
    values: Sequence[Any] | None = None,
    steps: int | None = None,
    progress: Progress | None = None,
) -> Raced:
    """Train one experiment with one field at several values (None: some that are worth it), all else equal.

    One after the other, `steps` each; one that fails is judged like the others. The Race page shows them side by side.
    """
    pick_device(experiment.device)
    card = racing.plan(experiment, knob, racing.suggested(experiment, knob) if values is None else values)
    races.write(home(), card)
    runs = {}
    for racer in card.racers:
        run = runs[racer.label] = create(racer.experiment, run_id=racer.run)
        group.write(run.folder.path, Group(kind="race", id=card.id, label=racer.label))
        with suppress(TrainingFailed):
            run.resume(steps or experiment.steps or STEPS, progress)
    return Raced(card, runs, {label: run.diagnose() for label, run in runs.items()})


def receive(file: Path | str) -> Run:
    """Take in a run that somebody shared; raises `StoreError` in one sentence where anything about it is wrong."""
    return Run(take_in(Path(file), home()))


def runs() -> list[Run]:
    """Return the runs on disk, the latest started first."""
    return [Run(folder) for folder in run_folders(home())]


def catalogue() -> dict[str, dict[str, Any]]:
    """Return what there is to choose from, as plain data: families and data sets with their JSON Schemas, presets."""
    return {
        "families": {
            name: {"title": f.title, "paper": f.paper, "abilities": sorted(f.abilities)}
            | {"schema": f.Settings.model_json_schema()}
            for name, f in families().items()
        },
        "datasets": {
            name: {"title": d.title, "about": d.about, "kind": d.kind, "missing": d().missing()}
            | {"schema": d.model_json_schema()}
            for name, d in datasets().items()
        },
        "presets": {
            name: {"title": p.title, "about": p.about, "group": p.group, "experiment": p.experiment.to_json()}
            for name, p in PRESETS.items()
        },
        "run": {name: {"help": k.help, "default": k.default} for name, k in knobs(Experiment).items()},
    }


def _slices(loop: Loop, end: int) -> Iterator[None]:
    """Advance to `end` in slices that last about as long as one may wait for an answer."""
    n = 1
    while loop.step < end:
        started = time.perf_counter()
        loop.advance(min(n, end - loop.step))
        seconds = time.perf_counter() - started
        n = max(1, min(2 * n, int(n * SLICE / max(seconds, 1e-6))))
        loop.flush()
        yield


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into a flag, so that a step is never torn; the second one interrupts as usual."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield asked
        return

    def first(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _diverged(experiment: Experiment, recent: Recent, error: str) -> Verdict:
    """Judge a run whose last row was never written because its numbers were none; the evidence is the row before."""
    beyond = {name: np.append(column, np.nan) for name, column in recent.train.items()}
    broken = verdict(experiment, *recent._replace(train=beyond))
    before = {name: column[-1] for name, column in recent.train.items() if len(column)}
    step = int(before.pop("step", 0))
    rows = [Evidence(f"{name} at step {step:,}", f"{value:.3g}", "the last good one") for name, value in before.items()]
    return replace(broken, sentence=f"Diverged. {error}", evidence=tuple(rows))
