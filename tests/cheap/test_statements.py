"""What the two papers state beyond what other files here test; and that the table of all statements names what
exists."""

import itertools
import math
import re
from pathlib import Path

import mpmath
import numpy as np
import pytest
import torch

from deeptheory.cheap import (
    bit_product_gate,
    compile_polynomial,
    identity_gate,
    monomial_layer,
    neuron_count,
    product_gate,
    product_optimum,
    real_groups,
    square_gate,
)
from deeptheory.studies import find
from oracles import cheap_counts, cheap_gates

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cheap_statements.md"
EPS = 2.0**-52


@pytest.mark.parametrize(
    ("activation", "bias"), [("softplus", 0), ("exp", 0), ("tanh", 0.6585), ("sigmoid", 1.317), ("silu", 0)]
)
@pytest.mark.parametrize("scale", [0.125, 0.015625])
def test_the_truncation_of_a_product_gate_is_at_most_the_closed_form(activation, bias, scale):
    """l^2 M4 R^4 / (3 |sigma_2|), M4 the largest |fourth derivative| within 2 l R of the bias; R = 1. The certificate
    bounds derivatives too, which costs it up to 2 %."""
    gate = product_gate(activation, scale, bias=bias)
    seen = [abs(cheap_gates.derivative(activation, 4, gate.bias + v)) for v in np.linspace(-2 * scale, 2 * scale, 41)]
    second = abs(cheap_gates.derivative(activation, 2, gate.bias))
    assert gate.certificate.truncation <= scale**2 * float(max(seen) / second) / 3 * 1.02


def test_an_activation_that_is_0_at_its_bias_pays_no_cancellation():
    best = {a: product_gate(a).certificate.total for a in ("silu", "gelu", "softplus", "exp", "tanh", "sigmoid")}
    for a in ("silu", "gelu"):
        for b in ("softplus", "exp", "tanh", "sigmoid"):
            assert best[a] < best[b] / 20


@pytest.mark.parametrize("n", [10**3, 10**6, 10**9])
def test_log10_n_layers_keep_groups_at_ten(n):
    """Equation 6: arithmetic, and so a test and no claim; as advice it rests on the conjecture."""
    k = round(math.log10(n))
    assert n ** (1 / k) == pytest.approx(10, rel=1e-9)


def test_a_small_residual_is_no_proof():
    """Two units miss the moments of u v by as little as one likes while their weights grow;
    four are needed all the same."""
    for size in (10**2, 10**5):
        units = [(size, size), (size, -size)]
        moments = cheap_counts.moments(units, [1 / (4 * size**2), -1 / (4 * size**2)], 2)
        assert max(abs(v - (T == (1, 1)) / 2) for T, v in moments.items()) == pytest.approx(0.5 / size)
    assert neuron_count("u*v", 1).lower == 4


@pytest.mark.parametrize("seed", range(3))
def test_any_function_of_bits_is_a_sum_of_bit_gates(seed):
    """One unit for every monomial of the multilinear polynomial, at most 2^n; of degree d at most sum_j C(n, j)."""
    n, rng = 4, np.random.default_rng(seed)
    bits = np.array(list(itertools.product((0, 1), repeat=n)))
    values = rng.normal(size=2**n)
    subsets = [k for size in range(n + 1) for k in itertools.combinations(range(n), size)]
    at = {tuple(b): v for b, v in zip(bits, values)}

    def coefficient(subset):  # Moebius inversion over the subsets of the subset
        return sum(
            (-1) ** (len(subset) - len(t)) * at[tuple(int(i in t) for i in range(n))]
            for size in range(len(subset) + 1)
            for t in itertools.combinations(subset, size)
        )

    got, x = np.full(2**n, coefficient(())), torch.tensor(bits, dtype=torch.float64)
    for subset in subsets[1:]:
        got += coefficient(subset) * bit_product_gate(len(subset), 60.0)(x[:, list(subset)])[:, 0].detach().numpy()
    assert np.abs(got - values).max() < 1e-9
    assert len(subsets) == 2**n
    assert sum(len(s) <= 2 for s in subsets) == sum(math.comb(n, j) for j in range(3))


@pytest.mark.parametrize("activation", ["exp", "silu", "softplus"])
def test_squares_and_identities_are_the_formulas_of_the_paper(activation):
    """x^2 = [s(lx) + s(-lx) - 2 s(0)] / (sigma_2 l^2), x = s(lx) / (sigma_1 l) up to what a constant takes away."""
    s, scale = cheap_gates.TRUE[activation], 0.0625
    square = square_gate(activation, scale, bias=0)
    for v in (0.75, -0.5):
        x, l = mpmath.mpf(v), mpmath.mpf(scale)
        exact = (s(l * x) + s(-l * x) - 2 * s(mpmath.mpf(0))) / (cheap_gates.derivative(activation, 2, 0) * l**2)
        got = square(torch.tensor([v], dtype=torch.float64)).item()
        assert abs(got - exact) <= square.certificate.rounding
        line = identity_gate(activation, scale)
        assert abs(line(torch.tensor([v], dtype=torch.float64)).item() - v) <= line.certificate.total


