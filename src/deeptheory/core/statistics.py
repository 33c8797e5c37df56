"""Intervals, p-values and nulls: the only place where the package has them.

Sources: Student 1908 (means); Clopper & Pearson 1934 (proportions); Fieller 1954 (ratios); Efron 1987 (BCa bootstrap);
Bonett & Wright 2000 (rank correlation); Benjamini & Hochberg 1995; Holm 1979; Sokal 1997 (integrated autocorrelation
time); Holmes & Nemenman 2019 (intervals from disjoint batches). Permutation nulls: nulls.py.
Pitfall: the bootstrap of n = 4 to 8 values covers 75 to 87 % where 95 % is nominal, so means go by Student. How often
each interval holds the truth is measured by docs/make_coverage.py.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from itertools import permutations as every_order
from typing import Any

import numpy as np

from deeptheory.core import statistics_inputs as _inputs
from deeptheory.core.errors import InputError
from deeptheory.core.nulls import permutation_p as permutation_p
from deeptheory.core.nulls import permutations as permutations
from deeptheory.core.shapes import axis_of as _axis_of
from deeptheory.core.shapes import check_real as _check_real
from deeptheory.core.shapes import check_whole as _check_whole
from deeptheory.core.shapes import codes_of as codes_of
from deeptheory.core.shapes import finite_floats as _finite_floats

LEVEL = 0.95
LEAST_FOR_MEDIAN = 6  # with 5 values no pair of order statistics holds the median in 95 %
LEAST_FOR_RANKS = 5
_EXACT_RANKS = 7  # 5,040 orders
_DRAWS = 9_999
_NUMBERS_AT_ONCE = 10_000_000  # 80 MB of shuffled ranks
BATCHES = 10
_OfRows = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Interval:
    """value and its interval [low, high], at LEVEL (.95) unless asked for another.

    low and high are NaN where no interval of that level exists, infinite where it is unbounded. n: independent units
    that it is made of; missing: units left out, whose value is NaN. method: how it was made, or why there is none.
    """

    value: float
    low: float
    high: float
    _: KW_ONLY
    n: int
    method: str
    missing: int = 0


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's rho, from -1 to 1 (ties by mid-ranks), its interval [low, high], two-sided permutation p; n: pairs.

    value and p are NaN where either side does not vary; low and high are NaN there and below n = 5.
    """

    value: float
    low: float
    high: float
    _: KW_ONLY
    p: float
    n: int


def _interval(value: float, low: float, high: float, n: int, method: str, missing: int = 0) -> Interval:
    return Interval(value, low, high, n=n, method=method, missing=missing)


def mean_interval(values: Any, level: float = LEVEL) -> Interval:
    """Mean of independent values [n] and Student's interval, mean +- t s / sqrt(n). Source: Student 1908.

    NaN, masked and missing values are left out and counted in `missing`. No value at all: all three are NaN; n = 1, or
    an infinite value: no interval (NaN); all values the same: low = value = high. level: between 0 and 1.
    InputError: not [n], no numbers, a level outside (0, 1).
    """
    _inputs.check_level(level)
    x, missing = _inputs.present(values)
    if not len(x):
        return _interval(math.nan, math.nan, math.nan, 0, "no value", missing)
    value = _mean(x)
    if (x == x[0]).all() and len(x) > 1 and np.isfinite(x[0]):
        return _interval(float(x[0]), float(x[0]), float(x[0]), len(x), "every unit gave the same", missing)
    if len(x) < 2 or not np.isfinite(x).all():
        why = "one unit has no interval" if len(x) < 2 else "infinite values have no interval"
        return _interval(value, math.nan, math.nan, len(x), why, missing)
    half = _student(level, len(x) - 1) * _standard_error(x)
    return _interval(value, value - half, value + half, len(x), "Student", missing)


