// How each layer is drawn. Every function takes the context, the view and plain arrays; none reads the page's layout,
// and those that run each frame allocate nothing.
import { FAKE, GENERATOR, PRGN_WORDS, REAL } from "./palette.js";
import { ticks } from "./view.js";

// -- points -----------------------------------------------------------------------------------------------------------

// A point's picture, drawn once: a disc for real, a diamond for fake, each with a thin rim that keeps it apart from
// the surface below.
export function sprite(shape, ratio, rim) {
  const radius = shape === "real" ? 2.7 : 3.4;
  const size = Math.ceil((radius + 1.5) * 2 * ratio);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const ctx = canvas.getContext("2d");
  const middle = size / 2;
  const r = radius * ratio;
  ctx.beginPath();
  if (shape === "real") ctx.arc(middle, middle, r, 0, 7);
  else diamond(ctx, middle, middle, r);
  ctx.lineWidth = 1.6 * ratio;
  ctx.strokeStyle = rim;
  ctx.stroke();
  ctx.fillStyle = shape === "real" ? REAL : FAKE;
  ctx.fill();
  return canvas;
}

function diamond(ctx, x, y, r) {
  ctx.moveTo(x, y - r);
  ctx.lineTo(x + r, y);
  ctx.lineTo(x, y + r);
  ctx.lineTo(x - r, y);
  ctx.closePath();
}

// `data` holds x, y pairs; `unit` turns them into data units.
export function points(ctx, view, data, unit, picture) {
  const half = picture.width / 2;
  const scale = view.scale * unit;
  const ox = view.x(0) - half;
  const oy = view.y(0) - half;
  for (let i = 0; i < data.length; i += 2) {
    if (clipped(data[i]) || clipped(data[i + 1])) continue;
    ctx.drawImage(picture, Math.round(ox + data[i] * scale), Math.round(oy - data[i + 1] * scale));
  }
}

// A frame holds whole numbers up to 32767 at the picture's extent: a point there lies further out, who knows where.
const clipped = (value) => value >= 32767 || value <= -32767;

export function outside(data) {
  let count = 0;
  for (let i = 0; i < data.length; i += 2) if (clipped(data[i]) || clipped(data[i + 1])) count++;
  return count;
}

// -- the discriminator's surface ----------------------------------------------------------------------------------------

// Cell values as colours; the browser's bilinear smoothing joins the cell centres.
export class Surface {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.ctx = this.canvas.getContext("2d");
  }

  load(values, side) {
    if (!this.image || this.canvas.width !== side) {
      this.canvas.width = this.canvas.height = side;
      this.image = this.ctx.createImageData(side, side);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    for (let j = 0; j < side; j++) {
      const from = (side - 1 - j) * side; // row 0 is the bottom
      for (let i = 0; i < side; i++) this.words[j * side + i] = PRGN_WORDS[values[from + i]];
    }
    this.ctx.putImageData(this.image, 0, 0);
  }

  draw(ctx, view, extent, alpha) {
    const side = 2 * extent * view.scale;
    ctx.globalAlpha = alpha;
    ctx.imageSmoothingEnabled = true;
    ctx.drawImage(this.canvas, view.x(-extent), view.y(extent), side, side);
    ctx.globalAlpha = 1;
  }
}

// D at a point, read from the surface's cells (bilinear), in the units of `range`; null outside.
export function surfaceAt(array, extent, range, x, y) {
  const side = array.shape[0];
  const i = ((x + extent) / (2 * extent)) * side - 0.5;
  const j = ((y + extent) / (2 * extent)) * side - 0.5;
  if (i < -0.5 || j < -0.5 || i > side - 0.5 || j > side - 0.5) return null;
  const i0 = Math.max(0, Math.min(side - 2, Math.floor(i)));
  const j0 = Math.max(0, Math.min(side - 2, Math.floor(j)));
  const u = Math.max(0, Math.min(1, i - i0));
  const v = Math.max(0, Math.min(1, j - j0));
  const at = (a, b) => array.data[b * side + a];
  const low = at(i0, j0) * (1 - u) + at(i0 + 1, j0) * u;
  const high = at(i0, j0 + 1) * (1 - u) + at(i0 + 1, j0 + 1) * u;
  return range[0] + ((low * (1 - v) + high * v) / 255) * (range[1] - range[0]);
}

