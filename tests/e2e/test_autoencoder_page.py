"""Autoencoders in a real Chromium against a real server with real training: the lab, the Explore pages, the data."""

from __future__ import annotations

import gzip
import io
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.acts import brought, drawn, lies_at, run_of, state_is, step, train, trained, until, visit
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e
VAE = "/?f=vae&d=digits&code=2&keep=250&score=100"


@pytest.fixture
def lab(context: BrowserContext, server: Server) -> Page:
    """The autoencoder lab with a VAE on digits, ready to play; the link opens where the app starts and finds it."""
    page = context.new_page()
    page.goto(server.url + VAE)
    page.locator(".st-key-map canvas").first.wait_for()
    page.locator(".st-key-wall canvas").first.wait_for()
    lies_at(page, "run=")
    return page


@pytest.fixture(scope="module")
def vae(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after some training, as a file."""
    return trained(server, VAE, 260, tmp_path_factory.mktemp("vae") / "run.zip")


@pytest.fixture
def explored(context: BrowserContext, server: Server, vae: Path) -> Page:
    """The autoencoder lab with a VAE that has learned a little, a moment saved."""
    page = brought(context, server, vae, first=".st-key-map canvas")
    state_is(page, "stopped")
    return page


def middle(canvas: Locator, across: float = 0.5, down: float = 0.5) -> tuple[float, float]:
    box = canvas.bounding_box()
    assert box
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


# -- the lab -----------------------------------------------------------------------------------------------------------


def test_a_vae_learns_digits_and_its_map_moves(lab: Page) -> None:
    canvas, wall = lab.locator(".st-key-map canvas").first, lab.locator(".st-key-wall canvas").first
    state_is(lab, "ready")
    before, items = drawn(canvas), drawn(wall)
    train(lab, 100)
    state_is(lab, "running")
    until(lambda: drawn(canvas) != before and drawn(wall) != items)
    at, seen = step(lab), drawn(canvas)
    until(lambda: step(lab) > at and drawn(canvas) != seen)
    expect(lab.locator(".st-key-verdict")).to_contain_text("Error")
    expect(lab.get_by_role("button", name="D only")).to_have_count(0)


def test_a_clicked_place_is_decoded(lab: Page) -> None:
    train(lab, 50)
    lab.keyboard.press(" ")
    state_is(lab, "paused")
    pin = lab.locator(".st-key-map .pinline")
    expect(pin).to_contain_text("Click the map")
    lab.mouse.click(*middle(lab.locator(".st-key-map canvas").first, 0.55, 0.5))
    expect(pin).not_to_contain_text("Click the map")
    until(lambda: drawn(pin.locator("canvas").first).count("A") < len(drawn(pin.locator("canvas").first)) / 2)


def test_the_family_is_another_and_the_gan_lab_keeps_its_run(lab: Page) -> None:
    mine = run_of(lab)
    lab.get_by_role("radio", name="Autoencoder").first.click(force=True)
    until(lambda: run_of(lab) != mine)
    lies_at(lab, "f=autoencoder")
    visit(lab, "GAN lab", "Labs")
    lab.locator(".st-key-stage canvas").first.wait_for()
    lies_at(lab, "run=ring8-")


# -- data --------------------------------------------------------------------------------------------------------------


def idx(folder: Path, n: int = 60) -> None:
    """Write n images of MNIST's form with their labels, as the archives come."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    labels = np.arange(n, dtype=np.uint8) % 10
    images = (rng.random((n, 28, 28)) < 0.1 + 0.05 * labels[:, None, None]).astype(np.uint8) * 255
    for part in ("train", "t10k"):
        head = struct.pack(">4B3I", 0, 0, 8, 3, n, 28, 28)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + images.tobytes()))
        head = struct.pack(">4BI", 0, 0, 8, 1, n)
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(head + labels.tobytes()))


def choose(page: Page, title: str) -> None:
    page.locator(".st-key-data button").first.click()
    page.locator("[class*=st-key-dataset-] button").filter(has_text=title).first.click()


def test_mnist_is_read_from_a_folder(lab: Page, server: Server) -> None:
    before = run_of(lab)
    choose(lab, "MNIST ↓")
    dialog = lab.locator("[data-testid=stDialog]")
    expect(dialog).to_contain_text("MNIST is not on this machine")
    idx(server.data / "mnist")
    dialog.get_by_role("button", name="Look again").click()
    until(lambda: run_of(lab) != before)
    assert run_of(lab).startswith("mnist-")
    train(lab, 10)


