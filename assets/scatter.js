// The map of a saved moment: thousands of codings; hover shows an item, a click decodes, a lasso or a box selects.
import { Chart, bounds, legend } from "./chart.js";
import { codeText } from "./map.js";
import { button, count, h, mount, say, signed, toggleClass } from "./dom.js";
import { Picture, putImage, rangeOf, sizes } from "./items.js";
import { Model, Newest, equal, given } from "./model.js";
import { GREYS, theme } from "./palette.js";
import { gestures } from "./view.js";

const TOOLS = [["point", "Point"], ["lasso", "Lasso"], ["box", "Box"]];

export default (component) => mount(component, (root) => new Scatter(root));

class Scatter {
  constructor(root) {
    this.root = root;
    this.model = new Model();
    this.tool = "point";
    this.layers = { background: true, prior: true };
    this.build();
    this.chart = new Chart(this.canvas, ["z₁", "z₂"]);
    this.chart.under = (ctx, view) => this.paintUnder(ctx, view);
    this.chart.over = (ctx, view) => this.paintOver(ctx, view);
    this.canvas.addEventListener("pointerdown", (event) => this.startPath(event), { capture: true });
    gestures(this.canvas, this.chart.view, () => this.chart.repaint());
    this.sizes = new ResizeObserver(() => this.chart.resize(this.box.clientWidth));
    this.sizes.observe(this.box);
    this.decodes = new Newest(({ code }) => this.model.decode([code]), (items, wish) => this.showDecode(items, wish), (error) => this.fail(error));
  }

  build() {
    this.canvas = h("canvas", {
      role: "application", tabindex: "0", "data-arrows": "",
      "aria-label": "Map of codings. Arrow keys move a cursor, Enter decodes the place under it, Escape lets go of it.",
    });
    this.box = h("div.box", {}, this.canvas);
    this.tools = h("div.group", { role: "group", "aria-label": "Tool" }, ...TOOLS.map(([id, label]) => {
      const made = button(null, label, () => this.choose(id), { kind: "seg" });
      made.dataset.tool = id;
      made.classList.add("small");
      return made;
    }));
    this.head = h("div.head", {}, this.tools, h("div.tools", {},
      button("minus", "Zoom out", () => this.zoom(1 / 1.4), { kind: "ghost", words: false }),
      button("plus", "Zoom in", () => this.zoom(1.4), { kind: "ghost", words: false }),
      button("fit", "Reset the view (double click)", () => this.resetView(), { kind: "ghost", words: false })));
    this.note = h("div.dim.mapline", {});
    this.classes = h("div.chips.classes", { role: "group", "aria-label": "Classes" });
    this.shown = h("div.chips", { role: "group", "aria-label": "Layers" });
    this.seen = new Picture(140, "The item under the pointer");
    this.seenText = h("div.num.dim", { "aria-live": "polite", text: "Point at a dot" });
    this.made = new Picture(140, "The decoded place");
    this.madeText = h("div.num.dim", { "aria-live": "polite", text: "Click the map" });
    this.selected = h("strong.num", { text: "0" });
    this.letGo = button("close", "Clear", () => this.select(null), { kind: "ghost" });
    this.selection = h("div.row", { role: "status" }, h("span", {}, this.selected, h("span.dim", { text: " selected" })), this.letGo);
    this.aside = h("div.aside", {},
      h("div.look", {}, h("strong", { text: "Item" }), this.seen.box, this.seenText),
      h("div.look", {}, h("strong", { text: "Decoded" }), this.made.box, this.madeText),
      this.selection);
    this.root.replaceChildren(h("div.frame", {}, h("div.chart", {}, this.head, this.box, this.note, this.classes, this.shown), this.aside));
    for (const [name, listener] of [["pointermove", (e) => this.onMove(e)], ["pointerup", (e) => this.endPath(e)],
      ["pointercancel", () => this.dropPath()], ["pointerleave", () => this.leave()], ["click", (e) => this.onClick(e)], ["keydown", (e) => this.onKey(e)]]) {
      this.canvas.addEventListener(name, listener);
    }
    this.choose("point");
    this.select(null, false);
  }

  // -- Streamlit ---------------------------------------------------------------------------------------------------

