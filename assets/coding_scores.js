// Tiles and words of a model that codes: each figure beside what it is held against, PCA with as many codings above all.
import { count, figure } from "./dom.js";

const percent = (value) => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : "–");
const beside = (value, write) => (Number.isFinite(value) ? `PCA ${write(value)}` : "\u00a0");

// Metric, label, how it is written, how its reference is written from all scores, what it means.
export const CODING_TILES = [
  ["held/mse", "Error", figure, (scores) => beside(scores["pca/mse"], figure),
    "Mean squared error a number on items that training never sees; beside it that of PCA with as many codings"],
  ["knn/accuracy", "Classes told", percent, (scores) => beside(scores["knn/pca"], percent),
    "How often the five nearest codings name an item's class, which training is never told"],
  ["code/active", "Codings in use", (value) => (Number.isFinite(value) ? count(value) : "–"),
    (scores) => (Number.isFinite(scores["code/dead"]) ? `of ${count(scores["code/active"] + scores["code/dead"])}` : "\u00a0"),
    "Codings that differ from item to item"],
  ["blur/sharpness", "Sharpness", figure, () => "input 1", "How much of the items' edges the reconstructions keep"],
];

export const CODING_READY = "Press Play and watch items being squeezed into codings and built again.";

// Before anything is measured: what the pictures show.
export const CODING_LOOK = [
  [null, "Input", "items that training never sees"],
  [null, "Reconstruction", "the same items, from their codings alone"],
  [null, "Map", "each item's codings, coloured by class"],
];

export const CODING_STATES = {
  "posterior-collapse": ["Posterior collapse", "flat", "bad"],
  "identity-copying": ["Identity copying", "warn", "warn"],
  "dead-codings": ["Dead codings", "flat", "warn"],
  overfitting: ["Overfitting", "scale", "warn"],
  blurry: ["Blurry", "wave", "warn"],
};