def geometric_mean_interval(values: Any, level: float = LEVEL) -> Interval:
    """Geometric mean of positive values [n] and Student's interval of the logarithms, both back on the values' scale.

    NaN, none, one, infinite and equal values: as in mean_interval. InputError: as there, and a value <= 0.
    """
    x, missing = _inputs.present(values)
    if len(x) and x.min() <= 0:
        raise InputError(f"the smallest value is {x.min():g}; the log scale needs values above 0")
    found = mean_interval(np.log(x), level)
    value, low, high = (float(np.exp(v)) for v in (found.value, found.low, found.high))
    return _interval(value, low, high, found.n, f"{found.method} on the log scale", missing)


def median_interval(values: Any, level: float = LEVEL) -> Interval:
    """Median of independent values [n] and the narrowest symmetric pair of order statistics that holds it.

    That is [x_(k), x_(n+1-k)] with the largest k for which P(Binomial(n, 1/2) < k) <= (1 - level) / 2, so that it holds
    the median with probability `level` or more. NaN, masked and missing values are left out and counted; infinite ones
    are values like others. n below 6, or too small for that level: no interval (NaN). No value at all: NaN.
    InputError: not [n], a level outside (0, 1).
    """
    from scipy.stats import binom

    _inputs.check_level(level)
    x, missing = _inputs.present(values)
    x, n = np.sort(x), len(x)
    if not n:
        return _interval(math.nan, math.nan, math.nan, 0, "no value", missing)
    value = _mean(x[[(n - 1) // 2, n // 2]])
    k = int(binom.ppf((1 - level) / 2, n, 0.5))  # P(B <= k - 1) <= (1 - level) / 2
    while k > 0 and binom.cdf(k - 1, n, 0.5) > (1 - level) / 2:
        k -= 1
    if n < LEAST_FOR_MEDIAN or k < 1:
        return _interval(value, math.nan, math.nan, n, f"a median of {n} has no interval", missing)
    return _interval(value, float(x[k - 1]), float(x[n - k]), n, "order statistics", missing)


def proportion_interval(k: int, n: int, level: float = LEVEL) -> Interval:
    """The proportion k / n of n independent trials and its exact interval (Clopper & Pearson 1934).

    low is 0 at k = 0, high is 1 at k = n. InputError: k or n no integer, not 0 <= k <= n with n of at least 1, a level
    outside (0, 1).
    """
    from scipy.stats import beta

    _inputs.check_level(level)
    _check_whole(k=(k, None), n=(n, None))
    if not (0 <= k <= n and n >= 1):
        raise InputError(f"k is {k} and n is {n}; needed: 0 <= k <= n, n of at least 1")
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return _interval(k / n, low, high, int(n), "Clopper-Pearson")


def ratio_interval(a: Any, b: Any, level: float = LEVEL) -> Interval:
    """mean(a) / mean(b) of paired values a, b [n], and Fieller's interval (Fieller 1954).

    Unbounded (-inf, inf) where mean(b) is not significantly different from 0 at 1 - level: the set then is no interval.
    A pair with NaN is left out and counted. value is NaN where mean(b) is 0. One pair: no interval (NaN); no pair, or
    an infinite value: all NaN; one ratio in all pairs: low = value = high. InputError: a and b of other shapes or
    lengths, or with the same row labels (pandas) in another order; a level outside (0, 1).
    """
    _inputs.check_level(level)
    a, b = _inputs.columns_of(a=a, b=b)
    there = ~(np.isnan(a) | np.isnan(b))
    missing, a, b, n = int((~there).sum()), a[there], b[there], int(there.sum())
    if n == 0 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return _interval(math.nan, math.nan, math.nan, n, "no finite pair" if n == 0 else "infinite values", missing)
    size_a, size_b = float(np.abs(a).max()) or 1.0, float(np.abs(b).max()) or 1.0
    a, b = a / size_a, b / size_b  # squares of 1e-200 are 0, of 1e200 infinite
    unit = size_a / size_b
    ma, mb = float(a.mean()), float(b.mean())
    value = ma / mb * unit if mb else math.nan
    if n < 2:
        return _interval(value, math.nan, math.nan, n, "one unit has no interval", missing)
    if mb and np.ptp(a / b if b.all() else a - ma / mb * b) == 0:
        return _interval(value, value, value, n, "every unit gave the same", missing)
    t2 = _student(level, n - 1) ** 2
    (vaa, vab), (_, vbb) = np.cov(a, b) / n
    lead = mb**2 - t2 * vbb
    root = (ma * mb - t2 * vab) ** 2 - lead * (ma**2 - t2 * vaa)
    if lead <= 0:
        return _interval(value, -math.inf, math.inf, n, "Fieller, unbounded: the denominator may be 0", missing)
    half = math.sqrt(max(root, 0.0))
    middle = ma * mb - t2 * vab
    low, high = sorted((float((middle - half) / lead) * unit, float((middle + half) / lead) * unit))
    return _interval(value, low, high, n, "Fieller", missing)


def bootstrap_interval(
    statistic: Callable[..., Any], *columns: Any, resamples: int = 9_999, seed: int = 0, level: float = LEVEL
) -> Interval:
    """statistic(*columns, axis=-1) of n units and its BCa bootstrap interval (Efron 1987), for what has no other.

    columns: one or more [n], whose rows are redrawn together; statistic takes them as float64 [..., n] and reduces the
    last axis. resamples: 1 or more. A row with NaN is left out and counted. Below n = 20 (too narrow), with an infinite
    value or where BCa is degenerate: no interval (NaN). The interval is widened to hold the value.
    InputError: no column, columns of other shapes or lengths, or with the same row labels (pandas) in another order; a
    level outside (0, 1), resamples below 1.
    """
    from scipy.stats import bootstrap

    _inputs.check_level(level)
    _check_whole(resamples=(resamples, 1), seed=(seed, 0))
    arrays = _inputs.columns_of(**{f"column {k}": c for k, c in enumerate(columns)})
    there = ~np.any([np.isnan(c) for c in arrays], axis=0)
    missing, arrays = int((~there).sum()), [c[there] for c in arrays]
    n = len(arrays[0])
    value = float(statistic(*arrays, axis=-1)) if n else math.nan
    if n < 20 or not all(np.isfinite(c).all() for c in arrays):
        why = f"a bootstrap of {n} is too narrow to be one" if n < 20 else "infinite values have no interval"
        return _interval(value, math.nan, math.nan, n, why, missing)
    if all((c == c[0]).all() for c in arrays):
        return _interval(value, value, value, n, "every unit gave the same", missing)
    options: dict[str, Any] = {"paired": True, "vectorized": True, "n_resamples": resamples, "confidence_level": level}
    options["rng"] = np.random.default_rng(seed)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a degenerate BCa warns and gives NaN, which is seen below
        found = bootstrap(arrays, statistic, method="BCa", **options)
    low, high = (float(v) for v in found.confidence_interval)
    return _interval(value, min(low, value), max(high, value), n, f"BCa bootstrap, {resamples} resamples", missing)


def spearman(x: Any, y: Any) -> float:
    """Spearman's rho of pairs x, y [n], from -1 to 1: ties get mid-ranks, infinite values rank highest or lowest.

    NaN where a value is NaN, one side does not vary, or n is below 2. For an interval and p: rank_correlation.
    InputError: other shapes or lengths, or the same row labels (pandas) in another order.
    """
    from scipy.stats import rankdata

    x, y = _inputs.columns_of(x=x, y=y)
    if len(x) < 2 or np.isnan(x).any() or np.isnan(y).any():
        return math.nan
    a, b = rankdata(x) - (len(x) + 1) / 2, rankdata(y) - (len(y) + 1) / 2
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return float(np.clip(a @ b / norm, -1, 1)) if norm else math.nan


def rank_correlation(x: Any, y: Any, *, level: float = LEVEL, seed: int = 0) -> RankCorrelation:
    """Spearman's rank correlation of pairs x, y [n]: ties get mid-ranks; infinite values rank highest or lowest.

    Interval: Fisher's z with the variance (1 + rho^2 / 2) / (n - 3) (Bonett & Wright 2000) and Student's quantile;
    NaN below n = 5. p, two-sided: all orders up to n = 7, beyond it 9,999 drawn by seed. All NaN where one side does
    not vary. InputError: other shapes or lengths, NaN, the same row labels (pandas) in another order, a level outside
    (0, 1), seed below 0.
    """
    from scipy.stats import rankdata

    _inputs.check_level(level)
    _check_whole(seed=(seed, 0))
    x, y = _inputs.columns_of(x=x, y=y)
    if np.isnan(x).any() or np.isnan(y).any():
        raise InputError("a rank correlation of NaN is none; leave those pairs out")
    n, nan, value = len(x), math.nan, spearman(x, y)
    if math.isnan(value):
        return RankCorrelation(nan, nan, nan, p=nan, n=n)
    a, b = rankdata(x) - (n + 1) / 2, rankdata(y) - (n + 1) / 2
    norm = math.sqrt(float(a @ a) * float(b @ b))
    if n <= _EXACT_RANKS:
        null = np.array(list(every_order(b))) @ a / norm
        p = float((np.abs(null) >= abs(value) - 1e-12).mean())
    else:
        rng = np.random.default_rng([seed, n, 5])
        rows = max(1, _NUMBERS_AT_ONCE // n)
        drawn = [min(rows, _DRAWS - first) for first in range(0, _DRAWS, rows)]
        null = np.concatenate([np.stack([rng.permutation(b) for _ in range(k)]) @ a for k in drawn]) / norm
        p = float(permutation_p(abs(value) - 1e-12, np.abs(null)))
    if n < LEAST_FOR_RANKS:
        return RankCorrelation(value, nan, nan, p=p, n=n)
    z = math.atanh(np.clip(value, -1 + 1 / (2 * n**2), 1 - 1 / (2 * n**2)))
    half = _student(level, n - 2) * math.sqrt((1 + value**2 / 2) / (n - 3))
    return RankCorrelation(value, min(math.tanh(z - half), value), max(math.tanh(z + half), value), p=p, n=n)


def false_discovery(p: Any, axis: int = 0) -> np.ndarray:
    """Benjamini & Hochberg's adjusted p (1995) along an axis, of p's shape; the other axes are families of their own.

    p: [n, ...]. Rejecting where it is at most q keeps the expected share of false discoveries at q or below for
    independent or positively dependent tests. NaN stays NaN and does not count. InputError: a p outside [0, 1], one
    number alone, or no such axis.
    """
    from scipy.stats import false_discovery_control

    p = _inputs.p_values(p)
    axis = _axis_of(axis, p.ndim)
    p = np.moveaxis(p, axis, -1)
    out = np.full(p.shape, np.nan)
    for at in np.ndindex(p.shape[:-1]):
        there = ~np.isnan(p[at])
        if there.any():
            out[at][there] = false_discovery_control(p[at][there])
    return np.moveaxis(out, -1, axis)


def holm(p: Any) -> np.ndarray:
    """Holm's adjusted p [n] (1979) of p [n]: the chance of any wrong rejection is held under any dependence.

    NaN stays NaN and does not count. InputError: not [n], a p outside [0, 1].
    """
    p = _inputs.p_values(p)
    if p.ndim > 1:
        raise InputError(f"p has shape {list(p.shape)}; needed: [n], one family")
    out = np.full(p.shape, np.nan)
    there = np.flatnonzero(~np.isnan(p))
    order = there[np.argsort(p[there], kind="stable")]
    out[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return out


def autocorrelation_time(x: Any, groups: Any = None) -> float:
    """Integrated autocorrelation time, in rows, of x [n] or [n, ...] in order: 1 for independent rows, never below 1.

    tau = 1 + 2 sum of rho(lag) up to the first lag of at least 5 tau (Sokal 1997), rho of biased sums; the largest over
    columns. n / tau is the effective number of rows. groups [n]: runs, each a series of its own, about the mean of all.
    1 where no run has 4 rows, or nothing varies. InputError: NaN or infinity in x, groups of another length.
    """
    x = _finite_floats("x", x)
    if x.ndim == 0:
        raise InputError(f"x is one number, {x}; needed: [n] or [n, ...], rows in order")
    x = x[:, None] if x.ndim == 1 else x.reshape(len(x), -1)
    x = x[:, (x != x[:1]).any(0)]  # a mean of equal values may be off by a rounding, at all lags alike
    x = x * 2.0 ** -np.maximum(np.frexp(np.abs(x).max(0, initial=0.0))[1], 0)  # sums of 1e308 are infinite
    codes = _inputs.codes_by_row("groups", groups, len(x))
    runs = [x[codes == c] for c in range(codes.max() + 1)] if len(x) else []
    longest = max((len(r) for r in runs), default=0)
    if longest < 4:
        return 1.0
    size = 1 << (2 * longest - 1).bit_length()
    total, pairs = np.zeros((longest, x.shape[1])), np.zeros(longest)
    middle, spread = x.mean(0), np.abs(x - x.mean(0)).max(0)
    for r in runs:
        z = (r - middle) / np.where(spread > 0, spread, 1.0)
        f = np.fft.rfft(z, size, axis=0)
        total[: len(r)] += np.fft.irfft(f * f.conj(), size, axis=0)[: len(r)]
        pairs[: len(r)] += len(r)  # the biased sum: long lags are damped, never blown up
    moving = total[0] > 0
    if not moving.any():
        return 1.0
    rho = total[:, moving] / total[0, moving]
    times = 2 * np.cumsum(rho, axis=0) - 1  # [lag, d]
    inside = np.arange(longest)[:, None] >= 5 * times
    first = np.where(inside.any(0), inside.argmax(0), longest - 1)
    return float(max(1.0, times[first, np.arange(times.shape[1])].max()))


def batch_interval(
    value: float, estimate: _OfRows, n: int, *, seed: int = 0, groups: Any = None, block: int | None = None
) -> tuple[float, float]:
    """(low, high) at LEVEL about value, from 10 disjoint batches of n rows (Holmes & Nemenman 2019).

    value +- t_9 s / sqrt(10), s the deviation over batches of estimate(row numbers [m], int64) -> a number: of variance
    B / n, it has 10 B / n in a tenth of the data. Sampling error only; a bias common to all batches drops out. Batches
    are of single rows, drawn by seed and n; with groups [n] of whole groups; with block= of stretches of the series.
    (NaN, NaN) where a batch would have under 20 rows, under 2 groups, or under 20 blocks; and where an estimate is NaN.
    InputError: a value that is not finite, groups of another length, n or block below 1.
    """
    _check_whole(n=(n, 1), seed=(seed, 0), **({} if block is None else {"block": (block, 1)}))
    _check_real(value=(value, -math.inf))
    rng = np.random.default_rng([seed, n])
    if groups is not None:
        codes = _inputs.codes_by_row("groups", groups, n)
        wholes = [np.flatnonzero(codes == c) for c in rng.permutation(codes.max() + 1)]
        parts = np.array_split(np.arange(len(wholes)), BATCHES)
        enough = len(wholes) >= 2 * BATCHES and n >= 20 * BATCHES
        pieces = [np.concatenate([wholes[i] for i in part]) for part in parts] if enough else []
    else:
        length = max(1, block or 1)
        order = np.arange(n) if length > 1 else rng.permutation(n)
        pieces = np.array_split(order, BATCHES) if n >= 20 * BATCHES * length else []
    if not pieces:
        return math.nan, math.nan
    values = np.array([estimate(rows) for rows in pieces])
    half = _student(LEVEL, BATCHES - 1) * _standard_error(values)
    return float(value - half), float(value + half)


def _mean(x: np.ndarray) -> float:
    """The mean, also where the sum is beyond the largest double; NaN for infinities of both signs."""
    with np.errstate(invalid="ignore", over="ignore"):
        value = float(x.mean())
        return float((x / len(x)).sum()) if math.isinf(value) and np.isfinite(x).all() else value


def _standard_error(x: np.ndarray) -> float:
    size = float(np.abs(x).max()) or 1.0  # squares of 1e-200 are 0, of 1e200 infinite
    return float((x / size).std(ddof=1)) * size / math.sqrt(len(x))


def _student(level: float, freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, freedom))
