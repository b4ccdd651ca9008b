"""Two servers on one store: each in a process of its own, both at everything at once, and nothing is harmed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from playground.store import runs
from playground.store.index import FILE, Index
from tests.kill_room import goes_on, sound

ROOT = Path(__file__).parents[1]
SERVER = """
import io, json, random, sys
from pathlib import Path
from playground.engine.loop import Loop
from playground.store import LATEST, About, StoreError, about, fork, restore, runs, share, RunFolder
from playground.store.index import Index
from tests.kill_room import small

root, chance, did, refused = Path(sys.argv[1]), random.Random(int(sys.argv[2])), [], []

def make():
    folder = RunFolder.create(root, small(seed=chance.randrange(9)))
    Loop(folder.experiment(), folder).advance(12)
    folder.release()

def some():
    return chance.choice(runs(root))

def train():
    folder = some()
    loop = Loop(folder.experiment(), folder, LATEST)
    loop.advance(chance.randrange(1, 30))
    if chance.random() < 0.5:
        loop.set({"lr_d": chance.choice((0.001, 0.002))})
    loop.keyframe()
    folder.release()

def back():
    folder = some()
    loop = Loop(folder.experiment(), folder, LATEST)
    loop.rewind(chance.choice(folder.keyframes()))
    folder.release()

def undo():
    folder = some()
    folder.delete()
    if chance.random() < 0.7:
        restore(root, folder.run_id)

def name():
    about.write(some().path, About(name=str(chance.random())))

def hand_on():
    share(some(), io.BytesIO())

def index():
    for row in Index(root).rows():
        assert row.verdict[1]

for _ in range(4):
    make()
for _ in range(80):
    do = chance.choice((make, train, train, train, back, undo, name, index, index, hand_on, lambda: fork(some())))
    try:
        do()
        did.append(1)
    except (StoreError, IndexError) as error:  # the other has it, or has just taken it away
        refused.append(str(error))
print(json.dumps([len(did), refused]))
"""


def test_two_servers_at_everything_at_once_leave_every_run_whole(tmp_path, monkeypatch):
    environment = os.environ | {"PLAYGROUND_KEYFRAMES": "12", "PYTHONPATH": str(ROOT)}
    servers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SERVER, str(tmp_path), str(seed)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
        )
        for seed in (1, 2)
    ]  # fmt: skip
    for server, (out, err) in zip(servers, [server.communicate(timeout=300) for server in servers], strict=True):
        assert server.returncode == 0, err
        did, refused = json.loads(out)
        assert did > 40, refused
        assert not [why for why in refused if "cannot be" in why or "locked" in why]
    found = runs(tmp_path)
    assert len(found) > 5
    for folder in found:
        sound(folder)
        goes_on(folder)
        with folder.reading() as records:
            assert records.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert [row.run for row in Index(tmp_path).rows()] == [folder.run_id for folder in found]
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
