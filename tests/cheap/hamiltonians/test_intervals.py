"""Intervals of couplings that few samples carry, against the truth by enumeration."""

import itertools

import numpy as np
import pytest

from deeptheory.cheap import Assumptions, hamiltonian_fit
from oracles import hamiltonian as oracle


@pytest.mark.parametrize(("rows", "j"), [(10_000, -4.0), (8_000, 4.0)])
def test_a_common_pair_whose_coupling_rests_on_few_samples_has_a_wide_interval(rows, j):
    """x1 follows x0, so that J02 and J12 are told apart by the rows in which it does not."""
    orbits = Assumptions(n=3, degree=2).orbits()
    theta = np.array([0.0 if len(o[0]) == 1 else j if o == [((0, 1), (1, 1))] else 0.4 for o in orbits])
    states = np.array(list(itertools.product((-1, 1), repeat=3)))
    p = np.exp([oracle.log_weight(s, theta, orbits, 2) for s in states.tolist()])
    p, inside = p / p.sum(), []
    for seed in range(6):
        x = states[np.random.default_rng(seed).choice(8, rows, p=p)]
        odd = int((x[:, 0] != x[:, 1] * np.sign(j)).sum())
        fit = hamiltonian_fit(x, compare_assumptions=False, held_out_fraction=0.0)
        for pair in ([((0, 1), (2, 1))], [((1, 1), (2, 1))]):
            k = orbits.index(pair)
            inside.append(fit.low[k] <= theta[k] <= fit.high[k])
            assert fit.high[k] - fit.low[k] > 1 / np.sqrt(max(odd, 1))  # as that many samples allow
        alone = orbits.index([((2, 1),)])
        assert fit.high[alone] - fit.low[alone] < 0.1  # what all samples carry stays narrow
    assert np.mean(inside) >= 0.9
