// Small helpers of every component: elements, numbers, the mount contract with Streamlit.
import { icon } from "./icons.js";

// Make an element: h("button.big", {onclick, "aria-label": "…"}, child, "text").
export function h(spec, props = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// A button with an icon and words. A mouse click leaves the focus where it was, so that the space key goes on playing.
export function button(name, label, onclick, { kind = "", title = null, words = true, key = null } = {}) {
  return h(
    `button.b${kind ? "." + kind : ""}`,
    {
      type: "button", onclick, title: title ?? (words ? null : label), "aria-label": words ? null : label,
      "aria-keyshortcuts": key, onmousedown: (event) => event.preventDefault(),
    },
    name ? icon(name) : null,
    words ? h("span", { text: label }) : null,
  );
}

// Write text only where it changed: an equal write would still cost a layout.
export function say(element, text) {
  const only = element.childNodes.length === 1 ? element.firstChild.nodeValue : element.childNodes.length ? null : "";
  if (only !== text) element.textContent = text;
}

export function toggleClass(element, name, on) {
  if (element.classList.contains(name) !== on) element.classList.toggle(name, on);
}

export function show(element, on) {
  if (element.hidden === on) element.hidden = !on;
}

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
export const count = (n) => (Number.isFinite(n) ? whole.format(n) : "–");

// A measured number in at most three figures: 0.00431 -> 0.0043, 12.3 -> 12.3.
export function figure(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1000) return whole.format(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.1 || size === 0) return value.toFixed(2);
  return size >= 0.001 ? value.toFixed(3) : value.toExponential(0);
}

export const signed = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

// Save a canvas as a PNG file of this name.
export function savePicture(canvas, name) {
  canvas.toBlob((blob) => {
    const link = h("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 5000);
  });
}

const mounts = new WeakMap();

// Streamlit calls a component's default export again on every new `data`; the same element must stay as it is.
// `create(root)` returns {update(component), destroy()}.
export function mount(component, create) {
  const parent = component.parentElement;
  let made = mounts.get(parent);
  if (!made) mounts.set(parent, (made = create(parent.querySelector(".pg"), component)));
  made.update(component);
  return () => {
    mounts.delete(parent);
    made.destroy();
  };
}

// The path that the app is served under: Streamlit's own scripts tell, also behind a proxy that strips a prefix.
export function appBase() {
  const script = document.querySelector('script[src*="static/js/"]');
  return script ? script.src.split("static/js/")[0] : new URL("./", document.baseURI).href;
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// Follow a run: subscribes to its hub, moves over when the run id changes, lets go at the end. `main` is the component
// (the transport) through which the page hears what any of them has to say; `post` is a component's own way to Python.
export class Follower {
  constructor(hubOf, topics, main = false) {
    this.hubOf = hubOf;
    this.topics = topics;
    this.main = main;
    this.hub = null;
    this.offs = [];
  }

  follow({ data, setTriggerValue }) {
    if (!this.hub || this.hub.runId !== data.run) {
      this.leave();
      this.hub = this.hubOf(data.run, data.token, appBase());
      for (const [topic, listener] of Object.entries(this.topics)) this.offs.push(this.hub.on(topic, listener));
    }
    this.post = (action) => {
      if (action.do !== "changed") this.spokeAt = performance.now();
      setTriggerValue("action", { at: Date.now(), ...action });
    };
    if (this.main || !this.hub.mainPost) this.hub.post = this.post;
    if (this.main) this.hub.mainPost = true;
    this.hub.seed(data.status);
    return this.hub;
  }

  leave() {
    for (const off of this.offs) off();
    this.offs = [];
    if (this.main && this.hub) this.hub.mainPost = false;
    this.hub?.release();
    this.hub = null;
  }
}
