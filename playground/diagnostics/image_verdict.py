"""Say in one sentence what a generator of images is doing, from measured scores only.

warming            too early, or not good yet but no fault that has a name
healthy            every class has its share, and fakes and real images lie among each other in the feature space
memorising         many fakes lie nearer to a training image than images that training never saw do
partial-collapse   some classes get almost no fakes (named), or fakes of a class are all alike; without classes: fakes
                   look real but cover less than half of the data
full-collapse      all fakes are about one picture, or of one class
d-too-strong       D tells nearly all held-out images from fakes, and the fakes are far from the data and stay there
g-vanished         as before, and G's gradient is next to nothing
oscillating        fakes hop from class to class
diverged           a loss is no number any more

Checks run from the certain to the vague; the first that applies is the verdict. The classes are those of the app's own
classifier, so faults smaller than its error are not called. Watch the evidence: every figure was measured.
"""

from __future__ import annotations

import math

import numpy as np

from playground.config import ConfigError
from playground.diagnostics import image_reasons as words
from playground.diagnostics import reasons
from playground.diagnostics.broken import broken
from playground.diagnostics.classes import PRESENT
from playground.diagnostics.cures import cure_for
from playground.diagnostics.features import shares
from playground.diagnostics.panel import RANKING
from playground.diagnostics.signals import (
    RECENT,
    Array,
    Evidence,
    Finding,
    Mask,
    Signals,
    Verdict,
    lasting,
    listed,
    share,
)

WARM = 500  # steps before anything but divergence is called
PATIENCE = 500  # steps that a fault has to last
EVEN = 0.2  # nats of KL(fakes ‖ data), with no class missing; 0.02 at perfection
GOOD_PRECISION, GOOD_COVERAGE = 0.6, 0.5  # in the feature space; 0.96 and 0.97 at perfection
LOST_COVERAGE = 0.5
POOR = 0.1  # of real images covered: below, the fakes are nowhere near the data
HEAP = 0.35  # of the distance between two real images: fakes so close together are one picture
ALIKE = 0.85  # MS-SSIM of pairs within a class; 0.4 to 0.5 for real digits
COPIES = 0.1  # share of fakes; 0.01 at perfection, up to 0.03 by chance
STRONG = 0.97  # held-out accuracy of D
VANISHED, FALLEN = 1e-3, 0.01  # gradient norm of G, and as a share of the window's own highest
HOPPING = 0.3  # share of fakes that change class from score to score; sampling alone gives about 0.08
AT_ONCE = 0.7  # of the classes: more held at a time are uneven, not on the run
NAMED = 7  # missing classes that are named


class ImageSignals(Signals):
    """A run's recent past where modes are classes."""

    @property
    def weights(self) -> Array:
        """The classes' shares of the data (K,); even where the data is away."""
        classes = self.experiment.data.classes
        try:
            found = shares(self.experiment.data)
        except ConfigError:
            found = tuple(1 / len(classes) for _ in classes)
        return np.array(found, np.float64)

    @property
    def mode_count(self) -> int:
        """How many classes the data has, 0 without."""
        return len(self.weights)

    def _mode_rows(self, group: str = "class") -> list[dict[str, float]]:
        return super()._mode_rows(group)

    def shares(self) -> Array:
        """Return the classes' shares of the fakes over the last eight scores."""
        return self.by_mode("class")[-8:]

    def scarce(self) -> Mask:
        """Say of each score row which classes have less than a fifth of their share, (R, K)."""
        scarce: Mask = self.by_mode("class") < PRESENT * self.weights
        return scarce

    def improving(self) -> bool:
        """Say whether the fakes came clearly closer (Fréchet distance a fifth lower) over the last scores."""
        fid = self.column("dist/fid")[-5:]
        return len(fid) >= 3 and bool(np.median(fid[-2:]) < 0.8 * np.median(fid[:2]))

    def present(self) -> list[int]:
        """Return the classes with at least a fifth of their share, over the mean of the last scores."""
        rows, weights = self.by_mode("class")[-RECENT:], self.weights
        mean = rows.mean(0) if len(rows) else np.zeros(len(weights))
        return [i for i in range(len(weights)) if weights[i] > 0 and mean[i] >= PRESENT * weights[i]]

    @property
    def known_classes(self) -> int:
        """How many classes the data has items of."""
        return int((self.weights > 0).sum())


def judge_images(s: ImageSignals) -> Verdict:
    """Judge a run of a generator of images."""
    finding = find(s)
    cure = cure_for(finding.remedy or finding.state, s.experiment)
    return Verdict(finding.state, finding.sentence, finding.why, finding.evidence, finding.missing, cure)


