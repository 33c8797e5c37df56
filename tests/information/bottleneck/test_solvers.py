"""Solvers against closed forms, tabled solutions, loops, and every partition of small alphabets."""

import math

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information.bottleneck import METHODS, first_critical_beta
from oracles import bottleneck as oracle


def channel(p):
    return np.array([[1 - p, p], [p, 1 - p]]) / 2


def table(nx, ny, seed, sharp=1.0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(ny, sharp), nx) * rng.dirichlet(np.ones(nx))[:, None]


@pytest.fixture(scope="module")
def soft():
    """The 12-bit rule with gamma = 50: 4096 inputs."""
    return dt.datasets.icosahedron(gamma=50).p_xy


# beta -> (I(X;T), I(T;Y)), p = 0.1, computed apart from this package
SYMMETRIC = {1.6: (0.128723, 0.081446), 2: (0.696433, 0.407234), 4: (0.989534, 0.528711), 8: (0.999983, 0.531002)}


@pytest.mark.parametrize(("beta", "known"), SYMMETRIC.items())
def test_a_symmetric_channel_has_its_closed_form(beta, known):
    found = dt.bottleneck(channel(0.1), beta)
    assert (found.i_x, found.i_y) == pytest.approx(oracle.symmetric_channel(0.1, beta), abs=1e-9)
    assert (found.i_x, found.i_y) == pytest.approx(known, abs=1e-6)
    assert found.residual < 1e-9
    assert found.gap < 1e-9
    assert found.encoder == pytest.approx(found.encoder[::-1, ::-1], abs=1e-7)  # the solution is symmetric


def test_below_the_critical_beta_nothing_is_kept():
    assert first_critical_beta(channel(0.1)) == pytest.approx(1 / 0.8**2, rel=1e-12)
    for beta in (0, 0.5, 1, 1.5, 1.562):
        found = dt.bottleneck(channel(0.1), beta)
        assert (found.i_x, found.i_y, len(found.p_t)) == (0, 0, 1)


# beta -> (I(X;T), I(T;Y)) of the 12-bit rule, gamma 50, found with eight clusters and restarts, apart from this package
TABLED = {
    1.05: (0.93623, 0.92438), 1.1: (0.97263, 0.95844), 1.2: (0.98943, 0.97321), 1.5: (0.99782, 0.97970),
    2: (0.99908, 0.98047), 20: (0.99916, 0.98051), 50: (1.21456, 0.98606), 100: (1.29170, 0.98726),
}  # fmt: skip


@pytest.mark.parametrize(("beta", "known"), TABLED.items())
def test_no_tabled_solution_is_better(soft, beta, known):
    found = dt.bottleneck(soft, beta)
    i_x, i_y = known
    rounding = 5e-6 * (1 + beta)  # the table has five decimals
    assert found.lagrangian <= i_x - beta * i_y + rounding
    assert found.lagrangian >= i_x - beta * i_y - 3 * rounding  # and none that it could have missed by so much
    assert found.gap < 1e-9
    assert found.encoder.shape[0] == 4096


def test_the_gap_is_a_bound():
    """The certificate holds against many starts of the plain equations, and a start that is stuck is above it."""
    p = table(12, 3, seed=5, sharp=0.4)
    rng = np.random.default_rng(0)
    for beta in (2.0, 6.0, 25.0):
        best = dt.bottleneck(p, beta)
        assert best.gap < 1e-8
        for _ in range(3):
            start = rng.dirichlet(np.ones(4), 12).tolist()
            i_x, i_y, _ = oracle.informations(p, oracle.iterate(p, start, beta, 300))
            assert i_x - beta * i_y >= best.lagrangian - best.gap - 1e-9


def test_the_gap_is_small_where_clusters_are_pure():
    """Members of a pure cluster differ by rounding alone; a direction made of that must not leave the simplex."""
    p = np.array([[1.0, 1.0, 0.5, 0.5], [0.0, 0.5, 0.5, 0.5]]) / 4.5
    found = dt.bottleneck(p, 300.0)
    assert len(found.p_t) == 2
    assert found.gap < 1e-9


def test_a_weak_dependence_on_a_rare_input_is_not_lost():
    p = np.array([[1.0, 1e-6, 1e-6], [1e-6, 0.0, 1e-6]])
    curve = dt.bottleneck_curve(p / p.sum(), [0.5, 1.5, 4.0, 40.0], locate=False)
    assert (np.diff(curve.i_x) >= -1e-12).all()
    assert curve.i_y[-1] == pytest.approx(curve.i_xy, rel=1e-6)


