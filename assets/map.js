// The live map: held-out codings in the plane, moving as the model learns. A click decodes the place that it hits.
import { Chart, bounds, legend } from "./chart.js";
import { Follower, button, h, mount, say, show, signed, toggleClass } from "./dom.js";
import { hubOf } from "./hub.js";
import { Picture, fromLists, onlyItem } from "./items.js";
import { Newest } from "./model.js";
import { theme } from "./palette.js";
import { gestures } from "./view.js";

const AGAIN = 400; // milliseconds between decodes of the pinned place while the model moves
const AIR = 1.2; // how much further than the outermost point the picture reaches
const NAMES = { raw: ["z₁", "z₂"], pca: ["p₁", "p₂"] };

export default (component) => mount(component, (root) => new LatentMap(root));

export class LatentMap {
  constructor(root) {
    this.root = root;
    this.build();
    this.chart = new Chart(this.canvas, NAMES.raw);
    this.chart.over = (ctx, view) => this.paintPin(ctx, view);
    this.follower = new Follower(hubOf, { frame: (frame) => this.onFrame(frame), status: () => this.onStatus() });
    gestures(this.canvas, this.chart.view, () => this.chart.repaint());
    this.sizes = new ResizeObserver(() => this.chart.resize(this.box.clientWidth));
    this.sizes.observe(this.box);
    this.picks = new Newest((i) => this.hub.ask("pick", { i }), (ack, i) => this.showPick(ack.data, i), () => this.hideTip());
    this.decodes = new Newest((at) => this.hub.ask("decode", { at }), (ack, at) => this.showDecode(ack.data, at), (error) => this.failDecode(error));
  }

