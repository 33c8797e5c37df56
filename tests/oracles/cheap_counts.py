"""Counts the slow way: derivatives by sympy, ranks over the rationals, networks as lists of weights."""

import itertools
import math
from fractions import Fraction

import numpy as np
import sympy


def derivative_dimension(expression, order=None):
    """Dimension of the span of all partial derivatives (of one order, or of every order)."""
    symbols = sorted(expression.free_symbols, key=str)
    degree = sympy.Poly(expression, *symbols).total_degree()
    made = []
    for k in range(degree + 1) if order is None else [order]:
        for which in itertools.combinations_with_replacement(symbols, k):
            d = expression
            for s in which:
                d = sympy.diff(d, s)
            made.append(sympy.Poly(d, *symbols).as_dict())
    monomials = sorted({m for d in made for m in d})
    return sympy.Matrix([[d.get(m, 0) for m in monomials] for d in made]).rank()


def moment_matrix_rank(units, exponents):
    """Rank over the rationals of A_{S,j} = prod_i a_ji^S_i, S over all divisors of the monomial (appendix A)."""
    rows = itertools.product(*(range(r + 1) for r in exponents))
    matrix = [
        [sympy.Rational(1) * sympy.prod([sympy.Integer(a) ** s for a, s in zip(unit, S)]) for unit in units]
        for S in rows
    ]
    return sympy.Matrix(matrix).rank()


def moments(units, weights, degree):
    """sum_j c_j prod_i a_ji^T_i for every exponent T up to the degree."""
    n = len(units[0])
    out = {}
    for T in itertools.product(range(degree + 1), repeat=n):
        if sum(T) <= degree:
            total = Fraction(0)
            for a, c in zip(units, weights):
                term = Fraction(c)
                for v, t in zip(a, T):
                    term *= Fraction(v) ** t
                total += term
            out[T] = total
    return out


def best_groups(n, depth):
    """Least neurons to multiply n numbers in exactly that many layers of groups, all partitions into even groups."""
    if n < 2:
        raise ValueError("nothing left to multiply")
    if depth == 1:
        return 2**n
    best = None
    for groups in range(1, n):
        sizes = [n // groups + (k < n % groups) for k in range(groups)]
        try:
            here = sum(2**s for s in sizes) + best_groups(groups, depth - 1)
        except ValueError:
            continue
        best = here if best is None else min(best, here)
    if best is None:
        raise ValueError("more layers than products")
    return best


def cubic_rank(f):
    """Real Waring rank of f[0] x^3 + f[1] x^2 y + f[2] x y^2 + f[3] y^3 by the classical cases of its discriminant.

    A cube takes 1, one real root and two others that are not 2, three different real roots 3, a double root 3.
    """
    a, b, c, d = (Fraction(v) for v in f)
    hessian = (b * b - 3 * a * c, b * c - 9 * a * d, c * c - 3 * b * d)
    if not any(hessian):
        return 1
    discriminant = 18 * a * b * c * d - 4 * b**3 * d + b * b * c * c - 4 * a * c**3 - 27 * a * a * d * d
    return 2 if discriminant < 0 else 3


def powers_miss(f, directions):
    """How far (relative, least squares) a form in two variables is from the span of the powers of linear forms.

    f: coefficients of x^(d-i) y^i. directions: (p, q), standing for (p x + q y)^d.
    """
    d = len(f) - 1
    matrix = np.array([[math.comb(d, i) * p ** (d - i) * q**i for p, q in directions] for i in range(d + 1)], float)
    f = np.array(f, float)
    weights = np.linalg.lstsq(matrix, f, rcond=None)[0]
    return float(np.abs(matrix @ weights - f).max() / np.abs(f).max())
