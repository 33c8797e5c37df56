"""Row orders under which a null holds: what is refused."""

import numpy as np
import pytest

from deeptheory import statistics as st
from deeptheory.core.errors import InputError


def test_a_tail_is_known():
    with pytest.raises(InputError, match="unknown tail 'two-sided'"):
        st.permutation_p(1.0, np.arange(5.0), "two-sided")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"n": 0, "draws": 2}, "n is 0"),
        ({"n": 5, "draws": -1}, "draws is -1"),
        ({"n": 5, "draws": 2, "block": 0}, "block is 0"),
        ({"n": 5, "draws": 2, "block": 2.5}, "block is 2.5"),
        ({"n": 5, "draws": 2, "block": 5}, "nothing can change places"),
        ({"n": 5, "draws": 2, "groups": [0, 0, 1]}, "groups has 3 values for 5 rows"),
        ({"n": 5, "draws": 2, "within": [0, 0, 1]}, "within has 3 values for 5 rows"),
        ({"n": 3, "draws": 2, "within": [0, 0, 1], "block": 1}, "within= comes alone"),
    ],
)
def test_what_has_no_orders(how, said):
    with pytest.raises(InputError, match=said):
        st.permutations(**how)


@pytest.mark.parametrize("how", [{"groups": [1, 0, 1, 0, 2]}, {"block": 2}, {"within": [0, 1, 0, 1, 0]}, {}])
def test_every_draw_is_an_order(how):
    orders = st.permutations(5, 20, **how)
    assert orders.dtype == np.int64
    assert (np.sort(orders, axis=1) == np.arange(5)).all()


@pytest.mark.parametrize("null", [np.zeros((5, 3)), np.zeros(5), 1.0])
def test_draws_of_another_shape_are_refused(null):
    with pytest.raises(InputError, match="null has shape"):
        st.permutation_p([1.0, 2.0], null)
