"""What two sets of images are compared by: a small classifier, trained here on the chosen data set, and its features.

A convolutional net (two layers, 64 features, then classes) learns the training items in some seconds on one core of a
CPU: cross-entropy, Adam, one cycle of the learning rate (Smith and Topin 2017, arXiv 1708.07120), each batch shifted by
up to a sixteenth of its side. Its last hidden layer is the feature space of Fréchet, kernel and neighbour scores, as
Inception's is that of the FID (Heusel et al. 2017, arXiv 1706.08500): "FID on our features", never FID. Data without
classes gets the 64 leading principal components, and no classes. Either way features are scaled to a mean variance of 1
over the data, so that distances mean about the same on all data sets.

The net is the same for everybody: it comes from the data set alone (fields that change while a run trains stand at
their defaults), on one thread of a CPU, and is kept in `<home>/features/`. Watch `accuracy`, on held-out items: class
scores cannot be truer than that.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import safetensors.torch
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor, nn

from playground import nets
from playground.coders import BodySettings, encoder
from playground.config import knobs
from playground.data import dataset
from playground.data.base import DataSet, Items
from playground.families.base import part
from playground.files import hold, write_whole
from playground.home import home
from playground.latent.baseline import baseline
from playground.rng import fresh

ROOT = Path(__file__).parents[2]
VERSION = 1  # of net and training: another one trains anew
FEATURES = 64
TRAINED_ON, JUDGED_ON = 10_000, 2_000  # items
STEPS, FEWEST, BATCH = 1000, 400, 64
PIXELS = 32 * 32  # of an image; larger ones get fewer steps
RATE = 6e-3  # the highest
CHUNK = 250  # items a pass
PREVIEW = 16  # items that stand for a data set's content in its key
POLITE = 5  # added to the niceness of a process that trains ahead of need


@dataclass(frozen=True, eq=False)
class Features:
    """A feature space (n, F) of images in [0, 1] and, where there are classes, a classifier with its accuracy."""

    net: nn.Module  # images -> features, each at least 0; or principal components
    head: nets.Linear | None  # features -> logits of the classes
    classes: tuple[str, ...]
    accuracy: float  # share of held-out items that it tells right, NaN without classes

    @property
    def size(self) -> int:
        """How many features there are."""
        return FEATURES if self.head is not None else len(self.net.get_buffer("components"))

    @torch.no_grad()
    def embed(self, x: Tensor) -> Tensor:
        """Return the features (n, F) of images (n, C, H, W)."""
        return torch.cat([self.net(some) for some in torch.split(x, CHUNK)]) if len(x) else x.new_zeros(0, self.size)

    @torch.no_grad()
    def told(self, features: Tensor) -> Tensor:
        """Return the classes' probabilities (n, K) of features (n, F); (n, 0) without classes."""
        return features.new_zeros(len(features), 0) if self.head is None else self.head(features).softmax(1)

    def classify(self, x: Tensor) -> Tensor:
        """Return the classes' probabilities (n, K) of images (n, C, H, W); (n, 0) without classes."""
        return self.told(self.embed(x))


def features(data: DataSet, device: torch.device | str = "cpu") -> Features:
    """Return the features of a data set: those kept, else newly trained, which takes some seconds.

    Raises `ConfigError` where the data is not on this machine. A damaged file is made anew.
    """
    return _made(plain(data), key(data), torch.device(device), str(home()))


def ready(data: DataSet) -> bool:
    """Say whether the features are kept, so that `features` answers at once."""
    return path(data).exists()


_ahead: dict[Path, subprocess.Popen[bytes]] = {}
_starting = threading.Lock()


def warm(data: DataSet) -> None:
    """Have the features trained in a process of its own, ahead of need; returns at once."""
    file = path(data)
    with _starting:
        for there, child in list(_ahead.items()):
            if child.poll() is not None:
                del _ahead[there]
        if file.exists() or file in _ahead:
            return
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        child = _ahead[file] = subprocess.Popen(
            [sys.executable, "-m", "playground.diagnostics.features"], stdin=subprocess.PIPE,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
        )  # fmt: skip
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError), child.stdin as stdin:
        stdin.write(json.dumps({"dataset": data.id, "data": data.model_dump(mode="json")}).encode())


def under_way(data: DataSet) -> bool:
    """Say whether a process that `warm` started here is at work on the features."""
    child = _ahead.get(path(data))
    return child is not None and child.poll() is None


@lru_cache(maxsize=8)
def shares(data: DataSet) -> tuple[float, ...]:
    """Return each class's share of the training items; empty without classes."""
    labels = data.known(TRAINED_ON, 0).labels
    if labels is None or len(data.classes) < 2:
        return ()
    counts = torch.bincount(labels, minlength=len(data.classes)).double()
    return tuple((counts / counts.sum()).tolist())


def plain(data: DataSet) -> DataSet:
    """Return the data set with fields that change on a running model at their defaults."""
    return data.with_values(**{name: knob.default for name, knob in knobs(type(data)).items() if knob.live})


@lru_cache(maxsize=32)
def key(data: DataSet) -> str:
    """Return the name of a data set's features: a hash of its settings and of some of its items."""
    data = plain(data)
    some = (data.preview(PREVIEW) * 255).round().byte().cpu().contiguous().numpy().tobytes()
    text = f"{VERSION} {data.id} {data.model_dump_json()} "
    return hashlib.sha256(text.encode() + some).hexdigest()[:16]


def path(data: DataSet) -> Path:
    """Return where the features lie, there or not."""
    return home() / "features" / f"{key(data)}.safetensors"


