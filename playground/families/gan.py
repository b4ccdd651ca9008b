"""Generative adversarial networks on points: two small nets, every common loss, penalty and trick as a setting.

Goodfellow et al. 2014, "Generative adversarial nets", arXiv 1406.2661:

    min_G max_D  E_x log σ(D(x)) + E_z log(1 - σ(D(G(z))))

D learns to tell real points x from fakes G(z); G moves its fakes where D is fooled. For G fixed the best D is
σ(D(x)) = p/(p+q); where q = p it says ½ everywhere and D's loss is 2 ln 2. Watch whether the fakes reach every part of
the data (collapse: they do not), and whether D's surface still slopes where the fakes are (if not, G has no gradient).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from playground import explicit, losses, nets, optim, penalties, slowmotion, stage, tricks
from playground.config import Config, knob
from playground.data.base import DataSet, Distribution
from playground.families.base import Family, StepResult, SubStep, View, only_live, part
from playground.rng import Streams
from playground.slowmotion import Turn, quiet

GOODFELLOW = "Goodfellow et al. 2014, arXiv 1406.2661"
MESCHEDER = "Mescheder et al. 2018, arXiv 1801.04406"
SALIMANS = "Salimans et al. 2016, arXiv 1606.03498"
KINGMA = "Kingma and Ba 2014, arXiv 1412.6980"
HEUSEL = "Heusel et al. 2017, arXiv 1706.08500"
G, D, OBJECTIVE, TRAINING, TRICKS = "Generator", "Discriminator", "Objective", "Training", "Tricks"


class GanSettings(Config):
    """What can be set on a GAN. Live fields act on the running model; the others build it anew."""

    # fmt: off
    g_depth: int = knob(3, "Hidden layers of G.", short="gd", group=G, label="Depth", low=1, high=6)
    g_width: int = knob(128, "Units in each hidden layer of G.", short="gw", group=G, label="Width",
        low=4, high=256, scale="log")
    noise_dim: int = knob(8, "Numbers in z, the noise G turns into one point; 2 can be drawn as a square.",
        short="z", group=G, label="Noise dimension", low=1, high=256, scale="log")
    noise_kind: Literal["gaussian", "uniform"] = knob("gaussian", "Where z comes from: N(0, 1) or U(-1, 1) each.",
        short="zk", group=G, label="Noise", choice_labels=("Gaussian", "uniform"))
    activation: nets.Activation = knob("leaky-relu", "Bend between the layers of both nets.", short="act", group=G,
        paper="Radford et al. 2015, arXiv 1511.06434",
        choice_labels=("ReLU", "leaky ReLU 0.2", "tanh", "ELU", "GELU", "SiLU"))
    init: nets.Init = knob("default", "How the first weights of both nets are drawn.", short="init", group=G,
        label="First weights", choice_labels=("PyTorch default", "Xavier", "Kaiming", "orthogonal", "normal 0.02"))
    init_gain: float = knob(1.0, "Factor on the first weights.", short="gain", group=G, label="Gain of first weights",
        low=0.1, high=3.0, step=0.05)
    d_depth: int = knob(3, "Hidden layers of D.", short="dd", group=D, label="Depth", low=1, high=6)
    d_width: int = knob(128, "Units in each hidden layer of D.", short="dw", group=D, label="Width",
        low=4, high=256, scale="log")
    spectral: bool = knob(False, "Divide each weight of D by its largest singular value: D's slope stays below 1.",
        short="sn", group=D, label="Spectral norm", paper="Miyato et al. 2018, arXiv 1802.05957")

    loss: losses.Name = knob("non-saturating", "What the two players minimise.", short="loss",
        group=OBJECTIVE, live=True, paper=GOODFELLOW, choice_labels=("minimax", "non-saturating", "least squares",
        "hinge", "Wasserstein, clipped", "Wasserstein, gradient penalty", "relativistic average"))
    clip: float = knob(0.1, "After each update D's weights are cut to [-clip, clip].", short="clip", group=OBJECTIVE,
        live=True, low=0.001, high=1.0, scale="log", needs=("loss", ("wasserstein-clip",)),
        paper="Arjovsky et al. 2017, arXiv 1701.07875")
    penalty: penalties.Name = knob("none", "Charge D for its slope: between real and fake (GP), at real points (R1), "
        "at fakes (R2), around real points (DRAGAN).", short="pen", group=OBJECTIVE, live=True, paper=MESCHEDER,
        choice_labels=("none", "gradient penalty", "R1", "R2", "DRAGAN"),
        needs=("loss", (*losses.SMOOTHED, "hinge", "wasserstein-clip")))
    penalty_weight: float = knob(1.0, "Weight of the penalty: λ for GP and DRAGAN, γ for R1 and R2 (γ/2 |slope|²).",
        short="pw", group=OBJECTIVE, live=True, low=0.0, high=100.0, scale="log", step=0.05, paper=MESCHEDER,
        needs=("penalty_in_use", ("gp", "r1", "r2", "dragan")))
    penalty_target: float = knob(1.0, "Slope that GP and DRAGAN pull D to: 1, or 0 for a zero-centred penalty.",
        short="pt", group=OBJECTIVE, live=True, low=0.0, high=1.0, step=0.5, needs=("penalty_in_use", ("gp", "dragan")),
        paper="Gulrajani et al. 2017, arXiv 1704.00028")

    lr_d: float = knob(1e-3, "Learning rate of D.", short="lrd", group=TRAINING, live=True, label="Learning rate D",
        low=1e-6, high=1.0, scale="log", paper=HEUSEL)
    lr_g: float = knob(1e-3, "Learning rate of G.", short="lrg", group=TRAINING, live=True, label="Learning rate G",
        low=1e-6, high=1.0, scale="log", paper=HEUSEL)
    optimiser_d: optim.Name = knob("adam", "Rule of D's updates.", short="od", group=TRAINING, label="Optimiser D",
        paper=KINGMA, choice_labels=("SGD", "Adam", "RMSprop", "optimistic Adam"))
    optimiser_g: optim.Name = knob("adam", "Rule of G's updates.", short="og", group=TRAINING, label="Optimiser G",
        paper="Daskalakis et al. 2018, arXiv 1711.00141", choice_labels=("SGD", "Adam", "RMSprop", "optimistic Adam"))
    beta1: float = knob(0.5, "How much of the last direction Adam keeps (both players).", short="b1", group=TRAINING,
        live=True, low=0.0, high=0.999, step=0.01, needs=("has_beta1", (True,)), paper=KINGMA)
    beta2: float = knob(0.999, "Memory of the squared gradients in Adam and RMSprop (both players).", short="b2",
        group=TRAINING, live=True, low=0.0, high=0.9999, step=0.001, needs=("has_beta2", (True,)), paper=KINGMA)
    momentum: float = knob(0.0, "Momentum of SGD and RMSprop (both players).", short="mom", group=TRAINING, live=True,
        low=0.0, high=0.999, step=0.01, needs=("has_momentum", (True,)))
    batch: int = knob(256, "Rows that D scores in one update: so many real and so many fake.", short="batch",
        group=TRAINING, live=True, label="Batch size", low=1, high=4096, scale="log", unit="rows")
    d_steps: int = knob(1, "Updates of D in one step.", short="ds", group=TRAINING, live=True, label="D updates a step",
        low=1, high=20, needs=("order", ("alternating",)), paper=GOODFELLOW)
    g_steps: int = knob(1, "Updates of G in one step.", short="gs", group=TRAINING, live=True, label="G updates a step",
        low=1, high=20, needs=("order", ("alternating",)))
    order: Literal["alternating", "simultaneous"] = knob("alternating", "Alternating: D moves, then G answers the "
        "new D. Simultaneous: both gradients at the same point, one update each.", short="ord", group=TRAINING,
        live=True, label="Order of updates", paper=MESCHEDER)

    smoothing: float = knob(0.0, "Real points get the label 1 minus this; fakes keep 0.", short="ls", group=TRICKS,
        live=True, label="Label smoothing", low=0.0, high=0.5, step=0.01, needs=("loss", losses.SMOOTHED),
        paper=SALIMANS)
    instance_noise: float = knob(0.0, "Noise added to all points D sees, real and fake, at step 0.", short="in",
        group=TRICKS, live=True, low=0.0, high=2.0, step=0.01, unit="data units",
        paper="Sønderby et al. 2017, arXiv 1610.04490")
    instance_noise_decay: int = knob(0, "Steps until the instance noise has fallen to 0 in a line; 0: it stays.",
        short="ind", group=TRICKS, live=True, low=0, high=1_000_000, scale="log", unit="steps",
        paper="Sønderby et al. 2017, arXiv 1610.04490")
    minibatch: nets.Minibatch = knob("none", "Let D see how alike its batch is.", short="mb", group=TRICKS,
        label="Minibatch feature", choice_labels=("none", "discrimination", "standard deviation"), paper=SALIMANS)
    packing: int = knob(1, "Independent points that D judges together as one row.", short="pack", group=TRICKS, low=1,
        high=4, paper="Lin et al. 2018, arXiv 1712.04086")
    replay: float = knob(0.0, "Share of D's fakes that come from earlier steps.", short="rep", group=TRICKS, live=True,
        label="Replay share", low=0.0, high=0.9, step=0.05, paper="Shrivastava et al. 2017, arXiv 1612.07828")
    replay_size: int = knob(4096, "How many past fakes are kept.", short="repn", group=TRICKS, label="Replay memory",
        low=64, high=65_536, scale="log", unit="rows", paper="Shrivastava et al. 2017, arXiv 1612.07828")
    unroll: int = knob(0, "G looks so many D updates ahead, and its gradient flows through them.", short="unroll",
        group=TRICKS, live=True, label="Unrolled D updates", low=0, high=10, paper="Metz et al. 2017, arXiv 1611.02163")
    ema: float = knob(0.0, "Draw fakes from a moving average of G's weights with this decay; 0 draws from G itself.",
        short="ema", group=TRICKS, live=True, label="Average of G", low=0.0, high=0.9999, step=0.0001,
        paper="Yazıcı et al. 2019, arXiv 1806.04498")
    # fmt: on

    @property
    def penalty_in_use(self) -> str:
        """The penalty that acts: the gradient penalty is part of the loss `wasserstein-gp`."""
        return "gp" if self.loss == "wasserstein-gp" else self.penalty

    @property
    def has_beta1(self) -> bool:
        return not {"adam", "optimistic-adam"}.isdisjoint((self.optimiser_d, self.optimiser_g))

    @property
    def has_beta2(self) -> bool:
        return not {"adam", "optimistic-adam", "rmsprop"}.isdisjoint((self.optimiser_d, self.optimiser_g))

    @property
    def has_momentum(self) -> bool:
        return not {"sgd", "rmsprop"}.isdisjoint((self.optimiser_d, self.optimiser_g))


class Gan(Family):
    """Two networks, two optimisers, one step."""

    id = "gan"
    title = "GAN"
    paper = GOODFELLOW
    Settings = GanSettings
    abilities = frozenset({"generate", "score"})
    players = ("d", "g")
    config: GanSettings

    def __init__(self, config: Config, data: DataSet, rng: Streams) -> None:
        assert isinstance(config, GanSettings)
        assert isinstance(data, Distribution)
        c, self.data, self.device = config, data, rng.device
        game = data.players()
        if game is None:
            init = partial(nets.MLP, activation=c.activation, init=c.init, gain=c.init_gain, generator=rng["init"])
            sizes_d = [data.dim * c.packing, *[c.d_width] * c.d_depth, 1]
            self.g: nn.Module = init([c.noise_dim, *[c.g_width] * c.g_depth, data.dim])
            self.d: nn.Module = init(sizes_d, spectral=c.spectral, minibatch=c.minibatch)
        else:
            self.g, self.d = (player.to(rng.device) for player in game)
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
        self.replay = tricks.Replay(c.replay_size, data.dim, rng.device)
        self.steps = 0
        self.config = c
        # A game of one number against one number (Dirac-GAN): its whole state is a point of the plane.
        self.is_point = len(self.flat["d"].data) == len(self.flat["g"].data) == 1
        self.d.eval()  # training mode, in which spectral norm iterates, is for D's own updates

    @property
    def rows(self) -> int:
        c = self.config
        return c.batch * c.packing * (c.d_steps if c.order == "alternating" else 1)

    @property
    def critic(self) -> bool:
        """Whether D's output is a free score rather than a probability."""
        return losses.LOSSES[self.config.loss].output == "critic"

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
        return StepResult(self._metrics(turns))

    @property
    def _by_hand(self) -> explicit.Players | None:
        """The hand-written gradients, quicker than autograd, where no penalty or unrolling asks for more."""
        return None if self.config.penalty_in_use != "none" or self.config.unroll else self.explicit

    def _d_turn(self, real: Tensor, rng: Streams) -> Turn:
        """Take the gradient of D's loss on a batch of real points and as many new fakes."""
        c, hand = self.config, self._by_hand
        z = self.noise(len(real), rng["noise"])
        with torch.no_grad():
            fake = hand.g.forward(z) if hand else self.g(z)
        if c.replay:
            fake = self.replay.mix(fake, c.replay, rng["replay"])
        real, fake = self._blur(real, rng), self._blur(fake, rng)
        if hand:
            loss, a, b = hand.d_gradient(real, fake, c.loss, c.smoothing)
            return Turn("d", fake, b, loss, real=real, real_score=a, z=z)
        self.d.train()
        total, turn = self._d_loss(self.d, real, fake, rng)
        self.d.eval()
        self.flat["d"].backward(total)
        return replace(turn, z=z)

    def _d_loss(self, critic: penalties.Critic, real: Tensor, fake: Tensor, rng: Streams) -> tuple[Tensor, Turn]:
        """Return what D descends, and what flowed; `critic` is D, or D some unrolled updates from now."""
        c = self.config
        x, y = tricks.pack(real, c.packing), tricks.pack(fake, c.packing)
        if c.minibatch == "none":  # one pass over both, unless D compares the rows of a batch
            a, b = critic(torch.cat([x, y])).squeeze(1).chunk(2)
        else:
            a, b = critic(x).squeeze(1), critic(y).squeeze(1)
        loss = losses.LOSSES[c.loss].d(a, b, c.smoothing)
        turn = Turn("d", fake, b.detach(), loss.detach(), real=real, real_score=a.detach())
        if (name := c.penalty_in_use) != "none":
            slope = penalties.penalty(name, critic, real=x, fake=y, target=c.penalty_target, generator=rng["penalty"])
            loss, turn.penalty = loss + c.penalty_weight * slope, slope.detach()
        return loss, turn

    def _g_turn(self, real: Tensor, rng: Streams, push: bool = False) -> Turn:
        """Take the gradient of G's loss on new fakes; `real` matters to losses that compare, and to an unrolled D."""
        c, hand = self.config, self._by_hand
        z = self.noise(c.batch * c.packing, rng["noise"])
        fake = self._blur(hand.g.forward(z) if hand else self.g(z), rng)
        compares = c.loss == "relativistic"
        real = self._blur(real, rng) if compares or c.unroll else real
        if hand:
            loss, score, slope = hand.g_gradient(fake, real if compares else None, c.loss)
            return Turn("g", fake, score, loss, z=z, push=-len(fake) * slope if push else None)
        critic: penalties.Critic = self.d
        if c.unroll:
            clip = c.clip if c.loss == "wasserstein-clip" else None
            critic = tricks.unroll(
                self.d, self.optimiser["d"], c.unroll, lambda d: self._d_loss(d, real, fake, rng)[0], clip
            )
        score = critic(tricks.pack(fake, c.packing)).squeeze(1)
        real_score = critic(tricks.pack(real, c.packing)).squeeze(1) if compares else score
        loss = losses.LOSSES[c.loss].g(score, real_score)
        turn = Turn("g", fake.detach(), score.detach(), loss.detach(), z=z)
        if push:
            turn.push = -len(fake) * torch.autograd.grad(loss, fake, retain_graph=True)[0]
        self.flat["g"].backward(loss)
        return turn

    def _move(self, turn: Turn, tell: Callable[[str, Turn], None]) -> None:
        """Apply a player's gradient."""
        c = self.config
        self.optimiser[turn.player].step()
        if turn.player == "d" and c.loss == "wasserstein-clip":
            self.flat["d"].data.clamp_(-c.clip, c.clip)
        if turn.player == "g" and c.ema:
            self.flat["average"].data.lerp_(self.flat["g"].data, 1 - c.ema)
        tell("moved", turn)

    def _blur(self, x: Tensor, rng: Streams) -> Tensor:
        c = self.config
        return tricks.blur(x, tricks.noise_level(c.instance_noise, c.instance_noise_decay, self.steps), rng["instance"])

    def _metrics(self, turns: dict[str, Turn]) -> dict[str, Tensor]:
        name, metrics = self.config.loss, {}
        for player, turn in turns.items():
            metrics[f"loss/{player}"] = turn.loss
            if turn.penalty is not None:
                metrics["loss/penalty"] = turn.penalty
            if turn.real_score is not None:
                metrics["score/real"] = losses.score(name, turn.real_score).mean()
            if "score/fake" not in metrics:
                metrics["score/fake"] = losses.score(name, turn.fake_score).mean()
            metrics[f"grad/{player}"] = self.flat[player].grad_norm()
        if self.is_point:
            metrics["phase/theta"], metrics["phase/psi"] = self.phase()
        return metrics

    # -- settings and state -----------------------------------------------------------------------------------------

    def set(self, config: Config) -> None:
        assert isinstance(config, GanSettings)
        only_live(self.config, config)
        if config.ema and not self.config.ema:  # the average starts from where G is now
            self.flat["average"].data.copy_(self.flat["g"].data)
        self.config = config
        self.optimiser["d"].lr, self.optimiser["g"].lr = config.lr_d, config.lr_g
        for rule in self.optimiser.values():
            rule.beta1, rule.beta2, rule.momentum = config.beta1, config.beta2, config.momentum

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

    def describe(self) -> dict[str, str]:
        return {name: nets.words(net) for name, net in (("Generator", self.g), ("Discriminator", self.d))}

    # -- what can be seen -------------------------------------------------------------------------------------------

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        shape, c = (n, self.config.noise_dim), self.config
        if c.noise_kind == "gaussian":
            return torch.randn(shape, generator=generator, device=self.device)
        return torch.rand(shape, generator=generator, device=self.device).mul_(2).sub_(1)

    def generate(self, z: Tensor) -> Tensor:
        return self.forward["average" if self.config.ema else "g"](z)

    def discriminate(self, x: Tensor) -> Tensor:
        """Return log odds of real (critic values for a critic) of points (n, dim), (n,).

        A packed D scores a point beside copies of itself: at its optimum σ of that is pᵐ/(pᵐ + qᵐ). A D with a
        minibatch feature takes the given points as one batch.
        """
        return losses.as_logit(self.config.loss, self._judge(self.forward["d"], x))

    def _judge(self, d: penalties.Critic, x: Tensor) -> Tensor:
        return d(x.repeat(1, self.config.packing)).squeeze(1)

    def phase(self) -> Tensor:
        """Return the state (theta, psi) of a game that is a point, (2,)."""
        return torch.cat([self.flat["g"].data, self.flat["d"].data])

    def picture(self, view: View, z: Tensor) -> dict[str, Tensor]:
        if self.is_point:
            return {"phase": self.phase()}
        if self.points.dim != 2:  # no plane to draw a surface or a mesh on
            view = replace(view, layers=view.layers & {"fake"})
        mesh = stage.noise_mesh(view.mesh, self.config.noise_dim, self.config.noise_kind, self.device)
        return stage.layers(view, z, mesh, generate=self.generate, surface=self.surface, push=self.push)

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

    def trace(self, batch: Tensor, rng: Streams) -> list[SubStep]:
        return slowmotion.trace(self, batch, rng)
