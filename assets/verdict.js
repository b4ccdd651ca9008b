// The verdict: how it goes in one line, the evidence in numbers, the usual cure as a button. Heights are reserved.
import { Follower, button, count, figure, h, mount, say, show, toggleClass } from "./dom.js";
import { icon } from "./icons.js";
import { hubOf } from "./hub.js";
import { Scores } from "./scores.js";

// State -> [word, icon, tone].
const LOOKS = {
  ready: ["Ready to train", "flag", "calm"],
  warming: ["Too early to say", "wait", "calm"],
  healthy: ["Healthy", "check", "good"],
  "partial-collapse": ["Partial collapse", "warn", "warn"],
  "full-collapse": ["Full collapse", "stop", "bad"],
  "d-too-strong": ["D too strong", "scale", "warn"],
  "g-vanished": ["G's gradient vanished", "flat", "bad"],
  oscillating: ["Oscillating", "wave", "warn"],
  diverged: ["Diverged", "stop", "bad"],
};

const EARLY = {
  ready: "Press Train. The verdict comes with the first measurements.",
  warming: "The first measurements are still to come.",
};

export default (component) => mount(component, (root) => new Verdict(root));

class Verdict {
  constructor(root) {
    this.root = root;
    this.follower = new Follower(hubOf, { frame: (frame) => this.onFrame(frame), status: () => this.onStatus() });
    this.scores = new Scores();
    this.build();
  }

  build() {
    this.mark = h("span.mark");
    this.word = h("strong.stateword");
    this.sentence = h("p.sentence");
    this.evidence = h("dl.evidence");
    this.cure = button("heal", "", () => this.apply(), { kind: "cure" });
    this.cureWord = this.cure.querySelector("span");
    this.cureNote = h("span.dim.curenote");
    this.whyButton = button("help", "Why?", () => this.openWhy(), { kind: "ghost" });
    this.whyText = h("p");
    this.cureWhy = h("p");
    this.why = h("div.why", { hidden: true, role: "dialog", "aria-label": "Why?", tabindex: "-1" },
      h("div.row", {}, h("strong", { text: "Why?" }), button("close", "Close", () => this.openWhy(), { kind: "ghost", words: false })),
      this.whyText, this.cureWhy);
    this.why.addEventListener("keydown", (event) => event.key === "Escape" && this.openWhy());
    this.card = h("section.judge", { "aria-label": "Verdict" },
      h("div.headline", {}, this.mark, h("div.words", { role: "status" }, this.word, this.sentence)),
      this.evidence,
      h("div.row.cureline", {}, this.cure, this.cureNote, this.whyButton),
      this.why);
    this.root.replaceChildren(this.card, this.scores.element);
  }

  update(component) {
    const { data } = component;
    if (this.hub?.runId !== data.run) {
      this.shown = this.applied = null;
      this.scores.forget();
    }
    this.scores.expect(data.floors ?? {}, data.modes ?? null);
    this.follower.follow(component);
    if (this.hub.frame) this.onFrame(this.hub.frame);
    else this.judge(null);
  }

  destroy() {
    this.follower.leave();
  }

  get hub() {
    return this.follower.hub;
  }

  onStatus() {
    if (!this.hub.frame?.meta.verdict) this.judge(null);
  }

  onFrame({ meta }) {
    this.judge(meta.verdict);
    this.scores.show(meta);
  }

  judge(verdict) {
    const early = this.hub.status.state === "ready" ? "ready" : "warming";
    const told = verdict ?? { state: early, sentence: EARLY[early], evidence: [], missing: [], cure: null, why: "" };
    const key = JSON.stringify(told);
    if (key === this.shown) return;
    this.shown = key;
    const [word, name, tone] = LOOKS[told.state] ?? LOOKS.warming;
    this.card.dataset.tone = tone;
    this.mark.replaceChildren(icon(name));
    say(this.word, word);
    say(this.sentence, withoutLead(told.sentence, word));
    this.evidence.replaceChildren(...(told.evidence ?? []).slice(0, 3).map(({ label, value, reference }) =>
      h("div", {}, h("dt.dim", { text: label }), h("dd.num", {}, h("strong", { text: shown(value) }),
        reference === null || reference === undefined ? null : h("span.dim", { text: ` ${refer(reference)}` })))));
    this.showCure(told);
    show(this.whyButton, Boolean(told.why));
    say(this.whyText, told.why ?? "");
    say(this.cureWhy, told.cure?.why ? `${told.cure.label}: ${told.cure.why}` : "");
    if (!told.why) show(this.why, false);
  }

  showCure({ state, cure }) {
    this.offer = cure;
    const applied = this.applied && this.applied === state + cure?.label;
    if (!applied) this.applied = null;
    show(this.cure, Boolean(cure) && !applied);
    if (cure) say(this.cureWord, cure.live ? cure.label : `${cure.label} (restarts)`);
    this.cure.title = cure?.live ? "Acts on the running model at once" : "Needs a fresh start of the run";
    say(this.cureNote, applied ? "Applied: give it a few hundred steps." : "");
    toggleClass(this.cureNote, "done", Boolean(applied));
  }

  // A live cure acts on the running model at once, then the page's controls follow; a structural one is the page's.
  async apply() {
    const { offer, hub } = this;
    const state = JSON.parse(this.shown).state;
    if (!offer.live) return this.follower.post({ do: "restart", values: offer.values });
    this.cure.disabled = true;
    const ack = await hub.act("set", { values: offer.values });
    this.cure.disabled = false;
    if (!ack) return say(this.cureNote, hub.notice);
    this.applied = state + offer.label;
    this.showCure({ state, cure: offer });
    this.follower.post({ do: "applied", values: offer.values });
  }

  openWhy() {
    show(this.why, this.why.hidden);
    this.whyButton.setAttribute("aria-expanded", String(!this.why.hidden));
    (this.why.hidden ? this.whyButton : this.why).focus();
  }
}

// "Partial collapse: 5 of 8 modes." under the headline "Partial collapse" reads "5 of 8 modes."
function withoutLead(sentence, word) {
  const lead = `${word}: `.toLowerCase();
  if (!sentence.toLowerCase().startsWith(lead)) return sentence;
  const rest = sentence.slice(lead.length);
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

const shown = (value) => (typeof value === "number" ? (Number.isInteger(value) ? count(value) : figure(value)) : String(value));
const refer = (value) => (typeof value === "number" ? `(perfect ${figure(value)})` : `(${value})`);
