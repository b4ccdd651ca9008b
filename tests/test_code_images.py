"""Scripts of GANs on images: dense and convolutional players, conditional GANs, InfoGAN, BEGAN."""

import pytest

from playground.code.export import script
from playground.data import datasets
from playground.experiment import Experiment
from tests import idx_files
from tests.scripts import check_clean, repeated

SMALL = {"g_width": 16, "d_width": 16, "batch": 12, "noise_dim": 4, "maps": 4, "activation": "tanh"}
GAN, CONDITIONAL, INFO = (
    Experiment.of(name).on("digits").changed(**SMALL) for name in ("gan", "conditional-gan", "infogan")
)
BEGAN = Experiment.of("began").changed(batch=12, width=16, maps=4)
IMAGES = [name for name, data in datasets().items() if data.kind == "images" and name != "font-digits"]
DCGAN, LAYER = {"body": "dcgan"}, {"body": "dcgan", "d_norm": "layer"}
CHANGED = [
    {},
    {"augment": "translation"},
    {"augment": "cutout", "instance_noise": 0.1},
    {"augment": "colour"},
    {"packing": 2, "replay": 0.5, "loss": "relativistic"},
    DCGAN,
    {"body": "upsample", "minibatch": "discrimination", "packing": 2},
    LAYER | {"penalty": "r1"},
    LAYER | {"loss": "wasserstein-gp", "d_steps": 2},
    DCGAN | {"d_norm": "none", "spectral": True, "loss": "hinge"},
    DCGAN | {"g_norm": "none", "spectral": True, "minibatch": "std"},
    DCGAN | {"init": "orthogonal", "ema": 0.9, "order": "simultaneous"},
]
JOINT = [
    {},
    {"penalty": "gp", "packing": 2},
    {"penalty": "r2", "spectral": True, "minibatch": "std"},
    {"replay": 0.5, "loss": "relativistic", "d_steps": 2},
    DCGAN | {"packing": 2, "augment": "cutout", "instance_noise": 0.1},
    LAYER | {"penalty": "dragan"},
]
COMPARED = {"label_way": "concatenation"}


def names(value: object) -> str:
    return " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value.family)


@pytest.mark.parametrize("changes", CHANGED, ids=names)
def test_a_script_repeats_its_run(changes, tmp_path):
    repeated(GAN.changed(**changes), tmp_path, 12)


@pytest.mark.parametrize("changes", [DCGAN, LAYER], ids=names)
def test_a_script_repeats_an_unrolled_run(changes, tmp_path):
    repeated(GAN.changed(unroll=1, **changes), tmp_path, 10, tolerance=2e-3)


@pytest.mark.parametrize("dataset", [name for name in IMAGES if not datasets()[name]().missing()])
def test_a_script_makes_or_reads_the_images_of_its_run(dataset, tmp_path):
    repeated(GAN.on(dataset), tmp_path, 8)


def test_a_script_draws_shapes_of_any_settings(tmp_path):
    knobs = {"jitter": 0.1, "turn": False, "grow": False, "move": False, "circle": False}
    repeated(GAN.on("shapes").changed(**knobs), tmp_path, 4)


def test_a_script_draws_digits_from_fonts(tmp_path):
    # fonts are drawn in single precision, whatever the rest is in
    repeated(GAN.on("font-digits").changed(items=1000), tmp_path, 5, tolerance=1e-3, double=False)


@pytest.mark.parametrize("archived", [("train", "t10k"), ("train",)], ids=" and ".join)
def test_a_script_reads_archives(archived, tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    for i, part in enumerate(archived):
        idx_files.put(tmp_path / "mnist", part, seed=i, zipped=i == 0)
    repeated(GAN.on("mnist"), tmp_path / "script", 8)


@pytest.mark.parametrize("changes", [*JOINT, *[way | COMPARED for way in JOINT]], ids=names)
def test_a_script_repeats_a_conditional_run(changes, tmp_path):
    repeated(CONDITIONAL.changed(**changes), tmp_path, 8)


@pytest.mark.parametrize("changes", JOINT, ids=names)
def test_a_script_repeats_a_run_of_infogan(changes, tmp_path):
    repeated(INFO.changed(**changes), tmp_path, 8)


def test_a_script_repeats_a_run_of_infogan_on_points(tmp_path):
    repeated(INFO.on("ring8").changed(penalty="r1", categories=3, packing=2), tmp_path, 20)


@pytest.mark.parametrize(
    "changes", [{}, DCGAN, {"body": "upsample", "ema": 0.9}, {"noise_kind": "gaussian"}], ids=names
)
def test_a_script_repeats_a_run_of_began(changes, tmp_path):
    repeated(BEGAN.changed(**changes), tmp_path, 12)


def test_a_script_changes_what_was_changed(tmp_path):
    alone = [{"step": at, "kind": "step", "n": 3, "players": [who]} for at, who in ((5, "d"), (9, "g"))]
    sets = [("lr", 1e-2), ("gamma", 0.5), ("ema", 0.5)]
    repeated(BEGAN, tmp_path, 24, alone + [{"step": 14, "kind": "set", "field": f, "value": v} for f, v in sets])
    sets = [("augment", "cutout"), ("info_category", 0.5), ("penalty", "r1"), ("lr_g", 2e-3)]
    repeated(INFO, tmp_path, 16, [{"step": 7, "kind": "set", "field": f, "value": v} for f, v in sets])


def test_scripts_of_images_are_clean(tmp_path):
    found = [GAN.changed(**changes) for changes in CHANGED]
    found += [GAN.on(dataset) for dataset in (*IMAGES, "font-digits")] + [BEGAN, BEGAN.changed(**DCGAN)]
    found += [CONDITIONAL.changed(**changes, **way) for changes in JOINT for way in ({}, COMPARED)]
    check_clean([script(each) for each in [*found, *[INFO.changed(**changes) for changes in JOINT]]], tmp_path)
