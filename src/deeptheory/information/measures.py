"""The doors to estimators from samples: mutual_information, entropy."""

from collections.abc import Callable
from typing import Any

from deeptheory.arrays import as_numpy
from deeptheory.information.estimators import ENTROPY, MUTUAL_INFORMATION
from deeptheory.names import pick
from deeptheory.results import Estimate


def mutual_information(x: Any, y: Any, method: str | Callable[..., Estimate] = "auto", **options: Any) -> Estimate:
    """I(X;Y) in bits from paired samples, with an interval and its doubts as notes.

    x: [n, dx]; y: [n, dy] or [n]. method: a name in information.estimators.MUTUAL_INFORMATION, or a function of (x, y,
    **options); "auto": plug-in where both hold whole numbers, KSG otherwise. options: the estimator's own, by keyword.
    InputError: unpaired samples, NaN, an unknown method, what the estimator itself refuses.
    """
    if method == "auto":
        method = "plugin" if _discrete(x) and _discrete(y) else "ksg"
    if not isinstance(method, str):
        return method(x, y, **options)
    return pick(MUTUAL_INFORMATION, method, what="estimator")(x, y, **options)


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
    return as_numpy(a).dtype.kind in "iub"
