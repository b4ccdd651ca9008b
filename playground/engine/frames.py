"""Frames: what the stage shows of a model, as one small binary blob (safetensors; `docs/contracts.md` has the layout).

The optimal discriminator for fixed G is D*(x) = p(x) / (p(x) + q(x)) (Goodfellow et al. 2014, 1406.2661).
q is a Gaussian kernel estimate of the fakes on the grid; p is blurred by the same kernel, so that D* is one half where
the two agree, and not where the estimate is merely wider than the truth.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground import games
from playground.blobs import decode, encode
from playground.data.base import Distribution
from playground.diagnostics.distances import cell_counts
from playground.engine.loop import Loop
from playground.families.base import View
from playground.rng import fresh
from playground.stage import cells

__all__ = ["Painter", "decode", "encode", "rounded", "to_i16", "to_u8"]

VERSION = 1
LAYERS = ("real", "fake", "surface", "manifold", "arrows", "density", "optimal")
DENSITY_GRID = 48
FINE = 4  # sub-cells a side that p is averaged over: modes may be narrower than a cell
BLUR = 0.75  # standard deviation of the kernel, in cells
ARROW = 0.12  # the longest arrow, in extents
FIELD_GRID = 21
DEAR = ("surface", "arrows", "manifold")  # layers that cost a pass through a network each


class Painter:
    """Makes frames of one loop. The noise is fixed, so that what moves on the stage is the generator."""

    layers = LAYERS

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._for: Any = None
        self._layers: dict[str, np.ndarray] = {}  # as the last frame had them
        self._range = (0.0, 1.0)
        self._start: list[list[float]] = []  # of a game's path
        self._game: Any = None
        self._reach = 0.0
        self._refresh()
        phase = loop.family.picture(self.view, self.z).get("phase")
        if phase is not None and loop.step == 0:
            self._start = [phase.tolist()]

    def _refresh(self) -> None:
        """Draw again what depends on the data's settings only, where they have changed."""
        loop = self.loop
        if loop.data == self._for:
            return
        assert isinstance(loop.data, Distribution)
        self._for, self.data, seed, device = loop.data, loop.data, loop.experiment.seed, loop.device
        self.view = View(extent=float(self.data.extent), layers=frozenset())
        self.real = self.data.sample(self.view.fakes, fresh(seed, "stage", "real", device=device))
        self.z = loop.family.noise(self.view.fakes, fresh(seed, "stage", device=device))
        self._density = self._true_density()
        self._p: np.ndarray | None = None
        self._layers = {}
        if self.data.dim == 2:
            self._layers["real"] = to_i16(self.real.cpu().numpy(), self.view.extent)
        if self._density is not None:
            self._layers["density"] = self._density

    def frame(self, layers: frozenset[str], about: dict[str, Any], turn: int | None = None) -> bytes:
        """Return a frame with these layers, as far as model and data have them; `about` joins the description.

        With a `turn` one of the dear layers at most is made anew, the others are those of the frame before.
        """
        self._refresh()
        wanted = set(layers) | ({"fake"} if "optimal" in layers else set())
        dear = [name for name in DEAR if name in layers]
        if turn is not None:
            wanted -= {name for i, name in enumerate(dear) if i != turn % len(DEAR) and name in self._layers}
        self._draw(frozenset(wanted))
        shown = {name: array for name, array in self._layers.items() if name in layers or name in ("path", "field")}
        here = {"v": VERSION, "extent": self.view.extent, "layers": sorted(shown), "range": self._range}
        here |= {"reach": self._reach} if "path" in shown else {}
        return encode(shown, here | {"critic": bool(getattr(self.loop.family, "critic", False))} | about)

    def _draw(self, wanted: frozenset[str]) -> None:
        """Make these layers anew."""
        picture = self.loop.family.picture(replace(self.view, layers=wanted), self.z)
        made = {name: value.detach().float().cpu().numpy() for name, value in picture.items()}
        extent = self.view.extent
        for name in ("fake", "manifold"):
            if name in made:
                self._layers[name] = to_i16(made[name], extent)
        if "surface" in made:
            surface = np.nan_to_num(made["surface"])
            critic = getattr(self.loop.family, "critic", False)
            self._range = (float(surface.min()), float(surface.max())) if critic else (0.0, 1.0)
            self._layers["surface"] = to_u8(surface, *self._range)
        if "arrows" in made:
            self._layers["arrows"] = to_i16(scaled_arrows(made["arrows"], ARROW * extent), extent)
        if "optimal" in wanted and "fake" in made and self._density is not None:
            self._layers["optimal"] = to_u8(self._optimal(made["fake"]), 0.0, 1.0)
        if "phase" in made:
            trail = self.loop.trail
            path = [*(self._start if trail.whole else []), *trail.points, made["phase"].tolist()]
            self._layers["path"] = np.array(path, np.float32)
            self._reach = reach(self._layers["path"], extent)
            self._layers["field"] = self._field()

    def _field(self) -> np.ndarray:
        """Return the update that a game makes at each point of the view."""
        settings = self.loop.experiment.model
        if self._game is None or self._game[0] != (settings, self._reach):
            points = cells(self._reach, FIELD_GRID, torch.device("cpu"))
            moves = games.field(points, games.from_settings(settings)).reshape(FIELD_GRID, FIELD_GRID, 2)
            self._game = ((settings, self._reach), moves.numpy().astype(np.float32))
        field: np.ndarray = self._game[1]
        return field

    def pick(self, i: int) -> dict[str, Any]:
        """Return the i-th fake of the stage: its code, where it lands, and what D makes of it."""
        self._refresh()
        if not 0 <= i < len(self.z):
            raise ValueError(f"There is no point {i}: the stage shows points 0 to {len(self.z) - 1}.")
        z = self.z[i : i + 1]
        x = self.loop.family.generate(z)
        d = self.loop.family.discriminate(x) if "score" in self.loop.family.abilities else None
        if d is not None and not getattr(self.loop.family, "critic", False):
            d = torch.sigmoid(d)
        return {"z": rounded(z[0]), "x": rounded(x[0]), "d": None if d is None else rounded(d.reshape(-1)[0])}

    def decode(self, at: list[float] | None = None, code: list[float] | None = None) -> dict[str, Any]:
        """Refuse: a generator's noise is no code of an item."""
        raise ValueError("This model does not decode: pick one of the points that it shows.")

    # -- what is known of the data ------------------------------------------------------------------------------------

    def _log_density(self, side: int) -> np.ndarray | None:
        """Return the log density at the centres of a grid of `side` cells, row 0 at the bottom."""
        if self.data.dim != 2:
            return None
        found = self.data.log_density(cells(self.view.extent, side, torch.device("cpu")))
        return None if found is None else found.reshape(side, side).double().cpu().numpy()

    def _true_density(self) -> np.ndarray | None:
        logp = self._log_density(DENSITY_GRID)
        if logp is None or not np.isfinite(logp).any():
            return None
        return to_u8(np.exp(logp - logp[np.isfinite(logp)].max()), 0.0, 1.0)

    def _optimal(self, fake: np.ndarray) -> np.ndarray:
        g, extent = self.view.grid, self.view.extent
        across = np.exp(-0.5 * ((np.arange(g)[:, None] - np.arange(g)) / BLUR) ** 2)
        blur = across / across.sum(0)
        if self._p is None:
            n = 2 if self.data.modes() is None else FINE  # without modes densities are wider, and dearer to have
            fine = self._log_density(g * n)
            assert fine is not None
            cell = np.exp(fine).reshape(g, n, g, n).mean((1, 3)) * (2 * extent / g) ** 2
            self._p = blur @ cell @ blur.T
        counts = cell_counts(fake, extent, g)[:-1].reshape(g, g)
        q = blur @ (counts / len(fake)) @ blur.T
        nothing = 0.25 / len(
            fake
        )  # a quarter of one point: where neither has mass D* is undefined and drawn as one half
        best: np.ndarray = (self._p + nothing) / (self._p + q + 2 * nothing)
        return best


