"""PCA with as many components as a model has codings: what every autoencoder has to beat, fitted once a data set."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import torch

from playground.data.base import DataSet
from playground.latent.pca import Pca

FITTED = 10_000  # training items that it is fitted on
WIDE, FEWER = 1024, 1024  # with more numbers an item fewer are taken: the cost grows with the cube of the smaller


def baseline(data: DataSet, codings: int, device: torch.device) -> Pca:
    """Return PCA of training items of `data`: 10,000, or 1,024 of items with more than 1,024 numbers."""
    whole = _fitted(data, device)
    return replace(whole, components=whole.components[:codings], variance=whole.variance[:codings])


@lru_cache(maxsize=4)
def _fitted(data: DataSet, device: torch.device) -> Pca:
    """Return all components there are: the training items are the same whatever the seed of a run."""
    numbers = data.known(1, 0, device).x.numel()
    x = data.known(FEWER if numbers > WIDE else FITTED, 0, device).x
    return Pca.fit(x, min(len(x), numbers))
