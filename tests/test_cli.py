"""The command line: what each verb prints, its exit codes, and one clear sentence for each mistake."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest
from PIL import Image

from playground import api, cli_bench
from playground.__main__ import main
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.store import RunFolder

ROOT = Path(__file__).parent.parent
DATASETS = [
    "ring8",
    "grid9",
    "grid25",
    "two-gaussians",
    "line",
    "ring",
    "disjoint",
    "swiss-roll",
    "moons",
    "circles",
    "spirals",
    "checkerboard",
    "pinwheel",
    "ring8-rare",
    "dirac",
    "bilinear",
]
SMALL = ["--set", "g_width=16", "--set", "d_width=16", "--set", "batch=32"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "runs"))
    return tmp_path / "runs"


def run(*args: str) -> int:
    """Call the command line here; a parser's exit is its code."""
    try:
        return main(args)
    except SystemExit as left:
        return int(left.code or 0)


def train_json(capsys, *args: str) -> dict:
    assert run("train", "--dataset", "ring8", *SMALL, "--json", *args) == 0
    return json.loads(capsys.readouterr().out)


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "word"),
    [
        ([], "verb"),
        (["fly"], "fly"),
        (["train"], "--preset NAME"),
        (["train", "--preset", "nothing"], "first-steps"),
        (["train", "--preset", "first-steps", "--dataset", "moons"], "--dataset"),
        (["train", "--preset", "first-steps", "--family", "gan"], "not allowed"),
        (["train", "--dataset", "ringg"], "swiss-roll"),
        (["train", "--family", "gam"], "gan"),
        (["train", "--dataset", "ring8", "--steps", "0"], "at least 1"),
        (["train", "--dataset", "ring8", "--steps", "many"], "whole number"),
        (["train", "--dataset", "ring8", "--seed", "-1"], "at least 0"),
        (["train", "--dataset", "ring8", "--seed", "99999999999"], "seed"),
        (["train", "--dataset", "ring8", "--device", "tpu"], "cuda"),
        (["train", "--dataset", "ring8", "--set", "lr_d"], "field=value"),
        (["train", "--dataset", "ring8", "--set", "lrd=1"], "did you mean lr_d"),
        (["train", "--dataset", "ring8", "--set", "zzzzz=1"], "list --json"),
        (["train", "--dataset", "ring8", "--set", "lr_d=fast"], "a number from"),
        (["train", "--dataset", "ring8", "--set", "lr_d=nan"], "a number from"),
        (["train", "--dataset", "ring8", "--set", "packing=9"], "1 to 4"),
        (["train", "--dataset", "ring8", "--set", "loss=best"], "hinge"),
        (["train", "--dataset", "ring8", "--set", "spectral=perhaps"], "yes or no"),
        (["train", "--config", "no-such-file.json"], "No such file"),
        (["diagnose", "../etc"], "no run id"),
        (["diagnose", "ring8-00000000"], "no run"),
        (["resume", "ring8-00000000"], "no run"),
        (["resume", "ring8-00000000", "--steps", "-5"], "at least 1"),
        (["export", "ring8-00000000", "--out", "a.gif"], "no run"),
        (["export", "ring8-00000000"], "--out"),
        (["export", "ring8-00000000", "--out", "a.gif", "--what", "dreams"], "walk"),
        (["code", "first-step"], "neither a run's id nor a preset: python -m playground list"),
        (["code", "ring8-00000000"], "neither a run's id nor a preset"),
        (["bench", "everything"], "exams"),
        (["bench", "exams", "--seeds", "3"], "of modes"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_with_code_2(args, word, capsys, home):
    assert run(*args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert word in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert not home.exists(), "a mistake leaves no run behind"


def test_a_home_that_takes_no_run_is_told_in_one_sentence(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "file"))
    assert run("train", "--preset", "first-steps", "--steps", "5") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(r"Run ring8-\w{8} cannot be written in \S+ \(Not a directory\): .*\.\n", said.err)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"{", "not JSON"),
        (b"[1]", "JSON object"),
        (b'{"family": "gan", "colour": 1}', "colour"),
        (b'{"model": {"lr_d": 7}}', "lr_d"),
        (b"\xff\xfe\x00", "not JSON"),
    ],
)
def test_a_bad_config_file_is_told_in_one_sentence(content, word, tmp_path, capsys):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    assert run("train", "--config", str(path)) == 2
    err = capsys.readouterr().err
    assert word in err
    assert err.count("\n") == 1


