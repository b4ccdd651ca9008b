// The ways between two codes: straight and spherical, one above the other, with one slider for both.
import { button, calm, figure, h, mount, say } from "./dom.js";
import { Picture, putImage, putLine, rangeOf, scaleFor, sizes } from "./items.js";
import { Model, Newest, equal, given } from "./model.js";
import { theme } from "./palette.js";

const WAYS = [
  { id: "linear", label: "Straight", along: lerp, help: "a + t (b − a)" },
  { id: "spherical", label: "Spherical", along: slerp, help: "Along the arc between the two directions: keeps to the lengths that codes have" },
];
const THERE_AND_BACK = 7000; // milliseconds
const BIG = 168;
const FOOT = 10; // css pixels under a strip for the pointer that shows where the slider stands

export default (component) => mount(component, (root) => new Filmstrip(root));

class Filmstrip {
  constructor(root) {
    this.root = root;
    this.model = new Model();
    this.t = 0.5;
    this.build();
    this.decodes = new Newest((t) => this.model.decode(WAYS.map(({ along }) => this.code(along, t))), (items, t) => this.showAt(items, t), (error) => this.fail(error));
    this.strips = new Newest((ts) => this.model.decode(WAYS.flatMap(({ along }) => ts.map((t) => this.code(along, t)))), (items) => this.showStrips(items), (error) => this.fail(error));
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.strip);
  }

  build() {
    this.rows = WAYS.map(({ id, label, help }) => {
      const canvas = h("canvas", { role: "img", "aria-label": `${label} way, frame by frame` });
      const big = new Picture(BIG, `${label} way, where the slider stands`);
      const length = h("span.num.dim");
      canvas.addEventListener("click", (event) => this.set(this.frameAt(event.offsetX)));
      const row = h("div.way", { "data-way": id }, h("div.wayname", { title: help }, h("strong", { text: label }), length), h("div.film", {}, canvas), big.box);
      return { canvas, big, length, row };
    });
    this.strip = this.rows[0].row.querySelector(".film");
    this.ends_ = [new Picture(56, "The first end"), new Picture(56, "The other end")];
    this.names = [h("strong"), h("strong")];
    this.slider = h("input", { type: "range", min: 0, max: 1, step: 0.005, value: 0.5, "aria-label": "Where between the two", oninput: () => this.set(Number(this.slider.value)) });
    this.play = button("play", "Play", () => this.toggle(), { kind: "small" });
    this.told = h("span.num.dim.share");
    this.error = h("div.wrong", { role: "alert", hidden: true });
    this.root.replaceChildren(h("div.frame", {}, ...this.rows.map(({ row }) => row),
      h("div.way.control", {}, this.play, h("div.film", {}, this.slider), this.told),
      h("div.ends", {}, h("div.end", {}, this.ends_[0].box, this.names[0]), h("div.end", {}, this.names[1], this.ends_[1].box)), this.error));
  }

  // -- Streamlit ---------------------------------------------------------------------------------------------------

  update(component) {
    this.colours = theme(this.root);
    for (const picture of [...this.ends_, ...this.rows.map(({ big }) => big)]) picture.setTheme(this.colours);
    if (equal(component.data, this.data)) return this.paintStrips();
    this.data = component.data;
    const { meta, arrays } = given(component.data);
    this.meta = meta;
    this.model.set(meta);
    const width = arrays.ends.shape[1];
    this.ends = [0, 1].map((k) => Array.from(arrays.ends.data.subarray(k * width, (k + 1) * width)));
    this.noise = arrays.noise?.data ?? null;
    this.names.forEach((name, k) => say(name, meta.names[k]));
    this.ends_.forEach((picture, k) => {
      picture.box.hidden = !arrays.items;
      if (arrays.items) picture.show(meta.kind, arrays.items, k);
    });
    this.times = Array.from({ length: meta.frames }, (_, k) => k / Math.max(1, meta.frames - 1));
    this.strips.put(this.times);
    this.set(this.t);
  }

  destroy() {
    this.stop();
    this.sizes.disconnect();
    this.decodes.drop();
    this.strips.drop();
  }

  // The code at t: what is noise goes along the way, all else (classes, codes with a meaning) in a line.
  code(along, t) {
    const [a, b] = this.ends;
    if (!this.noise) return along(a, b, t);
    const places = a.map((_, k) => k).filter((k) => this.noise[k]);
    const path = lerp(a, b, t);
    along(places.map((k) => a[k]), places.map((k) => b[k]), t).forEach((v, at) => (path[places[at]] = v));
    return path;
  }

  // -- the slider ------------------------------------------------------------------------------------------------------

  set(t, byHand = true) {
    if (byHand) this.stop();
    this.t = t;
    this.slider.value = t;
    say(this.told, `${Math.round(100 * t)} % ${this.meta.names[1]}`);
    this.slider.setAttribute("aria-valuetext", this.told.textContent);
    this.decodes.put(t);
    this.paintStrips();
  }

  toggle() {
    if (this.playing) return this.stop();
    const label = this.play.querySelector("span");
    say(label, "Pause");
    const start = performance.now() - (Math.acos(1 - 2 * this.t) / (2 * Math.PI)) * THERE_AND_BACK;
    const step = (now) => {
      const phase = ((now - start) / THERE_AND_BACK) % 1;
      this.set(calm() ? Math.round(10 * back(phase)) / 10 : back(phase), false);
      this.playing = requestAnimationFrame(step);
    };
    this.playing = requestAnimationFrame(step);
  }

  stop() {
    cancelAnimationFrame(this.playing);
    this.playing = null;
    say(this.play.querySelector("span"), "Play");
  }

  frameAt(x) {
    const { width, n } = { width: this.strip.clientWidth, n: this.times.length };
    return this.times[Math.max(0, Math.min(n - 1, Math.floor((x / width) * n)))];
  }

  // -- pictures --------------------------------------------------------------------------------------------------------

  showAt(items, t) {
    this.error.hidden = true;
    const range = this.range;
    this.rows.forEach(({ big, length }, k) => {
      big.show(this.meta.kind, items, k, { range });
      const code = this.code(WAYS[k].along, t);
      say(length, `length ${figure(Math.hypot(...code))}`);
    });
  }

  showStrips(items) {
    this.items = items;
    this.range = this.meta.kind === "sequences" ? rangeOf(items) : null;
    this.resize();
  }

  fail(error) {
    this.error.hidden = false;
    say(this.error, error.message);
  }

  resize() {
    const width = this.strip.clientWidth;
    if (!width) return;
    const ratio = window.devicePixelRatio || 1;
    for (const { canvas } of this.rows) {
      Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round((this.tall(width) + FOOT) * ratio) });
      canvas.style.height = `${this.tall(width) + FOOT}px`;
    }
    this.paintStrips();
  }

  tall(width) {
    return Math.min(96, Math.max(36, width / (this.times?.length ?? 9)));
  }

  paintStrips() {
    const { items, colours, meta } = this;
    if (!colours) return;
    const ratio = window.devicePixelRatio || 1;
    this.rows.forEach(({ canvas }, way) => {
      const ctx = canvas.getContext("2d");
      ctx.clearRect(0, 0, canvas.width, canvas.height);
      if (items) this.times.forEach((_, k) => this.tile(ctx, canvas, items, way * this.times.length + k, k, meta, ratio));
      const pitch = canvas.width / this.times.length;
      const x = pitch / 2 + this.t * (canvas.width - pitch);
      ctx.fillStyle = colours.recon;
      ctx.beginPath();
      for (const [dx, dy] of [[0, 1], [6, FOOT], [-6, FOOT]]) ctx.lineTo(x + dx * ratio, canvas.height + (dy - FOOT) * ratio);
      ctx.fill();
    });
  }

  tile(ctx, canvas, items, i, k, meta, ratio) {
    const pitch = canvas.width / this.times.length;
    const room = canvas.height - FOOT * ratio;
    if (meta.kind !== "images") {
      const box = { x: k * pitch + 3 * ratio, y: 0, w: pitch - 6 * ratio, h: room };
      if (meta.kind === "sequences") putLine(ctx, items, i, box, this.range, this.colours.ink, 1.4 * ratio);
      return;
    }
    const { h: tall, w } = sizes(items);
    this.scratch ??= document.createElement("canvas");
    Object.assign(this.scratch, { width: w, height: tall });
    putImage(this.scratch.getContext("2d", { willReadFrequently: true }), items, i, 0, 0);
    const scale = Math.min(scaleFor(w, (pitch - 2) / ratio, ratio), scaleFor(tall, room / ratio, ratio));
    ctx.imageSmoothingEnabled = scale < 1;
    ctx.drawImage(this.scratch, Math.round(k * pitch + (pitch - w * scale) / 2), Math.round((room - tall * scale) / 2), w * scale, tall * scale);
  }
}

// 0 -> 1 -> 0, resting a little at both ends.
const back = (phase) => 0.5 - 0.5 * Math.cos(2 * Math.PI * phase);

export function lerp(a, b, t) {
  return a.map((v, k) => v + t * (b[k] - v));
}

// Along the great circle between two directions (Shoemake 1985), lengths in proportion; straight where there is no one way.
export function slerp(a, b, t) {
  const [la, lb] = [Math.hypot(...a), Math.hypot(...b)];
  const cos = la && lb ? a.reduce((sum, v, k) => sum + v * b[k], 0) / (la * lb) : 1;
  const angle = Math.acos(Math.max(-1, Math.min(1, cos)));
  if (angle < 1e-4 || Math.PI - angle < 1e-4) return lerp(a, b, t);
  const [wa, wb] = [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)];
  return a.map((v, k) => wa * v + wb * b[k]);
}
