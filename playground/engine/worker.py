"""A worker process: warms up, waits for a run to open, and obeys commands that come as JSON lines on stdin.

Started as `python -m playground.engine.worker`. Commands act between two steps, in order, each acknowledged on stdout.
When stdin ends the parent is gone: the run is saved and the process leaves, so that no orphan is left behind.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections import deque
from types import FrameType
from typing import Any, BinaryIO

import orjson

from playground.config import ConfigError
from playground.engine.loop import Loop, TrainingFailed
from playground.engine.painters import painter
from playground.engine.session import Session
from playground.experiment import Experiment
from playground.rng import Streams
from playground.store import Unwritable

VERBS = (
    "play", "pause", "step", "set", "speed", "until", "trace", "pick", "decode", "look", "goto", "watch", "pace",
    "keyframe",
)  # fmt: skip

SOON = 0.0005  # seconds after which training that has begun gets its turn while modules are still loaded beside it


class Worker:
    """Commands arrive in `commands`; `run` obeys them between steps until it is told to leave."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.commands: deque[dict[str, Any]] = deque()
        self.wake = threading.Event()
        self.session: Session | None = None
        self.leaving = False

    def say(self, message: dict[str, Any]) -> None:
        """Send a line up; a parent that is gone cannot hear it, and the end of stdin says so."""
        try:
            self.out.write(orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
            self.out.flush()
        except (BrokenPipeError, ValueError):
            self.leaving = True

    def listen(self, stdin: BinaryIO) -> None:
        """Take commands in (in a thread of its own); the end of stdin is the command to leave."""
        for line in stdin:
            self.commands.append(orjson.loads(line))
            self.wake.set()
        self.commands.append({"do": "leave"})
        self.wake.set()

    def wait(self, seconds: float) -> None:
        """Sleep until a command comes, at most so long."""
        self.wake.wait(seconds)
        self.wake.clear()

    def run(self) -> None:
        """Obey, train, paint; returns when told to leave."""
        while not self.leaving:
            while self.commands:
                self.obey(self.commands.popleft())
            busy = False
            if self.session is not None:
                try:
                    busy = self.session.work()
                except Exception as error:
                    self.session.fail(error)
            if not busy:
                self.wait(0.5)  # not longer: the handler of SIGTERM may not touch the event
        self.close()

    def obey(self, command: dict[str, Any]) -> None:
        """Carry a command out and acknowledge it; what goes wrong is told in the acknowledgement."""
        name, number = command.pop("do", None), command.pop("id", None)
        answer: dict[str, Any] = {"ack": number, "ok": True}
        try:
            data = self.carry_out(str(name), command)
            answer |= {} if data is None else {"data": data}
        except Exception as error:
            if self.session is not None and isinstance(error, (TrainingFailed, Unwritable)):
                self.session.fail(error)
            plain = isinstance(error, (ValueError, TrainingFailed))
            answer |= {"ok": False, "error": str(error) if plain else f"{type(error).__name__}: {error}"}
        self.say(answer | {"step": self.session.loop.step if self.session else 0})

    def carry_out(self, name: str, args: dict[str, Any]) -> Any:
        """Do one command and return what its acknowledgement carries."""
        if name == "open":
            self.close()
            self.session = Session(self.say, self.commands, self.wait, **args)
            return {"experiment": self.session.loop.experiment.to_json()}
        if name in ("stop", "leave"):
            self.leaving = name == "leave"
            return self.close()
        if name not in VERBS:
            raise ConfigError(f"There is no command {name!r}: the commands are open, {', '.join(VERBS)} and stop.")
        if self.session is None:
            raise ConfigError("This worker has no run open.")
        return getattr(self.session, name)(**args)

    def close(self) -> None:
        """Save the open run and let it go."""
        session, self.session = self.session, None
        if session is not None:
            session.close()


def warm_up() -> None:
    """Train and paint the opening defaults for a moment, so that the first real step pays for no lazy start."""
    loop = Loop(Experiment(device="cpu"))
    loop.advance(2)
    loop.score()
    pictures = painter(loop)
    pictures.frame(frozenset(pictures.layers), {})


def load_more() -> None:
    """Load what reads the autoencoders' data, a second or two of imports for which no run needs to wait."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SOON)
    try:
        Experiment.of("autoencoder").data.batch(1, 0, Streams(0))
    finally:
        sys.setswitchinterval(usual)
        gc.freeze()


def main() -> None:
    """Run a worker on this process's stdin and stdout."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a stray print must not break the protocol
    worker = Worker(out)

    def leave(_signal: int, _frame: FrameType | None) -> None:
        worker.commands.append({"do": "leave"})

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us through stdin
    warm_up()
    worker.say({"ready": os.getpid()})
    threading.Thread(target=worker.listen, args=(sys.stdin.buffer,), daemon=True).start()
    gc.collect()
    gc.freeze()  # what is there by now stays: no collection has to walk all of torch in the middle of training
    if not worker.commands:  # a run that waits already has more need of the processor
        threading.Thread(target=load_more, daemon=True).start()
    worker.run()


if __name__ == "__main__":
    main()
