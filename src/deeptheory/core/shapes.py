"""Checks of arguments: do the arrays handed in fit together, are their numbers finite, and counts and seeds whole?

`check_shapes(u=(u, "B I p"), weight=(weight, "I J q p"))` binds each letter to one size and says which argument broke
it.
"""

import operator
from typing import Any

import numpy as np

from deeptheory.core.arrays import is_torch
from deeptheory.core.errors import InputError


def check_shapes(**arguments: tuple[Any, str]) -> dict[str, int]:
    """Sizes by letter, after checking every array against its pattern.

    Each argument is (array, pattern); a pattern is letters (bound to one size over all arguments) or numbers, apart by
    blanks; a leading `...` lets any axes stand before; an array that is None is passed over.
    InputError: another number of axes, or a size that disagrees.
    """
    sizes: dict[str, int] = {}
    bound_by: dict[str, str] = {}
    for name, (array, pattern) in arguments.items():
        if array is None:
            continue
        shape = tuple(getattr(array, "shape", np.shape(array)))
        open_front = pattern.startswith("...")
        axes = pattern.removeprefix("...").split()
        tail = shape[max(0, len(shape) - len(axes)) :] if open_front else shape
        if len(tail) != len(axes):
            raise InputError(f"{name} has shape {list(shape)}; it needs {len(axes)} axes, [{', '.join(axes)}]")
        for axis, size in zip(axes, tail):
            seen = (
                int(size) if isinstance(size, np.integer) else size
            )  # torch.export's symbol stays one: int() would fix it
            expected = int(axis) if axis.isdigit() else sizes.setdefault(axis, seen)
            if expected != size:
                other = f" from {bound_by[axis]}" if axis in bound_by else ""
                read_as = f"{name} has shape {list(shape)}, read as [{', '.join(axes)}]"
                raise InputError(f"{read_as}; {axis} is {size} here and {expected}{other}")
            bound_by.setdefault(axis, name)
    return sizes


def check_whole(**numbers: tuple[Any, int | None]) -> None:
    """InputError naming the first argument that is not an integer, or below its least (None: any):
    check_whole(seed=(seed, 0), folds=(folds, 2)).

    Numbers of Python and numpy, and tensors of one integer; True, 2.0 and "2" are none.
    """
    for name, (value, least) in numbers.items():
        try:
            index = operator.index(value)
            whole = not isinstance(value, bool | np.bool_) and (least is None or index >= least)
        except TypeError:
            whole = False
        if not whole:
            raise InputError(f"{name} is {value!r}; needed: an integer{'' if least is None else f', at least {least}'}")


def as_step(step: Any) -> int:
    """A step as an integer; 2.0 is 2. InputError: it is none (2.5, "2", NaN)."""
    try:
        whole = int(step) == step
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise InputError(f"step is {step!r}; needed: an integer (of epochs, or of optimizer steps)")
    return int(step)


def whole_numbers(name: str, values: Any, least: int = 0) -> np.ndarray:
    """One or several integers as int64 [k].

    InputError: others (2.5 is not cut to 2), True and False, one below `least`.
    """
    try:
        given = np.atleast_1d(np.asarray(values.detach().cpu() if is_torch(values) else values))
        right = given.ndim == 1 and (given.dtype.kind in "iu" or not given.size)
    except (TypeError, ValueError):
        given, right = np.empty(0), False
    if not right or (given.size and given.min() < least):
        raise InputError(f"{name} is {str(values)[:60]}; needed: integers, at least {least}")
    return given.astype(np.int64)


def check_real(**numbers: tuple[Any, float]) -> None:
    """InputError naming the first argument that is no finite number above its limit, as in radius=(radius, 0)."""
    for name, (value, above) in numbers.items():
        try:
            right = not isinstance(value, str | bytes | bool) and np.ndim(value) == 0 and above < float(value) < np.inf
        except (TypeError, ValueError):
            right = False
        if not right:
            limit = "" if above == -np.inf else f" above {above:g}"
            raise InputError(f"{name} is {value!r}; needed: a finite number{limit}")


def labels_of(name: str, labels: Any, n: int) -> np.ndarray:
    """Labels [n] of any kind, one per row, as an array.

    InputError: another shape, values that cannot be put in order.
    """
    try:
        out = np.asarray(labels.detach().cpu() if is_torch(labels) else labels)
        np.unique(out)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name} are labels of several kinds or lengths; needed: [{n}] of one kind ({error})"
        ) from error
    if out.shape != (n,):
        verb = "have" if name.endswith("s") else "has"
        raise InputError(f"{name} {verb} shape {list(out.shape)}; needed: [{n}], one per row")
    return out


def check_finite(**arrays: Any) -> None:
    """InputError naming the first array that holds NaN or infinity, how many, and where the first one stands."""
    for name, array in arrays.items():
        if array is None:
            continue
        if is_torch(array):
            bad = ~array.isfinite() if array.is_floating_point() else None
            where = None if bad is None or not bool(bad.any()) else bad.nonzero()[0].tolist()
        else:
            array = np.asarray(array)
            bad = ~np.isfinite(array) if array.dtype.kind in "fc" else None
            where = None if bad is None or not bad.any() else np.argwhere(bad)[0].tolist()
        if where is not None and bad is not None:
            count = f"{int(bad.sum())} values that are NaN or infinite"
            raise InputError(f"{name} holds {count}, the first at {where}; remove or replace them")


def codes_of(labels: Any) -> np.ndarray:
    """labels of any kind [n] as integers 0, 1, ... [n], int64, in order of first appearance.

    Two labelings of the same partition in the same order of rows give the same codes. NaN are one label. Objects (mixed
    kinds) are compared as text, so that 1 and "1" are one label.
    """
    given = np.asarray(labels.detach().cpu() if is_torch(labels) else labels)
    given = given.astype(str) if given.dtype == object else given
    _, first, inverse = np.unique(given, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.ravel()]