  update(component) {
    this.component = component;
    const colours = theme(this.root);
    this.chart.setTheme(colours);
    for (const picture of [this.seen, this.made]) picture.setTheme(colours);
    if (!equal(component.data, this.data)) this.take(component.data);
    this.chart.repaint();
  }

  take(data) {
    const fresh = given(data);
    const { meta: was, arrays: had } = this;
    const same = was && was.run === fresh.meta.run && equal(had.items.data, fresh.arrays.items.data);
    const still = same && equal(had.points.data, fresh.arrays.points.data);
    this.data = data;
    Object.assign(this, fresh);
    const { arrays, meta, chart } = this;
    this.model.set(meta);
    chart.classes = arrays.classes?.data ?? null;
    chart.labels = meta.classes.length <= 12 ? meta.classes : [];
    chart.names = arrays.mean ? ["p₁", "p₂"] : arrays.codes ? ["u₁", "u₂"] : ["z₁", "z₂"];
    chart.radius = arrays.points.shape[0] > 2500 ? 2.3 : 2.9;
    this.range = meta.kind === "sequences" ? rangeOf(arrays.items) : null;
    if (!still) this.place(arrays.points.data, same);
    this.background = arrays.background ? this.compose(arrays.background) : null;
    legend(this.classes, chart, meta.classes, chart.classes, () => chart.repaint());
    say(this.note, meta.note);
    this.makeChips();
    if (was && !same) this.select(null, false);
    if (still) return;
    this.pin(null);
    chart.lit = null;
  }

  destroy() {
    this.sizes.disconnect();
    cancelAnimationFrame(this.chart.gliding);
    this.decodes.drop();
  }

  // Rest on all points; the same items go to their new places, so that one sees where they went.
  place(points, same) {
    const { chart } = this;
    const { home, extent } = chart.view;
    const [x0, x1, y0, y1] = bounds(points);
    chart.view.setHome([(x0 + x1) / 2, (y0 + y1) / 2]);
    chart.view.setExtent(Math.max(x1 - x0, y1 - y0, 1e-6) * 0.53);
    if (same) chart.glide(points, home, extent);
    else chart.points = points;
  }

  // The decoder's grid as one picture, top row first.
  compose(array) {
    if (this.meta.kind !== "images") return null;
    const { n, h: height, w } = sizes(array);
    const { rows } = this.meta.background;
    const columns = n / rows;
    const whole = document.createElement("canvas");
    Object.assign(whole, { width: columns * w, height: rows * height });
    const ctx = whole.getContext("2d");
    for (let i = 0; i < n; i++) putImage(ctx, array, i, (i % columns) * w, (rows - 1 - Math.floor(i / columns)) * height, GREYS);
    return { whole, columns };
  }

  makeChips() {
    const offered = [this.background && ["background", "Decoder's grid"], this.meta.prior && ["prior", this.meta.prior.name]].filter(Boolean);
    this.shown.replaceChildren(...offered.map(([id, label]) => h("button.chip", {
      type: "button", "aria-pressed": String(this.layers[id]), onmousedown: (event) => event.preventDefault(),
      onclick: (event) => {
        this.layers[id] = !this.layers[id];
        event.currentTarget.setAttribute("aria-pressed", String(this.layers[id]));
        this.chart.repaint();
      },
    }, h("span", { text: label }))));
  }

  // -- painting --------------------------------------------------------------------------------------------------------

  paintUnder(ctx, view) {
    const { background, meta } = this;
    if (background && this.layers.background) {
      const { low, high, rows } = meta.background;
      const cell = [(high[0] - low[0]) / Math.max(1, background.columns - 1), (high[1] - low[1]) / Math.max(1, rows - 1)];
      const left = view.x(low[0] - cell[0] / 2);
      const top = view.y(high[1] + cell[1] / 2);
      ctx.imageSmoothingEnabled = false;
      ctx.globalAlpha = 0.5; // the points over it are what the map is about
      ctx.drawImage(background.whole, left, top, view.x(high[0] + cell[0] / 2) - left, view.y(low[1] - cell[1] / 2) - top);
      ctx.globalAlpha = 1;
    }
    if (meta?.prior && this.layers.prior) ellipses(ctx, view, meta.prior, this.chart.colours);
  }

