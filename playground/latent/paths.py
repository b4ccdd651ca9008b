"""Paths through the codes: straight and along the sphere, one coding at a time, and along what two classes differ in.

Codes drawn from N(0, I) in many dimensions lie near a sphere, and the straight line between two of them passes through
its inside, where the decoder has seen little: the spherical path (Shoemake 1985, SIGGRAPH '85, 245-254; for latent
codes White 2016, arXiv 1609.04468) keeps to it,

    slerp(a, b, t) = sin((1-t) w)/sin w * a + sin(t w)/sin w * b,    cos w = <a, b>/|a||b|.

Here it turns the direction so and takes the length from |a| to |b| evenly. Attribute vectors, mean(A) - mean(B): Larsen
et al. 2016, arXiv 1512.09300; arithmetic a - b + c: Radford et al. 2016, arXiv 1511.06434.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from playground.config import ConfigError
from playground.latent.arrays import array

PARALLEL = 1e-6  # radians: closer together the formula loses its digits, and the straight path is the same


def lerp(a: Any, b: Any, n: int) -> np.ndarray:
    """Return n codes (n, Z) evenly on the straight line from `a` (Z,) to `b` (Z,), both included."""
    a, b = array(a), array(b)
    return array(a + _shares(n) * (b - a))


def slerp(a: Any, b: Any, n: int) -> np.ndarray:
    """Return n codes (n, Z) from `a` (Z,) to `b` (Z,) at even angles, with a length that changes evenly.

    Between opposite codes every way round is as short: the one taken leads over the axis they have least of. A code of
    length 0 has no direction: there the path is straight.
    """
    a, b = array(a).astype(np.float64), array(b).astype(np.float64)
    long_a, long_b, t = np.linalg.norm(a), np.linalg.norm(b), _shares(n)
    if min(long_a, long_b) == 0 or len(a) < 2:
        return lerp(a, b, n)
    start, end = a / long_a, b / long_b
    across = end - (start @ end) * start  # towards b, at right angles to a
    sine, cosine = float(np.linalg.norm(across)), float(start @ end)
    if sine < PARALLEL and cosine > 0:
        return lerp(a, b, n)
    if sine < PARALLEL:
        across = np.eye(len(a))[np.abs(start).argmin()]
        across = across - (start @ across) * start
        sine, across = 0.0, across / np.linalg.norm(across)
    else:
        across = across / sine
    angle = t * np.arctan2(sine, cosine)
    path = (np.cos(angle) * start + np.sin(angle) * across) * (long_a + t * (long_b - long_a))
    return array(path)


def traverse(code: Any, dimension: int, values: Any) -> np.ndarray:
    """Return a code (Z,) once for each of `values` (n,) that one of its numbers takes, (n, Z)."""
    code, values = array(code), array(values)
    if not 0 <= dimension < len(code):
        raise ConfigError(f"There is no coding {dimension}: this code has {len(code)}, counted from 0.")
    path = np.repeat(code[None], len(values), 0)
    path[:, dimension] = values
    return path


def attribute(codes: Any, labels: Any, a: int, b: int) -> np.ndarray:
    """Return mean of class `a` minus mean of class `b` (Z,); raises `ConfigError` where a class has no code."""
    codes, labels = array(codes), np.asarray(labels)
    for label in (a, b):
        if not (labels == label).any():
            raise ConfigError(f"No item of class {label} is among these: encode more items or choose another class.")
    return array(codes[labels == a].mean(0) - codes[labels == b].mean(0))


def along(code: Any, direction: Any, strengths: Any) -> np.ndarray:
    """Return a code (Z,) with so much (n,) of a direction (Z,) added, (n, Z)."""
    return array(array(code) + array(strengths)[:, None] * array(direction))


def arithmetic(a: Any, b: Any, c: Any) -> np.ndarray:
    """Return a - b + c, "a is to b as what comes out is to c"; codes (Z,), or rows of them that are averaged first."""
    a, b, c = (mean if mean.ndim == 1 else mean.mean(0) for mean in (array(a), array(b), array(c)))
    return array(a - b + c)


def _shares(n: int) -> np.ndarray:
    if n < 2:
        raise ConfigError(f"A path is asked for {n} codes: it takes at least 2.")
    return np.linspace(0, 1, n, dtype=np.float32)[:, None]
