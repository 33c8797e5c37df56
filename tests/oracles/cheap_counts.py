"""Counts the slow way: derivatives by sympy, ranks over the rationals, networks as lists of weights."""

import itertools
from fractions import Fraction

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
    matrix = [[sympy.Rational(1) * sympy.prod([sympy.Integer(a) ** s for a, s in zip(unit, S)]) for unit in units] for S in rows]  # fmt: skip
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
