"""Runs on disk: what is written is read back, torn ends are left out, going back cuts, memory stays bounded."""

from __future__ import annotations

import errno
import threading

import numpy as np
import pytest
import torch

from playground.config import ConfigError
from playground.data.custom import load_points, save_points
from playground.data.upload import from_drawing
from playground.experiment import Experiment
from playground.store import (
    About,
    Group,
    History,
    RunFolder,
    StoreError,
    Unwritable,
    about,
    forget_deleted,
    group,
    restore,
    runs,
    saver,
)
from playground.store.history import POINTS, Curve
from playground.store.records import Records
from playground.store.rows import WIDTH


@pytest.fixture
def experiment():
    return Experiment(device="cpu", seed=7).changed(lr_d=0.002)


@pytest.fixture
def folder(tmp_path, experiment):
    made = RunFolder.create(tmp_path, experiment, "ring8-00000001")
    made.acquire()
    yield made
    made.release()


def test_experiment_events_and_status_are_read_back(tmp_path, folder, experiment):
    folder.event(5, "set", field="lr_d", value=0.1, old=0.002)
    folder.set_status(state="failed", step=5, error="why")
    again = RunFolder.open(tmp_path, "ring8-00000001")
    assert again.experiment() == experiment
    assert [e["kind"] for e in again.events()] == ["start", "set"]
    assert again.events()[1] == {"step": 5, "kind": "set", "field": "lr_d", "value": 0.1, "old": 0.002}
    assert again.status()["state"] == "failed"


def test_rows_keep_every_bit_and_missing_metrics_are_nan(folder):
    value = float(np.float32(0.1234567))
    folder.append_train([1, 2], [{"loss/d": value, "loss/g": 2.0}, {"loss/d": 3.0, "loss/g": 4.0}])
    folder.append_train([3], [{"loss/g": 5.0, "grad/g": 6.0}])
    train = folder.train()
    assert train["step"].tolist() == [1, 2, 3]
    assert train["loss/d"][0] == np.float32(value)
    assert np.isnan(train["loss/d"][2])
    assert train["grad/g"].tolist()[2] == 6.0


def test_too_many_metrics_is_one_sentence(folder):
    with pytest.raises(StoreError, match="at most 24 metrics"):
        folder.append_train([1], [{f"m/{i}": 0.0 for i in range(WIDTH + 1)}])


def test_keyframes_give_back_every_bit_and_the_experiment_of_the_moment(folder, experiment):
    flat = torch.randn(10)
    tensors = {"model/a": flat[:4], "model/b": flat[4:], "rng/data": torch.Generator().get_state()}  # shared memory
    folder.save_keyframe(40, tensors, experiment.changed(lr_g=0.5))
    folder.save_keyframe(80, {"model/a": torch.zeros(1)}, experiment)
    saved = folder.load_keyframe(79)
    assert (saved.step, saved.events) == (40, 1)
    assert saved.experiment.model.lr_g == 0.5
    assert all(torch.equal(saved.tensors[name], tensors[name]) for name in tensors)
    assert folder.load_keyframe().step == 80


def test_a_damaged_keyframe_is_passed_over(folder, experiment):
    folder.save_keyframe(10, {"model/a": torch.ones(2)}, experiment)
    folder.save_keyframe(20, {"model/a": torch.ones(2)}, experiment)
    damaged = folder.path / "keyframes" / "00000020.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:40])
    assert folder.load_keyframe().step == 10
    assert folder.current() == experiment
    with pytest.raises(StoreError, match="no saved moment"):
        folder.load_keyframe(5)


def test_cut_forgets_what_came_after(folder, experiment):
    history = History(folder)
    for step in range(1, 11):
        folder.append_train([step], [{"loss/d": float(step)}])
        folder.append_scores(step, {"dist/js": float(step)})
        folder.save_keyframe(step, {"model/a": torch.zeros(1)}, experiment)
    folder.event(9, "pause")
    assert history.update().curves["loss/d"].arrays()[0].tolist() == list(range(1, 11))
    folder.cut(4, events=1)
    assert folder.train()["step"].tolist() == [1, 2, 3, 4] == folder.keyframes()
    assert [row["step"] for row in folder.scores()] == [1, 2, 3, 4]
    assert [e["kind"] for e in folder.events()] == ["start"]
    folder.append_train([5, 6, 7, 8, 9, 10, 11], [{"loss/d": 0.0}] * 7)  # longer than before: only `cuts` tells
    assert history.update().curves["loss/d"].arrays()[2].tolist() == [1.0, 2.0, 3.0, 4.0] + [0.0] * 7
    assert history.curves["dist/js"].arrays()[0].tolist() == [1, 2, 3, 4]


