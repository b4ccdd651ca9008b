// Puts the layers together on one canvas. What stands still (zero lines, contours, real points) is drawn once into a
// second canvas and copied; what moves is drawn each frame. Axes lie outside the plot and are redrawn with the view.
import * as draw from "./layers.js";
import * as phase from "./phase.js";
import { densityPath } from "./contours.js";
import { FAKE, GENERATOR } from "./palette.js";

const SURFACE_ALPHA = 0.7; // soft enough that points stand out where D is sure
const PICK_TRAIL = 400;

export class Painter {
  constructor(canvas, view) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d", { alpha: false });
    this.view = view;
    this.still = document.createElement("canvas");
    this.stillCtx = this.still.getContext("2d");
    this.surface = new draw.Surface();
    this.trails = new draw.Trails();
    this.frame = null;
    this.layers = new Set();
    this.override = null; // slow motion: what flows in this sub-step
    this.picked = null;
    this.pickTrail = new Float32Array(PICK_TRAIL * 2);
    this.pickCount = 0;
    this.realCopy = null;
    this.density = null;
    this.painted = 0;
    this.viewDirty = this.stillDirty = true;
  }

  setTheme(colours) {
    this.colours = colours;
    this.sprites = null;
    this.touch();
  }

  resize(size, ratio) {
    const device = Math.round(size * ratio);
    if (this.canvas.width === device && this.canvas.height === device && this.view.ratio === ratio) return;
    this.canvas.width = this.canvas.height = device;
    this.view.resize(size, ratio);
    this.still.width = this.still.height = this.view.side;
    this.sprites = null;
    this.touch();
  }

  touch() {
    this.viewDirty = this.stillDirty = true;
  }

  setLayers(layers) {
    this.layers = layers;
    this.stillDirty = true;
    if (!layers.has("trails")) this.trails.clear();
  }

  setPicked(i) {
    if (this.picked === i) return;
    this.picked = i;
    this.pickCount = 0;
  }

  // Take a new frame: keeps what stands still unless it really changed.
  load(frame) {
    this.frame = frame;
    const { arrays, meta } = frame;
    this.unit = meta.extent / 32767;
    if (this.view.setExtent(meta.extent)) this.touch();
    if (arrays.path) this.holdPath(meta);
    if (!same(this.realCopy, arrays.real?.data)) {
      this.realCopy = arrays.real ? arrays.real.data.slice() : null;
      this.stillDirty = true;
    }
    if (!same(this.density, arrays.density?.data)) {
      this.density = arrays.density ? arrays.density.data.slice() : null;
      this.path = arrays.density ? densityPath(this.density, arrays.density.shape[0], meta.extent) : null;
      this.stillDirty = true;
    }
    if (arrays.fake) {
      if (this.layers.has("trails")) this.trails.push(meta.step, arrays.fake.data, this.unit);
      if (this.picked !== null) this.follow(arrays.fake.data);
    }
    this.loadSurface();
  }

  // A path that runs out of the picture: look from further away, unless the view was moved by hand.
  holdPath({ reach }) {
    if (this.view.moved || reach === this.view.half) return;
    this.view.half = reach;
    this.touch();
  }

  loadSurface() {
    const { arrays } = this.frame;
    const array = this.layers.has("optimal") && arrays.optimal ? arrays.optimal
      : this.layers.has("surface") ? arrays.surface : null;
    this.hasSurface = Boolean(array);
    if (array) this.surface.load(array.data, array.shape[0]);
  }

  follow(fakes) {
    const k = 2 * this.picked;
    if (k + 1 >= fakes.length) return;
    if (this.pickCount === PICK_TRAIL) {
      this.pickTrail.copyWithin(0, PICK_TRAIL); // keep the younger half
      this.pickCount = PICK_TRAIL / 2;
    }
    this.pickTrail[2 * this.pickCount] = fakes[k] * this.unit;
    this.pickTrail[2 * this.pickCount + 1] = fakes[k + 1] * this.unit;
    this.pickCount += 1;
  }

  // -- painting ----------------------------------------------------------------------------------------------------

  paint() {
    if (!this.frame || !this.colours || this.view.side < 8) return;
    const { ctx, view, colours, frame } = this;
    const game = Boolean(frame.arrays.path);
    this.sprites ??= {
      real: draw.sprite("real", view.ratio, colours.paper), fake: draw.sprite("fake", view.ratio, colours.paper),
    };
    if (this.viewDirty) {
      ctx.fillStyle = colours.paper;
      ctx.fillRect(0, 0, this.canvas.width, this.canvas.height);
      draw.axes(ctx, view, colours, game ? ["θ", "ψ"] : ["x₁", "x₂"]);
    }
    if (this.stillDirty || this.viewDirty) this.paintStill();
    this.viewDirty = this.stillDirty = false;
    ctx.save();
    ctx.beginPath();
    ctx.rect(view.left, view.top, view.side, view.side);
    ctx.clip();
    ctx.fillStyle = colours.paper;
    ctx.fillRect(view.left, view.top, view.side, view.side);
    if (game) this.paintGame();
    else if (this.override) this.paintSlow();
    else this.paintMoving();
    ctx.restore();
    this.painted += 1;
  }

  paintStill() {
    const { stillCtx: ctx, view, colours, layers } = this;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.still.width, this.still.height);
    ctx.setTransform(1, 0, 0, 1, -view.left, -view.top);
    draw.grid(ctx, view, colours.ink);
    if (layers.has("density") && this.path) draw.contours(ctx, view, this.path, colours.ink);
    if (layers.has("real") && this.realCopy) draw.points(ctx, view, this.realCopy, this.unit, this.sprites.real);
  }

  paintMoving() {
    const { ctx, view, layers, unit } = this;
    const { arrays, meta } = this.frame;
    if (this.hasSurface) this.surface.draw(ctx, view, meta.extent, SURFACE_ALPHA);
    if (layers.has("manifold") && arrays.manifold) {
      draw.manifold(ctx, view, arrays.manifold.data, arrays.manifold.shape[0], unit);
    }
    ctx.drawImage(this.still, view.left, view.top);
    if (layers.has("trails")) this.trails.draw(ctx, view);
    if (layers.has("fake") && arrays.fake) draw.points(ctx, view, arrays.fake.data, unit, this.sprites.fake);
    if (layers.has("arrows") && arrays.arrows && arrays.fake) {
      draw.arrows(ctx, view, arrays.fake.data, arrays.arrows.data, unit);
    }
    if (this.picked !== null && arrays.fake) this.paintPick(arrays.fake.data);
  }

  paintGame() {
    const { ctx, view, layers, colours } = this;
    const { arrays, meta } = this.frame;
    draw.grid(ctx, view, colours.ink);
    if (layers.has("field") && arrays.field) phase.field(ctx, view, arrays.field, meta.reach, colours.ink);
    if (layers.has("path")) phase.path(ctx, view, arrays.path, colours);
  }

  paintPick(fakes) {
    const { ctx, view, unit } = this;
    const k = 2 * this.picked;
    if (k + 1 >= fakes.length) return;
    ctx.strokeStyle = this.colours.ink;
    ctx.lineWidth = 1.2 * view.ratio;
    ctx.globalAlpha = 0.6;
    ctx.beginPath();
    for (let i = 0; i < this.pickCount; i++) {
      ctx.lineTo(view.x(this.pickTrail[2 * i]), view.y(this.pickTrail[2 * i + 1]));
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
    const x = view.x(fakes[k] * unit);
    const y = view.y(fakes[k + 1] * unit);
    ctx.lineWidth = 2 * view.ratio;
    for (const [r, colour] of [[9, this.colours.paper], [7, this.colours.ink]]) {
      ctx.strokeStyle = colour;
      ctx.beginPath();
      ctx.arc(x, y, r * view.ratio, 0, 7);
      ctx.stroke();
    }
  }

  // Slow motion: the usual picture faintly, what flows in this sub-step on top of it at full strength.
  paintSlow() {
    const { ctx, view, override } = this;
    ctx.globalAlpha = 1;
    this.paintMoving();
    ctx.globalAlpha = 0.82;
    ctx.fillStyle = this.colours.paper;
    ctx.fillRect(view.left, view.top, view.side, view.side);
    ctx.globalAlpha = 1;
    draw.grid(ctx, view, this.colours.ink);
    if (override.surface) {
      this.surface.load(override.surface.data, override.surface.side);
      this.surface.draw(ctx, view, this.frame.meta.extent, SURFACE_ALPHA);
      this.loadSurface();
    }
    if (override.real) draw.points(ctx, view, override.real, 1, this.sprites.real);
    if (override.before) this.paintShift(override.before, override.fake);
    if (override.fake) draw.points(ctx, view, override.fake, 1, this.sprites.fake);
    if (override.arrows && override.fake) draw.arrows(ctx, view, override.fake, override.arrows, 1);
  }

  // Lines from where the fakes were to where this update put them.
  paintShift(before, after) {
    const { ctx, view } = this;
    ctx.strokeStyle = GENERATOR;
    ctx.lineWidth = 1.4 * view.ratio;
    ctx.beginPath();
    for (let k = 0; k < Math.min(before.length, after.length); k += 2) {
      ctx.moveTo(view.x(before[k]), view.y(before[k + 1]));
      ctx.lineTo(view.x(after[k]), view.y(after[k + 1]));
    }
    ctx.stroke();
    ctx.strokeStyle = FAKE;
    ctx.lineWidth = view.ratio;
    ctx.beginPath();
    const r = 3.5 * view.ratio;
    for (let k = 0; k < before.length; k += 2) {
      const x = view.x(before[k]);
      const y = view.y(before[k + 1]);
      ctx.moveTo(x, y - r);
      ctx.lineTo(x + r, y);
      ctx.lineTo(x, y + r);
      ctx.lineTo(x - r, y);
      ctx.lineTo(x, y - r);
    }
    ctx.stroke();
  }
}

function same(a, b) {
  if (!a || !b) return !a && !b;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
