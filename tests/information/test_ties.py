"""Ties, labels and constants: the kernels against literal loops, and no information where there is none."""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information.estimators import columns
from deeptheory.information.estimators.neighbors import counts_around, information_by_neighbors, nearest
from deeptheory.information.estimators.scans import scan
from oracles import neighbors as oracle

LN2 = np.log(2)


def rounded(rng, n, d):
    """Half dense, half with many ties, some rows twice."""
    a = rng.standard_normal((n, d))
    a[:, ::2] = np.maximum(np.round(a[:, ::2], 1), 0)
    a[: n // 8] = a[n // 8 : 2 * (n // 8)]
    return a


DIMENSIONS = [(1, 1, 0), (1, 1, 1), (2, 1, 2), (3, 3, 3), (0, 2, 1), (2, 0, 0), (0, 9, 1), (4, 5, 0)]
LOOPS = [  # a variable without columns is a label; inclusive counts know none
    (*d, labels, inclusive)
    for d in DIMENSIONS
    for labels in ("", "x", "y", "xy")
    for inclusive in (False, True)
    if (d[0] or "x" in labels) and (d[1] or "y" in labels) and not (inclusive and labels)
]


@pytest.mark.parametrize(("dx", "dy", "dz", "labels", "inclusive"), LOOPS)
def test_counts_agree_with_the_literal_loop_whatever_is_tied(dx, dy, dz, labels, inclusive):
    """By sorting, tree and scan: the number of columns decides."""
    rng = np.random.default_rng([dx, dy, dz])
    n = 48
    x, y, z = (rounded(rng, n, d) for d in (dx, dy, dz))
    label_x = np.arange(n) % 3 if "x" in labels else None
    label_y = rng.integers(0, 2, n) if "y" in labels else None
    slow = oracle.information(x, y, z, 5, label_x, label_y, inclusive) / LN2
    fast = information_by_neighbors(x.T, y.T, z.T, 5, label_x, label_y, inclusive)
    assert fast == pytest.approx(slow, abs=1e-12)


def test_tree_and_scan_count_the_same():
    rng = np.random.default_rng(0)
    x, y, z = (np.ascontiguousarray(rounded(rng, 900, d).T) for d in (2, 1, 2))
    label, none = np.arange(900) % 4, np.zeros(0, np.int64)
    for inclusive, slack in ((False, 0.0), (True, 0.0), (True, 1e-3)):
        out = scan(x, y, z, 4, none, label, inclusive, slack)
        by_tree = counts_around(x, y, z, 4, None, label, inclusive, slack)
        assert all(np.array_equal(a, b) for a, b in zip(by_tree, out))


@pytest.mark.parametrize("euclidean", [False, True])
@pytest.mark.parametrize("d", [1, 2, 4, 8])
def test_nearest_distances_are_the_sorted_ones(d, euclidean):
    a = rounded(np.random.default_rng(d), 300, d)
    gaps = np.abs(a[:, None] - a[None])
    apart = np.sqrt((gaps**2).sum(-1)) if euclidean else gaps.max(-1)
    apart[np.arange(300), np.arange(300)] = np.inf
    assert nearest(np.ascontiguousarray(a.T), 6, euclidean) == pytest.approx(np.sort(apart, axis=1)[:, :6], abs=1e-14)


@pytest.mark.parametrize("method", ["ksg", "mixed", "labels"])
def test_the_value_with_ties_is_the_mean_over_broken_ones(method):
    rng = np.random.default_rng(1)
    x, y = rounded(rng, 60, 2), rng.standard_normal((60, 1))
    y = (y > 0).astype(int) if method == "labels" else y
    got = dt.mutual_information(x, y, method, k=2, standardize=False)
    made = columns.comparable(False, 0, x=x) if method == "labels" else columns.comparable(False, 0, x=x, y=y)
    assert len(made.versions) == columns.DRAWS
    values = []
    for version in made.versions:
        a = version[0].T
        assert np.abs(a - a.mean(0) - (x - x.mean(0))).max() < 1e-6
        assert len(np.unique(a)) == a.size
        if method == "labels":
            values.append(oracle.ross(a, y[:, 0], 2) / LN2)
        else:
            values.append(oracle.ksg(a, version[1].T, 2) / LN2)
    if method == "mixed":  # psi(n) is written as log n
        values = [v + (np.log(60) - oracle.digamma(60)) / LN2 for v in values]
    assert got.value == pytest.approx(np.mean(values), abs=1e-12)
    assert "ties broken by noise" in got.method


def relu(rng, n, d):
    return np.maximum(rng.standard_normal((n, d)), 0)


MARGINALS = {
    "dense": lambda r, n, d: r.standard_normal((n, d)),
    "relu": relu,
    "sparse": lambda r, n, d: np.maximum(r.standard_normal((n, d)) - 1.3, 0),
    "integers": lambda r, n, d: r.poisson(2, (n, d)).astype(float),
    "rounded": lambda r, n, d: np.round(r.standard_normal((n, d)), 1),
    "grid": lambda r, n, d: np.stack([r.permutation(n) * 0.1 for _ in range(d)], 1),
    "binary": lambda r, n, d: r.integers(0, 2, (n, d)).astype(float),
    "dead": lambda r, n, d: np.c_[relu(r, n, d), np.zeros(n)],
    "bfloat16": lambda r, n, d: torch.as_tensor(relu(r, n, d)).bfloat16(),
}


CELLS = [("relu", d) for d in (1, 3, 10, 20, 50)] + [(m, d) for m in MARGINALS if m != "relu" for d in (1, 5)]


@pytest.mark.parametrize(("marginal", "columns"), CELLS)
def test_independent_variables_share_nothing(marginal, columns):
    """Means of four draws; a single estimate has a standard deviation of .02 to .03 bit at n = 1,000, ties or none."""
    found = {}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x = MARGINALS[marginal](rng, 1000, columns)
        y, label = rng.standard_normal(1000), rng.integers(0, (2, 50, 3, 7)[seed], 1000)
        rare = (rng.random(1000) < 0.02).astype(int)
        other = MARGINALS[marginal](rng, 1000, 2)
        for name, value in (
            ("ksg", dt.mutual_information(x, y, "ksg")),
            ("ksg both", dt.mutual_information(x, other, "ksg")),
            ("mixed", dt.mutual_information(x, label, "mixed")),
            ("labels", dt.mutual_information(x, label, "labels")),
            ("rare", dt.mutual_information(x, rare, "labels")),
        ):
            found.setdefault(name, []).append(value.value)
    for name, values in found.items():
        assert abs(np.mean(values)) < 0.05, (name, values)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e7, 1e-300])
