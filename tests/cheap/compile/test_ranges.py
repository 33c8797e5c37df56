"""Bounds of formulas on boxes, and formulas rewritten so that they can be expanded."""

import numpy as np
import pytest
import sympy
import torch

from deeptheory.cheap import compile_polynomial
from deeptheory.cheap.compile.ranges import repeats, span
from deeptheory.cheap.compile.rewriting import simplified
from deeptheory.core.errors import InputError
from oracles import cheap_polynomials as oracle

X, Y, S, T = sympy.symbols("x y s t")
C = sympy.cos(S - T)


def sampled(expression, box, points=20_000):
    names = sorted(str(s) for s in expression.free_symbols)
    low, high = zip(*box)
    rng = np.random.default_rng(0)
    x = rng.uniform(low, high, (points, len(names)))
    x[:1000] = np.where(rng.random((1000, len(names))) < 0.5, low, high)  # corners
    f = sympy.lambdify(sympy.symbols(names), expression, "numpy")
    return f(*x.T)


@pytest.mark.parametrize(("expression", "box"), [
    (X**2 - X, [(0, 1)]),
    (X - X**3, [(-2, 2)]),
    (X / (X + Y), [(1, 5), (1, 5)]),
    (X**2 + Y**2 - 2 * X * Y * C / 3, [(1, 2)] * 4),
    (sympy.exp(X) * sympy.sin(3 * X) - sympy.log(X + 2) * X, [(-1, 2)]),
    (sympy.tanh(X) + sympy.atan(X * Y) - sympy.sinh(Y) * X, [(-1, 2), (-2, 1)]),
    (sympy.sqrt(X + 1) - X ** sympy.Rational(3, 2) / 4 + 1 / (X + 1) ** 2, [(0, 3)]),
    (X**4 - 3 * X**2 + X, [(-2, 2)]),
    (sympy.cos(X) ** 2 + sympy.sin(X) ** 2, [(-9, 9)]),
])  # fmt: skip
def test_bounds_hold_and_are_close(expression, box):
    names = tuple(sorted(str(s) for s in expression.free_symbols))
    low, high = span(expression, names, tuple((float(a), float(b)) for a, b in box))
    seen = sampled(expression, box)
    assert low <= seen.min() <= seen.max() <= high
    width = max(seen.max() - seen.min(), 1e-3)
    assert high - low <= 1.15 * width + 0.02 * len(names)
    assert repeats(expression)


def test_what_has_no_bounds_says_so():
    assert span(1 / X, ("x",), ((-1.0, 1.0),)) == (-np.inf, np.inf)
    assert span(sympy.log(X) - X, ("x",), ((-1.0, 1.0),)) == (-np.inf, np.inf)
    assert span(sympy.sqrt(X) - X, ("x",), ((-1.0, 1.0),)) == (-np.inf, np.inf)
    assert span(sympy.gamma(X) - X, ("x",), ((-1.0, 1.0),)) == (-np.inf, np.inf)  # no interval form here
    assert span(X + Y, ("x", "y", "z"), ((0.0, 1.0), (2.0, 3.0), (0.0, 9.0))) == pytest.approx((2, 4))
    assert not repeats(X * Y + 1)


def test_terms_that_belong_together_are_seen_together():
    """Interval arithmetic alone gives the radicand [-0.67, 10.7] and would refuse."""
    network = compile_polynomial("sqrt(x**2 + y**2 - 2*x*y*cos(s - t)/3)", domain=(1, 2), tolerance=1e-3)
    check(network, "sqrt(x**2 + y**2 - 2*x*y*cos(s - t)/3)")
    with pytest.raises(InputError, match="its argument must stay above 0"):  # reaches 0 where x = y and s = t
        compile_polynomial("sqrt(x**2 + y**2 - 2*x*y*cos(s - t))", domain=(1, 2), tolerance=1e-2)


def check(network, text):
    """Against the formula as it was given, in 40 digits."""
    rng = np.random.default_rng(1)
    low, high = zip(*network.certificate.domain.values())
    x = rng.uniform(low, high, (60, len(low)))
    x[:20] = np.where(rng.random((20, len(low))) < 0.5, low, high)
    got = network(torch.tensor(x)).detach().numpy()
    given = sympy.sympify(text, locals={n: sympy.Symbol(n) for n in network.variables})
    assert np.abs(got - oracle.values([given], network.variables, x)).max() <= network.certificate.total


@pytest.mark.parametrize(("text", "domain"), [
    ("n/(exp(m*b/(k*t)) + exp(-m*b/(k*t)))", (1, 3)),
    ("exp(x) - exp(-x) + 3*exp(y) + 3*exp(-y) - x", (-1.5, 1.5)),
    ("sin(x*y)**2/x**2", {"x": (-3, 3.1), "y": (0.5, 1)}),
    ("y*sin(2*x)/x**3", {"x": (1, 4), "y": (-1, 1)}),
    ("sech(2*x)*y", (-2, 2)),
    ("cosh(x)**(-3)", (-1, 2)),
    ("sin((a - b)*t/2)**2/((a - b)*t/2)**2", {"a": (1, 4), "b": (1.5, 3.5), "t": (1, 2)}),
])  # fmt: skip
def test_rewritten_formulas_are_the_given_ones(text, domain):
    network = compile_polynomial(text, domain=domain, tolerance=1e-4)
    assert network.certificate.total <= 1e-4
    check(network, text)


@pytest.mark.parametrize(("given", "made"), [
    ("exp(x) + exp(-x)", "2*cosh(x)"),
    ("exp(-x) - exp(x)", "-2*sinh(x)"),
    ("exp(x) + 2*exp(-x)", "exp(x) + 2*exp(-x)"),
    ("1/(exp(x) + exp(-x))", "sech(x)/2"),
    ("sin(x)/x", "sinc(x)"),
    ("sin(x)**3/x", "sin(x)**2*sinc(x)"),
    ("sin(x)/y", "sin(x)/y"),
    ("sin(x/y)/y", "sin(x/y)/y"),  # x / y^2 is no polynomial in y
])  # fmt: skip
def test_rewriting(given, made):
    assert simplified(sympy.sympify(given)) == sympy.sympify(made)
