"""Cheap learning: what certificates, counts and readings promise, tried. Counts: cheap_counts.py. Posteriors and
hierarchies: cheap_physics.py."""

import gc
import itertools
import re
import time
from pathlib import Path

import numpy as np
import sympy
import torch

import deeptheory
from cheap.random_formulas import ACTIVATIONS, Truth, judged, points, stranger, worst_error
from deeptheory import cheap
from deeptheory.core.errors import InputError
from trials import cheap_counts, cheap_physics
from trials.frame import Found, Row, all_of, near, quick, rare, refused, same

NAMES = ("silu", "gelu", "softplus", "tanh", "sigmoid", "exp", "cos", "sin")


def within(text, domain, tolerance, count=200, **options):
    """One formula: its certificate within the tolerance, and no error found beyond it."""

    def check(rng, draws):
        network = cheap.compile_polynomial(text, domain=domain, tolerance=tolerance, **options)
        dtype = options.get("dtype", torch.float64)
        box = {n: domain[n] if isinstance(domain, dict) else domain for n in network.variables}
        found = worst_error(network, Truth(text, network.variables), box, dtype, rng, count, 20)
        total = network.certificate.total
        return Found(f"{found:.3g} of {network.certificate!r}", f"at most {tolerance:g}", found <= total <= tolerance)

    return check


def strangers(activation=None):
    """Random formulas: none beyond its certificate, no raw error; refused at most 10 % that float64 itself gets right.

    activation: None takes each formula's own.
    """

    def check(rng, draws):
        seed, seen = int(rng.integers(2**32)), {}
        for k in range(draws):
            own = np.random.default_rng([seed, k])
            s = stranger(own)
            s = type(s)(s.text, s.domain, activation or s.activation, s.dtype, s.share)
            o = judged(s, own, *((1000, 50) if draws > 20 else (120, 10)))
            seen.setdefault(o.kind, []).append((s, o))
        wrong = seen.get("broken", []) + seen.get("raw", [])
        held, refusals = len(seen.get("held", [])), len(seen.get("refused", []))
        # 10 % of the ten blocks together; one block is judged by its band, as every rate is
        few = rare(refusals, held + refusals, 0.1).held if draws > 100 else refusals <= 0.35 * (held + refusals) + 1
        text = f"{held} held, {len(wrong)} broken, {refusals} refused of {draws}, seed {seed}" + "".join(
            f"; {s}: {o.said}" for s, o in wrong[:1]
        )
        return Found(text, "0 broken, at most 10 % refused (within the band, at full size)", not wrong and few)

    return check


def by_intervals(rng, draws):
    """The truth enclosed by interval arithmetic in 30 digits at 50 points."""
    import mpmath

    bad = done = compared = 0
    while done < draws:
        s = stranger(rng)
        try:
            network = cheap.compile_polynomial(
                s.text, domain=s.domain, tolerance=1e-2 * 10 ** float(rng.integers(0, 5))
            )
            code = sympy.lambdify([sympy.Symbol(n) for n in s.domain], sympy.sympify(s.text), "mpmath")
        except InputError:
            continue
        done += 1
        mpmath.iv.dps = 30
        code.__globals__.update({k: getattr(mpmath.iv, k) for k in ("exp", "log", "sin", "cos", "tan", "sqrt", "mpf")})
        x = points(s.domain, torch.float64, 50, rng)
        with torch.no_grad():
            got = network(torch.tensor(x))[:, 0].numpy()
        for row, value in zip(x, got):
            try:
                v = code(*[mpmath.iv.mpf(float(c)) for c in row])
                ends = mpmath.iv.mpf(v) - float(value)
                worst = float(np.max(np.abs([float(ends.a), float(ends.b)])))
                bad += not worst <= network.certificate.total + float(ends.delta)
                compared += 1
            except (AttributeError, TypeError, ValueError, NotImplementedError):
                break  # no interval form of that function
    said = f"{bad} of {compared} points beyond"
    return Found(said, "0, of 50 each of a third of the formulas or more", bad == 0 and compared >= 50 * draws / 3)


