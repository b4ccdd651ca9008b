"""Say in one sentence what a model that codes is doing, from its measured losses and scores only.

diverged            a loss is no number any more, or reconstructions are far worse than the mean item
warming             too early, or held-out items are still rebuilt better and better
posterior-collapse  half of a VAE's codings or more have a KL near 0: the decoder does without them (Bowman et al. 2016,
                    arXiv 1511.06349; Lucas et al. 2019, arXiv 1911.02469)
identity-copying    items that look like nothing are rebuilt as well as real ones: the net passes numbers through
dead-codings        codings that are the same for every item, or hidden units of which most are
overfitting         training items are rebuilt much better than held-out ones, which get worse
blurry              reconstructions have lost most of the items' edges
healthy             none of these, and held-out items are rebuilt no better than some hundred steps ago

Checks run from the certain to the vague; the first that applies is the verdict. Watch the evidence: every figure is one
that the panel or the loop measured.
"""

from __future__ import annotations

import math

import numpy as np

from playground.data.base import Table
from playground.diagnostics import coding_reasons as reasons
from playground.diagnostics.coding_cures import LADDERS
from playground.diagnostics.cures import cure_for
from playground.diagnostics.signals import Array, Evidence, Finding, Signals, Verdict, listed, share

WARM = 300  # steps before anything but divergence is called
SCORES = 2  # rows of scores that it takes
FAR = 10.0  # times the error of the mean item
HUGE = 1e9  # a loss of that size is on its way to infinity; sums over an item's numbers reach 1e5 honestly
DEAD_KL = 0.01  # nats; codings in use hold 0.1 to 3
DEAD_SHARE = 0.25  # of codings that do not vary; k-sparse kinds lose some without harm
DEAD_UNITS = 0.5
COPIED = 0.1  # error on shuffled items; undercomplete, sparse or denoising kinds have 0.25 to 1.2
GAP, WIDE_GAP = 1.3, 2.0  # held-out error over training error: with held-out errors on the rise, and without
RISEN = 0.03  # of held-out loss above its lowest; from score to score it moves by less than 0.01
BLURRED = 0.5  # of the items' gradient energy; two codings of digits keep 0.53, eight 0.79
SETTLED = 0.05  # share by which held-out errors still fall from three scores to the next three


def judge_coding(s: Signals) -> Verdict:
    """Judge a run of a model that codes."""
    checks = (_broken, _early, _collapsed, _copying, _dead, _overfitting, _improving, _blurry)
    finding = next((found for check in checks if (found := check(s)) is not None), None) or _healthy(s)
    cure = cure_for(finding.state, s.experiment, LADDERS)
    return Verdict(finding.state, finding.sentence, finding.why, finding.evidence, finding.missing, cure)


def _broken(s: Signals) -> Finding | None:
    losses = {name: column[-1] for name, column in s.train.items() if name.startswith("loss/") and len(column)}
    whole = losses.get("loss/total", 0.0)  # a charge that is switched off leaves NaN; one that broke breaks the sum
    if not math.isfinite(whole) or any(abs(value) > HUGE for value in losses.values()):
        evidence = tuple(
            Evidence(f"Loss ({n.partition('/')[2]})", f"{v:.3g}", "a finite number") for n, v in losses.items()
        )
        return Finding("diverged", f"Diverged: at step {s.step:,} the losses ran away.", reasons.BROKEN, evidence)
    worse = s.last("held/mse") / s.last("mean/mse")
    if not worse > FAR or layer_alone(s):
        return None
    sentence = f"Diverged: held-out items are rebuilt {worse:,.0f} times worse than by the mean item."
    return Finding("diverged", sentence, reasons.BROKEN, _quality(s))


def _early(s: Signals) -> Finding | None:
    if alone := layer_alone(s):
        sentence = (
            f"Layer by layer: layer {alone} learns alone, those further in have not begun. Judged when all learn."
        )
        return Finding("warming", sentence, reasons.STACKING, _quality(s))
    if s.age >= WARM and len(s.scores) >= SCORES:
        return None
    return Finding("warming", s.warming(WARM), reasons.EARLY, _quality(s))


