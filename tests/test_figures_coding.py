"""Curves of models that code: training and held-out apart, PCA the line to beat, a strip of KL with dead rows below."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from playground.experiment import Experiment
from playground.families.base import Piece
from playground.figures import coding
from playground.figures.coding_curves import CURVES
from playground.figures.curves import History, Style
from playground.figures.diagram import diagram
from playground.figures.pictures import pictures, sheet, uri


def history(**more: float) -> History:
    train = {"step": np.arange(50) * 10, "loss/recon": np.linspace(9, 3, 50), "loss/kl": np.linspace(0.1, 2, 50)}
    train |= {"grad/all": np.ones(50)}
    score = {"train/recon": 3.0, "held/recon": 3.5, "train/mse": 0.02, "held/mse": 0.03, "pca/mse": 0.05}
    score |= {"kl/0": 0.0, "kl/1": 2.5, "kl/2": 0.4, "held/elbo": -80.0, "held/iw": -78.0, "code/active": 2} | more
    return History.of(Experiment(), train, [{"step": 250 * (i + 1)} | score for i in range(4)])


def names(figure: Any) -> list[str]:
    return [trace.name for trace in figure.data if trace.name]


@pytest.mark.parametrize("name", CURVES)
def test_every_curve_is_an_empty_frame_before_the_first_value_and_draws_after(name: str) -> None:
    curve = CURVES[name]
    assert curve.draw(History(), Style()).layout.annotations[0].text == "No values yet"
    assert curve.draw(history(), Style(log=True, smooth=0.5)).layout.height == Style().height
    assert curve.about.endswith(".")


def test_pca_is_the_dotted_line_to_beat() -> None:
    figure = CURVES["errors"].draw(history(), Style())
    line = next(trace for trace in figure.data if trace.name.startswith("PCA"))
    assert set(line.y) == {0.05}
    assert line.line.dash == "dot"
    assert {"training items", "held-out items"} <= set(names(figure))


def test_the_unit_of_a_loss_is_its_own() -> None:
    assert "nats" in CURVES["losses"].draw(history(), Style()).layout.yaxis.title.text
    squared = History(history().train, history().scores, loss="mse")
    assert "squared error" in CURVES["losses"].draw(squared, Style()).layout.yaxis.title.text


def test_the_strip_puts_the_busiest_coding_on_top_and_names_it() -> None:
    strip = CURVES["kl"].draw(history(), Style()).data[0]
    assert np.array(strip.z)[:, -1].tolist() == [0.0, 0.4, 2.5]
    assert np.array(strip.customdata)[:, -1].tolist() == [1, 3, 2]


def test_figures_of_one_moment() -> None:
    rng = np.random.default_rng(0)
    errors, labels = rng.random(50), np.arange(50) % 3
    histogram = coding.error_histogram(errors, {"mean": 0.5, "PCA": 0.7}, Style())
    assert sum(histogram.data[0].y) == 50
    assert [shape.x0 for shape in histogram.layout.shapes] == [0.5, 0.7]
    hard = coding.class_errors([1.0, 3.0, 2.0], [0, 1, 2], ("a", "b", "c"), Style())
    assert list(hard.data[0].y) == ["a", "c", "b"]
    assert list(coding.class_counts(labels, ("a", "b", "c"), Style()).data[0].y) == [17, 17, 16]
    assert len(coding.cloud(rng.random((50, 3)), rng.random((50, 3)), errors, Style()).data) == 2


def test_all_codes_together_are_as_wide_as_the_prior_where_they_agree() -> None:
    codes, spread = np.random.default_rng(0).normal(0, 0.6, (20_000, 2)), np.full((20_000, 2), 0.8)
    figure = coding.posterior(codes, spread, True, Style())
    assert figure.data[0].error_y.array == pytest.approx([1, 1], abs=0.02)
    assert len(figure.layout.shapes) == 1
    assert not coding.posterior(codes, None, False, Style()).layout.shapes


def test_items_of_any_kind_have_pictures() -> None:
    grey, colour = np.full((2, 1, 5, 4), 0.5), np.stack([np.ones((5, 4)), np.zeros((5, 4)), np.zeros((5, 4))])[None]
    assert pictures(grey, "images").tolist() == np.full((2, 5, 4, 3), 128).tolist()
    assert pictures(colour, "images")[0, 0, 0].tolist() == [255, 0, 0]
    line = pictures(np.zeros((1, 30, 1)), "sequences")[0]
    assert line[len(line) // 2].max() > 150
    assert line[0].max() == 0
    assert pictures(np.array([[1.0, 0, -1]]), "cloud").shape == (1, 48, 48, 3)
    assert sheet(pictures(grey, "images"), 2, gap=1).shape == (5, 9, 4)
    assert uri(pictures(grey, "images")[0]).startswith("data:image/png;base64,")


def test_a_diagram_is_as_high_as_the_layers_are_wide_and_escapes_names() -> None:
    told = diagram(
        [Piece("item", "Own <b>", (1, 8, 8)), Piece("encoder", "Linear", (16,), 1040), Piece("code", "", (2,))]
    )
    heights = [int(h) for h in re.findall(r"height:(\d+)px", told)]
    assert heights == sorted(heights, reverse=True)
    assert "1,040 weights" in told
    assert "<b>" not in told.split("Own ")[1][:4]


def test_charges_that_a_model_does_not_pay_are_not_drawn() -> None:
    assert set(names(CURVES["charges"].draw(history(), Style()))) == {"KL of codes to the prior"}
