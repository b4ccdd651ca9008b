"""The table of runs: found by words and filters, sorted by what they came to, groups together; spark lines, trees."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

import pytest

from playground.figures.spark import HEIGHT, ROOM, WIDTH, spark
from playground.figures.tree import Member, families, tree
from playground.store import About, Group
from playground.store.index import Metric, Row
from playground.store.listing import Order, Wanted, best_first, entries

PLAIN = Row(
    "ring8-00000000", "gan", "ring8", None, "Ring", "stopped", None, 100, 1.0, None, None, About(), {}, ("", ()),
    ("healthy", "All 8 modes have fakes."),
)  # fmt: skip


def run(name: str, **what) -> Row:
    return replace(PLAIN, run=name, **what)


ROWS = [
    run("a", step=300, started=3.0, metrics={"modes/covered": Metric(5, 8, 6.5), "dist/js": Metric(0.1, 0.05, 0.2)}),
    run("b", step=100, started=2.0, about=About(name="Zebra", star=True), verdict=("full-collapse", "One mode."),
        metrics={"modes/covered": Metric(7, 7, 6.0), "dist/js": Metric(0.3, 0.3, 0.1)}),
    run("c", family="vae", dataset="digits", state="failed", started=1.0, about=About(tags=("old",))),
]  # fmt: skip
TITLES = {"a": "ring", "b": "Zebra", "c": "digits"}


def order(by: str, figure="last", down=True) -> str:
    return "".join(row.run for row in Order(by, figure, down).sorted(ROWS, TITLES))


@pytest.mark.parametrize(
    ("by", "figure", "down", "found"),
    [
        ("started", "last", True, "abc"),
        ("step", "last", False, "bca"),
        ("title", "last", False, "cab"),
        ("verdict", "last", True, "acb"),
        ("modes/covered", "last", True, "bac"),  # without the metric: last, whichever way
        ("modes/covered", "last", False, "abc"),
        ("modes/covered", "best", True, "abc"),
        ("modes/covered", "smoothed", True, "abc"),
        ("dist/js", "smoothed", False, "bac"),
    ],
)
def test_runs_are_sorted_by_any_figure(by, figure, down, found):
    assert order(by, figure, down) == found


def test_the_best_come_first_where_low_is_good_too():
    assert best_first("modes/covered")
    assert not best_first("dist/js")
    assert not best_first("loss/g")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), "abc"),
        (Wanted("zebra one"), "b"),
        (Wanted("OLD"), "c"),
        (Wanted(starred=True), "b"),
        (Wanted(families=["vae"]), "c"),
        (Wanted(datasets=["ring8"], states=["stopped"]), "ab"),
        (Wanted(verdicts=["healthy"], families=["gan"]), "a"),
        (Wanted(tags=["old", "new"]), "c"),
        (Wanted("zebra", families=["vae"]), ""),
    ],
)
def test_runs_are_found_by_words_and_filters(wanted, found):
    assert "".join(row.run for row in ROWS if wanted.has(row, TITLES[row.run])) == found


def test_the_runs_of_a_group_stand_together_where_the_first_would():
    race = Group(kind="race", id="r1", label="seed 1")
    rows = [run("a"), run("b", group=race), run("c"), run("d", group=race), run("e", group=Group(kind="race", id="r2"))]
    listed = entries(rows)
    assert ["".join(row.run for row in entry.rows) for entry in listed] == ["a", "bd", "c", "e"]
    assert [entry.group and entry.group.id for entry in listed] == [None, "r1", None, None]  # one run is no group


def test_a_spark_line_goes_from_corner_to_corner():
    svg = unquote(spark([0.0, float("nan"), 1.0, 0.5]))
    assert f"{ROOM:.1f},{HEIGHT - ROOM:.1f} {WIDTH / 2:.1f},{ROOM:.1f} {WIDTH - ROOM:.1f},{HEIGHT / 2:.1f}" in svg
    assert f'cy="{HEIGHT / 2:.1f}"' in svg
    assert f'cy="{HEIGHT / 2:.1f}"' in unquote(spark([3.0, 3.0]))
    assert "polyline" not in unquote(spark([1.0]))


def test_families_are_drawn_from_their_roots_down():
    members = [
        Member("child", "Child", "root", 50, 170, "healthy"),
        Member("root", "Root", None, 0, 100, "full-collapse"),
        Member("grandchild", "Grandchild", "child", 100, 300, "warming"),
        Member("second", "Second", "root", 20, 60, "oscillating"),
        Member("orphan", "Orphan", "gone", 20, 60, "healthy"),
    ]
    (family,) = families(members)
    assert [member.run for member in family] == ["root", "second", "child", "grandchild"]
    ends = {trace.customdata[0]: trace for trace in tree(family).data if trace.mode == "markers+text"}
    assert (ends["child"].x[0], ends["child"].y[0]) == (170, 2)
    branches = [(tuple(t.x), tuple(t.y)) for t in tree(family).data if t.mode == "lines" and t.line.dash == "dot"]
    assert branches == [((20, 20), (0, 1)), ((50, 50), (0, 2)), ((100, 100), (2, 3))]
    colours = {trace.marker.color for trace in ends.values()}
    assert len(colours) == 4  # one a tone, and each tone has a shape of its own
    assert len({trace.marker.symbol for trace in ends.values()}) == 4
