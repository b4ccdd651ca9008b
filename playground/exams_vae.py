"""Exams of the variational families: what a VAE must reproduce, through the step that a run trains with.

A12  posterior collapse and probabilistic PCA   Lucas et al. 2019, arXiv 1911.02469; Tipping and Bishop 1999, J. Royal
     Statistical Society B 61, 611-622: a linear VAE keeps the directions whose variance exceeds β σ²; with a learned σ
     its bound reaches -½ (D ln 2π + Σ ln λᵢ + (D - q) ln σ² + D), σ² the mean of the variances left out
B9   trustworthiness of a map by two principal components
D1a  VAE 784-400-20 on 10,000 MNIST images, against the same model in plain PyTorch
D10  β-VAE: nats in the code against reconstruction
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from playground.config import ConfigError
from playground.data import dataset
from playground.data.base import DataSet, Items, Table
from playground.exam_rows import Rows, near, row
from playground.exams_coding import CentredDigits
from playground.families.vae import Vae, VaeSettings
from playground.fast import use_threads
from playground.latent.neighbours import trustworthiness
from playground.latent.pca import Pca
from playground.rng import Streams, fresh
from playground.variational import Posterior, posterior

LINEAR = VaeSettings(body="linear", codings=16, likelihood="gaussian", lr=3e-2)
DENSE = VaeSettings(layers=1, width1=400, codings=20, activation="relu", likelihood="bernoulli", lr=1e-3, batch=128)


def table(name: str) -> tuple[Table, Items, Items]:
    """Return a data set with its training and held-out items."""
    data = dataset(name)()
    assert isinstance(data, Table)
    return data, *data.on("cpu")


def train(data: Table, settings: VaeSettings, steps: int, *, cosine: bool = True) -> Vae:
    """Train a VAE; its learning rate falls to 0 along a cosine, or stays."""
    use_threads(1)
    rng = Streams(0)
    model = Vae(settings, data, rng)
    for step in range(steps):
        if cosine:
            model.optimiser.lr = settings.lr * (1 + math.cos(math.pi * step / steps)) / 2
        model.step(data.batch(model.rows, step * model.rows, rng), rng)
    return model


def measured(model: Vae, x: Tensor, samples: int = 16) -> tuple[float, Tensor]:
    """Return -log p(x|z) (sampled z) and the KL by dimension (Z,), means over items, in nats."""
    found = model.bounds(x, samples, fresh(0, "exam"))
    return float(found.recon.mean()), found.kl.mean(0)


# -- A. Theory --------------------------------------------------------------------------------------------------------

ACTIVE = ((0.1, 1.0, 12), (0.25, 1.0, 5), (0.5, 1.0, 3), (0.05, 4.0, 7))


class EvenNoise(Vae):
    """A VAE whose noise has mean 0, covariance I and no correlation with the data in every batch, not only on average.

    A linear decoder's loss depends on nothing else, so one draw gives the expectation itself. With plain noise the turn
    to the principal axes, worth a thousandth of a nat for the faintest, takes Adam ten times as many steps.
    """

    def draw(self, q: Posterior, samples: int, generator: torch.Generator) -> Tensor:
        """Return codes (1, B, Z) of all items of the data, in their order."""
        noise = torch.randn(q.mean.shape, generator=generator)
        noise -= self._span @ (self._span.T @ noise)
        return q.sample(torch.linalg.qr(noise).Q[None] * math.sqrt(len(noise)))

    @cached_property
    def _span(self) -> Tensor:
        """An orthonormal basis (B, rank) of what constants and the items' numbers span."""
        x = everything(self.data).flatten(1).double()
        u, s, _ = torch.linalg.svd(torch.cat([torch.ones(len(x), 1), x], 1), full_matrices=False)
        basis: Tensor = u[:, s > 1e-6 * s[0]].float()
        return basis


def everything(data: DataSet) -> Tensor:
    """Return the items to train on."""
    assert isinstance(data, Table)
    return data.on("cpu")[0].x


