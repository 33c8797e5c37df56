"""Cheap learning: what certificates, counts and readings promise, tried. Posteriors and hierarchies: cheap_physics.py."""

import itertools
import math
import resource
import time

import numpy as np
import sympy
import torch
from torch import nn

from cheap.strangers import ACTIVATIONS, Truth, judged, points, stranger, worst_error
from deeptheory import cheap
from deeptheory.errors import InputError
from trials import cheap_physics
from trials.frame import Found, Row, all_of, near, quick, refused, same

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


def strangers(activation):
    """Random formulas: none beyond its certificate, no raw error; refused at most 10 % that float64 itself gets right."""

    def check(rng, draws):
        seen = {}
        for _ in range(draws):
            s = stranger(rng)
            s = type(s)(s.text, s.domain, activation, s.dtype, s.share)
            o = judged(s, rng, *((1000, 50) if draws > 20 else (120, 10)))
            seen.setdefault(o.kind, []).append((s, o))
        wrong = seen.get("broken", []) + seen.get("raw", [])
        held, refusals = len(seen.get("held", [])), len(seen.get("refused", []))
        most = 0.1 * (held + refusals) if draws > 100 else 0.35 * (held + refusals) + 1
        text = f"{held} held, {len(wrong)} broken, {refusals} refused of {draws}" + "".join(
            f"; {s}: {o.said}" for s, o in wrong[:1]
        )
        return Found(text, "0 broken, 10 % refused (at full size)", not wrong and refusals <= most)

    return check


def by_intervals(rng, draws):
    """The truth enclosed by interval arithmetic in 30 digits at 50 points."""
    import mpmath

    bad = done = 0
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
                bad += max(abs(float(ends.a)), abs(float(ends.b))) > network.certificate.total + float(ends.delta)
            except (AttributeError, TypeError, ValueError, NotImplementedError):
                break  # no interval form of that function
    return Found(f"{bad} points beyond", "0", bad == 0)


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


def best_by_program(kinks, units, facing):
    """Least uniform error of x^2 on [0, 1] from units with these kinks: a linear program on 401 points."""
    from scipy.optimize import linprog

    x = np.linspace(0, 1, 401)
    columns = [np.maximum(s * (x - k), 0) for k, s in zip(kinks, facing)] + [np.ones_like(x)]
    a = np.stack(columns, 1)
    ones = np.ones((len(x), 1))
    found = linprog(
        [0] * a.shape[1] + [1],
        A_ub=np.block([[a, -ones], [-a, -ones]]),
        b_ub=np.concatenate([x**2, -(x**2)]),
        bounds=[(None, None)] * a.shape[1] + [(0, None)],
    )
    return found.fun


def relu_best(units, grid):
    """1 / (2 (2 w + 1)^2) is met by some kinks and undercut by none; relu_count changes there."""

    def check(rng, draws):
        truth = 1 / (2 * (2 * units + 1) ** 2)
        places = [*np.linspace(0, 1, grid), *((2 * k + 1) / (2 * units + 1) for k in range(units))]
        best = min(
            best_by_program(k, units, f)
            for k in itertools.combinations(places, units)
            for f in itertools.product((1, -1), repeat=units)
        )
        counts = [cheap.relu_count(truth * (1 + e), 1) for e in (1e-6, -1e-3)]
        return all_of(
            Found(f"{best:.5f}", f"{truth:.5f} less 1 %", truth * 0.99 <= best <= truth * 1.001),
            near([[c.lower, c.upper] for c in counts], [[units] * 2, [units + 1] * 2], 0),
        )

    return check


def relu_cases(rng, draws):
    tolerances = (1 / 32, 0.04, 0.05, 1 / 72, 0.014, 0.0201, 0.06, 1e-3)
    return near([cheap.relu_count(t, 1).lower for t in tolerances], [2, 2, 2, 3, 3, 2, 1, 11], 0)


