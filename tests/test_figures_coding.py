"""Curves of models that code: training and held-out apart, PCA the line to beat, a strip of KL with dead rows below."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from playground.experiment import Experiment
from playground.figures.coding_curves import CURVES
from playground.figures.curves import History, Style


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


def test_charges_that_a_model_does_not_pay_are_not_drawn() -> None:
    assert set(names(CURVES["charges"].draw(history(), Style()))) == {"KL of codes to the prior"}
