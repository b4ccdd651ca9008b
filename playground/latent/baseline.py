"""PCA with as many components as a model has codings: what every autoencoder has to beat, fitted once a data set."""

from __future__ import annotations

from functools import lru_cache

import torch

from playground.data.base import DataSet
from playground.latent.pca import Pca

FITTED = 10_000  # training items that it is fitted on


@lru_cache(maxsize=8)
def baseline(data: DataSet, codings: int, seed: int, device: torch.device) -> Pca:
    """Return PCA of up to 10,000 training items of `data`."""
    return Pca.fit(data.known(FITTED, seed, device).x, codings)
