// A cloud of points in space and its reconstruction, turned by dragging, by the arrow keys, or by a wheel with Ctrl.
import { REAL } from "./palette.js";

const AXES = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

export class Cloud {
  constructor(canvas) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d");
    this.turn = 0.7; // radians about the vertical axis
    this.tilt = 0.45;
    this.reach = 1;
    this.shown = new Set(["inputs", "recon", "residual"]);
    canvas.style.touchAction = "pan-y";
    canvas.addEventListener("pointerdown", (event) => {
      this.held = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.held || !event.buttons) return;
      this.rotate((event.clientX - this.held[0]) * 0.01, (event.clientY - this.held[1]) * 0.01);
      this.held = [event.clientX, event.clientY];
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.held = null));
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-0.12, 0], ArrowRight: [0.12, 0], ArrowUp: [0, -0.12], ArrowDown: [0, 0.12] }[event.key];
      if (!by || event.defaultPrevented) return;
      event.preventDefault();
      event.stopPropagation();
      this.rotate(...by);
    });
  }

  setTheme(colours) {
    this.colours = colours;
  }

  rotate(turn, tilt) {
    this.turn += turn;
    this.tilt = Math.max(-1.5, Math.min(1.5, this.tilt + tilt));
    this.paint();
  }

  load(arrays) {
    this.arrays = arrays;
    let most = 0;
    for (const v of arrays.inputs?.data ?? []) most = Math.max(most, Math.abs(v));
    // only a clear change moves the picture: the data stand still, what follows them should not make them breathe
    if (most > this.reach || most < 0.7 * this.reach) this.reach = most || 1;
  }

  fit(width, height) {
    const ratio = window.devicePixelRatio || 1;
    const w = Math.round(width * ratio);
    const h = Math.round(height * ratio);
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    this.canvas.style.height = `${height}px`;
    this.ratio = ratio;
  }

  // Space -> [x, y, depth] in device pixels; depth grows towards the viewer.
  project(x, y, z) {
    const scale = (Math.min(this.canvas.width, this.canvas.height) / 2) * 0.7 / this.reach;
    const [ct, st] = [Math.cos(this.turn), Math.sin(this.turn)];
    const [cu, su] = [Math.cos(this.tilt), Math.sin(this.tilt)];
    const right = ct * x - st * y;
    const away = st * x + ct * y;
    const depth = -away * cu + z * su;
    const near = 1 / (1 - depth / (6 * this.reach));
    return [this.canvas.width / 2 + right * scale * near, this.canvas.height / 2 - (z * cu + away * su) * scale * near, depth];
  }

  paint() {
    const { ctx, canvas, arrays, colours } = this;
    if (!arrays || !colours || !this.ratio) return;
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    this.frame();
    const sets = [["inputs", REAL], ["pca", colours.faint], ["recon", colours.recon]].filter(([id]) => this.shown.has(id) && arrays[id]);
    if (this.shown.has("residual")) this.links();
    const dots = [];
    for (const [id, colour] of sets) {
      const { data } = arrays[id];
      for (let k = 0; k + 2 < data.length; k += 3) {
        const at = this.project(data[k], data[k + 1], data[k + 2]);
        dots.push([...at, colour, id]);
      }
    }
    dots.sort((a, b) => a[2] - b[2]);
    for (const [x, y, depth, colour, id] of dots) {
      const near = Math.max(0, Math.min(1, (depth / this.reach + 1.6) / 3.2));
      ctx.globalAlpha = 0.35 + 0.6 * near;
      ctx.fillStyle = colour;
      const r = (1.6 + 1.8 * near) * this.ratio;
      ctx.beginPath();
      if (id === "inputs") ctx.arc(x, y, r, 0, 7);
      else if (id === "recon") diamond(ctx, x, y, 1.3 * r);
      else ctx.rect(x - 0.8 * r, y - 0.8 * r, 1.6 * r, 1.6 * r);
      ctx.fill();
    }
    ctx.globalAlpha = 1;
  }

  links() {
    const { inputs, recon } = this.arrays;
    if (!inputs || !recon) return;
    const { ctx } = this;
    ctx.strokeStyle = this.colours.ink;
    ctx.globalAlpha = 0.22;
    ctx.lineWidth = this.ratio;
    ctx.beginPath();
    for (let k = 0; k + 2 < Math.min(inputs.data.length, recon.data.length); k += 3) {
      const a = this.project(inputs.data[k], inputs.data[k + 1], inputs.data[k + 2]);
      const b = this.project(recon.data[k], recon.data[k + 1], recon.data[k + 2]);
      ctx.moveTo(a[0], a[1]);
      ctx.lineTo(b[0], b[1]);
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
  }

  frame() {
    const { ctx, colours, ratio, reach } = this;
    ctx.strokeStyle = ctx.fillStyle = colours.ink;
    ctx.lineWidth = ratio;
    ctx.font = `${12 * ratio}px ${colours.font}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    AXES.forEach((axis, k) => {
      const from = this.project(...axis.map((v) => -v * reach));
      const to = this.project(...axis.map((v) => v * reach));
      const name = this.project(...axis.map((v) => v * reach * 1.14));
      ctx.globalAlpha = 0.25;
      ctx.beginPath();
      ctx.moveTo(from[0], from[1]);
      ctx.lineTo(to[0], to[1]);
      ctx.stroke();
      ctx.globalAlpha = 0.7;
      ctx.fillText(`x${"₁₂₃"[k]}`, name[0], name[1]);
    });
    ctx.globalAlpha = 1;
  }
}

function diamond(ctx, x, y, r) {
  ctx.moveTo(x, y - r);
  ctx.lineTo(x + r, y);
  ctx.lineTo(x, y + r);
  ctx.lineTo(x - r, y);
}
