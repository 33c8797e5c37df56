"""What came of a hostile value, and whether that may be.

`faults(call)` gives a sentence for every change of one argument (hostile_values.py) that ends otherwise than it may. It
may end in an error of deeptheory's own, in finite numbers, or in NaN and infinity where the docstring speaks of them or
the result has a note. It may not end in an error of numpy, torch or Python, in numbers made from what lies under a
mask, from integers that wrapped around, from NaN passed over, from rows paired with one row, or with an argument
changed.
"""

import dataclasses
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from deeptheory.core.errors import DeeptheoryError
from trials.hostile_values import Call, Change, changes, is_array, on_host

LIMIT = 5.0  # seconds of the processor a call


class TooLong(BaseException):
    pass


def _late(*_: object) -> None:
    raise TooLong


@dataclass(frozen=True)
class Outcome:
    """kind: "value", "refused", "raw" or "hang"; warned: the first warning of numpy or torch."""

    kind: str
    numbers: tuple[tuple[str, np.ndarray], ...] = ()
    noted: bool = False
    said: str = ""
    warned: str = ""
    spoken: str = ""  # docstrings of the result's class


def outcome(call: Call, changed: Mapping[Any, Any], limit: float = LIMIT) -> Outcome:
    signal.signal(signal.SIGPROF, _late)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        signal.setitimer(signal.ITIMER_PROF, limit)
        torch.manual_seed(0)  # of what a constructor draws
        try:
            result = call.run(changed)
            signal.setitimer(signal.ITIMER_PROF, 0)
        except DeeptheoryError as error:
            return Outcome("refused", said=str(error))
        except TooLong:
            return Outcome("hang")
        except Exception as error:
            return Outcome("raw", said=f"{type(error).__name__}: {error}"[:160])
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    warned = [str(w.message) for w in seen if issubclass(w.category, RuntimeWarning)]
    notes: list[str] = []
    numbers = tuple(numbers_of(result, "", notes, 0))
    spoken = "" if type(result).__module__ in ("builtins", "numpy", "torch") else type(result).__doc__ or ""
    return Outcome("value", numbers, bool(notes), "", warned[0][:100] if warned else "", spoken)


def numbers_of(thing: Any, path: str, notes: list[str], depth: int) -> Iterator[tuple[str, np.ndarray]]:
    """Every array of numbers in a result, by its path; what stands in its notes is added to `notes`."""
    if depth > 6 or thing is None or isinstance(thing, str | bytes | type):
        return
    if isinstance(thing, torch.Tensor):
        thing = thing.detach().to(torch.float64 if not thing.is_complex() else torch.complex128).numpy()
    if isinstance(thing, bool | int | float | complex | np.ndarray | np.generic):
        array = np.asarray(thing)
        if array.dtype.kind in "biufc":
            yield path, array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    elif isinstance(thing, pd.DataFrame | pd.Series):
        for name, column in pd.DataFrame(thing).items():
            yield from numbers_of(column.to_numpy(), f"{path}.{name}", notes, depth + 1)
    elif hasattr(thing, "data_vars"):
        for name, column in thing.data_vars.items():
            yield from numbers_of(column.values, f"{path}.{name}", notes, depth + 1)
    elif isinstance(thing, torch.nn.Module):
        yield from numbers_of(dict(thing.state_dict()), path, notes, depth + 1)
    elif dataclasses.is_dataclass(thing):
        for part in dataclasses.fields(thing):
            if part.name == "notes":
                notes += [str(n) for n in getattr(thing, "notes", ())]
            elif part.name == "missing" and getattr(thing, "missing", 0):
                notes.append("values are missing")
            elif not part.name.startswith("_"):
                yield from numbers_of(getattr(thing, part.name), f"{path}.{part.name}", notes, depth + 1)
    elif isinstance(thing, Mapping):
        for name, value in thing.items():
            yield from numbers_of(value, f"{path}.{name}", notes, depth + 1)
    elif isinstance(thing, list | tuple | set | frozenset):
        for k, value in enumerate(thing):
            yield from numbers_of(value, f"{path}[{k}]", notes, depth + 1)


