"""A map of codes that moves with the model: no flips, no jumps, one look after the other.

Codes of one or two numbers are the map. Of more, it is a plane that follows the two widest directions: each look turns
the last plane a little towards them (orthogonal iteration, Golub and Van Loan 2013, section 8.2), so that it does not
leap where two variances cross, and then turns within it to agree with the points before. The first look is exact PCA.
"""

from __future__ import annotations

import numpy as np

from playground.latent.projection import Map, principal, raw, turn

ROUNDS = 2  # of the iteration a look: fewer follow more calmly, more catch up sooner
INSIDE = 0.995  # of the points are within the view, with so much air:
AIR = 1.15
GROW, SHRINK = 1.2, 0.96  # at most a look; the view never jumps
LEAST = 1e-6


class MovingMap:
    """The map of one set of items while their codes change."""

    def __init__(self) -> None:
        self.map: Map | None = None
        self.extent = 1.0  # half the side of the view around the origin of the map

    def look(self, codes: np.ndarray, *, anew: bool = False) -> Map:
        """Return the map of codes (n, Z) as they are now; `anew` forgets what was before."""
        before = None if anew or self.map is None or not fits(self.map, codes) else self.map
        if codes.shape[1] <= 2:
            self.map = raw(codes)
        else:
            self.map = principal(codes) if before is None else follow(codes, before)
        widest = AIR * float(np.quantile(np.abs(self.map.points), INSIDE, axis=0).max())
        if before is None:
            self.extent = max(widest, LEAST)
        else:
            self.extent = min(max(widest, self.extent * SHRINK, LEAST), self.extent * GROW)
        return self.map


def fits(before: Map, codes: np.ndarray) -> bool:
    """Say whether a map is one of so many codes of this size."""
    return before.mean is not None and (len(before.points), len(before.mean)) == codes.shape


def follow(codes: np.ndarray, before: Map) -> Map:
    """Return the map on a plane turned from the one before towards the two widest directions of codes (n, Z)."""
    assert before.basis is not None
    mean = codes.mean(0)
    centred = (codes - mean).astype(np.float64)
    spread = centred.T @ centred
    whole = float(np.trace(spread))
    if not whole > 0:
        return Map(np.zeros((len(codes), 2), np.float32), 0.0, mean, before.basis)
    basis = before.basis.astype(np.float64)
    for _ in range(ROUNDS):
        basis = np.linalg.qr(spread @ basis / whole + 1e-9 * basis)[0]  # where all vary alike, the plane stays
    basis = basis @ turn(centred @ basis, before.points)
    explained = float(np.trace(basis.T @ spread @ basis)) / whole
    return Map((centred @ basis).astype(np.float32), explained, mean, basis.astype(np.float32))
