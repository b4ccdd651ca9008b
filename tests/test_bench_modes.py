"""The table of remedies: intervals, recipes that are valid and differ in the remedy alone, rows that say all of it."""

import math

import pytest

from playground import bench_modes
from playground.bench_modes import DATA, RECIPES, REMEDIES
from playground.experiment import Experiment
from playground.intervals import Interval, interval


def test_interval_is_students_t():
    """Mean 3, s = √2.5, t(0.975, 4) = 2.776: 3 ± 1.963."""
    found = interval([1, 2, 3, 4, 5], -10, 10)
    assert (found.mean, found.low, found.high) == pytest.approx((3, 3 - 1.9632, 3 + 1.9632), abs=1e-4)


def test_interval_is_cut_at_what_is_possible_and_is_the_value_where_there_is_one():
    assert interval([7, 8, 8], 0, 8).high == 8
    assert interval([0.4], 0, 1) == Interval(0.4, 0.4, 0.4)
    assert interval([8, 8, 8], 0, 8) == Interval(8, 8, 8)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("remedy", REMEDIES)
def test_remedies_are_settings_that_act_and_change_nothing_else(recipe, remedy):
    plain = Experiment().changed(**RECIPES[recipe])
    cured = plain.changed(**REMEDIES[remedy])
    different = {f for f in plain.knobs() if plain.value(f) != cured.value(f)}
    assert different == {f for f, v in REMEDIES[remedy].items() if plain.value(f) != v}
    assert bool(different) == (remedy != "plain")
    assert all(cured.knobs()[field].matters(cured.model, "points") for field in different)


def test_the_recipe_that_is_printed_is_the_one_in_use():
    words = bench_modes.said("steep", RECIPES["steep"], 2000, 5)
    model = Experiment().changed(**RECIPES["steep"]).model
    assert f"G {model.noise_dim}-{model.g_width}-{model.g_width}-2" in words
    assert f"D 2-{model.d_width}-{model.d_width}-1" in words
    assert model.g_depth == model.d_depth == 2
    assert (model.activation, model.init, model.loss) == ("relu", "kaiming", "non-saturating")
    assert (model.optimiser_d, model.optimiser_g, model.beta1, model.beta2) == ("adam", "adam", 0.5, 0.999)
    assert f"lr D {model.lr_d:g}, G {model.lr_g:g}, batch {model.batch}" in words
    assert "2,000 steps, 5 seeds" in words


def test_rows_tell_every_remedy_on_every_mixture(monkeypatch):
    monkeypatch.setattr(bench_modes, "REMEDIES", {"plain": {}, "R1 0.1": REMEDIES["R1 0.1"]})
    rows = list(bench_modes.modes(steps=3, seeds=2))
    heads, cells = [r for r in rows if r["value"] is None], [r for r in rows if r["value"] is not None]
    assert len(heads) == len(RECIPES)
    assert [(r["recipe"], r["data"], r["remedy"]) for r in cells] == [
        (recipe, data, remedy) for recipe in RECIPES for data in DATA for remedy in ("plain", "R1 0.1")
    ]
    for row in cells:
        for name in ("modes", "sharp", "tv", "reverse_kl"):
            mean, low, high = row[name]
            assert low <= mean <= high
        assert row["value"] == row["modes"][0]
        assert (row["steps"], row["seeds"]) == (3, 2)


def test_a_run_that_diverges_counts_as_no_mode(monkeypatch):
    wild = {"optimiser_d": "sgd", "optimiser_g": "sgd", "lr_d": 1.0, "lr_g": 1.0}
    monkeypatch.setitem(bench_modes.REMEDIES, "wild", wild)
    cell = bench_modes.cell("even", "ring8", "wild", 200, 1)
    assert (cell["modes"][0], cell["tv"][0]) == (0, 1)
    assert cell["reverse_kl"][0] == pytest.approx(math.log(8))
