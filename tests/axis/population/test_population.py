"""Ceilings, alignment, views, object space, readouts: exact truths first, then laws, then the refusals."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory import axis as ax
from deeptheory.axis.bench.attribute import stratified
from deeptheory.axis.bench.dependence import Rows
from deeptheory.core.errors import InputError

RNG = np.random.default_rng(0)


def test_the_ceiling_is_rho_the_r2_of_a_perfect_model_and_not_its_square():
    sim = ax.simulate("axis", n=4000, d=10, units=12, trials=6, reliability=0.75, noise="gaussian", seed=1)
    mean = sim.responses.mean(1)
    perfect = 1 - ((mean - sim.rates) ** 2).mean(0) / mean.var(0)
    for rho in (ax.split_half(sim.responses), ax.signal_power(sim.responses)):
        np.testing.assert_allclose(rho, 0.75, atol=0.03)
        np.testing.assert_allclose(rho, perfect, atol=0.03)
    assert np.isnan(ax.bootstrap(sim.responses[:2], resamples=60)).all()  # no interval from two stimuli
    assert np.isnan(ax.bootstrap(sim.responses[:1], resamples=60)).all()
    low, high = ax.bootstrap(sim.responses, resamples=60)
    assert ((low < 0.75) & (high > 0.75)).mean() > 0.7
    uneven = ax.simulate("axis", n=4000, d=10, units=6, trials=5, reliability=0.75, noise="gaussian", seed=2)
    np.testing.assert_allclose(ax.split_half(uneven.responses), 0.75, atol=0.03)


def test_a_ceiling_comes_with_trials_and_the_axis_model_nears_it():
    sim = ax.simulate("axis", n=1200, d=8, units=6, trials=4, reliability=0.7, seed=3)
    code = ax.axis_code(sim.responses, sim.features, folds=4, permutations=20, normalize="none")
    np.testing.assert_allclose(code.reliability, 0.7, atol=0.06)
    assert (code.models.normalized[0] > 0.9).all()
    given = ax.axis_code(sim.responses.mean(1), sim.features, folds=4, permutations=5, reliability=0.7, models=False)
    np.testing.assert_allclose(given.reliability, 0.7)


def test_units_that_are_latents_are_aligned_and_mixtures_are_not():
    z = RNG.standard_normal((300, 4))
    order = [2, 0, 3, 1]
    alone = ax.latent_alignment(z[:, order] * [-1, 2, 1, 3] + 0.1 * RNG.standard_normal((300, 4)), z)
    assert alone.mean > 0.9
    assert dict(alone.matches.tolist()) == dict(enumerate(order))
    assert alone.matched.min() > 0.98
    assert (alone.explained > 0.95).all()
    mixed = ax.latent_alignment(z @ np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2, z)
    assert mixed.mean < 0.05
    noise = ax.latent_alignment(RNG.standard_normal((300, 1)), z)
    assert noise.explained[0] < 0.05
    assert len(alone.table()) == 4


def test_udr_is_one_for_the_same_latents_in_another_order_and_low_for_rotations():
    z = RNG.standard_normal((2000, 5))
    twins = [z, -z[:, ::-1], z[:, [3, 1, 0, 4, 2]]]
    assert (ax.udr(twins) > 0.85).all()  # not 1: the rank correlation of independent latents is about 1/sqrt(n), not 0
    turned = [z @ np.linalg.qr(np.random.default_rng(k).standard_normal((5, 5)))[0] for k in range(3)]
    assert (ax.udr(turned) < 0.6).all()
    dead = np.column_stack([z, 1e-9 * RNG.standard_normal((2000, 2))])
    np.testing.assert_allclose(ax.udr([dead, z]), ax.udr([z, z]), atol=1e-9)


def faces(kind):
    """8 identities in 5 views, -2 to 2, 60 units."""
    who, view = np.repeat(np.arange(8), 5), np.tile(np.arange(-2, 3), 8)
    person, place = RNG.standard_normal((8, 60)), RNG.standard_normal((5, 60))
    both = RNG.standard_normal((8, 5, 60))
    noise = 0.1 * RNG.standard_normal((40, 60))
    if kind == "invariant":
        return person[who] + noise, who, view
    if kind == "view":
        return place[view + 2] + 0.3 * both[who, view + 2] + noise, who, view
    return place[np.abs(view)] + 0.3 * both[who, np.abs(view)] + noise, who, view


def test_what_no_pair_of_pictures_shows_is_nan_without_a_warning():
    """Two views that mirror each other leave no other view; one identity per view leaves no other identity."""
    y, who, view = faces("view")
    two = np.abs(view) == 1
    found = ax.view_tolerance(y[two], who[two], view[two], mirrors=[(-1, 1)], permutations=5)
    assert np.isnan(found.mirror)
    assert np.isfinite([found.invariance, found.view_grouping, found.shuffled_high]).all()
    few = ax.view_tolerance(y[:3], [0, 0, 1], [0, 1, 1], permutations=5)
    assert np.isfinite(few.invariance)
    lone = ax.view_tolerance(y[:4], [0, 0, 1, 1], [0, 1, 1, 2], permutations=5)
    assert np.isfinite([lone.invariance, lone.view_grouping]).all()


def test_invariant_view_specific_and_mirrored_populations_are_recognized():
    mirrors = [(-1, 1), (-2, 2)]
    found = {
        kind: ax.view_tolerance(*faces(kind), mirrors=mirrors, permutations=50)
        for kind in ("invariant", "view", "mirror")
    }
    assert found["invariant"].invariance > 0.9
    assert found["invariant"].invariance > found["invariant"].shuffled_high
    assert abs(found["view"].invariance) < 0.1
    assert found["view"].view_grouping > 0.8
    assert found["view"].mirror < 0.2
    assert found["mirror"].mirror > 0.8
    assert np.nanmax(found["mirror"].by_views[0]) == found["mirror"].by_views[0, 4]
    assert found["view"].figure().data
    assert len(found["view"].table()) == 25


def test_similarity_is_correlation_of_standardized_units():
    y = RNG.standard_normal((7, 9))
    z = (y - y.mean(0)) / y.std(0)
    np.testing.assert_allclose(ax.similarity_matrix(y), np.corrcoef(z), atol=1e-12)
    np.testing.assert_allclose(ax.similarity_matrix(np.column_stack([y, np.ones(7)])).diagonal(), 1)


def test_object_space_is_principal_components_with_unit_variance():
    y = RNG.standard_normal((60, 20)) @ RNG.standard_normal((20, 30)) + 4
    space = ax.object_space(y, 5)
    np.testing.assert_allclose(space.encode(y), space.coordinates, atol=1e-9)
    np.testing.assert_allclose(np.cov(space.coordinates.T, bias=True), np.eye(5), atol=1e-9)
    values = np.sort(np.linalg.eigvalsh(np.cov(y.T, bias=True)))[::-1]
    np.testing.assert_allclose(space.explained, values[:5] / values.sum(), rtol=1e-9)
    assert space.quadrants([[1, 1], [-1, 1], [-1, -1], [1, -1]]).tolist() == [0, 1, 2, 3]
    assert len(space.table()) == 5


def test_an_axis_metric_takes_fewer_units():
    found = ax.metric_efficiency((5, 20, 60), n=200, d=20, candidates=20, seeds=(0, 1))
    assert found.accuracy.shape == (2, 2, 3, 4)
    mean = found.accuracy.mean(0)
    for reader in ("identity", "two", "nuisance"):  # the side of a hyperplane both metrics give about equally well
        at = found.readers.index(reader)
        assert mean[0, -1, at] > mean[1, -1, at]
    assert (np.diff(mean[0, :, 0]) > 0).all()
    level = float(mean[1, :, 0].max() * 0.9)
    assert np.nanmean(found.ratio(level)) > 1
    assert np.isnan(found.ratio(1.1)).all()
    assert found.figure().data
    assert len(found.table()) == 2 * 2 * 3 * 4


def test_an_attribute_is_read_by_a_line_that_never_saw_the_stimulus():
    sim = ax.simulate("axis", n=300, d=6, units=20, reliability=0.9, seed=3)
    code = ax.axis_code(sim.responses, sim.features, models=False, permutations=0)
    side = np.where(sim.features[:, 0] > 0, "right", "left")
    read = code.attribute(side)
    assert read.low < read.value < read.high
    assert read.value > 0.85
    x, right = np.column_stack([sim.responses, np.ones(300)]), 0.0
    for k in range(10):  # one regression per fold; single rows left out of balanced values would be below chance
        for train, test in stratified((side == side[0]).astype(int) * -1 + 1, Rows(300), 10, [0, 18, k]):
            w = np.linalg.lstsq(x[train], np.where(side[train] == "right", 1.0, 0.0), rcond=None)[0]
            level = (side == "right").mean() - (side[train] == "right").mean()
            right += ((x[test] @ w + level > 0.5) == (side[test] == "right")).sum()
    assert read.value == pytest.approx(right / 3000, abs=1e-12)
    shuffled = code.attribute(RNG.permutation(side))
    assert shuffled.low < 0.5 < shuffled.high
    thirds = np.digitize(sim.features[:, 1], np.quantile(sim.features[:, 1], [1 / 3, 2 / 3]))
    assert code.attribute(thirds).value > 0.5
    assert "the most frequent of 3 values alone: 0.333" in code.attribute(thirds).notes[0]
    with pytest.raises(InputError, match=r"labels have shape \[299\]; needed: \[300\]"):
        code.attribute(side[1:])
    with pytest.raises(InputError, match="needed: two values, each twice or more"):
        code.attribute(np.ones(300))


Y = RNG.standard_normal((40, 3))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: ax.split_half(Y), r"trials have shape \[40, 3\]; a ceiling needs"),
        (lambda: ax.signal_power(Y[:, None]), "with 2 trials or more"),
        (lambda: ax.latent_alignment(Y, Y[:30]), "responses have 40 rows, latents 30"),
        (lambda: ax.latent_alignment(Y[:, 0], Y), r"responses have shape \[40\]"),
        (lambda: ax.latent_alignment(Y * [1, 0, 1], Y), "columns that never vary, the first 1"),
        (lambda: ax.latent_alignment(Y, Y * np.nan), "latents hold NaN"),
        (lambda: ax.udr([Y]), "needed: two models or more"),
        (
            lambda: ax.view_tolerance(Y, np.zeros(39), np.zeros(40)),
            r"identity has shape \[39\]; needed: \[40\], one per row",
        ),
        (
            lambda: ax.view_tolerance(Y, np.arange(40), np.arange(40) % 2),
            "none of the 40 identities is shown in two views",
        ),
        (
            lambda: ax.view_tolerance(Y, np.arange(40) // 2, np.arange(40) % 2, mirrors=[(1, 1)]),
            "view 1 as its own mirror",
        ),
        (lambda: ax.view_tolerance(Y, np.zeros(40), np.arange(40) % 2), "there are 1 identities and 2 views"),
        (lambda: ax.view_tolerance(Y, np.arange(40) % 2, np.arange(40) % 2), "38 pictures show an identity in a view"),
        (lambda: ax.object_space(Y, 4), r"responses have shape \[40, 3\]; 4 components"),
        (lambda: ax.object_space(Y, 2).encode(Y[:, :2]), r"responses have shape \[40, 2\]; needed: \[m, 3\]"),
        (lambda: ax.metric_efficiency(()), "units are"),
        (
            lambda: ax.metric_efficiency((2, 4), n=60, d=4, candidates=4, seeds=(0,)).ratio(0.5, "face"),
            "unknown reader",
        ),
    ],
)
def test_wrong_use_is_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        wrong()


@pytest.mark.parametrize("baseline", [1e4, -1e6, 1e8])
def test_a_baseline_far_above_the_variance_changes_nothing(baseline):
    sim = ax.simulate("axis", n=120, d=3, units=5, seed=3)
    a, b = (dt.axis_code(sim.responses + c, sim.features, permutations=20, folds=3) for c in (0, baseline))
    assert b.dead == 0
    assert (a.verdict == b.verdict).all()
    np.testing.assert_allclose(b.decoding.explained, a.decoding.explained, rtol=1e-6)
    np.testing.assert_allclose(b.models.r2[0], a.models.r2[0], atol=1e-4)


@pytest.mark.parametrize("size", [1e-200, 1, 1e200])
def test_spaces_and_similarities_know_no_unit_of_responses(size):
    y = np.random.default_rng(0).standard_normal((12, 5))
    a, b = ax.object_space(y, 3), ax.object_space(y * size, 3)
    np.testing.assert_allclose(b.explained, a.explained, rtol=1e-9)
    np.testing.assert_allclose(b.coordinates, a.coordinates, rtol=1e-6, atol=1e-9)
    still = size * np.where(np.arange(12) % 2, 0.1 + 0.2, 0.3)[:, None]  # rounding
    np.testing.assert_allclose(
        ax.similarity_matrix(np.hstack([y * size, still])),
        ax.similarity_matrix(np.hstack([y, 0 * y[:, :1]])),
        atol=1e-9,
    )


def test_a_matrix_that_is_not_symmetric_is_no_rdm():
    r = np.random.default_rng(0).random((6, 6))
    with pytest.raises(InputError, match="first matrix is not symmetric"):
        ax.rdm_correlation(r, r + r.T)
    with pytest.raises(InputError, match="NaN"):
        ax.similarity_matrix(np.full((3, 4), np.nan))


def test_a_stimulus_that_makes_most_of_the_variance_is_noted():
    sim = ax.simulate("axis", n=120, d=3, units=5, seed=3)
    y = sim.responses.copy()
    assert not any("one stimulus makes" in n for n in dt.axis_code(y, sim.features, models=False, permutations=0).notes)
    y[7, 2] = 200 * np.abs(y).max()
    assert any(
        "in 1 unit of 5 one stimulus makes" in n
        for n in dt.axis_code(y, sim.features, models=False, permutations=0).notes
    )