def split(rng, draws):
    """Total = truncation + rounding, both at or above 0, for both dtypes; float32 rounds more."""
    out = []
    for text in ("x*y*z + sin(x)", "exp(x)*y", "1/(2 + x*y)"):
        a, b = (
            cheap.compile_polynomial(text, tolerance=1e-2, dtype=d).certificate for d in (torch.float64, torch.float32)
        )
        ok = all(c.truncation >= 0 and c.rounding > 0 for c in (a, b)) and b.rounding > a.rounding
        out += [near(c.truncation + c.rounding, c.total, 1e-15) for c in (a, b)] + [Found(f"{a} {b}", "both parts", ok)]
    return all_of(*out)


def scaled(c):
    """c sin(x) to c 1e-8 takes as many neurons as sin(x) to 1e-8."""

    def check(rng, draws):
        a = cheap.compile_polynomial("sin(x)", tolerance=1e-8).neurons
        b = cheap.compile_polynomial(f"{c!r}*sin(x)", tolerance=c * 1e-8).neurons
        return near(b, a, 2)

    return check


def reached(text, **options):
    """A refusal names a tolerance that is then met."""

    def check(rng, draws):
        try:
            cheap.compile_polynomial(text, **options)
        except cheap.ToleranceError as error:
            best, depth = error.best, error.depth
            options["depth"] = depth if options.get("depth") else None
            made = cheap.compile_polynomial(text, **{**options, "tolerance": best})
            return Found(f"{made.certificate.total:.3g}", f"{best:.3g}", made.certificate.total <= best)
        return Found("met", "a refusal", False)

    return check


def same_network(rng, draws):
    """Order of the domain's names, torch's default dtype, threads, sympy or text: the same weights."""
    text, box = "x*y*z + sin(x)*exp(y)", {"x": (-1, 1), "y": (0, 1), "z": (-2, 1)}
    x = torch.tensor(rng.uniform(0, 1, (20, 3)))

    def value(given=text, domain=box):
        return cheap.compile_polynomial(given, domain=domain, tolerance=1e-4)(x).detach().numpy()

    first = [value(), value(domain=dict(reversed(box.items()))), value(sympy.sympify(text))]
    before = torch.get_default_dtype(), torch.get_num_threads()
    try:
        torch.set_default_dtype(torch.bfloat16)
        first.append(value())
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(2)
        first.append(value())
    finally:
        torch.set_default_dtype(before[0])
        torch.set_num_threads(before[1])
    return same(first, 1e-12)


def gates(make, monomial, inputs):
    def check(rng, draws):
        out = []
        for name, dtype, size in itertools.product(NAMES, (torch.float64, torch.float32), (1e-3, 1.0, 50.0)):
            gate = make(name, dtype=dtype, domain=(-size, size))
            x = points({str(k): (-size, size) for k in range(inputs)}, dtype, 300, rng)
            with torch.no_grad():
                off = np.abs(gate(torch.tensor(x, dtype=dtype))[:, 0].double().numpy() - monomial(x)).max()
            out.append(
                Found(
                    f"{name} {size}: {off:.3g} of {gate.certificate.total:.3g}",
                    "within the certificate",
                    off <= gate.certificate.total,
                )
            )
        return all_of(*out)

    return check


def bits(k):
    def check(rng, draws):
        gate = cheap.bit_product_gate(k, decimals=5)
        x = torch.tensor(list(itertools.product((0.0, 1.0), repeat=k)), dtype=torch.float64)
        off = (gate(x)[:, 0] - x.prod(1)).abs().max().item()
        return Found(f"{off:.3g}", f"{gate.certificate.total:.3g}, 1e-5", off <= gate.certificate.total <= 1.1e-5)

    return check


def spent(action):
    """What came of it, seconds of processor time, and MB of peak memory above what was held before."""
    kb = lambda name: int(re.search(name + r":\s+(\d+)", Path("/proc/self/status").read_text())[1])  # noqa: E731
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again: an earlier one would hide this one
    gc.collect()
    gc.freeze()  # what other tests hold is not searched for garbage in the time of this call
    start, held = time.process_time(), kb("VmRSS")
    found = action()
    took, more = time.process_time() - start, (kb("VmHWM") - held) / 1024
    gc.unfreeze()
    return [found, Found(f"{took:.2f} s, {more:.0f} MB", "1 s, 200 MB", took < 1 and more < 200)]


