"""Fit and compression as numbers: functions of an InformationPlane's dataset (or arrays over steps), by network and layer.

Source: the claims of Shwartz-Ziv & Tishby 2017, figure 2, put as quantities before anything was measured.
"""

import numpy as np


def fall(i_x: np.ndarray, axis: int = 1) -> np.ndarray:
    """How far I(X;T) falls after its maximum: its largest value less the least value after it, in its own unit (bits).

    i_x: steps along `axis`; the first of equal maxima counts. Never negative.
    """
    i_x = np.moveaxis(np.asarray(i_x, dtype=np.float64), axis, 0)
    at = i_x.argmax(0)
    after = np.arange(len(i_x)).reshape(-1, *[1] * (i_x.ndim - 1)) >= at
    return i_x.max(0) - np.where(after, i_x, np.inf).min(0)


def fits_before_compressing(i_x: np.ndarray, i_y: np.ndarray, axis: int = 1, least_fall: float = 0.5) -> np.ndarray:
    """Whether I(T;Y) reaches 95 % of its end value before I(X;T) has lost half of its total fall, over `least_fall` bits.

    i_x, i_y: the same shape, steps along `axis`; bool over the other axes. The fall counts from the maximum of I(X;T);
    where it is `least_fall` or less there is no compression and the answer is False.
    """
    i_x = np.moveaxis(np.asarray(i_x, dtype=np.float64), axis, 0)
    i_y = np.moveaxis(np.asarray(i_y, dtype=np.float64), axis, 0)
    steps = np.arange(len(i_x)).reshape(-1, *[1] * (i_x.ndim - 1))
    total = fall(i_x, axis=0)
    fitted = (i_y >= 0.95 * i_y[-1]).argmax(0)
    after = steps >= i_x.argmax(0)
    halved = after & (i_x <= i_x.max(0) - total / 2)
    return (total > least_fall) & (fitted < halved.argmax(0))


def fraction_of_information(i_y: np.ndarray, i_xy: float, axis: int = 1) -> np.ndarray:
    """I(T;Y) at the last step as a share of I(X;Y) (Tishby & Zaslavsky 2015, section III); both in the same unit."""
    return np.take(np.asarray(i_y, dtype=np.float64), -1, axis=axis) / i_xy
