// Slow motion: one full update told in numbered sub-steps. The stage dims everything but what flows; a drawer beside it
// shows the formula, the tensors and where in the data flow we are. On a phone the drawer comes from below.
import { button, count, h, say, signed, toggleClass } from "./dom.js";
import { FlowDiagram } from "./flow.js";

const AUTO_MS = 3200;
const ROWS = 4;

export class SlowMotion {
  constructor(stage) {
    this.stage = stage;
    this.panel = null;
  }

  show(slow) {
    clearTimeout(this.timer);
    if (!slow) return this.close();
    if (!this.panel) this.open();
    const sub = slow.steps[slow.at];
    if (slow.steps !== this.told) this.makeList(slow);
    [...this.list.children].forEach((item, i) => {
      const button = item.firstChild;
      if (i === slow.at) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
      toggleClass(item, "past", i < slow.at);
    });
    this.list.children[slow.at]?.scrollIntoView({ block: "nearest" });
    say(this.title, `Step ${count(slow.step)} in slow motion`);
    say(this.formula, sub.formula);
    say(this.note, sub.note);
    this.tensors.replaceChildren(...Object.entries(sub.shapes ?? {}).map(([name, shape]) => tensor(name, shape, sub.tensors?.[name])));
    this.flow.show(sub);
    this.back.disabled = slow.at === 0;
    const last = slow.at === slow.steps.length - 1;
    say(this.forth.querySelector("span"), last ? "Next update" : "Next");
    toggleClass(this.auto, "on", slow.auto);
    this.auto.setAttribute("aria-pressed", String(slow.auto));
    this.stage.painter.override = overrideOf(slow);
    if (slow.auto) this.timer = setTimeout(() => this.advance(), AUTO_MS);
  }

  advance() {
    const { hub } = this.stage;
    const { slow } = hub;
    if (!slow) return;
    if (slow.at + 1 < slow.steps.length) hub.slowTo(slow.at + 1);
    else hub.trace();
  }

  setAuto() {
    const { hub } = this.stage;
    hub.slow.auto = !hub.slow.auto;
    hub.slowTo(hub.slow.at);
  }

  close() {
    clearTimeout(this.timer);
    this.host?.remove();
    this.host = this.panel = this.told = null;
    this.stage.painter.override = null;
  }

  // The drawer lies over the page, outside of the component's box, with the component's own style and theme.
  open() {
    const { root, hub } = this.stage;
    this.host = document.createElement("div");
    const shadow = this.host.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    style.textContent = root.getRootNode().querySelector("style")?.textContent ?? "";
    const theme = getComputedStyle(root);
    for (const name of ["text-color", "background-color", "secondary-background-color", "primary-color", "font"]) {
      this.host.style.setProperty(`--st-${name}`, theme.getPropertyValue(`--st-${name}`));
    }
    this.title = h("strong");
    this.list = h("ol.substeps");
    this.flow = new FlowDiagram();
    this.formula = h("div.formula");
    this.note = h("p.subnote");
    this.tensors = h("div.tensors");
    this.back = button("back", "Back", () => this.stage.hub.slowTo(this.stage.hub.slow.at - 1));
    this.forth = button("next", "Next", () => this.advance(), { kind: "solid" });
    this.auto = button("play", "By itself", () => this.setAuto());
    this.panel = h("section.pg.drawer", { role: "dialog", "aria-label": "Slow motion", tabindex: "-1" },
      h("div.row", {}, this.title, button("close", "Leave slow motion", () => hub.endSlow(), { kind: "ghost", words: false })),
      this.flow.element, h("div.told", {}, this.formula, this.note), this.tensors, this.list,
      h("div.row.walk", {}, this.back, this.auto, this.forth));
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hub.endSlow();
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.stopPropagation();
      if (event.key === "ArrowLeft") this.stage.hub.slowTo(this.stage.hub.slow.at - 1);
      else this.advance();
    });
    shadow.append(style, this.panel);
    document.body.append(this.host);
    this.place();
    this.panel.focus();
  }

  // Beside the stage where there is room, so that nothing that flows is hidden.
  place() {
    const right = this.stage.box.getBoundingClientRect().right + 16;
    const left = Math.max(Math.min(right, innerWidth - 336), innerWidth - 496);
    this.panel.style.left = `${left}px`;
    this.panel.style.width = "auto";
  }

  makeList(slow) {
    this.told = slow.steps;
    this.list.replaceChildren(...slow.steps.map((sub, i) => h("li", {},
      h(`button.sub.${sub.player}`, { type: "button", onclick: () => this.stage.hub.slowTo(i) },
        h("span.who", { text: sub.player.toUpperCase() }), h("span", { text: sub.title })))));
  }
}

// A tensor's first rows as a small table with its whole shape.
function tensor(name, shape, rows) {
  const table = Array.isArray(rows) ? rows : rows === undefined ? [] : [rows];
  const cells = table.slice(0, ROWS).map((row) => h("tr", {}, ...(Array.isArray(row) ? row : [row]).flat(2).slice(0, 4).map(
    (value) => h("td.num", { text: Number.isFinite(value) ? signed(value) : String(value) }))));
  return h("figure", {}, h("figcaption", {}, h("strong", { text: name }), h("span.dim", { text: ` ${shape}` })),
    h("table", {}, ...cells));
}

// The sub-step's layers as the painter wants them; fakes of the sub-step before show where they came from.
export function overrideOf(slow) {
  const { layers = {}, player } = slow.steps[slow.at];
  const flat = (value) => (value ? Float32Array.from(value.flat(2)) : null);
  const square = (value, scale) => value && { data: Float32Array.from(value.flat(2), scale), side: value.length };
  const before = slow.at > 0 && player === "g" ? slow.steps[slow.at - 1].layers?.fake : null;
  const fake = flat(layers.fake);
  const earlier = layers.before ?? before;
  return {
    real: flat(layers.real), fake, arrows: flat(layers.arrows),
    before: fake && earlier && earlier.length === layers.fake.length ? flat(earlier) : null,
    surface: square(layers.surface, (v) => Math.max(0, Math.min(255, Math.round(v * 255)))),
    manifold: square(layers.manifold, (v) => v),
  };
}

