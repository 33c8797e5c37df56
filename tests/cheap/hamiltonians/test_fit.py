"""Fitting and pricing Hamiltonians: against enumeration, loops, closed forms and known truths."""

import math

import numpy as np
import pytest
import torch

from deeptheory.cheap import Assumptions, hamiltonian_fit, linear_map_count, parameter_count, potts
from deeptheory.cheap.hamiltonians.gaussian import Gaussian
from deeptheory.cheap.hamiltonians.newton import maximize
from deeptheory.cheap.hamiltonians.pairs import Pairs
from deeptheory.cheap.hamiltonians.polynomial import Polynomial
from deeptheory.core.errors import DeeptheoryError, InputError
from oracles import hamiltonian as oracle


def exact_samples(n, q, orbits, theta, count, seed):
    """Independent samples of p ~ exp(sum theta t) over all states; spins for q = 2."""
    states = np.array(list(np.ndindex(*(q,) * n)))
    states = 2 * states - 1 if q == 2 else states
    log = np.array([oracle.log_weight(x, theta, orbits, q) for x in states.tolist()])
    p = np.exp(log - log.max())
    return states[np.random.default_rng(seed).choice(len(states), count, p=p / p.sum())].astype(np.int8)


def model(n, degree, q, seed=0, size=0.3):
    orbits = Assumptions(n=n, degree=degree, levels=q).orbits()
    return orbits, np.random.default_rng(seed).normal(0, size, len(orbits))


# likelihoods


@pytest.mark.parametrize(("q", "degree"), [(2, 1), (2, 2), (3, 2), (4, 2), (2, 3), (3, 3)])
def test_value_gradient_information_and_scores(q, degree):
    n = 4
    orbits, theta = model(n, degree, q)
    x = exact_samples(n, q, orbits, theta, 60, 1)
    fits = [Polynomial(x, q, orbits)] + ([Pairs(x, q, orbits)] if degree <= 2 else [])
    truth = oracle.pseudo_likelihood(x.tolist(), theta, orbits, q)
    for fit in fits:
        loose = 1e-5 if isinstance(fit, Pairs) else 1e-10  # float32 against float64
        value, gradient = fit.value_and_gradient(theta, 60)
        assert value == pytest.approx(truth, rel=loose)
        step = 1e-4
        for k in range(0, len(theta), 5 if len(theta) < 40 else 11):
            at = np.eye(len(theta))[k] * step
            both = [oracle.pseudo_likelihood(x.tolist(), theta + s * at, orbits, q) for s in (1, -1)]
            assert gradient[k] == pytest.approx((both[0] - both[1]) / (2 * step), abs=1e-5)
        np.testing.assert_allclose(fit.scores(theta, 0, 60).mean(0), gradient, atol=1e-5)
        information = fit.information(theta, 60)
        np.testing.assert_allclose(information, information.T, atol=1e-6)
        exact = Polynomial(x, q, orbits)
        for k in range(0, len(theta), 7 if len(theta) < 40 else 13):
            at = np.eye(len(theta))[k] * 1e-5
            slope = exact.value_and_gradient(theta + at, 60)[1] - exact.value_and_gradient(theta - at, 60)[1]
            np.testing.assert_allclose(information[k], -slope / 2e-5, atol=2e-5)
        np.testing.assert_allclose(fit.log_p(theta, x).mean(), truth, rtol=loose)


@pytest.mark.parametrize("q", [2, 3])
def test_shared_parameters_are_sums_over_their_terms(q):
    orbits = Assumptions(n=5, degree=2, levels=q, locality=1, symmetry="translation", periodic=True).orbits()
    theta = np.random.default_rng(0).normal(0, 0.3, len(orbits))
    x = exact_samples(5, q, orbits, theta, 50, 1)
    a, b = Pairs(x, q, orbits), Polynomial(x, q, orbits)
    np.testing.assert_allclose(a.value_and_gradient(theta, 50)[1], b.value_and_gradient(theta, 50)[1], atol=1e-5)
    np.testing.assert_allclose(a.information(theta, 50), b.information(theta, 50), atol=1e-5)
    np.testing.assert_allclose(a.scores(theta, 3, 9), b.scores(theta, 3, 9), atol=1e-5)
    assert a.value_and_gradient(theta, 50)[0] == pytest.approx(
        oracle.pseudo_likelihood(x.tolist(), theta, orbits, q), rel=1e-5
    )


