"""A GAN's step told in numbered sub-steps: who computes what from what, with the tensors that flow.

The teller listens to an ordinary step (`Gan.step(..., tell=...)`), so what it shows is what was computed, to the last
bit, and the model goes on as if nobody had looked. With several updates a step the last one of each player is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from playground import penalties, stage
from playground.families.base import SubStep
from playground.losses import LOSSES, SMOOTHED
from playground.rng import Streams

if TYPE_CHECKING:
    from playground.families.gan import Gan

ROWS = 6  # of each tensor, as many as a table beside the stage holds
POINTS = 256  # drawn in one moment
GRID = 40

RULES = {
    "sgd": "w ← w - lr · m,  m ← μ m + ∂L/∂w",
    "adam": "w ← w - lr · m̂ / (√v̂ + ε),  m, v: running means of ∂L/∂w and its square",
    "rmsprop": "w ← w - lr · ∂L/∂w / (√v + ε),  v: running mean of the squared ∂L/∂w",
    "optimistic-adam": "w ← w - 2 lr · d_t + lr · d_{t-1},  d: Adam's direction",
}


@dataclass
class Turn:
    """One player's update before it is applied: what flowed; the gradient itself is in `Gan.flat[player].grad`."""

    player: str
    fake: Tensor  # (N, dim) as D sees them: replayed and noised, not yet packed
    fake_score: Tensor  # (B,) D's raw outputs
    loss: Tensor
    penalty: Tensor | None = None  # without its weight
    real: Tensor | None = None  # (N, dim)
    real_score: Tensor | None = None  # (B,)
    z: Tensor | None = None  # (N, Z)
    push: Tensor | None = None  # (N, dim) minus the gradient of G's loss at each fake, times N
    told: dict[str, Tensor] = field(default_factory=dict)  # further metrics, of a family's own term


def quiet(event: str, turn: Turn) -> None:
    """Tell nobody."""


def trace(gan: Gan, batch: Tensor, rng: Streams) -> list[SubStep]:
    """Do one step of `gan` on `batch` and return it in sub-steps."""
    teller = Teller(gan)
    gan.step(batch, rng, tell=teller.hear)
    told = [moment for moments in teller.told.values() for moment in moments]
    return [replace(moment, title=f"{number}. {moment.title}") for number, moment in enumerate(told, 1)]


