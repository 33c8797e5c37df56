"""How many parameters does each assumption leave? Exact integers, as in the paper's list.

Source: Lin, Tegmark & Rolnick 2017, section II.D: v^n for any function; (n+d)!/(n! d!) for a polynomial of degree d;
few more than n for local terms; a handful once translations share them; n^2 to the kernel's size for a linear map.
"""

import math
from collections.abc import Sequence

from deeptheory.cheap.hamiltonians.terms import Assumptions
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole, whole_numbers


def parameter_count(
    n: int,
    degree: int | None = None,
    *,
    locality=None,
    symmetry=None,
    levels: int | None = 2,
    shape: Sequence[int] | None = None,
    periodic: bool = False,
    constant: bool = False,
) -> int:
    """Parameters of H over n variables under these assumptions, an exact integer (Lin, Tegmark & Rolnick 2017, II.D).

    degree, locality, symmetry, levels, shape, periodic: see Assumptions. degree None: any degree; without locality and
    symmetry levels^n parameters, the constant included. constant: count the constant term, which the normalization of p
    fixes; the paper counts it for polynomials and for bits.
    InputError: as Assumptions; real variables (levels None) without a degree, which have no finite number.
    """
    if degree is None:
        if levels is None:
            raise InputError("any function of real variables has no finite number of parameters; give a degree")
        check_whole(n=(n, 1), levels=(levels, 2))
        if locality is None and symmetry is None:
            return levels**n - (not constant)
        degree = n
    assumed = Assumptions(
        n=n,
        degree=degree,
        levels=levels,
        locality=locality,
        symmetry=symmetry,
        shape=None if shape is None else tuple(shape),
        periodic=periodic,
    )
    if locality is None and symmetry is None:
        return assumed.count_without_symmetry() - (not constant)
    return len(assumed.orbits()) + constant


def linear_map_count(shape: Sequence[int], locality: int | None = None, *, translation: bool = False) -> int:
    """Free entries of a linear map between two periodic grids of that shape.

    n^2, fewer when local, a kernel when shared (Lin, Tegmark & Rolnick 2017, section II.D).
    shape: sites along each axis. translation: entries that a shift carries into each other are one. locality: largest
    distance along each axis that an entry spans (a square kernel of side 2 locality + 1), None: no limit. InputError: a
    side below 1, a negative locality, one that meets itself around the grid, or no integers.
    """
    sides = whole_numbers("shape", list(shape), least=1).tolist()
    if not sides:
        raise InputError("shape is []; a grid has one side or more")
    check_whole(locality=(0 if locality is None else locality, None))
    if locality is not None and (locality < 0 or 2 * locality + 1 > min(sides)):
        raise InputError(f"locality is {locality}; needed: 0 to {(min(sides) - 1) // 2} on this grid")
    offsets = math.prod(sides) if locality is None else (2 * locality + 1) ** len(sides)
    return offsets if translation else offsets * math.prod(sides)
