// The past slider: a run's saved moments on the line of its steps, with what was done to it marked below. Dragging looks
// at a moment, everywhere the run is shown; the present goes on untouched until somebody continues or forks from there.
import { button, count, h, say, show } from "./dom.js";
import { Film } from "./film.js";

export class Timeline {
  // `hub()` is the run's hub; `branches`: whether one may go on from here; `drawn()`: whether the page shows this moment.
  constructor(hub, { branches = true, drawn = () => true } = {}) {
    this.hub = hub;
    this.slider = h("input", {
      type: "range", min: 0, max: 1, value: 1, step: 1, "aria-label": "Past: look at a saved moment of this run",
      oninput: () => this.onInput(), onkeydown: (event) => this.onKey(event), onpointerdown: () => (this.held = true),
      onpointerup: () => this.letGo(), onpointercancel: () => this.letGo(), onchange: () => this.letGo(), disabled: true,
    });
    this.marks = h("div.marks", { "aria-hidden": "true" });
    this.events = h("div.events", { role: "group", "aria-label": "What was done to the run" });
    this.film = new Film(this, drawn);
    this.word = h("span.num.looking");
    const small = { kind: "small" };
    this.choices = h("div.choices", { hidden: true }, this.word,
      button("next", "Back to now", () => this.look(null), small),
      branches ? button("play", "Continue from here", () => this.goOn(), { ...small, title: "What came after this moment is cut" }) : null,
      branches ? button("fork", "Fork from here", () => this.branch(), { ...small, title: "A second run goes on from here; this one stays" }) : null);
    this.element = h("div.timeline", {}, this.film.element, h("div.track", {}, this.marks, this.slider, this.events));
    this.known = "";
    this.done = [];
  }

  get moments() {
    return this.hub()?.status.keyframes ?? [];
  }

  // The step looked at, null for the present; what was asked for counts before it is answered.
  get at() {
    return this.asking ? this.wanted : this.hub()?.status.past ?? null;
  }

  // What the page knows of the run's past: [{step, kind, text}].
  setEvents(done) {
    this.done = done ?? [];
    this.known = "";
  }

  refresh() {
    const { moments, at } = this;
    const first = moments[0] ?? 0;
    const end = Math.max(this.held ? Number(this.slider.max) : this.hub().status.step, moments[moments.length - 1] ?? 0, first + 1);
    if (end !== Number(this.slider.max) || first !== Number(this.slider.min)) Object.assign(this.slider, { min: first, max: end });
    const key = `${moments.length}|${first}|${moments[moments.length - 1]}|${end}|${this.done.length}`;
    if (key !== this.known) {
      this.known = key;
      this.slider.disabled = !moments.length;
      this.slider.title = moments.length ? `${count(moments.length)} saved moments` : "No moment has been saved yet";
      this.draw(first, end);
    }
    const looking = at !== null;
    show(this.choices, looking);
    if (looking) say(this.word, `Step ${count(at)}`);
    if (!this.held) this.slider.value = looking ? at : end;
    this.slider.setAttribute("aria-valuetext", looking ? `step ${count(at)}` : "now");
    this.film.refresh();
  }

  draw(first, end) {
    const place = (step) => `left: ${(100 * (step - first)) / (end - first)}%`;
    this.marks.replaceChildren(...this.moments.map((step) => h("i", { style: place(step) })));
    this.events.replaceChildren(...this.done.filter(({ step }) => step >= first && step <= end).map(({ step, kind, text }) =>
      h("button.event", {
        type: "button", style: place(step), "data-kind": kind, title: `Step ${count(step)}: ${text}`, "aria-label": `Step ${count(step)}: ${text}`,
        onclick: () => this.look(this.moments.find((saved) => saved >= step) ?? null), onmousedown: (event) => event.preventDefault(),
      })));
  }

  // -- moving ------------------------------------------------------------------------------------------------------

  // The thumb is where the pointer is; the moment is the nearest one, the present the last of them.
  onInput() {
    this.film.stop();
    const value = Number(this.slider.value);
    const end = Number(this.slider.max);
    let best = null;
    for (const step of this.moments) if (Math.abs(step - value) < Math.abs((best ?? end) - value)) best = step;
    this.look(best);
  }

  letGo() {
    this.held = false;
    this.refresh();
  }

  onKey(event) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.film.stop();
    this.move(by);
  }

  // Go so many saved moments on; beyond the last lies the present.
  move(by) {
    const { moments, at } = this;
    if (!moments.length) return;
    const saved = at === null ? moments.length : moments.findLastIndex((step) => step <= at);
    // the last moment of a run that rests is its present
    const from = at === null && moments[moments.length - 1] >= this.hub().status.step ? saved - 1 : saved;
    const to = Math.max(0, from + by);
    this.look(to >= moments.length ? null : moments[to]);
  }

  // Look at a moment (null: the present). One request is under way at a time, and the last one wins.
  look(step) {
    this.wanted = step;
    if (!this.asking) this.asking = this.ask();
    this.refresh();
    return this.asking;
  }

  async ask() {
    await null; // `asking` is known by now
    let sent;
    do {
      sent = this.wanted;
      this.refresh();
      await this.hub()?.look(sent);
    } while (sent !== this.wanted);
    this.asking = null;
    if (this.hub()) this.refresh();
  }

  async goOn() {
    const { at } = this;
    this.film.stop();
    await this.asking;
    if (at !== null) await this.hub().rewind(at);
  }

  async branch() {
    const { at } = this;
    this.film.stop();
    await this.asking;
    if (at !== null) this.hub().post?.({ do: "fork", step: at });
  }

  destroy() {
    this.film.stop();
  }
}
