"""Gates against the papers' formulas in 50 digits, their slopes, their certificates under attack, and wrong use."""

import math

import numpy as np
import pytest
import torch

from cheap.attacking import worst
from deeptheory.cheap import ACTIVATIONS, bit_product_gate, identity_gate, monomial_layer, product_gate, square_gate
from deeptheory.cheap.compile.stencils import stencil
from deeptheory.core.errors import InputError
from oracles import cheap_gates as oracle

DTYPES = (torch.float64, torch.float32)


def wobbly(z):
    return torch.log1p(z * z + z + 2)


def truth_of(exponents):
    return lambda x: np.prod(x ** np.array(exponents), axis=1, keepdims=True)


def attacked(gate, dtype, low=-1.0, high=1.0):
    n = len(gate.exponents)
    return worst(gate, truth_of(gate.exponents), [low] * n, [high] * n, dtype, points=100, steps=6)


# specs, section 1.3: largest error on the square at scales .1 and .01 in float64
TABLE = [
    ("softplus", 0, 1.6e-3),
    ("exp", 0, 3.3e-3),
    ("tanh", 0.6585, 1.3e-2),
    ("sigmoid", 1.317, 3.3e-3),
    ("silu", 0, 3.3e-3),
]


@pytest.mark.parametrize(("activation", "bias", "at_a_tenth"), TABLE)
def test_the_published_scales_give_the_published_errors(activation, bias, at_a_tenth):
    errors = [attacked(product_gate(activation, scale, bias=bias), torch.float64) for scale in (0.1, 0.01)]
    assert errors[0] == pytest.approx(at_a_tenth, rel=0.05)
    assert math.log10(errors[0] / errors[1]) == pytest.approx(2, abs=0.05)  # the slope in the scale


@pytest.mark.parametrize(
    ("activation", "bias"), [("softplus", 0), ("exp", 0), ("tanh", 0.6585), ("silu", 0), ("cos", 0)]
)
def test_a_product_gate_is_the_formula_of_the_paper(activation, bias):
    gate = product_gate(activation, 0.0625, bias=bias)
    for u, v in [(1, 1), (-0.3, 0.8), (0, 0.5), (0.125, -1)]:
        exact = oracle.product_of_two(activation, gate.bias, 0.0625, u, v)
        got = gate(torch.tensor([u, v], dtype=torch.float64)).item()
        assert abs(got - exact) <= gate.certificate.rounding
        assert abs(exact - u * v) <= gate.certificate.truncation


@pytest.mark.parametrize("exponents", [(1, 1, 1), (2, 1), (3,), (2, 2), (1, 2, 1)])
def test_a_monomial_is_the_sum_over_signs(exponents):
    gate = monomial_layer(exponents, "exp", scale=0.25)
    x = np.array([0.9, -0.7, 0.4])[: len(exponents)]
    exact = oracle.monomial("exp", 0, 0.25, exponents, x)
    assert gate.neurons == math.prod(r + 1 for r in exponents) - all(r % 2 == 0 for r in exponents)
    assert abs(gate(torch.tensor(x)).item() - exact) <= gate.certificate.rounding


@pytest.mark.parametrize("exponents", [(1, 1), (2,), (3, 1), (1, 1, 1, 1), (2, 2)])
@pytest.mark.parametrize("parity", [0, 1, -1])
def test_the_stencil_kills_every_power_but_its_own(exponents, parity):
    grid, d = stencil(exponents, parity), sum(exponents)
    x = [3, -2, 5, 7][: len(exponents)]
    for k in range(d + 2):
        got = sum(int(m) * int(a @ x) ** k for m, a in zip(grid.signs, grid.units)) + (grid.constant if k == 0 else 0)
        if parity in (0, (-1) ** k):  # with a parity only powers of that parity live in the activation
            if parity and parity != (-1) ** d:
                assert len(grid.units) == 0
            else:
                assert got == oracle.sign_sum(exponents, x, k)
                assert got == (
                    2**d * math.factorial(d) * math.prod(v**r for v, r in zip(x, exponents)) if k == d else 0
                )


ZOO = [
    (activation, exponents, dtype)
    for activation in ACTIVATIONS
    for exponents in [(1, 1), (2,), (1,), (2, 1), (1, 1, 1, 1)]
    for dtype in DTYPES
]


