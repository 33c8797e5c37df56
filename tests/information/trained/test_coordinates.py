"""Columns: ranks, labels, turned by the training rows alone."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.information.trained.coordinates import beyond_noise, paired, turned


def test_the_turn_sees_the_training_rows_alone_and_can_be_undone():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 90, 3)) @ rng.normal(size=(3, 3))
    train = np.arange(60)
    a, b, _ = turned(x, y, train)
    x[60:], y[60:] = x[60:] + 5, -y[60:]
    again = turned(x, y, train)
    assert np.array_equal(again[0][:60], a[:60])
    assert np.array_equal(again[1][:60], b[:60])
    assert np.linalg.matrix_rank(a - a.mean(0)) == 3


def test_in_new_coordinates_the_pairs_are_the_canonical_ones():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 4))
    y = np.c_[0.9 * x[:, 0] - x[:, 1], rng.normal(size=2000)] @ rng.normal(size=(2, 2))
    a, b, rho = turned(x, y, np.arange(2000))
    cross = a.T @ b / 2000
    assert np.abs(cross[~np.eye(4, 2, dtype=bool)]).max() < 0.01
    assert abs(cross[0, 0]) > 0.98 > 0.1 > abs(cross[1, 1])
    assert rho[0] > 0.98
    assert rho[1] < 0.1


def test_noise_alone_shows_no_correlation_and_a_true_one_is_found():
    rng = np.random.default_rng(0)
    n, d = 600, 30
    x, y = rng.normal(size=(2, n, d))
    assert (turned(x, y, np.arange(n))[2] > 0.35).sum() == 0
    y[:, 0] = 0.8 * x[:, 0] + 0.6 * y[:, 0]
    shown = np.linalg.svd(np.linalg.qr(x)[0].T @ np.linalg.qr(y)[0])[1]
    found = beyond_noise(shown, d / n, d / n)
    assert abs(found[0] - 0.8) < 0.04 < abs(shown[0] - 0.8) + 0.04
    assert (beyond_noise(shown, 0.5, 0.5) == 0).all()


def test_labels_are_numbered_by_their_use_and_not_by_their_names():
    rng = np.random.default_rng(0)
    label, x = rng.integers(0, 3, 200), rng.normal(size=(200, 2))
    first = paired(x, label, False)
    for names in ([7, 1, 1000], ["b", "c", "a"]):
        other = paired(x, np.array(names)[label], False)
        assert np.array_equal(first.y.label, other.y.label)
        assert np.array_equal(first.y.columns, other.y.columns)
    with pytest.raises(InputError, match="200 labels in 200 samples; labels must repeat"):
        paired(x, [f"a{k}" for k in range(200)], False)


def test_copies_are_known_and_values_that_repeat_are_not_taken_for_them():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 2)), rng.normal(size=100)
    twice = paired(np.r_[x, x[:30]], np.r_[y, y[:30]], False)
    assert len(np.unique(twice.copies)) == 100
    assert "30 rows are copies of others" in twice.notes[0]
    beside = paired(np.r_[x, x[:30]], np.r_[y, y[:30]] > 0, False)
    assert len(np.unique(beside.copies)) == 100
    for a, b in ((np.maximum(x[:, 0], 0), y), (np.round(x), np.round(y)), (np.round(y), y > 0)):
        kept = paired(a, b, False)
        assert len(np.unique(kept.copies)) == 100
        assert kept.notes == ()
    many = paired(np.round(2 * y) / 2, y > 0, False)  # 12 values in 100 rows: told from copies by nothing
    assert "51 rows are copies of others" in many.notes[0]


def test_ranks_of_equal_values_are_drawn_where_densities_need_it():
    x = np.repeat([0.0, 1.0], 50)
    y = np.random.default_rng(0).normal(size=100)
    kept, drawn = paired(x, y, False).x.columns, paired(x, y, False, spread=0).x.columns
    assert len(np.unique(kept)) == 2
    assert len(np.unique(drawn)) == 100
    assert ((drawn > 0) == (kept > 0)).all()
