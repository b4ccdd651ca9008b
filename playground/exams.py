"""Exams: what the lab must reproduce because the answer is known, through the same code that a run trains with.

Each exam returns rows of name, value, target and verdict; `python -m playground bench exams` prints them. The quick
ones are closed forms, games of two numbers and a D alone; those in `SLOW` train whole GANs for minutes.

    A1   Dirac-GAN radii          Mescheder et al. 2018, arXiv 1801.04406
    A3   bilinear game            the same; Daskalakis et al. 2018, arXiv 1711.00141
    A5a  optimal discriminator    Goodfellow et al. 2014, arXiv 1406.2661: D = p/(p+q), L_D = 2 ln 2 - 2 JSD
    A7   critic's estimate of W1  Gulrajani et al. 2017, arXiv 1704.00028; Miyato et al. 2018, arXiv 1802.05957
    B1   divergences at m of K modes, B6 Frechet distance, B8 birthday paradox; B4 and B5a in `exams_metrics`
    C2   packing on a ring        Lin et al. 2018, arXiv 1712.04086
    C5a  unrolling on a ring      Metz et al. 2017, arXiv 1611.02163
    C6   WGAN-GP on a ring        Gulrajani et al. 2017, arXiv 1704.00028

Those of the families that code stand in `exams_coding` and `exams_vae`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from playground import nets
from playground.data.base import Distribution
from playground.diagnostics import birthday, distances
from playground.diagnostics.frechet import frechet
from playground.diagnostics.modes import ModeScore, reverse_kl, score_modes
from playground.engine.loop import Loop
from playground.exam_rows import Rows, near, row
from playground.exams_coding import CODING, CODING_SLOW
from playground.exams_metrics import METRICS
from playground.exams_vae import VARIATIONAL, VARIATIONAL_SLOW
from playground.experiment import Experiment
from playground.families.gan import Gan
from playground.fast import use_threads
from playground.games import Game, play
from playground.gan_settings import GanSettings
from playground.rng import Streams, fresh

# -- A. Theory --------------------------------------------------------------------------------------------------------

# Loss settings, final radius with simultaneous and with alternating steps (G first). The Dirac-GAN paper writes its
# penalty lambda/2 (|D'| - 1)^2, so lambda 0.7 there is a weight of 0.35 here. "Without clip" is a weight of 0.
DIRAC: list[tuple[str, dict[str, Any], float, float]] = [
    ("GAN", {"loss": "minimax"}, 3.09695, 1.42102),
    ("NS-GAN", {"loss": "non-saturating"}, 0.640207, 0.283923),
    ("WGAN without clip", {"loss": "wasserstein-gp", "penalty_weight": 0.0}, 25636, 1.39786),
    ("WGAN clip 1", {"loss": "wasserstein-clip", "clip": 1.0}, 1.00215, 1.02412),
    ("WGAN-GP 0.7", {"loss": "wasserstein-gp", "penalty_weight": 0.35}, 1.80179, 1.22107),
]
DIRAC_BELOW: list[tuple[str, dict[str, Any], float]] = [
    ("GAN with R1 0.3", {"loss": "minimax", "penalty": "r1", "penalty_weight": 0.3}, 1e-5),
    ("GAN with R1 1", {"loss": "minimax", "penalty": "r1", "penalty_weight": 1.0}, 1e-5),
    ("NS-GAN with R1 0.3", {"loss": "non-saturating", "penalty": "r1", "penalty_weight": 0.3}, 1e-5),
    ("instance noise 0.7", {"loss": "minimax", "instance_noise": 0.7, "batch": 4096}, 0.05),
]
PLAIN_STEPS = {"optimiser_d": "sgd", "optimiser_g": "sgd", "lr_d": 0.2, "lr_g": 0.2, "batch": 1}


def dirac_radius(settings: dict[str, Any], order: str, steps: int = 500) -> float:
    """Play the Dirac-GAN with the GAN family's own step; alternating as in the paper, G first."""
    experiment = Experiment(dataset="dirac").changed(**PLAIN_STEPS | settings, order=order)
    rng = Streams(0)
    gan = Gan(experiment.model, experiment.data, rng)
    turns: list[tuple[str, ...]] = [("d", "g")] if order == "simultaneous" else [("g",), ("d",)]
    for _ in range(steps):
        for players in turns:
            gan.step(experiment.points.sample(gan.rows, rng["data"]), rng, players)
    return float(gan.phase().double().norm())