def counted_and_built(rng, draws):
    """Counts against what the compiler builds: at least `lower`, and `upper` of the convention of silu at most that."""
    out = []
    for _ in range(draws):
        x = sympy.symbols("a:d")
        n = int(rng.integers(1, 5))
        parts = [
            sum(int(c) * v for c, v in zip(rng.integers(-2, 3, n), x)) + int(rng.integers(-1, 2))
            for _ in range(int(rng.integers(1, 4)))
        ]
        e = sympy.prod([p ** int(rng.integers(1, 4)) for p in parts]) + int(rng.integers(0, 2)) * x[0]
        if not e.free_symbols:
            continue
        count = cheap.neuron_count(e, convention="output_bias")
        made = cheap.compile_polynomial(e, tolerance=0.9 * 1e6).neurons
        out.append(
            Found(
                f"{e}: {count.lower} to {count.upper}, built {made}",
                "upper at most built",
                count.lower <= count.upper <= made or made == 0 == count.lower,
            )
        )
    return all_of(*out)


def linear_counts(rng, draws):
    forms = ["3*z", "x", "x - 2*y + 1", "a + b + c + d", "5"]
    return near([[cheap.neuron_count(f).lower, cheap.neuron_count(f).upper] for f in forms], 0, 0)


def products(n):
    def check(rng, draws):
        e = sympy.prod(sympy.symbols(f"x:{n}"))
        a, b = cheap.neuron_count(e, 1), cheap.neuron_count(e)
        return near(
            [a.lower, a.upper, cheap.neurons_by_depth(e, (1,)).counts[0].upper, b.upper <= 4 * (n - 1)],
            [2**n, 2**n, 2**n, 1],
            0,
        )

    return check


def renamed(rng, draws):
    """A linear change of variables, scales and names do not matter."""
    e = sympy.sympify("a**2*b + b**2*c - 3*a*b*c")
    a, b = sympy.symbols("a b")
    others = [e, 7 * e, e.subs({a: sympy.Symbol("zz")}), sympy.expand(e.subs({a: a + 2 * b}, simultaneous=True))]
    return same([[cheap.neuron_count(f, 1).lower] for f in others])


def read_back(activation, degree, size, dtype):
    """A random network of two layers: no error beyond the bound, none seen beyond it."""

    def check(rng, draws):
        torch.manual_seed(int(rng.integers(2**31)))
        network = nn.Sequential(nn.Linear(2, 6), activation, nn.Linear(6, 6), activation, nn.Linear(6, 2)).to(dtype)
        found = cheap.to_polynomial(network, degree, (-size, size))
        x = points({"x0": (-size, size), "x1": (-size, size)}, dtype, 2000, rng)
        f = sympy.lambdify(sympy.symbols("x0 x1"), list(found.expressions), "numpy")
        with torch.no_grad():
            got = network(torch.tensor(x, dtype=dtype)).double().numpy()
        off = np.abs(got - np.stack([np.broadcast_to(v, len(x)) for v in f(*x.T)], 1)).max()
        return Found(
            f"{off:.3g}, seen {found.seen:.3g}, bound {found.bound:.3g}",
            "at most the bound",
            max(off, found.seen) <= found.bound,
        )

    return check


def unreadable(activation):
    return lambda rng, draws: refused(
        lambda: cheap.to_polynomial(nn.Sequential(nn.Linear(2, 4), activation, nn.LazyLinear(1)), 3),
        "smooth|kink|cannot be read",
    )


def parameters(make):
    def check(rng, draws):
        module = make()
        found = cheap.cost(module)
        total = sum(p.numel() for p in module.parameters())
        with torch.no_grad():
            for p in module.parameters():
                p *= 1e-30
        return all_of(
            near(found.weights + found.biases, total, 0), near(cheap.cost(module).synapses, found.synapses, 0)
        )

    return check


class Outside(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.layer = nn.Parameter(torch.randn(1, 3, 4)), nn.Linear(4, 2)


def tied():
    module = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 7))
    module[1].weight = module[0].weight
    return module


