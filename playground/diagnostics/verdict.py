"""Say in one sentence what a run is doing, from measured signals only: losses, gradients, modes, held-out accuracy.

The states and what each asks for (thresholds beside the constants below):
warming            too early, or not good yet but still getting better
healthy            every mode gets its share and most fakes are sharp (without modes: coverage and precision are high)
partial-collapse   some modes get almost no fakes, or fakes shrink to dots within their modes
full-collapse      all fakes in one place
d-too-strong       D tells nearly all held-out points apart while fakes are poor and do not improve
g-vanished         as before, and G's gradient is next to nothing: it cannot learn
oscillating        fakes hop from place to place; a game circles its equilibrium
diverged           a loss is no number any more, or fakes left the picture; a game spirals outwards
Checks run in that spirit from the certain to the vague; the first that applies is the verdict. Mode collapse and
vanishing gradients: Goodfellow 2016, arXiv 1701.00160; Arjovsky and Bottou 2017, arXiv 1701.04862; circling games:
Mescheder et al. 2018, arXiv 1801.04406. Watch the evidence: every figure is one that the panel or the loop measured.
Models that code have states of their own: `coding_verdict`; generators of images are judged in `image_verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from playground.diagnostics import reasons
from playground.diagnostics.broken import broken
from playground.diagnostics.coding_verdict import judge_coding
from playground.diagnostics.cures import cure_for
from playground.diagnostics.games import judge_game
from playground.diagnostics.image_verdict import ImageSignals, judge_images
from playground.diagnostics.signals import FEW, POOR, Evidence, Finding, Signals, Verdict, lasting, listed, share
from playground.diagnostics.where import mode_names
from playground.experiment import Experiment
from playground.families import family

WARM = 500  # steps before anything but divergence is called: a G starts as a dot and needs a few hundred to unfold
PATIENCE = 500  # steps that a fault has to last: D's and G's ordinary tug of war is shorter
HEALTHY_HQ = 0.7  # a converged small GAN reaches 0.75 to 0.97 of a possible 0.989; bridges alone cost it 0.05 to 0.2
HEALTHY_TV = 0.35  # a third of the fakes in the wrong mode is as uneven as a picture can be and still look complete
NARROW = 0.35  # of the true std: below, the fakes of a mode look like a dot
DOT = 0.15  # of the data's overall std; one mode of a ring of eight has 0.05 to 0.1
HEAP = 0.5  # of the data's overall std: fakes no wider than that, hopping, are one heap on the move
STRONG = 0.97  # held-out accuracy; a D that leaves G something to learn errs on more than 3 %
CHANCE = 0.56  # held-out accuracy; below it D can hardly tell at all
VANISHED = 1e-3  # gradient norm of G; healthy runs show 0.05 to 5
FALLEN = 0.01  # of the window's own highest: vanished whatever its scale was
HOPPING = 0.3  # total variation of mode masses from one score to the next; sampling noise alone gives about 0.03
GOOD_COVERAGE, LOST_COVERAGE = 0.7, 0.5  # of the real points; 0.969 at perfection
GOOD_PRECISION = 0.7


def verdict(
    experiment: Experiment, train: Mapping[str, Any], scores: Sequence[Mapping[str, Any]], since: int = 0
) -> Verdict:
    """Judge a run from its recent past: `train` columns and `scores` rows, both with "step". Odd data never raises.

    What was measured up to step `since` tells of another model, in whose place this one was put by a fork.
    """
    if {"encode", "decode"} <= family(experiment.family).abilities:
        return judge_coding(Signals.read(experiment, train, scores, since))
    if experiment.data.kind == "images":
        return judge_images(ImageSignals.read(experiment, train, scores, since))
    signals = Signals.read(experiment, train, scores, since)
    checks = (broken, judge_game, _healthy, _early, _vanished, _hopping, _overpowered, _collapsed, _missing, _narrow)
    finding = next((found for check in checks if (found := check(signals)) is not None), None) or _unfinished(signals)
    cure = cure_for(finding.remedy or finding.state, experiment)
    return Verdict(finding.state, finding.sentence, finding.why, finding.evidence, finding.missing, cure)


def _healthy(s: Signals) -> Finding | None:
    if not _good(s):
        return None
    k = s.mode_count
    if k:
        what = f"all {k} modes have fakes" if k > 1 else "the fakes sit on the one mode there is"
        sentence = f"Healthy: {what} and {share(s.recent('modes/hq'))} of the fakes are sharp."
        why = reasons.HEALTHY_MODES
    else:
        sentence = (
            f"Healthy: the fakes cover {share(s.recent('prdc/coverage'))} of the data, "
            f"and {share(s.recent('prdc/precision'))} of them look real."
        )
        why = reasons.HEALTHY
    return Finding("healthy", sentence, why, _quality(s))


def _early(s: Signals) -> Finding | None:
    if s.age >= WARM and len(s.scores) >= 2:
        return None
    modes = f"{len(_present(s))} of {s.mode_count} modes"
    so_far = f" So far {modes} have {share(FEW)} of the sharp fakes due to them." if s.mode_count and s.scores else ""
    return Finding(
        "warming",
        f"{s.warming(WARM)}{so_far}",
        reasons.EARLY,
        _quality(s),
    )


def _vanished(s: Signals) -> Finding | None:
    now, top = s.tail("grad/g"), s.top("grad/g")
    if not (s.recent("d/accuracy") >= 0.9 and _poor(s) and (now < VANISHED or now < FALLEN * top)):
        return None
    size = f"{now:.2g}" if now >= VANISHED else f"below {VANISHED:g}"
    return Finding(
        "g-vanished",
        f"G has stopped learning: D is right on {share(s.recent('d/accuracy'))} of the points "
        f"and G's gradient has all but vanished ({size}).",
        reasons.VANISHING,
        (
            Evidence("Gradient norm of G", f"{now:.2g}", f"up to {top:.2g} in this window"),
            *_accuracy(s),
            *_quality(s),
        ),
    )


def _hopping(s: Signals) -> Finding | None:
    if s.mode_count > 1:
        return _mode_hopping(s)
    sw = s.column("dist/sw")[-10:]
    if len(sw) < 8:
        return None
    middle, moves = float(np.median(sw)), np.diff(sw)
    big = moves[np.abs(moves) > 0.3 * middle]
    reversals = int((np.sign(big[1:]) != np.sign(big[:-1])).sum())
    if reversals < 4:
        return None
    return Finding(
        "oscillating",
        f"Oscillating: the fakes come closer and drift off again, {reversals} times in the last {len(sw)} scores.",
        reasons.CHASE,
        (Evidence("Sliced Wasserstein", f"{sw.min():.2g} to {sw.max():.2g} data units", "steady"), *_quality(s)),
    )


def _mode_hopping(s: Signals) -> Finding | None:
    shares = s.shares()
    if len(shares) < 5:
        return None
    moved = s.moved()
    held = shares >= FEW * s.weights
    lost = int((held[:-1] & ~held[1:]).sum())
    if not (moved >= HOPPING and lost >= 2):
        return None
    once, ever = int(np.median(held.sum(1))), int(held.any(0).sum())
    evidence = (
        Evidence("Fakes that change mode between scores", share(moved), "3 % from sampling alone"),
        Evidence("Modes visited, and held at a time", f"{ever} and {once} of {s.mode_count}", f"{s.mode_count}"),
        Evidence("Modes lost again", f"{lost} times in {len(shares)} scores", "0"),
        *_quality(s),
    )
    if once <= 1 and s.recent("spread/all") < HEAP:
        sentence = f"Full collapse: the fakes sit in one heap that hops from mode to mode ({ever} visited of late)."
        return Finding("full-collapse", sentence, reasons.HEAP_HOPS, evidence)
    sentence = f"Oscillating: the fakes hop between modes; {ever} were visited of late, about {once} at a time."
    return Finding("oscillating", sentence, reasons.HOP, evidence)


def _overpowered(s: Signals) -> Finding | None:
    accuracy = s.column("d/accuracy")[-3:]
    if s.loss.startswith("wasserstein") or len(accuracy) < 3 or s.improving():
        return None  # a critic can hardly be too good: its slope does not fade
    if not (accuracy.min() >= STRONG and _poor(s)):
        return None
    return Finding(
        "d-too-strong",
        f"D is too strong: it is right on {share(s.recent('d/accuracy'))} of the points it has never seen, "
        "and the fakes are not getting better.",
        reasons.OVERPOWERED,
        (*_accuracy(s), Evidence("D loss", f"{s.tail('loss/d'):.2g}", "1.39 when D cannot tell"), *_quality(s)),
    )


def _collapsed(s: Signals) -> Finding | None:
    missing = s.missing()
    held = [i for i in range(s.mode_count) if i not in missing]
    in_one = s.mode_count > 1 and len(held) == 1
    if not (s.recent("spread/all") < DOT or in_one):
        return None
    how = "on" if s.recent("modes/hq") >= POOR else "around"
    place = f"{how} mode {mode_names(s.modes)[held[0]]}" if in_one else "on one spot"
    return Finding(
        "full-collapse",
        f"Full collapse: nearly every fake lands {place}, whatever the noise.",
        reasons.COLLAPSED,
        _quality(s),
        tuple(missing),
    )


def _missing(s: Signals) -> Finding | None:
    if not s.mode_count:
        return _lost_coverage(s)
    lost, k = s.missing(), s.mode_count
    for_steps = s.missing_for(lost) if lost else 0
    settled = s.moved() < HOPPING and not s.finding_more()
    if not lost or len(lost) == k or not settled or for_steps < PATIENCE:
        return None
    names = mode_names(s.modes)
    named = listed([names[i] for i in lost])
    noun, verb = ("Mode", "has") if len(lost) == 1 else ("Modes", "have")
    return Finding(
        "partial-collapse",
        f"Partial collapse: {k - len(lost)} of {k} modes. {noun} {named} {verb} had almost no fakes"
        f"{lasting(for_steps)}.",
        reasons.MISSING,
        _quality(s),
        tuple(lost),
    )


def _lost_coverage(s: Signals) -> Finding | None:
    coverage, precision = s.recent("prdc/coverage"), s.recent("prdc/precision")
    if not (coverage < LOST_COVERAGE and precision > coverage + 0.15) or s.improving():
        return None
    return Finding(
        "partial-collapse",
        f"Partial collapse: {share(precision)} of the fakes look real, but they cover {share(coverage)} of the data.",
        reasons.UNCOVERED,
        _quality(s),
    )


def _narrow(s: Signals) -> Finding | None:
    spread = s.recent("spread")
    if not (spread < NARROW and s.recent("modes/hq") >= HEALTHY_HQ and not s.finding_more()):
        return None
    return Finding(
        "partial-collapse",
        f"Partial collapse within the modes: the fakes are {spread:.2f} times as wide as the data there.",
        reasons.NARROWED,
        _quality(s),
    )


def _unfinished(s: Signals) -> Finding:
    if s.recent("d/accuracy") < CHANCE and not s.loss.startswith("wasserstein") and _poor(s):
        return Finding(
            "warming",
            f"Still learning, but G has a weak teacher: the fakes are poor, and yet D is right on only "
            f"{share(s.recent('d/accuracy'))} of the points.",
            reasons.WEAK_D,
            (*_accuracy(s), Evidence("D loss", f"{s.tail('loss/d'):.3g}", "below 1.39 when D can tell"), *_quality(s)),
            remedy="d-too-weak",
        )
    if s.mode_count:
        k, hq, counted = s.mode_count, s.recent("modes/hq"), s.recent("modes/eight_percent")
        held = int(counted) if isfinite(counted) else len(_present(s))  # a mean has what no score had
        some = f"{held} of {k} modes {'has' if held == 1 else 'have'}"
        which = {k: f"all {k} modes have", 0: "no mode has"}.get(held, some)
        sentence = f"Still learning: {which} a fair share of the fakes, and {share(hq)} of the fakes are sharp."
    else:
        sentence = (
            f"Still learning: the fakes cover {share(s.recent('prdc/coverage'))} of the data, "
            f"and {share(s.recent('prdc/precision'))} of them look real."
        )
    why = reasons.UNFINISHED
    return Finding("warming", sentence, why, _quality(s))


# -- what several checks ask ------------------------------------------------------------------------------------------


def _present(s: Signals) -> list[int]:
    """Return the modes with at least 8 % of the mass they should have, over the last scores."""
    return [i for i, mass in enumerate(s.mean_masses()) if mass >= FEW * s.weights[i]]


def _good(s: Signals) -> bool:
    if s.mode_count:
        even = len(_present(s)) == s.mode_count and s.recent("modes/tv") <= HEALTHY_TV
        narrow = s.recent("spread") < NARROW
        return even and s.recent("modes/hq") >= HEALTHY_HQ and not narrow
    return s.recent("prdc/coverage") >= GOOD_COVERAGE and s.recent("prdc/precision") >= GOOD_PRECISION


def _poor(s: Signals) -> bool:
    return bool(s.recent("modes/hq") < POOR if s.mode_count else s.recent("prdc/precision") < POOR)


def _accuracy(s: Signals) -> tuple[Evidence, ...]:
    return (Evidence("D's accuracy on held-out points", share(s.recent("d/accuracy")), "50 % when it cannot tell"),)


def _quality(s: Signals) -> tuple[Evidence, ...]:
    """Return the figures that describe the fakes, those that were measured."""
    k = s.mode_count
    rows = (
        ("Modes with at least one sharp fake", "modes/covered", lambda v: f"{v:.0f} of {k}", ""),
        ("Modes with at least 8 % of their share", "modes/eight_percent", lambda v: f"{v:.0f} of {k}", ""),
        ("Sharp fakes of late (within 3 std)", "modes/hq", share, "perfect 98.9 %"),
        ("Width within modes", "spread", lambda v: f"{v:.2f} × the data's", "1"),
        ("Real points with a fake nearby", "prdc/coverage", share, "perfect 97 %"),
        ("Fakes that look real", "prdc/precision", share, "perfect about 97 %"),
        ("Width of the fakes", "spread/all", lambda v: f"{v:.2f} × the data's", "1"),
    )
    found = [Evidence(label, text(s.recent(name)), ref) for label, name, text, ref in rows if s.known(name)]
    return tuple(found)
