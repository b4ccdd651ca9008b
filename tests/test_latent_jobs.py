"""Maps from the process of their own: progress, caches, failures, and that asking never waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from engine_room import until

from playground.latent import jobs, mapper
from playground.latent.jobs import Projector, get_projector
from playground.latent.neighbours import trustworthiness

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Return a projector whose process serves all tests."""
    made = Projector(tmp_path_factory.mktemp("maps"))
    yield made
    made.shutdown()


@pytest.fixture
def projector(shared, tmp_path):
    """Return the shared projector with nothing known and an empty folder."""
    until(lambda: all(task.job.state == "failed" for task in shared._tasks.values()), "the last map")
    shared.folder = tmp_path
    shared._tasks.clear()
    shared._done.clear()
    return shared


def codes(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, 5)) + 8 * rng.integers(0, 3, (n, 1))).astype(np.float32)


def drawn(projector, *args, **more):
    """Ask until a map is done or failed; return that job and all notes on the way."""
    told = [projector.ask(*args, **more)]
    while told[-1].state not in ("done", "failed"):
        time.sleep(0.02)
        told.append(projector.ask(*args))
    return told[-1], told


def test_pca_is_there_at_once(projector):
    job = projector.ask(("run", 5, "pca"), codes(), "pca")
    assert (job.state, job.progress) == ("done", 1.0)
    assert job.result.basis.shape == (5, 2)
    turned = projector.ask(("run", 6, "pca"), -codes(), "pca", job.result)
    np.testing.assert_allclose(turned.result.points, job.result.points, atol=1e-4)


def test_a_map_is_drawn_elsewhere_and_kept(projector, tmp_path):
    x = codes()
    job, told = drawn(projector, ("run", 5, "tsne"), x, "tsne")
    assert told[0].state in ("waiting", "running")
    assert [t.progress for t in told] == sorted(t.progress for t in told)
    assert job.state == "done", job.note
    assert trustworthiness(x, job.result.points) > 0.9
    assert projector.ask(("run", 5, "tsne"), x, "tsne") is job
    assert len(list(tmp_path.iterdir())) == 1

    another = Projector(tmp_path)  # as after a restart
    found = another.ask(("run", 5, "tsne"), x, "tsne")
    np.testing.assert_array_equal(found.result.points, job.result.points)
    assert another.child is None
    other = projector.ask(("run", 5, "tsne"), x + 1, "tsne")  # the same step, reached again with other codes
    assert other.state == "waiting"

    warm, _ = drawn(projector, ("run", 6, "tsne"), x + 0.01, "tsne", job.result)
    moved = np.linalg.norm(warm.result.points - job.result.points, axis=1).mean()
    assert moved < 0.3 * job.result.points.std()


def test_the_folder_stays_small(projector, monkeypatch, tmp_path):
    monkeypatch.setattr(jobs, "ON_DISK", 3)
    for i in range(5):
        projector._write(str(i), np.zeros((4, 2), np.float32))
        os.utime(tmp_path / f"{i}.safetensors", (i, i))
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["2", "3", "4"]
    (tmp_path / "4.safetensors").write_bytes(b"torn")
    assert projector._read("4") is None
    assert projector._read("3").result.points.shape == (4, 2)


def test_a_process_that_dies_fails_its_map_and_the_next_is_drawn(projector):
    x = codes(1500)
    projector.ask("a", x, "tsne")
    until(lambda: projector.ask("a", x, "tsne").progress > 0, "some progress")
    os.kill(projector.child.pid, signal.SIGKILL)
    job, _ = drawn(projector, "a", x, "tsne")
    assert job.state == "failed"
    assert "killed by signal 9" in job.note
    assert projector.ask("a", x, "tsne").state == "failed"  # it does not begin again by itself
    assert drawn(projector, "b", codes(), "tsne")[0].state == "done"
    assert projector.ask("a", x[:50], "tsne", again=True).state in ("waiting", "running")


def test_what_is_no_map_is_told_by_the_job(projector, monkeypatch):
    assert "not finite" in projector.ask("a", np.full((9, 3), np.nan), "umap").note
    assert "no map as they are" in projector.ask("a", codes(), "raw").note
    assert "10,000 is the most" in projector.ask("a", np.zeros((10_001, 2)), "tsne").note
    job, _ = drawn(projector, "a", codes(4), "tsne")
    assert (job.state, job.note) == (
        "failed",
        "The map could not be drawn: A tsne map takes at least 5 items, and there are 4.",
    )


def test_what_nobody_asks_for_any_more_is_not_drawn(projector, monkeypatch):
    monkeypatch.setattr(projector, "_draw", lambda task: pytest.fail("it was drawn"))
    with projector._news:
        projector.ask("a", codes(), "tsne")
        next(iter(projector._tasks.values())).asked -= 60
    until(lambda: not projector._tasks, "it to be forgotten")


def test_the_process_leaves_with_its_server():
    code = "from playground.latent.jobs import get_projector; import time; p = get_projector(); p.warm()\n"
    code += "while p.child is None: time.sleep(0.01)\nprint(p.child.pid, flush=True); time.sleep(600)"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, text=True) as server:
        child = int(server.stdout.readline())
        server.kill()
    until(lambda: gone(child), "the process to leave")


def gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_messages_are_whole_or_none(tmp_path):
    path = tmp_path / "pipe"
    with path.open("wb") as out:
        mapper.send(out, {"codes": codes(3)}, {"method": "umap"})
    whole = path.read_bytes()
    with path.open("rb") as stream:
        arrays, meta = mapper.receive(stream)
        assert mapper.receive(stream) is None
    assert meta == {"method": "umap"}
    np.testing.assert_array_equal(arrays["codes"], codes(3))
    path.write_bytes(whole[:-1])
    with path.open("rb") as stream:
        assert mapper.receive(stream) is None


def test_there_is_one_a_process_and_a_new_one_after_its_end():
    first = get_projector()
    assert get_projector() is first
    first.shutdown()
    assert get_projector() is not first


@pytest.mark.slow
def test_umap_is_compiled_once_and_says_so(projector):
    x = codes(300)
    job, told = drawn(projector, "a", x, "umap")
    assert job.state == "done", job.note
    assert any("Compiling" in t.note for t in told)
    warm, told = drawn(projector, "b", x + 0.01, "umap", job.result)
    assert warm.state == "done"
    assert not any("Compiling" in t.note for t in told)
    moved = np.linalg.norm(warm.result.points - job.result.points, axis=1).mean()
    assert moved < job.result.points.std()
