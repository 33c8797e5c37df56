"""Estimators from samples: against literal loops, against exact truths, and with every doubt said."""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information.estimators import ENTROPY, MUTUAL_INFORMATION
from deeptheory.information.estimators.kozachenko_leonenko import _weights
from oracles import neighbors as oracle
from oracles.information import entropy as oracle_entropy

LN2 = np.log(2)


def pair(n, rho, seed=0, columns=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, columns))
    y = rng.standard_normal((n, columns))
    y[:, 0] = rho * x[:, 0] + np.sqrt(1 - rho**2) * y[:, 0]
    return x, y


@pytest.mark.parametrize(("k", "dx", "dy"), [(1, 1, 1), (3, 2, 1), (5, 3, 4)])
def test_ksg_agrees_with_the_literal_loop(k, dx, dy):
    rng = np.random.default_rng(k)
    x, y = rng.standard_normal((60, dx)), rng.standard_normal((60, dy))
    y[:, 0] += 2 * x[:, 0]
    got = dt.mutual_information(x, y, "ksg", k=k, standardize=False)
    assert got.value == pytest.approx(oracle.ksg(x, y, k) / LN2, abs=1e-12)


@pytest.mark.parametrize("d", [1, 2, 5, 9])  # sorted, by tree, by tree, by scan
def test_kozachenko_leonenko_agrees_with_the_literal_loop(d):
    x = np.random.default_rng(d).standard_normal((50, d))
    assert dt.entropy(x, "kl", k=3).value == pytest.approx(oracle.kozachenko_leonenko(x, 3) / LN2, abs=1e-12)


def test_weights_sum_to_one_and_cancel_the_first_order():
    from scipy.special import gammaln

    for d, k in ((4, 5), (8, 12)):
        w = _weights(k, d)
        j = np.arange(1, k + 1)
        assert w.sum() == pytest.approx(1)
        for order in range(1, d // 4 + 1):
            assert (w * np.exp(gammaln(j + 2 * order / d) - gammaln(j))).sum() == pytest.approx(0, abs=1e-9)
    assert _weights(5, 3).tolist() == [0, 0, 0, 0, 1]  # below four dimensions there is nothing to cancel


@pytest.mark.parametrize("method", ["ksg", "gaussian", "wkl"])
def test_a_correlated_normal_pair_is_found_within_the_interval(method):
    truth = -0.5 * np.log2(1 - 0.8**2)
    held = 0
    for seed in range(10):
        got = dt.mutual_information(*pair(1000, 0.8, seed), method)
        held += got.low <= truth <= got.high
        assert got.value == pytest.approx(truth, abs=0.25)
    assert held >= 7  # 10 draws of a 95 % interval miss this by chance about once in 1000


def test_the_entropy_of_a_normal_is_found():
    x = np.random.default_rng(0).standard_normal((2000, 4))
    truth = 2 * np.log2(2 * np.pi * np.e)
    for options in ({"method": "kl"}, {"method": "kl", "k": 5, "weighted": True}, {"method": "gaussian"}):
        assert dt.entropy(x, **options).value == pytest.approx(truth, abs=0.25)
    assert dt.entropy(7 * x, "kl").value - dt.entropy(x, "kl").value == pytest.approx(4 * np.log2(7), abs=1e-9)


def test_plug_in_counts_and_says_its_bias():
    x = np.array([0, 0, 1, 1] * 50)
    y = np.array([0, 1, 0, 1] * 50)
    assert dt.mutual_information(x, y).value == pytest.approx(0, abs=1e-12)
    same = dt.mutual_information(x, x, "plugin")
    assert same.value == pytest.approx(1)
    assert dt.entropy(np.stack([x, y], 1)).value == pytest.approx(2)
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 400), rng.integers(0, 6, 400)
    raw, mended = (dt.mutual_information(a, b, "plugin", correct=c) for c in (False, True))
    assert abs(mended.value) < raw.value  # the truth is 0
    assert raw.value - mended.value == pytest.approx(25 / (800 * LN2))
    low, high = (dt.entropy(a, "plugin", correct=c).value for c in (False, True))
    assert high - low == pytest.approx(5 / (800 * LN2))


def test_information_does_not_see_scale_or_order_and_is_symmetric():
    x, y = pair(300, 0.7, columns=2)
    first = dt.mutual_information(x, y, "ksg")
    assert dt.mutual_information(y, x, "ksg").value == pytest.approx(first.value, abs=1e-12)
    assert dt.mutual_information(5 * x - 3, y, "ksg").value == pytest.approx(first.value, abs=1e-9)
    order = np.random.default_rng(1).permutation(300)
    assert dt.mutual_information(x[order], y[order], "ksg").value == pytest.approx(first.value, abs=1e-12)


