"""Variational autoencoders: an item becomes a distribution over codes, and codes drawn from the prior become items.

Kingma and Welling 2013, "Auto-encoding variational Bayes", arXiv 1312.6114; with β (Higgins et al. 2017, ICLR):

    min  E_x [ -E_q(z|x) log p(x|z) + β KL(q(z|x) ‖ N(0, I)) ]          p(x|z) Bernoulli or normal, q normal, diagonal

β above 1 asks for fewer nats in the code and more order among them. Watch the KL by dimension: those near 0 carry
nothing (posterior collapse); together they say how many nats the code holds. `playground.variational` has the pieces:
a further kind of VAE is another `_objective`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from playground import coder_listing, coders, fast, nets, optim
from playground import variational as va
from playground.coders import BodySettings
from playground.config import Config, ConfigError, knob
from playground.data.base import DataSet
from playground.families.base import Bounds, Family, Listing, Piece, StepResult, only_live, part
from playground.rng import Streams

KINGMA = "Kingma and Welling 2013, arXiv 1312.6114"
BURGESS = "Burgess et al. 2018, arXiv 1804.03599"
OBJECTIVE, LIKELIHOOD, TRAINING = "Objective", "Likelihood", "Training"


class VaeSettings(BodySettings):
    """What can be set on a variational autoencoder. Live fields act on the running model; the others build it anew."""

    # fmt: off
    beta: float = knob(1.0, "Weight of the KL divergence; 1 is the bound on the likelihood itself.", short="beta",
        group=OBJECTIVE, live=True, label="β", low=0.0, high=100.0, scale="log", step=0.05,
        paper="Higgins et al. 2017, ICLR")
    warm_up: int = knob(0, "Steps over which β (with a capacity: the capacity) rises from 0; 0 starts at once.",
        short="warm", group=OBJECTIVE, live=True, label="KL warm-up", low=0, high=1_000_000, scale="log", unit="steps",
        paper="Sønderby et al. 2016, arXiv 1602.02282")
    capacity: float = knob(0.0, "Nats that the code is asked to hold, at a cost of β |KL - C|; 0 asks for few.",
        short="cap", group=OBJECTIVE, live=True, label="KL capacity", low=0.0, high=200.0, step=0.5, unit="nats",
        needs=("samples", (1,)), paper=BURGESS)
    free_bits: float = knob(0.0, "Nats that each dimension of the code may hold without paying.", short="free",
        group=OBJECTIVE, live=True, low=0.0, high=5.0, step=0.05, unit="nats", needs=("samples", (1,)),
        paper="Kingma et al. 2016, arXiv 1606.04934")
    samples: int = knob(1, "Codes drawn for each item; more than one train the tighter importance-weighted bound.",
        short="iw", group=OBJECTIVE, live=True, label="Importance samples", low=1, high=64, scale="log",
        paper="Burda et al. 2015, arXiv 1509.00519")

    likelihood: va.Likelihood = knob("bernoulli", "What the decoder says of each number: a probability (numbers from 0 "
        "to 1), or a mean with σ around it, given or learned.", short="lik", group=LIKELIHOOD,
        paper="Rybkin et al. 2021, arXiv 2006.13202", choice_labels=("Bernoulli", "Gaussian", "Gaussian, σ learned"))
    sigma: float = knob(0.2, "Standard deviation around each number: the smaller, the more a reconstruction weighs.",
        short="sigma", group=LIKELIHOOD, live=True, label="σ", low=0.01, high=2.0, scale="log", unit="data units",
        needs=("likelihood", ("gaussian",)), paper="Lucas et al. 2019, arXiv 1911.02469")

    lr: float = knob(1e-3, "Learning rate of Adam.", short="lr", group=TRAINING, live=True, label="Learning rate",
        low=1e-6, high=1.0, scale="log", paper="Kingma and Ba 2014, arXiv 1412.6980")
    batch: int = knob(128, "Items in one update.", short="batch", group=TRAINING, live=True, label="Batch size", low=1,
        high=4096, scale="log", unit="items")
    precision: fast.Precision = coders.precision_knob(TRAINING)
    # fmt: on


class Vae(Family):
    """An encoder of means and log variances, a decoder, one optimiser."""

    id = "vae"
    title = "VAE"
    paper = KINGMA
    Settings = VaeSettings
    abilities = frozenset({"encode", "decode", "generate"})
    takes = frozenset({"images", "sequences", "cloud"})
    opens_on = "digits"
    config: VaeSettings

    def __init__(self, config: Config, data: DataSet, rng: Streams) -> None:
        assert isinstance(config, VaeSettings)
        c, self.config, self.data, self.device = config, config, data, rng.device
        self.encoder = coders.encoder(data.shape, c, 2 * c.codings, rng["init"])
        self.decoder = coders.decoder(data.shape, c, c.codings, rng["init"])
        self.net = nn.ModuleDict({"encoder": self.encoder, "decoder": self.decoder})
        self.sigma = nn.Parameter(torch.zeros((), device=rng.device))  # the log of a learned σ
        if c.likelihood == "learned":
            self.net.register_parameter("log_sigma", self.sigma)
        self.flat = nets.flatten(self.net)
        self.optimiser = optim.make("adam", self.flat, lr=c.lr)
        self.steps = 0

    @classmethod
    def check(cls, config: Config, data: DataSet) -> None:
        """Refuse what has no likelihood: a Bernoulli speaks of numbers from 0 to 1."""
        super().check(config, data)
        assert isinstance(config, VaeSettings)
        coders.check(config, data)
        if config.likelihood == "bernoulli" and data.kind != "images":
            raise ConfigError(
                f"A Bernoulli likelihood takes numbers from 0 to 1, and {data.title} has others: "
                "choose the likelihood gaussian or learned."
            )

    @classmethod
    def listing(cls, config: Config, data: DataSet) -> Listing:
        assert isinstance(config, VaeSettings)
        return coder_listing.listing(config, data, "vae", COLUMNS=["loss/total", "loss/recon", "loss/kl"])

    @property
    def rows(self) -> int:
        return self.config.batch

    # -- the step ---------------------------------------------------------------------------------------------------

    def step(self, batch: Tensor, rng: Streams, players: Sequence[str] | None = None) -> StepResult:
        """Do one update on sampled codes."""
        c = self.config
        with fast.arithmetic(c.precision, self.device):
            q = va.posterior(self.encoder(batch).float())
            z = self.draw(q, c.samples, rng["noise"])
            fit = self._log_likelihood(batch, z)  # (k, B)
        kl = q.kl()  # (B, Z)
        total = self._objective(fit, kl, q, z)
        metrics = {"loss/total": total, "loss/recon": -fit.mean(), "loss/kl": kl.sum(1).mean()}
        if c.precision == "bfloat16" and fast.has_bfloat16(self.device) and (self.steps + 1) % coders.BESIDE == 0:
            with torch.no_grad():
                metrics["loss/float32"] = -self._log_likelihood(batch, z).mean()
        self.flat.backward(total)
        self.optimiser.step()
        self.steps += 1
        if c.likelihood == "learned":
            metrics["noise/sigma"] = self.log_sigma.exp()
        return StepResult(
            {name: value.detach() for name, value in metrics.items()} | {"grad/all": self.flat.grad_norm()}
        )

    def _objective(self, fit: Tensor, kl: Tensor, q: va.Posterior, z: Tensor) -> Tensor:
        """Return what training descends: of log p(x|z) (k, B), KL (B, Z) and the codes (k, B, Z) behind them."""
        c, risen = self.config, va.ramp(self.steps, self.config.warm_up)
        if c.samples > 1:
            return -va.importance_bound(fit + risen * c.beta * (va.log_prior(z) - q.log_density(z))).mean()
        cost = va.free_bits(kl, c.free_bits)
        if c.capacity:
            return c.beta * va.towards(cost, risen * c.capacity) - fit.mean()
        return risen * c.beta * cost - fit.mean()

    def draw(self, q: va.Posterior, samples: int, generator: torch.Generator) -> Tensor:
        """Return sampled codes (k, B, Z)."""
        return q.sample(torch.randn(samples, *q.mean.shape, generator=generator, device=self.device))

    def _log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Return log p(x|z) of items (B, *shape) and codes (k, B, Z), (k, B)."""
        raw = self.decoder(z.flatten(0, 1)).float().view(*z.shape[:2], *x.shape[1:])
        return va.log_likelihood(x, raw, self.config.likelihood, self.log_sigma)

    @property
    def log_sigma(self) -> Tensor:
        """The log of the σ around each number, learned or given."""
        learned = self.config.likelihood == "learned"
        return va.soft_floor(self.sigma) if learned else torch.full_like(self.sigma, math.log(self.config.sigma))

    # -- settings and state -----------------------------------------------------------------------------------------

    def set(self, config: Config) -> None:
        assert isinstance(config, VaeSettings)
        only_live(self.config, config)
        self.config = config
        self.optimiser.lr = config.lr

    def state(self) -> dict[str, Tensor]:
        parts: dict[str, dict[str, Tensor]] = {
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state(),
            "count": {"steps": torch.tensor(self.steps)},
        }
        return {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}

    @torch.no_grad()
    def load(self, state: dict[str, Tensor]) -> None:
        self.net.load_state_dict(part(state, "net"))
        self.optimiser.load(part(state, "optimiser"))
        self.steps = int(state["count/steps"])

    def describe(self) -> dict[str, str]:
        return {"Encoder": self.encoder.words(), "Decoder": self.decoder.words()}

    # -- what can be seen -------------------------------------------------------------------------------------------

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, self.config.codings, generator=generator, device=self.device)

    def generate(self, z: Tensor) -> Tensor:
        return self.decode(z)

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        return va.posterior(self.encoder(x)).mean

    @torch.no_grad()
    def spread(self, x: Tensor) -> Tensor:
        return (0.5 * va.posterior(self.encoder(x)).log_variance).exp()

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        return va.data_mean(self.decoder(z), self.config.likelihood)

    @torch.no_grad()
    def errors(self, x: Tensor) -> Tensor:
        """Return minus log p(x|z) in nats (n,) of each item at the mean of its codes: for sorting, not for a bound."""
        return -self._log_likelihood(x, self.encode(x)[None])[0]

    @torch.no_grad()
    def bounds(self, x: Tensor, samples: int, generator: torch.Generator) -> Bounds:
        q = va.posterior(self.encoder(x))
        z = self.draw(q, samples, generator)
        fit = self._log_likelihood(x, z)
        return Bounds(-fit.mean(0), q.kl(), va.importance_bound(fit + va.log_prior(z) - q.log_density(z)))

    @torch.no_grad()
    def activations(self, x: Tensor) -> dict[str, Tensor]:
        outputs, before = self.encoder.watch(x)
        return before | self.decoder.watch(va.posterior(outputs).mean)[1]

    def filters(self) -> Tensor | None:
        return self.encoder.filters(self.data.shape)

    def layout(self) -> list[Piece]:
        return [
            Piece("item", self.data.title, self.data.shape),
            *self.encoder.layout(),
            Piece("code", "Codings", (self.config.codings,), note="sampled: mean + spread × noise"),
            *self.decoder.layout(),
        ]
