"""Make the README's picture from the running app: open the lab, press play, wait for the fakes to arrive, take a shot.

python -m benchmarks.shots            # writes assets/lab.png
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.stage import app, browser_page

TARGET = Path(__file__).parent.parent / "assets" / "lab.png"
STEP = 4000  # by when the opening preset has all eight modes and most fakes are sharp


def main() -> int:
    """Take the shot."""
    with tempfile.TemporaryDirectory() as home, app(home) as (url, _), browser_page(url) as page:
        page.keyboard.press("Space")
        step = "() => [...window.__playgroundHubs.values()][0].status.step"
        page.wait_for_function(f"{step} > {STEP}", timeout=300_000)
        page.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
        page.mouse.move(5, 5)
        page.wait_for_timeout(1500)
        page.screenshot(path=TARGET)
    picture = Image.open(TARGET).convert("RGB")
    picture.save(TARGET, optimize=True)
    print(f"{TARGET.name}: {picture.width} x {picture.height}, {TARGET.stat().st_size / 1024:.0f} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
