"""Factor graphs as they are handed in, and what tables with -inf or of great size do to sums and gradients."""

import itertools
import math
import time

import numpy as np
import pytest
import torch

from deeptheory.cheap import FactorGraph, bonds, ising
from deeptheory.cheap.hamiltonians.graph import _eliminate, _order
from deeptheory.core.errors import InputError

_INF = math.inf
_SCOPES = [(0,), (0, 1)]
_TABLES = [np.log([0.2, 0.8]), np.log([[1.0, 2.0], [3.0, 4.0]])]


def test_factors_that_can_be_read_once_are_all_read():
    made = FactorGraph(2, zip(_SCOPES, _TABLES))
    assert made.log_z().item() == FactorGraph(2, list(zip(_SCOPES, _TABLES))).log_z().item()
    assert len(made.tables) == 2
    assert ising(iter([2, 3])).log_z().item() == ising((2, 3)).log_z().item()


def test_gradients_where_states_are_impossible():
    """Of log Z: the marginals of the factors, by sums over all states; x_0 = 1 and x_1 = 1 cannot be."""
    tables = [[[0.0, -_INF], [-_INF, -_INF]], [[0.0, 1.0], [2.0, 3.0]], [[0.0, 1.0], [1.0, 0.0]]]
    scopes = [(0, 1), (1, 2), (0, 2)]
    graph = FactorGraph(2, list(zip(scopes, tables)))
    graph.log_z().backward()
    weight = {
        x: math.exp(sum(t[x[a]][x[b]] for (a, b), t in zip(scopes, tables)))
        for x in itertools.product(range(2), repeat=3)
    }
    z = sum(weight.values())
    for (a, b), table in zip(scopes, graph.tables):
        truth = np.zeros((2, 2))
        for x, w in weight.items():
            truth[x[a], x[b]] += w / z
        np.testing.assert_allclose(table.grad, truth, atol=1e-12)


@pytest.mark.parametrize("observed", [(0,), (1, 2), ()])
def test_no_rows_have_no_probabilities(observed):
    graph = FactorGraph([2, 3, 2, 4], [((0, 1), np.zeros((2, 3))), ((2,), np.zeros(2))])
    rows = torch.zeros((0, 5, len(observed)), dtype=torch.long)
    assert graph.posterior(3, observed)(rows).shape == (0, 5, 4)
    assert graph.posterior(3, observed)(rows.transpose(0, 1)).shape == (5, 0, 4)


def test_the_order_of_a_long_chain_takes_time_in_proportion():
    """20,000 variables in a line: a search over all that are left for each took minutes."""
    n, start = 20_000, time.process_time()
    order = _order([(k, k + 1) for k in range(n - 1)], set(range(n)), [2] * n, 1)
    assert order == list(range(n))
    assert time.process_time() - start < 5


def test_tables_are_summed_where_they_are():
    """Of torch's meta device, which computes nothing: what is made on the way is on the device of the tables."""
    tables = [((0, 1), torch.zeros((1, 2, 2), device="meta"))]
    assert _eliminate(tables, [0, 1, 2], [2, 2, 3]).device.type == "meta"


def test_rows_that_would_not_fit_are_refused_before_tables_are_made(monkeypatch):
    graph = FactorGraph(2, [(range(13), np.zeros((2,) * 13))])
    monkeypatch.setattr(graph, "_factors", lambda *a: pytest.fail("tables were made"))
    with pytest.raises(InputError, match="fewer rows at once"):
        graph.posterior(0, [1])(torch.zeros((10_000, 1)))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: FactorGraph(2, [((0,), np.array([1j, 2]))]), "table holds torch.complex128; needed: real numbers"),
        (lambda: FactorGraph(2, {(0,): _TABLES[0]}), "a factor is .* needed: a pair"),
        (lambda: FactorGraph(2, [_TABLES[0]]), "a factor is .* needed: a pair"),
        (lambda: FactorGraph(2, [(0, _TABLES[0])]), "variables is 0; needed: a list of integers"),
        (lambda: FactorGraph(2, 3), "factors is 3"),
        (lambda: ising(5), "shape is 5; needed: a list of integers"),
        (lambda: bonds(None), "shape is None"),
        (lambda: bonds((10**5, 10**5)), "10000000000 sites"),
        (lambda: ising((2, 2)).posterior(0, 1), "observed is 1"),
        (lambda: ising((3,), coupling=1e308).log_z(), "leave torch.float64"),
        (lambda: ising((3,), coupling=1e308)(torch.zeros(3)), "leave torch.float64"),
        (lambda: ising((3, 3), coupling=3e4).half().log_z(), "leave torch.float16"),
        (lambda: ising((3,), coupling=1e308).posterior(0, [2])(torch.zeros(1, 1)), "leave torch.float64"),
    ],
)
def test_wrong_use(make, match):
    with pytest.raises(InputError, match=match):
        make()
