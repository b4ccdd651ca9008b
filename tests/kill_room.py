"""A nursery of processes to be killed: each is forked from one that has torch in memory, so that many die a second.

Run as `python -m tests.kill_room` it takes orders as JSON lines and answers with how the child ended. What is asked of
the store is in `story`, and what must hold of it whenever the one who did it was killed is in `sound`.
"""

from __future__ import annotations

import errno
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from playground.engine.loop import Loop, replay
from playground.engine.worker import Worker, warm_up
from playground.experiment import Experiment
from playground.store import LATEST, About, RunFolder, about, fork, receive, records, restore, runs, share
from playground.store.index import Index
from playground.store.rows import ROW

RUN = "ring8-00000001"
TOUCHED = ("fsync", "replace", "rename", "unlink", "link", "mkdir")  # of os; and each SQL statement, each whole file


def small(**values):
    """An experiment whose steps take next to nothing and that saves a moment every ten of them."""
    plain = Experiment(device="cpu", seed=3, log_every=1, score_every=10, keyframe_every=10)
    return plain.changed(
        **{"g_depth": 1, "g_width": 4, "d_depth": 1, "d_width": 4, "batch": 4, "replay_size": 64} | values
    )


class Nursery:
    """The process that forks; its answers come in order."""

    def __init__(self):
        command = [sys.executable, "-m", "tests.kill_room"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
        )

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)

    def order(self, do, **args):
        """Have something done in a child, and return the signal that ended it; 0: it came to its end."""
        self.process.stdin.write(json.dumps({"do": do, **args}) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


# -- what is done -----------------------------------------------------------------------------------------------------


def train(folder):
    """Train a run as a worker does, until killed."""
    worker, path = Worker(io.BytesIO()), Path(folder)
    saved = RunFolder(path).keyframes()
    experiment = RunFolder(path).experiment().to_json()
    resume = LATEST if saved else None
    worker.commands.extend(
        [{"do": "open", "id": 1, "experiment": experiment, "folder": folder, "resume": resume}, {"do": "play", "id": 2}]
    )
    worker.run()


def story(root):
    """Do everything that writes to a store: make, train, edit, go back, fork, name, delete, restore, share, migrate."""
    root = Path(root)
    folder = RunFolder.create(root, small(), RUN)
    loop = Loop(small(), folder)
    loop.advance(15)
    loop.set({"lr_d": 0.002, "lr_g": 0.003})
    loop.advance(12)
    loop.rewind(20)
    loop.advance(15)
    loop.keyframe()
    folder.release()
    child = fork(folder, 20)
    about.write(child.path, About(name="child"))
    Index(root).rows()
    child.delete()
    restore(root, child.run_id)
    file = io.BytesIO()
    share(folder, file)
    receive(file, root)
    outdate(folder.path)
    loop = Loop(small(), folder, LATEST)
    loop.advance(5)
    loop.flush()
    folder.release()
    Index(root).rows()


def outdate(path):
    """Give a run's records the form that they had before there was a database, as an older version left them."""
    with records.reading(path) as told:
        parts = told.parts()
    lines = {"scores.jsonl": parts.scores, "events.jsonl": parts.events}
    plain = {name: b"".join(json.dumps(line).encode() + b"\n" for line in said) for name, said in lines.items()}
    plain["train.json"] = json.dumps({"columns": parts.columns, "cuts": parts.cuts}).encode()
    plain["train.bin"] = parts.rows.astype(ROW).tobytes()
    for name, content in plain.items():
        with (path / name).open("wb") as out:  # not a write of ours that could be cut off
            out.write(content)
    os.remove(path / records.FILE)


# -- what must hold ---------------------------------------------------------------------------------------------------


def sound(folder, moments=0):
    """See that a run is whole and that nothing is lost before its last saved moment; return that moment's step.

    Of the moments the last so many are read, 0: all.
    """
    saved = folder.keyframes()
    for step in saved[-moments:]:
        assert folder.load_keyframe(step).step == step, "a saved moment cannot be read"
    last = saved[-1] if saved else 0
    steps = folder.train()["step"].tolist()
    assert steps[:last] == list(range(1, last + 1)), "rows before the last moment are lost"
    assert steps == sorted(set(steps))
    scored = [row["step"] for row in folder.scores()]
    assert scored[: last // 10] == list(range(10, last + 1, 10)), "scores before the last moment are lost"
    events = folder.events()
    assert events[0] == {"step": 0, "kind": "start"}
    assert not saved or len(events) >= folder.load_keyframe().events
    assert folder.status()["state"] in ("stopped", "failed", "finished")
    return last


def goes_on(folder, steps=7):
    """See that a run goes on as one that nobody killed."""
    loop = Loop(folder.experiment(), folder, LATEST if folder.keyframes() else None)
    loop.advance(steps)
    loop.flush()
    assert loop.metrics == replay(folder).metrics, "it went on otherwise than if nobody had killed it"
    folder.release()


def sound_store(root):
    """See that all runs of a store are whole and go on."""
    found = runs(root)
    for folder in found:
        sound(folder)
        goes_on(folder)
        left = [path.name for path in folder.path.glob(".*") if not path.name.startswith(".about.json")]
        assert left == [], "half made files were not tidied away"  # a person's words may be written by another process
    assert [row.run for row in Index(root).rows()] == [folder.run_id for folder in found]


# -- dying ------------------------------------------------------------------------------------------------------------


def harm(at, how):
    """See that from the `at`-th time on that the disk is touched, writing fails ("full"), or the process dies there."""
    count = itertools.count()
    real = {name: getattr(os, name) for name in TOUCHED}
    whole, opened = Path.write_bytes, records.connect

    def touch():
        now = next(count)
        if how == "full" and now >= at:
            raise OSError(errno.ENOSPC, "No space left on device")
        if how == "kill" and now == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def touching(name):
        def call(*args, **kwargs):
            touch()
            return real[name](*args, **kwargs)

        return call

    def half(path, content):
        try:
            touch()
        except OSError:
            whole(path, content[: len(content) // 2])
            raise
        whole(path, content[: len(content) // 2])
        touch()
        return whole(path, content)

    def traced(*args, **kwargs):
        db = opened(*args, **kwargs)
        db.set_trace_callback(lambda statement: touch() if how == "kill" else None)
        return db

    for name in TOUCHED:
        setattr(os, name, touching(name))
    Path.write_bytes, records.connect = half, traced
    return count


def main():
    """Fork, and end what was forked when its time has come."""
    warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if "at" in order:
                    count = harm(order["at"], order["how"])
                {"train": train, "story": story}[order["do"]](order["path"])
                if "touched" in order:
                    Path(order["touched"]).write_text(str(next(count)))
                code = 0
            finally:
                os._exit(code)
        if "seconds" in order:
            time.sleep(order["seconds"])
            os.kill(child, signal.SIGKILL)  # not reaped before: its number is still its own
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
