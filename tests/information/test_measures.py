"""What an interval says of itself, and labels in every form, at the entry points to estimators."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
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


def _in_nats(x, y):
    got = dt.mutual_information(x, y, "gaussian", unit="nats")
    return Estimate(value=got.value, low=got.low, high=got.high, unit="nats", method="mine")


def test_a_users_own_function_may_give_nats():
    """They were taken for bits in .normalized(), and their null's mean was multiplied by log 2 once more."""
    x, y = np.random.default_rng(0).normal(size=(2, 200))
    y = x + y
    bits = dt.mutual_information(x, y, "gaussian", permutations=9)
    for unit, per in (("bits", 1.0), ("nats", np.log(2))):
        got = dt.mutual_information(x, y, _in_nats, unit=unit, permutations=9)
        assert got.unit == unit
        assert [got.value, got.low, got.high] == pytest.approx([v * per for v in (bits.value, bits.low, bits.high)])
        assert got.null_mean == pytest.approx(bits.null_mean * per)
        assert got.p == bits.p
        assert got.normalized("correlation").value == pytest.approx(bits.normalized("correlation").value)
        curve = got.convergence(parts=2)
        assert curve.value == pytest.approx(bits.convergence(parts=2).value * per)
        assert curve.unit == unit


def test_a_fraction_has_no_normalized_form():
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    got = dt.mutual_information(x, y, lambda x, y: Estimate(value=0.5, unit="fraction", method="mine"), permutations=3)
    assert (got.value, got.unit, got.null_mean) == (0.5, "fraction", 0.5)
    with pytest.raises(InputError, match="is in fraction"):
        got.normalized("correlation")


@pytest.mark.parametrize("word", ["no", "False", [True], np.array([1, 0]), 2, 0.0])
def test_a_switch_takes_no_word(word):
    """Any word is true: standardize="no" standardized."""
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    with pytest.raises(InputError, match="needed: True or False"):
        dt.mutual_information(x, y, "ksg", standardize=word)
    with pytest.raises(InputError, match="needed: True or False, None"):
        dt.mutual_information(x, y, ranks=word)
    with pytest.raises(InputError, match="needed: True or False, None"):
        dt.mutual_information(x, y, "gaussian", correct=word)
    with pytest.raises(InputError, match="needed: True or False, None"):
        dt.conditional_mutual_information(x, y, x, ranks=word)
    same = dt.mutual_information(x, y, "ksg", standardize=np.True_).value
    assert dt.mutual_information(x, y, "ksg", standardize=1).value == same


def test_a_unit_is_a_word():
    with pytest.raises(InputError, match="known: bits, nats"):
        dt.entropy([0, 1, 1, 0], unit=["bits"])


def test_names_of_words_do_not_matter_by_any_method():
    """Neighbors among the codes of words, in the value of "labels" and the width of others: .65 bit, renamed .61."""
    rng = np.random.default_rng(0)
    x, names = rng.integers(0, 60, 600), rng.permutation(60)
    label = (x + (rng.random(600) < 0.1)) % 2
    one, other = (np.char.add("w", v.astype(str)) for v in (x, names[x]))
    counted = dt.mutual_information(one, label, "plugin")
    for method, against in (("labels", label), ("ksg", label.astype(str)), ("mixed", label.astype(str))):
        a, b = (dt.mutual_information(v, against, method) for v in (one, other))
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=1e-12)
        assert a.value == pytest.approx(counted.value, abs=1e-12)
        assert a.local.mean() == pytest.approx(a.value)
    numbers = x + rng.normal(size=600)
    a, b = (dt.mutual_information(v, numbers, "ksg") for v in (one, other))
    assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=1e-12)


def test_permutations_are_drawn_one_by_one():
    """All at once they were draws x n numbers: 8 GB for 10,000 of 100,000 rows. The draws are the same."""
    import tracemalloc

    from deeptheory.core import statistics

    label = np.random.default_rng(0).integers(0, 2, 20_000)
    tracemalloc.start()
    got = dt.mutual_information(label, label[::-1], "plugin", permutations=200)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 200 * 20_000 * 8 / 2
    orders = statistics.permutations(20_000, 200, seed=[0, 20_000, 5])
    null = [dt.information.estimators.MUTUAL_INFORMATION["plugin"](label, label[::-1][o]).value for o in orders[:3]]
    few = dt.mutual_information(label, label[::-1], "plugin", permutations=3)
    assert few.null_mean == pytest.approx(np.mean(null), abs=1e-15)
    assert 0 < got.p <= 1
