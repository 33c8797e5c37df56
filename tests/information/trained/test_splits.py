"""Who learns from which rows: every row is measured once, by a network that never saw it or what belongs to it."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.information.trained.splits import split


@pytest.mark.parametrize(
    "pieces", [np.arange(101), np.repeat(np.arange(30), 7), np.repeat(np.arange(40), np.arange(1, 41))]
)
@pytest.mark.parametrize("folds", [2, 5])
def test_parts_are_disjoint_whole_and_about_equal(pieces, folds):
    parts = split(pieces, folds, seed=3)
    assert np.array_equal(np.sort(np.concatenate([f.test for f in parts])), np.arange(len(pieces)))
    sizes = [len(f.test) for f in parts]
    assert max(sizes) - min(sizes) <= np.bincount(pieces).max()
    for fold in parts:
        rows = [set(fold.train), set(fold.stop), set(fold.test)]
        assert sum(map(len, rows)) == len(pieces) == len(set.union(*rows))
        held = [set(pieces[list(r)]) for r in rows]
        assert not held[0] & held[1]
        assert not held[0] & held[2]
        assert not held[1] & held[2]
        assert all(len(h) > 1 for h in held)


def test_the_split_goes_by_the_seed():
    first, again, other = (split(np.arange(60), 3, seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(first, again))
    assert not np.array_equal(first[0].test, other[0].test)


def test_too_few_pieces_are_refused():
    with pytest.raises(InputError, match="6 rows are too few for 5 folds; needed: 20"):
        split(np.arange(6), 5, 0)
    with pytest.raises(InputError, match="the largest of 21 groups or blocks has 180 of 200 rows; needed: at most 13"):
        split(np.minimum(np.arange(200), 20), 5, 0)
    with pytest.raises(InputError, match="7 groups or blocks are too few for 2 folds; needed: 8"):
        split(np.repeat(np.arange(7), 100), 2, 0)
