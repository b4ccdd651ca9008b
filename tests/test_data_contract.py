"""What every data set promises: shape, type, determinism, a density that is one, live knobs, a view that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from playground.config import from_query, knobs, to_query
from playground.data import datasets, of_kinds
from playground.data.base import Distribution, Items, Table, _moved
from playground.experiment import RESERVED, Experiment
from playground.families import families
from playground.rng import Streams
from tests.idx_files import put_all

POINTS = of_kinds(frozenset({"points"}))
OTHERS = [name for name in datasets() if name not in POINTS]
PLANE = [name for name in POINTS if datasets()[name].dim == 2]


@pytest.fixture(autouse=True)
def _archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give every data set of files some small ones."""
    put_all(tmp_path)
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    _moved.cache_clear()
    yield
    _moved.cache_clear()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def grid(half: float, side: int = 240) -> tuple[torch.Tensor, float]:
    """Cell centres of [-half, half]^2 as float64 points and the area of a cell."""
    line = (torch.arange(side, dtype=torch.float64) + 0.5) / side * 2 * half - half
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1), (2 * half / side) ** 2


@pytest.mark.parametrize("name", POINTS)
def test_sample_is_float32_and_repeats_with_its_generator(name: str) -> None:
    data = datasets()[name]()
    first, again = data.sample(257, generator(3)), data.sample(257, generator(3))
    assert first.shape == (257, data.dim)
    assert first.dtype == torch.float32
    assert torch.isfinite(first).all()
    assert torch.equal(first, again)
    assert data.sample(0, generator()).shape == (0, data.dim)


@pytest.mark.parametrize("name", POINTS)
def test_sampling_leaves_the_global_generator_alone(name: str) -> None:
    before = torch.get_rng_state()
    datasets()[name]().sample(64, generator())
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", POINTS)
def test_the_view_shows_the_data(name: str) -> None:
    data = datasets()[name]()
    assert (data.sample(5000, generator()).abs() <= data.extent).all(1).float().mean() >= 0.99


@pytest.mark.parametrize("name", PLANE)
def test_density_is_one_and_samples_follow_it(name: str) -> None:
    """The grid gives total mass, entropy and the share of each of 24 x 24 cells; samples agree with them."""
    data = datasets()[name]()
    points, area = grid(1.2 * data.extent)
    log_density = data.log_density(points)
    assert log_density is not None
    mass = log_density.exp() * area
    assert float(mass.sum()) == pytest.approx(1, abs=5e-3)
    x = data.sample(10_000, generator(1))
    seen = data.log_density(x)
    assert seen is not None
    assert seen.dtype == torch.float32
    negative_entropy = float((mass * log_density.clamp(min=-1e4)).sum())
    assert float(seen.mean()) == pytest.approx(negative_entropy, abs=4 * float(seen.std()) / 100 + 0.01)
    expected = mass.view(24, 10, 24, 10).sum((1, 3)).flatten() * len(x)
    cell = ((x / (1.2 * data.extent) + 1) * 12).long().clamp(0, 23)
    counts = torch.bincount(cell[:, 1] * 24 + cell[:, 0], minlength=576)
    enough = expected > 5
    chi_square = float(((counts - expected)[enough].square() / expected[enough]).sum())
    freedom = int(enough.sum()) - 1
    assert chi_square < freedom + 5 * (2 * freedom) ** 0.5
    assert int(counts[~enough].sum()) < float(expected[~enough].sum()) + 60


@pytest.mark.parametrize("name", list(datasets()))
def test_fields_are_described_and_survive_the_url(name: str) -> None:
    kind = datasets()[name]
    assert kind.title
    assert kind.about.endswith(".")
    shorts = [k.short for k in knobs(kind).values()]
    assert len(set(shorts)) == len(shorts)
    for field, k in knobs(kind).items():
        assert k.group == "Data"
        assert k.help.endswith(".")
        if k.kind in ("int", "float"):
            assert k.low is not None
            assert k.high is not None
            changed = kind(**{field: k.high})
            assert from_query(kind, to_query(changed)) == (changed, [])


@pytest.mark.parametrize("name", POINTS)
def test_points_are_finite_at_the_ends_of_every_range(name: str) -> None:
    kind = datasets()[name]
    for field, k in knobs(kind).items():
        for value in (k.low, k.high) if k.kind in ("int", "float") else ():
            edge: Distribution = kind(**{field: value})
            assert torch.isfinite(edge.sample(100, generator())).all()
            assert edge.extent > 0


