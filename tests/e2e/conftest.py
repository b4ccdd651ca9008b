"""A real server and a real Chromium: one of each for all browser tests, a fresh page for each."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
GRACE = 4  # seconds until an unwatched run is stopped: a minute in earnest
PATIENCE = 90.0  # seconds; generous, since nothing here measures speed
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


expect.set_options(timeout=PATIENCE * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a browser test that fails once more: a page redrawn under the hand may lose a click, of a person's too.

    The summary names each that needed it; twice failed is failed.
    """
    for item in items:
        if item.get_closest_marker("e2e"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@dataclass
class Server:
    """The app under test."""

    url: str
    home: Path
    data: Path  # what PLAYGROUND_DATA names; empty until a test puts something there
    process: subprocess.Popen[bytes]


@dataclass
class Witness:
    """What a page must not do: say an error, or ask anybody but this machine."""

    errors: list[str] = field(default_factory=list)
    abroad: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", lambda m: self.errors.append(m.text) if m.type == "error" and not _sought(m) else None)
        context.on("weberror", lambda e: self.errors.append(str(e.error)))
        context.on("request", lambda r: None if _here(r.url) else self.abroad.append(r.url))


def _sought(message: ConsoleMessage) -> bool:
    """Say whether Streamlit, opened on a page of its own address, looked for its server beside that page first."""
    return "404" in message.text and "/_stcore/" in message.location["url"]


def _here(url: str) -> bool:
    return url.startswith(("data:", "blob:")) or urlparse(url).hostname in ("localhost", "127.0.0.1")


def browser_path() -> str:
    """Return the Chromium to drive; without one the tests fail, they never skip."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if not found:
        pytest.fail(
            "No Chromium was found: install one (on Debian `apt install chromium`) or set CHROMIUM to its path."
        )
    return found


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home, data, port = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("data"), free_port()
    env = os.environ | {"PLAYGROUND_HOME": str(home), "PLAYGROUND_GRACE": str(GRACE), "PYTHONPATH": str(ROOT)}
    env |= {"PLAYGROUND_DATA": str(data)}
    log = (home / "server.log").open("wb")
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    url = f"http://localhost:{port}"
    try:
        wait_until_healthy(url, process, home / "server.log")
        yield Server(url, home, data, process)
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(480):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.25)
    pytest.fail(f"The app did not come up: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_path(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def witness() -> Witness:
    return Witness()


@pytest.fixture(scope="session")
def window(browser: Browser, witness: Witness) -> Iterator[BrowserContext]:
    """One browser profile for all tests: the app's scripts are fetched and compiled once."""
    window = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
    window.set_default_timeout(PATIENCE * 1000)
    witness.watch(window)
    yield window
    window.close()


@pytest.fixture
def context(window: BrowserContext, witness: Witness) -> Iterator[BrowserContext]:
    """The profile with no page open; afterwards no page has said an error or asked anybody abroad."""
    witness.errors.clear()
    witness.abroad.clear()
    yield window
    for page in window.pages:
        page.close()
    assert not witness.errors, witness.errors
    assert not witness.abroad, witness.abroad


@pytest.fixture
def page(context: BrowserContext, server: Server) -> Page:
    """A page on the lab, ready to play."""
    page = context.new_page()
    page.goto(server.url)
    page.locator(".st-key-stage canvas").first.wait_for()
    return page
