"""Who lies next to whom: how far a map can be trusted, how well codes tell classes apart, what resembles an item.

    trustworthiness T(k) = 1 - 2/(n k (2n - 3k - 1)) sum_i sum_{j in the k nearest of i on the map} max(0, r(i, j) - k),

where r(i, j) is the rank of j among the neighbours of i in the full space: points that the map draws together though
they are far apart cost (Venna and Kaski 2001, ICANN, 485-491). 1 is perfect, about 0.5 a random map.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import cdist, from_numpy

from playground.config import ConfigError
from playground.latent.arrays import array


def distances(a: Any, b: Any) -> np.ndarray:
    """Return Euclidean distances (n, m) between rows of `a` (n, ...) and `b` (m, ...), in float64."""
    rows, columns = (from_numpy(array(x).reshape(len(x), -1).astype(np.float64)) for x in (a, b))
    away: np.ndarray = cdist(rows, columns, compute_mode="use_mm_for_euclid_dist").numpy()
    return away


def nearest(x: Any, among: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return indices (n, k) and distances (n, k) of the nearest rows of `among` to each row of `x`, nearest first."""
    away = distances(x, among)
    k = min(k, away.shape[1])
    some = np.argpartition(away, k - 1, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(away, some, 1), axis=1, kind="stable")
    which = np.take_along_axis(some, order, 1)
    return which, np.take_along_axis(away, which, 1)


def trustworthiness(x: Any, points: Any, k: int = 5) -> float:
    """Return the trustworthiness of a map: items or codes (n, ...) and their points (n, 2), with k below n/2."""
    n = len(x)
    if not 0 < k < n / 2:
        raise ConfigError(f"Trustworthiness with {k} neighbours takes more than {2 * k} points, and there are {n}.")
    full, drawn = distances(x, x), distances(points, points)
    for away in (full, drawn):
        np.fill_diagonal(away, np.inf)
    near = np.argpartition(drawn, k - 1, axis=1)[:, :k]
    rank = np.empty((n, n), np.int64)
    np.put_along_axis(rank, full.argsort(1), np.arange(1, n + 1)[None], 1)
    late = np.maximum(0, np.take_along_axis(rank, near, 1) - k)
    return float(1 - 2 / (n * k * (2 * n - 3 * k - 1)) * late.sum())


def knn_accuracy(codes: Any, labels: Any, k: int = 5, known: Any = None, known_labels: Any = None) -> float:
    """Return the share of codes (n, Z) whose k nearest vote for their label (n,); of even votes the lowest label wins.

    The voters are `known` (m, Z) with `known_labels` (m,), or without those all the other codes.
    """
    labels = np.asarray(labels)
    if known is None:
        away, voters = distances(codes, codes), labels
        np.fill_diagonal(away, np.inf)
    else:
        away, voters = distances(codes, known), np.asarray(known_labels)
    if not 0 < k < len(voters):
        raise ConfigError(f"{k} neighbours are to vote, and there are {len(voters)} codes: take fewer.")
    votes = voters[np.argpartition(away, k - 1, axis=1)[:, :k]]
    counts = (votes[:, :, None] == np.arange(voters.max() + 1)).sum(1)
    return float((counts.argmax(1) == labels).mean())


def between(at: Any, points: Any, values: Any, k: int = 5) -> np.ndarray:
    """Return what lies at places (m, P): the mean of the values (n, V) at the k nearest points (n, P), by 1/distance².

    With points of a map and their codes it gives a code for a place on the map; with codes and their points, a place
    for a new code on a map that knows no formula (UMAP, t-SNE).
    """
    which, away = nearest(at, points, k)
    weights = 1 / np.maximum(away**2, 1e-12)
    weights /= weights.sum(1, keepdims=True)
    return array(np.einsum("mk,mkv->mv", weights, array(values)[which]))
