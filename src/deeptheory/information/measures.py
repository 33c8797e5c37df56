"""The doors to estimators from samples: mutual_information, conditional_mutual_information, entropy."""

from collections.abc import Callable
from typing import Any

from deeptheory.arrays import as_numpy
from deeptheory.information.estimators import CONDITIONAL, ENTROPY, MUTUAL_INFORMATION
from deeptheory.names import pick
from deeptheory.results import Estimate


def mutual_information(x: Any, y: Any, method: str | Callable[..., Estimate] = "auto", **options: Any) -> Estimate:
    """I(X;Y) in bits from paired samples, with an interval and its doubts as notes.

    x: [n, dx]; y: [n, dy] or [n]. method: a name in information.estimators.MUTUAL_INFORMATION, or a function of (x, y,
    **options); "auto": by dtype, plug-in where both are whole numbers, Ross's where one is [n] of them, a label a sample, Gao's
    where one has several columns of them, KSG otherwise. options: the estimator's own, by keyword.
    InputError: unpaired samples, NaN, an unknown method, what the estimator itself refuses.
    """
    if method == "auto":
        kinds = _discrete(x), _discrete(y)
        if kinds == (True, False):
            x, y = y, x  # information is symmetric; the labels come second
        method = "plugin" if all(kinds) else "ksg" if not any(kinds) else "labels" if _single(y) else "mixed"
    if not isinstance(method, str):
        return method(x, y, **options)
    return pick(MUTUAL_INFORMATION, method, what="estimator")(x, y, **options)


def conditional_mutual_information(
    x: Any, y: Any, z: Any, method: str | Callable[..., Estimate] = "auto", **options: Any
) -> Estimate:
    """I(X;Y|Z) in bits from samples of all three together: what x and y tell of each other beyond what z tells of both.

    x: [n, dx]; y: [n, dy]; z: [n, dz]; or [n]. method: a name in information.estimators.CONDITIONAL, or a function of (x,
    y, z, **options); "auto": plug-in where all hold whole numbers, Mesner & Shalizi's where some do, KSG's counts with a
    condition otherwise. InputError: as for mutual_information.
    """
    if method == "auto":
        kinds = [_discrete(a) for a in (x, y, z)]
        method = "plugin" if all(kinds) else "mixed" if any(kinds) else "ksg"
    if not isinstance(method, str):
        return method(x, y, z, **options)
    return pick(CONDITIONAL, method, what="conditional estimator")(x, y, z, **options)


def entropy(x: Any, method: str | Callable[..., Estimate] = "auto", **options: Any) -> Estimate:
    """H(X) in bits of discrete samples, or the differential entropy of continuous ones; x: [n, d] or [n].

    method: a name in information.estimators.ENTROPY, or a function of (x, **options); "auto": plug-in for whole numbers,
    Kozachenko-Leonenko otherwise. InputError: as for mutual_information.
    """
    if method == "auto":
        method = "plugin" if _discrete(x) else "kl"
    if not isinstance(method, str):
        return method(x, **options)
    return pick(ENTROPY, method, what="estimator")(x, **options)


def _discrete(a: Any) -> bool:
    return as_numpy(a).dtype.kind in "iubUS"  # words are labels too


def _single(a: Any) -> bool:
    return as_numpy(a).ndim == 1 or as_numpy(a).shape[1:] == (1,)
