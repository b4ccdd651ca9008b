"""Killed at any instant a run is whole, has lost nothing before its last saved moment, goes on as if it had lived."""

from __future__ import annotations

import random
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from playground.engine.loop import Loop
from playground.store import LATEST, RunFolder
from tests.engine_room import history
from tests.kill_room import RUN, Nursery, small, sound, sound_store

KILLS = 200


@pytest.fixture(scope="module")
def nursery():
    with Nursery() as room:
        yield room


def killed(room, folder, times):
    """Kill the worker of a run at any instant so many times; return the last step that it saved."""
    chance, last, longest, seen = random.Random(folder.path.parent.name), 0, 0.08, 0
    for i in range(times):
        if i % 10 == 9:
            seen, longest = last, longest * (1.5 if last < seen + 25 else 1.0)  # seconds: a slow machine needs more
        assert room.order("train", path=str(folder.path), seconds=chance.uniform(0, longest)) == -signal.SIGKILL
        saved = sound(folder, moments=3)
        assert saved >= last, "a saved moment is lost"
        last = saved
    sound(folder)
    return last


def test_workers_killed_two_hundred_times_train_what_one_does_that_lives(tmp_path, nursery):
    folders = [RunFolder.create(tmp_path / name, small(), RUN) for name in ("a", "b")]
    with Nursery() as other, ThreadPoolExecutor() as both:  # two at a time: it is waiting that takes long
        steps = list(both.map(killed, (nursery, other), folders, (KILLS // 2, KILLS // 2)))
    assert min(steps) > KILLS // 2, "the workers hardly trained at all"
    for folder in folders:
        mended = Loop(folder.experiment(), folder, LATEST)
        mended.advance(25)
        mended.flush()
        lived = RunFolder.create(folder.path.parent, small())
        loop = Loop(small(), lived)
        loop.advance(mended.step)
        loop.flush()
        assert history(folder) == history(lived)
        for one in (folder, lived):
            one.release()


def touches(tmp_path, nursery):
    """Return how often the whole story touches the disk."""
    assert nursery.order("story", path=str(tmp_path / "all"), at=10**9, how="kill", touched=str(tmp_path / "n")) == 0
    sound_store(tmp_path / "all")
    return int((tmp_path / "n").read_text())


@pytest.mark.parametrize(
    "stride", [pytest.param(15, id="every fifteenth"), pytest.param(1, id="every one", marks=pytest.mark.slow)]
)
def test_killed_wherever_the_disk_is_touched_every_run_is_whole_and_goes_on(tmp_path, nursery, stride):
    places = touches(tmp_path, nursery)
    assert places > 100
    for at in range(random.Random(7).randrange(stride), places, stride):
        root = tmp_path / str(at)
        assert nursery.order("story", path=str(root), at=at, how="kill") == -signal.SIGKILL
        if root.exists():
            sound_store(root)
