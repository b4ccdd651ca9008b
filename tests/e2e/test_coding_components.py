"""The components of coding models in a real browser, against frames and a model whose answers are known."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, WebSocketRoute, expect

from pages.parts.mounts import ASSETS
from pages.parts.source import Source, blob, f32
from playground.engine.frames import encode
from tests.e2e.test_components import HUB, js

pytestmark = pytest.mark.e2e

SOURCE = Source("run", 100, "token", "images", (1, 4, 4), ("zero", "one", "two"))
DARK = "--st-background-color: #14181d; --st-text-color: #e4e7eb"
MOUNT = """async ({name, data, style, css}) => {
  const {default: mount} = await import(`/playground/assets/${name}.js`);
  const parent = document.createElement('div');
  parent.style = style;
  parent.innerHTML = `<style>${css}</style><div class="pg ${name}"></div>`;
  document.body.append(parent);
  window.sent = [];
  const tell = (what, value) => window.sent.push([what, value]);
  const bytes = (data) => Array.isArray(data) ? new Uint8Array(data) : data;
  const component = {parentElement: parent, setTriggerValue: tell, setStateValue: tell};
  window.again = (data) => mount({...component, data: bytes(data)});
  window.again(data);
}"""


def mount(page: Page, name: str, data: bytes | dict[str, Any], width: int = 700, more: str = "") -> Locator:
    """Mount a component on a bare page; return its root."""
    css = "".join((ASSETS / style).read_text(encoding="utf-8") for style in ("live.css", "coding.css"))
    style = f"position: absolute; left: 8px; top: 8px; width: {width}px; {more}"
    plain = list(data) if isinstance(data, bytes) else data
    page.evaluate(MOUNT, {"name": name, "data": plain, "style": style, "css": css})
    return page.locator(f".pg.{name}")


def sent(page: Page, what: str = "action") -> list[Any]:
    return [value for name, value in page.evaluate("() => window.sent") if name == what]


@pytest.fixture
def bare(context: BrowserContext, server: Any) -> Page:
    """A page of the app's origin without the app."""
    page = context.new_page()
    page.goto(f"{server.url}/playground/assets/view.js")
    return page


def flat(*values: int, side: int = 4) -> np.ndarray:
    """Return one even grey picture a value."""
    return np.stack([np.full((side, side), v, np.uint8) for v in values])


@dataclass
class Model:
    """A saved moment that decodes a code to an even grey, 100 + 10 times its first number; encodes to mean and max."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    refuses: str | None = None

    def answer(self, route: Route) -> None:
        wish = json.loads(route.request.post_data or "{}")
        self.asked.append(wish)
        if self.refuses:
            route.fulfill(status=400, json={"error": self.refuses})
        elif wish["do"] == "encode":
            x = np.asarray(wish["items"], np.float32)
            codes = np.stack([x.mean((1, 2)) / 10, x.max((1, 2)) / 10], 1)
            route.fulfill(body=encode({"codes": codes.astype(np.float32)}, {}))
        else:
            greys = [round(np.clip(100 + 10 * code[0], 0, 255)) for code in wish["codes"]]
            route.fulfill(body=encode({"items": flat(*greys)}, {}))

    def codes(self) -> list[list[list[float]]]:
        return [wish["codes"] for wish in self.asked if wish["do"] == "decode"]


@pytest.fixture
def model(bare: Page) -> Model:
    model = Model()
    bare.route(re.compile("/playground/model/run"), model.answer)
    return model


def grey(picture: Locator) -> int:
    """The red of the pixel in the middle of a picture's canvas."""
    middle = "(c) => c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[0]"
    return int(picture.locator("canvas").evaluate(middle))


def shows(picture: Locator, value: int) -> None:
    """Wait until a picture is there and has this grey in its middle."""
    expect(picture.locator("canvas")).to_be_visible()
    handle = picture.locator("canvas").element_handle()
    told = "([c, v]) => c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[0] === v"
    picture.page.wait_for_function(told, arg=[handle, value])


