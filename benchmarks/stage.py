"""What the live stage costs in a browser: different frames painted a second, the page's own pace, bytes, server time.

The app is started as a person starts it, on a fresh home; a headless Chromium without a GPU opens the lab and trains.
The counters are the page's own: its components share one hub, and a listener beside the stage's counts what it paints.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
SECONDS = 10
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# Counts frames after the stage has painted them (a task after the animation frame), their bytes, and animation frames.
COUNT = """
async (seconds) => {
  const hub = [...window.__playgroundHubs.values()][0];
  const seen = new Set();
  let bytes = 0, received = 0, beats = 0, on = true;
  const off = hub.on("frame", (frame) => seen.add(frame.seq));
  const weigh = (event) => { if (typeof event.data !== "string") { bytes += event.data.byteLength; received += 1; } };
  hub.socket.addEventListener("message", weigh);
  const beat = () => { beats += 1; if (on) requestAnimationFrame(beat); };
  requestAnimationFrame(beat);
  const began = performance.now(), from = hub.status.step;
  await new Promise((done) => setTimeout(done, seconds * 1000));
  on = false; off(); hub.socket.removeEventListener("message", weigh);
  const took = (performance.now() - began) / 1000;
  return {painted: seen.size / took, hertz: beats / took, kilobytes: bytes / 1000 / Math.max(1, received), received,
          steps: (hub.status.step - from) / took};
}
"""

# How long the stage's own work on one frame takes on the main thread.
PAINT = """
() => {
  const hub = [...window.__playgroundHubs.values()][0];
  const frame = hub.frame, times = [];
  for (let k = 0; k < 60; k++) {
    const began = performance.now();
    for (const listener of hub.listeners.frame) listener(frame);
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[30];
}
"""


def rows(seconds: int = SECONDS) -> list[dict[str, Any]]:
    """Measure in one browser for twice so many seconds; raises `RuntimeError` where no browser or app comes up."""
    with tempfile.TemporaryDirectory() as home, app(home) as (url, process):
        whole = visit(url, process.pid, seconds)
        alone = visit(f"{url}?hide=curves", process.pid, seconds)
    return [
        row("different frames painted", "1/s", whole["painted"], least=15),
        row("the page's own pace", "Hz", whole["hertz"], least=55),
        row("its pace without curves", "Hz", alone["hertz"]),
        row("size of a frame", "KB", whole["kilobytes"], most=30),
        row("server time a frame", "ms", alone["served"], most=2)
        | {"note": "all of the server's processor time without curves, less its time at rest"},
        row("painting a frame", "ms", whole["paint"])
        | {"note": "the browser's main thread, every component on the page"},
        row("training meanwhile", "steps/s", whole["steps"]),
    ]


def visit(url: str, server: int, seconds: int) -> dict[str, float]:
    """Open the page, train while measuring, pause, and measure what is left to do at rest."""
    with browser_page(url) as page:
        page.keyboard.press("Space")
        page.wait_for_function("() => [...window.__playgroundHubs.values()][0].status.step > 100", timeout=60_000)
        time.sleep(2)
        before = cpu_seconds(server)
        told = page.evaluate(COUNT, seconds)
        busy = cpu_seconds(server) - before
        page.keyboard.press("Space")
        time.sleep(2)
        before = cpu_seconds(server)
        time.sleep(3)
        rest = (cpu_seconds(server) - before) / 3
        served = 1000 * max(0.0, busy - rest * seconds) / max(1, told["received"])
        return {**told, "served": served, "paint": page.evaluate(PAINT)}


def row(name: str, unit: str, value: float, *, least: float | None = None, most: float | None = None) -> dict[str, Any]:
    """Return a bench row (`docs/contracts.md`)."""
    target = f"at least {least:g}" if least is not None else f"at most {most:g}" if most is not None else ""
    ok = value >= least if least is not None else value <= most if most is not None else None
    return {"name": f"stage: {name}", "value": round(value, 2), "target": target, "ok": ok, "unit": unit}


@contextmanager
def app(home: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start the app on a free port with this folder for its runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.port",
            str(port),
            "--server.address",
            "127.0.0.1",
        ],
        cwd=ROOT,
        env=os.environ | {"PLAYGROUND_HOME": home},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        await_health(url, process)
        yield url, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def await_health(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the app answers; raises `RuntimeError` after a minute."""
    for _ in range(240):
        if process.poll() is not None:
            raise RuntimeError("The app ended at once: start it with `make run` to see why.")
        try:
            with urllib.request.urlopen(f"{url}_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError("The app did not answer within a minute.")


@contextmanager
def browser_page(url: str) -> Iterator[Page]:
    """Open the lab in a headless browser and wait for its first picture."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        raise RuntimeError("No Chromium was found: install one or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        page.locator("canvas >> visible=true").first.wait_for(timeout=60_000)
        page.wait_for_function("() => [...(window.__playgroundHubs ?? new Map()).values()][0]?.frame", timeout=60_000)
        yield page
        browser.close()


def cpu_seconds(pid: int) -> float:
    """Return a process's processor time so far, its children left out; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    for measured in rows():
        mark = {True: "ok  ", False: "MISS", None: "    "}[measured["ok"]]
        print(f"{mark} {measured['name']:36} {measured['value']:10} {measured['unit']:8} {measured['target']}")
