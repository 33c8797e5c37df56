"""The convex bottleneck on a straight piece that is short."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.information.bottleneck.joint import as_joint


@pytest.mark.parametrize("rare", [1e-1, 1e-6, 1e-9, 1e-11])
def test_half_way_along_a_short_line(rare):
    """Y is X: I(X;T) = beta / 2, half of H(X) at beta = H(X), also where H(X) is 4e-10 bits."""
    table = np.diag([1 - rare, rare])
    h = as_joint(table).h_x
    assert dt.bottleneck(table, h, "squared").i_x / h == pytest.approx(0.5, abs=1e-3)
