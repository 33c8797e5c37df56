"""The measures between areas and stimulus sets, against loops and known truths: null planes, strangers, transfer,
labels, dissimilarities.
"""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.axis import (
    axis_transfer,
    cross_validated_rdm,
    distractor_ratio,
    label_decoding,
    null_plane,
    rdm,
    rdm_correlation,
)
from deeptheory.core.errors import InputError
from oracles import areas as oracle

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((300, 6)) * [3, 2, 1, 1, 0.5, 0.5] + 5
AXES = RNG.standard_normal((6, 4))
ANSWERS = np.log1p(np.exp((FEATURES - 5) @ AXES / 3))
BLOCKS = {"shape": slice(0, 3), "appearance": slice(3, 6)}


@pytest.fixture(scope="module")
def code():
    return dt.axis_code(ANSWERS, FEATURES, BLOCKS, permutations=0, models=False, normalize="none")


def test_steps_are_of_one_length_and_one_of_them_is_orthogonal_to_the_axis(code):
    got = null_plane(code, 2, [0, 5, 7], reach=1.5, seed=3)
    w = code.axes.ridge[2] / np.linalg.norm(code.axes.ridge[2])
    null, along = got.null - got.start, got.along - got.start  # normalize="none": the caller's space but for the center
    assert np.allclose(got.start, FEATURES[[0, 5, 7]])
    assert np.allclose(null @ w, 0, atol=1e-9)
    assert np.allclose(along, got.length * w)
    assert np.allclose(np.linalg.norm(null, axis=1), got.length)
    assert got.length == pytest.approx(1.5 * (FEATURES @ w).std())
    assert np.allclose(got.table()["moved"], got.length)
    assert "unit 2, 3 stimuli moved" in repr(got)


def test_an_axis_cell_does_not_answer_its_null_plane_and_a_distance_cell_does(code):
    w = code.axes.ridge[1]
    rows = np.arange(40)
    plane = null_plane(code, 1, rows)
    null, along = plane.change(lambda f: np.log1p(np.exp(f @ w)))
    assert null < 1e-9 < along
    exemplar = FEATURES[100]
    null, along = plane.change(lambda f: np.linalg.norm(f - exemplar, axis=1))
    assert null > 0.2 * along


def test_null_steps_keep_to_the_normalized_space_and_its_units():
    code = dt.axis_code(ANSWERS[:, [3, 1]], FEATURES, BLOCKS, permutations=0, models=False, normalize="dim")
    plane = null_plane(code, 0, [4])
    scale = FEATURES.std(0)
    moved = (plane.null - plane.start) / scale
    assert np.abs(moved @ code.axes.ridge[0]).max() < 1e-9
    assert np.linalg.norm(moved) == pytest.approx(plane.length)


def test_strangers_are_those_of_loops():
    actual = RNG.standard_normal((20, 3))
    predicted = actual + 0.5 * RNG.standard_normal((20, 3))
    assert np.allclose(distractor_ratio(predicted, actual), oracle.distractor_ratio(predicted, actual))
    assert (distractor_ratio(actual, actual) == 0).all()
    assert (distractor_ratio(actual[::-1], actual) > 1).all()
    far = distractor_ratio(predicted + 1e8, actual + 1e8)  # squares of 1e8 would swallow distances of 1
    assert np.allclose(far, distractor_ratio(predicted, actual), rtol=1e-6)
    assert distractor_ratio(np.eye(3)[[1, 0, 2]], np.eye(3)).tolist() == [np.inf, np.inf, 0]
    assert np.isnan(distractor_ratio(np.zeros((2, 3)), np.zeros((2, 3)))).all()


def test_transfer_of_axes(code):
    same, units = axis_transfer(code, code)
    assert np.allclose(same, 1)
    assert units.tolist() == [0, 1, 2, 3]
    other = dt.axis_code(-ANSWERS, FEATURES, BLOCKS, permutations=0, models=False, normalize="none")
    assert np.allclose(axis_transfer(code, other)[0], -1)
    # shape axes kept, appearance axes dealt anew: one block says 1, the other does not
    turned = AXES.copy()
    turned[3:] = turned[3:][:, ::-1]
    linear = [dt.axis_code((FEATURES - 5) @ a, FEATURES, BLOCKS, permutations=0, models=False) for a in (AXES, turned)]
    assert (axis_transfer(*linear, block="shape")[0] > 0.95).all()
    assert axis_transfer(*linear, block="appearance")[0].min() < 0.7
    dead = ANSWERS.copy()
    dead[:, 1] = 2
    kept = dt.axis_code(dead, FEATURES, BLOCKS, permutations=0, models=False, normalize="none")
    assert axis_transfer(code, kept)[1].tolist() == [0, 2, 3]


def test_labels_are_read_as_loops_read_them():
    trials = RNG.standard_normal((4, 9, 5, 3)) + 0.8 * RNG.standard_normal((4, 1, 5, 3))
    trials[:, :, 2] = 1.0  # a unit that never varies
    got = label_decoding(trials, train_fraction=0.6)
    expected = [oracle.nearest_mean_accuracy(trials[..., w].tolist(), 0.6) for w in range(3)]
    assert np.allclose(got.accuracy, expected)
    assert got.trials == (5, 4)
    assert got.chance == 0.25
    assert np.allclose(got.confusion.sum(2), 1)
    assert np.allclose(got.dataset()["accuracy"], got.accuracy)
    assert len(got.table()) == 3
    assert "4 labels" in repr(got)
    assert np.array_equal(label_decoding(trials[..., 0], train_fraction=0.6).accuracy, got.accuracy[:1])


