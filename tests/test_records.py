"""The records of a run in SQLite: whole or not at all, from any older form, and drawn without being read."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.experiment import Experiment
from playground.store import RunFolder, StoreError, Unwritable
from playground.store import records as records_module
from playground.store.records import CHUNK, FILE, SCHEMAS
from playground.store.rows import BUCKET, ROW, WIDTH, buckets, joined


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path, Experiment(device="cpu", seed=7), "ring8-00000001")
    made.acquire()
    yield made
    made.release()


def filled(folder, n, size=97):
    """Log rows 10, 20 ... 10 n in flushes of this size, and return them as (n, 2)."""
    values = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    for at in range(0, n, size):
        here = range(at, min(at + size, n))
        folder.append_train(
            [10 * (i + 1) for i in here], [{"loss/d": float(values[i, 0]), "loss/g": float(values[i, 1])} for i in here]
        )
        folder.flush()
    return values


def old(folder, rows=5):
    """Give a run's folder the form that runs had before, with torn ends, and return its path."""
    folder.release()
    path = folder.path
    (path / FILE).unlink()
    table = np.zeros(rows, ROW)
    table["step"], table["values"] = np.arange(1, rows + 1), np.nan
    table["values"][:, 0] = np.arange(rows) / 3
    (path / "train.json").write_text('{"columns": ["loss/d"], "cuts": 2}')
    (path / "train.bin").write_bytes(table.tobytes() + b"\1\2\3")
    (path / "scores.jsonl").write_text('{"step": 2, "dist/js": 0.5}\n{"step": 4, "dist/js": null}\n{"step": 5, "di')
    (path / "events.jsonl").write_text('{"step": 0, "kind": "start"}\n{"step": 3, "kind": "pause"}\n{"st')
    return path


def told(folder):
    train = folder.train()
    return {n: train[n].tobytes() for n in train}, folder.scores(), folder.events(), folder.columns(), folder.cuts()


@pytest.mark.parametrize("size", [1, 97, 1024, 3000])
def test_rows_come_back_in_order_whatever_they_were_flushed_by(folder, size):
    values = filled(folder, 2500, size)
    rows = folder.train_rows()
    assert rows["step"].tolist() == list(range(10, 25001, 10))
    np.testing.assert_array_equal(rows["values"][:, :2], values)
    np.testing.assert_array_equal(folder.train_rows(1500)["values"][:, :2], values[1500:])
    np.testing.assert_array_equal(folder.train_rows(-3)["values"][:, :2], values[-3:])
    with folder.reading() as records:
        pieces = [n for (n,) in records.db.execute("SELECT n FROM train ORDER BY row")]
    assert pieces[:2] == [CHUNK, CHUNK]
    assert folder.at(12_345)["metrics"]["loss/d"] == pytest.approx(values[1233, 0])


@pytest.mark.parametrize("step", [0, 15, 10 * CHUNK, 10 * CHUNK + 5, 20_480, 24_990, 25_000])
def test_a_cut_in_any_piece_can_be_written_on_from(folder, step):
    values = filled(folder, 2500)
    folder.cut(step, events=1)
    kept = step // 10
    assert len(folder.train_rows()) == kept
    folder.append_train([30_000 + i for i in range(CHUNK)], [{"loss/d": float(i)} for i in range(CHUNK)])
    rows = folder.train_rows()
    np.testing.assert_array_equal(rows["values"][:kept, 0], values[:kept, 0])
    assert rows["step"].tolist() == [*range(10, 10 * kept + 1, 10), *range(30_000, 30_000 + CHUNK)]
    folder.release()
    assert len(folder.train_rows()) == kept + CHUNK
    assert folder.cuts() == 1


def test_another_reader_sees_what_was_flushed_and_the_writer_all(tmp_path, folder):
    folder.append_train([1], [{"loss/d": 1.0}])
    folder.flush()
    folder.append_train([2], [{"loss/d": 2.0}])
    folder.append_scores(2, {"dist/js": 0.5})
    other = RunFolder.open(tmp_path, folder.run_id)
    assert (other.train()["step"].tolist(), other.scores()) == ([1], [])
    assert folder.train()["step"].tolist() == other.train()["step"].tolist() == [1, 2]
    assert other.scores() == [{"step": 2, "dist/js": 0.5}]


# -- older and newer forms --------------------------------------------------------------------------------------------


def test_an_old_run_is_read_as_it_is_and_brought_into_the_present_form_by_its_writer(folder):
    path = old(folder)
    before = told(RunFolder(path))
    assert before[1:] == (
        [{"step": 2, "dist/js": 0.5}, {"step": 4, "dist/js": None}],
        [{"step": 0, "kind": "start"}, {"step": 3, "kind": "pause"}], ["loss/d"], 2,
    )  # fmt: skip
    assert not (path / FILE).exists()
    again = RunFolder(path)
    again.acquire()
    assert told(again) == told(RunFolder(path)) == before
    assert {file.name for file in path.iterdir()} & {"train.json", "train.bin", "scores.jsonl", "events.jsonl"} == set()
    again.append_train([6], [{"loss/d": 1.0}])
    assert len(again.train_rows()) == 6
    again.release()


