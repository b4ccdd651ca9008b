"""The app's own scores against the packages that the field uses, on the same items, to 1e-4."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from playground.data import dataset
from playground.diagnostics import distances
from playground.diagnostics.classes import class_scores
from playground.diagnostics.frechet import frechet_samples
from playground.diagnostics.modes import score_modes
from playground.diagnostics.prdc import prdc
from playground.diagnostics.ssim import BETAS, SIGMA, WINDOW, exponents, ms_ssim, scales
from playground.latent.neighbours import trustworthiness
from playground.latent.pca import Pca

CLOSE = 1e-4


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Let the packages warn of their own parts (optional ones that are away, what they will drop)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def sets(n: int, m: int, dim: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return real features (n, dim) and fakes (m, dim) that differ a little."""
    rng = torch.Generator().manual_seed(seed)
    mix = torch.randn(dim, dim, generator=rng) / dim**0.5
    return torch.randn(n, dim, generator=rng) @ mix, 0.2 + 0.9 * torch.randn(m, dim, generator=rng) @ mix


@pytest.mark.parametrize(("n", "m", "dim", "k"), [(300, 250, 64, 5), (400, 400, 2, 5), (60, 80, 8, 3)])
def test_precision_recall_density_coverage_as_the_prdc_package(n: int, m: int, dim: int, k: int) -> None:
    from prdc import compute_prdc

    real, fake = sets(n, m, dim)
    theirs, ours = compute_prdc(real.numpy(), fake.numpy(), k), prdc(real, fake, k)
    for name in ("precision", "recall", "density", "coverage"):
        assert getattr(ours, name) == pytest.approx(float(theirs[name]), abs=CLOSE)


@pytest.mark.parametrize("dim", [2, 16, 64])
def test_frechet_distance_as_torchmetrics(dim: int) -> None:
    from torchmetrics.image.fid import _compute_fid

    real, fake = (x.double() for x in sets(500, 400, dim))
    theirs = _compute_fid(real.mean(0), torch.cov(real.T), fake.mean(0), torch.cov(fake.T))
    assert frechet_samples(real, fake) == pytest.approx(float(theirs), rel=CLOSE, abs=CLOSE)


