"""One open run inside a worker: it trains between commands, paints frames within a budget and tells its status.

Frames while it trains take at most `SHARE` of the time: the next one comes no sooner than cost / SHARE after the last.
Everything that changes the run acts between two steps and is an event; nothing here draws a random number.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playground.config import ConfigError
from playground.diagnostics.verdict import verdict
from playground.engine.hindsight import known_at
from playground.engine.loop import Loop, TrainingFailed
from playground.engine.mapped import FrameWriter
from playground.engine.painters import painter
from playground.engine.told import short, told_step
from playground.experiment import Experiment
from playground.store import RunFolder, Unwritable
from playground.store.errors import written

FPS = 20.0
SHARE = 0.03  # of the time may go into frames while the run trains: 0.95 of its speed stays, with some to spare
LONGEST = 0.5  # seconds: the picture never stands still for longer
STATUS_EVERY = 0.5  # seconds
SETTLED = 1.0  # seconds without an edit after which noise floors are measured again
HOLD = 0.1  # seconds between looks whether a score can be given
NEVER = float("inf")


class Session:
    """A run that is open in this process. Public methods are the verbs of the protocol."""

    def __init__(
        self,
        say: Callable[[dict[str, Any]], None],
        commands: deque[dict[str, Any]],
        wait: Callable[[float], None],
        *,
        experiment: dict[str, Any],
        folder: str,
        resume: int | None = None,
        number: int = 0,
        speed: int = 0,
        until: dict[str, int] | None = None,
        pace: int | None = None,
    ) -> None:
        """Open the run; `number` is that of the last frame that was shown of it."""
        self.say, self.commands, self.wait = say, commands, wait
        path = Path(folder)
        self.folder = RunFolder.open(path.parent, path.name)
        self.loop = Loop(Experiment.from_json(experiment), self.folder, resume)
        self.present = self.painter = painter(self.loop)
        with written(path):
            self.writer = FrameWriter(path / "frame.bin", number)
        self.number, self.speed_, self.until_, self.pace_ = number, speed, until, pace
        self.state: str = "paused"
        self.error: str | None = None
        self.keep_soon = False  # a keyframe is wanted once the pause is acknowledged
        self.waits = False  # for a score that cannot be given yet
        self.past: int | None = None  # the step of the keyframe that is looked at
        self.then: dict[str, Any] = {}  # what was known at that step
        self.layers: frozenset[str] = frozenset()
        self.gap = 0.0  # seconds between frames that the viewers want; 0: nobody watches
        self.stale = self.in_turns = False
        self.next_frame, self.next_status = NEVER, 0.0
        self.measured = (time.perf_counter(), self.loop.step)
        self.sps = 0.0
        self.tick, self.batch_end, self.edited_at = 0.0, self.loop.step, 0.0
        self.floors: dict[str, list[float]] | None = None
        self.judged: tuple[Any, dict[str, Any] | None] = (None, None)
        self.tell()

    # -- training -----------------------------------------------------------------------------------------------------

    def work(self) -> bool:
        """Train, or do what was left for after the acknowledgements; return whether there is more to do."""
        if self.state == "running":
            self.train()
        else:
            self.settle()
        return self.state == "running"

    def train(self) -> None:
        """Do steps until a command comes or something else is due, then do that."""
        loop, commands, clock = self.loop, self.commands, time.perf_counter
        if self.pace_ is not None and loop.step >= self.pace_:
            self.wait(HOLD)
            return
        if self.speed_ and (left := self.tick - clock()) > 0:
            self.wait(left)
            return
        target, due, self.waits = self.target(), self.next_status, False
        if not loop.panel.ready():  # commands are obeyed while another process makes what the score needs
            target = min(target, loop.experiment.next_score(loop.step) - 1)
            if loop.step >= target:
                self.waits = True
                self.wait(HOLD)
        if not self.speed_:
            due = min(due, self.next_frame)
        while loop.step < target and not commands:
            loop.advance()
            if clock() >= due:
                break
        self.after_steps()

    def target(self) -> int:
        """Return the next step at which to look up from training."""
        step, e = self.loop.step, self.loop.experiment
        ends = [step + 1_000_000 if self.pace_ is None else self.pace_]
        if e.steps:
            ends.append(e.steps)
        if self.until_ and "steps" in self.until_:
            ends.append(self.until_["steps"])
        if self.until_ and "modes" in self.until_:
            ends.append(e.next_score(step))
        if self.speed_:
            if self.batch_end <= step:
                self.batch_end = step + self.speed_
            ends.append(self.batch_end)
        return min(ends)

    def after_steps(self) -> None:
        """End the run where an end is reached; paint and tell where that is due."""
        now, step = time.perf_counter(), self.loop.step
        until, scores = self.until_ or {}, self.loop.scores
        if self.loop.experiment.steps and step >= self.loop.experiment.steps:
            self.rest("finished")
        elif step >= until.get("steps", NEVER):
            self.rest("paused", reached=until)
        elif "modes" in until and scores and scores[-1]["step"] == step:
            if scores[-1].get("modes/covered", scores[-1].get("class/covered", 0)) >= until["modes"]:
                self.rest("paused", reached=until)
        elif self.speed_ and step >= self.batch_end:
            self.tick = max(self.tick + 1 / FPS, now)
            if self.gap:
                self.paint()
        elif now >= self.next_frame and not self.speed_:
            self.paint()
        if now >= self.next_status or step == self.pace_:
            self.loop.flush()
            self.tell()

    def rest(self, state: str, **why: Any) -> None:
        """Stop training, save the moment, show it."""
        if why:
            self.until_ = None
        self.loop.record("pause", **why)
        self.loop.keyframe()
        self.become(state)

    def become(self, state: str, error: str | None = None) -> None:
        """Take on a state and tell it."""
        self.state, self.error, self.stale = state, error, True
        self.measured = (time.perf_counter(), self.loop.step)
        self.next_frame = 0.0 if state == "running" and self.gap else NEVER
        self.save_status()
        self.tell()

    def fail(self, error: Exception) -> None:
        """Stay at the first bad step with its cause; where the disk takes no more, pause: all that waits stays."""
        if isinstance(error, Unwritable):
            self.folder.excuse()
            return self.become("paused", str(error))
        plain = isinstance(error, TrainingFailed)
        self.become("failed", str(error) if plain else f"The worker stumbled: {type(error).__name__}: {error}")

    # -- verbs --------------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Train on."""
        self.refuse_if_failed()
        self.to_present()
        end = self.loop.experiment.steps
        if end and self.loop.step >= end:
            raise ConfigError(f"This run was to end at {end:,} steps: set steps higher, or to 0 for no end, to go on.")
        if self.until_ and self.loop.step >= self.until_.get("steps", NEVER):
            self.until_ = None
        if self.state != "running":
            self.loop.record("play")
            self.tick, self.batch_end = time.perf_counter(), self.loop.step
            self.become("running")

    def pause(self) -> None:
        """Stop training between two steps."""
        if self.state == "running":
            self.state = "paused"  # also where the disk takes no more
            self.loop.flush()
            self.loop.record("pause")
            self.become("paused")
            self.keep_soon = True

    def step(self, n: int = 1, players: list[str] | None = None) -> None:
        """Do n steps (1 to 1,000) and stay paused; with `players` only those learn."""
        self.refuse_if_failed()
        if not 1 <= n <= 1000:
            raise ConfigError(f"step is asked for {n} steps: it takes 1 to 1000.")
        self.to_present()
        self.state = "paused"
        self.loop.advance(n, players)
        self.loop.flush()
        self.become("paused")
        self.keep_soon = players is not None

    def set(self, values: dict[str, Any]) -> dict[str, Any]:
        """Change live fields from the next step on."""
        self.loop.set(values)
        self.edited_at = time.perf_counter()
        if any(name in type(self.loop.data).model_fields for name in values):
            self.floors = None
        self.stale = True
        if self.state == "finished" and not 0 < self.loop.experiment.steps <= self.loop.step:
            self.become("paused")
        return {"experiment": self.loop.experiment.to_json()}

    def speed(self, steps_per_frame: int) -> None:
        """Do so many steps a frame; 0 trains flat out."""
        if int(steps_per_frame) < 0:
            raise ConfigError(f"speed is {steps_per_frame}: it takes steps a frame, 0 for flat out.")
        self.speed_, self.tick, self.batch_end = int(steps_per_frame), time.perf_counter(), self.loop.step
        self.stale = True

    def until(self, steps: int | None = None, modes: int | None = None) -> None:
        """Pause at a step, or when so many modes (of images: classes) are covered; without either, never."""
        self.until_ = {"steps": int(steps)} if steps else {"modes": int(modes)} if modes else None
        self.loop.record("until", **(self.until_ or {}))
        self.stale = True

    def pace(self, to: int | None) -> None:
        """Train no further than step `to` until told again: so the runs of a race keep together."""
        self.pace_ = to

    def trace(self) -> dict[str, Any]:
        """Do one step in slow motion and return its sub-steps."""
        self.refuse_if_failed()
        self.to_present()
        told = [told_step(s) for s in self.loop.trace()]
        self.become("paused")
        return {"step": self.loop.step, "steps": told}

    def pick(self, i: int) -> dict[str, Any]:
        """Return what is behind the i-th thing in the picture."""
        return self.painter.pick(i)

    def decode(self, at: list[float] | None = None, code: list[float] | None = None) -> dict[str, Any]:
        """Return what lies at a place of the map, or behind a code, in the moment that is shown."""
        return self.painter.decode(at, code)

    def look(self, step: int | None) -> dict[str, Any]:
        """Show the last keyframe at or before `step`, or the present again."""
        if step is None:
            self.to_present()
        else:
            saved = self.folder.load_keyframe(step)
            if self.painter is self.present:
                self.painter = painter(Loop(saved.experiment))
            self.painter.loop.load(saved)
            self.past, self.then = saved.step, known_at(self.folder, saved)
        self.stale = True
        self.tell()
        return {"past": self.past}

    def goto(self, step: int) -> dict[str, Any]:
        """Go back to the last keyframe at or before `step`; what came after it is cut."""
        self.loop.rewind(step)
        self.to_present()
        self.floors, self.judged = None, (None, None)
        self.become("paused")
        return {"experiment": self.loop.experiment.to_json(), "step": self.loop.step}

    def watch(self, layers: list[str], fps: float = FPS) -> None:
        """Paint these layers at most so often; no layers: nobody watches."""
        self.in_turns = False
        self.layers, self.gap = frozenset(layers), 1 / min(fps, 25.0) if layers and fps > 0 else 0.0
        self.stale = True
        self.next_frame = 0.0 if self.gap else NEVER

    def keyframe(self) -> dict[str, Any]:
        """Save this moment."""
        return {"step": self.loop.keyframe()}

    def close(self) -> None:
        """Save the moment and let go of the folder; where the disk takes no more, say so."""
        try:
            self.loop.record("stop")
            if self.state != "failed":
                self.loop.keyframe()
                self.state, self.error = "finished" if self.state == "finished" else "stopped", None
        except Unwritable as error:
            self.state, self.error = "stopped", str(error)
        self.save_status()
        self.tell()
        self.writer.close()
        with contextlib.suppress(Unwritable):
            self.folder.release()

    def to_present(self) -> None:
        """Show the run as it is now."""
        if self.past is not None:
            self.painter, self.past, self.then, self.stale = self.present, None, {}, True

    def refuse_if_failed(self) -> None:
        """Raise where training cannot go on."""
        if self.loop.failed:
            raise ConfigError(f"{self.loop.failed} Go back to a good moment to train on.")

    # -- what is told -------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Paint what changed and keep the moment, now that the command is acknowledged."""
        if self.stale and self.gap:
            self.paint()
        if self.keep_soon and not self.commands:
            self.keep_soon = False
            self.loop.keyframe()
            self.tell()

    def paint(self) -> None:
        """Put a frame into the mapped file and plan the next one."""
        about = self.about()  # its verdict and floors are rare and dear: they do not hold up the next frame
        began, cpu = time.perf_counter(), time.process_time()
        self.stale = False
        self.number += 1
        turn = self.number if self.in_turns and self.state == "running" else None
        self.writer.write(self.number, self.painter.frame(self.layers, about, turn))
        cost = time.process_time() - cpu  # not the clock's time: on a busy machine that is mostly waiting
        if turn is None:  # layers take turns where all of them in every frame would make frames too rare
            self.in_turns = cost > SHARE * self.gap
        self.next_frame = began + min(max(self.gap, cost / SHARE), LONGEST)
        self.tell()

    def about(self) -> dict[str, Any]:
        """Return what a frame says beside its pictures."""
        loop = self.loop
        return {
            "seed": loop.experiment.seed,
            "device": loop.device.type,
            "experiment_version": loop.edits,
            "events": list(loop.marks),
            "queue": None,
            "speed": self.speed_,
            "until": self.until_,
            "metrics": short(loop.metrics),
            "scores": short(loop.scores[-1] if loop.scores else {}),
            "verdict": self.verdict(),
            "floors": self.measure_floors(),
            **self.then,
            **self.brief(),
        }

    def brief(self) -> dict[str, Any]:
        """Return the part of the status that is told even without a frame."""
        now, (then, step) = time.perf_counter(), self.measured
        if now - then > 0.5 and self.state == "running":
            self.sps, self.measured = (self.loop.step - step) / (now - then), (now, self.loop.step)
        return {
            "state": self.state,
            "step": self.loop.step,
            "sps": round(self.sps, 1) if self.state == "running" else 0.0,
            "waits": self.waits and self.state == "running",
            "error": self.error,
            "past": self.past,
            "keyframes": self.loop.keyframes,
        }

    def tell(self) -> None:
        """Send the status up."""
        self.next_status = time.perf_counter() + STATUS_EVERY
        more = {"frame": self.number, "speed": self.speed_, "until": self.until_, "edits": self.loop.edits}
        self.say({"status": self.brief() | more | {"device": self.loop.device.type}})

    def save_status(self) -> None:
        """Write the status into the folder."""
        about = {"step": self.loop.step, "device": self.loop.device.type, "error": self.error, "pid": os.getpid()}
        with contextlib.suppress(OSError):  # of a full disk, which the next rows or moment tell of
            self.folder.set_status(state=self.state, **about)

    def verdict(self) -> dict[str, Any] | None:
        """Judge the run's recent past, once a score and when it has failed."""
        last = (self.loop.scores[-1]["step"] if self.loop.scores else 0, self.loop.failed)
        if self.judged[0] != last:
            self.judged = (last, verdict(self.loop.experiment, *self.loop.recent()).to_json())
        return self.judged[1]

    def measure_floors(self) -> dict[str, list[float]]:
        """Return each score's perfection and noise band; measuring takes 0.1 s, so not in the middle of a drag."""
        if self.floors is None and self.loop.scores and time.perf_counter() - self.edited_at > SETTLED:
            floors = self.loop.panel.floors()
            self.floors = {name: list(short(asdict(floor)).values()) for name, floor in floors.items()}
        return self.floors or {}
