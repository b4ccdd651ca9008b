// Which classes the fakes fall into, beside the data: two bars a class, solid for the fakes, an outline for the data.
import { h, say, toggleClass } from "./dom.js";

const SHOWN = 12; // classes that fit; of more, those that differ most
const MISSING = 0.2; // of its share of the data: below it a class counts as missing

const percent = (share) => (share >= 0.0995 || share === 0 ? `${Math.round(100 * share)} %` : `${(100 * share).toFixed(1)} %`);

export class Shares {
  constructor() {
    this.list = h("div.sharelist", { role: "list" });
    this.note = h("div.dim.sharenote");
    this.element = h("section.shares", { "aria-label": "Classes of the fakes and of the data" },
      h("div.sharehead", {}, h("strong", { text: "Classes" }),
        h("span.dim.key", {}, h("i.ours"), "fakes"), h("span.dim.key", {}, h("i.theirs"), "data")),
      this.list, this.note);
    this.expect([]);
  }

  // What there will be: the classes by name, before anything is counted.
  expect(classes) {
    if (this.key === classes.join("|")) return;
    this.key = classes.join("|");
    this.classes = classes;
    this.rows = classes.slice(0, SHOWN).map(() => {
      const row = { name: h("span.sharename"), ours: h("i.ours"), theirs: h("i.theirs"), told: h("span.num.dim") };
      row.element = h("div.share", { role: "listitem" }, row.name, h("span.bars", {}, row.theirs, row.ours), row.told);
      return row;
    });
    this.list.replaceChildren(...this.rows.map(({ element }) => element));
    this.shown = undefined;
    this.show(null);
  }

  // counts {fake: [shares], data: [shares]} of the last score, or null.
  show(counts) {
    const key = JSON.stringify(counts);
    if (key === this.shown) return;
    this.shown = key;
    const { classes } = this;
    const order = classes.map((_, k) => k);
    if (counts && classes.length > SHOWN) order.sort((a, b) => apart(counts, b) - apart(counts, a));
    toggleClass(this.list, "unknown", !counts);
    const most = Math.max(1e-6, ...(counts ? [...counts.fake, ...counts.data] : [1]));
    this.rows.forEach((row, at) => {
      const k = order[at];
      const [ours, theirs] = counts ? [counts.fake[k] ?? 0, counts.data[k] ?? 0] : [0, 0];
      const missing = Boolean(counts) && ours < MISSING * theirs;
      say(row.name, classes[k]);
      row.name.title = classes[k];
      row.ours.style.width = `${(100 * ours) / most}%`;
      row.theirs.style.width = `${(100 * theirs) / most}%`;
      say(row.told, counts ? (missing ? "missing" : percent(ours)) : "–");
      row.element.title = counts ? `${classes[k]}: ${percent(ours)} of the fakes, ${percent(theirs)} of the data` : classes[k];
      toggleClass(row.element, "missing", missing);
    });
    const rest = classes.length - this.rows.length;
    say(this.note, !classes.length ? "This data has no classes."
      : !counts ? "Counted at the next measurement, by the app's own classifier."
        : rest > 0 ? `and ${rest} more, which differ less` : "as the app's own classifier sees them");
  }
}

const apart = (counts, k) => Math.abs((counts.fake[k] ?? 0) - (counts.data[k] ?? 0));