def test_labels_of_noise_are_at_chance_and_of_signal_are_read():
    noise = RNG.standard_normal((5, 400, 3))
    assert label_decoding(noise).accuracy[0] == pytest.approx(0.2, abs=0.05)
    signal = noise + 10 * np.arange(5)[:, None, None]
    assert label_decoding(signal).accuracy[0] == 1


def test_dissimilarities_are_those_of_loops():
    y, z = RNG.standard_normal((2, 12, 7))
    a, b = rdm(y), rdm(z)
    for i in range(12):
        for j in range(12):
            assert a[i, j] == pytest.approx(1 - oracle.correlation(y[i], y[j]), abs=1e-12)
    rows = [0, 2, 3, 7, 11]
    assert float(rdm_correlation(a, b, rows)) == pytest.approx(oracle.rank_agreement(a.tolist(), b.tolist(), rows))
    assert float(rdm_correlation(a, a)) == pytest.approx(1)
    assert float(rdm_correlation(a, 3 - a)) == pytest.approx(-1)
    assert np.allclose(rdm(y), rdm(3 * y + 5))  # scale and offset of a pattern do not matter


def test_cross_validated_distances_are_those_of_loops_and_zero_without_difference():
    x = RNG.standard_normal((5, 3, 4)) + RNG.standard_normal((5, 1, 4))
    found = cross_validated_rdm(x, whiten=False)
    for i in range(5):
        for j in range(5):
            by_hand = oracle.cross_validated_distance(x[i].tolist(), x[j].tolist())
            assert found[i, j] == pytest.approx(by_hand, abs=1e-12)
    same = cross_validated_rdm(RNG.standard_normal((60, 4, 30)))
    assert abs(same[np.triu_indices(60, 1)].mean()) < 0.1  # 4 standard deviations


def test_a_transfer_is_one_for_the_same_cells_under_another_covariance():
    cells = RNG.standard_normal((6, 5))
    sets = [RNG.standard_normal((500, 6)) * s for s in ([1, 1, 1, 1, 1, 1], [4, 2, 1, 0.5, 0.25, 0.1])]
    codes = [
        dt.axis_code(s @ cells, s, models=False, permutations=0, normalize=k) for s, k in zip(sets, ("dim", "block"))
    ]
    assert np.allclose(axis_transfer(*codes)[0], 1, atol=1e-9)
    assert axis_transfer(*codes, which="sta")[0].min() < 0.9


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda c: null_plane(c, 9, [0]), "unit 9 is not among the 4 kept"),
        (lambda c: null_plane(c, 0, [300]), r"rows are \[300\]; needed: stimuli from 0 to 299"),
        (lambda c: null_plane(c, 0, [0], reach=0), "reach is 0; needed: a finite number above 0"),
        (lambda c: distractor_ratio(np.zeros((3, 2)), np.zeros((3, 1))), r"predicted is \[3, 2\], actual \[3, 1\]"),
        (lambda c: axis_transfer(c, c, block="color"), "unknown block 'color'"),
        (
            lambda c: axis_transfer(c, dt.axis_code(ANSWERS, FEATURES[:, :4], permutations=0, models=False)),
            "features are 6 and 4",
        ),
        (
            lambda c: axis_transfer(
                dt.axis_code(ANSWERS * [1, 0, 0, 0], FEATURES, permutations=0, models=False),
                dt.axis_code(ANSWERS * [0, 1, 0, 0], FEATURES, permutations=0, models=False),
            ),
            "no unit in common",
        ),
        (lambda c: label_decoding(np.zeros((1, 4, 2))), r"trials have shape \[1, 4, 2\]"),
        (lambda c: label_decoding(np.full((2, 4, 2), np.nan)), "finite"),
        (lambda c: label_decoding(np.zeros((2, 4, 2)), train_fraction=1.0), "train_fraction is 1 of 4 trials"),
        (lambda c: rdm(np.full((3, 4), np.nan)), "3 of 3 patterns hold NaN"),
        (
            lambda c: rdm_correlation(np.full((5, 5), np.nan), np.eye(5)),
            "the first matrix holds NaN or infinities in 10 of 10",
        ),
        (
            lambda c: rdm_correlation(rdm(RNG.standard_normal((5, 4))), np.ones((5, 5))),
            "the second matrix has one value for all",
        ),
        (lambda c: rdm_correlation(np.eye(5), np.eye(5), [0, 1, 1, 2]), "rows name 1 stimuli twice"),
        (lambda c: cross_validated_rdm(np.zeros((3, 1, 4))), r"trials have shape \[3, 1, 4\]"),
        (lambda c: cross_validated_rdm(np.full((3, 2, 4), np.nan)), "trials hold NaN or infinities in 24 of 24"),
        (lambda c: cross_validated_rdm(np.ones((5, 2, 4))), "no noise to whiten by"),
        (lambda c: cross_validated_rdm(np.ones((3, 2, 4))), "3 conditions leave none to whiten two"),
        (lambda c: axis_transfer(c, c, which="STA"), "unknown axis 'STA'"),
        (lambda c: rdm(np.zeros(4)), r"responses have shape \[4\]"),
        (lambda c: rdm(np.ones((3, 4))), "3 of 3 patterns do not vary"),
        (lambda c: rdm_correlation(np.zeros((3, 3)), np.zeros((4, 4))), r"dissimilarities are \[3, 3\] and \[4, 4\]"),
        (lambda c: rdm_correlation(np.zeros((5, 5)), np.zeros((5, 5)), [0, 1]), "2 stimuli have too few pairs"),
    ],
)
def test_wrong_use(code, call, match):
    with pytest.raises(InputError, match=match):
        call(code)