@pytest.mark.parametrize("n", [30, 500])
def test_a_constant_tells_nothing(value, n):
    rng = np.random.default_rng(n)
    rare, y, still = (np.arange(n) % 10 == 0).astype(int), rng.standard_normal(n), np.full(n, value)
    for got in (
        dt.mutual_information(still, rare, "labels"),
        dt.mutual_information(y, np.ones(n, int), "labels"),
        dt.mutual_information(still, y, "ksg"),
        dt.mutual_information(y, np.c_[still, still], "mixed"),
        dt.mutual_information(still, y, "wkl"),
        dt.conditional_mutual_information(still, y, rare, method="ksg"),
        dt.conditional_mutual_information(y, still, y[::-1], method="mixed"),
    ):
        assert (got.value, got.low, got.high, got.direction) == (0, 0, 0, "exact")
        assert "constant" in " ".join(got.notes)
    with_it = dt.mutual_information(np.c_[y, still], y[::-1] + y, "ksg")
    assert with_it.value == dt.mutual_information(y, y[::-1] + y, "ksg").value
    assert "column 1: left out" in with_it.notes[0]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("n", [500, 3000])
def test_rounded_activations_and_their_own_sign(dtype, n):
    h = torch.randn(n, generator=torch.Generator().manual_seed(n)).to(dtype)
    got = dt.mutual_information(h, (h > 0).long(), "labels")
    assert got.value == pytest.approx(1, abs=0.02)


def test_rare_labels_and_single_ones():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((600, 2)), np.arange(600) % 2
    y[:3], y[3:5], y[5] = 7, 8, 9
    got = dt.mutual_information(x, y, "labels")
    assert abs(got.value) < 0.06
    assert "1 of 5 labels have one sample each" in got.notes[0]
    assert "2 of 5 labels have 3 samples or fewer" in got.notes[1]
    assert np.isfinite(got.low)
    many = dt.mutual_information(
        np.repeat(np.arange(60.0), 2) + 0.01 * rng.standard_normal(120), np.repeat(np.arange(60), 2), "labels"
    )
    assert many.value > np.log2(60)
    assert "above the entropy of y" in " ".join(many.notes)


