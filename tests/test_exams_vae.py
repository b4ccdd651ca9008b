"""Exams of the variational families: every row within its gate."""

from __future__ import annotations

import idx_files
import pytest
import torch

from playground import exams_vae
from playground.exams import EXAMS


def failed(rows) -> list[dict]:
    return [row for row in rows if not row["ok"]]


def test_a12_of_a_strict_linear_vae_three_dimensions_stay_active():
    row = next(exams_vae.a12(steps=600, cases=[(0.5, 1.0, 3)]))
    assert row["ok"], row


def test_a12_probabilistic_pca_has_the_evidence_of_its_normal():
    x = torch.randn(500, 6, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 2.0, 1.0, 1.0, 1.0, 1.0])
    found, sigma = exams_vae.probabilistic_pca(x, 2)
    centred = (x - x.mean(0)).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(x))
    flat = values.clone()
    flat[:4] = values[:4].mean()
    normal = torch.distributions.MultivariateNormal(torch.zeros(6).double(), vectors @ flat.diag() @ vectors.T)
    assert found == pytest.approx(float(normal.log_prob(centred).mean()), abs=1e-9)
    assert sigma == pytest.approx(float(values[:4].mean().sqrt()))


def test_b9_trustworthiness_of_two_components():
    assert failed(EXAMS["B9"]()) == []


def test_d10_more_beta_fewer_nats():
    assert failed(exams_vae.d10(steps=400, betas=(0.5, 4.0))) == []


def test_d1a_without_the_images_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    [row] = EXAMS["D1a"]()
    assert row["ok"] is None
    assert "PLAYGROUND_DATA" in row["note"]


def test_d1a_keeps_up_with_the_plain_loop(monkeypatch, tmp_path):
    idx_files.put(tmp_path / "mnist", "t10k", n=1500)
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    assert failed(exams_vae.d1a(epochs=8)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A12", "D10"])
def test_the_long_ones(name):
    assert failed(EXAMS[name]()) == []


@pytest.mark.slow
def test_d1a_on_ten_thousand_images(monkeypatch, tmp_path):
    if not idx_files.real_mnist():
        idx_files.put(tmp_path / "mnist", "t10k", n=10_000)
    monkeypatch.setenv("PLAYGROUND_DATA", str(idx_files.REAL if idx_files.real_mnist() else tmp_path))
    assert failed(EXAMS["D1a"]()) == []
