"""Repeats, runs and series: who is kept together, and when rows are called dependent."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.axis.bench.dependence import Rows, check_repeats, rows_of
from deeptheory.core.errors import InputError


def series(rng, n, d, phi):
    x = rng.standard_normal((n, d))
    for k in range(1, n):
        x[k] = phi * x[k - 1] + np.sqrt(1 - phi**2) * x[k]
    return x


@pytest.mark.parametrize(("phi", "time"), [(0.8, 9), (0.9, 19), (0.95, 39)])
def test_a_series_is_found_and_its_stretches_are_twice_its_time(phi, time):
    rng = np.random.default_rng(int(100 * phi))
    rows, notes = rows_of(series(rng, 4000, 3, phi), series(rng, 4000, 5, phi), None)
    assert 0.6 * time < rows.time < 2 * time  # closed form (1 + phi) / (1 - phi); the longest of 8 columns' estimates
    assert rows.block >= 2 * rows.time
    assert "taken as a series in time" in notes[0]
    assert "independent rows in effect" in notes[0]
    for train, test in rows.folds(10, 0):
        gap = np.abs(train.numpy()[:, None] - test.numpy()[None]).min()
        assert gap > rows.time
    orders = rows.orders(20, 0)
    kept = (np.diff(orders, axis=1) == 1).mean()
    assert kept > 1 - 2 / rows.block


@pytest.mark.parametrize("seed", range(4))
def test_independent_rows_are_left_alone(seed):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((500, 20))
    rows, notes = rows_of(z, rng.standard_normal((500, 40)), None)
    assert rows.independent
    assert notes == ()
    alone, _ = rows_of(
        z, series(rng, 500, 10, 0.9), None
    )  # a drift of the responses alone deceives no shuffle of stimuli
    assert alone.independent
    by_class = np.repeat(2 * rng.standard_normal((10, 20)), 50, 0) + z  # images listed by class
    follows = by_class @ rng.standard_normal((20, 8)) + rng.standard_normal((500, 8))
    assert rows_of(by_class, follows, None)[0].independent
    time = np.linspace(-1, 1, 500)[:, None]
    drift = time @ rng.standard_normal((1, 8)) + 0.3 * rng.standard_normal((500, 8))
    assert rows_of(time + 0.3 * z[:, :3], drift, None)[0].effective < 20  # the same data as a sorted feature: no null


@pytest.mark.parametrize("number", [2, 6, 40])
def test_groups_stay_in_one_fold(number):
    rng = np.random.default_rng(number)
    groups = np.repeat(np.arange(number), 240 // number)
    rows, _ = rows_of(rng.standard_normal((240, 3)), rng.standard_normal((240, 4)), groups)
    for train, test in rows.folds(5, 1):
        if number >= 5:
            assert not set(groups[train.numpy()]) & set(groups[test.numpy()])
        assert len(train) + len(test) >= 200
    orders = rows.orders(5, 0)
    assert (np.sort(orders, 1) == np.arange(240)).all()


def test_repeats_become_trials_and_labels_go_with_them():
    rng = np.random.default_rng(0)
    image = rng.permutation(np.repeat(np.arange(40), 3))
    f, y = rng.standard_normal((40, 4)), rng.standard_normal((120, 6)) + 5
    code = dt.axis_code(y, f[image], groups=[f"image {k}" for k in image], models=False, permutations=20)
    assert code.stimuli == 40
    order = list(dict.fromkeys(image.tolist()))
    by_hand = dt.axis_code(np.stack([y[image == k] for k in order]), f[order], models=False, permutations=20)
    np.testing.assert_allclose(code.axes.sta, by_hand.axes.sta)
    np.testing.assert_allclose(code.reliability, by_hand.reliability)
    assert "120 rows are repeats of 40 stimuli" in code.notes[0]
    assert code.attribute(image % 2).value == by_hand.attribute(np.array(order) % 2).value
    with pytest.raises(InputError, match="labels differ within the rows of one stimulus"):
        code.attribute(np.arange(120) % 2)


@pytest.mark.parametrize(("images", "times", "d"), [(60, 5, 10), (20, 2, 3), (300, 2, 1)])
def test_repeated_rows_are_refused(images, times, d):
    s = np.repeat(np.random.default_rng(images).standard_normal((images, d)), times, 0)
    with pytest.raises(InputError, match=rf"{images * times} of {images * times} rows repeat .*groups="):
        check_repeats(s)
    one = np.concatenate([np.random.default_rng(0).standard_normal((300, d)), np.zeros((200, d))])
    with pytest.raises(InputError, match="200 of 500 rows repeat"):
        check_repeats(one)


@pytest.mark.parametrize("d", [1, 3, 8])
def test_coarse_features_may_coincide(d):
    s = np.random.default_rng(d).integers(0, 2, (200, d))
    assert "coarse features" in check_repeats(s.astype(float))[0]
    category = np.random.default_rng(d).integers(0, d + 1, 200)
    assert "coarse features" in check_repeats(np.eye(d + 1)[category])[0]  # a category's own rate is linear in these


def test_too_short_a_series_has_no_null():
    rows = Rows(100, None, 40.0)
    assert len(rows.orders(50, 0)) == 0
    assert len(Rows(100, None, 3.0).orders(50, 0)) == 50


@pytest.mark.parametrize("unit", [1e-90, 1e90])
def test_stretches_of_one_series_are_seen_in_any_unit(unit):
    rng = np.random.default_rng(8)
    z, y = series(rng, 400, 3, 0.9), series(rng, 400, 4, 0.9)
    (plain, said), (other, told) = (rows_of(z, y * u, np.repeat(np.arange(40), 10)) for u in (1, unit))
    assert "the 40 groups are stretches of one series" in said[0]
    assert told == said
    assert other.time == pytest.approx(plain.time)


@pytest.mark.parametrize("unit", [1e-17, 1e17])
def test_a_category_in_another_unit_is_one(unit):
    s = np.eye(4)[np.random.default_rng(9).integers(0, 4, 80)]
    assert check_repeats(s * [1, 1, 1, unit]) == check_repeats(s)
