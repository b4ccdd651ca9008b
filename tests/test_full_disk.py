"""A disk that takes no more pauses training in a sentence; what was saved is there, and it goes on when it can."""

from __future__ import annotations

import errno
import resource
import sqlite3
from pathlib import Path

import pytest
import torch

from playground.config import ConfigError
from playground.data.kept import keep
from playground.engine.loop import Loop, replay
from playground.experiment import Experiment
from playground.race_presets import RACES
from playground.store import LATEST, About, Group, RunFolder, Unwritable, about, fork, group, races, sweeps
from playground.store.sweeps import Goal, Sweep
from tests.engine_room import becomes, history, reach, reference, shared_engine, tiny, until
from tests.kill_room import Nursery, sound_store

SENTENCE = r"The disk that holds .* is full: all that was saved is there; make room on it, then go on\."


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path, tiny(keyframe_every=40), "ring8-00000001")
    yield made
    made.release()


def filled(engine):
    """Return a run that met a full disk, its worker, and the limit that it had before.

    The limit on the size of a file stands for the disk: the kernel refuses a real worker's real writes.
    """
    run = engine.prepare(tiny(keyframe_every=40))
    engine.send(run, "play")
    reach(engine, run, 60)
    worker = engine._runs[run].worker.pid
    before = resource.prlimit(worker, resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))
    until(lambda: engine.status(run).error, "the sentence")
    return run, worker, before


def test_a_worker_pauses_says_why_and_goes_on_when_there_is_room():
    engine = shared_engine()
    run, worker, before = filled(engine)
    status = becomes(engine, run, "paused")
    assert status.error.endswith("go on.")
    assert f"{engine.root}" in status.error
    saved = engine.folder(run).keyframes()[-1]
    assert status.step > saved
    resource.prlimit(worker, resource.RLIMIT_FSIZE, before)
    engine.send(run, "until", steps=status.step + 100)
    engine.send(run, "play")
    until(lambda: engine.status(run).step == status.step + 100, "the end")
    assert becomes(engine, run, "paused").error is None
    assert history(engine.folder(run)) == reference(status.step + 100, keyframe_every=40)
    engine.send(run, "stop")


def test_a_run_that_is_stopped_on_a_full_disk_goes_on_from_its_last_moment():
    engine = shared_engine()
    run, worker, before = filled(engine)
    engine.send(run, "stop")
    resource.prlimit(worker, resource.RLIMIT_FSIZE, before)
    step = engine.reopen(run).step
    saved = engine.folder(run).keyframes()[-1]
    assert 40 <= saved <= step
    engine.send(run, "goto", step=saved)
    engine.send(run, "step", n=30)
    assert history(engine.folder(run)) == reference(saved + 30, keyframe_every=40)
    engine.send(run, "stop")


@pytest.mark.parametrize("excused", [False, True])
def test_a_moment_that_found_no_room_is_told_of_once(folder, monkeypatch, excused):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    folder.acquire()
    loop = Loop(folder.experiment(), folder)
    monkeypatch.setattr("playground.store.keyframes.put", full)
    loop.keyframe(wait=False)
    folder.keyframes()  # waits for it
    monkeypatch.undo()
    if excused:
        folder.excuse()
        folder.flush()
    else:
        with pytest.raises(Unwritable, match=SENTENCE):
            folder.flush()
    assert loop.keyframe() == 0