def _copies(changed: Mapping[Any, Any]) -> dict[Any, np.ndarray]:
    return {
        k: np.array(on_host(v), copy=True)
        for k, v in changed.items()
        if is_array(v) and not (isinstance(v, torch.Tensor) and v.dtype == torch.bfloat16)
    }


def _equal(a: Outcome, b: Outcome, within: float) -> bool:
    if len(a.numbers) != len(b.numbers):
        return False
    for (_, u), (_, v) in zip(a.numbers, b.numbers):
        if u.shape != v.shape:
            return False
        with np.errstate(all="ignore"):
            scale = max(1e-12, float(np.max(np.abs(v), initial=0.0, where=np.isfinite(v))))
            close = (np.abs(u - v) <= within * scale) | (u == v) | (np.isnan(u) & np.isnan(v))
        if not close.all():
            return False
    return True


def _bad_numbers(seen: Outcome, usual: Outcome, said: str) -> str:
    """NaN or infinity where the valid call has none, of which neither docstring nor note speaks."""
    clean = {path.rstrip("0123456789[]") for path, v in usual.numbers if np.isnan(v).any() or np.isinf(v).any()}
    for path, v in seen.numbers:
        if path.rstrip("0123456789[]") in clean or seen.noted:
            continue
        if np.isnan(v).any() and "nan" not in said:
            return f"NaN in {path or 'the result'}"
        if np.isinf(v).any() and "inf" not in said.replace("information", ""):
            return f"infinity in {path or 'the result'}"
    return ""


def faults(call: Call, chosen: Callable[[int], bool] = lambda k: True) -> Iterator[tuple[str, str]]:
    """(kind, sentence) for each change that ends as it may not. chosen(k): whether the k-th change is tried."""
    usual = outcome(call, {}, 20 * LIMIT)  # kernels are compiled
    if usual.kind != "value":
        yield "raw", f"the valid call itself: {usual.kind} {usual.said}"
        return
    owner = getattr(call.function, "__self__", None)
    said = f"{call.function.__doc__ or ''} {usual.spoken} {type(owner).__doc__ or ''}".lower()
    for k, change in enumerate(changes(call)):
        if not chosen(k):
            continue
        for kind, text in _tried(call, change, usual, said):
            if kind not in call.free and f"{change.key}:{change.name}" not in call.free:
                yield kind, f"{change.key}, {change.name}: {text}"


def _tried(call: Call, change: Change, usual: Outcome, said: str) -> Iterator[tuple[str, str]]:
    try:
        value = change.value()
    except (TypeError, ValueError, OverflowError):  # the change itself cannot be made of this array
        return
    given = {**call.arguments(), change.key: value}
    before = _copies(given)
    seen = outcome(call, {change.key: value})
    after = _copies(given)
    if any(not np.array_equal(before[k], after[k], equal_nan=before[k].dtype.kind in "fc") for k in before):
        yield "changed", "an argument was changed"
    if seen.kind in ("raw", "hang"):
        yield seen.kind, seen.said
        return
    if seen.kind == "refused":
        return
    if seen.warned:
        yield "warning", seen.warned
    if change.must == "refused":
        yield change.fault, f"taken{' (with a note)' if seen.noted else ''}"
        return
    if bad := _bad_numbers(seen, usual, said):
        yield "nan", bad
    if not change.reference:
        return
    expected = outcome(call, {change.key: change.reference()})
    if change.must == "same" and expected.kind == "value" and not _equal(seen, expected, change.within):
        yield change.fault, "other numbers"
    if change.must == "same" and expected.kind == "refused":
        yield change.fault, f"taken, where the same numbers are refused: {expected.said[:80]}"
    if (
        change.must == "seen"
        and not seen.noted
        and (
            _equal(seen, expected, 0)
            if change.fault == "masked"
            else not any(np.isnan(v).any() for _, v in seen.numbers)
        )
    ):
        yield change.fault, "finite numbers without a note" if change.fault != "masked" else "the mask was passed over"
