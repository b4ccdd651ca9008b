"""What a person does on the lab's page, and sees there."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlparse

import pytest
from playwright.sync_api import BrowserContext, Download, Locator, Page, TimeoutError, expect

import playground
from playground.experiment import Experiment
from playground.store import RunFolder, receive
from tests.e2e.conftest import PATIENCE, Server

AT_REST = "[data-testid=stApp][data-test-script-state=notRunning]"


def opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    page.locator(".st-key-stage canvas").first.wait_for()
    return page


def bar(page: Page) -> Locator:
    return page.locator(".st-key-transport")


def press(page: Page, words: str) -> None:
    bar(page).get_by_role("button", name=words, exact=False).first.click()


def step(page: Page) -> int:
    return int(bar(page).locator(".counter").inner_text().replace(",", ""))


def picture(page: Page) -> str:
    return str(page.locator(".st-key-stage canvas").first.evaluate("canvas => canvas.toDataURL()"))


def settled(page: Page) -> str:
    """Wait until the picture stands still, and return it: the bar answers before the worker does."""
    seen, since = "", time.monotonic()
    while time.monotonic() < since + 1.0:
        if (now := picture(page)) != seen:
            seen, since = now, time.monotonic()
        page.wait_for_timeout(100)
    return seen


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlparse(page.evaluate("location.href")).query)


def run_of(page: Page) -> str:
    page.wait_for_function("new URLSearchParams(location.search).has('run')")  # written after the page is drawn
    return query(page)["run"][0]


def lies_at(page: Page, words: str) -> None:
    """Wait until the page's address holds `words`; `page.url` learns of a change only while the browser is asked."""
    page.wait_for_function("words => location.href.includes(words)", arg=words)


def until(what: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until `what` holds."""
    end = time.monotonic() + patience
    while not what():
        assert time.monotonic() < end, "It did not come about in time."
        time.sleep(0.05)


def state_is(page: Page, name: str) -> None:
    expect(bar(page).locator(".state")).to_have_attribute("data-state", name)


def choose(page: Page, name: str) -> None:
    """Choose one of several ways to look; a click on a page that is just drawn anew goes nowhere."""
    radio = page.get_by_role("radio", name=name, exact=True)
    radio.wait_for(state="attached")

    def chosen() -> bool:
        if not radio.is_checked():
            radio.click(force=True)
            page.wait_for_timeout(500)
        return radio.is_checked()

    until(chosen)


def train(page: Page, steps: int = 20) -> None:
    until(lambda: page.evaluate("[...window.__playgroundHubs.keys()]") == [run_of(page)])  # the bar drives this run
    press(page, "Play")
    until(lambda: step(page) >= steps)


def trained(server: Server, link: str, steps: int, file: Path) -> Path:
    """Train what a link opens without a browser, once for many tests; return a file that `brought` brings it from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_HOME", str(server.home))
        experiment, unknown = Experiment.from_query(dict(parse_qsl(urlparse(link).query)))
        assert not unknown
        return playground.train(experiment, steps).share(file)


def brought(context: BrowserContext, server: Server, file: Path, name: str = "", first: str = "h1") -> Page:
    """Put a copy of a run beside the server's others, for one test alone; return a page of this name that shows it."""
    page = context.new_page()
    page.goto(f"{server.url}/{name}?run={receive(file, server.home).run_id}")
    page.locator(first).first.wait_for()
    return page


def events(server: Server, run: str) -> list[dict[str, object]]:
    return RunFolder(server.home / run).events() if (server.home / run).exists() else []


def fill(page: Page, field: str, value: str) -> None:
    box = page.locator(f"[class*=st-key-type-{field}-] input:visible")
    box.fill(value)
    box.press("Enter")


def drawn(canvas: Locator) -> str:
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))


def saved(page: Page, button: Locator) -> Download:
    """Press a button that gives a file, and once more where a redraw of the page took the first press with it."""
    page.locator(AT_REST).wait_for()
    try:
        with page.expect_download(timeout=15_000) as told:
            button.click()
    except TimeoutError:
        with page.expect_download() as told:
            button.click()
    return told.value


def visit(page: Page, title: str, section: str = "Explore") -> None:
    """Go to a page by the menu, once the present one is at rest; a rerun of its own would call it back."""
    for patience in (15_000, 90_000):
        page.locator(AT_REST).wait_for()
        page.locator("[data-testid=stTopNavSection]").filter(has_text=section).click()
        page.locator("[data-testid=stTopNavDropdownLink]").get_by_text(title, exact=True).first.click()
        try:
            return expect(page.locator("h1")).to_have_text(title, timeout=patience)
        except AssertionError:
            if patience > 15_000:
                raise