def a1() -> Rows:
    """Dirac-GAN: how far from the equilibrium 500 steps from (1, 1) end."""
    for name, settings, simultaneous, alternating in DIRAC:
        yield near(f"{name}, simultaneous", dirac_radius(settings, "simultaneous"), simultaneous, rel=1e-3)
        yield near(f"{name}, alternating", dirac_radius(settings, "alternating"), alternating, rel=1e-3)
    for name, settings, bound in DIRAC_BELOW:
        radius = dirac_radius(settings, "simultaneous")
        yield row(name, radius, f"below {bound:g}", radius < bound)
    radius = float(play(500, Game(consensus=1.0))[-1].norm())
    yield row("GAN with consensus 1", radius, "below 1e-05", radius < 1e-5, "exact game, not in the lab")


def a3() -> Rows:
    """Bilinear game: ratio of the radii after 1,000 steps of 0.1."""
    for order, known in (("simultaneous", 144.77277), ("extragradient", 0.00691083), ("optimistic", 0.00630474)):
        path = play(1000, Game(loss="wasserstein", order=order, lr_g=0.1, lr_d=0.1))  # type: ignore[arg-type]
        yield near(order, float(path[-1].norm() / path[0].norm()), known, rel=1e-6)
    path = play(1000, Game(loss="wasserstein", order="alternating", lr_g=0.1, lr_d=0.1))
    yield near("alternating", float(path[-1].norm() / path[0].norm()), 0.98943, by=5e-6)


class Shifted(nn.Module):
    """A generator that adds a number to standard normal noise: its fakes are N(shift, 1)."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor([shift]))

    def forward(self, z: Tensor) -> Tensor:  # (B, 1) -> (B, 1)
        return z + self.shift


class TwoNormals(Distribution):
    """Data N(0, 1) against a fixed generator of N(shift, 1), and a D to be trained."""

    id: ClassVar[str] = "two-normals"
    title: ClassVar[str] = "Two normal distributions"
    about: ClassVar[str] = "A known data distribution against a known generator."
    dim: ClassVar[int] = 1
    shift: float = 2.0
    spectral: bool = False

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, 1) standard normal numbers."""
        return torch.randn(n, 1, generator=generator, device=generator.device)

    def players(self) -> tuple[nn.Module, nn.Module]:
        """Return the fixed generator and an MLP 1-64-64-1 with ReLU."""
        d = nets.MLP([1, 64, 64, 1], activation="relu", generator=fresh(0, "exam"), spectral=self.spectral)
        return Shifted(self.shift), d

    @property
    def extent(self) -> float:
        """Four standard deviations around both."""
        return 4.0 + abs(self.shift)


def train_d(data: TwoNormals, settings: GanSettings, steps: int, warm_up: GanSettings | None = None) -> Gan:
    """Train D alone, its learning rate falling to 0 along a cosine; `warm_up` are the settings of the first tenth."""
    use_threads(1)
    rng = Streams(0)
    gan = Gan(settings if warm_up is None else warm_up, data, rng)
    for step in range(steps):
        if step == steps // 10:
            gan.set(settings)
        gan.optimiser["d"].lr = settings.lr_d * (1 + math.cos(math.pi * step / steps)) / 2
        gan.step(data.sample(gan.rows, rng["data"]), rng, ("d",))
    return gan


def normal_jsd(shift: float) -> float:
    """Return the Jensen-Shannon divergence in nats of N(0, 1) and N(shift, 1), by a Riemann sum in float64."""
    x = torch.linspace(-12, 12 + shift, 200_001, dtype=torch.float64)
    p, q = (torch.exp(-0.5 * (x - mean) ** 2) / math.sqrt(2 * math.pi) for mean in (0.0, shift))
    inside = 0.5 * (torch.xlogy(p, 2 * p / (p + q)) + torch.xlogy(q, 2 * q / (p + q)))
    return float(inside.nan_to_num().sum() * (x[1] - x[0]))