def test_one_writer_at_a_time(tmp_path, folder):
    other = RunFolder.open(tmp_path, folder.run_id)
    assert other.busy()
    with pytest.raises(StoreError, match="another process"):
        other.acquire()
    folder.release()
    other.acquire()
    other.release()


def test_a_state_that_claims_a_dead_writer_reads_as_stopped(folder):
    folder.set_status(state="running", step=3)
    assert folder.status()["state"] == "running"
    folder.release()
    assert folder.status()["state"] == "stopped"


def test_drawn_points_go_with_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "one"))
    source = save_points(from_drawing([[0.0, 0.1], [0.5, 0.5], [-0.2, 0.3]] * 20))
    experiment = Experiment(dataset="custom", data={"source": source})
    made = RunFolder.create(tmp_path / "one", experiment)
    points = load_points(source).points
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "two"))  # the folder was carried to another machine
    with pytest.raises(ConfigError, match="not on this machine"):
        load_points(source)
    assert RunFolder(made.path).experiment() == experiment
    assert torch.equal(load_points(source).points, points)


@pytest.mark.parametrize("bad", ["../ring8-00000001", "ring8", "/etc/x-00000001", "a/b-00000001", "", ".-00000001"])
def test_run_ids_stay_inside_the_root(tmp_path, bad):
    with pytest.raises(StoreError, match="no run id"):
        RunFolder.open(tmp_path, bad)


def test_an_unknown_run_is_one_sentence(tmp_path):
    with pytest.raises(StoreError, match="There is no run"):
        RunFolder.open(tmp_path, "ring8-0000dead")


def test_the_index_lists_runs_only(tmp_path, experiment):
    assert runs(tmp_path / "nowhere") == []
    first = RunFolder.create(tmp_path, experiment)
    (tmp_path / "notes").mkdir()
    (tmp_path / "ring8-00000009").mkdir()
    assert [found.run_id for found in runs(tmp_path)] == [first.run_id]


def test_a_run_that_goes_while_runs_are_listed_is_left_out(tmp_path, experiment, monkeypatch):
    first = RunFolder.create(tmp_path, experiment)
    there = [tmp_path / "ring8-00000009", first.path]  # the former was deleted by another process just now
    monkeypatch.setattr(type(tmp_path), "iterdir", lambda _: iter(there))
    assert [found.run_id for found in runs(tmp_path)] == [first.run_id]
    assert not RunFolder(there[0]).busy()


def test_at_gives_what_was_measured_by_then(folder):
    folder.append_train([10, 20], [{"loss/d": 1.0}, {"loss/d": 2.0}])
    folder.append_scores(10, {"dist/js": 0.5})
    assert folder.at(15) == {"metrics": {"loss/d": 1.0}, "scores": {"step": 10, "dist/js": 0.5}}
    assert folder.at(5) == {"metrics": {}, "scores": {}}


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_a_curve_keeps_extremes_and_means_in_bounded_memory(pieces):
    rng = np.random.default_rng(0)
    step, value = np.arange(1, 50_001), rng.normal(size=50_000)
    curve = Curve()
    for part in np.array_split(np.arange(50_000), pieces):
        curve.add(step[part], value[part])
    at, low, mean, high = curve.arrays()
    assert len(at) <= POINTS + 1
    assert at[-1] == 50_000
    assert low.min() == value.min()
    assert high.max() == value.max()
    assert curve.per == 32
    whole = value[: len(curve.mean) * 32].reshape(-1, 32)
    np.testing.assert_allclose(mean[: len(whole)], whole.mean(1))
    np.testing.assert_array_equal(at[: len(whole)], step[31 : len(whole) * 32 : 32])


def test_a_curve_leaves_out_what_is_not_finite():
    curve = Curve()
    curve.add(np.array([1, 2, 3]), np.array([1.0, np.nan, 3.0]))
    assert curve.arrays()[0].tolist() == [1, 3]


