"""Does a layer order images as a brain area does? Representational dissimilarity matrices, and how far two of them
agree.

Sources: Kriegeskorte et al. 2008 (dissimilarity of two images: 1 - Pearson correlation of their patterns over units;
two areas are compared by Spearman's correlation over pairs of images); Walther et al. 2016 (cross-validated distances,
whitened by the noise); Mantel 1967 (p by permuting images). A bound on what a model can reach is how far two
measurements of brains agree.
Pitfalls: pairs share images, so that intervals and p-values come from images, never from pairs. And noise alone makes
patterns
differ: a dissimilarity of means is above 0 between identical conditions, a cross-validated one is 0 on average, and may
be negative.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.powers import power_of
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole, labels_array, whole_numbers
from deeptheory.core.statistics import permutation_p

if TYPE_CHECKING:
    import pandas

_GROUPS = 60  # of images, each left out in turn for the interval
_PARTS = 6  # of conditions, two of which are left out of a whitening
_FEWEST = 8  # images below which there is no interval
_TIE = 2.0**-46  # of a dissimilarity: what lies nearer is a tie whose last bits were rounded
_ROUNDED = 2.0**-51  # of the largest one: 1 - r, say, is rounded by so much however small it is


@dataclass(frozen=True, kw_only=True, eq=False)
class RdmCorrelation(Result):
    """Spearman's correlation of two dissimilarity matrices over pairs of n images.

    low, high: 95 % interval over images (jackknife on Fisher's scale), NaN below 8 images; p: of a correlation as large
    with the images of one matrix permuted (Mantel 1967), one-sided, NaN without permutations. float(): the value.
    """

    value: float
    low: float
    high: float
    p: float
    n: int

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        return f"RdmCorrelation({self.value:.3f} [{self.low:.3f}, {self.high:.3f}], p {self.p:.2g}, {self.n} images)"

    def table(self) -> "pandas.DataFrame":
        """One row: value, low, high, p, n."""
        import pandas as pd

        return pd.DataFrame([vars(self)])


def rdm(responses: Any) -> np.ndarray:
    """[n, n]: 1 - Pearson's correlation over units of two stimuli's responses [n, units]; 0 to 2, 0 on the diagonal.

    Source: Kriegeskorte et al. 2008. Pitfall: noise alone makes patterns differ; cross_validated_rdm does not count it.
    InputError: NaN, a pattern that does not vary over units (it has no correlation), or other shapes.
    """
    y = as_floats(responses)
    if y.ndim != 2 or min(y.shape) < 2:
        raise InputError(f"responses have shape {list(y.shape)}; needed: [2 or more stimuli, 2 or more units]")
    if not np.isfinite(y).all():
        raise InputError(
            f"{int((~np.isfinite(y)).any(1).sum())} of {len(y)} patterns hold NaN or infinities; leave them "
            "out, or those units"
        )
    size = np.abs(y).max(1, keepdims=True)
    y = np.ldexp(y, -np.frexp(size)[1])  # exact; squares of 1e-200 are 0, sums of 1e308 infinite
    most = np.abs(y).max(1, keepdims=True)
    y = y - y.mean(1, keepdims=True)
    size = np.abs(y).max(1, keepdims=True)
    y = y / np.where(size > 0, size, 1)
    length = np.linalg.norm(y, axis=1, keepdims=True)
    still = (length <= 0) | (size <= 1e-12 * most)
    if still.any():
        raise InputError(f"{int(still.sum())} of {len(y)} patterns do not vary over units; leave them out")
    y = y / length
    out = np.clip(1 - y @ y.T, 0, 2)  # of equal patterns the correlation may be rounded to above 1
    np.fill_diagonal(out, 0)
    return out


def cross_validated_rdm(trials: Any, whiten: bool = True) -> np.ndarray:
    """[n, n]: squared distance between conditions over the number of units, 0 on average where they are the same.

    trials: [n, trial, unit]; the distance may be negative. Source: Walther et al. 2016. Each difference is multiplied
    by that of other trials, never by itself. whiten: units are first freed of the covariance of their noise (shrunk as
    Ledoit & Wolf 2004), so that distances are in units of noise (crossnobis); for each two conditions that covariance
    is of other conditions, since noise that is whitened by itself looks smaller than it is (identical conditions of 80
    units and 2 trials would lie 1.1 apart). Pitfall: it is shrunk to noise of one size, so that a unit 100 times as
    noisy as the others (millivolts among spike counts) hides them; bring units to one scale first.
    InputError: other shapes, NaN, one trial, fewer than 4 conditions to whiten by, trials without noise,
    distances beyond float64 on either side.
    """
    x = as_floats(trials)
    if x.ndim != 3 or x.shape[0] < 2 or x.shape[1] < 2 or x.shape[2] < 1:
        raise InputError(f"trials have shape {list(x.shape)}; needed: [2 or more conditions, 2 or more trials, units]")
    if not np.isfinite(x).all():
        raise InputError(
            f"trials hold NaN or infinities in {int((~np.isfinite(x)).sum())} of {x.size} places; give complete trials"
        )
    n, power = len(x), power_of(x)
    x = np.ldexp(x, -power)  # exact, and squares stay in float64
    x = x - x.mean((0, 1))
    if not whiten:
        found = _distances(x)
        with np.errstate(over="ignore", under="ignore"):
            plain = np.ldexp(found, 2 * power)
        if not np.isfinite(plain).all():
            raise InputError(f"trials reach 2^{power}, whose squares are beyond float64; scale them down")
        if found.any() and np.abs(plain).max() < np.finfo(float).tiny:
            raise InputError(f"trials reach 2^{power}, whose squares are 0 in float64; scale them up")
        return plain
    if n < 4:
        raise InputError(f"{n} conditions leave none to whiten two of them by; needed: 4 or more, or whiten=False")
    out = np.zeros((n, n))
    part = np.arange(n) % min(n, _PARTS)
    for a in range(part.max() + 1):
        for b in range(a, part.max() + 1):
            both = (part == a) | (part == b)
            if a == b and both.sum() < 2:
                continue
            rows = np.flatnonzero(both)
            found = _distances(x[rows] @ _whitener(x[~both]))
            mine = np.ix_(rows[part[rows] == a], rows[part[rows] == b])
            out[mine] = found[np.ix_(part[rows] == a, part[rows] == b)]
            out[mine[1].T, mine[0].T] = out[mine].T
    return out


def _distances(x: np.ndarray) -> np.ndarray:
    t, u = x.shape[1:]
    total = x.sum(1)  # [n, u]
    cross = (total @ total.T - np.einsum("itu,jtu->ij", x, x)) / (t * (t - 1) * u)  # of different trials only
    own = cross.diagonal()
    out = own[:, None] + own[None] - cross - cross.T
    np.fill_diagonal(out, 0)
    return out


def rdm_correlation(a: Any, b: Any, rows: Any = None, *, permutations: int = 999, seed: int = 0) -> RdmCorrelation:
    """Spearman's correlation of two dissimilarity matrices a, b [n, n] over pairs of images; -> RdmCorrelation.

    rows: positions of the images that count, or a mask [n]; None: all. Diagonals are not read. Dissimilarities that
    differ by 1e-14 of the largest or less are ties. permutations: of images, by seed, for p; 0: none. Source:
    Kriegeskorte et al. 2008; p: Mantel 1967.
    InputError: shapes that differ, NaN or asymmetry among the rows, an image twice, fewer than 3 images, a matrix that
    is the same for all pairs, rows that mask values.
    """
    check_whole(permutations=(permutations, 0), seed=(seed, 0))
    a, b = as_floats(a), as_floats(b)
    if a.ndim != 2 or a.shape != b.shape or a.shape[0] != a.shape[1]:
        raise InputError(f"dissimilarities are {list(a.shape)} and {list(b.shape)}; needed: the same [n, n]")
    at = _rows(rows, len(a))
    if len(at) < 3:
        raise InputError(f"{len(at)} stimuli have too few pairs; needed: 3 or more")
    if len(np.unique(at)) < len(at):
        raise InputError(
            f"rows name {len(at) - len(np.unique(at))} stimuli twice; a stimulus has no distance to itself"
        )
    a, b = (m[np.ix_(at, at)] for m in (a, b))
    for name, m in (("first", a), ("second", b)):
        off = m[np.triu_indices(len(at), 1)]
        if not np.isfinite(off).all():
            raise InputError(
                f"the {name} matrix holds NaN or infinities in {int((~np.isfinite(off)).sum())} of {len(off)} "
                "pairs; leave those stimuli out (rows=)"
            )
        if not np.allclose(off, m.T[np.triu_indices(len(at), 1)], rtol=1e-6, atol=1e-6 * np.abs(off).max()):
            raise InputError(f"the {name} matrix is not symmetric; needed: one dissimilarity for each two stimuli")
        m[np.triu_indices(len(at), 1)] = off = _tied(off)  # m is a copy
        if np.ptp(off) == 0:
            raise InputError(f"the {name} matrix has one value for all {len(off)} pairs; it has no correlation")
    n = len(at)
    value = _spearman(a, b)
    rng = np.random.default_rng([seed, 19])
    ranks = _ranks(b)
    square = np.zeros((n, n))
    square[np.triu_indices(n, 1)] = ranks
    square = square + square.T
    mine = _ranks(a)
    null = []
    for _ in range(permutations):
        order = rng.permutation(n)
        null.append(float(mine @ square[np.ix_(order, order)][np.triu_indices(n, 1)]))
    p = float(permutation_p(value - 1e-12, np.array(null))) if null else float("nan")
    low, high = _interval(a, b, value, rng) if n >= _FEWEST else (np.nan, np.nan)
    return RdmCorrelation(value=value, low=float(low), high=float(high), p=p, n=n)


def _rows(rows: Any, n: int) -> np.ndarray:
    if rows is None:
        return np.arange(n)
    if not isinstance(rows, list | tuple) and getattr(rows, "dtype", None) is not None and "bool" in str(rows.dtype):
        which = np.asarray(labels_array("rows", rows))
        if which.shape != (n,):
            raise InputError(f"rows are a mask of shape {list(which.shape)}; needed: [{n}], or positions")
        return np.flatnonzero(which)
    at = whole_numbers("rows", rows)
    if len(at) and at.max() >= n:
        raise InputError(f"rows run to {at.max()}; needed: positions from 0 to {n - 1}")
    return at


def _tied(values: np.ndarray) -> np.ndarray:
    """values [k], those less than a rounding apart made equal: the last bits of equal dissimilarities, as between
    classes, are those of the order in which they were summed.
    """
    order = np.argsort(values)
    rising = values[order]
    size = np.abs(rising)
    new = np.diff(rising, prepend=-np.inf) > np.maximum(_TIE * size, _ROUNDED * size.max())
    out = np.empty_like(values)
    out[order] = rising[new][np.cumsum(new) - 1]
    return out


def _ranks(m: np.ndarray) -> np.ndarray:
    """Ranks of the pairs, centered, of length 1."""
    from scipy.stats import rankdata

    r = rankdata(m[np.triu_indices(len(m), 1)])
    r = r - r.mean()
    return r / max(np.linalg.norm(r), 1e-300)


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.clip(_ranks(a) @ _ranks(b), -1, 1))


def _interval(a: np.ndarray, b: np.ndarray, value: float, rng: np.random.Generator) -> tuple[float, float]:
    from scipy.stats import t as student

    n = len(a)
    parts = np.array_split(rng.permutation(n), min(n, _GROUPS))
    left = [np.setdiff1d(np.arange(n), part) for part in parts]
    z = np.arctanh(np.clip([_spearman(a[np.ix_(k, k)], b[np.ix_(k, k)]) for k in left], -1 + 1e-9, 1 - 1e-9))
    g = len(parts)
    error = np.sqrt((g - 1) / g * ((z - z.mean()) ** 2).sum())
    middle, half = np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9)), student.ppf(0.975, g - 1) * error
    return min(float(np.tanh(middle - half)), value), max(float(np.tanh(middle + half)), value)


def _whitener(x: np.ndarray) -> np.ndarray:
    """[u, u]: the root of the inverse of the noise covariance of trials [n, t, u]."""
    from sklearn.covariance import ledoit_wolf

    n, t, u = x.shape
    noise = (x - x.mean(1, keepdims=True)).reshape(n * t, u)
    covariance = np.asarray(ledoit_wolf(noise, assume_centered=True)[0]) * t / (t - 1)
    values, vectors = np.linalg.eigh(covariance)
    if values[-1] <= 0:
        raise InputError("trials of a condition are all the same: there is no noise to whiten by; use whiten=False")
    return (vectors / np.sqrt(np.maximum(values, 1e-10 * values[-1]))) @ vectors.T
