"""LNC: neighbor counts corrected where the density is not even within a neighborhood, for strong dependence.

Source: Gao, Ver Steeg & Galstyan 2015: KSG's rectangle around a sample holds empty corners where samples
lie along a slanted sheet; the box along the principal axes of its k neighbors is smaller, and the logarithm of the
ratio of volumes is what KSG's counts miss. It is used only where the ratio is under a threshold that samples spread
evenly fall below once in 200 neighborhoods, found by simulation for this k and number of columns.
The paper's quantity is the multi-information of single columns; several columns of x or y are taken off again:
I(X;Y) = T(X, Y) - T(X) - T(Y), T(one column) = 0.
Pitfalls: k neighbors span at most k axes, so k exceeds the number of columns; a sheet curved within a neighborhood is
taken for a flat one; in more than four columns neighborhoods are no longer small, and what is taken for slant is the
shape of the whole cloud (10 x 10 normals that share 3.2 bits: 12.6), so more are refused.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information.estimators.columns import check_numbers, comparable, dependent
from deeptheory.information.estimators.limits import INFINITE, impossible, infinite, nothing, watched
from deeptheory.information.estimators.neighbors import nearest_rows, within
from deeptheory.information.estimators.samples import as_samples, batch_interval, check_k
from deeptheory.information.spread import Counts, null_half

_MOST = 4  # columns of both
_LEVEL = 5e-3  # of evenly spread neighborhoods are corrected, as in the paper
_SLANTED = 0.1  # of neighborhoods corrected, from which on the others are doubted
_NEAR, _ALL = 2.0, 0.9  # bits below the ceiling of counts; fraction corrected, from which on that ceiling is gone
_NULL_DRAWS, _NULL_ROWS = 12, 200
_MATERIAL, _RISE = 0.01, 0.3  # bits that widen the interval, bits that are worth a note
_DRAWS, _NUMBERS = 20_000, 4_000_000  # of the simulation; numbers held at once


def lnc(
    x: Any, y: Any, *, k: int | None = None, standardize: bool = True, seed: int = 0, spread: bool = True
) -> Estimate:
    """I(X;Y) in bits of continuous samples x [n, dx], y [n, dy] (or [n]), for dependence too strong for KSG.

    k: neighbors, more than the columns of both; None: 5 for two columns, twice the columns and two for more.
    standardize: columns to one scale. seed: of the noise that breaks ties, and of the interval's batches. Constant
    columns are left out. The interval: ten batches, at least as wide as y permuted spreads (spread=False: without),
    and widened by what a tenth of the samples says otherwise.
    InputError: unpaired, NaN, words, more than four columns, k outside 1..n-1 or not above the number of columns.
    """
    check_numbers("'lnc'", x=x, y=y)
    a, b = as_samples(x=x, y=y)
    n = len(a)
    columns = comparable(standardize, seed, x=a, y=b)
    kept = [~dependent(v) for v in columns.plain]  # a column that others make up tells nothing new
    if not all(keep.all() for keep in kept):
        columns = replace(columns, versions=[[v[keep] for v, keep in zip(p, kept)] for p in columns.versions])
    sizes = [int(keep.sum()) for keep in kept]
    if sum(sizes) > _MOST:
        raise InputError(
            f"'lnc' takes at most {_MOST} columns of x and y together, not {sum(sizes)}: its boxes say nothing in more;"
            " use 'ksg', or 'compressed'"
        )
    k = (5 if sum(sizes) == 2 else 2 * sum(sizes) + 2) if k is None else k
    check_k(k, n)
    method = f"KSG with local non-uniformity correction, k = {k}{columns.method}"
    if columns.empty:
        return nothing(method, columns.notes)
    if k <= sum(sizes):
        raise InputError(
            f"k is {k} for {sum(sizes)} columns; the axes of a neighborhood need more neighbors than columns"
        )
    value = columns.mean(lambda pair: _corrected(pair, k))
    estimate, of_a_tenth = watched(lambda rows: _corrected(columns.rows(rows), k))
    low, high = batch_interval(value, estimate, n, seed=seed) if n >= 10 * (k + 2) else (np.nan, np.nan)
    notes = columns.notes
    for name, keep in zip("xy", kept):
        if not keep.all():
            notes += (f"columns of {name} that are linear functions of others are left out: {int((~keep).sum())}",)
    notes += ((INFINITE,) if infinite(*columns.plain) else ()) + impossible(value, x=a, y=b)
    if low < high:
        if spread:
            half = max((high - low) / 2, null_half(_permuted(columns.versions[0], k), n, seed, _NULL_ROWS, _NULL_DRAWS))
            low, high = value - half, value + half
        rise = value - float(np.mean(of_a_tenth))
        slanted, up, down = _missing(columns.versions[0], k)
        more = (
            max(rise if rise > (high - low) / 2 else 0.0, up),
            max(-rise if -rise > (high - low) / 2 else 0.0, down),
        )
        if max(more) > _MATERIAL:
            low, high = low - more[1], high + more[0]
            method += "; interval with an allowance for bias"
        if max(more) > _RISE:
            notes += (
                f"may be too {'small' if more[0] > more[1] else 'large'} by {max(more):.2g} bits, up to which the "
                "interval goes: neighborhoods are neither small nor thin beside the dependence",
            )
        ceiling = float(np.log2(n / k))
        if value > ceiling - _NEAR and slanted < _ALL:
            high = np.inf
            notes += (
                f"near the largest value that counts of {n} samples show, {ceiling:.1f} bits, with {slanted:.0%} of "
                "neighborhoods thin enough to be corrected: likely too small, and the interval has no upper end",
            )
    if columns.tied:
        notes += ("values repeat: within a repeated value, the correction sees the noise that breaks ties",)
    return Estimate(value=value, low=low, high=high, method=method, notes=notes)


def _corrected(pair: list[np.ndarray], k: int) -> float:
    """T(X, Y) - T(X) - T(Y) in bits; x, y: [d, n]."""
    return (_multi(np.concatenate(pair), k)[0] - sum(_multi(v, k)[0] for v in pair)) / float(np.log(2))


def _missing(pair: list[np.ndarray], k: int) -> tuple[float, float, float]:
    """The fraction of neighborhoods corrected; bits by which the value may be too small, and too large (by what of the
    sides' own is taken off)."""
    _, slanted, up = _multi(np.concatenate(pair), k)
    return slanted, up / float(np.log(2)), sum(_multi(v, k)[2] for v in pair) / float(np.log(2))


def _permuted(pair: list[np.ndarray], k: int) -> Counts:
    def of(rows: np.ndarray, others: np.ndarray | None = None) -> float:
        both = zip(pair, (rows, rows if others is None else others))
        return _corrected([np.ascontiguousarray(v[:, r]) for v, r in both], k)

    return of


def _multi(columns: np.ndarray, k: int) -> tuple[float, float, float]:
    """Multi-information of columns [d, n], nats:
    psi(k) - (d - 1)/k + (d - 1) psi(n) - sum_j <psi(n_j)> - <log box / rectangle>, the last where it is small. Then the
    fraction of neighborhoods corrected, and by how much it may be too small: boxes around a sample near the edge of a
    sheet are wider than the sheet (up to what their neighbors span), and where a tenth and more are corrected, others
    are slanted as well."""
    from scipy.special import digamma

    d, n = columns.shape
    if d == 1:
        return 0.0, 0.0, 0.0
    near = nearest_rows(columns, k)
    extent = np.abs(columns[:, near] - columns[:, :, None]).max(2)  # [d, n]
    counts = sum(digamma(within(c[None], e)).mean() for c, e in zip(columns, extent))
    plain = float(digamma(k) - (d - 1) / k + (d - 1) * digamma(n) - counts)
    step = max(1, _NUMBERS // (k * d))
    pieces = [
        _log_ratio(columns[:, near[at : at + step]] - columns[:, at : at + step, None], extent[:, at : at + step])
        for at in range(0, n, step)
    ]
    ratio, edge = (np.concatenate([piece[which] for piece in pieces]) for which in (0, 1))
    thin = ratio < threshold(k, d)
    slanted = float(thin.mean())
    missing = float(np.where(thin, edge, -np.minimum(ratio, 0) * (slanted > _SLANTED)).mean()) if slanted else 0.0
    return plain - float(np.where(thin, ratio, 0.0).mean()), slanted, missing


def _log_ratio(offsets: np.ndarray, extent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log of the volume of the box along principal axes over that of the rectangle, and of that box over the one that
    the neighbors span across all axes but the longest; each [m]. offsets: [d, m, k] of the neighbors from their sample;
    extent: [d, m]."""
    size = extent.max(0)  # one scale per sample, so that squares stay in float64
    points = offsets.transpose(1, 2, 0) / size[:, None, None]  # [m, k, d]
    axes = np.linalg.eigh(points.transpose(0, 2, 1) @ points)[1]  # the longest is last
    along = points @ axes
    box = np.maximum(np.abs(along).max(1), 1e-300)
    spanned = (np.maximum(along.max(1), 0) - np.minimum(along.min(1), 0)) / 2
    edge = np.log(box) - np.log(np.maximum(spanned, 1e-300))
    return (np.log(box) - np.log(extent.T / size[:, None])).sum(1), edge[:, :-1].sum(1)


@lru_cache(maxsize=64)
def threshold(k: int, d: int) -> float:
    """The log ratio below which lie _LEVEL of neighborhoods of evenly spread samples, by simulation (fixed seed)."""
    draws = int(np.clip(_NUMBERS // (k * d), 2_000, _DRAWS))
    rng = np.random.default_rng([k, d])
    points = rng.uniform(-1, 1, (d, draws, k))
    face = rng.integers(0, d, draws)
    points[face, np.arange(draws), -1] = rng.choice([-1.0, 1.0], draws)  # the farthest lies on the cube's surface
    return float(np.quantile(_log_ratio(points, np.abs(points).max(2))[0], _LEVEL))
