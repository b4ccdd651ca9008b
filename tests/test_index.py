"""The table of runs: right, made again only where something changed, and never more than a copy."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest
import torch

from playground.experiment import Experiment
from playground.store import About, Group, Parent, RunFolder, about, fork, group
from playground.store import index as index_module
from playground.store.index import FILE, Index, Metric


@pytest.fixture
def folder(tmp_path):
    """A run of 600 steps with losses that sink, modes that come, and a moment at 500."""
    made = RunFolder.create(tmp_path, Experiment(device="cpu"), "ring8-00000001")
    made.acquire()
    for step in range(10, 601, 10):
        made.append_train([step], [{"loss/g": 700 - step, "score/real": 0.5}])
        if step % 100 == 0:
            scores = {"modes/eight_percent": min(step // 100, 5), "mass/0": 0.1, "dist/js": abs(step - 300), "x": None}
            made.append_scores(step, scores)
        if step == 500:
            made.save_keyframe(500, {"model/a": torch.zeros(1)}, Experiment(device="cpu").changed(lr_g=0.5))
    made.set_status(state="running", step=600)
    yield made
    made.release()


@pytest.fixture
def made(monkeypatch):
    """Return the runs whose rows are made from now on."""
    told, real = [], index_module._told
    monkeypatch.setattr(
        index_module, "_told", lambda folder, preset: told.append(folder.run_id) or real(folder, preset)
    )
    return told


def test_a_row_says_what_a_run_came_to(tmp_path, folder):
    folder.flush()
    (row,) = Index(tmp_path).rows()
    assert (row.run, row.family, row.dataset, row.preset) == ("ring8-00000001", "gan", "ring8", None)
    assert (row.state, row.step, row.error) == ("running", 600, None)
    assert row.title == Experiment().data.title
    assert row.metrics["dist/js"] == Metric(300, 0, pytest.approx(smoothed([200, 100, 0, 100, 200, 300])))
    assert row.metrics["loss/g"][:2] == (100, 100)
    assert row.metrics["score/real"] == Metric(0.5, None, 0.5)
    assert row.metrics["modes/eight_percent"][:2] == (5, 5)
    assert not {"mass/0", "x", "step"} & set(row.metrics)
    assert row.spark == ("modes/eight_percent", (1, 2, 3, 4, 5, 5))
    assert row.verdict[0] in ("warming", "partial-collapse")
    assert row.verdict[1].endswith(".")
    folder.release()
    (row,) = Index(tmp_path).rows()
    assert (row.state, row.step) == ("stopped", 500)


def smoothed(values):
    weights = 0.9 ** np.arange(len(values))[::-1]
    return float((weights * values).sum() / weights.sum())


def test_a_sparkline_of_a_long_run_has_sixty_points(tmp_path, folder):
    folder.append_train(range(1000, 6000), [{"loss/g": float(i)} for i in range(5000)])
    folder.cut(5999, 0)
    with closing(sqlite3.connect(folder.path / "run.sqlite")) as db:
        db.execute("DELETE FROM scores")
        db.commit()
    (row,) = Index(tmp_path).rows()
    assert row.spark[0] == "loss/g"
    assert 30 <= len(row.spark[1]) <= 60
    assert row.metrics["loss/g"][:2] == (4999, 0)


def test_words_descent_and_group_come_along(tmp_path, folder):
    child = fork(folder, 500)
    about.write(child.path, About(name="mine", tags=("a",), star=True))
    group.write(child.path, Group(kind="race", id="r1", label="seed: 2"))
    row = {row.run: row for row in Index(tmp_path, preset=lambda e: f"lr {e.value('lr_g')}").rows()}[child.run_id]
    assert (row.title, row.about.star, row.parent) == ("mine", True, Parent(folder.run_id, 500))
    assert (row.group, row.preset) == (Group(kind="race", id="r1", label="seed: 2"), "lr 0.5")


def test_only_what_changed_is_made_again(tmp_path, folder, made):
    child = fork(folder, 500)
    both = {folder.run_id, child.run_id}
    assert {row.run for row in Index(tmp_path).rows()} == set(made) == both
    made.clear()
    assert len(Index(tmp_path).rows()) == 2
    assert made == []
    for change in (
        lambda: about.write(child.path, About(name="other")),
        lambda: child.event(500, "play"),
        lambda: child.set_status(state="finished", step=500),
        lambda: group.write(child.path, Group(kind="race", id="r1")),
        lambda: child.save_keyframe(510, {"model/a": torch.zeros(1)}, Experiment(device="cpu")),
    ):
        change()
        Index(tmp_path).rows()
        assert set(made) == {child.run_id}, "a change was not seen, or more than it was made again"
        Index(tmp_path).rows()  # a reader may have tidied up after the writer, which counts as a change
        made.clear()


def test_a_run_that_went_away_leaves_the_table_and_comes_back(tmp_path, folder):
    folder.release()
    assert len(Index(tmp_path).rows()) == 1
    folder.delete()
    assert Index(tmp_path).rows() == []
    fresh = RunFolder.create(tmp_path, Experiment())
    assert [row.run for row in Index(tmp_path).rows()] == [fresh.run_id]
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert [run for (run,) in db.execute("SELECT run FROM runs")] == [fresh.run_id]


@pytest.mark.parametrize("harm", ["deleted", "damaged", "other version", "locked"])
def test_the_table_is_right_whatever_becomes_of_its_file(tmp_path, folder, harm):
    folder.flush()
    before = Index(tmp_path).rows()
    file = tmp_path / FILE
    with closing(sqlite3.connect(file)) as other:
        if harm == "deleted":
            file.unlink()
        elif harm == "damaged":
            file.write_bytes(b"nothing of the kind " * 1000)
        elif harm == "other version":
            other.executescript("DROP TABLE runs; CREATE TABLE runs (x); PRAGMA user_version = 99")
        else:
            other.execute("BEGIN EXCLUSIVE")
            folder.event(600, "pause")
        assert Index(tmp_path).rows() == before
    assert Index(tmp_path).rows() == before


def test_a_run_that_cannot_be_read_is_left_out_and_not_read_again(tmp_path, folder, made):
    broken = RunFolder.create(tmp_path, Experiment(), "ring8-0000dead")
    (broken.path / "config.json").write_text("[]")
    assert [row.run for row in Index(tmp_path).rows()] == [folder.run_id]
    assert [row.run for row in Index(tmp_path).rows()] == [folder.run_id]
    assert made.count(broken.run_id) == 1


def test_a_run_that_goes_while_the_table_is_made_is_left_out(tmp_path, folder, monkeypatch):
    other = RunFolder.create(tmp_path, Experiment(device="cpu"))
    listed = index_module.runs(tmp_path)
    monkeypatch.setattr(index_module, "runs", lambda root: listed)
    other.delete()
    assert [row.run for row in Index(tmp_path).rows()] == [folder.run_id]


def test_a_store_without_runs_has_no_table(tmp_path):
    assert Index(tmp_path / "nowhere").rows() == []
    assert not (tmp_path / "nowhere").exists()
