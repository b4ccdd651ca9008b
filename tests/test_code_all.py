"""Every preset, and GANs with every pair of loss, penalty, optimiser and trick, as scripts that repeat their runs."""

import itertools

import pytest

from playground.code.export import script
from playground.experiment import Experiment
from playground.losses import LOSSES
from playground.presets import PRESETS
from tests.scripts import check_clean, repeated

SMALL = {"g_depth": 1, "d_depth": 1, "g_width": 8, "d_width": 8, "batch": 8, "noise_dim": 2, "activation": "tanh"}
BASE = Experiment().changed(**SMALL)
PENALTIES = ("none", "gp", "r1", "r2", "dragan")
OPTIMISERS = ("adam", "sgd", "rmsprop", "optimistic-adam")
TRICKS = [
    {}, {"spectral": True}, {"minibatch": "std"}, {"minibatch": "discrimination"}, {"packing": 2}, {"replay": 0.5},
    {"instance_noise": 0.2, "instance_noise_decay": 9}, {"ema": 0.9}, {"order": "simultaneous"},
    {"d_steps": 2, "g_steps": 2}, {"unroll": 1, "packing": 2}, {"unroll": 2, "spectral": True, "instance_noise": 0.1},
]  # fmt: skip
SETS = [name for name, preset in PRESETS.items() if preset.experiment.data.missing() is None]
TINY = {"g_width": 8, "d_width": 8, "width1": 8, "width2": 8, "width": 8, "maps": 4, "batch": 8, "items": 1000}


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "penalty"), list(itertools.product(LOSSES, PENALTIES)))
def test_every_loss_and_penalty_with_every_trick(loss, penalty, tmp_path):
    for i, trick in enumerate(TRICKS):
        experiment = BASE.changed(loss=loss, penalty=penalty, smoothing=0.1, **trick)
        repeated(experiment, tmp_path / str(i), 10, tolerance=2e-3 if "unroll" in trick else 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("of_d", "of_g"), list(itertools.product(OPTIMISERS, OPTIMISERS)))
def test_every_pair_of_optimisers_with_every_trick(of_d, of_g, tmp_path):
    for i, trick in enumerate(TRICKS):
        experiment = BASE.changed(optimiser_d=of_d, optimiser_g=of_g, momentum=0.3, **trick)
        repeated(experiment, tmp_path / str(i), 10, tolerance=2e-3 if "unroll" in trick else 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_every_preset_repeats_its_run(name, tmp_path):
    experiment = PRESETS[name].experiment.changed(device="cpu")
    known = {field: value for field, value in TINY.items() if field in experiment.knobs()}
    single = experiment.dataset == "font-digits" or experiment.knobs().get("precision") is not None
    tolerance = 2e-2 if single else 1e-5
    repeated(experiment.changed(**known), tmp_path, 6, tolerance=tolerance, double=not single)


def test_every_preset_is_a_clean_script(tmp_path):
    check_clean([script(preset.experiment) for preset in PRESETS.values()], tmp_path)