def test_real_conditionals_by_the_trapezium_rule():
    orbits = Assumptions(n=2, degree=4, levels=None).orbits()
    rng = np.random.default_rng(0)
    theta = np.array([-0.5 if any(p == 4 for _, p in o[0]) else rng.normal(0, 0.2) for o in orbits])
    x = rng.normal(0, 0.7, (5, 2))
    truth = [sum(oracle.real_log_conditional(row, i, theta, orbits, (-3, 3)) for i in (0, 1)) for row in x.tolist()]
    np.testing.assert_allclose(Polynomial(x, None, orbits, (-3, 3)).log_p(theta, x), truth, atol=1e-8)


# truths


def test_ising_couplings_lie_within_three_standard_errors():
    """10^5 samples, 10 spins, all pairs: 95 % within 3; and the errors are neither too wide nor too narrow."""
    orbits, theta = model(10, 2, 2, seed=3)
    z = []
    for seed in range(3):
        x = exact_samples(10, 2, orbits, theta, 100_000, seed)
        fit = hamiltonian_fit(x, 2, compare_assumptions=False, held_out_fraction=0)
        z.append((fit.theta - theta) / fit.standard_error)
    z = np.concatenate(z)
    assert (np.abs(z) < 3).mean() >= 0.95
    assert 0.85 < z.std() < 1.15
    couplings = np.zeros((10, 10))
    for (t,), v in zip(orbits, theta):
        if len(t) == 2:
            couplings[t[0][0], t[1][0]] = couplings[t[1][0], t[0][0]] = v
    assert np.abs(fit.couplings - couplings).max() < 0.03
    assert np.abs(fit.fields - theta[[k for k, (t,) in enumerate(orbits) if len(t) == 1]]).max() < 0.03


def test_curvature_from_a_part_leads_to_the_same_maximum(monkeypatch):
    orbits, theta = model(6, 2, 2)
    x = exact_samples(6, 2, orbits, theta, 30_000, 0)
    whole = maximize(Pairs(x, 2, orbits), 1.0)
    monkeypatch.setattr("deeptheory.cheap.hamiltonians.newton._LEAST_ROWS", 2_000)
    part = maximize(Pairs(x, 2, orbits), 1.0)
    assert (np.abs(part[0] - whole[0]) < 0.01 * whole[1]).all()
    np.testing.assert_allclose(part[1], whole[1], rtol=0.1)


def test_degree_three_is_found_and_priced():
    orbits, theta = model(6, 3, 2, seed=5)
    x = exact_samples(6, 2, orbits, theta, 20_000, 0)
    two, three = (hamiltonian_fit(x, d, compare_assumptions=False) for d in (2, 3))
    assert (np.abs(three.theta - theta) / three.standard_error < 4).all()
    lost = two.excess_bits_over(three)
    assert lost.low > 0
    assert three.excess_bits_over(three).value == 0


def test_potts_in_the_zero_sum_gauge():
    graph = potts((2, 2), 3, coupling=0.7, field=0.3)
    states = np.array(list(np.ndindex(*(3,) * 4)))
    p = torch.exp(-graph(torch.as_tensor(states))).detach().numpy()
    x = states[np.random.default_rng(0).choice(len(states), 50_000, p=p)]
    fit = hamiltonian_fit(x, 2, locality=1, symmetry="translation", shape=(2, 2))
    assert fit.kind == "potts"
    delta = np.eye(3) - 1 / 3
    for a, b in ((0, 1), (2, 3), (0, 2), (1, 3)):
        np.testing.assert_allclose(fit.couplings[a, b], 0.7 * delta, atol=0.06)
    assert np.abs(fit.couplings[0, 3]).max() == 0
    np.testing.assert_allclose(fit.fields, np.tile(0.3 * delta[0], (4, 1)), atol=0.05)
    assert fit.excess_bits.low < 0.01
    assert fit.assumptions["parameters"].tolist() == [80, 32, 24, 10, 8]


