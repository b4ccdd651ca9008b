"""BEGAN: the discriminator is an autoencoder, and a controller keeps the two players in balance.

Berthelot, Schumm and Metz 2017, "BEGAN: boundary equilibrium generative adversarial networks", arXiv 1703.10717. With
the reconstruction error L(v) = mean |v - D(v)|:

    D descends  L(x) - k L(G(z))            G descends  L(G(z))
    k ← clip(k + λ (γ L(x) - L(G(z))), 0, 1)            M = L(x) + |γ L(x) - L(G(z))|

D learns to rebuild real images and, weighted by k, to rebuild fakes badly. The controller moves k until fakes are
rebuilt with γ times the error of real images; γ below 1 asks for good fakes, near 1 for varied ones. M has no part in
training: it falls while things get better, which no GAN loss does. Watch M fall, k settle, and L(G(z)) stand at γ L(x).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from playground import entrance, gan_listing, gan_nets, nets, optim
from playground.config import Config, knob
from playground.data.base import DataSet
from playground.families.base import Family, Listing, StepResult, only_live, part
from playground.gan_settings import CONVOLUTIONAL, Body, D, G, GanSettings
from playground.rng import Streams

BERTHELOT = "Berthelot et al. 2017, arXiv 1703.10717"
BALANCE, TRAINING = "Balance", "Training"


class BeganSettings(Config):
    """What can be set on a BEGAN. Live fields act on the running model; the others build it anew."""

    # fmt: off
    body: Body = knob("dense", "What all three networks are made of: G, and D's encoder and decoder.", short="body",
        group=G, paper="Radford et al. 2015, arXiv 1511.06434",
        choice_labels=("dense", "DCGAN", "upsample and convolve"))
    depth: int = knob(2, "Hidden layers of each network.", short="dep", group=G, low=1, high=6,
        needs=("body", ("dense",)))
    width: int = knob(128, "Units in each hidden layer.", short="wid", group=G, low=4, high=1024, scale="log",
        needs=("body", ("dense",)))
    maps: int = knob(32, "Feature maps beside the image; each halving of its side doubles them.", short="maps", group=G,
        label="Feature maps", low=4, high=128, scale="log", needs=("body", CONVOLUTIONAL))
    noise_dim: int = knob(8, "Numbers in z, the noise G turns into an image.", short="z", group=G,
        label="Noise dimension", low=1, high=256, scale="log")
    noise_kind: Literal["gaussian", "uniform"] = knob("uniform", "Where z comes from: N(0, 1) or U(-1, 1) each.",
        short="zk", group=G, label="Noise", choice_labels=("Gaussian", "uniform"))
    codings: int = knob(8, "Numbers that D squeezes an image into before it rebuilds it.", short="code", group=D,
        low=1, high=256, scale="log", paper=BERTHELOT)

    gamma: float = knob(0.9, "Error of rebuilt fakes over that of real images to hold: low asks for good fakes, high "
        "for varied ones.", short="gam", group=BALANCE, live=True, label="γ", low=0.0, high=1.0, step=0.05,
        paper=BERTHELOT)
    lambda_k: float = knob(0.05, "How fast the controller moves k.", short="lk", group=BALANCE, live=True,
        label="λ of k", low=0.0, high=1.0, scale="log", paper=BERTHELOT)

    lr: float = knob(1e-3, "Learning rate of both players' Adam.", short="lr", group=TRAINING, live=True,
        label="Learning rate", low=1e-6, high=1.0, scale="log", paper="Kingma and Ba 2014, arXiv 1412.6980")
    beta1: float = knob(0.5, "How much of the last direction Adam keeps.", short="b1", group=TRAINING, live=True,
        low=0.0, high=0.999, step=0.01, paper="Kingma and Ba 2014, arXiv 1412.6980")
    batch: int = knob(64, "Real images, and as many fakes, in one update.", short="batch", group=TRAINING, live=True,
        label="Batch size", low=1, high=4096, scale="log", unit="rows")
    ema: float = knob(0.0, "Draw fakes from a moving average of G's weights with this decay; 0 draws from G itself.",
        short="ema", group=TRAINING, live=True, label="Average of G", low=0.0, high=0.9999, step=0.0001,
        paper="Yazıcı et al. 2019, arXiv 1806.04498")
    # fmt: on

    @property
    def theory(self) -> dict[str, tuple[float, str]]:
        """The ratio L(G(z)) / L(x) in balance."""
        return {"began/ratio": (self.gamma, f"γ = {self.gamma:g}")}

    def networks(self) -> GanSettings:
        """Return the settings by which the networks are built: no norm, as in the paper, and ELU in dense ones."""
        return GanSettings(
            body=self.body, g_depth=self.depth, g_width=self.width, d_depth=self.depth, d_width=self.width,
            maps=self.maps, g_norm="none", d_norm="none", activation="elu", init="default",
        )  # fmt: skip


def control(k: Tensor, real: Tensor, fake: Tensor, gamma: float, rate: float) -> tuple[Tensor, Tensor]:
    """Return the next k, and the measure M of convergence, from the errors L(x) and L(G(z)); all are scalars."""
    off = gamma * real - fake
    return (k + rate * off).clamp(0, 1), real + off.abs()


class Rebuilder(nn.Module):
    """D: an encoder to a few numbers and a decoder of the generator's own form."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B,), each image's error
        rebuilt: Tensor = self.decoder(self.encoder(x))
        return (x - rebuilt).abs().flatten(1).mean(1)


