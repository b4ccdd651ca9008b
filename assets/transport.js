// The bar that drives a run. It answers at once and takes its answer back if the worker refuses.
import { Follower, button, count, h, mount, say, show, toggleClass } from "./dom.js";
import { Cursor } from "./cursor.js";
import { icon } from "./icons.js";
import { hubOf } from "./hub.js";
import { listenKeys } from "./keys.js";
import { Timeline } from "./timeline.js";
import { UntilMenu } from "./until.js";

// Steps a frame on the speed slider; 0 is flat out.
const SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 0];

const LEAVING_MS = 3000; // a page of ours is there by then
const SPOKEN_MS = 1500; // the server has begun to act on a message by then

const STATES = {
  ready: "Ready", queued: "In the queue", warming: "Starting", running: "Training", paused: "Paused", finished: "Finished",
  failed: "Failed", stopped: "Stopped",
};

export default (component) => mount(component, (root) => new Transport(root));

class Transport {
  constructor(root) {
    this.root = root;
    this.follower = new Follower(hubOf, { status: () => this.refresh(), slow: () => this.refresh() }, true);
    this.build();
    this.stopKeys = listenKeys({
      " ": () => this.hub?.toggle(),
      ArrowRight: () => (this.timeline.at === null ? this.hub?.step(1) : this.timeline.move(1)),
      ArrowLeft: () => this.timeline.move(-1),
      d: () => this.alone("d"),
      g: () => this.alone("g"),
    });
    this.onClick = (event) => this.noticeLeaving(event);
    document.addEventListener("click", this.onClick, true);
  }

  build() {
    const step = (n) => button(null, count(n), () => this.hub.step(n), {
      kind: "seg", title: n === 1 ? "One step (right arrow key)" : `${n} steps`, key: n === 1 ? "ArrowRight" : null,
    });
    this.playIcon = h("span.slot", {}, icon("play"));
    this.playWord = h("span", { text: "Play" });
    this.play = h("button.b.solid.play", {
      type: "button", "aria-keyshortcuts": "Space", title: "Play or pause (space key)",
      onclick: () => this.hub.toggle(), onmousedown: (event) => event.preventDefault(),
    }, this.playIcon, this.playWord, h("kbd", { text: "space" }));
    this.slow = button("slow", "Slow motion", () => (this.hub.slow ? this.hub.endSlow() : this.hub.trace()), {
      title: "Walk through one update of D and one of G, tensor by tensor",
    });
    this.sides = h("div.group", { role: "group", "aria-label": "One player only" },
      button(null, "D only", () => this.alone("d"), { kind: "seg", title: "One step of the discriminator alone (d key)", key: "d" }),
      button(null, "G only", () => this.alone("g"), { kind: "seg", title: "One step of the generator alone (g key)", key: "g" }));
    this.until = new UntilMenu(() => this.hub, () => this.modes, () => this.things);
    this.speedText = h("span.num.speedtext");
    this.speed = h("input", {
      type: "range", min: 0, max: SPEEDS.length - 1, step: 1, value: 0, "aria-label": "Speed, steps a frame",
      oninput: () => this.setSpeed(),
    });
    this.state = h("span.state", { role: "status" });
    this.counter = h("span.num.counter", { "aria-label": "Step" });
    this.rate = h("span.num.dim.rate");
    this.device = h("span.dim.device");
    this.notice = h("div.notice", { role: "alert", hidden: true });
    this.timeline = new Timeline(() => this.hub);
    this.cursor = new Cursor();
    this.moreButton = button("more", "More", () => this.openMore(), { kind: "ghost", words: false });
    this.moreButton.classList.add("morebutton");
    this.bar = h("div.deck", { role: "toolbar", "aria-label": "Training" },
      h("div.line.main", {},
        this.play,
        h("div.group", { role: "group", "aria-label": "Step" }, h("span.dim.label", { text: "Step" }), step(1), step(10), step(100)),
        this.sides,
        h("div.extra", {},
          this.slow,
          h("label.speed", {}, h("span.dim.label", { text: "Speed" }), this.speed, this.speedText),
          this.until.element,
          button("reset", "Reset", () => this.follower.post({ do: "reset" }), { title: "Start again with the same seed: the same run, number for number" }),
          button("dice", "New seed", () => this.follower.post({ do: "new-seed" }), { title: "Start again with other random numbers" })),
        this.moreButton,
      ),
      h("div.line.second", {}, this.timeline.element,
        h("div.side", {}, this.timeline.choices,
          h("div.readout", {}, this.state, h("span.stepword", {}, h("span.dim", { text: "step " }), this.counter), this.rate, this.device))),
      this.notice,
    );
    this.root.replaceChildren(this.bar);
  }

