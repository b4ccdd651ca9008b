"""Maps, paths and neighbours of codes: known answers, scikit-learn's own values, and the degenerate cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness as reference
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from playground.config import ConfigError
from playground.latent import neighbours, paths, projection


@pytest.fixture(scope="module")
def digits():
    """Return scikit-learn's digits, divided by 16, and their labels."""
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y


def rotation(degrees, flip=False):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]]) @ np.diag([1, -1 if flip else 1])


# -- paths ------------------------------------------------------------------------------------------------------------


def test_slerp_keeps_to_the_sphere_at_even_angles():
    a, b = np.eye(8)[0], np.array([0, 0.6, 0, 0.8, 0, 0, 0, 0])
    path = paths.slerp(a, b, 7)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 1, rtol=1e-6)
    angles = np.degrees(np.arccos(np.clip((path[1:] * path[:-1]).sum(1), -1, 1)))
    np.testing.assert_allclose(angles, 90 / 6, rtol=1e-4)
    np.testing.assert_allclose(path[[0, -1]], [a, b], atol=1e-6)


def test_slerp_equals_its_formula_where_both_are_as_long():
    a, b = np.random.default_rng(0).normal(size=(2, 5))
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    w = np.arccos(a @ b / (a @ a))
    t = np.linspace(0, 1, 9)[:, None]
    formula = np.sin((1 - t) * w) / np.sin(w) * a + np.sin(t * w) / np.sin(w) * b
    np.testing.assert_allclose(paths.slerp(a, b, 9), formula, rtol=1e-5)


def test_slerp_takes_the_length_evenly_from_one_end_to_the_other():
    path = paths.slerp([1, 0, 0], [0, 3, 0], 5)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), [1, 1.5, 2, 2.5, 3], rtol=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [([0, 0, 0], [1, 2, 3]), ([1, 2, 3], [2, 4, 6]), ([1, 2, 3], [1, 2, 3]), ([2.0], [-3.0])],
    ids=["no direction", "parallel", "the same", "one number"],
)
def test_slerp_is_straight_where_there_is_no_angle(a, b):
    np.testing.assert_allclose(paths.slerp(a, b, 5), paths.lerp(a, b, 5), atol=1e-6)


def test_slerp_between_opposite_codes_goes_round_and_not_through_the_middle():
    path = paths.slerp([0, 0, 2], [0, 0, -2], 5)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 2, rtol=1e-6)
    np.testing.assert_allclose(path[[0, -1]], [[0, 0, 2], [0, 0, -2]], atol=1e-6)


def test_lerp_is_the_mean_half_way():
    np.testing.assert_allclose(paths.lerp(torch.tensor([1.0, 2]), [3, 6], 3)[1], [2, 4])
    with pytest.raises(ConfigError, match="at least 2"):
        paths.lerp([0.0], [1.0], 1)


def test_a_traversal_changes_one_coding_only():
    path = paths.traverse([1.0, 2, 3], 1, [-5, 0, 5])
    np.testing.assert_array_equal(path, [[1, -5, 3], [1, 0, 3], [1, 5, 3]])
    with pytest.raises(ConfigError, match="no coding 3"):
        paths.traverse([1.0, 2, 3], 3, [0])


def test_an_attribute_is_what_two_classes_differ_in():
    codes = np.array([[1.0, 0], [3, 0], [0, 10], [0, 20]])
    direction = paths.attribute(codes, [4, 4, 7, 7], 4, 7)
    np.testing.assert_allclose(direction, [2, -15])
    np.testing.assert_allclose(paths.along([0, 15], direction, [0, 0.5, 1]), [[0, 15], [1, 7.5], [2, 0]])
    np.testing.assert_allclose(paths.arithmetic(codes[:2], codes[2:], [0, 15]), [2, 0])
    with pytest.raises(ConfigError, match="No item of class 5"):
        paths.attribute(codes, [4, 4, 7, 7], 4, 5)


# -- neighbours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "value"), [(5, 0.830427), (12, 0.829607)])
def test_trustworthiness_of_pca_on_digits(digits, k, value):
    points = projection.principal(digits[0]).points
    assert neighbours.trustworthiness(digits[0], points, k) == pytest.approx(value, abs=1e-6)


