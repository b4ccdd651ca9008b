// A square wall of images in whole pixels, row by row, on one canvas: each with D's opinion as a line under it.
import { putImage, sizes } from "./items.js";
import { PRGN_WORDS } from "./palette.js";

const GAP = 3; // css pixels between tiles
const LINE = 3; // of D's opinion under a tile
const CRISP = 0.8; // of the room that whole pixels must fill; else sizes are exact and edges a little soft
const GUTTER = 44; // for the names of rows

export class Tiles {
  constructor(canvas) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d");
    this.one = document.createElement("canvas");
    this.large = document.createElement("canvas");
    this.at = null; // the tile pointed at
    this.picked = null;
    this.lines = true;
  }

  setTheme(colours) {
    this.colours = colours;
  }

  // `array` (N, H, W) or (N, H, W, 3); `scores` of the tiles as 0..1 from fake to real, or null; `names` of the rows.
  load(array, columns, scores = null, names = null) {
    Object.assign(this, { array, columns, scores, names: numbers(names), count: array.shape[0] });
  }

  get rows() {
    return Math.ceil(this.count / this.columns);
  }

  // Lay the tiles out in a square of so many css pixels; an image pixel is a whole number of
  // device pixels where that leaves little room empty.
  fit(room) {
    const ratio = window.devicePixelRatio || 1;
    const { h, w } = this.array ? sizes(this.array) : { h: 28, w: 28 };
    const columns = this.columns ?? 8;
    const gutter = this.names ? Math.round(GUTTER * ratio) : 0;
    const pitch = Math.floor(Math.min((room * ratio - gutter) / columns, (room * ratio) / (this.rows || columns)));
    const space = pitch - Math.round((GAP + (this.lines ? LINE : 0)) * ratio);
    const fits = space / Math.max(h, w);
    const whole = Math.floor(fits);
    const scale = whole / fits >= CRISP ? whole : fits;
    this.place = { pitch, ratio, w: Math.max(1, Math.round(w * scale)), h: Math.max(1, Math.round(h * scale)) };
    this.finer = scale === whole ? 1 : Math.ceil(fits); // first enlarged in whole pixels, then brought to size smoothly
    this.place.left = gutter + Math.floor((room * ratio - gutter - pitch * columns) / 2);
    const side = Math.round(room * ratio);
    if (this.canvas.width !== side || this.canvas.height !== side) Object.assign(this.canvas, { width: side, height: side });
    Object.assign(this.canvas.style, { width: `${room}px`, height: `${room}px` });
  }

  // The corner of tile i, in device pixels.
  corner(i) {
    const { pitch, w, left } = this.place;
    return [left + (i % this.columns) * pitch + Math.floor((pitch - w) / 2), Math.floor(i / this.columns) * pitch + 1];
  }

  // Which tile lies at (x, y) in css pixels, or null.
  tileAt(x, y) {
    if (!this.array || !this.place) return null;
    const { pitch, ratio, left } = this.place;
    const [column, row] = [Math.floor((x * ratio - left) / pitch), Math.floor((y * ratio) / pitch)];
    const i = row * this.columns + column;
    return column >= 0 && column < this.columns && row >= 0 && i < this.count ? i : null;
  }

  paint() {
    const { ctx, canvas, array, place } = this;
    if (!place || !this.colours) return;
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    if (!array) return;
    const { h, w } = sizes(array);
    const pen = sized(this.one, w, h).getContext("2d", { willReadFrequently: true });
    const large = sized(this.large, w * this.finer, h * this.finer).getContext("2d");
    large.imageSmoothingEnabled = false;
    ctx.imageSmoothingEnabled = this.finer > 1 || place.w < w;
    ctx.imageSmoothingQuality = "high";
    for (let i = 0; i < this.count; i++) {
      const [x, y] = this.corner(i);
      putImage(pen, array, i, 0, 0);
      if (this.finer > 1) large.drawImage(this.one, 0, 0, w * this.finer, h * this.finer);
      ctx.drawImage(this.finer > 1 ? this.large : this.one, x, y, place.w, place.h);
      if (this.lines && this.scores) this.line(x, y + place.h, this.scores[i]);
    }
    this.tellRows();
    if (this.picked !== null && this.picked < this.count) this.frame(this.picked, this.colours.recon, 3);
    if (this.at !== null && this.at < this.count) this.frame(this.at, this.colours.ink, 2);
  }

  tellRows() {
    const { ctx, place, names } = this;
    if (!names) return;
    ctx.fillStyle = this.colours.faint;
    ctx.font = `${12 * place.ratio}px ${this.colours.font}`;
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    names.forEach((name, row) => ctx.fillText(short(name), place.left - 6 * place.ratio, row * place.pitch + place.h / 2));
  }

  // As long as D finds the tile real, in D's colours.
  line(x, y, score) {
    const { ctx, place } = this;
    if (!Number.isFinite(score)) return;
    const share = Math.max(0, Math.min(1, score));
    const word = PRGN_WORDS[Math.round(255 * (share < 0.5 ? Math.min(share, 0.35) : Math.max(share, 0.65)))];
    const tall = Math.max(2, Math.round(LINE * place.ratio) - 1);
    ctx.fillStyle = this.colours.dark ? "#3a414b" : "#e3e6ea";
    ctx.fillRect(x, y + 1, place.w, tall);
    ctx.fillStyle = `rgb(${word & 255} ${(word >> 8) & 255} ${(word >> 16) & 255})`;
    ctx.fillRect(x, y + 1, Math.max(place.ratio, Math.round(share * place.w)), tall);
  }

  frame(i, colour, wide) {
    const { ctx, place } = this;
    const [x, y] = this.corner(i);
    const pen = Math.round(wide * place.ratio);
    ctx.strokeStyle = colour;
    ctx.lineWidth = pen;
    ctx.strokeRect(x - pen / 2, y - pen / 2, place.w + pen, place.h + pen);
  }

  // The whole wall as one picture with a caption, for a file.
  picture(caption, paper, ink, font) {
    const strip = Math.round(28 * this.place.ratio);
    const out = document.createElement("canvas");
    Object.assign(out, { width: this.canvas.width, height: this.canvas.height + strip });
    const ctx = out.getContext("2d");
    ctx.fillStyle = paper;
    ctx.fillRect(0, 0, out.width, out.height);
    ctx.fillStyle = ink;
    ctx.font = `${13 * this.place.ratio}px ${font}`;
    ctx.textBaseline = "middle";
    ctx.fillText(caption, this.place.left + 2, strip / 2);
    ctx.drawImage(this.canvas, 0, strip);
    return out;
  }
}

const short = (name) => (name.length > 6 ? `${name.slice(0, 5)}…` : name);

// "category 1", "category 2", … are told apart by their numbers.
function numbers(names) {
  const found = names?.map((name) => /^(.+) (\d+)$/.exec(name));
  return found?.every((match) => match && match[1] === found[0][1]) ? found.map((match) => match[2]) : names;
}

function sized(canvas, width, height) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return canvas;
}
