// The moment looked at on every curve of the page: a rule at its step, each line's value there, and a veil over what was
// still to come. It lies over the figures and moves with the slider, so that no figure is drawn anew.
import { count, figure, h } from "./dom.js";

const FIGURES = '[class*="st-key-curve-"] .js-plotly-plot';
const LOOK_EVERY = 400; // milliseconds: figures come and go with the page

export class Cursor {
  constructor() {
    this.step = null;
    this.marked = new Set();
  }

  // Show a step on all figures; null takes the cursor away.
  show(step) {
    if (step === this.step) return;
    this.step = step;
    clearInterval(this.looking);
    if (step !== null) this.looking = setInterval(() => this.place(), LOOK_EVERY);
    this.place();
  }

  place() {
    for (const plot of this.marked) if (this.step === null || !plot.isConnected) this.forget(plot);
    if (this.step === null) return;
    for (const plot of document.querySelectorAll(FIGURES)) {
      if (!plot._fullLayout?.xaxis || !plot.calcdata) continue;
      if (!plot.moment?.isConnected) this.mark(plot);
      draw(plot, this.step);
    }
  }

  mark(plot) {
    plot.moment = h("div.moment", { "aria-hidden": "true" });
    plot.append(plot.moment);
    this.marked.add(plot);
    plot.on("plotly_afterplot", () => this.step !== null && plot.moment && draw(plot, this.step));
  }

  forget(plot) {
    plot.moment?.remove();
    delete plot.moment;
    this.marked.delete(plot);
  }

  destroy() {
    this.show(null);
  }
}

function draw(plot, step) {
  const { xaxis, yaxis } = plot._fullLayout;
  const x = xaxis.c2p(step);
  const inside = x >= 0 && x <= xaxis._length;
  const from = Math.max(0, Math.min(xaxis._length, x));
  const box = `left:${xaxis._offset}px;top:${yaxis._offset}px;width:${xaxis._length}px;height:${yaxis._length}px`;
  const text = `at step ${count(step)}`;
  const lines = inside ? plot.calcdata.map((points) => crossing(points, step)).filter(Boolean) : [];
  const shown = `${box}|${x}|${step}|${lines.map(({ y }) => `${y} ${yaxis.c2p(y)}`).join()}`;
  if (plot.moment.shown === shown) return;
  plot.moment.shown = shown;
  plot.moment.setAttribute("style", box);
  const dots = lines.map(({ y, colour, name }) => h("i.dot", {
    style: `left:${x}px;top:${yaxis.c2p(y)}px;background:${colour}`, title: `${name} ${figure(y)}`,
  })).filter((dot, i) => yaxis.c2p(lines[i].y) >= -1 && yaxis.c2p(lines[i].y) <= yaxis._length + 1);
  plot.moment.replaceChildren(
    h("div.later", { style: `left:${from}px` }),
    ...(inside ? [h("div.rule", { style: `left:${x}px` })] : []),
    ...dots,
    h(`div.when${x > xaxis._length / 2 ? ".left" : ""}`, { style: `left:${from}px` }, h("b", { text }),
      ...lines.slice(0, 3).map(({ y, colour }) => h("span", { style: `color:${colour}`, text: figure(y) }))));
}

// A line's last value at or before a step; nothing for bands, constants and faint copies, which have no hover of their own.
function crossing(points, step) {
  const trace = points[0]?.trace;
  if (!trace || trace.type !== "scatter" || trace.visible !== true || trace.hoverinfo === "skip" || trace.fill === "toself") return null;
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].x <= step) low = middle + 1;
    else high = middle;
  }
  const y = points[low - 1]?.y;
  return Number.isFinite(y) ? { y, colour: trace.line?.color ?? trace.marker?.color, name: trace.name } : null;
}