def test_history_reads_only_what_is_new(folder, monkeypatch):
    folder.append_train([1, 2], [{"loss/d": 1.0}, {"loss/d": 2.0}])
    folder.append_scores(2, {"modes/covered": 3.0, "dist/js": float("nan")})
    history = History(folder).update()
    assert history.last_scores["modes/covered"] == 3.0
    assert "dist/js" not in history.curves or not len(history.curves["dist/js"].arrays()[0])
    asked = []
    monkeypatch.setattr(Records, "pieces", lambda records, start: asked.append(start) or [])
    monkeypatch.setattr(Records, "scores", lambda records, start: asked.append(start) or [])
    history.update()
    assert asked == [2, 1]


# -- deleted, named ---------------------------------------------------------------------------------------------------


def test_a_deleted_run_is_brought_back_as_it_was(tmp_path, folder):
    folder.event(5, "set", field="lr_d", value=0.1, old=0.002)
    with pytest.raises(StoreError, match="another process"):
        folder.delete()
    folder.release()
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    folder.delete()
    assert runs(tmp_path) == []
    again = restore(tmp_path, folder.run_id)
    assert {path.name: path.read_bytes() for path in again.path.iterdir()} == before
    assert [run.run_id for run in runs(tmp_path)] == [folder.run_id]


def test_what_was_deleted_long_ago_is_gone_for_good(tmp_path, folder):
    folder.release()
    folder.delete()
    forget_deleted(tmp_path)
    assert (tmp_path / ".deleted" / folder.run_id).exists()
    forget_deleted(tmp_path, seconds=-1)
    with pytest.raises(StoreError, match="gone for good"):
        restore(tmp_path, folder.run_id)


def test_a_persons_words_are_tidied_and_kept(folder):
    assert about.read(folder.path) == About()
    about.write(folder.path, About(name=" a \n b ", tags=("Seven", "seven ", ""), note=" n\nm ", star=True))
    assert about.read(folder.path) == About(name="a b", tags=("seven",), note="n\nm", star=True)
    (folder.path / "about.json").write_text('{"star": "yes"}')
    assert about.read(folder.path) == About()


def test_a_run_knows_the_race_or_sweep_it_belongs_to(folder):
    assert group.read(folder.path) is None
    mine = Group(kind="race", id="r1", label="seed: 2")
    group.write(folder.path, mine)
    assert group.read(folder.path) == mine
    (folder.path / "group.json").write_text('{"kind": "heap", "id": "x"}')
    assert group.read(folder.path) is None


# -- moments on their way to the disk ---------------------------------------------------------------------------------


@pytest.fixture
def slow(monkeypatch):
    """Hold moments back on their way to the disk until this is set."""
    go, real = threading.Event(), saver.keyframes.put
    monkeypatch.setattr(saver.keyframes, "put", lambda *args: (go.wait(30), real(*args)))
    yield go
    go.set()


def test_training_does_not_wait_for_a_moment_but_who_reads_it_does(folder, experiment, slow):
    kept = folder.save_keyframe(10, {"model/a": torch.ones(2)}, experiment, wait=False)
    assert kept == [10]
    assert not list((folder.path / "keyframes").glob("*.safetensors"))
    folder.append_train([11], [{"loss/d": 1.0}])
    folder.flush()
    threading.Timer(0.1, slow.set).start()
    assert folder.load_keyframe().step == 10
    assert folder.keyframes() == [10]


def test_who_lets_go_of_a_run_has_its_last_moment_on_the_disk(folder, experiment, slow):
    folder.save_keyframe(10, {"model/a": torch.ones(2)}, experiment, wait=False)
    threading.Timer(0.1, slow.set).start()
    folder.release()
    assert RunFolder(folder.path).keyframes() == [10]
    assert not folder.busy()


def test_a_moment_that_found_no_room_is_told_by_what_is_written_next(folder, experiment, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(saver.keyframes, "put", full)
        folder.save_keyframe(10, {"model/a": torch.ones(2)}, experiment, wait=False)
        assert folder.keyframes() == []
        with pytest.raises(Unwritable, match="is full"):
            folder.flush()
        folder.flush()
    assert folder.save_keyframe(20, {"model/a": torch.ones(2)}, experiment) == [20]
