"""The path of a model that is a point (a two-parameter game), kept in bounded memory as a curve that stays smooth.

Steps say nothing of how a path looks: near an equilibrium thousands fall on one pixel, far out a few make a turn. So
points are kept by the distance between them. A path that grows too long is told a little more coarsely, evenly from end
to end; where that would show, its oldest part is forgotten instead.
"""

from __future__ import annotations

from math import dist

MOST = 1990  # points kept; with the field a frame stays under 30 KB
FINEST, COARSEST = 1 / 512, 1 / 16  # distance between neighbours, of the way from the middle to the farthest point


class Trail:
    """Where a point has been, oldest first; `whole` until its beginning is forgotten."""

    def __init__(self) -> None:
        self.points: list[list[float]] = []
        self.whole = True
        self._gap = 0.0

    def add(self, point: list[float]) -> None:
        """Take where the point is now."""
        if self._gap and dist(point, self.points[-1]) < self._gap:
            return
        self.points.append(point)
        if len(self.points) <= MOST:
            return
        farthest = max(abs(value) for point in self.points for value in point)
        if self._gap < COARSEST * farthest:
            self._gap = max(2 * self._gap, FINEST * farthest)
            self.points = spaced(self.points, self._gap)
        else:
            del self.points[: MOST // 8]
            self.whole = False


def spaced(points: list[list[float]], gap: float) -> list[list[float]]:
    """Return the points that lie a gap from the one kept before, less what a chord is shorter than its arc."""
    kept = points[:1]
    for point in points[1:]:
        if dist(point, kept[-1]) >= 0.9 * gap:
            kept.append(point)
    return kept
