// The live wall of a coding model: what went in, what came out, what differs, and what the network looks like inside.
import { Cloud } from "./cloud.js";
import { Follower, button, count, h, mount, say, show } from "./dom.js";
import { Grid, ROWS } from "./grid.js";
import { hubOf } from "./hub.js";
import { Picture, rangeOf, residualOf } from "./items.js";
import { signedCss, theme } from "./palette.js";
import { Activations, Filters, Samples } from "./panels.js";
import { Cover } from "./stage_states.js";

const KEEP = "playground.rows";
const TABS = [["rows", "Reconstructions"], ["filters", "Filters"], ["acts", "Activations"], ["samples", "Samples from the prior"]];
const GRACE = 1200; // milliseconds that what was newly asked for may take to come
const TELL_EVERY = 2000; // milliseconds between new words for a screen reader
const CLOUD_ROWS = { inputs: "Points", recon: "Reconstructions", pca: "PCA", residual: "Differences" };

export default (component) => mount(component, (root) => new Wall(root));

export class Wall {
  constructor(root) {
    this.root = root;
    this.tab = "rows";
    this.rows = this.usual = remembered();
    this.ofCloud = new Set(["inputs", "recon", "residual"]);
    this.build();
    this.grid = new Grid(this.canvas);
    this.grid.shown = this.rows;
    this.cloud = new Cloud(this.cloudCanvas);
    this.panels = { filters: new Filters(this.panel), acts: new Activations(this.panel), samples: new Samples(this.panel) };
    this.follower = new Follower(hubOf, { frame: (frame) => this.onFrame(frame), status: () => this.onStatus() });
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.box);
  }

  build() {
    this.canvas = h("canvas", { role: "img", tabindex: "0", "data-arrows": "", "aria-label": "Held-out items and their reconstructions" });
    this.cloudCanvas = h("canvas", {
      role: "img", tabindex: "0", "data-arrows": "", hidden: true, "aria-label": "Points in space and their reconstructions; the arrow keys turn the picture",
    });
    this.panel = h("canvas", { role: "img", hidden: true });
    this.empty = h("div.word.dim", { hidden: true });
    this.tip = h("div.walltip", { hidden: true });
    this.pictures = ["inputs", "recon", "residual"].map((id) => {
      const picture = new Picture(84, ROWS.find((row) => row.id === id).label);
      return { id, picture, element: h("figure", {}, picture.box, h("figcaption.dim", { text: ROWS.find((row) => row.id === id).label })) };
    });
    this.tipText = h("strong.num");
    this.tip.append(this.tipText, h("div.tippics", {}, ...this.pictures.map(({ element }) => element)));
    this.cover = new Cover();
    this.box = h("div.wallbox", {}, this.canvas, this.cloudCanvas, this.panel, this.empty, this.tip, this.cover.note, this.cover.element);
    this.tabs = h("div.tabs", { role: "tablist", "aria-label": "What to look at" }, ...TABS.map(([id, label]) =>
      h("button.tab", {
        type: "button", role: "tab", "data-tab": id, "aria-selected": String(id === this.tab), tabindex: id === this.tab ? 0 : -1, "data-arrows": "",
        onclick: () => this.open(id), onmousedown: (event) => event.preventDefault(), onkeydown: (event) => this.onTabKey(event),
      }, label)));
    this.legend = h("div.legend", {}, h("span.dim", { text: "too low" }), h("div.bar.signed"), h("span.dim", { text: "too high" }));
    this.pager = h("div.tools", { hidden: true },
      button("back", "Earlier items", () => this.page(-1), { kind: "ghost", words: false }),
      button("next", "Later items", () => this.page(1), { kind: "ghost", words: false }));
    this.chips = h("div.chips", { role: "group", "aria-label": "Rows" });
    this.root.replaceChildren(h("div.frame", {}, h("div.head", {}, this.tabs), this.box, h("div.under", {}, this.chips, this.legend, this.pager)));
    for (const [name, listener] of [["pointermove", (e) => this.onHover(e)], ["pointerdown", (e) => this.onHover(e)],
      ["pointerleave", () => this.point(null)], ["keydown", (e) => this.onKey(e)], ["blur", () => this.point(null)]]) {
      this.canvas.addEventListener(name, listener);
    }
    this.makeChips(ROWS.map(({ id, label, help }) => [id, label, help]));
  }

  // -- Streamlit ---------------------------------------------------------------------------------------------------

  update(component) {
    const hub = this.follower.follow(component);
    const colours = theme(this.root);
    this.colours = colours;
    for (const part of [this.grid, this.cloud, ...Object.values(this.panels)]) part.setTheme(colours);
    for (const { picture } of this.pictures) picture.setTheme(colours);
    this.legend.querySelector(".bar").style.background = signedCss(colours.dark);
    if (hub.wallTab && hub.wallTab !== this.tab) this.open(hub.wallTab); // a page without a stream may mount it anew
    this.tellPython = (layers) => component.setStateValue("layers", layers);
    this.ask();
    hub.offer(component.data.frame, component.data.status, component.data.done);
    if (hub.frame) this.onFrame(hub.frame);
    else this.paint();
    this.onStatus();
  }

  destroy() {
    this.sizes.disconnect();
    clearTimeout(this.asking);
    this.hub?.setLayers([], "wall");
    this.follower.leave();
  }

  get hub() {
    return this.follower.hub;
  }

  // A frame carries only what is looked at; a tip and an overlay need what lies behind them.
  ask() {
    this.askedAt = performance.now();
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.frame && this.onFrame(this.frame), GRACE + 50);
    const rows = [...new Set([...this.rows, "inputs", "recon"])];
    this.hub.setLayers(this.tab === "rows" ? rows : this.panels[this.tab].layers, "wall");
  }

  get answered() {
    return performance.now() - this.askedAt > GRACE;
  }

  // -- what arrives ------------------------------------------------------------------------------------------------

  onFrame(frame) {
    if (!frame.meta.kind) return; // of another kind of model
    this.frame = frame;
    const { arrays, meta } = frame;
    const cloud = meta.kind === "cloud";
    if (cloud !== this.isCloud) this.become(cloud);
    this.isCloud = cloud;
    show(this.legend, meta.kind === "images");
    if (arrays.inputs || arrays.recon) {
      const before = this.grid.arrays?.inputs?.shape.join();
      if (cloud) this.cloud.load(arrays);
      else this.grid.load(arrays, meta);
      if (before !== this.grid.arrays?.inputs?.shape.join() || !this.reserved) this.resize();
    }
    this.offerChips(arrays);
    this.paint();
    this.tellOthers();
    if (this.hub.connection === "fallback" && this.told !== this.hub.layers.join()) {
      this.told = this.hub.layers.join();
      this.tellPython(this.hub.layers);
    }
  }

  become(cloud) {
    this.rows = this.grid.shown = this.cloud.shown = cloud ? this.ofCloud : this.usual;
    show(this.canvas, !cloud && this.tab === "rows");
    show(this.cloudCanvas, cloud && this.tab === "rows");
    this.reserved = null;
    this.ask();
    this.makeChips(cloud ? Object.entries(CLOUD_ROWS).map(([id, label]) => [id, label, ""]) : ROWS.map(({ id, label, help }) => [id, label, help]));
  }

  onStatus() {
    this.cover.refresh(this.hub);
  }

  // -- size and painting ---------------------------------------------------------------------------------------------

  resize() {
    const width = this.box.clientWidth;
    if (!width) return;
    const room = this.room?.() ?? Math.max(220, Math.min(520, window.innerHeight - 420));
    const height = this.grid.fit(width, room, Boolean(this.tight)); // tight: in a small picture, of the rows that there are
    this.reserved = Math.round(height);
    this.box.style.height = `${this.reserved}px`;
    this.cloud.fit(width, this.reserved);
    for (const panel of Object.values(this.panels)) panel.fit(width, this.reserved);
    show(this.pager, this.grid.place.columns < this.grid.count && !this.isCloud);
    this.paint();
  }

  paint() {
    if (!this.reserved) return;
    if (!this.frame) return this.grid.paint();
    if (this.tab === "rows") {
      if (this.isCloud) this.cloud.paint();
      else this.grid.paint();
      if (this.grid.at !== null) this.refreshTip();
      return;
    }
    const panel = this.panels[this.tab];
    const here = Boolean(this.frame.arrays[panel.layers[0]]);
    const waits = !here && !this.answered;
    show(this.empty, !here && !waits);
    if (!here) return waits ? null : say(this.empty, panel.missing);
    panel.paint(this.frame);
  }

  page(by) {
    this.grid.from = Math.max(0, Math.min(this.grid.count - this.grid.place.columns, this.grid.from + by * this.grid.place.columns));
    this.point(null);
  }

  // What the picture says, in words, now and then.
  tellOthers() {
    const now = Date.now();
    const words = this.tab !== "rows" || this.isCloud ? null : this.grid;
    if (!words || now - (this.toldAt ?? 0) < TELL_EVERY) return;
    this.toldAt = now;
    const items = Array.from({ length: words.count }, (_, i) => words.tell(i));
    this.canvas.setAttribute("aria-label", `${count(words.count)} held-out items and their reconstructions. ${items.join("; ")}`);
  }

  // -- tabs and rows ---------------------------------------------------------------------------------------------------

  open(id) {
    this.tab = this.hub.wallTab = id;
    for (const tab of this.tabs.children) {
      tab.setAttribute("aria-selected", String(tab.dataset.tab === id));
      tab.tabIndex = tab.dataset.tab === id ? 0 : -1;
    }
    const rows = id === "rows";
    show(this.canvas, rows && !this.isCloud);
    show(this.cloudCanvas, rows && Boolean(this.isCloud));
    show(this.panel, !rows);
    show(this.empty, false);
    for (const part of [this.chips, this.legend]) part.classList.toggle("away", !rows);
    this.panel.getContext("2d").clearRect(0, 0, this.panel.width, this.panel.height);
    this.panel.setAttribute("aria-label", TABS.find(([tab]) => tab === id)[1]);
    this.point(null);
    this.ask();
  }

  onTabKey(event) {
    const at = TABS.findIndex(([id]) => id === this.tab);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (to + TABS.length) % TABS.length;
    this.open(TABS[next][0]);
    this.tabs.children[next].focus();
  }

  makeChips(rows) {
    this.chips.replaceChildren(...rows.map(([id, label, help]) => h("button.chip", {
      type: "button", "data-row": id, "data-help": help, title: help, "aria-pressed": String(this.rows.has(id)),
      onclick: () => this.toggle(id), onmousedown: (event) => event.preventDefault(),
    }, h("span", { text: label }))));
  }

  toggle(id) {
    if (!this.rows.delete(id)) this.rows.add(id);
    if (!this.isCloud) sessionStorage.setItem(KEEP, JSON.stringify([...this.rows]));
    for (const chip of this.chips.children) chip.setAttribute("aria-pressed", String(this.rows.has(chip.dataset.row)));
    this.ask();
    this.paint();
  }

  offerChips(arrays) {
    if (this.tab !== "rows" || !this.answered) return;
    for (const chip of this.chips.children) {
      const id = chip.dataset.row;
      const missing = this.rows.has(id) && !arrays[id] && !(this.isCloud && id === "residual");
      if (chip.disabled === missing) continue;
      chip.disabled = missing;
      chip.title = missing ? (id === "corrupted" ? "No corruption acts" : "Not known for this model") : chip.dataset.help;
    }
  }

  // -- pointing --------------------------------------------------------------------------------------------------------

  onHover(event) {
    if (this.grid.place && this.grid.arrays) this.point(this.grid.columnAt(event.offsetX));
  }

  onKey(event) {
    const { grid } = this;
    const to = { ArrowLeft: (grid.at ?? 1) - 1, ArrowRight: (grid.at ?? -1) + 1, Home: 0, End: grid.count - 1 }[event.key];
    if (event.key === "Escape") this.point(null);
    if (to === undefined || event.defaultPrevented || !grid.place) return;
    event.preventDefault();
    event.stopPropagation();
    const i = Math.max(0, Math.min(grid.count - 1, to));
    if (i < grid.from || i >= grid.from + grid.place.columns) grid.from = Math.max(0, Math.min(grid.count - grid.place.columns, i));
    this.point(i);
  }

  point(i) {
    this.grid.at = i;
    show(this.tip, i !== null && this.tab === "rows");
    this.paint();
  }

  refreshTip() {
    const { grid, tip } = this;
    const i = grid.at;
    const { arrays } = grid;
    const { kind } = this.frame.meta;
    const range = kind === "sequences" ? rangeOf(arrays.inputs, arrays.recon) : null;
    say(this.tipText, grid.tell(i));
    for (const { id, picture, element } of this.pictures) {
      const array = arrays[id] ?? (id === "residual" && arrays.inputs && arrays.recon ? residualOf(arrays.inputs, arrays.recon, kind) : null);
      show(element, Boolean(array));
      if (array) picture.show(kind, array, i, { signed: id === "residual", range: id === "residual" ? null : range, under: id === "recon" ? arrays.inputs : null });
    }
    const left = grid.centre(i);
    const over = left > grid.place.width / 2;
    tip.style.left = over ? "" : `${Math.round(left + grid.place.pitch / 2 + 4)}px`;
    tip.style.right = over ? `${Math.round(grid.place.width - left + grid.place.pitch / 2 + 4)}px` : "";
  }
}

function remembered() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEEP));
    if (Array.isArray(stored)) return new Set(stored);
  } catch {
    sessionStorage.removeItem(KEEP); // a foreign value under our name
  }
  return new Set(ROWS.map(({ id }) => id));
}
