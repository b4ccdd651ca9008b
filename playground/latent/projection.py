"""Maps of codes: as they are where they are 2D, else PCA, UMAP or t-SNE; each turned to agree with the map before it.

    pca    the plane that holds most of the variance (Pearson 1901); linear, so a place on it is a code
    umap   neighbourhoods as a fuzzy graph, laid out anew in 2D (McInnes et al. 2018, arXiv 1802.03426)
    tsne   neighbour probabilities, matched under a heavy tail (van der Maaten and Hinton 2008, JMLR 9)

Distances between far groups and the sizes of groups mean little in the last two: look at who is near whom. A map drawn
again after training went on starts from the points it had (`before`) and is then turned and flipped to lie on them as
well as it can (orthogonal Procrustes, Schönemann 1966), so that what moves is the model. PCA keeps its scale; the
others, whose scale means nothing, take that of the map before.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import TextIOBase
from typing import Any, Literal

import numpy as np
import torch

from playground.config import ConfigError
from playground.latent.arrays import array, codes_of
from playground.latent.pca import Pca

Method = Literal["raw", "pca", "umap", "tsne"]
Report = Callable[[float], None]

FEWEST = 5  # points of a map by UMAP or t-SNE
NEIGHBOURS, PERPLEXITY = 15, 30.0  # UMAP's and t-SNE's own defaults
EPOCHS, WARM_EPOCHS = 500, 150  # of UMAP; fewer where it starts from a map
ROUNDS, WARM_ROUNDS = 500, 250  # of t-SNE
EXAGGERATION = 12.0  # t-SNE's own default; a map that starts from another must not be pulled together first


@dataclass(frozen=True)
class Map:
    """A map: `points` (n, 2), and for a linear one the way there, points = (codes - mean) @ basis."""

    points: np.ndarray
    explained: float | None = None  # share of the codes' variance that the map shows
    mean: np.ndarray | None = None  # (Z,)
    basis: np.ndarray | None = None  # (Z, 2), orthonormal

    def place(self, codes: Any) -> np.ndarray:
        """Return where codes (n, Z) lie on a linear map (n, 2)."""
        mean, basis = self._linear()
        return array((array(codes) - mean) @ basis)

    def code(self, points: Any) -> np.ndarray:
        """Return the codes (n, Z) at places (n, 2) of a linear map: those nearest to the codes' mean."""
        mean, basis = self._linear()
        return array(mean + array(points) @ basis.T)

    def _linear(self) -> tuple[np.ndarray, np.ndarray]:
        if self.mean is None or self.basis is None:
            raise ConfigError("This map has no formula: take what lies between its nearest points instead.")
        return self.mean, self.basis


def project(codes: Any, method: Method, before: Any = None, report: Report | None = None) -> Map:
    """Return a map of codes (n, Z), n points in 2D; `before` (n, 2) are the same items' points on the map before.

    `report` is told the share that is done, 0 to 1. Raises `ConfigError` where the codes do not suit the method.
    """
    codes = codes_of(codes)
    before = None if before is None or len(before) != len(codes) else array(before)
    if method == "raw":
        return raw(codes)
    if method == "pca":
        return principal(codes, before)
    if method not in ("umap", "tsne"):
        raise ConfigError(f"There is no map {method!r}: the maps are raw, pca, umap and tsne.")
    if len(codes) < FEWEST:
        raise ConfigError(f"A {method} map takes at least {FEWEST} items, and there are {len(codes)}.")
    lay_out = by_umap if method == "umap" else by_tsne
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both warn of defaults that are meant
        points = lay_out(codes, before, report)
    return Map(points if before is None else aligned(points, before))


def raw(codes: np.ndarray) -> Map:
    """Return codes of one or two numbers as they are."""
    size = codes.shape[1]
    if size > 2:
        raise ConfigError(f"Codes of {size} numbers are no map as they are: choose pca, umap or tsne.")
    basis = np.eye(size, 2, dtype=np.float32)
    return Map(codes @ basis, 1.0, np.zeros(size, np.float32), basis)


def principal(codes: np.ndarray, before: np.ndarray | None = None) -> Map:
    """Return the map on the codes' two principal components, turned to agree with the points before."""
    fit = Pca.fit(torch.from_numpy(codes), 2)
    mean, axes = fit.mean.numpy(), fit.components.numpy()
    basis = np.zeros((codes.shape[1], 2), np.float32)
    basis[:, : len(axes)] = axes.T
    if before is not None:
        basis = array(basis @ turn((codes - mean) @ basis, before))
    return Map((codes - mean) @ basis, float(fit.explained.sum()), mean, basis)


def turn(points: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the rotation or reflection R (2, 2) that brings centred points nearest to those before: min |P R - Q|."""
    centred, target = points - points.mean(0), before - before.mean(0)
    left, _, right = np.linalg.svd(centred.T.astype(np.float64) @ target)
    rotation: np.ndarray = left @ right
    return rotation


def aligned(points: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return points turned, flipped, moved and scaled alike in all directions to lie on those before."""
    centred, target = points - points.mean(0), before - before.mean(0)
    turned = centred @ turn(points, before)
    size = (turned * target).sum() / max((centred**2).sum(), 1e-30)
    return array(turned * size + before.mean(0))


def by_umap(codes: np.ndarray, before: np.ndarray | None, report: Report | None) -> np.ndarray:
    """Return UMAP's points (n, 2), from those before where there are any."""
    from umap import UMAP  # noqa: PLC0415  # 2 s, and only the process of `jobs` needs it

    start: Any = "spectral" if before is None or not before.std(0).all() else before
    meter = Meter(r"(\d+)%\|", 100, report)
    model = UMAP(
        n_neighbors=min(NEIGHBOURS, len(codes) - 1), n_epochs=EPOCHS if before is None else WARM_EPOCHS, init=start,
        random_state=0, n_jobs=1, verbose=report is not None, tqdm_kwds={"file": meter, "disable": report is None},
    )  # fmt: skip
    with contextlib.redirect_stdout(meter):
        return array(model.fit_transform(codes))


def by_tsne(codes: np.ndarray, before: np.ndarray | None, report: Report | None) -> np.ndarray:
    """Return t-SNE's points (n, 2), from those before where there are any."""
    from sklearn.manifold import TSNE  # noqa: PLC0415

    warm = before is not None and before.std() > 0
    rounds = WARM_ROUNDS if warm else ROUNDS
    start: Any = before if warm else "pca" if codes.shape[1] > 1 else "random"
    meter = Meter(r"Iteration (\d+)", rounds, report)
    model = TSNE(
        perplexity=min(PERPLEXITY, (len(codes) - 1) / 3), max_iter=rounds, init=start, learning_rate="auto",
        early_exaggeration=1.0 if warm else EXAGGERATION, random_state=0, verbose=2 if report else 0,
    )  # fmt: skip
    with contextlib.redirect_stdout(meter):
        return array(model.fit_transform(codes))


class Meter(TextIOBase):
    """A file that reads how far things are from what is printed to it."""

    def __init__(self, pattern: str, whole: int, report: Report | None) -> None:
        self.pattern, self.whole, self.report = re.compile(pattern), whole, report

    def write(self, text: str) -> int:
        """Tell the share in the last match."""
        found = self.pattern.findall(text)
        if found and self.report is not None:
            self.report(min(1.0, int(found[-1]) / self.whole))
        return len(text)
