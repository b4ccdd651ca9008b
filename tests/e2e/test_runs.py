"""The table of runs in a real Chromium: sorted, filtered, starred, renamed, compared, deleted and brought back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.store import About, RunFolder, about
from tests.e2e.acts import until
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e

SMALL = {"g_depth": 1, "d_depth": 1, "g_width": 8, "d_width": 8, "batch": 16, "device": "cpu", "score_every": 20}


@pytest.fixture
def made(server: Server) -> list[str]:
    """Three runs of 60 steps whose last JS divergence is 0.3, 0.1 and 0.2."""
    runs = []
    for i, (name, value) in enumerate((("Alder", 0.3), ("Birch", 0.1), ("Cedar", 0.2))):
        folder = RunFolder.create(server.home, Experiment(seed=i).changed(**SMALL))
        runs.append(folder.run_id)
        about.write(folder.path, About(name=name, tags=(runs[0],)))  # a word that finds these alone
        loop = Loop(folder.experiment(), folder)
        loop.advance(60)
        loop.keyframe()
        folder.append_scores(61, {"dist/js": value})
        folder.set_status(state="stopped", step=60)
        folder.release()
    return runs


@pytest.fixture
def table(context: BrowserContext, server: Server, made: list[str]) -> Page:
    """The Runs page with those three alone."""
    page = context.new_page()
    page.goto(f"{server.url}/runs")
    search = page.get_by_label("Search")
    search.fill(made[0])
    search.press("Enter")
    until(lambda: sorted(listed(page)) == sorted(made))
    return page


def listed(page: Page) -> list[str]:
    classes = page.locator("[class*=st-key-open-]").evaluate_all("all => all.map((one) => one.className)")
    return [re.search(r"st-key-open-(\S+)", name)[1] for name in classes]  # type: ignore[index]


def tick(page: Page, run: str) -> None:
    page.locator(f".st-key-pick-{run} label").first.click()


def remove(page: Page, made: list[str]) -> None:
    for run in made:
        if run in listed(page):
            tick(page, run)
    page.locator(".st-key-delete-picked button").click()
    until(lambda: not set(listed(page)) & set(made))


def test_a_table_is_sorted_filtered_starred_and_runs_renamed(table: Page, made: list[str], server: Server) -> None:
    alder, birch, cedar = made
    order = table.locator(".st-key-runs-order input")
    order.click()
    order.fill("JS divergence")
    order.press("Enter")
    until(lambda: listed(table) == [birch, cedar, alder])
    table.locator(".st-key-runs-turn button").first.click()
    until(lambda: listed(table) == [alder, cedar, birch])
    table.locator(f".st-key-star-{cedar} button").first.click()
    until(lambda: about.read(server.home / cedar).star)
    table.get_by_text("Starred", exact=True).click()
    until(lambda: listed(table) == [cedar])
    table.locator(f".st-key-more-{cedar} button").first.click()
    table.get_by_label("Name", exact=True).fill("Douglas fir")
    table.locator(f".st-key-keep-{cedar} button").click()
    expect(table.locator(f".st-key-run-{cedar}")).to_contain_text("Douglas fir")
    table.keyboard.press("Escape")
    table.get_by_text("Starred", exact=True).click()
    until(lambda: len(listed(table)) == 3)
    thumb = table.locator(f".st-key-run-{alder} .run > img")
    expect(thumb).to_have_attribute("src", re.compile("^data:image/png"))
    expect(table.locator(f".st-key-run-{alder} img.spark")).to_have_attribute("src", re.compile("^data:image/svg"))
    remove(table, made)


def test_three_runs_are_compared_deleted_and_brought_back(table: Page, made: list[str]) -> None:
    for run in made:
        tick(table, run)
    expect(table.locator(".st-key-picks-bar")).to_contain_text("3 selected")
    table.locator(".st-key-compare-picked button").click()
    expect(table.locator("h1")).to_have_text("Compare")
    plot = "document.querySelector('[class*=st-key-compare-] .js-plotly-plot')"
    table.wait_for_function(f"{plot}?._fullData?.filter((t) => t.hoverinfo !== 'skip').length === 3")
    table.get_by_text("Time", exact=True).click()
    table.wait_for_function(f"/seconds/.test({plot}?.layout.xaxis.title.text)")
    table.go_back()
    expect(table.locator("h1")).to_have_text("Runs")
    until(lambda: set(made) <= set(listed(table)))
    expect(table.locator(".st-key-picks-bar")).to_contain_text("3 selected")
    table.locator(".st-key-delete-picked button").click()
    until(lambda: not set(listed(table)) & set(made))
    table.locator(".st-key-bring-back button").click()
    until(lambda: set(made) <= set(listed(table)))
