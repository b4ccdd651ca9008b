"""One engine with real worker processes for all tests that need one, and tiny runs for it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

from playground.engine import Engine
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.store import RunFolder

PATIENCE = 60.0  # seconds; a busy machine may need them, a good run takes none


def tiny(**values):
    """An experiment whose steps take well under a millisecond."""
    plain = Experiment(device="cpu", seed=3, log_every=5, score_every=500, keyframe_every=250)
    return plain.changed(**{"g_depth": 1, "g_width": 8, "d_depth": 1, "d_width": 8, "batch": 16, **values})


@cache
def shared_engine() -> Engine:
    """Return the engine of this test session; runs go into a folder of their own."""
    root = Path(tempfile.mkdtemp(prefix="playground-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)  # after the engine's own shutdown, which registers later
    return Engine(root, workers=2, grace=600)


def until(condition, what="it"):
    """Wait for `condition()` to be true and return its value."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {PATIENCE:g} s for {what} in vain")


def reach(engine, run, step):
    """Wait until a run has come to `step`; say what went wrong if it cannot."""

    def there():
        status = engine.status(run)
        assert status.state != "failed", status.error
        return status.step >= step

    until(there, f"step {step}")


def becomes(engine, run, *states):
    """Wait until a run is in one of these states and return its status."""
    until(lambda: engine.status(run).state in states, f"{run} to be {' or '.join(states)}")
    return engine.status(run)


def play_to(engine, run, step):
    """Let a run train to exactly `step` and pause there."""
    engine.send(run, "until", steps=step)
    engine.send(run, "play")
    becomes(engine, run, "paused")
    reach(engine, run, step)


@cache
def reference(steps, **values):
    """Return the history of a run done in this process in one go."""
    with tempfile.TemporaryDirectory() as root:
        folder = RunFolder.create(Path(root), tiny(**values))
        loop = Loop(tiny(**values), folder)
        loop.advance(steps)
        loop.flush()
        folder.release()
        return history(folder)


def history(folder):
    """Return everything that was measured of a run, to the last bit."""
    train = folder.train()
    return {name: train[name].tobytes() for name in train} | {"scores": folder.scores()}
