"""The benchmark of the coding families compares two loops that do the same; nothing here is timed."""

import os

import pytest
import torch

from benchmarks import autoencoder as bench
from benchmarks import trainers
from playground.data.base import Table


@pytest.fixture
def random_images(monkeypatch, tmp_path):
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    with bench.images():
        yield


def test_random_images_stand_in_and_leave_again(random_images, tmp_path):
    assert os.environ["PLAYGROUND_DATA"] != str(tmp_path)
    with bench.images():  # those that are there are taken
        pass
    loop = bench.vae().loop
    assert isinstance(loop.data, Table)
    assert loop.data.on("cpu")[0].x.shape == (8000, 1, 28, 28)


def test_the_two_vaes_are_one_model(random_images):
    case = bench.vae()
    mine, theirs, loop = case.loop.family, case.module, case.loop
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in mine.net.parameters())
    x = bench.training_images(loop)[:8]
    y, mean, log_variance = theirs(x.flatten(1))
    torch.testing.assert_close(mean, mine.encode(x), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close((0.5 * log_variance).exp(), mine.spread(x), atol=1e-5, rtol=1e-4)
    assert 0 < y.min().item() < y.max().item() < 1


def test_the_two_convolutional_nets_are_one_model(random_images):
    case = bench.convolutional()
    x, family = bench.training_images(case.loop)[:8], case.loop.family
    torch.testing.assert_close(case.module.encode(x.flatten(1))[0], family.encode(x), atol=1e-5, rtol=1e-4)
    y = case.module.decode(family.encode(x)).view_as(x)
    torch.testing.assert_close(y, family.decode(family.encode(x)), atol=1e-5, rtol=1e-4)
    assert not any(type(m).__module__.startswith("playground") for m in case.module.modules())


def test_loops_take_turns_and_both_do_every_step(random_images, monkeypatch):
    monkeypatch.setattr(bench, "TURN", 1)
    monkeypatch.setattr(bench, "WINDOW", 2)
    monkeypatch.setattr(bench, "WINDOWS", 3)
    case = bench.vae()
    turns = bench.Turns(case.loop)
    with pytest.raises(bench.Enough):
        bench.by_hand(case.module, bench.training_images(case.loop)[:256], turns)
    assert turns.steps == case.loop.step == 8
    assert len(turns.windows) == 4
    assert all(theirs > 0 and ours > 0 for theirs, ours in turns.windows)


def test_a_trainer_that_is_not_installed_is_named_with_what_installs_it(random_images, monkeypatch):
    monkeypatch.setattr(trainers.importlib.util, "find_spec", lambda name: None)
    row = bench.against(bench.vae(), "pythae's BaseTrainer")
    assert row["value"] is row["ok"] is None
    assert "pip install pythae==0.1.2" in row["note"]
