"""Image generators in the engine: the whole way with a real worker, and that watching one changes nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from engine_room import history, play_to, reach, until

from playground.config import ConfigError
from playground.diagnostics import features
from playground.engine import Engine, EngineError
from playground.engine.frames import decode
from playground.engine.loop import Loop
from playground.engine.session import Session
from playground.experiment import Experiment
from playground.store import RunFolder

ALL = ["fake", "real", "scores"]


@pytest.fixture(scope="module")
def engine():
    """Return an engine whose workers find the classifier of the digits where this process finds it."""
    root = Path(tempfile.mkdtemp(prefix="playground-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_HOME", str(root))
        features.features(gan().data)
        engine = Engine(root, workers=2, grace=600)
        yield engine
        engine.shutdown()
    shutil.rmtree(root, ignore_errors=True)


def gan(family="gan", **values):
    """A small image GAN on the small digits."""
    plain = Experiment(family=family, dataset="digits", device="cpu", seed=4)
    tiny = {"g_depth": 1, "g_width": 16, "d_depth": 1, "d_width": 16, "noise_dim": 6, "batch": 16}
    return plain.changed(**{"log_every": 5, "score_every": 100, "keyframe_every": 50, **tiny, **values})


def newest(engine, run):
    return decode(until(lambda: engine.frame(run), "a frame")[1])


def in_one_go(experiment, steps):
    """Return the history of a run done in this process without anybody looking."""
    with tempfile.TemporaryDirectory() as root:
        folder = RunFolder.create(Path(root), experiment)
        loop = Loop(experiment, folder)
        loop.advance(steps)
        loop.flush()
        folder.release()
        return history(folder)


def test_the_whole_way_of_a_run(engine):
    run = engine.prepare(gan())
    engine.watch(run, "somebody", ALL)
    first, meta = newest(engine, run)
    assert (meta["state"], meta["step"], meta["kind"], meta["rows"]) == ("ready", 0, "images", 8)
    assert set(first) == set(ALL)
    assert len(engine.send(run, "pick", i=5)["data"]["z"]) == 6

    engine.send(run, "play")
    reach(engine, run, 60)
    until(lambda: newest(engine, run)[1]["step"] > 60, "a frame of a later step")
    engine.send(run, "pause")
    at = engine.status(run).step
    until(lambda: newest(engine, run)[1]["step"] == at, "the frame of the pause")
    later, meta = newest(engine, run)
    assert np.array_equal(later["real"], first["real"])
    assert not np.array_equal(later["fake"], first["fake"])
    assert len(meta["labels"]) == 64
    picked = engine.send(run, "pick", i=9)["data"]
    assert picked["class"] == meta["classes"][meta["labels"][9]]
    assert np.abs(np.array(picked["x"], float) - later["fake"][9]).max() <= 1
    again = engine.send(run, "decode", code=picked["z"])["data"]["x"]
    assert np.abs(np.array(again, float) - picked["x"]).max() <= 1

    assert engine.send(run, "look", step=0)["data"]["past"] == 0
    until(lambda: newest(engine, run)[1]["past"] == 0, "the frame of the past")
    assert np.array_equal(newest(engine, run)[0]["fake"], first["fake"])
    engine.send(run, "look", step=None)

    assert engine.send(run, "goto", step=50)["data"]["step"] == 50
    play_to(engine, run, 130)
    until(lambda: newest(engine, run)[1]["step"] == 130, "the frame of step 130")
    shares = newest(engine, run)[1]["counts"]
    assert sum(shares["fake"]) == pytest.approx(1, abs=1e-3)
    assert sum(shares["data"]) == pytest.approx(1, abs=1e-3)
    engine.send(run, "stop")
    engine.send(run, "look", step=0)  # without a worker as well
    assert np.array_equal(newest(engine, run)[0]["fake"], first["fake"])
    play_to(engine, run, 210)
    assert history(engine.folder(run)) == in_one_go(gan(), 210)


def test_watched_and_looked_at_it_has_the_history_of_one_that_nobody_saw(engine):
    plain, busy = engine.prepare(gan(body="dcgan")), engine.prepare(gan(body="dcgan"))
    engine.watch(busy, "somebody", ALL)
    play_to(engine, plain, 120)
    for step in (30, 70):
        play_to(engine, busy, step)
        engine.send(busy, "pick", i=4)
        engine.send(busy, "look", step=0)
        newest(engine, busy)
    engine.send(busy, "step", n=3)
    play_to(engine, busy, 120)
    assert history(engine.folder(plain)) == history(engine.folder(busy)) == in_one_go(gan(body="dcgan"), 120)


def test_slow_motion_of_images_is_one_sentence_and_the_run_goes_on(engine):
    run = engine.prepare(gan())
    engine.send(run, "step", n=2)
    with pytest.raises(EngineError, match="Slow motion is drawn in the plane"):
        engine.send(run, "trace")
    engine.send(run, "step", n=3)
    assert history(engine.folder(run)) == in_one_go(gan(), 5)
    assert engine.send(run, "step", n=1, players=["d"])["step"] == 6


def test_a_refused_trace_leaves_no_mark():
    loop, other = Loop(gan()), Loop(gan())
    with pytest.raises(ConfigError, match="on images"):
        loop.trace()
    assert loop.taken == 0
    a, b = loop.tensors(), other.tensors()
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_training_holds_before_a_score_that_has_to_wait_and_stays_answerable(tmp_path):
    what = gan(score_every=20)
    waits: list[float] = []
    where = str(RunFolder.create(tmp_path, what).path)
    session = Session(lambda told: None, deque(), waits.append, experiment=what.to_json(), folder=where)
    session.loop.panel.ready = lambda: False
    session.loop.panel.score = lambda family, step: {"class/sure": 0.5}
    session.play()
    for _ in range(5):
        session.work()
    assert (session.loop.step, session.state) == (19, "running")
    assert waits
    assert session.brief()["waits"]
    session.pause()
    assert session.state == "paused"
    assert not session.brief()["waits"]
    session.loop.panel.ready = lambda: True
    session.until(steps=40)
    session.play()
    while session.state == "running":
        session.work()
    assert not session.brief()["waits"]
    assert [row["step"] for row in session.loop.scores] == [20, 40]
    session.close()


def test_a_classifier_is_made_ahead_by_a_process_and_only_once(monkeypatch):
    panel, started = Loop(gan()).panel, []
    monkeypatch.setattr(features, "ready", lambda data: False)
    monkeypatch.setattr(features, "warm", started.append)
    monkeypatch.setattr(features, "under_way", lambda data: True)
    assert [panel.ready(), panel.ready()] == [False, False]
    assert started == [panel.data]
    monkeypatch.setattr(features, "under_way", lambda data: False)  # it died: the score makes its own
    assert panel.ready()


@pytest.mark.parametrize("family", ["conditional-gan", "infogan"])
def test_rows_of_a_wall_with_a_category(engine, family):
    run = engine.prepare(gan(family))
    engine.watch(run, "somebody", ALL)
    arrays, meta = newest(engine, run)
    assert (len(arrays["fake"]), meta["rows"], len(meta["row_names"])) == (80, 10, 10)
    engine.send(run, "step", n=2)
    until(lambda: newest(engine, run)[1]["step"] == 2, "a frame")
    told = engine.send(run, "pick", i=27)["data"]
    if family == "conditional-gan":
        assert meta["row_names"] == meta["classes"]
        assert told["class"] == "3"
