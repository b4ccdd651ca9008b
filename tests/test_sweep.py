"""A sweep before and after it runs: its combinations, what they cost, what lies on disk, what came of it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from engine_room import tiny

from playground.config import ConfigError
from playground.experiment import Experiment
from playground.store import StoreError, sweeps
from playground.store.sweeps import Goal, Measured, Result
from playground.sweep_cost import Speed, estimate, representatives, room, speed, total
from playground.sweep_goals import goal, goals, read
from playground.sweep_plan import MOST, fields, parse, plan, said, spread
from playground.sweep_results import View, came_to, left_out, number, ranked, spots, table, told

LOSSES = ["non-saturating", "hinge"]
UP = Goal(metric="modes/hq", higher=True)
COUNT = Goal(metric="modes/covered", higher=True)
DOWN = Goal(metric="dist/js", higher=False)


def measured(last, low=None, high=None):
    return Measured(last=last, low=last if low is None else low, high=last if high is None else high, smoothed=last)


def result(last, failed=False):
    found = {"modes/hq": measured(last, high=last + 1), "modes/covered": measured(last)}
    return Result(
        failed=failed, step=500, verdict="diverged" if failed else "healthy", sentence="So it went.", metrics=found
    )


def filled(*results, seeds=1, **vary):
    """A sweep whose first runs have these results."""
    sweep = plan(tiny(), vary or {"loss": LOSSES}, seeds=seeds, steps=500).sweep()
    for i, found in enumerate(results):
        sweep = sweep.with_cell(i, result=found, run=f"ring8-{i:08x}")
    return sweep


# -- the grid ---------------------------------------------------------------------------------------------------------


def test_a_grid_is_every_combination_and_seeds_come_last():
    made = plan(tiny(), {"loss": LOSSES, "lr_g": [1e-4, 1e-3, 1e-2]}, seeds=2, steps=500)
    assert made.combinations == tuple((loss, lr) for loss in LOSSES for lr in (1e-4, 1e-3, 1e-2))
    assert (made.runs, made.grid, made.left_out) == (12, 6, ())
    cells = made.sweep().cells
    assert [cell.seed for cell in cells] == [3] * 6 + [4] * 6  # the base's own seed is the first
    assert [cell.values for cell in cells[:6]] == [cell.values for cell in cells[6:]]


def test_a_run_differs_from_the_base_in_its_values_and_its_schedule_alone():
    base = tiny(score_every=500)
    made = plan(base, {"lr_g": [1e-3]}, seeds=1, steps=1200).experiment((1e-3,), 9)
    assert (made.value("lr_g"), made.seed, made.steps) == (1e-3, 9, 1200)
    assert made.steps % made.score_every == 0  # measured at the very end
    back = made.changed(
        lr_g=base.value("lr_g"), seed=base.seed, steps=0, score_every=500, keyframe_every=base.keyframe_every
    )
    assert back == base


def test_what_has_no_effect_or_cannot_be_is_left_out_with_its_reason():
    made = plan(tiny(), {"penalty": ["none", "r1"], "penalty_weight": [0.1, 1.0, 10.0]}, steps=500)
    assert made.combinations == (("none", 0.1), ("r1", 0.1), ("r1", 1.0), ("r1", 10.0))
    assert [out.values for out in made.left_out] == [("none", 1.0), ("none", 10.0)]
    assert "no effect" in made.left_out[0].reason
    clash = plan(Experiment.of("autoencoder").on("sines"), {"loss": ["mse", "bce"]}, steps=500)
    (out,) = clash.left_out
    assert out.values == ("bce",)
    assert "Cross-entropy compares images" in out.reason


def test_the_data_set_may_vary_too():
    made = plan(tiny(), {"dataset": ["ring8", "moons"]}, steps=500)
    assert [made.experiment(values, 0).dataset for values in made.combinations] == ["ring8", "moons"]
    assert said(tiny(), "dataset", "moons") != "moons"


def test_a_random_part_is_of_the_grid_in_its_order_and_the_same_for_the_same_seed():
    vary = {"lr_g": [1e-4, 1e-3, 1e-2], "lr_d": [1e-4, 1e-3, 1e-2]}
    whole = plan(tiny(), vary, steps=500).combinations
    first, again, other = (plan(tiny(), vary, steps=500, pick=4, pick_seed=s).combinations for s in (1, 1, 5))
    assert first == again != other
    assert len(first) == 4
    assert list(first) == sorted(first, key=whole.index)


@pytest.mark.parametrize(
    ("vary", "more", "words"),
    [
        ({}, {}, "1 to 4 settings"),
        ({"lr_x": [1.0]}, {}, "no setting 'lr_x'"),
        ({"seed": [1, 2]}, {}, "no setting 'seed'"),
        ({"lr_g": []}, {}, "no values"),
        ({"lr_g": [1e9]}, {}, "it takes a number from"),
        ({"batch": [16.5]}, {}, "whole number"),
        ({"loss": ["best"]}, {}, "it takes one of"),
        ({"lr_g": [float("nan")]}, {}, "is no number"),
        ({"lr_g": [1e-3]}, {"seeds": 6}, "1 to 5 seeds"),
        ({"lr_g": [1e-3]}, {"steps": 5}, "10 to 1,000,000"),
    ],
)
def test_what_cannot_be_planned_is_told_in_one_sentence(vary, more, words):
    with pytest.raises(ConfigError, match=words) as told:
        plan(tiny(), vary, **({"steps": 500} | more))
    assert str(told.value).count("\n") == 0


def test_absurd_sizes_are_refused_before_anything_is_built():
    rates = [i * 1e-5 for i in range(1, 24)]
    with pytest.raises(ConfigError, match=f"529 runs, and a sweep takes at most {MOST}"):
        plan(tiny(), {"lr_g": rates, "lr_d": rates}, steps=500).sweep()
    many = [i * 1e-6 for i in range(1, 400)]
    with pytest.raises(ConfigError, match="159,201 combinations"):
        plan(tiny(), {"lr_g": many, "lr_d": many}, steps=500)


def test_values_are_read_as_a_person_writes_them():
    known = fields(tiny())
    assert parse(known["lr_g"], "1e-4, 1e-3") == (1e-4, 1e-3)
    assert parse(known["lr_g"], "1e-4..1e-2 x 3") == (1e-4, 1e-3, 1e-2)
    assert parse(known["batch"], "16..64 x 3") == (16, 32, 64)  # batch has a log slider
    assert parse(known["spectral"], "yes,no") == (True, False)
    assert spread(known["beta1"], 0.0, 1.0, 5, log=False) == (0.0, 0.25, 0.5, 0.75, 1.0)
    for text in ("1e-2..1e-4 x 3", "a..b", "1..2 x 99"):
        with pytest.raises(ConfigError):
            parse(known["lr_g"], text)


# -- what it costs ----------------------------------------------------------------------------------------------------


def test_the_cost_is_the_arithmetic_of_what_was_measured():
    made = plan(tiny(), {"loss": LOSSES, "lr_g": [1e-4, 1e-3, 1e-2]}, seeds=2, steps=1000)  # 12 runs
    one, two = Speed(step=0.001, score=0.01, bytes=1000), Speed(step=0.003, score=0.03, bytes=3000)
    found = total(made, [one, two], workers=2)
    assert (found.runs, found.steps, found.workers) == (12, 12_000, 2)
    assert found.per_second == pytest.approx(500)
    assert found.seconds == pytest.approx(12 / 2 * (1000 * 0.002 + 2 * 0.02 + 0.6))
    moments = 1 + 8  # one at the start, then eight on the way
    assert found.bytes == 12 * (moments * 3000 + (100 + 200) * 160 + 540_000)
    assert total(made, [one], workers=64).workers == 12  # no more than there are runs


def test_what_is_timed_covers_what_decides_the_work_and_no_learning_rate():
    wide = plan(tiny(), {"g_width": [8, 16, 32, 64, 128, 256], "lr_g": [1e-4, 1e-3]}, steps=500)
    assert [e.value("g_width") for e in representatives(wide)] == [8, 32, 64, 256]
    assert len(representatives(plan(tiny(), {"lr_g": [1e-4, 1e-3]}, steps=500))) == 1


def test_an_estimate_is_measured_on_this_machine():
    made = plan(tiny(), {"lr_g": [1e-4, 1e-3]}, steps=500)
    found = estimate(made, workers=2)
    assert found.seconds > 0
    assert 10_000 < found.bytes / found.runs < 2_000_000
    wild = tiny(loss="least-squares", optimiser_d="sgd", optimiser_g="sgd", lr_d=1.0, lr_g=1.0)
    assert speed(wild).step > 0  # one that diverges while it is timed


def test_a_disk_without_room_is_told(tmp_path):
    room(tmp_path / "not" / "yet", 1000)
    with pytest.raises(ConfigError, match="GB free"):
        room(tmp_path, 2**62)


# -- goals ------------------------------------------------------------------------------------------------------------


def test_each_kind_of_experiment_has_goals_of_its_own():
    assert goal(tiny()).metric == "modes/eight_percent"
    assert goal(Experiment().on("moons")).metric == "prdc/coverage"
    assert goal(Experiment.of("autoencoder")).higher is False
    assert "grad/d" in goals(Experiment().on("dirac"))
    with pytest.raises(ConfigError, match="cannot be ranked by 'loss/g'"):
        goal(tiny(), "loss/g")


def test_a_metric_is_read_as_its_last_its_ends_and_the_mean_of_its_last_quarter():
    rows = [{"step": s, "modes/hq": v} for s, v in enumerate([0.5, 0.9, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8])]
    found = read({}, [*rows, {"step": 99, "modes/hq": None}], "modes/hq")
    assert (found.last, found.low, found.high, found.smoothed) == (0.8, 0.1, 0.9, 0.7)
    assert read({}, rows, "dist/js") is None
    up, down = (Goal(metric="m", reading="best", higher=higher) for higher in (True, False))
    whole = Result(step=1, verdict="", sentence="", metrics={"m": found})
    assert (whole.number(up), whole.number(down)) == (0.9, 0.1)


# -- on disk ----------------------------------------------------------------------------------------------------------


def test_a_sweep_is_read_as_it_was_written(tmp_path):
    sweep = filled(result(0.5), None, loss=LOSSES, spectral=[True, False], batch=[16, 32], lr_g=[1.0e-3, 1.0])
    sweeps.write(tmp_path, sweep)
    again = sweeps.read(tmp_path, sweep.id)
    assert again == sweep
    assert [type(v) for v in again.cells[0].values] == [str, bool, int, float]
    assert again.cells[-1].values == ("hinge", False, 32, 1.0)
    assert sweeps.ids(tmp_path) == [sweep.id]
    sweeps.delete(tmp_path, sweep.id)
    assert sweeps.ids(tmp_path) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: text.replace('"steps":500', '"steps":"many"'),
        lambda text: text.replace('"field":"loss"', '"field":"lossy"'),
        lambda text: text.replace('"family":"gan"', '"family":"nag"'),
        lambda text: text.replace("sweep-", "sweep-0", 1),
    ],
)
def test_a_damaged_sweep_is_told_in_one_sentence(tmp_path, damage):
    sweep = filled()
    sweeps.write(tmp_path, sweep)
    file = tmp_path / "sweeps" / f"{sweep.id}.json"
    file.write_text(damage(file.read_text()))
    with pytest.raises(StoreError, match="cannot be read") as told:
        sweeps.read(tmp_path, sweep.id)
    assert "\n" not in str(told.value)


def test_what_is_no_id_and_what_is_not_there_are_told(tmp_path):
    for wrong in ("../../etc/passwd", "ring8-00000000", "sweep-00000000"):
        with pytest.raises(StoreError):
            sweeps.read(tmp_path, wrong)


def test_one_process_drives_a_sweep(tmp_path: Path):
    mine = sweeps.drive(tmp_path, "sweep-00000000")
    assert sweeps.driven(tmp_path, "sweep-00000000")
    assert sweeps.drive(tmp_path, "sweep-00000000") is None
    mine.release()
    assert not sweeps.driven(tmp_path, "sweep-00000000")


# -- what came of it --------------------------------------------------------------------------------------------------


def test_spots_gather_runs_over_seeds_and_other_settings():
    sweep = filled(result(1.0), result(2.0), result(3.0), None, loss=LOSSES, lr_g=[1e-4, 1e-3])
    whole = spots(sweep, ["loss", "lr_g"], UP)
    assert [s.mean for s in whole.values()] == [1.0, 2.0, 3.0, None]
    over = spots(sweep, ["loss"], UP)
    assert over[("non-saturating",)].mean == pytest.approx(1.5)
    assert (over[("hinge",)].mean, over[("hinge",)].waiting) == (3.0, 1)
    best = spots(sweep, ["loss"], UP.model_copy(update={"reading": "best"}))
    assert best[("non-saturating",)].mean == pytest.approx(2.5)


def test_the_interval_over_seeds_is_students():
    spot = spots(filled(*(result(v) for v in (1.0, 2.0, 3.0)), seeds=3, lr_g=[1e-3]), ["lr_g"], COUNT)[(1e-3,)]
    assert spot.interval.mean == pytest.approx(2.0)
    assert spot.interval.low == 0  # a count is no less
    assert spot.interval.high == pytest.approx(2.0 + 4.302653 / 3**0.5)  # t with 2 degrees of freedom


def test_ranks_follow_the_goal_and_a_combination_that_failed_under_a_seed_stands_behind():
    rates = [1e-4, 1e-3, 1e-2]
    results = [result(1.0), result(9.0), result(2.0), result(1.0), result(0.0, failed=True), result(2.0)]
    sweep = filled(*results, seeds=2, lr_g=rates)
    assert [s.values[0] for s in ranked(sweep, UP)] == [1e-2, 1e-4, 1e-3]
    lower = Goal(metric="modes/hq", higher=False)
    assert [s.values[0] for s in ranked(sweep, lower)] == [1e-4, 1e-2, 1e-3]
    assert ranked(sweep, DOWN) == []  # never measured


def test_runs_are_told_in_words():
    sweep = filled(result(0.5), result(0.0, failed=True), seeds=2, loss=LOSSES)
    assert came_to(sweep.cells[0], UP) == "0.5 · healthy"
    assert came_to(sweep.cells[1], UP) == "diverged"
    assert came_to(sweep.cells[2], UP) == "not trained yet"
    assert told(sweep, sweep.cells[0]).endswith("seed 3")
    assert [number(v) for v in (8.0, 0.12345, 1234.0)] == ["8", "0.123", "1,234"]
    assert View(sweep, UP).at == {}


def test_why_there_is_no_run_is_known():
    sweep = plan(tiny(), {"penalty": ["none", "r1"], "penalty_weight": [0.1, 1.0]}, steps=500).sweep()
    assert "no effect" in left_out(sweep, ["penalty", "penalty_weight"], ("none", 1.0))
    assert left_out(sweep, ["penalty", "penalty_weight"], ("r1", 1.0)) == ""


def test_the_table_has_a_line_a_run_with_all_that_was_measured():
    sweep = filled(result(0.5), result(0.0, failed=True), loss=LOSSES)
    first, second = csv.DictReader(io.StringIO(table(sweep).decode()))
    assert (first["loss"], first["seed"], first["state"], first["verdict"]) == (
        "non-saturating", "3", "finished", "healthy"
    )  # fmt: skip
    assert (first["modes/hq last"], first["modes/hq high"]) == ("0.5", "1.5")
    assert second["state"] == "failed"
