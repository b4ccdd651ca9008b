// The past slider of a page beside the lab: the same moment of the run, film and all. The page follows when it settles.
import { Follower, h, mount } from "./dom.js";
import { hubOf } from "./hub.js";
import { listenKeys } from "./keys.js";
import { Timeline } from "./timeline.js";

const SETTLED = 200; // milliseconds that a moment is looked at before the page is drawn anew for it
const AGAIN = 4000; // milliseconds after which a page that has not followed is told again

export default (component) => mount(component, (root) => new Past(root));

class Past {
  constructor(root) {
    this.follower = new Follower(hubOf, { status: () => this.refresh() }, true);
    this.timeline = new Timeline(() => this.follower.hub, { branches: false, drawn: () => this.drawn });
    this.stopKeys = listenKeys({ ArrowLeft: () => this.timeline.move(-1), ArrowRight: () => this.timeline.move(1) });
    root.replaceChildren(h("div.pastbar", {}, this.timeline.element, this.timeline.choices));
  }

  update(component) {
    const { data } = component;
    this.shown = data.status.past;
    this.settle();
    const hub = this.follower.follow(component);
    if (hub.connection === "fallback") {
      hub.confirm(data.done);
      hub.merge(data.status);
    }
    this.timeline.setEvents(data.events);
    this.refresh();
  }

  get hub() {
    return this.follower.hub;
  }

  // Whether the page shows the moment that is looked at.
  get drawn() {
    return this.shown === this.timeline.at && !document.querySelector('[data-testid="stApp"][data-test-script-state="running"]');
  }

  refresh() {
    if (!this.hub) return;
    this.timeline.refresh();
    const { past } = this.hub.status;
    if (past === this.shown || this.timeline.asking || this.hub.connection === "fallback") return this.settle();
    if (this.telling && this.told === past) return;
    this.settle();
    this.told = past;
    this.telling = setTimeout(() => this.tell(), this.timeline.film.playing ? 0 : SETTLED);
  }

  // A rerun may lose a message: it is sent again until the page shows the moment.
  tell() {
    this.follower.post({ do: "looked", step: this.told });
    this.telling = setTimeout(() => this.tell(), AGAIN);
  }

  settle() {
    clearTimeout(this.telling);
    this.telling = null;
  }

  destroy() {
    this.settle();
    this.stopKeys();
    this.timeline.destroy();
    this.follower.leave();
  }
}