# -- single modules, against known answers ----------------------------------------------------------------------------


def test_every_pixel_of_the_wall_is_a_whole_block_of_its_colour(bare: Page) -> None:
    inputs = np.arange(48, dtype=np.uint8).reshape(3, 4, 4) * 5
    told = js(
        bare,
        "grid",
        """const p = await import('/playground/assets/palette.js');
           const g = new m.Grid(document.createElement('canvas'));
           g.setTheme({ink: '#000', faint: '#888', paper: '#fff', font: 'sans-serif', dark: false});
           const array = (data) => ({shape: [3, 4, 4], data: Uint8Array.from(data)});
           const one = {class: 'x', error: 0.5, pca: null};
           const arrays = {inputs: array(a.inputs), residual: array(Array(48).fill(128))};
           g.load(arrays, {kind: 'images', columns: [one, one, one]});
           g.fit(500, 400); g.paint();
           const {ratio, tileW} = g.place, k = tileW * ratio / 4;
           const at = (i, row, x, y) => [...g.ctx.getImageData(Math.round((g.centre(i) - tileW / 2) * ratio) + x,
             Math.round((20 + row * (g.place.tileH + 6)) * ratio) + y, 1, 1).data].slice(0, 3);
           const read = [];
           for (let i = 0; i < 3; i++) for (let y = 0; y < 4; y++) for (let x = 0; x < 4; x++)
             read.push([at(i, 0, x * k, y * k)[0], at(i, 0, (x + 1) * k - 1, (y + 1) * k - 1)[0]]);
           const paper = p.signedWords(false)[128];
           return {k, read, zero: at(1, 1, 5, 5), paper: [paper & 255, (paper >> 8) & 255, (paper >> 16) & 255]};""",
        {"inputs": inputs.ravel().tolist()},
    )
    assert told["k"] == int(told["k"])
    assert told["k"] >= 4
    assert told["read"] == [[int(v), int(v)] for v in inputs.ravel()]
    assert told["zero"] == told["paper"]


@pytest.mark.parametrize("dark", [False, True])
def test_differences_are_blue_below_and_orange_above_and_grow_both_ways(bare: Page, dark: bool) -> None:
    words = np.array(js(bare, "palette", "return [...m.signedWords(a)];", dark), np.uint32)
    red, blue = (words & 255).astype(int), ((words >> 16) & 255).astype(int)
    assert abs(red[128] - blue[128]) < 16  # no colour where nothing differs
    assert (blue - red)[[20, 60, 110]].min() > 20
    assert (red - blue)[[146, 196, 236]].min() > 20


def test_lerp_and_slerp_at_known_places(bare: Page) -> None:
    told = js(
        bare,
        "filmstrip",
        """return {half: m.lerp([0, 2], [4, 0], .25), arc: m.slerp([1, 0], [0, 1], .5),
             ends: [m.slerp([3, 0], [0, 1], 0), m.slerp([3, 0], [0, 1], 1)], same: m.slerp([1, 1], [2, 2], .5),
             opposite: m.slerp([1, 0], [-1, 0], .25),
             third: m.slerp([1, 0], [0, 1], 1 / 3)};""",
    )
    assert told["half"] == [1, 1.5]
    assert told["arc"] == pytest.approx([math.sqrt(0.5)] * 2)
    assert told["ends"] == [pytest.approx([3, 0]), pytest.approx([0, 1])]
    assert told["same"] == [1.5, 1.5]
    assert told["opposite"] == [0.5, 0]
    assert told["third"] == pytest.approx([math.cos(math.pi / 6), math.sin(math.pi / 6)])


