"""Where runs and uploaded points live on disk: `PLAYGROUND_HOME`, else the folder `runs` here."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return the folder as an absolute path; it need not exist yet."""
    return Path(os.environ.get("PLAYGROUND_HOME") or "runs").expanduser().absolute()
