"""Counts: the theorems' numbers, the table, and ranks against sympy over the rationals."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy

from deeptheory.cheap import (
    CONVENTIONS,
    compile_polynomial,
    neuron_count,
    neurons_by_depth,
    product_optimum,
    real_groups,
)
from deeptheory.cheap.counting.counts import shallow_rank
from deeptheory.core.errors import InputError
from oracles import cheap_counts as oracle

X = sympy.symbols("a:h")


def monomial(exponents):
    return sympy.prod([x**r for x, r in zip(X, exponents)])


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_a_product_of_n_needs_2_to_the_n_in_one_layer(n):
    count = neuron_count(sympy.prod(X[:n]), 1)
    assert count.lower == count.upper == 2**n
    assert count.exact


def test_a_product_of_32():
    x = sympy.prod(sympy.symbols("x:32"))
    assert neuron_count(x, 1).lower == 4294967296
    assert neuron_count(x).upper == 124  # a tree, 4 (n - 1); the text's 4n = 160 is a slip


@pytest.mark.parametrize("exponents", [(3,), (2, 1), (2, 2), (3, 1, 2), (1, 1, 1, 1), (4, 3)])
def test_a_monomial_needs_the_product_of_its_exponents_plus_one(exponents):
    count = neuron_count(monomial(exponents), 1)
    assert count.lower == count.upper == math.prod(r + 1 for r in exponents)
    deep = neuron_count(monomial(exponents))
    assert deep.upper <= sum(7 * math.ceil(math.log2(r)) + 4 for r in exponents)


def test_random_units_reach_the_bound_and_fewer_do_not():
    rng = np.random.default_rng(0)
    for exponents in [(1, 1), (2, 1), (1, 1, 1), (3, 2), (1, 1, 1, 1)]:
        bound = math.prod(r + 1 for r in exponents)
        units = rng.integers(-9, 10, (bound, len(exponents))).tolist()
        assert oracle.moment_matrix_rank(units, exponents) == bound
        assert oracle.moment_matrix_rank(units[:-1], exponents) == bound - 1


@pytest.mark.parametrize(("n", "least"), [
    (8, [256, 28, 28]), (16, [65536, 80, 60, 60]), (20, [1048576, 112, 76, 76, 80]), (32, [2**32, 304, 128, 124, 124]),
])  # fmt: skip
def test_the_depth_table(n, least):
    """specs, section 1.9: the exact integer optimum of theorem 5.1."""
    assert [product_optimum(n, k + 1)[0] for k in range(len(least))] == least
    sizes = product_optimum(n, 2)[1]
    assert math.prod(sizes) >= n


def test_the_optimum_is_what_a_search_finds():
    for n in range(2, 11):
        for depth in range(1, min(n, 5)):
            assert product_optimum(n, depth)[0] == oracle.best_groups(n, depth)
    assert product_optimum(20, 5, idle=True)[0] == 78  # a layer may multiply nothing: less than 80
    assert neuron_count(sympy.prod(sympy.symbols("x:20")), 5).upper == 78


def test_the_real_groups_multiply_to_n_and_grow():
    for n, depth in [(100, 3), (1e4, 4), (20, 2)]:
        b = real_groups(n, depth)
        assert math.prod(b) == pytest.approx(n, rel=1e-6)
        for small, large in itertools.pairwise(b):
            assert large == pytest.approx(small + math.log2(small - 1 / math.log(2)))


FORMS = [
    "a*b + c**2 + a*c",
    "a**2*b + b**2*c + c**2*a",
    "a*b*c + d**3",
    "(a + b)*(c + d)*(a - d)",
    "a**4 + a**2*b**2",
    "a*b*c*d + a**2*b**2",
]


@pytest.mark.parametrize("text", FORMS)
def test_ranks_are_those_of_sympy(text):
    expression = sympy.sympify(text)
    assert shallow_rank(expression) == oracle.derivative_dimension(sympy.expand(expression))
    count = neuron_count(expression, 1)
    assert count.lower == shallow_rank(expression) <= count.upper


def test_conventions_of_the_table():
    """specs, section 1.3: neurons for u v by network model."""
    assert (neuron_count("u*v", 1).lower, neuron_count("u*v", 1).upper) == (4, 4)
    assert neuron_count("u*v", 1, convention="output_bias").upper == 3
    assert neuron_count("u*v", 1, convention="output_bias").exact
    assert neuron_count("u*v", 1, convention="biases").lower == 2
    assert neuron_count("u*v", 1, convention="biases").upper == 3
    assert neuron_count("u*v", 1, convention="parity").upper == 2
    assert neuron_count("u*v*w", 1, convention="parity").upper == 4  # tanh, bias-free
    assert neuron_count("u*v*w", 1, convention="power").upper == 4  # Waring rank 2^(n-1)
    for n in range(2, 9):
        assert neuron_count(sympy.prod(X[:n]), 1, convention="parity").exact
        assert neuron_count(sympy.prod(X[:n]), 1, convention="power").lower == 2 ** (n - 1)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_with_an_output_bias_2_to_the_n_less_one_is_attained(n):
    """Forward differences: all moments below n vanish but the constant one, those of degree n are the product's."""
    units = [a for a in itertools.product((0, 1), repeat=n) if any(a)]
    weights = [(-1) ** (n - sum(a)) for a in units]
    for T, value in oracle.moments(units, weights, n).items():
        if any(T):
            assert value == (1 if (1,) * n == T else 0)
    count = neuron_count(sympy.prod(X[:n]), 1, convention="output_bias")
    assert count.lower == count.upper == len(units)