def test_only_the_newest_wish_is_worked_on(bare: Page) -> None:
    told = js(
        bare,
        "model",
        """const begun = [], done = [], failed = [];
           const pause = (ms) => new Promise((r) => setTimeout(r, ms));
           const work = async (n) => {
             begun.push(n); await pause(20); if (n === 5) throw new Error('no'); return n * 10;
           };
           const newest = new m.Newest(work, (x, n) => done.push([n, x]), (e, n) => failed.push([n, e.message]));
           [1, 2, 3, 4].forEach((n) => newest.put(n));
           await pause(100);
           newest.put(5); await pause(60);
           newest.put(6); newest.drop(); await pause(60);
           return {begun, done, failed};""",
    )
    assert told == {"begun": [1, 4, 5, 6], "done": [[1, 10], [4, 40]], "failed": [[5, "no"]]}


def test_what_a_place_on_the_map_stands_for(bare: Page) -> None:
    told = js(
        bare,
        "scatter",
        """const chart = {points: [0, 0, 1, 1]};
           const codes = {shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6])};
           const mean = {shape: [3], data: Float32Array.from([.5, 0, 0])};
           const axes = {shape: [2, 3], data: Float32Array.from([1, 0, 0, 0, 2, 0])};
           const at = [.75, 1.25];
           const code = (at, hit, arrays) => m.codeAt(at, hit, chart, arrays);
           return [code(at, null, {}), code(at, null, {mean, axes}), code(at, null, {codes}),
             code(at, null, {codes, mean, axes}), code([0, 0], 1, {codes})];""",
    )
    assert told == [[0.75, 1.25], [1.25, 2.5, 0], [4, 5, 6], [3.75, 5.5, 6], [4, 5, 6]]


def test_a_point_is_inside_a_polygon_or_not(bare: Page) -> None:
    arrow = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]]
    inside = "return a.points.map(([x, y]) => m.inPolygon(a.arrow, x, y));"
    points = [[1, 1], [2, 3], [3.8, 3], [5, 1], [2, 0.5]]
    assert js(bare, "scatter", inside, {"arrow": arrow, "points": points}) == [True, False, True, False, True]


def test_a_cloud_turns_about_the_upright_axis(bare: Page) -> None:
    told = js(
        bare,
        "cloud",
        """const canvas = document.createElement('canvas'); canvas.width = canvas.height = 200;
           const c = new m.Cloud(canvas); c.turn = c.tilt = 0;
           const a_ = c.project(0, 0, 1), b = c.project(1, 0, 0); c.turn = Math.PI;
           return [a_, b, c.project(0, 0, 1), c.project(1, 0, 0)];""",
    )
    up, right, still_up, left = told
    assert up[0] == 100
    assert up[1] < 40
    assert right[0] > 160
    assert right[1] == pytest.approx(100)
    assert still_up == pytest.approx(up)
    assert left[0] == pytest.approx(200 - right[0])


# -- the live wall and map on frames that are known --------------------------------------------------------------------

POINTS = np.array([[0.5, 0.5], [-0.5, 0.25], [0, -0.75]])  # shares of the extent


@dataclass
class Run:
    """A run whose one frame is known; what the page asks of it is kept."""

    meta: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    layers: list[set[str]] = field(default_factory=list)
    verbs: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        columns = [{"class": SOURCE.classes[i], "error": 0.01 * (i + 1), "pca": 0.5} for i in range(3)]
        acts = [{"name": "hidden 1", "units": 8, "dead": 0.25, "always": 0.125, "low": -1.0, "high": 2.0}]
        self.meta = {
            "step": 7, "state": "paused", "kind": "images", "shape": [1, 4, 4], "classes": SOURCE.classes, "acts": acts,
            "columns": columns, "map_extent": 2.0, "kl": None,
            "map": {"dim": 10, "projection": "pca", "explained": 0.43},
        } | self.meta  # fmt: skip
        self.arrays = {
            "inputs": flat(50, 100, 200), "recon": flat(50, 120, 180), "residual": flat(128, 138, 118),
            "codes": (POINTS * 32767).round().astype(np.int16), "classes": np.array([0, 1, 1], np.uint8),
            "filters": flat(0, 128, 255), "acts": np.full((1, 24), 1 / 24, np.float32),
        } | self.arrays  # fmt: skip

    def serve(self, socket: WebSocketRoute) -> None:
        seq = 0

        def hear(message: str | bytes) -> None:
            nonlocal seq
            wish = json.loads(message)
            if "do" in wish:
                self.verbs.append(wish)
                socket.send(json.dumps({"ack": wish["id"], "ok": True, "data": self.answer(wish)}))
            elif not self.layers or self.layers[-1] != set(wish.get("layers", [])):
                self.layers.append(set(wish.get("layers", [])))
                seq += 1
                shown = {name: array for name, array in self.arrays.items() if name in self.layers[-1]}
                socket.send(seq.to_bytes(8, "little") + encode(shown, self.meta))

        socket.on_message(hear)

    def answer(self, wish: dict[str, Any]) -> dict[str, Any] | None:
        if wish["do"] == "pick":
            picture = flat(10 * (wish["i"] + 1))[0].tolist()
            return {"i": wish["i"], "class": "one", "code": [1.0] * 10, "x": picture, "recon": picture}
        return {"code": wish["at"], "x": flat(77)[0].tolist()} if wish["do"] == "decode" else None


