"""The time machine in a real Chromium: one slider moves everything everywhere, films, forks drawn together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from playground.store import RunFolder, parent
from tests.e2e.acts import (
    bar,
    brought,
    fill,
    opened,
    picture,
    press,
    run_of,
    settled,
    state_is,
    step,
    train,
    trained,
    until,
    visit,
)
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e

QUICK = "?keep=50&score=50"


@pytest.fixture(scope="module")
def ring(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of some hundred steps as a file, a moment saved every 50."""
    return trained(server, QUICK, 430, tmp_path_factory.mktemp("ring") / "run.zip")


@pytest.fixture
def stopped(context: BrowserContext, server: Server, ring: Path) -> Page:
    """The lab with such a run at rest."""
    page = brought(context, server, ring, first=".st-key-stage canvas")
    state_is(page, "stopped")
    expect(page.locator(".st-key-curve-0 .js-plotly-plot")).to_be_visible()
    return page


def look_at(page: Page, moment: int) -> None:
    """Go to the saved moment of this number with the keyboard."""
    slider = page.get_by_label("Past")
    expect(slider).to_be_enabled()
    for key in ["Home"] + ["ArrowRight"] * moment:
        slider.press(key)  # each takes the focus: a menu that closes gives it back to its button


def test_the_slider_moves_stage_verdict_and_the_curves_cursor_together(stopped: Page) -> None:
    now = settled(stopped)
    slider = bar(stopped).get_by_label("Past")
    box = slider.bounding_box()
    assert box
    stopped.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    stopped.mouse.down()
    for share in (0.9, 0.7, 0.5, 0.3):
        stopped.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    stopped.mouse.up()
    settled(stopped)
    state = bar(stopped).locator(".state")
    expect(state).to_have_text(re.compile(r"Looking at step [1-9]\d*"))
    at = state.inner_text().removeprefix("Looking at step ")
    assert int(at.replace(",", "")) % 50 == 0
    until(lambda: picture(stopped) != now)
    expect(stopped.locator(".st-key-verdict .stateword")).to_have_text(re.compile(rf" at step {at}$"))
    cursor = stopped.locator(".st-key-curve-0 .moment")
    expect(cursor.locator(".when")).to_contain_text(f"at step {at}")
    expect(cursor.locator(".dot")).to_have_count(2)  # both losses
    where = float(cursor.locator(".rule").evaluate("rule => rule.offsetLeft"))
    stopped.keyboard.press("ArrowLeft")
    until(lambda: state.inner_text() != f"Looking at step {at}")
    until(lambda: float(cursor.locator(".rule").evaluate("rule => rule.offsetLeft")) < where)
    bar(stopped).get_by_role("button", name="Back to now").click()
    expect(cursor).to_have_count(0)
    until(lambda: picture(stopped) == now)


def test_other_pages_show_the_same_moment_and_move_the_lab(stopped: Page) -> None:
    look_at(stopped, 2)
    expect(bar(stopped).locator(".state")).to_have_text("Looking at step 100")
    visit(stopped, "Mode collapse")
    expect(stopped.locator(".st-key-title-row").get_by_text("step 100", exact=True)).to_be_visible()
    look_at(stopped, 3)
    expect(stopped.locator(".st-key-title-row").get_by_text("step 150", exact=True)).to_be_visible()
    visit(stopped, "GAN lab", "Labs")
    stopped.locator(".st-key-stage canvas").first.wait_for()
    expect(bar(stopped).locator(".state")).to_have_text("Looking at step 150")


def test_a_second_window_follows(stopped: Page, context: BrowserContext, server: Server) -> None:
    other = opened(context, f"{server.url}?run={run_of(stopped)}")
    look_at(stopped, 2)
    expect(bar(other).locator(".state")).to_have_text("Looking at step 100")


