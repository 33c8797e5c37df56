"""The parts of the bench against loops as the papers write them, and against what must hold whatever the data."""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.axis import axis_code, simulate
from oracles import axis as oracle


@pytest.fixture(scope="module")
def small():
    sim = simulate({"axis": 0.5, "exemplar": 0.5}, n=160, d=6, units=10, seed=3, reliability=0.8)
    blocks = {"shape": slice(0, 2), "appearance": slice(2, 6)}
    return sim, blocks, axis_code(sim.responses, sim.features, blocks, folds=4, permutations=50)


def test_axes_are_the_mean_subtracted_sta_of_block_normalized_features(small):
    sim, _, code = small
    s = oracle.block_normalized(sim.features, [np.arange(2), np.arange(2, 6)])
    np.testing.assert_allclose(code.axes.sta, oracle.sta(sim.responses, s), rtol=1e-9, atol=1e-12)
    design = np.column_stack([s, np.ones(len(s))])
    ols = np.linalg.lstsq(design, sim.responses, rcond=None)[0][:-1].T
    np.testing.assert_allclose(code.axes.whitened, ols, rtol=1e-7, atol=1e-10)


def test_signed_responses_and_a_constant_added_change_no_axis(small):
    sim, blocks, code = small
    moved = axis_code(-3 * sim.responses + 7, sim.features, blocks, folds=4, permutations=50)
    np.testing.assert_allclose(moved.axes.sta, -3 * code.axes.sta, rtol=1e-9)
    np.testing.assert_allclose(moved.preference.value, code.preference.value, atol=1e-6)
    np.testing.assert_allclose(moved.decoding.explained, code.decoding.explained, atol=1e-9)


def test_ridge_is_scored_by_leaving_out(small):
    sim, _, code = small
    s = oracle.block_normalized(sim.features, [np.arange(2), np.arange(2, 6)])
    for k in (0, 7):
        y, errors = sim.responses[:, k], []
        for i in range(len(y)):
            rest = np.arange(len(y)) != i
            # the covariance and the means are those of all stimuli in the closed form's penalty, of the rest in the fit
            a, b = s[rest] - s[rest].mean(0), y[rest] - y[rest].mean()
            w = np.linalg.solve(a.T @ a + len(y) * code.axes.alpha[k] * np.eye(6), a.T @ b)
            errors.append(y[i] - y[rest].mean() - (s[i] - s[rest].mean(0)) @ w)
        explained = 1 - np.sum(np.square(errors)) / np.sum((y - y.mean()) ** 2)
        assert code.axes.explained[k] == pytest.approx(explained, abs=1e-9)


def test_decoding_equals_one_regression_a_left_out_stimulus(small):
    sim, _, code = small
    predicted = oracle.leave_one_out(sim.responses, code.decoding.actual)
    np.testing.assert_allclose(code.decoding.predicted, predicted, rtol=1e-7, atol=1e-9)
    s = code.decoding.actual
    np.testing.assert_allclose(code.decoding.explained, 1 - ((s - predicted) ** 2).sum(0) / (s**2).sum(0), rtol=1e-7)


def test_identification_is_the_expectation_of_drawing(small):
    _, _, code = small
    found = code.identification([2, 10, 40], units=[3])
    for k, n in enumerate(found.candidates):
        drawn = oracle.identification(code.decoding.predicted, code.decoding.actual, n, 4000, seed=k)
        assert found.accuracy[-1, k] == pytest.approx(drawn, abs=0.03)  # 4 standard errors of 4,000 draws
    assert (np.diff(found.accuracy, axis=1) <= 0).all()
    assert (found.accuracy[0] <= found.accuracy[1] + 1e-9).all()
    assert (found.best_single <= found.accuracy[-1]).all()