def test_help_and_mistakes_do_not_wait_for_torch():
    code = (
        "import sys\nfrom playground.__main__ import main\n"
        "for words in ('--help', 'train --help', 'train --steps x', 'train --preset no', 'no'):\n"
        "    try:\n        main(words.split())\n    except SystemExit:\n        pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


# -- list -------------------------------------------------------------------------------------------------------------


def test_list_json_holds_families_with_schemas_data_sets_and_presets(capsys):
    assert run("list", "--json") == 0
    there = json.loads(capsys.readouterr().out)
    lr = there["families"]["gan"]["schema"]["properties"]["lr_d"]
    assert lr["type"] == "number"
    assert lr["minimum"] < 1e-3 < lr["maximum"]
    assert lr["description"]
    assert lr["live"] is True
    assert set(DATASETS) <= set(there["datasets"])
    assert "n_modes" in there["datasets"]["ring8"]["schema"]["properties"]
    assert len(there["presets"]) >= 10
    for preset in there["presets"].values():
        assert Experiment.from_json(preset["experiment"]).to_json() == preset["experiment"]


def test_list_names_everything(capsys):
    assert run("list") == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in ["gan", *DATASETS, "first-steps", "collapse"])


# -- train, diagnose, resume ------------------------------------------------------------------------------------------


def test_train_json_is_one_object_with_the_promised_keys(capsys, home):
    said = train_json(capsys, "--steps", "120", "--seed", "5", "--device", "cpu")
    assert set(said) == {
        "run", "experiment", "device", "steps", "seconds", "steps_per_second", "metrics", "verdict"
    }  # fmt: skip
    assert (said["steps"], said["device"], said["experiment"]["seed"]) == (120, "cpu", 5)
    assert said["experiment"]["model"]["g_width"] == 16
    assert {"state", "evidence", "sentence", "cure"} <= set(said["verdict"])
    assert said["verdict"]["state"] == "warming"
    assert {"loss/d", "loss/g", "score/real", "grad/g", "modes/covered", "dist/js"} <= set(said["metrics"])
    assert (home / said["run"] / "config.json").is_file()


def test_train_for_people_says_the_verdict_and_prints_no_bar_into_a_file(capsys):
    assert run("train", "--dataset", "ring8", *SMALL, "--steps", "60") == 0
    out, err = capsys.readouterr()
    assert "step 60" in out
    assert "Warming up" in out
    assert err == ""


