"""A race in a real Chromium: two pictures move, a pause stops both at one step, a reload finds it, keys drive it."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.acts import drawn, press, query, state_is, step, until
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e


def lined_up(context: BrowserContext, server: Server, name: str) -> Page:
    page = context.new_page()
    page.goto(f"{server.url}/race")
    page.locator(f".st-key-line-up-{name} button").first.click()
    page.locator(".st-key-transport .play").wait_for()
    expect(page.locator(".st-key-racers canvas").first).to_be_visible()
    return page


def canvases(page: Page, n: int) -> list[Locator]:
    return [page.locator(f".st-key-racer-{i} canvas").first for i in range(n)]


def hubs(page: Page) -> dict[str, int]:
    """Return the step of each racer, as its own connection tells it."""
    found = page.evaluate("[...window.__playgroundHubs].map(([run, hub]) => [run, hub.status.step])")
    return {run: at for run, at in found if not run.startswith("race-")}


def answered(page: Page) -> bool:
    """Say whether the race has answered all that it was asked: the bar shows what it expects before that."""
    asked = (
        "[...window.__playgroundHubs].filter(([run]) => run.startsWith('race-')).every(([, hub]) => !hub.waiting.size)"
    )
    return bool(page.evaluate(asked))


def test_two_racers_move_stop_together_and_survive_a_reload(context: BrowserContext, server: Server) -> None:
    page = lined_up(context, server, "r1")
    pictures = canvases(page, 2)
    page.locator(".badge").nth(1).wait_for()
    first = [drawn(canvas) for canvas in pictures]
    press(page, "Play")
    until(lambda: step(page) > 40)
    until(lambda: all(drawn(canvas) != before for canvas, before in zip(pictures, first, strict=True)))
    page.keyboard.press("Space")
    state_is(page, "paused")
    until(lambda: answered(page))
    until(lambda: len(hubs(page)) == 2 and set(hubs(page).values()) == {step(page)})
    stopped = step(page)
    race = query(page)["race"]
    press(page, "10")
    until(lambda: set(hubs(page).values()) == {stopped + 10})
    until(lambda: answered(page))
    page.reload()
    page.locator(".st-key-racers canvas").first.wait_for()
    assert query(page)["race"] == race
    until(lambda: step(page) == stopped + 10)
    expect(page.locator(".racername")).to_have_text(["none", "R1"])
    press(page, "Reset")
    until(lambda: step(page) == 0)
    until(lambda: set(hubs(page).values()) == {0})


def test_an_autoencoder_races_with_walls_and_maps(context: BrowserContext, server: Server) -> None:
    page = lined_up(context, server, "codes")
    expect(page.locator(".racername")).to_have_text(["Codings 2", "Codings 8", "Codings 32"])
    expect(page.locator(".st-key-racer-2 .wall canvas").first).to_be_visible()
    page.get_by_role("radio", name="Map of codings").click()
    expect(page.locator(".st-key-racer-2 .map canvas").first).to_be_visible()
    expect(page.locator(".st-key-racer-2 .wall")).to_have_count(0)
