"""Models of saved moments, kept in memory for a while: what the Explore pages and the model's route ask.

A moment is a run's keyframe, or a run that was not started as its seed makes it. Its model is on the CPU, in this
process, never trained further and shared by all who ask: `encode` and `decode` let one in at a time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch

from playground.config import ConfigError
from playground.experiment import Experiment
from playground.families import family as family_class
from playground.families.base import Ability, Family
from playground.home import home
from playground.latent.arrays import array
from playground.rng import Streams, fresh
from playground.store import Keyframe, RunFolder

KEPT = 12  # models in memory, the last asked for

_kept: OrderedDict[Hashable, Moment] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Moment:
    """A model as it was at a step. Ask through its methods: the family itself is for one thread at a time (`lock`)."""

    experiment: Experiment
    family: Family
    step: int
    lock: threading.RLock = field(default_factory=threading.RLock)

    def encode(self, items: Any) -> np.ndarray:
        """Return the codes (n, Z) of items (n, *shape) in data units."""
        return self._ask("encode", self.family.encode, items)

    def decode(self, codes: Any) -> np.ndarray:
        """Return the items (n, *shape) in data units that codes (n, Z) stand for; a generator's codes are its z."""
        if self._generates:
            return self._ask("generate", self.family.generate, codes)
        return self._ask("decode", self.family.decode, codes)

    @property
    def _generates(self) -> bool:
        return "generate" in self.family.abilities and "decode" not in self.family.abilities

    @cached_property
    def codings(self) -> int:
        """How many numbers a code has."""
        if "encode" not in self.family.abilities:
            return int(self.family.noise(1, fresh(0, "size")).shape[1])
        return int(self.encode(np.zeros((1, *self.experiment.data.shape), np.float32)).shape[1])

    def _ask(self, ability: Ability, method: Callable[[torch.Tensor], torch.Tensor], values: Any) -> np.ndarray:
        if ability not in self.family.abilities:
            instead = "project the items into its latent space, or choose" if self._generates else "choose"
            raise ConfigError(f"{self.family.title} does not {ability}: {instead} a run of an autoencoder.")
        with self.lock:
            return array(method(torch.from_numpy(array(values))))


def moment(run_id: str, step: int | None = None) -> Moment:
    """Return a run's last saved moment at or before `step` (None: the newest); raises `StoreError` for none."""
    return saved(RunFolder.open(home(), run_id), step)


def saved(folder: RunFolder, step: int | None = None) -> Moment:
    """Return the last saved moment of a run's folder at or before `step` (None: the newest)."""
    named = name(folder, step)
    return _remember(named, lambda: of(folder.load_keyframe(named[2])))


def name(folder: RunFolder, step: int | None) -> tuple[str, int, int | None]:
    """Return what tells a saved moment from all others, one that was lived again included."""
    steps = [k for k in folder.keyframes() if step is None or k <= step]
    return str(folder.path), folder.cuts(), steps[-1] if steps else None


def untrained(experiment: Experiment) -> Moment:
    """Return the model of an experiment before its first step."""
    return _remember(experiment.model_dump_json(), lambda: Moment(experiment, build(experiment), 0))


def build(experiment: Experiment) -> Family:
    """Return an experiment's untrained model on the CPU."""
    return family_class(experiment.family)(experiment.model, experiment.data, Streams(experiment.seed))


def of(keyframe: Keyframe) -> Moment:
    """Return the model of a saved moment, one of its own."""
    model = build(keyframe.experiment)
    model.load({n.removeprefix("model/"): t for n, t in keyframe.tensors.items() if n.startswith("model/")})
    return Moment(keyframe.experiment, model, keyframe.step)


def alone(moment: Moment) -> Family:
    """Return a copy of a moment's model for one thread's own use, so that nobody waits for it."""
    model = build(moment.experiment)
    with moment.lock:
        model.load(moment.family.state())
    return model


def _remember(key: Hashable, make: Callable[[], Moment]) -> Moment:
    with _lock:
        if key not in _kept:
            _kept[key] = make()
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return _kept[key]
