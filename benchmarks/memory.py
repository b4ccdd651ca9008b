"""Does the server's memory grow while a run is watched? One browser watches one run train for an hour.

The first minutes are warm-up (imports, caches, the first curves), so growth counts from the fifth minute on, or from a
tenth of the time if that is less. Run it alone: `python -m benchmarks.memory --minutes 60`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.stage import app, browser_page

MOST = 50.0  # MB in 60 minutes


def resident(pid: int) -> float:
    """Return a process's resident memory in MB; raises `RuntimeError` where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        raise RuntimeError("This system does not tell a process's memory in /proc: measure on Linux.") from None
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def watch(minutes: float) -> Iterator[tuple[float, float, int]]:
    """Yield (minute, MB, step) each half minute while a browser watches a run."""
    with tempfile.TemporaryDirectory() as home, app(home) as (url, process), browser_page(url) as page:
        page.keyboard.press("Space")
        page.wait_for_function("() => [...window.__playgroundHubs.values()][0].status.step > 100", timeout=60_000)
        started = time.monotonic()
        while (minute := (time.monotonic() - started) / 60) < minutes:
            yield minute, resident(process.pid), page.evaluate("[...window.__playgroundHubs.values()][0].status.step")
            page.wait_for_timeout(min(30_000, minutes * 3000))


def rows(minutes: float = 60) -> list[dict[str, Any]]:
    """Watch for so long and return one row: the growth after the warm-up, as it is (an hour is what is promised)."""
    seen = list(watch(minutes))
    warm = min(5.0, minutes / 10)
    kept = [(minute, mb) for minute, mb, _ in seen if minute >= warm]
    growth = kept[-1][1] - kept[0][1]
    return [
        {
            "name": f"server memory grown in {minutes:g} minutes of watching",
            "value": round(growth, 1),
            "unit": "MB",
            "target": f"at most {MOST:g}",
            "ok": growth <= MOST,
            "note": f"{seen[-1][2]:,} steps, {kept[0][1]:.0f} to {kept[-1][1]:.0f} MB",
        }
    ]


def main() -> int:
    """Watch, print the row, and return 1 where memory grew too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long to watch (default: 60)")
    [row] = rows(parser.parse_args().minutes)
    print(f"{row['name']}: {row['value']} {row['unit']} ({row['target']}); {row['note']}")
    return 0 if row["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
