"""Pairwise-distance bounds: the information of samples smoothed by Gaussian noise, between a lower and an upper bound.

Source: Kolchinsky & Tracey 2017: pairwise estimators of the entropy of a mixture, with the Bhattacharyya distance a
lower bound, with the Kullback-Leibler divergence an upper one. The samples with noise of standard deviation
`bandwidth` are a mixture of n equal Gaussians, for the pair and for each side, and I = h(X) + h(Y) - h(X, Y) of the
smoothed variables lies between h_low(X) + h_low(Y) - h_up(X, Y) and h_up(X) + h_up(Y) - h_low(X, Y). By data
processing, smoothed variables share at most what the variables share.
Pitfalls: the bounds are tight where samples form clusters far apart in units of the bandwidth, and as wide as one bit
per column on either side where they lie densely (h_up - h_low = log 2 per column there); a bandwidth below the distance
of neighbors makes every sample a cluster of its own, and the information log n. Its own bound for layers with known
noise is the readout GaussianNoise.
"""

import math
from typing import Any, Literal

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.core.shapes import check_real
from deeptheory.information.estimators.columns import check_numbers, comparable
from deeptheory.information.estimators.limits import nothing
from deeptheory.information.estimators.samples import as_samples, batch_interval, constant
from deeptheory.information.spread import null_half

_NULL_DRAWS, _NULL_ROWS = 12, 500
_DIGITS = 1e-12  # of a column's range, under which a bandwidth is lost in rounding
_WORTH_A_NOTE = 0.1  # bits


def kde_bounds(
    x: Any,
    y: Any,
    *,
    bandwidth: float | None = None,
    bound: Literal["lower", "upper"] = "lower",
    standardize: bool = True,
    seed: int = 0,
    spread: bool = True,
) -> Estimate:
    """A bound in bits of I(X + noise; Y + noise), numbers x [n, dx], y [n, dy] (or [n]), by a Gaussian.

    bandwidth: standard deviation of the noise, in standard deviations of the columns (standardize) or in their own
    units; None: n^(-1 / (dx + dy + 4)), Scott's rule. bound: which of both is the value, and its direction. The
    interval runs from the lower to the upper bound, each moved out by the sampling error that batches and y permuted
    show (spread=False: batches alone). Memory of order n, time n^2. InputError: unpaired, NaN, words, a bandwidth that
    is not positive.
    """
    check_numbers("'kde-bounds'", x=x, y=y)
    if bound not in ("lower", "upper"):
        raise InputError(f"bound is {bound!r}; known: 'lower', 'upper'")
    a, b = as_samples(x=x, y=y)
    n = len(a)
    columns = comparable(standardize, seed, x=a, y=b)
    x_, y_ = columns.plain if standardize else [np.ascontiguousarray(v[:, ~constant(v)].T, np.float64) for v in (a, b)]
    if bandwidth is None:
        width, rule = n ** (-1 / (len(x_) + len(y_) + 4)), " (Scott's rule)"
    else:
        check_real(bandwidth=(bandwidth, 0.0))
        width, rule = float(bandwidth), ""
    units = "standard deviations" if standardize else "the columns' units"
    method = f"pairwise-distance bounds, bandwidth {width:.3g} {units}{rule}"
    notes = tuple(t for t in columns.notes if "copies" not in t)
    if columns.empty:
        return nothing(method, notes)
    reach = max(float(np.ptp(v, axis=1).max()) for v in (x_, y_))
    if not width > _DIGITS * reach or not math.isfinite(reach):
        raise InputError(
            f"bandwidth is {width:g} {units} where a column spans {reach:g}: no digit is left; needed: "
            f"over {_DIGITS * reach:g}"
        )
    low, _, high = _bounds(x_, y_, width)

    def of(rows: np.ndarray, others: np.ndarray | None = None) -> float:
        return _bounds(x_[:, rows], y_[:, rows if others is None else others], width)[1]

    batch = batch_interval(0.0, of, n, seed=seed)[1]
    null = null_half(of, n, seed, _NULL_ROWS, _NULL_DRAWS, biased=True) if spread else 0.0
    half = null if math.isnan(batch) else max(batch, null)
    notes = (
        f"of the variables smoothed by noise, between {low:.3g} and {high:.3g} bits: at most that of the variables "
        "themselves but for sampling error",
        *notes,
    )
    if high - low > 2 * half:
        notes += (f"the bounds are {high - low:.2g} bits apart: samples lie too densely for this bandwidth to tell",)
    if null > _WORTH_A_NOTE:
        notes += (f"y permuted shows {null:.2g} bits at this bandwidth: too small for {n} samples",)
    return Estimate(
        value=low if bound == "lower" else high,
        low=low - half,
        high=high + half,
        method=f"{method}, {bound} bound",
        direction=bound,
        notes=notes,
    )


def _bounds(x: np.ndarray, y: np.ndarray, width: float) -> tuple[float, float, float]:
    """Lower bound, the same distance (Kullback-Leibler) in all three entropies, upper bound; bits; x, y: [d, n]."""
    (x_low, x_up), (y_low, y_up), (low, up) = (_entropies(v, width) for v in (x, y, np.concatenate([x, y])))
    return x_low + y_low - up, x_up + y_up - up, x_up + y_up - low


def _entropies(columns: np.ndarray, width: float) -> tuple[float, float]:
    """Lower and upper bound of the entropy of the mixture around columns [d, n], less that of one Gaussian, in bits."""
    near, far = np.ones(columns.shape[1]), np.ones(columns.shape[1])
    _pair_sums(np.ascontiguousarray(columns.T / width), near, far)
    up, low = (-float(np.log2(v / len(v)).mean()) for v in (near, far))
    return low, up


@njit(cache=True, error_model="numpy")
def _pair_sums(points, near, far):
    """near[i] += sum over the others of exp(-d^2 / 2), far[i] of exp(-d^2 / 8), d their distance; points: [n, d]."""
    n, columns = points.shape
    for i in range(n):
        for j in range(i):
            squared = 0.0
            for u in range(columns):
                squared += (points[i, u] - points[j, u]) ** 2
            e = np.exp(-squared / 8)
            far[i] += e
            far[j] += e
            near[i] += e**4
            near[j] += e**4
