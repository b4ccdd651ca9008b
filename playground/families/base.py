"""The contract of a model family: one file, one config, one training step. The loop, store and pages know only this."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from playground.config import Config, ConfigError, knobs
from playground.data.base import DataSet, Distribution, Kind
from playground.rng import Streams

Ability = Literal["generate", "encode", "decode", "score"]


@dataclass(frozen=True)
class StepResult:
    """Detached float32 scalars by name ("loss/d", "score/real", "grad/g"); reading them is the loop's business.

    What only logged steps need is left to `more`, which is called before the next step or never.
    """

    metrics: dict[str, Tensor]  # of every step: the losses at least, since they tell when training breaks
    more: Callable[[], dict[str, Tensor]] = dict

    def all(self) -> dict[str, Tensor]:
        """Return all of it, before the next step."""
        return {**self.metrics, **self.more()}


@dataclass(frozen=True)
class SubStep:
    """One numbered moment of a training step told in slow motion."""

    player: str  # "d", "g", or another network's name
    title: str  # "2. D scores the real points"
    formula: str  # plain text with Unicode, "D(x) = σ(f(x))"
    note: str  # one sentence on what to look at
    tensors: dict[str, Tensor] = field(default_factory=dict)  # the first few rows of what flows
    shapes: dict[str, str] = field(default_factory=dict)  # "x": "(256, 2)"
    layers: dict[str, Tensor] = field(default_factory=dict)  # stage layers to draw in this moment (see `picture`)


@dataclass(frozen=True)
class Piece:
    """One stop on the way through a network: what it is, the shape that leaves it (without the batch), its weights."""

    part: str  # "encoder", "code", "decoder", "generator", ...
    name: str  # "Linear", "Conv 3 × 3, stride 2"
    shape: tuple[int, ...]
    parameters: int = 0
    note: str = ""  # "tied to the encoder's first layer"


@dataclass(frozen=True)
class Code:
    """A part of z with a meaning: `size` numbers from `start` on; a category is one-hot."""

    name: str  # "class", "code 1", "noise"
    kind: Literal["noise", "category", "continuous"]
    start: int
    size: int
    choices: tuple[str, ...] = ()  # of a category that has names
    given: bool = False  # whether its meaning comes from labels; else the model found it


@dataclass(frozen=True)
class Bounds:
    """What a variational model says of n items, from sampled codes, in nats."""

    recon: Tensor  # (n,) minus log p(x|z), mean over the samples
    kl: Tensor  # (n, Z) KL(q(z|x) ‖ p(z)) by dimension
    weighted: Tensor  # (n,) importance-weighted bound of log p(x)


@dataclass(frozen=True)
class View:
    """What the stage asks to see: square half-width, how many fakes, grid sides, and which layers are on."""

    extent: float
    layers: frozenset[str]
    fakes: int = 800
    grid: int = 40
    mesh: int = 17
    arrows: int = 160


class Listing(NamedTuple):
    """What a script of a run is written from: parts by section, each the name of a source in `playground/code/parts` or
    a source itself, and what they ask besides the settings. `values["COLUMNS"]` names the metrics that are printed."""

    parts: dict[str, tuple[str, ...]]
    values: dict[str, Any]


class Family(ABC):
    """A model with its optimisers. Structural fields are read once in `__init__`; live ones arrive through `set`."""

    id: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    Settings: ClassVar[type[Config]]
    abilities: ClassVar[frozenset[Ability]]
    takes: ClassVar[frozenset[Kind]] = frozenset({"points"})  # the kinds of data it learns from
    opens_on: ClassVar[str] = "ring8"  # the data set that stands with its defaults
    players: ClassVar[tuple[str, ...]] = ()  # who may step alone, ("d", "g") for a GAN

    config: Config
    data: DataSet  # the loop puts another in its place when live fields of the data change

    @abstractmethod
    def __init__(self, config: Config, data: DataSet, rng: Streams) -> None:
        """Build networks and optimisers on `rng.device`, initialised from `rng["init"]` only."""

    @classmethod
    def check(cls, config: Config, data: DataSet) -> None:
        """Raise `ConfigError` in one sentence where these settings cannot learn from this data."""
        if data.kind not in cls.takes:
            wanted = " or ".join(sorted(cls.takes))
            raise ConfigError(f"{cls.title} learns from {wanted}, and {data.title} is {data.kind}: choose other data.")

    @classmethod
    def listing(cls, config: Config, data: DataSet) -> Listing:
        """Return what a plain PyTorch script of this family is written from; see `playground.code.export`."""
        raise ConfigError(f"{cls.title} cannot be written as a script yet: the family has no listing.")

    @property
    def points(self) -> Distribution:
        """The data of a family that takes nothing but points."""
        assert isinstance(self.data, Distribution)
        return self.data

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many real rows one `step` takes (a GAN: batch x D updates x packing)."""

    def take(self, n: int, taken: int, rng: Streams) -> Tensor:
        """Return the next n rows as `step` wants them, in a run that has taken so many; here the data's own batch."""
        return self.data.batch(n, taken, rng)

    @abstractmethod
    def step(self, batch: Tensor, rng: Streams, players: Sequence[str] | None = None) -> StepResult:
        """Do one full update set on `batch` (rows, ...), or only that of `players`. No sync, no global random state."""

    @abstractmethod
    def set(self, config: Config) -> None:
        """Take a config that differs in live fields only; acts from the next step on."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Return everything a step depends on besides config and streams, flat, by name (no copies needed)."""

    @abstractmethod
    def load(self, state: dict[str, Tensor]) -> None:
        """Copy a saved `state` back in place."""

    @abstractmethod
    def describe(self) -> dict[str, str]:
        """Return facts for the model card: each network's layers in words and its parameter count."""

    def modules(self) -> dict[str, nn.Module]:
        """Return the networks by name, those that a saved model consists of."""
        return {name: value for name, value in vars(self).items() if isinstance(value, nn.Module)}

    def plainly(self) -> None:
        """Make every pass from here on through those `modules`, where it has a quicker way: for exports."""
        return

    # -- abilities: defined where `abilities` names them ------------------------------------------------------------

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw n latent codes (n, Z) ("generate")."""
        raise LookupError(f"The family {self.id} does not generate.")

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, Z) to samples (n, dim) in evaluation mode, without gradients ("generate")."""
        raise LookupError(f"The family {self.id} does not generate.")

    def synthesise(self, z: Tensor) -> Tensor:
        """Map codes (n, Z) to samples as `generate` does, in evaluation mode, with gradients to z ("generate")."""
        raise LookupError(f"The family {self.id} does not generate.")

    def codes(self) -> list[Code]:
        """Return what the numbers of z stand for, in order; empty where they are nothing but noise."""
        return []

    def entrance(self) -> Tensor | None:
        """Return the weights (units, Z) that a code meets first, None where there are none ("generate")."""
        return None

    def early(self, z: Tensor) -> Tensor | None:
        """Return what the generator's first hidden layer makes of codes, (n, units), None where there is none
        ("generate")."""
        return None

    def encode(self, x: Tensor) -> Tensor:
        """Map items (n, *shape) to codes (n, Z) in evaluation mode, without gradients; a mean where it is one
        ("encode")."""
        raise LookupError(f"The family {self.id} does not encode.")

    def decode(self, z: Tensor) -> Tensor:
        """Map codes (n, Z) to items (n, *shape) in data units, in evaluation mode, without gradients ("decode")."""
        raise LookupError(f"The family {self.id} does not decode.")

    def spread(self, x: Tensor) -> Tensor | None:
        """Return the standard deviation (n, Z) of each item's code where a code is a distribution ("encode")."""
        return None

    def errors(self, x: Tensor) -> Tensor:
        """Return the training loss's reconstruction error of clean items, one by one (n,) ("decode")."""
        raise LookupError(f"The family {self.id} does not decode.")

    def bounds(self, x: Tensor, samples: int, generator: torch.Generator) -> Bounds | None:
        """Return bounds of log p(x) of items (n, *shape) from so many sampled codes each; None where none exist."""
        return None

    def corrupt(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return items (n, *shape) as the encoder sees them in training ("encode")."""
        return x

    def activations(self, x: Tensor) -> dict[str, Tensor]:
        """Return what each hidden layer puts out, (n, units) by the layer's name, first to last ("encode")."""
        return {}

    def filters(self) -> Tensor | None:
        """Return the first layer's weights as pictures (units, *shape of what a unit sees), None where none exist."""
        return None

    def layout(self) -> list[Piece]:
        """Return the way through the network, input first, for the model card."""
        return []

    def discriminate(self, x: Tensor) -> Tensor:
        """Return logits or critic values (n,) of points in evaluation mode, without gradients ("score")."""
        raise LookupError(f"The family {self.id} does not score.")

    def picture(self, view: View, z: Tensor) -> dict[str, Tensor]:
        """Return the stage's layers that `view.layers` asks for, in data units; draws no random number.

        "fake" (n, 2) of the codes z; "surface" (grid, grid) D at cell centres, row 0 at the bottom, as probability or
        critic value; "manifold" (mesh, mesh, 2) the noise square pushed through G; "arrows" (arrows, 2) the direction
        in which G's loss pushes the first fakes, unit: data units per unit of gradient; "phase" (2,) a game's state.
        """
        return {}

    def trace(self, batch: Tensor, rng: Streams) -> list[SubStep]:
        """Do one full update set as `step` does, with the same numbers, and tell it in sub-steps."""
        self.step(batch, rng)
        return []


def only_live(old: Config, new: Config) -> None:
    """Raise `ConfigError` naming the first structural field in which `new` differs from `old`."""
    for name, k in knobs(type(old)).items():
        if not k.live and getattr(new, name) != getattr(old, name):
            raise ConfigError(f"{name} cannot change on a running model: build a new one to change it.")


def part(state: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Return the tensors saved under `name/`, without that prefix."""
    return {key.removeprefix(f"{name}/"): value for key, value in state.items() if key.startswith(f"{name}/")}
