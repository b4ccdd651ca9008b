"""A run as one file: whole on another machine, and refused in one sentence where anything about it is wrong."""

import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
import torch

import playground
from playground.data.custom import save_points
from playground.data.upload import from_drawing
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.store import RunFolder, StoreError, receive, runs, share

SMALL = {"g_depth": 1, "d_depth": 1, "g_width": 4, "d_width": 4, "batch": 8, "replay_size": 64}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A run with an edit, scores and keyframes, and where a second server keeps its runs."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "here"))
    folder = RunFolder.create(tmp_path / "here", Experiment(score_every=20, keyframe_every=20).changed(**SMALL))
    loop = Loop(folder.experiment(), folder)
    loop.advance(30)
    loop.set({"lr_d": 0.002})
    loop.advance(30)
    loop.flush()
    folder.release()
    return folder, tmp_path / "there"


def shared(folder):
    file = io.BytesIO()
    share(folder, file)
    return file


def changed(file, parts=None, manifest=None):
    """Return the ZIP with parts replaced (None takes one away) and its list changed."""
    with zipfile.ZipFile(file) as whole:
        held = {name: whole.read(name) for name in whole.namelist()}
    about = json.loads(held["manifest.json"])
    (manifest or (lambda about: None))(about)
    held = held | {"manifest.json": json.dumps(about).encode()} | (parts or {})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, part in held.items():
            if part is not None:
                whole.writestr(name, part)
    return out


