"""Scripts of autoencoders of every kind and of VAEs."""

import pytest

from playground.code.export import script
from playground.data import datasets
from playground.experiment import Experiment
from tests.scripts import check_clean, repeated

SMALL = {"batch": 12, "width1": 20, "width2": 10, "maps": 4}
AUTO, VAE = (Experiment.of(name).changed(**SMALL) for name in ("autoencoder", "vae"))
BODIES = [
    {},
    {"body": "linear"},
    {"layers": 3, "activation": "selu"},
    {"layers": 1, "activation": "relu"},
    {"activation": "tanh"},
    {"body": "conv"},
    {"body": "conv", "down": "pooling", "up": "upsampling", "activation": "gelu"},
    {"body": "recurrent"},
    {"body": "recurrent", "cell": "lstm", "layers": 1},
]
KINDS = [
    {"tied": True},
    {"tied": True, "body": "linear"},
    {"stack_steps": 6},
    {"stack_steps": 5, "tied": True, "layers": 1, "contractive": 0.1, "sparsity": "l1", "corruption": "mask"},
    {"stack_steps": 4, "optimiser": "nadam"},
    {"loss": "bce"},
    {"loss": "l1", "output": "sigmoid"},
    {"loss": "ssim"},
    *[{"corruption": kind} for kind in ("gaussian", "mask", "salt-pepper")],
    *[{"sparsity": kind} for kind in ("l1", "kl")],
    {"sparsity": "k-sparse", "codings": 12},
    {"contractive": 0.1},
    {"contractive": 0.1, "codings": 12, "body": "conv"},
    {"contractive": 0.1, "body": "linear", "code_bend": "sigmoid"},
    {"optimiser": "nadam", "code_bend": "tanh"},
    {"optimiser": "rmsprop", "momentum": 0.5},
    {"optimiser": "sgd", "momentum": 0.5, "lr": 1e-4},
]
OBJECTIVES = [
    {"beta": 4.0},
    {"warm_up": 10},
    {"capacity": 5.0, "warm_up": 10},
    {"capacity": 3.0},
    {"free_bits": 0.5},
    {"samples": 5},
    {"samples": 3, "warm_up": 10, "beta": 2.0},
    {"likelihood": "gaussian"},
    {"likelihood": "learned"},
]
OTHERS = [name for name, data in datasets().items() if data.kind in ("sequences", "cloud")]


def names(changes: dict) -> str:
    return " ".join(f"{name}={value}" for name, value in changes.items())


@pytest.mark.parametrize("changes", [*BODIES, *KINDS], ids=names)
def test_a_script_repeats_a_run_of_an_autoencoder(changes, tmp_path):
    repeated(AUTO.changed(**changes), tmp_path, 20)


@pytest.mark.parametrize("changes", [*BODIES, *OBJECTIVES], ids=names)
def test_a_script_repeats_a_run_of_a_vae(changes, tmp_path):
    repeated(VAE.changed(**changes), tmp_path, 20)


@pytest.mark.parametrize("dataset", OTHERS)
def test_a_script_makes_the_items_of_its_run(dataset, tmp_path):
    repeated(AUTO.on(dataset), tmp_path, 6)
    repeated(VAE.changed(likelihood="gaussian").on(dataset), tmp_path, 6)


def test_a_script_changes_what_was_changed(tmp_path):
    sets = [(8, "lr", 1e-2), (12, "sparsity", "l1"), (12, "corruption", "mask"), (16, "contractive", 0.1)]
    repeated(AUTO, tmp_path, 24, [{"step": s, "kind": "set", "field": f, "value": v} for s, f, v in sets])
    sets = [(8, "samples", 3), (12, "beta", 2.0), (16, "samples", 1), (16, "warm_up", 40), (20, "batch", 4)]
    repeated(VAE, tmp_path, 24, [{"step": s, "kind": "set", "field": f, "value": v} for s, f, v in sets])


def test_scripts_of_coders_are_clean(tmp_path):
    found = [AUTO.changed(**changes) for changes in [*BODIES, *KINDS]] + [AUTO.on(name) for name in OTHERS]
    check_clean([script(each) for each in [*found, *[VAE.changed(**c) for c in [*BODIES, *OBJECTIVES]]]], tmp_path)
