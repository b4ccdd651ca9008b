// The past played as a film: one saved moment after the other, at a speed in moments or in steps of training a second.
import { button, h, toggleClass } from "./dom.js";
import { icon } from "./icons.js";

const KEEP = "playground.film";
const MOMENTS = [1, 2, 5, 10, 20, 30];
const STEPS = [100, 1000, 10000];
const LOOK_AGAIN = 50; // milliseconds until a page that has not drawn the last moment yet is asked again

export class Film {
  constructor(timeline, drawn) {
    this.timeline = timeline;
    this.drawn = drawn;
    const kept = remembered();
    const option = (kind, n) => h("option", { value: `${kind} ${n}`, text: `${n.toLocaleString("en-US")} ${kind}/s` });
    this.speed = h("select.tempo", { "aria-label": "Speed of the film", title: "Speed of the film", onchange: () => this.keep() },
      h("optgroup", { label: "Saved moments a second" }, ...MOMENTS.map((n) => option("moments", n))),
      h("optgroup", { label: "Steps of training a second" }, ...STEPS.map((n) => option("steps", n))));
    this.speed.value = kept.speed ?? "moments 5";
    if (!this.speed.value) this.speed.value = "moments 5"; // a foreign value under our name
    this.loops = button("loop", "Repeat the film", () => this.setLoop(!this.looping), { kind: "ghost", words: false });
    this.play = button("film", "Watch the saved moments as a film", () => this.toggle(), { kind: "small", words: false });
    this.play.classList.add("filmplay");
    this.setLoop(Boolean(kept.loop));
    this.element = h("div.film", {}, this.play, this.speed, this.loops);
  }

  get playing() {
    return Boolean(this.timer);
  }

  setLoop(on) {
    this.looping = on;
    toggleClass(this.loops, "on", on);
    this.loops.setAttribute("aria-pressed", String(on));
    this.keep();
  }

  keep() {
    sessionStorage.setItem(KEEP, JSON.stringify({ speed: this.speed.value, loop: this.looping }));
  }

  toggle() {
    if (this.playing) return this.stop();
    const { moments, at } = this.timeline;
    const last = moments[moments.length - 1];
    this.position = at === null || at >= last ? null : at; // from the beginning, or on from here
    this.next = performance.now();
    this.tick();
    this.refresh();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.refresh();
  }

  refresh() {
    const few = this.timeline.moments.length < 2;
    if (this.play.disabled !== few) this.play.disabled = few;
    if (few && this.playing) this.stop();
    if (this.shown === this.playing) return;
    this.shown = this.playing;
    this.play.replaceChildren(icon(this.playing ? "pause" : "film"));
    this.play.title = this.playing ? "Stop the film" : "Watch the saved moments as a film";
    this.play.setAttribute("aria-label", this.play.title);
  }

  // The next picture comes when its time has come and the page shows the last one: a slow page gets fewer, none late.
  async tick() {
    clearTimeout(this.timer);
    const now = performance.now();
    const due = this.next - now;
    const hub = this.timeline.hub();
    const waits = due > 0 ? due : !this.drawn() || hub.outbox.length ? LOOK_AGAIN : 0;
    if (waits) {
      this.timer = setTimeout(() => this.tick(), waits);
      return;
    }
    this.timer = -1;
    const step = this.advance(now);
    await this.timeline.look(step);
    if (this.timer !== -1) return; // stopped meanwhile
    if (step === null) return this.stop();
    this.timer = setTimeout(() => this.tick(), 0);
  }

  // Return the step to show now, null at the end: the film ends in the present.
  advance(now) {
    const { moments } = this.timeline;
    const [kind, n] = this.speed.value.split(" ");
    const before = this.position;
    const first = moments[0];
    if (before === null) this.position = first;
    else if (kind === "moments") this.position = moments.find((step) => step > before) ?? null;
    else this.position = before + (n * (now - this.shownAt)) / 1000;
    if (kind === "steps" && this.position > moments[moments.length - 1]) this.position = null;
    if (this.position === null && this.looping) this.position = first;
    this.shownAt = now;
    this.next = now + (kind === "moments" ? 1000 / n : 1000 / 30);
    if (this.position === null) return null;
    return moments.findLast((step) => step <= this.position);
  }
}

function remembered() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEEP));
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {}; // a foreign value under our name
  }
}