def _collapsed(s: Signals) -> Finding | None:
    kl = nats(s)
    dead = [int(j) for j in np.flatnonzero(kl < DEAD_KL)]
    if not len(kl) or 2 * len(dead) < len(kl):
        return None
    evidence = (
        Evidence("Codings with a KL below 0.01 nats", f"{len(dead)} of {len(kl)}", "0"),
        Evidence("KL of all codings", f"{kl.sum():.2g} nats", "some nats: what an item's code says of it"),
        Evidence("Largest KL of one coding", f"{kl.max():.2g} nats", "1 to 3"),
        *_quality(s),
    )
    if len(dead) == len(kl):
        sentence = (
            f"Posterior collapse: none of the {len(kl)} codings says anything of its item (KL {kl.sum():.2g} nats)."
        )
        if len(kl) == 1:
            sentence = f"Posterior collapse: the one coding says nothing of its item (KL {kl.sum():.2g} nats)."
        return Finding("posterior-collapse", sentence, reasons.COLLAPSED, evidence, tuple(dead))
    named = listed([str(j + 1) for j in dead])
    noun, verb = ("coding", "carries") if len(dead) == 1 else ("codings", "carry")
    sentence = f"Posterior collapse: {noun} {named} of {len(kl)} {verb} nothing (KL below 0.01 nats each)."
    return Finding("posterior-collapse", sentence, reasons.PRUNED, evidence, tuple(dead))


def _copying(s: Signals) -> Finding | None:
    copied, numbers = s.recent("copy/noise"), math.prod(s.experiment.data.shape)
    codings = int(np.nan_to_num(s.recent("code/active") + s.recent("code/dead")))
    if not copied < COPIED or codings < numbers:  # fewer codings than numbers cannot pass everything through
        return None
    sentence = (
        f"Identity copying: {codings} codings for {numbers} numbers, and shuffled items that look like nothing are "
        f"rebuilt to {share(1 - copied)} as well."
    )
    evidence = (
        Evidence("Error on shuffled items", f"{copied:.2g} × their variance", "about 1 for a net that knows the data"),
        Evidence("Codings, and numbers in an item", f"{codings} and {numbers}", "fewer codings than numbers"),
        *_quality(s),
    )
    return Finding("identity-copying", sentence, reasons.COPIED, evidence)


def _dead(s: Signals) -> Finding | None:
    dead, units = s.recent("code/dead"), s.recent("unit/dead")
    codings = dead + s.recent("code/active")
    if len(nats(s)) or not ((dead >= DEAD_SHARE * codings and dead >= 1) or units > DEAD_UNITS):
        return None
    evidence = (
        Evidence("Codings that are the same for every item", f"{dead:.0f} of {codings:.0f}", "0"),
        *([Evidence("Hidden units that never fire", share(units), "below 10 %")] if math.isfinite(units) else []),
        *_quality(s),
    )
    sentence = f"Dead codings: {dead:.0f} of {codings:.0f} are the same for every item."
    if dead < DEAD_SHARE * codings or dead < 1:
        sentence = f"Dead units: {share(units)} of the hidden units put out the same for every item."
    return Finding("dead-codings", sentence, reasons.DEAD, evidence)


def _overfitting(s: Signals) -> Finding | None:
    gap, risen = s.recent("held/mse") / s.recent("train/mse"), rise(s.column("held/recon"))
    if endless(s) or not ((gap > GAP and risen > RISEN) or (gap > WIDE_GAP and not falling(s))):
        return None
    after = f" and getting worse (loss {share(risen)} above its best)" if risen > RISEN else ""
    sentence = f"Overfitting: the error on items it has never seen is {gap:.1f} times that on training items{after}."
    evidence = (
        Evidence("Held-out error over training error", f"{gap:.2g}", "1 to 1.3"),
        Evidence("Held-out loss above its lowest", share(risen), "0 %"),
        *_quality(s),
    )
    return Finding("overfitting", sentence, reasons.OVERFIT, evidence)


def _improving(s: Signals) -> Finding | None:
    if not falling(s):
        return None
    what = "held-out items are rebuilt better and better; " if s.known("held/mse") else ""
    sentence = f"Still learning: {what}{compared(s)}."
    return Finding("warming", sentence, reasons.IMPROVING, _quality(s))


def _blurry(s: Signals) -> Finding | None:
    sharp = s.recent("blur/sharpness")
    if not sharp < BLURRED:
        return None
    sentence = f"Blurry: the reconstructions keep {share(sharp)} of the items' edges."
    return Finding("blurry", sentence, reasons.BLURRED, _quality(s))


