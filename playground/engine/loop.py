"""The training loop: batches, steps, logged rows, scores, keyframes, edits. It knows nothing of GANs.

What a run's numbers are is decided here and by the experiment's seed alone: scores and keyframes fall on fixed steps,
edits act between two steps and are recorded, and nothing that watches draws from a training stream. So a run gives the
same history whether it is watched, paused, taken on from a keyframe or replayed from its events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import chain, groupby
from math import isfinite, isnan
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.config import ConfigError
from playground.diagnostics.panels import panel
from playground.engine.metrics import fetched, first_bad, said
from playground.engine.trail import Trail
from playground.experiment import Experiment, pick_device
from playground.families import family as family_class
from playground.families.base import StepResult, SubStep
from playground.fast import use_threads
from playground.rng import Streams
from playground.store import RECENT, Keyframe, Recent, RunFolder, StoreError, since

EVERY = 100  # the first so many steps are all logged: that is where most happens
BATCHED = 100  # steps after which their metrics are read together
EARLIEST = 32  # the first moment saved by itself: most happens early
MARKS = 8  # events kept to be told with a picture


class TrainingFailed(RuntimeError):
    """Training went wrong at a step: the cause in one sentence."""


class Loop:
    """One run in this process. Without a folder nothing is written, and only the recent past is kept."""

    def __init__(self, experiment: Experiment, folder: RunFolder | None = None, resume: int | None = None) -> None:
        """Start anew, or from the folder's last keyframe at or before step `resume` (what came after is cut)."""
        self.device = pick_device(experiment.device)
        if self.device.type == "cpu":
            use_threads(1)  # nets this small lose more to waiting for threads than they win
        self.experiment, self.folder = experiment, folder
        self.step, self.edits = 0, 0
        self.taken = 0  # items that batches have held so far
        self._edited_at: int | None = None
        self.failed: str | None = None
        self.metrics: dict[str, float] = {}
        self.rows: deque[tuple[int, dict[str, float]]] = deque(maxlen=RECENT)
        self.scores: deque[dict[str, float]] = deque(maxlen=RECENT // 10)
        self.since = 0  # the step at which this model took another's place
        self.keyframes: list[int] = []
        self.marks: deque[dict[str, Any]] = deque(maxlen=MARKS)
        self._waiting: list[tuple[int, dict[str, Tensor]]] = []  # metrics that are not read yet
        self._each_waits = True  # or is read at once, which is not known before the first metrics are seen
        if folder is not None:
            folder.acquire()
        if folder is not None and resume is not None:
            start = folder.load_keyframe(resume)
            self._build(start.experiment)
            self._restore(start)
        else:
            self._build(experiment)
            if folder is not None:
                self.keyframe()

    def _build(self, experiment: Experiment) -> None:
        if missing := experiment.data.missing():
            raise ConfigError(missing)
        self.experiment, self.data = experiment, experiment.data
        self.rng = Streams(experiment.seed, self.device)
        self.family = family_class(experiment.family)(experiment.model, self.data, self.rng)
        self.panel = panel(self.family, self.data, experiment.seed, self.device)
        self.trail = Trail()  # where a model that is a point ("phase/...") has been
        self._collect_at = BATCHED
        self._plan()

    def _plan(self) -> None:
        """Set the next step at which anything but training happens, so that the others cost one comparison."""
        self._keep_at = next_keyframe(self.step, self.experiment.keyframe_every)
        self._score_at = self.experiment.next_score(self.step)
        self._set_due()

    def _set_due(self) -> None:
        self._due = min(self.next_logged(), self._collect_at, self._score_at, self._keep_at)

    def next_logged(self) -> int:
        """Return the next step whose metrics are logged."""
        every = self.experiment.log_every
        return self.step + 1 if self.step < EVERY else self.step // every * every + every

    # -- going on -----------------------------------------------------------------------------------------------------

    def advance(self, n: int = 1, players: Sequence[str] | None = None) -> None:
        """Do `n` steps, of these players alone where given; raises `TrainingFailed` at the first bad one."""
        if self.failed:
            raise TrainingFailed(self.failed)
        if players is not None:
            self._check_players(players)
            self.record("step", n=n, players=list(players))
        try:
            for _ in range(n):
                result = self.family.step(self._batch(), self.rng, players)
                self.step += 1
                if self._each_waits:
                    self._waiting.append((self.step, result.metrics))
                else:  # read at once, in few words: a step leaves little of what Python needs in the core's cache
                    total = 0.0
                    for value in result.metrics.values():
                        total += value.item()
                    if total - total != 0.0:  # NaN or infinite
                        self._keep(result)
                        self.collect()
                if self.step >= self._due:
                    self._on_schedule(result)
                del result  # its memory is still in the cache, and the next step's if it is free
        except (TrainingFailed, StoreError):
            raise
        except Exception as error:
            self.flush()
            self._fail(self.step + 1, f"{type(error).__name__}: {error}", error)

    def _batch(self) -> Tensor:
        """Return the next items to train on."""
        batch = self.family.take(self.family.rows, self.taken, self.rng)
        self.taken += len(batch)
        return batch

    def _on_schedule(self, result: StepResult) -> None:
        if self._logged(self.step):
            self._keep(result)
        if self.step >= self._collect_at:
            self.collect()
        if self.step == self._score_at:
            self.score()
            self._score_at = self.experiment.next_score(self.step)
        if self.step == self._keep_at:
            self.keyframe(wait=False)
            self._plan()
        self._set_due()

    def _logged(self, step: int) -> bool:
        return step <= EVERY or step % self.experiment.log_every == 0

    def _keep(self, result: StepResult) -> None:
        """Have all metrics of the step just done wait to be read."""
        if self._waiting and self._waiting[-1][0] == self.step:
            self._waiting.pop()
        self._waiting.append((self.step, result.all()))

    def flush(self) -> None:
        """Read and check the metrics of the steps done since the last time, and write all that waits."""
        self.collect()
        if self.folder is not None:
            self.folder.flush()

    def collect(self) -> None:
        """Read and check the metrics of the steps done since the last time; those that are logged are soon written."""
        if not self._waiting:
            return
        read, self._waiting, self._collect_at = fetched(self._waiting), [], self.step + BATCHED
        bad = first_bad(read)
        good = read[:bad]
        phase = [name for name in read[0][1] if name.startswith("phase/")]
        self._each_waits = bool(phase) or self.device.type != "cpu"  # reading a GPU means waiting for it
        if phase:
            for _, row in good:
                self.trail.add([row[name] for name in phase])
        logged = [(step, row) for step, row in good if self._logged(step)]
        self._write(logged)
        self.metrics = {**(logged[-1][1] if logged else self.metrics), **(good[-1][1] if good else {})}
        if bad is not None:
            step, row = read[bad]
            self.rows.append((step, row))  # for the verdict; what is written stays finite
            name = next(name for name, value in row.items() if not isfinite(value))
            self._fail(step, f"{said(name)} became {'NaN' if isnan(row[name]) else 'infinite'}")

    def _write(self, rows: list[tuple[int, dict[str, float]]]) -> None:
        self.rows.extend(rows)
        if self.folder is not None and rows:
            self.folder.append_train(*zip(*rows, strict=True))

    def _fail(self, step: int, cause: str, error: Exception | None = None) -> None:
        """Stop the run at its first bad step; its last keyframe stays."""
        self._waiting, self.step = [], step
        self.failed = f"Training stopped at step {step:,}: {cause}."
        self.record("error", cause=self.failed)
        raise TrainingFailed(self.failed) from error

    def _check_players(self, players: Sequence[str]) -> None:
        known = self.family.players
        if not players or any(p not in known for p in players):
            raise ConfigError(f"There is no player {', '.join(players)!r} to step alone: choose {', '.join(known)}.")

    # -- what is measured and kept ------------------------------------------------------------------------------------

    def score(self) -> dict[str, float]:
        """Measure the model now; the same step always measures the same."""
        self.collect()
        scores = self.panel.score(self.family, self.step)
        self.scores.append({"step": self.step, **scores})
        if self.folder is not None:
            self.folder.append_scores(self.step, scores)
        return scores

    def recent(self) -> Recent:
        """Return the recent past as a verdict wants it."""
        steps = np.array([step for step, _ in self.rows], np.int64)
        names = dict.fromkeys(chain.from_iterable(row for _, row in self.rows))
        train = {name: np.array([row.get(name, np.nan) for _, row in self.rows]) for name in names}
        return Recent({"step": steps, **train}, list(self.scores), self.since)

    def record(self, kind: str, **what: Any) -> None:
        """Note in the folder that something was done at this step."""
        self._note(kind, [what])

    def _note(self, kind: str, all_of_it: Sequence[Mapping[str, Any]]) -> None:
        if self.folder is not None:
            self._mark(self.folder.note(self.step, kind, all_of_it))

    def _mark(self, events: list[dict[str, Any]]) -> None:
        self.marks.extend(e for e in events if e["kind"] in ("set", "rewind", "error"))

    def tensors(self) -> dict[str, Tensor]:
        """Return everything the next step depends on, by the names of a keyframe."""
        model = {f"model/{name}": value for name, value in self.family.state().items()}
        streams = {f"rng/{name}": value for name, value in self.rng.state().items()}
        return model | streams | {"taken": torch.tensor(self.taken)}

    def keyframe(self, wait: bool = True) -> int:
        """Save this moment and return its step; a state that is not finite is refused, the last good one stays."""
        self.collect()
        if self.failed or self.folder is None:
            return self.step
        tensors = {name: value.cpu() for name, value in self.tensors().items()}  # of a GPU's only copies, made once
        for name, value in tensors.items():
            if value.is_floating_point() and not np.isfinite(value.numpy()).all():
                self._fail(self.step, f"{name.removeprefix('model/')} holds numbers that are NaN or infinite")
        self.keyframes = self.folder.save_keyframe(self.step, tensors, self.experiment, wait)
        return self.step

    # -- edits and going back -----------------------------------------------------------------------------------------

    def set(self, values: Mapping[str, Any]) -> None:
        """Change live fields from the next step on; raises `ConfigError` naming a structural or bad one."""
        if self.failed:
            raise ConfigError(f"{self.failed} Go back to a good moment before you change settings.")
        changed = edited(self.experiment, values)
        self.collect()
        both = {name: (self.experiment.value(name), changed.value(name)) for name in values}
        self._note(
            "set", [{"field": name, "value": new, "old": old} for name, (old, new) in both.items() if old != new]
        )
        self._take(changed)
        self._plan()
        self.edits += 1
        self._keep_edit()

    def _keep_edit(self) -> None:
        """Save the moment of an edit; while a slider is dragged only the last of many is kept."""
        last, every = self._edited_at, self.experiment.keyframe_every
        self._edited_at = self.keyframe()
        if self.folder is not None and last is not None and 0 < self.step - last < every // 10 and last % every:
            self.folder.drop_keyframe(last)
            self.keyframes = self.folder.keyframes()

    def _take(self, changed: Experiment) -> None:
        if changed.model != self.experiment.model:
            self.family.set(changed.model)
        if changed.data != self.data:
            self.data = self.family.data = changed.data
            self.panel = panel(self.family, self.data, changed.seed, self.device)
        self.experiment = changed

    def rewind(self, step: int) -> int:
        """Go back to the last keyframe at or before `step`; what came after it is cut. Return the step reached."""
        if self.folder is None:
            raise ConfigError("A run without a folder has no saved moments to go back to.")
        was = self.step
        self._waiting = []
        self._restore(self.folder.load_keyframe(step))
        self.record("rewind", come_from=was)
        self.edits += 1
        return self.step

    def _restore(self, saved: Keyframe) -> None:
        assert self.folder is not None
        self.load(saved)
        self.failed = None
        self.folder.cut(saved.step, saved.events)
        with self.folder.reading() as records:
            names, kept = records.columns(), records.scores()
            rows = records.rows(max(0, records.count() - RECENT))
            phase = [i for i, name in enumerate(names) if name.startswith("phase/")]
            points = [p for some in records.pieces() for p in some["values"][:, phase].tolist()] if phase else []
        past = [
            (int(row["step"]), {n: v for n, v in zip(names, row["values"].tolist(), strict=False) if not isnan(v)})
            for row in rows
        ]
        self.rows = deque(past, maxlen=RECENT)
        self.scores = deque(kept, maxlen=self.scores.maxlen)
        self.metrics = past[-1][1] if past else {}
        self.keyframes = self.folder.keyframes()
        self.trail = Trail()
        for point in points:
            self.trail.add(point)
        self.marks.clear()
        events = self.folder.events()
        self._mark(events)
        self.since = since(events)

    def load(self, saved: Keyframe) -> None:
        """Take on a saved moment without touching what is recorded."""
        self._take(saved.experiment)
        model = {n.removeprefix("model/"): t for n, t in saved.tensors.items() if n.startswith("model/")}
        self.family.load({name: value.to(self.device) for name, value in model.items()})
        self.rng.load({n.removeprefix("rng/"): t for n, t in saved.tensors.items() if n.startswith("rng/")})
        self.taken = int(saved.tensors.get("taken", 0))
        self.step, self._edited_at = saved.step, None
        self._collect_at = self.step + BATCHED
        self._plan()

    # -- slow motion --------------------------------------------------------------------------------------------------

    def trace(self) -> list[SubStep]:
        """Do one step and tell it in sub-steps: it is told on a copy of the state, then done as any other.

        Raises `ConfigError` for players on images: what flows there is drawn on a plane.
        """
        if self.family.players and self.data.kind == "images":
            raise ConfigError(
                "Slow motion is drawn in the plane, not on images: open the GAN lab, or step D and G alone."
            )
        self.flush()
        before = {name: value.clone() for name, value in self.tensors().items()}
        told = self.family.trace(self._batch(), self.rng)
        self.load(Keyframe(self.step, self.experiment, before, 0))
        self.advance()
        self.flush()
        return told


def next_keyframe(step: int, every: int) -> int:
    """Return the next step at which a moment is saved: each `every` steps, before that at its half, quarter ..."""
    if step >= every // 2 or every // 2 < EARLIEST:
        return step // every * every + every
    return next_keyframe(step, every // 2)


def edited(experiment: Experiment, values: Mapping[str, Any]) -> Experiment:
    """Return the experiment with live fields changed; raises `ConfigError` in one sentence where one is not live."""
    changed = experiment.changed(**values)
    for name in values:
        if not changed.knobs()[name].live and changed.value(name) != experiment.value(name):
            raise ConfigError(f"{name} cannot change on a running model: start a new run with it.")
    return changed


def replay(folder: RunFolder, until: int | None = None) -> Loop:
    """Do a recorded run again from its experiment and events, in memory, up to its last recorded step or `until`."""
    loop = Loop(folder.experiment())
    done = folder.events()
    grafts = [i for i, e in enumerate(done) if e["kind"] == "fork"]
    if grafts:  # another model took over here, and nothing before is its own
        loop.load(folder.load_keyframe(done[grafts[-1]]["step"]))
        done = done[grafts[-1] :]
    logged = folder.train_rows(-1)["step"].tolist()
    last = max([0, *folder.keyframes(), *logged]) if until is None else until
    events = [e for e in done if e["kind"] in ("set", "step") and e["step"] <= last]
    for (step, kind), group in groupby(events, key=lambda e: (e["step"], e["kind"])):
        loop.advance(step - loop.step)
        if kind == "set":
            loop.set({e["field"]: e["value"] for e in group})
            continue
        for event in group:
            loop.advance(min(event["n"], last - loop.step), event["players"])
    loop.advance(last - loop.step)
    loop.flush()
    return loop
