"""Verdicts on models that code: planted rows first, then small runs that go wrong on purpose and their cures."""

import math

import numpy as np
import pytest

from playground.diagnostics.verdict import verdict
from playground.engine.loop import Loop, TrainingFailed
from playground.experiment import Experiment

GOOD = {
    "held/mse": 0.02, "train/mse": 0.019, "pca/mse": 0.0246, "mean/mse": 0.074, "held/recon": 1.3, "train/recon": 1.2,
    "code/active": 8, "code/dead": 0, "unit/dead": 0.0, "unit/always": 0.02, "blur/sharpness": 0.8, "copy/noise": 1.0,
    "knn/accuracy": 0.95,
}  # fmt: skip
NATS = {"held/kl": 4.0, "held/elbo": -25.0, "held/iw": -24.0, **{f"kl/{j}": 0.5 for j in range(8)}}


def judge(experiment=None, rows=10, loss=1.0, change=None, **scores):
    """Judge a run of `rows` equal scores; `change` is called with (row number, row)."""
    e = experiment or Experiment.of("autoencoder").changed(codings=8)
    table = [{"step": 250 * (i + 1), **GOOD, **scores} for i in range(rows)]
    for i, row in enumerate(table):
        if change:
            change(i, row)
    steps = np.arange(10, 250 * rows + 1, 10)
    return verdict(e, {"step": steps, "loss/total": np.full(len(steps), loss)}, table)


def vae(**values):
    return Experiment.of("vae").changed(codings=8, **values)


def check_words(v):
    assert v.sentence.endswith(".")
    assert len(v.sentence) < 170
    assert v.why.endswith((".", "?"))
    assert all(e.label and e.value and e.reference for e in v.evidence)
    assert "nan" not in f"{v.sentence} {[e.value for e in v.evidence]}".lower()
    v.to_json()


def test_a_good_run_is_healthy_and_compared_with_pca():
    v = judge()
    assert v.state == "healthy"
    assert "81 % of PCA's" in v.sentence
    assert v.cure is None
    check_words(v)
    worse = judge(**{"held/mse": 0.03, "train/mse": 0.029})
    assert worse.state == "healthy"
    assert "PCA with as many codings rebuilds held-out items better" in worse.sentence


def test_a_denoising_run_is_judged_by_what_it_cleans():
    worse = {"held/mse": 0.03, "train/mse": 0.029}  # than PCA on clean items, which it never saw
    v = judge(**worse, **{"denoise/mse": 0.02, "denoise/pca": 0.04})
    assert (v.state, "error of cleaned items is 50 % of PCA's" in v.sentence) == ("healthy", True)
    assert (v.evidence[0].label, v.evidence[0].reference) == ("Error of cleaned items", "0.04 for PCA")
    check_words(v)
    v = judge(**worse, **{"denoise/mse": 0.05, "denoise/pca": 0.04})
    assert "PCA with as many codings cleans corrupted items better (error 0.04 against 0.05)" in v.sentence


def test_while_layers_are_stacked_nothing_is_judged():
    steps = np.arange(10, 2510, 10)
    bad = [{"step": 250 * (i + 1), **GOOD, "held/mse": 5.0, "train/mse": 5.0} for i in range(10)]
    e = Experiment.of("autoencoder").changed(codings=8, stack_steps=2000)
    train = {"step": steps, "loss/total": np.ones(len(steps)), "stack/layer": np.full(len(steps), 2.0)}
    v = verdict(e, train, bad)
    assert v.state == "warming"
    assert "layer 2 learns alone" in v.sentence
    check_words(v)
    assert verdict(e, train | {"stack/layer": np.zeros(len(steps))}, bad).state == "diverged"