def test_trustworthiness_is_scikit_learns_and_perfect_for_the_same_points():
    rng = np.random.default_rng(1)
    x, points = rng.normal(size=(90, 6)).astype(np.float32), rng.normal(size=(90, 2)).astype(np.float32)
    for k in (1, 5, 20):
        expected = reference(x.astype(float), points.astype(float), n_neighbors=k)
        assert neighbours.trustworthiness(x, points, k) == pytest.approx(expected, abs=1e-12)
    assert neighbours.trustworthiness(points, 3 * points) == 1
    with pytest.raises(ConfigError, match="takes more than 90 points"):
        neighbours.trustworthiness(x, points, 45)


def test_knn_accuracy_is_scikit_learns():
    rng = np.random.default_rng(4)
    y = rng.integers(0, 4, 300)
    x = (rng.normal(size=(300, 3)) + y[:, None]).astype(np.float32)
    model = KNeighborsClassifier(5).fit(x[:200], y[:200])
    assert neighbours.knn_accuracy(x[200:], y[200:], 5, x[:200], y[:200]) == model.score(x[200:], y[200:])
    assert neighbours.knn_accuracy(x, y) == pytest.approx(cross_val_score(model, x, y, cv=LeaveOneOut()).mean())


def test_the_nearest_come_in_order():
    which, away = neighbours.nearest([[0.0, 0]], [[3, 0], [1, 0], [0, 2], [9, 9]], 3)
    assert which.tolist() == [[1, 2, 0]]
    np.testing.assert_allclose(away, [[1, 2, 3]])
    assert neighbours.nearest([[0.0]], [[1.0], [2.0]], 9)[0].tolist() == [[0, 1]]


def test_between_points_lie_weighted_means():
    points, values = [[0.0, 0], [2, 0], [50, 50]], [[1.0], [3], [100]]
    assert neighbours.between([[0.0, 0]], points, values, 2) == pytest.approx(1)
    assert neighbours.between([[1.0, 0]], points, values, 2) == pytest.approx(2)


# -- maps -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flip", [False, True])
def test_turning_undoes_a_rotation_and_a_flip(flip):
    before = np.random.default_rng(2).normal(size=(50, 2)).astype(np.float32)
    moved = before @ rotation(130, flip) + [5, -3]
    np.testing.assert_allclose(projection.turn(moved, before), np.linalg.inv(rotation(130, flip)), atol=1e-6)
    np.testing.assert_allclose(projection.aligned(3 * moved, before), before, atol=1e-5)


def test_pca_of_turned_codes_is_the_map_before(digits):
    codes = digits[0][:300]
    before = projection.project(codes, "pca")
    other = before.points @ rotation(200, flip=True).astype(np.float32)
    after = projection.project(codes, "pca", other)
    np.testing.assert_allclose(after.points, other, atol=1e-4)
    assert after.explained == pytest.approx(before.explained)
    np.testing.assert_allclose(after.place(codes), after.points, atol=1e-5)
    np.testing.assert_allclose(after.place(after.code([[0.3, -0.2]])), [[0.3, -0.2]], atol=1e-5)


def test_raw_codes_are_the_map():
    codes = np.random.default_rng(3).normal(size=(9, 2)).astype(np.float32)
    np.testing.assert_array_equal(projection.project(codes, "raw").points, codes)
    line = projection.project(codes[:, :1], "raw")
    np.testing.assert_array_equal(line.points, codes[:, :1] * [1, 0])
    np.testing.assert_array_equal(line.code(line.points), codes[:, :1])
    with pytest.raises(ConfigError, match="no map as they are"):
        projection.project(np.zeros((4, 3)), "raw")


def test_codes_that_are_all_the_same_are_one_point():
    flat = projection.project(np.ones((20, 6)), "pca")
    assert not flat.points.any()
    again = projection.project(np.ones((20, 6)), "pca", flat.points)
    assert np.isfinite(again.points).all()


def test_tsne_goes_on_from_the_map_before(digits):
    codes = digits[0][:120]
    told = []
    first = projection.project(codes, "tsne", report=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    again = projection.project(codes + 0.001, "tsne", first.points)
    moved = np.linalg.norm(again.points - first.points, axis=1).mean()
    assert moved < 0.2 * first.points.std()
    assert neighbours.trustworthiness(codes, first.points) > 0.95


@pytest.mark.parametrize(
    ("codes", "method", "sentence"),
    [
        (np.zeros((4, 3)), "umap", "at least 5 items"),
        (np.full((9, 3), np.nan), "pca", "not finite"),
        (np.zeros(9), "pca", "rows of numbers"),
        (np.zeros((9, 3)), "mds", "no map 'mds'"),
    ],
)
def test_what_is_no_map_is_one_sentence(codes, method, sentence):
    with pytest.raises(ConfigError, match=sentence):
        projection.project(codes, method)