def test_gaussian_with_all_terms_is_the_inverse_covariance():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((4, 4))
    x = rng.standard_normal((3000, 4)) @ root + [1.0, 0.0, -1.0, 2.0]
    fit = hamiltonian_fit(x, 2, held_out_fraction=0, compare_assumptions=False)
    k = np.linalg.inv(np.cov(x.T, bias=True))
    np.testing.assert_allclose(fit.couplings[np.triu_indices(4, 1)], -k[np.triu_indices(4, 1)], rtol=1e-6)
    np.testing.assert_allclose(fit.fields, k @ x.mean(0), rtol=1e-6)


def test_gaussian_with_few_terms_matches_what_it_holds():
    """Dempster 1972: at the maximum the model's covariance equals the sample's wherever there is a term."""
    rng = np.random.default_rng(1)
    x = np.cumsum(rng.standard_normal((2000, 5)), axis=1)
    orbits = Assumptions(n=5, degree=2, levels=None, locality=1).orbits()
    gaussian = Gaussian(x, orbits)
    h, k = gaussian.tables(gaussian.fit()[0])
    model_covariance, covariance = np.linalg.inv(k), np.cov(x.T, bias=True)
    for i in range(5):
        for j in range(max(0, i - 1), min(5, i + 2)):
            assert model_covariance[i, j] == pytest.approx(covariance[i, j], rel=1e-5)
    np.testing.assert_allclose(model_covariance @ h, x.mean(0), atol=1e-5)
    assert k[0, 2] == 0


def test_three_parameters_of_a_translation_invariant_chain():
    n, rng = 12, np.random.default_rng(0)
    k = 2.5 * np.eye(n) - np.roll(np.eye(n), 1, 0) - np.roll(np.eye(n), -1, 0)
    x = rng.multivariate_normal(np.linalg.solve(k, np.full(n, 0.3)), np.linalg.inv(k), size=5000)
    fit = hamiltonian_fit(x, 2, locality=1, symmetry="translation", periodic=True)
    assert fit.parameters == 3
    named = dict(zip(fit.table()["term"], zip(fit.theta, fit.standard_error)))
    for term, truth in (("x0", 0.3), ("x0 x1", 1.0), ("x0^2", -1.25)):
        value, error = named[term]
        assert abs(value - truth) < 4 * error
        assert error < 0.03
    assert fit.excess_bits.value < 0.005  # fewer parameters, nothing lost: held out even less noise
    rows = fit.assumptions.set_index("assumption")
    assert rows.loc["independent", "low"] > 1
    assert rows["parameters"].tolist() == [math.inf, 90, 36, 3, 24]


def test_gaussian_and_quadrature_agree():
    """Likelihood and pseudo-likelihood of the same quadratic model, and the same scores."""
    rng = np.random.default_rng(2)
    x = rng.multivariate_normal([0, 0, 0], [[1, 0.3, 0], [0.3, 1, 0.2], [0, 0.2, 1]], size=4000)
    a = hamiltonian_fit(x, 2, compare_assumptions=False)
    b = hamiltonian_fit(x, 2, compare_assumptions=False, kind="real", domain=(-9, 9))
    assert (np.abs(a.theta - b.theta) < 0.5 * a.standard_error).all()
    np.testing.assert_allclose(a.standard_error, b.standard_error, rtol=0.15)
    assert a.bits.value == pytest.approx(b.bits.value, abs=2e-3)
    assert "densities on [-9, 9]" in b.notes[0]