def flushed(loop, steps):
    """Train so many steps, and write all that waits after each few."""
    for _ in range(steps // 5):
        loop.advance(5)
        loop.flush()


def test_records_that_find_no_room_wait_and_are_written_later(folder):
    folder.acquire()
    loop = Loop(folder.experiment(), folder)
    loop.advance(60)
    loop.flush()
    db = folder._writer.db
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite says of it what it says of a full disk
    with pytest.raises(Unwritable, match=SENTENCE):
        flushed(loop, 5000)
    there = RunFolder(folder.path)
    assert there.train_rows()["step"].tolist()[:60] == list(range(1, 61))
    events = there.events()
    with pytest.raises(Unwritable, match=SENTENCE):
        loop.set({"lr_d": 0.123})
    assert loop.experiment.value("lr_d") != 0.123
    assert there.events() == events
    db.execute("PRAGMA max_page_count = 1000000")
    loop.set({"lr_g": 0.0123})
    loop.advance(10)
    loop.flush()
    assert [e["field"] for e in folder.events() if e["kind"] == "set"] == ["lr_g"]
    assert loop.metrics == replay(folder).metrics  # an edit that could not be written down did not happen


def test_a_moment_that_finds_no_room_leaves_the_last_one_and_no_half_file(folder, monkeypatch):
    folder.save_keyframe(10, {"model/a": torch.ones(3)}, folder.experiment())
    real = Path.write_bytes

    def full(path, content):
        real(path, content[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Unwritable, match=SENTENCE):
        folder.save_keyframe(20, {"model/a": torch.ones(3)}, folder.experiment())
    assert [file.name for file in (folder.path / "keyframes").iterdir()] == ["00000010.safetensors"]
    monkeypatch.undo()
    assert folder.save_keyframe(20, {"model/a": torch.ones(3)}, folder.experiment()) == [10, 20]


SWEEP = Sweep(
    id="sweep-00000001", name="mine", base=tiny().to_json(), axes=(), seeds=(0,), steps=10,
    goal=Goal(metric="modes/covered", higher=True), cells=(),
)  # fmt: skip


@pytest.fixture
def full(monkeypatch):
    """Have the disk take a hundred bytes of a file and no more."""
    real = Path.write_bytes

    def write(path, content):
        real(path, content[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write)


@pytest.mark.parametrize(
    "write",
    [
        lambda root: about.write(root / "ring8-00000001", About(name="mine", note="so " * 100)),
        lambda root: group.write(root / "ring8-00000001", Group(kind="race", id="race-00000001", label="one")),
        lambda root: races.write(root, RACES["losses"].card),
        lambda root: sweeps.write(root, SWEEP),
    ],
    ids=["about", "group", "race", "sweep"],
)
def test_what_is_said_and_found_no_room_is_told_in_a_sentence(folder, tmp_path, full, write):
    before = set(tmp_path.rglob("*.json"))
    with pytest.raises(Unwritable, match=SENTENCE):
        write(tmp_path)
    assert set(tmp_path.rglob("*.json")) == before
    assert not [path for path in tmp_path.rglob(".*") if ".json" in path.name], "half a file takes room"


def test_points_that_find_no_room_are_not_half_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        with pytest.raises(ConfigError, match=r"The points cannot be kept in .*: .* Make room there, then try again\."):
            keep("points", torch.ones(100, 2), {"title": "mine"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "data").iterdir()) == []


def test_what_cannot_be_made_is_not_half_there(folder, tmp_path, monkeypatch):
    Loop(folder.experiment(), folder).advance(50)
    before = set(tmp_path.iterdir())

    def full(*args):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("playground.store.records._fill", full)
    for make in (lambda: RunFolder.create(tmp_path, Experiment()), lambda: fork(folder)):
        with pytest.raises(ValueError, match=r"full"):
            make()
    assert set(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_wherever_the_disk_becomes_full_every_run_is_whole_and_goes_on(tmp_path):
    with Nursery() as nursery:
        places = 0
        while nursery.order("story", path=str(tmp_path / str(places)), at=places, how="full") != 0:
            if (tmp_path / str(places)).exists():
                sound_store(tmp_path / str(places))
            places += 1
        assert places > 30


def test_a_run_that_found_no_room_trains_on_from_its_last_moment(folder, monkeypatch):
    loop = Loop(folder.experiment(), folder)
    loop.advance(90)
    folder.release()
    again = Loop(folder.experiment(), folder, LATEST)
    assert again.step == 80
    again.advance(20)
    again.flush()
    assert history(folder) == reference(100, keyframe_every=40)