def test_no_certificate_of_a_gate_is_exceeded_and_they_are_tight():
    ratios = []
    for activation, exponents, dtype in ZOO:
        gate = monomial_layer(exponents, activation, dtype=dtype)
        found = attacked(gate, dtype)
        assert found <= gate.certificate.total, (activation, exponents, dtype)
        ratios.append(gate.certificate.total / max(found, 2.0 ** -(53 if dtype == torch.float64 else 24)))
    assert np.median(ratios) <= 10
    assert np.quantile(ratios, 0.9) <= 30


@pytest.mark.parametrize("domain", [(0, 1), (2, 3), (-1e3, 2e3), (0, 1e-4), ((-1, 1), (-100, 50)), (0, 0), (5, 5)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_certificate_holds_on_other_boxes(domain, dtype):
    gate = product_gate(dtype=dtype, domain=domain)
    low, high = zip(*gate.certificate.domain.values())
    assert worst(gate, truth_of((1, 1)), low, high, dtype, points=300, steps=10) <= gate.certificate.total


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ["silu", "tanh", "cos"])
def test_the_automatic_scale_is_the_best(activation, dtype):
    auto = product_gate(activation, dtype=dtype)
    for factor in (1 / 8, 1 / 3, 3, 8):
        other = product_gate(activation, auto.scale[0] * factor, dtype, bias=auto.bias)
        assert other.certificate.total > auto.certificate.total
    # and not only by its own certificate: a scale 30 times larger or smaller is measurably worse
    measured = attacked(auto, dtype)
    for factor in (1 / 30, 30):
        other = product_gate(activation, auto.scale[0] * factor, dtype, bias=auto.bias)
        assert attacked(other, dtype) > measured


def test_neurons_by_activation():
    assert {a: product_gate(a).neurons for a in ACTIVATIONS} == dict.fromkeys(ACTIVATIONS, 4) | {"cos": 2}
    assert square_gate().neurons == 2
    assert identity_gate().neurons == 2
    assert identity_gate("tanh").neurons == 1
    assert monomial_layer((1, 1, 1), "tanh", bias=0).neurons == 4  # odd: half of 2^3
    assert monomial_layer((2, 1)).neurons == 6


def test_an_identity_through_silu_gelu_or_softplus_has_no_truncation():
    for activation in ("silu", "gelu", "softplus"):
        assert identity_gate(activation).certificate.truncation == 0


@pytest.mark.parametrize("activation", [wobbly, torch.nn.Tanh(), torch.special.erf])
def test_a_callable_of_ones_own(activation):
    gate = product_gate(activation)
    assert attacked(gate, torch.float64) <= gate.certificate.total < 1e-6
    assumed = any("not proven" in note for note in gate.certificate.notes)
    assert assumed == (not isinstance(activation, torch.nn.Module))


def test_gates_train():
    gate = product_gate(scale=0.25)
    x = torch.rand(64, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    loss = ((gate(x)[:, 0] - 1.1 * x.prod(1)) ** 2).mean()
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in gate.parameters())
    exact = torch.autograd.functional.jacobian(lambda t: gate(t)[0], x[0])
    assert torch.allclose(exact, x[0].flip(0), atol=0.1)  # d(uv) = (v, u)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_derivatives_are_those_of_the_function_and_bounds_bound_them(name):
    activation = ACTIVATIONS[name]
    for z in (0.0, 0.625, -1.125, 2.0):
        for order in range(6):
            assert activation.derivative(order, z) == pytest.approx(
                float(oracle.derivative(name, order, z)), rel=1e-9, abs=1e-12
            )
            for radius in (0.0, 0.1, 1.0):
                most = float(activation.bound(order, z, radius))
                seen = [abs(activation.derivative(order, z + radius * t)) for t in np.linspace(-1, 1, 41)]
                assert max(seen) <= most <= 1.6 * max(seen) + 0.3 * (radius > 0)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_torch_computes_activations_as_well_as_certificates_assume(name):
    activation = ACTIVATIONS[name]
    z = torch.linspace(-3, 3, 200_001).float()
    off = (activation.function(z).double() - activation.function(z.double())).abs()
    size = z.double().abs() if activation.of_argument else activation.function(z.double()).abs()
    assert float((off - activation.ulps * 2.0**-24 * size).max()) <= 0
    for v in np.random.default_rng(0).uniform(-3, 3, 100):
        exact, got = oracle.TRUE[name](oracle.mpmath.mpf(v)), activation.function(torch.tensor(v, dtype=torch.float64))
        assert abs(exact - got.item()) <= activation.ulps * 2.0**-53 * (
            abs(v) if activation.of_argument else abs(exact)
        )


@pytest.mark.parametrize("k", [1, 2, 3, 8])
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_neuron_multiplies_bits(k, dtype):
    bits = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=dtype)] * k).reshape(-1, k)
    for beta in (20.0, 40.0, 5.0):
        gate = bit_product_gate(k, beta, dtype=dtype)
        off = (gate(bits)[:, 0].double() - bits.prod(1).double()).abs().max().item()
        assert off <= gate.certificate.total
        if dtype == torch.float64:
            assert off == pytest.approx(math.exp(-beta / 2) / (1 + math.exp(-beta / 2)), rel=1e-6)