def test_a_quartic_is_found():
    """x^4 - 2 x^2 - 0.5 x: two unequal wells, sampled from a fine grid."""
    grid = np.linspace(-3, 3, 60_001)
    p = np.exp(-(grid**4 - 2 * grid**2 - 0.5 * grid))
    x = np.random.default_rng(0).choice(grid, (20_000, 2), p=p / p.sum())
    fit = hamiltonian_fit(x, 4, locality=(), symmetry="permutation", domain=(-3, 3), compare_assumptions=False)
    named = dict(zip(fit.table()["term"], zip(fit.theta, fit.standard_error)))
    for term, truth in (("x0", 0.5), ("x0^2", 2.0), ("x0^3", 0.0), ("x0^4", -1.0)):
        value, error = named[term]
        assert abs(value - truth) < 4 * error
    assert (
        hamiltonian_fit(x, 2, compare_assumptions=False, kind="real", domain=(-3, 3)).bits.value > fit.bits.value + 0.2
    )


# behavior


@pytest.mark.parametrize("values", [(0, 1), (-1, 1), (False, True), (3.0, 7.5)])
def test_binary_values_of_any_kind(values):
    orbits, theta = model(4, 2, 2)
    spins = exact_samples(4, 2, orbits, theta, 2000, 0)
    x = np.where(spins > 0, values[1], values[0])
    fit = hamiltonian_fit(x)
    assert fit.kind == "binary"
    np.testing.assert_array_equal(fit.theta, hamiltonian_fit(torch.as_tensor(spins)).theta)
    np.testing.assert_allclose(
        fit.energy(x[:5]), [-oracle.log_weight(s, fit.theta, orbits, 2) for s in spins[:5].tolist()]
    )


def test_the_graph_is_the_same_hamiltonian():
    for q, degree in ((2, 3), (3, 2)):
        orbits, theta = model(4, degree, q)
        fit = hamiltonian_fit(exact_samples(4, q, orbits, theta, 3000, 0), degree, compare_assumptions=False)
        states = np.array(list(np.ndindex(*(q,) * 4)))
        values = np.array(fit.known)[states]
        energy = fit.graph().energy(torch.as_tensor(states)).detach().numpy()
        np.testing.assert_allclose(energy, fit.energy(values), atol=1e-12)
        assert torch.exp(-fit.graph()(torch.as_tensor(states))).sum().item() == pytest.approx(1)


def test_it_shows_itself():
    orbits, theta = model(5, 2, 2)
    fit = hamiltonian_fit(exact_samples(5, 2, orbits, theta, 2000, 0), 2, locality=1)
    assert "5 binary variables, degree 2, 9 parameters" in repr(fit)
    assert fit.table()["term"].tolist()[:2] == ["x0", "x0 x1"]
    assert fit.scalars()["bits"] == fit.bits.value
    assert len(fit.figure().data[0].x) == 3
    assert fit.excess_bits.value == fit.assumptions["excess_bits"].iloc[2]
    assert np.isnan(hamiltonian_fit(exact_samples(5, 2, orbits, theta, 200, 0), held_out_fraction=0).bits.value)


