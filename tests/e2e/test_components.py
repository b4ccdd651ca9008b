"""The live components in a real browser: the frame's decoder, the picture's geometry, layers, keys, the pad."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, WebSocketRoute, expect

from playground.engine.frames import encode

pytestmark = pytest.mark.e2e

HUB = "[...(window.__playgroundHubs ?? new Map()).values()][0]"


def js(page: Page, module: str, body: str, argument: Any = None) -> Any:
    """Run `body` with `m`, one of the app's own modules, and `a`, the argument."""
    return page.evaluate(
        f"async (a) => {{ const m = await import('/playground/assets/{module}.js'); {body} }}", argument
    )


def step(page: Page) -> int:
    return int(page.evaluate(f"{HUB}.status.step"))


def state_is(page: Page, state: str) -> None:
    page.wait_for_function(f"(state) => {HUB}.status.state === state && !{HUB}.expected", arg=state)


def chip(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="Layers").get_by_role("button", name=name, exact=True)


@pytest.fixture
def bare(context: BrowserContext, server: Any) -> Page:
    """A page of the app's origin without the app: enough to import its modules."""
    page = context.new_page()
    page.goto(f"{server.url}/playground/assets/view.js")
    return page


# -- single modules, against known answers ----------------------------------------------------------------------------


def test_a_frame_is_read_as_it_was_written(bare: Page) -> None:
    arrays = {
        "fake": np.array([[-32767, 0], [1, 32767]], np.int16),
        "surface": np.arange(9, dtype=np.uint8).reshape(3, 3),
        "path": np.array([[1.5, -2.25]], np.float32),
    }
    blob = (2**33 + 7).to_bytes(8, "little") + encode(arrays, {"step": 5, "sentence": "σ – “ok”"})
    read = js(
        bare,
        "frames",
        """const f = m.decodeFrame(new Uint8Array(a).buffer);
           return {seq: f.seq, meta: f.meta, arrays: Object.fromEntries(Object.entries(f.arrays).map(
             ([n, v]) => [n, {shape: v.shape, data: [...v.data]}]))};""",
        list(blob),
    )
    assert read["seq"] == 2**33 + 7
    assert read["meta"] == {"step": 5, "sentence": "σ – “ok”"}
    for name, array in arrays.items():
        assert read["arrays"][name] == {"shape": list(array.shape), "data": array.ravel().tolist()}


def test_contours_of_a_cone_are_circles(bare: Page) -> None:
    side, radius = 41, 12.0
    y, x = np.mgrid[0:side, 0:side] - 20.0
    lines = js(
        bare,
        "contours",
        "const out = []; m.contour(a.values, a.side, a.level, (...s) => out.push(s)); return out;",
        {"values": (-np.hypot(x, y)).ravel().tolist(), "side": side, "level": -radius},
    )
    ends = np.array(lines).reshape(-1, 2) - 20.0
    assert np.abs(np.hypot(ends[:, 0], ends[:, 1]) - radius).max() < 0.05
    around = sum(np.hypot(a - c, b - d) for a, b, c, d in lines)
    assert around == pytest.approx(2 * np.pi * radius, rel=0.01)


def test_contours_part_at_a_saddle_by_its_middle(bare: Page) -> None:
    count = "let n = 0; m.contour(a.values, 2, a.level, () => n++); return n;"
    assert js(bare, "contours", count, {"values": [1, 0, 0, 1], "level": 0.4}) == 2
    assert js(bare, "contours", count, {"values": [1, 1, 1, 1], "level": 0.4}) == 0


def test_the_view_zooms_about_the_pointer_and_comes_back(bare: Page) -> None:
    told = js(
        bare,
        "view",
        """const v = new m.View(); v.setExtent(3); v.resize(500, 2); v.reset();
           const at = v.toData(180, 90); v.zoom(2.5, 180, 90); const after = v.toData(180, 90);
           const there = [v.x(at[0]) / 2, v.y(at[1]) / 2]; v.reset();
           return {at, after, there, half: v.half, corner: v.toData(34, 8)};""",
    )
    assert told["after"] == pytest.approx(told["at"])
    assert told["there"] == pytest.approx([180, 90], abs=0.5)
    assert told["half"] == 3
    assert told["corner"] == pytest.approx([-3, 3], abs=0.01)