def test_the_past_is_watched_as_a_film_that_ends_in_the_present(stopped: Page) -> None:
    now = settled(stopped)
    stopped.get_by_label("Speed of the film").select_option("moments 20")
    stopped.evaluate(
        """() => { const state = document.querySelector('.st-key-transport').querySelectorAll('*');
        window.seen = new Set(); const hub = [...window.__playgroundHubs.values()][0];
        hub.on('status', (status) => window.seen.add(status.past)); }"""
    )
    bar(stopped).get_by_role("button", name="as a film").click()
    until(lambda: stopped.evaluate("window.seen.size") > 4)
    expect(bar(stopped).locator(".state")).to_have_text("Stopped")
    seen = stopped.evaluate("[...window.seen].filter((step) => step !== null)")
    assert seen == sorted(seen)
    assert seen[0] == 0
    until(lambda: picture(stopped) == now)


# A moment of a fast film stands for thirty milliseconds: what is shown is written down as it comes.
SEEN = """(element) => {
  window.seen = [];
  new MutationObserver(() => window.seen.push(element.textContent)).observe(
    element, { childList: true, characterData: true, subtree: true });
}"""


def in_order(wanted: Sequence[str], seen: Sequence[str]) -> bool:
    """Say whether these came one after the other, whatever came between."""
    rest = iter(seen)
    return all(any(text == one for one in rest) for text in wanted)


def test_a_film_goes_round_until_it_is_stopped(stopped: Page) -> None:
    stopped.get_by_label("Speed of the film").select_option("moments 30")
    bar(stopped).get_by_role("button", name="Repeat the film").click()
    bar(stopped).locator(".state").evaluate(SEEN)
    bar(stopped).get_by_role("button", name="as a film").click()
    shown = ("Looking at step 300", "Looking at step 50", "Looking at step 300")
    until(lambda: in_order(shown, stopped.evaluate("window.seen")))
    bar(stopped).get_by_role("button", name="Stop the film").click()
    bar(stopped).get_by_role("button", name="Repeat the film").click()
    bar(stopped).get_by_role("button", name="Back to now").click()
    state_is(stopped, "stopped")


def test_a_fork_is_drawn_with_the_line_of_its_parent(stopped: Page) -> None:
    first, end = run_of(stopped), step(stopped)
    look_at(stopped, 2)
    expect(bar(stopped).locator(".state")).to_have_text("Looking at step 100")
    bar(stopped).get_by_role("button", name="Fork from here").click()
    until(lambda: run_of(stopped) != first)
    until(lambda: step(stopped) == 100)
    fill(stopped, "lr_d", "0.0005")
    train(stopped, 201)
    press(stopped, "Pause")
    state_is(stopped, "paused")
    lines = "document.querySelector('.st-key-curve-0 .js-plotly-plot')._fullData.filter((t) => /parent/.test(t.name))"
    until(lambda: stopped.evaluate(f"{lines}.length") == 2)
    assert stopped.evaluate(f"{lines}[0].x[0]") >= 100
    assert stopped.evaluate(f"{lines}[0].x.at(-1)") <= end
    assert stopped.evaluate(f"{lines}[0].x.at(-1)") > 200
    stopped.get_by_role("link", name="Runs").first.click()
    expect(stopped.locator(f".st-key-run-{first}")).to_contain_text(f"step {end:,}")
    expect(stopped.get_by_text(f"forked from {first} at step 100")).to_be_visible()


def test_a_structural_fork_keeps_the_discriminator(stopped: Page, server: Server) -> None:
    first = run_of(stopped)
    stopped.locator(".st-key-group-generator summary").click()
    fill(stopped, "g_width", "96")
    stopped.locator(".st-key-fork-with button").first.click()
    until(lambda: run_of(stopped) != first)
    expect(stopped.locator(".st-key-moment")).to_contain_text("D with its optimiser is kept whole")
    child = RunFolder(server.home / run_of(stopped))
    came = parent(child.path)
    assert came
    assert came.run == first
    old = RunFolder(server.home / first).load_keyframe(came.step).tensors
    new = child.load_keyframe(came.step).tensors
    of_d = [name for name in old if name.startswith("model/d/")]
    assert of_d
    assert all(bool((old[name] == new[name]).all()) for name in of_d)
    train(stopped, came.step + 21)
