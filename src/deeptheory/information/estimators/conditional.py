"""Conditional mutual information I(X;Y|Z) from samples: by counts, by neighbors with labels and ties, by covariances.

Sources: Frenzel & Pompe 2007 (KSG's counts with a condition), Mesner & Shalizi 2020
(counts up to and with the distance), partial correlations, and the plug-in. Bits.
Labels (words, integers, columns of few values) are compared, never subtracted: neighbors are sought among samples of
the same label, as Ross does, so that codes cannot matter; given labels alone, the value is the mean over labels of what
KSG says within each.
Intervals of neighbor counts: ten batches leave a handful of samples per label, and said a third of the spread given 19
labels. So they are at least as wide as values with y permuted (within the labels of z) together with the pointwise
information of normals, and their upper end allows for the bias that a change from n / 4 to n implies.
Pitfalls: the plug-in's bias is the sum of those of all cells of z, large where z has many; neighbor counts are biased
towards 0 with every column that z adds; independence given z is not shown by a small number,
only by one whose interval holds 0.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deeptheory.core import statistics
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information.estimators.columns import check_numbers, comparable, dependent
from deeptheory.information.estimators.gaussian import canonical
from deeptheory.information.estimators.limits import INFINITE, WIDE, impossible, infinite, nothing
from deeptheory.information.estimators.neighbors import information_by_neighbors
from deeptheory.information.estimators.plugin import bias_note, symbols, with_interval
from deeptheory.information.estimators.samples import as_samples, check_k, read, rescaled

_OFTEN = 20  # samples per value, on average, from which a column of numbers is compared, not subtracted
_MANY = 20  # labels of the condition, from which the interval is from batches of whole labels
_NEIGHBORHOOD = 10  # samples per label below which KSG says little
_TRUSTED = 30  # samples per label of the condition below which the upper end is open
_NULL_DRAWS, _NULL_ROWS = 10, 1_000
_ENOUGH = 4_000  # samples above which two quarters tell the drift as well as four
_SEVERAL = 4  # the same for integers in one column, which are labels by custom


def conditional_plugin(x: Any, y: Any, z: Any, *, correct: bool = False) -> Estimate:
    """I(X;Y|Z) of discrete rows, a whole row being one symbol. correct: less the sum over z of (Kxy - Kx - Ky + 1) / 2n
    nats, K counting what was seen with that z. The interval: see `plugin`. InputError:
    values that are not discrete, other corrections."""
    if not isinstance(correct, bool | np.bool_):
        raise InputError(f"correct is {correct!r}; a condition has Miller-Madow's alone, correct=True")
    parts = as_samples(x=x, y=y, z=z)
    i, j, k = (symbols(v, name) for v, name in zip(parts, "xyz"))
    n, given = len(i), np.bincount(k)
    xz, yz = (symbols(np.stack([v, k], axis=1), "") for v in (i, j))
    whole = symbols(np.stack([xz, yz], axis=1), "")
    counts = np.bincount(whole)
    first = np.empty(len(counts), dtype=np.int64)
    first[whole] = np.arange(n)  # a row of each cell
    local = np.log2(counts) + np.log2(given[k[first]])
    local -= np.log2(np.bincount(xz)[xz[first]]) + np.log2(np.bincount(yz)[yz[first]])
    kinds = [np.bincount(k[np.unique(v, return_index=True)[1]], minlength=len(given)) for v in (xz, yz)]
    cells = np.bincount(k[first], minlength=len(given))
    freedom = int((cells - kinds[0] - kinds[1] + 1).sum())
    most = float(((kinds[0] - 1) * (kinds[1] - 1)).sum() / (2 * n * np.log(2)))
    bias = freedom / (2 * n * np.log(2))
    value = float(counts @ local / n)
    notes = bias_note(bias, correct, "upwards", f"{len(given)} symbols of z, {n} samples")
    if len(counts) > n / 5:
        notes += ("more than a fifth of the samples have a cell of their own: the estimate says little",)
    else:
        most = bias
    variance = float(counts @ (local - value) ** 2 / n)
    return with_interval(value, bias, most, variance, max(freedom, 0), n, correct, notes)


def conditional_ksg(x: Any, y: Any, z: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> Estimate:
    """I(X;Y|Z): psi(k) - <psi(n_xz + 1) + psi(n_yz + 1) - psi(n_z + 1)>, counts strictly inside the max-norm distance
    of the kth neighbor in all three. Labels among x, y, z are compared, not subtracted; ties are broken by noise from
    `seed`; constant columns are left out. InputError: k outside 1..n-1."""
    return _by_neighbors(x, y, z, k, standardize, seed, inclusive=False)


def conditional_mixed(x: Any, y: Any, z: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> Estimate:
    """I(X;Y|Z) where values may repeat. Without ties and labels: <psi(k_i) - psi(n_xz) - psi(n_yz) + psi(n_z)>, counts
    up to and with the distance of the kth neighbor (Mesner & Shalizi 2020, without their cut at 0). With them these
    counts lean towards 0 or above it, by up to .05 bit; ties are broken and labels compared as `conditional_ksg` does.
    InputError: k outside 1..n-1."""
    return _by_neighbors(x, y, z, k, standardize, seed, inclusive=True)


def conditional_gaussian(x: Any, y: Any, z: Any) -> Estimate:
    """I(X;Y|Z) = -1/2 sum log2(1 - rho^2) over the partial canonical correlations: those of x and y less what z tells
    of them linearly, labels by a mean each. InputError: fewer samples than columns,
    columns that depend linearly on each other."""
    check_numbers("'gaussian'", x=x, y=y)
    a, b, c = as_samples(x=x, y=y, z=z)
    c, label = _labels_of_condition(z, c)
    if label is not None:  # one column per label but the first
        c = np.concatenate([c, label[:, None] == np.arange(1, label.max() + 1)], axis=1)
    a, b, c = (rescaled(v) for v in (a, b, c))
    c = c[:, c.any(0)]  # constants tell nothing
    c = c[:, ~dependent(c.T)]
    rest = [v - c @ np.linalg.lstsq(c, v, rcond=None)[0] for v in (a, b)]
    for left, name in zip(rest, "xy"):
        if (left.std(0) <= 1e-9).any():
            raise InputError(
                f"a column of {name} is constant or a linear function of z; nothing of it is left, leave it out"
            )
    return canonical(*rest, given=c.shape[1])


def _by_neighbors(x, y, z, k, standardize, seed, inclusive: bool) -> Estimate:
    a, b, c = as_samples(x=x, y=y, z=z)
    n = len(a)
    check_k(k, n)
    who = (
        f"KSG with a condition (Frenzel & Pompe), k = {k}" if not inclusive else f"Mesner & Shalizi (mixtures), k = {k}"
    )
    (a, label_x), (b, label_y) = _label(x, a, "x"), _label(y, b, "y")
    c, label_z = _labels_of_condition(z, c)
    cell = [v for v in (label_x, label_y, label_z) if v is not None]
    notes: tuple[str, ...] = ()
    if cell:
        sizes = _codes(*cell)
        alone = np.bincount(sizes)[sizes] == 1
        if alone.any():
            notes += (f"{alone.sum()} samples are alone with their labels and left out",)
        each = n / (sizes.max() + 1)
        if each < _NEIGHBORHOOD:
            notes += (f"{each:.2g} samples per combination of labels: too few neighbors, the estimate leans towards 0",)
            a, b, c = a[~alone], b[~alone], c[~alone]
            label_x, label_y, label_z = (
                v if v is None else np.unique(v[~alone], return_inverse=True)[1].ravel()
                for v in (label_x, label_y, label_z)
            )
    if len(a) == 0:
        raise InputError("every sample is alone with its labels: nothing can be compared; use fewer labels, or numbers")
    columns = comparable(standardize, seed, x=a, y=b, z=c)
    if inclusive and (columns.tied or cell):
        inclusive, who = False, f"{who}, strict counts"
    who += ", labels compared" * bool(cell) + columns.method
    notes += tuple(note for note in columns.notes if not note.startswith("z is constant"))
    for name, label in (("x", label_x), ("y", label_y)):
        still = name in columns.empty if label is None else label.max() == 0
        if still:
            return nothing(who, notes or (f"{name} is constant",))

    def estimate(parts, rows) -> float:
        labels = [None if v is None else v[rows] for v in (label_x, label_y, label_z)]
        return _within(parts, labels, k, inclusive)

    every = np.arange(len(a))
    value = columns.mean(lambda parts: estimate(parts, every))
    several = (
        label_z is not None and label_z.max() + 1 >= _MANY
    )  # batches of whole labels: a tenth of each would be too few
    low, high = statistics.batch_interval(
        value, lambda rows: estimate(columns.rows(rows), rows), len(a), seed=seed, groups=label_z if several else None
    )
    if low < high:
        labels = (label_x, label_y, label_z)
        half = max((high - low) / 2, _spread(columns.versions[0], labels, value, k, inclusive, seed))
        more = _missing(
            lambda rows: estimate(columns.rows(rows), rows),
            value,
            half,
            labels,
            len(a),
            seed,
            sum(v.shape[1] for v in (a, b, c)) + len(cell),
        )
        low, high = value - half, value + half + more
        each = len(a) / (1 if label_z is None else label_z.max() + 1)
        if each < _TRUSTED:
            high = math.inf
            notes += (
                f"{each:.3g} samples per label of z: the estimate leans towards 0, and the interval has no upper end",
            )
        elif more:
            who += "; interval with an allowance for bias"
    wide = a.shape[1] + b.shape[1] + c.shape[1]
    if wide > WIDE:
        notes += (f"{wide} columns: biased towards 0, more so the stronger the dependence",)
    if infinite(*columns.plain[:2]):
        notes += (INFINITE,)
    known = {name: v[:, None] if v is not None else w for name, v, w in (("x", label_x, a), ("y", label_y, b))}
    notes += impossible(value, **known)
    return Estimate(value=value, low=low, high=high, method=who, notes=notes)


def _spread(parts, labels, value: float, k: int, inclusive: bool, seed: int) -> float:
    """Half a 95 % interval: values with y permuted within the labels of z (all over without), and the pointwise
    information of normals that share as much, whose variance is 1 - 4^-value nats^2."""
    from scipy.stats import t

    n = parts[0].shape[1]
    rng = np.random.default_rng([seed, n, 7])
    rows = np.sort(rng.permutation(n)[:_NULL_ROWS])
    parts, labels = [np.ascontiguousarray(v[:, rows]) for v in parts], [None if v is None else v[rows] for v in labels]
    null = []
    for order in statistics.permutations(len(rows), _NULL_DRAWS, seed=[seed, n, 8], within=labels[2]):
        x, y, z = parts
        label_y = None if labels[1] is None else labels[1][order]
        null.append(_within([x, np.ascontiguousarray(y[:, order]), z], (labels[0], label_y, labels[2]), k, inclusive))
    nothing = (
        float(t.ppf(0.975, _NULL_DRAWS - 1)) * np.std(null, ddof=1) * math.sqrt((1 + 1 / _NULL_DRAWS) * len(rows) / n)
    )
    return math.hypot(nothing, 1.96 * math.sqrt(max(0.0, 1 - 4.0**-value) / n) / math.log(2))


def _missing(of, value: float, half: float, labels, n: int, seed: int, columns: int) -> float:
    """Bits by which the upper end is moved up: what goes on growing at the rate n^(-2 / columns) beyond a change
    from n / 4 to n that exceeds sampling error."""
    order = np.random.default_rng([seed, n, 9]).permutation(n)
    if labels[2] is not None:  # every label in each quarter
        order = order[np.argsort(labels[2][order], kind="stable")]
    quarters = range(4 if n <= _ENOUGH else 2)
    drift = value - float(np.mean([of(order[q::4]) for q in quarters]))
    return drift / (4 ** (2 / max(columns, 2)) - 1) if drift > half else 0.0


def _within(parts: list[np.ndarray], labels: Sequence[np.ndarray | None], k: int, inclusive: bool) -> float:
    """The mean over labels of z, by their share, of the estimate in each; samples alone with their labels left out.
    parts: columns of x, y and z, [d, n]; labels: of x, y and z, [n] or None."""
    x, y, z = parts
    cells = [v for v in labels if v is not None]
    if not cells:
        return information_by_neighbors(x, y, z, min(k, x.shape[1] - 1), inclusive=inclusive)
    code = _codes(*cells)
    rows = np.flatnonzero(np.bincount(code)[code] > 1)
    groups = [rows]
    if labels[2] is not None:
        rows = rows[np.argsort(labels[2][rows], kind="stable")]
        groups = np.split(rows, np.flatnonzero(np.diff(labels[2][rows])) + 1)
    total = 0.0
    for group in groups:
        one, two = (None if v is None else np.unique(v[group], return_inverse=True)[1].ravel() for v in labels[:2])
        x, y, z = (np.ascontiguousarray(v[:, group]) for v in parts)
        total += len(group) * information_by_neighbors(x, y, z, min(k, len(group) - 1), one, two)
    return total / max(len(rows), 1)


def _label(given: Any, a: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """(no columns, codes [n]) where a variable is one label per sample, else (its columns, None)."""
    if a.shape[1] == 1:
        codes = np.unique(a[:, 0], return_inverse=True)[1].ravel()
        often = _SEVERAL if a.dtype.kind in "iub" else _OFTEN
        if read(given, name)[1] or len(a) >= often * (codes.max() + 1):
            return np.empty((len(a), 0)), codes
    return a, None


def _labels_of_condition(given: Any, c: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """The columns of z that are numbers, and one code for those that are labels: columns of few values, as long as
    their combinations have enough samples, too."""
    if c.shape[1] == 1:
        return _label(given, c, "z")
    left, code = [], None
    kinds = [np.unique(column, return_inverse=True)[1].ravel() for column in c.T]
    for at in np.argsort([v.max() for v in kinds], kind="stable"):
        one = kinds[at] if code is None else _codes(code, kinds[at])
        if len(c) >= _OFTEN * (one.max() + 1):
            code = one
        else:
            left.append(int(at))
    return c[:, sorted(left)], code


def _codes(*labels: np.ndarray) -> np.ndarray:
    """One code for each combination of labels."""
    out = labels[0]
    for label in labels[1:]:
        out = np.unique(out.astype(np.int64) * (int(label.max()) + 1) + label, return_inverse=True)[1].ravel()
    return out
