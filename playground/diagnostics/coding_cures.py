"""The usual cure for each state of a model that codes: a ladder of changes, the first not yet in place is offered.

Sources: free bits Kingma et al. 2016, arXiv 1606.04934; warm-up Sonderby et al. 2016, arXiv 1602.02282; learned
variance Rybkin et al. 2021, arXiv 2006.13202; corruption Vincent et al. 2010, JMLR 11; sparsity Makhzani and Frey 2013,
arXiv 1312.5663. Live changes come first. None is certain; the verdict after some hundred steps says whether it helped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from playground.diagnostics.cures import Ladder, Now

FREE = 0.25  # nats: enough for a coding to be of use, little beside the 1 to 3 of one that is
LONG = 20_000  # steps of a warm-up that still acts on a run of some thousand


def _collapse(now: Now) -> Ladder:
    ladder: Ladder = []
    if now("beta", 1.0) > 1:
        why = "With β above 1 a nat in the code costs more than it can save; at 1 the cost is the bound's own."
        ladder.append(("Lower β to 1", {"beta": 1.0}, why))
    if now("sigma", 0.0) > 0.1 and now("likelihood") == "gaussian":
        why = (
            "The wider the Gaussian around each number, the less a good reconstruction earns: it cannot pay for a code."
        )
        ladder.append(("Halve σ", {"sigma": max(0.05, now("sigma") / 2)}, why))
    if now("free_bits", 1.0) == 0:
        why = "The first nats of each coding cost nothing, so the decoder finds something in it and learns to listen."
        ladder.append(("Give each coding free bits", {"free_bits": FREE}, why))
    if now("warm_up", 1) == 0:
        why = "While β is small the code fills; it then has something to lose when β is back."
        ladder.append((f"Let β rise over {LONG:,} steps", {"warm_up": LONG}, why))
    if now("likelihood") in ("bernoulli", "gaussian"):
        ladder.append(LEARN_SIGMA)
    return [*ladder, *_fewer(now)]


def _copying(now: Now) -> Ladder:
    ladder: Ladder = []
    if now("corruption") == "none":
        why = "A damaged item cannot be copied: to mend it the net must know what items look like."
        ladder.append(("Damage the input (Gaussian 0.3)", {"corruption": "gaussian", "strength": 0.3}, why))
    if now("sparsity") == "none":
        why = "With few codings on at a time, each has to stand for something that comes back in many items."
        ladder.append(("Keep codings sparse", {"sparsity": "kl"}, why))
    if now("strength", 1.0) < 0.3:
        ladder.append(("Damage the input more", {"strength": 0.3}, "So little damage can be left as it is."))
    return [*ladder, *_fewer(now)]


def _dead(now: Now) -> Ladder:
    ladder: Ladder = []
    if now("code_bend") == "relu":
        why = "A ReLU that is 0 for every item passes no gradient and stays 0. Restarts the run."
        ladder.append(("Leave the codings unbent", {"code_bend": "none"}, why))
    if now("sparsity") == "k-sparse" and now("keep", 0) < now("codings", 0) // 2:
        why = "A coding that is never among the largest never learns; with more kept, more get their turn."
        ladder.append(("Keep twice as many", {"keep": 2 * now("keep")}, why))
    weight = f"{now('sparsity')}_weight"
    if now("sparsity") in ("l1", "kl") and now(weight, 0.0) > 0.01:
        lighter = float(f"{now(weight) / 5:.2g}")
        ladder.append(("Charge less for being on", {weight: lighter}, "Being on costs more than it saves."))
    if now("activation") == "relu":
        why = "An ELU has a slope below zero too, so a unit that went quiet finds its way back. Restarts the run."
        ladder.append(("Use ELU units", {"activation": "elu"}, why))
    return [*ladder, *_fewer(now)]


def _overfitting(now: Now) -> Ladder:
    ladder: Ladder = []
    if now("corruption") == "none":
        why = "Each item comes with other numbers missing every time, so there is no item to learn by heart."
        ladder.append(("Hide numbers at random (30 %)", {"corruption": "mask", "strength": 0.3}, why))
    if now("beta", 9.0) < 1:
        ladder.append(
            ("Raise β to 1", {"beta": 1.0}, "Noise in the code keeps the decoder from learning items by heart.")
        )
    if now("body") == "dense":
        halved = {f"width{i + 1}": max(8, now(f"width{i + 1}") // 2) for i in range(now("layers"))}
        ladder.append(("Halve the layers", halved, "A smaller net has less room for single items. Restarts the run."))
    return [*ladder, *_fewer(now)]


def _blurry(now: Now) -> Ladder:
    ladder: Ladder = []
    if now("likelihood") is not None:
        if now("beta", 1.0) > 1:
            ladder.append(("Lower β to 1", {"beta": 1.0}, "The code may then hold more of what makes an item sharp."))
        ladder += [LEARN_SIGMA] if now("likelihood") != "learned" else []
    elif now("loss") in ("mse", "bce"):
        why = "Where it is in doubt the squared error takes the mean, which is grey; the absolute error takes a side."
        ladder.append(("Use the absolute error", {"loss": "l1"}, why))
    if now("codings", 999) < 64:
        more = min(64, 4 * now("codings"))
        ladder.append(
            (f"Use {more} codings", {"codings": more}, "More of an item fits into the code. Restarts the run.")
        )
    return ladder


def _diverged(now: Now) -> Ladder:
    why = "Go back to the last good moment first; the step that broke it was too long."
    return [("Take smaller steps", now.slower("lr"), why)]


def _fewer(now: Now) -> Ladder:
    """Offer half as many codings, the next power of two below."""
    fewer = 2 ** max(1, math.ceil(math.log2(max(2, now("codings", 2)))) - 1)
    why = "With less room every coding is needed. Restarts the run."
    return [(f"Use {fewer} codings", {"codings": fewer}, why)] if fewer < now("codings", 0) else []


LEARN_SIGMA = (
    "Learn the noise level",
    {"likelihood": "learned"},
    "The decoder's σ shrinks as it gets better, so that what is left to learn goes on paying. Restarts the run.",
)

LADDERS: Mapping[str, Callable[[Now], Ladder]] = {
    "posterior-collapse": _collapse,
    "identity-copying": _copying,
    "dead-codings": _dead,
    "overfitting": _overfitting,
    "blurry": _blurry,
    "diverged": _diverged,
}
