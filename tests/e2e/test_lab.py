"""The lab in a real Chromium against a real server with real training."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, FloatRect, Page, expect

from tests.e2e.acts import bar, events, fill, opened, picture, press, query, run_of, state_is, step, train, until
from tests.e2e.conftest import GRACE, PATIENCE, PHONE, Server

pytestmark = pytest.mark.e2e

GOOD = "height,weight\n" + "\n".join(f"{i % 10},{i // 10}" for i in range(100))
BAD = "height,weight\n1,2\n3,heavy\n"
# Squared losses under plain gradient descent with the largest rates run off to infinity within a few steps.
NAN = "?loss=least-squares&od=sgd&og=sgd&lrd=1&lrg=1&gain=3&keep=10"


def test_it_opens_ready_plays_and_pauses_by_the_bar_and_the_space_key(page: Page) -> None:
    state_is(page, "ready")
    assert step(page) == 0
    before = picture(page)
    train(page)
    state_is(page, "running")
    until(lambda: picture(page) != before)
    press(page, "Pause")
    state_is(page, "paused")
    page.wait_for_timeout(1000)  # the bar answers before the worker does
    at, then = step(page), picture(page)
    page.wait_for_timeout(1000)
    assert step(page) == at
    assert picture(page) == then
    page.keyboard.press(" ")
    state_is(page, "running")
    until(lambda: step(page) > at + 5)
    page.keyboard.press(" ")
    state_is(page, "paused")


def test_a_live_edit_takes_effect_and_leaves_a_mark(page: Page, server: Server) -> None:
    train(page)
    fill(page, "lr_d", "0.0005")
    until(lambda: [e for e in events(server, run_of(page)) if e["kind"] == "set"])
    mark = next(e for e in events(server, run_of(page)) if e["kind"] == "set")
    assert (mark["field"], mark["value"]) == ("lr_d", 0.0005)
    state_is(page, "running")
    until(lambda: query(page)["lrd"] == ["0.0005"])


def test_one_step_of_one_side(page: Page) -> None:
    press(page, "G only")
    until(lambda: step(page) == 1)
    page.keyboard.press("d")
    until(lambda: step(page) == 2)
    state_is(page, "paused")


def test_a_structural_change_asks_first(page: Page) -> None:
    train(page)
    before = run_of(page)
    page.locator(".st-key-group-generator summary").click()
    depth = page.locator("[class*=st-key-type-g_depth-] input:visible")
    was = depth.input_value()
    fill(page, "g_depth", "5")
    expect(page.locator(".st-key-pending")).to_contain_text("restarts the run")
    assert run_of(page) == before
    page.locator(".st-key-undo button").click()
    expect(page.locator(".st-key-pending")).to_have_count(0)
    expect(depth).to_have_value(was)
    fill(page, "g_depth", "5")
    page.locator(".st-key-restart button").click()
    until(lambda: run_of(page) != before)
    state_is(page, "running")


def test_a_reload_and_the_runs_page_find_the_run_again(page: Page) -> None:
    train(page)
    run, at = run_of(page), step(page)
    page.reload()
    page.locator(".st-key-stage canvas").first.wait_for()
    until(lambda: step(page) >= at)
    assert run_of(page) == run
    page.get_by_role("link", name="Runs").first.click()
    page.locator(f".st-key-open-{run} button").click()
    page.locator(".st-key-stage canvas").first.wait_for()
    assert run_of(page) == run


def test_a_share_link_shows_the_same_run_in_a_second_window(page: Page, context: BrowserContext) -> None:
    train(page)
    page.locator(".st-key-share button").first.click()
    link = page.locator("[data-testid=stPopoverBody] code").inner_text()
    other = opened(context, link)
    assert run_of(other) == run_of(page)
    at = step(other)
    until(lambda: step(other) > at)
    press(other, "Pause")
    state_is(page, "paused")


def test_reset_begins_the_same_run_again_and_new_seed_another(page: Page) -> None:
    train(page)
    press(page, "Pause")
    before, seed = run_of(page), query(page).get("seed")
    press(page, "Reset")
    until(lambda: run_of(page) != before)
    until(lambda: step(page) == 0)
    assert query(page).get("seed") == seed
    before = run_of(page)
    press(page, "New seed")
    until(lambda: run_of(page) != before)
    assert query(page).get("seed") != seed


def test_drawing_ones_own_data(page: Page) -> None:
    before = run_of(page)
    page.locator(".st-key-data button").first.click()
    page.locator(".st-key-draw button").click()
    box = page.locator(".st-key-pad canvas").bounding_box()
    assert box
    x, y, side = box["x"], box["y"], box["width"]
    page.mouse.move(x + 0.2 * side, y + 0.2 * side)
    page.mouse.down()
    for i in range(12):
        page.mouse.move(x + (0.2 + 0.05 * i) * side, y + (0.3 + 0.03 * i) * side)
    page.mouse.up()
    page.locator(".st-key-pad").get_by_role("button", name="Use").click()
    until(lambda: run_of(page) != before)
    assert run_of(page).startswith("custom-")
    train(page)


def upload(page: Page, path: Path, text: str) -> None:
    path.write_text(text)
    page.locator(".st-key-data button").first.click()
    page.locator(".st-key-upload button").click()
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(path)


def test_a_bad_file_gets_a_sentence_and_the_run_stays(page: Page, tmp_path: Path) -> None:
    train(page)
    before = run_of(page)
    upload(page, tmp_path / "bad.csv", BAD)
    expect(page.locator("[data-testid=stDialog] [data-testid=stAlert]")).to_contain_text("Row 3")
    assert run_of(page) == before
    bar(page).get_by_role("button", name="Pause").dispatch_event("click")  # as another window would, or its end
    state_is(page, "paused")
    page.wait_for_timeout(2000)  # the page hears of it, and would be drawn anew without the dialog
    expect(page.locator("[data-testid=stDialog] [data-testid=stAlert]")).to_contain_text("Row 3")
    page.keyboard.press("Escape")
    at = step(page)
    press(page, "Play")
    until(lambda: step(page) > at)


def test_a_good_file_becomes_the_data(page: Page, tmp_path: Path) -> None:
    before = run_of(page)
    upload(page, tmp_path / "good.csv", GOOD)
    expect(page.locator("[data-testid=stDialog]")).to_contain_text("100 points")
    page.locator(".st-key-use-csv button").click()
    until(lambda: run_of(page) != before)
    assert run_of(page).startswith("custom-")


def test_a_nan_pauses_the_run_says_why_and_goes_back(context: BrowserContext, server: Server) -> None:
    page = opened(context, server.url + NAN)
    press(page, "Play")
    state_is(page, "failed")
    said = page.locator(".st-key-moment [data-testid=stAlert]")
    expect(said).to_contain_text(re.compile("NaN|infinite|number"))
    page.locator(".st-key-go-back button, .st-key-again button").first.click()
    until(lambda: bar(page).locator(".state").get_attribute("data-state") != "failed")


def test_closing_the_tab_stops_the_run(context: BrowserContext, server: Server) -> None:
    page = opened(context, server.url)
    train(page)
    run = run_of(page)
    page.close()
    status = server.home / run / "status.json"
    until(lambda: json.loads(status.read_text())["state"] == "stopped", GRACE + PATIENCE)


def test_on_a_phone_the_stage_comes_first_and_play_stays_in_reach(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.reload()
    page.locator(".st-key-stage canvas").first.wait_for()
    play = bar(page).get_by_role("button", name="Play").bounding_box()
    stage = page.locator(".st-key-stage canvas").first.bounding_box()
    assert play
    assert stage
    assert 0 <= play["y"] < PHONE["height"] - 20
    assert stage["y"] < PHONE["height"] / 2
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


LONG = "5 of 8 modes. Modes 2 (top right), 4 (top left) and 6 (bottom left) have had almost no fakes for 12,000 steps."
HAS_ROOM = """(sentence, text) => {
    const told = sentence.textContent;
    sentence.textContent = text;
    const room = [sentence, sentence.closest(".headline")].every((e) => e.scrollHeight <= e.clientHeight);
    sentence.textContent = told;
    return room;
}"""


def test_at_every_width_controls_keep_apart_and_within_the_page(page: Page) -> None:
    for width, height in (
        (844, 390),
        (820, 1180),
        (1024, 768),
        (1100, 700),
        (1280, 720),
        (1366, 768),
        (1440, 900),
        (1920, 1080),
    ):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)  # for the layout that follows a new size
        controls = bar(page).locator("button:visible, input:visible, .speedtext:visible, .readout:visible").all()
        boxes = [box for control in controls if (box := control.bounding_box())]
        assert len(boxes) > 10
        assert all(box["width"] >= 16 for box in boxes), f"something is squeezed at {width} x {height}"
        for one, other in combinations(boxes, 2):
            assert apart(one, other), f"{one} lies over {other} at {width} x {height}"
        for row in (bar(page), page.locator(".st-key-title-row"), page.locator(".st-key-curve-tabs")):
            last = row.locator("button:visible").last.bounding_box()
            assert last
            assert last["x"] + last["width"] <= width - 8, f"{last} is cut off at {width} x {height}"
        assert page.locator(".sentence").evaluate(HAS_ROOM, LONG), f"a long verdict is cut off at {width} x {height}"


def apart(one: FloatRect, other: FloatRect) -> bool:
    """Say whether two boxes share no more than a border's width."""
    across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    return min(across, down) <= 1.5


def test_a_notice_of_a_bad_link_leaves_play_free(context: BrowserContext, server: Server) -> None:
    page = opened(context, server.url + "?ds=nonsense")
    page.locator(".st-key-said").wait_for()
    notice = page.locator(".st-key-said").bounding_box()
    play = bar(page).get_by_role("button", name="Play").bounding_box()
    assert notice
    assert play
    assert apart(notice, play)
    train(page)
