"""How far apart two distributions are: JS and KL on a grid, sliced Wasserstein, MMD, energy distance.

Definitions, with p the data and q the fakes, all in nats where there is a logarithm:
- grid: p integrated or counted over square cells, one more for everything outside; q the share of fakes in each cell.
- JS(p, q) = KL(p || m) / 2 + KL(q || m) / 2, m = (p + q) / 2: at most ln 2, empty cells are harmless.
- KL(p || q) is infinite as soon as q misses a cell that p has. The finite version shown is the skew divergence
  KL(p || 0.99 q + 0.01 p) (Lee 1999): at most ln 100 = 4.605, and that only where the fakes miss everything.
- sliced Wasserstein-1 (Rabin et al. 2012): the mean over directions of the W1 distance of the projections, in data
  units. A shift by mu in the plane scores (2 / pi) |mu|.
- MMD^2 (Gretton et al. 2012), unbiased: the diagonal is left out, so it is negative half the time at equality; never
  clamp it. Kernel: the mean of Gaussians with widths 1/4, 1/2, 1, 2, 4 times a fixed scale, the real median distance.
Watch: each has a floor above zero for finitely many samples; below it a difference means nothing.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from playground.data.base import Distribution

SKEW = 0.01
REFERENCE = 500_000  # real points that stand in for a density
WIDTHS = 5  # 1/4 .. 4 times the scale


@np.errstate(over="ignore", invalid="ignore")
def cell_counts(x: np.ndarray, extent: float, cells: int) -> np.ndarray:
    """Count points (n, 2) in the cells x cells squares of [-extent, extent]^2; the last entry counts those outside."""
    across, up = np.floor((x.T + extent) * (cells / (2 * extent)))
    inside = (across >= 0) & (across < cells) & (up >= 0) & (up < cells)  # false for NaN
    return np.bincount(np.where(inside, up * cells + across, cells**2).astype(np.int64), minlength=cells**2 + 1)


def cell_masses(data: Distribution, extent: float, cells: int, generator: torch.Generator) -> np.ndarray:
    """Return the data's probability of each cell (cells^2 + 1,), float64, the last for everything outside.

    A mixture's density is integrated by the midpoint rule with 8, then 16 points a cell side. One too sharp for that
    (0.2 % of the mass missing), and data of any other kind, whose density is a sum over thousands of kernels or not
    known, is counted from 500,000 real points; in 32 x 32 cells that moves a JS by less than 0.0003 nats.
    """
    for sub in (8, 16) if data.modes() is not None else ():
        masses = _integrate(data, extent, cells, sub)
        if masses is not None and abs(float(masses.sum()) - 1) < 2e-3:
            return np.append(masses, max(0.0, 1 - masses.sum()))
    return cell_counts(data.sample(REFERENCE, generator).cpu().numpy(), extent, cells) / REFERENCE


def _integrate(data: Distribution, extent: float, cells: int, sub: int) -> np.ndarray | None:
    side = cells * sub
    ticks = (torch.arange(side) + 0.5) * (2 * extent / side) - extent
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    log_p = data.log_density(torch.stack([x.flatten(), y.flatten()], 1))
    if log_p is None:
        return None
    masses = log_p.double().exp().view(cells, sub, cells, sub).sum((1, 3)).flatten() * (2 * extent / side) ** 2
    return masses.numpy()


def kl(p: np.ndarray, q: np.ndarray) -> float:
    """Return KL(p || q) in nats of two probability vectors; infinite where q is 0 and p is not."""
    there = p > 0
    p, q = p[there], q[there]
    return float((p * np.log(p / q)).sum()) if (q > 0).all() else math.inf


def skew_kl(p: np.ndarray, q: np.ndarray, skew: float = SKEW) -> float:
    """Return KL(p || (1 - skew) q + skew p) in nats: finite, at most log(1 / skew); forward KL with p the data."""
    return kl(p, (1 - skew) * q + skew * p)


def js(p: np.ndarray, q: np.ndarray) -> float:
    """Return the Jensen-Shannon divergence in nats of two probability vectors, between 0 and ln 2."""
    m = (p + q) / 2
    return (kl(p, m) + kl(q, m)) / 2


def directions(count: int, dim: int, generator: torch.Generator | None = None) -> Tensor:
    """Return unit vectors (count, dim): even over the half circle in the plane, else drawn from `generator`."""
    if dim == 2:
        angle = (torch.arange(count) + 0.5) * (math.pi / count)
        return torch.stack([angle.cos(), angle.sin()], 1)
    if generator is None:
        raise ValueError(f"Directions in {dim} dimensions are drawn: pass a generator.")
    return torch.nn.functional.normalize(torch.randn(count, dim, generator=generator), dim=1)


def wasserstein_1d(x: Tensor, y: Tensor) -> Tensor:
    """Return W1 (P,) between the columns of samples x (n, P) and y (m, P): the area between their quantiles."""
    x, y = sorted_columns(x), sorted_columns(y)
    n, m = len(x), len(y)
    if n == m:
        return (x - y).abs().mean(0)
    edges = torch.cat([torch.arange(n + 1) * m, torch.arange(m + 1) * n]).sort().values  # quantile levels in 1 / (n m)
    left, width = edges[:-1].clamp(max=n * m - 1).to(x.device), (edges.diff() / (n * m)).to(x)
    return (width[:, None] * (x[left // m] - y[left // n]).abs()).sum(0)


def sorted_columns(x: Tensor) -> Tensor:
    """Return x (n, P) with each column in ascending order; on a CPU by NumPy, which takes a tenth of the time."""
    return torch.from_numpy(np.sort(x.T.numpy())).T if x.device.type == "cpu" else x.sort(0).values


def sliced_wasserstein(x: Tensor, y: Tensor, along: Tensor) -> float:
    """Return the mean W1 of samples x (n, d) and y (m, d) over unit directions (P, d), in data units."""
    along = along.to(x)
    return float(wasserstein_1d(x @ along.T, y @ along.T).mean())


def median_distance(x: Tensor) -> float:
    """Return the median distance between different points of x (n, d), the kernel scale that MMD uses."""
    return float(torch.pdist(x).median().clamp(min=1e-12))


def mmd2(x: Tensor, y: Tensor, scale: float) -> float:
    """Return the unbiased squared MMD of x (n, d) and y (m, d); may be negative. Raises on fewer than 2 samples."""
    n, m = len(x), len(y)
    if min(n, m) < 2:
        raise ValueError("An unbiased MMD needs at least 2 samples on each side.")
    x, y = x.cpu(), y.cpu()
    xx, yy = _kernel_sum(x, x, scale) - n, _kernel_sum(y, y, scale) - m  # k(x, x) = 1 on the diagonal
    return xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * _kernel_sum(x, y, scale) / (n * m)


def _kernel_sum(x: Tensor, y: Tensor, scale: float) -> float:
    """Return the sum of k over all pairs of points (n, d) and (m, d) on the CPU."""
    widest = scale * 2 ** (WIDTHS // 2)
    x, y = x / widest, y / widest
    ones = torch.ones(1).to(x)
    left = torch.cat([x, -x.square().sum(1, keepdim=True) / 2, ones.expand(len(x), 1)], 1)
    right = torch.cat([y, ones.expand(len(y), 1), -y.square().sum(1, keepdim=True) / 2], 1)
    k = (left @ right.T).clamp_(max=0)  # -|x - y|² / 2
    np.exp(k.numpy(), out=k.numpy())  # half of PyTorch's time where there is AVX-512
    total = k.sum()
    for _ in range(WIDTHS - 1):
        # Half the width is the fourth power: no further exponential. A power too small to count would be a denormal
        # number, with which a processor is fifty times slower: none gets below 1e-36.
        k = k.clamp_min_(1e-9).square_().square_()
        total += k.sum()
    return float(total) / WIDTHS


def kid(x: Tensor, y: Tensor) -> float:
    """Return the kernel distance of features x (n, d) and y (m, d): the unbiased MMD² with (x·y / d + 1)³.

    Bińkowski et al. 2018, arXiv 1801.01401, over all samples at once, not over subsets. May be negative.
    """
    n, m = len(x), len(y)
    if min(n, m) < 2:
        raise ValueError("An unbiased kernel distance needs at least 2 samples on each side.")
    x, y = x.detach().cpu().double(), y.detach().cpu().double()
    xx, yy, xy = ((a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = (xx.sum() - xx.trace()) / (n * (n - 1)) + (yy.sum() - yy.trace()) / (m * (m - 1))
    return float(within - 2 * xy.mean())


def energy_distance(x: Tensor, y: Tensor) -> float:
    """Return 2 E|x - y| - E|x - x'| - E|y - y'| (Szekely and Rizzo 2013), unbiased, in data units; may be negative."""
    n, m = len(x), len(y)
    within = torch.cdist(x, x).sum() / (n * (n - 1)) + torch.cdist(y, y).sum() / (m * (m - 1))
    return float(2 * torch.cdist(x, y).mean() - within)


def gaussian_jsd(shift: float, std: float = 1.0) -> float:
    """Return JS(N(0, std^2), N(shift, std^2)) in nats by quadrature, to about 1e-10."""
    delta = abs(shift) / std
    x = np.linspace(-10, 10 + delta, 40_001)
    norm = math.log(2 * math.pi) / 2
    log_p, log_q = -(x**2) / 2 - norm, -((x - delta) ** 2) / 2 - norm
    log_m = np.logaddexp(log_p, log_q) - math.log(2)
    integrand = np.exp(log_p) * (log_p - log_m) + np.exp(log_q) * (log_q - log_m)
    return float(
        integrand.sum() * (x[1] - x[0]) / 2
    )  # the ends are below 1e-20, so the plain sum is the trapezoid rule
