"""Powers of linear forms: how few of them add up to a form, with real weights."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from deeptheory.cheap import neuron_count
from deeptheory.cheap.counting.waring import _kernel, binary_rank, power_units
from oracles import cheap_counts as oracle

X, Y, Z = sympy.symbols("x y z")


def count(expression):
    return neuron_count(expression, 1, convention="power")


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("line", [X, -2 * X, X + Y, X - 3 * Y + 2 * Z])
def test_a_power_of_a_linear_form_is_one_unit(degree, line):
    made = count(sympy.expand(5 * line**degree))
    assert (made.lower, made.upper) == (1, 1)
    assert "one unit" in made.proof
    assert repr(made) == "Count(exactly 1 neuron, 1 hidden layer, power)"


def test_several_outputs_along_one_line_share_it():
    assert count(["(x + y)**3", "-4*(x + y)**3"]).upper == 1
    assert count(["x**3", "y**3"]).upper == 2


def test_cubics_are_those_of_the_discriminant():
    """Every cubic with coefficients from -2 to 2 that needs both variables."""
    seen = set()
    for f in np.ndindex(5, 5, 5, 5):
        f = [v - 2 for v in f]
        expression = sum(c * X ** (3 - i) * Y**i for i, c in enumerate(f))
        if any(f) and (sum(map(abs, f)) % 3 == 1):  # a third of them, by the sum of sizes
            made = count(expression)
            assert made.lower == made.upper == oracle.cubic_rank(f), f
            seen.add(made.upper)
    assert seen == {1, 2, 3}


def test_what_is_counted_can_be_built():
    """Sums of m powers are never counted above m; where bounds meet, the roots of an annihilating form build them."""
    rng = np.random.default_rng(0)
    exact = 0
    for _ in range(60):
        d, m = int(rng.integers(3, 8)), int(rng.integers(2, 5))
        lines = rng.integers(-3, 4, (m, 2))
        f = [int(sum(int(a) ** (d - i) * int(b) ** i for a, b in lines)) for i in range(d + 1)]
        f = [v * sympy.binomial(d, i) for i, v in enumerate(f)]
        expression = sum(c * X ** (d - i) * Y**i for i, c in enumerate(f))
        if expression == 0:
            continue
        made = count(expression)
        assert made.lower <= m
        assert made.lower <= made.upper <= d
        if made.exact and 2 <= made.upper < d:
            exact += 1
            assert built(f, made.upper) < 1e-7
    assert exact > 20


def built(f, size):
    """How far the powers are off that the roots of an annihilating form of that degree name; the best of a pencil."""
    d = len(f) - 1
    a = [Fraction(int(c)) / int(sympy.binomial(d, i)) for i, c in enumerate(f)]
    best = np.inf
    kernel = [np.array([float(v) for v in g]) for g in _kernel([a[i : i + size + 1] for i in range(d - size + 1)])]
    for p, q in [(1, 0), *((p, q) for p in range(-8, 9) for q in range(1, 9))] if len(kernel) > 1 else [(1, 0)]:
        g = p * kernel[0] + (q * kernel[1] if len(kernel) > 1 else 0)
        roots = np.roots(g)  # g_0 x^r + .. + g_r y^r as an operator: its root t = x / y stands for (t x + y)^d
        at_infinity = size - len(roots)
        if np.abs(roots.imag).max(initial=0) < 1e-6 and at_infinity <= 1:
            best = min(best, oracle.powers_miss(f, [(t.real, 1.0) for t in roots] + [(1.0, 0.0)] * at_infinity))
    return best


@pytest.mark.parametrize(("form", "least", "most"), [
    ("x**2*y", 3, 3),
    ("x**2*y**2", 4, 4),  # 3 over the complex numbers
    ("x**3*y**2", 5, 5),
    ("x**4 + y**4", 2, 2),
    ("x*y**3 + x**3*y", 2, 2),  # ((x + y)^4 - (x - y)^4) / 8
    ("x**4 - 6*x**2*y**2 + y**4", 4, 4),  # four real roots; two complex powers
    ("(x + y)**4 + (x - 2*y)**4 + (3*x + y)**4", 3, 3),
    ("x**4 + x**2*y**2", 3, 3),
    ("x**5 + x**3*y**2", 4, 5),
    ("x*y*z", 4, 4),
    ("x**3 + y**3 + z**3", 3, 3),
    ("x**2*y + y*z**2", 3, 5),
])  # fmt: skip
def test_forms_that_are_known(form, least, most):
    made = count(form)
    assert (made.lower, made.upper) == (least, most)


def test_units_of_one_direction_are_one():
    assert power_units([(3, 0)]) == 1
    assert power_units([(1, 1), (2, 0)]) == 3  # x + y, x - y, x
    assert power_units([(2, 2)]) == 4  # (2, 2) and (1, 1) are one direction: x, y, x + y, x - y
    assert binary_rank({(2, 0): Fraction(1), (0, 2): Fraction(1)})[:2] == (2, 2)