# -- images, sequences, clouds ---------------------------------------------------------------------------------------


def same(a: Items, b: Items) -> bool:
    return (
        torch.equal(a.x, b.x)
        and (a.labels is None) == (b.labels is None)
        and (a.labels is None or torch.equal(a.labels, b.labels))
    )


@pytest.mark.parametrize("name", OTHERS)
def test_items_have_shape_type_range_and_labels(name: str) -> None:
    data = datasets()[name]()
    for items in (data.held_out(50, 0), data.known(50, 0), data.labelled(50, 0, Streams(0))):
        assert items.x.shape == (50, *data.shape)
        assert items.x.dtype == torch.float32
        assert torch.isfinite(items.x).all()
        if data.kind == "images":
            assert float(items.x.min()) >= 0
            assert float(items.x.max()) <= 1
        if items.labels is not None:
            assert items.labels.dtype == torch.int64
            assert int(items.labels.min()) >= 0
            assert int(items.labels.max()) < len(data.classes)
        assert (items.labels is None) == (data.classes == ())
    assert data.missing() is None
    assert data.preview(9).shape == (9, *data.shape)


@pytest.mark.parametrize("name", list(datasets()))
def test_a_batch_is_the_same_items_without_their_labels(name: str) -> None:
    data = datasets()[name]()
    for taken in (0, 40, 5000):
        assert torch.equal(data.batch(30, taken, Streams(2)), data.labelled(30, taken, Streams(2)).x)


@pytest.mark.parametrize("name", [name for name in OTHERS if datasets()[name]().classes])
def test_labels_in_training_are_those_of_the_items(name: str) -> None:
    """The nearest of many known items is of an item's class: nearly always in a table, else far above chance."""
    data = datasets()[name]()
    known, items = data.known(5000, 0), data.labelled(300, 0, Streams(1))
    nearest = torch.cdist(items.x.flatten(1), known.x.flatten(1)).argmin(1)
    right = (known.labels[nearest] == items.labels).float().mean()  # type: ignore[index]
    assert right > (0.95 if isinstance(data, Table) else 2 / len(data.classes))


@pytest.mark.parametrize("name", OTHERS)
def test_held_out_and_known_items_are_fixed_by_their_seed_and_disjoint(name: str) -> None:
    data = datasets()[name]()
    before = torch.get_rng_state()
    held, known = data.held_out(200, 3), data.known(200, 3)
    assert same(held, data.held_out(200, 3))
    assert same(known, data.known(200, 3))
    assert torch.equal(before, torch.get_rng_state())
    assert not same(held, data.held_out(200, 4))
    assert float(torch.cdist(held.x.flatten(1), known.x.flatten(1)).min()) > 0
    assert not isinstance(data, Table) or torch.equal(data.held_out(20, 3).x, held.x[:20])


@pytest.mark.parametrize("name", OTHERS)
def test_batches_go_on_where_they_were_left(name: str) -> None:
    """A run taken on from a keyframe has the streams and the count of what was taken, nothing else."""
    data = datasets()[name]()
    whole, first, other = Streams(5), Streams(5), Streams(5)
    want = [data.batch(32, 32 * i, whole) for i in range(6)]
    for i in range(3):
        data.batch(32, 32 * i, first)
    other.load(first.state())
    assert all(torch.equal(data.batch(32, 32 * i, other), want[i]) for i in range(3, 6))
    assert not torch.equal(want[0], want[1])
    assert not torch.equal(want[0], data.batch(32, 0, Streams(6)))


TABLES = [name for name in OTHERS if issubclass(datasets()[name], Table)]


@pytest.mark.parametrize("name", TABLES)
def test_an_epoch_holds_every_training_item_once_and_none_held_out(name: str) -> None:
    data = datasets()[name]()
    train, held = data.load()
    epoch = data.batch(len(train.x), 0, Streams(0)).flatten(1)
    assert torch.equal(epoch.sort(0).values, train.x.flatten(1).sort(0).values)
    assert len(held.x) > 0
    assert data.classes == () or len(set(held.labels.tolist())) == len(data.classes)  # type: ignore[union-attr]


def test_names_do_not_collide_with_a_family_or_the_experiment() -> None:
    own = knobs(Experiment)
    for kind in datasets().values():
        for family in families().values():
            parts = [own, knobs(kind), knobs(family.Settings)]
            names = [name for part in parts for name in part]
            shorts = [k.short for part in parts for k in part.values()] + list(RESERVED)
            assert len(set(names)) == len(names)
            assert len(set(shorts)) == len(shorts)