def test_negative_values_stay_and_doubts_are_said():
    x, y = pair(400, 0.0, seed=3)
    values = [dt.mutual_information(*pair(200, 0.0, s), "ksg").value for s in range(20)]
    assert min(values) < 0
    assert (
        dt.mutual_information(x[:100], y[:100], "ksg").low != dt.mutual_information(x[:100], y[:100], "ksg").low
    )  # NaN
    assert "ties broken by noise" in dt.mutual_information(np.round(x, 1), y, "ksg").method
    near = dt.mutual_information(x, x + 1e-4 * y, "ksg")
    assert any("near the largest value" in n for n in near.notes)
    wide = dt.mutual_information(*pair(300, 0.9, columns=5), "ksg")
    assert any("10 columns" in n for n in wide.notes)
    assert any(
        "fifth of the samples" in n for n in dt.mutual_information(np.arange(50), np.arange(50) % 2, "plugin").notes
    )


def test_tensors_and_own_functions_are_taken():
    x, y = (torch.as_tensor(a) for a in pair(300, 0.6))
    assert dt.mutual_information(x, y).method == "KSG, k = 3"
    assert dt.mutual_information(x, y, lambda a, b, *, c: dt.Estimate(value=c, method="mine"), c=2).value == 2
    assert dt.entropy(x, lambda a: dt.Estimate(value=1, method="mine")).value == 1
    assert dt.entropy(x).method.startswith("Kozachenko")
    assert set(MUTUAL_INFORMATION) >= {"ksg", "plugin", "gaussian"}
    assert set(ENTROPY) >= {"plugin", "gaussian", "kl"}


def test_labels_may_be_words():
    x, y = pair(300, 0.6)
    words, codes = np.where(y[:, 0] > 0, "up", "down"), (y[:, 0] > 0).astype(int)
    for call in (lambda a: dt.mutual_information(x, a), lambda a: dt.mutual_information(a, a), dt.entropy):
        assert call(words).value == call(codes).value > 0
        assert call(words).method == call(codes).method


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda x, y: dt.mutual_information(x, y + 1j), "y holds complex128; needed: numbers"),
        (lambda x, y: dt.mutual_information(x, [["a", "b"]] * 30), "y holds <U1; needed: numbers"),
        (lambda x, y: dt.mutual_information(x, y[:5]), "y has 5 rows, x has 30"),
        (lambda x, y: dt.mutual_information(x[:, :0], y), "x has shape"),
        (lambda x, y: dt.mutual_information(x[:1], y[:1]), "x has 1 samples"),
        (lambda x, y: dt.mutual_information(x * np.nan, y), "x holds 60 values that are NaN"),
        (lambda x, y: dt.mutual_information(x, y, "ksg", k=30), "k is 30 for 30 samples"),
        (lambda x, y: dt.mutual_information(x, y, "wkl", k=0), "k is 0 for 30 samples"),
        (lambda x, y: dt.mutual_information(x, y, "wkl", k=1), "the weights need at least 2 different neighbors"),
        (lambda x, y: dt.mutual_information(x, y, "plugin"), "plug-in needs discrete symbols"),
        (lambda x, y: dt.mutual_information(x[:4], y[:4], "gaussian"), "4 samples for 4 columns"),
        (lambda x, y: dt.mutual_information(x, y[:, [0, 0]], "gaussian"), "columns of y are constant or depend"),
        (lambda x, y: dt.mutual_information(x, y, "kgs"), "unknown estimator 'kgs'; did you mean ksg"),
        (lambda x, y: dt.entropy(x, "gausian"), "unknown estimator 'gausian'; did you mean gaussian"),
        (lambda x, y: dt.entropy(x[:3], "gaussian"), "3 samples for 2 columns"),
        (lambda x, y: dt.entropy(x[:, [0, 0]], "gaussian"), "depend linearly"),
        (lambda x, y: dt.entropy(np.round(x), "kl"), "rows are listed more than once"),
    ],
)  # fmt: skip
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call(*pair(30, 0.5, columns=2))


