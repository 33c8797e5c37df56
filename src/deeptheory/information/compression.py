"""Fit and compression as numbers: functions of an InformationPlane's dataset (or arrays over steps),
by network and layer.

Source: the claims of Shwartz-Ziv & Tishby 2017, figure 2, put as quantities before anything was measured.
"""

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_real, check_whole, check_within


def fall(i_x: np.ndarray, axis: int = 1) -> np.ndarray:
    """How far I(X;T) decreases after its maximum: the maximum minus the least value after it, in its own unit (bits).

    Shwartz-Ziv & Tishby 2017, figure 2, and Saxe et al. 2018, figure 1, show it in the information plane.
    i_x: [..., step, ...], steps along `axis`, ascending; the first of equal maxima counts. Never negative;
    NaN where a value is, infinite where the difference is.
    InputError: no numbers, no such axis, no steps.
    """
    i_x = _steps_first(i_x, axis, "i_x")
    at = i_x.argmax(0)
    after = np.arange(len(i_x)).reshape(-1, *[1] * (i_x.ndim - 1)) >= at
    with np.errstate(invalid="ignore"):  # of infinite values
        out = i_x.max(0) - np.where(after, i_x, np.inf).min(0)
    return np.where(np.isnan(i_x).any(0), np.nan, out)


def fits_before_compressing(
    i_x: np.ndarray, i_y: np.ndarray, *, axis: int = 1, min_decrease: float = 0.5
) -> np.ndarray:
    """Whether I(T;Y) reaches 95 % of its end value before I(X;T) has lost half of its total fall.

    The total fall must be over `min_decrease` bits.
    i_x, i_y: the same shape [..., step, ...], steps along `axis`; bool over the other axes. The fall counts from the
    maximum of I(X;T); where it is `min_decrease` or less there is no compression and the answer is False,
    as it is where a value is NaN.
    InputError: as fall, two shapes, or a min_decrease below 0.
    """
    check_within(min_decrease=(min_decrease, 0, np.inf))
    i_x, i_y = _steps_first(i_x, axis, "i_x"), _steps_first(i_y, axis, "i_y")
    if i_x.shape != i_y.shape:
        raise InputError(f"i_x has shape {list(i_x.shape)}, i_y {list(i_y.shape)} (steps first); both need the same")
    steps = np.arange(len(i_x)).reshape(-1, *[1] * (i_x.ndim - 1))
    total = fall(i_x, axis=0)
    fitted = (i_y >= np.where(i_y[-1] < 0, 1.05, 0.95) * i_y[-1]).argmax(0)  # a proxy may end below 0
    after = steps >= i_x.argmax(0)
    with np.errstate(invalid="ignore"):  # of infinite values
        halved = after & ((i_x <= i_x.max(0) - total / 2) | (i_x.max(0) - i_x == np.inf))
    known = ~np.isnan(i_x).any(0) & ~np.isnan(i_y).any(0)
    return known & (total > min_decrease) & (fitted < halved.argmax(0))


def fraction_of_information(i_y: np.ndarray, i_xy: float, axis: int = 1) -> np.ndarray:
    """I(T;Y) at the last step as a fraction of I(X;Y) (Tishby & Zaslavsky 2015, section III); both in the same unit.

    i_y: any shape, its steps along `axis`, which goes: [seed, step, layer] -> [seed, layer]; NaN where the last
    value is, infinite where float64 has no such fraction.
    InputError: i_xy not above 0, where there is nothing to have a fraction of; no such axis, no steps.
    """
    check_real(i_xy=(i_xy, -np.inf))
    if not i_xy > 0:
        raise InputError(f"i_xy is {i_xy}; a fraction of it needs I(X;Y) above 0")
    with np.errstate(over="ignore"):
        return _steps_first(i_y, axis, "i_y")[-1] / i_xy


def _steps_first(values, axis: int, name: str) -> np.ndarray:
    a = as_floats(values)
    check_whole(axis=(axis, None))
    if not -a.ndim <= axis < a.ndim or a.shape[axis] == 0:
        raise InputError(f"{name} has shape {list(a.shape)}; needed: one or more steps along axis {axis}")
    return np.moveaxis(a, axis, 0)
