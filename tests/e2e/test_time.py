"""The time machine in a real Chromium: one slider moves everything everywhere, films, forks drawn together."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from playground.store import RunFolder, parent
from tests.e2e.acts import bar, fill, opened, picture, press, run_of, settled, state_is, step, train, until, visit
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e

QUICK = "?keep=50&score=50"


@pytest.fixture
def paused(context: BrowserContext, server: Server) -> Page:
    """The lab with a run of some hundred steps at rest, a moment saved every 50."""
    page = opened(context, f"{server.url}{QUICK}")
    train(page, 400)
    press(page, "Pause")
    state_is(page, "paused")
    settled(page)
    expect(page.locator(".st-key-curve-0 .js-plotly-plot")).to_be_visible()
    return page


def look_at(page: Page, moment: int) -> None:
    """Go to the saved moment of this number with the keyboard."""
    slider = page.get_by_label("Past")
    expect(slider).to_be_enabled()
    for key in ["Home"] + ["ArrowRight"] * moment:
        slider.press(key)  # each takes the focus: a menu that closes gives it back to its button


def test_the_slider_moves_stage_verdict_and_the_curves_cursor_together(paused: Page) -> None:
    now = settled(paused)
    slider = bar(paused).get_by_label("Past")
    box = slider.bounding_box()
    assert box
    paused.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    paused.mouse.down()
    for share in (0.9, 0.7, 0.5, 0.3):
        paused.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    paused.mouse.up()
    settled(paused)
    state = bar(paused).locator(".state")
    expect(state).to_have_text(re.compile(r"Looking at step [1-9]\d*"))
    at = state.inner_text().removeprefix("Looking at step ")
    assert int(at.replace(",", "")) % 50 == 0
    until(lambda: picture(paused) != now)
    expect(paused.locator(".st-key-verdict .stateword")).to_have_text(re.compile(rf" at step {at}$"))
    cursor = paused.locator(".st-key-curve-0 .moment")
    expect(cursor.locator(".when")).to_contain_text(f"at step {at}")
    expect(cursor.locator(".dot")).to_have_count(2)  # both losses
    where = float(cursor.locator(".rule").evaluate("rule => rule.offsetLeft"))
    paused.keyboard.press("ArrowLeft")
    until(lambda: state.inner_text() != f"Looking at step {at}")
    until(lambda: float(cursor.locator(".rule").evaluate("rule => rule.offsetLeft")) < where)
    bar(paused).get_by_role("button", name="Back to now").click()
    expect(cursor).to_have_count(0)
    until(lambda: picture(paused) == now)


def test_other_pages_show_the_same_moment_and_move_the_lab(paused: Page) -> None:
    look_at(paused, 2)
    expect(bar(paused).locator(".state")).to_have_text("Looking at step 100")
    visit(paused, "Mode collapse")
    expect(paused.locator(".st-key-title-row").get_by_text("step 100", exact=True)).to_be_visible()
    look_at(paused, 3)
    expect(paused.locator(".st-key-title-row").get_by_text("step 150", exact=True)).to_be_visible()
    visit(paused, "GAN lab", "Labs")
    paused.locator(".st-key-stage canvas").first.wait_for()
    expect(bar(paused).locator(".state")).to_have_text("Looking at step 150")


def test_a_second_window_follows(paused: Page, context: BrowserContext, server: Server) -> None:
    other = opened(context, f"{server.url}?run={run_of(paused)}")
    look_at(paused, 2)
    expect(bar(other).locator(".state")).to_have_text("Looking at step 100")


def test_the_past_is_watched_as_a_film_that_ends_in_the_present(paused: Page) -> None:
    now = settled(paused)
    paused.get_by_label("Speed of the film").select_option("moments 20")
    paused.evaluate(
        """() => { const state = document.querySelector('.st-key-transport').querySelectorAll('*');
        window.seen = new Set(); const hub = [...window.__playgroundHubs.values()][0];
        hub.on('status', (status) => window.seen.add(status.past)); }"""
    )
    bar(paused).get_by_role("button", name="as a film").click()
    until(lambda: paused.evaluate("window.seen.size") > 4)
    expect(bar(paused).locator(".state")).to_have_text("Paused")
    seen = paused.evaluate("[...window.seen].filter((step) => step !== null)")
    assert seen == sorted(seen)
    assert seen[0] == 0
    until(lambda: picture(paused) == now)


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


def test_a_film_goes_round_until_it_is_stopped(paused: Page) -> None:
    paused.get_by_label("Speed of the film").select_option("moments 30")
    bar(paused).get_by_role("button", name="Repeat the film").click()
    bar(paused).locator(".state").evaluate(SEEN)
    bar(paused).get_by_role("button", name="as a film").click()
    shown = ("Looking at step 300", "Looking at step 50", "Looking at step 300")
    until(lambda: in_order(shown, paused.evaluate("window.seen")))
    bar(paused).get_by_role("button", name="Stop the film").click()
    bar(paused).get_by_role("button", name="Repeat the film").click()
    bar(paused).get_by_role("button", name="Back to now").click()
    state_is(paused, "paused")


def test_a_fork_is_drawn_with_the_line_of_its_parent(paused: Page) -> None:
    first, end = run_of(paused), step(paused)
    look_at(paused, 2)
    expect(bar(paused).locator(".state")).to_have_text("Looking at step 100")
    bar(paused).get_by_role("button", name="Fork from here").click()
    until(lambda: run_of(paused) != first)
    until(lambda: step(paused) == 100)
    fill(paused, "lr_d", "0.0005")
    press(paused, "Play")
    until(lambda: step(paused) > 200)
    press(paused, "Pause")
    state_is(paused, "paused")
    lines = "document.querySelector('.st-key-curve-0 .js-plotly-plot')._fullData.filter((t) => /parent/.test(t.name))"
    until(lambda: paused.evaluate(f"{lines}.length") == 2)
    assert paused.evaluate(f"{lines}[0].x[0]") >= 100
    assert paused.evaluate(f"{lines}[0].x.at(-1)") <= end
    assert paused.evaluate(f"{lines}[0].x.at(-1)") > 200


def test_a_structural_fork_keeps_the_discriminator(paused: Page, server: Server) -> None:
    first = run_of(paused)
    paused.locator(".st-key-group-generator summary").click()
    fill(paused, "g_width", "96")
    paused.locator(".st-key-fork-with button").first.click()
    until(lambda: run_of(paused) != first)
    expect(paused.locator(".st-key-moment")).to_contain_text("D with its optimiser is kept whole")
    child = RunFolder(server.home / run_of(paused))
    came = parent(child.path)
    assert came
    assert came.run == first
    old = RunFolder(server.home / first).load_keyframe(came.step).tensors
    new = child.load_keyframe(came.step).tensors
    of_d = [name for name in old if name.startswith("model/d/")]
    assert of_d
    assert all(bool((old[name] == new[name]).all()) for name in of_d)
    press(paused, "Play")
    until(lambda: step(paused) > came.step + 20)
