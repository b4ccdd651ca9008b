"""IDX archives: read exactly, found where people keep them, refused in a sentence, downloaded only when asked."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.__main__ import main
from playground.config import ConfigError
from playground.data import dataset
from playground.data.archives import FILES, SETS, ArchiveSet, Mnist, available, fetch
from playground.data.idx import read_idx
from playground.engine.loop import Loop
from playground.experiment import Experiment
from tests import idx_files
from tests.idx_files import digits, idx, put

NAMES = ["mnist", "fashion-mnist", "kmnist"]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the data, and a home of its own."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


# -- the format ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(0,), (7,), (3, 2), (2, 3, 4), (1, 2, 3, 4)])
@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_written_is_read(tmp_path: Path, shape: tuple[int, ...], zipped: bool) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    (file := tmp_path / "x").write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    np.testing.assert_array_equal(read_idx(file), array)


GOOD = idx(digits(20)[0])
BOMB = gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 10**6, 28, 28) + bytes(100), mtime=0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "starts with nothing"),
        (b"\x89PNG\r\n\x1a\n", "starts with 89504e47"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 1]) + bytes(4), "type 0x0d"),
        (GOOD[:9], "cut off within its header"),
        (GOOD[:-1], "promises"),
        (GOOD + b"!", "more than the 15,680"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "more than it can hold"),
        (bytes([0, 0, 8, 255]) + b"\xff" * 1020, "more than it can hold"),
        (BOMB, "more than it can hold"),
        (gzip.compress(GOOD, mtime=0)[:-20], "damaged or cut off"),
        (gzip.compress(GOOD, mtime=0)[:40] + b"?????" + gzip.compress(GOOD, mtime=0)[45:], "damaged or cut off"),
        (gzip.compress(GOOD[:-1], mtime=0), "less than the 15,680"),
        (gzip.compress(GOOD + b"!", mtime=0), "more than the 15,680"),
        (b"\x1f\x8b", "damaged or cut off"),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence(data: Path, content: bytes, said: str) -> None:
    put(data / "mnist", n=20, zipped=False)
    (data / "mnist" / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        Mnist().load()
    assert str(caught.value).startswith("train-images-idx3-ubyte ")
    assert str(caught.value).endswith(".")


def test_files_that_do_not_belong_together_are_refused(data: Path) -> None:
    put(data / "mnist", n=20, zipped=False)
    folder = data / "mnist"
    for array, said in (
        (np.zeros(19), "19 labels for the 20 images"),
        (np.full(20, 10), "has the label 10"),
        (np.zeros((20, 1)), "labels for the 20 images"),
    ):
        (folder / "train-labels-idx1-ubyte").write_bytes(idx(array))
        with pytest.raises(ConfigError, match=said):
            Mnist().load()
    (folder / "train-images-idx3-ubyte").write_bytes(idx(digits(20, side=32)[0]))
    with pytest.raises(ConfigError, match="20 × 32 × 32: images of 28 × 28"):
        Mnist().load()
    (folder / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((0, 28, 28))))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(0)))
    with pytest.raises(ConfigError, match="holds no images"):
        Mnist().load()


# -- where they are, and what is held out ----------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["mnist", "MNIST", "MNIST/raw"])
@pytest.mark.parametrize("zipped", [False, True])
def test_folders_of_other_programs_are_found(data: Path, folder: str, zipped: bool) -> None:
    assert not available("mnist")
    put(data / folder, "train", 50, zipped)
    put(data / folder, "t10k", 20, zipped, seed=1)
    assert available("mnist")
    train, held = Mnist().load()
    for items, (images, labels) in ((train, digits(50)), (held, digits(20, 1))):  # the official parts, in their order
        np.testing.assert_array_equal((items.x * 255).round().byte()[:, 0].numpy(), images)
        np.testing.assert_array_equal(items.labels.numpy(), labels)
    assert not available("kmnist")


def test_the_folder_itself_may_hold_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "Fashion-MNIST")
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / "Fashion-MNIST"))
    assert [available(name) for name in NAMES] == [False, True, False]
    put(tmp_path / "home" / "data" / "kmnist")
    assert available("kmnist")


@pytest.mark.parametrize("n", [2, 3, 5, 60, 101])
def test_of_another_lot_every_fifth_is_held_out_evenly(data: Path, n: int) -> None:
    put(data / "fashion", "sample900", n)
    train, held = dataset("fashion-mnist")().load()
    assert len(held.x) == (n + 3) // 5
    assert len(train.x) + len(held.x) == n
    if n == 60:
        assert torch.bincount(held.labels, minlength=10).max() <= 2
    every = torch.cat([train.x, held.x]).flatten(1)
    assert len(every.unique(dim=0)) == n
    assert torch.equal(dataset("fashion-mnist")().load()[1].x, held.x)


def test_parts_beside_each_other_count_together_and_once(data: Path) -> None:
    put(data / "mnist", "t10k", 20, zipped=True)
    put(data / "mnist", "t10k", 20, zipped=False)
    put(data / "mnist", "sample900", 30, seed=1)
    (data / "mnist" / "lone-images-idx3-ubyte.gz").write_bytes(b"no labels with it")
    train, held = Mnist().load()
    assert len(train.x) + len(held.x) == 50


def test_missing_files_say_what_to_do_and_what_is_there(data: Path) -> None:
    put(data / "mnist")
    with pytest.raises(ConfigError) as caught:
        dataset("kmnist")().load()
    assert str(caught.value) == (
        "Kuzushiji-MNIST is not on this machine: download it, or set PLAYGROUND_DATA to a folder with a sub-folder "
        "kmnist that holds its IDX files; digits, font-digits, mnist are there."
    )
    assert Experiment(family="autoencoder", dataset="kmnist").data.shape == (1, 28, 28)  # to be named without them
    assert Mnist().missing() is None


def test_a_data_folder_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / "typo"))
    assert f"set PLAYGROUND_DATA (now {tmp_path / 'typo'}, which is no folder) to a folder" in str(Mnist().missing())
    monkeypatch.delenv("PLAYGROUND_DATA")
    assert "set PLAYGROUND_DATA to a folder" in str(Mnist().missing())


def test_the_real_mnist_reads_as_everybody_knows_it(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    """The official test part: 10,000 images, their class counts and mean; a small set stands in where it is not."""
    if idx_files.real_mnist():
        monkeypatch.setenv("PLAYGROUND_DATA", str(idx_files.REAL))
        counts, mean, first, n = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009], 0.1325, 7, 10_000
    else:
        put(data / "mnist", "t10k", 10_000)
        images, labels = digits(10_000)
        counts, mean, first, n = [1000] * 10, float(images.mean() / 255), int(labels[0]), 10_000
    train, held = Mnist().load()
    assert (len(train.x), len(held.x)) == (n * 4 // 5, n // 5)
    labels = torch.cat([train.labels, held.labels])
    assert torch.bincount(labels).tolist() == counts
    assert float(torch.cat([train.x, held.x]).mean()) == pytest.approx(mean, abs=1e-4)
    shares = torch.bincount(held.labels) / torch.bincount(labels)
    assert float((shares - 0.2).abs().max()) < 0.002
    archive = next(a for a in Mnist().found() if a.part == "t10k")
    assert int(read_idx(archive.labels)[0]) == first
    if idx_files.real_mnist():
        fashion, kept = dataset("fashion-mnist")().load()
        assert torch.bincount(torch.cat([fashion.labels, kept.labels])).tolist() == [90] * 10
        known = dict(zip(FILES, Mnist.sha256, strict=True))
        assert hashlib.sha256(archive.images.read_bytes()).hexdigest() == known[FILES[2]]


def test_training_on_missing_files_says_so_and_leaves_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--family", "autoencoder", "--dataset", "kmnist", "--steps", "1"]) == 2
    assert capsys.readouterr().err.startswith("Kuzushiji-MNIST is not on this machine: download it, or set PLAYGR")
    assert not (tmp_path / "home").exists()
    with pytest.raises(ConfigError, match="Kuzushiji-MNIST is not on this machine"):
        Loop(Experiment(family="autoencoder", dataset="kmnist"))
    assert main(["list"]) == 0
    assert "files or the net. (not here yet: python -m playground fetch kmnist)" in capsys.readouterr().out


# -- downloads -------------------------------------------------------------------------------------------------------


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `files`; hangs up after `breaks` bytes where set, understands ranges unless told not to."""

    files: dict[str, bytes]
    breaks: int
    ranges: bool
    asked: list[str]

    def do_GET(self) -> None:
        content = self.files.get(self.path.rpartition("/")[2])
        if content is None:
            self.send_error(404)
            return
        start = int(self.headers["Range"][6:-1]) if self.ranges and "Range" in self.headers else 0
        self.asked.append(f"{self.path} from {start}")
        if start > len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : start + self.breaks] if self.breaks else content[start:])

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Server]]:
    """A server of a small MNIST at both mirrors' places, the hashes being those of its files."""
    images, labels = digits(40)
    files = {}
    for name in FILES:
        files[f"{name}.gz"] = gzip.compress(idx(images if "images" in name else labels), mtime=0)
    handler = type("Handler", (Server,), {"files": files, "breaks": 0, "ranges": True, "asked": []})
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    here = f"http://127.0.0.1:{running.server_address[1]}/"
    monkeypatch.setattr(Mnist, "mirrors", (f"{here}gone.d/", f"{here}mnist/"))
    monkeypatch.setattr(Mnist, "sha256", tuple(hashlib.sha256(files[f"{n}.gz"]).hexdigest() for n in FILES))
    yield handler
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_download_tells_progress_and_is_then_there(
    server: type[Server], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[str, int, int]] = []
    fetch("mnist", lambda *now: told.append(now))
    assert available("mnist")
    assert main(["fetch", "mnist"]) == 0
    assert "MNIST is in" in capsys.readouterr().out
    assert {name: done for name, done, _ in told} == {name: len(content) for name, content in server.files.items()}
    assert all(total == len(server.files[name]) for name, _, total in told)
    assert sorted(p.name for p in Mnist().cache.iterdir()) == sorted(server.files)
    assert Mnist().cache.is_relative_to(tmp_path)
    before = len(server.asked)
    fetch("mnist")
    assert len(server.asked) == before  # nothing twice
    assert [len(part.x) for part in Mnist().load()] == [40, 40]