def find(s: ImageSignals) -> Finding:
    """Return the first finding that applies."""
    checks = (broken, _early, _vanished, _heap, _copying, _healthy, _hopping, _overpowered, _missing, _alike)
    return next((found for check in checks if (found := check(s)) is not None), None) or _unfinished(s)


def _early(s: ImageSignals) -> Finding | None:
    if s.age >= WARM and len(s.scores) >= 2:
        return None
    k = s.known_classes
    so_far = f" So far {len(s.present())} of {k} classes have fakes." if k and s.scores else ""
    return Finding("warming", f"{s.warming(WARM)}{so_far}", words.EARLY, _quality(s))


def _copying(s: ImageSignals) -> Finding | None:
    copied = s.recent("copies/share")
    if not copied >= COPIES:
        return None
    sentence = f"Memorising: {share(copied)} of the fakes are copies of training images, or nearly so."
    evidence = Evidence("Fakes that copy a training image", share(copied), "1 % of images never trained on")
    return Finding("memorising", sentence, words.COPIED, (evidence, *_quality(s)))


def _healthy(s: ImageSignals) -> Finding | None:
    coverage, precision = s.recent("prdc/coverage"), s.recent("prdc/precision")
    if not (coverage >= GOOD_COVERAGE and precision >= GOOD_PRECISION) or _too_alike(s):
        return None
    k = s.known_classes
    if k and (len(s.present()) < k or s.recent("class/kl") > EVEN or s.moved() >= HOPPING):
        return None
    which = f"all {k} classes have their share of the fakes, which" if k else "the fakes"
    sentence = f"Healthy: {which} cover {share(coverage)} of the data; {share(precision)} of them look real."
    return Finding("healthy", sentence, words.HEALTHY, _quality(s))


def _vanished(s: ImageSignals) -> Finding | None:
    now, top, accuracy = s.tail("grad/g"), s.top("grad/g"), s.recent("d/accuracy")
    if not (accuracy >= 0.9 and _poor(s) and (now < VANISHED or now < FALLEN * top)):
        return None
    size = f"{now:.2g}" if now >= VANISHED else f"below {VANISHED:g}"
    sentence = (
        f"G has stopped learning: D is right on {share(accuracy)} of the images and G's gradient has all but "
        f"vanished ({size})."
    )
    gradient = Evidence("Gradient norm of G", f"{now:.2g}", f"up to {top:.2g} in this window")
    return Finding("g-vanished", sentence, reasons.VANISHING, (gradient, *_accuracy(s), *_quality(s)))


def _heap(s: ImageSignals) -> Finding | None:
    """Find all fakes in one place: one picture, or one class."""
    held, spread = s.present(), s.recent("diversity/pixels")
    alike = spread < HEAP
    in_one = s.known_classes > 1 and len(held) == 1
    if not (alike or in_one):
        return None
    names, gone = s.experiment.data.classes, tuple(s.missing())
    what = "about the same picture" if alike else f"of class {names[held[0]]}"
    visited = np.flatnonzero((s.shares() > 0.5).any(0))
    if s.moved() >= HOPPING and len(visited) > 1:
        went = listed([names[i] for i in visited], NAMED)
        sentence = f"Full collapse: nearly all fakes are {what}, and it hops from class to class (of late {went})."
        return Finding("full-collapse", sentence, words.HEAP_HOPS, _quality(s))
    shows = f", class {names[held[0]]}" if alike and in_one else ""
    sentence = f"Full collapse: nearly every fake is {what}{shows}, whatever the noise."
    return Finding("full-collapse", sentence, words.HEAP, _quality(s), gone)


def _hopping(s: ImageSignals) -> Finding | None:
    rows = s.shares()
    if len(rows) < 5 or s.known_classes < 2:
        return None
    moved, held = s.moved(), rows >= PRESENT * s.weights
    lost = int((held[:-1] & ~held[1:]).sum())
    once, ever = int(np.median(held.sum(1))), int(held.any(0).sum())
    if not (moved >= HOPPING and lost >= 2 and once <= AT_ONCE * s.known_classes):
        return None
    evidence = (
        Evidence("Fakes that change class between scores", share(moved), "8 % from sampling alone"),
        Evidence("Classes visited, and held at a time", f"{ever} and {once} of {s.known_classes}", ""),
        Evidence("Classes lost again", f"{lost} times in {len(rows)} scores", "0"),
    )
    sentence = f"Oscillating: the fakes hop between classes; {ever} came up of late, about {once} at a time."
    return Finding("oscillating", sentence, words.HOP, (*evidence, *_quality(s)))


