"""Assumptions as they are handed in, and counts and grids at sizes where integers, memory and recursion end."""

import itertools

import numpy as np
import pytest
import torch

from deeptheory.cheap import Assumptions, parameter_count
from deeptheory.core.errors import InputError


def test_numpy_integers_are_integers():
    made = Assumptions(n=np.int64(40), degree=np.int64(40), levels=np.int64(30))
    assert made.count_without_symmetry() == 30**40
    assert (
        Assumptions(n=100, degree=70, levels=np.int64(3)).count_without_symmetry()
        == Assumptions(n=100, degree=70, levels=3).count_without_symmetry()
    )


def test_a_symmetry_that_can_be_read_once_is_the_same_at_every_call():
    made = Assumptions(n=3, degree=1, symmetry=iter([[1, 0, 2]]))
    assert [len(o) for o in made.orbits()] == [len(o) for o in made.orbits()] == [2, 1]


@pytest.mark.parametrize("turn", [np.array, torch.tensor, list])
def test_pairs_and_permutations_as_arrays(turn):
    made = Assumptions(n=3, degree=2, locality=turn([[0, 1], [1, 2]]), symmetry=turn([[2, 1, 0]]))
    assert [len(o) for o in made.orbits()] == [2, 2, 1]


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(7,), (2, 3), (4, 1, 3), (3, 4), (2, 2, 2)])
@pytest.mark.parametrize("distance", [1, 2, 3, 50, 10**30])
def test_neighbors_by_distances(shape, periodic, distance):
    sites = list(itertools.product(*map(range, shape)))

    def apart(a, b):
        gaps = [abs(u - v) for u, v in zip(a, b)]
        return sum(min(g, side - g) if periodic else g for g, side in zip(gaps, shape))

    truth = [{j for j, b in enumerate(sites) if a != b and apart(a, b) <= distance} for a in sites]
    made = Assumptions(n=len(sites), degree=2, shape=shape, locality=distance, periodic=periodic)
    assert made.neighbors() == truth


def test_a_grid_of_100_000_sites():
    """A table of all distances took 75 GB."""
    assert parameter_count(100_000, 2, locality=1) == 199_999


def test_counts_of_thousands_of_digits():
    assert parameter_count(100_000, 100_000) == 2**100_000 - 1
    with pytest.raises(InputError, match=r"over 10\^18 terms"):
        Assumptions(n=20_000, degree=20_000).terms()


@pytest.mark.parametrize(
    ("made", "match"),
    [
        ({"n": 10**6, "degree": 10**6}, "one of them is up to 100000"),
        ({"n": 10**6, "degree": 10**6, "levels": None}, "one of them is up to 100000"),
        ({"n": 700, "degree": 700, "locality": 10**4}, "more than 2000000 terms"),
        ({"n": 700, "degree": 2000, "locality": 1200, "levels": None}, "more than 2000000 terms"),
        ({"n": 10**5, "degree": 2, "locality": 10**5}, "20000000 pairs of neighbors"),
        ({"n": 3, "degree": 2, "locality": [(0.5, 1)]}, "or pairs of variables"),
        ({"n": 3, "degree": 2, "locality": [(0, 1, 2)]}, "or pairs of variables"),
        ({"n": 3, "degree": 2, "locality": [(0, 1), (2,)]}, "or pairs of variables"),
        ({"n": 3, "degree": 2, "locality": [0, 1]}, "or pairs of variables"),
        ({"n": 3, "degree": 2, "locality": [(0, 3)]}, r"the pair \(0, 3\)"),
        ({"n": 2, "degree": 2, "symmetry": 5}, "a list of permutations"),
        ({"n": 2, "degree": 2, "symmetry": [[[1], [0, 1]]]}, "a list of permutations"),
        ({"n": 2, "degree": 2, "symmetry": [["a", "b"]]}, "no permutation"),
    ],
)
def test_wrong_use(made, match):
    with pytest.raises(InputError, match=match):
        Assumptions(**made).orbits()
