// The stage: one layered picture of a run, its layer chips, its tools, and what it says when there is nothing to show.
import { Follower, button, count, figure, h, mount, savePicture, say, show, signed, toggleClass } from "./dom.js";
import { hubOf } from "./hub.js";
import { Painter } from "./painter.js";
import { outside, surfaceAt } from "./layers.js";
import { PRGN_CSS, theme } from "./palette.js";
import { View, gestures } from "./view.js";
import { GAME_LAYERS, LAYERS, helpPanel } from "./stage_help.js";
import { Cover } from "./stage_states.js";
import { SlowMotion } from "./slowmo.js";

const KEEP = "playground.layers";
const OFFERED = ["density", "optimal", "manifold", "arrows", "surface"]; // layers that not every model and data set has

export default (component) => mount(component, (root) => new Stage(root));

export class Stage {
  constructor(root) {
    this.root = root;
    this.view = new View();
    this.build();
    this.painter = new Painter(this.canvas, this.view);
    this.follower = new Follower(hubOf, {
      frame: (frame) => this.onFrame(frame),
      status: () => this.onStatus(),
      slow: (slow) => this.onSlow(slow),
      pick: (picked) => this.onPick(picked),
    });
    this.slowmo = new SlowMotion(this);
    gestures(this.canvas, this.view, () => this.repaint());
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.box);
    this.repaintSoon = () => {
      this.pending = false;
      this.painter.paint();
    };
  }

  build() {
    this.canvas = h("canvas", { role: "img", "aria-label": "The stage: real points and the generator's fakes in the plane" });
    this.bar = h("div.bar", { style: `background:${PRGN_CSS}` });
    this.barLow = h("span.num", { text: "0" });
    this.barHigh = h("span.num", { text: "1" });
    this.barName = h("span.dim", { text: "D(x)" });
    this.legend = h("div.legend", {}, this.barName, this.barLow, this.bar, this.barHigh);
    this.help = helpPanel();
    const tools = h("div.tools", {},
      button("minus", "Zoom out", () => this.zoom(1 / 1.4), { kind: "ghost", words: false }),
      button("plus", "Zoom in", () => this.zoom(1.4), { kind: "ghost", words: false }),
      button("fit", "Reset the view (double click)", () => this.resetView(), { kind: "ghost", words: false }),
      button("image", "Save the stage as PNG", () => this.savePng(), { kind: "ghost", words: false }),
    );
    this.ask = button("help", "Layers explained", () => this.help.toggle(this.ask), { kind: "ghost" });
    this.tip = h("div.tip", { hidden: true });
    this.where = h("div.where.num.dim", { "aria-hidden": "true" });
    this.outside = h("div.where.outside.num.dim");
    this.card = h("div.card", { hidden: true });
    this.cover = new Cover();
    this.box = h("div.box", {}, this.canvas, this.where, this.outside, this.tip, this.card, this.cover.note, this.cover.element, this.help.panel);
    this.chips = h("div.chips", { role: "group", "aria-label": "Layers" });
    this.root.replaceChildren(h("div.frame", {}, h("div.head", {}, this.ask, this.legend, tools), this.box, this.chips));
    this.canvas.addEventListener("pointermove", (event) => this.onHover(event));
    this.canvas.addEventListener("pointerleave", () => this.hideTip());
    this.canvas.addEventListener("click", (event) => this.onClick(event));
  }

  // -- Streamlit ---------------------------------------------------------------------------------------------------

  update(component) {
    const { data } = component;
    const hub = this.follower.follow(component);
    this.title = data.title || data.run;
    this.painter.setTheme(theme(this.root));
    this.tellLayers = (layers) => component.setStateValue("layers", layers);
    if (!this.layers) this.setLayers(remembered() ?? new Set(data.layers ?? ["real", "fake", "surface"]));
    else hub.setLayers(this.wanted());
    hub.offer(data.frame, data.status, data.done);
    if (hub.frame && hub.frame !== this.painter.frame) this.onFrame(hub.frame);
    this.onStatus();
    this.repaint();
  }

  destroy() {
    this.slowmo.close();
    this.sizes.disconnect();
    this.follower.leave();
  }

  get hub() {
    return this.follower.hub;
  }

  // -- what arrives ------------------------------------------------------------------------------------------------

  onFrame(frame) {
    const first = !this.painter.frame;
    this.painter.load(frame);
    this.painter.paint();
    this.refreshLegend(frame);
    if (first || Boolean(frame.arrays.path) !== this.game) this.makeChips(frame);
    this.offerChips(frame);
    if (this.hub.picked) this.refreshCard();
    const out = frame.arrays.fake && this.layers.has("fake") && !this.game ? outside(frame.arrays.fake.data) : 0;
    say(this.outside, out ? `${count(out)} ${out === 1 ? "fake lies" : "fakes lie"} outside` : "");
  }

  onStatus() {
    this.cover.refresh(this.hub);
  }

  onSlow(slow) {
    this.hideTip();
    this.slowmo.show(slow);
    this.repaint();
  }

  onPick(picked) {
    this.painter.setPicked(picked ? picked.i : null);
    show(this.card, Boolean(picked));
    if (picked) this.refreshCard();
    this.repaint();
  }

  // -- painting outside of frames -----------------------------------------------------------------------------------

  repaint() {
    this.painter.touch();
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(this.repaintSoon);
  }

  resize() {
    const size = this.box.clientWidth;
    if (!size) return;
    this.painter.resize(size, Math.min(2, window.devicePixelRatio || 1));
    this.painter.paint();
  }

  zoom(factor) {
    this.view.zoom(factor);
    this.repaint();
  }

  resetView() {
    this.view.reset();
    const frame = this.painter.frame;
    if (frame?.arrays.path) this.painter.holdPath(frame.meta);
    this.repaint();
  }

  refreshLegend({ meta, arrays }) {
    show(this.legend, this.painter.hasSurface && !arrays.path);
    const optimal = this.layers.has("optimal") && arrays.optimal;
    const critic = meta.critic && !optimal;
    say(this.barName, optimal ? "p/(p+q)" : meta.critic ? "critic" : "D(x)");
    say(this.barLow, critic ? figure(meta.range[0]).replace("-", "−") : "0 fake");
    say(this.barHigh, critic ? figure(meta.range[1]).replace("-", "−") : "1 real");
  }

  // -- layers --------------------------------------------------------------------------------------------------------

  setLayers(layers) {
    this.layers = layers;
    this.framesSince = 0;
    this.painter.setLayers(layers);
    if (this.painter.frame) {
      this.painter.loadSurface();
      this.refreshLegend(this.painter.frame);
    }
    this.hub.setLayers(this.wanted());
    if (this.hub.connection === "fallback") this.tellLayers(this.wanted());
    for (const chip of this.chips.children) chip.setAttribute("aria-pressed", layers.has(chip.dataset.layer));
    this.repaint();
  }

  // A frame carries only what is looked at; picking and arrows need the fakes.
  wanted() {
    const wanted = new Set(this.layers);
    if (["arrows", "trails"].some((layer) => wanted.has(layer)) || this.painter.picked !== null) wanted.add("fake");
    return [...wanted];
  }

  makeChips(frame) {
    this.game = Boolean(frame.arrays.path);
    const known = this.game ? GAME_LAYERS : LAYERS;
    if (this.game && !GAME_LAYERS.some(({ id }) => this.layers.has(id))) {
      this.setLayers(new Set([...this.layers, ...GAME_LAYERS.map(({ id }) => id)]));
    }
    this.chips.replaceChildren(...known.map(({ id, label, swatch, help }) =>
      h("button.chip", {
        type: "button", "data-layer": id, "aria-pressed": String(this.layers.has(id)), title: help,
        onclick: () => this.toggle(id), onmousedown: (event) => event.preventDefault(),
      }, swatch(), h("span", { text: label }))));
  }

  toggle(id) {
    const layers = new Set(this.layers);
    if (!layers.delete(id)) layers.add(id);
    if (id === "surface" && layers.has(id)) layers.delete("optimal"); // they share one picture
    if (id === "optimal" && layers.has(id)) layers.delete("surface");
    sessionStorage.setItem(KEEP, JSON.stringify([...layers]));
    this.setLayers(layers);
  }

  // A layer that was asked for and did not come cannot be had for this data.
  offerChips({ meta, arrays }) {
    this.framesSince += 1;
    const answered = this.framesSince > (meta.state === "running" ? 2 : 0); // frames asked for earlier may still come
    for (const chip of this.chips.children) {
      const id = chip.dataset.layer;
      const missing = answered && OFFERED.includes(id) && this.layers.has(id) && !arrays[id];
      if (chip.disabled !== Boolean(missing)) {
        chip.disabled = Boolean(missing);
        chip.title = missing ? "Not known for this data set" : [...LAYERS, ...GAME_LAYERS].find((l) => l.id === id).help;
      }
    }
  }

  // -- pointing --------------------------------------------------------------------------------------------------------

  // The nearest drawn point within 12 pixels: {kind, i, x, y}.
  nearest(px, py) {
    const { frame, unit } = this.painter;
    if (!frame) return null;
    const [x, y] = this.view.toData(px, py);
    let best = (12 * this.view.ratio / this.view.scale) ** 2;
    let found = null;
    for (const kind of ["fake", "real"]) {
      const data = this.layers.has(kind) ? frame.arrays[kind]?.data : null;
      if (!data) continue;
      for (let k = 0; k < data.length; k += 2) {
        const d = (data[k] * unit - x) ** 2 + (data[k + 1] * unit - y) ** 2;
        if (d < best) {
          best = d;
          found = { kind, i: k / 2, x: data[k] * unit, y: data[k + 1] * unit };
        }
      }
    }
    return found;
  }

  score(x, y) {
    const { arrays, meta } = this.painter.frame;
    return arrays.surface ? surfaceAt(arrays.surface, meta.extent, meta.critic ? meta.range : [0, 1], x, y) : null;
  }

  onHover(event) {
    if (!this.painter.frame || event.buttons || this.hub.slow) return this.hideTip();
    const px = event.offsetX;
    const py = event.offsetY;
    if (!this.view.inside(px, py)) return this.hideTip();
    const game = this.game;
    const point = game ? null : this.nearest(px, py);
    const [x, y] = point ? [point.x, point.y] : this.view.toData(px, py);
    const names = game ? ["θ", "ψ"] : ["x₁", "x₂"];
    const d = game ? null : this.score(x, y);
    const text = `${names[0]} ${signed(x)}   ${names[1]} ${signed(y)}${d === null ? "" : `   ${this.scoreName()} ≈ ${signed(d)}`}`;
    this.canvas.style.cursor = point ? "pointer" : "crosshair";
    say(this.where, point ? "" : text);
    show(this.tip, Boolean(point));
    if (!point) return;
    say(this.tip, `${point.kind === "fake" ? "Fake, click to follow it" : "Real point"}\n${text}`);
    toggleClass(this.tip, "left", px > this.view.size * 0.55);
    this.tip.style.transform = `translate(${Math.round(px)}px, ${Math.round(py)}px)`;
  }

  scoreName() {
    return this.painter.frame.meta.critic ? "critic" : "D(x)";
  }

  hideTip() {
    show(this.tip, false);
    say(this.where, "");
  }

  onClick(event) {
    if (this.canvas.dataset.dragged || this.game || this.hub.slow || !this.painter.frame) return;
    const point = this.nearest(event.offsetX, event.offsetY);
    if (point?.kind === "fake") this.hub.pick(point.i);
    else if (this.hub.picked) this.hub.pick(null);
  }

  refreshCard() {
    const { i, z, d } = this.hub.picked;
    const { frame, unit } = this.painter;
    const data = frame?.arrays.fake?.data;
    const [x, y] = data && 2 * i + 1 < data.length ? [data[2 * i] * unit, data[2 * i + 1] * unit] : [NaN, NaN];
    const seen = Number.isFinite(x) ? this.score(x, y) : null;
    if (!this.card.childNodes.length) {
      this.cardTitle = h("strong");
      this.cardText = h("div.num.pre");
      this.card.append(
        h("div.row", {}, this.cardTitle, button("close", "Let go of this fake", () => this.hub.pick(null), { kind: "ghost", words: false })),
        this.cardText);
    }
    say(this.cardTitle, `Fake ${count(i + 1)}`);
    const code = z ? z.slice(0, 4).map((v) => signed(v)).join(", ") + (z.length > 4 ? `, … (${z.length})` : "") : "…";
    const now = seen ?? d;
    say(this.cardText, `z  ${code}\nG(z)  ${signed(x)}, ${signed(y)}` +
      (now === undefined || now === null ? "" : `\n${this.scoreName()}  ${seen === null ? "" : "≈ "}${signed(now)}`));
  }

  // -- PNG ---------------------------------------------------------------------------------------------------------------

  savePng() {
    const { frame, colours, view } = this.painter;
    if (!frame) return;
    const strip = Math.round(28 * view.ratio);
    const out = document.createElement("canvas");
    out.width = this.canvas.width;
    out.height = this.canvas.height + strip;
    const ctx = out.getContext("2d");
    ctx.fillStyle = colours.paper;
    ctx.fillRect(0, 0, out.width, out.height);
    ctx.fillStyle = colours.ink;
    ctx.font = `${13 * view.ratio}px ${colours.font}`;
    ctx.textBaseline = "middle";
    ctx.fillText(`${this.title}  ·  step ${count(frame.meta.past ?? frame.meta.step)}  ·  seed ${frame.meta.seed}`, view.left, strip / 2);
    this.painter.paint();
    ctx.drawImage(this.canvas, 0, strip);
    savePicture(out, `${this.hub.runId}-${frame.meta.past ?? frame.meta.step}.png`);
  }
}

function remembered() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEEP));
    return Array.isArray(stored) ? new Set(stored) : null;
  } catch {
    return null; // a foreign value under our name: start from the defaults
  }
}

