"""How far may a parameter of a discrete Hamiltonian lie, where combinations of levels are rare?

Source: Cornfield 1956 and Gart 1970 (exact limits of an odds ratio common to several 2 x 2 tables); Garwood 1936 (limits of a
Poisson count); Zou & Donner 2008 (limits of a sum from limits of its parts). Given the other spins, two spins have the odds ratio
exp(4 J) whatever their fields: within rows of equal fields the margins can be conditioned on, and only the joint count is left.
Pitfall: s.e. of a pseudo-likelihood are normal only where each joint state was seen some tens of times. A state that never occurs
has no finite estimate: the interval is then one-sided.
"""

import math
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from deeptheory.cheap.hamiltonians.terms import Term

RARE = 30  # a joint count below which a normal interval is not trusted
STRONG = 1.0  # nats: a relation of several columns can determine such a coupling, though no pair's table shows it
_HELD = 0.1  # share of the prior's variance above which the ridge, not the samples, says what theta is
_EXACT_BELOW = 10  # expected joint count; above it the mid-p form, which is not conservative
_CELL = 0.25  # nats of field within which rows count as alike: moves J by at most 0.005
_LARGEST = 20_000  # joint counts of one distribution
_WORK = 2_000_000_000  # rows times pairs
_TAIL = 0.025
_ROUNDING = 1e-13  # of a probability that went through Fourier transforms
_REACH = 1.959963984540054
_ROWS = 65_536