def test_the_beta_rule_needs_twice_what_is_quoted():
    bits = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 3)

    def decimals(beta):
        off = (bit_product_gate(3, beta)(bits)[:, 0] - bits.prod(1)).abs().max().item()
        return -math.log10(off)

    for wanted in (2, 4, 6):
        assert decimals(wanted * math.log(10)) < wanted  # as quoted
        assert decimals(2 * wanted * math.log(10)) >= wanted
        assert bit_product_gate(3, decimals=wanted).beta == pytest.approx(2 * wanted * math.log(10))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: product_gate("tanh", bias=0), "no gate of degree 2 exists for tanh at bias 0: its second derivative"),
        (lambda: product_gate("relu"), "no gate exists for relu"),
        (lambda: product_gate(torch.relu), "no gate exists for relu"),
        (lambda: product_gate(torch.nn.ReLU()), "no gate exists for relu"),
        (lambda: product_gate(torch.nn.LeakyReLU(0.1)), "no gate of degree 2 exists"),
        (lambda: product_gate(lambda z: z), "no gate of degree 2 exists"),
        (lambda: product_gate("sillu"), "unknown activation 'sillu'; did you mean silu"),
        (lambda: product_gate(3), "activation is 3; give a name"),
        (lambda: product_gate(torch.nn.PReLU()), "an activation with parameters"),
        (lambda: product_gate(lambda z: z.detach().numpy()), "no derivative of order 1 that torch.func"),
        (lambda: product_gate(scale=0), "scale is 0; needed"),
        (lambda: product_gate(scale=float("nan")), "scale is nan"),
        (lambda: product_gate(scale=1e-200), "the largest weight would be inf"),
        (lambda: monomial_layer((1,) * 8, scale=1e-6, dtype=torch.float32), "above what float32 holds"),
        (lambda: product_gate(scale=1e5), "a unit's argument spans"),
        (lambda: product_gate("softplus", 30.0), "torch's softplus is another function beyond 20"),
        (lambda: product_gate(dtype=torch.float16), "dtype is torch.float16"),
        (lambda: monomial_layer(()), r"exponents are \(\)"),
        (lambda: monomial_layer((1, 0)), r"exponents\[1\] is 0"),
        (lambda: monomial_layer((1, 2.5)), r"exponents\[1\] is 2.5"),
        (lambda: product_gate(scale="automatic"), "scale is 'automatic'; needed: 'auto'"),
        (lambda: product_gate(bias="best"), "bias is 'best'; needed: 'auto'"),
        (lambda: product_gate(bias=math.nan), "bias is nan"),
        (lambda: monomial_layer((1,) * 17), "takes 131072 units in one layer"),
        (lambda: product_gate(domain=(0, math.inf)), "a certificate needs finite ends"),
        (lambda: product_gate(domain=(1, -1)), "reversed"),
        (lambda: product_gate(domain=3), "domain of x0 is 3"),
        (lambda: product_gate(domain={"x0": (0, 1)}), "no interval for x1"),
        (lambda: product_gate(domain=((0, 1), (0, 1), (0, 1))), "domain has 3 intervals for 2 inputs"),
        (lambda: bit_product_gate(0), "k is 0"),
        (lambda: bit_product_gate(True), "k is True"),
        (lambda: bit_product_gate(2, -1), "beta is -1"),
        (lambda: bit_product_gate(2, 5, decimals=3), "both given"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()
