"""The feature space of images: trained on the data set, the same for everybody, kept on disk."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from idx_files import REAL, real_mnist

from playground.data import dataset
from playground.data.base import DataSet
from playground.diagnostics import features
from playground.diagnostics.features import FEATURES, Features


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_HOME", str(tmp_path_factory.mktemp("home")))
        yield


def forgotten(data: DataSet) -> Features:
    """Return the features as a new process finds them."""
    features._made.cache_clear()
    return features.features(data)


def test_digits_are_told_apart_and_features_have_a_mean_variance_of_one() -> None:
    data = dataset("digits")()
    found = features.features(data)
    assert found.accuracy >= 0.97
    assert found.classes == data.classes
    known = data.known(10_000, 0).x
    embedded = found.embed(known)
    assert embedded.shape == (len(known), FEATURES)
    assert float(embedded.var(0).mean()) == pytest.approx(1, abs=1e-3)
    told = found.classify(known)
    assert told.shape == (len(known), 10)
    torch.testing.assert_close(told.sum(1), torch.ones(len(known)))


def test_what_is_kept_is_exactly_what_was_trained_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    data, x = dataset("digits")(), dataset("digits")().held_out(50, 0).x
    before, threads = features.features(data), torch.get_num_threads()
    assert features.ready(data)
    with monkeypatch.context() as patch:
        patch.delattr(features, "_train")  # what is kept is read
        kept = forgotten(data)
    features.path(data).unlink()
    assert not features.ready(data)
    try:
        torch.set_num_threads(2)
        again = forgotten(data)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    for other in (kept, again):
        assert other.accuracy == before.accuracy
        assert torch.equal(other.classify(x), before.classify(x))


@pytest.mark.parametrize("damage", [b"", b"not a tensor file", None])
def test_a_damaged_file_is_made_anew(damage: bytes | None) -> None:
    data = dataset("digits")()
    before, file = features.features(data), features.path(data)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert forgotten(data).accuracy == before.accuracy
    assert file.read_bytes() == whole


def test_fields_that_change_while_a_run_trains_keep_the_features() -> None:
    shapes = dataset("shapes")()
    assert features.key(shapes.with_values(jitter=0.2)) == features.key(shapes)
    assert features.key(dataset("font-digits")(wobble=0.9)) != features.key(dataset("font-digits")())


def test_without_classes_the_features_are_principal_components(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset("digits")()

    class Nameless(type(data)):  # type: ignore[misc]
        id = "nameless"

        @property
        def classes(self) -> tuple[str, ...]:
            return ()

    nameless = Nameless()
    found = forgotten(nameless)
    assert found.classes == ()
    assert math.isnan(found.accuracy)
    x = data.known(10_000, 0).x
    embedded = found.embed(x)
    assert embedded.shape == (len(x), FEATURES)
    covariance = torch.cov(embedded.T)
    assert float((covariance - covariance.diag().diag()).abs().max()) < 1e-3
    assert float(covariance.trace()) == pytest.approx(FEATURES, rel=2e-3)
    assert found.classify(x).shape == (len(x), 0)
    monkeypatch.delattr(features, "_train")
    assert torch.equal(forgotten(nameless).embed(x), embedded)
    assert features.shares(nameless) == ()


def test_they_are_trained_ahead_in_a_process_of_its_own() -> None:
    data = dataset("digits")()
    before = features.features(data)
    features.path(data).unlink()
    features.warm(data)
    features.warm(data)  # once is enough
    (child,) = features._ahead.values()
    assert child.wait(120) == 0
    assert features.ready(data)
    assert forgotten(data).accuracy == before.accuracy


@pytest.mark.slow
def test_images_of_28_pixels_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """MNIST where its test images are on this machine, else digits of fonts."""
    monkeypatch.setenv("PLAYGROUND_DATA", str(REAL))
    data = dataset("mnist" if real_mnist() else "font-digits")()
    assert features.features(data).accuracy >= 0.97
