"""See generative models learn: small GANs and autoencoders, trained live, measured honestly.

    import playground
    run = playground.train(playground.Experiment(dataset="ring8", seed=1), steps=3000)
    run.metrics["loss/d"], run.sample(100), run.diagnose().sentence
    playground.load_run(run.id).resume(1000)
    playground.race(playground.Experiment(), "loss", ["hinge", "minimax"], steps=3000).verdicts["hinge"].sentence

Names are looked up when first used, so that `import playground` alone does not wait for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.api import Raced, Run, catalogue, load_run, race, receive, runs, train
    from playground.config import ConfigError
    from playground.engine.loop import TrainingFailed
    from playground.experiment import Experiment
    from playground.presets import preset
    from playground.sweeping import load_sweep, sweep

__all__ = [
    "ConfigError",
    "Experiment",
    "Raced",
    "Run",
    "TrainingFailed",
    "catalogue",
    "load_run",
    "load_sweep",
    "preset",
    "race",
    "receive",
    "runs",
    "sweep",
    "train",
]

_HOMES = {
    "ConfigError": "playground.config",
    "Experiment": "playground.experiment",
    "TrainingFailed": "playground.engine.loop",
    "preset": "playground.presets",
    "sweep": "playground.sweeping",
    "load_sweep": "playground.sweeping",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'playground' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES.get(name, "playground.api")), name)
