"""A sweep of six in a real Chromium: chosen, started, filled, and one of its runs opened from the map."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.acts import query, until, visit
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e

CELLS = ".js-plotly-plot .annotation-text"


def choose(page: Page, rates: str, steps: int) -> None:
    """Vary the learning rate over these values and the loss over what is offered first."""
    box = page.locator(".st-key-sweep-values-lr_g input")
    box.fill(rates)
    box.press("Enter")
    box = page.locator(".st-key-sweep-steps input")
    box.fill(str(steps))
    box.press("Enter")


def test_a_sweep_of_six_from_the_choice_to_a_run(page: Page, server: Server) -> None:
    visit(page, "Sweep")
    choose(page, "0.001, 0.01", 60)
    expect(page.locator(".st-key-sweep-cost")).to_contain_text("measured now")
    page.get_by_role("button", name="Start 6 runs").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    expect(page.locator(CELLS)).to_have_count(6)  # every place is there before anything has landed
    expect(page.get_by_text("6 of 6 runs are done")).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    until(lambda: all(re.fullmatch(r"\d", text) for text in page.locator(CELLS).all_text_contents()))
    expect(page.locator("[class*=st-key-sweep-best-]")).to_have_count(6)
    cell = page.locator(CELLS).first
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + 40)
    page.mouse.move(box["x"] + 8, box["y"] + 30, steps=4)
    expect(page.locator(".hoverlayer")).to_contain_text("seed 0")
    page.mouse.click(box["x"] + 8, box["y"] + 30)
    page.locator(".st-key-stage canvas").first.wait_for()
    page.wait_for_function("new URLSearchParams(location.search).has('run')")
    assert query(page)["run"][0] in {folder.name for folder in server.home.iterdir()}
    assert query(page)["steps"] == ["60"]


@pytest.mark.slow
def test_a_sweep_is_stopped_resumed_and_deleted_with_its_runs(page: Page, server: Server) -> None:
    visit(page, "Sweep")
    page.locator("[class*=st-key-sweep-choice-] input").or_(page.locator(".st-key-sweep-start")).first.wait_for()
    if page.locator("[class*=st-key-sweep-choice-]").count():
        page.locator("[class*=st-key-sweep-choice-] [role=combobox]").first.click()
        page.get_by_role("option", name="New sweep").click()
    choose(page, "0.001, 0.01", 3000)
    page.get_by_role("button", name="Start 6 runs").click()
    expect(page.get_by_text("2 under way")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped: Resume goes on")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    (sweep,) = query(page)["sweep"]
    page.locator(".st-key-sweep-delete button").first.click()
    page.get_by_text("runs too").click()
    page.get_by_role("button", name="Delete this sweep").click()
    until(lambda: not (server.home / "sweeps" / f"{sweep}.json").exists())
    page.locator(".st-key-sweep-start").wait_for()
