"""How far may a parameter of a discrete Hamiltonian lie, where combinations of levels are rare?

Source: Cornfield 1956 and Gart 1970 (exact limits of an odds ratio common to several 2 x 2 tables); Garwood 1936
(limits of a Poisson count); Zou & Donner 2008 (limits of a sum from limits of its parts). Given the other spins, two
spins have the odds ratio exp(4 J) whatever their fields: within rows of equal fields the margins can be conditioned on,
and only the joint count is left.
Pitfall: s.e. of a pseudo-likelihood are normal only where each joint state was seen some tens of times. A state that
never occurs has no finite estimate: the interval is then one-sided.
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
_MIXING = [int(k) | 1 for k in np.random.default_rng(1).integers(2**20, 2**40, 64)]  # cells of fields to one number


def intervals(
    values: np.ndarray,
    q: int,
    orbits: list[list[Term]],
    theta: np.ndarray,
    error: np.ndarray,
    left: np.ndarray,
    carriers: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """low, high [P] of 95 %, and the smallest joint count [P], seen or expected, behind each parameter.

    Where all are large: theta -+ 1.96 errors. values: [N, n] coded: spins -1 and 1 (q = 2) or levels. theta, error:
    [P] of the fit, in nats; left: [P] share of the prior's variance that the samples left. carriers: [P] how many
    samples carry the error; a pair can be common and its theta rest on three samples, where a third spin follows one
    of the two."""
    wald = _REACH * np.where(np.isfinite(error), error, np.inf)
    counts = _Counts(values, q)
    tables = [counts.corner(orbit) for orbit in orbits]
    least = np.array([min(t.min(), _expected(t)) for t in tables])
    below, above, more = wald.copy(), wald.copy(), {}
    doubtful = (least < RARE) | (np.abs(theta) > STRONG) | (left > _HELD) | (carriers < RARE)
    todo = [k for k in np.flatnonzero(doubtful) if len(orbits[k][0]) > 1]
    strata = _Strata(values, orbits, theta) if q == 2 and todo and all(len(o) == 1 for o in orbits) else None
    if strata is not None and strata.work * len(todo) > _WORK:
        strata = None
    for k in np.flatnonzero(doubtful):
        found = None
        if strata is not None and len(orbits[k][0]) > 1:
            found = strata.limits(tuple(v for v, _ in orbits[k][0]), theta[k], wald[k])
            if found is None:
                continue  # well determined within rows of equal fields
            low, high, own = found
            if own:
                more[k] = own
        elif least[k] < RARE:
            scale = 0.5 ** len(orbits[k][0]) if q == 2 else 1.0
            low, high = _from_counts(tables[k], theta[k], wald[k], scale)
        elif left[k] > _HELD or (
            strata is None and carriers[k] < 1
        ):  # another parameter does the same on these samples
            low, high = -np.inf, np.inf
        elif strata is None and carriers[k] < RARE:
            wide = _beyond_normal(carriers[k])
            low, high = theta[k] - wide * wald[k], theta[k] + wide * wald[k]
        else:
            continue
        below[k], above[k] = max(theta[k] - low, 0), max(high - theta[k], 0)
    below, above = _hand_down(values, q, orbits, wald, below, above, more, carriers)
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

    A fit in which other variables take part knows less than these counts alone: its own reach is widened by what the
    limits of the counts have beyond the normal ones.
    """
    from scipy.special import gammaincinv

    n = table.ravel().astype(float)
    sign = np.array([(-1.0) ** (table.ndim - sum(s)) for s in product((0, 1), repeat=table.ndim)])
    middle = np.log(np.maximum(n, 0.5))
    less = np.where(n > 0, middle - np.log(gammaincinv(np.maximum(n, 1), _TAIL)), np.inf)
    more = np.log(gammaincinv(n + 1, 1 - _TAIL)) - middle
    center = scale * float(sign @ middle) if (n == 0).any() else theta
    reach = []
    for exact in (np.where(sign > 0, less, more), np.where(sign > 0, more, less)):
        beyond = np.maximum(exact**2 - _REACH**2 / np.maximum(n, 0.5), 0).sum()
        reach.append((scale * math.sqrt((exact**2).sum()), math.sqrt(wald**2 + scale**2 * beyond)))
    return min(center - reach[0][0], theta - reach[0][1]), max(center + reach[1][0], theta + reach[1][1])


def _beyond_normal(n: float) -> float:
    """How much farther the limits of ln of a Poisson count n reach than normal ones (Garwood), to the farther side."""
    from scipy.special import gammaincinv

    return float(math.log(n / gammaincinv(n, _TAIL)) / (_REACH / math.sqrt(n)))


