"""Scripts of GANs on points: each repeats its run, whatever the loss, penalty, trick, optimiser and data."""

import numpy as np
import pytest

from playground import api
from playground.__main__ import main
from playground.code import export
from playground.code.export import script
from playground.config import ConfigError
from playground.data import datasets
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.families import families, family
from playground.families.base import Listing
from playground.losses import LOSSES
from playground.presets import PRESETS
from playground.store import RunFolder
from tests.scripts import check_clean, curves, repeated

SMALL = {"g_depth": 1, "d_depth": 2, "g_width": 16, "d_width": 16, "batch": 32, "noise_dim": 2, "activation": "tanh"}
BASE = Experiment().changed(**SMALL)
POINTS = [name for name, data in datasets().items() if data.kind == "points"]
CHANGED = [
    *[{"loss": loss, "smoothing": 0.1} for loss in LOSSES],
    *[{"penalty": penalty, "penalty_weight": 0.5} for penalty in ("gp", "r1", "r2", "dragan")],
    {"optimiser_d": "sgd", "optimiser_g": "sgd", "momentum": 0.5},
    {"optimiser_d": "rmsprop", "optimiser_g": "rmsprop", "momentum": 0.5},
    {"optimiser_d": "rmsprop", "optimiser_g": "optimistic-adam"},
    {"spectral": True},
    {"spectral": True, "minibatch": "std", "penalty": "r1"},
    {"minibatch": "discrimination"},
    {"packing": 2},
    {"packing": 3, "loss": "relativistic"},
    {"replay": 0.5, "replay_size": 100},
    {"instance_noise": 0.3},
    {"instance_noise": 0.3, "instance_noise_decay": 20},
    {"ema": 0.9},
    {"d_steps": 3, "g_steps": 2},
    {"order": "simultaneous", "penalty": "gp", "loss": "wasserstein-clip"},
    {"noise_kind": "uniform", "activation": "gelu", "init": "orthogonal"},
    {"activation": "silu", "init": "xavier", "init_gain": 1.5},
    {"activation": "elu", "init": "normal-0.02"},
    {"activation": "relu", "init": "kaiming"},
    {"activation": "leaky-relu", "seed": 3},
]
UNROLLED = [
    {"unroll": 2},
    {"unroll": 2, "optimiser_d": "sgd", "momentum": 0.5},
    {"unroll": 2, "optimiser_d": "rmsprop", "momentum": 0.5},
    {"unroll": 1, "optimiser_d": "optimistic-adam", "penalty": "r1"},
    {"unroll": 1, "loss": "wasserstein-clip", "packing": 2},
    {"unroll": 1, "loss": "relativistic", "instance_noise": 0.1, "spectral": True},
]
EDITS = {
    "rates": [("set", 10, "lr_d", 4e-3), ("set", 20, "beta1", 0.9)],
    "loss": [("set", 10, "loss", "hinge"), ("set", 25, "penalty", "r1"), ("set", 25, "batch", 20)],
    "tricks": [("set", 5, "instance_noise", 0.3), ("set", 15, "instance_noise", 0.0), ("set", 15, "ema", 0.5)],
    "ways": [("set", 9, "order", "simultaneous"), ("set", 20, "d_steps", 3), ("set", 30, "order", "alternating")],
    "data": [("set", 12, "std", 0.3), ("set", 12, "n_modes", 3)],
    "alone": [("step", 10, 5, ["g"]), ("step", 20, 3, ["d"]), ("set", 23, "lr_g", 1e-2)],
}


def names(changes: dict) -> str:
    return " ".join(f"{name}={value}" for name, value in changes.items())


@pytest.mark.parametrize("changes", CHANGED, ids=names)
def test_a_script_repeats_its_run(changes, tmp_path):
    repeated(BASE.changed(**changes), tmp_path, 40)


@pytest.mark.parametrize("changes", UNROLLED, ids=names)
def test_a_script_repeats_an_unrolled_run(changes, tmp_path):
    # the run counts Adam's steps in single precision, whatever the rest is in
    repeated(BASE.changed(**changes), tmp_path, 25, tolerance=2e-3)


@pytest.mark.parametrize("dataset", POINTS)
def test_a_script_draws_the_points_of_its_run(dataset, tmp_path):
    repeated(BASE.on(dataset).changed(**({"jitter": 0.1} if dataset == "checkerboard" else {})), tmp_path, 20)


