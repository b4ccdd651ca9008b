"""Runs held side by side: the figure of a metric, the settings that differ, and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from playground.experiment import Experiment
from playground.figures import comparison, palette
from playground.figures.chart import Style
from playground.figures.comparison import Course
from playground.store import RunFolder
from tests.fakes import FakeEngine
from tests.page_room import ROUTER, shows


def course(name, last, n=5):
    return Course(name, np.linspace(0, last, n).astype(np.int64), np.linspace(1.0, 2.0, n))


def lines(figure):
    return [trace for trace in figure.data if trace.hoverinfo != "skip"]


def test_each_run_has_a_colour_of_its_own_and_keeps_it_where_another_lacks_the_metric():
    both = lines(comparison.overlay("loss/d", [course("a", 100), course("b", 50)], Style()))
    assert [trace.name for trace in both] == ["a", "b"]
    assert [trace.line.color for trace in both] == list(palette.CLASSES[:2])
    (alone,) = lines(comparison.overlay("loss/d", [None, course("b", 50)], Style()))
    assert alone.line.color == palette.CLASSES[1]
    assert len({comparison.look(i) for i in range(12)}) == 12


def test_runs_of_other_lengths_are_stretched_over_each_other():
    figure = comparison.overlay("loss/d", [course("a", 100), course("b", 40)], Style(), against="share")
    assert [list(trace.x) for trace in lines(figure)] == [[0, 0.25, 0.5, 0.75, 1]] * 2
    assert figure.layout.xaxis.title.text == "share of the run"


def test_steps_may_be_logarithmic_and_step_0_is_left_out_of_view():
    figure = comparison.overlay("loss/d", [course("a", 1000, 11)], Style(), log_x=True)
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.range == pytest.approx((2 - 0.02, 3 + 0.02))


def test_only_what_differs_is_told():
    first = Experiment(seed=1)
    assert comparison.differences([first, first]) == []
    second = first.changed(seed=2, lr_d=0.002, spectral=True)
    assert {row.label: row.values for row in comparison.differences([first, second])} == {
        "Spectral norm": ("no", "yes"), "Learning rate D": ("0.001", "0.002"), "Seed": ("1", "2"),
    }  # fmt: skip


def test_other_models_and_data_are_told_first():
    told = comparison.differences([Experiment(), Experiment.of("vae")])
    assert [row.label for row in told[:2]] == ["Model", "Data"]
    assert told[0].values == ("gan", "vae")
    assert ("", "1") in {row.values for row in told if row.label == "β"}


# -- the page ---------------------------------------------------------------------------------------------------------


def page() -> AppTest:
    at = AppTest.from_file(ROUTER, default_timeout=60).run()
    return shows(at.switch_page("compare.py").run())


def on_disk(engine: FakeEngine, root: Path, **values) -> str:
    folder = RunFolder.create(root, Experiment().changed(**values))
    folder.acquire()
    folder.append_train([1, 2, 3], [{"loss/d": 1.4, "loss/g": 0.7}] * 3)
    folder.append_scores(3, {"modes/eight_percent": 5})
    folder.save_keyframe(3, {"x": torch.zeros(1)}, folder.experiment())
    folder.release()
    return engine.keep(folder)


def test_with_fewer_than_two_runs_it_says_what_will_be_here(engine: FakeEngine, tmp_path: Path) -> None:
    on_disk(engine, tmp_path)
    at = page()
    assert any("It takes two runs" in element.value for element in at.caption)


def test_curves_of_two_runs_and_what_they_differ_in(engine: FakeEngine, tmp_path: Path) -> None:
    runs = [on_disk(engine, tmp_path, seed=seed) for seed in (1, 2)]
    at = page()
    assert at.multiselect(key="compared").value == runs
    charts = at.get("plotly_chart")
    assert len(charts) == 2
    assert charts[0].proto.spec.count('"name":') >= 2
    assert any("Seed" in str(element.proto) for element in at.get("html"))
    at = shows(at.multiselect(key="compared").set_value(runs[:1]).run())
    assert any("same settings" in element.value for element in at.markdown)
    for key, value in (("compare-log", True), ("compare-log-x", True)):
        at = shows(at.toggle(key=key).set_value(value).run())
    for against in ("share", "time"):
        at = shows(at.segmented_control(key="against").select(against).run())


def test_a_run_deleted_meanwhile_is_left_out(engine: FakeEngine, tmp_path: Path) -> None:
    runs = [on_disk(engine, tmp_path, seed=seed) for seed in (1, 2, 3)]
    at = page()
    at = shows(at.multiselect(key="compared").set_value(runs).run())
    engine.delete(runs[1])
    at = shows(at.run())
    assert at.multiselect(key="compared").value == [runs[0], runs[2]]
