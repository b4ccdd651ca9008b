"""The exams that train: every row must pass. Those that train whole GANs for minutes carry the slow marker.

A3 is in test_exams_games.
"""

import pytest

from playground.exams import EXAMS, SLOW, a7


def failed(rows):
    return [row for row in rows if not row["ok"]]


def test_a1_dirac_gan_through_the_lab_ends_at_the_known_radii():
    assert failed(EXAMS["A1"]()) == []


def test_a5a_trained_d_is_the_optimal_discriminator():
    assert failed(EXAMS["A5a"]()) == []


def test_a7_critics_estimate_the_wasserstein_distance():
    assert failed(a7(steps=500)) == []


@pytest.mark.parametrize("name", ["B1", "B6", "B8"])
def test_quick_exam(name):
    rows = list(EXAMS[name]())
    assert rows
    assert failed(rows) == []
    for row in rows:
        assert isinstance(row["value"], float | int)
        assert row["name"]
        assert row["target"]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SLOW))
def test_slow_exam(name):
    assert failed(EXAMS[name]()) == []
