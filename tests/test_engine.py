"""The engine with real worker processes: verbs in order, identical histories, frames, failures, queue, grace."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

import numpy as np
import pytest
from engine_room import PATIENCE, becomes, history, play_to, reach, reference, shared_engine, tiny, until

from playground.engine import EngineError, launcher, manager
from playground.engine.frames import decode
from playground.engine.loop import replay

ALL = ["real", "fake", "surface", "manifold", "arrows", "density", "optimal"]


@pytest.fixture
def engine():
    """Return the shared engine; whatever a test started is stopped after it."""
    engine = shared_engine()
    before = set(engine._runs)
    yield engine
    for run in set(engine._runs) - before:
        engine.send(run, "stop")


def newest(engine, run):
    """Return the newest frame; a run that was never looked at has none for a moment after its start."""
    return decode(until(lambda: engine.frame(run), "a frame")[1])


# -- the life of a run ------------------------------------------------------------------------------------------------


def test_a_prepared_run_shows_itself_without_worker_or_folder(engine):
    run = engine.prepare(tiny())
    engine.watch(run, "somebody", ALL)
    arrays, meta = newest(engine, run)
    assert (meta["state"], meta["step"]) == ("ready", 0)
    assert set(arrays) == set(ALL)
    assert engine.folder(run) is None
    assert not (engine.root / run).exists()
    assert engine.frame(run, newer_than=engine.frame(run)[0]) is None


def test_a_worker_shows_the_untrained_run_as_the_preview_did(engine):
    run = engine.prepare(tiny(seed=11))
    engine.watch(run, "somebody", ALL)
    number, blob = engine.frame(run)
    preview = decode(blob)[0]
    engine.send(run, "set", values={"lr_d": 0.5})
    assert engine.frame(run, number)[0] > number
    engine.send(run, "goto", step=0)  # starts a worker, which stays at step 0
    until(lambda: newest(engine, run)[1]["state"] == "paused", "the worker's frame")
    arrays = newest(engine, run)[0]
    assert all(np.array_equal(arrays[name], preview[name]) for name in preview)


def test_verbs_are_acknowledged_in_order(engine):
    run = engine.prepare(tiny())
    steps = [engine.send(run, "step", n=n)["step"] for n in (1, 10, 100)]
    assert steps == [1, 11, 111]
    record = engine._runs[run]
    futures = [record.worker.send("step", n=1) for _ in range(20)]
    assert [f.result(PATIENCE)["step"] for f in futures] == list(range(112, 132))


@pytest.mark.parametrize(
    ("verb", "args", "sentence"),
    [
        ("set", {"values": {"g_width": 9}}, "g_width cannot change on a running model"),
        ("set", {"values": {"lr_d": -1}}, "lr_d is -1: it takes a number"),
        ("step", {"n": 0}, "step is asked for 0 steps"),
        ("step", {"n": 1, "players": ["x"]}, "no player"),
        ("pick", {"i": 100_000}, "There is no point 100000"),
        ("speed", {"steps_per_frame": -2}, "speed is -2"),
        ("dance", {}, "There is no command"),
        ("open", {"experiment": {}, "folder": "/tmp/x"}, "There is no command 'open'"),
        ("step", {"m": 1}, "unexpected keyword"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_the_run_goes_on(engine, verb, args, sentence):
    run = engine.prepare(tiny())
    engine.send(run, "step", n=1)
    with pytest.raises(EngineError, match=sentence):
        engine.send(run, verb, **args)
    assert engine.send(run, "step", n=1)["step"] == 2


def test_an_unknown_run_is_one_sentence(engine):
    for run in ("ring8-0000dead", "../../etc"):
        with pytest.raises(EngineError, match="no run"):
            engine.status(run)


def test_a_live_edit_shows_in_experiment_and_events(engine):
    run = engine.prepare(tiny())
    engine.send(run, "play")
    answer = engine.send(run, "set", values={"lr_g": 0.0123})
    assert engine.experiment(run).model.lr_g == 0.0123
    event = next(e for e in engine.folder(run).events() if e["kind"] == "set")
    assert event == {"step": answer["step"], "kind": "set", "field": "lr_g", "value": 0.0123, "old": 0.001}


def test_steps_of_the_experiment_end_it_and_more_steps_take_it_on(engine):
    run = engine.prepare(tiny(steps=40))
    engine.send(run, "play")
    becomes(engine, run, "finished")
    assert engine.status(run).step == 40
    with pytest.raises(EngineError, match="was to end at 40 steps"):
        engine.send(run, "play")
    engine.send(run, "set", values={"steps": 60})
    engine.send(run, "play")
    becomes(engine, run, "finished")
    assert engine.status(run).step == 60


def test_until_modes_pauses_at_the_score_that_has_them(engine):
    run = engine.prepare(tiny(score_every=10))
    engine.send(run, "until", modes=0.5)  # any score will do
    engine.send(run, "until", modes=1)
    engine.send(run, "play")
    until(lambda: engine.status(run).step > 0)
    status = engine.status(run)
    if status.state == "paused":
        assert status.step % 10 == 0
    engine.send(run, "pause")


def test_speed_holds_the_run_to_so_many_steps_a_frame(engine):
    run = engine.prepare(tiny())
    engine.watch(run, "somebody", ["fake"])
    engine.send(run, "speed", steps_per_frame=3)
    engine.send(run, "play")
    number, steps = 0, []
    while len(steps) < 8:
        number, frame = until(partial(engine.frame, run, number), "the next frame")
        steps.append(decode(frame)[1]["step"])
    assert all(step % 3 == 0 for step in steps)


# -- identical histories ----------------------------------------------------------------------------------------------


def test_unwatched_watched_paused_and_edited_back_runs_have_identical_histories(engine):
    plain, busy = engine.prepare(tiny()), engine.prepare(tiny())
    play_to(engine, plain, 800)
    stop = threading.Event()

    def watcher(name):
        seen = 0
        while not stop.is_set():
            found = engine.frame(busy, seen)
            seen = found[0] if found else seen
            time.sleep(0.005)

    watchers = [threading.Thread(target=watcher, args=(str(i),)) for i in range(3)]
    for i, thread in enumerate(watchers):
        engine.watch(busy, str(i), ALL[: 3 + i])
        thread.start()
    for step in (90, 333):
        play_to(engine, busy, step)
        engine.send(busy, "pick", i=4)
        engine.send(busy, "look", step=0)
        engine.send(busy, "trace")
    engine.send(busy, "stop")  # its worker goes; play takes it on in another
    play_to(engine, busy, 800)
    stop.set()
    for thread in watchers:
        thread.join()
    assert history(engine.folder(plain)) == reference(800) == history(engine.folder(busy))


def test_a_killed_worker_loses_at_most_the_steps_since_the_last_keyframe(engine):
    run = engine.prepare(tiny())
    engine.send(run, "play")
    reach(engine, run, 400)
    os.kill(engine._runs[run].worker.pid, signal.SIGKILL)
    status = becomes(engine, run, "failed")
    assert "killed by signal 9" in status.error
    assert status.step % 250 == 0
    assert status.step >= 250
    meta = newest(engine, run)[1]
    assert (meta["state"], meta["step"]) == ("failed", status.step)
    play_to(engine, run, 1000 if status.step < 1000 else status.step + 250)
    assert history(engine.folder(run)) == reference(engine.status(run).step)


def test_a_run_with_edits_and_single_steps_is_replayed_exactly(engine):
    run = engine.prepare(tiny())
    play_to(engine, run, 120)
    engine.send(run, "set", values={"lr_d": 0.004, "batch": 20})
    engine.send(run, "step", n=5, players=["g"])
    engine.send(run, "step", n=2, players=["d"])
    play_to(engine, run, 300)
    loop = replay(engine.folder(run))
    assert loop.step == 300
    train = engine.folder(run).train()
    assert {name: np.float32(value) for name, value in loop.metrics.items()} == {
        name: train[name][-1] for name in loop.metrics
    }


# -- going wrong, going back ------------------------------------------------------------------------------------------


def test_a_run_that_diverges_pauses_with_its_cause_and_goes_back(engine):
    wild = {"optimiser_d": "sgd", "optimiser_g": "sgd", "lr_d": 1.0, "lr_g": 1.0, "loss": "least-squares"}
    run = engine.prepare(tiny(keyframe_every=10, **wild))
    engine.watch(run, "somebody", ["fake"])
    engine.send(run, "play")
    status = becomes(engine, run, "failed")
    assert f"stopped at step {status.step}: " in status.error
    assert "NaN" in status.error or "infinite" in status.error
    until(lambda: newest(engine, run)[1]["error"] == status.error, "the cause in a frame")
    with pytest.raises(EngineError, match="Go back to a good moment"):
        engine.send(run, "play")
    good = status.keyframes[-1]
    assert good < status.step
    assert engine.send(run, "goto", step=status.step)["data"]["step"] == good
    engine.send(run, "set", values={"lr_d": 1e-4, "lr_g": 1e-4, "loss": "non-saturating"})
    play_to(engine, run, good + 30)
    assert engine.status(run).error is None


def test_looking_back_shows_the_keyframe_and_leaves_the_present(engine):
    run = engine.prepare(tiny())
    engine.watch(run, "somebody", ["fake"])
    first = newest(engine, run)[0]["fake"]
    play_to(engine, run, 260)
    assert engine.send(run, "look", step=255)["data"]["past"] == 250
    assert engine.send(run, "look", step=3)["data"]["past"] == 0
    until(lambda: newest(engine, run)[1]["past"] == 0, "the frame of the past")
    arrays, meta = newest(engine, run)
    assert meta["step"] == 260
    assert np.array_equal(arrays["fake"], first)
    engine.send(run, "look", step=None)
    until(lambda: newest(engine, run)[1]["past"] is None, "the frame of the present")
    engine.send(run, "stop")
    engine.send(run, "look", step=3)  # without a worker as well
    arrays, meta = newest(engine, run)
    assert (meta["past"], meta["state"]) == (0, "stopped")
    assert np.array_equal(arrays["fake"], first)


def test_slow_motion_tells_its_sub_steps(engine):
    run = engine.prepare(tiny())
    answer = engine.send(run, "trace")["data"]
    assert answer["step"] == 1
    assert {"d", "g"} <= {moment["player"] for moment in answer["steps"]}
    assert all(
        {"title", "formula", "note", "tensors", "shapes", "layers"} <= moment.keys() for moment in answer["steps"]
    )


def test_a_picked_point_lies_where_the_frame_has_it(engine):
    run = engine.prepare(tiny())
    engine.watch(run, "somebody", ["fake"])
    for launch in (False, True):
        if launch:
            engine.send(run, "step", n=20)
            until(lambda: newest(engine, run)[1]["step"] == 20)
        arrays, meta = newest(engine, run)
        picked = engine.send(run, "pick", i=17)["data"]
        assert len(picked["z"]) == 8
        assert 0 <= picked["d"] <= 1
        np.testing.assert_allclose(arrays["fake"][17] / 32767 * meta["extent"], picked["x"], atol=1e-3)


# -- frames -----------------------------------------------------------------------------------------------------------


def test_frames_are_small_new_and_latest_wins(engine):
    run = engine.prepare(tiny())
    engine.watch(run, "somebody", ALL)
    engine.send(run, "play")
    until(lambda: newest(engine, run)[1]["scores"], "a score")
    first = engine.frame(run)
    assert len(first[1]) < 30_000
    until(lambda: engine.frame(run)[0] > first[0] + 3, "more frames")
    second = engine.frame(run, first[0])  # a slow reader gets the newest, not the next
    assert second[0] > first[0] + 1
    meta = decode(second[1])[1]
    names = (
        "v step state sps extent seed device experiment_version layers critic range events queue error past speed "
        "until metrics scores verdict keyframes floors"
    )
    assert set(names.split()) <= meta.keys()


def test_layers_that_nobody_watches_are_not_painted(engine):
    run = engine.prepare(tiny())
    engine.watch(run, "a", ["fake"])
    engine.watch(run, "b", ["surface"])
    engine.send(run, "step", n=1)
    until(lambda: set(newest(engine, run)[0]) == {"fake", "surface"}, "both layers")
    engine.unwatch(run, "b")
    until(lambda: set(newest(engine, run)[0]) == {"fake"}, "one layer")


def test_who_polls_counts_as_a_viewer_until_a_real_one_comes(engine, monkeypatch):
    run = engine.prepare(tiny())
    engine.frame(run)
    assert engine.status(run).viewers == 1
    engine.watch(run, "somebody", ["fake"])
    monkeypatch.setattr(manager, "POLL", 0.1)
    until(lambda: engine.frame(run, 10**9) is None and engine.status(run).viewers == 1, "the poller to be gone")
    engine.unwatch(run, "somebody")
    until(lambda: engine.status(run).viewers == 0, "nobody")


# -- queue and grace --------------------------------------------------------------------------------------------------


def test_a_further_run_waits_in_the_queue_and_a_paused_one_gives_way(engine, monkeypatch):
    monkeypatch.setattr(engine.launcher, "limit", 1)
    one, two, three = (engine.prepare(tiny(seed=i)) for i in range(3))
    engine.send(one, "play")
    engine.send(two, "play")
    assert engine.send(three, "play")["data"] == {"queue": 2}
    assert [engine.status(r).state for r in (two, three)] == ["queued", "queued"]
    assert newest(engine, three)[1]["queue"] == 2
    with pytest.raises(EngineError, match="All 1 workers are training"):
        engine.send(engine.prepare(tiny()), "step", n=1)
    engine.send(three, "pause")
    assert engine.status(three).state == "ready"
    becomes(engine, one, "running")
    reach(engine, one, 10)
    at = engine.send(one, "pause")["step"]
    becomes(engine, two, "running", "warming")
    assert engine.status(one).state == "paused"
    assert engine.status(one).step == at
    assert engine._runs[one].worker is None
    engine.send(two, "pause")
    play_to(engine, one, at + 50)  # and takes its turn again, from where it was
    assert history(engine.folder(one)) == reference(at + 50, seed=0)


def test_a_run_that_was_just_told_to_play_keeps_its_worker(engine, monkeypatch):
    monkeypatch.setattr(engine.launcher, "limit", 1)
    one, two = engine.prepare(tiny(seed=1)), engine.prepare(tiny(seed=2))
    engine.send(one, "step", n=1)
    worker = engine._runs[one].worker.pid
    os.kill(worker, signal.SIGSTOP)  # a busy machine: the command is on its way, the last status says paused
    telling = threading.Thread(target=engine.send, args=(one, "play"))
    try:
        telling.start()
        until(lambda: not engine._runs[one].at_rest(), "the command")
        assert engine.status(one).state == "paused"
        assert engine.send(two, "play")["data"] == {"queue": 1}
    finally:
        os.kill(worker, signal.SIGCONT)
    telling.join()
    becomes(engine, one, "running")
    assert engine.status(two).state == "queued"
    engine.send(one, "pause")
    becomes(engine, two, "running")


def test_a_run_nobody_watches_is_paused_then_stopped_unless_pinned(engine, monkeypatch):
    run, pinned = engine.prepare(tiny()), engine.prepare(tiny())
    engine.pin(pinned, True)
    engine.watch(run, "somebody", ["fake"])
    for r in (run, pinned):
        engine.send(r, "play")
        becomes(engine, r, "running")
    monkeypatch.setattr(engine, "grace", 1.0)
    assert engine.status(run).state == "running"
    engine.unwatch(run, "somebody")
    becomes(engine, run, "paused")
    becomes(engine, run, "stopped")
    assert engine.folder(run).keyframes()[-1] == engine.status(run).step
    assert engine.status(pinned).state == "running"


def test_a_run_whose_worker_cannot_save_in_time_is_where_it_was_saved_last(engine, monkeypatch):
    run = engine.prepare(tiny(keyframe_every=100_000))
    engine.send(run, "play")
    becomes(engine, run, "running")
    until(lambda: engine.status(run).step > engine.status(run).keyframes[-1] + 50, "steps beyond the saved moment")
    os.kill(engine._runs[run].worker.pid, signal.SIGSTOP)
    with monkeypatch.context() as patience:
        patience.setattr(launcher, "SAVED", 0.2)
        engine.send(run, "stop")
    status, kept = engine.status(run), engine.folder(run).keyframes()
    assert (status.state, status.step, status.keyframes) == ("stopped", kept[-1], kept)
    play_to(engine, run, kept[-1] + 100)
    assert history(engine.folder(run)) == reference(kept[-1] + 100, keyframe_every=100_000)


def test_a_deleted_run_is_gone(engine):
    run = engine.prepare(tiny())
    engine.send(run, "step", n=1)
    engine.delete(run)
    assert not (engine.root / run).exists()
    with pytest.raises(EngineError, match="no run"):
        engine.status(run)


def test_runs_lists_what_was_started(engine):
    run = engine.prepare(tiny())
    assert run not in [status.run for status in engine.runs()]
    engine.send(run, "step", n=1)
    assert engine.runs()[0].run == run
