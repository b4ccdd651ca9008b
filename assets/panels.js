// The wall's further panels: filters, activations, samples from the prior. Each: {layers, load(frame), fit, paint}.
import { figure } from "./dom.js";
import { putImage, putLine, rangeOf, scaleFor, sizes } from "./items.js";
import { DECODER, ENCODER, evenWords } from "./palette.js";

class Panel {
  constructor(canvas) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d");
    this.tile = document.createElement("canvas");
  }

  setTheme(colours) {
    this.colours = colours;
  }

  fit(width, height) {
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    this.canvas.style.height = `${height}px`;
    Object.assign(this, { width, height, ratio });
  }

  clear() {
    const { ctx, ratio } = this;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    ctx.scale(ratio, ratio);
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    ctx.font = `12px ${this.colours.font}`;
  }

  // Tiles of one size in the rows and columns that make them largest.
  tiles(array, words, kind, caption) {
    const { ctx, width, height, ratio } = this;
    const images = kind === "images";
    const n = array.shape[0];
    const { h, w } = images ? sizes(array) : { h: 5, w: 8 };
    const room = height - 24;
    let best = { scale: 0 };
    for (let columns = 1; columns <= n; columns++) {
      const rows = Math.ceil(n / columns);
      const scale = Math.min(scaleFor(w, width / columns - 6, ratio), scaleFor(h, room / rows - 6, ratio));
      if (scale > best.scale) best = { scale, columns };
    }
    if (!best.columns) return;
    ctx.fillStyle = this.colours.faint;
    ctx.fillText(caption, 4, 10);
    const [tw, th] = [(w * best.scale) / ratio, (h * best.scale) / ratio];
    const range = images ? null : rangeOf(array);
    Object.assign(this.tile, { width: w, height: h });
    const natural = this.tile.getContext("2d", { willReadFrequently: true });
    const left = (width - best.columns * (tw + 6)) / 2 + 3;
    for (let i = 0; i < n; i++) {
      const x = Math.round((left + (i % best.columns) * (tw + 6)) * ratio) / ratio;
      const y = Math.round((24 + Math.floor(i / best.columns) * (th + 6)) * ratio) / ratio;
      if (!images) {
        putLine(ctx, array, i, { x, y, w: tw, h: th }, range, this.colours.recon, 1.4);
        continue;
      }
      putImage(natural, array, i, 0, 0, words);
      ctx.imageSmoothingEnabled = best.scale < 1;
      ctx.drawImage(this.tile, x, y, tw, th);
    }
  }
}

export class Filters extends Panel {
  layers = ["filters"];

  paint({ arrays }) {
    this.clear();
    const { filters } = arrays;
    this.tiles(filters, evenWords(this.colours.dark), "images", `First layer, ${filters.shape[0]} filters: blue below 0, orange above, each scaled to its largest weight`);
  }

  missing = "This model's first layer has no picture: its weights do not stand for pixels.";
}

export class Samples extends Panel {
  layers = ["samples"];

  paint({ arrays, meta }) {
    this.clear();
    this.tiles(arrays.samples, undefined, meta.kind, "Decodes of the same draws from the prior, all the time");
  }

  missing = "This model has no prior to draw from: it only rebuilds what it is given.";
}

const ROOM = 12;

export class Activations extends Panel {
  layers = ["acts"];
  missing = "This model has no hidden layer whose outputs could be counted.";

  paint({ arrays, meta }) {
    this.clear();
    const cards = (meta.acts ?? []).map((about, i) => (x, y, w, h) => this.histogram(arrays.acts, i, about, x, y, w, h));
    if (meta.kl?.length) cards.push((x, y, w, h) => this.bars(meta.kl, x, y, w, h));
    const columns = Math.max(1, Math.min(cards.length, Math.floor(this.width / 215)));
    const rows = Math.ceil(cards.length / columns);
    const [w, h] = [this.width / columns, Math.min(190, this.height / rows)];
    cards.forEach((card, i) => card((i % columns) * w + ROOM / 2, Math.floor(i / columns) * h, w - ROOM, h - ROOM));
  }

  title(text, more, x, y, w) {
    const { ctx, colours } = this;
    ctx.font = `600 12px ${colours.font}`;
    ctx.fillStyle = colours.ink;
    ctx.fillText(text, x, y + 9, w);
    ctx.font = `12px ${colours.font}`;
    ctx.fillStyle = colours.faint;
    ctx.fillText(more, x, y + 25, w);
  }

  axis(low, high, x, y, w) {
    const { ctx, colours } = this;
    ctx.fillStyle = colours.ink;
    ctx.globalAlpha = 0.25;
    ctx.fillRect(x, y, w, 1);
    ctx.globalAlpha = 1;
    ctx.fillStyle = colours.faint;
    ctx.font = `11px ${colours.font}`;
    ctx.fillText(low, x, y + 10);
    ctx.textAlign = "right";
    ctx.fillText(high, x + w, y + 10);
    ctx.textAlign = "left";
  }

  // Heights are square roots of shares: a layer that is mostly 0 still shows the rest. The fullest bin is the tallest.
  histogram(acts, i, { name, units, dead, always, low, high }, x, y, w, h) {
    const { ctx } = this;
    const share = (v) => `${Math.round(100 * v)} %`;
    const about = [`${units} units`];
    if (Number.isFinite(dead)) about.push(`${share(dead)} dead`);
    if (Number.isFinite(always)) about.push(`${share(always)} always on`);
    this.title(name, about.join(" · "), x, y, w);
    const bins = acts.shape[1];
    const top = y + 38;
    const base = y + h - 20;
    ctx.fillStyle = ENCODER;
    const shares = acts.data.subarray(i * bins, (i + 1) * bins);
    const most = Math.max(...shares, 1e-9);
    for (let b = 0; b < bins; b++) {
      const tall = Math.sqrt(shares[b] / most) * (base - top);
      ctx.fillRect(x + (b / bins) * w, base - tall, Math.max(1, w / bins - 1), tall);
    }
    this.axis(signedFigure(low), signedFigure(high), x, base, w);
  }

  bars(kl, x, y, w, h) {
    const { ctx } = this;
    const dead = kl.filter((v) => v < 0.01).length;
    this.title("KL of each code number", `${dead} of ${kl.length} say nothing (below 0.01 nats)`, x, y, w);
    const most = Math.max(...kl, 0.1);
    const top = y + 38;
    const base = y + h - 20;
    kl.forEach((v, k) => {
      const tall = Math.max(v < 0.01 ? 2 : 1, (Math.max(0, v) / most) * (base - top));
      ctx.fillStyle = v < 0.01 ? this.colours.faint : DECODER;
      ctx.fillRect(x + (k / kl.length) * w, base - tall, Math.max(1, w / kl.length - 1), tall);
    });
    this.axis("1", `${kl.length}, up to ${figure(most)} nats`, x, base, w);
  }
}

const signedFigure = (v) => figure(v).replace("-", "−");