def test_same_seed_same_bits():
    orbits, theta = model(5, 2, 2)
    x = exact_samples(5, 2, orbits, theta, 2000, 0)
    a, b, c = (hamiltonian_fit(x, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(a.theta, b.theta)
    assert not np.array_equal(a.theta, c.theta)


def test_what_hardly_occurs_is_said():
    """Two variables that never differ: the coupling is infinite; theta is what the ridge holds,
    its interval is open above."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (30_000, 3))
    x[:, 1] = x[:, 0]
    fit = hamiltonian_fit(x, ridge=1e-6)
    assert any("no finite maximum" in note for note in fit.notes)
    assert np.isfinite(fit.theta).all()
    at = [o[0] for o in fit.orbits].index(((0, 1), (1, 1)))
    assert (fit.high[at], fit.standard_error[at]) == (np.inf, np.inf)
    assert 3 < fit.low[at] < fit.theta[at]


_BITS = np.random.default_rng(0).integers(0, 2, (100, 4))
_REAL = np.random.default_rng(0).standard_normal((100, 3))


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: parameter_count(3, levels=None), InputError, "no finite number"),
        (lambda: parameter_count(0, 2), InputError, "n is 0"),
        (lambda: parameter_count(3, 0), InputError, "degree is 0"),
        (lambda: parameter_count(2.5), InputError, "n is 2.5"),
        (lambda: parameter_count(-1), InputError, "n is -1"),
        (lambda: parameter_count(4, 2.5), InputError, "degree is 2.5"),
        (lambda: parameter_count(4, 2, locality=1.5), InputError, "locality is 1.5"),
        (lambda: parameter_count(4, 2, locality=1, symmetry="permutation"), InputError, "locality keeps apart"),
        (lambda: linear_map_count([5, 5], 1.5), InputError, "locality is 1.5"),
        (lambda: linear_map_count([2.7]), InputError, r"shape is \[2.7\]"),
        (lambda: hamiltonian_fit(_BITS, ridge=np.inf), InputError, "ridge is inf"),
        (lambda: hamiltonian_fit(_BITS, seed=-1), InputError, "seed is -1"),
        (lambda: hamiltonian_fit(_BITS).excess_bits_over(hamiltonian_fit(_BITS, seed=1)), InputError, "not the same"),
        (lambda: hamiltonian_fit(_BITS).excess_bits_over(hamiltonian_fit(1 - _BITS)), InputError, "not the same"),
        (lambda: parameter_count(3, 2, levels=1), InputError, "levels is 1"),
        (lambda: parameter_count(6, 2, locality=1, shape=(2, 2)), InputError, "has 4 sites for 6 variables"),
        (lambda: parameter_count(6, 2, locality=0), InputError, "locality is 0"),
        (lambda: parameter_count(3, 2, locality=[(0, 3)]), InputError, r"the pair \(0, 3\)"),
        (lambda: parameter_count(3, 2, locality=1, symmetry="rotation"), InputError, "unknown symmetry 'rotation'"),
        (lambda: parameter_count(3, 2, locality=None, symmetry=[[0, 0, 1]]), InputError, "which is no permutation"),
        (lambda: parameter_count(3, 2, locality=[(0, 1)], symmetry=[[1, 2, 0]]), InputError, "which locality forbids"),
        (lambda: Assumptions(n=1000, degree=4).terms(), InputError, "assume locality"),
        (lambda: linear_map_count([0]), InputError, r"shape is \[0\]"),
        (lambda: linear_map_count([4], 2), InputError, "locality is 2; needed: 0 to 1"),
        (lambda: hamiltonian_fit(_BITS[:10]), InputError, "at least 50 samples"),
        (lambda: hamiltonian_fit(np.full((60, 2), np.nan)), InputError, "samples holds"),
        (lambda: hamiltonian_fit(_BITS, held_out_fraction=1), InputError, "held_out_fraction is 1"),
        (lambda: hamiltonian_fit(np.column_stack([_BITS, np.ones(100)])), InputError, "variable 4 is constant"),
        (lambda: hamiltonian_fit(_BITS, kind="spins"), InputError, "unknown kind of variables 'spins'"),
        (lambda: hamiltonian_fit(_REAL, kind="binary"), InputError, "the samples hold many different values"),
        (lambda: hamiltonian_fit(_REAL, kind="potts"), InputError, "more than 16 different values"),
        (lambda: hamiltonian_fit(_REAL, 3, kind="gaussian"), InputError, "use kind='real'"),
        (lambda: hamiltonian_fit(_REAL, 1), InputError, "no term holds the square of variable 0"),
        (lambda: hamiltonian_fit(_BITS, ridge=-1), InputError, "ridge is -1"),
        (lambda: hamiltonian_fit(_REAL, 3, domain=(-1, 1)), InputError, r"domain is \(-1.0, 1.0\); the samples run"),
        (lambda: hamiltonian_fit(np.tile(_BITS, (1, 40))), InputError, "up to 6000 are fitted"),
        (lambda: hamiltonian_fit(_BITS).energy(_BITS[0]), InputError, r"x has shape \[4\]"),
        (lambda: hamiltonian_fit(_BITS).energy(_BITS + 1), InputError, "the levels of the fitted samples"),
        (lambda: hamiltonian_fit(_REAL).graph(), InputError, "these are real"),
        (lambda: hamiltonian_fit(_BITS).excess_bits_over(hamiltonian_fit(_BITS, held_out_fraction=0.5)), InputError,
            "the other 50"),
        (lambda: hamiltonian_fit(_REAL[:, [0, 0, 1]]), DeeptheoryError, "no inverse; drop variables that repeat"),
    ],
)  # fmt: skip
def test_wrong_use(make, error, match):
    with pytest.raises(error, match=match):
        make()


_NEWTON, _GAUSSIAN = "deeptheory.cheap.hamiltonians.newton", "deeptheory.cheap.hamiltonians.gaussian"


_FALLING = iter(range(0, -999, -1))


def _maximize():
    maximize(Pairs(_BITS * 2 - 1, 2, Assumptions(n=4, degree=2).orbits()), 1.0)


def _fit_gaussian():
    Gaussian(_REAL, Assumptions(n=3, degree=2, levels=None, locality=1).orbits()).fit()


@pytest.mark.parametrize(
    ("patches", "make", "match"),
    [
        (
            {"deeptheory.cheap.hamiltonians.terms._MOST_TERMS": 5},
            Assumptions(n=9, degree=2, locality=1).terms,
            "leave more than 5 terms",
        ),
        ({f"{_NEWTON}._STEPS": 0}, _maximize, "no convergence in 0 Newton steps"),
        (
            {
                f"{_NEWTON}._STEPS": 0,
                f"{_NEWTON}._LEAST_ROWS": 0,
                f"{_NEWTON}._ROWS_PER_PARAMETER": 2,
                f"{_NEWTON}._newton": lambda model, theta, *rest, **more: theta,
            },
            _maximize,
            "in 0 steps over all samples",
        ),
        (
            {"deeptheory.cheap.hamiltonians.pairs.Pairs.information": lambda self, theta, rows: -np.eye(len(theta))},
            _maximize,
            "terms depend on each other",
        ),
        ({f"{_GAUSSIAN}._STEPS": 0}, _fit_gaussian, "did not converge in 0 steps"),
        (
            {f"{_GAUSSIAN}.Gaussian._value": lambda self, theta, wanted: float(next(_FALLING))},
            _fit_gaussian,
            "found no way up",
        ),
    ],
)
def test_what_does_not_end_says_so(monkeypatch, patches, make, match):
    for name, value in patches.items():
        monkeypatch.setattr(name, value)
    with pytest.raises(DeeptheoryError, match=match):
        make()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_million_samples_of_a_hundred_spins():
    """A chain of 100 spins, 5,050 parameters, 10^6 samples: 95 % within three standard errors, memory under 4 GB."""
    import resource

    rng = np.random.default_rng(0)
    j = rng.uniform(-0.8, 0.8, 99)
    x = np.empty((1_000_000, 100), dtype=np.int8)
    x[:, 0] = rng.integers(0, 2, len(x))
    for i in range(1, 100):
        x[:, i] = np.where(rng.random(len(x)) < 1 / (1 + np.exp(-2 * j[i - 1])), x[:, i - 1], 1 - x[:, i - 1])
    fit = hamiltonian_fit(x, compare_assumptions=False)
    truth = np.array([j[t[0][0]] if len(t) == 2 and t[1][0] == t[0][0] + 1 else 0.0 for (t,) in fit.orbits])
    z = (fit.theta - truth) / fit.standard_error
    assert (np.abs(z) < 3).mean() >= 0.95
    assert 0.9 < z.std() < 1.1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4e6  # kilobytes, of this whole process
