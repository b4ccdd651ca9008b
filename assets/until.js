// "Run until": a step number, or so many modes or classes covered.
import { button, count, h, say, show, toggleClass } from "./dom.js";

export class UntilMenu {
  constructor(hub, modes, things) {
    this.hub = hub;
    this.modes = modes;
    this.things = things; // "modes" or "classes"
    this.open = button("flag", "Run until", () => this.toggle(), { title: "Pause by itself at a step or at a target" });
    this.word = this.open.querySelector("span");
    this.steps = h("input.num", { type: "number", min: 1, step: 1000, "aria-label": "Until step", inputmode: "numeric" });
    this.steps.addEventListener("keydown", (event) => event.key === "Enter" && this.toSteps());
    this.modesButton = button(null, "Until all modes are covered", () => this.toModes());
    this.clear = button("close", "Do not stop", () => this.send(null));
    this.panel = h("div.menu", { hidden: true, role: "dialog", "aria-label": "Run until" },
      h("label.row", {}, h("span", { text: "Step" }), this.steps, button(null, "Run", () => this.toSteps(), { kind: "solid" })),
      this.modesButton, this.clear);
    this.element = h("div.untilbox", {}, this.open, this.panel);
    this.panel.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.outside = (event) => {
      if (!event.composedPath().includes(this.element)) this.close();
    };
  }

  toggle() {
    if (!this.panel.hidden) return this.close();
    const step = this.hub().status.step;
    this.steps.value = (Math.floor(step / 1000) + 5) * 1000;
    show(this.panel, true);
    document.addEventListener("pointerdown", this.outside, true);
    this.steps.select();
    this.steps.focus();
  }

  close() {
    show(this.panel, false);
    document.removeEventListener("pointerdown", this.outside, true);
  }

  async send(goal) {
    this.close();
    const ack = await this.hub().act("until", goal ?? {}, { until: goal });
    if (ack && goal) this.hub().play();
  }

  toSteps() {
    const steps = Math.round(Number(this.steps.value));
    if (steps > this.hub().status.step) this.send({ steps });
    else this.steps.setCustomValidity("Choose a step that is still to come.") || this.steps.reportValidity();
  }

  toModes() {
    this.send({ modes: this.modes() });
  }

  refresh() {
    const until = this.hub().status.until;
    const modes = this.modes();
    show(this.modesButton, Boolean(modes));
    if (modes) say(this.modesButton.querySelector("span"), `Until ${modes} of ${modes} ${this.things()} are covered`);
    show(this.clear, Boolean(until));
    toggleClass(this.open, "on", Boolean(until));
    say(this.word, until?.steps ? `Until ${count(until.steps)}` : until?.modes ? `Until ${until.modes} ${this.things()}` : "Run until");
    this.steps.setCustomValidity("");
  }
}
