"""What adversarial families share: the settings of two players, and one step in which each answers the other.

A family brings its networks (`networks`) and, where it has one, a term of its own in the losses; every loss, penalty,
trick and optimiser is then a setting of it. Inside, points are in data units and images in [-1, 1] (D sees what a tanh
can make); `take` and `generate` translate. Rows are (n, dim) or (n, C, H, W) all the way, packed rows (n/m, m dim) or
(n/m, m C, H, W).
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from playground import augmentation, entrance, explicit, fast, gan_nets, losses, nets, optim, penalties, stage, tricks
from playground.config import Config
from playground.conv_nets import learning, visiting
from playground.data.base import DataSet
from playground.families.base import Family, StepResult, View, only_live, part
from playground.gan_settings import GanSettings
from playground.rng import Streams
from playground.slowmotion import Turn, quiet


class Adversarial(Family):
    """Two networks, two optimisers, one step."""

    Settings = GanSettings
    abilities = frozenset({"generate", "score"})
    players = ("d", "g")
    config: GanSettings

    def __init__(self, config: Config, data: DataSet, rng: Streams) -> None:
        assert isinstance(config, GanSettings)
        c, self.config, self.data, self.device = config, config, data, rng.device
        self.g, self.d = self.networks(rng["init"])
        self.average = copy.deepcopy(self.g)  # the moving average of G
        self.nets = {"d": self.d, "g": self.g, "average": self.average}
        self.flat = {name: nets.flatten(net) for name, net in self.nets.items()}
        self.forward = {name: explicit.forward(net, self.flat[name]) for name, net in self.nets.items()}
        rules = {"d": (c.optimiser_d, c.lr_d), "g": (c.optimiser_g, c.lr_g)}
        self.optimiser = {
            player: optim.make(rule, self.flat[player], lr=lr, beta1=c.beta1, beta2=c.beta2, momentum=c.momentum)
            for player, (rule, lr) in rules.items()
        }
        self.explicit = explicit.players(self.g, self.flat["g"], self.d, self.flat["d"])
        self.replay = tricks.Replay(c.replay_size, self.row_shape, rng.device)
        self.steps = 0
        # A game of one number against one number (Dirac-GAN): its whole state is a point of the plane.
        self.is_point = len(self.flat["d"].data) == len(self.flat["g"].data) == 1
        for net in self.nets.values():
            net.eval()  # training mode, in which spectral norm iterates, is for a player's own updates

    @classmethod
    def check(cls, config: Config, data: DataSet) -> None:
        """Refuse networks that cannot read the data, and penalties that cannot read D."""
        super().check(config, data)
        assert isinstance(config, GanSettings)
        gan_nets.check(config, data)

    @abstractmethod
    def networks(self, generator: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """Return G: (n, Z) -> rows and D: packed rows -> (n, 1), on the generator's device, drawn from it alone."""

    def take(self, n: int, taken: int, rng: Streams) -> Tensor:
        return self.inward(super().take(n, taken, rng))

    def inward(self, x: Tensor) -> Tensor:
        """Return items in data units as the networks see them."""
        return x * 2 - 1 if self.data.kind == "images" else x

    def outward(self, x: Tensor) -> Tensor:
        """Return what the networks see in data units."""
        return (x + 1) / 2 if self.data.kind == "images" else x

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row inside: an item's, unless a family's rows carry more."""
        return self.data.shape

    @property
    def rows(self) -> int:
        c = self.config
        return c.batch * c.packing * (c.d_steps if c.order == "alternating" else 1)

    @property
    def critic(self) -> bool:
        """Whether D's output is a free score rather than a probability."""
        return losses.LOSSES[self.config.loss].output == "critic"

    @property
    def batchwise(self) -> bool:
        """Whether D compares the rows of a batch, so that real and fake ones must go through by themselves."""
        return self.config.mixes

    # -- the step ---------------------------------------------------------------------------------------------------

    def step(
        self,
        batch: Tensor,
        rng: Streams,
        players: Sequence[str] | None = None,
        tell: Callable[[str, Turn], None] = quiet,
    ) -> StepResult:
        """Do D's updates, then G's; `tell` hears of each twice: "gradient" before, "moved" after it is applied."""
        c, who = self.config, self.players if players is None else players
        alternating = c.order == "alternating"
        batches = batch.chunk(c.d_steps if alternating else 1)
        turns: dict[str, Turn] = {}
        for real in batches if "d" in who else ():
            turns["d"] = self._d_turn(real, rng)
            tell("gradient", turns["d"])
            if alternating:
                self._move(turns["d"], tell)
        for _ in range((c.g_steps if alternating else 1) if "g" in who else 0):
            turns["g"] = self._g_turn(batches[-1], rng, push=tell is not quiet)
            tell("gradient", turns["g"])
            if alternating:
                self._move(turns["g"], tell)
        if not alternating:
            for turn in turns.values():
                self._move(turn, tell)
        self.steps += 1
        return StepResult(self._losses(turns), partial(self._metrics, turns))

    @property
    def _by_hand(self) -> explicit.Players | None:
        """The hand-written gradients, quicker than autograd, where no penalty or unrolling asks for more."""
        return None if self.config.penalty_in_use != "none" or self.config.unroll else self.explicit

    def _d_turn(self, real: Tensor, rng: Streams) -> Turn:
        """Take the gradient of D's loss on a batch of real points and as many new fakes."""
        c, hand = self.config, self._by_hand
        z = self._codes(real, len(real), rng)
        with torch.no_grad():
            fake = hand.g.forward(z) if hand else self._fakes(z, visiting)
        if c.replay:
            fake = self.replay.mix(fake, c.replay, rng["replay"])
        real, fake = self._seen(real, rng), self._seen(fake, rng)
        if hand:
            loss, a, b = hand.d_gradient(real, fake, c.loss, c.smoothing)
            return Turn("d", fake, b, loss, real=real, real_score=a, z=z)
        with learning(self.d), self._arithmetic():
            total, turn = self._d_loss(self.d, real, fake, rng)
        self.flat["d"].backward(total)
        return replace(turn, z=z)

    def _d_loss(self, critic: penalties.Critic, real: Tensor, fake: Tensor, rng: Streams) -> tuple[Tensor, Turn]:
        """Return what D descends, and what flowed; `critic` is D, or D some unrolled updates from now."""
        c = self.config
        x, y = tricks.pack(real, c.packing), tricks.pack(fake, c.packing)
        if not self.batchwise:  # one pass over both
            of_real, of_fake = critic(torch.cat([x, y])).float().chunk(2)
        else:
            of_real, of_fake = critic(x).float(), critic(y).float()
        a, b = of_real[:, 0], of_fake[:, 0]
        loss = losses.LOSSES[c.loss].d(a, b, c.smoothing)
        turn = Turn("d", fake, b.detach(), loss.detach(), real=real, real_score=a.detach())
        if (name := c.penalty_in_use) != "none":
            slope = self._slope(name, lambda rows: critic(rows)[:, :1], x, y, rng)
            loss, turn.penalty = loss + c.penalty_weight * slope, slope.detach()
        more, turn.told = self._own_term(of_fake, y)
        return loss + more, turn

    def _codes(self, real: Tensor, n: int, rng: Streams) -> Tensor:
        """Draw the codes of n new fakes that are to stand beside these real rows."""
        return self.noise(n, rng["noise"])

    def _fakes(self, z: Tensor, manner: Callable[[nn.Module], AbstractContextManager[None]]) -> Tensor:
        """Return what G makes of codes in a manner of its batch norm."""
        with manner(self.g), self._arithmetic():
            fakes: Tensor = self.g(z).float()
        return fakes

    def _slope(self, name: str, critic: penalties.Critic, real: Tensor, fake: Tensor, rng: Streams) -> Tensor:
        """Return the penalty of that name on packed rows, without its weight."""
        target = self.config.penalty_target
        return penalties.penalty(name, critic, real=real, fake=fake, target=target, generator=rng["penalty"])

    def _own_term(self, outputs: Tensor, fake: Tensor) -> tuple[Tensor | float, dict[str, Tensor]]:
        """Return what a family adds to both players' losses, and metrics, from D's outputs (B, ...) on packed fakes."""
        return 0.0, {}

    def _g_turn(self, real: Tensor, rng: Streams, push: bool = False) -> Turn:
        """Take the gradient of G's loss on new fakes; `real` matters to losses that compare, and to an unrolled D."""
        c, hand = self.config, self._by_hand
        z = self._codes(real, c.batch * c.packing, rng)
        fake = self._seen(hand.g.forward(z) if hand else self._fakes(z, learning), rng)
        compares = c.loss == "relativistic"
        real = self._seen(real, rng) if compares or c.unroll else real
        if hand:
            loss, score, slope = hand.g_gradient(fake, real if compares else None, c.loss)
            return Turn("g", fake, score, loss, z=z, push=-len(fake) * slope if push else None)
        packed = tricks.pack(fake, c.packing)
        with visiting(self.d), self._arithmetic():
            critic = self._critic(real, fake, rng)
            outputs = critic(packed).float()
            score = outputs[:, 0]
            real_score = critic(tricks.pack(real, c.packing)).float()[:, 0] if compares else score
        loss = losses.LOSSES[c.loss].g(score, real_score)
        more, told = self._own_term(outputs, packed)
        turn = Turn("g", fake.detach(), score.detach(), loss.detach(), z=z, told=told)
        loss = loss + more
        if push:
            turn.push = -len(fake) * torch.autograd.grad(loss, fake, retain_graph=True)[0]
        self.flat["g"].backward(loss)
        return turn

    def _critic(self, real: Tensor, fake: Tensor, rng: Streams) -> penalties.Critic:
        """Return D as G learns against it: as it is, or as it will be some updates from now."""
        c = self.config
        if not c.unroll:
            return self.d
        clip = c.clip if c.loss == "wasserstein-clip" else None
        return tricks.unroll(self.d, self.optimiser["d"], c.unroll, lambda d: self._d_loss(d, real, fake, rng)[0], clip)

    def _move(self, turn: Turn, tell: Callable[[str, Turn], None]) -> None:
        """Apply a player's gradient."""
        c = self.config
        self.optimiser[turn.player].step()
        if turn.player == "d" and c.loss == "wasserstein-clip":
            self.flat["d"].data.clamp_(-c.clip, c.clip)
        if turn.player == "g" and c.ema:
            self.flat["average"].data.lerp_(self.flat["g"].data, 1 - c.ema)
            self._copy_buffers()
        tell("moved", turn)

    def _seen(self, x: Tensor, rng: Streams) -> Tensor:
        """Return rows as D gets to see them in training."""
        c = self.config
        if self.data.kind == "images":
            x = augmentation.augment(x, c.augment, rng["augment"])
        return tricks.blur(x, tricks.noise_level(c.instance_noise, c.instance_noise_decay, self.steps), rng["instance"])

    def _arithmetic(self) -> AbstractContextManager[None]:
        return fast.arithmetic(self.config.precision, self.device)

    def _losses(self, turns: dict[str, Turn]) -> dict[str, Tensor]:
        """Return what is told of every step."""
        metrics = {f"loss/{player}": turn.loss for player, turn in turns.items()}
        if self.is_point:
            metrics["phase/theta"], metrics["phase/psi"] = self.phase()
        return metrics

    def _metrics(self, turns: dict[str, Turn]) -> dict[str, Tensor]:
        """Return what is told besides of a step that is logged."""
        name = self.config.loss
        metrics: dict[str, Tensor] = {}
        for player, turn in turns.items():
            if turn.penalty is not None:
                metrics["loss/penalty"] = turn.penalty
            if turn.real_score is not None:
                metrics["score/real"] = losses.score(name, turn.real_score).mean()
            if "score/fake" not in metrics:
                metrics["score/fake"] = losses.score(name, turn.fake_score).mean()
            metrics |= turn.told | {f"grad/{player}": self.flat[player].grad_norm()}
        return metrics

    # -- settings and state -----------------------------------------------------------------------------------------

    def set(self, config: Config) -> None:
        assert isinstance(config, GanSettings)
        only_live(self.config, config)
        if config.ema and not self.config.ema:  # the average starts from where G is now
            self.flat["average"].data.copy_(self.flat["g"].data)
            self._copy_buffers()
        self.config = config
        self.optimiser["d"].lr, self.optimiser["g"].lr = config.lr_d, config.lr_g
        for rule in self.optimiser.values():
            rule.beta1, rule.beta2, rule.momentum = config.beta1, config.beta2, config.momentum

    def _copy_buffers(self) -> None:
        """Give the average the statistics (of batch norm) that G has."""
        for mine, theirs in zip(self.average.buffers(), self.g.buffers(), strict=True):
            mine.copy_(theirs)

    def state(self) -> dict[str, Tensor]:
        parts: dict[str, dict[str, Tensor]] = {
            **{name: net.state_dict() for name, net in self.nets.items()},
            "optimiser_g": self.optimiser["g"].state(),
            "optimiser_d": self.optimiser["d"].state(),
            "replay": {"rows": self.replay.rows},
            "count": {"steps": torch.tensor(self.steps), "replayed": torch.tensor(self.replay.written)},
        }
        return {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}

    @torch.no_grad()
    def load(self, state: dict[str, Tensor]) -> None:
        for name, net in self.nets.items():
            net.load_state_dict(part(state, name))
        for player, optimiser in self.optimiser.items():
            optimiser.load(part(state, f"optimiser_{player}"))
        self.replay.rows.copy_(state["replay/rows"])
        self.steps, self.replay.written = int(state["count/steps"]), int(state["count/replayed"])

    def plainly(self) -> None:
        self.forward = dict(self.nets)

    def describe(self) -> dict[str, str]:
        return {name: gan_nets.words(net) for name, net in (("Generator", self.g), ("Discriminator", self.d))}

    # -- what can be seen -------------------------------------------------------------------------------------------

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        shape, c = (n, self.config.noise_dim), self.config
        if c.noise_kind == "gaussian":
            return torch.randn(shape, generator=generator, device=self.device)
        return torch.rand(shape, generator=generator, device=self.device).mul_(2).sub_(1)

    def generate(self, z: Tensor) -> Tensor:
        return self.outward(self.forward[self._drawing](z))

    def synthesise(self, z: Tensor) -> Tensor:
        return self.outward(self.nets[self._drawing](z))

    def entrance(self) -> Tensor | None:
        return entrance.weights(self.nets[self._drawing])

    def early(self, z: Tensor) -> Tensor | None:
        return entrance.activations(self.nets[self._drawing], z)

    @property
    def _drawing(self) -> str:
        return "average" if self.config.ema else "g"

    def discriminate(self, x: Tensor) -> Tensor:
        """Return log odds of real (critic values for a critic) of items (n, *shape), (n,).

        A packed D scores an item beside copies of itself: at its optimum σ of that is pᵐ/(pᵐ + qᵐ). A D with a
        minibatch feature takes the given items as one batch.
        """
        return losses.as_logit(self.config.loss, self._judge(self.forward["d"], self.inward(x)))

    def _judge(self, d: penalties.Critic, x: Tensor) -> Tensor:
        return d(x.repeat(1, self.config.packing, *[1] * (x.dim() - 2)))[:, 0]

    def picture(self, view: View, z: Tensor) -> dict[str, Tensor]:
        if self.is_point:
            return {"phase": self.phase()}
        if self.data.kind != "points":
            return {}
        if self.points.dim != 2:  # no plane to draw a surface or a mesh on
            view = replace(view, layers=view.layers & {"fake"})
        return stage.layers(view, z, self.mesh(view.mesh), generate=self.generate, surface=self.surface, push=self.push)

    def mesh(self, side: int) -> Tensor:
        """Return the codes (side², Z) of a square mesh in the first two noise numbers."""
        return stage.noise_mesh(side, self.config.noise_dim, self.config.noise_kind, self.device)

    def surface(self, x: Tensor) -> Tensor:
        """Return D at points (n, dim) as a person reads it: probability of real, or critic value, (n,)."""
        return losses.score(self.config.loss, self._judge(self.forward["d"], x))

    def push(self, fake: Tensor) -> Tensor:
        """Return minus the gradient of G's loss at each fake, (n, dim): where G would move it."""
        if self.explicit is not None:
            return self.explicit.push(fake, self.config.loss)
        x = fake.detach().requires_grad_()
        score = self._judge(self.d, x)
        loss = losses.LOSSES[self.config.loss].g(score, score.detach())
        return -len(x) * torch.autograd.grad(loss, x)[0]

    def phase(self) -> Tensor:
        """Return the state (theta, psi) of a game that is a point, (2,)."""
        return torch.cat([self.flat["g"].data, self.flat["d"].data])
