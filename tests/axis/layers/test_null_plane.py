"""Steps within the null plane: in any unit of the responses, within the span of the features, or refused."""

import numpy as np
import pytest

from deeptheory.axis import axis_code, null_plane
from deeptheory.core.errors import InputError

R = np.random.default_rng(3)
S, W = R.standard_normal((90, 3)), R.standard_normal(3)
PLAIN = {"models": False, "permutations": 0}


@pytest.mark.parametrize("unit", [2.0**-560, 2.0**560])
def test_a_change_has_the_unit_of_the_responses(unit):
    moved = null_plane(axis_code(S @ W[:, None], S, **PLAIN), 0, range(9))
    assert np.array_equal(np.array(moved.change(lambda f: f @ W * unit)) / unit, moved.change(lambda f: f @ W))


@pytest.mark.parametrize(("y", "s"), [(2.0**300, 2.0**-300), (2.0**-300, 2.0**300)])
def test_steps_have_the_unit_of_the_features(y, s):
    plain, other = (
        null_plane(axis_code(S @ W[:, None] * a, S * b, normalize="none", **PLAIN), 0, [0, 1])
        for a, b in ((1, 1), (y, s))
    )
    assert np.allclose(other.along / s, plain.along, rtol=1e-9)
    assert np.allclose(other.null / s, plain.null, rtol=1e-9)


def test_steps_stay_within_the_span_of_collinear_features():
    s = np.column_stack([S, S[:, 0] + S[:, 1], np.full(90, 7.0)])
    moved = null_plane(axis_code(S @ W[:, None], s, **PLAIN), 0, range(20))
    for step in (moved.null, moved.along):
        assert np.allclose(step[:, 3], step[:, 0] + step[:, 1], atol=1e-6)
        assert np.array_equal(step[:, 4], np.full(20, 7.0))


def test_without_a_null_plane_or_an_axis_there_are_no_steps():
    one = axis_code(S @ W[:, None], np.column_stack([S[:, 0], np.full(90, 3.0)]), **PLAIN)
    with pytest.raises(InputError, match="2 features vary along 1 direction"):
        null_plane(one, 0, [0, 1])
    design = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]] * 10)
    product = axis_code(design.prod(1, keepdims=True), design, groups=np.arange(40), **PLAIN)
    with pytest.raises(InputError, match="unit 0 correlates with no feature"):
        null_plane(product, 0, [0, 1])
    with pytest.raises(InputError, match="unit 0 correlates with no feature"):
        product.metamers(0)
