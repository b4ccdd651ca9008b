"""When the server goes: no orphan is left, little is lost, and the run goes on after a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engine_room import becomes, history, play_to, reference, shared_engine, until

ROOT = Path(__file__).parents[1]
SERVER = """
import signal, sys, time
from engine_room import reach, tiny
from pathlib import Path
from playground.engine import Engine

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
    engine = Engine(Path(sys.argv[1]), workers=2)
    run = engine.prepare(tiny())
    engine.pin(run, True)
    engine.send(run, "play")
    reach(engine, run, 600)
    spare = next(iter(engine.launcher.pool._spares), None)
    print(run, engine._runs[run].worker.pid, spare.pid if spare else 0, flush=True)
    time.sleep(600)
"""


def gone(pid):
    """Say whether a process has ended (one that waits to be reaped has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("how", ["SIGKILL", pytest.param("SIGINT", marks=pytest.mark.slow)])
def test_a_server_that_ends_leaves_no_orphan_and_the_run_goes_on(how):
    engine = shared_engine()
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    command = [sys.executable, "-c", SERVER, str(engine.root)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as server:
        run, worker, spare = server.stdout.readline().split()
        server.send_signal(getattr(signal, how))
        server.wait()
    until(lambda: gone(worker) and (spare == "0" or gone(spare)), "the workers to leave")
    status = engine.reopen(run)
    assert status.state == "stopped"
    assert status.step >= 500  # at most the steps since the last keyframe are lost
    play_to(engine, run, status.step + 100)
    assert history(engine.folder(run)) == reference(status.step + 100)
    engine.send(run, "stop")


def test_a_worker_that_is_terminated_saves_its_run():
    engine = shared_engine()
    from engine_room import reach, tiny

    run = engine.prepare(tiny())
    engine.send(run, "play")
    reach(engine, run, 30)
    os.kill(engine._runs[run].worker.pid, signal.SIGTERM)
    becomes(engine, run, "failed")
    folder = engine.folder(run)
    assert folder.keyframes()[-1] >= 30
    assert folder.events()[-1]["kind"] == "stop"
    step = engine.status(run).step
    assert step == folder.keyframes()[-1]
    play_to(engine, run, step + 20)
    assert history(folder) == reference(step + 20)
    engine.send(run, "stop")