def test_frechet_distance_as_scipys_matrix_root() -> None:
    from scipy.linalg import sqrtm

    real, fake = (x.double().numpy() for x in sets(500, 400, 8))
    a, b = np.cov(real.T), np.cov(fake.T)
    theirs = ((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet_samples(torch.from_numpy(real), torch.from_numpy(fake)) == pytest.approx(theirs, rel=CLOSE)


@pytest.mark.parametrize("dim", [2, 64])
def test_kernel_distance_as_torchmetrics(dim: int) -> None:
    from torchmetrics.image.kid import poly_mmd

    real, fake = (x.double() for x in sets(300, 300, dim))
    assert distances.kid(real, fake) == pytest.approx(float(poly_mmd(real, fake)), rel=CLOSE, abs=CLOSE)


def test_gaussian_mmd_as_scikit_learns_kernels() -> None:
    from sklearn.metrics.pairwise import rbf_kernel

    real, fake = (x.double() for x in sets(200, 150, 2))
    scale = distances.median_distance(real)

    def kernel(x: Tensor, y: Tensor) -> np.ndarray:
        widths = [scale * 2.0**i for i in range(-2, 3)]
        return np.mean([rbf_kernel(x.numpy(), y.numpy(), gamma=1 / (2 * w**2)) for w in widths], axis=0)

    xx, yy, n, m = kernel(real, real), kernel(fake, fake), len(real), len(fake)
    theirs = (xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - 2 * kernel(real, fake).mean()
    assert distances.mmd2(real, fake, scale) == pytest.approx(theirs, abs=CLOSE)


@pytest.mark.parametrize(("side", "channels", "count"), [(8, 1, 1), (16, 3, 2), (28, 1, 3), (32, 3, 3), (64, 1, 4)])
def test_ms_ssim_as_torchmetrics(side: int, channels: int, count: int) -> None:
    from torchmetrics.functional.image import (
        multiscale_structural_similarity_index_measure,
        structural_similarity_index_measure,
    )

    rng = torch.Generator().manual_seed(side)
    x = torch.rand(6, channels, side, side, generator=rng)
    y = (0.7 * x + 0.3 * torch.rand(x.shape, generator=rng)).clamp(0, 1)
    assert scales(side) == count
    how = {"sigma": SIGMA, "kernel_size": WINDOW, "data_range": 1.0, "reduction": "none"}
    if count == 1:
        theirs = structural_similarity_index_measure(x, y, **how)
    else:
        theirs = multiscale_structural_similarity_index_measure(x, y, betas=tuple(exponents(count)), **how)
    torch.testing.assert_close(ms_ssim(x, y), theirs.flatten(), atol=CLOSE, rtol=CLOSE)
    torch.testing.assert_close(ms_ssim(x, x), torch.ones(6))
    assert sum(exponents(len(BETAS))) == pytest.approx(1)


def test_sliced_wasserstein_and_w1_as_pot() -> None:
    import ot

    real, fake = (x.double() for x in sets(120, 90, 3))
    along = distances.directions(20, 3, torch.Generator().manual_seed(0)).double()
    theirs = ot.sliced_wasserstein_distance(real.numpy(), fake.numpy(), projections=along.T.numpy(), p=1)
    assert distances.sliced_wasserstein(real, fake, along) == pytest.approx(float(theirs), rel=CLOSE)
    one = ot.wasserstein_1d(real[:, :1].numpy(), fake[:, :1].numpy(), p=1)
    assert float(distances.wasserstein_1d(real[:, :1], fake[:, :1])) == pytest.approx(float(one[0]), rel=CLOSE)


def test_divergences_as_scipy() -> None:
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import entropy

    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(10)), rng.dirichlet(np.ones(10))
    assert distances.js(p, q) == pytest.approx(jensenshannon(p, q) ** 2, abs=CLOSE)
    assert distances.kl(p, q) == pytest.approx(entropy(p, q), abs=CLOSE)
    labels = torch.from_numpy(rng.choice(10, 5000, p=q))
    shares = np.bincount(labels, minlength=10) / 5000
    scores = class_scores(labels, p.tolist())
    assert scores["class/kl"] == pytest.approx(entropy(shares, p), abs=CLOSE)
    assert scores["class/entropy"] == pytest.approx(entropy(shares), abs=CLOSE)


def test_energy_distance_as_scipy() -> None:
    from scipy.stats import energy_distance

    real, fake = sets(400, 400, 1)
    theirs = energy_distance(real[:, 0].numpy(), fake[:, 0].numpy()) ** 2  # theirs keeps the diagonal
    n = len(real)
    ours = distances.energy_distance(real, fake)
    within = (torch.cdist(real, real).mean() + torch.cdist(fake, fake).mean()) / (n - 1)
    assert ours + float(within) == pytest.approx(theirs, abs=CLOSE)


def test_modes_and_their_widths_as_scikit_learns_nearest_centroid() -> None:
    from sklearn.metrics import pairwise_distances_argmin

    data = dataset("ring8")()
    modes = data.modes()
    assert modes is not None
    x = data.sample(2000, torch.Generator().manual_seed(0))
    nearest = pairwise_distances_argmin(x.numpy(), modes.centres.numpy())
    shares = np.bincount(nearest, minlength=8) / len(x)
    np.testing.assert_allclose(score_modes(x, modes).near, shares, atol=CLOSE)


def test_pca_and_trustworthiness_as_scikit_learn() -> None:
    from sklearn.decomposition import PCA
    from sklearn.manifold import trustworthiness as theirs

    x = dataset("digits")().known(300, 0).x
    pca, fit = Pca.fit(x, 2), PCA(2).fit(x.flatten(1).double().numpy())
    codes = pca.encode(x)
    turned = fit.transform(x.flatten(1).double().numpy())
    np.testing.assert_allclose(np.abs(codes.numpy()), np.abs(turned), atol=CLOSE)
    np.testing.assert_allclose(pca.explained.numpy(), fit.explained_variance_ratio_, atol=CLOSE)
    mine = trustworthiness(x, codes)
    assert mine == pytest.approx(theirs(x.flatten(1).numpy(), codes.numpy()), abs=CLOSE)
