"""A minibatch has a step, an integer from 0."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.networks import minibatches

GIVE = minibatches(np.arange(10.0), batch=3, seed=2)


@pytest.mark.parametrize("step", [-1, 1.5, "2", True])
def test_a_step_that_is_none_is_refused(step):
    with pytest.raises(InputError, match="step is "):
        GIVE(step, np.random.default_rng(0))


def test_the_same_step_gives_the_same_rows_in_any_order():
    rng = np.random.default_rng(0)
    first = [GIVE(k, rng)[0].tolist() for k in range(9)]
    assert [GIVE(k, rng)[0].tolist() for k in reversed(range(9))] == first[::-1]
