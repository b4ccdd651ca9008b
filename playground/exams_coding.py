"""Exams of the coding families: what autoencoders must reproduce, through the step that a run trains with.

A8a  denoising = score         Alain and Bengio 2014, arXiv 1211.4246: (r(x̃) - x̃)/s² ≈ ∇ log p(x̃)
A9   linear = PCA              Baldi and Hornik 1989, Neural Networks 2, 53-58
A13  penalties, BEGAN's k      Rifai et al. 2011, ICML; Ng 2011, CS294A notes; Berthelot et al. 2017, arXiv 1703.10717
D2   stacked on Fashion-MNIST  Géron 2019, "Hands-on machine learning", chapter 17
D5   digits: error of PCA and of a curved autoencoder; D6a 5-NN on their codings; D8 one class against the rest
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from playground import sparsity
from playground.config import ConfigError
from playground.data import dataset
from playground.data.base import DataSet, Items, Kind, Table
from playground.exam_rows import Rows, near, row
from playground.families import began
from playground.families.autoencoder import Autoencoder, AutoencoderSettings
from playground.fast import use_threads
from playground.latent.neighbours import knn_accuracy
from playground.latent.pca import Pca
from playground.presets import preset
from playground.rng import Streams, fresh
from playground.variational import kl_normal


def train(data: DataSet, settings: AutoencoderSettings, steps: int, seed: int = 0) -> Autoencoder:
    """Train an autoencoder, its learning rate falling to 0 along a cosine."""
    use_threads(1)
    rng = Streams(seed)
    model = Autoencoder(settings, data, rng)
    for step in range(steps):
        model.optimiser.lr = settings.lr * (1 + math.cos(math.pi * step / steps)) / 2
        model.step(data.batch(model.rows, step * model.rows, rng), rng)
    return model


def mse(model: Autoencoder | Pca, x: Tensor) -> float:
    """Return the mean squared error a number of reconstructed items."""
    return float((model.decode(model.encode(x)) - x).square().mean())


# -- A. Theory --------------------------------------------------------------------------------------------------------

COVARIANCE = torch.tensor([[1.5, 0.8], [0.8, 1.0]])


class Correlated(DataSet):
    """Two correlated normal numbers."""

    id: ClassVar[str] = "correlated"
    title: ClassVar[str] = "Correlated pairs"
    about: ClassVar[str] = "A normal distribution in the plane."
    kind: ClassVar[Kind] = "cloud"

    @property
    def shape(self) -> tuple[int, ...]:
        """A pair."""
        return (2,)

    def labelled(self, n: int, taken: int, rng: Streams) -> Items:
        """Draw n pairs."""
        return Items(self.sample(n, rng["data"]))

    def held_out(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Draw n pairs from a stream of their own."""
        return Items(self.sample(n, fresh(seed, "held-out", device=device)))

    def known(self, n: int, seed: int, device: torch.device | str = "cpu") -> Items:
        """Draw n pairs likewise."""
        return Items(self.sample(n, fresh(seed, "known", device=device)))

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, 2) numbers."""
        root: Tensor = torch.linalg.cholesky(COVARIANCE).to(generator.device)
        return torch.randn(n, 2, generator=generator, device=generator.device) @ root.T


def a8a(steps: int = 3000, noise: float = 0.5) -> Rows:
    """A denoising autoencoder 2-64-64-2 moves a noisy point along the slope of the log density of noisy points.

    The two linear maps around 64 codings without a bend are one layer between two of tanh.
    """
    data = Correlated()
    settings = AutoencoderSettings(
        layers=1, width1=64, codings=64, activation="tanh", corruption="gaussian", strength=noise, lr=2e-3, batch=512
    )
    model = train(data, settings, steps)
    x = data.held_out(100_000, 0).x
    noisy = model.corrupt(x, fresh(0, "exam"))
    back = model.decode(model.encode(noisy))
    score = -noisy @ torch.linalg.inv(COVARIANCE + noise**2 * torch.eye(2))
    apart = float(((back - noisy) / noise**2 - score).square().mean().sqrt() / score.square().mean().sqrt())
    yield row("(r(x̃) - x̃)/s² against the score: relative RMSE", apart, "at most 0.1", apart <= 0.1)
    least = float((back - x).square().sum(1).mean())
    yield near("squared error, least possible 0.37884", least, 0.37884, by=0.01)


class CentredDigits(Table):
    """All 1,797 digits, the mean digit taken away."""

    id: ClassVar[str] = "centred-digits"
    title: ClassVar[str] = "Centred digits"
    about: ClassVar[str] = "All digits, centred."
    kind: ClassVar[Kind] = "images"

    @property
    def shape(self) -> tuple[int, ...]:
        """One grey channel of 8 x 8 pixels."""
        return (1, 8, 8)

    def load(self) -> tuple[Items, Items]:
        """Return the digits, to train on and to measure on."""
        train, held = _digits()
        x = torch.cat([train.x, held.x])
        items = Items(x - x.mean(0))
        return items, items


PCA_ERRORS = {2: 0.052426, 4: 0.037609, 8: 0.023913, 10: 0.019196, 16: 0.011044, 20: 0.007751, 32: 0.002467}


def a9(steps: int = 2500, codings: Iterable[int] = tuple(PCA_ERRORS)) -> Rows:
    """A linear autoencoder with the squared error ends where PCA starts: same error, same plane."""
    data = CentredDigits()
    x = data.on("cpu")[0].x
    for k in codings:
        model = train(data, AutoencoderSettings(body="linear", codings=k, lr=2e-2, batch=256), steps)
        yield near(f"{k} codings: error a pixel", mse(model, x), PCA_ERRORS[k], rel=0.01)
        if k == 2:
            angle = principal_angle(model.decoder.levels[0].weight.detach().T, Pca.fit(x, k).components)
            yield row("2 codings: largest angle to PCA's plane", angle, "below 5 degrees", angle < 5)


def principal_angle(a: Tensor, b: Tensor) -> float:
    """Return the largest principal angle in degrees of the spaces that rows (k, n) of two matrices span."""
    bases = [torch.linalg.qr(m.T.double()).Q for m in (a, b)]
    cosine = torch.linalg.svdvals(bases[0].T @ bases[1].to(bases[0].dtype)).min().clamp(max=1.0)
    return math.degrees(float(cosine.acos()))


def a13() -> Rows:
    """Closed forms: KL of a normal and of a coin, contraction of a sigmoid layer against autograd, BEGAN's control."""
    kl = kl_normal(torch.tensor(1.0).double(), torch.tensor(0.25).double().log())
    yield near("KL(N(1, 0.5²) ‖ N(0, 1))", float(kl), 0.818147, by=5e-7)
    yield near("KL(0.05 ‖ 0.2)", float(sparsity.bernoulli_kl(0.05, torch.tensor(0.2).double())), 0.093943, by=5e-7)
    generator = fresh(0, "exam")
    weight = torch.randn(32, 64, generator=generator).double() / 8
    x = torch.rand(20, 64, generator=generator).double().requires_grad_()
    codes = torch.sigmoid(x @ weight.T + 0.1)
    closed, exact = sparsity.contractive_sigmoid(weight, codes), sparsity.contractive(codes, x)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda item: torch.sigmoid(weight @ item + 0.1)))(x.detach())
    known = jacobian.square().sum((1, 2))
    for name, value in (("closed form", closed), ("by rows", exact)):
        apart = float(((value - known) / known).abs().max().detach())
        yield row(f"contractive penalty, {name}: relative to the Jacobian", apart, "at most 1e-05", apart <= 1e-5)
    k, real, fake = torch.tensor([0.0, 0.2, 0.05]).double()
    k, measure = began.control(k, real, fake, gamma=0.5, rate=0.001)
    yield near("BEGAN's k after errors 0.2 and 0.05", float(k), 5e-5, by=1e-9)
    yield near("BEGAN's M of them", float(measure), 0.25, by=1e-7)