@pytest.mark.parametrize("n", [400, 2000])
def test_a_layer_and_its_label_keep_what_they_share(n):
    """x = relu(noise + label): quadrature of one column."""
    from scipy.stats import norm

    grid = np.linspace(1e-4, 12, 200_000)
    p = np.stack([norm.pdf(grid), norm.pdf(grid - 1.5)])
    zero = np.array([norm.cdf(0), norm.cdf(-1.5)])
    terms = [
        0.5 * (zero * np.log2(zero / zero.mean())).sum(),
        0.5 * (p * np.log2(p / p.mean(0))).sum() * (grid[1] - grid[0]),
    ]
    truth, values = sum(terms), {}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        label = rng.integers(0, 2, n)
        x = np.maximum(rng.standard_normal(n) + 1.5 * label, 0)
        for method in ("labels", "mixed", "ksg"):
            values.setdefault(method, []).append(dt.mutual_information(x, label, method).value)
    for method, found in values.items():
        assert np.mean(found) == pytest.approx(truth, abs=0.05), method


@pytest.mark.parametrize("method", ["ksg", "labels", "mixed"])
def test_order_and_units_of_tied_values_do_not_matter(method):
    rng = np.random.default_rng(0)
    x, y = relu(rng, 500, 4), rng.integers(0, 3, 500)
    x += y[:, None] * (x > 0)
    first = dt.mutual_information(x, y, method).value
    order = rng.permutation(500)
    assert dt.mutual_information(x[order], y[order], method).value == pytest.approx(
        first, abs=0.01 if method == "labels" else 1e-9
    )
    for scale in (1e-200, 3.0, 1e200):
        assert dt.mutual_information(x * scale, y, method).value == pytest.approx(first, abs=1e-6)
    assert dt.mutual_information(x[:, ::-1], y, method).value == pytest.approx(first, abs=0.05)


def test_copied_rows_are_said():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 400))
    twice = dt.mutual_information(np.r_[x, x[:100]], np.r_[y, y[:100]], "ksg")
    assert "100 rows are copies of others" in twice.notes[0]
    zeros = dt.mutual_information(relu(rng, 400, 1), relu(rng, 400, 1), "ksg")
    assert zeros.notes == ()


