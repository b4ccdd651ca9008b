"""Races: runs that train side by side and keep together, driven as one.

Each racer is a run with a worker of its own. The race tells all of them a step, the pace, that none may pass; when the
last has come there it tells the next one, about `BEAT` seconds of the slowest racer's work further on. So nobody is
ahead by more than that, and a pause, a target or an edit finds all at the very same step. One that was left behind (its
worker died, the server ended) catches up while the others wait: the same steps give the same numbers. One that fails
stays where it is, and the others go on.

More runs than fit on a screen (seeds) do not keep together: they go through the queue like any others, each to the end.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from playground.blobs import encode
from playground.config import ConfigError
from playground.engine.loop import edited
from playground.engine.record import EngineError, Run, Status
from playground.store import Group, StoreError, races
from playground.store.races import MOST, Card

if TYPE_CHECKING:
    from playground.engine.manager import Engine

BEAT = 0.2  # seconds of the slowest racer's work between two looks at each other
LOOK = 0.25  # seconds after which the race looks up even without news
SETTLED = 120.0  # seconds within which all have come to the step they were told; workers may have to start first
GROWTH = 4  # times as far as the last beat, at most
PICTURES = 24.0  # frames a second of all racers together, about
OVER = ("failed", "finished")
AT_REST = ("ready", "paused", "stopped")

Doing = Literal["rest", "play", "pause"]


class Race:
    """One race; any thread may call. A thread of its own drives it from its first play until it is stopped."""

    def __init__(self, engine: Engine, card: Card, begun: bool) -> None:
        """Take on the card's runs; `begun`: they lie on disk, and one that does not was deleted."""
        self.engine, self.card, self.begun = engine, card, begun
        self.pinned, self.viewers = False, set[str]()
        self.together = len(card.racers) <= MOST
        self.listeners: set[Callable[[], None]] = set()
        self._doing: Doing = "rest"
        self._pace, self._beat, self._told = 0, 1, time.perf_counter()
        self._until: int | None = None  # as a person set it
        self._stop_at: int | None = None  # the end of the steps that were asked for
        self._sets: deque[dict[str, Any]] = deque()
        self._recent: deque[tuple[float, int]] = deque(maxlen=8)  # beats: when, and from which step
        self._sps = 0.0
        self._lock, self._news, self._settled = threading.RLock(), threading.Event(), threading.Event()
        self._settled.set()
        self.alone_since, self._frame = time.monotonic(), 0
        self._error: str | None = None
        self._broken = False  # the race itself stopped over an error, not one racer
        self._hands = ThreadPoolExecutor(max(2, len(card.racers)), thread_name_prefix=card.id)
        self._thread: threading.Thread | None = None
        self._closing = False
        self._take_on()

    # -- the public face, as a run's ----------------------------------------------------------------------------------

    def send(self, verb: str, **args: Any) -> dict[str, Any]:
        """Carry out one of `VERBS` for all racers; raises `EngineError` in one sentence."""
        if verb not in VERBS:
            raise EngineError(f"A race has no command {verb!r}: its commands are {', '.join(VERBS)}.")
        if verb in DRIVES:
            with self._lock:
                self._take_on()
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._drive, name=self.card.id, daemon=True)
                    self._thread.start()
        try:
            VERBS[verb](self, **args)
        except (ConfigError, StoreError) as error:
            raise EngineError(str(error)) from None
        except TypeError as error:
            raise EngineError(f"The command {verb} is not right: {error}.") from None
        self._tell()
        return {"ok": True, "step": self.step}

    @property
    def step(self) -> int:
        """The step of the last of those that are still racing; of the first, where each goes by itself."""
        there = self._statuses()
        if not self.together:
            return max((s.step for s in there), default=0)
        return min([s.step for s in there if s.state != "failed"] or [s.step for s in there] or [0])

    def status(self) -> Status:
        """Return how it stands, in the words of a run."""
        there = self._statuses()
        states = {s.state for s in there}
        kept = [set(s.keyframes) for s in there if s.state != "failed"]
        first = there[0] if there else Status(self.card.id, "stopped")
        return replace(
            first, run=self.card.id, state=self._state(states), step=self.step,
            sps=self._sps if self._doing == "play" else 0.0,
            error=self._error,
            queue=next((s.queue for s in there if s.queue), None),
            keyframes=sorted(set.intersection(*kept)) if kept else [],
            until={"steps": self._until} if self._until else None,
            edits=max((s.edits for s in there), default=0),
            viewers=len(self.viewers), pinned=self.pinned,
        )  # fmt: skip

    def frame(self, newer_than: int) -> tuple[int, bytes] | None:
        """Return the status as a frame without pictures: each racer's own frames have those."""
        return (self._frame, encode({}, self.status().to_json())) if self._frame > newer_than else None

    def watch(self, viewer: str) -> None:
        """Count `viewer` as watching the race."""
        self.viewers.add(viewer)

    def unwatch(self, viewer: str) -> None:
        """Count `viewer` no more."""
        self.viewers.discard(viewer)
        self.alone_since = time.monotonic()

    def left(self) -> list[str]:
        """Return the ids of the runs that are there: none was deleted."""
        return [run.id for run in self._there()]

    def close(self) -> None:
        """Drive no more; the racers' workers save what they have."""
        self._closing = True
        self._news.set()
        self._hands.shutdown(wait=False, cancel_futures=True)

    # -- verbs --------------------------------------------------------------------------------------------------------

    def _play(self) -> None:
        if not self.together and self._until is None:
            raise ConfigError(f"More than {MOST} runs go one after the other: say first until which step (Run until).")
        with self._lock:
            if self._until is not None and self.step >= self._until:
                self._until = None
            self._stop_at = None
            self._go()

    def _steps(self, n: int = 1) -> None:
        if not 1 <= n <= 1000:
            raise ConfigError(f"step is asked for {n} steps: it takes 1 to 1000.")
        if not self.together:
            raise ConfigError(f"More than {MOST} runs go one after the other: they do not step together.")
        self._pause()
        with self._lock:
            self._stop_at = max(run.step for run in self._active()) + n
            self._go()
        self._wait_for_all()

    def _pause(self) -> None:
        with self._lock:
            if self._doing == "rest":
                return
            self._doing = "pause"
            self._news.set()
        self._wait_for_all()

    def _set_until(self, steps: int | None = None) -> None:
        self._until = int(steps) if steps else None

    def _set_speed(self, steps_per_frame: int) -> None:
        self._all("speed", steps_per_frame=int(steps_per_frame))

    def _set(self, values: dict[str, Any]) -> None:
        """Change live fields of all racers at one step; the field in which they differ is theirs."""
        if self.card.knob in values:
            raise ConfigError(f"The racers differ in {self.card.knob}: start another race to change it.")
        for run in self._active():
            edited(run.experiment, values)  # raises before anybody has changed
        with self._lock:
            if self._doing == "rest":
                self._all("set", values=values)
            else:
                self._sets.append(values)

    def _goto(self, step: int) -> None:
        """Go back to a saved moment that all share; what came after is cut."""
        self._pause()
        with self._lock:
            self._error = None
            self._all("goto", of=[run for run in self._there() if run.folder is not None], step=int(step))
            self._pace = 0

    def _reset(self) -> None:
        playing = self._doing == "play"
        self._goto(0)
        if playing:
            self._play()

    def _look(self, step: int | None = None) -> None:
        self._all("look", of=self._there(), step=step)

    def _stop(self) -> None:
        self._pause()
        with self._lock:
            self._all("stop", of=self._there())
            self._let_go()

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _drive(self) -> None:
        """Look after the race at each news of a racer, until nobody has a worker any more."""
        while not self._closing:
            self._news.wait(LOOK)
            self._news.clear()
            try:
                with self._lock:
                    before = self._doing
                    self._mind()
                    self._tick()
                    if self._doing == "rest":
                        self._settled.set()
                if before != "rest":
                    self._tell()
            except Exception as error:  # the race stops and says why; its runs are safe in their workers
                plain = isinstance(error, EngineError)
                self._error = str(error) if plain else f"The race stumbled: {type(error).__name__}: {error}"
                self._broken, self._doing = True, "rest"
                self._settled.set()
                self._tell()

    def _tick(self) -> None:
        """Go on by one beat where all are where they were told to be."""
        racing = self._active()
        if self._doing == "rest" or not racing:
            self._doing = "rest"
            return
        if not self.together:
            return self._tick_apart(racing)
        if any(run.rest == "queued" and run.worker is None for run in racing):
            if self._doing == "pause":
                self._all("pause")
                self._doing = "rest"
            return
        late = [run for run in racing if run.state() in AT_REST and (self._doing == "play" or run.step < self._pace)]
        if late:  # at first all of them; later one that lost its worker
            return self._start(late)
        moving = [run for run in racing if run.state() not in AT_REST]
        if any(run.state() == "warming" or run.step < self._pace for run in moving):
            return
        while self._sets:
            self._all("set", values=self._sets.popleft())
        if self._doing == "pause" or self._pace >= self._end():
            self._all("pause", of=moving)
            self._until = None if self._pace >= (self._until or 10**12) else self._until
            self._doing, self._stop_at = "rest", None
        else:
            self._next_beat()

    def _start(self, runs: list[Run]) -> None:
        """Give runs their workers: the first takes the race's place or waits for it, the others come along."""
        for run in runs:
            run.pace = self._pace
        queued = self.engine.drive(runs[0].id, "play").get("data", {}).get("queue")
        if not queued and self._all("play", of=runs[1:]):
            raise EngineError(self._error or "The racers could not start.")

    def _tick_apart(self, racing: list[Run]) -> None:
        """Let each go to the end as it finds a place; who has come there makes room for the next."""
        for run in racing:
            state = run.state()
            if state in AT_REST and run.step < self._pace and self._doing == "play":
                run.pace = self._pace
                self.engine.drive(run.id, "play")
            elif state not in AT_REST and (run.step >= self._pace or self._doing == "pause"):
                self.engine.drive(run.id, "pause")
        while self._sets:
            self._all("set", values=self._sets.popleft())
        if all(run.state() in AT_REST for run in racing):
            self._doing = "rest"

    def _next_beat(self) -> None:
        """Tell all the step up to which they may go now."""
        now = time.perf_counter()
        self._recent.append((now, self._pace))
        self._sps = round((self._pace - self._recent[0][1]) / max(now - self._recent[0][0], 1e-6), 1)
        quick = int(self._beat * BEAT / max(now - self._told, 1e-4))
        self._beat = max(1, min(GROWTH * self._beat, quick))
        self._pace = min(self._pace + self._beat, self._end())
        self._told = now
        self._all("pace", to=self._pace)

    def _end(self) -> int:
        return min(self._until or 10**12, self._stop_at or 10**12)

    def _go(self) -> None:
        """Let all come to the step of the foremost, and go on from there."""
        racing = self._active()
        if not racing:
            raise ConfigError("Nobody is left in this race: all have failed or come to their end. Reset starts again.")
        if not self.begun:
            races.write(self.engine.root, self.card)
            self.begun = True
        self._pace = max(run.step for run in racing) if self.together else self._end()
        self._beat, self._told, self._error = 1, time.perf_counter(), None
        for run in racing:
            if run.worker is not None:
                self.engine.drive(run.id, "pace", to=self._pace)
            elif run.crashed:
                run.rest = "stopped"  # no longer out of the race
        self._recent.clear()
        self._settled.clear()
        self._broken, self._sps = False, 0.0
        self._doing = "play"
        self._news.set()

    def _mind(self) -> None:
        """Pause a race that nobody watches, then stop it."""
        if self.pinned or self.viewers or any(run.viewers for run in self._there()):
            self.alone_since = time.monotonic()
            return
        alone = time.monotonic() - self.alone_since
        if alone > self.engine.grace / 2 and self._doing == "play":
            self._doing = "pause"
        if alone > self.engine.grace and self._doing == "rest" and any(run.worker for run in self._there()):
            self._all("stop", of=self._there())
            self._let_go()

    # -- the racers ---------------------------------------------------------------------------------------------------

    def _take_on(self) -> None:
        """Make the runs this race's own."""
        for racer in self.card.racers:
            try:
                run = self.engine.record(racer.run)
            except EngineError:
                if self.begun:
                    continue  # deleted
                run = self.engine.record(self.engine.prepare(racer.experiment, racer.run))
            run.race = Group(kind="race", id=self.card.id, label=racer.label)
            run.party = self.card.id if self.together else run.id
            run.fps = max(4.0, min(15.0, PICTURES / len(self.card.racers)))
            run.listeners.add(self._news.set)

    def _let_go(self) -> None:
        """Leave the runs to themselves."""
        for run in self._there():
            run.race, run.pace, run.party = None, None, run.id
            run.listeners.discard(self._news.set)

    def _there(self) -> list[Run]:
        found = []
        for racer in self.card.racers:
            with contextlib.suppress(EngineError, OSError):  # deleted meanwhile, or just being deleted
                found.append(self.engine.record(racer.run))
        return found

    def _active(self) -> list[Run]:
        """Return those that can still go on; a worker that died can, from the last keyframe, at the next play."""
        again = self._doing == "rest"
        return [run for run in self._there() if run.state() not in OVER or (again and run.crashed)]

    def _statuses(self) -> list[Status]:
        return [run.status(self.engine.launcher.line.place(run)) for run in self._there()]

    def _state(self, states: set[str]) -> str:
        if "queued" in states:
            return "queued"
        if self._doing != "rest":
            return "warming" if "warming" in states else "running"
        return next((s for s in ("paused", "stopped", "finished", "ready", "failed") if s in states), "paused")

    def _all(self, verb: str, of: list[Run] | None = None, **args: Any) -> int:
        """Tell all racers at once and wait for them; return how many refused, which does not hold up the others."""
        runs, refused = self._active() if of is None else of, 0
        for future in [self._hands.submit(self.engine.drive, run.id, verb, **args) for run in runs]:
            try:
                future.result()
            except EngineError as error:
                self._error, refused = str(error), refused + 1
        return refused

    def _wait_for_all(self) -> None:
        if not self._settled.wait(SETTLED):
            raise EngineError(f"The racers have not come together within {SETTLED:g} s: their steps are very long.")
        if self._broken:
            raise EngineError(self._error or "The race has stopped.")

    def _tell(self) -> None:
        self._frame += 1
        for listener in list(self.listeners):
            listener()


VERBS: dict[str, Callable[..., None]] = {
    "play": Race._play, "pause": Race._pause, "step": Race._steps, "until": Race._set_until, "speed": Race._set_speed,
    "set": Race._set, "goto": Race._goto, "reset": Race._reset, "look": Race._look, "stop": Race._stop,
}  # fmt: skip
DRIVES = ("play", "step", "set", "goto", "reset")
