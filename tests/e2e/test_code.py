"""A run saved as a script in a real Chromium; the script is run, and says what the run says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from playground.store import RunFolder
from tests.e2e.acts import press, run_of, saved, state_is, train
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e


def test_a_run_is_saved_as_a_script_that_repeats_it(page: Page, server: Server, tmp_path: Path) -> None:
    train(page)
    press(page, "Pause")
    state_is(page, "paused")
    page.locator(".st-key-keep button").first.click()
    page.locator(".st-key-code-keep button").first.click()
    expect(page.get_by_role("dialog").filter(has_text="The run as a script")).to_contain_text("import torch")
    file = saved(page, page.locator(".st-key-code-save button").first)
    run = run_of(page)
    assert file.suggested_filename == f"{run}.py"
    file.save_as(tmp_path / "gan.py")
    ran = subprocess.run([sys.executable, "-I", "gan.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    head, *rows = ran.stdout.splitlines()
    logged = RunFolder.open(server.home, run).train()
    for i, row in enumerate(rows[:20]):
        said = dict(zip(head.split(","), map(float, row.split(",")), strict=True))
        assert said["loss/d"] == pytest.approx(logged["loss/d"][i], 1e-3)
        assert said["loss/g"] == pytest.approx(logged["loss/g"][i], 1e-3)