@pytest.mark.parametrize("method", ["ib", "squared", "dib", "sequential", "agglomerative"])
def test_informations_are_those_of_the_encoder(method):
    p = table(7, 3, seed=1, sharp=0.5)
    found = dt.bottleneck(p, 6.0, method)
    known = oracle.informations(p.tolist(), np.asarray(found.encoder).tolist())
    assert (found.i_x, found.i_y, found.h_t) == pytest.approx(known, abs=1e-10)
    assert np.asarray(found.encoder).sum(1) == pytest.approx(np.ones(7))
    assert np.asarray(found.decoder).sum(1) == pytest.approx(np.ones(len(found.p_t)))
    assert p.sum(1) @ found.encoder == pytest.approx(found.p_t)
    assert (np.diff(found.p_t) <= 0).all()


def test_one_more_step_of_the_equations_changes_nothing():
    p = table(9, 4, seed=2, sharp=0.5)
    found = dt.bottleneck(p, 5.0)
    again = oracle.iterate(p.tolist(), found.encoder.tolist(), 5.0, 1)
    assert np.array(again) == pytest.approx(found.encoder, abs=1e-6)
    assert found.residual < 1e-6


def test_fewer_clusters_are_never_better_and_more_never_worse():
    p = table(10, 3, seed=3, sharp=0.3)
    best = dt.bottleneck(p, 20.0)
    values = [dt.bottleneck(p, 20.0, clusters=k).lagrangian for k in (1, 2, 3, 4)]
    assert (np.diff(values) <= 1e-6).all()
    assert values[0] == pytest.approx(0, abs=1e-12)
    limited = dt.bottleneck(p, 20.0, clusters=2)
    assert len(limited.p_t) == 2
    assert limited.gap == pytest.approx(limited.lagrangian - best.lagrangian, abs=1e-9)
    assert "2 were allowed" in limited.notes[0]


def test_a_limit_does_not_solve_the_problem_without_it(monkeypatch):
    """Beyond 2,000 entries nobody asked for the certificate, so that nothing but the limited problem is solved."""
    from deeptheory.information.bottleneck import methods

    monkeypatch.setattr(methods, "solve_path", None)
    p = table(60, 40, seed=0, sharp=0.2)
    found = dt.bottleneck(p, 10.0, clusters=3)
    assert len(found.p_t) == 3
    assert np.isnan(found.gap)
    assert "no certificate" in found.notes[0]


def test_more_than_64_clusters():
    """Two labels and a large beta: 90 rows far apart are 90 clusters."""
    one = np.sin(np.linspace(0.01, np.pi / 2 - 0.01, 90)) ** 2
    found = dt.bottleneck(np.stack([1 - one, one], 1) / 90, 2e4)
    assert len(found.p_t) == 90
    assert found.gap < 1e-6
    assert found.i_y == pytest.approx(dt.bottleneck_curve(np.stack([1 - one, one], 1) / 90, [1.0]).i_xy, abs=1e-3)


