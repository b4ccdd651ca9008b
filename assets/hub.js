// One connection a run, shared by every component on the page. It lives on the window, so Streamlit's reruns and
// remounts never touch it; it closes a few seconds after the last component has gone.
//
// Back pressure: the next frame is asked for only after the last one was painted, so a slow browser gets fewer frames
// and never a backlog. A hidden tab paints nothing and therefore gets nothing.
import { decodeFrame, fromBase64 } from "./frames.js";

const LINGER_MS = 4000; // a rerun may unmount and mount again within this time without losing the connection
const RETRY_MS = [250, 500, 1000, 2000, 4000, 8000];
const TRIES_BEFORE_FALLBACK = 3;
const ACK_MS = 15000; // the first verb may have to start a worker
const OPTIMISTIC_MS = 2500;
const SETTLE_MS = 400;
const REDELIVER_MS = 3000;
const STATUS_FIELDS = [
  "state", "step", "sps", "device", "queue", "error", "past", "waits", "keyframes", "until", "speed", "experiment_version",
];

const hubs = (window.__playgroundHubs ??= new Map());

// Return the run's hub, counting one more user; `release` gives it back.
export function hubOf(runId, token, base) {
  let hub = hubs.get(runId);
  if (!hub) hubs.set(runId, (hub = new Hub(runId, token, base)));
  hub.retain(token);
  return hub;
}

export class Hub {
  constructor(runId, token, base) {
    this.runId = runId;
    this.token = token;
    this.base = base;
    this.users = 0;
    this.frame = null;
    this.status = { state: "ready", step: 0, sps: 0, device: "", queue: null, error: null, past: null, keyframes: [] };
    this.connection = "connecting"; // connecting open lost fallback
    this.notice = null; // the last refused verb's sentence
    this.slow = null; // {steps, at, playing} while in slow motion
    this.picked = null; // {i, z, x, d}
    this.layers = null;
    this.looks = new Map();
    this.post = null; // how to reach Python: the transport's way where there is one
    this.listeners = { frame: new Set(), status: new Set(), slow: new Set(), pick: new Set() };
    this.waiting = new Map();
    this.nextId = 1;
    this.outbox = [];
    this.lastMail = 0;
    this.failures = 0;
    this.everOpen = false;
    this.expected = null; // what an act under way will make of the status
    this.heard = {}; // what was reported meanwhile
    this.painting = false;
    this.paint = this.paint.bind(this);
  }

  // -- life ------------------------------------------------------------------------------------------------------

  retain(token) {
    this.token = token;
    this.users += 1;
    clearTimeout(this.lingering);
    if (!this.socket && !this.retrying) this.connect();
  }

  release() {
    this.users -= 1;
    if (this.users > 0) return;
    this.lingering = setTimeout(() => {
      hubs.delete(this.runId);
      this.closed = true;
      clearTimeout(this.retrying);
      this.socket?.close();
    }, LINGER_MS);
  }

  on(topic, listener) {
    this.listeners[topic].add(listener);
    return () => this.listeners[topic].delete(listener);
  }

  tell(topic, value) {
    for (const listener of this.listeners[topic]) listener(value);
  }

  // -- connection ------------------------------------------------------------------------------------------------