def _hand_down(values, q, orbits, wald, below, above, more, carriers):
    """A term's parameter holds shares of the terms above it: what those lack, it lacks too, unless many samples carry
    it.

    With the other variables at their usual level a field is a0 = h + sum_j J_ij v_j, well known;
    h = a0 - sum_j J_ij v_j.
    """
    more_below = np.where(np.isfinite(below), np.maximum(below**2 - wald**2, 0), np.inf)
    more_above = np.where(np.isfinite(above), np.maximum(above**2 - wald**2, 0), np.inf)
    more_below[~np.isfinite(below)], more_above[~np.isfinite(above)] = np.inf, np.inf
    for k, (least, most) in more.items():
        more_below[k], more_above[k] = least, most
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
                if at is None or carriers[at] >= RARE or (at, part) in seen:
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
    """Different rows of spins and how often each occurs, with what the fit says of the fields on them."""

    def __init__(self, values: np.ndarray, orbits: list[list[Term]], theta: np.ndarray):
        mixed = values.astype(np.int64) @ np.random.default_rng(0).integers(1, 2**40, values.shape[1])
        _, first, self.count = np.unique(mixed, return_index=True, return_counts=True)
        self.x = np.ascontiguousarray(values[first].T.astype(np.int8))  # [n, rows]
        self.terms = {tuple(v for v, _ in term): t for t, (term,) in zip(theta, orbits)}
        n, rows = self.x.shape
        self.holders: list[list[tuple[int, ...]]] = [[] for _ in range(n)]
        for term in self.terms:
            for v in term:
                self.holders[v].append(term)
        self.degree = max(map(len, self.terms))
        self.work = rows * (1 if self.degree < 3 else 2 * max(map(len, self.holders)))
        field, self.pair = np.zeros(n), np.zeros((n, n))
        for term, t in self.terms.items() if self.degree < 3 else ():
            self.pair[term[0], term[-1]] = self.pair[term[-1], term[0]] = t
            if len(term) == 1:
                field[term[0]], self.pair[term[0], term[0]] = t, 0.0
        self.eta = self.pair @ self.x + field[:, None]

    def fields(self, chosen: tuple[int, ...]) -> tuple[list[np.ndarray], np.ndarray | None]:
        """What acts on each smaller set of the chosen spins, by row, the chosen ones apart;
        and on all of them together."""
        if self.degree < 3:
            i, j = chosen
            return [self.eta[v] - self.pair[i, j] * self.x[w] for v, w in ((i, j), (j, i))], None
        out: dict[tuple[int, ...], np.ndarray] = {}
        for term in {t for v in chosen for t in self.holders[v]} - {chosen}:
            part = tuple(v for v in term if v in chosen)
            product_ = np.full(self.x.shape[1], self.terms[term])
            for v in term:
                if v not in chosen:
                    product_ *= self.x[v]
            out[part] = out[part] + product_ if part in out else product_
        together = out.pop(chosen, None)
        return list(out.values()), together

    def limits(
        self, chosen: tuple[int, ...], theta: float, wald: float
    ) -> tuple[float, float, tuple[float, float] | None] | None:
        """Limits of the term's theta given all smaller margins in rows of like fields, and the squares of what they
        have beyond a normal interval on either side (None: beyond wald); None: all counts there are large.

        Exact where no larger term holds these spins; else those terms are taken as fitted, and the interval is the
        normal one widened by what exact limits have beyond normal ones.
        """
        acting, together = self.fields(chosen)
        at = np.zeros(self.x.shape[1], dtype=np.int64)
        fields: list[np.ndarray] = acting if together is None else [*acting, together]
        for field, odd in zip(fields, _MIXING):
            at += np.floor(field / _CELL + 0.5).astype(np.int64) * odd
        _, first, at = np.unique(at, return_index=True, return_inverse=True)
        states, m = 1 << len(chosen), len(chosen)
        state = np.sum([(self.x[v] > 0).astype(np.int64) << b for b, v in enumerate(chosen)], axis=0)
        tables = np.bincount(at * states + state, self.count, len(first) * states).reshape(-1, states)
        sign = np.array([(-1) ** (m - k.bit_count()) for k in range(states)])
        ends = [tables[:, sign == side].min(1) for side in (1, -1)]
        told = ends[0] + ends[1] > 0
        below, above = (e[told].astype(np.int64) for e in ends)
        tables = tables[told].astype(np.int64)
        t, size = int(below.sum()), int((below + above).sum())
        if size > _LARGEST:
            return (
                None if min(t, size - t) >= RARE else (*_from_counts(self._table(state, m), theta, wald, 0.5**m), None)
            )
        tilt = np.zeros(len(tables)) if together is None else states * together[first][told]
        groups = _ways(tables - sign * below[:, None], sign, below + above, tilt)
        expected = sum(float((p @ k).sum()) for k, p in _tilted(groups, 0.0))
        expected = min(expected, size - expected)
        if min(t, size - t, expected) >= RARE:
            return None
        exact = expected < _EXACT_BELOW or min(t, size - t) < _EXACT_BELOW / 2
        low, high, center, normal = _solved(_law(groups, size, t), t, states, exact)
        if together is None:
            shift, reach = center - theta, (center - low, high - center)
            if not reach[0] + reach[1] < np.inf:
                return low, high, None
            more = [max(r**2 - max(normal, wald) ** 2, 0) + max(s, 0) ** 2 for r, s in zip(reach, (-shift, shift))]
            return low, high, (more[0], more[1])
        reach = [
            math.sqrt(wald**2 + max(r * abs(r) - normal**2, 0)) if r < np.inf else np.inf
            for r in (theta - low, high - theta)
        ]
        return theta - reach[0], theta + reach[1], None

    def _table(self, state: np.ndarray, m: int) -> np.ndarray:
        return np.bincount(state, self.count, 1 << m).reshape((2,) * m)