# -- D. Autoencoders on digits ----------------------------------------------------------------------------------------


def _digits() -> tuple[Items, Items]:
    digits = dataset("digits")()
    assert isinstance(digits, Table)
    return digits.on("cpu")


@dataclass(frozen=True)
class Curved:
    """A recipe of the exams: 64-64-32-k with ELU, Adam 2e-3 along a cosine, batch 64."""

    codings: int
    epochs: int = 300

    def train(self, data: Table) -> Autoencoder:
        """Train it on the data set's items."""
        settings = AutoencoderSettings(width1=64, width2=32, codings=self.codings, lr=2e-3, batch=64)
        return train(data, settings, self.epochs * len(data.on("cpu")[0].x) // 64)


FULL = 60_000  # images in the training part of Fashion-MNIST


def d2() -> Rows:
    """The stacked recipe 784-100-30-100-784 on Fashion-MNIST: 20 epochs, and 10 with tied weights.

    The known figures are for the full set; with less of it the row says what it got and promises nothing.
    """
    clothes, recipe = dataset("fashion-mnist")(), preset("stacked").experiment.model
    assert isinstance(clothes, Table)
    assert isinstance(recipe, AutoencoderSettings)
    for tied, epochs, known in ((False, 20, 0.0132), (True, 10, 0.0133)):
        name, target = f"stacked{', tied' if tied else ''}: held-out error", f"{known:g} ± 0.05 relative"
        try:
            x, held = (items.x for items in clothes.on("cpu"))
        except ConfigError as error:
            yield {"name": name, "value": None, "target": target, "ok": None, "note": str(error)}
            continue
        rng = Streams(0)
        model = Autoencoder(recipe.with_values(tied=tied), clothes, rng)
        for step in range(epochs * len(x) // model.rows):
            model.step(clothes.batch(model.rows, step * model.rows, rng), rng)
        found = near(name, mse(model, held), known, rel=0.05, note=f"{len(x):,} images, {epochs} epochs")
        yield found if len(x) >= FULL else found | {"ok": None}


@cache
def curved_digits(codings: int, epochs: int) -> Autoencoder:
    """Return the recipe trained on three quarters of the digits (D5 and D6a look at the same nets)."""
    digits = dataset("digits")()
    assert isinstance(digits, Table)
    return Curved(codings, epochs).train(digits)


def d5(epochs: int = 300, codings: Iterable[int] = (2, 8)) -> Rows:
    """Error on held-out digits: PCA's known ones, and a curved autoencoder clearly below."""
    train_on, held = _digits()
    for k, known in ((2, 0.053018), (8, 0.024614), (16, 0.011539)):
        yield near(f"PCA, {k} components: held-out error", mse(Pca.fit(train_on.x, k), held.x), known, by=5e-7)
    for k in codings:
        bound = {2: 0.042, 8: 0.018}[k]
        error = mse(curved_digits(k, epochs), held.x)
        yield row(f"64-64-32-{k} ELU: held-out error", error, f"at most {bound:g}", error <= bound)


def d6a(epochs: int = 300, codings: Iterable[int] = (2, 8)) -> Rows:
    """How often the five nearest training codings name a held-out digit's class."""
    train_on, held = _digits()
    for k, known, bound in ((2, 0.618, 0.75), (8, 0.951, 0.955)):
        models: dict[str, Autoencoder | Pca] = {f"PCA, {k} components": Pca.fit(train_on.x, k)}
        models |= {f"64-64-32-{k} ELU": curved_digits(k, epochs)} if k in codings else {}
        for name, model in models.items():
            share = knn_accuracy(model.encode(held.x), held.labels, 5, model.encode(train_on.x), train_on.labels)
            if isinstance(model, Pca):
                yield near(f"{name}: 5-NN accuracy", share, known, by=5e-4)
            else:
                yield row(f"{name}: 5-NN accuracy", share, f"at least {bound:g}", share >= bound)


class OneDigit(Table):
    """The training digits of one class; all classes are held out."""

    id: ClassVar[str] = "one-digit"
    title: ClassVar[str] = "One digit"
    about: ClassVar[str] = "The digits of one class."
    kind: ClassVar[Kind] = "images"
    digit: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """One grey channel of 8 x 8 pixels."""
        return (1, 8, 8)

    def load(self) -> tuple[Items, Items]:
        """Return one class to train on, and the held-out digits of all."""
        train, held = _digits()
        assert train.labels is not None
        return Items(train.x[train.labels == self.digit]), held


def d8(epochs: int = 300, digits: Iterable[int] = range(10)) -> Rows:
    """Tell one class from all others by the error of a model that knows no other; area under the ROC curve."""
    held = _digits()[1]
    assert held.labels is not None
    areas: dict[str, list[float]] = {"PCA": [], "autoencoder": []}
    for digit in digits:
        data = OneDigit(digit=digit)
        models: dict[str, Autoencoder | Pca] = {
            "PCA": Pca.fit(data.on("cpu")[0].x, 8),
            "autoencoder": Curved(8, epochs).train(data),
        }
        for name, model in models.items():
            errors = (model.decode(model.encode(held.x)) - held.x).square().flatten(1).mean(1)
            areas[name].append(100 * float(roc_auc_score((held.labels != digit).numpy(), errors.numpy())))
    mean = {name: sum(values) / len(values) for name, values in areas.items()}
    worst = min(areas["autoencoder"])
    yield near("PCA, 8 components: mean AUROC", mean["PCA"], 99.35, by=0.005)
    yield row("64-64-32-8 ELU: mean AUROC", mean["autoencoder"], "at least 98.5", mean["autoencoder"] >= 98.5)
    yield row("64-64-32-8 ELU: worst class", worst, "at least 95", worst >= 95)


CODING: dict[str, Callable[[], Rows]] = {"A13": a13, "A8a": a8a, "A9": a9, "D5": d5, "D6a": d6a, "D8": d8, "D2": d2}
CODING_SLOW = frozenset[str]()
