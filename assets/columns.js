// A still wall: items and what a saved model makes of them, column by column, as many lines of columns as it takes.
import { h, mount } from "./dom.js";
import { Grid, ROWS } from "./grid.js";
import { residualOf } from "./items.js";
import { equal, given } from "./model.js";
import { signedCss, theme } from "./palette.js";

export default (component) => mount(component, (root) => new Columns(root));

class Columns {
  constructor(root) {
    this.root = root;
    this.lines = h("div.lines");
    this.legend = h("div.legend", {}, h("span.dim", { text: "too low" }), h("div.bar.signed"), h("span.dim", { text: "too high" }));
    root.replaceChildren(h("div.frame", {}, this.lines, h("div.under", {}, this.legend)));
    this.sizes = new ResizeObserver(() => this.lay());
    this.sizes.observe(this.lines);
  }

  update(component) {
    this.component = component;
    this.colours = theme(this.root);
    this.legend.querySelector(".bar").style.background = signedCss(this.colours.dark);
    if (!equal(component.data, this.data)) {
      this.data = component.data;
      Object.assign(this, given(component.data));
      this.complete();
      this.width = null;
    }
    this.lay();
  }

  destroy() {
    this.sizes.disconnect();
  }

  // What the live wall gets in its frames and Python leaves to us: the residual and the errors.
  complete() {
    const { arrays, meta } = this;
    const { inputs, recon, classes, errors, pca } = arrays;
    const images = meta.kind === "images";
    const unit = images ? 255 : 1;
    const n = inputs.shape[0];
    const size = inputs.data.length / n;
    const apart = (i, other) => {
      let sum = 0;
      for (let k = i * size; k < (i + 1) * size; k++) sum += ((other.data[k] - inputs.data[k]) / unit) ** 2;
      return sum / size;
    };
    meta.columns = Array.from({ length: n }, (_, i) => ({
      class: classes && classes.data[i] !== 255 ? meta.classes[classes.data[i]] ?? classes.data[i] : `${meta.ids[i] + 1}`,
      error: errors ? errors.data[i] : apart(i, recon), pca: pca ? apart(i, pca) : null,
    }));
    arrays.residual = residualOf(inputs, recon, meta.kind);
    this.legend.hidden = !images;
  }

  // As many lines of columns as the width asks for.
  lay() {
    const width = this.lines.clientWidth;
    if (!width || !this.arrays || (width === this.width && this.colours.dark === this.dark)) return;
    [this.width, this.dark] = [width, this.colours.dark];
    const total = this.arrays.inputs.shape[0];
    const grids = [];
    for (let from = 0; from < total || !grids.length;) {
      const grid = this.line(from, width);
      grids.push(grid);
      from += Math.max(1, grid.place.columns);
    }
    this.lines.replaceChildren(...grids.map(({ canvas }) => canvas));
  }

  line(from, width) {
    const items = ROWS.map(({ label }) => label).join(", ");
    const grid = new Grid(h("canvas", { role: "img", tabindex: "0", "data-arrows": "", "aria-label": `Columns of ${items}` }));
    grid.setTheme(this.colours);
    grid.load(this.arrays, this.meta);
    grid.from = from;
    grid.fit(width, 480, true);
    grid.paint();
    const told = [];
    grid.each((i) => told.push(grid.tell(i)));
    grid.canvas.setAttribute("aria-label", told.join("; "));
    const point = (i) => {
      grid.at = i;
      grid.paint();
    };
    const say = (i) => this.component.setTriggerValue("action", { do: "point", i: this.meta.ids[i], at: Date.now() });
    grid.canvas.addEventListener("pointermove", (event) => point(grid.columnAt(event.offsetX)));
    grid.canvas.addEventListener("pointerleave", () => point(null));
    grid.canvas.addEventListener("click", (event) => {
      const i = grid.columnAt(event.offsetX);
      if (i !== null) say(i);
    });
    grid.canvas.addEventListener("keydown", (event) => {
      const last = Math.min(grid.count, from + grid.place.columns) - 1;
      const to = { ArrowLeft: (grid.at ?? from + 1) - 1, ArrowRight: (grid.at ?? from - 1) + 1 }[event.key];
      if (event.key === "Enter" && grid.at !== null) say(grid.at);
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      point(Math.max(from, Math.min(last, to)));
    });
    return grid;
  }
}