  paintOver(ctx, view) {
    if (this.cursor) this.chart.cross(...this.cursor);
    if (this.at) this.chart.cross(...this.at);
    if (!this.path) return;
    ctx.beginPath();
    outline(this.path, this.tool).forEach(([x, y], k) => (k ? ctx.lineTo(view.x(x), view.y(y)) : ctx.moveTo(view.x(x), view.y(y))));
    ctx.closePath();
    ctx.fillStyle = ctx.strokeStyle = this.chart.colours.ink;
    ctx.globalAlpha = 0.1;
    ctx.fill();
    ctx.globalAlpha = 0.9;
    ctx.lineWidth = 1.5 * view.ratio;
    ctx.setLineDash([5 * view.ratio, 4 * view.ratio]);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  // -- tools -----------------------------------------------------------------------------------------------------------

  choose(id) {
    this.tool = id;
    for (const each of this.tools.children) each.setAttribute("aria-pressed", String(each.dataset.tool === id));
    this.canvas.style.cursor = "crosshair";
    this.canvas.style.touchAction = id === "point" ? "pan-y" : "none";
  }

  zoom(factor) {
    this.chart.view.zoom(factor);
    this.chart.repaint();
  }

  resetView() {
    this.chart.view.reset();
    this.chart.repaint();
  }

  // A selection starts before the view's own gestures see the pointer, so that it does not pan.
  startPath(event) {
    const shift = event.shiftKey && this.tool === "point";
    if ((this.tool === "point" && !shift) || event.button > 0) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.canvas.dataset.dragged = "1"; // the click that follows is not a point
    this.path = [this.chart.view.toData(event.offsetX, event.offsetY)];
  }

  onMove(event) {
    if (this.path) {
      this.path.push(this.chart.view.toData(event.offsetX, event.offsetY));
      return this.chart.repaint();
    }
    if (!event.buttons) this.hover(event);
  }

  endPath() {
    if (!this.path) return;
    const area = outline(this.path, this.tool);
    this.path = null;
    const { chart } = this;
    const chosen = new Uint8Array(chart.n);
    for (let i = 0; i < chart.n; i++) {
      if (chart.only !== null && chart.classOf(i) !== chart.only) continue;
      if (area.length > 2 && inPolygon(area, chart.points[2 * i], chart.points[2 * i + 1])) chosen[i] = 1;
    }
    this.select(chosen.some(Boolean) ? chosen : null);
  }

  dropPath() {
    this.path = null;
    this.chart.repaint();
  }

  select(chosen, told = true) {
    if (this.chart) this.chart.chosen = chosen;
    const ids = [];
    chosen?.forEach((on, i) => on && ids.push(i));
    say(this.selected, count(ids.length));
    this.letGo.style.visibility = chosen ? "" : "hidden";
    this.chart?.repaint();
    if (told) this.component.setTriggerValue("action", { do: "select", ids, at: Date.now() });
  }

  // -- pointing --------------------------------------------------------------------------------------------------------

  hover(event) {
    const { chart } = this;
    const inside = chart.view.inside(event.offsetX, event.offsetY);
    const i = inside ? chart.nearest(event.offsetX, event.offsetY) : null;
    if (i === chart.lit) return;
    chart.lit = i;
    chart.repaint();
    if (i !== null) this.showItem(i);
  }

  leave() {
    if (this.chart.lit === null) return;
    this.chart.lit = null;
    this.chart.repaint();
  }

  showItem(i) {
    const { meta, arrays, chart } = this;
    this.seen.show(meta.kind, arrays.items, i, { range: this.range });
    const k = chart.classOf(i);
    say(this.seenText, `${k === 255 ? "" : `${meta.classes[k] ?? k} · `}number ${count(i + 1)}`);
  }

  onClick(event) {
    const { view } = this.chart;
    if (this.canvas.dataset.dragged || this.tool !== "point" || !view.inside(event.offsetX, event.offsetY)) return;
    this.pin(view.toData(event.offsetX, event.offsetY), this.chart.nearest(event.offsetX, event.offsetY));
  }

  onKey(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const { view } = this.chart;
    if (by) {
      this.cursor = (this.cursor ?? this.at ?? [view.cx, view.cy]).map((v, k) => v + by[k] * view.half * 0.05);
      const i = this.chart.nearest((view.x(this.cursor[0])) / view.ratio, view.y(this.cursor[1]) / view.ratio);
      if (i !== null) this.showItem(i);
    } else if (event.key === "Enter" && this.cursor) {
      this.pin(this.cursor, this.chart.nearest(view.x(this.cursor[0]) / view.ratio, view.y(this.cursor[1]) / view.ratio));
    } else if (event.key === "Escape") this.pin(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.chart.repaint();
  }

  // A dot that was hit is decoded where it lies, else the place itself.
  pin(place, hit = null) {
    const { points } = this.chart;
    const at = hit === null ? place : [points[2 * hit], points[2 * hit + 1]];
    this.at = at;
    this.cursor = null;
    this.chart.repaint();
    if (!at) {
      this.decodes.drop();
      this.made.blank();
      return say(this.madeText, "Click the map");
    }
    if (hit !== null) this.showItem(hit);
    const code = codeAt(at, hit, this.chart, this.arrays);
    this.decodes.put({ code, at });
    this.component.setTriggerValue("action", { do: "point", at, i: hit, code });
  }

  showDecode(items, { code, at }) {
    if (!this.at) return;
    this.made.show(this.meta.kind, items, 0, { range: this.range });
    say(this.madeText, code.length === 2 ? `at ${at.map((v) => signed(v)).join(", ")}` : `code ${codeText(code)}`);
    toggleClass(this.madeText, "wrong", false);
  }

  fail(error) {
    this.made.blank();
    say(this.madeText, error.message);
    toggleClass(this.madeText, "wrong", true);
  }
}

// The code that a place on the map stands for (see the docstring of `scatter` in pages/parts/explore.py).
export function codeAt(at, hit, chart, { codes, mean, axes }) {
  if (!codes && !mean) return [...at];
  const width = (codes ?? mean).shape.at(-1);
  let from = Array.from({ length: width }, (_, k) => mean?.data[k] ?? 0);
  let away = at;
  if (codes) {
    const i = hit ?? nearestOf(chart.points, at);
    from = Array.from(codes.data.subarray(i * width, (i + 1) * width));
    away = [at[0] - chart.points[2 * i], at[1] - chart.points[2 * i + 1]];
  }
  if (!axes) return from;
  return from.map((v, k) => v + away[0] * axes.data[k] + away[1] * axes.data[width + k]);
}

function nearestOf(points, [x, y]) {
  let [best, found] = [Infinity, 0];
  for (let k = 0; k < points.length; k += 2) {
    const d = (points[k] - x) ** 2 + (points[k + 1] - y) ** 2;
    if (d < best) [best, found] = [d, k / 2];
  }
  return found;
}

function outline(path, tool) {
  if (tool !== "box") return path;
  const [[x0, y0], [x1, y1]] = [path[0], path[path.length - 1]];
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
}

// Even-odd rule.
export function inPolygon(polygon, x, y) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

// Where a normal distribution is 1, 2 and 3 standard deviations from its middle.
function ellipses(ctx, view, { mean, cov }, colours) {
  const [[a, b], [, d]] = cov;
  const l11 = Math.sqrt(Math.max(a, 0)); // Cholesky: circles through L are the ellipses
  const l21 = l11 ? b / l11 : 0;
  const l22 = Math.sqrt(Math.max(d - l21 * l21, 0));
  for (const sigma of [1, 2, 3]) {
    for (const [colour, width] of [[colours.paper, 3.5], [colours.ink, 1.4]]) {
      ctx.strokeStyle = colour;
      ctx.globalAlpha = 0.75;
      ctx.lineWidth = width * view.ratio;
      ctx.setLineDash([2 * view.ratio, 3 * view.ratio]);
      ctx.beginPath();
      for (let k = 0; k <= 90; k++) {
        const [u, v] = [Math.cos((k / 45) * Math.PI) * sigma, Math.sin((k / 45) * Math.PI) * sigma];
        const at = [view.x(mean[0] + l11 * u), view.y(mean[1] + l21 * u + l22 * v)];
        if (k) ctx.lineTo(...at);
        else ctx.moveTo(...at);
      }
      ctx.stroke();
    }
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}
