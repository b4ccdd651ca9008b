"""A sweep through a real engine: it ends, stops, goes on, makes way for a person, and survives the server's end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
from engine_room import becomes, history, reach, reference, shared_engine, tiny, until

from playground.engine.sweep import TICK, Sweeper
from playground.store import StoreError, group, sweeps
from playground.sweep_plan import plan
from playground.sweep_results import came_to

ROOT = Path(__file__).parents[1]
RATES = [1e-4, 1e-3, 1e-2]
LOSSES = ["non-saturating", "hinge"]
WILD = {"loss": "least-squares", "optimiser_d": "sgd", "optimiser_g": "sgd", "d_width": 256}


@cache
def shared_sweeper():
    return Sweeper(shared_engine())


def six(steps=600):
    return plan(tiny(), {"loss": LOSSES, "lr_g": RATES}, steps=steps).sweep()


def done(sweeper, sweep):
    """Wait for a sweep's end and return it."""
    until(lambda: sweeper.progress(sweeper.get(sweep.id)).phase == "done", "the sweep's end")
    return sweeper.get(sweep.id)


def clear(sweeper, sweep):
    sweeper.delete(sweep.id, runs=True)
    until(lambda: sweeper.idle(sweep.id), "the sweep to be forgotten")


def test_a_sweep_of_six_trains_each_to_its_end_and_keeps_what_it_came_to():
    sweeper, sweep = shared_sweeper(), six()
    sweeper.start(sweep)
    ended = done(sweeper, sweep)
    assert all(cell.result and cell.result.step == 600 and not cell.result.failed for cell in ended.cells)
    assert {"modes/hq", "dist/js"} <= set(ended.cells[0].result.metrics)
    assert ended == sweeps.read(sweeper.root, sweep.id)
    engine = sweeper.engine
    for cell in ended.cells:
        folder = engine.folder(cell.run)
        assert history(folder) == reference(
            600, loss=cell.values[0], lr_g=cell.values[1], score_every=300, keyframe_every=75
        )
        assert (engine.status(cell.run).state, engine.status(cell.run).pinned) == ("finished", False)
        assert folder.status()["state"] == "finished"
    found = group.read(engine.folder(ended.cells[1].run).path)
    assert (found.kind, found.id, found.label) == ("sweep", sweep.id, "Loss non-saturating, Learning rate G 0.001")
    assert sweep.id in [s.id for s in sweeper.all()[0]]
    clear(sweeper, sweep)
    assert sweep.id not in sweeps.ids(sweeper.root)
    assert not (engine.root / ended.cells[0].run).exists()


def test_a_sweep_stops_saved_and_goes_on_with_the_same_numbers():
    sweeper, sweep = shared_sweeper(), plan(tiny(), {"lr_g": RATES}, steps=2000).sweep()
    sweeper.start(sweep)
    first = until(lambda: sweeper.get(sweep.id).cells[0].run, "the first run")
    reach(sweeper.engine, first, 200)
    sweeper.stop(sweep.id)
    until(lambda: sweeper.idle(sweep.id), "the sweep to rest")
    stopped = sweeper.get(sweep.id)
    assert sweeper.progress(stopped).phase == "stopped"
    begun = [cell.run for cell in stopped.cells if cell.run and not cell.result]
    assert begun
    for run in begun:
        status = sweeper.engine.status(run)
        assert status.state == "stopped"
        assert (status.keyframes or [0])[-1] == status.step  # saved where it stood, if it had begun at all
    sweeper.resume(sweep.id)
    ended = done(sweeper, sweep)
    assert ended.cells[0].run == first  # it went on, it did not begin again
    whole = reference(2000, lr_g=ended.cells[0].values[0], score_every=500, keyframe_every=250)
    assert history(sweeper.engine.folder(first)) == whole
    clear(sweeper, sweep)