class Began(Family):
    """A generator, an autoencoder and k between them."""

    id = "began"
    title = "BEGAN"
    paper = BERTHELOT
    Settings = BeganSettings
    abilities = frozenset({"generate", "score"})
    takes = frozenset({"images"})
    opens_on = "digits"
    players = ("d", "g")
    critic = ranks = True  # D's score is minus an error: no probability, and no line between real and fake
    config: BeganSettings

    def __init__(self, config: Config, data: DataSet, rng: Streams) -> None:
        assert isinstance(config, BeganSettings)
        c, self.config, self.data, self.device = config, config, data, rng.device
        form, init = c.networks(), rng["init"]
        self.g = gan_nets.generator(form, data.shape, c.noise_dim, init)
        self.d = Rebuilder(
            gan_nets.discriminator(form, data.shape, c.codings, init),
            gan_nets.generator(form, data.shape, c.codings, init),
        )
        self.average = copy.deepcopy(self.g)  # the moving average of G
        self.nets = {"d": self.d, "g": self.g, "average": self.average}
        self.flat = {name: nets.flatten(net) for name, net in self.nets.items()}
        self.optimiser = {p: optim.make("adam", self.flat[p], lr=c.lr, beta1=c.beta1) for p in self.players}
        self.k = torch.zeros((), device=self.device)

    @classmethod
    def check(cls, config: Config, data: DataSet) -> None:
        """Refuse images that the networks cannot read."""
        super().check(config, data)
        assert isinstance(config, BeganSettings)
        gan_nets.check(config.networks(), data)

    @classmethod
    def listing(cls, config: Config, data: DataSet) -> Listing:
        assert isinstance(config, BeganSettings)
        form = config.networks()
        told = ["loss/d", "loss/g", "began/k", "began/m"]
        asked = {name.upper(): getattr(form, name) for name in type(form).model_fields}
        values = asked | gan_listing.nets(form, data) | {"COLUMNS": told}
        return Listing(
            {"networks": ("gan_nets",), "training": ("began",)},
            {name: value for name, value in values.items() if name.lower() not in type(config).model_fields},
        )

    @property
    def rows(self) -> int:
        return self.config.batch

    def take(self, n: int, taken: int, rng: Streams) -> Tensor:
        return super().take(n, taken, rng) * 2 - 1  # what a tanh can make

    # -- the step ---------------------------------------------------------------------------------------------------

    def step(self, batch: Tensor, rng: Streams, players: Sequence[str] | None = None) -> StepResult:
        """Do D's update, then G's, then k's; D alone moves k by its own fakes, G alone leaves it."""
        c, who = self.config, self.players if players is None else players
        metrics: dict[str, Tensor] = {}
        if "d" in who:
            with torch.no_grad():
                fake = self.g(self.noise(len(batch), rng["noise"]))
            of_real, of_fake = self.d(torch.cat([batch, fake])).chunk(2)
            real, made = of_real.mean(), of_fake.mean()
            metrics |= self._move("d", real - self.k * made)
            metrics |= {"score/real": real.detach(), "score/fake": made.detach()}
        if "g" in who:
            made = self.d(self.g(self.noise(len(batch), rng["noise"]))).mean()
            metrics |= self._move("g", made) | {"score/fake": made.detach()}
        if "d" in who:
            errors = metrics["score/real"], metrics["score/fake"]
            self.k, metrics["began/m"] = control(self.k, *errors, c.gamma, c.lambda_k)
            metrics["began/k"] = self.k
        return StepResult(metrics)

    def _move(self, player: str, loss: Tensor) -> dict[str, Tensor]:
        """Let a player descend its loss; return what is told of it."""
        self.flat[player].backward(loss)
        self.optimiser[player].step()
        if player == "g" and self.config.ema:
            self.flat["average"].data.lerp_(self.flat["g"].data, 1 - self.config.ema)
        return {f"loss/{player}": loss.detach(), f"grad/{player}": self.flat[player].grad_norm()}

    # -- settings and state -----------------------------------------------------------------------------------------

    def set(self, config: Config) -> None:
        assert isinstance(config, BeganSettings)
        only_live(self.config, config)
        if config.ema and not self.config.ema:  # the average starts from where G is now
            self.flat["average"].data.copy_(self.flat["g"].data)
        self.config = config
        for rule in self.optimiser.values():
            rule.lr, rule.beta1 = config.lr, config.beta1

    def state(self) -> dict[str, Tensor]:
        parts: dict[str, dict[str, Tensor]] = {
            **{name: net.state_dict() for name, net in self.nets.items()},
            **{f"optimiser_{player}": rule.state() for player, rule in self.optimiser.items()},
            "balance": {"k": self.k},
        }
        return {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}

    @torch.no_grad()
    def load(self, state: dict[str, Tensor]) -> None:
        for name, net in self.nets.items():
            net.load_state_dict(part(state, name))
        for player, rule in self.optimiser.items():
            rule.load(part(state, f"optimiser_{player}"))
        self.k = state["balance/k"].to(self.device).clone()

    def describe(self) -> dict[str, str]:
        named = {"Generator": self.g, "D's encoder": self.d.encoder, "D's decoder": self.d.decoder}
        return {name: gan_nets.words(net) for name, net in named.items()}

    # -- what can be seen -------------------------------------------------------------------------------------------

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        shape = (n, self.config.noise_dim)
        if self.config.noise_kind == "gaussian":
            return torch.randn(shape, generator=generator, device=self.device)
        return torch.rand(shape, generator=generator, device=self.device).mul_(2).sub_(1)

    @torch.no_grad()
    def generate(self, z: Tensor) -> Tensor:
        return self.synthesise(z)

    def synthesise(self, z: Tensor) -> Tensor:
        images: Tensor = self._drawing(z)
        return (images + 1) / 2

    def entrance(self) -> Tensor | None:
        return entrance.weights(self._drawing)

    def early(self, z: Tensor) -> Tensor | None:
        return entrance.activations(self._drawing, z)

    @property
    def _drawing(self) -> nn.Module:
        return self.nets["average" if self.config.ema else "g"]

    @torch.no_grad()
    def discriminate(self, x: Tensor) -> Tensor:
        """Return minus the reconstruction error of each image (n,), on the scale of -1 to 1: 0 is rebuilt perfectly."""
        errors: Tensor = self.d(x * 2 - 1)
        return -errors
