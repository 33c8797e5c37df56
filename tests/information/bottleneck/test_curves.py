"""Curves, branches, the Gaussian and finite-sample forms, capacity and rate-distortion."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import deeptheory as dt
from deeptheory.information import bottleneck_branches, finite_sample_bound, first_critical_beta
from oracles import bottleneck as oracle


def channel(p):
    return np.array([[1 - p, p], [p, 1 - p]]) / 2


def binary_entropy(v):
    return -v * np.log2(v) - (1 - v) * np.log2(1 - v)


@pytest.fixture(scope="module")
def soft():
    return dt.datasets.icosahedron(gamma=50).p_xy


def test_the_curve_of_a_symmetric_channel():
    betas = np.array([8.0, 1.6, 2.0, 4.0, 1.0])
    curve = dt.bottleneck_curve(channel(0.1), betas)
    assert curve.beta.tolist() == sorted(betas)
    known = np.array([oracle.symmetric_channel(0.1, b) for b in curve.beta])
    assert np.stack([curve.i_x, curve.i_y], 1) == pytest.approx(known, abs=1e-9)
    assert curve.first_critical == pytest.approx(1.5625, rel=1e-12)
    assert curve.critical_beta == pytest.approx([1.5625], rel=2e-5)
    assert curve.clusters.tolist() == [1, 2, 2, 2, 2]


def test_the_first_critical_beta_of_the_twelve_bit_rule(soft):
    """1.007039 is where the trivial solution stops being a minimum; a distant solution wins a little earlier."""
    curve = dt.bottleneck_curve(soft)
    assert curve.first_critical == pytest.approx(1.007039, abs=1e-6)
    assert 0 < 1 - curve.critical_beta[0] / curve.first_critical < 1e-3
    assert "jump" in curve.notes[0]
    before, after = (dt.bottleneck(soft, curve.critical_beta[0] * (1 + s)) for s in (-1e-4, 1e-4))
    assert before.i_x == 0
    assert after.i_x > 0.02  # a smooth beginning would keep about as little as the step in beta


def test_bound_and_envelope_meet_and_hold(soft):
    curve = dt.bottleneck_curve(soft)
    x = np.linspace(0, curve.h_x, 500)
    apart = curve.bound(x) - curve.envelope(x)
    assert apart.min() > -1e-9
    assert apart.max() < 2e-4
    rng = np.random.default_rng(0)
    for k in (2, 3, 8):  # no encoder whatever is above the bound
        encoder = rng.dirichlet(np.full(k, 0.2), 4096)
        order = np.argsort(soft[:, 1])
        hard = np.eye(k)[(np.argsort(order) * k // 4096)]
        for e in (encoder, hard, 0.9 * hard + 0.1 / k):
            from deeptheory.information.bottleneck.joint import as_joint, informations

            joint = as_joint(soft)
            merged = np.stack([np.bincount(joint.group, c, len(joint.p)) for c in e.T], 1)
            got = informations(joint, merged / merged.sum(1, keepdims=True))
            assert got["i_y"] <= curve.bound(got["i_x"]) + 1e-9


def test_the_slope_is_the_inverse_of_beta(soft):
    betas = np.geomspace(1.02, 1.5, 2000)
    curve = dt.bottleneck_curve(soft, betas, locate=False)
    slope = np.diff(curve.i_y) / np.diff(curve.i_x)
    assert slope * np.sqrt(betas[1:] * betas[:-1]) == pytest.approx(np.ones(1999), abs=1e-3)
    assert curve.beta_at(curve.i_x[1000]) == pytest.approx(betas[1000], rel=1e-3)


def test_where_y_is_a_function_of_x_the_curve_is_the_smaller_of_two():
    p = np.zeros((6, 3))
    p[range(6), [0, 0, 1, 1, 1, 2]] = 1 / 6
    curve = dt.bottleneck_curve(p)
    h_y = -(np.array([2, 3, 1]) / 6 * np.log2(np.array([2, 3, 1]) / 6)).sum()
    x = np.linspace(0, 2.5, 60)
    for form in (curve.bound(x), curve.envelope(x)):
        assert form == pytest.approx(np.minimum(x, h_y), abs=1e-9)
    assert "I(T;Y) = I(X;T)" in curve.notes[0]  # the line itself is returned now, so the note speaks of the line
    assert curve.first_critical == pytest.approx(1)
    assert dt.bottleneck(p, 0.9).i_x == 0
    assert dt.bottleneck(p, 1.1).i_x == pytest.approx(h_y)
    assert "squared" in dt.bottleneck(p, 1.1).notes[0]


def test_branches_with_more_clusters_are_better_and_leave_later():
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.full(2, 0.4), 9) / 9
    curve = dt.bottleneck_curve(p, np.geomspace(1.2, 60, 10))
    branches = bottleneck_branches(p, curve.beta, clusters=(1, 2, 3), restarts=3)
    assert (branches.i_x[0] == 0).all()
    assert (np.diff(branches.lagrangian, axis=0) <= 1e-9).all()
    least = curve.i_x - curve.beta * curve.i_y
    assert (branches.lagrangian >= least - 1e-7).all()
    assert branches.lagrangian[-1, curve.clusters <= 3] == pytest.approx(least[curve.clusters <= 3], abs=1e-5)
    leaves = branches.leaves[1:]
    assert (np.diff(leaves[~np.isnan(leaves)]) >= 0).all()
    assert set(branches.dataset().data_vars) == {"i_x", "i_y", "lagrangian", "leaves"}
    assert len(branches.figure().data) == 3
    assert "BottleneckBranches(10 betas" in repr(branches)


# rho = 0.8: beta -> (I(X;T), I(T;Y)), computed apart from this package by scanning
GAUSSIAN = {2: (0.415037, 0.236966), 3: (0.915037, 0.444484), 10: (2.0, 0.660964)}


@pytest.mark.parametrize(("beta", "known"), GAUSSIAN.items())
def test_a_gaussian_pair_has_its_closed_form(beta, known):
    found = dt.gaussian_bottleneck([[1.0]], [[1.0]], [[0.8]], [beta])
    assert (found.i_x[0], found.i_y[0]) == pytest.approx(known, abs=1e-6)
    assert found.critical_beta == pytest.approx([1.5625])
    assert found.i_xy == pytest.approx(-0.5 * np.log2(1 - 0.64))
    if beta == 2:
        assert (found.i_x[0], found.i_y[0]) == pytest.approx(oracle.gaussian(0.8, beta), abs=1e-3)


def test_gaussians_in_many_dimensions_against_determinants_and_any_other_projection():
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((7, 7))
    cov = mix @ mix.T + 0.3 * np.eye(7)
    cx, cy, cxy = cov[:4, :4], cov[4:, 4:], cov[:4, 4:]

    def informations(a):
        given = cx - cxy @ np.linalg.solve(cy, cxy.T)
        with_noise = [np.linalg.slogdet(a @ c @ a.T + np.eye(len(a)))[1] / np.log(2) / 2 for c in (cx, given)]
        return with_noise[0], with_noise[0] - with_noise[1]

    found = dt.gaussian_bottleneck(cx, cy, cxy, [1.5, 3.0, 20.0])
    for k, beta in enumerate(found.beta):
        i_x, i_y = informations(found.projections[k])
        assert (i_x, i_y) == pytest.approx((found.i_x[k], found.i_y[k]), abs=1e-9)
        for _ in range(30):
            other = found.projections[k] + 0.1 * rng.standard_normal((4, 4))
            x, y = informations(other)
            assert x - beta * y >= i_x - beta * i_y - 1e-9
    assert (np.diff(found.critical_beta) > 0).all()
    solution = dt.bottleneck((cx, cy, cxy), 20.0, "gaussian")
    assert (solution.i_x, solution.i_y) == (found.i_x[2], found.i_y[2])
    assert solution.encoder.shape == (found.dimension[2], 4)
    assert solution.decoder.shape == (3, found.dimension[2])
    assert found.figure().data
    assert "GaussianBottleneck(3 betas" in repr(found)
    assert list(found.dataset().data_vars) == ["i_x", "i_y", "dimension"]


@pytest.mark.slow
def test_a_gaussian_cut_into_cells_comes_near_the_gaussian_curve():
    grid = np.linspace(-4, 4, 25)
    x, y = np.meshgrid(grid, grid, indexing="ij")
    p = np.exp(-(x**2 - 1.6 * x * y + y**2) / (2 * 0.36))
    p /= p.sum()
    for beta in (2.0, 3.0):
        cells, smooth = dt.bottleneck(p, beta), dt.bottleneck(([[1.0]], [[1.0]], [[0.8]]), beta, "gaussian")
        assert cells.lagrangian == pytest.approx(smooth.lagrangian, abs=5e-3)


def test_a_finite_sample_has_a_best_complexity(soft):
    curve = dt.bottleneck_curve(soft)
    few, many = finite_sample_bound(curve, 100), finite_sample_bound(curve, 10_000_000)
    for found in (few, many):
        scale = found.constant * 2 / np.sqrt(found.n)
        x = np.linspace(0, curve.h_x, 20_001)
        worst = curve.i_xy - curve.envelope(x) + scale * 2**x
        assert found.d_star <= worst.min() + 1e-9
        assert found.d_star == pytest.approx(worst.min(), abs=1e-4)  # the curve has a corner where it jumps
        assert found.r_star == pytest.approx(x[worst.argmin()], abs=2e-3)
    assert many.interior
    assert few.r_star < many.r_star
    assert few.d_star > many.d_star
    assert finite_sample_bound(curve, 100, constant=0).d_star == pytest.approx(0, abs=1e-9)
    assert many.table().shape == (400, 3)
    assert len(many.figure().data) == 3
    assert "FiniteSampleBound(n 100" in repr(few)


def test_capacities_that_are_known():
    symmetric = dt.capacity(np.array([[0.9, 0.1], [0.1, 0.9]]))
    assert symmetric.value == pytest.approx(1 - binary_entropy(0.1), abs=1e-9)
    assert symmetric.p_x == pytest.approx([0.5, 0.5])
    z_channel = dt.capacity(torch.tensor([[1.0, 0.0], [0.5, 0.5]], dtype=torch.float64))
    assert z_channel.value == pytest.approx(np.log2(1.25), abs=1e-8)
    assert isinstance(z_channel.p_x, torch.Tensor)
    erasing = dt.capacity([[0.7, 0.3, 0.0], [0.0, 0.3, 0.7]])
    assert erasing.value == pytest.approx(0.7, abs=1e-9)
    assert dt.capacity(np.eye(5)).value == pytest.approx(np.log2(5))
    assert dt.capacity(np.ones((3, 2)) / 2).value == pytest.approx(0, abs=1e-12)
    found = dt.capacity(np.random.default_rng(0).dirichlet(np.ones(5), 30))
    assert found.high - found.value < 1e-9
    assert "ChannelCapacity(" in repr(found)
    assert len(found.table()) == 30


def test_rate_distortion_of_a_coin_and_of_a_large_alphabet():
    coin = dt.rate_distortion([0.5, 0.5], 1 - np.eye(2), [0.0, 1.0, 2.0, 5.0])
    assert coin.rate == pytest.approx(1 - binary_entropy(coin.distortion), abs=1e-9)
    assert coin.distortion == pytest.approx(1 / (1 + np.exp(coin.beta)), abs=1e-9)
    x = np.linspace(-4, 4, 60)
    p = np.exp(-(x**2) / 2)
    normal = dt.rate_distortion(p / p.sum(), (x[:, None] - x) ** 2, [0.5, 1.0, 2.0])
    assert normal.gap.max() < 1e-9
    assert normal.rate == pytest.approx(0.5 * np.log2(1 / normal.distortion), abs=1e-3)
    assert (np.diff(normal.rate) > 0).all()
    assert normal.encoder.sum(-1) == pytest.approx(np.ones((3, 60)))
    assert "RateDistortion(3 betas" in repr(normal)
    assert normal.figure().data
    wide = dt.rate_distortion(np.ones(20) / 20, np.abs(np.subtract.outer(np.arange(20), np.arange(500) / 25)), 1.0)
    assert wide.gap[0] < 0.05


TABLES = (
    st.integers(1, 6).flatmap(
        lambda nx: st.integers(1, 4).flatmap(
            lambda ny: arrays(np.float64, (nx, ny), elements=st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 0.5, 1e-6, 1e3]))
        )
    ),
    st.sampled_from([0.0, 0.3, 1.0, 1.7, 6.0, 300.0]),
    st.booleans(),
)


@settings(max_examples=40, deadline=None)
@given(*TABLES)
def test_any_table_zeros_duplicates_and_single_columns_included(table, beta, doubled):
    check_any_table(table, beta, doubled)


@pytest.mark.slow
@pytest.mark.parametrize("rare", [1e-3, 1e-6, 1e-9])
def test_a_rare_row_keeps_a_cluster(rare):
    """Leaps of the weights left rows of probability 1e-9 without a cluster: their share of the cost is small."""
    check_any_table(np.array([[0, rare, 0], [1e3, 0, 1], [1e3, 1, 0]]), 0.3, False)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(*TABLES)
def test_many_more_tables(table, beta, doubled):
    check_any_table(table, beta, doubled)


def check_any_table(table, beta, doubled):
    """Bounds hold, no NaN, for every solver."""
    if table.sum() == 0:
        table = table + 1
    p = np.concatenate([table, table]) if doubled else table
    p = p / p.sum()
    i_xy = oracle.informations(p.tolist(), np.eye(len(p)).tolist())[1]
    best = dt.bottleneck(p, beta)
    hard = [
        dt.bottleneck(p, beta, m, **o)
        for m, o in (("dib", {"restarts": 2}), ("agglomerative", {}), ("sequential", {"restarts": 2}))
    ]
    for found in (best, *hard, dt.bottleneck(p, beta, "squared")):
        assert np.isfinite([found.i_x, found.i_y, found.lagrangian]).all()
        assert np.isfinite(found.encoder).all()
        assert found.encoder.sum(1) == pytest.approx(np.ones(len(p)))
        assert -1e-12 <= found.i_y <= min(found.i_x, i_xy) + 1e-9
        assert oracle.informations(p.tolist(), found.encoder.tolist())[:2] == pytest.approx(
            (found.i_x, found.i_y), abs=1e-8
        )
    assert best.lagrangian <= 1e-9
    assert best.gap < 1e-6
    for found in hard:
        assert found.h_t - beta * found.i_y >= best.lagrangian - best.gap - 1e-9
    curve = dt.bottleneck_curve(p, [0.5, 1.5, 4.0, 40.0], locate=False)
    assert (np.diff(curve.i_x) >= -1e-7).all()
    assert (np.diff(curve.i_y) >= -1e-7).all()
    assert best.i_y <= curve.bound(best.i_x) + 1e-8
    if i_xy < 1e-12:
        assert first_critical_beta(p) == np.inf
        assert best.i_x == pytest.approx(0, abs=1e-9)
    else:
        assert first_critical_beta(p) >= 1


def test_curves_show_themselves():
    curve = dt.bottleneck_curve(channel(0.1), [1.0, 2.0, 4.0])
    assert "BottleneckCurve(3 betas, first critical 1.5625, 1 bifurcations" in repr(curve)
    assert list(curve.dataset().data_vars) == ["i_x", "i_y", "clusters", "gap"]
    assert len(curve.figure().data) == 2
    assert curve.scalars()["i_xy"] == curve.i_xy
    assert dt.bottleneck_curve(np.ones((2, 2)) / 4).i_xy == 0


CURVE = dt.bottleneck_curve(channel(0.1), [1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: dt.bottleneck_curve(channel(0.1), []), "needed: one or more finite numbers"),
        (lambda: dt.bottleneck_curve(channel(0.1), [-1.0]), "0 or above"),
        (lambda: dt.bottleneck_curve(channel(0.1), clusters=0), "clusters is 0"),
        (lambda: bottleneck_branches(channel(0.1), [0.0]), "numbers above 0"),
        (lambda: bottleneck_branches(channel(0.1), [1.0], clusters=(2, 2)), "ascending integers"),
        (lambda: bottleneck_branches(channel(0.1), [1.0], restarts=0), "restarts is 0"),
        (lambda: finite_sample_bound(CURVE, 0), "n is 0"),
        (lambda: finite_sample_bound(CURVE, 2.5), "n is 2.5; needed: an integer"),
        (lambda: finite_sample_bound(CURVE, 10, classes=1.5), "classes is 1.5; needed: an integer"),
        (lambda: finite_sample_bound(CURVE, 10, constant=-1), "constant is -1"),
        (lambda: dt.gaussian_bottleneck([[1.0]], [[1.0]], [[0.8]], [0.0]), "numbers above 0"),
        (lambda: dt.gaussian_bottleneck([[1.0]], [[1.0]], [[1.0]], [2.0]), "canonical correlation is 1"),
        (lambda: dt.gaussian_bottleneck([[0.0]], [[1.0]], [[0.0]], [2.0]), "cov_x is not positive definite"),
        (lambda: dt.gaussian_bottleneck([[1.0]], [[1.0]], [[1.2]], [2.0]), "no variables have these covariances"),
        (
            lambda: dt.gaussian_bottleneck([[1, 2], [2, 1.0]], [[1.0]], [[0], [0.0]], [2.0]),
            "eigenvalue -1, so it is no",
        ),
        (lambda: dt.gaussian_bottleneck([[1, 2], [0, 1.0]], [[1.0]], [[0], [0.0]], [2.0]), "cov_x is not symmetric"),
        (lambda: finite_sample_bound(3, 10), "curve is int"),
        (lambda: dt.rate_distortion([0.5, 0.5], np.eye(2), []), r"beta is \[\]"),
        (lambda: dt.gaussian_bottleneck(np.eye(2), [[1.0]], [[0.5]], [2.0]), "cov_xy has shape"),
        (lambda: dt.bottleneck(channel(0.1), 2.0, "gaussian"), "in the place of p_xy"),
        (lambda: dt.capacity(np.ones((2, 2))), "each row summing to 1"),
        (lambda: dt.capacity(np.eye(2), tolerance=0), "tolerance is 0"),
        (lambda: dt.rate_distortion([0.5, 0.6], np.eye(2), 1), "sums to 1.1"),
        (lambda: dt.rate_distortion([0.5, 0.5], np.eye(2), -1), "beta is -1"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(dt.errors.InputError, match=match):
        call()


def test_a_curve_has_no_beta_where_nothing_is_told():
    nothing = dt.bottleneck_curve(np.full((2, 2), 0.25))
    assert np.isnan(nothing.beta_at([0.0, 0.3])).all()
    assert np.isnan(CURVE.beta_at(np.nan))
    assert nothing.bound([-1e-16, 0.3]).tolist() == [0.0, 0.0]
