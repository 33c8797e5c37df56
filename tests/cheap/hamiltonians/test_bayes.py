"""p(y | x) = softmax(-H - mu): against Bayes' rule written out, for Gaussians, grids and factor graphs."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import nn

from deeptheory.cheap import BayesSoftmax, FactorGraph, GaussianHamiltonian, bonds, ising, potts
from deeptheory.core.errors import InputError
from oracles import physics as oracle

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-6}


def gaussians(dtype, classes=3, d=4, seed=0):
    rng = np.random.default_rng(seed)
    means = rng.standard_normal((classes, d))
    roots = rng.standard_normal((classes, d, d)) / 2
    covariances = roots @ roots.mT + 0.5 * np.eye(d)
    of = rng.integers(0, classes, 200)
    x = means[of] + np.einsum("nij,nj->ni", roots[of], rng.standard_normal((200, d)))
    x = torch.as_tensor(x, dtype=dtype)
    return torch.as_tensor(means, dtype=dtype), torch.as_tensor(covariances, dtype=dtype), x


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_gaussian_classes(dtype):
    means, covariances, x = gaussians(dtype)
    priors = torch.tensor([0.2, 0.5, 0.3], dtype=dtype)
    network = BayesSoftmax(GaussianHamiltonian(means, covariances), priors)
    laws = [multivariate_normal(m.double().numpy(), s.double().numpy()) for m, s in zip(means, covariances)]
    truth = np.array([oracle.posterior([law.pdf for law in laws], priors.tolist(), row.double().numpy()) for row in x])
    assert network(x).dtype == dtype
    assert np.abs(network(x).detach().numpy() - truth).max() < TOLERANCE[dtype]
    assert network(x[:6].reshape(2, 3, 4)).shape == (2, 3, 3)
    energy = -np.stack([law.logpdf(x.numpy()) for law in laws], axis=1)
    np.testing.assert_allclose(network.energies(x).detach(), energy, rtol=1e-4 if dtype == torch.float32 else 1e-11)


def test_one_covariance_makes_logits_linear():
    means, covariances, x = gaussians(torch.float64)
    network = BayesSoftmax(GaussianHamiltonian(means, covariances[0]))
    difference = (network.logits(x)[:, 1] - network.logits(x)[:, 0]).detach()
    design = torch.cat([x, torch.ones(len(x), 1)], dim=1)
    residual = difference - design @ torch.linalg.lstsq(design, difference[:, None]).solution[:, 0]
    assert residual.abs().max() < 1e-10


def test_the_polynomials_are_the_hamiltonian():
    import sympy

    means, covariances, x = gaussians(torch.float64, classes=2, d=2)
    h = GaussianHamiltonian(means, covariances)
    names = sympy.symbols("a b")
    for k, polynomial in enumerate(h.polynomials(["a", "b"])):
        assert sympy.Poly(polynomial, *names).total_degree() == 2
        value = sympy.lambdify(names, polynomial)(x[:, 0].numpy(), x[:, 1].numpy())
        np.testing.assert_allclose(value, h(x)[:, k].detach(), rtol=1e-12)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("periodic", [False, True])
def test_ising_3x3(dtype, periodic):
    """Two temperatures as classes; all 512 states."""
    x = torch.tensor(oracle.states([2] * 9))
    laws = []
    for j in (0.2, 0.7):
        weight = {s: math.exp(-oracle.ising_energy(s, (3, 3), j, 0.1, periodic)) for s in oracle.states([2] * 9)}
        total = sum(weight.values())
        laws.append({s: w / total for s, w in weight.items()})
    graphs = [ising((3, 3), coupling=j, field=0.1, periodic=periodic).to(dtype) for j in (0.2, 0.7)]
    network = BayesSoftmax(graphs, torch.tensor([0.6, 0.4], dtype=dtype))
    truth = [oracle.posterior([law.__getitem__ for law in laws], [0.6, 0.4], tuple(s)) for s in x.tolist()]
    assert (network(x) - torch.tensor(truth, dtype=dtype)).abs().max() < TOLERANCE[dtype]


def test_potts_and_mixed_factors():
    graph = potts((2, 3), 3, coupling=0.8, field=0.3)
    factors = [(s, t.tolist()) for s, t in zip(graph.scopes, graph.tables)]
    weight = oracle.weights([3] * 6, factors)
    total = sum(weight.values())
    x = torch.tensor(list(weight))
    truth = torch.tensor([-math.log(w / total) for w in weight.values()], dtype=torch.float64)
    assert (graph(x) - truth).abs().max() < 1e-10
    same = sum(x[0, a] == x[0, b] for a, b in bonds((2, 3)))
    assert graph.energy(x[0]).item() == pytest.approx(-0.8 * float(same) - 0.3 * float((x[0] == 0).sum()))


def random_graph(seed=0):
    rng = np.random.default_rng(seed)
    levels = [2, 3, 2, 4, 2]
    scopes = [(0, 1), (1, 2, 3), (3,), (4, 0), (2, 4), ()]
    return levels, [(s, rng.standard_normal([levels[v] for v in s])) for s in scopes]


def test_factor_graph_posterior_sums_out_what_is_hidden():
    levels, factors = random_graph()
    graph = FactorGraph(levels, factors)
    weight = oracle.weights(levels, [(s, t.tolist()) for s, t in factors])
    assert graph.log_z().item() == pytest.approx(math.log(sum(weight.values())), abs=1e-12)
    for query, seen in ((1, (0, 4)), (3, (2,)), (0, (4, 3, 1)), (2, ())):
        rows = oracle.states([levels[v] for v in seen])
        x = torch.tensor(rows).reshape(len(rows), len(seen))
        got = graph.posterior(query, seen)(x)
        for row, p in zip(x.tolist(), got.tolist()):
            joint = [0.0] * levels[query]
            for state, w in weight.items():
                if [state[v] for v in seen] == row:
                    joint[state[query]] += w
            np.testing.assert_allclose(p, np.array(joint) / sum(joint), atol=1e-12)
    assert graph.posterior(1, (0, 4))(torch.zeros(2, 5, 2)).shape == (2, 5, 3)


def test_a_variable_that_nothing_touches_is_uniform():
    graph = FactorGraph([2, 3], [((0,), np.log([0.25, 0.75]))])
    assert graph.log_z().item() == pytest.approx(math.log(3))
    np.testing.assert_allclose(graph.posterior(1, (0,))(torch.tensor([[1]])).detach(), np.full((1, 3), 1 / 3))


def test_gradients_by_finite_differences():
    levels, factors = random_graph(1)
    graph = FactorGraph(levels, factors)
    x = torch.tensor([[1, 2, 0, 3, 1], [0, 0, 1, 1, 0]])
    graph(x).sum().backward()
    table, gradient = graph.tables[1], graph.tables[1].grad
    assert gradient is not None
    for at in ((2, 0, 3), (0, 1, 1), (1, 0, 0)):
        with torch.no_grad():
            before = table[at].clone()
            table[at] = before + 1e-5
            up = graph(x).sum()
            table[at] = before - 1e-5
            down = graph(x).sum()
            table[at] = before
        assert gradient[at].item() == pytest.approx((up - down).item() / 2e-5, abs=1e-8)


def test_bonds():
    assert bonds((3,)) == [(0, 1), (1, 2)]
    assert bonds((3,), periodic=True) == [(0, 1), (1, 2), (0, 2)]
    assert bonds((2, 2), periodic=True) == bonds((2, 2))
    assert len(bonds((4, 5))) == 4 * 4 + 3 * 5
    assert len(bonds((3, 4, 5), periodic=True)) == 3 * 60
    for shape, said in (((), "one side or more"), ((2, 0), "at least 1"), ((1.5,), "at least 1")):
        with pytest.raises(InputError, match=said):
            bonds(shape)


def test_any_function_and_plain_lists():
    network = BayesSoftmax([lambda x: x[..., 0] ** 2, nn.Linear(2, 1)], [0.5, 0.5])
    assert network(torch.randn(7, 2)).shape == (7, 2)
    whole = BayesSoftmax(nn.Linear(2, 3), torch.ones(3) / 3)
    assert torch.allclose(whole(torch.zeros(1, 2)).sum(-1), torch.ones(1))
    assert "3 classes" in repr(whole)
    assert torch.allclose(whole.log_posterior(torch.ones(1, 2)).exp(), whole(torch.ones(1, 2)))


def test_it_trains_from_what_is_known():
    """The exact posterior is already the best: a step of training leaves the gradient at noise level."""
    means, covariances, _ = gaussians(torch.float64)
    network = BayesSoftmax(GaussianHamiltonian(means, covariances))
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, 20_000)
    x = np.stack([rng.multivariate_normal(means[k].numpy(), covariances[k].numpy()) for k in y])
    loss = nn.functional.nll_loss(network.log_posterior(torch.as_tensor(x)), torch.as_tensor(y))
    loss.backward()
    assert network.log_prior.grad is not None
    assert network.log_prior.grad.abs().max() < 5 * 0.5 / math.sqrt(len(y))


_EYE = np.eye(2)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: BayesSoftmax([]), "hamiltonians is empty"),
        (lambda: BayesSoftmax(lambda x: x), "does not say its `classes`"),
        (lambda: BayesSoftmax(nn.Linear(2, 2), [0.5, 0.6]), "needed: probabilities above 0 that sum to 1"),
        (lambda: BayesSoftmax([nn.Linear(2, 1)], [0.5, 0.5]), "priors has 2 entries for 1 Hamiltonians"),
        (lambda: BayesSoftmax([3], [1.0]), "a Hamiltonian is 3"),
        (lambda: BayesSoftmax(nn.Linear(2, 3), [0.5, 0.5])(torch.zeros(1, 2)), "gives 3 classes, priors 2"),
        (lambda: GaussianHamiltonian(np.zeros((2, 2)), np.eye(3)), "covariances has shape"),
        (lambda: GaussianHamiltonian(np.zeros((1, 2)), np.array([[1.0, 0.5], [0.0, 1.0]])), "not symmetric"),
        (lambda: GaussianHamiltonian(np.zeros((1, 2)), np.array([[1.0, 2.0], [2.0, 1.0]])), "not positive definite"),
        (lambda: GaussianHamiltonian(np.full((1, 2), np.nan), _EYE), "means holds 2 values"),
        (lambda: GaussianHamiltonian(np.zeros((1, 2)), _EYE)(torch.zeros(3)), "x has shape"),
        (lambda: GaussianHamiltonian(np.zeros((1, 2)), _EYE).polynomials(["a"]), "names has 1 entries"),
        (lambda: FactorGraph(2, []), "factors is empty"),
        (lambda: FactorGraph(2, [((0, 0), np.zeros((2, 2)))]), r"a factor has variables \[0, 0\]"),
        (lambda: FactorGraph([2], [((1,), np.zeros(2))]), r"a factor has variables \[1\]"),
        (lambda: FactorGraph(2, [((0,), np.zeros(3))]), r"has shape \[3\]; needed: \[2\]"),
        (lambda: FactorGraph(2, [((0,), [np.inf, 0])]), "table holds 1 values"),
        (lambda: ising((2, 2))(torch.zeros(3)), r"x has shape \[3\]; needed: \[..., 4\]"),
        (lambda: ising((2, 2))(torch.tensor([-1, 1, 1, 1])), "spins are 0 and 1 here"),
        (lambda: ising((2, 2)).posterior(0, (0, 1)), "must be different variables"),
        (lambda: ising((2, 2), coupling=[1.0, 2.0]), "this grid has 4 bonds and 4 sites"),
        (lambda: FactorGraph(2.5, [((0,), np.zeros(2))]), "levels is 2.5"),
        (lambda: FactorGraph(2, [((0.7,), np.zeros(2))]), r"variables is \[0.7\]"),
        (lambda: FactorGraph([2, 2], [((0,), np.zeros(2))], n=5), "n is 5 and levels names 2 variables"),
        (lambda: ising((2, 2)).posterior(0.5, (1,)), "query is 0.5"),
        (lambda: ising((2.5, 2)), r"shape is \[2.5, 2\]"),
        (lambda: potts((2, 2), 2.5), "q is 2.5"),
        (lambda: ising((0, 2)), r"shape is \[0, 2\]"),
        (lambda: potts((2, 2), 1), "q is 1"),
        (lambda: ising((30, 30)).log_z(), "use a narrower graph"),
    ],
)  # fmt: skip
def test_wrong_use(make, match):
    with pytest.raises(InputError, match=match):
        make()


def test_zeros_that_are_rounded_do_not_make_a_covariance_asymmetric():
    """1e-18 in the place of 0 on one side; beside other units a real difference is seen."""
    covariance = np.eye(3)
    covariance[0, 2] = 1e-18
    GaussianHamiltonian(np.zeros((1, 3)), covariance)
    for unit in (1e-9, 1e9):
        wrong = np.array([[1.0, 0.5], [0.4, 1.0]]) * np.array([1, unit]) * np.array([[1], [unit]])
        with pytest.raises(InputError, match="not symmetric"):
            GaussianHamiltonian(np.zeros((1, 2)), wrong)