@pytest.mark.parametrize("form", [((0, 1), (1, 0)), ((2, 1, 0), (1, -3, 1), (0, 1, 5)), ((1,),)])
def test_a_quadratic_form_needs_its_rank_plus_two(form):
    """The construction: an orthogonal basis of (form + hyperbolic plane) in which the plane's isotropic vector is all
    ones."""
    q = sympy.Matrix(form)
    n = q.shape[0]
    x = sympy.Matrix(X[:n])
    expression = sympy.expand((x.T * q * x)[0])
    count = neuron_count(expression, 1)
    assert count.lower == count.upper == q.rank() + 2
    space = sympy.diag(q, sympy.Matrix([[0, 1], [1, 0]]))  # e = the last but one basis vector, isotropic
    e = sympy.Matrix([0] * n + [1, 0])
    rng, basis = np.random.default_rng(1), []
    while len(basis) < n + 2:  # Gram-Schmidt in the indefinite form, exact
        v = sympy.Matrix(rng.integers(-3, 4, n + 2).tolist())
        for u in basis:
            v = v - u * ((v.T * space * u)[0] / (u.T * space * u)[0])
        if (v.T * space * v)[0] != 0 and (v.T * space * e)[0] != 0:
            basis.append(v)
    basis = [u * (e.T * space * u)[0] / (u.T * space * u)[0] for u in basis]  # e is their sum
    assert sum(basis, sympy.zeros(n + 2, 1)) == e
    norms = [Fraction(str((u.T * space * u)[0])) for u in basis]
    units = [[Fraction(str((u.T * space)[i])) / c for i in range(n)] for u, c in zip(basis, norms)]
    found = oracle.moments(units, norms, 2)
    for T, value in found.items():
        want = (
            Fraction(0)
            if sum(T) < 2
            else Fraction(str(sympy.Poly(expression, *X[:n]).coeff_monomial(T)))
            * Fraction(math.prod(map(math.factorial, T)), 2)
        )
        assert value == want


def test_a_linear_change_of_variables_changes_no_count():
    a, b, c, d = X[:4]
    assert neuron_count((a + b + c) ** 3, 1).upper == neuron_count(a**3, 1).upper == 4
    assert neuron_count((a + b) * (c - d) * (a + 2 * d), 1).lower == neuron_count(a * b * c, 1).lower
    assert neuron_count(a + b, 1).upper == 2


def test_lower_bounds_never_exceed_a_network_that_does_it():
    """Powers of random linear forms: m units are enough for sum_j c_j (a_j . x)^d, so no bound may be above m."""
    rng = np.random.default_rng(2)
    for _ in range(25):
        n, degree, m = rng.integers(1, 5), rng.integers(2, 5), rng.integers(1, 7)
        terms = [
            int(c) * sum(int(a) * x for a, x in zip(row, X)) ** int(degree)
            for row, c in zip(rng.integers(-3, 4, (m, n)), rng.integers(1, 4, m))
        ]
        expression = sympy.expand(sum(terms))
        if expression != 0:
            assert neuron_count(expression, 1, convention="power").lower <= m
            assert neuron_count(expression, 1, convention="biases").lower <= m
        for convention in CONVENTIONS:
            count = neuron_count(expression, 1, convention=convention)
            assert count.lower <= count.upper


def test_large_powers_are_counted_at_once():
    assert neuron_count("x**5000*y**3000*z**2000", depth=1).lower == 5001 * 3001 * 2001


def test_sums_of_monomials():
    """Theorem 4.3: m_1(p) >= (1/c) max_j m_1(q_j), m(p) <= sum_j m(q_j)."""
    for text in ["a*b*c + d", "a*b*c + a", "a**5 + a", "a*b*c*d + a**2*b", "a*b + c*d + 1"]:
        parts = sympy.Add.make_args(sympy.sympify(text))
        counts = [neuron_count(q, 1) for q in parts]
        assert neuron_count(text, 1).upper >= max(c.lower for c in counts) / len(parts)
        assert neuron_count(text).upper <= sum(max(neuron_count(q).upper, 1) for q in parts)
    assert neuron_count("a*b*c + d", 1).lower == 8
    assert neuron_count(["a*b", "a*c"], 1).lower == 6  # together; alone each needs 4