def normal(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-20, 7.0, 1e20, 1e200])
@pytest.mark.parametrize("method", ["ksg", "mixed", "wkl", "gaussian"])
def test_units_of_measurement_do_not_matter(method, scale):
    x, y = pair(600, 0.7, columns=2)
    first = dt.mutual_information(x, y, method)
    for a, b in ((x * scale, y), (x, y * scale), (x * [scale, 1], y)):
        got = dt.mutual_information(a, b, method)
        near = 1e-9 if scale > 1e-300 else 2e-2  # the smallest numbers have few digits
        assert [got.value, got.low, got.high] == pytest.approx([first.value, first.low, first.high], abs=near)
    if scale > 1e-300:
        got = dt.conditional_mutual_information(
            x * scale, y, x + y[:, ::-1], method="gaussian" if method == "gaussian" else "ksg"
        )
        assert got.value == pytest.approx(
            dt.conditional_mutual_information(
                x, y, (x + y[:, ::-1]) * scale, method="gaussian" if method == "gaussian" else "ksg"
            ).value,
            abs=1e-9,
        )


@pytest.mark.parametrize("scale", [1e-200, 1e-20, 7.0, 1e20, 1e200])
@pytest.mark.parametrize("method", ["kl", "gaussian"])
def test_entropy_is_in_the_units_of_its_columns(method, scale):
    x = normal(500, 2)
    first, log = dt.entropy(x, method).value, np.log2(scale)
    assert dt.entropy(x * scale, method).value == pytest.approx(first + 2 * log, abs=1e-9)
    assert dt.entropy(x[:, 0] * scale, method).value == pytest.approx(dt.entropy(x[:, 0], method).value + log, abs=1e-9)
    assert dt.entropy(x * [1, scale], method).value == pytest.approx(first + log, abs=0.05)


@pytest.mark.parametrize("offset", [1e3, 1e8, -1e8])
def test_an_offset_does_not_matter(offset):
    """float64 has seven digits left of numbers of order 1 beside 1e8."""
    x, y = pair(600, 0.7)
    for method in ("ksg", "mixed", "wkl", "gaussian"):
        first = dt.mutual_information(x, y, method).value
        assert dt.mutual_information(x + offset, y, method).value == pytest.approx(first, abs=1e-3)


@pytest.mark.parametrize("far", [50.0, 1e5, 1e300])
@pytest.mark.parametrize("method", ["ksg", "mixed", "wkl"])
def test_one_outlier_hides_nothing(method, far):
    x, y = pair(2000, np.sqrt(0.5), seed=1)
    first = dt.mutual_information(x, y, method).value
    got = dt.mutual_information(np.vstack([x, [[far]]]), np.vstack([y, [[0]]]), method).value
    assert got == pytest.approx(first, abs=0.08)
    label = (y[:, 0] > 0).astype(int)
    first = dt.mutual_information(x, label, "labels").value
    assert dt.mutual_information(np.vstack([x, [[far]]]), np.r_[label, 0], "labels").value == pytest.approx(
        first, abs=0.02
    )


@pytest.mark.parametrize(("n", "columns"), [(300, 1), (2000, 2)])
def test_repeated_columns_add_nothing_and_copies_are_infinite(n, columns):
    u, v = pair(n, 0.7, columns=columns)
    for method in ("ksg", "wkl", "mixed"):
        once = dt.mutual_information(u, v, method)
        twice = dt.mutual_information(np.c_[u, 3 * u - 1], v, method)
        assert twice.value == pytest.approx(once.value, abs=1e-9)
        for copy in (u, -2 * u + 5, np.c_[v, u[:, :1]]):
            got = dt.mutual_information(u, copy, method)
            assert "infinite" in " ".join(got.notes)
            assert method != "wkl" or got.value == np.inf
        layer = np.maximum(u, 0)
        assert "infinite" in " ".join(dt.mutual_information(layer, layer, method).notes)
    assert dt.mutual_information(u, u, "gaussian").value == np.inf
    assert "infinite" in " ".join(dt.mutual_information(u, 2 * u, "gaussian").notes)
    cube = dt.mutual_information(u, u**3, "ksg")
    assert "rises by" in " ".join(cube.notes) or "near the largest" in " ".join(cube.notes)
    whole = np.random.default_rng(0).integers(0, 4, n).astype(float)
    same = dt.mutual_information(whole, whole, "ksg")  # of integers it is the entropy
    assert same.value == pytest.approx(2, abs=0.05)
    assert same.notes == ()


