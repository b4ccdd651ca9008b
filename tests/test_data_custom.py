"""Drawn and uploaded points as a data set: kept by content, found again, missing or damaged ones said so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from playground.config import ConfigError, build
from playground.data.custom import Custom, load_points, points_file, save_points
from playground.data.upload import Points, from_drawing, read_points
from playground.experiment import Experiment


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))


def points(n: int = 50) -> Points:
    return read_points("\n".join(f"{i},{i * i}" for i in range(n)).encode(), "square.csv")


def test_saved_points_come_back_whole_and_under_the_same_name(tmp_path: Path) -> None:
    source = save_points(points())
    assert save_points(points()) == source
    assert [file.name for file in (tmp_path / "data").iterdir()] == [f"{source}.safetensors"]
    back = load_points(source)
    assert torch.equal(back.points, points().points)
    assert (back.names, back.centre, back.scale, back.source) == (
        ("column 1", "column 2"),
        (24.5, 1200.5),
        points().scale,
        "square.csv",
    )
    assert save_points(from_drawing([[0.1 * i, 0.2] for i in range(10)])) != source


def test_samples_are_rows_with_noise() -> None:
    source = save_points(points())
    rows = {tuple(row) for row in points().points.tolist()}
    bare = Custom(source=source, jitter=0.0)
    drawn = bare.sample(2000, torch.Generator().manual_seed(0))
    assert {tuple(row) for row in drawn.tolist()} == rows
    noised = Custom(source=source, jitter=0.1).sample(2000, torch.Generator().manual_seed(0))
    assert not rows & {tuple(row) for row in noised.tolist()}
    assert torch.equal(load_points(source).points, points().points), "sampling must not write into the kept rows"


def test_density_is_the_mean_of_the_kernels() -> None:
    data = Custom(source=save_points(points()), jitter=0.2)
    x = torch.tensor([[0.3, -1.0], [2.0, 2.0]])
    square = torch.cdist(x.double(), points().points.double()).square()
    expected = ((-square / (2 * 0.04)).exp() / (2 * torch.pi * 0.04)).mean(1).log()
    found = data.log_density(x)
    assert found is not None
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    assert Custom(source=data.source, jitter=0.0).log_density(x) is None
    assert Custom(source=save_points(points(2001)), jitter=0.1).log_density(x) is None


@pytest.mark.parametrize("source", ["../../etc/passwd", "0123", "g" * 16, "0123456789ABCDEF", "0" * 16 + "/x"])
def test_only_a_hash_names_points(source: str) -> None:
    with pytest.raises(ConfigError, match=r"names no saved points: draw some or upload a CSV file."):
        points_file(source)
    with pytest.raises(ConfigError, match=r"names no saved points: draw some or upload a CSV file."):
        build(Custom, {"source": source})
    experiment, notices = Experiment.from_query({"d": "custom", "src": source})
    assert experiment.data == Custom()
    assert len(notices) == 1


def test_missing_points_are_said_to_be_missing() -> None:
    data = Custom(source="0" * 16)
    for use in (lambda: data.sample(1, torch.Generator()), lambda: data.extent, lambda: load_points(data.source)):
        with pytest.raises(ConfigError, match=r"The points 0{16} are not on this machine: draw or upload them again."):
            use()


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\x80\x04\x95\x0b\0\0\0]q\0."])
def test_damaged_points_are_said_to_be_damaged(content: bytes) -> None:
    path = points_file("1" * 16)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"The file of the points 1{16} is damaged: draw or upload them again."):
        load_points("1" * 16)


def test_an_experiment_finds_its_points_through_its_link() -> None:
    source = save_points(points())
    experiment = Experiment(dataset="custom", data={"source": source})
    assert experiment.to_query() == {"d": "custom", "src": source}
    again, notices = Experiment.from_query(experiment.to_query())
    assert notices == []
    assert again == experiment