@pytest.fixture
def live(bare: Page) -> Callable[..., Locator]:
    def show(name: str, run: Run, **how: Any) -> Locator:
        bare.route_web_socket(re.compile("/playground/stream/"), run.serve)
        return mount(bare, name, {"run": "r", "token": "t", "status": {"state": "paused", "step": 7}}, **how)

    return show


def test_rows_are_asked_for_as_they_are_looked_at(live: Callable[..., Locator]) -> None:
    run = Run()
    wall = live("wall", run)
    expect(wall.locator("canvas").first).to_have_attribute("aria-label", re.compile("one · error 0.020 · PCA 0.50"))
    assert run.layers[-1] == {"inputs", "corrupted", "recon", "pca", "residual"}
    rows = wall.get_by_role("group", name="Rows")
    expect(rows.get_by_role("button", name="Corrupted")).to_be_disabled()  # none acts
    height = wall.bounding_box()
    rows.get_by_role("button", name="Residual").click()
    wall.get_by_role("tab", name="Filters").click()
    expect(wall.get_by_role("img", name="Filters")).to_be_visible()
    wall.page.wait_for_function("() => true")
    assert run.layers[-2:] == [{"inputs", "corrupted", "recon", "pca"}, {"filters"}]
    wall.get_by_role("tab", name="Filters").press("End")
    expect(wall.get_by_role("tab", name="Samples from the prior")).to_have_attribute("aria-selected", "true")
    expect(wall.get_by_text("no prior to draw from")).to_be_visible()
    assert wall.bounding_box() == height  # nothing jumped


def test_a_column_is_enlarged_with_what_differs(live: Callable[..., Locator]) -> None:
    wall = live("wall", Run())
    picture = wall.locator(".wallbox > canvas").first
    expect(picture).to_have_attribute("aria-label", re.compile("one · error"))  # there is a frame to walk through
    picture.focus()
    wall.page.keyboard.press("ArrowRight")
    wall.page.keyboard.press("ArrowRight")
    tip = wall.locator(".walltip")
    expect(tip).to_contain_text("one · error 0.020 · PCA 0.50")
    assert [grey(tip.locator(".picture").nth(k)) for k in (0, 1)] == [100, 120]
    wall.page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_a_dot_shows_its_item_and_a_click_decodes_the_place(live: Callable[..., Locator]) -> None:
    run = Run()
    plane = live("map", run, width=440)
    expect(plane.get_by_text("PCA of 10 codings, 43 % of their variance")).to_be_visible()
    box = plane.locator(".box > canvas").bounding_box()
    assert box is not None
    page, extent, low = plane.page, 1.25 * 1.2, 0.25  # points reach from -1 to 1 and from -1.5 to 1; a fifth is air

    def at(share: tuple[float, float]) -> tuple[float, float]:
        side = box["width"] - 42
        x, y = 2.0 * share[0] / extent, (2.0 * share[1] + low) / extent
        return box["x"] + 34 + side * (1 + x) / 2, box["y"] + 8 + side * (1 - y) / 2

    page.mouse.move(*at((-0.5, 0.25)))
    shows(plane.locator(".maptip .picture").first, 20)
    assert [(v["do"], v["i"]) for v in run.verbs] == [("pick", 1)]
    page.mouse.click(*at((0.25, -0.5)))
    shows(plane.locator(".pinline .picture"), 77)
    place = next(v["at"] for v in run.verbs if v["do"] == "decode")
    assert place == pytest.approx([0.5, -1.0], abs=0.02)
    expect(plane.locator(".pinline")).to_contain_text(re.compile("Decoded at 0.5"))
    plane.get_by_role("button", name="Let go of the place").click()
    expect(plane.locator(".pinline .picture canvas")).to_be_hidden()