@pytest.mark.parametrize(
    ("low", "high", "values"),
    [
        (-3, 3, [-3, -2, -1, 0, 1, 2, 3]),
        (-0.25, 0.25, [-0.2, -0.1, 0, 0.1, 0.2]),
        (0, 5000, [0, 1000, 2000, 3000, 4000, 5000]),
    ],
)
def test_ticks_are_round(bare: Page, low: float, high: float, values: list[float]) -> None:
    assert js(bare, "view", "return m.ticks(a[0], a[1]).values;", [low, high]) == pytest.approx(values)


def test_d_between_cells_is_bilinear(bare: Page) -> None:
    read = js(
        bare,
        "layers",
        """const s = {shape: [2, 2], data: [0, 255, 0, 255]};
           return [[-0.5, 0], [0, 0], [0.5, 0.3], [2, 0]].map(([x, y]) => m.surfaceAt(s, 1, [-1, 3], x, y));""",
    )
    assert read == [pytest.approx(-1), pytest.approx(1), pytest.approx(3), None]


@pytest.mark.parametrize(
    ("value", "text"), [(0.00431, "0.004"), (0.33, "0.33"), (12.34, "12.3"), (1234567, "1,234,567"), (None, "–")]
)
def test_numbers_are_short(bare: Page, value: float | None, text: str) -> None:
    assert js(bare, "dom", "return m.figure(a ?? NaN);", value) == text


def test_the_pad_gives_what_was_drawn(bare: Page) -> None:
    bare.evaluate(
        """async () => {
          const {default: mount} = await import('/playground/assets/pad.js');
          const parent = document.createElement('div');
          parent.style = 'position: fixed; inset: 0 auto auto 0; width: 400px';
          parent.innerHTML = '<style>canvas { width: 400px; height: 400px }</style><div class="pg pad"></div>';
          document.body.append(parent);
          window.sent = [];
          mount({parentElement: parent, data: {}, setTriggerValue: (name, value) => window.sent.push([name, value])});
        }"""
    )
    pad = bare.locator(".pad")
    use = pad.get_by_role("button", name="Use this drawing")
    expect(use).to_be_disabled()
    box = pad.locator("canvas").bounding_box()
    assert box is not None
    bare.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    bare.mouse.down()
    bare.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"], steps=12)
    bare.mouse.up()
    use.click()
    name, value = bare.evaluate("() => window.sent[0]")
    points = np.array(value["points"])
    assert name == "points"
    assert len(points) > 50
    assert np.abs(points).max() <= 1
    assert points.mean(0) == pytest.approx([0, 0], abs=0.1)
    assert points[:, 0].std() == pytest.approx(1 / np.sqrt(12), abs=0.06)  # a uniform stroke of length 1
    pad.get_by_role("button", name="Clear").click()
    expect(use).to_be_disabled()
    pad.get_by_role("button", name="Undo").click()
    expect(use).to_be_enabled()


# -- on the running app ----------------------------------------------------------------------------------------------


