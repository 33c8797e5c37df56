"""The integers of a gate: which sums of the inputs its units see, and with which signs they are added up.

Mixed central difference: for the monomial prod_i x_i^r_i, units see a . x with a_i in {-r_i, -r_i + 2, ..., r_i} and
are weighted by prod_i (-1)^((r_i - a_i)/2) C(r_i, (r_i - a_i)/2): sum_a m_a (a . x)^k vanishes below k = d = sum_i r_i
and is 2^d d! prod_i x_i^r_i at k = d (Lin, Tegmark & Rolnick 2017, appendix A; merged copies: Rolnick & Tegmark 2018,
theorem 4.1). The unit a = 0 is a constant and goes to the output's bias. An activation even or odd about its bias gives
units a and -a one value, up to its sign: half of them are enough.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import comb

import numpy as np


@dataclass(frozen=True, eq=False)
class Stencil:
    """units: [m, n] integers. signs: [m] integers. constant: the sign of the unit that sees nothing. degree:
    of it all."""

    exponents: tuple[int, ...]
    units: np.ndarray
    signs: np.ndarray
    constant: int
    degree: int

    @property
    def bits(self) -> int:
        """How many bits the odd part of the largest sign takes: so many a weight must spare to hold them exactly."""
        return max((abs(int(s)) >> ((abs(int(s)) & -abs(int(s))).bit_length() - 1)).bit_length() for s in self.signs)


@lru_cache(maxsize=512)
def stencil(exponents: tuple[int, ...], parity: int = 0) -> Stencil:
    """The stencil of a monomial; exponents: 1 or more each. parity: of the activation about its bias, 0 for none."""
    degree = sum(exponents)
    axes = [[(r - 2 * k, (-1) ** k * comb(r, k)) for k in range(r + 1)] for r in exponents]
    units, signs, constant = [], [], 0
    for point in product(*axes):
        a = tuple(p[0] for p in point)
        sign = int(np.prod([p[1] for p in point], dtype=object))
        lead = next((v for v in a if v), 0)
        if lead == 0:
            constant += sign
            continue
        if parity:
            if lead < 0:
                continue
            sign *= 1 + parity * (-1) ** degree  # the sign of -a is (-1)^d times that of a
        if sign:
            units.append(a)
            signs.append(sign)
    return Stencil(
        exponents,
        np.array(units, dtype=np.int64).reshape(-1, len(exponents)),
        np.array(signs, dtype=object),
        constant,
        degree,
    )
