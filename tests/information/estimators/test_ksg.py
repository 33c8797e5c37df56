"""KSG's second variant against the paper's formula by loops."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from oracles.neighbors import ksg_rectangles


@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (2, 1), (2, 3), (5, 4)])
@pytest.mark.parametrize("k", [1, 3])
def test_rectangles_agree_with_the_loops(dx, dy, k):
    rng = np.random.default_rng([dx, dy, k])
    x = rng.normal(size=(60, dx))
    y = rng.normal(size=(60, dy)) + x[:, :1]
    got = dt.mutual_information(x, y, "ksg", k=k, variant=2, standardize=False)
    assert got.value == pytest.approx(ksg_rectangles(x.tolist(), y.tolist(), k) / np.log(2), abs=1e-10)
    assert "variant 2" in got.method


@pytest.mark.parametrize("variant", [0, 3, "2", True, None])
def test_another_variant_is_refused(variant):
    x = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.raises(InputError, match=r"Kraskov's estimators are 1 \(squares\) and 2"):
        dt.mutual_information(x, x[:, :1], "ksg", variant=variant)
