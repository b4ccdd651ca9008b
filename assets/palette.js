// One palette, light and dark. Shape repeats what colour says: real points are discs, fakes are diamonds.
export const REAL = "#1b9e77";
export const FAKE = "#7570b3";
export const DISCRIMINATOR = "#1f78b4";
export const GENERATOR = "#e66101";

export const ENCODER = DISCRIMINATOR;
export const DECODER = GENERATOR;

// Ten classes that stay apart under deuteranopia and protanopia and stand out on white and on dark paper; beyond ten the
// colours repeat with another shape.
export const CLASSES = [
  "#5844a5", "#d55964", "#00e5c8", "#734300", "#7696ff", "#9d8a0b", "#910c54", "#9dd26d", "#726d9e", "#00d5f1",
];
const NO_CLASS = "#767b84";
export function classColour(k, dark = false) {
  const colour = k === 255 ? NO_CLASS : CLASSES[k % CLASSES.length];
  const [r, g, b] = rgb(colour);
  if (!dark || 0.299 * r + 0.587 * g + 0.114 * b > 100) return colour;
  return `rgb(${[r, g, b].map((v) => Math.round(v + 0.28 * (255 - v))).join(" ")})`; // the deep ones, lifted off dark paper
}

// ColorBrewer PRGn: purple where D says fake (0), white where it cannot tell (0.5), green where it says real (1).
export const PRGN = [
  "#40004b", "#762a83", "#9970ab", "#c2a5cf", "#e7d4e8", "#f7f7f7", "#d9f0d3", "#a6dba0", "#5aae61", "#1b7837", "#00441b",
];

export function rgb(hex) {
  const n = parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

// 256 colours as little-endian RGBA words, ready for a Uint32Array over ImageData.
export const PRGN_WORDS = (() => {
  const words = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (PRGN.length - 1);
    const low = Math.min(Math.floor(at), PRGN.length - 2);
    const a = rgb(PRGN[low]);
    const b = rgb(PRGN[low + 1]);
    const mix = a.map((v, c) => Math.round(v + (b[c] - v) * (at - low)));
    words[i] = ((255 << 24) | (mix[2] << 16) | (mix[1] << 8) | mix[0]) >>> 0;
  }
  return words;
})();

// Grey values as words, and differences: blue below, orange above, the paper's own tone where nothing differs. Colour
// grows with the square root of a difference: a small one is seen too.
const mixed = (stops, bend = (t) => t) => Uint32Array.from({ length: 256 }, (_, i) => {
  const at = bend(i / 255) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  const [r, g, b] = stops[low].map((v, c) => Math.round(v + (stops[low + 1][c] - v) * (at - low)));
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
});
export const GREYS = mixed([[0, 0, 0], [255, 255, 255]]);
const SIGNED = {
  light: ["#08519c", "#4292c6", "#b5d3ea", "#f4f5f7", "#fdcfa2", "#f16913", "#a63603"],
  dark: ["#9ecae1", "#4292c6", "#1d4a73", "#20262d", "#7a3a12", "#f16913", "#fdc38d"],
};
// 128 stands for 0
const root = (t) => Math.max(0, Math.min(1, 0.5 + 0.5 * Math.sign(t * 255 - 128) * Math.sqrt(Math.abs(t * 255 - 128) / 127)));
const signedTables = {
  light: mixed(SIGNED.light.map(rgb), root), dark: mixed(SIGNED.dark.map(rgb), root),
  evenLight: mixed(SIGNED.light.map(rgb)), evenDark: mixed(SIGNED.dark.map(rgb)),
};
export const signedWords = (dark) => signedTables[dark ? "dark" : "light"];
export const evenWords = (dark) => signedTables[dark ? "evenDark" : "evenLight"]; // in proportion, without the root
export const signedCss = (dark) => {
  const stops = SIGNED[dark ? "dark" : "light"].map((colour, k, { length }) => {
    const bent = (2 * k) / (length - 1) - 1;
    return `${colour} ${(50 + 50 * Math.sign(bent) * bent * bent).toFixed(1)}%`;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
};

export const PRGN_CSS = `linear-gradient(to right, ${PRGN.join(", ")})`;

// What the canvas needs of the page's theme, as resolved colours.
export function theme(element) {
  const style = getComputedStyle(element);
  const paper = style.getPropertyValue("--st-background-color").trim() || "#ffffff";
  const ink = style.getPropertyValue("--st-text-color").trim() || "#31333f";
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = paper;
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  const dark = 0.299 * r + 0.587 * g + 0.114 * b < 128;
  const faint = dark ? "#9aa3ad" : "#7d8792";
  const recon = dark ? "#ff8a3d" : GENERATOR;
  return { paper, ink, dark, faint, recon, font: style.fontFamily || "sans-serif" };
}
