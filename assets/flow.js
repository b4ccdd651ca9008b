// The data flow of a GAN's update as a small diagram; the edge in use is lit, gradients run back dashed.
import { DISCRIMINATOR, FAKE, GENERATOR, REAL } from "./palette.js";

const BOXES = {
  z: [6, 84, 34, "z"], G: [62, 84, 38, "G"], fake: [122, 84, 48, "fakes"], real: [122, 20, 48, "real"],
  D: [200, 52, 38, "D"], loss: [264, 52, 46, "loss"],
};
// Forward edges, then the ways gradients take.
const EDGES = {
  "z-G": "M40 98H60", "G-fake": "M100 98H120", "fake-D": "M170 98C186 98 184 70 198 70", "real-D": "M170 34C186 34 184 62 198 62",
  "D-loss": "M238 66H262", "loss-D": "M287 50C287 26 219 26 219 48", "loss-fake": "M287 82C287 132 162 142 150 116", "fake-G": "M136 114C128 140 88 140 82 116",
};
const GRADIENTS = ["loss-D", "loss-fake", "fake-G"];

export class FlowDiagram {
  constructor() {
    const boxes = Object.entries(BOXES).map(([name, [x, y, width, label]]) =>
      `<g class="node" data-node="${name}"><rect x="${x}" y="${y}" width="${width}" height="28" rx="6"/>` +
      `<text x="${x + width / 2}" y="${y + 18}">${label}</text></g>`).join("");
    const edges = Object.entries(EDGES).map(([name, d]) =>
      `<path class="edge${GRADIENTS.includes(name) ? " back" : ""}" data-edge="${name}" d="${d}" marker-end="url(#tip)"/>`).join("");
    this.element = document.createElement("div");
    this.element.className = "flow";
    this.element.innerHTML =
      `<svg viewBox="0 0 318 146" role="img" aria-label="Data flow of this sub-step"><defs><marker id="tip" viewBox="0 0 8 8" ` +
      `refX="6" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="context-stroke"/>` +
      `</marker></defs>${edges}${boxes}</svg>`;
    const tint = { z: FAKE, G: GENERATOR, fake: FAKE, real: REAL, D: DISCRIMINATOR, loss: "var(--ink)" };
    for (const [name, colour] of Object.entries(tint)) this.find("node", name).style.setProperty("--tint", colour);
  }

  find(kind, name) {
    return this.element.querySelector(`[data-${kind}="${name}"]`);
  }

  show(sub) {
    const { edges, nodes } = flowOf(sub);
    for (const name of Object.keys(EDGES)) this.find("edge", name).classList.toggle("on", edges.includes(name));
    for (const name of Object.keys(BOXES)) {
      const used = nodes.includes(name) || edges.some((edge) => edge.split("-").includes(name));
      this.find("node", name).classList.toggle("on", used);
    }
  }
}

// What a sub-step uses, read from its title: the first rule that fits.
const RULES = [
  [/noise/, [], ["z"]],
  [/makes? fakes|becomes? fakes/, ["z-G", "G-fake"], []],
  [/scores? the real/, ["real-D"], []],
  [/scores?/, ["fake-D"], []],
  [/gradient reaches/, ["loss-fake"], []],
  [/gradient.* d\b/, ["loss-D"], []],
  [/gradient.* g\b/, ["loss-fake", "fake-G"], []],
  [/^d's weights/, [], ["D"]],
  [/^g's weights/, [], ["G"]],
  [/loss/, ["D-loss"], []],
];

export function flowOf(sub) {
  const title = sub.title.toLowerCase().replace(/^\d+\.\s*/, "");
  const rule = RULES.find(([pattern]) => pattern.test(title));
  return rule ? { edges: rule[1], nodes: rule[2] } : { edges: [], nodes: [sub.player.toUpperCase()] };
}