Groups = list[tuple[np.ndarray, np.ndarray]]


def _ways(tables: np.ndarray, sign: np.ndarray, support: np.ndarray, tilt: np.ndarray) -> Groups:
    """Tables of like size side by side: k, and ln of the ways to reach each of k above the table's least, [tables, k].

    tables: [tables, states] at k = 0; each step adds sign to the counts. tilt: what a step adds to ln p.
    """
    from scipy.special import gammaln

    out = []
    for size in np.unique(np.frexp(support)[1]):
        at = np.flatnonzero(np.frexp(support)[1] == size)
        k = np.arange(support[at].max() + 1)
        step = np.minimum(k, support[at, None])
        ways = -sum(gammaln(tables[at, s, None] + sign[s] * step + 1.0) for s in range(len(sign)))
        out.append((k, np.where(k <= support[at, None], ways + tilt[at, None] * k, -np.inf)))
    return out


def _tilted(groups: Groups, b: float) -> Groups:
    """k, and the probability of each in each table, at coupling b."""
    out = []
    for k, ways in groups:
        p = np.exp(ways + b * k - (ways + b * k).max(1, keepdims=True))
        out.append((k, p / p.sum(1, keepdims=True)))
    return out


def _law(groups: Groups, whole: int, t: int) -> np.ndarray:
    """ln of the ways to reach each joint count 0, 1, ... (less its least), summed over tables with given margins.

    A product of Fourier transforms, in the tilt exp(b k) whose mean is t: what limits need is far above its rounding,
    and what is not is taken as 0.
    """
    if not groups:
        return np.zeros(1)
    aim = min(max(t, 0.5), whole - 0.5)
    b = _root(lambda b: sum(float((p @ k).sum()) for k, p in _tilted(groups, b)) - aim, 100, 1e-3)
    length = 1 << (whole + 1).bit_length()
    product_: np.ndarray = np.ones(length // 2 + 1, dtype=complex)
    chunk = max(1, 2_000_000 // length)
    for _, p in _tilted(groups, b):
        for start in range(0, len(p), chunk):
            product_ *= np.fft.rfft(p[start : start + chunk], length).prod(0)
    law = np.fft.irfft(product_, length)[: whole + 1]
    with np.errstate(divide="ignore"):
        return np.log(np.where(law > _ROUNDING, law, 0)) - b * np.arange(whole + 1)


def _solved(log: np.ndarray, t: int, states: int, exact: bool) -> tuple[float, float, float, float]:
    """Limits of J from P(T = k) ~ exp(log_k + states J k) and the count t; exact, or mid-p. Then the J of greatest
    likelihood, and how far a normal interval would reach from it."""
    k = np.arange(len(log))
    if len(log) < 2:
        return -np.inf, np.inf, 0.0, np.inf

    def tail(j: float, side: np.ndarray) -> float:
        p = log + states * j * k
        p = np.exp(p - p.max())
        return float(p[side].sum() - (0 if exact else 0.5) * p[t]) / float(p.sum()) - _TAIL

    low = -np.inf if t == 0 else _root(lambda j: tail(j, k >= t), 50, 1e-9)
    high = np.inf if t == len(log) - 1 else _root(lambda j: tail(j, k <= t), 50, 1e-9)

    def likely(j: float) -> np.ndarray:
        p = np.exp(log + states * j * k - (log + states * j * k).max())
        return p / p.sum()

    aim = min(max(t, 0.5), len(log) - 1.5)
    center = _root(lambda j: float(likely(j) @ k) - aim, 50, 1e-6)
    p = likely(center)
    return low, high, center, _REACH / (states * math.sqrt(float(p @ (k - p @ k) ** 2)))


def _root(function: Callable[[float], float], reach: float, close: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, -reach, reach, xtol=close))  # type: ignore[arg-type]  # without full_output: a number