  build() {
    this.canvas = h("canvas", {
      role: "application", tabindex: "0", "data-arrows": "",
      "aria-label": "Map of codings. Arrow keys move a cursor, Enter decodes the place under it, Escape lets go of it.",
    });
    this.tipText = h("div.num");
    this.seen = new Picture(56, "The item under the pointer");
    this.made = new Picture(56, "Its reconstruction");
    this.tip = h("div.tip.maptip", { hidden: true }, this.tipText, h("div.tippics", {}, this.seen.box, this.made.box));
    this.note = h("div.note", { hidden: true, role: "status" });
    this.box = h("div.box", {}, this.canvas, this.tip, this.note);
    this.told = h("span.dim.mapline", { text: "Codings of held-out items" });
    this.classes = h("div.chips.classes", { role: "group", "aria-label": "Classes" });
    this.pinned = new Picture(72, "The decoded place");
    this.pinTitle = h("strong", { text: "Click the map to decode a place" });
    this.pinText = h("div.num.dim", { text: "Point at a dot to see its item and what becomes of it." });
    this.letGo = button("close", "Let go of the place", () => this.pin(null), { kind: "ghost", words: false });
    this.letGo.style.visibility = "hidden";
    const tools = h("div.tools", {},
      button("minus", "Zoom out", () => this.zoom(1 / 1.4), { kind: "ghost", words: false }),
      button("plus", "Zoom in", () => this.zoom(1.4), { kind: "ghost", words: false }),
      button("fit", "Reset the view (double click)", () => this.resetView(), { kind: "ghost", words: false }));
    this.root.replaceChildren(h("div.frame", {},
      h("div.head", {}, this.told, tools), this.box, this.classes,
      h("div.pinline", { "aria-live": "polite" }, this.pinned.box, h("div.words", {}, this.pinTitle, this.pinText), this.letGo)));
    this.canvas.addEventListener("pointermove", (event) => this.onHover(event));
    this.canvas.addEventListener("pointerleave", () => this.hideTip());
    this.canvas.addEventListener("click", (event) => this.onClick(event));
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  // -- Streamlit ---------------------------------------------------------------------------------------------------

  update(component) {
    const hub = this.follower.follow(component);
    if (this.run !== component.data.run) {
      this.pin(null);
      this.chart.view.home = null;
      this.chart.view.reset();
    }
    this.run = component.data.run;
    const colours = theme(this.root);
    this.chart.setTheme(colours);
    for (const picture of [this.seen, this.made, this.pinned]) picture.setTheme(colours);
    hub.setLayers(["codes", "classes"], "map");
    if (hub.frame) this.onFrame(hub.frame);
    this.onStatus();
    this.chart.repaint();
  }

  destroy() {
    this.sizes.disconnect();
    this.hub?.setLayers([], "map");
    this.follower.leave();
  }

  get hub() {
    return this.follower.hub;
  }

  // -- what arrives ------------------------------------------------------------------------------------------------

  onFrame({ meta, arrays }) {
    if (!arrays.codes || !meta.map) return;
    const { chart } = this;
    this.meta = meta;
    chart.points = arrays.codes.data;
    chart.unit = meta.map_extent / 32767;
    chart.classes = arrays.classes?.data ?? null;
    chart.labels = (meta.classes ?? []).length <= 12 ? meta.classes ?? [] : [];
    chart.names = NAMES[meta.map.projection] ?? NAMES.pca;
    this.follow();
    legend(this.classes, chart, meta.classes ?? [], chart.classes, () => chart.repaint());
    say(this.told, projectionLine(meta.map));
    chart.paint();
    if (this.at && performance.now() - (this.decodedAt ?? 0) > AGAIN) this.decode();
  }

  // Rest on all points, in steps: a picture that followed each of them would never stand still.
  follow() {
    const { view, points, unit } = this.chart;
    const [x0, x1, y0, y1] = bounds(points).map((v) => v * unit);
    const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
    const reach = Math.max(x1 - x0, y1 - y0, 1e-6) / 2;
    const { home, extent } = view;
    const outside = !home || Math.max(Math.abs(cx - home[0]), Math.abs(cy - home[1])) + reach > extent;
    if (!outside && reach > 0.6 * extent) return;
    view.setHome([cx, cy]);
    view.setExtent(reach * AIR);
  }

  onStatus() {
    // the wall beside it invites to play and tells of failures
    const lost = this.hub.connection === "lost";
    show(this.note, lost);
    if (lost) say(this.note, "Connection lost, retrying …");
  }

  // -- pointing --------------------------------------------------------------------------------------------------------

  onHover(event) {
    if (event.buttons) return this.hideTip();
    const { chart } = this;
    const i = chart.view.inside(event.offsetX, event.offsetY) ? chart.nearest(event.offsetX, event.offsetY) : null;
    if (i === chart.lit) return this.placeTip(event);
    chart.lit = i;
    chart.repaint();
    if (i === null) return this.hideTip();
    this.picks.put(i);
    this.placeTip(event);
  }

  placeTip(event) {
    toggleClass(this.tip, "left", event.offsetX > this.chart.view.size * 0.5);
    toggleClass(this.tip, "above", event.offsetY > this.chart.view.size * 0.6);
    this.tip.style.transform = `translate(${Math.round(event.offsetX)}px, ${Math.round(event.offsetY)}px)`;
  }

  showPick(data, i) {
    if (this.chart.lit !== i || !data) return;
    const { kind } = this.meta;
    say(this.tipText, `${data.class ?? `Item ${data.i + 1}`}  ${codeText(data.code)}`);
    this.seen.show(kind, onlyItem(fromLists(data.x)));
    if (data.recon) this.made.show(kind, onlyItem(fromLists(data.recon)));
    show(this.tip, true);
  }

  hideTip() {
    this.picks.drop();
    show(this.tip, false);
    if (this.chart.lit === null) return;
    this.chart.lit = null;
    this.chart.repaint();
  }

  onClick(event) {
    const { view } = this.chart;
    if (this.canvas.dataset.dragged || !this.meta || !view.inside(event.offsetX, event.offsetY)) return;
    this.pin(view.toData(event.offsetX, event.offsetY));
  }

  onKey(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const { view } = this.chart;
    if (event.defaultPrevented) return;
    if (by) this.cursor = (this.cursor ?? this.at ?? [view.cx, view.cy]).map((v, k) => v + by[k] * view.half * 0.05);
    else if (event.key === "Enter" && this.cursor) this.pin(this.cursor);
    else if (event.key === "Escape") this.pin(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.chart.repaint();
  }

  zoom(factor) {
    this.chart.view.zoom(factor);
    this.chart.repaint();
  }

  resetView() {
    this.chart.view.reset();
    this.chart.repaint();
  }

  // -- the pinned place ------------------------------------------------------------------------------------------------

  pin(at) {
    this.at = at;
    this.cursor = null;
    this.letGo.style.visibility = at ? "" : "hidden";
    this.chart.repaint();
    if (at) {
      say(this.pinTitle, `Decoded at ${at.map((v) => signed(v)).join(", ")}`);
      say(this.pinText, "…");
      return this.decode();
    }
    this.decodes.drop();
    this.pinned.blank();
    say(this.pinTitle, "Click the map to decode a place");
    say(this.pinText, "Point at a dot to see its item and what becomes of it.");
  }

  decode() {
    this.decodedAt = performance.now();
    this.decodes.put(this.at);
  }

  showDecode(data, at) {
    if (!this.at || !data?.x) return;
    this.pinned.show(this.meta.kind, onlyItem(fromLists(data.x)));
    say(this.pinTitle, `Decoded at ${at.map((v) => signed(v)).join(", ")}`);
    say(this.pinText, `code ${codeText(data.code, 6)}`);
  }

  failDecode(error) {
    if (!this.at) return;
    say(this.pinTitle, "Not decoded");
    say(this.pinText, error.message);
  }

  paintPin() {
    if (this.cursor) this.chart.cross(...this.cursor);
    if (this.at) this.chart.cross(...this.at);
  }
}

export function projectionLine({ dim, projection, explained }) {
  if (projection === "raw") return dim === 1 ? "The one number of the code" : "The code itself: its two numbers";
  const share = explained === null || explained === undefined ? "" : `, ${Math.round(100 * explained)} % of their variance`;
  return `PCA of ${dim} codings${share}`;
}

export function codeText(code, most = 3) {
  if (!code) return "";
  const told = code.slice(0, most).map((v) => signed(v)).join("  ");
  return code.length > most ? `${told}  … (${code.length})` : told;
}