def test_a_person_goes_first_and_the_sweep_takes_what_is_left():
    sweeper, sweep = shared_sweeper(), plan(tiny(), {"lr_g": RATES}, steps=200_000).sweep()
    engine = sweeper.engine
    sweeper.start(sweep)

    def training():
        runs = [cell.run for cell in sweeper.get(sweep.id).cells if cell.run]
        return [run for run in runs if engine.status(run).state == "running"]

    until(lambda: len(training()) == 2, "both workers to train for the sweep")
    mine = [engine.prepare(tiny(seed=n)) for n in (1, 2)]
    engine.send(mine[0], "play")  # no place is free, and nobody is asked to wait
    becomes(engine, mine[0], "running")
    assert len(training()) <= 1
    engine.send(mine[1], "play")
    becomes(engine, mine[1], "running")
    assert training() == []
    assert sweeper.progress(sweeper.get(sweep.id)).failed == 0
    engine.send(mine[0], "stop")
    until(lambda: len(training()) == 1, "the sweep to take the free worker")
    engine.send(mine[1], "stop")
    until(lambda: len(training()) == 2, "the sweep to take both")
    clear(sweeper, sweep)


def test_a_run_that_fails_is_a_result():
    sweeper = shared_sweeper()
    sweep = plan(tiny(**WILD), {"lr_d": [1e-4, 1.0]}, steps=400).sweep()
    sweeper.start(sweep)
    good, bad = done(sweeper, sweep).cells
    assert not good.result.failed
    assert (bad.result.failed, bad.result.verdict) == (True, "diverged")
    assert "stopped at step" in bad.result.sentence
    clear(sweeper, sweep)


def test_a_worker_that_dies_is_given_another_chance():
    sweeper, sweep = shared_sweeper(), plan(tiny(), {"lr_g": RATES[:1]}, steps=2000).sweep()
    sweeper.start(sweep)
    run = until(lambda: sweeper.get(sweep.id).cells[0].run, "the run")
    reach(sweeper.engine, run, 300)
    os.kill(sweeper.engine._runs[run].worker.pid, signal.SIGKILL)
    (cell,) = done(sweeper, sweep).cells
    assert (cell.run, cell.result.failed, cell.result.step) == (run, False, 2000)
    clear(sweeper, sweep)


def test_a_run_that_a_person_deletes_is_trained_again():
    sweeper, sweep = shared_sweeper(), plan(tiny(), {"lr_g": RATES}, steps=800).sweep()
    sweeper.start(sweep)
    run = until(lambda: sweeper.get(sweep.id).cells[0].run, "the first run")
    reach(sweeper.engine, run, 20)
    sweeper.engine.delete(run)
    ended = done(sweeper, sweep)
    assert all(cell.result.step == 800 for cell in ended.cells)
    clear(sweeper, sweep)


def test_a_run_that_a_person_edits_is_no_longer_what_its_values_say_and_is_marked():
    sweeper, sweep = shared_sweeper(), plan(tiny(), {"lr_g": RATES[:1]}, steps=8000).sweep()
    sweeper.start(sweep)
    run = until(lambda: sweeper.get(sweep.id).cells[0].run, "the run")
    reach(sweeper.engine, run, 1)
    sweeper.engine.send(run, "set", values={"lr_d": 1e-5})
    (cell,) = done(sweeper, sweep).cells
    assert cell.result.edited
    assert came_to(cell, sweep.goal).endswith("edited by hand")
    clear(sweeper, sweep)


def test_what_goes_wrong_inside_stops_the_sweep_with_a_sentence_and_no_other(monkeypatch):
    sweeper, sweep, other = shared_sweeper(), six(), plan(tiny(), {"lr_g": RATES[:1]}, steps=100).sweep()
    real = sweeper._experiment

    def broken(one, i):
        if one.id == sweep.id:
            raise OSError("No space left on device")
        return real(one, i)

    monkeypatch.setattr(sweeper, "_experiment", broken)
    sweeper.start(sweep)
    sweeper.start(other)
    until(lambda: sweeper.idle(sweep.id), "the sweep to give up")
    progress = sweeper.progress(sweeper.get(sweep.id))
    assert progress.trouble == "The sweep has stopped: No space left on device"
    assert progress.phase == "interrupted"  # on disk it still runs: it can be resumed when there is room again
    done(sweeper, other)
    monkeypatch.undo()
    clear(sweeper, other)
    clear(sweeper, sweep)


