// Items of every kind as pictures: images in whole pixels, sequences as lines, points of a cloud as numbers.
import { GREYS, signedWords } from "./palette.js";

// {shape, data} of nested lists, as verbs and the model's route give an item or several.
export function fromLists(lists) {
  const shape = [];
  for (let level = lists; Array.isArray(level); level = level[0]) shape.push(level.length);
  return { shape, data: Float32Array.from(lists.flat(Infinity)) };
}

export const onlyItem = ({ shape, data }) => ({ shape: [1, ...shape], data });

// Height, width and channels of images (n, H, W) or (n, H, W, 3).
export function sizes({ shape }) {
  return { n: shape[0], h: shape[1], w: shape[2], channels: shape[3] ?? 1 };
}

// Write image i of an array into `ctx` at (x, y), one canvas pixel a pixel. With a table, grey values are its entries.
export function putImage(ctx, array, i, x, y, words = GREYS) {
  const { h, w, channels } = sizes(array);
  const image = ctx.createImageData(w, h);
  const out = new Uint32Array(image.data.buffer);
  const from = i * h * w * channels;
  const { data } = array;
  if (channels === 1) for (let k = 0; k < h * w; k++) out[k] = words[data[from + k] & 255];
  else for (let k = 0, s = from; k < h * w; k++, s += 3) {
    out[k] = ((255 << 24) | (data[s + 2] << 16) | (data[s + 1] << 8) | data[s]) >>> 0;
  }
  ctx.putImageData(image, x, y);
}

// The largest whole number of device pixels a pixel such that `size` pixels fit into `room` css pixels; below one image
// pixel a device pixel there is no crisp way, so it shrinks smoothly.
export function scaleFor(size, room, ratio) {
  const fits = (room * ratio) / size;
  return fits >= 1 ? Math.floor(fits) : fits;
}

// Reconstruction minus input as frames hold it: images as 128 + 127 times the difference.
export function residualOf(inputs, recon, kind) {
  const images = kind === "images";
  const data = images ? new Uint8Array(recon.data.length) : new Float32Array(recon.data.length);
  for (let k = 0; k < data.length; k++) {
    const apart = recon.data[k] - inputs.data[k];
    data[k] = images ? Math.round(128 + (127 / 255) * apart) : apart;
  }
  return { shape: recon.shape, data };
}

// The range of a sequence array, with a little air; the same for all that are compared.
export function rangeOf(...arrays) {
  let low = Infinity;
  let high = -Infinity;
  for (const array of arrays) {
    if (!array) continue;
    for (const v of array.data) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  if (!(high > low)) return [low - 1 || -1, low + 1 || 1];
  const air = 0.06 * (high - low);
  return [low - air, high + air];
}

const DASHES = [[], [4, 3], [1.5, 2.5]]; // further channels of one sequence

// Draw sequence i of (n, T, C) into the box {x, y, w, h} (device pixels).
export function putLine(ctx, array, i, box, [low, high], colour, width) {
  const [, length, channels] = array.shape;
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.x, box.y, box.w, box.h);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.lineJoin = "round";
  for (let c = 0; c < channels; c++) {
    ctx.setLineDash((DASHES[c % DASHES.length]).map((d) => d * width));
    ctx.beginPath();
    for (let t = 0; t < length; t++) {
      const v = array.data[(i * length + t) * channels + c];
      const x = box.x + (t / Math.max(1, length - 1)) * box.w;
      const y = box.y + (1 - (v - low) / (high - low)) * box.h;
      if (t) ctx.lineTo(x, y);
      else ctx.moveTo(x, y);
    }
    ctx.stroke();
  }
  ctx.restore();
}

// One item, as large as fits into `size` css pixels in whole pixels. Keeps its place while it has nothing to show.
export class Picture {
  constructor(size, label) {
    this.size = size;
    this.box = document.createElement("div");
    this.box.className = "picture";
    this.box.style.setProperty("--size", `${size}px`);
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    this.box.append(this.canvas);
    this.ctx = this.canvas.getContext("2d");
    this.blank();
  }

  setTheme(colours) {
    this.colours = colours;
    this.again?.();
  }

  blank() {
    this.again = null;
    this.canvas.hidden = true;
  }

  // kind images sequences cloud; `under` is drawn thin below a sequence, `signed` shows differences.
  show(kind, array, i = 0, { under = null, signed = false, range = null } = {}) {
    this.again = () => this.show(kind, array, i, { under, signed, range });
    this.canvas.hidden = false;
    const ratio = window.devicePixelRatio || 1;
    if (kind === "images") return this.image(array, i, signed, ratio);
    const w = Math.round(this.size * ratio);
    const h = Math.round(this.size * 0.62 * ratio);
    Object.assign(this.canvas, { width: w, height: h });
    Object.assign(this.canvas.style, { width: `${w / ratio}px`, height: `${h / ratio}px` });
    if (!this.colours) return;
    const { ctx, colours } = this;
    if (kind === "sequences") {
      const box = { x: 0, y: 0, w, h };
      const within = range ?? rangeOf(array, under);
      if (under) putLine(ctx, under, i, box, within, colours.faint, 1.2 * ratio);
      putLine(ctx, array, i, box, within, signed ? colours.ink : colours.recon, 1.8 * ratio);
      return;
    }
    ctx.fillStyle = colours.ink;
    ctx.font = `${13 * ratio}px ${colours.font}`;
    for (let k = 0; k < 3; k++) {
      ctx.fillText(`x${"₁₂₃"[k]}  ${array.data[3 * i + k].toFixed(2).replace("-", "−")}`, 8 * ratio, (20 + 20 * k) * ratio);
    }
  }

  image(array, i, signed, ratio) {
    const { h, w } = sizes(array);
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    const scale = scaleFor(Math.max(h, w), this.size, ratio) / ratio;
    Object.assign(this.canvas.style, { width: `${w * scale}px`, height: `${h * scale}px` });
    putImage(this.ctx, array, i, 0, 0, signed ? signedWords(this.colours?.dark) : GREYS);
  }
}
