// How each state of a verdict looks: a word, an icon, a tone.
import { CODING_STATES } from "./coding_scores.js";

export const LOOKS = {
  ready: ["Ready to train", "flag", "calm"],
  warming: ["Too early to say", "wait", "calm"],
  healthy: ["Healthy", "check", "good"],
  "partial-collapse": ["Partial collapse", "warn", "warn"],
  "full-collapse": ["Full collapse", "stop", "bad"],
  "d-too-strong": ["D too strong", "scale", "warn"],
  "g-vanished": ["G's gradient vanished", "flat", "bad"],
  oscillating: ["Oscillating", "wave", "warn"],
  memorising: ["Memorising", "warn", "warn"],
  diverged: ["Diverged", "stop", "bad"],
  ...CODING_STATES,
};
