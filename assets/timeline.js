// The past slider: the run's saved moments. Dragging looks at one; the present goes on untouched until somebody
// chooses to continue from there.
import { button, count, h, show } from "./dom.js";

export class Timeline {
  constructor(hub) {
    this.hub = hub;
    this.slider = h("input", {
      type: "range", min: 0, max: 1, value: 1, step: 1, "aria-label": "Past: look at a saved moment of this run",
      oninput: () => this.onInput(), disabled: true,
    });
    this.marks = h("div.marks", { "aria-hidden": "true" });
    this.now = button("next", "Back to now", () => this.present(), { kind: "small" });
    this.go = button("play", "Continue from here", () => this.goOn(), { kind: "small" });
    this.fork = button("fork", "Fork from here", () => this.branch(), { kind: "small", title: "A second run goes on from here; this one stays" });
    this.choices = h("div.choices", { hidden: true }, this.now, this.go, this.fork);
    this.element = h("div.timeline", {}, h("span.dim.label", { text: "Past" }),
      h("div.track", {}, this.marks, this.slider), this.choices);
    this.known = "";
  }

  // The slider runs over the saved moments, oldest first; its right end is the present.
  refresh() {
    const { status } = this.hub();
    const frames = status.keyframes ?? [];
    const key = `${frames.length}|${frames[0]}|${frames[frames.length - 1]}`;
    if (key !== this.known) {
      this.known = key;
      this.slider.max = Math.max(1, frames.length);
      this.slider.disabled = !frames.length;
      this.slider.title = frames.length ? `${count(frames.length)} saved moments` : "No moment has been saved yet";
      this.drawMarks(frames.length);
    }
    const looking = status.past !== null && status.past !== undefined;
    show(this.choices, looking);
    if (this.sending) return;
    this.slider.value = looking ? Math.max(0, frames.indexOf(status.past)) : this.slider.max;
    this.slider.setAttribute("aria-valuetext", looking ? `step ${count(status.past)}` : "now");
  }

  drawMarks(n) {
    const wanted = Math.min(n, 60);
    while (this.marks.children.length > wanted) this.marks.lastChild.remove();
    while (this.marks.children.length < wanted) this.marks.append(h("i"));
  }

  onInput() {
    const frames = this.hub().status.keyframes ?? [];
    const at = Number(this.slider.value);
    const step = at >= frames.length ? null : frames[at];
    clearTimeout(this.sending);
    this.sending = setTimeout(() => {
      this.sending = null;
      this.hub().look(step);
    }, 40);
  }

  present() {
    this.hub().look(null);
  }

  async goOn() {
    const { past } = this.hub().status;
    if (past !== null) await this.hub().rewind(past);
  }

  branch() {
    const { past } = this.hub().status;
    if (past !== null) this.hub().post?.({ do: "fork", step: past });
  }
}
