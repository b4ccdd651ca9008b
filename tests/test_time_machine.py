"""The time machine: what was known at a moment, how it stays through a worker's end, marks, and the time of steps."""

from __future__ import annotations

import os

import numpy as np
import pytest

from playground.diagnostics.verdict import verdict
from playground.engine.frames import decode
from playground.engine.hindsight import known_at
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.figures import comparison
from playground.figures.chart import Style
from playground.figures.comparison import Course
from playground.figures.timeline import deeds
from playground.store import RunFolder, fork, lineage
from playground.store.clock import Clock
from playground.store.keyframes import place
from tests.engine_room import play_to, shared_engine, tiny, until

SMALL = {"g_depth": 1, "d_depth": 1, "g_width": 8, "d_width": 8, "batch": 16, "device": "cpu"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of 900 steps, scored every 50, saved every 100, edited at 250; what was judged at step 600."""
    experiment = Experiment(score_every=50, keyframe_every=100).changed(**SMALL)
    made = RunFolder.create(tmp_path_factory.mktemp("runs"), experiment)
    loop = Loop(made.experiment(), made)
    loop.advance(250)
    loop.set({"lr_d": 0.002})
    loop.advance(350)
    loop.flush()
    judged = verdict(loop.experiment, *loop.recent()).to_json(), dict(loop.scores[-1]), dict(loop.metrics)
    loop.advance(300)
    loop.flush()
    made.release()
    return made, judged


def test_the_verdict_of_a_moment_is_the_one_that_was_on_the_screen(folder):
    run, (judged, scores, metrics) = folder
    known = known_at(run, run.load_keyframe(600))
    assert known["verdict"] == judged
    assert known["scores"] == pytest.approx(scores, rel=1e-5)
    assert known["metrics"] == pytest.approx(metrics, rel=1e-5)
    later = known_at(run, run.load_keyframe(900))
    assert later["scores"]["step"] == 900


def test_before_anything_was_measured_it_is_too_early_to_say(folder):
    known = known_at(folder[0], folder[0].load_keyframe(0))
    assert (known["verdict"]["state"], known["scores"], known["metrics"]) == ("warming", {}, {})


def test_edits_and_forks_are_marked_on_the_line_of_steps(folder):
    run, _ = folder
    child = fork(run, 400)
    assert lineage.children(run) == [(child.run_id, 400)]
    assert [(d["step"], d["kind"]) for d in deeds(run)] == [(250, "set"), (400, "child")]
    assert deeds(run)[0]["text"] == "lr_d 0.001 → 0.002"
    assert [(d["step"], d["kind"]) for d in deeds(child)] == [(250, "set"), (400, "fork")]
    child.delete()


def test_the_moment_looked_at_stays_when_the_worker_goes_and_the_verdict_is_of_then():
    engine = shared_engine()
    run = engine.prepare(tiny(keyframe_every=20, score_every=20))
    play_to(engine, run, 60)
    engine.send(run, "look", step=40)
    until(lambda: engine.status(run).past == 40)
    engine.send(run, "stop")
    assert engine.status(run).past == 40
    meta = decode(engine.frame(run)[1])[1]
    assert (meta["past"], meta["scores"]["step"]) == (40, 40)
    assert meta["verdict"]["state"] == "warming"
    engine.send(run, "look", step=20)
    assert decode(engine.frame(run)[1])[1]["scores"]["step"] == 20
    engine.send(run, "look", step=None)
    assert engine.status(run).past is None
    assert decode(engine.frame(run)[1])[1]["scores"]["step"] == 60
    engine.delete(run)


def test_time_is_read_off_the_saved_moments(folder):
    run, _ = folder
    for step in run.keyframes():
        os.utime(place(run.path, step), (1_000_000 + step / 10, 1_000_000 + step / 10))
    clock = Clock(run)
    np.testing.assert_allclose(clock.at([0, 100, 150, 900]), [0, 10, 15, 90])
    assert np.isnan(clock.at([901])).all()
    for step in run.keyframes():
        os.utime(place(run.path, step), (1_000_000, 1_000_000))
    assert not Clock(run).known


def test_runs_are_drawn_over_time_and_one_of_unknown_time_is_left_out():
    steps, values = np.arange(3), np.ones(3)
    courses = [Course("a", steps, values, np.array([0.0, 2.0, np.nan])), Course("b", steps, values)]
    drawn = [t for t in comparison.overlay("loss/d", courses, Style(), against="time").data if t.hoverinfo != "skip"]
    assert [(trace.name, list(trace.x)) for trace in drawn] == [("a", [0, 2])]
