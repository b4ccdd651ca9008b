"""scikit-learn's digits as a data set: the numbers everybody gets, split as published figures split them."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from playground.data import dataset


def test_digits_are_scikit_learns_over_16_in_its_own_stratified_split() -> None:
    data = dataset("digits")()
    train, held = data.load()
    x, y = load_digits(return_X_y=True)
    want = train_test_split(x / 16, y, test_size=0.25, random_state=0, stratify=y)
    for items, pixels, labels in ((train, want[0], want[2]), (held, want[1], want[3])):
        np.testing.assert_array_equal(items.x.flatten(1).numpy(), pixels.astype(np.float32))
        np.testing.assert_array_equal(items.labels.numpy(), labels)
    assert (data.shape, len(train.x), len(held.x), data.classes) == ((1, 8, 8), 1347, 450, tuple("0123456789"))
    assert (float(train.x.min()), float(train.x.max())) == (0, 1)
    assert torch.bincount(train.labels).tolist() == [133, 136, 133, 137, 136, 136, 136, 134, 131, 135]


def test_pca_of_the_split_has_the_published_error() -> None:
    train, held = dataset("digits")().load()
    for codings, error in ((2, 0.053018), (8, 0.024614), (16, 0.011539)):
        pca = PCA(codings, svd_solver="full").fit(train.x.flatten(1).double())
        x = held.x.flatten(1).double().numpy()
        assert abs(((pca.inverse_transform(pca.transform(x)) - x) ** 2).mean() - error) < 1e-6