def test_another_process_s_sweep_is_left_to_it():
    sweeper, sweep = shared_sweeper(), six()
    sweeps.write(sweeper.root, sweep)
    theirs = sweeps.drive(sweeper.root, sweep.id)
    assert sweeper.progress(sweep).phase == "elsewhere"
    with pytest.raises(StoreError, match="another process"):
        sweeper.resume(sweep.id)
    with pytest.raises(StoreError, match="another process"):
        sweeper.delete(sweep.id, runs=False)
    theirs.release()
    assert sweeper.progress(sweep).phase == "interrupted"
    clear(sweeper, sweep)


def test_a_damaged_sweep_is_named_and_can_be_deleted():
    sweeper, sweep = shared_sweeper(), six()
    sweeps.write(sweeper.root, sweep)
    (sweeper.root / "sweeps" / f"{sweep.id}.json").write_text("{")
    assert [words for words in sweeper.all()[1] if sweep.id in words]
    sweeper.delete(sweep.id, runs=True)
    assert sweep.id not in sweeps.ids(sweeper.root)


def test_a_sweep_that_comes_to_rest_while_it_is_deleted_is_deleted(monkeypatch):
    sweeper, sweep = shared_sweeper(), six()
    sweeps.write(sweeper.root, sweep)
    drive = sweeper._drive

    def slow(one):
        drive(one)
        time.sleep(3 * TICK)  # the thread looks meanwhile, and would let the sweep go

    monkeypatch.setattr(sweeper, "_drive", slow)
    sweeper.delete(sweep.id, runs=False)
    until(lambda: sweep.id not in sweeps.ids(sweeper.root), "the file to go")


SERVER = """
import sys, time
from pathlib import Path
from engine_room import reach, tiny, until
from playground.engine import Engine
from playground.engine.sweep import Sweeper
from playground.sweep_plan import plan

if __name__ == "__main__":
    sweeper = Sweeper(Engine(Path(sys.argv[1]), workers=2))
    sweep = plan(tiny(), {"loss": ["non-saturating", "hinge"], "lr_g": [1e-4, 1e-3]}, steps=800).sweep()
    sweeper.start(sweep)
    until(lambda: any(cell.result for cell in sweeper.get(sweep.id).cells))
    print(sweep.id, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", ["SIGKILL", pytest.param("SIGTERM", marks=pytest.mark.slow)])
def test_a_sweep_goes_on_after_the_server_ended(how):
    sweeper = shared_sweeper()
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    command = [sys.executable, "-c", SERVER, str(sweeper.root)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as server:
        sweep_id = server.stdout.readline().strip()
        assert sweeper.progress(sweeper.get(sweep_id)).phase == "elsewhere"
        server.send_signal(getattr(signal, how))
        server.wait()
    before = until(lambda: not sweeps.driven(sweeper.root, sweep_id) and sweeper.get(sweep_id), "the lock")
    assert sweeper.progress(before).phase == "interrupted"
    there = [i for i, cell in enumerate(before.cells) if cell.run and (sweeper.root / cell.run).is_dir()]
    runs = {i: before.cells[i].run for i in there}
    until(lambda: not any(sweeper.engine.folder(run).busy() for run in runs.values()), "the workers to leave")
    sweeper.take_up()
    ended = done(sweeper, before)
    assert {i: ended.cells[i].run for i in runs} == runs  # what was begun went on
    assert all(cell.result.step == 800 for cell in ended.cells)
    i = max(runs)
    values = {"loss": ended.cells[i].values[0], "lr_g": ended.cells[i].values[1]}
    whole = reference(800, **values, score_every=400, keyframe_every=100)
    assert history(sweeper.engine.folder(runs[i])) == whole
    clear(sweeper, ended)