@pytest.mark.parametrize("beta", [1.5, 4.0, 15.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_hard_clusters_against_every_partition(beta, seed):
    p = table(7, 3, seed, sharp=0.4)
    least = oracle.best_partition(p.tolist(), beta)
    found = dt.bottleneck(p, beta, "dib")
    assert found.lagrangian == pytest.approx(least, abs=1e-9)
    for method in ("agglomerative", "sequential"):
        assert dt.bottleneck(p, beta, method).lagrangian >= least - 1e-9
    assert dt.bottleneck(p, beta).lagrangian <= least + 1e-9  # noise in T never hurts


@pytest.mark.parametrize("clusters", [2, 3, 5])
def test_a_given_number_of_clusters_against_every_partition(clusters):
    p = table(7, 3, seed=4, sharp=0.4)
    i_xy = oracle.informations(p.tolist(), np.eye(7).tolist())[1]
    most = max(
        oracle.informations(p.tolist(), np.eye(clusters)[labels].tolist())[1]
        for labels in oracle.partitions(7)
        if max(labels) + 1 == clusters
    )
    for method in ("sequential", "agglomerative"):
        found = dt.bottleneck(p, math.inf, method, clusters=clusters)
        assert len(found.p_t) == clusters
        assert found.i_y <= most + 1e-9
        assert found.lagrangian == pytest.approx(i_xy - found.i_y, abs=1e-9)
    assert dt.bottleneck(p, math.inf, "sequential", clusters=clusters).i_y == pytest.approx(most, abs=1e-9)


def test_merging_goes_by_the_least_cost():
    """The first merger of the greedy method is the pair with the least loss, found by trying all."""
    p = table(6, 3, seed=8)
    losses = {}
    whole = oracle.informations(p.tolist(), np.eye(6).tolist())[1]
    for i in range(6):
        for j in range(i + 1, 6):
            labels = np.arange(6)
            labels[j] = i
            losses[i, j] = whole - oracle.informations(p.tolist(), np.eye(6)[labels].tolist())[1]
    i, j = min(losses, key=losses.__getitem__)
    found = dt.bottleneck(p, math.inf, "agglomerative", clusters=5)
    assert np.array_equal(found.encoder[i], found.encoder[j])
    assert found.lagrangian == pytest.approx(losses[i, j], abs=1e-12)


def test_the_family_between_hard_and_soft():
    p = table(8, 3, seed=6, sharp=0.4)
    beta, hard, soft = 6.0, dt.bottleneck(p, 6.0, "dib"), dt.bottleneck(p, 6.0)
    assert dt.bottleneck(p, beta, "dib", alpha=1).lagrangian == pytest.approx(soft.lagrangian, abs=1e-9)
    between = dt.bottleneck(p, beta, "dib", alpha=0.5)
    assert between.lagrangian == pytest.approx(between.h_t - 0.5 * (between.h_t - between.i_x) - beta * between.i_y)
    assert soft.lagrangian - 1e-9 <= between.lagrangian <= hard.lagrangian + 1e-9
    assert np.isin(hard.encoder, (0, 1)).all()


def test_the_squared_lagrangian_moves_along_the_whole_curve():
    p = table(8, 2, seed=7, sharp=0.4)
    curve = dt.bottleneck_curve(p)
    points = [dt.bottleneck(p, beta, "squared") for beta in (0.05, 0.3, 1.0, 3.0, 10.0)]
    assert (np.diff([point.i_x for point in points]) > 0).all()
    for point in points:
        assert point.i_y <= curve.bound(point.i_x) + 1e-9
        assert point.i_y >= curve.envelope(point.i_x) - 1e-9
        along = np.linspace(0, curve.h_x, 4001)
        assert point.lagrangian <= (along**2 - point.beta * curve.envelope(along)).min() + 1e-9


@pytest.mark.parametrize("beta", [0.2, 1.0, 2.0])
def test_where_y_is_a_function_of_x_it_reaches_every_point(beta):
    p = np.zeros((6, 3))
    p[range(6), [0, 0, 1, 1, 1, 2]] = 1 / 6
    found = dt.bottleneck(p, beta, "squared")
    assert found.i_x == pytest.approx(beta / 2, abs=1e-6)  # on I(T;Y) = I(X;T) the least of x^2 - beta x
    assert found.i_y == pytest.approx(found.i_x, abs=1e-9)
    assert "straight piece" in found.notes[0]
    np.testing.assert_allclose(found.encoder.sum(1), 1, atol=1e-12)  # a cluster that says nothing holds the rest
    assert found.p_t.sum() == pytest.approx(1, abs=1e-12)


def test_nothing_is_kept_of_an_input_that_tells_nothing():
    found = dt.bottleneck(np.outer([0.2, 0.5, 0.3], [0.6, 0.4]), 300.0, "squared")
    assert (found.i_x, found.i_y, found.lagrangian) == (0, 0, 0)
    assert found.encoder.shape == (3, 1)
    assert "tells nothing" in found.notes[0]


def test_a_network_comes_close_to_the_optimum_and_never_below():
    p = table(6, 2, seed=9, sharp=0.3)
    best = dt.bottleneck(p, 8.0)
    found = dt.bottleneck(p, 8.0, "variational", steps=300)
    error = float(found.notes[0].split("errors ")[1].split()[0])
    assert found.lagrangian > best.lagrangian - 9 * 4 * error
    assert found.lagrangian < 0.6 * best.lagrangian < 0
    assert found.encoder.shape == (6, 2)
    assert found.decoder.shape == (6, 2)
    again = dt.bottleneck(p, 8.0, "variational", steps=300)
    assert again.lagrangian == found.lagrangian  # seeded; the global generator is neither used nor moved


def test_tensors_come_back_as_tensors():
    p = torch.as_tensor(channel(0.2))
    for method in ("ib", "dib", "sequential"):
        found = dt.bottleneck(p, 5.0, method)
        assert isinstance(found.encoder, torch.Tensor)
        assert found.encoder.dtype == torch.float64
    assert isinstance(dt.bottleneck_curve(p, [2.0, 5.0]).i_x, torch.Tensor)


def test_results_show_themselves():
    found = dt.bottleneck(channel(0.1), 4.0)
    assert "BottleneckSolution(ib, beta 4: 2 clusters" in repr(found)
    assert found.table()["p_t"].tolist() == pytest.approx([0.5, 0.5])
    assert len(found.figure().data) == 2
    assert found.scalars()["i_x"] == found.i_x


def test_a_method_of_ones_own_is_one_line(monkeypatch):
    monkeypatch.setitem(METHODS, "nothing", lambda joint, beta: ("nothing", len(joint.p), beta))
    assert dt.bottleneck(channel(0.1).tolist(), 3, "nothing") == ("nothing", 2, 3)


@pytest.mark.parametrize(
    ("p_xy", "beta", "method", "options", "match"),
    [
        (np.ones(3) / 3, 2, "ib", {}, r"shape \[3\]; needed: a table"),
        (np.ones((0, 2)), 2, "ib", {}, "neither of them 0"),
        (np.array([[0.5, np.nan], [0.2, 0.3]]), 2, "ib", {}, "NaN or infinite"),
        (np.array([[0.7, -0.2], [0.2, 0.3]]), 2, "ib", {}, r"-0.2 at \[0, 1\]"),
        (np.ones((2, 2)), 2, "ib", {}, "sums to 4; a joint distribution sums to 1"),
        (channel(0.1), -1, "ib", {}, "beta is -1"),
        (channel(0.1), math.inf, "ib", {}, "beta is inf; it is a finite number"),
        (channel(0.1), None, "ib", {}, "beta is None"),
        (channel(0.1), [1.0, 2.0], "ib", {}, "dt.bottleneck_curve"),
        (channel(0.1) * 0, 2, "ib", {}, "0 everywhere"),
        (channel(0.1).astype(str), 2, "ib", {}, "needed: probabilities, or counts"),
        (channel(0.1), 2, "ib", {"clusters": 0}, "clusters is 0"),
        (channel(0.1), 2, "ib", {"clusters": 2.5}, "clusters is 2.5"),
        (channel(0.1), 2, "ib", {"seconds": 0}, "seconds is 0"),
        (channel(0.1), 2, "ib", {"progress": 3}, "progress is 3"),
        (channel(0.1), 2, "bottle", {}, "unknown bottleneck method 'bottle'"),
        (channel(0.1), 2, "dib", {"alpha": 2}, "alpha is 2"),
        (channel(0.1), 2, "dib", {"restarts": 0}, "restarts is 0"),
        (channel(0.1), math.inf, "sequential", {}, "state how many"),
        (channel(0.1), 2, "sequential", {"restarts": 0}, "restarts is 0"),
        (channel(0.1), 2, "squared", {"clusters": 2}, "no option 'clusters'; its options: none"),
        (channel(0.1), 2, "variational", {"steps": 0}, "steps is 0"),
        (channel(0.1), 2, "variational", {"latent": 0}, "latent is 0"),
    ],
)
def test_wrong_use(p_xy, beta, method, options, match):
    with pytest.raises(dt.errors.InputError, match=match):
        dt.bottleneck(p_xy, beta, method, **options)


def test_sizes_of_the_module():
    from deeptheory.information.bottleneck.variational import VariationalBottleneck

    with pytest.raises(dt.errors.InputError, match="sizes are 1 or more"):
        VariationalBottleneck(5, 2, 1.0, hidden=(0,))
    with pytest.raises(dt.errors.InputError, match="beta is -1"):
        VariationalBottleneck(5, 2, -1.0)


def test_a_training_step_of_the_module_lowers_its_loss():
    from deeptheory.information.bottleneck.variational import VariationalBottleneck

    torch.manual_seed(0)
    x = torch.randn(256, 5)
    y = (x[:, 0] > 0).long()
    net = VariationalBottleneck(5, 2, beta=50.0, latent=2, hidden=(16,))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    first = net.terms(x, y)
    for _ in range(150):
        last = net.step(x, y, optimizer)
    assert last.loss < 0.5 * first.loss.detach()
    assert not last.loss.requires_grad
    assert float(last.cross_entropy) < 0.4
    assert net(x, samples=3).shape == (3, 256, 2)
    soft_targets = torch.nn.functional.one_hot(y, 2).float()
    a = net.terms(x, y, generator=torch.Generator().manual_seed(1))
    b = net.terms(x, soft_targets, generator=torch.Generator().manual_seed(1))
    assert float(a.loss.detach()) == pytest.approx(float(b.loss.detach()), rel=1e-5)


def test_what_a_gaussian_solution_shows():
    """A regression of three outputs on two directions: no table of clusters, and no bars."""
    found = dt.bottleneck((np.eye(2), np.eye(3), np.eye(2, 3) * 0.5), 8.0, "gaussian")
    assert found.table().columns.tolist() == ["y", "t0", "t1"]
    assert np.allclose(found.table()[["t0", "t1"]], found.decoder)
    with pytest.raises(InputError, match="no clusters to draw"):
        found.figure()


@pytest.mark.parametrize("method", ["ib", "dib", "agglomerative", "sequential", "squared", "variational", "gaussian"])
def test_help_names_every_option_of_every_method(method):
    with pytest.raises(InputError, match="its options: ") as told:
        dt.bottleneck(np.eye(2) / 2, 2.0, method, no_such_option=1)
    options = str(told.value).partition("its options: ")[2]
    said = (dt.bottleneck.__doc__ or "").partition(f'    "{method}": ')[2].partition('\n    "')[0]
    assert said
    assert all(o in said for o in options.split(", ") if o != "none")
