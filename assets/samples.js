// The live wall of an image generator: samples of the same noise all through training, what D makes of each, and which
// classes they fall into; the real items behind a switch.
import { Follower, button, count, figure, h, mount, savePicture, say, show, signed } from "./dom.js";
import { hubOf } from "./hub.js";
import { Picture } from "./items.js";
import { ENCODER, PRGN_CSS, theme } from "./palette.js";
import { Shares } from "./shares.js";
import { Cover } from "./stage_states.js";
import { Tiles } from "./tiles.js";

const WALLS = [["fake", "Fakes", "What G makes of 64 codes that never change"], ["real", "Real", "As many items of the data, held out from training"]];
const TELL_EVERY = 2000; // milliseconds between new words for a screen reader

export default (component) => mount(component, (root) => new Samples(root));

export class Samples {
  constructor(root) {
    this.root = root;
    this.side = "fake";
    this.build();
    this.tiles = new Tiles(this.canvas);
    this.follower = new Follower(hubOf, { frame: (frame) => this.onFrame(frame), status: () => this.onStatus(), pick: () => this.onPick() });
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.box);
  }

  build() {
    this.canvas = h("canvas", { role: "img", tabindex: "0", "data-arrows": "", "aria-label": "Samples of the generator" });
    this.tip = h("div.tip", { hidden: true });
    this.cover = new Cover();
    this.box = h("div.wallbox.samplebox", {}, this.canvas, this.tip, this.cover.note, this.cover.element);
    this.tabs = h("div.tabs", { role: "tablist", "aria-label": "Which wall" }, ...WALLS.map(([id, label, help]) =>
      h("button.tab", {
        type: "button", role: "tab", "data-tab": id, title: help, "aria-selected": String(id === this.side), onclick: () => this.turn(id),
        onmousedown: (event) => event.preventDefault(),
      }, label)));
    this.low = h("span.num");
    this.high = h("span.num");
    this.name = h("span.dim");
    this.legend = h("div.legend", {}, this.name, this.low, h("div.bar", { style: `background:${PRGN_CSS}` }), this.high);
    const save = button("image", "Save the wall as PNG", () => this.savePng(), { kind: "ghost", words: false });
    this.shares = new Shares();
    this.look = new Picture(72, "The picked sample");
    this.title = h("strong");
    this.told = h("span.dim");
    this.bars = h("canvas.codebars", { role: "img", hidden: true });
    this.letGo = button("close", "Let go of this sample", () => this.hub.pick(null), { kind: "ghost", words: false });
    this.card = h("div.pinline", {}, this.look.box, h("div.words", { role: "status" }, this.title, this.told), this.bars, this.letGo);
    this.root.replaceChildren(h("div.frame", {}, h("div.head", {}, this.tabs, this.legend, h("div.tools", {}, save)),
      h("div.beside", {}, this.box, this.shares.element), this.card));
    for (const [name, listener] of [["pointermove", (e) => this.onHover(e)], ["pointerleave", () => this.point(null)],
      ["click", (e) => this.onClick(e)], ["keydown", (e) => this.onKey(e)], ["blur", () => this.point(null)]]) {
      this.canvas.addEventListener(name, listener);
    }
  }

  // -- Streamlit ---------------------------------------------------------------------------------------------------

  update(component) {
    const { data } = component;
    const other = this.hub?.runId !== data.run;
    const hub = this.follower.follow(component);
    if (other) this.forget();
    this.about = data;
    this.colours = theme(this.root);
    this.tiles.setTheme(this.colours);
    this.look.setTheme(this.colours);
    this.shares.expect(data.classes ?? []);
    this.tellPython = (layers) => component.setStateValue("layers", layers);
    this.ask();
    hub.offer(data.frame, data.status, data.done);
    if (hub.frame) this.onFrame(hub.frame);
    this.onPick();
    this.onStatus();
  }

  destroy() {
    this.sizes.disconnect();
    this.hub?.setLayers([], "samples");
    this.follower.leave();
  }

  get hub() {
    return this.follower.hub;
  }

  forget() {
    this.frame = null;
    this.walls = {};
    this.shares.show(null);
    this.tiles.array = null;
  }

  // The data hold still: what was real once is asked for only while it is looked at.
  ask() {
    const wanted = [this.side, "scores"];
    this.hub.setLayers(wanted, "samples");
    if (this.hub.connection === "fallback") this.tellPython(wanted);
  }

  // -- what arrives ------------------------------------------------------------------------------------------------

  onFrame(frame) {
    const { meta, arrays } = frame;
    if (!meta.rows) return; // of another kind of model
    this.frame = frame;
    for (const [id] of WALLS) if (arrays[id]) this.walls[id] = arrays[id];
    if (arrays.scores) this.scores = arrays.scores;
    this.shares.expect(meta.classes ?? []);
    this.shares.show(meta.counts ?? null);
    this.refreshLegend();
    this.load();
    this.paint();
    this.tellOthers();
  }

  load() {
    const wall = this.walls[this.side];
    if (!wall) return;
    const { rows, row_names: names } = this.frame.meta;
    const n = wall.shape[0];
    const shares = this.scores ? Array.from({ length: n }, (_, i) => this.asShare(this.scoreOf(i))) : null;
    this.tiles.load(wall, Math.ceil(n / Math.min(n, rows)), shares, this.side === "fake" ? names ?? null : null);
    const laid = `${wall.shape.join()}|${this.tiles.names?.join()}`;
    if (laid !== this.laid) this.resize();
    this.laid = laid;
  }

  // D of tile i on this side, as a person reads it.
  scoreOf(i, side = this.side) {
    const n = this.scores?.shape[1];
    return n ? this.scores.data[(side === "fake" ? 0 : n) + i] : NaN;
  }

  // Its place between the most fake and the most real: a probability is that itself, a critic's value lies in its range.
  asShare(score) {
    if (!this.frame.meta.critic) return score;
    const { data } = this.scores;
    if (this.rangeOf !== data) {
      this.rangeOf = data;
      const known = data.filter(Number.isFinite);
      this.range = [Math.min(...known), Math.max(...known)];
    }
    const [low, high] = this.range;
    return (score - low) / (high - low || 1);
  }

  refreshLegend() {
    const { critic } = this.frame.meta;
    const known = Boolean(this.scores);
    show(this.legend, known);
    if (!known) return;
    if (critic) this.asShare(0);
    say(this.name, critic ? "critic" : "D(x)");
    say(this.low, critic ? figure(this.range[0]).replace("-", "−") : "0 fake");
    say(this.high, critic ? figure(this.range[1]).replace("-", "−") : "1 real");
  }

  onStatus() {
    this.cover.refresh(this.hub);
  }

  // -- size and painting ---------------------------------------------------------------------------------------------

  resize() {
    const width = this.box.clientWidth;
    if (!width) return;
    this.tiles.fit(Math.floor(width));
    this.paint();
  }

  paint() {
    this.tiles.paint();
    this.refreshTip();
    if (this.hub.picked) this.refreshCard();
  }

  turn(id) {
    this.side = id;
    for (const tab of this.tabs.children) tab.setAttribute("aria-selected", String(tab.dataset.tab === id));
    this.point(null);
    this.ask();
    if (this.frame && this.walls[id]) this.load();
    this.onPick();
  }

  tellOthers() {
    const now = Date.now();
    if (now - (this.toldAt ?? 0) < TELL_EVERY) return;
    this.toldAt = now;
    const { counts } = this.frame.meta;
    const found = counts ? this.shares.classes.map((name, k) => `${name} ${Math.round(100 * counts.fake[k])} %`).join(", ") : "";
    this.canvas.setAttribute("aria-label", `${count(this.tiles.count ?? 0)} ${this.side === "fake" ? "samples of the generator" : "real items"}. ${found}. `
      + "The arrow keys point at one, Enter picks it.");
  }

  // -- pointing and picking ------------------------------------------------------------------------------------------

  onHover(event) {
    this.point(this.tiles.tileAt(event.offsetX, event.offsetY));
  }

  onClick(event) {
    const i = this.tiles.tileAt(event.offsetX, event.offsetY);
    if (i !== null) this.pick(i);
  }

  onKey(event) {
    const { tiles } = this;
    if (!tiles.array || event.defaultPrevented) return;
    const at = tiles.at ?? -1;
    const last = tiles.count - 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - tiles.columns, ArrowDown: at < 0 ? 0 : at + tiles.columns, Home: 0, End: last }[event.key];
    if (event.key === "Escape") {
      this.point(null);
      if (this.hub.picked) this.hub.pick(null);
    } else if ((event.key === "Enter" || event.key === " ") && tiles.at !== null) this.pick(tiles.at);
    else if (to !== undefined) this.point(Math.max(0, Math.min(last, to)));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  pick(i) {
    if (this.side === "fake") this.hub.pick(this.hub.picked?.i === i ? null : i);
  }

  point(i) {
    if (i === this.tiles.at) return;
    this.tiles.at = i;
    this.canvas.style.cursor = i !== null && this.side === "fake" ? "pointer" : "";
    this.paint();
  }

  refreshTip() {
    const i = this.tiles.at;
    show(this.tip, i !== null);
    if (i === null) return;
    const [x, y] = this.tiles.corner(i).map((v) => v / this.tiles.place.ratio);
    const tall = this.tiles.place.h / this.tiles.place.ratio;
    say(this.tip, this.words(i));
    const over = x > this.box.clientWidth / 2;
    const low = y > 0.7 * this.box.clientHeight;
    const end = x + this.tiles.place.w / this.tiles.place.ratio;
    Object.assign(this.tip.style, {
      left: over ? "auto" : `${Math.round(x)}px`, right: over ? `${Math.round(this.box.clientWidth - end)}px` : "auto",
      top: low ? "auto" : `${Math.round(y + tall + 8)}px`, bottom: low ? `${Math.round(this.box.clientHeight - y + 6)}px` : "auto",
    });
  }

  words(i) {
    const score = this.scoreOf(i);
    const { critic, labels } = this.frame.meta;
    const seen = this.side === "fake" && labels ? this.shares.classes[labels[i]] : null;
    return `${this.side === "fake" ? "Fake" : "Real item"} ${i + 1}`
      + (Number.isFinite(score) ? `\n${critic ? "critic" : "D(x)"} ${signed(score)}` : "")
      + (seen ? `\nlooks like ${seen}` : "");
  }

  onPick() {
    const { picked } = this.hub;
    this.tiles.picked = picked && this.side === "fake" ? picked.i : null;
    show(this.letGo, Boolean(picked));
    show(this.bars, Boolean(picked?.z));
    if (picked) this.refreshCard();
    else {
      this.look.blank();
      say(this.title, "Pick a sample");
      say(this.told, "Click one, or press Enter on it, to follow it: its code, what D makes of it, which class it looks like.");
    }
    if (picked?.z && picked.z !== this.drawn) this.drawBars(picked.z);
    this.tiles.paint();
  }

  refreshCard() {
    const { i, z, d } = this.hub.picked;
    if (this.walls.fake) this.look.show("images", this.walls.fake, i);
    const score = Number.isFinite(this.scoreOf(i, "fake")) ? this.scoreOf(i, "fake") : d;
    const { critic, labels } = this.frame?.meta ?? {};
    const seen = labels ? this.shares.classes[labels[i]] : null;
    say(this.title, `Fake ${i + 1}${seen ? `, looks like ${seen}` : ""}`);
    say(this.told, `${Number.isFinite(score) ? `${critic ? "Critic" : "D(x)"} ${signed(score)}` : ""}${z ? `  ·  z has ${z.length} numbers, ${signed(Math.min(...z), 1)} to ${signed(Math.max(...z), 1)}` : ""}`);
  }

  drawBars(z) {
    this.drawn = z;
    const ratio = window.devicePixelRatio || 1;
    const [wide, tall] = [Math.round(168 * ratio), Math.round(64 * ratio)];
    Object.assign(this.bars, { width: wide, height: tall });
    this.bars.setAttribute("aria-label", `The code of the sample: ${z.length} numbers`);
    const ctx = this.bars.getContext("2d");
    const most = Math.max(1, ...z.map(Math.abs));
    const pitch = wide / z.length;
    ctx.fillStyle = ENCODER;
    z.forEach((v, k) => {
      const high = (Math.abs(v) / most) * (tall / 2 - ratio);
      ctx.fillRect(k * pitch, v > 0 ? tall / 2 - high : tall / 2, Math.max(1, pitch - (pitch > 3 ? ratio : 0)), Math.max(1, high));
    });
  }

  // -- PNG ---------------------------------------------------------------------------------------------------------------

  savePng() {
    const { frame, colours, tiles } = this;
    if (!frame || !tiles.array) return;
    tiles.at = null;
    this.paint();
    const caption = `${this.about.title}  ·  step ${count(frame.meta.past ?? frame.meta.step)}  ·  seed ${frame.meta.seed}`;
    savePicture(tiles.picture(caption, colours.paper, colours.ink, colours.font), `${this.hub.runId}-${frame.meta.past ?? frame.meta.step}-${this.side}.png`);
  }
}
