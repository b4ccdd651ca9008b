"""Walks through samples of a generator: from code to code at constant speed, there and round again, or along one code.

Noise of N(0, I) is crossed along the sphere that it lies near (`paths.slerp`; White 2016, arXiv 1609.04468), uniform
noise straight. Categories and continuous codes are always crossed in a line: on the way the generator sees a mixture
that it never saw in training, as a person should know who looks at it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from playground.config import ConfigError
from playground.families.base import Code, Family
from playground.latent.arrays import array, codes_of
from playground.latent.paths import lerp, slerp, traverse
from playground.latent.truncation import noise_part

Method = Literal["spherical", "straight"]
FINE = 128  # points of a leg that its speed is evened out on
REACH = 2.0  # of a sweep of a continuous code, which is drawn from -1 to 1 in training


def natural(model: Family) -> Method:
    """Return the way through a model's noise that passes where its codes lie."""
    return "straight" if getattr(model.config, "noise_kind", "gaussian") == "uniform" else "spherical"


def walk(
    codes: Any, n: int, parts: Sequence[Code] = (), method: Method = "spherical", *, closed: bool = False
) -> np.ndarray:
    """Return n codes (n, Z) at even distances on the way through `codes` (k, Z), in their order.

    Open: the first and the last are the ends. Closed: from the last code on to the first, which comes once, so that n
    pictures repeat without a halt.
    """
    stops = codes_of(codes)
    if len(stops) < 2 or n < 2:
        raise ConfigError(f"A walk of {n} steps through {len(stops)} codes is asked for: it takes at least 2 of both.")
    if closed:
        stops = np.concatenate([stops, stops[:1]])
    legs = [leg(a, b, FINE + 1, parts, method) for a, b in itertools.pairwise(stops)]
    fine = np.concatenate([legs[0][:1], *(path[1:] for path in legs)]).astype(np.float64)
    gone = np.concatenate([[0.0], np.linalg.norm(np.diff(fine, axis=0), axis=1).cumsum()])
    wanted = np.linspace(0, gone[-1], n, endpoint=not closed)
    return array(np.stack([np.interp(wanted, gone, column) for column in fine.T], 1))


def leg(a: Any, b: Any, n: int, parts: Sequence[Code] = (), method: Method = "spherical") -> np.ndarray:
    """Return n codes (n, Z) from `a` (Z,) to `b` (Z,), both included: the noise by `method`, all else in a line."""
    path = lerp(a, b, n)
    noise = noise_part(parts, path.shape[1])
    if method == "spherical" and noise.any():
        path[:, noise] = slerp(array(a)[noise], array(b)[noise], n)
    return path


def sweep(code: Any, part: Code, n: int = 9) -> np.ndarray:
    """Return a code (Z,) with each choice of a category (choices, Z), or n values of a continuous code from -2 to 2."""
    if part.kind == "category":
        rows = np.repeat(array(code)[None], part.size, 0)
        rows[:, part.start : part.start + part.size] = np.eye(part.size, dtype=np.float32)
        return rows
    if part.size != 1:
        raise ConfigError(f"{part.name} is {part.size} numbers: sweep one number of z, or a category.")
    return traverse(code, part.start, np.linspace(-REACH, REACH, n))
