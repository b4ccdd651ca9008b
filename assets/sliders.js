// Sliders around a code: one a number of it, or one a direction; what it decodes to follows at once.
import { button, h, mount, say, signed } from "./dom.js";
import { Picture } from "./items.js";
import { Model, Newest, equal, given } from "./model.js";
import { theme } from "./palette.js";

const STEPS = 7; // pictures under a strength slider
const THUMB = { wide: 56, narrow: 40 };

export default (component) => mount(component, (root) => new Sliders(root));

class Sliders {
  constructor(root) {
    this.root = root;
    this.model = new Model();
    this.build();
    this.decodes = new Newest((code) => this.model.decode([code]), (items) => this.showMade(items), (error) => this.fail(error));
    this.thumbs = new Newest((codes) => this.model.decode(codes), (items) => this.showThumbs(items), (error) => this.fail(error));
  }

  build() {
    this.original = new Picture(140, "The item that the code was made of");
    this.made = new Picture(168, "What the changed code decodes to");
    this.list = h("div.sliderlist", { role: "group", "aria-label": "Numbers of the code" });
    this.row = h("div.thumbs");
    this.error = h("div.wrong", { role: "alert", hidden: true });
    this.originalBox = h("div.look", {}, h("strong", { text: "Item" }), this.original.box);
    this.root.replaceChildren(h("div.frame", {},
      h("div.looks", {}, this.originalBox, h("div.look", {}, h("strong", { text: "Decoded" }), this.made.box), button("reset", "Back to the start", () => this.reset(), { kind: "small" })),
      h("div.turning", {}, this.list, this.row, this.error)));
  }

  update(component) {
    const colours = theme(this.root);
    for (const picture of [this.original, this.made, ...(this.pictures ?? [])]) picture.setTheme(colours);
    this.colours = colours;
    if (equal(component.data, this.data)) return;
    this.data = component.data;
    const { meta, arrays } = given(component.data);
    Object.assign(this, { meta, arrays });
    this.model.set(meta);
    this.base = Array.from(arrays.base.data);
    this.originalBox.hidden = !arrays.items;
    if (arrays.items) this.original.show(meta.kind, arrays.items);
    this.makeSliders();
    this.decodes.put(this.code());
  }

  destroy() {
    this.decodes.drop();
    this.thumbs.drop();
  }

  // Whether the sliders are strengths of directions; under them are pictures along the one touched last.
  get along() {
    return Boolean(this.arrays.axes);
  }

  makeSliders() {
    const { meta, arrays, base } = this;
    this.active = 0;
    const about = this.along
      ? meta.names.map((name, k) => ({ name, low: -meta.reach[k], high: meta.reach[k], value: 0 }))
      : base.map((value, k) => ({ name: meta.names[k] ?? `${k + 1}`, low: Math.min(arrays.low.data[k], value), high: Math.max(arrays.high.data[k], value), value }));
    this.sliders = about.map((each, k) => this.makeSlider(each, k));
    this.list.replaceChildren(...this.sliders.map(({ row }) => row));
    this.list.classList.toggle("many", about.length > 1);
    const size = this.root.clientWidth < 480 ? THUMB.narrow : THUMB.wide;
    this.pictures = this.along ? Array.from({ length: STEPS }, (_, k) => new Picture(size, `Place ${k + 1} of ${STEPS}`)) : [];
    for (const picture of this.pictures) picture.setTheme(this.colours);
    this.told = this.pictures.map(() => h("span.num.dim"));
    this.row.replaceChildren(...this.pictures.map((picture, k) =>
      h("button.thumb", { type: "button", onclick: () => this.set(this.active, this.strength(k)) }, picture.box, this.told[k])));
    if (this.along) this.touch(0);
  }

  strength(k) {
    return this.meta.reach[this.active] * ((2 * k) / (STEPS - 1) - 1);
  }

  // Show the pictures along a slider, the others where they are.
  touch(k) {
    this.active = k;
    this.sliders.forEach(({ row }, other) => row.classList.toggle("on", this.sliders.length > 1 && other === k));
    this.told.forEach((told, at) => say(told, signed(this.strength(at), 1)));
    const strengths = this.sliders.map(({ value }) => value);
    this.thumbs.put(this.pictures.map((_, at) => this.codeAt(strengths.with(k, this.strength(at)))));
  }

  makeSlider({ name, low, high, value }, k) {
    const span = high - low || 1;
    const input = h("input", { type: "range", min: low, max: high, step: span / 400, "aria-label": `Number ${name}` });
    if (this.along) input.setAttribute("aria-label", `Strength of ${name}`);
    input.value = value;
    const told = h("output.num", { text: signed(value) });
    const row = h("label.slider", {}, h("span.slidername", { text: name, title: name }), input, told);
    const slider = { input, told, row, value, start: value };
    if (this.along) for (const event of ["focus", "pointerdown"]) input.addEventListener(event, () => k !== this.active && this.touch(k));
    input.addEventListener("input", () => this.changed(slider, Number(input.value)));
    input.addEventListener("dblclick", () => this.changed(slider, (input.value = slider.start)));
    return slider;
  }

  set(k, value) {
    this.sliders[k].input.value = value;
    this.changed(this.sliders[k], value);
  }

  changed(slider, value) {
    slider.value = value;
    say(slider.told, signed(value));
    this.decodes.put(this.code());
  }

  reset() {
    for (const slider of this.sliders) {
      slider.input.value = slider.value = slider.start;
      say(slider.told, signed(slider.start));
    }
    if (this.along) this.touch(this.active);
    this.decodes.put(this.code());
  }

  code() {
    const values = this.sliders.map(({ value }) => value);
    return this.along ? this.codeAt(values) : values;
  }

  codeAt(strengths) {
    const { data } = this.arrays.axes;
    const n = this.base.length;
    return this.base.map((v, i) => strengths.reduce((sum, strength, k) => sum + strength * data[k * n + i], v));
  }

  showMade(items) {
    this.error.hidden = true;
    this.made.show(this.meta.kind, items);
  }

  showThumbs(items) {
    this.pictures.forEach((picture, k) => picture.show(this.meta.kind, items, k));
  }

  fail(error) {
    this.error.hidden = false;
    say(this.error, error.message);
  }
}