def test_a_charge_that_is_switched_off_is_no_fault():
    steps = np.arange(10, 2510, 10)
    gone = np.where(steps < 1000, 0.5, np.nan)
    rows = [{"step": 250 * (i + 1), **GOOD} for i in range(10)]
    e = Experiment.of("autoencoder").changed(codings=8)
    train = {"step": steps, "loss/total": np.ones(len(steps)), "loss/sparse": gone}
    assert verdict(e, train, rows).state == "healthy"
    broken = train | {"loss/total": np.append(np.ones(len(steps) - 1), np.nan)}
    assert verdict(e, broken, rows).state == "diverged"


@pytest.mark.parametrize("rows", [0, 1])
def test_too_early_to_say(rows):
    v = judge(rows=rows)
    assert v.state == "warming"
    check_words(v)


def test_a_falling_error_is_still_learning():
    def fall(i, row):
        row["held/mse"] = 0.05 * 0.9**i
        row["train/mse"] = row["held/mse"] / 1.1

    v = judge(change=fall)
    assert v.state == "warming"
    assert "better and better" in v.sentence
    check_words(v)


def test_losses_that_run_away():
    for v in (judge(loss=math.nan), judge(loss=1e12), judge(**{"held/mse": 7.4}), judge(rows=1, loss=math.inf)):
        assert v.state == "diverged"
        assert v.cure.values["lr"] < 1e-3
        assert v.cure.live
        assert v.sentence.startswith("Diverged")


def test_posterior_collapse_names_the_dead_and_lowers_beta():
    dead = NATS | {"kl/1": 0.001, "kl/2": 0.0, "kl/4": 0.002, "kl/6": 0.009}
    v = judge(vae(beta=4.0), **dead)
    assert v.state == "posterior-collapse"
    assert v.missing == (1, 2, 4, 6)
    assert "codings 2, 3, 5 and 7 of 8 carry nothing" in v.sentence
    assert v.cure.values == {"beta": 1.0}
    assert v.cure.live
    check_words(v)


def test_posterior_collapse_of_all():
    v = judge(vae(), **NATS | {f"kl/{j}": 1e-5 for j in range(8)})
    assert v.missing == tuple(range(8))
    assert "none of the 8 codings" in v.sentence
    assert v.cure.values == {"free_bits": 0.25}
    check_words(v)
    one = judge(Experiment.of("vae").changed(codings=1), **{"kl/0": 1e-5, "held/kl": 1e-5})
    assert "the one coding says nothing" in one.sentence
    check_words(one)


def test_a_few_codings_without_use_are_no_collapse():
    assert judge(vae(), **NATS | {f"kl/{j}": 0.0 for j in range(3)}).state == "healthy"


def test_the_ladder_against_collapse_goes_on():
    dead = NATS | {f"kl/{j}": 0.0 for j in range(8)}
    settings, labels = {"beta": 4.0}, []
    for _ in range(9):
        cure = judge(vae(**settings), **dead).cure
        if cure is None:
            break
        labels.append(cure.label)
        if "codings" in cure.values:
            break
        settings |= cure.values
    assert labels == [
        "Lower β to 1", "Give each coding free bits", "Let β rise over 20,000 steps", "Learn the noise level",
        "Use 4 codings",
    ]  # fmt: skip


def test_identity_copying_is_cured_by_damage_or_sparsity():
    wide = Experiment.of("autoencoder").changed(codings=128)
    found = {"copy/noise": 0.02, "held/mse": 1e-4, "train/mse": 1e-4, "pca/mse": 0.0, "code/active": 128}
    v = judge(wide, **found)
    assert v.state == "identity-copying"
    assert "128 codings for 64 numbers" in v.sentence
    assert v.cure.values == {"corruption": "gaussian", "strength": 0.3}
    assert v.cure.live
    check_words(v)
    assert judge(wide.changed(corruption="mask"), **found).cure.values == {"sparsity": "kl"}


