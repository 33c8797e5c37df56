"""Rows predicted from others: equal to brute force, and blind to what was left out."""

import numpy as np
import pytest
import torch

from deeptheory.axis.bench.dependence import Rows
from deeptheory.axis.bench.left_out import ALPHAS, left_out
from oracles.axis import leave_one_out
from oracles.left_out import nested_ridge


def pair(n, u, seed=0):
    rng = np.random.default_rng([n, u, seed])
    x, s = rng.standard_normal((n, u)), rng.standard_normal((n, 3))
    s[:, 0] = 0.8 * x[:, 0] + 0.6 * s[:, 0]
    return x, s


@pytest.mark.parametrize(("n", "u"), [(12, 30), (12, 12), (14, 5), (10, 9)])
def test_a_nested_penalty_is_that_of_brute_force(n, u):
    x, s = pair(n, u)
    found = left_out(torch.as_tensor(x), torch.as_tensor(s))
    assert found.ridge
    np.testing.assert_allclose(found.predicted.numpy(), nested_ridge(x, s, ALPHAS), atol=1e-10)


@pytest.mark.parametrize("how", ["ones", "outlier", "duplicate", "tiny", "huge"])
def test_a_hard_design_is_still_brute_force(how):
    x, s = pair(11, 14)
    if how == "ones":  # a unit that answers one stimulus alone
        x[:, 3] = 0
        x[4, 3] = 1
    if how == "outlier":
        x[2] *= 100
    if how == "duplicate":
        x[5] = x[6]
    if how in ("tiny", "huge"):
        x, s = (v * {"tiny": 1e-60, "huge": 1e60}[how] for v in (x, s))
    found = left_out(torch.as_tensor(x), torch.as_tensor(s)).predicted.numpy()
    np.testing.assert_allclose(found, nested_ridge(x, s, ALPHAS), rtol=1e-5, atol=1e-7 * np.abs(s).max())


def test_with_room_it_is_one_least_squares_per_row():
    x, s = pair(60, 4)
    found = left_out(torch.as_tensor(x), torch.as_tensor(s))
    assert not found.ridge
    np.testing.assert_allclose(found.predicted.numpy(), leave_one_out(x, s), atol=1e-10)
    x[:, 2] = 0
    x[7, 2] = 5  # held up by row 7 alone: without it the unit says nothing
    found = left_out(torch.as_tensor(x), torch.as_tensor(s)).predicted.numpy()
    np.testing.assert_allclose(found[7], leave_one_out(np.delete(x, 2, 1), s)[7], atol=1e-8)


@pytest.mark.parametrize(("n", "u"), [(40, 60), (40, 3)])
def test_a_left_out_fold_says_nothing_about_its_own_prediction(n, u):
    x, s = pair(n, u)
    rows = Rows(n, np.repeat(np.arange(n // 4), 4), 2.0, True)
    folds = rows.folds(5, 0)
    first = left_out(torch.as_tensor(x), torch.as_tensor(s), folds).predicted
    test = folds[2][1]
    s[test.numpy()] += 100
    again = left_out(torch.as_tensor(x), torch.as_tensor(s), folds).predicted
    torch.testing.assert_close(first[test], again[test])
    assert not torch.allclose(first, again)


def test_the_order_of_rows_changes_nothing():
    x, s = pair(30, 50)
    order = np.random.default_rng(1).permutation(30)
    a, b = (left_out(torch.as_tensor(x[k]), torch.as_tensor(s[k])).predicted.numpy() for k in (np.arange(30), order))
    np.testing.assert_allclose(a[order], b, atol=1e-10)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e7 + 0.1, 1e-200])
@pytest.mark.parametrize(("n", "u"), [(40, 3), (12, 30)])
def test_a_unit_that_says_nothing_takes_nothing_away(n, u, value):
    """The mean of equal numbers is off by a rounding, which looked like a unit of 1e290 times its spread."""
    x, s = pair(n, u)
    still = np.full(n, value)
    alone = left_out(torch.as_tensor(x), torch.as_tensor(s))
    zeros = left_out(torch.as_tensor(np.column_stack([x, 0 * still])), torch.as_tensor(s))
    more = left_out(torch.as_tensor(np.column_stack([x, still])), torch.as_tensor(s))
    torch.testing.assert_close(more.predicted, zeros.predicted)
    if not alone.ridge:
        torch.testing.assert_close(more.predicted, alone.predicted)
    target = torch.as_tensor(np.column_stack([s, still]))
    assert more.explained(target[:, :3], False).isfinite().all()
    assert left_out(torch.as_tensor(x), target).explained(target, False)[3].isnan()
