"""`method="auto"`: which estimator a pair of variables asks for, and which of its doubts are worth a note.

Rules, each by its mechanism; calibrated on pairs other than `datasets.ground_truths()`, but for the allowances of 6,
which were made on other draws of those; then measured on them and on pairs held out (docs/known_information.md,
docs/estimators.md).

1. Kinds. Words and categories are labels. Integers are labels too while there are at most n / 10 different ones,
   other numbers while there are at most 20 and n / 50; several columns of them are only beside labels, where rows are
   counted. All else is numbers; a constant side tells 0.
2. Labels beside labels: counts, less the first-order bias where that exceeds .01 bit. Below 5 rows a cell, chance
   (y permuted) is taken off in proportion to what is left to the smaller entropy (Vinh, Epps & Bailey 2010),
   and widens the interval.
3. Numbers beside labels: Ross's counts; a label seen once is left out.
4. Numbers beside numbers: KSG's counts, beside integers Gao's, on normal scores where tails ask (ranks.tails_ask). In
   several columns, and beside labels, tails may be clusters that lie apart, which scores would push together: both
   stand. With more than n / 4 columns there are no scores: they share their largest differences,
   and ties in the max-norm are wrong.
5. Neighbor counts lose information in many columns, their bias falling as n^(-2 / columns). So beside them stand
   (a) canonical correlations of normal scores, those beyond noise only (canonical.py), if regressions on products and
   norms miss less than .05 bit of what the variates share; (b) counts on the canonical variates alone, at most
   three, for labels on discriminants learned on the other half; (c) counts on the two norms, which hold what a common
   scale shares. By data processing (b) and (c) are at most the truth; each replaces the plain counts only where it
   exceeds them by 1.5 standard errors, and 0 by 3, so that independent columns stay at 0.
6. The interval is sampling error (batches, or the delta method for (a)). Its upper end is moved up: by the bias that
   the change from n / 4 to n implies; for (a) by what the correlations within noise may share all together, and by
   three times what regressions find beyond correlations, since they see about a third of what is missed (spirals and
   ReLU layers of known information). A note says so where that is over .1 bit, and where the value can only be a
   lower bound: (b), and (c) where directions are correlated.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information.canonical import Canonical, canonical
from deeptheory.information.estimators.columns import COPIED, hashed
from deeptheory.information.estimators.ksg import ksg
from deeptheory.information.estimators.limits import (
    INFINITE,
    LEAST_COUNTS,
    LEAST_LABELS,
    LEAST_NEIGHBORS,
    nothing,
    too_few,
)
from deeptheory.information.estimators.mixed import labeled, mixed
from deeptheory.information.estimators.plugin import counted_alike, plugin, plugin_entropy, symbols
from deeptheory.information.estimators.samples import (
    NO_BATCHES,
    SAMPLING_ERROR,
    as_samples,
    check_k,
    constant,
    moderate,
)
from deeptheory.information.ranks import normal_scores, tails_ask
from deeptheory.information.reading import read
from deeptheory.information.spread import Counts, counts_of, counts_of_labels, null_half

_CLEAR = 1.5  # standard errors by which another candidate must exceed plain counts
_PRESENT = 3  # standard errors by which it must exceed 0
_DRIFT, _DRIFT_ROWS = 2, 400  # standard errors of a change from n / 4 to n that counts
_MISSED = 0.05  # bits beyond the linear ones from which on canonical correlations are no longer the answer
_SEEN = 1 / 3  # of what canonical correlations miss, found by regressions
_WORTH_A_NOTE = 0.1  # bits
_SCORES = ", normal scores"
_BIAS = 0.01  # bits from which on the plug-in's are taken off, and an allowance is said
# notes of estimators that the rules above answer
_NO_DOUBT = ("biased downwards", "left out", "are its neighbors", NO_BATCHES)
_NULL_DRAWS, _NULL_ROWS = 20, 1_000
_T = 2.262  # Student, 9 degrees of freedom: half of a batch interval in standard errors


@dataclass(frozen=True)
class How:
    """The options of `automatic`."""

    k: int
    standardize: bool
    ranks: bool | None
    seed: int
    spread: bool


@dataclass(frozen=True)
class Candidate:
    """One way of estimating: value, half its 95 % interval, what to call it, columns it reads, its own note."""

    value: float
    half: float
    method: str
    columns: int
    notes: tuple[str, ...] = ()
    lower: bool = False  # known to leave something out
    of: Counts = float  # the same of some rows; of some rows of x beside others of y
    more: float = 0.0  # bits that the interval's upper end goes beyond sampling error

    @property
    def error(self) -> float:
        """Standard error, bits."""
        return self.half / _T


def automatic(
    x: Any,
    y: Any,
    *,
    k: int = 3,
    standardize: bool = True,
    ranks: bool | None = None,
    seed: int = 0,
    spread: bool = True,
) -> Estimate:
    """I(X;Y) in bits by the rules above. x: [n, dx]; y: [n, dy] or [n].

    k: neighbors, where there are neighbors. standardize=False: distances in the columns' own units, plain counts only.
    ranks: normal scores always (True), never (False), or where tails ask (None). seed: batches, ties, permutations.
    spread=False: no permutations for the interval, which may then be too narrow.
    """
    a, b = (moderate(v) if v.dtype.kind == "f" else v for v in as_samples(x=x, y=y))
    named = read(x, "x")[1], read(y, "y")[1]
    n = len(a)
    for v, name in ((a, "x"), (b, "y")):
        if constant(v).all():
            return too_few(nothing(f"{name} is constant", ()), n, LEAST_COUNTS)
    wide = [v.shape[1] > 1 for v in (a, b)]
    a, b = (_different(v) for v in (a, b))
    labels = [_labels(v, is_named) for v, is_named in zip((a, b), named)]
    if labels[0] is not None and labels[1] is not None:
        return too_few(_counted(labels[0], labels[1], seed), n, LEAST_COUNTS)
    labels = [None if w else v for v, w in zip(labels, wide)]
    check_k(k, n)
    how = How(k, standardize, ranks, seed, spread)
    if labels[0] is not None:
        return _wide(too_few(_beside_labels(b, labels[0], how), n, LEAST_LABELS), n, b.shape[1])
    if labels[1] is not None:
        return _wide(too_few(_beside_labels(a, labels[1], how), n, LEAST_LABELS), n, a.shape[1])
    return _wide(too_few(_numbers(a, b, how), n, LEAST_NEIGHBORS), n, max(a.shape[1], b.shape[1]))


def _wide(got: Estimate, n: int, columns: int) -> Estimate:
    """With a note where there are more columns than samples: intervals held 0 in 83 to 95 % there."""
    if columns <= n:
        return got
    note = f"{n} samples of {columns} columns: the interval may be too narrow; p of permutations= is right at any size"
    return replace(got, notes=(*got.notes, note))


def _different(a: np.ndarray) -> np.ndarray:
    """Without constant columns and columns that stand there already: nothing is lost."""
    a = a[:, ~constant(a)]
    if a.shape[1] == 1:
        return a
    first = np.sort(np.unique(a, axis=1, return_index=True)[1])
    return a[:, first]


def _labels(a: np.ndarray, named: bool) -> np.ndarray | None:
    """Codes [n] of rows that count as labels, else None."""
    n = len(a)
    most = n if named else n // 10 if a.dtype.kind in "biu" else min(20, n // 50)
    if not named and a.dtype.kind == "f" and len(np.unique(a[: max(200, 2 * most), 0])) > most:
        return None
    codes = np.unique(a, axis=0, return_inverse=True)[1].ravel() if a.dtype.kind == "f" else symbols(a, "")
    few = named or int(codes.max()) < max(most, 2 if a.dtype.kind in "biu" else 0)
    return codes if few else None


def _counted(i: np.ndarray, j: np.ndarray, seed: int) -> Estimate:
    n, cells = len(i), (int(i.max()) + 1, int(j.max()) + 1)
    plain, less = plugin(i, j), plugin(i, j, correct=True)
    bias, low, high, how = plain.value - less.value, plain.low, plain.high, "first order"
    notes: tuple[str, ...] = ()
    if n < 5 * cells[0] * cells[1]:
        rng = np.random.default_rng([seed, n, 1])
        one, two = counted_alike(i, j)
        null = np.array([plugin(one, rng.permutation(two)).value for _ in range(2 * _NULL_DRAWS)])
        chance, how = float(null.mean()), "chance, y permuted"
        most = min(plugin_entropy(i).value, plugin_entropy(j).value)
        bias = chance * (most - plain.value) / (most - chance) if most > chance else chance
        half = float(np.hypot(plain.high - plain.value, 1.96 * null.std(ddof=1)))
        low = plain.value - chance - half
        if chance > _WORTH_A_NOTE and low > 0:
            notes = (
                f"{cells[0]} x {cells[1]} symbols for {n} samples: of the counts' {plain.value:.3g} bits, {chance:.2g} "
                f"would be there by chance if nothing were shared, none if all were; {bias:.2g} are taken off in "
                "proportion, the interval holds both ends",
            )
    if bias <= _BIAS:
        return Estimate(value=plain.value, low=low, high=high, method="plug-in", notes=notes)
    method = f"plug-in, less a bias of {bias:.3g} bits ({how})"
    return Estimate(value=plain.value - bias, low=low, high=high, method=method, notes=notes)


def _ordered(*keys: np.ndarray) -> np.ndarray:
    """Rows by their values, so that batches and permutations, and with them the choice,
    do not see the order they came in."""
    return np.lexsort(np.concatenate([k.reshape(len(k), -1) for k in keys], axis=1).T[::-1])


def _alike(a: np.ndarray) -> np.ndarray:
    """Rows by a hash of how far their ranks lie from the middle, so that halves drawn from them, on which discriminants
    are learned, do not see the sign, the order or an increasing map of columns either."""
    from scipy.stats import rankdata

    far = np.abs(2 * rankdata(a, axis=0) - (len(a) + 1)).astype(np.uint64)
    return np.argsort(hashed(far + np.uint64(0x9E3779B97F4A7C15)).sum(1, dtype=np.uint64), kind="stable")


def _beside_labels(a: np.ndarray, label: np.ndarray, how: How) -> Estimate:
    rows = _ordered(a, label)
    a, label = a[rows], label[rows]
    own = np.bincount(label)[label]
    kept = own > 1
    if kept.sum() < max(4, 0.9 * len(label)):
        raise InputError(
            f"{int((~kept).sum())} of {len(label)} samples have a label of their own; labels must repeat. Give numbers "
            "as numbers (method='ksg' or 'mixed'), or merge rare labels"
        )
    a, label = a[kept], np.unique(label[kept], return_inverse=True)[1].ravel()
    a = a[:, ~constant(a)]
    turned = how.standardize and a.shape[1] > 2 and len(a) >= 200
    if turned:
        rows = _alike(a)
        a, label = a[rows], label[rows]
    if label.max() == 0 or a.shape[1] == 0:
        return Estimate(value=0.0, low=0.0, high=0.0, method="constant but for labels seen once", direction="exact")
    left_out = f", {int((~kept).sum())} samples with a label of their own left out" if (~kept).any() else ""

    def count(p: np.ndarray, what: str) -> Candidate:
        got = labeled(p, label, k=how.k, standardize=how.standardize, seed=how.seed)
        of = counts_of_labels(p, label, how.k, how.standardize, how.seed)
        return _candidate(got, what + left_out, a.shape[1] + 1, of, len(a), how, 2 * _NULL_ROWS)

    plain = count(normal_scores(a), _SCORES) if how.ranks else count(a, "")
    if how.ranks is None and how.standardize and a.shape[1] <= len(a) // 4 and tails_ask(a):
        plain = _better(count(normal_scores(a), _SCORES), plain)
    chosen = plain
    if turned:
        other = _discriminant(a, label, how.k, how.seed)
        chosen = plain if other is None else _better(other, plain)
    return _finished(chosen, [plain], len(a), how.seed, label)


def _numbers(a: np.ndarray, b: np.ndarray, how: How) -> Estimate:
    rows = _ordered(a, b)
    a, b = a[rows], b[rows]
    n = len(a)
    by = mixed if "f" not in (a.dtype.kind, b.dtype.kind) or a.dtype.kind != b.dtype.kind else ksg

    def count(p: np.ndarray, q: np.ndarray, what: str) -> Candidate:
        got = by(p, q, k=how.k, standardize=how.standardize, seed=how.seed)
        of = counts_of(p, q, how.k, how.standardize, how.seed)
        return _candidate(got, what, p.shape[1] + q.shape[1], of, n, how)

    few = a.shape[1] + b.shape[1] <= max(2, n // 4)  # scores of many columns share their largest differences: ties
    asked = few and how.ranks is None and how.standardize and (tails_ask(a) or tails_ask(b))
    plain = count(normal_scores(a), normal_scores(b), _SCORES) if how.ranks or asked else count(a, b, "")
    if asked and plain.columns > 2:
        plain = _better(count(a, b, ""), plain)
    chosen, seen = plain, [plain]
    if how.standardize and plain.columns > 2:
        linear = canonical(normal_scores(a), normal_scores(b))
        if linear is not None and INFINITE not in plain.notes:
            seen = _with_linear(linear, plain, count)
            chosen = max(seen, key=lambda c: c.value)
        if INFINITE not in plain.notes:
            norms = count(normal_scores(_norm(a)), normal_scores(_norm(b)), " on the norms of x and y")
            lost = ("counts on the norms: what directions share is not seen, a lower bound",) if linear else ()
            chosen = _better(replace(norms, notes=norms.notes + lost, lower=True), chosen)
    copied = tuple(t for t in plain.notes if COPIED in t and t not in chosen.notes)
    return _finished(replace(chosen, notes=(*chosen.notes, *copied)), seen, n, how.seed)


def _with_linear(found: Canonical, plain: Candidate, count: Any) -> list[Candidate]:
    """The candidates that are left once a canonical correlation stands out of noise, so that there is dependence."""
    m = len(found.squared)
    method = f"Gaussian copula, {m} canonical correlation{'s' * (m > 1)} beyond noise"
    gauss = Candidate(found.information, found.half, method, 0, more=found.rest + found.missed / _SEEN)
    if found.missed < _MISSED:
        return [gauss] if gauss.value > plain.value - _CLEAR * plain.error else [plain]
    note = (
        f"canonical correlations miss at least {found.missed:.2g} bits that products and norms of the variates "
        "share: a lower bound"
    )
    few = count(found.u[:, :3], found.v[:, :3], f" on {min(m, 3)} pair{'s' * (m > 1)} of canonical variates")
    if few.columns == plain.columns:  # a turn of all there is
        return [plain, replace(gauss, notes=(note,), lower=True)]
    lost = "counts on canonical variates: what they leave out is not seen, a lower bound"
    return [plain, replace(gauss, notes=(note,), lower=True), replace(few, notes=(lost,), lower=True)]


def _discriminant(a: np.ndarray, label: np.ndarray, k: int, seed: int) -> Candidate | None:
    """Ross's counts on at most three linear discriminants, each half's learned on the other half."""
    order = np.random.default_rng([seed, len(a), 2]).permutation(len(a))
    halves = order[::2], order[1::2]
    if any(np.bincount(label[h], minlength=label.max() + 1).min() <= max(k, 1) for h in halves):
        return None
    scores, values, columns = normal_scores(a), [], 0
    for here, there in (halves, halves[::-1]):
        codes = np.eye(label.max() + 1)[label[there]]
        linear = canonical(scores[there], codes[:, 1:])
        if linear is None:
            return None
        middle = scores[there].mean(0)
        turn = np.linalg.lstsq(scores[there] - middle, linear.u[:, :3], rcond=None)[0]
        got = labeled((scores[here] - middle) @ turn, label[here], k=k, seed=seed)
        values.append((got.value, (got.high - got.low) / 2))
        columns = max(columns, turn.shape[1])
    value, half = np.mean(values, axis=0)
    method = f"Ross (labels), k = {k}, on {columns} discriminant{'s' * (columns > 1)} learned on the other half"
    return Candidate(float(value), float(half) / np.sqrt(2), method, 0)


def _better(other: Candidate, plain: Candidate) -> Candidate:
    """`other` where it clearly exceeds `plain` and 0."""
    clear = other.value - plain.value > _CLEAR * float(np.hypot(other.error, plain.error))
    return other if clear and other.value > _PRESENT * other.error else plain


def _candidate(
    got: Estimate, said: str, columns: int, of: Counts, n: int, how: How, rows: int = _NULL_ROWS
) -> Candidate:
    """Neighbor counts with an interval at least as wide as the spread of their values on y permuted: ten batches of few
    rows each, with a handful of a rare label, understate it."""
    null = null_half(of, n, how.seed, rows, _NULL_DRAWS) if how.spread else 0.0
    half = (got.high - got.low) / 2
    if np.isnan(half):  # batches would be too small: the spread of pointwise information of normals is added
        half = float(np.hypot(null, 1.96 * np.sqrt(max(0.0, 1 - 4**-got.value) / n) / np.log(2)))
    kept = tuple(t for t in got.notes if not any(w in t for w in _NO_DOUBT))
    return Candidate(got.value, max(half, null), got.method + said, columns, kept, False, of)


def _finished(chosen: Candidate, seen: list[Candidate], n: int, seed: int, stratum: Any = None) -> Estimate:
    """The Estimate of the chosen candidate; its upper end is moved up by the bias that values imply which change
    from n / 4 to n, its own or those of counts on more columns."""
    notes = list(chosen.notes)
    low, high, said = chosen.value - chosen.half, chosen.value + chosen.half + chosen.more, ""
    if n < _DRIFT_ROWS and chosen.columns > 2:
        said = f"; {SAMPLING_ERROR}"
    elif n >= _DRIFT_ROWS:
        order = np.random.default_rng([seed, n, 3]).permutation(n)
        if stratum is not None:  # every label in each quarter
            order = order[np.argsort(stratum[order], kind="stable")]
        several = [chosen, *seen] if chosen.columns > 2 or chosen.lower else [chosen]
        for c in {id(c): c for c in several if c.columns}.values():
            drift = c.value - float(np.mean([c.of(order[q::4]) for q in range(4)]))
            more = drift / (4 ** (2 / c.columns) - 1)
            clear = min(drift, c.value * _DRIFT / _PRESENT) > _DRIFT * c.error
            if not (clear or c is chosen) or c.value + c.half + more <= high:
                continue
            high = c.value + c.half + more
            if clear and high - chosen.value > _WORTH_A_NOTE + chosen.half and len(notes) < 2:
                notes.append(
                    f"counts in {c.columns} columns grew by {drift:.2g} bits from {n // 4} to {n} samples: biased "
                    f"towards 0; at the rate n^(-2/{c.columns}) about {more:.2g} bits are missing still, "
                    "up to which the interval goes; a trained method ('infonce', 'doe') may find them"
                )
    if chosen.more > _WORTH_A_NOTE:
        notes.append(
            f"correlations within noise, and what is not linear, may share {chosen.more:.2g} bits more, "
            "up to which the interval goes"
        )
    if high - chosen.value - chosen.half > _BIAS:
        said = "; interval with an allowance for bias"
    direction = "lower" if chosen.lower else "consistent"
    return Estimate(
        value=chosen.value, low=low, high=high, method=chosen.method + said, direction=direction, notes=tuple(notes)
    )


def _norm(a: np.ndarray) -> np.ndarray:
    """[n, d] -> [n, 1]: squared norm of columns less their median in units of their quartiles."""
    low, middle, high = np.percentile(a, [25, 50, 75], axis=0)
    spread = np.where(high > low, high - low, a.std(0))
    return (((a - middle) / spread) ** 2).sum(1, keepdims=True)
