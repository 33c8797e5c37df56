"""The check at the door: do the arrays handed in fit together, and are their numbers finite?

`check_shapes(u=(u, "B I p"), weight=(weight, "I J q p"))` binds each letter to one size and says which argument broke
it.
"""

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
