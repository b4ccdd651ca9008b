// Hears which stretch of a curve is looked at and tells the page, which then draws that stretch as fine as it was measured.
// It is mounted unseen beside the figures; Streamlit itself does not tell of a zoom.
import { mount } from "./dom.js";

const LOOK_EVERY = 150, SETTLED = 200; // milliseconds: figures come and go; a drag is told when it has come to rest
const WHOLE = 0.98; // of the steps in sight: not zoomed

export default (component) => mount(component, () => new Zoom());

class Zoom {
  constructor() {
    this.heard = new WeakSet();
    this.ranges = {};
    this.looking = setInterval(() => this.listen(), LOOK_EVERY);
  }

  update(component) {
    this.component = component;
    this.figures = `[class*="st-key-${component.data.within}"]`;
    this.listen();
  }

  destroy() {
    clearInterval(this.looking);
    clearTimeout(this.telling);
    this.gone = true;
  }

  listen() {
    for (const plot of document.querySelectorAll(`${this.figures} .js-plotly-plot`)) {
      if (this.heard.has(plot) || !plot.on || !plot._fullLayout?.xaxis || !plot.calcdata) continue;
      this.heard.add(plot);
      plot.on("plotly_relayout", () => this.hear(plot));
      this.hear(plot); // it may have been zoomed before anybody heard
    }
  }

  hear(plot) {
    const box = plot.closest(this.figures);
    if (this.gone || !box) return;
    const name = /st-key-(\S+)/.exec(box.className)[1];
    const view = sight(plot);
    if (JSON.stringify(view) === JSON.stringify(this.ranges[name] ?? null)) return;
    this.ranges = { ...this.ranges, [name]: view };
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.component.setStateValue("ranges", this.ranges), SETTLED);
  }
}

// The steps in sight, from and to, and both axes' ranges in their own units; null where all steps are in sight.
function sight(plot) {
  const { xaxis, yaxis } = plot._fullLayout;
  const [low, high] = xaxis.range.map((at) => (xaxis.type === "log" ? 10 ** at : at));
  const lines = plot.calcdata.filter((points) => points.length && Number.isFinite(points[0].x));
  const first = Math.min(...lines.map((points) => points[0].x));
  const last = Math.max(...lines.map((points) => points[points.length - 1].x));
  return high - low < WHOLE * (last - first) ? { steps: [low, high], x: [...xaxis.range], y: [...yaxis.range] } : null;
}
