// The verdict: how it goes in one line, the evidence in numbers, the usual cure as a button. Heights are reserved.
import { CODING_LOOK, CODING_READY } from "./coding_scores.js";
import { Follower, button, count, figure, h, mount, say, show, toggleClass } from "./dom.js";
import { icon } from "./icons.js";
import { hubOf } from "./hub.js";
import { IMAGE_LOOK, IMAGE_READY } from "./image_scores.js";
import { Scores } from "./scores.js";
import { GAME_LAYERS, LAYERS } from "./stage_help.js";
import { LOOKS } from "./verdict_looks.js";

const READ_MS = 3000; // a quick cure changes the verdict sooner than one can read that it was applied

const EARLY = {
  ready: "Press Play and watch two networks learn from each other.",
  warming: "The first measurements are still to come.",
};

// Before anything is measured: what the picture shows.
const FIRST_LOOK = [
  ["real", "Green discs", "real points, the data to imitate"],
  ["fake", "Violet diamonds", "fakes: what the generator makes of noise"],
  ["surface", "Green to purple", "the discriminator's guess, real to fake"],
];

const GAME_LOOK = [
  ["path", "Blue path", "the two players' parameters over time"],
  ["field", "Arrows", "where one update carries them from there"],
];

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
    this.coding = Boolean(data.codes);
    this.images = !this.coding && data.kind === "images";
    this.scores.setKind(this.coding ? "coding" : this.images ? "images" : "gan");
    this.scores.expect(data.floors ?? {}, this.images ? data.classes : data.modes ?? null);
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

  onFrame({ meta, arrays }) {
    this.judge(meta.verdict);
    if (!this.coding && !this.images) this.scores.setKind(arrays.path ? "game" : "gan");
    if (arrays.path) this.scores.showPlace(arrays.path);
    else this.scores.show(meta);
  }

  judge(verdict) {
    const early = this.hub.status.state === "ready" ? "ready" : "warming";
    const ready = this.coding ? CODING_READY : this.images ? IMAGE_READY : EARLY.ready;
    const sentence = early === "ready" ? ready : EARLY[early];
    const told = verdict ?? { state: early, sentence, evidence: [], missing: [], cure: null, why: "" };
    const first = this.coding ? CODING_LOOK : this.images ? IMAGE_LOOK : this.hub.frame?.arrays.path ? GAME_LOOK : FIRST_LOOK;
    const look = early === "ready" && !verdict ? first : null;
    const { past } = this.hub.status;
    const key = JSON.stringify([told, look, past]);
    if (key === this.shown) return;
    this.shown = key;
    this.told = told;
    const [word, name, tone] = LOOKS[told.state] ?? LOOKS.warming;
    this.card.dataset.tone = tone;
    this.mark.replaceChildren(icon(name));
    say(this.word, past === null || past === undefined ? word : `${word} at step ${count(past)}`);
    say(this.sentence, withoutLead(told.sentence, word));
    this.sentence.title = this.sentence.textContent; // of a long one the end may have no room
    this.evidence.replaceChildren(...(look ? look.map(firstLook) : (told.evidence ?? []).slice(0, 3).map(row)));
    this.showCure(told);
    show(this.whyButton, Boolean(told.why));
    say(this.whyText, told.why ?? "");
    say(this.cureWhy, told.cure?.why ? `${told.cure.label}: ${told.cure.why}` : "");
    if (!told.why) show(this.why, false);
  }

  showCure({ state, cure }) {
    this.offer = cure;
    const applied = this.applied && (this.applied === state + cure?.label || performance.now() < this.readUntil);
    if (!applied) this.applied = null;
    const past = this.hub.status.past ?? null;
    show(this.cure, Boolean(cure) && !applied && past === null);
    if (cure) say(this.cureWord, cure.live ? cure.label : `${cure.label} (restarts)`);
    this.cure.title = cure?.live ? "Acts on the running model at once" : "Needs a fresh start of the run";
    say(this.cureNote, cure && past !== null ? `Fork from here to try: ${cure.label}` : applied ? "Applied: give it a few hundred steps." : "");
    toggleClass(this.cureNote, "done", Boolean(applied));
  }

  // A live cure acts on the running model at once, then the page's controls follow; a structural one is the page's.
  async apply() {
    const { offer, hub } = this;
    const { state } = this.told;
    if (!offer.live) return this.follower.post({ do: "restart", values: offer.values });
    this.cure.disabled = true;
    if (hub.status.state === "failed") await hub.rewind(Math.max(...hub.status.keyframes));
    const ack = await hub.act("set", { values: offer.values });
    this.cure.disabled = false;
    if (!ack) return say(this.cureNote, hub.notice);
    this.applied = state + offer.label;
    this.readUntil = performance.now() + READ_MS;
    this.showCure({ state, cure: offer });
    setTimeout(() => this.showCure(this.told), READ_MS + 50);
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

function row({ label, value, reference }) {
  const perfect = typeof reference === "number" ? figure(reference) : reference;
  return h("div", { title: `${label}: ${shown(value)}${perfect ? ` (${perfect})` : ""}` },
    h("dt.dim", { text: label }), h("dd.num", {}, h("strong", { text: shown(value) })),
    perfect ? h("dd.num.dim.perfect", { text: perfect }) : null);
}

function firstLook([id, what, meaning]) {
  const swatch = [...LAYERS, ...GAME_LAYERS].find((layer) => layer.id === id)?.swatch();
  return h("div.look", {}, h("dt", {}, ...(swatch ? [swatch] : []), what), h("dd.dim", { text: meaning }));
}

const shown = (value) => (typeof value === "number" ? (Number.isInteger(value) ? count(value) : figure(value)) : String(value));