def test_a_run_s_config_trains_it_again(capsys, home):
    first = train_json(capsys, "--steps", "60", "--seed", "3")
    assert run("train", "--config", str(home / first["run"] / "config.json"), "--steps", "60", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["metrics"] == first["metrics"]
    assert again["run"] != first["run"]


def test_resume_goes_on_and_equals_a_run_without_a_break(capsys):
    whole = train_json(capsys, "--steps", "150")
    part = train_json(capsys, "--steps", "70")
    assert run("resume", part["run"], "--steps", "80", "--json") == 0
    resumed = json.loads(capsys.readouterr().out)
    assert resumed["steps"] == 150
    assert resumed["metrics"] == whole["metrics"]


def test_diagnose_tells_a_finished_run(capsys):
    said = train_json(capsys, "--steps", "60")
    assert run("diagnose", said["run"], "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == said["verdict"]
    assert told["metrics"] == said["metrics"]
    assert run("diagnose", said["run"]) == 0
    assert said["verdict"]["sentence"] in capsys.readouterr().out


def test_failed_training_leaves_with_code_3_the_cause_and_the_run(capsys, home):
    bad = {"loss": "least-squares", "optimiser_d": "sgd", "optimiser_g": "sgd", "lr_d": 1, "lr_g": 1, "d_width": 256}
    settings = [word for field, value in bad.items() for word in ("--set", f"{field}={value}")]
    assert run("train", "--dataset", "ring8", *settings, "--steps", "500", "--json") == 3
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert "stopped at step" in said["error"]
    assert said["error"] in err
    assert err.count("\n") == 1
    assert said["verdict"]["state"] == "diverged"
    assert run("diagnose", said["run"]) == 0
    assert api.load_run(said["run"]).state == "failed"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a child process")
def test_ctrl_c_saves_the_run_and_says_how_to_go_on(home):
    command = [sys.executable, "-m", "playground", "train", "--preset", "first-steps", "--steps", "1000000"]
    env = os.environ | {"PLAYGROUND_HOME": str(home)}
    child = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not any(len(run.metrics["step"]) for run in api.runs()) and time.monotonic() < deadline:
            time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 130, err
    assert out == b""
    name = next(home.iterdir()).name
    assert f"python -m playground resume {name}" in err.decode()
    interrupted = api.load_run(name)
    status = orjson.loads((home / name / "status.json").read_bytes())
    assert interrupted.step == status["step"] > 0
    assert status["end"] == 1_000_000


# -- bench ------------------------------------------------------------------------------------------------------------


def row(ok: bool | None) -> dict:
    return {"name": "a row", "value": 1.5, "target": "at least 1", "ok": ok, "unit": "x", "note": "seen"}


def broken():
    yield row(True)
    raise RuntimeError("no browser was found")


def test_export_writes_training_walks_and_samples(capsys, home, tmp_path):
    small = {"g_width": 16, "d_width": 16, "batch": 32, "noise_dim": 4, "keyframe_every": 10, "device": "cpu"}
    folder = RunFolder.create(home, Experiment.of("gan").on("digits").changed(**small))
    Loop(folder.experiment(), folder).advance(20)
    folder.release()
    name = folder.run_id
    for args, frames, kind in (
        (["--out", "training.gif"], 3, "GIF"),
        (["--out", "walk.webp", "--what", "walk"], 90, "WEBP"),
        (["--out", "walk.png", "--what", "walk", "--seed", "3"], 1, "PNG"),
        (["--out", "samples.dat", "--what", "samples", "--format", "png", "--step", "10"], 1, "PNG"),
    ):
        out = tmp_path / args[1]
        assert run("export", name, "--out", str(out), *args[2:], "--json") == 0
        told = json.loads(capsys.readouterr().out)
        with Image.open(out) as image:
            assert (image.format, getattr(image, "n_frames", 1), told["frames"]) == (kind, frames, frames)
        assert told["bytes"] == out.stat().st_size
    assert run("export", name, "--out", str(tmp_path / "a.txt")) == 2
    assert "a.txt does not say what to write" in capsys.readouterr().err
    assert run("export", name, "--out", str(tmp_path / "no" / "folder.gif")) == 2
    assert "No such file" in capsys.readouterr().err


def test_bench_prints_rows_and_a_miss_is_code_1(capsys, monkeypatch):
    monkeypatch.setattr(cli_bench, "PARTS", {"speed": lambda: [row(True)], "exams": lambda: [row(None), row(False)]})
    assert run("bench", "speed") == 0
    assert "a row" in capsys.readouterr().out
    assert run("bench", "exams", "--json") == 1
    rows = json.loads(capsys.readouterr().out)
    assert [r["ok"] for r in rows] == [None, False]
    assert rows[0]["part"] == "exams"


def test_what_cannot_be_measured_is_a_row_that_says_why():
    rows = list(cli_bench.guarded("stage", broken))
    assert rows[0]["ok"] is True
    assert rows[1]["ok"] is False
    assert "no browser" in rows[1]["note"]
    assert "MISS" in cli_bench.line(rows[1])


def test_the_benches_of_the_checkout_exist():
    for name in cli_bench.SPEED:
        assert (ROOT / "benchmarks" / f"{name}.py").is_file()