def test_the_legend_isolates_a_class(live: Callable[..., Locator]) -> None:
    plane = live("map", Run(), width=440)
    classes = plane.get_by_role("group", name="Classes")
    expect(classes.get_by_role("button")).to_have_count(2)
    chip = classes.get_by_role("button", name="one")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(classes.get_by_role("button", name="zero")).to_have_attribute("aria-pressed", "false")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")


def test_sequences_and_clouds_have_their_own_pictures(live: Callable[..., Locator], bare: Page) -> None:
    waves = np.sin(np.linspace(0, 6, 30, dtype=np.float32))[None, :, None].repeat(3, 0)
    kinds = {"kind": "sequences", "shape": [30, 1]}
    wall = live("wall", Run(kinds, {"inputs": waves, "recon": waves / 2, "residual": -waves / 2}))
    expect(wall.locator("canvas").first).to_have_attribute("aria-label", re.compile("error"))
    painted = (
        "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v, k) => k % 4 === 3 && v > 200)"
    )
    bare.wait_for_function(f"() => ({painted})(document.querySelector('.wallbox canvas'))")
    expect(wall.locator(".legend")).to_be_hidden()  # colours mean nothing here
    wall.evaluate("(e) => e.parentElement.remove()")
    bare.evaluate("() => window.__playgroundHubs.clear()")
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    cloud = live("wall", Run({"kind": "cloud", "columns": []}, {"inputs": points, "recon": points}))
    picture = cloud.get_by_label("Points in space and their reconstructions")
    expect(picture).to_be_visible()
    before = picture.evaluate("(c) => c.toDataURL()")
    picture.focus()
    bare.keyboard.press("ArrowLeft")
    assert picture.evaluate("(c) => c.toDataURL()") != before


# -- the Explore components on a model that is known -------------------------------------------------------------------

PLACES = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [0, 0]], np.float32)


def plane_of(bare: Page, **more: np.ndarray) -> tuple[Locator, Callable[[float, float], tuple[float, float]]]:
    arrays = {"points": PLACES, "items": flat(10, 20, 30, 40, 50), "classes": np.array([0, 0, 1, 1, 2], np.uint8)}
    scatter = mount(bare, "scatter", blob(SOURCE, arrays | more, {"note": "The code itself"}), width=640)
    bare.wait_for_function("() => document.querySelector('.scatter .box > canvas').width > 300")  # it knows its size
    box = scatter.locator(".box > canvas").bounding_box()
    assert box is not None

    def at(x: float, y: float) -> tuple[float, float]:
        side, extent = box["width"] - 42, 2 * 0.53
        return box["x"] + 34 + side * (1 + x / extent) / 2, box["y"] + 8 + side * (1 - y / extent) / 2

    return scatter, at


