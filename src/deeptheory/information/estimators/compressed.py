"""Compressed estimate: I(X;Y) of high-dimensional variables from codes of few numbers.

Source: Butakov et al. 2024. A compression that can be undone keeps the information; any other leaves less, by the
data-processing inequality, so that the truth about the codes is a lower bound.
Pitfalls: the estimate of that lower bound has errors of its own in both directions; lossy codes may lose exactly what
the two variables share; and codes of more numbers than the variable has (images drawn from two numbers, compressed to
four) lie on a surface, where entropies from distances have no finite truth and the estimate is worthless: here it comes
out negative.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from deeptheory.core.arrays import as_numbers
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.powers import near_one
from deeptheory.core.results import Estimate
from deeptheory.core.shapes import check_finite
from deeptheory.information.estimators.compressors import compressed_to
from deeptheory.information.estimators.kozachenko_leonenko import weighted_information
from deeptheory.information.estimators.ksg import ksg
from deeptheory.information.estimators.samples import moderate
from deeptheory.information.reading import from_least

_INNER: dict[str, Callable[..., Estimate]] = {"wkl": weighted_information, "ksg": ksg}


def _numbers(name: str, value: Any) -> np.ndarray:
    """[n, ...] of numbers of any dtype. InputError: one number, text, objects."""
    a = as_numbers(value)
    if a.ndim == 0:
        raise InputError(f"{name} is one {type(value).__name__}; needed: [n, ...], one row per sample")
    return from_least(a.reshape(len(a), -1)).reshape(a.shape) if a.dtype.kind in "iu" and a.size else a


def compressed(
    x: Any,
    y: Any,
    *,
    dims: int = 4,
    how: Any = "pca",
    inner: Literal["wkl", "ksg"] = "wkl",
    k: int = 5,
    seed: int = 0,
    spread: bool = True,
) -> Estimate:
    """I(E(X); E'(Y)) in bits, x and y [n, ...] of any shape, each compressed to `dims` numbers.

    how: a name in COMPRESSORS ("pca", "autoencoder") or a function (samples [n, d], dims, seed) -> [n, dims]; a pair
    of them for x and y apart. A variable of at most `dims` columns is left as it is; columns of a code that are
    constant are left out. inner: the estimator of the codes' information, "wkl" or "ksg", with k neighbors. spread:
    as for "wkl". InputError: unpaired or constant samples, NaN, an unknown name."""
    a, b = (_numbers(name, v) for name, v in (("x", x), ("y", y)))
    if len(a) != len(b):
        raise InputError(f"y has {len(b)} rows, x has {len(a)}; they are paired samples, so both need the same n")
    check_finite(x=a, y=b)
    pair = how if isinstance(how, tuple | list) else (how, how)
    if len(pair) != 2:
        raise InputError(f"how names {len(pair)} compressors; one for both, or a pair")
    codes = [_living(compressed_to(v, dims, h, seed), name, v) for v, h, name in zip((a, b), pair, "xy")]
    got = pick(_INNER, inner, what="inner estimator")(
        codes[0], codes[1], k=k, seed=seed, **({"spread": spread} if inner == "wkl" else {})
    )
    said = " and ".join(dict.fromkeys(h if isinstance(h, str) else getattr(h, "__name__", "custom") for h in pair))
    fewer = any(c.shape[1] < v[0].size for c, v in zip(codes, (a, b)))
    notes = got.notes
    if fewer:
        notes = ("the information of the codes, which is at most that of the variables", *notes)
    method = f"compressed to {codes[0].shape[1]} and {codes[1].shape[1]} numbers by {said}; {got.method}"
    return Estimate(
        value=got.value,
        low=got.low,
        high=got.high,
        method=method,
        direction="lower" if fewer else got.direction,
        notes=notes,
    )


def _living(code: np.ndarray, name: str, given: np.ndarray) -> np.ndarray:
    """Code columns that vary; below a billionth of the largest they are what compressing left of nothing. A variable
    that was left as it is has columns in units of their own."""
    left = code.shape[1] == given[0].size
    scaled = moderate(code) if left else near_one(code)
    spread = scaled.std(0)  # of numbers of the order of 1, whose squares stay in float64
    kept = (spread > (1e-15 if left else 1e-9 * spread.max(initial=0.0))) & (code.max(0) > code.min(0))
    if not kept.any():
        raise InputError(f"{name} is constant; it has no information to share")
    return code[:, kept]
