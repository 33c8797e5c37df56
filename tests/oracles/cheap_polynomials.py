"""True values of formulas, point by point, with mpmath's 40 digits and no compiled code."""

import mpmath
import numpy as np
import sympy


def values(expressions, names, x):
    """[m, outputs] in float64, each correctly rounded; x: [m, n], taken as the exact numbers that they are."""
    context = mpmath.mp.clone()
    context.dps = 40
    f = sympy.lambdify([sympy.Symbol(n) for n in names], list(expressions), modules="mpmath")
    with mpmath.workdps(40):
        return np.array([[float(v) for v in f(*[mpmath.mpf(float(c)) for c in row])] for row in x])