def reach(path: np.ndarray, extent: float) -> float:
    """Return the half-width of a view that holds a path: the extent, or in steps as much more as it takes."""
    most, half = 1.05 * float(np.abs(np.nan_to_num(path)).max(initial=0.0)), extent
    while half < min(most, 1e6 * extent):
        half *= 1.5
    return half


def to_i16(points: np.ndarray, extent: float) -> np.ndarray:
    """Return points as whole numbers, 32767 to the extent; those outside lie on its edge."""
    return (_numbers(np.clip(points / extent, -1, 1)) * 32767).round().astype(np.int16)


def to_u8(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return values as 0..255 from `low` to `high`."""
    shares = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    return (_numbers(shares) * 255).round().astype(np.uint8)


def _numbers(values: np.ndarray) -> np.ndarray:
    """Return values with 0 for NaN; where nothing is infinite any more `nan_to_num` is the slower way."""
    known: np.ndarray = np.where(np.isnan(values), np.float32(0), values)
    return known


def scaled_arrows(arrows: np.ndarray, longest: float) -> np.ndarray:
    """Return arrows with the longest one of this length; their proportions stay."""
    length = float(np.linalg.norm(np.nan_to_num(arrows), axis=-1).max(initial=0.0))
    return arrows * (longest / length) if length > 0 else arrows


def rounded(tensor: Tensor) -> Any:
    """Return a tensor as nested lists of numbers with 5 significant digits; what is not finite is None."""
    values = tensor.detach().float().cpu().tolist()
    return _round(values)


def _round(values: Any) -> Any:
    if isinstance(values, list):
        return [_round(v) for v in values]
    return float(f"{values:.5g}") if values - values == 0.0 else None