@pytest.mark.parametrize("edits", EDITS)
def test_a_script_changes_what_was_changed(edits, tmp_path):
    events = [
        {"kind": kind, "step": step} | ({"field": a, "value": b} if kind == "set" else {"n": a, "players": b})
        for kind, step, a, b in EDITS[edits]
    ]
    repeated(BASE, tmp_path, 40, events)


@pytest.mark.parametrize("name", ["dirac", "bilinear", "first-steps"])
def test_a_preset_as_a_script(name, tmp_path):
    repeated(PRESETS[name].experiment, tmp_path, 60)


def test_a_plain_gan_is_a_short_script():
    lines = [line for line in script(BASE).splitlines() if line.strip()]
    assert len(lines) < 125
    assert "if " not in "".join(line for line in lines if line.startswith("    if ") and "LOG_EVERY" not in line)


def test_a_family_without_a_listing_is_refused_in_a_sentence(monkeypatch):
    class Other(family("gan")):
        id, title = "other", "Another family"
        listing = classmethod(families()["gan"].__mro__[2].listing.__func__)

    monkeypatch.setitem(families(), "gan", Other)
    with pytest.raises(ConfigError, match="Another family cannot be written as a script yet"):
        script(Experiment())


def test_the_files_beside_a_script(tmp_path):
    experiment = BASE.on("custom")
    assert set(curves(script(experiment, steps=3), tmp_path, experiment)) == {"step", "loss/d", "loss/g"}
    assert (tmp_path / "points.npz").exists()


def test_the_command_line_writes_a_script(tmp_path, capsys):
    assert main(["code", "moons", "-o", str(tmp_path / "moons.py")]) == 0
    assert "STEPS = 4000" in (tmp_path / "moons.py").read_text()
    assert main(["code", "moons"]) == 0
    assert capsys.readouterr().out == (tmp_path / "moons.py").read_text()
    assert main(["code", "no-such-thing"]) == 2
    assert main(["code", "moons", "-o", str(tmp_path / "no" / "moons.py")]) == 2


def test_a_trained_run_gives_its_script(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    run = api.train(BASE, 30)
    text = run.code()
    assert "STEPS = 30\n" in text
    loss = curves(text, tmp_path / "script", BASE)["loss/d"]
    np.testing.assert_allclose(loss[:10], run.metrics["loss/d"][:10], 1e-4)


def test_scripts_of_gans_are_clean(tmp_path):
    check_clean([script(BASE.changed(**changes)) for changes in [*CHANGED, *UNROLLED]], tmp_path)


def test_a_family_may_bring_its_sources_itself(monkeypatch, tmp_path):
    source = 'print("step", *COLUMNS, sep=",")\nprint(1, NOISE_DIM if NAMED else BATCH, sep=",")\n'

    def listing(cls, config, data):
        return Listing({"training": (source,)}, {"COLUMNS": ["loss/g"], "NAMED": True})

    monkeypatch.setattr(family("gan"), "listing", classmethod(listing))
    text = script(BASE)
    assert "print(1, NOISE_DIM, sep=" in text
    assert curves(text, tmp_path, BASE)["loss/g"] == [2.0]


def test_a_run_that_went_back_has_the_script_of_what_it_became(tmp_path):
    folder = RunFolder.create(tmp_path, BASE.changed(keyframe_every=10, device="cpu"))
    loop = Loop(folder.experiment(), folder)
    loop.advance(12)
    loop.set({"lr_d": 0.05})
    loop.advance(12)
    loop.rewind(10)
    loop.advance(2, ["g"])
    loop.advance(5)
    loop.set({"loss": "hinge", "lr_g": 1e-2})
    loop.advance(13)
    loop.keyframe()
    text = export.of_run(folder)
    assert "STEPS = 30\n" in text
    assert "0.05" not in text
    assert "SOLO = ((11, 12," in text
    own, logged = curves(text, tmp_path / "script", BASE), folder.train()
    np.testing.assert_allclose(own["loss/g"], logged["loss/g"], 1e-2)
    np.testing.assert_allclose(own["loss/d"], logged["loss/d"], 1e-2)  # without a number where G moved alone
    folder.release()