def a5a(steps: int = 3000) -> Rows:
    """A trained D is p/(p+q), and its loss 2 ln 2 - 2 JSD."""
    for shift, known in ((0.5, 0.030311), (1.0, 0.111421), (2.0, 0.336831), (4.0, 0.632720)):
        yield near(f"JSD of N(0,1) and N({shift:g},1)", normal_jsd(shift), known, by=1e-6)
    settings = GanSettings(noise_dim=1, batch=512, beta1=0.9)
    gan = train_d(TwoNormals(), settings, steps)
    x = torch.linspace(-2, 4, 601)[:, None]
    best = torch.sigmoid(2 - 2 * x.squeeze(1))  # log p/q of N(0,1) and N(2,1)
    error = float((torch.sigmoid(gan.discriminate(x)) - best).abs().max())
    yield row("max |D - p/(p+q)| on [-2, 4]", error, "at most 0.03", error <= 0.03)
    real = TwoNormals().sample(200_000, fresh(0, "held out"))
    fake = gan.generate(gan.noise(200_000, fresh(0, "held-out noise")))
    loss = (
        nn.functional.softplus(-gan.discriminate(real)).mean() + nn.functional.softplus(gan.discriminate(fake)).mean()
    )
    yield near("D's loss on held-out points", float(loss), 0.7126, by=0.01)


def critic_estimate(mu: float, weight: float, steps: int, *, spectral: bool) -> float:
    """Return E D(x) - E D(x + mu) of a trained critic over mu: the same x twice, so that sampling cancels.

    The weight starts at 0.1: a critic that happens to slope the wrong way has to become flat before it can turn round,
    and a weight above mu/2 charges more for flatness than turning gains. At 10 from the start it stays wrong.
    """
    data = TwoNormals(shift=mu, spectral=spectral)
    settings = GanSettings(noise_dim=1, batch=512, loss="wasserstein-gp", penalty_weight=weight, beta2=0.9)
    gan = train_d(data, settings, steps, warm_up=settings.with_values(penalty_weight=min(weight, 0.1)))
    x = data.sample(50_000, fresh(0, "held out"))
    return float((gan.discriminate(x) - gan.discriminate(x + mu)).mean()) / abs(mu)


def a7(steps: int = 1000) -> Rows:
    """The Wasserstein-1 distance of N(0, 1) and N(mu, 1) is |mu|: what critics make of it."""
    for mu in (0.5, 1.0, 2.0):
        ratio = critic_estimate(mu, 10.0, steps, spectral=False)
        yield row(f"gradient penalty, shift {mu:g}: estimate/shift", ratio, "0.95 to 1.25", 0.95 <= ratio <= 1.25)
    for mu in (0.5, 1.0, 2.0):
        ratio = critic_estimate(mu, 0.0, steps, spectral=True)
        yield row(f"spectral norm, shift {mu:g}: estimate/shift", ratio, "at most 1.02", ratio <= 1.02)


# -- B. Metrics -------------------------------------------------------------------------------------------------------


def b1() -> Rows:
    """Divergences of samples that sit exactly on m of K modes."""
    for m, k, known in ((1, 8, 2.079442), (4, 8, 0.693147), (7, 8, 0.133531), (1, 25, 3.218876), (7, 25, 1.272966)):
        value = reverse_kl(100 * (np.arange(k) < m), np.full(k, 1 / k))
        yield near(f"reverse KL, {m} of {k} modes", value, known, by=1e-6)
    for m, known in ((1, 0.496929), (4, 0.215762), (7, 0.045406)):
        yield near(f"JS, {m} of 8 modes", distances.js(np.full(8, 1 / 8), (np.arange(8) < m) / m), known, by=1e-6)


def b6() -> Rows:
    """Frechet distance of Gaussians."""
    zero, eye = torch.zeros(2).double(), torch.eye(2).double()
    yield near(
        "N(0, I) and N((3,4), 4 I)", frechet(zero, eye, torch.tensor([3.0, 4.0]).double(), 4 * eye), 27.0, by=1e-9
    )
    tilted = torch.tensor([[2.0, 1.0], [1.0, 2.0]]).double()
    value = frechet(zero, tilted, zero, torch.diag(torch.tensor([1.0, 3.0]).double()))
    yield near("[[2,1],[1,2]] and diag(1,3)", value, 0.516685, by=1e-6)
    yield near("a Gaussian and itself", frechet(zero, tilted, zero, tilted), 0.0, by=1e-6)


def b8() -> Rows:
    """Birthday paradox: the batch in which two of N equal points meet every other time."""
    for support, known in ((100, 13), (365, 23), (1000, 38)):
        yield near(f"support {support}", birthday.half_batch(support), known, by=0.5)


# -- C. GANs that train for minutes ------------------------------------------------------------------------------------