def test_a_mixed_monomial_has_the_errors_that_were_measured():
    """x1^2 x2 with 6 units (specs, section 1.9)."""
    x = torch.rand(4000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    x[:4] = torch.tensor([[a, b] for a in (-1.0, 1.0) for b in (-1.0, 1.0)])
    for scale, published in ((0.1, 4.6e-3), (0.03, 4.1e-4), (0.01, 4.6e-5)):
        gate = monomial_layer((2, 1), "exp", scale=scale)
        assert gate.neurons == 6
        off = (gate(x)[:, 0] - x[:, 0] ** 2 * x[:, 1]).abs().max().item()
        assert published / 3 < off < published * 4


@pytest.mark.parametrize("d", range(2, 17))
def test_a_power_takes_at_most_7_neurons_a_binary_digit(d):
    """Proposition 4.6: m(x^d) <= 7 ceil(log2 d)."""
    assert compile_polynomial(f"x**{d}", activation="exp", tolerance=1e-2).neurons <= 7 * math.ceil(math.log2(d))
    assert neuron_count(f"x**{d}").upper <= 7 * math.ceil(math.log2(d))


@pytest.mark.parametrize("n", [2, 4, 6, 8])
def test_a_flat_product_is_no_more_precise_than_rounding_allows(n):
    """Truncation l^2 against rounding eps l^-n: at best about eps^(2 / (n + 2)); a tree keeps that of one gate."""
    x = torch.rand(500, n, dtype=torch.float64, generator=torch.Generator().manual_seed(n)) * 2 - 1
    x[: 2**5] = x[: 2**5].sign()

    def off(net):
        return (net(x)[:, 0] - x.prod(1)).abs().max().item()

    flat = min(off(monomial_layer((1,) * n, "exp", scale=10.0**-k)) for k in np.arange(0.5, 4.5, 0.25))
    assert 0.02 < flat / EPS ** (2 / (n + 2)) < 50
    if n == 8:
        assert off(compile_polynomial("*".join("abcdefgh"), activation="exp", tolerance=2e-5)) < flat / 10


@pytest.mark.parametrize(("n", "depth"), [(64, 2), (64, 3), (1000, 3), (10**6, 6)])
def test_the_real_groups_are_where_the_count_is_least(n, depth):
    """Equation 5 is the stationary point of sum_i (n / prod_(j <= i) b_j) 2^b_i with prod b = n."""

    def count(b):
        return sum(n / math.prod(b[: i + 1]) * 2 ** b[i] for i in range(len(b)))

    best = real_groups(n, depth)
    for b, c in itertools.pairwise(best):
        assert 2**b * (b * math.log(2) - 1) == pytest.approx(2**c * math.log(2))
    rng = np.random.default_rng(0)
    for _ in range(50):
        step = rng.normal(size=depth) * 0.05
        moved = [b * math.exp(s - step.mean()) for b, s in zip(best, step)]
        assert count(moved) >= count(best) * (1 - 1e-9)


def test_more_layers_than_log2_n_less_1_save_nothing():
    for power in (3, 4, 5, 6):
        n = 2**power
        by_depth = [product_optimum(n, k)[0] for k in range(1, power + 2)]
        assert min(by_depth) == by_depth[power - 2] == 4 * (n - 1)
        assert by_depth[0] == 2**n


def named():
    """(statement, what decides it) of each row of the page."""
    rows = [line.split("|")[1:-1] for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [(r[0].strip(), re.findall(r"`([^`]+)`", r[2])) for r in rows if "`" in r[2]]


def test_every_statement_is_decided_by_a_claim_or_a_test_that_exists():
    claims = {c.id for s in ("lin-tegmark-rolnick-2017", "rolnick-tegmark-2018") for c in find(s).part("claims").CLAIMS}
    tests = "".join(p.read_text() for p in sorted((ROOT / "tests/cheap").rglob("test_*.py")))
    found = named()
    assert len(found) > 50
    for statement, names in found:
        assert names, statement
        for name in names:
            if name.startswith("test_"):
                assert f"def {name}(" in tests, name
            elif name.endswith("/*"):
                assert any(c.startswith(name[:-1]) for c in claims), name
            else:
                assert name in claims, name


def test_the_table_names_every_claim_of_both_studies():
    written = {n for _, names in named() for n in names}
    for study in ("lin-tegmark-rolnick-2017", "rolnick-tegmark-2018"):
        for c in find(study).part("claims").CLAIMS:
            assert c.id in written or f"{c.id.split('/')[0]}/*" in written, c.id
