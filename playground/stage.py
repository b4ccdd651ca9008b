"""The fixed points that a 2D picture is made of: cell centres of the plane, and a square of the noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from playground.families.base import View


@lru_cache(maxsize=8)
def cells(extent: float, grid: int, device: torch.device) -> Tensor:
    """Return the centres (grid², 2) of the cells of [-extent, extent]², row by row from the bottom."""
    line = ((torch.arange(grid, device=device) + 0.5) / grid * 2 - 1) * extent
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1)


@lru_cache(maxsize=8)
def noise_mesh(mesh: int, noise_dim: int, kind: str, device: torch.device) -> Tensor:
    """Return mesh² codes (mesh², Z) on a square in the first two noise numbers, the others 0, row by row.

    The lines hold equal shares of the noise between them: evenly spaced for uniform noise, quantiles (2 % to 98 %) for
    Gaussian noise. With one noise number all rows are the same.
    """
    line = torch.linspace(-0.96, 0.96, mesh)
    if kind == "gaussian":
        line = torch.erfinv(line) * 2**0.5
    second, first = torch.meshgrid(line, line, indexing="ij")
    codes = torch.zeros(mesh * mesh, noise_dim)
    codes[:, 0] = first.flatten()
    codes[:, 1:2] = second.reshape(-1, 1)[:, : noise_dim - 1]
    return codes.to(device)


def layers(
    view: View,
    z: Tensor,
    mesh: Tensor,
    *,
    generate: Callable[[Tensor], Tensor],
    surface: Callable[[Tensor], Tensor],
    push: Callable[[Tensor], Tensor],
) -> dict[str, Tensor]:
    """Return the layers that `view` asks for: one pass of each function, none for what is not asked."""
    made: dict[str, Tensor] = {}
    n = min(view.fakes, len(z))
    if "manifold" in view.layers:
        points = generate(torch.cat([z[:n], mesh]))
        made["manifold"] = points[n:].view(view.mesh, view.mesh, -1)
    elif view.layers & {"fake", "arrows"}:
        points = generate(z[:n])
    if "fake" in view.layers:
        made["fake"] = points[:n]
    if "arrows" in view.layers:
        made["arrows"] = push(points[: min(n, view.arrows)])
    if "surface" in view.layers:
        made["surface"] = surface(cells(view.extent, view.grid, z.device)).view(view.grid, view.grid)
    return made
