"""Scores of image generators: planted samplers whose faults are known, and a GAN's loop that measures itself."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from planted import held_out, memorised, only, single

from playground.data import dataset
from playground.diagnostics.image_panel import ImagePanel
from playground.engine.loop import Loop
from playground.experiment import Experiment


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def panel() -> ImagePanel:
    return ImagePanel(dataset("digits")(), 0)


def test_held_out_items_score_within_every_floor(panel: ImagePanel) -> None:
    scores, floors = panel.score(held_out(panel.data), 1), panel.floors()
    outside = {name: v for name, v in scores.items() if not floors[name].low <= v <= floors[name].high}
    assert not outside
    assert set(floors) == set(scores) | {"d/accuracy"}


def test_three_digits_are_three_classes(panel: ImagePanel) -> None:
    scores, floors = panel.score(only(panel.data, 2, 3, 7), 1), panel.floors()
    assert scores["class/covered"] == 3
    assert scores["class/entropy"] == pytest.approx(math.log(3), abs=0.1)
    assert scores["class/kl"] == pytest.approx(math.log(10 / 3), abs=0.1)
    assert scores["prdc/precision"] > 0.9
    assert scores["prdc/recall"] < 0.6
    for name in ("dist/fid", "dist/kid", "class/kl"):
        assert scores[name] > floors[name].high


def test_one_image_is_all_alike(panel: ImagePanel) -> None:
    scores = panel.score(single(panel.data), 1)
    assert scores["class/covered"] == 1
    assert scores["diversity/ssim"] == pytest.approx(1)
    assert scores["diversity/pixels"] == pytest.approx(0, abs=1e-3)
    assert scores["prdc/coverage"] < 0.05


def test_training_items_are_copies_and_held_out_ones_are_not(panel: ImagePanel) -> None:
    assert panel.score(memorised(panel.data), 1)["copies/share"] == 1
    assert panel.score(held_out(panel.data), 1)["copies/share"] < 0.03


def test_a_gan_measures_itself_and_measuring_changes_nothing() -> None:
    experiment = Experiment(dataset="digits", score_every=10).changed(g_width=16, d_width=16, batch=16)
    loop, other = Loop(experiment), Loop(experiment.changed(score_every=1000))
    for each in (loop, other):
        each.advance(20)
        each.flush()
    assert loop.metrics == other.metrics
    row = loop.scores[-1]
    assert {"class/0", "class/covered", "prdc/density", "dist/fid", "diversity/ssim", "copies/share"} <= set(row)
    assert {"d/accuracy", "d/real", "d/fake"} <= set(row)
    again = Loop(experiment)
    again.advance(20)
    assert list(again.scores) == list(loop.scores)
    torch.manual_seed(1)
    assert loop.panel.score(loop.family, 20) == {k: v for k, v in row.items() if k != "step"}
