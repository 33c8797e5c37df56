"""The typical length of stimuli, from which the exemplar's bound comes."""

import numpy as np
import torch

from deeptheory.axis import axis_code
from deeptheory.axis.models.generators import typical_length


def test_stimuli_in_the_mean_are_not_typical():
    assert typical_length(torch.tensor([1.0, 5.0, 3.0])) == 3
    assert typical_length(torch.tensor([0.0, 1e-16, 0.0, 4.0, 2.0])) == 2


def test_most_stimuli_may_lie_in_the_mean():
    rng = np.random.default_rng(7)
    s = rng.permutation(np.repeat([-1.0, 0.0, 1.0], [20, 80, 20]))[:, None]
    code = axis_code(2 * s + 0.3 * rng.standard_normal((120, 2)), s, folds=3, permutations=19, groups=np.arange(120))
    assert (code.models.of("axis") > 0.5).all()
    assert code.models.bound == 1.5 * np.abs(code.decoding.actual).max()
    assert np.isfinite(code.controversial(5, candidates=50)).all()