def test_a_shuffle_is_the_correlation_with_the_shuffles_own_axis(small):
    from deeptheory.axis.bench.shuffles import shuffled
    from deeptheory.axis.bench.validation import enter

    sim, blocks, _ = small
    e = enter(sim.responses, sim.features, blocks)
    null = shuffled(e, 3, seed=5)
    rng = np.random.default_rng([5, 2])
    for draw in range(3):
        s = e.s.numpy()[rng.permutation(len(e.s))]
        axes = oracle.sta(sim.responses, s)
        for k in range(10):
            r = np.corrcoef(sim.responses[:, k], s @ axes[k])[0, 1]
            assert null.correlation_null[draw, k] == pytest.approx(r, abs=1e-5)


def test_flatness_equals_two_regressions(small):
    sim, _, code = small
    from scipy.stats import f as fisher

    s, n, d = code.decoding.actual, len(sim.responses), 6
    for k in (1, 8):
        y = (sim.responses[:, k] - sim.responses[:, k].mean()) / sim.responses[:, k].std()
        a = code.axes.sta[k] / np.linalg.norm(code.axes.sta[k])
        x = s @ code.axes.whitened[k]
        inside = np.column_stack([np.ones(n), s, x**2, x**3])  # all that is linear: the axis itself was fitted
        away = np.eye(d) - np.outer(a, a)
        values, vectors = np.linalg.eigh(away @ np.cov(s.T, bias=True) @ away)
        o = s @ vectors[:, np.argsort(values)[1:]]

        def rss(design, y=y):
            return np.sum((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2)

        small_model, large = rss(inside), rss(np.column_stack([inside, o**2]))
        freedom = n - 3 - d - (d - 1)
        p = fisher.sf(((small_model - large) / (d - 1)) / (large / freedom), d - 1, freedom)
        assert code.flatness.p[k] == pytest.approx(p, rel=1e-5)
        assert code.flatness.along[k] == pytest.approx(1 - small_model / n * (n - 1) / (n - d - 3), abs=1e-9)
        norm = rss(np.column_stack([inside, (o**2).sum(1)]))
        assert code.flatness.norm_r[k] ** 2 == pytest.approx(1 - norm / small_model, abs=1e-9)


def test_a_rotation_within_the_feature_space_changes_no_verdict_and_no_score():
    sim = simulate({"axis": 0.5, "exemplar": 0.5}, n=300, d=8, units=8, seed=1)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((8, 8)))[0]
    a = axis_code(sim.responses, sim.features, normalize="none", permutations=20, folds=5)
    b = axis_code(sim.responses, sim.features @ turn, normalize="none", permutations=20, folds=5)
    np.testing.assert_allclose(a.models.r2[:3], b.models.r2[:3], atol=2e-3)
    assert (a.verdict == b.verdict).all()
    np.testing.assert_allclose(np.abs(a.models.axis @ turn), np.abs(b.models.axis), atol=0.02)


def test_torch_and_numpy_give_the_same_and_the_seed_decides(small):
    sim, blocks, code = small
    again = axis_code(torch.as_tensor(sim.responses), torch.as_tensor(sim.features), blocks, folds=4, permutations=50)
    for name in ("r2", "aic", "axis", "target"):
        np.testing.assert_array_equal(getattr(again.models, name), getattr(code.models, name))
    np.testing.assert_array_equal(again.ramp.p, code.ramp.p)
    other = axis_code(sim.responses, sim.features, blocks, folds=4, permutations=50, seed=1)
    assert (other.axes.reliability != code.axes.reliability).any()


def test_results_show_themselves(small):
    _, _, code = small
    assert len(code.table()) == 10
    assert code.scalars()["preference/shape"] == pytest.approx(float(code.preference.index.mean()))
    assert sum(code.share.values()) == pytest.approx(1)
    for name in ("ramp", "preference", "flatness", "models", "decoding", "identification"):
        assert code.figure(name).data
    for part in (code.axes, code.ramp, code.models):
        assert part.dataset().sizes["unit"] == 10
    for part in (code, code.axes, code.ramp, code.preference, code.flatness, code.models, code.decoding):
        assert len(repr(part)) < 200
        assert len(part.table())
    np.testing.assert_allclose(code.models.aic_weights.sum(0), 1)
    assert code.models.of("axis").shape == (10,)
    assert dt.axis_code is axis_code
