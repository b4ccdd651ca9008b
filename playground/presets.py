"""Experiments worth opening: each shows one thing within a minute, and those that go wrong name what mends them.

Two are reliable failures: `collapse` (G keeps all its fakes in one place and hops around the ring) and `vanishing` (a
strong D leaves the minimax G no gradient). `cures` names the presets that differ in one setting and go right.
`python -m playground bench modes` trains them over several seeds and prints what came out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from playground.config import ConfigError

if TYPE_CHECKING:
    from playground.experiment import Experiment


@dataclass(frozen=True)
class Preset:
    """A named experiment: what differs from the defaults, what to watch, and after how many steps it has been seen."""

    title: str
    about: str
    group: str
    dataset: str = "ring8"
    values: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 4000
    cures: tuple[str, ...] = ()

    @cached_property
    def experiment(self) -> Experiment:
        """The validated experiment, made when first asked for: it is torch that takes the time."""
        from playground.experiment import Experiment

        return Experiment().on(self.dataset).changed(**self.values)


SMALL = {"g_depth": 2, "g_width": 64, "d_depth": 2, "d_width": 64, "activation": "relu", "init": "kaiming"}
# D learns four times as fast as G (two time scales, Heusel et al. 2017, arXiv 1706.08500).
CALM = SMALL | {"noise_dim": 2, "lr_d": 2e-3, "lr_g": 5e-4}
# G learns ten times as fast as D and has more noise than it needs: it runs to where D is weakest, all of it at once.
HASTY = SMALL | {"noise_dim": 16, "lr_d": 1e-4, "lr_g": 1e-3}
GAME = {"optimiser_d": "sgd", "optimiser_g": "sgd", "lr_d": 0.05, "lr_g": 0.05, "batch": 8, "order": "simultaneous"}
DIRAC = GAME | {"loss": "minimax"}
BILINEAR = GAME | {"loss": "wasserstein-clip", "clip": 1.0}

PRESETS: dict[str, Preset] = {
    "first-steps": Preset(
        "First steps",
        "Eight blobs on a ring. The fakes find all eight within some seconds; press play and watch.",
        "Start here",
        values=CALM,
        steps=5000,
    ),
    "moons": Preset(
        "Two moons", "Curved data without a gap to jump: how closely do the fakes follow?", "Start here", "moons", CALM
    ),
    "swiss-roll": Preset(
        "Swiss roll",
        "A spiral band. G must roll its square of noise up: switch on the manifold and watch it fold.",
        "Start here",
        "swiss-roll",
        CALM,
        steps=8000,
    ),
    "collapse": Preset(
        "Mode collapse",
        "G learns ten times as fast as D: all fakes rush to one place, D answers, they rush on. It never settles.",
        "Collapse and its cures",
        values=HASTY,
        cures=("collapse-packing", "collapse-faster-d", "collapse-unrolled"),
    ),
    "collapse-packing": Preset(
        "Collapse, cured by packing",
        "The same, but D judges two points at once: fakes that are all alike give themselves away.",
        "Collapse and its cures",
        values=HASTY | {"packing": 2},
    ),
    "collapse-faster-d": Preset(
        "Collapse, cured by a faster D",
        "The same, but D learns faster than G: it notices a crowded place before all the fakes are there.",
        "Collapse and its cures",
        values=HASTY | {"lr_d": 4e-3},
    ),
    "collapse-unrolled": Preset(
        "Collapse, cured by unrolling",
        "The same, but G looks five D updates ahead, so crowding one place no longer pays. Each step takes longer.",
        "Collapse and its cures",
        values=HASTY | {"unroll": 5},
        steps=3000,
    ),
    "rare-mode": Preset(
        "The forgotten mode",
        "The blob on the right is one point in fifty. Few batches show it to D, and G can leave it out at little cost.",
        "Collapse and its cures",
        "ring8-rare",
        CALM,
    ),
    "vanishing": Preset(
        "D too strong",
        "The minimax loss with a D that learns far faster: D is sure, its slope is flat, G has nothing to follow.",
        "When it goes wrong",
        values=SMALL | {"loss": "minimax", "lr_d": 2e-3, "lr_g": 2e-4, "d_steps": 5},
        cures=("vanishing-cured",),
    ),
    "vanishing-cured": Preset(
        "D too strong, cured",
        "The same with the non-saturating loss: its gradient is largest just where D is surest.",
        "When it goes wrong",
        values=SMALL | {"loss": "non-saturating", "lr_d": 2e-3, "lr_g": 2e-4, "d_steps": 5},
    ),
    "diverging": Preset(
        "Steps too long",
        "A learning rate some hundred times too high: the fakes leave the picture within a second.",
        "When it goes wrong",
        values=SMALL | {"lr_d": 0.1, "lr_g": 0.1},
        steps=1000,
    ),
    "grid25": Preset(
        "A grid of 25, Wasserstein",
        "Twenty-five small blobs. A critic with a gradient penalty pulls fakes to all of them, slowly but surely.",
        "Losses and tricks",
        "grid25",
        {"loss": "wasserstein-gp", "penalty_weight": 0.1, "d_steps": 5, "beta2": 0.9, "lr_d": 3e-4, "lr_g": 3e-4},
        steps=5000,
    ),
    "spectral-norm": Preset(
        "Spectral norm and hinge",
        "Every layer of D is kept from stretching: the surface stays gentle, and there is a slope everywhere.",
        "Losses and tricks",
        values=SMALL | {"loss": "hinge", "spectral": True, "noise_dim": 2},
    ),
    "checkerboard": Preset(
        "Checkerboard", "Sharp edges and empty squares, drawn by a smooth function: a hard one.", "Losses and tricks",
        "checkerboard", CALM, steps=10_000,
    ),
    "pinwheel": Preset(
        "Pinwheel, averaged G",
        "What you see is a moving average of G: it stands still in the middle of what G circles around.",
        "Losses and tricks",
        "pinwheel",
        CALM | {"ema": 0.995},
        steps=8000,
    ),
    "dirac": Preset(
        "Dirac-GAN: round and out",
        "One number against one. Both step at once along their gradients, and the path winds outwards for ever.",
        "Games of two numbers",
        "dirac",
        DIRAC,
        steps=2000,
        cures=("dirac-r1",),
    ),
    "dirac-r1": Preset(
        "Dirac-GAN with R1",
        "The same with a penalty on D's slope at the data: the path winds into the middle.",
        "Games of two numbers",
        "dirac",
        DIRAC | {"penalty": "r1", "penalty_weight": 1.0},
        steps=2000,
    ),
    "bilinear": Preset(
        "Bilinear game, optimistic",
        "On the value xy plain steps run away. Optimism looks where the gradient is heading and turns them inwards.",
        "Games of two numbers",
        "bilinear",
        BILINEAR | {"optimiser_d": "optimistic-adam", "optimiser_g": "optimistic-adam", "lr_d": 0.01, "lr_g": 0.01},
        steps=2000,
    ),
}  # fmt: skip


def preset(name: str) -> Preset:
    """Return a preset by name; raises `ConfigError` naming those there are."""
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name!r}: the presets are {', '.join(PRESETS)}.")
    return PRESETS[name]
