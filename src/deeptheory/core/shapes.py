"""Checks of arguments: do the arrays handed in fit together, are their numbers finite, and counts and seeds whole?

`check_shapes(u=(u, "B I p"), weight=(weight, "I J q p"))` binds each letter to one size and says which argument broke
it.
"""

import operator
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_floats, as_numpy, is_torch
from deeptheory.core.errors import InputError

_LARGEST = 2**63 - 1  # of int64


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

    Numbers of Python and numpy; True, 2.0 and "2" are none. Refused, too: tensors, and numpy's integers that are
    narrow or without sign, whose sums and products with others wrap around.
    """
    for name, (value, least) in numbers.items():
        plain = type(value) is int  # torch.compile follows no more than this
        if plain and (least is None or value >= least):
            continue
        kind = value.dtype if isinstance(value, np.integer | np.ndarray) else np.dtype(int)
        if (kind.kind in "iu" and (kind.itemsize < 4 or kind.kind == "u")) or (is_torch(value) and np.ndim(value) == 0):
            raise InputError(f"{name} is {value!r} of {value.dtype}; needed: Python's own integer, int({name})")
        try:
            index = operator.index(value)
            whole = not isinstance(value, bool | np.bool_) and (least is None or index >= least)
        except TypeError:
            whole = False
        if not whole:
            raise InputError(f"{name} is {value!r}; needed: an integer{'' if least is None else f', at least {least}'}")


def generator_of(seed: Any, name: str = "seed") -> np.random.Generator:
    """numpy's generator for a seed: an integer of at least 0, a sequence of such, or a generator itself.

    InputError: anything else, as True, 2.0, "2" or None (numbers that nobody can draw again).
    """
    if isinstance(seed, np.random.Generator):
        return seed
    several = isinstance(seed, list | tuple)
    for part in seed if several else [seed]:
        check_whole(**{name: (part, 0)})
    return np.random.default_rng(seed)


def axis_of(axis: Any, axes: int) -> int:
    """An axis of an array of so many axes, from 0. InputError: no integer, or there is no such axis."""
    check_whole(axis=(axis, None))
    if not -axes <= axis < axes:
        raise InputError(f"axis is {axis}; the array has {axes} axes, numbered from 0")
    return int(axis) % axes


def as_step(step: Any) -> int:
    """A step as an integer; 2.0 is 2. InputError: it is none (2.5, True, "2", NaN)."""
    try:
        whole = not isinstance(step, bool | np.bool_) and int(step) == step
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
        given = np.atleast_1d(labels_array(name, values))
        hidden = isinstance(values, list | tuple) and any(isinstance(v, bool | np.bool_) for v in values)
        right = not hidden and given.ndim == 1 and (given.dtype.kind in "iu" or not given.size)
    except (TypeError, ValueError):
        given, right = np.empty(0), False
    if not right or (given.size and not least <= given.min() <= given.max() <= _LARGEST):
        raise InputError(f"{name} is {str(values)[:60]}; needed: integers, at least {least}")
    return given.astype(np.int64)


def check_real(**numbers: tuple[Any, float]) -> None:
    """InputError naming the first argument that is no finite number above its limit, as in radius=(radius, 0).

    Refused, too: True and False, text, complex numbers, tensors, and integers that float64 cannot hold.
    """
    for name, (value, above) in numbers.items():
        if is_torch(value) and np.ndim(value) == 0:
            raise InputError(f"{name} is {value!r}; needed: Python's own number, float({name})")
        if not (_is_real(value) and above < float(value) < np.inf):
            limit = "" if above == -np.inf else f" above {above:g}"
            raise InputError(f"{name} is {value!r:.60}; needed: a finite number{limit}")


def check_number(**numbers: Any) -> None:
    """InputError naming the first argument that is not one real number of Python or numpy; NaN and infinity are.

    For arguments whose own check says which numbers may be: text, True, complex numbers and tensors never reach it.
    """
    for name, value in numbers.items():
        if is_torch(value) and np.ndim(value) == 0:
            raise InputError(f"{name} is {value!r}; needed: Python's own number, float({name})")
        if not _is_real(value):
            raise InputError(f"{name} is {value!r:.60}; needed: one real number")


def check_within(**numbers: tuple[Any, float, float]) -> None:
    """InputError naming the first argument that is no number from its least to its largest, both ends taken:
    check_within(smoothing=(smoothing, 0, np.inf)). What else is refused: see check_real.
    """
    for name, (value, least, largest) in numbers.items():
        if is_torch(value) and np.ndim(value) == 0:
            raise InputError(f"{name} is {value!r}; needed: Python's own number, float({name})")
        if not (_is_real(value) and least <= float(value) <= largest):
            ends = "a number" if least == -np.inf else f"a number of at least {least:g}"
            ends = ends if largest == np.inf else f"a number from {least:g} to {largest:g}"
            raise InputError(f"{name} is {value!r:.60}; needed: {ends}")


def ends_of(name: str, pair: Any, least: float = -np.inf) -> tuple[float, float]:
    """(low, high) as floats. InputError: not two finite numbers of at least `least`, or the first above the second."""
    try:
        low, high = pair
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is {str(pair)[:60]}; needed: two numbers, the lower first") from error
    check_real(**{f"{name}'s first number": (low, -np.inf), f"{name}'s second number": (high, -np.inf)})
    if not least <= low <= high:
        limit = "" if least == -np.inf else f" from {least:g} on"
        raise InputError(f"{name} is ({low}, {high}); needed: two numbers{limit}, the lower first")
    return float(low), float(high)


def _is_real(value: Any) -> bool:
    """Whether a value is one real number that float64 can hold (NaN is)."""
    if isinstance(value, str | bytes | bool | np.bool_ | complex | np.complexfloating) or np.ndim(value) != 0:
        return False
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def labels_of(name: str, labels: Any, n: int) -> np.ndarray:
    """Labels [n] of any kind, one per row, as an array.

    InputError: another shape, values that cannot be put in order.
    """
    try:
        out = labels_array(name, labels)
        np.unique(out)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name} are labels of several kinds or lengths; needed: [{n}] of one kind ({error})"
        ) from error
    if out.shape != (n,):
        verb = "have" if name.endswith("s") else "has"
        raise InputError(f"{name} {verb} shape {list(out.shape)}; needed: [{n}], one per row")
    return out


def labels_array(name: str, labels: Any) -> np.ndarray:
    """Labels of any kind as an array. InputError: one of them is masked; numpy would hand out what lies under it."""
    if np.ma.is_masked(labels):
        raise InputError(
            f"{name} holds {int(np.ma.getmaskarray(labels).sum())} masked values; leave these rows out of all arrays"
        )
    return as_numpy(labels)


def check_finite(**arrays: Any) -> None:
    """InputError naming the first array that holds NaN, infinity or masked values, how many, and where the first is."""
    for name, array in arrays.items():
        if array is None:
            continue
        if np.ma.is_masked(array):
            raise InputError(f"{name} masks {int(np.ma.getmaskarray(array).sum())} values; remove or replace them")
        if is_torch(array):
            bad = ~array.isfinite() if array.is_floating_point() else None
            where = None if bad is None or not bool(bad.any()) else bad.nonzero()[0].tolist()
        else:
            array = np.asarray(array)
            if array.dtype == object and not any(isinstance(v, str | bytes) for v in array.flat):
                array = as_floats(array)  # pandas' missing values become NaN
            bad = ~np.isfinite(array) if array.dtype.kind in "fc" else None
            where = None if bad is None or not bad.any() else np.argwhere(bad)[0].tolist()
        if where is not None and bad is not None:
            count = f"{int(bad.sum())} values that are NaN or infinite"
            raise InputError(f"{name} holds {count}, the first at {where}; remove or replace them")


def finite_floats(name: str, x: Any) -> np.ndarray:
    """x as float64 of its own shape. InputError: no real numbers (text, dates, complex), or NaN, infinite or masked."""
    try:
        array = as_floats(x)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    check_finite(**{name: array})
    return array


def codes_of(labels: Any) -> np.ndarray:
    """labels of any kind [n] as integers 0, 1, ... [n], int64, in order of first appearance.

    Two labelings of the same partition in the same order of rows give the same codes. NaN are one label. Objects (mixed
    kinds) are compared as text, so that 1 and "1" are one label. InputError: one of them is masked, or there is one
    value and no row of them.
    """
    given = labels_array("labels", labels)
    if given.ndim == 0:
        raise InputError(f"labels are {labels!r:.60}; needed: [n], one per row")
    given = given.astype(str) if given.dtype == object else given
    _, first, inverse = np.unique(given, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.ravel()]
