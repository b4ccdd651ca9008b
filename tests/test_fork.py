"""A run forked from one of its moments: the past is shared, what comes after is its own."""

from __future__ import annotations

import io

import numpy as np
import pytest

from playground.engine import EngineError
from playground.engine.loop import Loop, replay
from playground.experiment import Experiment
from playground.store import Parent, RunFolder, StoreError, fork, parent, receive, runs, share
from tests.engine_room import play_to, shared_engine, tiny

SMALL = {"g_depth": 1, "d_depth": 1, "g_width": 4, "d_width": 4, "batch": 8, "replay_size": 64}


@pytest.fixture
def folder(tmp_path):
    """A run of 60 steps, edited at step 30, with a moment saved every 20 steps."""
    made = RunFolder.create(tmp_path, Experiment(score_every=20, keyframe_every=20).changed(**SMALL))
    loop = Loop(made.experiment(), made)
    loop.advance(30)
    loop.set({"lr_d": 0.002})
    loop.advance(30)
    loop.flush()
    made.release()
    return made


@pytest.mark.parametrize(("asked", "at", "events"), [(40, 40, 2), (59, 40, 2), (29, 20, 1), (None, 60, 2), (0, 0, 1)])
def test_the_past_is_shared_up_to_the_fork(folder, tmp_path, asked, at, events):
    child = fork(folder, asked)
    mine, theirs = child.train(), folder.train()
    shared = theirs["step"] <= at
    for name, column in mine.items():
        np.testing.assert_array_equal(column, theirs[name][shared])
    assert child.keyframes() == [step for step in folder.keyframes() if step <= at]
    assert child.scores() == [row for row in folder.scores() if row["step"] <= at]
    assert child.events() == folder.events()[:events]
    assert parent(child.path) == Parent(folder.run_id, at)
    assert parent(folder.path) is None
    assert {run.run_id for run in runs(tmp_path)} == {folder.run_id, child.run_id}


def test_a_child_that_changes_nothing_repeats_its_parent(folder):
    child = fork(folder, 20)
    loop = Loop(child.experiment(), child, resume=20)
    loop.advance(10)
    loop.set({"lr_d": 0.002})
    loop.advance(30)
    loop.flush()
    for name, column in folder.train().items():
        np.testing.assert_array_equal(child.train()[name], column)


def test_a_child_goes_another_way_and_replays_from_its_start(folder):
    child = fork(folder, 40)
    loop = Loop(child.experiment(), child, resume=40)
    assert loop.experiment.value("lr_d") == 0.002
    loop.set({"lr_d": 0.1})
    loop.advance(20)
    loop.flush()
    assert not np.array_equal(child.train()["loss/d"], folder.train()["loss/d"])
    assert replay(child).metrics == loop.metrics


def test_without_such_a_moment_there_is_no_fork_and_nothing_is_left(folder, tmp_path):
    for step in folder.keyframes():
        folder.drop_keyframe(step)
    with pytest.raises(StoreError, match="no saved moment"):
        fork(folder, 40)
    assert [path.name for path in tmp_path.iterdir()] == [folder.run_id]


def test_a_child_is_shared_with_its_descent(folder, tmp_path):
    child, file = fork(folder, 40), io.BytesIO()
    share(child, file)
    assert parent(receive(file, tmp_path / "there").path) == Parent(folder.run_id, 40)


def test_the_engine_forks_a_run_that_trains():
    engine = shared_engine()
    run = engine.prepare(tiny(keyframe_every=20))
    with pytest.raises(EngineError, match="has not begun"):
        engine.fork(run)
    play_to(engine, run, 60)
    child = engine.fork(run, 40)
    assert engine.status(child).step == 40
    assert engine.status(child).state == "stopped"
    engine.send(child, "step", n=1)
    assert engine.status(child).step == 41
    for one in (run, child):
        engine.delete(one)
