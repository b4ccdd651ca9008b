// One racer of a race: its value in its own colour, the verdict in a word, a few numbers, and its picture, which is drawn
// by the same parts as in the labs. The bar above drives all racers; nothing here drives one alone.
import { CODING_TILES } from "./coding_scores.js";
import { Follower, count, h, mount, say, show } from "./dom.js";
import { icon } from "./icons.js";
import { hubOf } from "./hub.js";
import { IMAGE_TILES } from "./image_scores.js";
import { LatentMap } from "./map.js";
import { Samples } from "./samples.js";
import { TILES } from "./scores.js";
import { Stage } from "./stage.js";
import { LOOKS } from "./verdict_looks.js";
import { Wall } from "./wall.js";

const PICTURES = { stage: Stage, samples: Samples, wall: Wall, map: LatentMap };
const FIGURES = { stage: TILES, samples: IMAGE_TILES, wall: CODING_TILES, map: CODING_TILES };
const WALL_ROWS = ["inputs", "recon"];
const ROOM = 420; // css pixels that five rows of the wall would take

export default (component) => mount(component, (root) => new Racer(root));

class Racer {
  constructor(root) {
    this.root = root;
    this.follower = new Follower(hubOf, { frame: (frame) => this.onFrame(frame), status: () => this.onStatus() });
    this.build();
  }

  build() {
    this.name = h("strong.racername");
    this.mark = h("span.mark");
    this.word = h("span");
    this.badge = h("span.badge", { role: "status" }, this.mark, this.word);
    this.line = h("i.hue", { "aria-hidden": "true" });
    this.numbers = h("dl.figures");
    this.sentence = h("p.racersays");
    this.place = h("div.picture-place");
    // on a page of many pictures the wheel scrolls: it would be caught by each picture on the way
    this.place.addEventListener("wheel", (event) => event.stopPropagation(), { capture: true, passive: true });
    this.cell = h("section.cell", {}, h("div.top", {}, this.line, this.name, this.badge), h("div.body", {}, this.place, h("div.reading", {}, this.sentence, this.numbers)));
    this.root.replaceChildren(this.cell);
  }

  update(component) {
    const { data } = component;
    this.data = data;
    const hub = this.follower.follow(component);
    hub.raced = true;
    say(this.name, data.label);
    this.name.title = data.label;
    this.cell.setAttribute("aria-label", data.label);
    this.root.style.setProperty("--hue", data.colour);
    this.root.style.setProperty("--rows", data.rows);
    this.line.dataset.dash = data.dash;
    if (data.picture !== this.shown) this.become(data.picture);
    this.picture.update(component);
    const layers = (data.layers ?? []).join();
    if (data.picture === "stage" && layers !== this.layers) {
      this.layers = layers;
      this.picture.setLayers(new Set(data.layers));
    }
    if (hub.frame) this.onFrame(hub.frame);
    this.onStatus();
  }

  // Another picture of the same run: the old one lets go of the connection that both share.
  become(kind) {
    this.picture?.destroy();
    const root = h(`div.${kind}`);
    this.place.replaceChildren(root);
    this.cell.dataset.kind = kind;
    this.picture = new PICTURES[kind](root);
    this.shown = kind;
    this.layers = null;
    if (kind === "wall") {
      const rows = new Set(WALL_ROWS);
      Object.assign(this.picture, { tight: true, rows, usual: rows, room: () => ROOM });
      this.picture.grid.shown = rows;
    }
    this.makeFigures(FIGURES[kind], kind);
  }

  destroy() {
    this.picture?.destroy();
    this.follower.leave();
  }

  get hub() {
    return this.follower.hub;
  }

  // -- figures -----------------------------------------------------------------------------------------------------

  makeFigures(tiles, kind) {
    const covered = { stage: ["modes/covered", "Modes"], samples: ["class/covered", "Classes"] }[kind];
    const whole = this.data.parts ? ` of ${count(this.data.parts)}` : "";
    const first = covered && this.data.parts ? [[covered[0], covered[1], (v) => (v === undefined ? "–" : `${count(v)}${whole}`), null, "How many the fakes cover"]] : [];
    this.figures = [...first, ...tiles].slice(0, 5).map(([name, label, write, , help]) => {
      const value = h("dd.num", { text: "–" });
      const element = h("div", { title: help }, h("dt.dim", { text: label }), value);
      return { name, write, value, element };
    });
    this.numbers.replaceChildren(...this.figures.map(({ element }) => element));
  }

  onFrame({ meta }) {
    const scores = meta.scores ?? {};
    for (const { name, write, value, element } of this.figures) {
      say(value, write(scores[name]));
      show(element, scores.step === undefined || scores[name] !== undefined);
    }
    this.judge(meta.verdict);
  }

  onStatus() {
    if (!this.hub.frame?.meta.verdict || this.hub.status.state === "failed") this.judge(this.hub.frame?.meta.verdict);
  }

  judge(verdict) {
    const { state } = this.hub.status;
    const failed = state === "failed" && !verdict?.state?.startsWith("diverged");
    const [word, name, tone] = failed ? ["Failed", "stop", "bad"] : LOOKS[verdict?.state ?? (state === "ready" ? "ready" : "warming")] ?? LOOKS.warming;
    const key = `${word}|${verdict?.sentence}`;
    if (key === this.said) return;
    this.said = key;
    this.badge.dataset.tone = tone;
    this.badge.title = verdict?.sentence ?? "";
    say(this.sentence, verdict?.sentence ?? (state === "ready" ? "At the start line." : "The first measurements are still to come."));
    this.mark.replaceChildren(icon(name));
    say(this.word, (verdict?.state === "warming" && /^[^:.]{1,20}(?=:)/.exec(verdict.sentence)?.[0]) || word); // "Still learning"
  }
}
