"""Sweeps from Python and the command line: the same runs, files and numbers as on the page, by workers of its own.

    import playground
    found = playground.sweep(playground.preset("collapse").experiment, {"lr_d": [1e-3, 4e-3]}, seeds=3, steps=2000)
    found.best(), found.rows()

An app that runs under the same home shows the sweep while it is under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from playground.config import ConfigError
from playground.engine import Engine
from playground.engine.sweep import Progress, Sweeper
from playground.experiment import Experiment
from playground.home import home
from playground.store import StoreError, sweeps
from playground.store.sweeps import Goal, Reading, Sweep, Value
from playground.sweep_goals import goal as named_goal
from playground.sweep_plan import Plan, plan
from playground.sweep_results import Spot, ranked

LOOK = 0.25  # seconds between two looks
REST = 30.0  # seconds that runs under way may take to be saved

Watch = Callable[[Progress], None]


class Outcome:
    """A sweep on disk: a view that holds nothing itself."""

    def __init__(self, root: Path, sweep_id: str) -> None:
        self.root, self.id = root, sweep_id

    def __repr__(self) -> str:
        done = sum(cell.result is not None for cell in self.sweep.cells)
        return f"<Sweep {self.id}: {done} of {len(self.sweep.cells)} runs>"

    @property
    def sweep(self) -> Sweep:
        """The sweep as it stands on disk; raises `StoreError` where it is gone or damaged."""
        return sweeps.read(self.root, self.id)

    def ranked(self, goal: Goal | None = None) -> list[Spot]:
        """Return the combinations by their mean over the seeds, the best first; those with failed runs come last."""
        sweep = self.sweep
        return ranked(sweep, goal or sweep.goal)

    def best(self) -> dict[str, Value]:
        """Return the values of the best combination; raises `ConfigError` where no run came to an end."""
        found = self.ranked()
        if not found:
            raise ConfigError(f"Sweep {self.id} has no run that measured {self.sweep.goal.metric} yet.")
        return dict(zip([axis.field for axis in self.sweep.axes], found[0].values, strict=True))

    def rows(self) -> list[dict[str, Any]]:
        """Return every run as plain data: its values, seed, id, verdict and the last value of each metric."""
        sweep = self.sweep
        names = [axis.field for axis in sweep.axes]
        return [
            dict(zip(names, cell.values, strict=True)) | {"seed": cell.seed, "run": cell.run}
            | ({"state": "waiting"} if (r := cell.result) is None else
               {"state": "failed" if r.failed else "finished", "steps": r.step, "verdict": r.verdict}
               | {"sentence": r.sentence, "metrics": {name: m.last for name, m in r.metrics.items()}})
            for cell in sweep.cells
        ]  # fmt: skip

    def resume(self, *, workers: int | None = None, progress: Watch | None = None) -> Outcome:
        """Go on where it stopped; return this sweep. Ctrl-C saves the runs under way and raises `KeyboardInterrupt`."""
        run(self.root, lambda sweeper: sweeper.resume(self.id), self.id, workers, progress)
        return self


def sweep(
    experiment: Experiment, vary: Mapping[str, Sequence[Value]], *, seeds: int = 1, steps: int = 2000,
    goal: str | None = None, reading: Reading = "last", pick: int = 0, workers: int | None = None,
    progress: Watch | None = None,
) -> Outcome:  # fmt: skip
    """Train every combination of the values in `vary` under so many seeds, and return what came of it.

    `goal` is the metric that ranks them (None: the usual one), `pick` takes so many combinations at random. At most
    `workers` train at once (None: one a core). Raises `ConfigError` in one sentence where that cannot be.
    """
    aim = named_goal(experiment, goal, reading)
    return start(plan(experiment, vary, seeds=seeds, steps=steps, goal=aim, pick=pick), workers, progress)


def start(made: Plan, workers: int | None = None, progress: Watch | None = None) -> Outcome:
    """Run a plan to its end."""
    begun, root = made.sweep(), home()
    run(root, lambda sweeper: sweeper.start(begun), begun.id, workers, progress)
    return Outcome(root, begun.id)


def load_sweep(sweep_id: str) -> Outcome:
    """Open a sweep by its id; raises `StoreError` where there is none."""
    found = Outcome(home(), sweep_id)
    assert found.sweep
    return found


def run(
    root: Path, begin: Callable[[Sweeper], None], sweep_id: str, workers: int | None, progress: Watch | None
) -> None:
    """Drive one sweep with an engine of its own until nothing of it is left to do."""
    engine = Engine(root, workers)
    try:
        sweeper = Sweeper(engine)
        begin(sweeper)
        try:
            while not sweeper.idle(sweep_id):
                if progress is not None:
                    progress(sweeper.progress(sweeper.get(sweep_id)))
                time.sleep(LOOK)
        except KeyboardInterrupt:
            sweeper.stop(sweep_id)
            until = time.monotonic() + REST
            while not sweeper.idle(sweep_id) and time.monotonic() < until:
                time.sleep(LOOK)
            how = f"python -m playground sweep --resume {sweep_id}"
            raise KeyboardInterrupt(f"Stopped, with what was under way saved. Go on with: {how}") from None
        last = sweeper.progress(sweeper.get(sweep_id))
        if last.trouble:
            raise StoreError(last.trouble)
        if progress is not None:
            progress(last)
    finally:
        engine.shutdown()