def bomb(
    text, match="cannot be|characters|has up to|counted up to|above|beyond|overflow|out of reach|finite|multiplied"
):
    """An error of ours from both doors, in a second (three where the machine is busy) and 200 MB."""

    def check(rng, draws):
        cheap.compile_polynomial("x*y"), cheap.neuron_count("x*y")  # imports
        out = []
        for door in (cheap.compile_polynomial, cheap.neuron_count):
            start, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            found = refused(lambda door=door: door(text), match)
            took, more = (
                time.process_time() - start,
                (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024,
            )
            out += [found, Found(f"{took:.2f} s, {more:.0f} MB", "1 s, 200 MB", took < 1 and more < 200)]
        return all_of(*out)

    return check


def groups_by_search(n, depth):
    def check(rng, draws):

        def best(m, layers):
            if layers == 1:
                return 2**m
            sizes = lambda g: [len(p) for p in np.array_split(range(m), g)]  # noqa: E731
            return min(sum(2**b for b in sizes(g)) + best(g, layers - 1) for g in range(layers, m))

        return near(cheap.product_optimum(n, depth)[0], best(n, depth), 0)

    return check


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
NEW = [
    ("atanh(x)", (-0.9, 0.9)), ("asinh(5*x)", (-2, 2)), ("acosh(x)", (1.1, 4)), ("erfc(x)*y", (-1, 2)),
    ("atan2(y, x)", {"x": (1, 2), "y": (-3, 3)}), ("atan2(y, x)", {"x": (-1, 2), "y": (0.5, 1)}),
    ("1/(exp(u) - 1)", (1, 5)), ("w**3/(exp(w) - 1)", (0.1, 6)), ("1/(1 + exp(-x))", (-8, 8)), ("2/(3 + exp(2*x))", (-2, 2)),
]  # fmt: skip
WIDE = [
    ("exp(-x)", (0, 1e6), 1e-2), ("sin(x)", (0, 3000), 2e-2), ("1/x", (3, 25_000), 1e-5), ("1/x", (-4e4, -1), 1e-4),
    ("sqrt(x)", (0, 4), 1e-2), ("asin(x)", (-1, 1), 1e-2), ("acos(x)*y", (-1, 1), 2e-2), ("x**1.5", (0, 9), 0.3),
    ("sqrt((a - b)**2 + c**2)", (1, 3), 4e-2),
]  # fmt: skip
BOMBS = [
    "2**factorial(99)*x", "fibonacci(factorial(30))*x", "chebyshevt(10**7,x)", "hermite(10**5,x)", "Float(0.1,99999999)*x",
    "bernoulli(5000,x)", "rf(x,10**6)", "(x+y)**5000", "(1+x)**2000", "x*acos(-2)", "1e400*x", "x(2)", "motzkin(900)*x",
    "__import__(1)", "(" * 5000 + "x" + ")" * 5000, "9" * 100_000 + "*x", "x**" + "9" * 100, "exp(exp(exp(100)))*x", "exp(1e9)*x",
    "x\u00b2", "x.real", "lambda: x", "[x]", "((((x**99)**99)**99)**99)", "1/(x-x)", "binomial(10**6,10**5)*x", "x**9999999999", "((x**999)**999)**999",
]  # fmt: skip
COUNTED = ["(x+y+z+u+v+w)**60", "x**9999999999", "(x+y)**5000", "((x+1)**99+1)**99", "(x+y+z)**300"]
MODULES = {
    "TransformerEncoderLayer": lambda: nn.TransformerEncoderLayer(8, 2, 16),
    "LSTM and Linear": lambda: nn.ModuleList([nn.LSTM(8, 16), nn.Linear(16, 2)]),
    "Embedding": lambda: nn.Embedding(11, 3),
    "parameters outside modules": Outside,
    "tied weights": tied,
    "convolutions and norms": lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ConvTranspose2d(4, 2, 3), nn.GRU(3, 2)
    ),
    "bilinear": lambda: nn.Bilinear(2, 3, 4),
}
READ = [
    (nn.Tanh(), 3, 1.0),
    (nn.SiLU(), 4, 0.5),
    (nn.GELU(), 3, 2.0),
    (nn.Softplus(), 5, 0.3),
    (nn.Sigmoid(), 2, 3.0),
    (nn.ELU(), 2, 1.0),
    (nn.Mish(), 3, 1.0),
]
UNREAD = (
    nn.Softmax(-1),
    nn.LogSoftmax(-1),
    nn.Softmin(-1),
    nn.GLU(),
    nn.LeakyReLU(),
    nn.Hardtanh(),
    nn.ReLU(),
    nn.ReLU6(),
    nn.PReLU(),
    nn.SELU(),
    nn.Hardswish(),
    nn.Threshold(0.1, 1.0),
    nn.Softshrink(),
    nn.CELU(0.5),
    nn.RReLU(),
)