// -- the generator ------------------------------------------------------------------------------------------------------

// The noise square pushed through G: filled more strongly where its cells are small, since there G puts more points.
export function manifold(ctx, view, data, side, unit) {
  const scale = view.scale * unit;
  const ox = view.x(0);
  const oy = view.y(0);
  const px = (k) => ox + data[2 * k] * scale;
  const py = (k) => oy - data[2 * k + 1] * scale;
  const even = (2 * view.extent * view.scale / (side - 1)) ** 2;
  ctx.fillStyle = FAKE;
  for (let band = 0; band < 4; band++) {
    ctx.beginPath();
    for (let j = 0; j + 1 < side; j++) {
      for (let i = 0; i + 1 < side; i++) {
        const a = j * side + i;
        const b = a + 1, d = a + side, c = d + 1;
        const area = Math.abs((px(c) - px(a)) * (py(d) - py(b)) - (px(d) - px(b)) * (py(c) - py(a))) / 2;
        const ratio = area / even;
        if ((ratio > 1 ? 0 : ratio > 0.3 ? 1 : ratio > 0.08 ? 2 : 3) !== band) continue;
        ctx.moveTo(px(a), py(a));
        ctx.lineTo(px(b), py(b));
        ctx.lineTo(px(c), py(c));
        ctx.lineTo(px(d), py(d));
        ctx.closePath();
      }
    }
    ctx.globalAlpha = 0.06 + 0.13 * band;
    ctx.fill("nonzero");
  }
  ctx.globalAlpha = 0.75;
  ctx.strokeStyle = FAKE;
  ctx.lineWidth = 0.8 * view.ratio;
  ctx.beginPath();
  for (let j = 0; j < side; j++) {
    ctx.moveTo(px(j * side), py(j * side));
    for (let i = 1; i < side; i++) ctx.lineTo(px(j * side + i), py(j * side + i));
    ctx.moveTo(px(j), py(j));
    for (let i = 1; i < side; i++) ctx.lineTo(px(i * side + j), py(i * side + j));
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

// Where G's loss pushes each of the first fakes.
export function arrows(ctx, view, from, vectors, unit) {
  const scale = view.scale * unit;
  const ox = view.x(0);
  const oy = view.y(0);
  const count = Math.min(from.length, vectors.length);
  const head = 3.4 * view.ratio;
  ctx.beginPath();
  for (let i = 0; i < count; i += 2) {
    const dx = vectors[i] * scale;
    const dy = -vectors[i + 1] * scale;
    const length = Math.hypot(dx, dy);
    if (length < 1.5 * view.ratio) continue;
    const x = ox + from[i] * scale;
    const y = oy - from[i + 1] * scale;
    arrow(ctx, x, y, dx, dy, length, Math.min(head, length * 0.6));
  }
  ctx.strokeStyle = GENERATOR;
  ctx.lineWidth = 1.2 * view.ratio;
  ctx.stroke();
}

export function arrow(ctx, x, y, dx, dy, length, head) {
  const ux = (dx / length) * head;
  const uy = (dy / length) * head;
  ctx.moveTo(x, y);
  ctx.lineTo(x + dx, y + dy);
  ctx.moveTo(x + dx - ux - uy * 0.6, y + dy - uy + ux * 0.6);
  ctx.lineTo(x + dx, y + dy);
  ctx.lineTo(x + dx - ux + uy * 0.6, y + dy - uy - ux * 0.6);
}

// The last positions of the first fakes. A ring of frames, allocated once.
export class Trails {
  constructor(fakes = 160, length = 14) {
    this.fakes = fakes;
    this.length = length;
    this.ring = Array.from({ length }, () => new Float32Array(fakes * 2));
    this.clear();
  }

  clear() {
    this.filled = 0;
    this.newest = -1;
    this.step = -1;
  }

  push(step, data, unit) {
    if (step === this.step) return;
    if (step < this.step) this.clear(); // the run went back
    this.step = step;
    this.newest = (this.newest + 1) % this.length;
    this.filled = Math.min(this.filled + 1, this.length);
    const row = this.ring[this.newest];
    const used = Math.min(row.length, data.length);
    for (let k = 0; k < used; k++) row[k] = data[k] * unit;
    this.used = used;
  }

  draw(ctx, view) {
    ctx.strokeStyle = FAKE;
    ctx.lineWidth = 1.1 * view.ratio;
    for (let age = 0; age + 1 < this.filled; age++) {
      const now = this.ring[(this.newest - age + this.length) % this.length];
      const before = this.ring[(this.newest - age - 1 + this.length) % this.length];
      ctx.globalAlpha = 0.7 * (1 - age / this.length);
      ctx.beginPath();
      for (let k = 0; k < this.used; k += 2) {
        ctx.moveTo(view.x(before[k]), view.y(before[k + 1]));
        ctx.lineTo(view.x(now[k]), view.y(now[k + 1]));
      }
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
  }
}

// -- what stands still ----------------------------------------------------------------------------------------------------

export function grid(ctx, view, ink) {
  const { left, top, side, ratio } = view;
  ctx.strokeStyle = ink;
  ctx.lineWidth = Math.max(1, Math.round(ratio));
  ctx.globalAlpha = 0.22;
  const x = Math.round(view.x(0)) + 0.5;
  const y = Math.round(view.y(0)) + 0.5;
  ctx.beginPath();
  if (x > left && x < left + side) ctx.rect(x, top, 0, side);
  if (y > top && y < top + side) ctx.rect(left, y, side, 0);
  ctx.stroke();
  ctx.globalAlpha = 1;
}

export function contours(ctx, view, path, ink) {
  ctx.save();
  ctx.translate(view.x(0), view.y(0));
  ctx.scale(view.scale, -view.scale);
  ctx.lineWidth = (1.1 * view.ratio) / view.scale;
  ctx.strokeStyle = ink;
  ctx.globalAlpha = 0.6;
  ctx.stroke(path);
  ctx.restore();
}

// Ticks, their numbers and the axes' names, outside the plot.
export function axes(ctx, view, colours, names) {
  const { left, top, side, ratio } = view;
  ctx.strokeStyle = colours.ink;
  ctx.fillStyle = colours.ink;
  ctx.lineWidth = Math.max(1, Math.round(ratio));
  ctx.globalAlpha = 0.35;
  ctx.strokeRect(left - 0.5, top - 0.5, side + 1, side + 1);
  ctx.globalAlpha = 0.72;
  ctx.font = `${12 * ratio}px ${colours.font}`;
  const bottom = top + side;
  const wanted = side / ratio < 360 ? 4 : 6;
  const { values, digits } = ticks(view.cx - view.half, view.cx + view.half, wanted);
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const value of values) {
    const x = Math.round(view.x(value)) + 0.5;
    line(ctx, x, bottom, x, bottom + 4 * ratio);
    if (x < left + side - 26 * ratio) ctx.fillText(tickText(value, digits), x, bottom + 7 * ratio);
  }
  const upright = ticks(view.cy - view.half, view.cy + view.half, wanted);
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const value of upright.values) {
    const y = Math.round(view.y(value)) + 0.5;
    line(ctx, left - 4 * ratio, y, left, y);
    if (y > top + 22 * ratio) ctx.fillText(tickText(value, upright.digits), left - 7 * ratio, y);
  }
  ctx.globalAlpha = 1;
  ctx.font = `${names[0] === "θ" ? "" : "italic "}${14 * ratio}px ${colours.font}`; // an italic θ looks like ϑ
  ctx.textBaseline = "top";
  ctx.fillText(names[0], left + side, bottom + 6 * ratio);
  ctx.fillText(names[1], left - 8 * ratio, top);
}

function line(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

function tickText(value, digits) {
  return (Math.abs(value) < 1e-12 ? 0 : value).toFixed(Math.min(digits, 6)).replace("-", "−");
}