def _overpowered(s: ImageSignals) -> Finding | None:
    accuracy = s.column("d/accuracy")[-3:]
    if s.loss in RANKING or len(accuracy) < 3 or s.improving() or not (accuracy.min() >= STRONG and _poor(s)):
        return None  # a critic can hardly be too good: its slope does not fade
    sentence = (
        f"D is too strong: it is right on {share(s.recent('d/accuracy'))} of the images it has never seen, and the "
        "fakes stay far from the data."
    )
    return Finding("d-too-strong", sentence, reasons.OVERPOWERED, (*_accuracy(s), *_quality(s)))


def _missing(s: ImageSignals) -> Finding | None:
    k = s.known_classes
    if not k:
        return _uncovered(s)
    lost = s.missing()
    if not lost or len(lost) >= k or s.finding_more() or s.missing_for(lost) < PATIENCE:
        return None
    named = listed([s.experiment.data.classes[i] for i in lost], NAMED)
    sentence = f"Partial collapse: {k - len(lost)} of {k} classes. Missing {named}{lasting(s.missing_for(lost))}."
    evidence = Evidence("Classes with a fifth of their share", f"{k - len(lost)} of {k}", f"{k} of {k}")
    return Finding("partial-collapse", sentence, words.MISSING, (evidence, *_quality(s)), tuple(lost))


def _uncovered(s: ImageSignals) -> Finding | None:
    coverage, precision = s.recent("prdc/coverage"), s.recent("prdc/precision")
    if not (coverage < LOST_COVERAGE and precision > coverage + 0.25) or s.improving():
        return None
    sentence = (
        f"Partial collapse: {share(precision)} of the fakes look real, but they cover {share(coverage)} of the data."
    )
    return Finding("partial-collapse", sentence, words.UNCOVERED, _quality(s))


def _alike(s: ImageSignals) -> Finding | None:
    if not _too_alike(s) or not s.known_classes or s.improving():
        return None
    sentence = (
        f"Partial collapse within the classes: two fakes of a class are {share(s.recent('diversity/ssim'))} alike, and "
        f"fakes cover {share(s.recent('prdc/coverage'))} of the data."
    )
    return Finding("partial-collapse", sentence, words.ALIKE, _quality(s))


def _unfinished(s: ImageSignals) -> Finding:
    coverage, precision, k = s.recent("prdc/coverage"), s.recent("prdc/precision"), s.known_classes
    if not s.known("prdc/coverage"):
        sentence = "Not judged: there are too few held-out images to measure fakes by."
        return Finding("warming", sentence, words.UNSEEN)
    which = f"{len(s.present())} of {k} classes have fakes, which" if k else "the fakes"
    sentence = f"Still learning: {which} cover {share(coverage)} of the data; {share(precision)} of them look real."
    return Finding("warming", sentence, words.UNFINISHED, _quality(s))


# -- what several checks ask ------------------------------------------------------------------------------------------


def _poor(s: ImageSignals) -> bool:
    return s.recent("prdc/coverage") < POOR


def _too_alike(s: ImageSignals) -> bool:
    """Say whether fakes lie close together and reach little of the data, though nearly all of them look real."""
    near, recall = s.recent("prdc/precision") >= GOOD_PRECISION, s.recent("prdc/recall")
    return near and recall < LOST_COVERAGE / 2 and s.recent("diversity/ssim") > ALIKE


def _accuracy(s: ImageSignals) -> tuple[Evidence, ...]:
    return (Evidence("D's accuracy on held-out images", share(s.recent("d/accuracy")), "50 % when it cannot tell"),)


def _quality(s: ImageSignals) -> tuple[Evidence, ...]:
    """Return the figures that describe the fakes, those that were measured."""
    k = s.known_classes
    even = f"{math.log(k):.2f} for even classes" if k else ""
    rows = (
        ("Classes covered", "class/covered", lambda v: f"{v:.0f} of {k}", f"{k} of {k}"),
        ("Real images with fakes nearby", "prdc/coverage", share, "perfect 97 %"),
        ("Fakes that look real", "prdc/precision", share, "perfect about 96 %"),
        ("FID on our features", "dist/fid", lambda v: f"{v:.3g}", "about 1 for real images"),
        ("Distance between two fakes", "diversity/pixels", lambda v: f"{v:.2f} × that of real images", "1"),
        ("Entropy of the classes", "class/entropy", lambda v: f"{v:.2f} nats", even),
        ("Copies of training images", "copies/share", share, "1 %"),
    )
    return tuple(Evidence(label, text(s.recent(name)), ref) for label, name, text, ref in rows if s.known(name))
