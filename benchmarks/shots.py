"""Make the README's pictures from the running app: open a lab, press play, wait until it has learned, take a shot.

python -m benchmarks.shots [NAME ...]  # writes assets/lab.png, assets/image_gan.png and assets/autoencoder.png
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from benchmarks.stage import app, browser_page

ASSETS = Path(__file__).parent.parent / "assets"
# Where each lab stands, and the step by which what it opens with has much to show.
SHOTS = {
    "lab": ("", 4000),
    "image_gan": ("image_gan_lab", 2500),
    "autoencoder": ("autoencoder_lab", 3000),
}


def shoot(page: Page, name: str, step: int) -> None:
    """Play the lab that the page shows up to a step, and write its picture."""
    target = ASSETS / f"{name}.png"
    page.keyboard.press("Space")
    now = "() => [...window.__playgroundHubs.values()][0].status.step"
    page.wait_for_function(f"{now} > {step}", timeout=300_000)
    page.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
    page.mouse.move(5, 5)
    page.wait_for_timeout(2500)
    page.screenshot(path=target)
    picture = Image.open(target).convert("RGB")
    picture.save(target, optimize=True)
    print(f"{target.name}: {picture.width} x {picture.height}, {target.stat().st_size / 1024:.0f} KB")


def main() -> int:
    """Take the shots."""
    for name, (path, step) in SHOTS.items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as home, app(home) as (url, _), browser_page(f"{url}{path}") as page:
            shoot(page, name, step)
    return 0


if __name__ == "__main__":
    sys.exit(main())
