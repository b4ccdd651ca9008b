"""PCA: equal to scikit-learn's, exact on known covariances, the same from either square matrix."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from playground.data import dataset
from playground.latent.pca import Pca
from playground.rng import fresh

DIGITS = {2: 0.052426, 4: 0.037609, 8: 0.023913, 10: 0.019196, 16: 0.011044, 20: 0.007751, 32: 0.002467}


@pytest.fixture(scope="module")
def digits():
    train, held = dataset("digits")().on("cpu")
    return torch.cat([train.x, held.x])


@pytest.mark.parametrize("k", DIGITS)
def test_errors_on_all_digits_are_the_known_ones(digits, k):
    pca = Pca.fit(digits, k)
    assert float((pca.decode(pca.encode(digits)) - digits).square().mean()) == pytest.approx(DIGITS[k], abs=1e-6)
    assert pca.error == pytest.approx(DIGITS[k], abs=1e-6)


@pytest.mark.parametrize("n", [300, 40])  # more items than numbers, and fewer
def test_equals_scikit_learn(digits, n):
    x = digits[:n]
    ours, theirs = Pca.fit(x, 10), PCA(10, svd_solver="full").fit(x.flatten(1).double().numpy())
    assert ours.components.shape == (10, 64)
    alike = np.abs((ours.components.numpy() * theirs.components_).sum(1))
    np.testing.assert_allclose(alike, 1.0, atol=1e-4)
    np.testing.assert_allclose(ours.explained.numpy(), theirs.explained_variance_ratio_, rtol=1e-4)
    np.testing.assert_allclose(ours.variance.numpy() * n / (n - 1), theirs.explained_variance_, rtol=1e-4)


def test_components_are_orthonormal_and_have_a_fixed_sign(digits):
    u = Pca.fit(digits, 20).components
    assert torch.allclose(u @ u.T, torch.eye(20), atol=1e-5)
    assert (u.gather(1, u.abs().argmax(1, keepdim=True)) > 0).all()
    assert torch.allclose(u, Pca.fit(digits.flip(0), 20).components, atol=1e-4)


def test_a_plane_in_space_is_found_exactly():
    axes = torch.tensor([[1.0, 2.0, 2.0], [2.0, 1.0, -2.0]]) / 3
    x = torch.randn(500, 2, generator=fresh(0, "plane")) * torch.tensor([3.0, 1.0]) @ axes + 5
    pca = Pca.fit(x, 2)
    assert torch.allclose(pca.decode(pca.encode(x)), x, atol=1e-5)
    assert pca.explained.sum() == pytest.approx(1.0, abs=1e-6)
    assert torch.allclose(pca.components.T @ pca.components, axes.T @ axes, atol=1e-5)


def test_more_components_than_there_are_gives_all():
    x = torch.randn(50, 1, 2, 2, generator=fresh(0, "few"))
    pca = Pca.fit(x, 256)
    assert pca.encode(x).shape == (50, 4)
    assert torch.allclose(pca.decode(pca.encode(x)), x, atol=1e-5)


def test_items_all_alike_give_no_nan():
    pca = Pca.fit(torch.full((5, 1, 4, 4), 0.3), 3)
    x = torch.rand(2, 1, 4, 4)
    assert torch.isfinite(pca.decode(pca.encode(x))).all()
    assert pca.explained.tolist() == [0, 0, 0]