def test_dead_codings_and_dead_units():
    v = judge(Experiment.of("autoencoder").changed(codings=8, code_bend="relu"), **{"code/active": 5, "code/dead": 3})
    assert v.state == "dead-codings"
    assert "3 of 8" in v.sentence
    assert v.cure.values == {"code_bend": "none"}
    assert not v.cure.live
    check_words(v)
    units = judge(Experiment.of("autoencoder").changed(activation="relu"), **{"unit/dead": 0.7})
    assert "70 % of the hidden units" in units.sentence
    assert units.cure.values == {"activation": "elu"}
    assert judge(**{"code/active": 7, "code/dead": 1}).state == "healthy"


def test_overfitting_is_a_gap_that_grows():
    def rising(i, row):
        row["held/recon"] = 1.3 * (1 + 0.02 * i)

    gap = {"held/mse": 0.02, "train/mse": 0.014}
    assert judge(**gap).state == "healthy"
    v = judge(**gap, change=rising)
    assert v.state == "overfitting"
    assert "1.4 times" in v.sentence
    assert "getting worse" in v.sentence
    assert v.cure.values == {"corruption": "mask", "strength": 0.3}
    check_words(v)
    wide = judge(**{"held/mse": 0.02, "train/mse": 0.008})
    assert wide.state == "overfitting"
    endless = judge(Experiment.of("autoencoder").on("shapes"), **{"held/mse": 0.02, "train/mse": 0.008}, change=rising)
    assert endless.state != "overfitting"
    assert "training items" not in endless.sentence
    halved = judge(vae(), **NATS, **{"held/mse": 0.02, "train/mse": 0.008}).cure
    assert halved.label == "Halve the layers"
    assert not halved.live


def test_blur_is_cured_by_another_loss_or_likelihood():
    v = judge(**{"blur/sharpness": 0.3})
    assert v.state == "blurry"
    assert "30 % of the items' edges" in v.sentence
    assert v.cure.values == {"loss": "l1"}
    check_words(v)
    assert judge(vae(), **NATS, **{"blur/sharpness": 0.3}).cure.values == {"likelihood": "learned"}
    assert judge(Experiment.of("autoencoder").changed(loss="l1"), **{"blur/sharpness": 0.3}).cure.values == {
        "codings": 8
    }


def test_odd_rows_never_raise():
    for rows in ([{}], [{"step": 900}, {"step": 901, "held/mse": "?"}], [{"step": 900, "kl/0": None}] * 4):
        check_words(verdict(vae(), {"step": [1, 900], "loss/total": [1.0, 2.0]}, rows))


# -- runs that go wrong on purpose ------------------------------------------------------------------------------------


def run(experiment, steps):
    loop = Loop(experiment.changed(score_every=100))
    loop.advance(steps)
    return loop


def state(loop):
    return verdict(loop.experiment, *loop.recent())


def test_a_vae_with_a_large_beta_collapses_and_the_offered_cures_revive_it():
    loop = run(vae(beta=10.0, width1=32, width2=16), 600)
    v = state(loop)
    assert (v.state, v.missing) == ("posterior-collapse", tuple(range(8)))
    while v.state == "posterior-collapse" and v.cure is not None and v.cure.live:
        loop.set(v.cure.values)
        loop.advance(1000)
        v = state(loop)
    assert v.state != "posterior-collapse"
    assert loop.scores[-1]["held/kl"] > 1


def test_a_wide_plain_autoencoder_copies_and_damage_cures_it():
    loop = run(Experiment.of("autoencoder").changed(body="linear", codings=100, lr=3e-3), 800)
    v = state(loop)
    assert v.state == "identity-copying"
    loop.set(v.cure.values)
    loop.advance(600)
    assert state(loop).state != "identity-copying"


def test_steps_too_long_diverge():
    loop = Loop(Experiment.of("autoencoder").changed(lr=1.0, optimiser="sgd"))
    with pytest.raises(TrainingFailed):
        loop.advance(400)
    v = state(loop)
    assert v.state == "diverged"
    assert v.cure.values["lr"] < 1
