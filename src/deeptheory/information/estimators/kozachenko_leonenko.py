"""Kozachenko-Leonenko: differential entropy from nearest-neighbor distances, plain and weighted over several neighbors.

Sources: Kozachenko & Leonenko 1987; Berrett, Samworth & Yuan 2019 for the weights, which cancel the leading orders of
the bias from four dimensions on; Butakov et al. 2024 take I(X;Y) = h(X) + h(Y) - h(X, Y) of compressed variables from
it.
Pitfalls: an entropy that is the difference of three estimates has the noise of all three. Samples without a density
(values that repeat, columns that are functions of others) have the entropy minus infinity: linear ones are
found, for others the value is seen to fall with n, which becomes a note.
"""

import math
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information.estimators.columns import check_numbers, comparable, dependent
from deeptheory.information.estimators.limits import BIAS_WITHIN, INFINITE, bias_within, impossible, infinite, nothing
from deeptheory.information.estimators.neighbors import nearest
from deeptheory.information.estimators.samples import (
    ROWS_PER_NEIGHBOR,
    as_samples,
    batch_interval,
    check_k,
    constant,
    many_neighbors,
    moderate,
)
from deeptheory.information.spread import null_half

_UNEQUAL = 10  # ratio of columns' standard deviations from which distances see ever less of the smaller
_NULL_DRAWS, _NULL_ROWS = 24, 1_000  # permutations of y behind the least width of an interval


def kozachenko_leonenko(
    x: Any, *, k: int = 3, weighted: bool = False, standardize: bool | None = None, seed: int = 0
) -> Estimate:
    """Differential entropy of x [n, d] in bits, in the units of x. weighted: neighbors 1..k with Berrett, Samworth &
    Yuan's weights (the same as the kth alone below four dimensions). standardize: distances between columns of standard
    deviation 1 (the value is in the units of x all the same); None: where columns' deviations differ by more than a
    factor of 10 (600 samples of two normals whose units differ by 300 give half a bit too much, by 900 one and a half).

    A constant column, or one that is a linear function of others, makes it minus infinity, with a note.
    InputError: k outside 1..n-1 or too few for the weights, rows that repeat, NaN.
    """
    check_numbers("'kl'", x=x)
    (a,) = as_samples(x=x)
    n = len(a)
    check_k(k, n)
    weights = _weights(k, a.shape[1]) if weighted else _last(k)
    name = f"{'weighted ' if weighted else ''}Kozachenko-Leonenko, k = {k}"
    still = constant(a)
    if still.any():
        return _no_density(name, f"column {int(still.argmax())} of x is constant")
    slave = dependent(np.ascontiguousarray(moderate(a).T))
    if slave.any():
        return _no_density(name, f"column {int(slave.argmax())} of x is a linear function of the columns before it")
    columns, units, said = in_scale(a, standardize)
    name += said
    value, parts = _entropy(columns, weights), []

    def estimate(rows) -> float:
        parts.append(_entropy(np.ascontiguousarray(columns[:, rows]), weights))
        return parts[-1] + units

    low, high = batch_interval(value + units, estimate, n, seed=seed, least=k + 1)
    notes = _falling([value], [parts], [a.shape[1]]) + _repeats(a) + many_neighbors(k, n, k + 1)
    return Estimate(value=value + units, low=low, high=high, method=name, notes=notes)


def in_scale(a: np.ndarray, standardize: bool | None) -> tuple[np.ndarray, float, str]:
    """[n, d] -> columns [d, n] float64 between which distances are taken, the bits that this scale hides, and what to
    say of it."""
    columns = np.ascontiguousarray(a.T, dtype=np.float64)
    exponent = np.frexp(np.abs(columns).max(1))[1]  # by powers of two, exactly, so that squares stay in float64
    z = np.ldexp(columns, -exponent[:, None])
    z -= z.mean(1, keepdims=True)
    spread = z.std(1)
    logs = np.log2(spread) + exponent
    if standardize or (standardize is None and logs.max() - logs.min() > math.log2(_UNEQUAL)):
        return z / spread[:, None], float(logs.sum()), ", columns standardized"
    if np.abs(exponent).max() > 300:
        top = int(exponent.max())
        return np.ldexp(columns, -top), float(top * len(exponent)), ""
    return columns, 0.0, ""