def test_constants_lines_and_uniform_bounds():
    assert neuron_count("3").upper == 0
    assert neuron_count(0, 2).upper == 0
    assert neuron_count("x").upper == 0  # a linear map needs no hidden layer
    assert neuron_count("x", 1).upper == 2
    count = neuron_count("x*y*z", 1)
    assert (count.lower, count.lower_uniform) == (8, 3)
    assert "conjectured" in count.proof
    assert neuron_count("x*y*z", 3).lower == 5
    assert repr(count) == "Count(exactly 8 neurons, 1 hidden layer, bias_free)"
    assert count.table()["upper"][0] == 8
    assert neuron_count("x*y", 1).bits(2**-10) == 20
    assert neuron_count("x*y*z*w", 1).bits(2**-10) == 30


def test_counts_by_depth_are_drawn():
    made = neurons_by_depth(sympy.prod(X[:8]), range(1, 5))
    assert made.table()["upper"].tolist() == [256, 28, 28, 30]
    figure = made.figure()
    assert figure.layout.yaxis.type == "log"
    assert list(figure.data[0].y) == [256, 28, 28, 30]
    assert "1: 256 to 256" in repr(made)


def test_too_large_a_matrix_falls_back_on_one_monomial(monkeypatch):
    monkeypatch.setattr("deeptheory.cheap.counting.ranks.LARGEST", 10)
    count = neuron_count("a*b*c*d + a**2*b**2 + c**2*d**2 + a*b*c**2", 1)
    assert "too large to rank" in count.proof
    assert 1 <= count.lower <= count.upper


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: neuron_count("sin(x)"), r"sin\(x\) is no polynomial in x"),
        (lambda: neuron_count("x/y"), "is no polynomial in x, y"),
        (lambda: neuron_count("sqrt(2)*x"), "coefficient sqrt.2. is no rational number"),
        (lambda: neuron_count("x", 0), "depth is 0"),
        (lambda: neuron_count("x", 1.5), "depth is 1.5"),
        (lambda: neuron_count("x", convention="biasfree"), "unknown convention 'biasfree'; did you mean bias_free"),
        (lambda: neuron_count("x*y", 2, convention="power"), "convention 'power' is about forms"),
        (lambda: neuron_count("x*y + x", convention="power"), "convention 'power' is about forms"),
        (lambda: neuron_count("x*"), r"expression 'x\*' cannot be read"),
        (lambda: neuron_count([]), "expression is an empty list"),
        (lambda: neuron_count(object()), "give sympy, text or a number"),
        (lambda: neuron_count("x**1000000"), "the degree is 1000000; counted up to 30000"),
        (lambda: neuron_count("x > 1"), "it holds compare"),
        (lambda: neuron_count("I*x"), "is not a finite real one: it holds I"),
        (lambda: neuron_count("x/0"), "is not a finite real one: it holds zoo"),
        (lambda: neuron_count(X[0] + sympy.Symbol("a", positive=True)), "two different symbols have one"),
        (lambda: neuron_count("x*y", 1).bits(2), "tolerance is 2"),
        (lambda: product_optimum(0, 1), "n is 0"),
        (lambda: product_optimum(2.5, 1), "n is 2.5"),
        (lambda: neuron_count("x", "one"), "depth is 'one'"),
        (lambda: neurons_by_depth("x*y", []), "depths is empty"),
        (lambda: real_groups(float("nan"), 2), "n is nan; needed: a finite number"),
        (lambda: real_groups(20, 2.5), "depth is 2.5"),
        (lambda: product_optimum(3, 3), "take 2 products at most"),
        (lambda: real_groups(1, 2), "needed: a finite number of 2 or more"),
        (lambda: shallow_rank("x*y + x"), "the terms have different degrees"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_synapses_are_those_of_the_network_that_is_counted(n):
    """The flat product of n variables: 2^n units, n weights in and one out each."""
    product = "*".join("abcde"[:n])
    count = neuron_count(product, depth=1)
    assert (count.upper, count.synapses) == (2**n, 2**n * (n + 1))
    network = compile_polynomial(product, depth=1, tolerance=1)
    assert (network.neurons, network.synapses) == (count.upper, count.synapses)
    deeper = neuron_count(product, depth=2)
    assert compile_polynomial(product, depth=2, tolerance=1).synapses <= deeper.synapses
