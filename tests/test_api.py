"""The Python face: the same numbers as the command line, a worker, and a run taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import playground
from playground import api
from playground.__main__ import main
from playground.config import ConfigError
from playground.engine.loop import Loop, TrainingFailed
from playground.experiment import Experiment
from playground.store import StoreError

SMALL = Experiment().changed(g_width=16, d_width=16, batch=32, score_every=50, device="cpu")
BROKEN = Experiment().changed(
    loss="least-squares", optimiser_d="sgd", optimiser_g="sgd", lr_d=1.0, lr_g=1.0, g_width=256, d_width=256
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "runs"))
    return tmp_path / "runs"


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


def test_import_alone_does_not_load_torch():
    code = "import sys, playground; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, timeout=60, check=False).returncode == 0


def test_the_public_names_are_there_and_others_are_not():
    for name in playground.__all__:
        assert getattr(playground, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        playground.nothing  # noqa: B018  # asking is the test


def test_train_gives_metrics_scores_samples_and_a_verdict():
    run = playground.train(SMALL, steps=120)
    assert run.step == 120
    assert run.state == "stopped"
    assert run.experiment == SMALL
    assert list(run.metrics["step"]) == [*range(1, 101), 110, 120]
    assert np.isfinite(run.metrics["loss/d"]).all()
    assert list(run.scores["step"]) == [50, 100]
    assert run.sample(7).shape == (7, 2)
    assert run.diagnose().state == "warming"
    assert run.last()["loss/d"] == run.metrics["loss/d"][-1]
    assert repr(run) == f"<Run {run.id}: stopped at step 120>"


def test_the_same_experiment_gives_the_same_numbers_here_on_the_command_line_and_in_a_bare_loop(tmp_path):
    first, second = playground.train(SMALL, steps=130), playground.train(SMALL, steps=130)
    assert same(first.metrics, second.metrics)
    assert same(first.scores, second.scores)
    settings = ["g_width=16", "d_width=16", "batch=32", "score_every=50"]
    words = [word for pair in settings for word in ("--set", pair)]
    assert main(["train", "--dataset", "ring8", *words, "--steps", "130", "--device", "cpu"]) == 0
    assert same(playground.runs()[0].metrics, first.metrics)
    loop = Loop(SMALL)
    loop.advance(130)
    loop.flush()
    assert loop.metrics == {name: column[-1] for name, column in first.metrics.items() if name != "step"}


def test_a_resumed_run_equals_one_without_a_break_to_the_last_bit():
    whole = playground.train(SMALL, steps=160)
    part = playground.train(SMALL, steps=73)
    again = playground.load_run(part.id).resume(87)
    assert again.step == 160
    assert same(whole.metrics, again.metrics)
    assert same(whole.scores, again.scores)
    assert np.array_equal(whole.sample(50), again.sample(50))
    assert whole.score() == again.score()


def test_samples_depend_on_their_seed_and_moment_alone():
    run = playground.train(SMALL.changed(keyframe_every=20), steps=40)
    assert np.array_equal(run.sample(9), run.sample(9))
    assert not np.array_equal(run.sample(9), run.sample(9, seed=1))
    assert not np.array_equal(run.sample(9), run.sample(9, step=20))
    assert np.array_equal(run.sample(9, step=39), run.sample(9, step=20)), "the last saved moment before it"
    with pytest.raises(playground.ConfigError, match="at least one"):
        run.sample(0)


def test_a_score_taken_afterwards_is_the_one_that_was_recorded(monkeypatch):
    run = playground.train(SMALL.changed(keyframe_every=50), steps=100)
    recorded = run.score(100)
    monkeypatch.setattr(run.folder, "scores", list)
    assert run.score(100) == recorded


def test_progress_is_told_and_an_interrupted_training_resumes_to_its_end():
    seen, before = [], signal.getsignal(signal.SIGINT)  # a shell's background job starts with it ignored

    def progress(step: int, end: int, metrics: dict[str, float]) -> None:
        seen.append((step, end))
        assert metrics["loss/d"] > 0
        if step >= 30:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match="saved"):
        playground.train(SMALL, steps=20_000, progress=progress)
    run = playground.runs()[0]
    assert 30 <= run.step < 20_000
    assert seen[0][1] == 20_000
    assert signal.getsignal(signal.SIGINT) is before
    assert not run.folder.busy(), "the lock is given back"
    assert int(run.folder.status()["end"]) == 20_000


def test_failed_training_says_why_and_keeps_the_last_good_moment():
    with pytest.raises(TrainingFailed, match="stopped at step"):
        playground.train(BROKEN, steps=500)
    run = playground.runs()[0]
    assert run.state == "failed"
    assert "stopped at step" in str(run.error)
    assert run.diagnose().state == "diverged"
    assert np.isfinite(run.sample(5)).all()


def test_a_missing_device_leaves_no_run_behind(home):
    import torch

    if not torch.backends.mps.is_available():
        with pytest.raises(playground.ConfigError, match="no mps device"):
            playground.train(SMALL.changed(device="mps"), steps=1)
        assert not home.exists()


def test_bad_requests_are_one_sentence():
    with pytest.raises(StoreError, match="There is no run"):
        playground.load_run("ring8-00000000")
    run = playground.train(SMALL, steps=5)
    with pytest.raises(playground.ConfigError, match="at least one step"):
        run.resume(0)


def test_catalogue_is_plain_data():
    import orjson

    assert orjson.loads(orjson.dumps(api.catalogue())) == api.catalogue()


def test_a_model_that_codes_encodes_decodes_and_does_not_sample():
    run = playground.train(Experiment.of("autoencoder").changed(device="cpu", codings=4), steps=20)
    x = run.experiment.data.held_out(6, 0).x
    codes = run.encode(x)
    assert codes.shape == (6, 4)
    rebuilt = run.decode(codes)
    assert rebuilt.shape == (6, 1, 8, 8)
    assert ((rebuilt - x.numpy()) ** 2).mean() == pytest.approx(run.model().errors(x).mean().item() / 64, rel=1e-4)
    assert not np.array_equal(run.decode(codes, step=0), rebuilt)
    with pytest.raises(ConfigError, match="no prior"):
        run.sample(3)
    with pytest.raises(ConfigError, match="does not encode"):
        playground.train(SMALL, steps=1).encode(np.zeros((1, 2)))
