"""Waring ranks: how few d-th powers of linear forms add up to a form of degree d.

Source: Sylvester 1851 for two variables, as told by Comon & Ottaviani 2012, "On the typical rank of real binary forms".
With f = sum_i C(d, i) a_i x^(d-i) y^i, a form g of degree r, with coefficients g_j, annihilates f where
sum_j a_(i+j) g_j = 0 for all i; f is a sum of the powers of the r linear forms that g's roots name exactly where such a
g has r different roots. Weights are real, so that an upper bound asks for real roots; the lower bound is that over the
complex numbers. Pitfalls: x^d is one power, whatever a finite difference would take for it; a and 2a are one unit.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import comb, gcd
from typing import TYPE_CHECKING

from deeptheory.cheap.expressions import Exponents, Terms

if TYPE_CHECKING:
    import sympy

_TRIED = 8  # members of a pencil are p g + q h, p and q up to this


def power_units(monomials: Sequence[Exponents]) -> int:
    """Powers of linear forms that central differences of these monomials take: directions, each once."""
    found: set[Exponents] = set()
    for powers in monomials:
        if sum(p > 0 for p in powers) == 1:
            found.add(tuple(int(p > 0) for p in powers))
        else:
            found.update(_direction(a) for a in product(*(range(-r, r + 1, 2) for r in powers)) if any(a))
    return len(found)


def _direction(a: Exponents) -> Exponents:
    """The same up to a factor: no common divisor, the first number that is not 0 above 0."""
    lead = next(v for v in a if v)
    return tuple(v // gcd(*a) * (1 if lead > 0 else -1) for v in a)


def binary_rank(terms: Terms) -> tuple[int, int, str]:
    """Least and most powers that a form in two variables takes, and why. It has to need both variables."""
    d = sum(next(iter(terms)))
    if _real_roots([terms.get((d - i, i), Fraction(0)) for i in range(d + 1)]) == d:
        return d, d, f"it has {d} different real roots and so takes {d} real powers (Causa & Re 2011)"
    a = [terms.get((d - i, i), Fraction(0)) / comb(d, i) for i in range(d + 1)]
    kernels = ((r, _kernel([a[i : i + r + 1] for i in range(d - r + 1)])) for r in range(1, d + 1))
    r, kernel = next((r, k) for r, k in kernels if k)
    seen = [kernel[0]] if len(kernel) == 1 else list(_pencil(kernel))
    if any(_real_roots(g) == r for g in seen):
        return (
            r,
            r,
            f"a form of degree {r} annihilates it, none of lower degree does, "
            f"and it has {r} different real roots (Sylvester)",
        )
    if len(kernel) == 1 and not _simple(kernel[0]):
        return (
            d + 2 - r,
            d,
            f"the one form of degree {r} that annihilates it has a root twice, so that it takes {d + 2 - r} powers "
            f"(Sylvester), and {d} real ones always do",
        )
    return r, d, f"no form of a degree below {r} annihilates it (Sylvester), and {d} real powers always do"


def _pencil(kernel: Sequence[Sequence[Fraction]]) -> Iterator[list[Fraction]]:
    """Forms that the first two span."""
    g, h = kernel[:2]
    for p, q in product(range(-_TRIED, _TRIED + 1), range(_TRIED + 1)):
        if gcd(p, q) == 1:
            yield [p * u + q * v for u, v in zip(g, h)]


def _real_roots(form: Sequence[Fraction]) -> int:
    """Different real roots of sum_j g_j x^(r-j) y^j on the projective line; 0 where one is met twice."""
    if not _simple(form):
        return 0
    return int(_affine(form).count_roots()) + (form[0] == 0)


def _simple(form: Sequence[Fraction]) -> bool:
    p = _affine(form)
    if len(form) - 1 - p.degree() > 1:  # the root at infinity, y = 0, is met more than once
        return False
    return p.degree() < 1 or p.gcd(p.diff()).degree() == 0


def _affine(form: Sequence[Fraction]) -> "sympy.Poly":
    import sympy

    return sympy.Poly([sympy.Rational(c.numerator, c.denominator) for c in form], sympy.Symbol("t"))


def _kernel(rows: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """A basis of the vectors that all rows annihilate, over the rationals."""
    m, pivots = [list(r) for r in rows], []
    width = len(m[0])
    for c in range(width):
        k = next((i for i in range(len(pivots), len(m)) if m[i][c]), None)
        if k is None:
            continue
        at = len(pivots)
        m[at], m[k] = m[k], m[at]
        m[at] = [v / m[at][c] for v in m[at]]
        for i in range(len(m)):
            if i != at and m[i][c]:
                m[i] = [v - m[i][c] * w for v, w in zip(m[i], m[at])]
        pivots.append(c)
    out = []
    for free in (c for c in range(width) if c not in pivots):
        v = [Fraction(0)] * width
        v[free] = Fraction(1)
        for row, p in zip(m, pivots):
            v[p] = -row[free]
        out.append(v)
    return out
