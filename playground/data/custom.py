"""A person's own points as a data set: rows drawn again and again from a finite set (bootstrap), each with fresh noise.

    p(x) = 1/n sum_i N(x; x_i, s^2 I)

is then the exact density of what is trained on: a kernel density with the noise as its bandwidth. Without noise a
discriminator can learn the rows by heart. Points lie in `<home>/data/<hash>.safetensors`, named by the hash of their
content, so that a link or a saved run finds the same points again; nothing is ever unpickled.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from pydantic import model_validator
from torch import Tensor

from playground.blobs import npz
from playground.config import knob
from playground.data import upload
from playground.data.base import Distribution
from playground.data.curves import log_kernels
from playground.data.kept import damaged, keep, kept, kept_file
from playground.data.upload import Points

AGAIN = "draw or upload them"
MAX_KERNELS = 2000  # more rows than that make the density too slow to draw


def points_file(source: str) -> Path:
    """Return where the points of that hash lie, there or not; raises `ConfigError` for what is no hash."""
    return kept_file(source, "points", "draw some or upload a CSV file")


def save_points(points: Points) -> str:
    """Write points under the hash of their content and return it, 16 hex digits; the same points give the same hash."""
    about = {"names": points.names, "centre": points.centre, "scale": points.scale, "source": points.source}
    return keep("points", points.points.float(), about)


def load_points(source: str) -> Points:
    """Return saved points; raises `ConfigError` where they are not on this machine or not readable."""
    return _load(points_file(source))


@lru_cache(maxsize=16)
def _load(path: Path) -> Points:
    rows, about = kept(path, "points", AGAIN)
    if rows.ndim != 2 or rows.shape[1] != 2 or not len(rows) or not torch.isfinite(rows).all():
        raise damaged(path, "points", AGAIN)
    first, second = about["names"]
    x, y = about["centre"]
    names, centre = (str(first), str(second)), (float(x), float(y))
    return Points(rows.float(), names, centre, float(about["scale"]), str(about["source"]))


@lru_cache(maxsize=1)
def example() -> Points:
    """Return 500 points on a heart, what the data set shows before there are any of one's own."""
    t = torch.linspace(0, 2 * math.pi, 501, dtype=torch.float64)[:-1]
    x = 16 * t.sin() ** 3
    y = 13 * t.cos() - 5 * (2 * t).cos() - 2 * (3 * t).cos() - (4 * t).cos() + 2.5
    return Points((torch.stack([x, y], 1) / 8.5).float(), ("x", "y"), (0.0, 0.0), 1.0, "example")


@lru_cache(maxsize=8)
def _rows(path: Path | None, device: torch.device) -> Tensor:
    return (example() if path is None else _load(path)).points.to(device)


class Custom(Distribution):
    """Drawn or uploaded points with noise."""

    id: ClassVar[str] = upload.ID
    title: ClassVar[str] = "Your own points"
    about: ClassVar[str] = "Points that you drew or uploaded, drawn again and again with a little noise on each."
    rank: ClassVar[int] = 50

    source: str = knob(
        "", "Name of the saved points, made from their content; empty for an example.", short="src", group="Data",
        label="Points",
    )  # fmt: skip
    jitter: float = knob(
        0.03, "Standard deviation of the noise on every point; 0 shows D the same rows again and again.", short="j",
        live=True, group="Data", label="Noise", low=0.0, high=0.5, unit="data units", step=0.01,
    )  # fmt: skip

    @model_validator(mode="after")
    def _is_a_hash(self) -> Self:
        self.file()
        return self

    def file(self) -> Path | None:
        """Return where the points lie; None for the example."""
        return points_file(self.source) if self.source else None

    def listing(self) -> dict[str, Any]:
        """Name the file of the points."""
        return {"DATA": "points.npz"}

    def beside(self) -> dict[str, bytes]:
        """Return the points as a file."""
        return {"points.npz": npz(points=self.rows(torch.device("cpu")).numpy())}

    def rows(self, device: torch.device) -> Tensor:
        """Return the points themselves (n, 2); raises `ConfigError` where they are not on this machine."""
        return _rows(self.file(), device)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, 2): rows with replacement, then noise; raises `ConfigError` where the points are missing."""
        rows = self.rows(generator.device)
        which = torch.randint(len(rows), (n,), generator=generator, device=generator.device)
        points = rows.index_select(0, which)
        if self.jitter:
            points.add_(torch.randn(n, 2, generator=generator, device=generator.device), alpha=self.jitter)
        return points

    def log_density(self, x: Tensor) -> Tensor | None:
        """Return the log of the mean of the rows' kernels, (n,); None without noise or with over 2,000 rows."""
        rows = self.rows(torch.device("cpu"))
        if not self.jitter or len(rows) > MAX_KERNELS:
            return None
        return log_kernels(x, rows.double(), torch.full((len(rows),), -math.log(len(rows))).double(), self.jitter)

    @property
    def extent(self) -> float:
        """Reach four standard deviations beyond the outermost point, and a little air."""
        return 1.15 * (float(self.rows(torch.device("cpu")).abs().max()) + 4 * self.jitter)
