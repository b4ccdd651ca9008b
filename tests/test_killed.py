"""Killed at any instant a run is whole, has lost nothing before its last saved moment, goes on as if it had lived."""

from __future__ import annotations

import random
import signal

import pytest

from playground.engine.loop import LATEST, Loop
from playground.store import RunFolder
from tests.engine_room import history
from tests.kill_room import RUN, Nursery, small, sound, sound_store

KILLS = 200


@pytest.fixture(scope="module")
def nursery():
    with Nursery() as room:
        yield room


def test_a_worker_killed_two_hundred_times_trains_what_one_does_that_lives(tmp_path, nursery):
    chance, last, longest, seen = random.Random(5), 0, 0.08, 0
    folder = RunFolder.create(tmp_path, small(), RUN)
    for i in range(KILLS):
        if i % 20 == 19:
            seen, longest = last, longest * (1.5 if last < seen + 50 else 1.0)  # seconds: a slow machine needs more
        assert nursery.order("train", path=str(folder.path), seconds=chance.uniform(0, longest)) == -signal.SIGKILL
        saved = sound(folder, moments=3)
        assert saved >= last, "a saved moment is lost"
        last = saved
    sound(folder)
    assert last > KILLS, "the workers hardly trained at all"
    killed = Loop(folder.experiment(), folder, LATEST)
    killed.advance(25)
    killed.flush()
    lived = RunFolder.create(tmp_path, small())
    loop = Loop(small(), lived)
    loop.advance(killed.step)
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
