"""Handing a run on in a real Chromium: shared as a file, brought back, and refused where it is damaged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.acts import press, run_of, saved, state_is, train

pytestmark = pytest.mark.e2e


def bring(page: Page, file: Path) -> None:
    page.get_by_role("button", name="Bring a run").click()
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(file)


def test_a_run_is_shared_as_a_file_and_brought_back(page: Page, tmp_path: Path) -> None:
    train(page)
    press(page, "Pause")
    state_is(page, "paused")
    run = run_of(page)
    page.get_by_role("link", name="Runs").first.click()
    page.locator(f".st-key-more-{run} button").first.click()
    download = saved(page, page.locator(f".st-key-share-{run} button").first)
    file = tmp_path / download.suggested_filename
    download.save_as(file)
    assert file.name == f"{run}.zip"
    page.keyboard.press("Escape")
    bring(page, file)
    said = page.get_by_text(re.compile(r"Run ring8-[0-9a-f]{8} is here"))
    expect(said).to_be_visible()
    again = re.search(r"ring8-[0-9a-f]{8}", said.inner_text())
    assert again
    assert again.group() != run
    expect(page.locator(f".st-key-run-{again.group()}")).to_contain_text("stopped")


def test_a_damaged_file_is_refused_in_one_sentence(page: Page, tmp_path: Path) -> None:
    page.get_by_role("link", name="Runs").first.click()
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 not much else")
    bring(page, tmp_path / "bad.zip")
    expect(page.get_by_text("This is no shared run, or it was cut off")).to_be_visible()