@pytest.mark.parametrize("ranges", [True, False])
def test_what_broke_off_goes_on_from_there(server: type[Server], ranges: bool) -> None:
    server.breaks, server.ranges = 1000, ranges
    with pytest.raises(ConfigError, match=r"MNIST could not be downloaded \(127.0.0.1:\d+: broke off") as caught:
        fetch("mnist")
    assert "PLAYGROUND_DATA" in str(caught.value)
    assert not available("mnist")
    server.breaks = 0
    fetch("mnist")
    assert available("mnist")
    assert (f"/gone.d/{FILES[0]}.gz from 2000" in server.asked) is ranges


def test_a_file_that_is_another_one_is_never_kept(server: type[Server]) -> None:
    server.files[f"{FILES[0]}.gz"] = b"something else"
    with pytest.raises(ConfigError, match="not the file that is known by this name"):
        fetch("mnist")
    assert list(Mnist().cache.iterdir()) == []


def test_too_long_a_part_is_thrown_away(server: type[Server]) -> None:
    Mnist().cache.mkdir(parents=True)
    (Mnist().cache / f"{FILES[0]}.gz.part").write_bytes(bytes(10**6))
    fetch("mnist")
    assert available("mnist")


def test_a_mirror_without_the_file_gives_way_and_no_mirror_says_so(
    server: type[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Mnist.mirrors[1]
    monkeypatch.setattr(Mnist, "mirrors", ("http://127.0.0.1:9/", good))  # the discard port: nobody is there
    fetch("mnist")
    assert available("mnist")
    server.files.clear()
    (Mnist().cache / f"{FILES[3]}.gz").unlink()
    with pytest.raises(ConfigError, match=r"127.0.0.1:9: no connection; 127.0.0.1:\d+: answers 404"):
        fetch("mnist")


@pytest.mark.parametrize("name", NAMES)
def test_sources_are_whole_and_safe_to_ask(name: str) -> None:
    kind: type[ArchiveSet] = SETS[name]
    assert len(kind.sha256) == len(set(kind.sha256)) == 4
    assert all(len(h) == 64 and int(h, 16) for h in kind.sha256)
    assert len(kind.mirrors) >= 2
    assert kind.mirrors[0].startswith("https://")
    assert all(m.endswith("/") for m in kind.mirrors)


def test_a_preview_reads_no_more_than_it_shows(data: Path) -> None:
    put(data / "mnist", n=30)
    put(data / "mnist", "t10k", 20, seed=1)
    (data / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(bytes(10**6))  # larger, and not even looked at
    assert torch.equal(Mnist().preview(9), torch.from_numpy(digits(20, 1)[0])[:9, None] / 255)
    assert len(Mnist().preview(100)) == 20


def test_what_was_kept_of_other_files_is_not_taken_for_these(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    sets = []
    for n in (60, 100):
        put(tmp_path / str(n) / "mnist", n=n)
        monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / str(n)))
        sets.append(Mnist())
        assert sum(len(items.x) for items in sets[-1].on("cpu")) == n
    assert sets[0] != sets[1]
    assert sets[1] == Mnist()
    put(tmp_path / "100" / "mnist", n=80)
    assert sum(len(items.x) for items in Mnist().on("cpu")) == 80
