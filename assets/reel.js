// A film of decoded codes: a wall of samples that walk together, played or turned by hand, frame by frame.
import { button, calm, h, mount, say } from "./dom.js";
import { Model, equal, given } from "./model.js";
import { theme } from "./palette.js";
import { Tiles } from "./tiles.js";

const AT_ONCE = 240; // codes in one question
const FPS = 16;

export default (component) => mount(component, (root) => new Reel(root));

class Reel {
  constructor(root) {
    this.root = root;
    this.model = new Model();
    this.build();
    this.tiles = new Tiles(this.canvas);
    this.tiles.lines = false;
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.box);
  }

  build() {
    this.canvas = h("canvas", { role: "img", "aria-label": "Samples on their way" });
    this.word = h("div.word.dim", { hidden: true });
    this.box = h("div.reelbox", {}, this.canvas, this.word);
    this.play = button("play", "Play", () => this.toggle(), { kind: "small" });
    this.slider = h("input", { type: "range", min: 0, step: 1, value: 0, "aria-label": "Frame", oninput: () => this.set(Number(this.slider.value)) });
    this.told = h("span.num.dim");
    this.error = h("div.wrong", { role: "alert", hidden: true });
    this.line = h("div.playline", {}, this.play, this.slider, this.told);
    this.root.replaceChildren(h("div.frame", {}, this.box, this.line, this.error));
  }

  // -- Streamlit ---------------------------------------------------------------------------------------------------

  update(component) {
    this.tiles.setTheme(theme(this.root));
    if (equal(component.data, this.data)) return this.paint();
    this.data = component.data;
    const { meta, arrays } = given(component.data);
    const [frames, walkers, numbers] = arrays.codes.shape;
    Object.assign(this, { meta, codes: arrays.codes.data, frames, walkers, numbers });
    this.model.set(meta);
    this.made = new Array(frames).fill(null);
    this.slider.max = frames - 1;
    this.play.hidden = !meta.plays;
    this.line.hidden = frames < 2;
    this.root.style.setProperty("--side", `${meta.side}px`);
    this.at = Math.min(meta.at, frames - 1);
    this.slider.value = this.at;
    this.fetch();
    this.set(this.at, false);
  }

  destroy() {
    this.stop();
    this.turn = null;
    this.sizes.disconnect();
  }

  // Decode all frames, those near the present one first.
  async fetch() {
    const turn = (this.turn = {});
    const { walkers, numbers, codes } = this;
    const each = Math.max(1, Math.floor(AT_ONCE / walkers));
    const groups = Array.from({ length: Math.ceil(this.frames / each) }, (_, k) => k * each);
    groups.sort((a, b) => Math.abs(a + each / 2 - this.at) - Math.abs(b + each / 2 - this.at));
    this.error.hidden = true;
    this.missing = groups.length;
    for (const from of groups) {
      const to = Math.min(this.frames, from + each);
      const wanted = [];
      for (let i = from * walkers; i < to * walkers; i++) wanted.push(Array.from(codes.subarray(i * numbers, (i + 1) * numbers)));
      let items;
      try {
        items = await this.model.decode(wanted);
      } catch (error) {
        if (this.turn !== turn) return;
        this.error.hidden = false;
        return say(this.error, error.message);
      }
      if (this.turn !== turn) return;
      const size = items.data.length / wanted.length;
      for (let frame = from; frame < to; frame++) {
        const at = (frame - from) * walkers;
        this.made[frame] = { shape: [walkers, ...items.shape.slice(1)], data: items.data.subarray(at * size, (at + walkers) * size) };
      }
      this.missing -= 1;
      this.paint();
    }
    if (this.meta.begin && !calm()) this.toggle(true);
  }

  // -- the slider ------------------------------------------------------------------------------------------------------

  set(at, byHand = true) {
    if (byHand) this.stop();
    this.at = at;
    this.slider.value = at;
    say(this.told, this.meta.says[at] ?? "");
    this.slider.setAttribute("aria-valuetext", this.meta.says[at] ?? `${at + 1} of ${this.frames}`);
    this.paint();
  }

  toggle(on = !this.playing) {
    if (!on) return this.stop();
    say(this.play.querySelector("span"), "Pause");
    const began = performance.now() - (this.at * 1000) / FPS;
    const step = (now) => {
      const gone = Math.floor(((now - began) * FPS) / 1000);
      const round = 2 * this.frames - 2;
      const to = this.meta.loop ? gone % this.frames : (this.frames - 1) - Math.abs((gone % round) - (this.frames - 1));
      if (to !== this.at) this.set(to, false);
      this.playing = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.playing);
    this.playing = requestAnimationFrame(step);
  }

  stop() {
    cancelAnimationFrame(this.playing);
    this.playing = null;
    say(this.play.querySelector("span"), "Play");
  }

  // -- pictures --------------------------------------------------------------------------------------------------------

  resize() {
    const width = Math.floor(this.box.clientWidth);
    if (!width || !this.walkers) return;
    this.tiles.fit(width);
    this.paint();
  }

  paint() {
    if (!this.made) return;
    const wall = this.made[this.at];
    this.word.hidden = Boolean(wall) || !this.error.hidden;
    say(this.word, this.missing ? "Drawing the frames …" : "");
    if (!wall) return;
    const laid = wall.shape.join();
    this.tiles.load(wall, this.meta.columns ?? Math.ceil(Math.sqrt(this.walkers)), null, this.meta.rows?.length ? this.meta.rows : null);
    if (laid !== this.laid) {
      this.laid = laid;
      this.tiles.fit(Math.floor(this.box.clientWidth));
    }
    this.tiles.paint();
  }
}
