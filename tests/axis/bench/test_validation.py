"""What enters: names of blocks, and features of very different size."""

import numpy as np
import pytest

from deeptheory.axis import axis_code, metric_efficiency
from deeptheory.core.errors import InputError

R = np.random.default_rng(13)
S = R.standard_normal((80, 3))
Y = S @ R.standard_normal((3, 4)) + R.standard_normal((80, 4))
PLAIN = {"models": False, "permutations": 0}


def test_two_blocks_of_one_name_are_refused():
    with pytest.raises(InputError, match="two blocks are named 1, as text"):
        axis_code(Y, S, {1: [0], "1": [1, 2]}, **PLAIN)


@pytest.mark.parametrize("seed", [2**63, 2**64, 2**70 + 3])
def test_large_seeds_are_seeds(seed):
    code = axis_code(Y, S, folds=3, permutations=9, seed=seed)
    assert np.isfinite(code.models.r2).all()


def test_two_stimuli_are_no_population():
    with pytest.raises(InputError, match="n is 2; needed: an integer, at least 3"):
        metric_efficiency((3,), n=2, d=2, candidates=2, seeds=(0,))


@pytest.mark.parametrize(("unit", "normalize"), [(1e-3, "block"), (1e3, "none"), (1e-7, "block")])
def test_features_of_very_different_size_are_said_to_be(unit, normalize):
    notes = axis_code(Y, S * [1, 1, unit], normalize=normalize, **PLAIN).notes
    assert sum("normalize='dim'" in note for note in notes) == 1
    assert not any("collinear" in note for note in notes)
    assert not any("normalize='dim'" in note for note in axis_code(Y, S * [1, 1, unit], normalize="dim", **PLAIN).notes)
    assert not any("normalize='dim'" in note for note in axis_code(Y, S * [1, 1, 0.1], **PLAIN).notes)


def test_collinear_features_of_different_size_are_said_to_be_both():
    s = np.column_stack([S, S[:, 0] + S[:, 1], 1e-7 * R.standard_normal(80)])
    notes = axis_code(Y, s, **PLAIN).notes
    assert any("collinear: they span 4 of the 5" in note for note in notes)
    assert any("normalize='dim'" in note for note in notes)
