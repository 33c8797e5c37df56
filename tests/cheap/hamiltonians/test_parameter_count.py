"""How many parameters each assumption leaves: against enumeration, and the paper's own counts."""

import math

import numpy as np
import pytest

from deeptheory.cheap import Assumptions, linear_map_count, parameter_count
from oracles import hamiltonian as oracle


@pytest.mark.parametrize(
    ("n", "degree", "levels"), [(4, 2, 2), (5, 3, 2), (3, 3, 2), (4, 2, 3), (3, 2, 4), (3, 4, None), (4, 2, None)]
)
def test_closed_forms_count_what_enumeration_finds(n, degree, levels):
    every = oracle.terms(n, degree, levels, lambda a, b: True)
    assert parameter_count(n, degree, levels=levels) == len(every)
    assert sorted(Assumptions(n=n, degree=degree, levels=levels).terms()) == sorted(every)
    assert parameter_count(n, degree, levels=levels, constant=True) == len(every) + 1


def test_the_papers_counts():
    assert parameter_count(10, constant=True) == 2**10
    assert parameter_count(6, levels=4, constant=True) == 4**6
    assert parameter_count(7, 4, levels=None, constant=True) == math.factorial(11) // (
        math.factorial(7) * math.factorial(4)
    )
    assert parameter_count(20, 3, constant=True) == 1 + 20 + 190 + 1140
    assert parameter_count(100, 2, locality=1) == 100 + 99  # nearest neighbors of a chain: linear in n
    assert (
        parameter_count(100, 2, locality=1, symmetry="translation", levels=None, periodic=True) == 3
    )  # field, self, neighbor
    assert parameter_count(100, 4, locality=1) == 100 + 99  # for bits the neighborhood caps the degree
    assert parameter_count(12, 12) == 2**12 - 1
    assert linear_map_count([28, 28]) == 784**2
    assert linear_map_count([28, 28], 2) == 784 * 25
    assert linear_map_count([28, 28], 2, translation=True) == 25
    assert linear_map_count([5], translation=True) == 5


def grid_link(shape, distance, periodic):
    def linked(a, b):
        total = 0
        for x, y, side in zip(np.unravel_index(a, shape), np.unravel_index(b, shape), shape):
            d = abs(int(x) - int(y))
            total += min(d, side - d) if periodic else d
        return total <= distance

    return linked


@pytest.mark.parametrize(
    ("shape", "distance", "periodic", "degree"),
    [((6,), 1, False, 2), ((6,), 2, True, 3), ((2, 3), 1, False, 2), ((3, 3), 2, True, 3)],
)
def test_locality_and_translation(shape, distance, periodic, degree):
    n = math.prod(shape)
    local = oracle.terms(n, degree, 2, grid_link(shape, distance, periodic))
    assert parameter_count(n, degree, locality=distance, shape=shape, periodic=periodic) == len(local)
    if periodic:
        sites = np.arange(n).reshape(shape)
        group = [np.roll(sites, s, range(len(shape))).ravel().tolist() for s in np.ndindex(*shape)]
        expected = oracle.count_orbits(local, group)
        assert (
            parameter_count(n, degree, locality=distance, symmetry="translation", shape=shape, periodic=True)
            == expected
        )


def test_open_translation_permutation_and_own_symmetries():
    assert parameter_count(9, 2, locality=1, symmetry="translation") == 2
    assert (
        parameter_count(9, 2, locality=1, symmetry="translation", shape=(3, 3)) == 3
    )  # horizontal and vertical bonds differ
    quarter = np.rot90(np.arange(9).reshape(3, 3)).ravel().tolist()
    assert (
        parameter_count(9, 2, locality=1, symmetry=[quarter], shape=(3, 3)) == 3 + 3
    )  # corners, edges, center; three kinds of bond
    assert parameter_count(9, 3, symmetry="permutation") == 3
    assert parameter_count(4, 2, symmetry="permutation", levels=None) == 3  # x, x^2, x y
    assert parameter_count(4, 2, locality=[(0, 1), (2, 3)]) == 4 + 2


def test_no_degree_is_every_degree():
    assert parameter_count(4, locality=1) == parameter_count(4, 4, locality=1) == 7
    assert parameter_count(4, symmetry="permutation") == 4
    assert parameter_count(4) == parameter_count(4, 4) == 15


def test_a_distance_may_be_numpys():
    assert parameter_count(4, 2, locality=np.int64(1)) == 7