def test_a_click_on_the_map_tells_the_item_and_decodes_its_code(bare: Page, model: Model) -> None:
    scatter, at = plane_of(bare)
    bare.mouse.move(*at(1, 1))
    shows(scatter.get_by_label("The item under the pointer").locator(".."), 30)
    expect(scatter.locator(".aside")).to_contain_text("one · number 3")
    bare.mouse.click(*at(1, 1))
    shows(scatter.get_by_label("The decoded place").locator(".."), 110)
    (told,) = sent(bare)
    assert (told["do"], told["i"], told["code"]) == ("point", 2, [1, 1])
    bare.mouse.click(*at(-0.5, 0.5))
    shows(scatter.get_by_label("The decoded place").locator(".."), 95)
    assert sent(bare)[-1]["i"] is None
    assert sent(bare)[-1]["at"] == pytest.approx([-0.5, 0.5], abs=0.02)
    assert model.asked[0]["step"] == 100


def test_a_rerun_leaves_the_map_as_it_is_and_another_layout_lets_go_of_the_place(bare: Page, model: Model) -> None:
    bare.emulate_media(reduced_motion="reduce")  # points do not glide
    scatter, at = plane_of(bare)
    place = scatter.get_by_label("The decoded place").locator("..")
    bare.mouse.click(*at(1, 1))
    shows(place, 110)
    arrays = {"points": PLACES, "items": flat(10, 20, 30, 40, 50), "classes": np.array([0, 0, 1, 1, 2], np.uint8)}
    again = "(data) => { window.again(data); }"
    bare.evaluate(again, list(blob(SOURCE, arrays, {"note": "The code itself"})))
    shows(place, 110)
    assert len(model.asked) == 1
    bare.evaluate(again, list(blob(SOURCE, arrays | {"points": 5 + 2 * PLACES[::-1]}, {"note": "Another"})))
    expect(place.locator("canvas")).to_be_hidden()
    bare.mouse.click(*at(1, 1))
    shows(place, 170)
    assert sent(bare)[-1]["code"] == [7, 7]
    assert sent(bare)[-1]["i"] == 2


def test_a_lasso_and_a_box_select_what_lies_inside(bare: Page, model: Model) -> None:
    scatter, at = plane_of(bare)
    scatter.get_by_role("button", name="Lasso").click()
    bare.mouse.move(*at(-0.3, -0.3))
    bare.mouse.down()
    for corner in [(0.3, -0.3), (1.04, 0.9), (1.04, 1.04), (0.6, 1.04), (-0.3, 0.3)]:
        bare.mouse.move(*at(*corner), steps=6)
    bare.mouse.up()
    assert sent(bare)[-1]["ids"] == [2, 4]
    expect(scatter.get_by_role("status")).to_contain_text("2 selected")
    scatter.get_by_role("button", name="Box").click()
    bare.mouse.move(*at(-1.04, -1.04))
    bare.mouse.down()
    bare.mouse.move(*at(1.04, -0.5), steps=4)
    bare.mouse.up()
    assert sent(bare)[-1]["ids"] == [0, 1]
    scatter.get_by_role("button", name="Clear").click()
    assert sent(bare)[-1]["ids"] == []
    assert not model.asked  # a selection decodes nothing


def test_a_refusal_of_the_model_is_said_where_the_picture_would_be(bare: Page, model: Model, witness: Any) -> None:
    model.refuses = "Step 100 is not saved: choose another moment."
    scatter, at = plane_of(bare)
    bare.mouse.click(*at(0.5, 0))
    expect(scatter.get_by_text(model.refuses)).to_be_visible()
    witness.errors.clear()  # the browser logs the answer 400 by itself