  connect() {
    this.retrying = null;
    const url = new URL(`playground/stream/${encodeURIComponent(this.runId)}`, this.base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("token", this.token);
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.askNext();
    socket.onmessage = (message) => {
      if (this.connection !== "open") this.proven();
      if (typeof message.data === "string") this.onText(JSON.parse(message.data));
      else this.onFrame(decodeFrame(message.data));
    };
    socket.onclose = () => this.onClose();
  }

  // A proxy may accept a WebSocket and carry nothing: only a message proves that it works.
  proven() {
    if (this.connection === "fallback") this.post?.({ do: "fallback", on: false });
    this.failures = 0;
    this.everOpen = true;
    this.setConnection("open");
  }

  onClose() {
    this.socket = null;
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new Error("The connection was lost before the answer came."));
    }
    this.waiting.clear();
    if (this.closed) return;
    const fallback = !this.everOpen && ++this.failures >= TRIES_BEFORE_FALLBACK;
    this.setConnection(fallback ? "fallback" : this.everOpen ? "lost" : "connecting");
    if (fallback && this.failures === TRIES_BEFORE_FALLBACK) this.post?.({ do: "fallback", on: true });
    const pause = fallback ? 15000 : RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    if (this.everOpen) this.failures += 1;
    this.retrying = setTimeout(() => this.connect(), pause * (0.8 + 0.4 * Math.random()));
  }

  setConnection(value) {
    if (this.connection === value) return;
    this.connection = value;
    this.tell("status", this.status);
  }

  retryNow() {
    clearTimeout(this.retrying);
    if (!this.socket) this.connect();
  }

  // -- frames ----------------------------------------------------------------------------------------------------

  onFrame(frame) {
    this.frame = frame;
    this.merge(frame.meta);
    if (this.painting) return;
    this.painting = true;
    requestAnimationFrame(this.paint);
  }

  paint() {
    this.painting = false;
    this.tell("frame", this.frame);
    this.askNext();
  }

  askNext() {
    this.raw({ next: this.frame ? this.frame.seq : 0, ...(this.layers && { layers: this.layers }) });
  }

  // Each component says what it looks at; a frame carries what any of them does.
  setLayers(layers, who = "stage") {
    this.looks.set(who, layers);
    this.layers = [...new Set([...this.looks.values()].flat())];
    this.askNext();
  }

  // Take a frame and a status that Python passed as data because no WebSocket gets through.
  offer(text, status, done) {
    if (!text || this.connection === "open") return;
    this.confirm(done);
    const frame = decodeFrame(fromBase64(text));
    if (!this.frame || frame.seq > this.frame.seq) this.onFrame(frame);
    this.merge(status);
  }

  // -- status ----------------------------------------------------------------------------------------------------

  onText(message) {
    if ("ack" in message) this.onAck(message);
    else if (message.idle) this.merge({ experiment_version: message.idle.edits, ...message.idle });
    else if (message.error) {
      this.notice = message.error;
      this.tell("status", this.status);
    }
  }

  // First paint: what Python knew when it drew the page; a frame or an idle report replaces it.
  seed(status) {
    if (status && !this.frame && this.connection !== "open") this.merge(status);
  }

  merge(news) {
    const status = this.status;
    for (const field of STATUS_FIELDS) if (news[field] !== undefined) status[field] = this.heard[field] = news[field];
    Object.assign(status, this.expected);
    this.tell("status", status);
  }

  expect(values) {
    this.expected = values;
    this.heard = {};
    this.expectFor(OPTIMISTIC_MS);
    Object.assign(this.status, values);
    this.notice = null;
    this.tell("status", this.status);
  }

  // The expectation ends by the clock, not by the next report: a paused run may have nothing more to report. What was
  // reported meanwhile then holds: a run told to play may have gone into the queue.
  expectFor(milliseconds) {
    clearTimeout(this.expecting);
    this.expecting = setTimeout(() => {
      this.expected = null;
      this.merge(this.heard);
    }, milliseconds);
  }

  // -- verbs -----------------------------------------------------------------------------------------------------

  raw(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  // Send a verb; resolves with the acknowledgement, rejects with the engine's sentence.
  ask(verb, args = {}) {
    const id = this.nextId++;
    if (!this.raw({ id, do: verb, ...args })) {
      if (this.connection === "fallback") {
        this.mail({ do: verb, ...args });
        return Promise.resolve({ ok: true });
      }
      return Promise.reject(new Error("There is no connection to the server yet: it retries by itself."));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Error("The training process did not answer in time."));
      }, ACK_MS);
      this.waiting.set(id, { resolve, reject, timer });
    });
  }

  // Without a stream, verbs travel with Streamlit's reruns. A later one would displace an earlier one and a rerun may
  // lose one, so they go one by one, each again until Python has told its number back (it does each only once).
  mail(action) {
    this.lastMail = Math.max(Date.now(), this.lastMail + 1);
    this.outbox.push({ ...action, at: this.lastMail });
    if (this.outbox.length === 1) this.deliver();
  }

  deliver() {
    clearTimeout(this.redelivery);
    if (!this.outbox.length || this.closed) return;
    this.post?.(this.outbox[0]);
    this.redelivery = setTimeout(() => this.deliver(), REDELIVER_MS);
  }

  confirm(number) {
    if (!this.outbox.length || this.outbox[0].at > number) return;
    while (this.outbox.length && this.outbox[0].at <= number) this.outbox.shift();
    this.deliver();
  }

  onAck(message) {
    const waiting = this.waiting.get(message.ack);
    if (!waiting) return;
    this.waiting.delete(message.ack);
    clearTimeout(waiting.timer);
    if (message.ok === false) waiting.reject(new Error(message.error || "The training process refused that."));
    else waiting.resolve(message);
  }

  // Send a verb and show its effect at once; a refusal takes it back and leaves its sentence as the notice.
  async act(verb, args = {}, optimistic = null) {
    const before = { ...this.status };
    if (optimistic) this.expect(optimistic);
    try {
      const ack = await this.ask(verb, args);
      // frames written before the verb may still be under way: keep the expectation for a moment longer
      if (this.expected) this.expectFor(SETTLE_MS);
      return ack;
    } catch (error) {
      this.expected = null;
      if (optimistic) for (const field of Object.keys(optimistic)) this.status[field] = before[field];
      this.notice = error.message;
      this.tell("status", this.status);
      return null;
    }
  }

  get playing() {
    return ["running", "warming", "queued"].includes(this.status.state);
  }

  play() {
    this.endSlow();
    return this.act("play", {}, { state: "running", past: null });
  }

  pause() {
    return this.act("pause", {}, { state: "paused", sps: 0 });
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  step(n, players = null) {
    this.endSlow();
    return this.act("step", players ? { n, players } : { n }, { state: "paused" });
  }

  // Show a saved moment (null: the present) without leaving the run where it is.
  look(step) {
    this.outbox = this.outbox.filter((mail, i) => i === 0 || mail.do !== "look"); // the last one wins
    return this.act("look", { step }, { past: step });
  }

  // Go on from a saved moment; what came after it is cut. The page learns of it: its curves are shorter now.
  async rewind(step) {
    const ack = await this.act("goto", { step }, { state: "paused", step, past: null, error: null });
    if (ack) this.post?.({ do: "rewound", step });
  }

  async pick(i) {
    this.picked = i === null ? null : { i };
    this.tell("pick", this.picked);
    if (i === null) return;
    const ack = await this.act("pick", { i });
    if (ack?.data && this.picked?.i === i) {
      this.picked = { i, ...ack.data };
      this.tell("pick", this.picked);
    }
  }

  // -- slow motion -----------------------------------------------------------------------------------------------

  async trace() {
    const ack = await this.act("trace", {}, { state: "paused", past: null });
    const steps = ack?.data?.steps;
    if (!steps?.length) return;
    this.slow = { steps, step: ack.data.step, at: 0, auto: this.slow?.auto ?? false };
    this.tell("slow", this.slow);
  }

  slowTo(at) {
    if (!this.slow) return;
    this.slow.at = Math.max(0, Math.min(at, this.slow.steps.length - 1));
    this.tell("slow", this.slow);
  }

  endSlow() {
    if (!this.slow) return;
    this.slow = null;
    this.tell("slow", null);
  }
}
