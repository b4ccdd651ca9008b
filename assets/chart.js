// A map of points in the plane: coloured and shaped by class, with what lies under and over them, on one canvas.
import { calm } from "./dom.js";
import { axes } from "./layers.js";
import { classColour } from "./palette.js";
import { View } from "./view.js";

const SHAPES = 4; // disc, square, diamond, triangle: a shape repeats what the colour says
const RADIUS = 2.9; // css pixels
const GLIDE = 500; // milliseconds

// A view whose rest is not at the origin.
export class CentredView extends View {
  reset() {
    super.reset();
    [this.cx, this.cy] = this.home ?? [0, 0];
  }

  setHome(home) {
    this.home = home;
    if (!this.moved) [this.cx, this.cy] = home;
  }
}

// The mark of class k as an SVG, for legends.
export function mark(k, dark = false) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-8 -8 16 16");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ["M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0", "M-4.5-4.5h9v9h-9z", "M0-6.500L6.500 0 0 6.500-6.500 0z", "M0-6L6.200 5H-6.200z"][shapeOf(k)]);
  path.setAttribute("fill", classColour(k, dark));
  svg.append(path);
  return svg;
}

function shapeOf(k) {
  return k === 255 ? 0 : (k + Math.floor(k / 10)) % SHAPES;
}

function sprite(k, radius, ratio, colours) {
  const canvas = document.createElement("canvas");
  const size = (canvas.width = canvas.height = Math.ceil((2 * radius + 3) * ratio));
  const ctx = canvas.getContext("2d");
  const r = radius * ratio;
  ctx.translate(size / 2, size / 2);
  ctx.beginPath();
  const shape = shapeOf(k);
  if (shape === 0) ctx.arc(0, 0, r, 0, 7);
  else if (shape === 1) ctx.rect(-0.88 * r, -0.88 * r, 1.76 * r, 1.76 * r);
  else if (shape === 2) poly(ctx, [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]], r);
  else poly(ctx, [[0, -1.2], [1.15, 0.85], [-1.15, 0.85]], r);
  ctx.lineWidth = 1.1 * ratio;
  ctx.strokeStyle = colours.paper;
  ctx.stroke();
  ctx.fillStyle = classColour(k, colours.dark);
  ctx.fill();
  return canvas;
}

function poly(ctx, points, r) {
  points.forEach(([x, y], i) => (i ? ctx.lineTo(x * r, y * r) : ctx.moveTo(x * r, y * r)));
  ctx.closePath();
}