def linear_vae(steps: int, **values: object) -> tuple[Vae, Tensor]:
    """Train a linear VAE on all centred digits at once, the learning rate falling along a cosine; return both."""
    use_threads(1)
    data, rng = CentredDigits(), Streams(0)
    x, model = everything(data), EvenNoise(LINEAR.with_values(**values), data, rng)
    for step in range(steps):
        model.optimiser.lr = LINEAR.lr * (1 + math.cos(math.pi * step / steps)) / 2
        model.step(x, rng)
    return model, x


def a12(steps: int = 4000, cases: Iterable[tuple[float, float, int]] = ACTIVE) -> Rows:
    """A linear VAE of 16 dimensions on digits: how many stay active, and how near it comes to probabilistic PCA."""
    for variance, beta, known in cases:
        model, x = linear_vae(steps, sigma=math.sqrt(variance), beta=beta)
        with torch.no_grad():
            kl = posterior(model.encoder(x)).kl().mean(0)
        active = int((kl > 1e-3).sum())
        told = " ".join(f"{v:.3f}" for v in sorted(kl.tolist(), reverse=True))
        yield near(f"σ² {variance:g}, β {beta:g}: dimensions with a KL above 0.001", active, known, by=0, note=told)
    yield from _probabilistic_pca(steps)


def _probabilistic_pca(steps: int, codings: int = 8) -> Rows:
    model, x = linear_vae(steps, likelihood="learned", codings=codings)
    plain = Vae(model.config, model.data, Streams(0))  # its bound comes from ordinary samples
    plain.load(model.state())
    recon, kl = measured(plain, x)
    log_likelihood, sigma = probabilistic_pca(x, codings)
    elbo, learned = -recon - float(kl.sum()), float(plain.log_sigma.detach().exp())
    yield near(f"{codings} codings, σ learned: ELBO against PCA's log p(x)", elbo, log_likelihood, by=0.1)
    yield near(f"{codings} codings, σ learned: σ against the closed form", learned, sigma, rel=0.01)


def probabilistic_pca(x: Tensor, codings: int) -> tuple[float, float]:
    """Return the mean log likelihood in nats of items (n, *shape) under probabilistic PCA at its optimum, and its σ."""
    centred = (x - x.mean(0)).flatten(1).double()
    n, numbers = centred.shape
    values = torch.linalg.eigvalsh(centred.T @ centred / n).flip(0)
    kept, noise = values[:codings], float(values[codings:].mean())
    inner = numbers * math.log(2 * math.pi) + float(kept.log().sum()) + (numbers - codings) * math.log(noise) + numbers
    return -0.5 * inner, math.sqrt(noise)


# -- B. Metrics -------------------------------------------------------------------------------------------------------


def b9() -> Rows:
    """How far the map of the digits by two principal components can be trusted."""
    _, items, held = table("digits")
    x = torch.cat([items.x, held.x])
    points = Pca.fit(x.double(), 2).encode(x.double())
    for k, known in ((5, 0.830427), (12, 0.829607)):
        yield near(f"trustworthiness of PCA-2, {k} neighbours", trustworthiness(x, points, k), known, by=2e-6)


# -- D. VAEs on images ------------------------------------------------------------------------------------------------


class Plain(nn.Module):
    """VAE 784-400-20 as tutorials write it: two heads, a sigmoid, summed cross-entropy plus KL."""

    def __init__(self, like: Vae) -> None:
        """Start from the weights of `like`, which has both heads in one layer."""
        super().__init__()
        self.into, heads = (nn.Linear(*size) for size in ((784, 400), (400, 40)))
        self.out, self.last = (nn.Linear(*size) for size in ((20, 400), (400, 784)))
        layers = [stop.layer for path in (like.encoder, like.decoder) for stop in path.levels]
        for mine, theirs in zip((self.into, heads, self.out, self.last), layers, strict=True):
            mine.load_state_dict(theirs.state_dict())
        self.mean, self.log_variance = nn.Linear(400, 20), nn.Linear(400, 20)
        for i, head in enumerate((self.mean, self.log_variance)):
            head.load_state_dict({n: t.chunk(2)[i] for n, t in heads.state_dict().items()})

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:  # (B, 784) -> means and log variances (B, 20)
        h = torch.relu(self.into(x))
        return self.mean(h), self.log_variance(h)

    def decode(self, z: Tensor) -> Tensor:  # (B, 20) -> (B, 784)
        return torch.sigmoid(self.last(torch.relu(self.out(z))))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # (B, 784) -> (B, 784), (B, 20), (B, 20)
        mean, log_variance = self.encode(x)
        return self.decode(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)), mean, log_variance

    def loss(self, x: Tensor) -> Tensor:
        """Return the negative ELBO of images (B, 784), summed over the batch."""
        y, mean, log_variance = self(x)
        kl = -0.5 * torch.sum(1 + log_variance - mean.square() - log_variance.exp())
        return F.binary_cross_entropy(y, x, reduction="sum") + kl