def train(dataset: str, steps: int, seed: int, **settings: Any) -> ModeScore:
    """Train an experiment in the loop that every run uses and score 10,000 fakes."""
    experiment = Experiment(dataset=dataset, seed=seed, score_every=100_000, keyframe_every=1_000_000)
    loop = Loop(experiment.changed(**settings))
    loop.advance(steps)
    loop.flush()
    family, modes = loop.family, loop.data.modes()
    assert modes is not None
    return score_modes(family.generate(family.noise(10_000, fresh(seed, "exam"))), modes)


NETS = {"g_depth": 2, "g_width": 128, "d_depth": 2, "d_width": 128}
PACKING = NETS | {"noise_dim": 16, "lr_d": 2e-4, "lr_g": 2e-4, "batch": 256, "radius": 2.0, "std": 0.1}
UNROLLING = NETS | {
    "noise_dim": 256, "activation": "tanh", "init": "orthogonal", "init_gain": 1.4, "lr_g": 1e-3, "lr_d": 1e-4,
    "batch": 512, "radius": 1.0, "std": 0.01, "loss": "minimax", "order": "simultaneous",
}  # fmt: skip
WGAN_GP = {
    "loss": "wasserstein-gp", "penalty_weight": 0.1, "d_steps": 5, "beta2": 0.9, "lr_d": 3e-4, "lr_g": 3e-4,
    "g_width": 128, "d_width": 128, "activation": "relu", "radius": 2 / 1.414, "std": 0.02 / 1.414,
}  # fmt: skip


def c2(steps: int = 10_000, seeds: int = 5) -> Rows:
    """Packing two points on the ring of eight, against the plain GAN of the same recipe."""
    means = {}
    for packing in (2, 1):
        scores = [train("ring8", steps, seed, packing=packing, **PACKING) for seed in range(seeds)]
        tvs = [score.tv for score in scores]
        means[packing] = sum(tvs) / seeds
        if packing == 2:
            good = sum(score.covered == 8 and score.tv <= 0.22 for score in scores)
            told = ", ".join(f"{score.covered}/8 {score.tv:.3f}" for score in scores)
            yield row(
                "seeds with 8/8 modes and TV at most 0.22", good, f"{seeds - 1} of {seeds}", good >= seeds - 1, told
            )
    yield row("mean TV with packing", means[2], f"below the plain GAN's {means[1]:.3f}", means[2] < means[1])


def c5a(steps: int = 25_000, seeds: int = 3) -> Rows:
    """Unrolling on a narrow ring, in the authors' own game: both players move at once on the minimax loss.

    On their own data, too: the notebook that the recipe is from (github.com/poolio/unrolled_gan) spaces eight blobs
    from 0 to 2 pi with both ends, so that the first lies on the last. That is seven places, one of them twice as
    likely, and by this one D finds the others; benchmarks/README.md tells what becomes of eight even ones. Modes count
    from 1 % of the samples: of 10,000 fakes strewn along the ring a few hit every mode by chance, unrolled or not.
    """
    data = {"n_modes": 7, "rare": 0.25}  # the share of the first blob
    for unroll, target in ((0, "at most 3"), (5, "at least 7")):
        scores = [train("ring8-rare", steps, seed, unroll=unroll, **data, **UNROLLING) for seed in range(seeds)]
        good = sum(score.one_percent >= 7 if unroll else score.one_percent <= 3 for score in scores)
        told = ", ".join(f"{s.one_percent}/7 ({s.covered} hit at all, high quality {s.hq:.3f})" for s in scores)
        yield row(f"unroll {unroll}: seeds with {target} modes by the 1 % rule", good, "2 of 3", good >= 2, told)


def c6(steps: int = 5000) -> Rows:
    """WGAN-GP on a narrow ring."""
    score = train("ring8", steps, 0, **WGAN_GP)
    yield row("modes by the 8 % rule", score.eight_percent, "at least 7", score.eight_percent >= 7)
    yield row("high-quality share", score.hq, "at least 0.40", score.hq >= 0.40)


EXAMS: dict[str, Callable[[], Rows]] = {
    "A1": a1, "A3": a3, "B1": b1, **METRICS, "B6": b6, "B8": b8, "A5a": a5a, "A7": a7, **CODING, **VARIATIONAL,
    "C6": c6, "C2": c2, "C5a": c5a,
}  # fmt: skip
SLOW = frozenset({"C6", "C2", "C5a"}) | CODING_SLOW | VARIATIONAL_SLOW  # minutes each