def entropies_information(
    x: Any, y: Any, *, k: int = 3, standardize: bool = True, seed: int = 0, spread: bool = True
) -> Estimate:
    """I(X;Y) = h(X) + h(Y) - h(X, Y) in bits, each from the kth neighbor in its own space (unweighted).

    x: [n, dx]; y: [n, dy] or [n]. Options and InputError: as for `weighted_information`. The distances of the three
    differ in scale, so their biases do not cancel as KSG's do."""
    return _by_entropies(x, y, k, standardize, seed, spread, weighted=False)


def weighted_information(
    x: Any, y: Any, *, k: int = 5, standardize: bool = True, seed: int = 0, spread: bool = True
) -> Estimate:
    """I(X;Y) = h(X) + h(Y) - h(X, Y) in bits, each by the weighted estimator (Butakov et al. 2024 use k = 5).

    standardize: columns to one scale, which information does not see and distances do. Columns that are constant, or
    linear functions of others of their variable, add no information and are left out; where a column of y is one of
    x, the information is infinite. spread: the interval reaches at least as far as y permuted lies from 0, from 24
    permutations of up to 1,000 rows; False: ten batches alone, which understate it. InputError: as for
    `kozachenko_leonenko`; a value that repeats in over one per cent of the rows (zeros of ReLU layers, rounded
    numbers), since entropies have no density there."""
    return _by_entropies(x, y, k, standardize, seed, spread, weighted=True)


def _by_entropies(x: Any, y: Any, k: int, standardize: bool, seed: int, spread: bool, *, weighted: bool) -> Estimate:
    check_numbers("'wkl'" if weighted else "'kl'", x=x, y=y)
    a, b = as_samples(x=x, y=y)
    n = len(a)
    check_k(k, n)
    columns = comparable(standardize, seed, x=a, y=b)
    method = f"{'weighted ' if weighted else ''}Kozachenko-Leonenko, k = {k}"
    if columns.empty:
        return nothing(method, columns.notes)
    first, notes = columns.plain, columns.notes
    kept = [~dependent(v) for v in first]
    for name, keep in zip("xy", kept):
        if not keep.all():
            notes += (f"columns of {name} that are linear functions of others are left out: {(~keep).sum()}",)
    if infinite(*first):
        return Estimate(value=math.inf, low=math.inf, high=math.inf, method=method, notes=(*notes, INFINITE))
    check_density(x=a, y=b)
    sizes = [int(keep.sum()) for keep in kept]
    weights = [_weights(k, d) if weighted else _last(k) for d in (*sizes, sum(sizes))]
    parts: list[list[float]] = [[], [], []]

    def three(pair) -> list[float]:
        one, two = (v[keep] for v, keep in zip(pair, kept))
        return [_entropy(v, w) for v, w in zip((one, two, np.concatenate([one, two])), weights)]

    def estimate(rows) -> float:
        h = three([np.ascontiguousarray(v[:, rows]) for v in first])
        for seen, value in zip(parts, h):
            seen.append(value)
        return h[0] + h[1] - h[2]

    whole = three(first)
    value = whole[0] + whole[1] - whole[2]
    least = ROWS_PER_NEIGHBOR * k
    low, high = batch_interval(value, estimate, n, seed=seed, least=least)
    notes += many_neighbors(k, n, least)
    if spread and high > low:

        def of(rows, others=None) -> float:
            pair = [np.ascontiguousarray(v[:, r]) for v, r in zip(first, (rows, rows if others is None else others))]
            one, two, both = three(pair)
            return one + two - both

        half = max((high - low) / 2, null_half(of, n, seed, _NULL_ROWS, _NULL_DRAWS, biased=True))
        low, high = value - half, value + half
    of_a_tenth = [one + two - both for one, two, both in zip(*parts)]
    if weighted and bias_within(value, high - value, of_a_tenth, sum(sizes)):
        method += f", {BIAS_WITHIN}"
    notes += _falling(whole, parts, [*sizes, sum(sizes)])
    return Estimate(value=value, low=low, high=high, method=method, notes=notes + impossible(value, x=a, y=b))


