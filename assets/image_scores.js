// Tiles and words of an image generator: each figure beside its value at perfection or its noise floor.
import { figure } from "./dom.js";

const share = (value) => (Number.isFinite(value) ? `${(100 * value).toFixed(0)} %` : "–");
const floor = ([, , high]) => `floor ${figure(high)}`;

// Metric, label, how it is written, how its reference is written from [perfect, low, high], what it means.
export const IMAGE_TILES = [
  ["dist/fid", "FID on our features", figure, floor,
    "Fréchet distance between fakes and data in the features of the app's own small classifier; the floor is what a perfect generator scores. Not the FID of papers, which uses another network"],
  ["d/accuracy", "D accuracy", share, () => "even 50 %",
    "How often D is right on items that it was not trained on; 50 % means that it is guessing"],
  ["prdc/precision", "Fakes that look real", share, ([perfect]) => `perfect ${share(perfect)}`,
    "Precision: fakes that lie among the data in the classifier's features"],
  ["prdc/coverage", "Data with fakes nearby", share, ([perfect]) => `perfect ${share(perfect)}`,
    "Coverage: items of the data with a fake in their own neighbourhood, in the classifier's features"],
];

export const IMAGE_READY = "Press Play and watch digits, letters or pictures appear out of noise.";

// Before anything is measured: what the wall shows.
export const IMAGE_LOOK = [
  [null, "Wall", "what G makes of 64 codes that never change"],
  [null, "Line under each", "the longer and greener, the more real D finds it"],
  [null, "Classes", "which kinds of item the fakes look like"],
];
