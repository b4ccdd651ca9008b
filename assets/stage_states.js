// What lies over the stage when there is no moving picture to show: ready, queued, warming, failed, stopped.
import { button, count, h, say, show, toggleClass } from "./dom.js";
import { icon } from "./icons.js";

// The cover over a picture and the note above it; drawn anew where what they say has changed.
export class Cover {
  constructor() {
    this.element = h("div.cover", { hidden: true });
    this.note = h("div.note", { hidden: true, role: "status" });
  }

  refresh(hub) {
    const { connection, status } = hub;
    const lost = { lost: "Connection lost, retrying …", fallback: "Slow connection: 5 pictures a second" }[connection];
    show(this.note, Boolean(lost));
    if (lost) say(this.note, lost);
    const key = `${status.state}|${status.error}|${status.queue}|${status.step === 0}|${connection === "open"}|${status.past}`;
    if (key === this.key) return;
    this.key = key;
    const content = coverFor(hub);
    this.element.replaceChildren(...(content ? [content] : []));
    show(this.element, Boolean(content));
    toggleClass(this.element, "veil", ["failed", "queued"].includes(status.state));
  }
}

// Return the cover's content for the run's present state, or null where the picture speaks for itself.
function coverFor(hub) {
  const { state, step, queue, error, keyframes } = hub.status;
  if (hub.raced) return state === "failed" ? h("div.word", { role: "alert" }, icon("stop"), h("strong", { text: error ?? "" })) : null; // the race's bar tells the rest
  if (state === "ready" && error) return h("div.word", { role: "alert" }, icon("stop"), h("strong", { text: error }));
  if (state === "ready") return playHint(hub);
  if (state === "queued") {
    return h("div.word", {}, icon("wait"), h("strong", { text: queue ? `Waiting in the queue, position ${queue}` : "Waiting in the queue" }),
      h("span.dim", { text: "It starts by itself as soon as another run pauses or ends." }));
  }
  if (state === "warming" && !step) {
    return h("div.word", {}, h("span.spinner", { "aria-hidden": "true" }), h("span", { text: "Starting the training process …" }));
  }
  if (state === "paused" && error) {
    return h("div.word", { role: "alert" }, icon("stop"), h("strong", { text: error }),
      button("play", "Go on", () => hub.play(), { kind: "solid" }));
  }
  if (state === "failed") return failed(hub, error, keyframes);
  if (state === "stopped" && (hub.status.past ?? null) === null) {
    return h("div.word", {}, h("strong", { text: `Stopped at step ${count(step)}` }),
      button("play", "Go on from here", () => hub.play(), { kind: "solid" }));
  }
  return null;
}

// Low in the picture, so that the untrained fakes in its middle stay in sight.
function playHint(hub) {
  return h("div.invite", {},
    h("button.bigplay", { type: "button", onclick: () => hub.play() }, icon("play"), h("span", { text: "Play" })),
    h("span.pill.dim", { text: "or press the space key" }));
}

function failed(hub, error, keyframes) {
  const good = keyframes?.length ? keyframes[keyframes.length - 1] : null;
  return h("div.word", { role: "alert" }, icon("stop"),
    h("strong", { text: error || "The training process ended without saying why." }),
    good === null ? h("span.dim", { text: "No moment was saved before it happened: reset to start again." })
      : h("span.dim", { text: `The last good moment is step ${count(good)}.` }),
    good === null ? button("reset", "Reset", () => hub.post?.({ do: "reset" }), { kind: "solid" })
      : button("back", `Go back to step ${count(good)}`, () => hub.rewind(good), { kind: "solid" }));
}