def intervals(
    values: np.ndarray, q: int, orbits: list[list[Term]], theta: np.ndarray, error: np.ndarray, left: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """low, high [P] of 95 %, and the smallest joint count [P], seen or expected, behind each parameter.

    Where all are large: theta -+ 1.96 errors.
    values: [N, n] coded: spins -1 and 1 (q = 2) or levels. theta, error: [P] of the fit, in nats;
    left: [P] share of the prior's variance that the samples left.
    """
    wald = _REACH * np.where(np.isfinite(error), error, np.inf)
    counts = _Counts(values, q)
    tables = [counts.corner(orbit) for orbit in orbits]
    least = np.array([min(t.min(), _expected(t)) for t in tables])
    below, above = wald.copy(), wald.copy()
    pairs_only = q == 2 and all(len(o) == 1 and len(o[0]) <= 2 for o in orbits)
    doubtful = (least < RARE) | (np.abs(theta) > STRONG) | (left > _HELD)
    todo = [k for k in np.flatnonzero(doubtful) if len(orbits[k][0]) == 2]
    strata = _Strata(values, orbits, theta) if pairs_only and todo else None
    if strata is not None and strata.rows * len(todo) > _WORK:
        strata = None
    for k in np.flatnonzero(doubtful):
        found = None
        if strata is not None and len(orbits[k][0]) == 2:
            (i, _), (j, _) = orbits[k][0]
            found = strata.limits(i, j, theta[k], wald[k])
            if found is None:
                continue  # well determined within rows of equal fields
            low, high = found
        elif least[k] < RARE:
            scale = 0.5 ** len(orbits[k][0]) if q == 2 else 1.0
            low, high = _from_counts(tables[k], theta[k], wald[k], scale)
        elif left[k] > _HELD:  # another parameter does the same on these samples
            low, high = -np.inf, np.inf
        else:
            continue
        below[k], above[k] = max(theta[k] - low, 0), max(high - theta[k], 0)
    below, above = _hand_down(values, q, orbits, wald, below, above)
    return theta - below, theta + above, least


class _Counts:
    """How often levels occur together: of two variables from one matrix product, of more by looking."""

    def __init__(self, values: np.ndarray, q: int):
        levels = (-1, 1) if q == 2 else range(q)
        self.q, self.seen = q, [np.ascontiguousarray((values == level).T) for level in levels]  # [n, N] each
        n, rows = self.seen[0].shape
        self.two = np.zeros((q, q, n, n))
        for start in range(0, rows, _ROWS):
            part = [
                own[:, start : start + _ROWS].astype(np.float32) for own in self.seen
            ]  # counts are exact below 2^24
            for a in range(q):
                for b in range(a, q):
                    both = (part[a] @ part[b].T).astype(np.float64)
                    self.two[a, b] += both
                    if a < b:
                        self.two[b, a] += both.T

    def corner(self, orbit: Sequence[Term]) -> np.ndarray:
        """Counts of the joint states that decide a term, [2] * variables, summed over the terms that share it.

        Index 1: the term's own level; 0: the one it is held against, level 0 (spins: -1).
        """
        out = np.zeros((2,) * len(orbit[0]))
        for term in orbit:
            for state in product((0, 1), repeat=len(term)):
                at = [(v, p * s) for (v, p), s in zip(term, state)]
                if len(at) <= 2:
                    (u, a), (v, b) = at[0], at[-1]
                    out[state] += self.two[a, b, u, v]
                else:
                    rows = self.seen[at[0][1]][at[0][0]]
                    for v, level in at[1:]:
                        rows = rows & self.seen[level][v]
                    out[state] += np.count_nonzero(rows)
        return out


def _expected(table: np.ndarray) -> float:
    """The smallest count of that table if its variables were independent."""
    total = max(int(table.sum()), 1)
    out = float(total)
    for axis in range(table.ndim):
        out *= table.sum(axis=tuple(k for k in range(table.ndim) if k != axis)).min() / total
    return out


def _from_counts(table: np.ndarray, theta: float, wald: float, scale: float) -> tuple[float, float]:
    """Limits of scale * sum of +-ln(count), from those of each count as a Poisson number (Garwood; Zou & Donner).

    A fit in which other variables take part knows less than these counts alone: its own reach is widened by what the limits of
    the counts have beyond the normal ones.
    """
    from scipy.special import gammaincinv

    n = table.ravel().astype(float)
    sign = np.array([(-1.0) ** (table.ndim - sum(s)) for s in product((0, 1), repeat=table.ndim)])
    middle = np.log(np.maximum(n, 0.5))
    less = np.where(n > 0, middle - np.log(gammaincinv(np.maximum(n, 1), _TAIL)), np.inf)
    more = np.log(gammaincinv(n + 1, 1 - _TAIL)) - middle
    centre = scale * float(sign @ middle) if (n == 0).any() else theta
    reach = []
    for exact in (np.where(sign > 0, less, more), np.where(sign > 0, more, less)):
        beyond = np.maximum(exact**2 - _REACH**2 / np.maximum(n, 0.5), 0).sum()
        reach.append((scale * math.sqrt((exact**2).sum()), math.sqrt(wald**2 + scale**2 * beyond)))
    return min(centre - reach[0][0], theta - reach[0][1]), max(centre + reach[1][0], theta + reach[1][1])


def _hand_down(values, q, orbits, wald, below, above):
    """A term's parameter holds shares of the terms above it: what those lack, it lacks too.

    With the other variables at their usual level a field is a0 = h + sum_j J_ij v_j, well known; h = a0 - sum_j J_ij v_j.
    """
    more_below = np.where(np.isfinite(below), np.maximum(below**2 - wald**2, 0), np.inf)
    more_above = np.where(np.isfinite(above), np.maximum(above**2 - wald**2, 0), np.inf)
    more_below[~np.isfinite(below)], more_above[~np.isfinite(above)] = np.inf, np.inf
    doubtful = np.flatnonzero((more_below > 0) | (more_above > 0))
    if not len(doubtful):
        return below, above
    usual = [np.unique(column, return_counts=True) for column in values.T]
    usual = np.array([v[np.argmax(c)] for v, c in usual])
    owner = {term: k for k, orbit in enumerate(orbits) for term in orbit}
    low, high = below**2, above**2
    for k in doubtful:
        seen = set()
        for term in orbits[k]:
            for size in range(1, 2 ** len(term) - 1):
                part = tuple(t for b, t in enumerate(term) if size >> b & 1)
                at = owner.get(part)
                if at is None or (at, part) in seen:
                    continue
                seen.add((at, part))
                weight = 1.0
                for v, p in (t for t in term if t not in part):
                    weight *= -(float(usual[v]) if q == 2 else float(usual[v] == p) - 1 / q)
                first, second = (more_below[k], more_above[k]) if weight > 0 else (more_above[k], more_below[k])
                low[at] += weight**2 * first
                high[at] += weight**2 * second
    return np.sqrt(low), np.sqrt(high)


class _Strata:
    """Different rows of spins and how often each occurs, with the fitted field on each spin."""

    def __init__(self, values: np.ndarray, orbits: list[list[Term]], theta: np.ndarray):
        mixed = values.astype(np.int64) @ np.random.default_rng(0).integers(1, 2**40, values.shape[1])
        _, first, count = np.unique(mixed, return_index=True, return_counts=True)
        self.x, self.count, self.rows = values[first].astype(np.int8), count, len(first)
        n = values.shape[1]
        field, self.pair = np.zeros(n), np.zeros((n, n))
        for t, (term,) in zip(theta, orbits):
            if len(term) == 1:
                field[term[0][0]] = t
            else:
                (i, _), (j, _) = term
                self.pair[i, j] = self.pair[j, i] = t
        self.eta = self.x @ self.pair + field

    def limits(self, i: int, j: int, theta: float, wald: float) -> tuple[float, float] | None:
        """Exact limits of J_ij given the margins in rows of like fields; None: all counts there are large."""
        a, b = self.x[:, i].astype(float), self.x[:, j].astype(float)
        cell = [np.floor((self.eta[:, v] - theta * w) / _CELL + 0.5).astype(np.int64) for v, w in ((i, b), (j, a))]
        _, at = np.unique(cell[0] * 2**20 + cell[1], return_inverse=True)
        total, one, two, both = (np.bincount(at, self.count * m) for m in (a * 0 + 1, a > 0, b > 0, (a > 0) & (b > 0)))
        first, last = np.maximum(one + two - total, 0), np.minimum(one, two)
        told = last > first
        total, one, two, both, first, last = (v[told] for v in (total, one, two, both, first, last))
        t, size = int((both - first).sum()), int((last - first).sum())
        expected = float((one * two / np.maximum(total, 1) - first).sum())
        expected = min(expected, size - expected)
        if min(t, size - t, expected) >= RARE:
            return None
        if size > _LARGEST:
            return _from_counts(self._table(a, b), theta, wald, 0.25)
        log = _law([v.astype(np.int64) for v in (total, one, two, first, last)], t)
        return _solved(log, t, exact=expected < _EXACT_BELOW or min(t, size - t) < _EXACT_BELOW / 2)

    def _table(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.array([[int(self.count[(a == s) & (b == r)].sum()) for r in (-1, 1)] for s in (-1, 1)])


def _law(tables: list[np.ndarray], t: int) -> np.ndarray:
    """ln of the ways to reach each joint count 0, 1, ... (less its least), summed over tables with given margins.

    A product of Fourier transforms, in the tilt exp(b k) whose mean is t: what limits need is far above its rounding, and what
    is not is taken as 0.
    """
    from scipy.special import gammaln

    total, one, two, first, last = tables
    if not len(total):
        return np.zeros(1)
    support, groups = last - first, []
    for size in np.unique(np.frexp(support)[1]):  # tables of like size side by side
        at = np.flatnonzero(np.frexp(support)[1] == size)
        k = np.arange(support[at].max() + 1)
        both = np.minimum(first[at, None] + k, last[at, None])
        ways = [both, one[at, None] - both, two[at, None] - both, (total - one - two)[at, None] + both]
        ways = -np.sum([gammaln(w + 1) for w in ways], axis=0)
        groups.append((k, np.where(k <= support[at, None], ways, -np.inf)))

    def tilted(b: float) -> list[tuple[np.ndarray, np.ndarray]]:
        out = []
        for k, ways in groups:
            p = np.exp(ways + b * k - (ways + b * k).max(1, keepdims=True))
            out.append((k, p / p.sum(1, keepdims=True)))
        return out

    whole = int(support.sum())
    aim = min(max(t, 0.5), whole - 0.5)
    b = _root(lambda b: sum(float((p @ k).sum()) for k, p in tilted(b)) - aim, 100, 1e-3)
    length = 1 << (whole + 1).bit_length()
    product_: np.ndarray = np.ones(length // 2 + 1, dtype=complex)
    chunk = max(1, 2_000_000 // length)
    for _, p in tilted(b):
        for start in range(0, len(p), chunk):
            product_ *= np.fft.rfft(p[start : start + chunk], length).prod(0)
    law = np.fft.irfft(product_, length)[: whole + 1]
    with np.errstate(divide="ignore"):
        return np.log(np.where(law > _ROUNDING, law, 0)) - b * np.arange(whole + 1)


def _solved(log: np.ndarray, t: int, exact: bool) -> tuple[float, float]:
    """Limits of J from P(T = k) ~ exp(log_k + 4 J k) and the count t; exact, or mid-p."""
    k = np.arange(len(log))

    def tail(j: float, side: np.ndarray) -> float:
        p = log + 4 * j * k
        p = np.exp(p - p.max())
        return float(p[side].sum() - (0 if exact else 0.5) * p[t]) / float(p.sum()) - _TAIL

    low = -np.inf if t == 0 else _root(lambda j: tail(j, k >= t), 50, 1e-9)
    high = np.inf if t == len(log) - 1 else _root(lambda j: tail(j, k <= t), 50, 1e-9)
    return low, high


def _root(function: Callable[[float], float], reach: float, close: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, -reach, reach, xtol=close))  # type: ignore[arg-type]
