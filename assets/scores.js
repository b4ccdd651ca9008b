// Score readouts: each with its value at perfection or its noise floor, so that no number stands alone.
import { CODING_TILES } from "./coding_scores.js";
import { count, figure, h, say, show, signed, toggleClass } from "./dom.js";

const written = (value) => (Math.abs(value) < 100 ? signed(value, 3) : figure(value));
const percent = (value) => (Number.isFinite(value) ? `${(100 * value).toFixed(value > 0.9995 || value === 0 ? 0 : 1)} %` : "–");

// Metric, label, how it is written, how its reference is written from [perfect, low, high], what it means.
const TILES = [
  ["modes/hq", "Sharp fakes", percent, ([perfect]) => `perfect ${percent(perfect)}`,
    "High-quality share: fakes within three standard deviations of a mode's centre, at the last measurement"],
  ["d/accuracy", "D accuracy", percent, () => "even 50 %",
    "How often D is right on points that it was not trained on; 50 % means that it is guessing"],
  ["dist/js", "JS", figure, ([, , high]) => `floor ${figure(high)}`,
    "Jensen-Shannon divergence between data and fakes on a grid, in nats; the floor is what a perfect generator scores"],
  ["dist/sw", "SW", figure, ([, , high]) => `floor ${figure(high)}`,
    "Sliced Wasserstein distance between data and fakes, in the units of the picture; the floor is what a perfect generator scores"],
];

// A two-parameter game has no modes or distances: it has a place, and how far that is from the equilibrium.
const GAME_TILES = [["θ", "generator"], ["ψ", "discriminator"], ["Distance", "0 at the equilibrium"]];

function tile([name, label, write, refer, help]) {
  const value = h("strong.num", { text: "–" });
  const reference = h("span.dim.num.reference", { text: "\u00a0" });
  return { name, write, refer, value, reference, element: h("div.tile", { title: help }, h("span.dim", { text: label }), value, reference) };
}

export class Scores {
  constructor() {
    this.place = GAME_TILES.map(([label, note]) => {
      const value = h("strong.num", { text: "–" });
      return { value, element: h(label === "Distance" ? "div.tile.last" : "div.tile", {}, h("span.dim", { text: label }), value, h("span.dim.reference", { text: note })) };
    });
    this.dots = h("div.dots", { role: "img" });
    this.modesValue = h("strong.num");
    this.modes = h("div.tile.wide", { title: "Modes with at least one high-quality fake" },
      h("span.dim", { text: "Modes" }), this.modesValue, this.dots);
    this.tiles = TILES.map(tile);
    this.coding = CODING_TILES.map(tile);
    this.element = h("section.scores", { "aria-label": "Scores" }, this.modes,
      ...[...this.tiles, ...this.coding, ...this.place].map((tile) => tile.element));
    this.setKind("gan");
  }

  forget() {
    this.last = null;
  }

  expect(floors, modes) {
    this.floors = floors;
    this.total = modes;
    if (!this.last) this.show({ scores: {}, floors });
  }

  // "gan", "game" or "coding": which figures there are to show.
  setKind(kind) {
    if (this.kind === kind) return;
    this.kind = kind;
    toggleClass(this.element, "short", kind === "coding");
    for (const { element } of this.place) show(element, kind === "game");
    for (const { element } of this.coding) show(element, kind === "coding");
    for (const element of [this.modes, ...this.tiles.map((tile) => tile.element)]) show(element, kind === "gan");
  }

  showPlace({ data, shape }) {
    const [theta, psi] = [data[2 * shape[0] - 2], data[2 * shape[0] - 1]];
    [theta, psi, Math.hypot(theta, psi)].forEach((value, i) => say(this.place[i].value, written(value)));
  }

  show({ scores = {}, floors }) {
    const known = floors && Object.keys(floors).length ? floors : this.floors;
    if (this.kind === "coding") return this.showCoding(scores);
    const key = `${scores.step}|${known === this.floors}|${this.total}`;
    if (key === this.last) return;
    this.last = scores.step === undefined ? null : key;
    for (const { name, write, refer, value, reference } of this.tiles) {
      say(value, write(scores[name]));
      say(reference, known?.[name] ? refer(known[name]) : name === "d/accuracy" ? "even 50 %" : "\u00a0");
    }
    this.showModes(scores);
  }

  showCoding(scores) {
    for (const { name, write, refer, value, reference } of this.coding) {
      say(value, write(scores[name]));
      say(reference, refer(scores));
    }
  }

  showModes(scores) {
    const masses = Object.keys(scores).filter((name) => name.startsWith("mass/")).length;
    const total = masses || this.total;
    const covered = scores["modes/covered"];
    say(this.modesValue, total ? `${covered === undefined ? "–" : count(covered)} of ${count(total)}` : "none known");
    const drawn = total && total <= 40 ? total : 0;
    while (this.dots.children.length > drawn) this.dots.lastChild.remove();
    while (this.dots.children.length < drawn) this.dots.append(h("i"));
    this.dots.setAttribute("aria-label", "Share of fakes in each mode");
    for (let k = 0; k < drawn; k++) {
      const share = scores[`mass/${k}`];
      const dot = this.dots.children[k];
      // a full dot is a mode that gets its fair share of the fakes
      dot.style.setProperty("--fill", share === undefined ? 0 : Math.min(1, share * total).toFixed(2));
      dot.title = share === undefined ? `Mode ${k + 1}` : `Mode ${k + 1}: ${(100 * share).toFixed(1)} % of the fakes`;
    }
  }
}
