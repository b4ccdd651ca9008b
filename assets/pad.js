// The drawing pad: paint a distribution with mouse, finger or pen. Points live in [-1, 1]²; the page scales them.
import { button, count, h, mount, say } from "./dom.js";
import { REAL, theme } from "./palette.js";

const MOST = 20000;
const DENSITY = 14; // points per brush dab

export default (component) => mount(component, (root) => new Pad(root));

class Pad {
  constructor(root) {
    this.root = root;
    this.points = [];
    this.strokes = []; // how many points stood before each stroke, for undo
    this.erasing = false;
    this.build();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.canvas);
  }

  build() {
    this.canvas = h("canvas", {
      "aria-label": "Drawing pad. Paint with mouse, finger or pen. With the keyboard: arrow keys move the brush, space paints.",
      role: "application", tabindex: "0",
    });
    this.counter = h("strong.num", { text: "0" });
    this.spread = h("input", { type: "range", min: 1, max: 20, value: 5, "aria-label": "Brush spread" });
    this.brush = button("brush", "Draw", () => this.choose(false), { kind: "seg" });
    this.eraser = button("erase", "Erase", () => this.choose(true), { kind: "seg" });
    this.undoButton = button("reset", "Undo", () => this.undo());
    this.clearButton = button("trash", "Clear", () => this.clear());
    this.use = button("check", "Use this drawing", () => this.send(), { kind: "solid" });
    this.hint = h("div.padhint", {}, h("span", { text: "Draw here what the generator should learn" }));
    this.root.replaceChildren(
      h("div.padbox", {}, this.canvas, this.hint),
      h("div.padtools", {},
        h("div.group", { role: "group", "aria-label": "Tool" }, this.brush, this.eraser),
        h("label.speed", {}, h("span.dim.label", { text: "Spread" }), this.spread),
        this.undoButton, this.clearButton),
      h("div.row", {}, h("span", { role: "status" }, this.counter, h("span.dim", { text: " points" })), this.use));
    this.choose(false);
    this.cursor = [0, 0];
    this.canvas.addEventListener("pointerdown", (event) => this.start(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => this.end());
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  update(component) {
    this.component = component;
    this.colours = theme(this.root);
    const given = component.data?.points;
    if (given && !this.points.length) this.points = given.map(([x, y]) => [x, y]);
    this.refresh();
  }

  destroy() {
    cancelAnimationFrame(this.request);
    this.sizes.disconnect();
  }

  resize() {
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const size = Math.round(this.canvas.clientWidth * ratio);
    if (!size || this.canvas.width === size) return;
    this.canvas.width = this.canvas.height = size;
    this.ratio = ratio;
    this.draw();
  }

  // -- painting ------------------------------------------------------------------------------------------------------

  at(event) {
    const size = this.canvas.clientWidth;
    return [(event.offsetX / size) * 2 - 1, 1 - (event.offsetY / size) * 2];
  }

  get width() {
    return Number(this.spread.value) / 100;
  }

  start(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.strokes.push(this.points.slice());
    if (this.strokes.length > 50) this.strokes.shift();
    this.last = null;
    this.drawing = true;
    this.dab(this.at(event));
  }

  move(event) {
    if (!this.drawing) return;
    const events = event.getCoalescedEvents?.() ?? [event];
    for (const each of events.length ? events : [event]) this.dab(this.at(each));
  }

  end() {
    this.drawing = false;
    this.last = null;
    this.refresh();
  }

  // Dabs lie at most half a brush apart, so that a fast stroke is as dense as a slow one.
  dab([x, y]) {
    const from = this.last ?? [x, y];
    const gap = Math.max(0.02, this.width / 2);
    const distance = Math.hypot(x - from[0], y - from[1]);
    if (this.last && distance < gap) return;
    const dabs = this.last ? Math.floor(distance / gap) : 1;
    for (let k = 1; k <= dabs; k++) {
      const t = this.last ? (k * gap) / distance : 1;
      const at = [from[0] + (x - from[0]) * t, from[1] + (y - from[1]) * t];
      if (this.erasing) this.rub(at);
      else this.spray(at);
      this.last = at;
    }
    this.refresh();
  }

  spray([x, y]) {
    for (let n = 0; n < DENSITY && this.points.length < MOST; n++) {
      const r = this.width * Math.sqrt(-2 * Math.log(1 - Math.random()));
      const angle = 2 * Math.PI * Math.random();
      const px = x + r * Math.cos(angle);
      const py = y + r * Math.sin(angle);
      if (Math.abs(px) <= 1 && Math.abs(py) <= 1) this.points.push([px, py]);
    }
  }

  rub([x, y]) {
    const reach = Math.max(0.03, 2 * this.width) ** 2;
    this.points = this.points.filter(([px, py]) => (px - x) ** 2 + (py - y) ** 2 > reach);
  }

  onKey(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const go = moves[event.key];
    if (go) {
      this.cursor = this.cursor.map((v, i) => Math.max(-1, Math.min(1, v + 0.05 * go[i])));
      this.cursorShown = true;
    } else if (event.key === " ") {
      this.strokes.push(this.points.slice());
      this.last = null;
      this.dab(this.cursor);
      this.last = null;
    } else return;
    event.preventDefault();
    event.stopPropagation();
    this.refresh();
  }

  // -- tools -----------------------------------------------------------------------------------------------------------

  choose(erasing) {
    this.erasing = erasing;
    this.brush.setAttribute("aria-pressed", String(!erasing));
    this.eraser.setAttribute("aria-pressed", String(erasing));
  }

  undo() {
    if (this.strokes.length) this.points = this.strokes.pop();
    this.refresh();
  }

  clear() {
    if (this.points.length) this.strokes.push(this.points);
    this.points = [];
    this.refresh();
  }

  send() {
    const points = this.points.map(([x, y]) => [Number(x.toFixed(4)), Number(y.toFixed(4))]);
    this.component.setTriggerValue("points", { points, at: Date.now() });
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  refresh() {
    say(this.counter, count(this.points.length));
    this.hint.hidden = this.points.length > 0;
    this.use.disabled = this.points.length < 10;
    this.use.title = this.use.disabled ? "Draw at least 10 points" : "";
    this.undoButton.disabled = !this.strokes.length;
    this.clearButton.disabled = !this.points.length;
    this.request ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.request = null;
    if (!this.colours || !this.ratio) return;
    const ctx = this.canvas.getContext("2d");
    const size = this.canvas.width;
    ctx.fillStyle = this.colours.paper;
    ctx.fillRect(0, 0, size, size);
    ctx.strokeStyle = this.colours.ink;
    ctx.globalAlpha = 0.15;
    ctx.strokeRect(size / 2, -1, 0, size + 2);
    ctx.strokeRect(-1, size / 2, size + 2, 0);
    ctx.globalAlpha = 0.8;
    ctx.fillStyle = REAL;
    const dot = 3 * this.ratio;
    for (const [x, y] of this.points) ctx.fillRect(((x + 1) / 2) * size - dot / 2, ((1 - y) / 2) * size - dot / 2, dot, dot);
    ctx.globalAlpha = 1;
    if (this.cursorShown) {
      const [x, y] = this.cursor;
      ctx.beginPath();
      ctx.arc(((x + 1) / 2) * size, ((1 - y) / 2) * size, Math.max(6, (this.width * size) / 2), 0, 7);
      ctx.stroke();
    }
  }
}