ROWS = [
    *(Row("cheap.compile_polynomial", "truth", f"{t} to {tol:g}: worst error found, mpmath", within(t, d, tol)) for t, d, tols in SI for tol in tols),
    *(Row("cheap.compile_polynomial", "truth", f"{t}, a variable at one point, {str(k)[6:]}, y = {y}: mpmath", within(t, {"x": (-1, 1), "y": (y, y), "z": (0, 1)}, 1e-2, 60, dtype=k)) for t in POINTS for y, k in ((2, torch.float64), (2.1, torch.float32), (0.3, torch.float64))),
    *(Row("cheap.compile_polynomial", "truth", f"{t} on {d}: mpmath", within(t, d, 1e-4, 100)) for t, d in NEW),
    *(Row("cheap.compile_polynomial", "truth", f"{t} on {d}, wide or at a corner: mpmath", within(t, d, tol, 100)) for t, d, tol in WIDE),
    *(Row("cheap.compile_polynomial", "truth", f"{t} as its own neuron, {a}: mpmath", within(t, (-3, 3), 1e-4, 100, activation=a)) for t, a in (("1/(1 + exp(-x))", "sigmoid"), ("tanh(x)*y", "tanh"), ("exp(-x**2)", "exp"), ("sin(20*x) + y", "sin"), ("x*cos(y)", "cos"))),
    *(Row("cheap.compile_polynomial", "truth", f"random formulas of {a}: mpmath, 1,000 points, 50 ascents", strangers(a), 7, 223) for a in ACTIVATIONS),
    Row("cheap.compile_polynomial", "truth", "random formulas against interval arithmetic", by_intervals, 6, 200),
    *(Row("cheap.compile_polynomial", "invariance", f"{c:g} sin(x) takes the neurons of sin(x)", scaled(c)) for c in (1e-20, 1e-3, 1e7, 1e12)),
    Row("cheap.compile_polynomial", "invariance", "order of names, default dtype, threads, sympy or text", same_network),
    *(Row("cheap.compile_polynomial", "truth", f"the tolerance that a refusal of {t} names is met, {o}", reached(t, **o)) for t, o in (("asin(x/3)", {"depth": 6, "activation": "relu", "tolerance": 1.48e-5}), ("asin(x/3)", {"depth": 4, "activation": "relu", "tolerance": 1e-6}), ("sin(x)*exp(y)", {"tolerance": 1e-14}), ("1e7*sin(x)", {"tolerance": 1e-9}), ("x*y*z*w", {"depth": 1, "tolerance": 1e-9}), ("sqrt(x)", {"domain": (0, 1), "tolerance": 1e-6}))),
    *(Row("cheap.compile_polynomial", "truth", f"{t[:40]}: an error of ours, in a second and 200 MB", bomb(t)) for t in BOMBS),
    Row("cheap.compile_polynomial", "truth", "float32 rows for a float64 network: refused", lambda r, d: refused(lambda: cheap.compile_polynomial("x*y")(torch.zeros(3, 2)), "float32")),
    Row("cheap.compile_polynomial", "truth", "rows inside the domain", lambda r, d: near(cheap.compile_polynomial("x*y", domain=(0, 1)).inside(torch.tensor([[0.0, 1.0], [0.5, 1.1], [-0.1, 0.0]])).numpy(), [1, 0, 0], 0)),
    *(Row("cheap.CompiledNetwork.to_onnx", "truth", f"float64 with {a}: refused", lambda r, d, a=a: refused(lambda: cheap.compile_polynomial("x*y", activation=a).to_onnx("/dev/null"), "onnxruntime")) for a in ("gelu", "softplus")),
    Row("cheap.Certificate", "truth", "truncation and rounding, both dtypes", split),
    Row("cheap.product_gate", "truth", "8 activations, 2 dtypes, sizes 1e-3 to 50", gates(cheap.product_gate, lambda x: x[:, 0] * x[:, 1], 2)),
    Row("cheap.square_gate", "truth", "8 activations, 2 dtypes, sizes 1e-3 to 50", gates(cheap.square_gate, lambda x: x[:, 0] ** 2, 1)),
    Row("cheap.identity_gate", "truth", "8 activations, 2 dtypes, sizes 1e-3 to 50", gates(cheap.identity_gate, lambda x: x[:, 0], 1)),
    Row("cheap.monomial_layer", "truth", "x^2 y, 8 activations, 2 dtypes, sizes 1e-3 to 50", gates(lambda a, **o: cheap.monomial_layer((2, 1), a, **o), lambda x: x[:, 0] ** 2 * x[:, 1], 2)),
    *(Row("cheap.bit_product_gate", "truth", f"all {k} bits to 5 decimals", bits(k)) for k in (1, 3, 8)),
    *(Row("cheap.relu_count", "truth", f"{w} units: linear programs over kinks", relu_best(w, g)) for w, g in ((1, 60), (2, 14))),
    Row("cheap.relu_count", "truth", "1/32, .04, .05, 1/72, .014, .0201, .06, .001 at depth 1", relu_cases),
    Row("cheap.neuron_count", "null", "linear maps and constants: 0", linear_counts),
    Row("cheap.neuron_count", "truth", "random products of sums: at most what is built", counted_and_built, 12, 100),
    *(Row("cheap.neuron_count", "truth", f"{t[:40]}: an error of ours", lambda r, d, t=t: refused(lambda: cheap.neuron_count(t), "has up to|the degree is|exponent")) for t in COUNTED),
    *(Row("cheap.neurons_by_depth", "truth", f"a product of {n}: 2^n flat, 4 (n - 1) deep", products(n)) for n in (2, 5, 9)),
    Row("cheap.neuron_count", "invariance", "names, scales, linear changes of variables", renamed),
    *(Row("cheap.product_optimum", "truth", f"{n} numbers in {k} layers: search", groups_by_search(n, k)) for n, k in ((5, 2), (9, 3), (12, 2))),
    *(Row("cheap.real_groups", "truth", f"{n} in {k}: product n", lambda r, d, n=n, k=k: near(math.prod(cheap.real_groups(n, k)) / n, 1, 1e-6)) for n, k in ((20, 2), (100, 3), (1e4, 4))),
    *(Row("cheap.to_polynomial", "truth", f"{type(a).__name__}, degree {n}, on +-{s:g}, {str(k)[6:]}", read_back(a, n, s, k)) for (a, n, s), k in itertools.product(READ, (torch.float64, torch.float32))),
    *(Row("cheap.to_polynomial", "truth", f"{a}: refused", unreadable(a)) for a in UNREAD),
    *(Row("cheap.cost", "truth", f"{name}: every parameter once, at any scale", parameters(m)) for name, m in MODULES.items()),
    *cheap_physics.ROWS,
]  # fmt: skip

EXEMPT = {
    "cheap.lumpable_chain": "a source of chains; what it makes is tried with MarkovHierarchy",
    "cheap.gaussian_field": "a source of fields; tried with renormalisation_flow",
    "cheap.bonds": "an enumeration; tried with ising and potts",
    "cheap.Assumptions": "a description",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
