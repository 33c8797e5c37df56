"""PolynomialApproximation polynomials back: bounds under attack, round trips, known expansions, wrong input."""

import numpy as np
import pytest
import sympy
import torch
from torch import nn

from cheap.attacking import worst
from deeptheory.cheap import bit_product_gate, compile_polynomial, product_gate, to_polynomial
from deeptheory.core.errors import InputError


def attack(module, reading, dtype=torch.float64):
    names = list(reading.domain)
    f = sympy.lambdify([sympy.Symbol(n) for n in names], list(reading.expressions), "numpy")
    low, high = zip(*reading.domain.values())

    def truth(x):
        return np.stack([np.broadcast_to(np.asarray(v, dtype=float), x.shape[:1]) for v in f(*x.T)], axis=1)

    return worst(module, truth, low, high, dtype, points=200, steps=8)


def mlp(widths, *activations, seed=0, dtype=torch.float64):
    torch.manual_seed(seed)
    layers = []
    for a, b, act in zip(widths, widths[1:], [*activations, None]):
        layers += [nn.Linear(a, b, dtype=dtype)] + ([act] if act is not None else [])
    return nn.Sequential(*layers)


NETWORKS = [
    (mlp([3, 8, 1], nn.Tanh()), 5, (-1, 1)),
    (mlp([3, 8, 2], nn.SiLU()), 4, (-1, 1)),
    (mlp([2, 8, 8, 1], nn.Tanh(), nn.GELU()), 4, (-1, 1)),
    (mlp([2, 8, 8, 1], nn.Softplus(), nn.Sigmoid()), 6, (0, 0.5)),
    (mlp([2, 6, 1], nn.SiLU(), dtype=torch.float32), 5, (-1, 1)),
    (mlp([1, 6, 1], nn.ELU()), 3, (-1, 1)),
    (nn.Sequential(mlp([2, 4, 2], nn.Tanh()), nn.Dropout(0.5), nn.Identity()), 0, (-1, 1)),
    (mlp([2, 3]), 2, (-3, 5)),
]


@pytest.mark.parametrize(("network", "degree", "domain"), NETWORKS, ids=[str(k) for k in range(len(NETWORKS))])
def test_bounds_hold(network, degree, domain):
    reading = to_polynomial(network, degree, domain)
    dtype = next(network.parameters()).dtype
    found = attack(network.eval(), reading, dtype)
    assert reading.seen <= reading.bound
    assert found <= reading.bound
    for e in reading.expressions:
        assert sympy.Poly(e, *[sympy.Symbol(n) for n in reading.domain]).total_degree() <= degree


def test_more_degree_means_less_error():
    network = NETWORKS[0][0]
    bounds = [to_polynomial(network, d).bound for d in (1, 3, 5, 7)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < bounds[0] / 20


def test_one_unit_is_its_taylor_polynomial():
    unit = mlp([1, 1, 1], nn.Tanh())
    with torch.no_grad():
        for p in unit.parameters():
            p.zero_()
        unit[0].weight.fill_(0.2)
        unit[2].weight.fill_(1.0)
    x = sympy.Symbol("x0")
    reading = to_polynomial(unit, 3)
    assert sympy.Poly(reading.expression, x).coeff_monomial(x) == pytest.approx(0.2, abs=reading.bound)
    assert sympy.Poly(reading.expression, x).coeff_monomial(x**3) == pytest.approx(-(0.2**3) / 3, abs=reading.bound)
    assert reading.bound < 5e-4


@pytest.mark.parametrize("text", ["x*y*z", "x*y*z + 2*x - 1", "x**3*y**2 - 2*x*y + 1", "x*y", "(x + y)*(x - 3*y)"])
def test_a_compiled_network_reads_as_its_formula(text):
    network = compile_polynomial(text, tolerance=1e-5)
    formula = sympy.expand(network.expression)
    degree = sympy.Poly(formula).total_degree()
    reading = to_polynomial(network, degree)
    x = [sympy.Symbol(n) for n in network.variables]
    off = (
        sympy.Poly(reading.expression - formula, *x).coeffs()
        if sympy.expand(reading.expression - formula) != 0
        else [0]
    )
    assert sum(abs(float(c)) for c in off) <= 3 * network.certificate.total
    assert attack(network, reading) <= reading.bound <= 6 * network.certificate.total


def test_compile_train_and_read_back():
    """A formula that is a little wrong becomes a network, learns what was wrong, and is a formula again."""
    network = compile_polynomial("x*y + z", tolerance=1e-2)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    x = torch.rand(512, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    target = 1.2 * x[:, :1] * x[:, 1:2] + x[:, 2:] - 0.3
    for _ in range(500):
        optimizer.zero_grad()
        ((network(x) - target) ** 2).mean().backward()
        optimizer.step()
    reading = to_polynomial(network, 2)
    terms = sympy.Poly(reading.expression, *sympy.symbols("x y z")).as_dict()
    assert terms[(1, 1, 0)] == pytest.approx(1.2, abs=0.02)
    assert terms[(0, 0, 1)] == pytest.approx(1, abs=0.02)
    assert terms[(0, 0, 0)] == pytest.approx(-0.3, abs=0.02)
    assert attack(network, reading) <= reading.bound < 0.1


def test_gates_and_results():
    reading = to_polynomial(product_gate(), 2, variables=["u", "v"])
    assert reading.expression == sympy.sympify("u*v")
    assert reading.bound < 1e-5
    assert "PolynomialApproximation(u*v; within" in repr(reading)
    assert reading.table()["expression"][0] == "u*v"
    assert reading.scalars()["degree"] == 2
    assert to_polynomial(bit_product_gate(2, 1.0), 3, (0, 1)).bound < 0.01
    two = to_polynomial(compile_polynomial(["x*y", "x + y**2"], tolerance=1e-4, dtype=torch.float64), 2)
    assert len(two.expression) == 2
    wobbly = to_polynomial(nn.Sequential(nn.Linear(1, 2), nn.ELU(), nn.Linear(2, 1)), 2)
    assert any("not proven" in n for n in wobbly.notes)


class Odd(nn.Module):
    pass


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: to_polynomial(mlp([2, 2], nn.Tanh()), -1), "degree is -1"),
        (lambda: to_polynomial(mlp([2, 2, 1], nn.ReLU()), 2), "no gate exists for relu|not smooth"),
        (lambda: to_polynomial(compile_polynomial("x*y", activation="relu"), 2), "relu is not smooth"),
        (lambda: to_polynomial(nn.Sequential(nn.Linear(2, 2), Odd()), 2), "Odd cannot be read; known"),
        (lambda: to_polynomial(nn.Tanh(), 2), "Tanh has no Linear layer"),
        (lambda: to_polynomial(mlp([2, 1]), 2, variables=["a"]), "1 variables for 2 inputs"),
        (lambda: to_polynomial(mlp([20, 1]), 8), "takes .* products of monomials"),
        (lambda: to_polynomial(mlp([2, 2, 1], nn.Tanh()), 2, (-1e4, 1e4)), "so wide, an activation is no polynomial"),
        (lambda: to_polynomial(mlp([2, 1]), 2, (0, float("inf"))), "finite ends"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()
