"""A run forked from one of its moments: the past is shared, what comes after is its own."""

from __future__ import annotations

import io
import itertools
import sys

import numpy as np
import pytest
import torch

from playground.api import Run
from playground.diagnostics.verdict import verdict
from playground.engine import EngineError
from playground.engine.graft import foretold, grafted, grafting, words
from playground.engine.hindsight import known_at
from playground.engine.loop import Loop, replay
from playground.experiment import Experiment
from playground.store import (
    LATEST,
    Keyframe,
    Parent,
    RunFolder,
    StoreError,
    fork,
    keyframes,
    parent,
    receive,
    runs,
    share,
)
from playground.store.index import Index
from tests.engine_room import play_to, shared_engine, tiny
from tests.kill_room import goes_on, small, sound

sharing = sys.modules["playground.store.share"]  # the name belongs to its function
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


# -- of a run that goes back meanwhile ---------------------------------------------------------------------------------


def another_way(loop):
    loop.rewind(20)
    loop.set({"lr_d": 0.02})
    loop.advance(14)


def edit_here(loop):
    loop.set({"lr_d": loop.experiment.value("lr_d") * 2})


def train_on(loop):
    loop.advance(10)


def disturb(monkeypatch, loop, do, look):
    """Have this done just before a look into the folder of a run: by which function, and which one (None: each)."""
    (owner, name, number), looks = look, itertools.count()
    real = getattr(owner, name)

    def disturbed(self, *args):
        if self is not loop.folder and self.path == loop.folder.path and number in (None, next(looks)):
            do(loop)
            loop.keyframe()
        return real(self, *args)

    monkeypatch.setattr(owner, name, disturbed)


@pytest.fixture
def loop(tmp_path):
    """What trains a run: it is at step 45, all rows are logged, and moments are saved every ten steps and there."""
    going = Loop(small(), RunFolder.create(tmp_path, small()))
    going.advance(45)
    going.keyframe()
    yield going
    going.folder.release()


LOOKS = [
    *((RunFolder, "reading", number) for number in range(3)),
    (RunFolder, "load_keyframe", 0), (RunFolder, "keyframes", 0), (sharing, "_names", 0),
]  # fmt: skip


@pytest.mark.parametrize("do", [another_way, edit_here, train_on])
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[1]}-{look[2]}")
def test_what_is_copied_of_a_run_that_changes_meanwhile_is_whole(loop, tmp_path, monkeypatch, look, do):
    run = RunFolder(loop.folder.path)
    disturb(monkeypatch, loop, do, look)
    child, file = fork(run), io.BytesIO()
    disturb(monkeypatch, loop, do, look)
    share(run, file)
    for whole in (child, receive(file, tmp_path / "there")):
        assert sound(whole) >= 34
        goes_on(whole)


def test_a_run_that_never_rests_is_not_forked_and_nothing_is_left(loop, tmp_path, monkeypatch):
    disturb(monkeypatch, loop, another_way, (RunFolder, "load_keyframe", None))
    with pytest.raises(StoreError, match="changes too quickly to be copied: pause it first"):
        fork(RunFolder(loop.folder.path))
    assert [path.name for path in tmp_path.iterdir()] == [loop.folder.run_id]


def test_a_run_that_was_deleted_is_neither_forked_nor_shared(folder, tmp_path):
    folder.delete()
    for copied in (fork, lambda run: share(run, tmp_path / "run.zip")):
        with pytest.raises(StoreError, match="is no longer there: it was deleted meanwhile"):
            copied(folder)
    assert [path.name for path in tmp_path.iterdir()] == [".deleted"]


def test_a_moment_that_goes_while_it_is_opened_is_not_there(loop, monkeypatch):
    def gone(*_):
        raise RuntimeError("unable to open file: No such file or directory (2)")  # between safetensors' two openings

    monkeypatch.setattr(keyframes, "safe_open", gone)
    with pytest.raises(StoreError, match="no saved moment"):
        loop.folder.load_keyframe()
    assert loop.folder.current() == small()


# -- with other settings ----------------------------------------------------------------------------------------------


def wider(folder, **values):
    """Return the child of a run at step 40 with other settings, and what both hold there."""
    moment = folder.load_keyframe(40)
    child = fork(folder, 40, grafting(moment.experiment.changed(**values)))
    return child, moment.tensors, child.load_keyframe(40).tensors


