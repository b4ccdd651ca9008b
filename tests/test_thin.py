"""Saved moments within their bounds: what may go, in which order, and what must stay."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.config import ConfigError
from playground.engine.loop import next_keyframe
from playground.experiment import Experiment
from playground.store import About, RunFolder, about, fork, thin
from playground.store.thin import HANDFUL, Held, excess, spared

steps_of = st.sets(st.integers(0, 10**6), max_size=120).map(sorted)


@settings(deadline=None)
@given(steps_of, st.integers(2, 60), st.data())
def test_what_must_stay_stays_and_no_more_is_left_than_asked(steps, keep, data):
    kept = data.draw(st.sets(st.sampled_from(steps), max_size=10)) if steps else set()
    marked = data.draw(st.sets(st.sampled_from(steps))) if steps else set()
    gone = spared(steps, keep, marked, kept)
    left = sorted(set(steps) - set(gone))
    must = kept | set(steps[:1]) | set(steps[-1:])
    assert len(gone) == len(set(gone)) == len(steps) - len(left)
    assert set(gone) <= set(steps)
    assert must <= set(left)
    assert len(left) == min(len(steps), max(keep, len(must)))
    assert spared(left, keep, marked, kept) == []


@settings(deadline=None)
@given(st.integers(300, 1000), st.integers(20, 200))
def test_a_long_run_is_left_dense_early_and_without_holes(n, keep):
    steps = range(0, 1000 * n, 1000)
    left = sorted(set(steps) - set(spared(steps, keep)))
    gaps = np.diff(left)
    quarter = keep // 4
    assert gaps[:quarter].mean() < gaps[-quarter:].mean()
    assert gaps.max() <= 6 * steps[-1] / keep


def test_a_run_that_is_thinned_as_it_goes_stays_dense_early_and_without_holes():
    """As a worker does it: it only ever sees what it has left of the past."""
    left, step = [0], 0
    while step < 1_000_000:
        step = next_keyframe(step, 1000)
        left.append(step)
        if len(left) > 200:
            left = sorted(set(left) - set(spared(left, 175)))
    gaps = np.diff(left)
    assert left[0] == 0
    assert left[-1] == 1_000_000
    assert len(left) <= 200
    assert len([step for step in left if step <= 10_000]) >= 10
    assert gaps.max() <= 20_000


def test_moments_at_which_something_was_done_stay_longer():
    steps = range(0, 100_000, 1000)
    marked = {30_000, 55_000, 90_000}
    assert marked <= set(steps) - set(spared(steps, 25, marked))
    assert not marked <= set(steps) - set(spared(steps, 25))


held = st.builds(
    lambda sizes, kept, star, used: Held(sizes, frozenset(itertools.islice(sizes, kept)), star, used),
    st.dictionaries(st.integers(0, 10**5), st.integers(1, 1000), max_size=30), st.integers(0, 3), st.booleans(),
    st.floats(0, 100),
)  # fmt: skip


@settings(deadline=None)
@given(st.dictionaries(st.text("ab", min_size=1, max_size=4), held, max_size=8), st.integers(0, 50_000))
def test_the_store_comes_within_its_bound_or_every_run_has_a_handful_left(runs, most):
    gone = excess(runs, {}, most)
    left = {run: set(held.sizes) - set(gone.get(run, ())) for run, held in runs.items()}
    size = sum(runs[run].sizes[step] for run, steps in left.items() for step in steps)
    for run, held in runs.items():
        assert held.kept <= left[run]
        assert max(held.sizes, default=0) in (left[run] or {0})
        assert len(left[run]) >= min(HANDFUL, len(held.sizes))
    before = sum(sum(held.sizes.values()) for held in runs.values())
    if before <= most:
        assert gone == {}
    elif size > most:
        assert all(len(left[run]) <= max(HANDFUL, len(held.kept) + 2) for run, held in runs.items())
    order = sorted(runs, key=lambda run: (runs[run].star, runs[run].used))
    for earlier, later in itertools.pairwise(order):
        if gone.get(later):  # a later run gives only when the earlier one has no more to give
            assert len(left[earlier]) <= max(HANDFUL, len(runs[earlier].kept) + 2)


@pytest.mark.parametrize(
    ("every", "first"),
    [(1000, [62, 125, 250, 500, 1000, 2000, 3000]), (50, [50, 100, 150]), (64, [32, 64, 128]), (10, [10, 20])],
)
def test_moments_come_early_and_then_evenly(every, first):
    found, step = [], 0
    for _ in first:
        found.append(step := next_keyframe(step, every))
    assert found == first


# -- on disk ----------------------------------------------------------------------------------------------------------


def run(root, n, size=1000, star=False, name="ring8-00000001"):
    folder = RunFolder.create(root, Experiment(), name)
    folder.acquire()
    about.write(folder.path, About(star=star))
    for step in range(0, 10 * n, 10):
        folder.save_keyframe(step, {"model/a": torch.zeros(size)}, Experiment())
    return folder


def test_a_run_keeps_to_its_bound_and_what_a_fork_goes_on_from(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_KEYFRAMES", "20")
    folder = run(tmp_path, 12)
    child = fork(folder, 70)
    for step in range(120, 2000, 10):
        kept = folder.save_keyframe(step, {"model/a": torch.zeros(1)}, Experiment())
        assert len(kept) <= 20
        assert kept == folder.keyframes()
        assert {0, 70, step} <= set(kept)
    assert child.keyframes() == list(range(0, 80, 10))
    folder.release()


def test_old_runs_without_a_star_are_thinned_for_the_store(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_KEYFRAME_MB", "1")
    old = run(tmp_path, 30, size=6000)  # 24 KB each
    starred = run(tmp_path, 10, size=6000, star=True, name="ring8-00000002")
    new = run(tmp_path, 30, size=6000, name="ring8-00000003")
    assert len(old.keyframes()) < 12
    assert len(starred.keyframes()) == 10
    assert len(new.keyframes()) > 15
    assert old.keyframes()[-1] == new.keyframes()[-1] == 290
    size = sum(file.stat().st_size for file in tmp_path.glob("*/keyframes/*"))
    assert size < 2**20 + 2**20 // thin.LOOK + 30_000
    for folder in (old, starred, new):
        assert folder.load_keyframe().step == folder.keyframes()[-1]
        folder.release()


def test_what_forks_share_counts_once(tmp_path):
    folder = run(tmp_path, 10, size=6000)
    for _ in range(5):
        fork(folder)
    runs = [thin._held(path, frozenset()) for path, _ in thin._runs(tmp_path)]
    assert len(runs) == 6
    assert sum(sum(held.sizes.values()) for held in runs) < 12 * 25_000
    folder.release()


@pytest.mark.parametrize(("name", "bad"), [("PLAYGROUND_KEYFRAMES", "3"), ("PLAYGROUND_KEYFRAME_MB", "much")])
def test_a_bound_that_is_none_is_refused_in_a_sentence(monkeypatch, name, bad):
    monkeypatch.setenv(name, bad)
    with pytest.raises(ConfigError, match=f"{name} is '{bad}': it takes a whole number from"):
        thin.bounds()
