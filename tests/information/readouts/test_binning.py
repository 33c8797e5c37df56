"""Numbers of cells and ranges at the edge of what is counted."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError


@pytest.mark.parametrize("n", [2**31, 2**31 + 5, 10**30])
def test_cells_are_numbered_in_32_bits(n):
    with pytest.raises(InputError, match="below 2\\^31"):
        dt.Binning(n, (0, 1))


@pytest.mark.parametrize("value", [0.0, -3.0, 1.7e308, -1.7e308])
def test_what_is_constant_has_one_cell_under_global_bounds(value):
    plane = dt.information_plane(np.full((1, 4, 2), value), dt.Binning(7, "global"), targets=[0, 0, 1, 1])
    assert plane.i_x == 0
    assert plane.occupied == 1
