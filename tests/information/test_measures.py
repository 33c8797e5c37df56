"""What an interval says of itself, and labels in every form, at the entry points to estimators."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.information.estimators.kozachenko_leonenko import weighted_information


@pytest.mark.parametrize("method", ["ksg", "mixed", "kl"])  # of "wkl": estimators/test_limits.py
@pytest.mark.parametrize(("columns", "noted"), [(1, False), (2, True), (3, True)])
@pytest.mark.parametrize("n", [300, 600])
def test_an_interval_without_its_bias_says_so(method, columns, noted, n):
    """KSG's 95 % interval of 3 x 3 normals held the truth in 38 % of 60 runs, without a word."""
    x, y = np.random.default_rng(n).normal(size=(2, n, columns))
    got = dt.mutual_information(x, 0.6 * x + 0.8 * y, method)
    assert "sampling error only" in got.method
    assert any("a bias common to all of them is not in it" in note for note in got.notes) == noted


@pytest.mark.parametrize("columns", [1, 2, 5])
@pytest.mark.parametrize("n", [200, 500])
def test_an_interval_of_entropies_reaches_as_far_as_nothing_spreads(columns, n):
    x, y = np.random.default_rng([n, columns]).normal(size=(2, n, columns))
    full, batches = (weighted_information(x, y, spread=s) for s in (True, False))
    assert full.value == batches.value
    assert full.low <= batches.low
    assert batches.high <= full.high
    order = np.random.default_rng(0).permutation(n)
    nothing = weighted_information(x, y[order], spread=False).value
    assert full.high - full.value > 0.5 * abs(nothing)


@pytest.mark.parametrize("n", [100, 400])
@pytest.mark.parametrize("classes", [2, 5])
def test_a_column_of_labels_is_a_list_of_labels(n, classes):
    rng = np.random.default_rng(n)
    x, label = rng.normal(size=(n, 2)), rng.integers(0, classes, n)
    x[:, 0] += label
    words = np.array([f"class {k}" for k in range(classes)])[label]
    for method in ("labels", "auto"):
        one = dt.mutual_information(x, label, method).value
        for other in (label[:, None], words, words[:, None], words.astype(object)):
            assert dt.mutual_information(x, other, method).value == pytest.approx(one, abs=1e-12)
    layer = x[None]
    planes = [dt.information_plane(layer, dt.Binning(4), targets=t) for t in (label, label[:, None], words)]
    assert len({float(p.i_y.squeeze()) for p in planes}) == 1


def test_a_users_own_function_may_have_no_module():
    """As in exec, where a function's module has no name: an error of ours before."""

    def own(x, y):
        return dt.mutual_information(x, y, "gaussian")

    own.__module__ = None
    x, y = np.random.default_rng(0).normal(size=(2, 100))
    got = dt.mutual_information(x, y, own, permutations=19)
    assert got.value == dt.mutual_information(x, y, "gaussian").value
    assert 0 < got.p <= 1
