// Score readouts: each with its value at perfection or its noise floor, so that no number stands alone.
import { CODING_TILES } from "./coding_scores.js";
import { IMAGE_TILES } from "./image_scores.js";
import { count, figure, h, say, show, signed, toggleClass } from "./dom.js";

const written = (value) => (Math.abs(value) < 100 ? signed(value, 3) : figure(value));
const percent = (value) => (Number.isFinite(value) ? `${(100 * value).toFixed(value > 0.9995 || value === 0 ? 0 : 1)} %` : "–");

// Metric, label, how it is written, how its reference is written from [perfect, low, high], what it means.
export const TILES = [
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
    this.images = IMAGE_TILES.map(tile);
    this.element = h("section.scores", { "aria-label": "Scores" }, this.modes,
      ...[...this.tiles, ...this.coding, ...this.images, ...this.place].map((tile) => tile.element));
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

  // "gan", "game", "images" or "coding": which figures there are to show.
  setKind(kind) {
    if (this.kind === kind) return;
    this.kind = kind;
    this.last = null;
    toggleClass(this.element, "short", kind === "coding");
    for (const { element } of this.place) show(element, kind === "game");
    for (const { element } of this.coding) show(element, kind === "coding");
    for (const { element } of this.images) show(element, kind === "images");
    for (const { element } of this.tiles) show(element, kind === "gan");
    show(this.modes, kind === "gan" || kind === "images");
    say(this.modes.firstChild, kind === "images" ? "Classes" : "Modes");
    this.modes.title = kind === "images" ? "Classes with at least a fifth of their share of the data" : "Modes with at least one high-quality fake";
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
    const images = this.kind === "images";
    for (const { name, write, refer, value, reference } of images ? this.images : this.tiles) {
      say(value, write(scores[name]));
      say(reference, known?.[name] ? refer(known[name]) : name === "d/accuracy" ? "even 50 %" : "\u00a0");
    }
    if (images) this.showShares(scores, "class/", "class/covered", "Class");
    else this.showShares(scores, "mass/", "modes/covered", "Mode");
  }

  showCoding(scores) {
    for (const { name, write, refer, value, reference } of this.coding) {
      say(value, write(scores[name]));
      say(reference, refer(scores));
    }
  }

  // A dot a mode or class; `total` is a number of modes or the names of classes.
  showShares(scores, prefix, covers, word) {
    const names = Array.isArray(this.total) ? this.total : null;
    const total = Object.keys(scores).filter((name) => name.startsWith(prefix) && /\d$/.test(name)).length || (names?.length ?? this.total);
    const covered = scores[covers];
    say(this.modesValue, total ? `${covered === undefined ? "–" : count(covered)} of ${count(total)}` : "none known");
    const drawn = total && total <= 40 ? total : 0;
    while (this.dots.children.length > drawn) this.dots.lastChild.remove();
    while (this.dots.children.length < drawn) this.dots.append(h("i"));
    this.dots.setAttribute("aria-label", `Share of fakes in each ${word.toLowerCase()}`);
    for (let k = 0; k < drawn; k++) {
      const share = scores[`${prefix}${k}`];
      const name = `${word} ${names?.[k] ?? k + 1}`;
      const dot = this.dots.children[k];
      // a full dot is a mode that gets its fair share of the fakes
      dot.style.setProperty("--fill", share === undefined ? 0 : Math.min(1, share * total).toFixed(2));
      dot.title = share === undefined ? name : `${name}: ${(100 * share).toFixed(1)} % of the fakes`;
    }
  }
}