class PlainLoop:
    """The loop of the tutorials: a DataLoader that collates item by item, Adam, and the loss read at every step."""

    def __init__(self, model: Plain, x: Tensor) -> None:
        self.model, self.x = model, x
        self.adam = torch.optim.Adam(model.parameters(), lr=1e-3)
        self.loader = DataLoader(TensorDataset(x), batch_size=128, shuffle=True)

    def epoch(self) -> float:
        """Train on every image once; return the mean loss."""
        total = 0.0
        for (x,) in self.loader:
            self.adam.zero_grad()
            loss = self.model.loss(x.view(len(x), -1)) / len(x)
            loss.backward()  # type: ignore[no-untyped-call]
            self.adam.step()
            total += loss.item() * len(x)
        return total / len(self.x)


def d1a(epochs: int = 10) -> Rows:
    """The VAE of the tutorials on 8,000 images: held-out negative ELBO, beside a plain loop's from the same start."""
    try:
        data, items, held = table("mnist")
    except ConfigError as error:
        yield {"name": "VAE 784-400-20 on MNIST", "value": None, "target": "", "ok": None, "note": str(error)}
        return
    start = Vae(DENSE, data, Streams(0))
    with torch.random.fork_rng(devices=[]):  # the plain loop draws from PyTorch's one generator
        torch.manual_seed(0)
        plain = PlainLoop(Plain(start), items.x)
        for _ in range(epochs):
            plain.epoch()
        with torch.no_grad():
            known = sum(float(plain.model.loss(held.x.flatten(1))) for _ in range(4)) / 4 / len(held.x)
    model = train(data, DENSE, math.ceil(epochs * len(items.x) / 128), cosine=False)
    recon, kl = measured(model, held.x, 4)
    note = f"{len(items.x):,} images to train on, {len(held.x):,} held out, {epochs} epochs"
    yield near(
        "negative ELBO of held-out images against the plain loop's", recon + float(kl.sum()), known, rel=0.01, note=note
    )


def d10(steps: int = 2000, betas: Iterable[float] = (0.5, 1.0, 2.0, 4.0)) -> Rows:
    """A higher β buys fewer nats in the code with worse reconstructions."""
    data, _, held = table("digits")
    settings = VaeSettings(codings=8, activation="relu", lr=2e-3)
    found = [(beta, *measured(train(data, settings.with_values(beta=beta), steps), held.x)) for beta in betas]
    told = ", ".join(f"β {beta:g}: KL {float(kl.sum()):.2f} recon {recon:.2f}" for beta, recon, kl in found)
    nats, errors = [float(kl.sum()) for _, _, kl in found], [recon for _, recon, _ in found]
    falls = min(a - b for a, b in itertools.pairwise(nats))
    rises = min(b - a for a, b in itertools.pairwise(errors))
    yield row("KL falls with β: least fall", falls, "above 0", falls > 0, told)
    yield row("reconstruction loss rises with β: least rise", rises, "above 0", rises > 0)


VARIATIONAL: dict[str, Callable[[], Rows]] = {"B9": b9, "A12": a12, "D10": d10, "D1a": d1a}
VARIATIONAL_SLOW = frozenset({"A12", "D10", "D1a"})
