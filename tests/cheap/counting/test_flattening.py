"""Flattening costs of linear stacks against the closed forms, and the cost of anybody's network."""

import numpy as np
import pytest
import scipy.sparse
import torch
from torch import nn

from deeptheory.cheap import compile_polynomial, cost, flattening_cost
from deeptheory.core.errors import InputError
from oracles import cheap_linear as oracle


@pytest.mark.parametrize("n", [2, 8, 64])
def test_the_fourier_transform(n):
    factors = oracle.butterflies(n)
    product = np.linalg.multi_dot(factors[::-1]) if len(factors) > 1 else factors[0]
    assert np.allclose(product[:, np.argsort(oracle.bit_reversal(n))], np.fft.fft(np.eye(n)))  # they are the DFT
    found = flattening_cost(factors)
    assert found.deep == 2 * n * np.log2(n) == sum(oracle.nonzero(m) for m in factors)
    assert found.flat == n * n
    assert found.cost == pytest.approx(n / (2 * np.log2(n)))
    assert found.rank == n


def test_low_rank():
    rng = np.random.default_rng(0)
    stack = nn.Sequential(nn.Linear(20, 3, bias=False), nn.Linear(3, 20))
    found = flattening_cost(stack)
    assert (found.deep, found.flat, found.rank, found.low_rank) == (120, 400, 3, 120)
    assert found.cost == pytest.approx(20 / 6)
    flat = flattening_cost(rng.standard_normal((20, 3)) @ rng.standard_normal((3, 20)))
    assert (flat.rank, flat.least) == (3, 120)  # a flat map of low rank: the refactorization is found


def test_sparse_products_follow_the_formula():
    """specs, section 1.8: expected non-zeros n^2 (1 - (1 - p^2)^n)."""
    n, p, rng = 120, 0.1, np.random.default_rng(1)
    costs = []
    for _ in range(8):
        a, b = (rng.random((2, n, n)) < p).astype(np.int64)
        found = flattening_cost([scipy.sparse.csr_matrix(a), torch.tensor(b)])
        assert found.flat == oracle.nonzero(b @ a)
        costs.append(found.cost)
    assert np.mean(costs) == pytest.approx((1 - (1 - p**2) ** n) / (2 * p), rel=0.02)


def test_what_cancels_counts_as_nothing():
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = flattening_cost([turn, turn.T])
    assert found.flat == 2  # the identity, although its corners come out as 1e-17
    assert found.table()["form"].tolist() == ["deep", "flat", "rank 2"]
    assert "0.25" in repr(found)
    assert found.scalars()["deep"] == 8


def test_cost_of_a_network():
    network = compile_polynomial("x*y*z", tolerance=1e-4)
    found = cost(network)
    assert (found.neurons, found.synapses) == (network.neurons, network.synapses)
    assert found.table()["out"].tolist() == [6, 2, 4, 1]
    conv = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2))
    with torch.no_grad():
        conv[0].weight[:2] = 0
    found = cost(conv)
    assert (found.neurons, found.synapses, found.weights, found.biases) == (4, 18 + 8, 36 + 8, 6)
    assert "26 synapses of 44 weights" in repr(found)
    assert cost(nn.Linear(2, 2)).neurons == 0
    exported = cost(network.export().module())  # names of modules are gone, the graph is left
    assert (exported.neurons, exported.synapses, exported.bits) == (10, network.synapses, cost(network).bits)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: flattening_cost([np.full((2, 2), np.nan)]), "matrix 0 holds 4 values"),
        (lambda: flattening_cost([np.eye(2)] * 2, tolerance=5), "tolerance is 5"),
        (lambda: flattening_cost([np.eye(2)] * 2, tolerance=-1), "tolerance is -1"),
        (lambda: flattening_cost(nn.Sequential(nn.Linear(2, 2), nn.ReLU())), "ReLU is not linear"),
        (lambda: flattening_cost([]), "holds no linear map"),
        (lambda: flattening_cost([np.eye(2), np.eye(3)]), r"matrix 0 has shape \[2, 2\] and the next \[3, 3\]"),
        (lambda: flattening_cost([np.zeros(3)]), r"a matrix has shape \[3\]"),
        (lambda: flattening_cost(3), "module is a int"),
        (lambda: cost(nn.ReLU()), "ReLU has no layer with weights"),
        (lambda: cost(torch.fx.symbolic_trace(nn.ReLU())), "the exported program holds no linear map"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_units_of_layers_whose_weights_are_tied_or_made_of_others():
    nn = torch.nn
    normed = nn.utils.parametrizations.weight_norm
    assert cost(nn.Sequential(nn.Linear(4, 9), normed(nn.Linear(9, 7)), nn.Tanh(), nn.Linear(7, 2))).neurons == 16
    tied = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2))
    tied[2].weight, tied[2].bias = tied[0].weight, tied[0].bias
    assert (cost(tied).neurons, cost(tied).weights) == (6, 15)


@pytest.mark.parametrize(("module", "match"), [(torch.nn.LazyLinear(3), "no size yet"), (3, "needed: a torch module")])
def test_what_has_no_cost_is_refused(module, match):
    with pytest.raises(InputError, match=match):
        cost(module)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-600, 2.0**600, 2.0**1000])
def test_products_that_leave_float64_are_counted_all_the_same(scale):
    """At 2^-600 two factors had a product of 0: "0 synapses flat"."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((4, 6)), rng.standard_normal((5, 4))
    near = flattening_cost([a, b])
    for far in ([a * scale, b * scale], [a * scale, b], [a * (1 + 1j) * scale, b * scale]):
        found = flattening_cost(far)
        assert (found.flat, found.deep, found.rank) == (near.flat, near.deep, near.rank)


@pytest.mark.parametrize("where", ["inputs", "hidden", "outputs"])
def test_units_change_no_rank(where):
    """An input in other units, 1e9 and 1e-9 beside 1, had taken one of four ranks."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((4, 4)), rng.standard_normal((4, 4))
    u = np.array([1, 1e-9, 1e9, 1e-200])
    found = flattening_cost(
        {"inputs": [a * u, b], "hidden": [a * u[:, None], b / u], "outputs": [a, b * u[:, None]]}[where]
    )
    assert (found.rank, found.flat) == (4, 16)
