"""Exams of the autoencoders: every row within its gate."""

from __future__ import annotations

import pytest

from playground import exams_coding
from playground.exams import EXAMS


def failed(rows) -> list[dict]:
    return [row for row in rows if not row["ok"]]


def test_a8a_denoising_finds_the_score():
    assert failed(exams_coding.a8a()) == []


def test_a9_a_linear_autoencoder_is_pca():
    assert failed(exams_coding.a9(codings=(2, 8), steps=1200)) == []


def test_a13_penalties_in_closed_form():
    assert failed(exams_coding.a13()) == []


def test_d5_and_d6a_pca_has_the_known_figures():
    assert failed(exams_coding.d5(codings=())) == []
    assert failed(exams_coding.d6a(codings=())) == []


def test_d2_says_how_to_get_the_data_where_it_is_not_there(monkeypatch, tmp_path):
    monkeypatch.delenv("PLAYGROUND_DATA", raising=False)
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    rows = list(exams_coding.d2())
    assert [row["ok"] for row in rows] == [None, None]
    assert all("PLAYGROUND_DATA" in row["note"] for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A9", "D5", "D6a", "D8"])
def test_the_long_ones(name):
    assert failed(EXAMS[name]()) == []
