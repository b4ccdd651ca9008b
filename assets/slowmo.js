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
    this.stage.painter.override = overrideOf(slow, this.stage.painter.frame.meta);
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
    (value) => h("td.num", { text: written(value) }))));
  return h("figure", {}, h("figcaption", {}, h("strong", { text: name }), h("span.dim", { text: ` ${shape}` })),
    h("table", {}, ...cells));
}

// A number of any size in little room: two decimals, or one and a power of ten.
function written(value) {
  if (value === null || !Number.isFinite(value)) return "not finite";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.01 || size >= 1e4)) return value.toExponential(1).replaceAll("-", "−");
  return signed(value);
}

// The sub-step's layers as the painter wants them. One without layers goes on showing those before it; where weights
// move, the fakes' earlier places show too.
export function overrideOf({ steps, at }, meta) {
  const player = steps[at].player;
  const earlier = steps.slice(0, at).reverse().filter((sub) => sub.player === player);
  const shownAt = steps[at].layers && Object.keys(steps[at].layers).length ? steps[at] : earlier.find((sub) => sub.layers?.fake);
  const layers = shownAt?.layers ?? {};
  const flat = (value) => (value ? Float32Array.from(value.flat(2)) : null);
  const moved = player === "g" && /weights move|takes a step/.test(steps[at].title);
  const before = moved ? earlier.find((sub) => sub.layers?.fake)?.layers.fake : null;
  return {
    real: flat(layers.real), fake: flat(layers.fake), before: flat(before), phase: layers.phase ?? null,
    arrows: layers.arrows ? longest(flat(layers.arrows), 0.12 * meta.extent) : null,
    surface: layers.surface ? shades(flat(layers.surface), layers.surface.length, meta.critic) : null,
  };
}

function longest(vectors, length) {
  let most = 0;
  for (let k = 0; k < vectors.length; k += 2) most = Math.max(most, Math.hypot(vectors[k], vectors[k + 1]));
  return most > 0 ? vectors.map((v) => (v / most) * length) : vectors;
}

// D's values as 0..255: a probability as it is, a critic's over its own range.
function shades(values, side, critic) {
  const low = critic ? Math.min(...values) : 0;
  const high = critic ? Math.max(...values) : 1;
  return { side, data: Uint8Array.from(values, (v) => Math.max(0, Math.min(255, (255 * (v - low)) / (high - low || 1)))) };
}