def honest(file, name, content):
    """Replace a part by another, with the size and hash of that one in the list."""

    def say(about):
        about["parts"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    return changed(file, {name: content}, say)


def test_a_shared_run_is_the_same_elsewhere(made):
    folder, there = made
    told = []
    again = receive(shared(folder), there, lambda *progress: told.append(progress))
    assert again.run_id == folder.run_id
    assert again.experiment() == folder.experiment()
    assert again.events() == folder.events()
    assert again.scores() == folder.scores()
    assert again.keyframes() == folder.keyframes()
    for name, column in folder.train().items():
        np.testing.assert_array_equal(again.train()[name], column)
    mine, theirs = folder.load_keyframe(), again.load_keyframe()
    assert all(torch.equal(theirs.tensors[name], value) for name, value in mine.tensors.items())
    assert theirs.experiment.value("lr_d") == 0.002
    assert again.status()["state"] == "stopped"
    assert told[-1][0] == told[-1][1] > 5
    assert [run.run_id for run in runs(there)] == [folder.run_id]


def test_a_shared_run_goes_on_as_the_original_does(made):
    folder, there = made
    loops = [Loop(f.experiment(), f, resume=60) for f in (folder, receive(shared(folder), there))]
    for loop in loops:
        loop.advance(20)
        loop.flush()
    assert loops[0].metrics == loops[1].metrics


def test_a_taken_id_gets_another_and_the_first_run_stays(made):
    folder, there = made
    first, second = receive(shared(folder), there), receive(shared(folder), there)
    assert first.run_id != second.run_id
    assert second.keyframes() == first.keyframes()


def test_drawn_points_come_along(made, tmp_path, monkeypatch):
    _, there = made
    source = save_points(from_drawing([[0.1 * i, -0.05 * i] for i in range(12)]))
    experiment = Experiment(dataset="custom", data={"source": source}, keyframe_every=20).changed(**SMALL)
    folder = RunFolder.create(tmp_path / "here", experiment)
    Loop(experiment, folder).advance(20)
    file = shared(folder)
    monkeypatch.setenv("PLAYGROUND_HOME", str(there))
    again = receive(file, there)
    assert len(again.experiment().data.held_out(5, 0).x) == 5


def test_other_points_under_that_name_are_refused(made, tmp_path):
    _, there = made
    sources = [save_points(from_drawing([[0.1 * i, k * 0.05 * i] for i in range(12)])) for k in (1, 2)]
    folder = RunFolder.create(tmp_path / "here", Experiment(dataset="custom", data={"source": sources[0]}))
    other = (tmp_path / "here" / "data" / f"{sources[1]}.safetensors").read_bytes()
    with pytest.raises(StoreError, match="not those it was trained on"):
        receive(honest(shared(folder), "points.safetensors", other), there)


BAD = {
    "no zip": (lambda f: io.BytesIO(b"PK nothing"), "no shared run, or it was cut off"),
    "cut off": (lambda f: io.BytesIO(f.getvalue()[:-200]), "no shared run, or it was cut off"),
    "a zip of something else": (lambda f: changed(f, {"manifest.json": None}), "no manifest"),
    "another list": (lambda f: changed(f, manifest=lambda a: a.update(kind="cookbook")), "says something else"),
    "a negative size": (
        lambda f: changed(f, manifest=lambda a: a["parts"]["config.json"].update(bytes=-1)), "says something else"),
    "a newer format": (lambda f: changed(f, manifest=lambda a: a.update(version=9)), "newer version"),
    "a path that climbs": (
        lambda f: honest(f, "../../evil.json", b"{}"), "'../../evil.json', which no run has"),
    "a file that no run has": (lambda f: honest(f, "code.pkl", b"cos"), "which no run has"),
    "a bomb": (lambda f: changed(f, {"events.jsonl": b" " * 10**7}), "events.jsonl of this shared run is damaged"),
    "a bomb that says so": (
        lambda f: changed(f, manifest=lambda a: a["parts"]["train.bin"].update(bytes=2**40)), "too large"),
    "a wrong hash": (
        lambda f: changed(f, manifest=lambda a: a["parts"]["train.bin"].update(sha256="0")), "train.bin .* damaged"),
    "a missing part": (lambda f: changed(f, {"train.bin": None}), "lacks its train.bin"),
    "settings of another version": (
        lambda f: honest(f, "config.json", b'{"family": "diffusion"}'), "no family 'diffusion'"),
    "settings that are none": (lambda f: honest(f, "config.json", b"[1, 2"), "none that this version knows"),
    "a damaged moment": (
        lambda f: honest(f, "keyframes/00000060.safetensors", b"\0" * 64), "saved moment .* cannot be read"),
    "torn lines": (lambda f: honest(f, "scores.jsonl", b'{"step": 1'), "scores.jsonl .* cannot be read"),
    "lines without a step": (lambda f: honest(f, "events.jsonl", b'{"kind": "set"}\n'), "events.jsonl .* cannot"),
    "half a row": (lambda f: honest(f, "train.bin", b"\0" * 7), "metrics .* cannot be read"),
    "columns that are no list": (lambda f: honest(f, "train.json", b'{"columns": 5}'), "metrics .* cannot be read"),
    "a header that is no object": (lambda f: honest(f, "train.json", b"[1]"), "metrics .* cannot be read"),
    "cuts that are no number": (lambda f: honest(f, "train.json", b'{"cuts": "x"}'), "metrics .* cannot be read"),
    "settings of another shape": (lambda f: honest(f, "config.json", b"[]"), "none that this version knows"),
    "columns that are no names": (lambda f: honest(f, "train.json", b'{"columns": [1]}'), "metrics .* cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(BAD))
def test_what_is_wrong_is_refused_in_one_sentence_and_leaves_nothing(made, what):
    folder, there = made
    spoil, said = BAD[what]
    with pytest.raises(StoreError, match=said) as error:
        receive(spoil(shared(folder)), there)
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)
    assert list(there.iterdir()) == []


def test_a_run_is_shared_and_brought_from_python(made, tmp_path, monkeypatch):
    folder, there = made
    file = playground.load_run(folder.run_id).share(tmp_path / "run.zip")
    monkeypatch.setenv("PLAYGROUND_HOME", str(there))
    run = playground.receive(file)
    assert run.step == 60
    np.testing.assert_array_equal(run.sample(5), playground.load_run(run.id).sample(5))