export class Chart {
  constructor(canvas, names) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d", { alpha: false });
    this.view = new CentredView();
    this.names = names;
    this.points = null; // typed array x, y, x, y …
    this.unit = 1; // data units of one
    this.classes = null;
    this.only = null; // the class that is isolated
    this.chosen = null; // Uint8Array, 1 where selected
    this.under = null; // draws before the points
    this.over = null;
    this.labels = []; // names of classes to write where they lie
    this.lit = null; // the point under the pointer
    this.radius = RADIUS;
  }

  setTheme(colours) {
    this.colours = colours;
    this.sprites = new Map();
  }

  resize(size) {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const device = Math.round(size * ratio);
    if (!size || (this.canvas.width === device && this.canvas.height === device && this.view.ratio === ratio)) return;
    this.canvas.width = this.canvas.height = device;
    this.view.resize(size, ratio);
    this.sprites = new Map();
    this.paint();
  }

  // Let points go to new places; both are at rest in the same picture, `home` and `extent` being where it rested before.
  glide(to, home, extent) {
    const { points: from, view } = this;
    this.points = to;
    cancelAnimationFrame(this.gliding);
    if (!from || from.length !== to.length || calm()) return;
    const zoom = view.extent / extent;
    const start = from.map((v, k) => view.home[k % 2] + (v - home[k % 2]) * zoom);
    const begun = performance.now();
    const step = (now) => {
      const t = Math.min(1, (now - begun) / GLIDE);
      const eased = t * t * (3 - 2 * t);
      this.points = t < 1 ? to.map((v, k) => start[k] + (v - start[k]) * eased) : to;
      this.paint();
      if (t < 1) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  get n() {
    return this.points ? this.points.length / 2 : 0;
  }

  classOf(i) {
    return this.classes ? this.classes[i] : 255;
  }

  repaint() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      this.paint();
    });
  }

  paint() {
    const { ctx, view, colours } = this;
    if (!colours || view.side < 8) return;
    ctx.fillStyle = colours.paper;
    ctx.fillRect(0, 0, this.canvas.width, this.canvas.height);
    axes(ctx, view, colours, this.names);
    ctx.save();
    ctx.beginPath();
    ctx.rect(view.left, view.top, view.side, view.side);
    ctx.clip();
    this.under?.(ctx, view);
    if (this.points) this.dots();
    if (this.points && this.classes && this.labels.length) this.names_();
    this.over?.(ctx, view);
    ctx.restore();
  }

  faded(i) {
    return (this.only !== null && this.classOf(i) !== this.only) || (this.chosen !== null && !this.chosen[i]);
  }

  dots() {
    const { ctx, view, points, unit } = this;
    const draw = (wanted) => {
      for (let i = 0; i < this.n; i++) {
        if (this.faded(i) !== wanted) continue;
        const picture = this.spriteOf(this.classOf(i));
        const half = picture.width / 2;
        ctx.drawImage(picture, Math.round(view.x(points[2 * i] * unit) - half), Math.round(view.y(points[2 * i + 1] * unit) - half));
      }
    };
    if (this.only !== null || this.chosen) {
      ctx.globalAlpha = 0.12;
      draw(true);
    }
    ctx.globalAlpha = 0.85;
    draw(false);
    ctx.globalAlpha = 1;
    if (this.lit !== null && this.lit < this.n) this.ring(points[2 * this.lit] * unit, points[2 * this.lit + 1] * unit, 7);
  }

  spriteOf(k) {
    let found = this.sprites.get(k);
    if (!found) this.sprites.set(k, (found = sprite(k, this.radius, this.view.ratio, this.colours)));
    return found;
  }

  ring(x, y, radius) {
    const { ctx, view, colours } = this;
    ctx.strokeStyle = colours.ink;
    ctx.lineWidth = 1.8 * view.ratio;
    ctx.beginPath();
    ctx.arc(view.x(x), view.y(y), radius * view.ratio, 0, 7);
    ctx.stroke();
  }

  cross(x, y) {
    const { ctx, view, colours } = this;
    const r = 7 * view.ratio;
    const [px, py] = [view.x(x), view.y(y)];
    for (const [colour, width] of [[colours.paper, 5], [colours.ink, 2]]) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = width * view.ratio;
      ctx.beginPath();
      ctx.moveTo(px - r, py);
      ctx.lineTo(px + r, py);
      ctx.moveTo(px, py - r);
      ctx.lineTo(px, py + r);
      ctx.stroke();
    }
  }

  // The name of each class at the middle (median) of its points.
  names_() {
    const { ctx, view, points, unit, colours } = this;
    const by = new Map();
    for (let i = 0; i < this.n; i++) {
      const k = this.classes[i];
      if (k === 255 || (this.only !== null && k !== this.only)) continue;
      if (!by.has(k)) by.set(k, [[], []]);
      by.get(k)[0].push(points[2 * i]);
      by.get(k)[1].push(points[2 * i + 1]);
    }
    ctx.font = `600 ${13 * view.ratio}px ${colours.font}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.lineJoin = "round";
    for (const [k, [xs, ys]] of by) {
      const at = [view.x(median(xs) * unit), view.y(median(ys) * unit)];
      ctx.lineWidth = 4 * view.ratio;
      ctx.strokeStyle = colours.paper;
      ctx.strokeText(this.labels[k] ?? k, ...at);
      ctx.fillStyle = colours.ink;
      ctx.fillText(this.labels[k] ?? k, ...at);
    }
  }

  // The nearest visible point within `reach` css pixels, or null.
  nearest(px, py, reach = 12) {
    if (!this.points) return null;
    const { view, points, unit } = this;
    const [x, y] = view.toData(px, py);
    let best = ((reach * view.ratio) / view.scale) ** 2;
    let found = null;
    for (let i = 0; i < this.n; i++) {
      if (this.only !== null && this.classOf(i) !== this.only) continue;
      const d = (points[2 * i] * unit - x) ** 2 + (points[2 * i + 1] * unit - y) ** 2;
      if (d < best) [best, found] = [d, i];
    }
    return found;
  }
}

// [x low, x high, y low, y high] of points x, y, x, y …
export function bounds(points) {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let k = 0; k < points.length; k += 2) {
    [x0, x1] = [Math.min(x0, points[k]), Math.max(x1, points[k])];
    [y0, y1] = [Math.min(y0, points[k + 1]), Math.max(y1, points[k + 1])];
  }
  return x1 >= x0 ? [x0, x1, y0, y1] : [-1, 1, -1, 1];
}

function median(values) {
  const sorted = Float32Array.from(values).sort();
  return sorted[sorted.length >> 1];
}

// Buttons of the classes: a click isolates one, another click shows all again.
export function legend(element, chart, names, classes, changed) {
  const present = [...new Set(classes ?? [])].sort((a, b) => a - b);
  const key = `${names.join("|")}#${present.join()}#${chart.colours?.dark}`;
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  chart.only = null;
  const button = (k) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "chip";
    made.dataset.class = k;
    made.setAttribute("aria-pressed", "false");
    made.title = "Show this class alone";
    made.append(mark(k, chart.colours?.dark), Object.assign(document.createElement("span"), { textContent: k === 255 ? "no class" : names[k] ?? k }));
    made.addEventListener("mousedown", (event) => event.preventDefault());
    made.addEventListener("click", () => {
      chart.only = chart.only === k ? null : k;
      for (const each of element.children) each.setAttribute("aria-pressed", String(Number(each.dataset.class) === chart.only));
      changed();
    });
    return made;
  };
  element.replaceChildren(...(present.length > 1 || present[0] !== 255 ? present.map(button) : []));
}
