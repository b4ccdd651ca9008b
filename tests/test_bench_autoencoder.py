"""The benchmark of the coding families compares two loops that do the same; nothing here is timed."""

import os

import pytest
import torch

from benchmarks import autoencoder as bench
from playground.data.base import Table


@pytest.fixture
def random_images(monkeypatch, tmp_path):
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    with bench.images():
        yield


def test_random_images_stand_in_and_leave_again(random_images, tmp_path):
    assert os.environ["PLAYGROUND_DATA"] != str(tmp_path)
    with bench.images():  # those that are there are taken
        pass
    _, loop = bench.vae()
    assert isinstance(loop.data, Table)
    assert loop.data.on("cpu")[0].x.shape == (8000, 1, 28, 28)


def test_the_two_vaes_are_one_model(random_images):
    epoch, loop = bench.vae()
    mine, theirs = loop.family, epoch.__self__.model
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in mine.net.parameters())
    x = bench.training_images(loop)[:8]
    y, mean, log_variance = theirs(x.flatten(1))
    torch.testing.assert_close(mean, mine.encode(x), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close((0.5 * log_variance).exp(), mine.spread(x), atol=1e-5, rtol=1e-4)
    assert 0 < y.min().item() < y.max().item() < 1


def test_the_two_convolutional_nets_are_one_model(random_images):
    _, loop = bench.convolutional()
    x = bench.training_images(loop)[:8]
    family = loop.family
    net = torch.nn.Sequential(*bench.plain(family.encoder), *bench.plain(family.decoder))
    torch.testing.assert_close(net(x).detach(), family.decode(family.encode(x)), atol=1e-5, rtol=1e-4)