def _healthy(s: Signals) -> Finding:
    gap = s.recent("held/mse") / s.recent("train/mse")
    tail = f", {share(gap - 1)} above that on training items" if gap > 1.005 else ", no worse than training items"
    sentence = f"Healthy: {compared(s)}{tail if math.isfinite(gap) and not endless(s) else ''}."
    return Finding("healthy", sentence, reasons.HEALTHY, _quality(s))


# -- what several checks ask ------------------------------------------------------------------------------------------


def endless(s: Signals) -> bool:
    """Say whether items are drawn without end: none comes again, and none can be memorised."""
    return not isinstance(s.experiment.data, Table)


def layer_alone(s: Signals) -> int:
    """Return the layer that learns alone while layers are stacked, counted from 1; 0 where all learn together."""
    column = s.train.get("stack/layer", np.empty(0))
    return int(np.nan_to_num(column[-1])) if len(column) else 0


def nats(s: Signals) -> Array:
    """Return the recent KL of each coding (Z,), empty where there is none."""
    dims = sum(name.startswith("kl/") for name in (s.scores[-1] if s.scores else ()))
    return np.array([s.recent(f"kl/{j}") for j in range(dims)], np.float64)


def falling(s: Signals) -> bool:
    """Say whether the error on held-out items fell clearly over the last scores, or is too new to say."""
    mse = s.column("held/mse")
    return len(mse) < 4 or bool(np.median(mse[-3:]) < (1 - SETTLED) * np.median(mse[-6:-3]))


def rise(loss: Array) -> float:
    """Return by which share the last three losses lie above the lowest three in a row; 0 with fewer than six."""
    if len(loss) < 6:
        return 0.0
    smooth = np.array([np.median(loss[i : i + 3]) for i in range(len(loss) - 2)])
    return float((smooth[-1] - smooth.min()) / max(abs(smooth.min()), 1e-12))


def compared(s: Signals) -> str:
    """Say in words how the error on held-out items compares with PCA's."""
    mse, pca = s.recent("held/mse"), s.recent("pca/mse")
    if not math.isfinite(mse):
        return "held-out items have not been measured yet"
    if s.known("denoise/mse"):  # what it is trained for, where PCA is no longer the best there is on a straight line
        return _cleaned(s.recent("denoise/mse"), s.recent("denoise/pca"))
    if not math.isfinite(pca):
        return f"the error on held-out items is {mse:.2g}"
    ratio = mse / max(pca, 1e-12)
    if pca < 1e-3 * s.recent("mean/mse"):  # as many components as the data has: PCA leaves nothing out
        return f"held-out items are rebuilt to {share(1 - mse / s.recent('mean/mse'))} of their variance"
    if ratio > 1:
        return f"PCA with as many codings rebuilds held-out items better (error {pca:.2g} against {mse:.2g})"
    return f"the error on held-out items is {share(ratio)} of PCA's with as many codings"


def _cleaned(mse: float, pca: float) -> str:
    """Say in words how well corrupted held-out items are cleaned, beside PCA."""
    if mse > pca:
        return f"PCA with as many codings cleans corrupted items better (error {pca:.2g} against {mse:.2g})"
    return f"the error of cleaned items is {share(mse / max(pca, 1e-12))} of PCA's with as many codings"


def _quality(s: Signals) -> tuple[Evidence, ...]:
    """Return the figures that describe the reconstructions, those that were measured."""
    pca = s.recent("pca/mse")
    best = f"{pca:.3g} for PCA" if math.isfinite(pca) else "0"
    rows = (
        (
            "Error of cleaned items",
            "denoise/mse",
            lambda v: f"{v:.3g} a number",
            f"{s.recent('denoise/pca'):.3g} for PCA",
        ),
        ("Error on held-out items", "held/mse", lambda v: f"{v:.3g} a number", best),
        ("Error on training items", "train/mse", lambda v: f"{v:.3g} a number", "little below held-out"),
        ("ELBO of held-out items", "held/elbo", lambda v: f"{v:.4g} nats", "as high as may be"),
        ("Sharpness of reconstructions", "blur/sharpness", lambda v: f"{v:.2f} × the items'", "1"),
        ("Class told from 5 nearest codings", "knn/accuracy", share, "100 %"),
    )
    return tuple(Evidence(label, text(s.recent(name)), ref) for label, name, text, ref in rows if s.known(name))
