"""Figures from arrays: thinning keeps peaks, smoothing is unbiased; theory, floors, edits stand where they should."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.diagnostics.panel import Floor
from playground.experiment import Experiment
from playground.figures import family_curves, palette
from playground.figures.chart import edits
from playground.figures.curves import CURVES, History, Style, decimate, draw, smooth

VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=400)


def history(n: int = 300, scores: int = 12, loss: str = "non-saturating", **more: Any) -> History:
    rng = np.random.default_rng(0)
    names = ("loss/d", "loss/g", "grad/d", "grad/g", "score/real", "score/fake")
    train = {"step": np.arange(n) * 10} | {name: rng.uniform(0.2, 1, n) for name in names}
    score = {"modes/covered": 5, "modes/hq": 0.8, "dist/js": 0.1, "dist/kl": 0.4, "dist/sw": 0.3, "dist/mmd": -0.001}
    score |= {"modes/one_percent": 5, "modes/eight_percent": 4, "d/accuracy": 0.6, "spread": 0.9, "spread/all": 1.0}
    score |= {f"mass/{i}": 0.1 for i in range(8)}
    floors = {"dist/js": Floor(0.0, 0.008, 0.012), "modes/hq": Floor(0.98889, 0.986, 0.993)}
    rows = [{"step": 250 * (i + 1)} | score for i in range(scores)]
    return History.of(Experiment().changed(loss=loss), train, rows, floors, more.pop("events", ()))


def named(figure: go.Figure, name: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name == name]


# -- series ----------------------------------------------------------------------------------------------------------


@given(VALUES, st.integers(4, 90))
@settings(max_examples=150, deadline=None)
def test_thinning_keeps_ends_and_extremes_in_order(values: list[float], width: int) -> None:
    steps = np.arange(len(values)) * 7
    x, y = decimate(steps, values, width)
    assert len(x) == len(y) <= max(width, min(len(values), width))
    assert (np.diff(x) > 0).all()
    assert (x[0], x[-1]) == (steps[0], steps[-1])
    lookup = dict(zip(steps.tolist(), values, strict=True))
    assert all(b == lookup[a] or (math.isnan(b) and math.isnan(lookup[a])) for a, b in zip(x.tolist(), y, strict=True))
    if not np.isnan(values).all():
        assert (np.nanmin(y), np.nanmax(y)) == (np.nanmin(values), np.nanmax(values))


def test_thinning_keeps_a_single_spike_among_a_million_points() -> None:
    values = np.zeros(1_000_000)
    values[123_456] = 9
    x, y = decimate(np.arange(1_000_000), values, 600)
    assert len(x) <= 600
    assert x[y == 9].tolist() == [123_456]


def test_thinning_leaves_short_series_alone_and_refuses_a_mismatch() -> None:
    assert decimate([1, 2], [3.0, 4.0])[1].tolist() == [3, 4]
    assert len(decimate([], [])[0]) == 0
    with pytest.raises(ValueError, match="one step a value"):
        decimate([1, 2], [1.0])
    with pytest.raises(ValueError, match="at least 4"):
        decimate([1], [1.0], 2)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=80), st.floats(0, 0.99))
@settings(max_examples=100, deadline=None)
def test_smoothing_is_the_bias_corrected_moving_average(values: list[float], weight: float) -> None:
    mean, mass, known = 0.0, 0.0, []
    for v in values:
        mean, mass = weight * mean + (1 - weight) * v, weight * mass + (1 - weight)
        known.append(mean / mass)
    assert smooth(values, weight) == pytest.approx(known, abs=1e-6)


def test_smoothing_starts_at_the_first_value_keeps_constants_and_steps_over_gaps() -> None:
    assert smooth([5, 5, 5, 5], 0.9) == pytest.approx([5, 5, 5, 5])
    assert smooth([7, 0, 0], 0.99)[0] == 7
    gap = smooth([4, math.nan, 4], 0.5)
    assert math.isnan(gap[1])
    assert gap[2] == pytest.approx(4)
    with pytest.raises(ValueError, match="below 1"):
        smooth([1], 1.0)


# -- figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("which", ["full", "empty", "one", "nan"])
def test_every_curve_draws_any_history(name: str, which: str) -> None:
    h = {
        "full": history(),
        "empty": History(),
        "one": history(1, 1),
        "nan": History({"step": [1], "loss/d": [math.nan]}),
    }
    for style in (Style(), Style(smooth=0.9, log=True)):
        figure = draw(name, h[which], style)
        assert figure.layout.height == style.height
        assert figure.layout.uirevision == "curves"
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.xaxis.title.text == "step"
        assert figure.layout.yaxis.title.text
        assert "layout" not in figure.layout.template.to_plotly_json()
        assert figure.to_json()
    assert (len(figure.data) == 0) == (which in ("empty", "nan"))


@pytest.mark.parametrize("name", CURVES)
def test_every_curve_is_light_enough_to_redraw(name: str) -> None:
    figure = draw(name, history(50_000, 3000), Style(smooth=0.6))
    assert all(len(trace.x) <= 600 for trace in figure.data)
    assert len(figure.to_json()) < 150_000


def test_unknown_curve_names_those_there_are() -> None:
    with pytest.raises(LookupError, match="losses, outputs"):
        draw("nope", History())


@pytest.mark.parametrize(
    ("loss", "values"),
    [
        ("minimax", {"2 ln 2": 2 * math.log(2), "-ln 2": -math.log(2)}),
        ("non-saturating", {"2 ln 2": 2 * math.log(2), "ln 2": math.log(2)}),
        ("least-squares", {"1/4": 0.25, "1/8": 0.125}),
        ("hinge", {"2": 2.0}),
        ("relativistic", {"2 ln 2": 2 * math.log(2)}),
    ],
)
def test_theory_lines_stand_where_the_loss_says(loss: str, values: dict[str, float]) -> None:
    figure = draw("losses", history(loss=loss))
    dotted = {trace.name: trace.y[0] for trace in figure.data if trace.line.dash == "dot"}
    assert dotted == pytest.approx(values)
    assert ("nats" in figure.layout.yaxis.title.text) == (loss in ("minimax", "non-saturating", "relativistic"))


def test_theory_is_left_out_where_smoothed_labels_move_it() -> None:
    h = History.of(Experiment().changed(smoothing=0.1), {"step": [1, 2], "loss/d": [1.0, 1.0]}, [])
    assert [trace.name for trace in draw("losses", h).data] == ["Discriminator"]


def test_players_keep_their_colour_and_dash() -> None:
    figure = draw("losses", history())
    (d,), (g,) = named(figure, "Discriminator"), named(figure, "Generator")
    assert (d.line.color, d.line.dash) == ("#1f78b4", "solid")
    assert (g.line.color, g.line.dash) == ("#e66101", "dash")


def test_scores_show_perfection_and_the_noise_floor() -> None:
    figure = draw("divergences", history())
    (band,) = named(figure, "noise floor")
    assert sorted(set(band.y)) == [0.008, 0.012]
    (perfect,) = named(figure, "perfect: 0")
    assert list(perfect.y) == [0, 0]
    assert named(draw("quality", history()), "perfect: 98.9 %")
    logged = draw("divergences", history(), Style(log=True))
    assert logged.layout.yaxis.type == "log"
    assert not named(logged, "perfect: 0")  # zero has no place on a logarithmic axis


def test_smoothing_shows_the_raw_values_faintly_behind_and_leaves_scores_alone() -> None:
    raw, main = named(draw("losses", history(), Style(smooth=0.9)), "Discriminator")
    assert raw.line.color == "rgba(31,120,180,0.28)"
    assert np.std(main.y) < np.std(raw.y)
    assert len(named(draw("wasserstein", history(), Style(smooth=0.9)), "sliced W1")) == 1


def test_a_log_axis_with_values_below_zero_says_why_it_stays_linear() -> None:
    figure = draw("mmd", history(), Style(log=True))
    assert figure.layout.yaxis.type == "linear"
    assert "not above 0" in figure.layout.yaxis.title.text
    assert draw("losses", history(), Style(log=True)).layout.yaxis.type == "log"


def test_edits_are_merged_by_step_and_only_changes_are_marked() -> None:
    events = [
        {"step": 0, "kind": "start"},
        {"step": 100, "kind": "set", "field": "lr_d", "old": 1e-3, "value": 5e-4},
        {"step": 100, "kind": "set", "field": "lr_d", "old": 5e-4, "value": 2e-4},
        {"step": 100, "kind": "set", "field": "loss", "old": "minimax", "value": "hinge"},
        {"step": 200, "kind": "pause"},
        {"step": 300, "kind": "rewind"},
    ]
    assert edits(events) == [(100, "lr_d 0.001 → 0.0002, loss minimax → hinge"), (300, "went back here")]
    figure = draw("losses", history(events=events))
    assert [shape.x0 for shape in figure.layout.shapes] == [100, 300]
    assert {shape.line.color for shape in figure.layout.shapes} == {palette.EVENT}
    assert figure.layout.annotations[0].hovertext == "lr_d 0.001 → 0.0002, loss minimax → hinge"
    many = [{"step": 10 * i, "kind": "set", "field": "std", "old": 0.1, "value": 0.2} for i in range(1, 200)]
    written = [a.text for a in draw("losses", history(events=many)).layout.annotations if a.text != "•"]
    assert len(written) == 3


def test_mode_shares_are_relative_to_what_is_fair() -> None:
    (strip,) = draw("masses", history()).data
    assert np.asarray(strip.z).shape == (8, 12)
    assert strip.z[0][0] == pytest.approx(0.8)
    assert list(strip.y) == list(range(1, 9))


def test_floors_may_come_as_plain_lists() -> None:
    h = History.of(Experiment(), {}, [{"step": 250, "dist/js": 0.1}], {"dist/js": [0, 0.01, 0.02]})
    assert h.floors["dist/js"] == Floor(0, 0.01, 0.02)
    assert h.modes == 8


# -- palette ---------------------------------------------------------------------------------------------------------


def lab(colour: str, simulate: bool) -> np.ndarray:
    """CIELAB of a colour as seen normally or with deuteranopia (Machado et al. 2009, severity 1)."""
    srgb = np.array(palette.rgb(colour)) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    deutan = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    linear = np.clip(np.array(deutan) @ linear, 0, 1) if simulate else linear
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ linear / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("simulate", [False, True])
def test_classes_stay_apart_for_the_colour_blind_too(simulate: bool) -> None:
    assert len(set(palette.CLASSES)) == 10
    pairs = itertools.combinations([lab(c, simulate) for c in palette.CLASSES], 2)
    assert min(float(np.linalg.norm(a - b)) for a, b in pairs) > 20


@pytest.mark.parametrize("pair", [(palette.REAL, palette.FAKE), (palette.DISCRIMINATOR, palette.GENERATOR)])
def test_the_two_sides_stay_far_apart(pair: tuple[str, str]) -> None:
    assert np.linalg.norm(lab(pair[0], True) - lab(pair[1], True)) > 25


@pytest.mark.parametrize("background", ["#ffffff", "#0e1117"])
def test_text_reads_on_either_background(background: str) -> None:
    def luminance(colour: str) -> float:
        s = np.array(palette.rgb(colour)) / 255
        return float(np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])

    light, dark = sorted((luminance(palette.INK), luminance(background)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) > 4


def test_tones_and_scales() -> None:
    assert palette.clear("#1b9e77", 0.5) == "rgba(27,158,119,0.5)"
    assert palette.lighter("#000000", 0.5) == "#808080"
    assert palette.scale()[0] == (0.0, "#40004b")
    assert palette.scale()[5] == (0.5, "#f7f7f7")


# -- curves that only some families have -----------------------------------------------------------------------------


def test_information_is_drawn_under_all_there_is_to_know() -> None:
    experiment = Experiment.of("infogan").changed(categories=7, continuous=1)
    h = History.of(experiment, {"step": [1, 2], "info/categorical": [0.5, 1.9], "info/continuous": [0.1, 0.4]}, [])
    labels = {trace.name: trace.y[0] for trace in family_curves.category(h, Style()).data}
    assert labels["H(c) = ln 7"] == pytest.approx(math.log(7))
    assert max(family_curves.numbers(h, Style()).data[0].y) == pytest.approx(1.160, abs=1e-3)


def test_balance_is_the_ratio_of_errors_beside_gamma() -> None:
    experiment = Experiment.of("began").changed(gamma=0.4)
    train = {"step": [1, 2], "score/real": [0.2, 0.0], "score/fake": [0.1, 0.1], "began/k": [0, 0.1], "began/m": [1, 1]}
    lines = {
        trace.name: list(trace.y) for trace in family_curves.balance(History.of(experiment, train, []), Style()).data
    }
    assert lines["γ = 0.4"] == [0.4, 0.4]
    assert lines["L(G(z)) / L(x)"][0] == pytest.approx(0.5)
    assert math.isnan(lines["L(G(z)) / L(x)"][1])


@pytest.mark.parametrize("name", family_curves.CURVES)
def test_family_curves_draw_nothing_where_nothing_is_measured(name: str) -> None:
    curve = family_curves.CURVES[name]
    assert curve.draw(History(), Style()).layout.annotations[0].text == "No values yet"
    assert not curve.suits(Experiment.of("gan"))
    assert [f for f in ("infogan", "began") if curve.suits(Experiment.of(f))] in (["infogan"], ["began"])
