"""Sweeps from the command line and Python: planned, refused, run, interrupted, taken up again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engine_room import tiny

import playground
from playground import cli_sweep
from playground.__main__ import main
from playground.config import ConfigError
from playground.store import sweeps
from playground.sweep_cost import duration, size

ROOT = Path(__file__).parents[1]
# `python -m playground`, which hears Ctrl-C even where the tests run in the background.
INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from playground.__main__ import main
sys.exit(main())
"""
SMALL = [
    "--dataset", "ring8", *(f"--set={f}={v}" for f, v in {"g_width": 8, "d_width": 8, "batch": 16}.items()),
    "--device", "cpu", "--vary", "loss=hinge,minimax",
]  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_WORKERS", "2")
    return tmp_path


def test_a_sweep_prints_one_json_value_with_every_run_and_the_best(capsys, home):
    assert main(["sweep", *SMALL, "--steps", "40", "--seed", "5", "--goal", "dist/js", "--json"]) == 0
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert err == ""
    assert (said["state"], said["goal"]["higher"]) == ("done", False)
    assert [(r["loss"], r["seed"], r["steps"], r["state"]) for r in said["runs"]] == [
        ("hinge", 5, 40, "finished"), ("minimax", 5, 40, "finished")
    ]  # fmt: skip
    numbers = {r["loss"]: r["metrics"]["dist/js"] for r in said["runs"]}
    assert said["best"] == {"loss": min(numbers, key=numbers.get)}
    assert (home / said["runs"][0]["run"] / "config.json").is_file()
    again = playground.load_sweep(said["sweep"])
    assert again.best() == said["best"]
    assert repr(again) == f"<Sweep {said['sweep']}: 2 of 2 runs>"
    run = playground.load_run(said["runs"][0]["run"])  # the very run that training it alone makes
    assert run.state == "finished"
    alone = playground.train(run.experiment, steps=40)
    assert (run.metrics["loss/d"] == alone.metrics["loss/d"]).all()


def test_an_estimate_trains_nothing(capsys, home):
    assert main(["sweep", "first-steps", "--vary", "lr_g=1e-4..1e-2x3", "--seeds", "2", "--estimate"]) == 0
    out = capsys.readouterr().out
    assert re.match(r"6 runs of 2,000 steps: about \d+ (s|min) on 2 workers, \d+ MB\.\n", out)
    assert main(["sweep", "first-steps", "--vary", "lr_g=1e-4,1e-2", "--estimate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["estimate"]["runs"] == 2
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Say what to sweep"),
        (["first-steps"], "Say what to sweep"),
        (["no-such", "--vary", "lr_g=1,2"], "no preset"),
        (["first-steps", "--vary", "lr_x=1,2"], "no setting 'lr_x' to vary"),
        (["first-steps", "--vary", "loss=good,bad"], "it takes one of"),
        (["first-steps", "--vary", "lr_g=1e-3", "--goal", "loss/g"], "cannot be ranked by"),
        (["first-steps", "--vary", "lr_g=1e-3", "--seeds", "9"], "1 to 5 seeds"),
        (["first-steps", "--vary", "lr_g=1e-4..1e-3x50", "--vary", "lr_d=1e-4..1e-3x50"], "at most 500"),
        (["--resume", "sweep-00000000"], "no sweep"),
        (["--resume", "../x"], "no sweep's id"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_code_2(words, told, capsys):
    assert main(["sweep", *words]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.slow
def test_an_interrupted_sweep_is_saved_and_resumed(capsys, home):
    command = [sys.executable, "-c", INTERRUPTED, "sweep", *SMALL, "--steps", "2000"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True, cwd=home) as child:
        assert "2 runs of 2,000 steps" in child.stderr.readline()
        while not list(home.glob("ring8-*/config.json")):
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        err = child.stderr.read()
        assert child.wait() == 130
    sweep_id = re.search(r"sweep --resume (sweep-\w+)", err)[1]
    stopped = sweeps.read(home, sweep_id)
    assert stopped.state == "stopped"
    assert main(["sweep", "--resume", sweep_id]) == 0
    assert f"Sweep {sweep_id}: 2 runs, 0 failed." in capsys.readouterr().out
    ended = sweeps.read(home, sweep_id)
    assert ended.cells[0].run == stopped.cells[0].run
    assert [cell.result.step for cell in ended.cells] == [2000, 2000]


def test_a_sweep_from_python_tells_how_far_it_is_and_ranks(home):
    seen = []
    found = playground.sweep(
        tiny(), {"lr_g": [1e-4, 1e-3]}, seeds=2, steps=30, goal="modes/hq", workers=1, progress=seen.append
    )
    assert [row["seed"] for row in found.rows()] == [3, 3, 4, 4]
    assert (seen[-1].phase, seen[-1].done, seen[-1].total) == ("done", 4, 4)
    assert len(found.ranked()) == 2
    assert found.ranked()[0].mean >= found.ranked()[1].mean
    with pytest.raises(ConfigError, match="no setting"):
        playground.sweep(tiny(), {"lr_x": [1]})


def test_nothing_measured_has_no_best(home):
    from playground.sweep_plan import plan
    from playground.sweeping import Outcome

    sweep = plan(tiny(), {"lr_g": [1e-4]}, steps=30).sweep()
    sweeps.write(home, sweep)
    with pytest.raises(ConfigError, match="no run that measured modes/eight_percent"):
        Outcome(home, sweep.id).best()


def test_the_bar_is_for_terminals(capsys):
    with cli_sweep.bar("sweep", quiet=False) as watch:
        assert watch is None  # this is no terminal


def test_costs_are_told_as_roughly_as_they_are_known():
    assert [duration(s) for s in (0.2, 12.4, 100, 4000, 9000)] == ["1 s", "12 s", "2 min", "67 min", "2.5 h"]
    assert [size(b) for b in (5e5, 2.5e8, 3.21e9)] == ["0 MB", "250 MB", "3.2 GB"]
