"""Autoencoders: squeeze an item into a few numbers and build it again, with every classic way to make that useful.

Hinton and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks", Science 313, 504-507:

    min over f, g   E_x  error(g(f(x̃)), x) + penalty(f(x))

x̃ is x itself, or x with noise (denoising); the penalty is nothing, sparsity or contraction. With linear f and g and the
squared error this is PCA. Watch the reconstructions sharpen and the codings of like items drift together; with more
codings than the data needs and nothing to hinder it, the net learns to copy and its codings mean little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from playground import coder_listing, coders, corruption, fast, nets, optim, reconstruction, sparsity
from playground.coders import BodySettings
from playground.config import Config, ConfigError, knob
from playground.corruption import Corruption
from playground.data.base import DataSet
from playground.families.base import Family, Listing, Piece, StepResult, only_live, part
from playground.rng import Streams
from playground.sparsity import Sparsity

HINTON = "Hinton and Salakhutdinov 2006, Science 313; Vincent et al. 2010, JMLR 11; Rifai et al. 2011, ICML"
VINCENT = "Vincent et al. 2010, JMLR 11, 3371"
BENGIO = "Bengio et al. 2006, NIPS 19"
CODE, OBJECTIVE, NOISE, TRAINING = "Codings", "Objective", "Corruption", "Training"


class AutoencoderSettings(BodySettings):
    """What can be set on an autoencoder. Live fields act on the running model; the others build it anew."""

    # fmt: off
    tied: bool = knob(False, "The decoder uses the encoder's weights, transposed: half the parameters.", short="tied",
        group=coders.NET, label="Tied weights", needs=("has_levels", (True,)), paper=VINCENT)
    stack_steps: int = knob(0, "Train layer by layer from the outside in, each for so many steps, then all together; "
        "0 trains all at once.", short="stack", group=coders.NET, label="Steps a layer (stacking)", low=0, high=100_000,
        scale="log", unit="steps", needs=("body", ("dense",)), paper=BENGIO)
    code_bend: Literal["none", "sigmoid", "tanh", "relu"] = knob("none", "Bend of the codings; the KL penalty always "
        "takes a sigmoid.", short="bend", group=CODE, label="Activation of codings",
        choice_labels=("none", "sigmoid", "tanh", "ReLU"))

    loss: reconstruction.Name = knob("mse", "How a reconstruction is compared with its item.", short="loss",
        group=OBJECTIVE, live=True, choice_labels=("squared error", "cross-entropy", "absolute error", "SSIM"),
        paper="Wang et al. 2004, IEEE TIP 13 (SSIM)")
    output: Literal["linear", "sigmoid"] = knob("linear", "Last step of the decoder: a free number, or one between 0 "
        "and 1. Cross-entropy always takes a sigmoid.", short="out", group=OBJECTIVE,
        needs=("loss", ("mse", "l1", "ssim")))
    corruption: Corruption = knob("none", "Show the encoder a damaged item and ask for the clean one.",
        short="noise", group=NOISE, live=True, paper=VINCENT,
        choice_labels=("none", "Gaussian", "dropout mask", "salt and pepper"))
    strength: float = knob(0.3, "Standard deviation of Gaussian noise; else the share of numbers that are damaged.",
        short="strength", group=NOISE, live=True, low=0.0, high=1.0, step=0.01, paper=VINCENT,
        needs=("corruption", ("gaussian", "mask", "salt-pepper")))
    sparsity: Sparsity = knob("none", "Keep most codings quiet: charge their size (L1), pull each one's mean to ρ "
        "(KL), or keep only the k largest of an item.", short="sparse", group=CODE, live=True,
        paper="Makhzani and Frey 2013, arXiv 1312.5663", choice_labels=("none", "L1", "KL to ρ", "k-sparse"))
    l1_weight: float = knob(1.0, "Weight of the codings' sizes against the reconstruction error of an item.",
        short="l1", group=CODE, live=True, label="L1 weight", low=0.0, high=100.0, scale="log", step=0.001,
        needs=("sparsity", ("l1",)))
    kl_weight: float = knob(10.0, "Weight of the codings' distance from ρ against the reconstruction error of an item.",
        short="klw", group=CODE, live=True, label="KL weight", low=0.0, high=100.0, scale="log", step=0.001,
        needs=("sparsity", ("kl",)))
    rho: float = knob(0.05, "Share of items for which a coding should be on.", short="rho", group=CODE, live=True,
        label="Target ρ", low=0.01, high=0.5, step=0.01, needs=("sparsity", ("kl",)), paper="Ng 2011, CS294A notes")
    keep: int = knob(8, "Codings of an item that are kept.", short="ksp", group=CODE, live=True, label="k",
        low=1, high=256, scale="log", needs=("sparsity", ("k-sparse",)))
    contractive: float = knob(0.0, "Weight of ‖∂codings/∂item‖²: codings that move little when the item does.",
        short="cw", group=CODE, live=True, label="Contractive weight", low=0.0, high=100.0, scale="log", step=0.001,
        needs=("body", ("linear", "dense", "conv")), paper="Rifai et al. 2011, ICML")

    optimiser: Literal["adam", "nadam", "rmsprop", "sgd"] = knob("adam", "Rule of the updates.", short="opt",
        group=TRAINING, choice_labels=("Adam", "Nadam", "RMSprop", "SGD"), paper="Kingma and Ba 2014, arXiv 1412.6980")
    lr: float = knob(1e-3, "Learning rate.", short="lr", group=TRAINING, live=True, label="Learning rate", low=1e-6,
        high=1.0, scale="log")
    momentum: float = knob(0.0, "Momentum of SGD and RMSprop.", short="mom", group=TRAINING, live=True, low=0.0,
        high=0.999, step=0.01, needs=("optimiser", ("sgd", "rmsprop")))
    batch: int = knob(128, "Items in one update.", short="batch", group=TRAINING, live=True, label="Batch size", low=1,
        high=4096, scale="log", unit="items")
    precision: fast.Precision = coders.precision_knob(TRAINING)
    # fmt: on

    @property
    def has_levels(self) -> bool:
        """Whether the layers are fully connected, so that a decoder's can be an encoder's transposed."""
        return self.body in ("linear", "dense")

    @property
    def bend(self) -> str:
        """The activation of the codings: KL to ρ compares shares, so it takes a sigmoid."""
        return "sigmoid" if self.sparsity == "kl" else self.code_bend

    @property
    def sparse_weight(self) -> float:
        """The weight of the sparsity penalty in use."""
        return self.kl_weight if self.sparsity == "kl" else self.l1_weight

    @property
    def squash(self) -> str:
        """The last activation of the decoder."""
        return "sigmoid" if self.loss == "bce" or self.output == "sigmoid" else "none"


class Autoencoder(Family):
    """An encoder, a decoder, one optimiser."""

    id = "autoencoder"
    title = "Autoencoder"
    paper = HINTON
    Settings = AutoencoderSettings
    abilities = frozenset({"encode", "decode"})
    takes = frozenset({"images", "sequences", "cloud"})
    opens_on = "digits"
    config: AutoencoderSettings

    def __init__(self, config: Config, data: DataSet, rng: Streams) -> None:
        assert isinstance(config, AutoencoderSettings)
        c, self.config, self.data, self.device = config, config, data, rng.device
        self.encoder = coders.encoder(data.shape, c, c.codings, rng["init"])
        tied = self.encoder if c.tied and c.has_levels else None
        self.decoder = coders.decoder(data.shape, c, c.codings, rng["init"], tied)
        self.net = nn.ModuleDict({"encoder": self.encoder, "decoder": self.decoder})
        self.flat = nets.flatten(self.net)
        self.optimiser = optim.make(c.optimiser, self.flat, lr=c.lr, momentum=c.momentum)
        self.steps = 0

    @classmethod
    def check(cls, config: Config, data: DataSet) -> None:
        """Refuse what cannot be compared: cross-entropy and SSIM read images."""
        super().check(config, data)
        assert isinstance(config, AutoencoderSettings)
        coders.check(config, data)
        if config.loss in ("bce", "ssim") and data.kind != "images":
            name = "Cross-entropy" if config.loss == "bce" else "SSIM"
            raise ConfigError(f"{name} compares images, and {data.title} is {data.kind}: choose the loss mse or l1.")

    @classmethod
    def listing(cls, config: Config, data: DataSet) -> Listing:
        assert isinstance(config, AutoencoderSettings)
        c, contract = config, config.contractive if config.body != "recurrent" else 0.0
        sparse, told = c.sparsity in sparsity.PENALTIES, ("loss/total", "loss/recon")
        told += (*(("loss/sparse",) if sparse else ()), *(("loss/contractive",) if contract else ()))
        return coder_listing.listing(
            c, data, "autoencoder", TIED=c.tied and c.has_levels, BEND=c.bend, CONTRACTIVE=contract,
            BENDS=c.bend != "none" or c.sparsity == "k-sparse", SPARSE_WEIGHT=c.sparse_weight,
            OUTPUT="sigmoid" if c.squash == "sigmoid" else "linear", COLUMNS=list(told) if len(told) > 2 else [told[0]],
            EVER_NOISY=contract > 0 or (c.corruption != "none" and c.strength > 0), EVER_TERMS=len(told) > 2,
            STACK_STEPS=c.stack_steps if c.body == "dense" else 0, PARTIAL=c.body == "dense" and c.stack_steps > 0,
        )  # fmt: skip

    @property
    def rows(self) -> int:
        return self.config.batch

    # -- the step ---------------------------------------------------------------------------------------------------

    def step(self, batch: Tensor, rng: Streams, players: Sequence[str] | None = None) -> StepResult:
        """Do one update; while layers are stacked, of one layer and its mirror image alone."""
        level, every = self.level, self.config.stack_steps if self.config.body == "dense" else 0
        if every and self.steps % every == 0 and self.steps <= every * (self.config.depth + 1):
            self._forget()
        noisy = self.corrupt(batch, rng["corruption"])
        metrics = self._losses(batch, noisy, level, rng)
        if self._half and (self.steps + 1) % coders.BESIDE == 0 and level is None:
            with torch.no_grad():
                metrics["loss/float32"] = self._plain(batch, noisy)[0]
        self.flat.backward(metrics["loss/total"])
        self.optimiser.step()
        self.steps += 1
        metrics["grad/all"] = self.flat.grad_norm()
        if every:
            metrics["stack/layer"] = torch.full((), 0.0 if level is None else level + 1.0, device=self.device)
        return StepResult({name: value.detach() for name, value in metrics.items()})

    def _losses(self, x: Tensor, noisy: Tensor, level: int | None, rng: Streams) -> dict[str, Tensor]:
        """Return the reconstruction error, each penalty by itself, and their weighted sum."""
        c = self.config
        contract = c.contractive > 0 and level is None and c.body != "recurrent"
        if contract:
            noisy = noisy.detach().requires_grad_()
        with fast.arithmetic(c.precision, self.device):
            recon, codes = self._plain(x, noisy) if level is None else self._stacked(x, noisy, level)
        metrics = {"loss/total": recon, "loss/recon": recon}
        if c.sparsity in sparsity.PENALTIES and level in (None, c.depth):
            metrics["loss/sparse"] = sparsity.PENALTIES[c.sparsity](codes.float(), c.rho)
            metrics["loss/total"] = metrics["loss/total"] + c.sparse_weight * metrics["loss/sparse"]
        if contract:
            metrics["loss/contractive"] = self._contractive(codes, noisy, rng).mean()
            metrics["loss/total"] = metrics["loss/total"] + c.contractive * metrics["loss/contractive"]
        return metrics

    def _plain(self, x: Tensor, noisy: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean error of a batch and its codes (B, Z)."""
        codes = self._bend(self.encoder(noisy))
        return self._error(self.decoder(codes), x).mean(), codes

    def _stacked(self, x: Tensor, noisy: Tensor, level: int) -> tuple[Tensor, Tensor]:
        """Return the same for the autoencoder of one layer, fed by the finished layers before it."""
        down, up = self.encoder.levels, self.decoder.levels[::-1]
        clean, entering = x.flatten(1), noisy.flatten(1)
        with torch.no_grad():
            for stop in down[:level]:
                clean, entering = stop(clean), stop(entering)
        codes = down[level](entering)
        codes = self._bend(codes) if level == len(down) - 1 else codes
        y = up[level](codes)
        error = reconstruction.squared(y.float(), clean.float()) if level else self._error(y.view_as(x), x)
        return error.mean(), codes

    @property
    def level(self) -> int | None:
        """The layer that stacking trains now, 0 the outermost; None where all train together."""
        c = self.config
        if c.body != "dense" or not self.steps < c.stack_steps * (c.depth + 1):
            return None
        return self.steps // c.stack_steps

    def _forget(self) -> None:
        """Let the optimiser forget: what it remembers of finished layers would go on moving them."""
        for memory in self.optimiser.state().values():
            memory.zero_()

    def _contractive(self, codes: Tensor, x: Tensor, rng: Streams) -> Tensor:
        c = self.config
        if c.body == "linear" and c.bend == "sigmoid" and c.sparsity != "k-sparse":
            (only,) = self.encoder.levels
            return sparsity.contractive_sigmoid(only.weight, codes.float())
        return sparsity.contractive(codes, x, rng["contractive"])

    def _bend(self, codes: Tensor) -> Tensor:
        codes = coders.ACTIVATIONS[self.config.bend](codes)
        return sparsity.keep_largest(codes, self.config.keep) if self.config.sparsity == "k-sparse" else codes

    def _error(self, y: Tensor, x: Tensor) -> Tensor:
        """Return each item's error (B,) from the decoder's output before its last activation."""
        c, y = self.config, y.float()
        return reconstruction.LOSSES[c.loss](y if c.loss == "bce" else coders.ACTIVATIONS[c.squash](y), x)

    @property
    def _half(self) -> bool:
        return self.config.precision == "bfloat16" and fast.has_bfloat16(self.device)

    # -- settings and state -----------------------------------------------------------------------------------------

    def set(self, config: Config) -> None:
        assert isinstance(config, AutoencoderSettings)
        only_live(self.config, config)
        self.config = config
        self.optimiser.lr, self.optimiser.momentum = config.lr, config.momentum

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

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        return self._bend(self.encoder(x))

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        return coders.ACTIVATIONS[self.config.squash](self.decoder(z))

    @torch.no_grad()
    def errors(self, x: Tensor) -> Tensor:
        """Return the training loss's reconstruction error of items (n, *shape), clean, one by one (n,)."""
        return self._error(self.decoder(self._bend(self.encoder(x))), x)

    def corrupt(self, x: Tensor, generator: torch.Generator) -> Tensor:
        c = self.config
        return corruption.corrupt(c.corruption, x, c.strength, generator, images=self.data.kind == "images")

    @torch.no_grad()
    def activations(self, x: Tensor) -> dict[str, Tensor]:
        codes, before = self.encoder.watch(x)
        codes = self._bend(codes)
        bent = {"Codings": codes} if self.config.bend != "none" or self.config.sparsity == "k-sparse" else {}
        return before | bent | self.decoder.watch(codes)[1]

    def filters(self) -> Tensor | None:
        return self.encoder.filters(self.data.shape)

    def layout(self) -> list[Piece]:
        return [
            Piece("item", self.data.title, self.data.shape),
            *self.encoder.layout(),
            Piece(
                "code", "Codings", (self.config.codings,), note="" if self.config.bend == "none" else self.config.bend
            ),
            *self.decoder.layout(),
        ]