def check_density(**variables: np.ndarray) -> None:
    """InputError: a value that repeats in over one per cent of the rows of a column [n, d]."""
    for name, a in variables.items():
        for u, column in enumerate(a.T):
            values, counts = np.unique(column, return_counts=True)
            if len(values) > 1 and counts.max() > max(0.01 * len(a), 2):
                raise InputError(
                    f"{counts.max()} of {len(a)} values in column {u} of {name} are {values[counts.argmax()]:g}: "
                    "entropies have no density there; use 'ksg', 'labels' or 'mixed', which break ties, "
                    "or add noise as wide as the rounding"
                )


def _no_density(method: str, why: str) -> Estimate:
    note = f"{why}: there is no density, and the differential entropy is minus infinity"
    return Estimate(value=-math.inf, low=-math.inf, high=-math.inf, method=method, direction="exact", notes=(note,))


def _falling(whole: list[float], parts: list[list[float]], sizes: list[int]) -> tuple[str, ...]:
    """A note where an entropy falls by more than a bit from a tenth of the samples to all: near a surface of m of d
    dimensions by (d / m - 1) log2(10) bits, with a density by what its bias changes
    (under .8 bit for Student's t2 in ten)."""
    for value, seen, d in zip(whole, parts, sizes):
        if seen and d > 1 and np.mean(seen) - value > 1:
            return (
                f"the entropy of {d} columns falls by {np.mean(seen) - value:.2g} bits from a tenth of the samples to "
                "all: too few samples for so many columns, or they lie near a surface of fewer dimensions, "
                "where it has no finite value",
            )
    return ()


def _repeats(a: np.ndarray) -> tuple[str, ...]:
    a = a[:: max(1, len(a) // 1000)]  # a value of its own probability is seen among a thousand rows as well
    often = [1 - len(np.unique(column)) / len(a) for column in a.T] if a.shape[1] > 1 else [0.0]
    if max(often) < 0.05:
        return ()
    at = int(np.argmax(often))
    return (
        f"{often[at]:.0%} of the values in column {at} are listed before: where a value has a probability of its own "
        "there is no density, and the differential entropy is minus infinity",
    )


def _entropy(x: np.ndarray, weights: np.ndarray) -> float:
    """x: [d, n]; 1/n sum_i sum_j w_j log(rho_ij^d V_d (n - 1) e^-psi(j)), in bits."""
    from scipy.special import digamma, gammaln

    d, n = x.shape
    used = np.flatnonzero(weights)
    rho = nearest(x, len(weights), euclidean=True)[:, used]
    if (rho == 0).any():
        again = n - len(np.unique(x, axis=1).T)
        raise InputError(
            f"{again} of {n} rows are listed more than once, and the differential entropy has no estimate from "
            "distances of 0; rounded numbers: add noise as wide as the rounding (x + step * rng.uniform(-0.5, 0.5, "
            "x.shape)); discrete ones: 'plugin'"
        )
    volume = d / 2 * math.log(math.pi) - gammaln(d / 2 + 1)
    logs = d * np.log(rho).mean(0) + volume + math.log(n - 1) - digamma(used + 1)
    return float((weights[used] * logs).sum() / math.log(2))


def _last(k: int) -> np.ndarray:
    weights = np.zeros(k)
    weights[-1] = 1
    return weights


def _weights(k: int, d: int) -> np.ndarray:
    """Least-norm weights on neighbors floor(k i / d), i = 1..d, that sum to 1 and cancel the orders
    l = 1..floor(d / 4): sum_j w_j Gamma(j + 2 l / d) / Gamma(j) = 0 (Berrett, Samworth & Yuan 2019, eq. 2)."""
    from scipy.special import gammaln

    orders = d // 4
    if orders == 0:
        return _last(k)
    support = sorted({max(1, k * i // d) for i in range(1, d + 1)})
    if len(support) < orders + 1:
        raise InputError(f"k is {k} in {d} dimensions; the weights need at least {orders + 1} different neighbors")
    j = np.array(support, dtype=np.float64)
    rows = [np.ones(len(j))] + [np.exp(gammaln(j + 2 * o / d) - gammaln(j)) for o in range(1, orders + 1)]
    wanted = np.zeros(orders + 1)
    wanted[0] = 1
    weights = np.zeros(k)
    weights[np.array(support) - 1] = np.linalg.lstsq(np.array(rows), wanted, rcond=None)[0]
    return weights