class Teller:
    """Writes down each update of a step as it happens."""

    def __init__(self, gan: Gan) -> None:
        self.gan = gan
        self.told: dict[tuple[str, str], list[SubStep]] = {}
        self.before: dict[str, Tensor] = {}  # each player's weights at its gradient

    def hear(self, event: str, turn: Turn) -> None:
        """Take note of a turn: "gradient" comes before its weights move, "moved" after."""
        tell = {
            ("gradient", "d"): self.d_gradient,
            ("gradient", "g"): self.g_gradient,
            ("moved", "d"): self.d_moved,
            ("moved", "g"): self.g_moved,
        }[event, turn.player]
        self.told.pop((event, turn.player), None)  # an earlier update of this player in the same step
        self.told[event, turn.player] = tell(turn)

    def d_gradient(self, turn: Turn) -> list[SubStep]:
        assert turn.real is not None
        assert turn.real_score is not None
        c, surface = self.gan.config, self.surface()
        loss = {"L_D": turn.loss}
        formula = LOSSES[c.loss].formula_d
        if c.smoothing and c.loss in SMOOTHED:
            formula += f"; the label of real points is {1 - c.smoothing:g}"
        if turn.penalty is not None:
            loss |= {"penalty": turn.penalty, "L_D + weight × penalty": turn.loss + c.penalty_weight * turn.penalty}
            formula += " + " + penalties.FORMULAS[c.penalty_in_use]
        return [
            *self.make_fakes("d", turn),
            moment("d", "D scores the real points", "a = D(x)", "D should give these a high score.",
                   {"x": turn.real, "D(x)": turn.real_score}, self.draw(real=turn.real, surface=surface)),
            moment("d", "D scores the fakes", "b = D(G(z))", "D should give these a low score.",
                   {"G(z)": turn.fake, "D(G(z))": turn.fake_score}, self.draw(fake=turn.fake, surface=surface)),
            moment("d", "D's loss", formula, "One number: how badly D told real from fake.", loss,
                   self.draw(real=turn.real, fake=turn.fake, surface=surface)),
            self.gradient("d", "The fakes count as given here: no gradient reaches G."),
        ]  # fmt: skip

    def g_gradient(self, turn: Turn) -> list[SubStep]:
        assert turn.push is not None
        surface, unroll = self.surface(), self.gan.config.unroll
        scored = f"D scores them as it will be {unroll} updates from now" if unroll else "D scores the new fakes"
        return [
            *self.make_fakes("g", turn),
            moment("g", scored, "b = D(G(z))", "G wants these scores high.",
                   {"G(z)": turn.fake, "D(G(z))": turn.fake_score}, self.draw(fake=turn.fake, surface=surface)),
            moment("g", "G's loss", LOSSES[self.gan.config.loss].formula_g, "One number: how badly the fakes fooled D.",
                   {"L_G": turn.loss}, self.draw(fake=turn.fake, surface=surface)),
            moment("g", "The gradient reaches the fakes", "-∂L_G/∂G(z)", "Each arrow says where D wants that fake.",
                   {"G(z)": turn.fake, "arrow": turn.push},
                   self.draw(fake=turn.fake, surface=surface, arrows=turn.push)),
            self.gradient("g", "It flows on through G to its weights; D's weights stay as they are."),
        ]  # fmt: skip

    def make_fakes(self, player: str, turn: Turn) -> list[SubStep]:
        assert turn.z is not None
        c = self.gan.config
        kind = "N(0, 1)" if c.noise_kind == "gaussian" else "U(-1, 1)"
        note = "G turns each row of noise into a point."
        if c.instance_noise:
            note += " What D gets to see has instance noise on it."
        if c.replay and player == "d":
            note += f" The last {c.replay:.0%} come from earlier steps."
        again = " again" if player == "g" else ""
        return [
            moment(player, f"Draw noise{again}", f"z ~ {kind}", "Every update starts from fresh noise.", {"z": turn.z}),
            moment(player, f"G makes fakes{again}", "x̃ = G(z)", note, {"z": turn.z, "G(z)": turn.fake},
                   self.draw(fake=turn.fake)),
        ]  # fmt: skip

    def gradient(self, player: str, note: str) -> SubStep:
        """Tell how steep the loss is in each layer, and keep the weights to tell later how far they moved."""
        self.before[player] = self.gan.flat[player].data.clone()
        name = player.upper()
        sizes = torch.stack([grad.norm() for _, grad in self.gan.flat[player].parts()])
        return moment(player, f"The gradient flows back through {name}", f"∂L_{name}/∂w", note,
                      {"|∂L/∂w| by parameter": sizes, "grad": self.gan.flat[player].grad_norm()})  # fmt: skip

    def d_moved(self, turn: Turn) -> list[SubStep]:
        c = self.gan.config
        formula = RULES[c.optimiser_d] + (f", then cut to ±{c.clip:g}" if c.loss == "wasserstein-clip" else "")
        tensors, layers = self.weights("d"), self.draw(surface=self.surface())
        note = "The surface has changed: higher at real points, lower at fakes."
        return [moment("d", "D's weights move", formula, note, tensors, layers)]

    def g_moved(self, turn: Turn) -> list[SubStep]:
        assert turn.z is not None
        with torch.no_grad():
            after = self.gan.g(turn.z)
        tensors = {"G(z) before": turn.fake, "G(z) after": after} | self.weights("g")
        layers = self.draw(fake=after, surface=self.surface())
        note = "The same noise now lands where the arrows pointed, more or less: all points share G's weights."
        return [moment("g", "G's weights move", RULES[self.gan.config.optimiser_g], note, tensors, layers)]

    def weights(self, player: str) -> dict[str, Tensor]:
        return {"w before": self.before[player], "w after": self.gan.flat[player].data}

    def surface(self) -> Tensor | None:
        if self.gan.points.dim != 2:
            return None
        cells = stage.cells(self.gan.points.extent, GRID, self.gan.device)
        return self.gan.surface(cells).view(GRID, GRID)

    def draw(self, **layers: Tensor | None) -> dict[str, Tensor]:
        """Return what the stage shows in this moment: its layers on a plane, the state of a game that is a point."""
        if self.gan.is_point:
            return {"phase": self.gan.phase()}
        if self.gan.points.dim != 2:
            return {}
        return {k: v.clone() if k == "surface" else v[:POINTS].clone() for k, v in layers.items() if v is not None}


def moment(  # noqa: PLR0917
    player: str,
    title: str,
    formula: str,
    note: str,
    tensors: dict[str, Tensor],
    layers: dict[str, Tensor] | None = None,
) -> SubStep:
    """Return a sub-step that keeps the first rows of its tensors."""
    shapes = {name: str(tuple(value.shape)) if value.dim() else "a number" for name, value in tensors.items()}
    rows = {name: (value[:ROWS] if value.dim() else value).clone() for name, value in tensors.items()}
    return SubStep(player, title, formula, note, rows, shapes, layers or {})