@pytest.mark.parametrize("where", ["sync", "put_in_place", "transaction", "unlink"])
def test_a_migration_that_breaks_off_has_changed_nothing_that_is_read(folder, monkeypatch, where):
    path = old(folder, rows=3 * CHUNK)
    before = told(RunFolder(path))

    def broken(*args, **kwargs):
        raise OSError(5, "pulled the plug")

    with monkeypatch.context() as patch:
        if where == "unlink":
            patch.setattr(type(path), "unlink", lambda file, **kw: broken() if file.name == "train.bin" else None)
        else:
            patch.setattr(records_module, where, broken)
        with pytest.raises(Unwritable, match="pulled the plug"):
            RunFolder(path).acquire()
    assert told(RunFolder(path)) == before
    again = RunFolder(path)
    again.acquire()
    assert told(again) == before
    again.release()
    assert [file.name for file in path.iterdir() if file.name.startswith((".", "train"))] == []


def test_a_run_of_a_newer_version_is_refused_in_a_sentence(folder):
    folder.release()
    with closing(sqlite3.connect(folder.path / FILE)) as db:
        db.execute(f"PRAGMA user_version = {len(SCHEMAS) + 1}")
    for ask in (folder.train, folder.acquire):
        with pytest.raises(StoreError, match=r"written by a newer version .*: update the app first\."):
            ask()
    assert not folder.busy()


def test_damaged_records_are_refused_in_a_sentence(folder):
    folder.release()
    (folder.path / FILE).write_bytes(b"no database at all, " * 500)
    for ask in (folder.events, folder.acquire):
        with pytest.raises(StoreError, match=r"cannot be (read|written)"):
            ask()
    assert not folder.busy()


def test_records_without_a_file_are_empty(folder):
    folder.release()
    (folder.path / FILE).unlink()
    assert told(folder) == ({"step": b""}, [], [], [], 0)


# -- buckets and windows ----------------------------------------------------------------------------------------------

number = st.floats(-1e6, 1e6, width=32) | st.just(float("nan"))


@settings(deadline=None)
@given(st.lists(number, min_size=1, max_size=80), st.integers(1, 9), st.integers(1, 9))
def test_joined_buckets_are_those_of_the_rows(values, per, again):
    rows = np.zeros(len(values), ROW)
    rows["step"], rows["values"] = range(len(values)), np.nan
    rows["values"][:, 0] = values
    twice = joined(joined(buckets(rows), per), again)
    for i, bucket in enumerate(twice):
        part = rows[i * per * again : (i + 1) * per * again]
        there = part["values"][:, 0][~np.isnan(part["values"][:, 0])].astype(float)
        assert bucket["step"] == part["step"][-1]
        assert bucket["n"][0] == len(there)
        if len(there):
            assert (bucket["low"][0], bucket["high"][0]) == (there.min(), there.max())
            assert bucket["mean"][0] == pytest.approx(there.mean(), rel=1e-4, abs=1e-2)
        else:
            assert np.isnan([bucket["low"][0], bucket["mean"][0], bucket["high"][0]]).all()


@pytest.mark.parametrize(("low", "high", "width"), [(0, 10**9, 600), (0, 10**9, 4), (5000, 9000, 600), (1, 2, 50)])
def test_a_window_has_every_extreme_within_its_width(folder, low, high, width):
    values = filled(folder, 3 * CHUNK + 100)
    found = folder.window(["loss/d", "nothing"], low, high, width)
    assert set(found) == {"loss/d"}
    step, least, mean, most = found["loss/d"]
    assert len(step) <= width
    assert (np.diff(step) > 0).all()
    steps = 10 * np.arange(1, len(values) + 1)
    inside = values[(steps >= low) & (steps <= high), 0]
    if len(inside):
        assert least.min() <= inside.min()
        assert most.max() >= inside.max()
        assert (least <= mean).all()
        assert (mean <= most).all()
    if low == 5000:
        assert (step[0], step[-1]) == (4990, 9010)  # a line goes on to the edge of the picture
        np.testing.assert_array_equal(mean[1:-1].astype(np.float32), inside)


def test_a_window_holds_scores_too(folder):
    for i in range(200):
        folder.append_scores(10 * i, {"dist/js": i % 7, "dist/sw": float("nan")})
    step, low, _, high = folder.window(["dist/js", "dist/sw"], 100, 1500, 20)["dist/js"]
    assert len(step) <= 20
    assert (low.min(), high.max()) == (0, 6)
    assert (step[0] <= 190, step[-1]) == (True, 1510)


def test_a_row_and_a_bucket_never_change_their_size():
    assert (ROW.itemsize, BUCKET.itemsize) == (8 + 4 * WIDTH, 8 + 16 * WIDTH)  # files on disk rely on it


def test_json_of_records_is_plain(folder):
    folder.event(3, "set", field="lr_d", value=0.1, old=0.2)
    with folder.reading() as records:
        said = [bytes(line) for (line,) in records.db.execute("SELECT said FROM events ORDER BY id")]
    assert json.loads(said[-1]) == {"step": 3, "kind": "set", "field": "lr_d", "value": 0.1, "old": 0.2}
