// The wall's picture: rows of the same items, aligned column by column, in whole pixels. Draws on one canvas.
import { figure } from "./dom.js";
import { putImage, putLine, rangeOf, scaleFor, sizes } from "./items.js";
import { GREYS, signedWords } from "./palette.js";

export const ROWS = [
  { id: "inputs", label: "Input", help: "Held-out items: the model never trains on them." },
  { id: "corrupted", label: "Corrupted", help: "What the encoder sees of them while it trains." },
  { id: "recon", label: "Reconstruction", help: "What the decoder makes of the code." },
  { id: "pca", label: "PCA", help: "What principal components make of them, with as many numbers as the code has." },
  { id: "residual", label: "Residual", help: "Reconstruction minus input." },
];
const FITS = { images: 40, sequences: 104 }; // css pixels that a column needs before fewer are shown
const ROOMY = 66; // the same for a wall that stands still and has many lines
const GUTTER = 104;
const TOP = 20;
const TEXT = 18;
const GAP = 6;

export class Grid {
  constructor(canvas) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d");
    this.shown = new Set(ROWS.map(({ id }) => id));
    this.from = 0; // the first column in sight
    this.at = null; // the column pointed at
    this.strip = document.createElement("canvas");
  }

  setTheme(colours) {
    this.colours = colours;
  }

  // arrays as frames have them; `about` {kind, columns: [{class, error, pca}], classes}
  load(arrays, about) {
    this.arrays = arrays;
    this.about = about;
    this.count = arrays.inputs?.shape[0] ?? arrays.recon?.shape[0] ?? about.columns?.length ?? 0;
    if (about.kind === "sequences") this.range = rangeOf(arrays.inputs, arrays.recon);
  }

  get rows() {
    return ROWS.filter(({ id }) => this.shown.has(id) && this.arrays?.[id]
      // a reconstruction of a sequence is drawn over its input: the input needs no row of its own
      && !(this.about.kind === "sequences" && id === "inputs" && this.shown.has("recon") && this.arrays.recon));
  }

  // Fit into a width; `room` is the height that five rows may take. Returns the height taken (css pixels): that of all
  // rows that may come, or of those that are there (`tight`, for a wall that stands still).
  fit(width, room, tight = false) {
    const ratio = window.devicePixelRatio || 1;
    const kind = this.about?.kind ?? "images";
    const narrow = width < 480;
    const gutter = narrow ? 0 : GUTTER;
    const total = Math.max(1, this.count || 10);
    const least = tight && kind === "images" ? ROOMY : FITS[kind] ?? 40;
    const columns = Math.max(Math.min(total, 4), Math.min(total, Math.floor((width - gutter) / least)));
    const pitch = (width - gutter) / columns;
    const image = this.arrays?.inputs && kind === "images" ? sizes(this.arrays.inputs) : { h: 28, w: 28 };
    const scale = kind === "images"
      ? Math.min(scaleFor(image.w, pitch - 4, ratio), scaleFor(image.h, Math.max(image.h / ratio, room / ROWS.length - GAP), ratio))
      : 1;
    const tileW = kind === "images" ? (image.w * scale) / ratio : pitch - 8;
    const tileH = kind === "images" ? (image.h * scale) / ratio : Math.min(104, pitch * 0.72);
    const name = narrow ? TEXT : 0;
    this.place = { width, ratio, gutter, columns, pitch, tileW, tileH, name, narrow };
    if (!tight) this.from = Math.max(0, Math.min(this.from, total - columns));
    const rows = !tight ? ROWS.length : this.arrays ? this.rows.length : this.shown.size;
    const texts = tight && !this.arrays?.pca ? 1 : 2;
    const height = TOP + rows * (tileH + GAP + name) + texts * (TEXT - GAP / 2) + (tight ? 0 : GAP);
    const w = Math.round(width * ratio);
    const h = Math.round(height * ratio);
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    this.canvas.style.height = `${height}px`;
    return height;
  }

  // The column under a css x, or null.
  columnAt(x) {
    const { gutter, pitch, columns } = this.place;
    const k = Math.floor((x - gutter) / pitch);
    return k >= 0 && k < columns && this.from + k < this.count ? this.from + k : null;
  }

  centre(i) {
    return this.place.gutter + (i - this.from + 0.5) * this.place.pitch;
  }

  paint() {
    const { ctx, canvas, colours, place } = this;
    if (!place || !colours) return;
    if (!this.arrays) return this.skeleton();
    const { ratio } = place;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    ctx.scale(ratio, ratio);
    ctx.textBaseline = "middle";
    if (this.at !== null) this.mark();
    this.header();
    let y = TOP;
    for (const row of this.rows) y = this.paintRow(row, y);
  }

  // Where the items will stand, until they come.
  skeleton() {
    const { ctx, place } = this;
    const { ratio, columns, tileW, tileH, name } = place;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    ctx.fillStyle = this.colours.ink;
    ctx.globalAlpha = 0.06;
    for (let row = 0; row < 3; row++) for (let k = 0; k < columns; k++) {
      ctx.fillRect(this.centre(k) - tileW / 2, TOP + name + row * (tileH + GAP + name), tileW, tileH);
    }
    ctx.globalAlpha = 1;
  }

  mark() {
    const { ctx, place } = this;
    ctx.fillStyle = this.colours.ink;
    ctx.globalAlpha = 0.08;
    ctx.fillRect(this.centre(this.at) - place.pitch / 2 + 1, 0, place.pitch - 2, this.canvas.height / place.ratio);
    ctx.globalAlpha = 1;
  }

  header() {
    this.font(12);
    this.ctx.fillStyle = this.colours.ink;
    this.each((i, x) => this.ctx.fillText(this.short(this.about.columns?.[i]?.class ?? "", this.place.pitch - 4), x, TOP / 2 + 1));
  }

  font(size, align = "center") {
    this.ctx.font = `${size}px ${this.colours.font}`;
    this.ctx.textAlign = align;
  }

  short(text, room) {
    let told = String(text);
    while (told.length > 2 && this.ctx.measureText(told).width > room) told = `${told.slice(0, -2)}…`;
    return told;
  }

  each(draw) {
    for (let k = 0; k < this.place.columns && this.from + k < this.count; k++) draw(this.from + k, this.centre(this.from + k));
  }

  paintRow({ id, label }, y) {
    const { ctx, place, colours } = this;
    const { tileH, gutter, name, narrow } = place;
    const whole = this.about.kind === "sequences" && id === "recon" ? "Reconstruction" : label;
    this.font(12, "left");
    ctx.fillStyle = colours.faint;
    if (narrow) ctx.fillText(whole, 2, y + name / 2);
    else ctx.fillText(whole, 4, y + tileH / 2, gutter - 8);
    y += name;
    if (this.about.kind === "images") this.images(id, y);
    else this.lines(id, y);
    y += tileH + GAP;
    const field = { recon: "error", pca: "pca" }[id];
    if (!field || !this.about.columns) return y;
    this.font(11);
    ctx.fillStyle = colours.faint;
    this.each((i, x) => {
      const value = this.about.columns[i]?.[field];
      if (Number.isFinite(value)) ctx.fillText(figure(value).replace("-", "−"), x, y - GAP + TEXT / 2);
    });
    return y + TEXT - GAP / 2;
  }

  // All tiles of a row are written once into a strip of natural size and enlarged from there.
  images(id, y) {
    const { ctx, strip, place } = this;
    const array = this.arrays[id];
    const { n, h, w } = sizes(array);
    if (strip.width !== w * n || strip.height !== h) Object.assign(strip, { width: w * n, height: h });
    const words = id === "residual" ? signedWords(this.colours.dark) : GREYS;
    const from = strip.getContext("2d", { willReadFrequently: true });
    this.each((i) => putImage(from, array, i, i * w, 0, words));
    const { ratio, tileW, tileH } = place;
    ctx.imageSmoothingEnabled = tileW * ratio < w;
    const snap = (v) => Math.round(v * ratio) / ratio;
    this.each((i, x) => ctx.drawImage(strip, i * w, 0, w, h, snap(x - tileW / 2), snap(y), tileW, tileH));
  }

  lines(id, y) {
    const { ctx, place, colours, arrays } = this;
    const { tileW, tileH } = place;
    const residual = id === "residual";
    const span = this.range[1] - this.range[0];
    const range = residual ? [-span / 2, span / 2] : this.range;
    this.each((i, x) => {
      const box = { x: x - tileW / 2, y, w: tileW, h: tileH };
      ctx.fillStyle = colours.ink;
      ctx.globalAlpha = 0.05;
      ctx.fillRect(box.x, box.y, box.w, box.h);
      if (residual) ctx.fillRect(box.x, y + tileH / 2 - 0.5, tileW, 1);
      ctx.globalAlpha = 1;
      if (id === "recon" || id === "pca") putLine(ctx, arrays.inputs ?? arrays.recon, i, box, range, colours.faint, 1);
      const colour = { inputs: colours.faint, corrupted: colours.faint, residual: colours.ink }[id] ?? colours.recon;
      putLine(ctx, arrays[id], i, box, range, colour, id === "inputs" || id === "corrupted" ? 1 : 1.6);
    });
  }

  // One line about a column, for the tip and for those who cannot see the picture.
  tell(i) {
    const { class: name, error, pca } = this.about.columns?.[i] ?? {};
    const parts = [name === undefined || name === null ? `Item ${i + 1}` : `${name}`];
    if (Number.isFinite(error)) parts.push(`error ${figure(error)}`);
    if (Number.isFinite(pca)) parts.push(`PCA ${figure(pca)}`);
    return parts.join(" · ");
  }
}

