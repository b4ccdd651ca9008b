"""Presets: all valid, told apart, and those that promise to go wrong or right keep their word."""

from __future__ import annotations

import itertools
import math
import re

import pytest

from playground.cli_bench import PROMISED, presets
from playground.config import ConfigError
from playground.data import datasets
from playground.diagnostics.verdict import verdict
from playground.engine.loop import Loop, TrainingFailed
from playground.experiment import Experiment
from playground.families import family
from playground.presets import PRESETS, preset, preset_of
from playground.rng import Streams

# Those that learn from data made here or bundled: archives may not be on this machine.
CODING = [name for name, p in PRESETS.items() if p.family == "autoencoder" and p.dataset != "fashion-mnist"]

IMAGES = [name for name, p in PRESETS.items() if p.group == "Images" and p.dataset != "mnist"]


def radius(name: str, steps: int) -> float:
    """Play a game and return how far from its equilibrium it ends; it starts at the square root of 2."""
    loop = Loop(preset(name).experiment.changed(device="cpu"))
    loop.advance(steps)
    loop.flush()
    return math.hypot(loop.metrics["phase/theta"], loop.metrics["phase/psi"])


def test_a_run_on_another_seed_measured_at_other_steps_is_still_the_preset():
    plain = preset("collapse").experiment
    assert preset_of(plain) == preset_of(plain.changed(seed=3, steps=10, score_every=250)) == "collapse"
    assert preset_of(plain.changed(lr_d=0.5)) is None


def test_there_are_enough_and_the_first_is_the_gentlest():
    assert len(PRESETS) >= 10
    assert next(iter(PRESETS)) == "first-steps"
    assert len({p.title for p in PRESETS.values()}) == len(PRESETS)
    assert len({p.dataset for p in PRESETS.values()}) >= 8


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_valid_told_in_words_and_survives_its_link(name):
    p = preset(name)
    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert p.title
    assert p.group
    assert p.about.endswith((".", "?"))
    assert p.dataset in datasets()
    assert p.experiment.dataset == p.dataset
    assert all(p.experiment.value(field) == value for field, value in p.values.items())
    assert Experiment.from_query(p.experiment.to_query()) == (p.experiment, [])
    assert 500 <= p.steps <= 10_000


@pytest.mark.parametrize("name", PRESETS)
def test_every_setting_of_a_preset_has_an_effect(name):
    model = preset(name).experiment.model
    knobs = preset(name).experiment.knobs()
    idle = [f for f in preset(name).values if f in type(model).model_fields and not knobs[f].matters(model)]
    assert not idle


def test_a_cure_differs_from_what_it_cures_in_few_settings():
    cures = {name: p.cures for name, p in PRESETS.items() if p.cures}
    assert len(cures) >= 3
    for name, mended in cures.items():
        for cure in mended:
            ill, well = preset(name), preset(cure)
            changed = {f for f in ill.experiment.knobs() if ill.experiment.value(f) != well.experiment.value(f)}
            assert 1 <= len(changed) <= 3, changed
            assert well.group == ill.group
            assert well.dataset == ill.dataset


def test_presets_of_one_group_stand_together():
    groups = [p.group for p in PRESETS.values()]
    assert sum(a != b for a, b in itertools.pairwise(groups)) == len(set(groups)) - 1


def test_an_unknown_preset_is_told_what_there_is():
    with pytest.raises(ConfigError, match="first-steps"):
        preset("nothing")


def test_the_games_end_as_they_say():
    assert radius("dirac", 1500) > radius("dirac", 500) > math.sqrt(2)
    assert radius("dirac-r1", 500) < 1e-3
    assert 10 * radius("bilinear", 2000) < radius("bilinear", 500) < math.sqrt(2)


def test_steps_too_long_fail_at_once():
    for seed in range(3):
        with pytest.raises(TrainingFailed, match="became"):
            Loop(preset("diverging").experiment.changed(seed=seed, device="cpu")).advance(100)


@pytest.mark.parametrize("name", CODING)
def test_presets_that_code_train_on_data_that_is_always_there(name):
    loop = Loop(preset(name).experiment.changed(device="cpu"))
    loop.advance(10)
    loop.flush()
    assert math.isfinite(loop.metrics["loss/total"])


@pytest.mark.parametrize("name", IMAGES)
def test_presets_of_images_train_on_data_that_is_always_there(name):
    experiment = preset(name).experiment.changed(device="cpu", batch=8)
    rng = Streams(0)
    model = family(experiment.family)(experiment.model, experiment.data, rng)
    metrics = model.step(model.take(model.rows, 0, rng), rng).all()
    assert all(math.isfinite(value.item()) for value in metrics.values())
    assert model.noise(4, rng["look"]).shape == (4, experiment.value("noise_dim"))


def test_the_image_presets_open_with_digits_and_show_what_is_promised():
    assert IMAGES[0] == "image-digits"
    assert PRESETS["image-mnist"].experiment.value("body") == "dcgan"
    assert {PRESETS[name].experiment.value("body") for name in IMAGES} == {"dense", "dcgan", "upsample"}


def ended(name: str, steps: int = 0) -> tuple[str, dict[str, float]]:
    """Train a preset to its end, or for so many steps; return the verdict's state and the last scores."""
    loop = Loop(preset(name).experiment.changed(device="cpu"))
    loop.advance(steps or preset(name).steps)
    scores = loop.score()
    return verdict(loop.experiment, *loop.recent()).state, scores


def test_the_linear_one_ends_on_pcas_line():
    state, scores = ended("linear")
    assert state in {"warming", "healthy"}
    assert scores["held/mse"] == pytest.approx(scores["pca/mse"], rel=0.02)


def test_the_copier_copies_and_noise_cures_it():
    assert ended("copying", 750)[0] == "identity-copying"
    state, scores = ended("copying-denoised", 500)
    assert state in {"warming", "healthy"}
    assert scores["copy/noise"] > 0.5


def test_steps_too_long_kill_relus_and_elus_live():
    assert ended("dead-units", 750)[0] == "dead-codings"
    assert ended("dead-units-cured", 500)[0] in {"warming", "healthy"}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(CODING) - {"copying", "dead-units"}))
def test_presets_that_code_end_well(name):
    state, scores = ended(name)
    assert state in {"warming", "healthy"}
    assert scores["held/mse"] < 0.75 * scores["mean/mse"]
    if name == "sparse":
        assert scores["sparse/rho"] == pytest.approx(0.05, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROMISED)
def test_modes_over_three_seeds_are_as_promised(name):
    [row] = presets([name])
    assert row["ok"], row


@pytest.mark.slow
def test_the_verdict_names_the_collapse_of_images_and_its_cure():
    state, scores = ended("image-collapse")
    assert state == "partial-collapse"
    assert scores["class/covered"] <= 7
    assert ended("image-collapse-r1")[0] == "healthy"
