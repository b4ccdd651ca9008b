"""Zooming into a long run's curves in a real Chromium: they come as fine as they were measured, and go back."""

from __future__ import annotations

import math

import pytest
from playwright.sync_api import Locator, Page, expect

from playground.experiment import Experiment
from playground.store import RunFolder
from tests.e2e.acts import AT_REST, until
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e

LAST = 20_000  # steps, all of them logged: ten times as many as are kept in memory
POINTS = """(plot, [low, high]) => (plot.calcdata ?? [[{ trace: {} }]])
  .filter((line) => line[0].trace.hoverinfo !== "skip")
  .map((line) => line.filter(({ x }) => x >= low && x <= high).length)"""


@pytest.fixture
def run(server: Server) -> str:
    """A run of many steps whose losses swing."""
    folder = RunFolder.create(server.home, Experiment(device="cpu"))
    folder.acquire()
    for at in range(0, LAST, 1000):
        steps = range(at + 1, at + 1001)
        folder.append_train(steps, [{"loss/d": 1 + math.sin(s / 40) / 3, "loss/g": 1.0} for s in steps])
    folder.set_status(state="stopped", step=LAST)
    folder.release()
    return folder.run_id


def points(figure: Locator, low: float, high: float) -> list[int]:
    found: list[int] = figure.evaluate(POINTS, [low, high])
    return found


def test_a_stretch_is_drawn_as_fine_as_it_was_measured(page: Page, server: Server, run: str) -> None:
    page.goto(f"{server.url}/?run={run}")
    figure = page.locator('[class*="st-key-curve-0"] .js-plotly-plot').last  # the one before it fades
    until(lambda: figure.count() and points(figure, 0, LAST)[0] > 100)
    assert points(figure, 5000, 6000)[0] < 100
    page.locator(AT_REST).wait_for()
    page.wait_for_timeout(1000)  # a figure that is drawn anew under the hand takes the drag with it
    area = figure.locator(".nsewdrag")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.25 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.31 * box["width"], middle, steps=5)
    page.mouse.up()
    until(lambda: points(figure, 5300, 5900)[0] > 550)
    low, high = figure.evaluate("(plot) => plot._fullLayout.xaxis.range")
    assert 4000 < low < 5300, "the zoom stays where it was put"
    assert 5900 < high < 7000
    area.dblclick()
    until(lambda: points(figure, 5300, 5900)[0] < 100)
    low, high = figure.evaluate("(plot) => plot._fullLayout.xaxis.range")
    assert low <= 1
    assert high >= LAST
    expect(page.get_by_text("AttributeError")).to_have_count(0)