def test_layers_switch_apart_or_take_turns_and_stay_over_a_rerun(page: Page) -> None:
    carried = f"() => Object.keys({HUB}.frame.arrays).sort().join(' ')"
    expect(chip(page, "Fakes")).to_have_attribute("aria-pressed", "true")
    chip(page, "D surface").click()
    chip(page, "Manifold").focus()
    page.keyboard.press("Enter")
    expect(chip(page, "D surface")).to_have_attribute("aria-pressed", "false")
    expect(chip(page, "Manifold")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(f"() => ({carried})() === 'fake manifold real'")
    page.reload()
    page.locator(".st-key-stage canvas").first.wait_for()
    expect(chip(page, "Manifold")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(f"() => {HUB}?.frame && ({carried})() === 'fake manifold real'")
    chip(page, "Optimal D").click()
    expect(chip(page, "D surface")).to_have_attribute("aria-pressed", "false")
    chip(page, "D surface").click()
    expect(chip(page, "Optimal D")).to_have_attribute("aria-pressed", "false")


def test_keys_step_and_play_but_not_while_typing(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => {HUB}.status.step === 1")
    page.keyboard.press("d")
    page.keyboard.press("g")
    page.wait_for_function(f"() => {HUB}.status.step === 3")
    field = page.locator("input[type=text], input[type=number]").first
    field.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("d")
    page.keyboard.press("Escape")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Space")
    state_is(page, "running")
    assert step(page) >= 3
    page.keyboard.press("Space")
    state_is(page, "paused")
    at = step(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"(at) => {HUB}.status.step === at + 1", arg=at)


def test_a_lost_connection_is_said_and_comes_back(page: Page) -> None:
    page.locator(".st-key-stage").get_by_role("button", name="Play").click()
    state_is(page, "running")
    page.evaluate(f"() => {{ {HUB}.connect = () => {{}}; {HUB}.socket.close(); }}")
    expect(page.get_by_text("Connection lost, retrying …")).to_be_visible()
    page.evaluate(f"() => {{ delete {HUB}.connect; {HUB}.retryNow(); }}")
    page.wait_for_function(f"() => {HUB}.connection === 'open'")
    expect(page.get_by_text("Connection lost, retrying …")).to_be_hidden()
    at = step(page)
    page.wait_for_function(f"(at) => {HUB}.status.step > at", arg=at)


def test_slow_motion_walks_through_an_update(page: Page) -> None:
    page.get_by_role("button", name="Slow motion").click()
    drawer = page.get_by_role("dialog", name="Slow motion")
    steps = drawer.get_by_role("listitem")
    expect(steps.first).to_contain_text("1. ")
    assert steps.count() >= 10
    players = [steps.nth(i).locator(".who").inner_text() for i in range(steps.count())]
    assert players == sorted(players)  # D's update first, then G's
    drawer.get_by_role("button", name="Next").click()
    expect(drawer.locator("[aria-current=step]")).to_contain_text("2. ")
    assert re.search(r"\(\d+, \d+\)", drawer.locator("figcaption").first.inner_text())
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    assert step(page) == 1


def test_a_fake_is_followed(page: Page) -> None:
    canvas = page.locator(".st-key-stage canvas").first
    box = canvas.bounding_box()
    assert box is not None
    at = js(
        page,
        "view",
        f"""const {{arrays, meta}} = {HUB}.frame, view = new m.View(), unit = meta.extent / 32767;
            view.setExtent(meta.extent); view.reset(); view.resize(a, 1);
            return [view.x(arrays.fake.data[40] * unit), view.y(arrays.fake.data[41] * unit)];""",
        box["width"],
    )
    canvas.click(position={"x": at[0], "y": at[1]})
    card = page.locator(".st-key-stage .card")
    expect(card).to_contain_text("Fake")
    expect(card).to_contain_text(re.compile(r"z\s+[−\d]"))
    card.get_by_role("button").click()
    expect(card).to_be_hidden()


def test_without_a_websocket_the_picture_still_moves(page: Page) -> None:
    def refuse(socket: WebSocketRoute) -> None:
        socket.close()

    page.route_web_socket(re.compile("/playground/stream/"), refuse)
    page.reload()
    page.wait_for_function(f"() => {HUB}?.connection === 'fallback' && {HUB}.frame")
    page.keyboard.press("Space")
    page.wait_for_function(f"() => {HUB}.frame.meta.step > 0")
    first = page.evaluate(f"{HUB}.frame.seq")
    page.wait_for_function(f"(first) => {HUB}.frame.seq > first + 3", arg=first)
    page.keyboard.press("Space")
    state_is(page, "paused")


def test_a_stage_of_the_width_that_canvases_are_born_with_is_painted(context: BrowserContext, server: Any) -> None:
    """A low window, such as a phone held sideways, gives the stage its least side: 300, as a bare canvas has."""
    page = context.new_page()
    page.set_viewport_size({"width": 900, "height": 400})
    page.goto(server.url)
    canvas = page.locator(".st-key-stage canvas").first
    canvas.wait_for()
    page.wait_for_function(f"{HUB}")
    assert canvas.evaluate("canvas => canvas.getBoundingClientRect().width") == 300
    expect(canvas).to_have_attribute("height", "300")
