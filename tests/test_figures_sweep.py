"""Figures of a sweep: every place is drawn from the start, what came of it fills in, better is brighter."""

from __future__ import annotations

import pytest
from engine_room import tiny

from playground.figures import palette
from playground.figures import sweep as figures
from playground.store.sweeps import Goal, Measured, Result
from playground.sweep_plan import plan
from playground.sweep_results import View

UP = Goal(metric="modes/hq", higher=True)
DOWN = Goal(metric="modes/hq", higher=False)
LOSSES, RATES = ["non-saturating", "hinge"], [1e-4, 1e-3, 1e-2]


def result(value, failed=False):
    found = {} if failed else {"modes/hq": Measured(last=value, low=value, high=value, smoothed=value)}
    return Result(
        failed=failed, step=100, verdict="diverged" if failed else "healthy", sentence="So it went.", metrics=found
    )


def view(*results, goal=UP, at=None, seeds=1, **vary):
    sweep = plan(tiny(), vary or {"loss": LOSSES, "lr_g": RATES}, seeds=seeds, steps=100).sweep()
    for i, found in enumerate(results):
        sweep = sweep.with_cell(i, result=found, run=f"ring8-{i:08x}")
    return View(sweep, goal, at or {})


def texts(figure):
    """What is written into the cells, by (x, y)."""
    return {(note.x, note.y): note.text for note in figure.layout.annotations}


def test_a_heat_map_has_every_place_from_the_start_and_fills():
    empty = figures.heat(view(), "lr_g", "loss")
    full = figures.heat(view(result(0.1), result(0.2), None, result(0.3)), "lr_g", "loss")
    for figure in (empty, full):
        assert list(figure.layout.xaxis.ticktext) == ["0.0001", "0.001", "0.01"]
        assert list(figure.layout.yaxis.ticktext) == ["non-saturating", "hinge"]
        assert figure.layout.xaxis.range == (-0.5, 2.5)
        assert [trace.type for trace in figure.data] == ["heatmap", "heatmap", "scatter"]
    assert empty.layout.height == full.layout.height
    assert [list(row) for row in empty.data[1].z] == [[None] * 3] * 2
    assert [list(row) for row in full.data[1].z] == [[0.1, 0.2, None], [0.3, None, None]]
    assert (full.data[1].zmin, full.data[1].zmax) == (0.1, 0.3)
    assert texts(full)[0, 0] == "0.1"
    assert texts(full)[2, 0] == ""


def test_what_is_under_way_failed_or_left_out_is_told_apart():
    figure = figures.heat(view(result(0.5), result(0, failed=True), at={2: 0.42}), "lr_g", "loss")
    assert [texts(figure)[i, 0] for i in range(3)] == ["0.5", "×", "42 %"]
    figure = figures.heat(view(penalty=["none", "r1"], penalty_weight=[0.1, 1.0]), "penalty_weight", "penalty")
    assert texts(figure)[1, 0] == "–"
    assert "no effect" in figure.data[2].hovertext[2]  # places go column by column
    assert list(figure.data[2].customdata) == [0, 1, -1, 2]


def test_a_cell_is_the_mean_over_seeds_and_settings_and_says_each_run():
    results = result(0.2), result(0.4), result(0, failed=True)
    (text,) = texts(figures.heat(view(*results, seeds=3, loss=["hinge"], lr_g=[1e-3]), "lr_g", "loss")).values()
    assert text == "0.3<br>× 1"
    hover = figures.line(view(*results, seeds=3, loss=["hinge"]), "loss").data[-2].hovertext[0]
    assert "seed 3: 0.2 · healthy" in hover
    assert "seed 5: diverged" in hover
    assert "mean 0.3" in hover


def test_bright_is_better_whichever_way_the_metric_points():
    up, down = (figures.heat(view(result(0.1), result(0.9), goal=goal), "lr_g", "loss") for goal in (UP, DOWN))
    assert (up.data[1].reversescale, down.data[1].reversescale) == (False, True)
    assert "higher is better" in up.data[1].colorbar.title.text
    assert "lower is better" in down.data[1].colorbar.title.text
    best_up, best_down = up.layout.annotations[2], down.layout.annotations[0]
    assert best_up.text == "0.9"
    assert best_up.font.color == best_down.font.color == palette.ink_on(palette.VALUES[-1])


def test_text_stands_out_on_every_colour_of_the_scale():
    def light(colour):
        channels = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in palette.rgb(colour)]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))

    for share in (i / 50 for i in range(51)):
        ground = palette.along(share)
        a, b = sorted((light(ground), light(palette.ink_on(ground))))
        assert (b + 0.05) / (a + 0.05) > 4.0
    assert palette.along(0) == palette.VALUES[0]
    assert palette.along(1) == palette.VALUES[-1]


def test_a_line_goes_through_the_means_with_their_interval_and_every_run():
    values = [result(v) for v in (0.1, 0.2, 0.3)] + [result(v) for v in (0.3, 0.4, 0.5)]
    figure = figures.line(view(*values, seeds=2, lr_g=RATES), "lr_g")
    band, mean, runs, failed = figure.data
    assert list(mean.x) == RATES
    assert list(mean.y) == pytest.approx([0.2, 0.3, 0.4])
    assert figure.layout.xaxis.type == "log"
    assert band.fill == "toself"
    assert (min(band.y), max(band.y)) == (0, 1)  # a share can be no less and no more
    assert len(runs.x) == 6
    assert set(runs.customdata) == set(range(6))
    assert len(failed.x) == 0


def test_a_line_over_choices_joins_nothing_and_crosses_mark_failures():
    figure = figures.line(view(result(0.1), result(0, failed=True), loss=LOSSES), "loss")
    mean, runs, failed = figure.data
    assert mean.mode == "markers"
    assert list(figure.layout.xaxis.ticktext) == LOSSES
    assert (list(failed.x), list(runs.x)) == ([1], [0])
    assert failed.showlegend


def test_parallel_coordinates_have_an_axis_a_setting_and_one_for_the_goal():
    results = [result(v / 10) for v in range(8)]
    axes = {"loss": LOSSES, "lr_g": RATES[:2], "spectral": [True, False]}
    (lines,) = figures.parallel(view(*results, **axes)).data
    labels = [d.label.replace("<br>", " ") for d in lines.dimensions]
    assert labels == ["Loss", "Learning rate G", "Spectral norm", "share of sharp fakes"]
    assert list(lines.dimensions[2].ticktext) == ["on", "off"]
    assert list(lines.dimensions[3].values) == pytest.approx([v / 10 for v in range(8)])
    assert lines.dimensions[0].values[0] < lines.dimensions[0].values[3] < 0.5 < lines.dimensions[0].values[4]
    low, high = lines.dimensions[3].range
    assert low < high
    (down,) = figures.parallel(view(*results, goal=DOWN, **axes)).data
    low, high = down.dimensions[3].range
    assert low > high  # the best is at the top
    assert down.line.reversescale


def test_nothing_yet_is_a_frame_of_the_same_height():
    axes = {"loss": LOSSES, "lr_g": RATES[:2], "spectral": [True, False]}
    before, after = (figures.parallel(v) for v in (view(**axes), view(result(0.5), **axes)))
    assert before.layout.height == after.layout.height
    assert before.layout.annotations[0].text == "No values yet"
    assert figures.line(view(lr_g=RATES), "lr_g").layout.annotations[0].text == "No values yet"
    assert figures.ends([]) == (0.0, 1.0)
    assert figures.ends([2.0]) == (1.0, 3.0)