def bomb(
    text, match="cannot be|characters|has up to|counted up to|above|beyond|overflow|out of reach|finite|multiplied"
):
    """An error of ours from both entry points, in a second of processor time and 200 MB."""

    def check(rng, draws):
        cheap.compile_polynomial("x*y"), cheap.neuron_count("x*y")  # imports
        out = []
        for door in (cheap.compile_polynomial, cheap.neuron_count):
            out += spent(lambda door=door: refused(lambda: door(text), match))
        return all_of(*out)

    return check


def long_(text, **options):
    """Formulas whose parts are many: refused before they are compiled."""

    def check(rng, draws):
        cheap.compile_polynomial("x*y")  # imports
        return all_of(*spent(lambda: refused(lambda: cheap.compile_polynomial(text, **options), "compiled are up to")))

    return check


_NAMES = [f"a{k}" for k in range(20)]
_MANY = [" * ".join(c) for c in itertools.islice(itertools.combinations(_NAMES, 4), 3000)]
LONG = {
    "3,000 monomials": {"text": " + ".join(_MANY)},
    "1,000 monomials at depth 2": {"text": " + ".join(_MANY[:1000]), "depth": 2},
    "300 sines": {"text": " + ".join(f"sin({k}*x)" for k in range(1, 301))},
    "a million layers": {"text": "x*y", "depth": 10**6},
    "a million layers of relu": {"text": "x*y", "depth": 10**6, "activation": "relu"},
    "20 tanh inside one another": {"text": "tanh(" * 20 + "x" + ")" * 20},
    "15 reciprocals inside one another": {"text": "1/(2 + " * 15 + "x" + ")" * 15},
    "12 roots inside one another": {"text": "sqrt(1 + y*" * 12 + "x**2" + ")" * 12},
    "30 atan inside one another by relu": {"text": "atan(" * 30 + "x" + ")" * 30, "activation": "relu"},
    "9 sines inside one another at depth 40": {"text": "y*sin(" * 9 + "x" + ")" * 9, "depth": 40},
    "5,000 variables": {"text": " + ".join(f"b{k}" for k in range(5000))},
}
SI = [
    ("v*cos(theta)", {"v": (0, 1000), "theta": (-0.1, 0.1)}, (0.1, 1.0, 6.0)),
    ("1e6*sin(1e-6*x)", (-1, 1), (1e-2, 1e-5, 0.9)),
    ("p*exp(-h/8000)", {"p": (90_000, 110_000), "h": (0, 100)}, (100, 1, 1500)),
    ("m*g*h*(1 - cos(a))", {"m": (0, 1e3), "g": (9.78, 9.83), "h": (0, 10), "a": (-0.01, 0.01)}, (1, 10)),
    ("exp(cos(a))*v", {"a": (-0.1, 0.1), "v": (0, 1e4)}, (1, 50)),
    ("k*x**2/2 + c*tanh(1e-3*x)", {"k": (1e5, 2e5), "x": (-1e-3, 1e-3), "c": (0, 1e8)}, (10, 1)),
    ("sqrt(1 + 1e-7*x)*y", {"x": (0, 1), "y": (-1e8, 1e8)}, (1, 20)),
]
POINTS = ["x*sin(y)", "x/y", "x*sqrt(y)", "x*exp(y*z)", "log(y) + y**x*0 + x", "y**3*x + tanh(y)", "sin(y)*cos(y)"]
FOLDED = [
    ("(0.1 + 0.2 - 0.3)*1e17*x", 1e-6),
    ("sinh(1.99)", 1e-12),
    ("(3)**1.5*x", 1e-12),
    ("(exp(7.3) - 1480.2999)*1e9*x", 1e-3),
    ("1/(0.106*1.02 + 2) + x", 1e-12),
]
NEW = [
    ("atanh(x)", (-0.9, 0.9)), ("asinh(5*x)", (-2, 2)), ("acosh(x)", (1.1, 4)), ("erfc(x)*y", (-1, 2)),
    ("atan2(y, x)", {"x": (1, 2), "y": (-3, 3)}), ("atan2(y, x)", {"x": (-1, 2), "y": (0.5, 1)}),
    ("1/(exp(u) - 1)", (1, 5)), ("w**3/(exp(w) - 1)", (0.1, 6)), ("1/(1 + exp(-x))", (-8, 8)),
    ("2/(3 + exp(2*x))", (-2, 2)),
]  # fmt: skip
WIDE = [
    ("exp(-x)", (0, 1e6), 1e-2), ("sin(x)", (0, 3000), 2e-2), ("1/x", (3, 25_000), 1e-5), ("1/x", (-4e4, -1), 1e-4),
    ("sqrt(x)", (0, 4), 1e-2), ("asin(x)", (-1, 1), 1e-2), ("acos(x)*y", (-1, 1), 2e-2), ("x**1.5", (0, 9), 0.3),
    ("sqrt((a - b)**2 + c**2)", (1, 3), 4e-2), ("log(x)", (1, 1e4), 1e-3), ("1/sqrt(x)", (1, 1e5), 1e-3),
    ("x**0.75", (1, 1e4), 0.3),
    ("tanh(x)", (-3e4, 500), 1e-2), ("erf(x)", (-269, 269), 1e-4), ("erfc(x)", (-3, 7e5), 1e-3),
    ("asinh(x)", (2, 1500), 1e-3),
    ("asinh(x)", (-30, 40), 1e-2), ("atan(x)", (0, 3e4), 1e-3), ("atan(x)", (-60, 80), 1e-2),
    ("1/(1 + exp(-x))", (-1e3, 500), 1e-3),
    ("x**1.5", (0, 2), 1e-4), ("x**0.6", (0, 1), 1e-2), ("(1 - cos(x))**1.5*y", (-1, 1), 1e-3),
]  # fmt: skip
BOMBS = [
    "2**factorial(99)*x", "fibonacci(factorial(30))*x", "chebyshevt(10**7,x)", "hermite(10**5,x)",
    "Float(0.1,99999999)*x",
    "bernoulli(5000,x)", "rf(x,10**6)", "(x+y)**5000", "(1+x)**2000", "x*acos(-2)", "1e400*x", "x(2)", "motzkin(900)*x",
    "__import__(1)", "(" * 5000 + "x" + ")" * 5000, "9" * 100_000 + "*x", "x**" + "9" * 100, "exp(exp(exp(100)))*x",
    "exp(1e9)*x",
    "x\u00b2", "x.real", "lambda: x", "[x]", "((((x**99)**99)**99)**99)", "1/(x-x)", "binomial(10**6,10**5)*x",
    "x**9999999999", "((x**999)**999)**999",
]  # fmt: skip
ROWS = [
    *(Row("cheap.compile_polynomial", "truth", f"{t} to {tol:g}: worst error found, mpmath", within(t, d, tol))
        for t, d, tols in SI for tol in tols),
    *(Row("cheap.compile_polynomial", "truth", f"{t}, a variable at one point, {str(k)[6:]}, y = {y}: mpmath",
        within(t, {"x": (-1, 1), "y": (y, y), "z": (0, 1)}, 1e-2, 60, dtype=k)) for t in POINTS
            for y, k in ((2, torch.float64), (2.1, torch.float32), (0.3, torch.float64))),
    *(Row("cheap.compile_polynomial", "truth", f"{t}, numbers worked out before: mpmath",
        within(t, {"x": (0, 1)}, tol, 20)) for t, tol in FOLDED),
    *(Row("cheap.compile_polynomial", "truth", f"{t} on {d}: mpmath", within(t, d, 1e-4, 100)) for t, d in NEW),
    *(Row("cheap.compile_polynomial", "truth", f"{t} on {d}, wide or at a corner: mpmath", within(t, d, tol, 100))
        for t, d, tol in WIDE),
    *(Row("cheap.compile_polynomial", "truth", f"{t} as its own neuron, {a}: mpmath",
        within(t, (-3, 3), 1e-4, 100, activation=a))
            for t, a in (("1/(1 + exp(-x))", "sigmoid"), ("tanh(x)*y", "tanh"), ("exp(-x**2)", "exp"),
                ("sin(20*x) + y", "sin"), ("x*cos(y)", "cos"))),
    *(Row("cheap.compile_polynomial", "truth", f"{t} over +-{r:g} by {a}: mpmath",
        within(t, (-r, r), 2e-3, 100, activation=a)) for t, r in (("tanh(x)", 3e3), ("erf(x)", 200))
            for a in ("gelu", "softplus", "relu", "tanh", "sigmoid")),
    *(Row("cheap.compile_polynomial", "truth", f"{t} by relu on +-{r:g}, a little above a power of two: mpmath",
        within(t, (-r, r), tol, 100, activation="relu")) for t, tol in (("erf(y)", 2e-3), ("sin(x)*y + 3*x", 2e-2))
            for r in (0.2543, 0.507, 1.017, 2.05)),
    *(Row("cheap.compile_polynomial", "truth", f"random formulas of {a}: mpmath, 1,000 points, 50 ascents",
        strangers(a), 7, 25) for a in ACTIVATIONS),
    *(Row("cheap.compile_polynomial", "truth",
        f"random formulas, 200 of version {deeptheory.__version__}, block {k} of 10: mpmath, 1,000 points, 50 ascents",
        strangers(), 0, 200) for k in range(1, 11)),
    Row("cheap.compile_polynomial", "truth", "random formulas against interval arithmetic", by_intervals, 6, 200),
    *(Row("cheap.compile_polynomial", "invariance", f"{c:g} sin(x) takes the neurons of sin(x)", scaled(c))
        for c in (1e-20, 1e-3, 1e7, 1e12)),
    Row("cheap.compile_polynomial", "invariance", "order of names, default dtype, threads, sympy or text",
        same_network),
    *(Row("cheap.compile_polynomial", "truth", f"the tolerance that a refusal of {t} names is met, {o}",
        reached(t, **o)) for t, o in (("asin(x/3)", {"depth": 6, "activation": "relu", "tolerance": 1.48e-5}),
        ("asin(x/3)", {"depth": 4, "activation": "relu", "tolerance": 1e-6}), ("sin(x)*exp(y)", {"tolerance": 1e-14}),
        ("1e7*sin(x)", {"tolerance": 1e-9}), ("x*y*z*w", {"depth": 1, "tolerance": 1e-9}),
        ("sqrt(x)", {"domain": (0, 1), "tolerance": 1e-6}))),
    *(Row("cheap.compile_polynomial", "truth", f"{t[:40]}: an error of ours, in a second and 200 MB", bomb(t))
        for t in BOMBS),
    *(Row("cheap.compile_polynomial", "truth", f"{name}: an error of ours, in a second and 200 MB", long_(**made))
        for name, made in LONG.items()),
    Row("cheap.compile_polynomial", "truth", "float32 rows for a float64 network: refused",
        lambda r, d: refused(lambda: cheap.compile_polynomial("x*y")(torch.zeros(3, 2)), "float32")),
    Row("cheap.compile_polynomial", "truth", "rows inside the domain",
        lambda r, d: near(cheap.compile_polynomial("x*y",
            domain=(0, 1)).inside(torch.tensor([[0.0, 1.0], [0.5, 1.1], [-0.1, 0.0]])).numpy(), [1, 0, 0], 0)),
    *(Row("cheap.CompiledNetwork.to_onnx", "truth", f"float64 with {a}: refused",
        lambda r, d, a=a: refused(lambda: cheap.compile_polynomial("x*y", activation=a).to_onnx("/dev/null"),
            "onnxruntime")) for a in ("gelu", "softplus")),
    Row("cheap.Certificate", "truth", "truncation and rounding, both dtypes", split),
    Row("cheap.product_gate", "truth", "8 activations, 2 dtypes, sizes 1e-3 to 50",
        gates(cheap.product_gate, lambda x: x[:, 0] * x[:, 1], 2)),
    Row("cheap.square_gate", "truth", "8 activations, 2 dtypes, sizes 1e-3 to 50",
        gates(cheap.square_gate, lambda x: x[:, 0] ** 2, 1)),
    Row("cheap.identity_gate", "truth", "8 activations, 2 dtypes, sizes 1e-3 to 50",
        gates(cheap.identity_gate, lambda x: x[:, 0], 1)),
    Row("cheap.monomial_layer", "truth", "x^2 y, 8 activations, 2 dtypes, sizes 1e-3 to 50",
        gates(lambda a, **o: cheap.monomial_layer((2, 1), a, **o), lambda x: x[:, 0] ** 2 * x[:, 1], 2)),
    *(Row("cheap.bit_product_gate", "truth", f"all {k} bits to 5 decimals", bits(k)) for k in (1, 3, 8)),
    *cheap_counts.ROWS,
    *cheap_physics.ROWS,
]  # fmt: skip

EXEMPT = {
    "cheap.lumpable_chain": "a source of chains; what it makes is tried with MarkovHierarchy",
    "cheap.gaussian_field": "a source of fields; tried with renormalization_flow",
    "cheap.bonds": "an enumeration; tried with ising and potts",
    "cheap.Assumptions": "a description",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
