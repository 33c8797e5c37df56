"""Hostile values made from one valid call: each argument in turn becomes what a user might hand in by mistake.

What may come of each is said in hostile_outcomes.py.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch


@dataclass(frozen=True)
class Call:
    """A valid call. free: kinds of fault, or "argument:change", that are none here, each with its reason."""

    function: Callable
    args: tuple = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()  # arguments whose values are names: words, booleans and NaN may be taken
    free: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> dict[Any, Any]:
        return {**dict(enumerate(self.args)), **self.kwargs}

    def run(self, changed: Mapping[Any, Any]) -> Any:
        given = {**self.arguments(), **changed}
        return self.function(*(given[k] for k in range(len(self.args))), **{k: given[k] for k in self.kwargs})


@dataclass(frozen=True)
class Change:
    """One argument changed. must: "same" as `reference` or refused; "refused"; "seen" (refused, or other numbers than
    those of `reference`, or NaN, or a note); "" (anything that may be)."""

    key: Any
    name: str
    value: Callable[[], Any]
    must: str = ""
    reference: Callable[[], Any] | None = None
    within: float = 1e-6
    fault: str = "taken"


def changes(call: Call) -> Iterator[Change]:
    arguments = call.arguments()
    arrays = {k: len(v) for k, v in arguments.items() if is_array(v) and np.ndim(on_host(v)) > 0}
    for key, value in arguments.items():
        if isinstance(value, bool) or value is None or isinstance(value, str):
            continue
        if is_array(value):
            mates = (
                [k for k, n in arrays.items() if k != key and n == len(value) and n > 3]
                if np.ndim(on_host(value))
                else []
            )
            yield from _of_array(key, value, bool(mates), str(key) in call.labels)
        elif isinstance(value, int):
            yield from _of_int(key, value)
        elif isinstance(value, float):
            yield from _of_float(key, value)
        elif isinstance(value, list | tuple) and value and all(isinstance(v, int | float) for v in value):
            yield from _of_several(key, value)
        elif isinstance(value, list | tuple) and value and is_array(value[0]):
            for one in _of_array(key, value[0], False, str(key) in call.labels):
                yield replace(
                    one,
                    value=partial(_first, one.value, value),
                    reference=one.reference and partial(_first, one.reference, value),
                )


def _first(make: Callable[[], Any], several: Any) -> Any:
    return type(several)([make(), *several[1:]])


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | torch.Tensor)


def on_host(x: Any) -> np.ndarray:
    return x.detach().numpy() if isinstance(x, torch.Tensor) else x


def _of_int(key: Any, v: int) -> Iterator[Change]:
    for kind in (np.int64, np.uint8, np.int8, torch.tensor):
        if -100 < v < 100 and not (v < 0 and kind is np.uint8):
            yield Change(key, f"{kind.__name__}({v})", partial(kind, v), "same", lambda: v, fault="differs")
    yield Change(key, f"{v}.0", lambda: float(v), "same", lambda: v, fault="differs")
    for bad in (v + 0.5, True, str(v), float("nan"), float("inf"), [v], (v + 0j), object()):
        yield Change(key, f"{bad!r:.20}", lambda bad=bad: bad, "refused")
    for odd in (-1, -(10**30), 0):
        yield Change(key, str(odd), lambda odd=odd: odd)


def _of_float(key: Any, v: float) -> Iterator[Change]:
    for kind in (np.float64, np.float32, torch.tensor):
        yield Change(key, f"{kind.__name__}({v})", partial(kind, v), "same", lambda: v, 1e-4, fault="differs")
    for bad in (True, str(v), [v, v], v + 1j, object()):
        yield Change(key, f"{bad!r:.20}", lambda bad=bad: bad, "refused")
    yield Change(key, "nan", lambda: float("nan"), "seen", lambda: v, fault="swallowed")
    for odd in (float("inf"), float("-inf"), -v, 0.0, -0.0, 1e300, 5e-324, 10**400):
        yield Change(key, f"{odd!r:.20}", lambda odd=odd: odd)


def _of_several(key: Any, v: Any) -> Iterator[Change]:
    kind, whole = type(v), all(isinstance(e, int) for e in v)
    yield Change(key, "as an array", lambda: np.asarray(v), "same", lambda: v, fault="differs")
    for bad in [float("nan"), "a", *([True, v[0] + 0.5] if whole else [])]:
        yield Change(key, f"first {bad!r}", lambda bad=bad: kind([bad, *v[1:]]), "seen", lambda: v)
    for odd in (float("inf"), -1, 0, 1e300):
        yield Change(key, f"first {odd!r}", lambda odd=odd: kind([odd, *v[1:]]))
    yield Change(key, "none of them", lambda: kind())
    yield Change(key, "nested", lambda: kind([list(v), list(v)]), "refused")


def _of_array(key: Any, x: Any, paired: bool, labels: bool) -> Iterator[Change]:
    """All changes of one array; each starts from a copy of it."""
    tensor = isinstance(x, torch.Tensor)
    host = np.array(on_host(x))
    again = (lambda a: torch.as_tensor(np.array(a))) if tensor else (lambda a: a)
    floats, axes = host.dtype.kind == "f", host.ndim

    def same(name, make, within=1e-6):
        return Change(key, name, make, "same", lambda: x, within, "differs")

    # --- the same numbers, in another form
    yield same("Fortran order", lambda: again(np.asfortranarray(host)))
    spread = np.zeros((*host.shape[:-1], 2 * host.shape[-1]), host.dtype) if axes else host
    if axes:
        spread[..., ::2] = host
        yield same("every second", lambda: torch.as_tensor(spread)[..., ::2] if tensor else spread[..., ::2])
        yield same("backwards twice", lambda: again(host[::-1].copy()[::-1]))
    yield same("read-only", lambda: again(_locked(host)))
    yield same("another byte order", lambda: again(host) if tensor else host.astype(host.dtype.newbyteorder(">")))
    yield same("list", lambda: host.tolist())
    yield same("the other library", lambda: host if tensor else torch.as_tensor(host))
    yield same("masked nowhere", lambda: np.ma.array(host, mask=False))
    yield same("objects", lambda: host.astype(object))
    if floats:
        yield same("a tensor with gradient", lambda: torch.as_tensor(host).requires_grad_())
        yield same("longdouble", lambda: host.astype(np.longdouble))
    if axes in (1, 2):
        yield same("pandas", lambda: pd.Series(host) if axes == 1 else pd.DataFrame(host))
    if axes == 2:
        from scipy.sparse import csr_array

        yield same("sparse", lambda: csr_array(host))
    # --- other dtypes of the same numbers
    small = _small_whole(host)
    base = again(small.astype(host.dtype if not floats else np.int64))
    for kind in (np.uint8, np.int8, np.uint16, np.int32, np.uint64):
        yield Change(key, f"{kind.__name__} of whole numbers", lambda k=kind: again(small.astype(k)), "same",
                     lambda: base, 1e-5, "differs")  # fmt: skip
    if floats:
        halves = again(small.astype(host.dtype) / 8)
        for kind in (torch.float16, torch.bfloat16):
            yield Change(key, str(kind)[6:], lambda k=kind: torch.as_tensor(small / 8).to(k), "same", lambda: halves,
                         0.05, "differs")  # fmt: skip
        yield Change(
            key, "numpy float16", lambda: (small / 8).astype(np.float16), "same", lambda: halves, 0.05, "differs"
        )
    if not labels:
        yield Change(key, "complex", lambda: again(host + 1j), "refused")
        yield Change(key, "text", lambda: host.astype(str), "refused")
        yield Change(key, "dates", lambda: host.astype("datetime64[s]"), "refused")
    yield Change(key, "booleans", lambda: again(host > np.median(host)))
    yield Change(key, "None", lambda: None)
    yield Change(key, "an object", object, "refused")
    if not axes:
        return
    # --- what is masked
    first = (0,) * axes
    outlier = host.copy()
    outlier[first] = host[(-1,) * axes] if labels or not floats else 50 * (np.abs(host).max() + 1)
    mask = np.zeros(host.shape, bool)
    mask[first] = True
    yield Change(
        key, "one masked", lambda: np.ma.array(outlier, mask=mask), "seen", lambda: again(outlier), 0, "masked"
    )
    # --- values
    if floats:
        for name, value in (("NaN", np.nan), ("inf", np.inf), ("-inf", -np.inf)):
            one = host.copy()
            one[first] = value
            yield Change(
                key,
                f"one {name}",
                lambda one=one: again(one),
                *(("seen", lambda: x, 0, "swallowed") if name == "NaN" else ("",)),
            )
        whole = host.copy()
        whole[...] = np.nan
        yield Change(key, "all NaN", lambda: again(whole), "seen", lambda: x, 0, "swallowed")
        for factor in (1e200, 1e-200, 1e30, -1.0):
            with np.errstate(over="ignore"):
                scaled = (host * factor).astype(host.dtype)
            yield Change(key, f"times {factor:g}", lambda s=scaled: again(s))
        yield Change(key, "plus 1e8", lambda: again(host + host.dtype.type(1e8)))
    yield Change(key, "all zero", lambda: again(np.zeros_like(host)))
    if axes > 1:
        column = host.copy()
        column[..., 0] = host.flat[0]
        yield Change(key, "a constant column", lambda: again(column))
        twice = host.copy()
        twice[..., 0] = host[..., -1]
        yield Change(key, "a column twice", lambda: again(twice))
    row = np.repeat(host[:1], len(host), 0)
    yield Change(key, "all rows alike", lambda: again(row))
    # --- shapes
    yield Change(key, "no rows", lambda: again(host[:0]), "refused" if paired else "", fault="broadcast")
    yield Change(key, "one row", lambda: again(host[:1]), "refused" if paired else "", fault="broadcast")
    yield Change(key, "two rows", lambda: again(host[:2]), "refused" if paired else "", fault="broadcast")
    yield Change(key, "a row less", lambda: again(host[:-1]), "refused" if paired else "", fault="broadcast")
    yield Change(key, "a row alone", lambda: again(host[0]))
    yield Change(key, "an axis in front", lambda: again(host[None]))
    yield Change(key, "an axis behind", lambda: again(host[..., None]))
    yield Change(key, "one number", lambda: again(np.array(host[first])))
    yield Change(key, "a bare number", lambda: host[first].item())
    if axes > 1:
        yield Change(key, "no columns", lambda: again(host[..., :0]))
        yield Change(key, "one column", lambda: again(host[..., :1]))
        yield Change(key, "a column less", lambda: again(host[..., :-1]))
        yield Change(
            key,
            "flat",
            lambda: again(host.ravel()),
            "refused" if paired and host.shape[1:] != (1,) else "",
            fault="broadcast",
        )
        yield Change(key, "turned", lambda: again(np.ascontiguousarray(np.swapaxes(host, 0, 1))))


def _locked(x: np.ndarray) -> np.ndarray:
    out = x.copy()
    out.flags.writeable = False
    return out


def _small_whole(x: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 to 120 in the order of x, whose squares and sums leave 8 bits; integers as they are."""
    if x.dtype.kind in "iub":
        return x if x.size == 0 or (x.min() >= 0 and x.max() <= 120) else np.abs(x) % 121
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    return np.round((x - low) / (high - low or 1) * 120)
