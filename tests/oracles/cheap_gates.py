"""Gates as the papers write them: sums over signs, in mpmath with 50 digits, no helper shared."""

import itertools
import math

import mpmath

mpmath.mp.dps = 50

TRUE = {
    "silu": lambda z: z / (1 + mpmath.exp(-z)),
    "gelu": lambda z: z * mpmath.ncdf(z),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "tanh": mpmath.tanh,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "exp": mpmath.exp,
    "cos": mpmath.cos,
    "sin": mpmath.sin,
}


def derivative(name, order, z):
    """By finite differences of 50 digits, of order 40 in the step."""
    return mpmath.diff(TRUE[name], mpmath.mpf(z), order) if order else TRUE[name](mpmath.mpf(z))


def product_of_two(name, b, scale, u, v):
    """Lin, Tegmark & Rolnick 2017, eq. 11, inputs scaled by the scale and the output by its square."""
    s, l = TRUE[name], mpmath.mpf(scale)
    b, u, v = mpmath.mpf(b), mpmath.mpf(u), mpmath.mpf(v)
    four = s(b + l * (u + v)) + s(b - l * (u + v)) - s(b + l * (u - v)) - s(b - l * (u - v))
    return four / (4 * derivative(name, 2, b) * l**2)


def monomial(name, b, scale, exponents, x):
    """Appendix A: a sum over all sign patterns of the factors, every copy of a variable a factor of its own."""
    factors = [mpmath.mpf(float(v)) for v, r in zip(x, exponents) for _ in range(r)]
    total = mpmath.mpf(0)
    for signs in itertools.product((1, -1), repeat=len(factors)):
        inner = mpmath.mpf(b) + sum(mpmath.mpf(scale) * s * f for s, f in zip(signs, factors))
        total += math.prod(signs) * TRUE[name](inner)
    d = len(factors)
    return total / (2**d * derivative(name, d, b) * mpmath.mpf(scale) ** d)


def sign_sum(exponents, x, power):
    """Sum over sign patterns of (product of signs) (signs . factors)^power, in integers."""
    factors = [v for v, r in zip(x, exponents) for _ in range(r)]
    total = 0
    for signs in itertools.product((1, -1), repeat=len(factors)):
        total += math.prod(signs) * sum(s * f for s, f in zip(signs, factors)) ** power
    return total