def archive(path: Path, good: int, bad: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as pack:
        for i in range(good):
            out = io.BytesIO()
            Image.new("L", (20, 20), 20 * i % 256).save(out, "PNG")
            pack.writestr(f"{'ab'[i % 2]}/{i}.png", out.getvalue())
        for name, content in bad.items():
            pack.writestr(name, content)
    return path


def upload(page: Page, path: Path) -> Locator:
    page.locator(".st-key-data button").first.click()
    page.locator(".st-key-images button").first.click()
    dialog = page.locator("[data-testid=stDialog]")
    dialog.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(path)
    return dialog


def test_a_bad_zip_gets_a_sentence_and_the_run_stays(lab: Page, tmp_path: Path) -> None:
    train(lab)
    before = run_of(lab)
    dialog = upload(lab, archive(tmp_path / "bad.zip", 2, {"../../out.png": b"x", "empty.png": b""}))
    expect(dialog.locator("[data-testid=stAlert]")).to_contain_text("at least 10 are needed")
    lab.keyboard.press("Escape")
    assert run_of(lab) == before
    at = step(lab)
    until(lambda: step(lab) > at)


def test_of_a_mixed_zip_the_good_images_are_used_and_the_others_named(lab: Page, tmp_path: Path) -> None:
    before = run_of(lab)
    dialog = upload(lab, archive(tmp_path / "mixed.zip", 24, {"../../out.png": b"x", "a/torn.png": b"\x89PNG"}))
    expect(dialog).to_contain_text("24 images")
    expect(dialog).to_contain_text("2 refused")
    dialog.get_by_text("Which, and why").click()
    expect(dialog).to_contain_text("climbs out")
    dialog.get_by_role("button", name="Use these images").click()
    until(lambda: run_of(lab) != before)
    assert run_of(lab).startswith("own-images-")


# -- Explore -----------------------------------------------------------------------------------------------------------


def test_a_point_of_the_latent_space_is_decoded(context: BrowserContext, server: Server, vae: Path) -> None:
    explored = brought(context, server, vae, "latent")
    canvas = explored.locator(".st-key-scatter canvas").first
    canvas.wait_for()
    made = explored.locator(".st-key-scatter .aside .look").nth(1)
    expect(made).to_contain_text("Click the map")
    explored.mouse.click(*middle(canvas, 0.5, 0.5))
    expect(made).not_to_contain_text("Click the map")
    expect(explored.get_by_text("Training items with the nearest codings")).to_be_visible()


@pytest.mark.slow
def test_a_map_by_umap_takes_its_time_and_pca_stands_meanwhile(explored: Page) -> None:
    visit(explored, "Latent space")
    canvas = explored.locator(".st-key-scatter canvas").first
    canvas.wait_for()
    explored.get_by_role("radio", name="t-SNE").first.click(force=True)
    expect(explored.locator(".st-key-scatter")).to_contain_text("who is near whom", timeout=180_000)


def test_the_interpolation_slider_decodes_as_it_moves(context: BrowserContext, server: Server, vae: Path) -> None:
    explored = brought(context, server, vae, "interpolation")
    slider = explored.locator(".st-key-filmstrip input[type=range]")
    slider.wait_for()
    big = explored.locator(".st-key-filmstrip [data-way] canvas").last
    until(lambda: len(drawn(big)) > 200)
    for where in ("0.1", "0.9"):
        before = drawn(big)
        slider.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input', {bubbles: true})); }", where)
        until(lambda before=before: drawn(big) != before)


def test_a_drawn_digit_is_encoded_and_decoded(explored: Page) -> None:
    visit(explored, "Reconstructions")
    pad = explored.locator(".st-key-own-pad canvas").first
    pad.scroll_into_view_if_needed()
    pad.wait_for()
    explored.mouse.move(*middle(pad, 0.5, 0.2))
    explored.mouse.down()
    for i in range(1, 9):
        explored.mouse.move(*middle(pad, 0.5, 0.2 + 0.07 * i))
    explored.mouse.up()
    expect(explored.locator(".st-key-own-pad .answer")).to_be_visible()
    explored.locator(".st-key-own-pad").get_by_role("button", name=re.compile("Use")).click()
    expect(explored.get_by_text("times that of a typical training item")).to_be_visible()


def test_the_model_card_shows_the_network(explored: Page) -> None:
    visit(explored, "Model card")
    expect(explored.locator(".diagram .piece").first).to_be_visible()
    expect(explored.locator("[data-testid=stMetric]").nth(1)).to_contain_text("32 : 1")


def test_without_a_run_an_explore_page_begins_one(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    page.goto(server.url)
    page.locator(".st-key-stage canvas").first.wait_for()
    visit(page, "Latent space")
    begin = page.locator(".st-key-begin button")
    begin.or_(page.locator(".st-key-scatter canvas").first).first.wait_for()
    if begin.is_visible():  # another test may have trained something already
        begin.click()
        page.locator(".st-key-map canvas").first.wait_for()
        until(lambda: step(page) > 0)