# -- kept on disk -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=6)
def _made(data: DataSet, name: str, device: torch.device, folder: str) -> Features:
    found = _kept(data, Path(folder) / "features" / f"{name}.safetensors")
    found.net.to(device)
    if found.head is not None:
        found.head.to(device)
    return found


def _kept(data: DataSet, file: Path) -> Features:
    """Read the features, else train them and keep them; of several processes one trains and the others wait."""
    while (found := _read(data, file)) is None:
        with _alone(file) as alone:
            if alone:
                found = _train(data)
                with contextlib.suppress(OSError):  # without room on disk they are trained in each process
                    write_whole(file, safetensors.torch.save(_tensors(found)))
                return found
    return found


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[bool]:
    """Say whether this process is the one that trains; where another does, wait a moment."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = hold(file.with_suffix(".lock"))
    except OSError:
        yield True
        return
    if lock is None:
        time.sleep(0.1)
        yield False
        return
    try:
        yield True
    finally:
        os.close(lock)


def _tensors(found: Features) -> dict[str, Tensor]:
    both = {"net": found.net} | ({} if found.head is None else {"head": found.head})
    state = {f"{name}/{k}": v for name, net in both.items() for k, v in net.state_dict().items()}
    return {name: value.contiguous() for name, value in state.items()} | {"accuracy": torch.tensor(found.accuracy)}


def _read(data: DataSet, file: Path) -> Features | None:
    """Return the features of a file; None where it is not there or not whole."""
    try:
        tensors = safetensors.torch.load_file(file)
        net, head = part(tensors, "net"), part(tensors, "head")
        made = _blank(data, bool(head), len(net.get("components", ())))
        made.net.load_state_dict(net)
        if made.head is not None:
            made.head.load_state_dict(head)
        accuracy = float(tensors["accuracy"])
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError):
        return None
    return Features(made.net, made.head, made.classes, accuracy)


# -- the nets ---------------------------------------------------------------------------------------------------------


class Components(nn.Module):
    """Principal components as a net."""

    def __init__(self, numbers: int, count: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("components", torch.zeros(count, numbers))

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, F)
        return (x.flatten(1) - self.get_buffer("mean")) @ self.get_buffer("components").T


def _blank(data: DataSet, classes: bool, components: int = FEATURES) -> Features:
    """Return nets of the right shapes, untrained."""
    rng = fresh(0, "features")
    if not classes:
        numbers = data.shape[0] * data.shape[1] * data.shape[2]
        return Features(Components(numbers, components), None, (), float("nan"))
    body = BodySettings(body="conv", activation="relu", maps=16, conv_layers=2 if max(data.shape) <= 32 else 3)
    net = nn.Sequential(encoder(data.shape, body, FEATURES, rng), nn.ReLU())
    return Features(net, nets.Linear(FEATURES, len(data.classes), "default", 1.0, rng), data.classes, float("nan"))


def _train(data: DataSet) -> Features:
    """Train a classifier, or fit components, on one thread whatever this process has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the order of sums, and so the last digits, depends on how many there are
    try:
        items = data.known(TRAINED_ON, 0)
        if items.labels is None or len(data.classes) < 2:
            return _fit(data)
        made = _blank(data, True)
        assert made.head is not None
        _learn(nn.Sequential(made.net, made.head), items)
        _level(made, items.x)
        held = data.held_out(JUDGED_ON, 0)
        assert held.labels is not None
        accuracy = float((made.classify(held.x).argmax(1) == held.labels).float().mean())
        return Features(made.net, made.head, made.classes, accuracy)
    finally:
        torch.set_num_threads(threads)


def _fit(data: DataSet) -> Features:
    pca = baseline(data, FEATURES, torch.device("cpu"))
    made = _blank(data, False, len(pca.components))
    scale = float(pca.variance.mean().clamp(min=1e-12).sqrt())
    made.net.load_state_dict({"mean": pca.mean, "components": pca.components / scale})
    return made


@torch.no_grad()
def _level(made: Features, x: Tensor) -> None:
    """Scale the features to a mean variance of 1 on items x, and the head's weights back."""
    assert made.head is not None
    scale = float(made.embed(x).var(0).mean().clamp(min=1e-12).sqrt())
    for last in list(made.net.parameters())[-2:]:  # a ReLU after them: features shrink in proportion
        last.div_(scale)
    made.head.weight.mul_(scale)


@torch.enable_grad()
def _learn(net: nn.Module, items: Items) -> None:
    x, labels, n = items.x, items.labels, len(items.x)
    assert labels is not None
    rng, batch = fresh(0, "features", "order"), min(BATCH, n)
    shift = x.shape[-1] // 16  # pixels; of an 8 x 8 image even one is an eighth
    steps = max(FEWEST, min(STEPS, STEPS * PIXELS // x[0, 0].numel()))
    adam = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-2)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, RATE, total_steps=steps, pct_start=0.2)
    order, at = torch.randperm(n, generator=rng), 0
    for _ in range(steps):
        if at + batch > n:
            order, at = torch.randperm(n, generator=rng), 0
        some = order[at : at + batch]
        at += batch
        down, right = torch.randint(-shift, shift + 1, (2,), generator=rng).tolist()
        logits = net(x[some].roll((down, right), (2, 3)))
        adam.zero_grad()
        F.cross_entropy(logits, labels[some]).backward()  # type: ignore[no-untyped-call]
        adam.step()
        cycle.step()
    net.requires_grad_(False)


def main() -> None:
    """Train the features of the data set named on stdin."""
    if hasattr(os, "nice"):
        os.nice(POLITE)
    asked = json.loads(sys.stdin.read())
    features(dataset(asked["dataset"]).model_validate(asked["data"]))


if __name__ == "__main__":
    main()
