"""Doubts about an estimate that no estimator sees by itself, because they lie in the rows: series, copies,
impossible values.

Pitfall: only the product of both sides' autocorrelation widens the spread of an estimate of dependence (Bartlett 1946):
white noise beside a slow series is as good as independent rows.
"""

from typing import Any

import numpy as np

from deeptheory.core import statistics
from deeptheory.core.arrays import as_numpy
from deeptheory.core.results import Estimate
from deeptheory.information.estimators.samples import moderate
from deeptheory.information.ranks import normal_scores
from deeptheory.information.reading import read

SERIES = "rows look like series"
_TAILS = 3  # standard deviations of a normal of the same quartiles: lognormal (sigma 1) has 2, Cauchy any number
_LONGER = 1.2  # autocorrelation time of the product from which on it is worth a note
_COLUMNS, _ROWS = 32, 4096  # so many are looked at


def series_note(x: Any, y: Any, z: Any = None) -> tuple[str, ...]:
    """A note where the rows of both sides [n, d] are a series, or what is left of them given z [n, d]."""
    given = {} if z is None else {"z": z}
    sides, labels = _short(x=x, y=y, **given)
    if z is not None:
        sides = [_left(a, sides[2], label, labels[2]) for a, label in zip(sides[:2], labels)]
        labels = [False, False]
    time = product_time(sides[:2], labels[:2])
    where = "on both sides" if z is None else "on both sides given z"
    return _told(len(x), time, f"{SERIES} {where}", "interval and p are too narrow and small")


def one_series_note(x: Any, y: Any = None) -> tuple[str, ...]:
    """A note where the rows of x [n, d], or what is left of them given y [n, d], are a series: what a row tells of an
    entropy, neighboring rows tell again."""
    given = {} if y is None else {"y": y}
    sides, labels = _short(x=x, **given)
    a, label = sides[0], labels[0]
    if label and len(np.unique(a[:, 0])) == 1 + int((np.diff(a[:, 0]) != 0).sum()):
        return ()  # sorted by label
    if y is not None:
        a, label = _left(a, sides[1], label, labels[1]), False
    time = product_time([a, a], [label, label])
    return _told(len(x), time, "rows look like a series", "the interval is too narrow")


def _told(n: int, time: float, what: str, so: str) -> tuple[str, ...]:
    if time < _LONGER:
        return ()
    return (
        f"{what}: {n} of them count as about {n / time:.0f}, so {so}; give block= (rows per block, at least "
        f"{max(2, int(np.ceil(2 * time)))}) or groups=, or shuffle the rows if they were sorted",
    )


def _short(**sides: Any) -> tuple[list[np.ndarray], list[bool]]:
    """The first rows and columns of each side, and whether its values are names."""
    arrays, labels = [], []
    for name, side in sides.items():
        a, named = _side(side, name)
        a = a[:_ROWS, :_COLUMNS]
        arrays.append(a)
        labels.append(bool(named or (a.shape[1] == 1 and len(np.unique(a)) <= len(a) / 10)))
    return arrays, labels


def _left(a: np.ndarray, z: np.ndarray, label: bool, given_label: bool) -> np.ndarray:
    """What a linear function of z's scores, or the mean within each of its labels, does not tell of a."""
    scores = _series(a, label)
    if given_label:
        code = statistics.codes_of(z[:, 0])
        return scores - (np.stack([np.bincount(code, c) for c in scores.T], axis=1) / np.bincount(code)[:, None])[code]
    known = np.column_stack([np.ones(len(z)), _series(z, False)])
    return scores - known @ np.linalg.lstsq(known, scores, rcond=None)[0]


def _side(a: Any, name: str) -> tuple[np.ndarray, bool]:
    many = getattr(a, "ndim", 0) > 2  # images, for the estimators that take them
    return read(as_numpy(a).reshape(len(a), -1) if many else a, name)


def product_time(sides: list[np.ndarray], labels: list[bool]) -> float:
    """Autocorrelation time of the product of two sides [n, d], 1 for independent rows. A series of correlation phi per
    row has time (1 + phi) / (1 - phi); their product that of phi phi'. labels: sides whose values are names; what is
    left of the other side within each name counts, so that rows sorted by class are no series."""
    n = len(sides[0])
    if n < 50:
        return 1.0
    product = 1.0
    for side, other in ((0, 1), (1, 0)):
        a = _series(sides[side], labels[side])
        if labels[other] and not labels[side]:
            code = statistics.codes_of(sides[other][:, 0])
            means = np.stack([np.bincount(code, column) for column in a.T], axis=1) / np.bincount(code)[:, None]
            a = a - means[code]
        time = statistics.autocorrelation_time(a)
        product *= max(0.0, (time - 1) / (time + 1) - 2 / np.sqrt(n))
    return (1 + product) / (1 - product)


def _series(a: np.ndarray, label: bool) -> np.ndarray:
    if not label:
        return normal_scores(a)
    _, code, counts = np.unique(a[:, 0], return_inverse=True, return_counts=True)
    often = np.argsort(-counts)[:_COLUMNS]
    return (code.ravel()[:, None] == often).astype(np.float64)


def tails_note(x: Any, y: Any) -> tuple[str, ...]:
    """A note where columns of numbers [n, d] have tails that distances and covariances see little else than."""
    far = []
    for side, name in ((x, "x"), (y, "y")):
        a, named = _side(side, name)
        if named or a.dtype.kind != "f":
            continue
        a = moderate(a[:, :_COLUMNS])
        low, high = np.percentile(a, [25, 75], axis=0)
        if ((a.std(0) * 1.349 > _TAILS * (high - low)) & (high > low)).any():
            far.append(name)
    if not far:
        return ()
    return (
        f"columns of {' and '.join(far)} have long tails, and the method sees little else; ranks=True keeps the "
        "information and takes the tails away",
    )


def below_nothing(got: Estimate) -> tuple[str, ...]:
    """A note where the whole interval of an information lies below 0."""
    if got.high < 0:
        return ("the whole interval lies below 0, where no information is: biased downwards",)
    return ()