def test_the_filmstrip_shows_both_ways_and_where_the_slider_stands(bare: Page, model: Model) -> None:
    ends = np.array([[-10, 0], [10, 0.001]], np.float32)
    data = blob(SOURCE, {"ends": ends, "items": flat(0, 200)}, {"names": ["A", "B"], "frames": 5})
    film = mount(bare, "filmstrip", data, width=900)
    shows(film.get_by_label("Straight way, where the slider stands").locator(".."), 100)
    strips = model.codes()[0]
    assert [code[0] for code in strips[:5]] == pytest.approx([-10, -5, 0, 5, 10])
    assert len(strips) == 10
    slider = film.get_by_role("slider")
    values = [round(0.5 + 0.005 * k, 3) for k in range(1, 81)]
    slider.evaluate(
        "(s, values) => values.forEach((v) => { s.value = v; s.dispatchEvent(new Event('input')); })", values
    )
    shows(film.get_by_label("Straight way, where the slider stands").locator(".."), 180)
    expect(film.locator(".share")).to_have_text("90 % B")
    singles = [codes for codes in model.codes() if len(codes) == 2]
    assert len(singles) <= 4  # the first, one that was under way, and the newest
    assert singles[-1][0][0] == pytest.approx(8)
    film.locator(".way[data-way=linear] canvas").first.click(position={"x": 4, "y": 20})
    shows(film.get_by_label("Straight way, where the slider stands").locator(".."), 0)
    film.get_by_role("button", name="Play").click()
    bare.wait_for_function("() => Number(document.querySelector('.filmstrip input').value) > 0.05")
    film.get_by_role("button", name="Pause").click()


def test_a_slider_moves_its_own_number(bare: Page, model: Model) -> None:
    base = f32([1, 2, 3])
    data = blob(SOURCE, {"base": base, "low": base - 5, "high": base + 5}, {"names": ["tilt"]})
    sliders = mount(bare, "sliders", data, width=600)
    picture = sliders.get_by_label("What the changed code decodes to").locator("..")
    shows(picture, 110)
    sliders.get_by_role("slider", name="Number tilt").fill("6")
    shows(picture, 160)
    sliders.get_by_role("slider", name="Number 3").fill("-2")
    bare.wait_for_function("() => document.querySelectorAll('.slider output')[2].textContent === '−2.00'")
    sliders.get_by_role("button", name="Back to the start").click()
    shows(picture, 110)
    assert [6, 2, 3] in [codes[0] for codes in model.codes()]
    assert model.codes()[-1] == [[1, 2, 3]]


def test_an_attribute_has_one_strength(bare: Page, model: Model) -> None:
    data = blob(SOURCE, {"base": f32([1, 0]), "axes": f32([[2, 1]])}, {"names": ["smile"], "reach": [3]})
    sliders = mount(bare, "sliders", data, width=600)
    shows(sliders.locator(".thumb .picture").last, 170)
    (row,) = (codes for codes in model.codes() if len(codes) == 7)
    assert row == [[pytest.approx(v) for v in (1 + 2 * s, s)] for s in (-3, -2, -1, 0, 1, 2, 3)]
    sliders.get_by_role("slider", name="Strength of smile").fill("-1.5")
    shows(sliders.get_by_label("What the changed code decodes to").locator(".."), 80)


def test_a_drawn_digit_is_encoded_decoded_and_handed_over(bare: Page, model: Model) -> None:
    pad = mount(bare, "digit", blob(SOURCE, {}, {"side": 8}), width=700)
    use = pad.get_by_role("button", name="Use this picture")
    expect(use).to_be_disabled()
    box = pad.locator(".digitbox canvas").bounding_box()
    assert box is not None
    cell = box["width"] / 8
    bare.mouse.move(box["x"] + 2.5 * cell, box["y"] + 1.5 * cell)
    bare.mouse.down()
    bare.mouse.move(box["x"] + 2.5 * cell, box["y"] + 6.5 * cell, steps=10)
    bare.mouse.up()
    use.click()
    (told,) = sent(bare, "pixels")
    pixels = np.array(told["pixels"])
    assert pixels.shape == (8, 8)
    assert pixels[2:6, 2].min() == 255
    assert pixels[:, 5:].max() == 0
    assert pixels[0, 2] < pixels[1, 2]
    last = [wish["items"] for wish in model.asked if wish["do"] == "encode"][-1]
    assert last == [told["pixels"]]
    shows(pad.get_by_label("What the model makes of the drawing").locator(".."), round(100 + pixels.mean()))
    pad.get_by_role("button", name="Eraser").click()
    bare.mouse.click(box["x"] + 2.5 * cell, box["y"] + 3.5 * cell)
    use.click()
    assert sent(bare, "pixels")[-1]["pixels"][3][2] == 0
    pad.get_by_role("button", name="Clear").click()
    expect(use).to_be_disabled()
    pad.get_by_role("button", name="Undo").click()
    expect(use).to_be_enabled()


