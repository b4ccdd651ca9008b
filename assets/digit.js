// Draw a picture pixel by pixel; where there is a model, see it encoded and decoded as you draw.
import { button, h, mount, say, signed } from "./dom.js";
import { Picture } from "./items.js";
import { Model, Newest, equal, given } from "./model.js";
import { DECODER, ENCODER, theme } from "./palette.js";

const REACH = 0.048; // the pen's radius as a share of the side
const UNDOS = 40;
const ROOM = 308; // css pixels

export default (component) => mount(component, (root) => new Digit(root));

class Digit {
  constructor(root) {
    this.root = root;
    this.model = new Model();
    this.erasing = false;
    this.strokes = [];
    this.build();
    this.codings = new Newest(async (items) => {
      const codes = await this.model.encode(items);
      const rows = [Array.from(codes.data)];
      return { code: rows[0], items: await this.model.decode(rows) };
    }, (answer) => this.showAnswer(answer), (error) => this.fail(error));
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.root);
  }

  build() {
    this.canvas = h("canvas", {
      role: "application", tabindex: "0", "data-arrows": "",
      "aria-label": "Drawing pad. Draw with mouse, finger or pen. With the keyboard: arrow keys move the pen, space draws.",
    });
    this.hint = h("div.padhint", {}, h("span", { text: "Draw here" }));
    this.pen = button("brush", "Pen", () => this.choose(false), { kind: "seg" });
    this.eraser = button("erase", "Eraser", () => this.choose(true), { kind: "seg" });
    this.undoButton = button("reset", "Undo", () => this.undo(), { kind: "ghost" });
    this.clearButton = button("trash", "Clear", () => this.clear(), { kind: "ghost" });
    this.use = button("check", "Use this picture", () => this.send(), { kind: "solid" });
    this.made = new Picture(168, "What the model makes of the drawing");
    this.bars = h("canvas.codebars", { role: "img", "aria-label": "The code of the drawing" });
    this.codeText = h("div.num.dim");
    this.error = h("div.wrong", { role: "alert", hidden: true });
    this.answer = h("div.answer", { hidden: true },
      h("div.look", {}, h("strong", { text: "Its code" }), this.bars, this.codeText),
      h("div.look", {}, h("strong", { text: "Decoded" }), this.made.box), this.error);
    this.root.replaceChildren(h("div.frame", {},
      h("div.drawing", {},
        h("div.digitbox", {}, this.canvas, this.hint),
        h("div.padtools", {}, h("div.group", { role: "group", "aria-label": "Tool" }, this.pen, this.eraser), this.undoButton, this.clearButton),
        this.use),
      this.answer));
    this.choose(false);
    this.canvas.addEventListener("pointerdown", (event) => this.start(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => (this.last = null));
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  // -- Streamlit ---------------------------------------------------------------------------------------------------

  update(component) {
    this.component = component;
    this.colours = theme(this.root);
    this.made.setTheme(this.colours);
    if (!equal(component.data, this.data)) this.take(component.data);
    this.resize();
  }

  take(data) {
    const { meta, arrays } = given(data);
    const first = !this.meta;
    const other = first || meta.side !== this.meta.side;
    this.data = data;
    this.meta = meta;
    if (other) {
      this.side = meta.side;
      this.pixels = new Uint8Array(this.side * this.side);
      this.strokes = [];
      this.cursor = [this.side >> 1, this.side >> 1];
    }
    const start = arrays.start ? arrays.start.data.join() : null;
    if (start && start !== this.started) this.pixels = Uint8Array.from(arrays.start.data);
    this.started = start;
    this.answer.hidden = !meta.run;
    if (meta.run) this.model.set(meta);
    this.changed();
  }

  destroy() {
    this.sizes.disconnect();
    this.codings.drop();
  }

  resize() {
    if (!this.side) return;
    const ratio = window.devicePixelRatio || 1;
    const room = Math.min(ROOM, this.root.clientWidth || ROOM);
    this.cell = Math.max(1, Math.floor((room * ratio) / this.side));
    const whole = this.cell * this.side;
    if (this.canvas.width !== whole || this.canvas.height !== whole) this.canvas.width = this.canvas.height = whole;
    this.canvas.style.width = this.canvas.style.height = `${whole / ratio}px`;
    this.draw();
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  at(event) {
    const width = this.canvas.clientWidth;
    return [(event.offsetX / width) * this.side, (event.offsetY / width) * this.side];
  }

  start(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.remember();
    this.last = this.at(event);
    this.stroke(this.last, this.last);
  }

  move(event) {
    if (!this.last) return;
    const events = event.getCoalescedEvents?.() ?? [event];
    for (const each of events.length ? events : [event]) {
      const now = this.at(each);
      this.stroke(this.last, now);
      this.last = now;
    }
  }

  remember() {
    this.strokes.push(this.pixels.slice());
    if (this.strokes.length > UNDOS) this.strokes.shift();
  }

  // A round pen with a soft rim: full within its radius, fading over one pixel.
  stroke([x0, y0], [x1, y1]) {
    const { side, pixels } = this;
    const radius = Math.max(0.5, REACH * side) * (this.erasing ? 1.6 : 1);
    const [dx, dy] = [x1 - x0, y1 - y0];
    const square = dx * dx + dy * dy;
    for (let row = 0; row < side; row++) for (let column = 0; column < side; column++) {
      const [px, py] = [column + 0.5 - x0, row + 0.5 - y0];
      const t = square ? Math.max(0, Math.min(1, (px * dx + py * dy) / square)) : 0;
      const ink = 255 * Math.max(0, Math.min(1, radius + 0.75 - Math.hypot(px - t * dx, py - t * dy)));
      const k = row * side + column;
      pixels[k] = this.erasing ? Math.min(pixels[k], 255 - ink) : Math.max(pixels[k], ink);
    }
    this.changed();
  }

  onKey(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (by) {
      this.cursor = this.cursor.map((v, k) => Math.max(0, Math.min(this.side - 1, v + by[k])));
      this.cursorShown = true;
    } else if (event.key === " ") {
      this.remember();
      const middle = this.cursor.map((v) => v + 0.5);
      this.stroke(middle, middle);
    } else return;
    event.preventDefault();
    event.stopPropagation();
    this.draw();
  }

  choose(erasing) {
    this.erasing = erasing;
    this.pen.setAttribute("aria-pressed", String(!erasing));
    this.eraser.setAttribute("aria-pressed", String(erasing));
  }

  undo() {
    if (this.strokes.length) this.pixels = this.strokes.pop();
    this.changed();
  }

  clear() {
    this.remember();
    this.pixels = new Uint8Array(this.side * this.side);
    this.changed();
  }

  // Rows of 0..255.
  rows() {
    return Array.from({ length: this.side }, (_, r) => Array.from(this.pixels.subarray(r * this.side, (r + 1) * this.side)));
  }

  send() {
    this.component.setTriggerValue("pixels", { pixels: this.rows(), at: Date.now() });
  }

  changed() {
    const blank = !this.pixels.some(Boolean);
    this.hint.hidden = !blank;
    this.use.disabled = this.clearButton.disabled = blank;
    this.undoButton.disabled = !this.strokes.length;
    this.draw();
    if (!this.meta.run) return;
    if (blank) {
      this.codings.drop();
      this.made.blank();
      this.bars.getContext("2d").clearRect(0, 0, this.bars.width, this.bars.height);
      return say(this.codeText, "");
    }
    const colour = this.meta.shape[0] === 3;
    this.codings.put([colour ? this.rows().map((row) => row.map((v) => [v, v, v])) : this.rows()]);
  }

  draw() {
    if (!this.colours || !this.cell) return;
    const { side, cell, canvas } = this;
    const ctx = canvas.getContext("2d");
    for (let k = 0; k < side * side; k++) {
      const v = this.pixels[k];
      ctx.fillStyle = `rgb(${v} ${v} ${v})`;
      ctx.fillRect((k % side) * cell, Math.floor(k / side) * cell, cell, cell);
    }
    if (!this.cursorShown) return;
    ctx.strokeStyle = DECODER;
    ctx.lineWidth = Math.max(2, cell / 6);
    ctx.strokeRect(this.cursor[0] * cell, this.cursor[1] * cell, cell, cell);
  }

  // -- the model's answer ----------------------------------------------------------------------------------------------

  showAnswer({ code, items }) {
    this.error.hidden = true;
    this.made.show("images", items);
    this.drawBars(code);
    say(this.codeText, code.length > 4 ? `${code.length} numbers, ${signed(Math.min(...code))} to ${signed(Math.max(...code))}` : code.map((v) => signed(v)).join("  "));
  }

  drawBars(code) {
    const ratio = window.devicePixelRatio || 1;
    const [w, tall] = [Math.round(168 * ratio), Math.round(120 * ratio)];
    Object.assign(this.bars, { width: w, height: tall });
    const ctx = this.bars.getContext("2d");
    const most = Math.max(1, ...code.map(Math.abs));
    const pitch = w / code.length;
    ctx.fillStyle = ENCODER;
    code.forEach((v, k) => {
      const high = (Math.abs(v) / most) * (tall / 2 - ratio);
      ctx.fillRect(k * pitch, v > 0 ? tall / 2 - high : tall / 2, Math.max(ratio, pitch - ratio), high);
    });
    ctx.fillStyle = this.colours.ink;
    ctx.globalAlpha = 0.4;
    ctx.fillRect(0, tall / 2 - ratio / 2, w, ratio);
    ctx.globalAlpha = 1;
  }

  fail(error) {
    this.error.hidden = false;
    say(this.error, error.message);
  }
}