def test_a_fork_with_a_wider_generator_keeps_the_discriminator_exactly(folder):
    child, old, new = wider(folder, g_width=8)
    of_d = [name for name in old if name.startswith(("model/d/", "model/optimiser_d/", "model/replay/", "rng/"))]
    assert of_d
    for name in of_d:
        torch.testing.assert_close(new[name], old[name], rtol=0, atol=0)
    fresh_g = Loop(child.experiment()).tensors()
    for name in (n for n in new if n.startswith(("model/optimiser_g/", "model/g/layers.0"))):
        torch.testing.assert_close(new[name], fresh_g[name], rtol=0, atol=0)
    torch.testing.assert_close(new["model/g/layers.1.bias"], old["model/g/layers.1.bias"], rtol=0, atol=0)
    came = parent(child.path)
    assert "d/layers.0.weight" in came.kept
    assert "optimiser_d/mean" in came.kept
    assert {"g/layers.0.weight", "optimiser_g/mean"} <= set(came.new)
    said = words(came.kept, came.new)
    assert said.startswith(
        "D with its optimiser is kept whole. Of G and the average of G 1 of 4 tensors each fit (layers.1.bias)"
    )
    assert said.endswith("the others begin anew. G's optimiser begins anew.")
    moment = folder.load_keyframe(40)
    assert foretold(folder, moment.experiment.changed(g_width=8)) == said  # and before there is a fork


def test_a_graft_has_its_parents_curves_and_only_its_own_moments(folder):
    child, _, _ = wider(folder, g_width=8)
    np.testing.assert_array_equal(child.train()["step"], [s for s in folder.train()["step"] if s <= 40])
    assert child.keyframes() == [40]
    assert child.experiment().value("g_width") == 8
    assert child.experiment().value("lr_d") == 0.002
    assert child.events()[-1] == {"step": 40, "kind": "fork", "changes": ["Generator width 4 → 8"]}


def test_a_graft_goes_on_replays_and_is_forked_again(folder):
    child, _, _ = wider(folder, g_width=8)
    loop = Loop(child.experiment(), child, resume=40)
    loop.set({"lr_g": 0.01})
    loop.advance(25)
    loop.keyframe()
    child.release()
    assert replay(child).metrics == loop.metrics
    assert replay(fork(child, 65)).metrics == loop.metrics


def test_a_graft_is_judged_by_what_it_did_itself(tmp_path):
    made = RunFolder.create(tmp_path, Experiment(score_every=100, keyframe_every=400, log_every=10).changed(**SMALL))
    loop = Loop(made.experiment(), made)
    loop.advance(800)
    loop.flush()
    made.release()
    child = fork(made, None, grafting(made.current().changed(g_width=8)))
    assert not Run(made).diagnose().sentence.startswith("Warming up: ")

    def everywhere(steps):
        """Let it train, and return what the worker, the time machine, the table of runs and a script say of it."""
        loop = Loop(child.experiment(), child, resume=LATEST)
        loop.advance(steps)
        loop.keyframe()
        child.release()
        row = next(row for row in Index(tmp_path).rows() if row.run == child.run_id)
        then = known_at(child, child.load_keyframe())["verdict"]["sentence"]
        return {verdict(loop.experiment, *loop.recent()).sentence, then, row.verdict[1], Run(child).diagnose().sentence}

    (said,) = everywhere(200)
    assert said.startswith("Warming up: 200 steps since the fork, judged from step 1,300 on. So far ")
    (said,) = everywhere(400)
    assert not said.startswith("Warming up: ")


def test_other_data_keep_the_weights_but_not_the_curves(folder):
    child = fork(folder, 40, grafting(folder.current().on("moons")))
    assert child.run_id.startswith("moons-")
    assert len(child.train()["step"]) == 0
    assert child.scores() == []
    came = parent(child.path)
    assert came.new == ()
    said = words(came.kept, came.new)
    assert said == "D with its optimiser, G with its optimiser and the average of G are kept whole."


def test_another_rule_forgets_what_the_optimiser_remembered(folder):
    _, old, new = wider(folder, optimiser_d="rmsprop")
    assert "model/optimiser_d/momentum" in new
    assert not new["model/optimiser_d/mean_square"].any()
    torch.testing.assert_close(new["model/d/layers.0.weight"], old["model/d/layers.0.weight"], rtol=0, atol=0)
    said = foretold(folder, folder.experiment().changed(optimiser_d="rmsprop"))
    assert said == "D, G with its optimiser and the average of G are kept whole. D's optimiser begins anew."


def test_another_family_keeps_what_has_the_same_name_and_shape():
    plain = Loop(Experiment.of("gan").on("digits").changed(**SMALL))
    moment = Keyframe(0, plain.experiment, plain.tensors(), 0)
    graft = grafted(moment, Experiment.of("began").changed())
    assert set(graft.kept) | set(graft.new) == {n.removeprefix("model/") for n in graft.tensors if "model/" in n}
    assert words(graft.kept, graft.new)


def test_the_engine_forks_with_other_settings():
    engine = shared_engine()
    run = engine.prepare(tiny(keyframe_every=20))
    play_to(engine, run, 40)
    child = engine.fork(run, 40, engine.experiment(run).changed(g_width=16))
    assert engine.experiment(child).value("g_width") == 16
    engine.send(child, "step", n=1)
    assert engine.status(child).step == 41
    with pytest.raises(EngineError, match="MNIST is not on this machine"):
        engine.fork(run, 40, Experiment.of("gan").on("mnist"))
    for one in (run, child):
        engine.delete(one)