@pytest.mark.parametrize("times", [2, 3, 4, 10])
@pytest.mark.parametrize("columns", [1, 3])
def test_repeated_samples_are_said_however_often_they_stand(times, columns):
    rng = np.random.default_rng(times)
    order = rng.permutation(np.repeat(np.arange(1200 // times), times))
    x, y = (rng.standard_normal((1200 // times, columns))[order] for _ in "xy")
    for method in ("auto", "ksg", "mixed"):
        notes = dt.mutual_information(x, y, method).notes
        assert any(f"{1200 - 1200 // times} rows are copies of others" in note for note in notes)


@pytest.mark.parametrize("columns", [1, 2, 5])
@pytest.mark.parametrize("method", ["auto", "ksg", "mixed", "gaussian"])
def test_booleans_are_zeros_and_ones(method, columns):
    rng = np.random.default_rng(columns)
    x, y = rng.standard_normal((600, columns)) > 0, rng.standard_normal(600)
    found = dt.mutual_information(x, y, method)
    assert found.value == dt.mutual_information(x.astype(np.uint8), y, method).value


@pytest.mark.parametrize("method", ["ksg", "mixed", "labels"])
def test_names_of_labels_do_not_matter(method):
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 500)
    x = rng.standard_normal(500) + label
    first = dt.mutual_information(x, np.array(["a", "b", "c"])[label], method)
    for names in (["z", "b", "c"], ["b", "c", "a"], [" ", "1000", "-1"]):
        for got in (dt.mutual_information(x, np.array(names)[label], method),):
            assert got.value == pytest.approx(first.value, abs=1e-12)
    assert first.value == pytest.approx(dt.mutual_information(x, label * 99 - 7, "labels").value, abs=1e-12)
    both = dt.mutual_information(np.array(["a", "b", "c"])[label], np.array(["q", "r"])[label % 2], "mixed")
    assert both.value == pytest.approx(dt.mutual_information(label, label % 2, "plugin").value, abs=1e-12)


def test_words_are_no_numbers():
    x, words = np.random.default_rng(0).standard_normal(60), np.array(["a", "b", "c"])[np.arange(60) % 3]
    for method in ("gaussian", "wkl"):
        with pytest.raises(InputError, match=f"y holds words, '{method}' needs numbers"):
            dt.mutual_information(x, words, method)
    for method in ("gaussian", "kl"):
        with pytest.raises(InputError, match="x holds words"):
            dt.entropy(words, method)
    with pytest.raises(InputError, match="y holds words"):
        dt.conditional_mutual_information(x, words, x, method="gaussian")
    with pytest.raises(InputError, match="a label of its own"):
        dt.mutual_information(x, np.arange(60), "labels")
    with pytest.raises(InputError, match="alone with its labels"):
        dt.conditional_mutual_information(x, x, np.arange(60).astype(str), method="ksg")
    with pytest.raises(InputError, match="values in column 0 of x are 0"):
        dt.mutual_information(np.maximum(x, 0), x, "wkl")


CODES = ([0, 1, 2], [7, 1, 1000], [2.0, 0.0, 1.0], [1e9, -0.5, 3.25], ["q", "b", "x"])


@pytest.mark.parametrize("method", ["ksg", "mixed", "gaussian"])
@pytest.mark.parametrize("n", [300, 2000])
def test_codes_of_labels_in_a_condition_do_not_matter(n, method):
    rng = np.random.default_rng(n)
    label, w = rng.integers(0, 3, n), rng.standard_normal(n)
    x = rng.standard_normal(n) + np.array([0, 5, -3])[label] + w
    y = 0.6 * (x - np.array([0, 5, -3])[label] - w) + 0.8 * rng.standard_normal(n) + np.array([-2, 0, 9])[label] - w
    for condition in (lambda c: c, lambda c: np.c_[c, w], lambda c: np.c_[w, c, c]):
        values = [
            dt.conditional_mutual_information(x, y, condition(np.array(c)[label]), method=method).value
            for c in CODES
            if condition(np.zeros(n)).ndim == 1 or not isinstance(c[0], str)
        ]
        assert values == pytest.approx([values[0]] * len(values), abs=1e-12)
        if condition(np.zeros(n)).ndim > 1:  # given both, x and y share what a correlation of .6 does
            assert values[0] == pytest.approx(0.322, abs=0.15 if n == 300 else 0.06)


@pytest.mark.parametrize("method", ["ksg", "mixed"])
def test_a_label_may_be_x_or_y(method):
    """y = normal - 2 label, z independent: .893 bit by quadrature."""
    values = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        label = rng.integers(0, 3, 2000)
        y, z = rng.standard_normal(2000) - 2 * label, rng.standard_normal(2000)
        got = [dt.conditional_mutual_information(np.array(c)[label], y, z, method=method).value for c in CODES]
        assert got == pytest.approx([got[0]] * len(got), abs=1e-12)
        assert dt.conditional_mutual_information(y, label, z, method=method).value == pytest.approx(got[0], abs=1e-12)
        values.append(got[0])
    assert np.mean(values) == pytest.approx(0.893, abs=0.05)


@pytest.mark.parametrize("labels", [2, 20, 50])
def test_given_labels_it_is_the_mean_over_labels(labels):
    rng = np.random.default_rng(labels)
    n = 80 * labels
    label, (a, b) = np.arange(n) % labels, rng.standard_normal((2, n))
    shift = rng.standard_normal((2, labels)) * 3
    x, y = a + shift[0][label], 0.6 * a + 0.8 * b + shift[1][label]
    got = dt.conditional_mutual_information(x, y, label, method="ksg", standardize=False)
    by_hand = [oracle.ksg(x[label == c][:, None], y[label == c][:, None], 3) / LN2 for c in range(labels)]
    assert got.value == pytest.approx(np.mean(by_hand), abs=1e-12)
    assert got.value == pytest.approx(0.322, abs=0.1 if labels > 2 else 0.25)
    none = dt.conditional_mutual_information(x, b + shift[1][label], label, method="ksg")
    assert none.value == pytest.approx(0, abs=0.06 if labels > 2 else 0.2)


def test_chance_repeats_of_float32_change_nothing():
    x, y = np.random.default_rng(1).standard_normal((2, 12_000)).astype(np.float32)
    assert len(np.unique(x)) < len(x)
    got = dt.mutual_information(x, y, "ksg")
    assert "ties" not in got.method


def test_copies_and_labels_of_few_samples_are_said():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.standard_normal((150, 2)), 4, axis=0)
    got = dt.mutual_information(x, np.repeat(rng.integers(0, 2, 150), 4), "labels")
    assert "600 rows are copies of 150" in " ".join(got.notes)
    assert "copies" not in " ".join(dt.mutual_information(x, rng.integers(0, 2, 600), "labels").notes)
    assert "copies" not in " ".join(dt.mutual_information(relu(rng, 600, 3), rng.integers(0, 2, 600), "labels").notes)
    for n, d in ((300, 1), (300, 3), (1000, 3)):  # most rows are all zeros, and the others stand once
        sparse = np.maximum(rng.normal(size=(n, d)) - 1.5, 0)
        assert "copies" not in " ".join(dt.mutual_information(sparse, rng.integers(0, 2, n), "labels").notes)
    u = rng.standard_normal(90)
    few = dt.conditional_mutual_information(
        u, u + rng.standard_normal(90), (np.arange(90) // 3).astype(str), method="ksg"
    )
    assert "3 samples per combination of labels" in " ".join(few.notes)
