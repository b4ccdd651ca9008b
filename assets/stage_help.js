// The layers by name, and the sentence that explains each: "What am I looking at?"
import { button, h, show } from "./dom.js";
import { FAKE, GENERATOR, DISCRIMINATOR, PRGN_CSS, REAL } from "./palette.js";

function swatch(draw) {
  return () => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("class", "swatch");
    svg.setAttribute("aria-hidden", "true");
    svg.innerHTML = draw;
    return svg;
  };
}

const line = (colour, extra = "") => `fill="none" stroke="${colour}" stroke-width="1.6" ${extra}`;

export const LAYERS = [
  {
    id: "real", label: "Real", swatch: swatch(`<circle cx="8" cy="8" r="4.5" fill="${REAL}"/>`),
    help: "Green discs are samples of the data, the same all the time. The generator should learn to imitate them.",
  },
  {
    id: "fake", label: "Fakes", swatch: swatch(`<path d="M8 2l6 6-6 6-6-6z" fill="${FAKE}"/>`),
    help: "Violet diamonds are what the generator G makes of noise. Each keeps its noise, so you see how it travels. Click one to follow it.",
  },
  {
    id: "surface", label: "D surface", swatch: () => h("span.swatch.sheet", { style: `background:${PRGN_CSS}` }),
    help: "The colour of the plane is the discriminator's opinion D(x): green where it says real, purple where it says fake, white where it cannot tell.",
  },
  {
    id: "optimal", label: "Optimal D",
    swatch: () => h("span.swatch.sheet.ring", { style: `background:${PRGN_CSS}` }),
    help: "The best possible discriminator p/(p+q) against the present fakes, in the same colours. Where D differs from it, D has not caught up.",
  },
  {
    id: "manifold", label: "Manifold", swatch: swatch(`<path d="M2 4q6-3 12 0M2 8q6-3 12 0M2 12q6-3 12 0M4 2q2 6 0 12M8 2q2 6 0 12M12 2q2 6 0 12" ${line(FAKE)}/>`),
    help: "A square grid of noise pushed through G. Dense cells are where G puts most of its samples; a fold is a region used twice.",
  },
  {
    id: "arrows", label: "Gradients", swatch: swatch(`<path d="M2 13L12 4M12 4H6.500M12 4V9.500" ${line(GENERATOR)}/>`),
    help: "Orange arrows show where G's loss pushes its fakes: uphill on D. Lengths are relative: the longest arrow is always equally long.",
  },
  {
    id: "density", label: "Density", swatch: swatch(`<g ${line("currentColor")}><circle cx="8" cy="8" r="2"/><circle cx="8" cy="8" r="6"/></g>`),
    help: "Contours of the exact density of the data, where it is known: 10, 30, 50, 70 and 90 % of its peak.",
  },
  {
    id: "trails", label: "Trails", swatch: swatch(`<path d="M2 13C5 5 9 14 14 4" ${line(FAKE, 'stroke-linecap="round"')}/>`),
    help: "The last positions of 160 fakes. Circling trails mean that G chases a discriminator that moves on.",
  },
];

export const GAME_LAYERS = [
  {
    id: "path", label: "Path", swatch: swatch(`<path d="M3 13C3 3 13 3 12 10" ${line(DISCRIMINATOR)}/><circle cx="12" cy="11" r="2.500" fill="${GENERATOR}"/>`),
    help: "The two parameters of this game over time: θ is the generator, ψ the discriminator. It comes from the hollow dot; the orange dot is now; the cross is the equilibrium.",
  },
  {
    id: "field", label: "Update field", swatch: swatch(`<path d="M3 12L12 5M12 5H7M12 5V9.500" ${line("currentColor")}/>`),
    help: "Where one update would carry the pair from each place. If the arrows only go round, the game cannot settle.",
  },
];

const CURVES = [
  ["Losses", "What D (solid blue) and G (dashed orange) each try to lower. They fight: a falling curve of one is no success by itself. The dotted lines are what theory expects when G is perfect."],
  ["D(real), D(fake)", "D's mean opinion of real and of fake points. Both at 0.5: D cannot tell them apart any more. Far apart: D is winning."],
  ["Modes covered", "In how many clumps of the data at least one good fake lies. Good means within three standard deviations of the centre."],
  ["Sharp fakes", "The high-quality share: the part of fakes within three standard deviations of a centre. A perfect generator scores 98.9 %, not 100 %."],
  ["JS, KL, SW, MMD", "Distances between data and fakes. The grey band is what a perfect generator would score at this sample size."],
];

// The panel and its way of opening: {panel, toggle(button)}.
export function helpPanel() {
  const panel = h("div.help", { hidden: true, role: "dialog", "aria-label": "Layers explained", tabindex: "-1" });
  const list = (entries) => h("dl", {}, ...entries.flatMap(({ label, help, swatch: mark }) => [
    h("dt", {}, mark ? mark() : null, label), h("dd", { text: help }),
  ]));
  let opener = null;
  const close = () => {
    show(panel, false);
    opener?.setAttribute("aria-expanded", "false");
    opener?.focus();
  };
  panel.append(
    h("div.row", {}, h("strong", { text: "What am I looking at?" }), button("close", "Close", close, { kind: "ghost", words: false })),
    h("p", { text: "A generator G turns noise into points and wants them to pass for real. A discriminator D learns to tell them apart. Each learns from the other." }),
    h("h4", { text: "In the picture" }), list(LAYERS),
    h("h4", { text: "In a two-parameter game (Dirac-GAN, bilinear)" }), list(GAME_LAYERS),
    h("h4", { text: "In the curves" }), list(CURVES.map(([label, help]) => ({ label, help }))),
  );
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  const toggle = (by) => {
    opener = by;
    if (!panel.hidden) return close();
    show(panel, true);
    by.setAttribute("aria-expanded", "true");
    panel.focus();
  };
  return { panel, toggle };
}
