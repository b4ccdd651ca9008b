// The phase portrait of a two-parameter game (Dirac-GAN, bilinear): the update field, the path and where it is now.
import { DISCRIMINATOR, GENERATOR } from "./palette.js";
import { arrow } from "./layers.js";

// The field's arrows show direction; a longer arrow is a longer update, compressed so that small ones stay visible.
export function field(ctx, view, array, extent, ink) {
  const side = array.shape[0];
  const unit = (2 * extent) / side;
  const reach = unit * view.scale * 0.78;
  let longest = 0;
  for (let k = 0; k < array.data.length; k += 2) {
    longest = Math.max(longest, Math.hypot(array.data[k], array.data[k + 1]));
  }
  if (!(longest > 0)) return;
  ctx.beginPath();
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const k = 2 * (j * side + i);
      const size = Math.hypot(array.data[k], array.data[k + 1]);
      if (!(size > 0)) continue;
      const length = reach * Math.sqrt(size / longest);
      const dx = (array.data[k] / size) * length;
      const dy = (-array.data[k + 1] / size) * length;
      const x = view.x(-extent + (i + 0.5) * unit) - dx / 2;
      const y = view.y(-extent + (j + 0.5) * unit) - dy / 2;
      arrow(ctx, x, y, dx, dy, length, Math.min(4 * view.ratio, length * 0.4));
    }
  }
  ctx.globalAlpha = 0.45;
  ctx.strokeStyle = ink;
  ctx.lineWidth = view.ratio;
  ctx.stroke();
  ctx.globalAlpha = 1;
}

const BANDS = 6; // the path fades towards its past in so many strokes

export function path(ctx, view, array, colours) {
  const count = array.shape[0];
  const data = array.data;
  ctx.strokeStyle = DISCRIMINATOR;
  ctx.lineWidth = 1.6 * view.ratio;
  ctx.lineJoin = "round";
  for (let band = 0; band < BANDS; band++) {
    const from = Math.floor(((count - 1) * band) / BANDS);
    const to = Math.floor(((count - 1) * (band + 1)) / BANDS);
    if (to <= from) continue;
    ctx.globalAlpha = 0.25 + (0.75 * (band + 1)) / BANDS;
    ctx.beginPath();
    ctx.moveTo(view.x(data[2 * from]), view.y(data[2 * from + 1]));
    for (let i = from + 1; i <= to; i++) ctx.lineTo(view.x(data[2 * i]), view.y(data[2 * i + 1]));
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  cross(ctx, view.x(0), view.y(0), 7 * view.ratio, colours.ink, view.ratio);
  if (count) dot(ctx, view.x(data[0]), view.y(data[1]), 4 * view.ratio, colours.paper, DISCRIMINATOR, view.ratio);
  if (count > 1) {
    const last = 2 * (count - 1);
    dot(ctx, view.x(data[last]), view.y(data[last + 1]), 6 * view.ratio, GENERATOR, colours.paper, view.ratio);
  }
}

function cross(ctx, x, y, r, ink, ratio) {
  ctx.strokeStyle = ink;
  ctx.lineWidth = 2 * ratio;
  ctx.beginPath();
  ctx.moveTo(x - r, y);
  ctx.lineTo(x + r, y);
  ctx.moveTo(x, y - r);
  ctx.lineTo(x, y + r);
  ctx.stroke();
}

function dot(ctx, x, y, r, fill, rim, ratio) {
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 7);
  ctx.fillStyle = fill;
  ctx.fill();
  ctx.strokeStyle = rim;
  ctx.lineWidth = 2 * ratio;
  ctx.stroke();
}
