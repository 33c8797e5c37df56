"""Numbers of clusters far beyond the rows that there are."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.information import bottleneck_branches

TABLE = np.random.default_rng(0).dirichlet(np.ones(12)).reshape(4, 3)


@pytest.mark.parametrize("options", [{"method": "dib"}, {"method": "dib", "alpha": 0.5}, {"method": "sequential"}])
def test_a_million_clusters_of_four_rows(options):
    """No T needs more clusters than rows, and no array of a million squared is asked for."""
    many, all_rows = (dt.bottleneck(TABLE, 3.0, clusters=k, **options) for k in (10**6, 4))
    assert many.lagrangian == all_rows.lagrangian


def test_branches_of_a_million_clusters():
    found = bottleneck_branches(TABLE, [3.0, 20.0], (4, 10**6))
    np.testing.assert_array_equal(found.lagrangian[0], found.lagrangian[1])