def test_entropy_without_a_density_is_minus_infinity():
    u = normal(1000, 1)
    for x in (np.c_[u, u], np.c_[u, 1 - 1e-200 * u], np.c_[u, np.ones(1000)], np.full(1000, 0.1)):
        got = dt.entropy(x, "kl")
        assert got.value == got.low == got.high == -np.inf
        assert "minus infinity" in got.notes[0]
    assert "surface of fewer dimensions" in dt.entropy(np.c_[u, u**2], "kl").notes[0]
    assert "no density" in " ".join(dt.entropy(np.c_[np.maximum(normal(1000, 2), 0), normal(1000, 1, 1)], "kl").notes)
    assert dt.entropy(normal(1000, 3), "kl").notes == ()


def test_columns_of_other_units_are_standardized_or_said():
    x = normal(1000, 2)
    assert "columns standardized" in dt.entropy(x * [1, 1e6], "kl").method
    plain = dt.entropy(x, "kl", standardize=True).value
    assert dt.entropy(x * [1, 1e6], "kl").value == pytest.approx(plain + np.log2(1e6), abs=1e-9)
    raw = dt.mutual_information(x * 1e9, x + normal(1000, 2, 1), "ksg", standardize=False)
    assert "units differ" in raw.notes[0]


@pytest.mark.parametrize(("n", "dx", "dy"), [(300, 250, 40), (60, 20, 20), (500, 5, 50)])
def test_gaussian_on_nearly_as_many_columns_as_samples(n, dx, dy):
    """The bias is exact for Gaussian samples: digammas of the Wishart determinant."""
    found = [dt.mutual_information(normal(n, dx, s), normal(n, dy, 1000 + s), "gaussian") for s in range(12)]
    assert sum(f.low <= 0 <= f.high for f in found) >= 9
    values = [f.value for f in found]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(12)
    assert "taken off" in found[0].method
    plain = dt.mutual_information(normal(n, dx), normal(n, dy), "gaussian", correct=False)
    assert plain.value > dx * dy / (2 * n * LN2)


def test_gaussian_with_dependence_and_its_entropy_are_unbiased():
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((12, 12))
    cov = mix @ mix.T + np.eye(12)
    log = lambda c: np.linalg.slogdet(c)[1] / LN2 / 2  # noqa: E731
    truth = log(cov[:5, :5]) + log(cov[5:, 5:]) - log(cov)
    entropy = log(cov) + 6 * np.log2(2 * np.pi * np.e)
    values, entropies = [], []
    for _ in range(200):
        z = rng.multivariate_normal(np.zeros(12), cov, 40)
        values.append(dt.mutual_information(z[:, :5], z[:, 5:], "gaussian", correct=True).value)
        entropies.append(dt.entropy(z, "gaussian", correct=True).value)
    for found, exact in ((values, truth), (entropies, entropy)):
        assert abs(np.mean(found) - exact) < 4 * np.std(found) / np.sqrt(200)


@pytest.mark.parametrize(("n", "kx", "ky"), [(200, 2, 3), (1000, 6, 6), (1000, 10, 20), (300, 30, 30)])
def test_plug_in_intervals_hold_no_information(n, kx, ky):
    """Counts at independence are chi-squared / 2n above 0; 60 draws of 95 % miss 9 or more about once in 1,000."""
    held = {False: 0, True: 0}
    for seed in range(60):
        rng = np.random.default_rng([n, kx, seed])
        x, y = rng.integers(0, kx, n), rng.integers(0, ky, n)
        for correct in held:
            got = dt.mutual_information(x, y, "plugin", correct=correct)
            held[correct] += got.low <= 0 <= got.high
    assert min(held.values()) >= 52


def test_plug_in_of_any_whole_numbers_is_the_same():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 7, 900), rng.integers(0, 5, 900)
    first = dt.mutual_information(x, y, "plugin").value
    slow = oracle_entropy(x) + oracle_entropy(y) - oracle_entropy(list(zip(x, y)))
    assert first == pytest.approx(slow, abs=1e-12)
    codes = rng.permutation(7)
    for other in (
        codes[x],
        x * 10**15 - 3,
        x.astype(np.uint8),
        x.astype(float) * 1e300,
        x * 2**60 - 2**62,
        x.astype(np.uint64) + 2**63,
        np.stack([x, x % 2], 1),
        np.stack([x % 2, x // 2, 0 * x], 1),
        x.astype(str),
        np.stack([x * 10**12] * 6, 1),
    ):
        assert dt.mutual_information(other, y, "plugin").value == pytest.approx(first, abs=1e-12)
    copy = dt.mutual_information(x, x, "plugin", correct=True)
    assert copy.value == pytest.approx(
        dt.entropy(x, correct=True).value, abs=1e-12
    )  # cells that cannot be seen are no bias
