"""Models that code in the engine: the whole way with a real worker, and data that are gone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from engine_room import becomes, history, play_to, reach, shared_engine, until

from playground.config import ConfigError
from playground.data.digits8 import Digits
from playground.engine import EngineError
from playground.engine.frames import decode
from playground.engine.loop import Loop
from playground.engine.wall import Wall
from playground.experiment import Experiment
from playground.store import RunFolder

ALL = list(Wall.layers)
MOVING = ("recon", "residual", "codes", "filters", "acts", "samples")


def coder(family="vae", **values):
    """A small model on the small digits."""
    plain = Experiment.of(family).changed(device="cpu", seed=4, log_every=5, score_every=100, keyframe_every=50)
    return plain.changed(**{"batch": 16, "codings": 3, **values})


@pytest.fixture
def engine():
    """Return the shared engine; whatever a test started is stopped after it."""
    engine = shared_engine()
    before = set(engine._runs)
    yield engine
    for run in set(engine._runs) - before:
        engine.send(run, "stop")


def newest(engine, run):
    return decode(until(lambda: engine.frame(run), "a frame")[1])


def test_the_whole_way_of_a_run(engine):
    run = engine.prepare(coder())
    engine.watch(run, "somebody", ALL)
    first, meta = newest(engine, run)
    assert (meta["state"], meta["step"], meta["kind"]) == ("ready", 0, "images")
    assert {"inputs", "recon", "codes", "samples"} <= set(first)
    assert len(engine.send(run, "decode", at=[0.1, 0.2])["data"]["code"]) == 3

    engine.send(run, "play")
    reach(engine, run, 60)
    until(lambda: newest(engine, run)[1]["step"] > 60, "a frame of a later step")
    engine.send(run, "pause")
    at = engine.status(run).step
    until(lambda: newest(engine, run)[1]["step"] == at, "the frame of the pause")
    later, meta = newest(engine, run)
    assert np.array_equal(later["inputs"], first["inputs"])
    assert all(not np.array_equal(later[name], first[name]) for name in MOVING)
    picked = engine.send(run, "pick", i=3)["data"]
    assert picked["class"] == meta["classes"][later["classes"][3]]
    again = engine.send(run, "decode", code=picked["code"])["data"]["x"]
    assert np.abs(np.array(again, float) - picked["recon"]).max() <= 1

    assert engine.send(run, "look", step=0)["data"]["past"] == 0
    until(lambda: newest(engine, run)[1]["past"] == 0, "the frame of the past")
    assert np.array_equal(newest(engine, run)[0]["recon"], first["recon"])
    engine.send(run, "look", step=None)

    assert engine.send(run, "goto", step=50)["data"]["step"] == 50
    play_to(engine, run, 130)
    engine.send(run, "stop")
    engine.send(run, "look", step=0)  # without a worker as well
    assert np.array_equal(newest(engine, run)[0]["recon"], first["recon"])
    play_to(engine, run, 210)
    assert history(engine.folder(run)) == in_one_go(coder(), 210)


def in_one_go(experiment, steps):
    """Return the history of a run done in this process without anybody looking."""
    with tempfile.TemporaryDirectory() as root:
        folder = RunFolder.create(Path(root), experiment)
        loop = Loop(experiment, folder)
        loop.advance(steps)
        loop.flush()
        folder.release()
        return history(folder)


def test_a_live_edit_of_the_noise_shows(engine):
    run = engine.prepare(coder("autoencoder"))
    engine.watch(run, "somebody", ["inputs", "corrupted"])
    assert "corrupted" not in newest(engine, run)[0]
    engine.send(run, "step", n=1)
    engine.send(run, "set", values={"corruption": "mask", "strength": 0.5})
    until(lambda: "corrupted" in newest(engine, run)[0], "the corrupted items")
    arrays = newest(engine, run)[0]
    assert not np.array_equal(arrays["corrupted"], arrays["inputs"])


def test_data_that_are_gone_are_one_sentence_and_the_server_goes_on(engine, monkeypatch):
    run = engine.prepare(coder("autoencoder", seed=77))
    gone = "The images are not on this machine: choose other data."

    def load(self):
        raise ConfigError(gone)

    monkeypatch.setattr(Digits, "on", lambda self, device: load(self))
    engine.watch(run, "somebody", ["recon"])
    assert engine.frame(run) is None
    assert engine.status(run).error == gone
    for verb, args in (("pick", {"i": 0}), ("play", {}), ("step", {"n": 1})):
        with pytest.raises(EngineError, match="not on this machine"):
            engine.send(run, verb, **args)
    assert engine.folder(run) is None
    monkeypatch.undo()
    assert newest(engine, run)[1]["error"] is None
    assert engine.status(run).error is None
    engine.send(run, "step", n=1)
    assert becomes(engine, run, "paused").error is None


def test_an_experiment_that_no_worker_can_open_fails_in_one_sentence(engine, monkeypatch):
    run = engine.prepare(coder())
    broken = coder().to_json() | {"dataset": "no such data"}
    monkeypatch.setattr(Experiment, "to_json", lambda self: broken)
    with pytest.raises(EngineError, match="no data set"):
        engine.send(run, "step", n=1)
    monkeypatch.undo()
    assert engine.status(run).state == "failed"
    assert engine.send(run, "step", n=1)["step"] == 1  # what was missing is there again


def test_a_run_that_cannot_be_read_does_not_hide_the_others(engine):
    run = engine.prepare(coder())
    engine.send(run, "step", n=1)
    broken = engine.root / "digits-00000bad"
    broken.mkdir()
    (broken / "config.json").write_text('{"family": "of another time"}')
    assert engine.runs()[0].run == run
    assert broken.name not in [status.run for status in engine.runs()]
