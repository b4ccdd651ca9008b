"""Collapse reports and verdicts on planted samplers: each fault is called by its name, and perfection is healthy."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from idx_files import REAL, real_mnist
from planted import Sampler, anew, held_out, memorised, only, single

from playground.config import ConfigError
from playground.data import dataset
from playground.data.base import DataSet
from playground.diagnostics import birthday
from playground.diagnostics.collapse import Report, history, report
from playground.diagnostics.image_panel import ImagePanel
from playground.diagnostics.image_verdict import STRONG
from playground.diagnostics.signals import Verdict
from playground.diagnostics.verdict import verdict
from playground.experiment import Experiment
from playground.figures import collapse as figures
from playground.figures.curves import History as RunHistory
from playground.figures.curves import Style
from playground.figures.image_curves import CURVES
from playground.rng import Streams

GONE = ["0", "1", "4", "5", "6", "8", "9"]


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("PLAYGROUND_DATA", str(REAL))
        yield


@pytest.fixture(params=["digits", "28 pixels"])
def data(request: pytest.FixtureRequest) -> DataSet:
    larger = "mnist" if real_mnist() else "font-digits"
    return dataset("digits" if request.param == "digits" else larger)()


def test_a_perfect_sampler_is_healthy_and_within_every_floor(data: DataSet) -> None:
    r = report(held_out(data), data)
    assert r.state == "healthy"
    assert r.missing == []
    outside = {s.name: (s.value, s.floor) for s in r.scores if not s.within}
    assert not outside
    assert all(s.definition.endswith(".") and s.source and s.title for s in r.scores)
    assert len(r.scores) == 13
    assert r.accuracy >= 0.97
    assert r.birthday.support > 1000


def test_three_digits_are_partial_collapse_and_the_other_seven_are_named(data: DataSet) -> None:
    r = report(only(data, 2, 3, 7), data)
    assert r.state == "partial-collapse"
    assert r.sentence == "Partial collapse: 3 of 10 classes. Missing 0, 1, 4, 5, 6, 8 and 9."
    assert r.missing == GONE
    assert r.score("class/kl").value == pytest.approx(math.log(10 / 3), abs=0.1)
    assert sum(c.share for c in r.classes) == pytest.approx(1)


def test_one_image_is_full_collapse(data: DataSet) -> None:
    r = report(single(data), data)
    assert r.state == "full-collapse"
    assert len(r.missing) == 9
    assert r.birthday.batch == 2
    assert r.birthday.support == pytest.approx(birthday.support_size(2))
    assert "about 3 different ones" in r.birthday.sentence


def test_memorised_training_images_are_flagged_and_shown(data: DataSet) -> None:
    r = report(memorised(data), data)
    assert r.state == "memorising"
    assert r.copies is not None
    assert r.score("copies/share").value == 1
    np.testing.assert_array_equal(r.copies.items, r.copies.nearest)
    np.testing.assert_array_equal(r.copies.items, r.fakes[list(r.copies.suspects)].numpy())
    assert r.copies.distances.max() == 0
    honest = report(held_out(data), data).copies
    assert honest is not None
    assert honest.distances.min() > 0
    assert (np.diff(honest.fakes[list(honest.suspects)]) >= 0).all()


def test_few_pictures_with_a_little_noise_are_a_small_support() -> None:
    data = dataset("digits")()
    items, rng = data.held_out(30, 3).x, torch.Generator().manual_seed(0)
    some = items.repeat(15, 1, 1, 1)
    r = report(anew((some + 0.01 * torch.randn(some.shape, generator=rng)).clamp(0, 1)), data)
    assert 3 <= r.birthday.batch <= 15  # half of the time two of 30 meet among 7
    sizes, shares = r.birthday.curve
    assert (np.diff(shares) >= 0).all()
    assert shares[-1] == 1
    assert sizes[0] == 2


def test_without_classes_coverage_tells() -> None:
    data = dataset("digits")()

    class Nameless(type(data)):  # type: ignore[misc]
        @property
        def classes(self) -> tuple[str, ...]:
            return ()

    nameless = Nameless()
    r = report(only(data, 0, 1), nameless)
    assert (r.state, r.classes, r.missing) == ("partial-collapse", (), [])
    assert math.isnan(r.accuracy)
    assert "principal components" in r.space
    assert report(held_out(data), nameless).state == "healthy"


def test_points_have_all_of_it_in_the_plane() -> None:
    data = dataset("ring8")()
    points = data.sample(6000, torch.Generator().manual_seed(5))
    modes = data.modes()
    assert modes is not None
    r = report(anew(points), data)
    assert (r.state, r.missing, r.copies, r.space) == ("healthy", [], None, "the plane itself")
    assert not {s.name: (s.value, s.floor) for s in r.scores if not s.within}
    assert {"dist/frechet", "modes/entropy", "prdc/recall", "diversity/points", "dist/mmd"} <= {
        s.name for s in r.scores
    }
    three = points[torch.cdist(points, modes.centres).argmin(1) < 3]
    r = report(anew(three), data)
    assert r.state == "partial-collapse"
    assert r.sentence.endswith("have had almost no fakes.")
    assert r.missing == ["4 (top left)", "5 (left)", "6 (bottom left)", "7 (bottom)", "8 (bottom right)"]
    assert r.score("modes/entropy").value == pytest.approx(math.log(3), abs=0.05)
    r = report(anew(points[:1]), data)
    assert (r.state, r.birthday.batch) == ("full-collapse", 2)


def test_data_without_modes_and_models_of_other_families() -> None:
    data = dataset("swiss-roll")()
    r = report(anew(data.sample(4000, torch.Generator().manual_seed(0))), data)
    assert (r.state, r.classes) == ("healthy", ())
    from playground.families import family

    for name in ("gan", "vae"):
        e = Experiment(family=name, dataset="digits").changed(**({"g_width": 8} if name == "gan" else {"width1": 8}))
        r = report(family(name)(e.model, e.data, Streams(0)), e.data, seed=1)
        assert r.state != "healthy"
        assert len(r.fakes) == r.n == 450
    with pytest.raises(ConfigError, match="about images or points of a plane"):
        report(held_out(data), dataset("sines")())
    with pytest.raises(ConfigError, match="about images or points of a plane"):
        report(held_out(data), dataset("dirac")())


@pytest.mark.parametrize("data", ["digits", pytest.param("28 pixels", marks=pytest.mark.slow)], indirect=True)
def test_the_same_seed_gives_the_same_report(data: DataSet) -> None:
    first, again, other = (report(only(data, 1, 2), data, seed=seed) for seed in (3, 3, 4))
    values = lambda r: [s.value for s in r.scores]  # noqa: E731
    assert values(first) == values(again) != values(other)


# -- verdicts of runs -------------------------------------------------------------------------------------------------


def rows(data: DataSet, samplers: list[Sampler], every: int = 250, **more: float) -> list[dict[str, float]]:
    """Return score rows of a run whose generator was each of these samplers in turn."""
    panel = ImagePanel(data, 0)
    return [
        {"step": (i + 1) * every, **panel.score(sampler, (i + 1) * every), **more}  # type: ignore[arg-type]
        for i, sampler in enumerate(samplers)
    ]


def judged(scores: list[dict[str, float]], train: dict[str, Any] | None = None, **values: Any) -> Verdict:
    experiment = Experiment(dataset="digits").changed(**values)
    ends = {"step": [scores[-1]["step"]], "loss/d": [1.2], "loss/g": [0.8], "grad/g": [0.5]}
    return verdict(experiment, ends | (train or {}), scores)


@pytest.fixture(scope="module")
def digits() -> DataSet:
    return dataset("digits")()


def test_verdicts_name_each_planted_fault(digits: DataSet) -> None:
    assert judged(rows(digits, [held_out(digits)] * 4)).state == "healthy"
    partial = judged(rows(digits, [only(digits, 2, 3, 7)] * 4))
    assert partial.state == "partial-collapse"
    assert partial.missing == (0, 1, 4, 5, 6, 8, 9)
    assert partial.sentence == "Partial collapse: 3 of 10 classes. Missing 0, 1, 4, 5, 6, 8 and 9 for 750 steps."
    assert judged(rows(digits, [single(digits)] * 4)).state == "full-collapse"
    assert judged(rows(digits, [memorised(digits)] * 4)).state == "memorising"
    assert judged(rows(digits, [held_out(digits)])).state == "warming"


def test_a_gan_that_cycles_through_the_digits_is_told_from_collapse(digits: DataSet) -> None:
    turns = [only(digits, i % 10, (i + 1) % 10, (i + 2) % 10) for i in range(0, 24, 3)]
    hopping = judged(rows(digits, turns))
    assert hopping.state == "oscillating"
    heaps = [single(digits), Sampler(lambda z: digits.held_out(3, 9).x[2:].expand(len(z), 1, 8, 8))]
    heap = judged(rows(digits, heaps * 3))
    assert heap.state == "full-collapse"
    assert "hops from class to class" in heap.sentence


def test_d_and_broken_losses_are_named_on_images_too(digits: DataSet) -> None:
    noise = Sampler(lambda z: torch.rand(len(z), 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    scores = rows(digits, [noise] * 5, **{"d/accuracy": STRONG})
    strong = judged(scores)
    assert strong.state == "d-too-strong"
    gone = judged(scores, {"grad/g": [3.0] * 20 + [1e-5] * 20})
    assert gone.state == "g-vanished"
    broken = judged(scores, {"loss/d": [math.nan], "loss/g": [math.nan]})
    assert broken.state == "diverged"
    for each in (strong, gone, broken):
        assert each.evidence


@pytest.mark.parametrize("state", ["partial-collapse", "full-collapse", "d-too-strong", "oscillating", "diverged"])
@pytest.mark.parametrize("body", ["dense", "dcgan", "upsample"])
def test_a_cure_can_be_taken_and_acts(state: str, body: str) -> None:
    from playground.diagnostics.cures import cure_for

    experiment = Experiment(dataset="digits").changed(body=body)
    taken: list[str] = []
    while (cure := cure_for(state, experiment)) is not None and len(taken) < 12:
        changed = experiment.changed(**cure.values)
        assert changed != experiment
        fields = experiment.knobs()
        assert cure.live == all(fields[name].live for name in cure.values)
        taken.append(cure.label)
        experiment = changed
    assert taken
    assert len(set(taken)) == len(taken) or state in ("diverged", "d-too-strong", "oscillating")


def test_odd_histories_of_images_never_raise() -> None:
    rng = np.random.default_rng(0)
    names = [*(f"class/{i}" for i in range(10)), "class/kl", "class/covered", "class/entropy", "prdc/coverage"]
    names += ["prdc/precision", "prdc/recall", "dist/fid", "diversity/ssim", "diversity/pixels", "copies/share"]
    odd = [0.0, 0.5, 1.0, -1.0, 1e300, math.inf, -math.inf, math.nan, None, "x", 3]
    for dataset_id in ("digits", "own-images"):
        experiment = Experiment(dataset=dataset_id)
        for rows in range(12):
            draw = lambda: odd[rng.integers(len(odd))]  # noqa: E731
            scores = [{n: draw() for n in names if rng.random() < 0.8} | {"step": draw()} for _ in range(rows)]
            train = {n: [draw() for _ in range(rows)] for n in ("step", "loss/d", "loss/g", "grad/g")}
            for told in (verdict(experiment, train, scores), verdict(experiment, {"step": [2000]}, scores)):
                assert told.sentence.endswith(".")
                json.dumps(told.to_json())


def test_too_few_images_to_measure_by_are_said() -> None:
    told = judged([{"step": 1000.0}, {"step": 2000.0}])
    assert (told.state, told.evidence) == ("warming", ())
    assert told.sentence == "Not judged: there are too few held-out images to measure fakes by."


def test_much_momentum_is_lowered_and_began_is_asked_for_variety() -> None:
    from playground.diagnostics.cures import cure_for

    swinging = cure_for("oscillating", Experiment(dataset="digits").changed(body="dcgan", beta1=0.9))
    assert swinging is not None
    assert (swinging.values, swinging.live) == ({"beta1": 0.5}, True)
    narrow = cure_for("partial-collapse", Experiment(family="began", dataset="digits").changed(gamma=0.5))
    assert narrow is not None
    assert narrow.values == {"gamma": 0.7}
    copying = cure_for("memorising", Experiment(dataset="digits"))
    assert copying is not None
    assert copying.values == {"augment": "translation"}


# -- history ----------------------------------------------------------------------------------------------------------


def test_history_follows_the_classes(digits: DataSet) -> None:
    scores = rows(digits, [only(digits, 2), only(digits, 5)])
    told = history(scores, digits)
    assert told is not None
    assert told.names == digits.classes
    assert told.shares.shape == (2, 10)
    assert told.shares[0, 2] > 0.9
    assert told.shares[1, 5] > 0.9
    np.testing.assert_array_equal(told.steps, [250, 500])
    assert told.data.sum() == pytest.approx(1)


def test_history_of_points_takes_all_fakes_where_they_were_counted() -> None:
    data = dataset("ring8")()
    row = {"step": 10} | {f"near/{i}": 1 / 8 for i in range(8)} | {f"mass/{i}": 0.0 for i in range(8)}
    told = history([row, {"step": 11}], data)
    assert told is not None
    assert told.shares.shape == (1, 8)
    assert told.shares.sum() == pytest.approx(1)
    empty = history([], data)
    assert empty is not None
    assert empty.shares.shape == (0, 8)
    assert history([], dataset("swiss-roll")()) is None
    assert isinstance(report(anew(data.sample(100, torch.Generator())), data), Report)


# -- figures ----------------------------------------------------------------------------------------------------------


def test_the_class_histogram_names_what_is_missing(digits: DataSet) -> None:
    figure = figures.class_histogram(report(only(digits, 2, 3, 7), digits).classes, Style())
    real, fake = figure.data
    assert (real.name, fake.name) == ("data", "fakes")
    assert list(fake.x) == list(digits.classes)
    assert sum(fake.y) == pytest.approx(1)
    assert [digits.classes[a.x] for a in figure.layout.annotations] == GONE
    assert figure.layout.xaxis.tickangle is None, "names that have no room are turned by Plotly"


def test_the_strip_shows_a_gan_that_cycles(digits: DataSet) -> None:
    told = history(rows(digits, [only(digits, 2), only(digits, 5), only(digits, 2)]), digits)
    grid = np.array(figures.strip(told, Style()).data[0].z)  # shares over fair shares
    assert grid.shape == (10, 3)
    assert (grid[2, [0, 2]] > 5).all()
    assert grid[2, 1] < 0.5
    assert grid[5, 1] > 5


def test_copies_lie_left_of_the_rule_and_duplicates_follow_theory(digits: DataSet) -> None:
    r = report(memorised(digits), digits)
    assert r.copies is not None
    figure = figures.closeness(r.copies, Style())
    fake, held = figure.data
    assert fake.y[0] == pytest.approx(1)
    assert sum(held.y) == pytest.approx(1)
    assert figure.layout.shapes[0].x0 == r.copies.limit
    few = report(anew(digits.held_out(20, 3).x), digits).birthday
    measured, theory = figures.duplicates(few, Style()).data
    assert max(abs(np.array(measured.y) - np.array(theory.y))) < 0.3


def test_figures_without_anything_to_draw_are_empty_frames() -> None:
    for figure in (
        figures.class_histogram((), Style()),
        figures.strip(None, Style()),
        figures.closeness(None, Style()),
        CURVES["reached"].draw(RunHistory(), Style()),
    ):
        assert figure.layout.annotations[0].text == "No values yet"


def test_quality_draws_four_lines_and_one_floor(digits: DataSet) -> None:
    scores = rows(digits, [only(digits, 2), held_out(digits)])
    told = RunHistory.of(Experiment(dataset="digits"), {}, scores, ImagePanel(digits, 0).floors())
    drawn = [t.name for t in CURVES["reached"].draw(told, Style()).data if t.showlegend is None]
    assert drawn == ["precision", "recall", "density", "coverage"]
