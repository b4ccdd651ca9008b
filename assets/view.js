// Data units <-> device pixels of a square picture with axes; pan and zoom never distort it.

export const MARGIN = { left: 34, right: 8, top: 8, bottom: 34 }; // css pixels; the sums are equal: the plot is square

export class View {
  constructor() {
    this.extent = 3; // half-width at rest, in data units
    this.reset();
    this.resize(1, 1);
  }

  reset() {
    this.cx = 0;
    this.cy = 0;
    this.half = this.extent;
    this.moved = false;
  }

  setExtent(extent) {
    if (!(extent > 0) || extent === this.extent) return false;
    this.extent = extent;
    if (!this.moved) this.half = extent;
    return true;
  }

  // Fit to a canvas of `size` css pixels a side.
  resize(size, ratio) {
    this.size = size;
    this.ratio = ratio;
    this.left = Math.round(MARGIN.left * ratio);
    this.top = Math.round(MARGIN.top * ratio);
    this.side = Math.max(1, Math.round((size - MARGIN.left - MARGIN.right) * ratio));
  }

  get scale() {
    return this.side / (2 * this.half);
  }

  x(value) {
    return this.left + this.side / 2 + (value - this.cx) * this.scale;
  }

  y(value) {
    return this.top + this.side / 2 - (value - this.cy) * this.scale;
  }

  // Css pixels inside the canvas -> data units.
  toData(px, py) {
    return [
      this.cx + (px * this.ratio - this.left - this.side / 2) / this.scale,
      this.cy - (py * this.ratio - this.top - this.side / 2) / this.scale,
    ];
  }

  inside(px, py) {
    const x = px * this.ratio - this.left;
    const y = py * this.ratio - this.top;
    return x >= 0 && y >= 0 && x <= this.side && y <= this.side;
  }

  pan(dx, dy) {
    this.cx -= (dx * this.ratio) / this.scale;
    this.cy += (dy * this.ratio) / this.scale;
    this.moved = true;
  }

  // Zoom by `factor` keeping the data point under (px, py) where it is.
  zoom(factor, px = this.size / 2, py = this.size / 2) {
    const [x, y] = this.toData(px, py);
    this.half = Math.min(this.extent * 20, Math.max(this.extent / 50, this.half / factor));
    const [nx, ny] = this.toData(px, py);
    this.cx += x - nx;
    this.cy += y - ny;
    this.moved = true;
  }
}

// Round tick values over [low, high]: 1, 2 or 5 times a power of ten, about `wanted` of them.
export function ticks(low, high, wanted = 6) {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const values = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) values.push(k * step);
  return { values, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

const REACH = { wheel: 400 };
let lastWheelElsewhere = 0;
let listening = false;

// Drag pans, wheel and pinch zoom, double click resets. One finger on a touch screen still scrolls the page.
export function gestures(canvas, view, changed) {
  const pointers = new Map();
  let spread = 0;
  if (!listening) {
    listening = true;
    // a scroll of the page that runs into the picture goes on as a scroll
    window.addEventListener("wheel", (event) => {
      if (!event.composedPath().some((node) => node.dataset?.zooms)) lastWheelElsewhere = event.timeStamp;
    }, { passive: true, capture: true });
  }
  canvas.dataset.zooms = "1";

  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && event.timeStamp - lastWheelElsewhere < REACH.wheel) {
      lastWheelElsewhere = event.timeStamp;
      return;
    }
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
    view.zoom(Math.exp(-Math.max(-120, Math.min(120, pixels)) * 0.0022), event.offsetX, event.offsetY);
    changed();
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    if (event.pointerType !== "touch") canvas.setPointerCapture(event.pointerId);
    spread = gap(pointers);
    canvas.dataset.dragged = "";
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const dx = event.offsetX - last.x;
    const dy = event.offsetY - last.y;
    if (!canvas.dataset.dragged && Math.hypot(dx, dy) < 4) return;
    canvas.dataset.dragged = "1";
    pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    const touch = event.pointerType === "touch";
    if (touch && pointers.size < 2) return;
    view.pan(dx / pointers.size, dy / pointers.size);
    if (pointers.size === 2) {
      const now = gap(pointers);
      const [a, b] = [...pointers.values()];
      if (spread > 0 && now > 0) view.zoom(now / spread, (a.x + b.x) / 2, (a.y + b.y) / 2);
      spread = now;
    }
    changed();
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(end, (event) => {
      pointers.delete(event.pointerId);
      spread = gap(pointers);
    });
  }
  canvas.addEventListener("dblclick", () => {
    view.reset();
    changed();
  });
}

function gap(pointers) {
  if (pointers.size !== 2) return 0;
  const [a, b] = [...pointers.values()];
  return Math.hypot(a.x - b.x, a.y - b.y);
}
