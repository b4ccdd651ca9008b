"""Image GANs in a real Chromium against a real server with real training: the lab, the latent tools, mode collapse."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.acts import (
    brought,
    choose,
    drawn,
    events,
    lies_at,
    press,
    run_of,
    saved,
    state_is,
    step,
    train,
    trained,
    until,
    visit,
)
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e
DCGAN = "/?d=digits&body=dcgan&z=16&batch=64&keep=100&score=50"
# G learns ten times as fast as D: all fakes soon are alike.
HASTY = "/?d=digits&lrd=0.0001&lrg=0.001&gd=2&gw=64&dd=2&dw=64&batch=64&keep=200&score=50"


@pytest.fixture
def lab(context: BrowserContext, server: Server) -> Page:
    """The image lab with a DCGAN on digits, ready to play; the link opens where the app starts and finds it."""
    page = context.new_page()
    page.goto(server.url + DCGAN)
    page.locator(".st-key-samples canvas").first.wait_for()
    lies_at(page, "run=")
    return page


@pytest.fixture(scope="module")
def dcgan(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after some training, as a file."""
    return trained(server, DCGAN, 110, tmp_path_factory.mktemp("dcgan") / "run.zip")


@pytest.fixture
def explored(context: BrowserContext, server: Server, dcgan: Path) -> Page:
    """The image lab with a DCGAN that has learned a little, a moment saved."""
    page = brought(context, server, dcgan, first=".st-key-samples canvas")
    state_is(page, "stopped")
    return page


@pytest.fixture
def interpolated(context: BrowserContext, server: Server, dcgan: Path) -> Page:
    """The Interpolation page with the same, by a link."""
    return brought(context, server, dcgan, "interpolation")


def wall(page: Page) -> str:
    return drawn(page.locator(".st-key-samples canvas").first)


# -- the lab -----------------------------------------------------------------------------------------------------------


def test_a_dcgan_learns_digits_and_its_wall_and_classes_change(lab: Page) -> None:
    state_is(lab, "ready")
    rows = lab.locator(".st-key-samples .share")
    expect(rows).to_have_count(10)
    expect(rows.first).to_contain_text("–")
    until(lambda: len(wall(lab)) > 5000)
    before = wall(lab)
    train(lab, 60)
    state_is(lab, "running")
    until(lambda: wall(lab) != before)
    at, seen = step(lab), wall(lab)
    until(lambda: step(lab) > at and wall(lab) != seen)
    expect(lab.get_by_role("button", name="Slow motion")).to_be_hidden()
    expect(lab.get_by_role("button", name="D only")).to_be_visible()
    until(lambda: all("%" in text or "missing" in text for text in rows.all_inner_texts()))
    expect(lab.locator(".st-key-verdict")).to_contain_text("of 10")


def test_a_sample_is_picked_with_the_keyboard_and_the_wall_turns_to_the_real_items(lab: Page) -> None:
    canvas, card = lab.locator(".st-key-samples canvas").first, lab.locator(".st-key-samples .pinline")
    expect(card).to_contain_text("Pick a sample")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        canvas.press(key)
    expect(card).to_contain_text("Fake 10")
    expect(card).to_contain_text("z has 16 numbers")
    canvas.press("Escape")
    expect(card).to_contain_text("Pick a sample")
    until(lambda: len(wall(lab)) > 5000)
    before = wall(lab)
    lab.get_by_role("tab", name="Real").click()
    until(lambda: wall(lab) != before)


@pytest.mark.parametrize("family", ["conditional-gan", "infogan", "began"])
def test_every_family_has_its_wall(context: BrowserContext, server: Server, family: str) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/?f={family}&d=digits&batch=16&keep=250")
    page.locator(".st-key-samples canvas").first.wait_for()
    until(lambda: len(wall(page)) > 5000)
    press(page, "10")
    until(lambda: step(page) == 10)
    expect(page.locator(".st-key-samples .share")).to_have_count(10)


def test_the_gan_lab_keeps_its_run(lab: Page) -> None:
    mine = run_of(lab)
    visit(lab, "GAN lab", "Labs")
    lab.locator(".st-key-stage canvas").first.wait_for()
    lies_at(lab, "run=ring8-")
    visit(lab, "Image GAN lab", "Labs")
    lab.locator(".st-key-samples canvas").first.wait_for()
    until(lambda: run_of(lab) == mine)


# -- the latent tools --------------------------------------------------------------------------------------------------


def test_the_way_between_two_samples_is_walked(interpolated: Page) -> None:
    slider = interpolated.locator(".st-key-noise-strip input[type=range]")
    slider.wait_for()
    big = interpolated.locator(".st-key-noise-strip [data-way] canvas").last
    until(lambda: len(drawn(big)) > 200)
    for where in ("0.1", "0.9"):
        before = drawn(big)
        slider.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input', {bubbles: true})); }", where)
        until(lambda before=before: drawn(big) != before)


def test_a_walk_plays_by_itself_and_directions_turn_a_sample(interpolated: Page) -> None:
    choose(interpolated, "Walk")
    film = interpolated.locator(".st-key-noise-film canvas").first
    film.wait_for()
    seen = drawn(film)
    until(lambda: drawn(film) != seen)
    choose(interpolated, "Directions")
    sliders = interpolated.locator(".st-key-directions-Principal input[type=range]")
    expect(sliders).to_have_count(8)
    made = interpolated.locator(".st-key-directions-Principal .looks canvas").last
    until(lambda: len(drawn(made)) > 200)
    before = drawn(made)
    sliders.first.evaluate("s => { s.value = s.max; s.dispatchEvent(new Event('input', {bubbles: true})); }")
    until(lambda: drawn(made) != before)


def test_an_image_is_looked_for_in_the_latent_space(interpolated: Page) -> None:
    choose(interpolated, "Projection")
    interpolated.locator(".st-key-project button").click()
    expect(interpolated.get_by_text("Squared error a number").first).to_be_visible()


# -- mode collapse -----------------------------------------------------------------------------------------------------


def test_mode_collapse_names_the_classes(explored: Page) -> None:
    visit(explored, "Mode collapse")
    told = explored.locator(".st-key-report-verdict")
    expect(told).to_contain_text("fakes, compared in")
    for name in "0123456789":
        expect(told).to_contain_text(name)
    expect(explored.locator("table.report tr").nth(3)).to_be_visible()


# -- the cure ----------------------------------------------------------------------------------------------------------


def test_a_collapse_is_named_and_its_cure_is_a_live_edit(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    page.goto(server.url + HASTY)
    page.locator(".st-key-samples canvas").first.wait_for()
    lies_at(page, "run=")
    train(page, 500)
    cure = page.locator(".st-key-verdict .cure")
    cure.click()
    expect(page.locator(".st-key-verdict .curenote")).to_contain_text("Applied")
    until(lambda: [e for e in events(server, run_of(page)) if e["kind"] == "set"])
    state_is(page, "running")


# -- taking along ------------------------------------------------------------------------------------------------------


def test_a_walk_and_a_film_of_training_are_saved(explored: Page) -> None:
    explored.locator(".st-key-keep button").first.click()
    explored.locator(".st-key-keep-make button").click()
    film = saved(explored, explored.locator(".st-key-keep-film button").first)
    assert film.path().read_bytes()[:6] == b"GIF89a"
    explored.keyboard.press("Escape")
    visit(explored, "Interpolation")
    choose(explored, "Walk")
    walk = saved(explored, explored.locator(".st-key-walk-webp button").first)
    assert walk.path().read_bytes()[8:12] == b"WEBP"
