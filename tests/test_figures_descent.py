"""The parent's lines in a child's figure: from the fork on, dimmed, and nothing else of it."""

from __future__ import annotations

import numpy as np

from playground.figures.chart import Axis, Line, Style, chart
from playground.figures.descent import with_parent


def drawn(last, offset=0.0, **more):
    steps = np.arange(0.0, last + 1, 10)
    d = Line("Discriminator", steps, steps + offset, "#1f78b4", noisy=True)
    lines = [d, Line("Generator", steps, 2 * steps, "#e66101")]
    return chart(lines, Axis("loss"), Style(smooth=0.5), **more)


def test_the_parent_goes_on_from_the_fork_dimmed():
    child, parent = drawn(60), drawn(200, 5.0, theory=[(0.69, "ln 2")])
    whole = with_parent(child, parent, 40, "ring8-00000000")
    added = [trace for trace in whole.data if "parent" in (trace.name or "")]
    assert [trace.name for trace in added] == ["Discriminator, parent", "Generator, parent"]
    for trace in added:
        assert trace.x[0] == 40
        assert trace.x[-1] == 200
        assert trace.line.color.startswith("rgba")
    np.testing.assert_array_equal(added[1].y, 2 * np.asarray(added[1].x))
    assert whole.layout.xaxis.range[1] >= 200
    assert [shape.x0 for shape in whole.layout.shapes] == [40]


def test_a_child_that_has_measured_nothing_or_draws_no_lines_stays_as_it_is():
    empty = chart([], Axis("loss"), Style())
    assert with_parent(empty, drawn(200), 40, "x") is empty
    child = drawn(60)
    assert with_parent(child, drawn(40), 40, "x") is child
