"""The lab's tools in a real Chromium: files to save, the past, ends to stop at, the cure, zoom, the finish."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Download, Locator, Page, expect

from tests.e2e.acts import bar, events, opened, picture, press, run_of, saved, settled, state_is, step, train, until
from tests.e2e.conftest import PHONE, Server

pytestmark = pytest.mark.e2e

COLLAPSE = "?preset=collapse"  # all fakes run up to one blob


def png(download: Download) -> np.ndarray:
    image = Image.open(download.path())
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB"))


def stage(page: Page) -> Locator:
    return page.locator(".st-key-stage canvas").first


# -- files ------------------------------------------------------------------------------------------------------------


def test_stage_and_curves_are_saved_as_they_are_shown(page: Page) -> None:
    train(page, 100)
    press(page, "Pause")
    state_is(page, "paused")
    run = run_of(page)
    file = saved(page, page.get_by_role("button", name="Save the stage as PNG"))
    assert re.fullmatch(rf"{run}-\d+\.png", file.suggested_filename)
    pixels = png(file)
    assert pixels.shape[0] > pixels.shape[1] > 300  # the square picture under a strip with its title
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100

    plot = page.locator(".st-key-curve-0 .js-plotly-plot")
    plot.locator(".legend .traces").first.wait_for()
    plot.hover()
    file = saved(page, plot.locator("[data-attr=toImage], [data-title*=PNG i], [data-title*=plot i]").first)
    assert file.suggested_filename == f"{run}-losses.png"
    assert len(np.unique(png(file).reshape(-1, 3), axis=0)) > 10

    page.locator(".st-key-curve-tools button").first.click()
    file = saved(page, page.locator(".st-key-csv-curves button"))
    assert file.suggested_filename == f"{run}.csv"
    rows = list(csv.DictReader(io.StringIO(file.path().read_text())))
    assert {row["curve"] for row in rows} == {"Losses"}
    assert {"Discriminator", "Generator"} <= {row["line"] for row in rows}
    steps = [int(row["step"]) for row in rows if row["line"] == "Discriminator"]
    assert steps[:100] == list(range(1, 101))
    assert all(np.isfinite(float(row["value"])) for row in rows)


# -- the past ---------------------------------------------------------------------------------------------------------


def test_the_past_is_looked_at_and_gone_on_from(context: BrowserContext, server: Server) -> None:
    page = opened(context, f"{server.url}?keep=50")
    train(page, 400)
    press(page, "Pause")
    state_is(page, "paused")
    past = bar(page).get_by_label("Past")
    expect(past).to_be_enabled()
    now = settled(page)
    end = step(page)
    past.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(bar(page).locator(".state")).to_have_text("Looking at step 50")
    until(lambda: picture(page) != now)
    bar(page).get_by_role("button", name="Back to now").click()
    expect(bar(page).locator(".state")).to_have_text("Paused")
    until(lambda: picture(page) == now)
    assert step(page) == end
    past.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    bar(page).get_by_role("button", name="Continue from here").click()
    until(lambda: step(page) == 50)
    assert [e["step"] for e in events(server, run_of(page)) if e["kind"] == "rewind"] == [50]
    press(page, "Play")
    until(lambda: step(page) > 60)


# -- ends to stop at --------------------------------------------------------------------------------------------------


def test_it_runs_until_a_step(page: Page) -> None:
    press(page, "Run until")
    page.get_by_label("Until step").fill("123")
    page.get_by_role("dialog", name="Run until").get_by_role("button", name="Run").click()
    until(lambda: step(page) == 123)
    state_is(page, "paused")
    expect(bar(page).get_by_role("button", name="Run until")).to_be_visible()


def test_it_runs_until_all_modes_are_covered(page: Page, server: Server) -> None:
    press(page, "Run until")
    page.get_by_role("button", name="Until 8 of 8 modes are covered").click()
    until(lambda: [e for e in events(server, run_of(page)) if e["kind"] == "pause"])
    assert next(e for e in events(server, run_of(page)) if e["kind"] == "pause")["reached"] == {"modes": 8}
    state_is(page, "paused")
    expect(page.get_by_label("Scores")).to_contain_text("8 of 8")


def test_a_finished_run_says_so_and_offers_what_is_next(context: BrowserContext, server: Server) -> None:
    page = opened(context, f"{server.url}?steps=150")
    before = run_of(page)
    train(page, 150)
    state_is(page, "finished")
    moment = page.locator(".st-key-moment")
    expect(moment).to_contain_text("Finished at step 150")
    offers = moment.get_by_role("button")
    expect(offers).to_have_count(3)
    title = offers.nth(1).inner_text()
    offers.nth(1).click()
    until(lambda: run_of(page) != before)
    state_is(page, "ready")
    expect(page.locator("[class*=st-key-preset-] input")).to_have_value(re.compile(title))


# -- the cure ---------------------------------------------------------------------------------------------------------


def test_the_cure_is_a_live_edit_and_leaves_a_mark_on_the_curves(context: BrowserContext, server: Server) -> None:
    page = opened(context, server.url + COLLAPSE)
    press(page, "Play")
    cure = page.locator(".st-key-verdict .cure")
    cure.click()
    run = run_of(page)
    until(lambda: [e for e in events(server, run) if e["kind"] == "set"])
    edits = [e for e in events(server, run) if e["kind"] == "set"]
    expect(page.locator(".st-key-verdict .curenote")).to_contain_text("Applied")
    marks = page.locator(".st-key-curve-0 .js-plotly-plot .shapelayer path")
    until(lambda: marks.count() > 0)
    state_is(page, "running")
    assert run_of(page) == run
    press(page, "Pause")
    assert {e["field"] for e in edits} & {"penalty", "lr_d", "unroll", "g_steps", "instance_noise"}


# -- zoom -------------------------------------------------------------------------------------------------------------


def test_the_wheel_zooms_and_a_double_click_resets(page: Page) -> None:
    rest = settled(page)
    box = stage(page).bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    page.wait_for_timeout(500)  # a wheel that turns just after a scroll of the page goes on as a scroll
    page.mouse.wheel(0, -400)
    until(lambda: picture(page) != rest)
    stage(page).dblclick(position={"x": 60, "y": 60})
    until(lambda: picture(page) == rest)


def test_two_fingers_zoom(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.reload()
    stage(page).wait_for()
    rest = settled(page)
    box = stage(page).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hand = page.context.new_cdp_session(page)

    def touch(kind: str, spread: float) -> None:
        points = [{"x": x - spread, "y": y, "id": 0}, {"x": x + spread, "y": y, "id": 1}]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if kind != "touchEnd" else []})

    hand.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    touch("touchStart", 30)
    for spread in range(35, 110, 5):
        touch("touchMove", spread)
    touch("touchEnd", 0)
    until(lambda: picture(page) != rest)
    page.get_by_role("button", name="Reset the view (double click)").click()
    until(lambda: picture(page) == rest)