def test_a_digit_can_be_drawn_with_the_keyboard(bare: Page) -> None:
    pad = mount(bare, "digit", blob(None, {"start": np.eye(8, dtype=np.uint8) * 255}, {"side": 8}), width=400)
    expect(pad.locator(".answer")).to_be_hidden()  # no model to ask
    pad.locator(".digitbox canvas").focus()
    for key in ("ArrowRight", "ArrowUp", "Space"):
        bare.keyboard.press(key)
    pad.get_by_role("button", name="Use this picture").click()
    pixels = np.array(sent(bare, "pixels")[0]["pixels"])
    assert pixels[3, 5] == 255
    assert (np.diag(pixels) == 255).all()


def test_a_still_wall_tells_which_column_was_clicked(bare: Page) -> None:
    arrays = {"inputs": flat(*range(0, 60, 5)), "recon": flat(*range(51, 111, 5))}
    wall = mount(bare, "columns", blob(SOURCE, arrays, {"ids": list(range(100, 112))}), width=500)
    lines = wall.locator(".lines canvas")
    expect(lines).to_have_count(2 + (500 - 104) // 66 % 2)  # as many as fit a line
    expect(lines.first).to_have_attribute("aria-label", re.compile("101 · error 0.040"))  # (51 / 255)²
    lines.first.click(position={"x": 120, "y": 40})
    lines.first.focus()
    bare.keyboard.press("ArrowRight")
    bare.keyboard.press("Enter")
    assert [told["i"] for told in sent(bare)] == [100, 101]


@pytest.mark.parametrize("width", [358, 900])
def test_nothing_is_wider_than_its_place(bare: Page, model: Model, live: Callable[..., Locator], width: int) -> None:
    bare.set_viewport_size({"width": width + 32, "height": 844})
    arrays = {"ends": f32([[1, 2], [3, 4]])}
    base = {"base": f32([1, 0]), "axes": f32([[2, 1]])}
    mounted = [
        live("wall", Run(), width=width, more=DARK), live("map", Run(), width=width), plane_of(bare)[0],
        mount(bare, "filmstrip", blob(SOURCE, arrays, {"names": ["A", "B"], "frames": 9}), width=width),
        mount(bare, "sliders", blob(SOURCE, base, {"names": ["smile"], "reach": [3]}), width=width),
        mount(bare, "digit", blob(SOURCE, {}, {"side": 28}), width=width),
    ]  # fmt: skip
    for root in mounted:
        expect(root.locator("canvas").first).to_be_attached()
        if root.evaluate("(e) => e.parentElement.clientWidth") == width:
            assert root.evaluate("(e) => e.scrollWidth") <= width


# -- on the running app ----------------------------------------------------------------------------------------------


def test_without_a_websocket_wall_and_map_still_move(context: BrowserContext, server: Any) -> None:
    page = context.new_page()
    page.route_web_socket(re.compile("/playground/stream/"), lambda socket: socket.close())
    page.goto(f"{server.url}/?f=autoencoder&d=digits&code=2")
    page.get_by_role("tab", name="Filters").wait_for()
    refused = f"{HUB}?.connection === 'fallback'"
    carried = f"() => Object.keys({HUB}?.frame?.arrays ?? {{}}).sort().join(' ')"
    page.wait_for_function(f"() => {refused} && ({carried})().includes('codes inputs pca recon')")
    page.keyboard.press("Space")
    page.wait_for_function(f"() => {HUB}.frame.meta.step > 0")
    page.get_by_role("tab", name="Filters").click()
    page.wait_for_function(f"() => ({carried})() === 'classes codes filters'")
    page.keyboard.press("Space")
