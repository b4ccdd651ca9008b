"""Frames: what the stage shows of a model, as one small binary blob (safetensors; `docs/contracts.md` has the layout).

The optimal discriminator for fixed G is D*(x) = p(x) / (p(x) + q(x)) (Goodfellow et al. 2014, 1406.2661).
q is a Gaussian kernel estimate of the fakes on the grid; p is blurred by the same kernel, so that D* is one half where
the two agree, and not where the estimate is merely wider than the truth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import torch
from safetensors.numpy import load, save
from torch import Tensor

from playground.engine.loop import Loop
from playground.families.base import View
from playground.rng import fresh

VERSION = 1
LAYERS = ("real", "fake", "surface", "manifold", "arrows", "density", "optimal")
DENSITY_GRID = 48
FINE = 4  # sub-cells a side that p is averaged over: modes may be narrower than a cell
BLUR = 0.75  # standard deviation of the kernel, in cells
ARROW = 0.12  # the longest arrow, in extents
PATH = 2000  # points of a game's trajectory


def encode(arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> bytes:
    """Return a frame of these arrays and this description."""
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return save(whole, {"meta": orjson.dumps(meta, option=orjson.OPT_SERIALIZE_NUMPY).decode()})


def decode(frame: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return a frame's arrays and description."""
    length = int.from_bytes(frame[:8], "little")
    header = orjson.loads(frame[8 : 8 + length])
    return load(frame), orjson.loads(header["__metadata__"]["meta"])


class Painter:
    """Makes frames of one loop. The noise is fixed, so that what moves on the stage is the generator."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._for: Any = None
        self._refresh()

    def _refresh(self) -> None:
        """Draw again what depends on the data's settings only, where they have changed."""
        loop = self.loop
        if loop.data == self._for:
            return
        self._for, seed, device = loop.data, loop.experiment.seed, loop.device
        self.view = View(extent=float(loop.data.extent), layers=frozenset())
        self.real = loop.data.sample(self.view.fakes, fresh(seed, "stage", "real", device=device))
        self.z = loop.family.noise(self.view.fakes, fresh(seed, "stage", device=device))
        self._density = self._true_density()
        self._p: np.ndarray | None = None

    def frame(self, layers: frozenset[str], about: dict[str, Any]) -> bytes:
        """Return a frame with these layers, as far as the model and data have them; `about` joins the description."""
        self._refresh()
        wanted = layers | ({"fake"} if "optimal" in layers else set())
        view = View(self.view.extent, wanted)
        picture = {
            name: value.detach().float().cpu().numpy() for name, value in self.loop.family.picture(view, self.z).items()
        }
        critic = bool(getattr(self.loop.family, "critic", False))
        extent, arrays, limits = view.extent, {}, (0.0, 1.0)
        if "real" in layers:
            arrays["real"] = to_i16(self.real.cpu().numpy(), extent)
        for name in ("fake", "manifold"):
            if name in picture and name in layers:
                arrays[name] = to_i16(picture[name], extent)
        if "surface" in picture:
            surface = np.nan_to_num(picture["surface"])
            limits = (float(surface.min()), float(surface.max())) if critic else limits
            arrays["surface"] = to_u8(surface, *limits)
        if "arrows" in picture:
            arrays["arrows"] = to_i16(scaled_arrows(picture["arrows"], ARROW * extent), extent)
        if "density" in layers and self._density is not None:
            arrays["density"] = self._density
        if "optimal" in layers and "fake" in picture and self._density is not None:
            arrays["optimal"] = to_u8(self._optimal(picture["fake"]), 0.0, 1.0)
        here = {"v": VERSION, "extent": extent, "layers": sorted(arrays), "critic": critic, "range": limits}
        return encode(arrays, here | about)

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

    # -- what is known of the data ------------------------------------------------------------------------------------

    def _log_density(self, side: int) -> np.ndarray | None:
        """Return the log density at the centres of a grid of `side` cells, row 0 at the bottom."""
        if self.loop.data.dim != 2:
            return None
        middle = (torch.arange(side, dtype=torch.float32) + 0.5) / side * 2 - 1
        y, x = torch.meshgrid(middle * self.view.extent, middle * self.view.extent, indexing="ij")
        found = self.loop.data.log_density(torch.stack([x, y], -1).reshape(-1, 2))
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
            fine = self._log_density(g * FINE)
            assert fine is not None
            cell = np.exp(fine).reshape(g, FINE, g, FINE).mean((1, 3)) * (2 * extent / g) ** 2
            self._p = blur @ cell @ blur.T
        counts = np.histogram2d(fake[:, 1], fake[:, 0], g, ((-extent, extent),) * 2)[0]
        q = blur @ (counts / len(fake)) @ blur.T
        nothing = 0.25 / len(
            fake
        )  # a quarter of one point: where neither has mass D* is undefined and drawn as one half
        best: np.ndarray = (self._p + nothing) / (self._p + q + 2 * nothing)
        return best


def to_i16(points: np.ndarray, extent: float) -> np.ndarray:
    """Return points as whole numbers, 32767 to the extent; those outside lie on its edge."""
    return (np.clip(np.nan_to_num(points / extent), -1, 1) * 32767).round().astype(np.int16)


def to_u8(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return values as 0..255 from `low` to `high`."""
    return (np.clip(np.nan_to_num((values - low) / max(high - low, 1e-12)), 0, 1) * 255).round().astype(np.uint8)


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