  update(component) {
    this.modes = component.data.modes ?? null;
    this.things = component.data.kind === "images" ? "classes" : "modes";
    this.players = component.data.players ?? ["d", "g"];
    show(this.sides, this.players.length > 0); // a model that is no game has no sides, and no game to walk through
    show(this.slow, this.players.length > 0 && component.data.slow !== false);
    this.timeline.setEvents(component.data.events);
    this.follower.follow(component);
    this.refresh();
  }

  get hub() {
    return this.follower.hub;
  }

  alone(player) {
    if (this.players?.includes(player)) this.hub?.step(1, [player]);
  }

  destroy() {
    this.stopKeys();
    this.timeline.destroy();
    this.cursor.destroy();
    document.removeEventListener("click", this.onClick, true);
    clearTimeout(this.telling);
    this.follower.leave();
  }

  openMore() {
    this.bar.classList.toggle("open");
    this.moreButton.setAttribute("aria-expanded", this.bar.classList.contains("open"));
  }

  setSpeed() {
    const speed = SPEEDS[Number(this.speed.value)];
    this.say(speed);
    clearTimeout(this.sending);
    this.sending = setTimeout(() => {
      this.sending = null;
      this.hub.act("speed", { steps_per_frame: speed }, { speed });
    }, 60);
  }

  say(speed) {
    const text = speed === 0 ? "flat out" : `${count(speed)} a frame`;
    say(this.speedText, text);
    this.speed.setAttribute("aria-valuetext", speed === 0 ? "flat out" : `${speed} steps a frame`);
  }

  refresh() {
    const { hub } = this;
    if (!hub) return;
    const { status } = hub;
    const playing = hub.playing;
    if (playing !== this.wasPlaying) {
      this.wasPlaying = playing;
      this.playIcon.replaceChildren(icon(playing ? "pause" : "play"));
      say(this.playWord, playing ? "Pause" : "Play");
    }
    toggleClass(this.slow, "on", Boolean(hub.slow));
    say(this.state, hub.connection === "lost" ? "Connection lost, retrying" : stateText(status));
    this.state.dataset.state = hub.connection === "lost" ? "failed" : status.state;
    say(this.counter, count(status.step));
    say(this.rate, status.state === "running" && status.sps ? `${count(status.sps)} steps/s` : "");
    say(this.device, status.device || "");
    show(this.notice, Boolean(hub.notice));
    if (hub.notice) say(this.notice, hub.notice);
    this.refreshSpeed(status.speed);
    this.timeline.refresh();
    this.cursor.show(this.timeline.at);
    this.until.refresh();
    this.tellPage(status);
  }

  // Streamlit's own widgets follow what anybody did to the run, in this window or another.
  tellPage({ state, experiment_version: version }) {
    const before = this.told?.run === this.hub.runId ? this.told : null;
    const news = before && (before.state !== state || (before.version !== undefined && before.version !== version));
    this.told = { run: this.hub.runId, state, version };
    // a verb that travels through Python tells the page itself; a second message would displace it
    if (!news || this.hub.connection === "fallback") return;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.tellChanged(), 150);
  }

  // A message that follows a click on the menu would call the page back that is being left, one that follows another
  // message would displace it on its way, and one while a dialog is open would close it, and lose what is drawn there:
  // it waits until that is over.
  tellChanged() {
    const spoken = (this.follower.spokeAt ?? -SPOKEN_MS) + SPOKEN_MS;
    const open = document.querySelector("[data-testid=stDialog]") ? performance.now() + SPOKEN_MS : 0;
    const wait = Math.max(this.leavingUntil ?? 0, spoken, open) - performance.now();
    if (wait > 0) this.telling = setTimeout(() => this.tellChanged(), wait);
    else if (this.hub) this.follower.post({ do: "changed" });
  }

  noticeLeaving(event) {
    const link = event.composedPath().some((node) => node instanceof HTMLAnchorElement && node.host === location.host);
    if (link) this.leavingUntil = performance.now() + LEAVING_MS;
  }

  refreshSpeed(speed) {
    if (this.sending || this.root.getRootNode().activeElement === this.speed && this.speed.matches(":active")) return;
    const wanted = speed ?? 10;
    if (wanted === this.shownSpeed) return;
    this.shownSpeed = wanted;
    let best = SPEEDS.indexOf(wanted);
    if (best < 0) best = SPEEDS.findIndex((s) => s === 0 || s >= wanted);
    this.speed.value = best;
    this.say(wanted);
  }
}

function stateText({ state, queue, past, waits }) {
  if (past !== null && past !== undefined) return `Looking at step ${count(past)}`;
  if (state === "queued" && queue) return `In the queue, position ${queue}`;
  if (waits && state === "running") return "Preparing scores, once";
  return STATES[state] ?? state;
}
