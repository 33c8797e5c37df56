"""Trials of counts and readings: neurons that polynomials need, what networks cost, polynomials read from networks."""

import itertools
import math

import numpy as np
import sympy
import torch
from torch import nn

from cheap.random_formulas import points
from deeptheory import cheap
from trials.frame import Found, Row, all_of, near, refused, same


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
            "at most the bound, which is finite",
            bool(np.max([off, found.seen]) <= found.bound < math.inf),
        )

    return check


def unreadable(activation):
    return lambda rng, draws: refused(
        lambda: cheap.to_polynomial(
            nn.Sequential(nn.Linear(2, 4), activation, nn.Linear(2 if isinstance(activation, nn.GLU) else 4, 1)), 3
        ),
        "smooth|kink|cannot be read",
    )


def grouped(n, depth):
    """Product n, and each group from the one before by eq. 5: b + log2(b - 1 / ln 2)."""

    def check(rng, draws):
        b = np.array(cheap.real_groups(n, depth))
        return all_of(
            near(len(b), depth, 0),
            near(math.prod(b) / n, 1, 1e-6),
            near(b[1:], b[:-1] + np.log2(b[:-1] - 1 / math.log(2)), 1e-9),
        )

    return check


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


def groups_by_search(n, depth):
    def check(rng, draws):

        def best(m, layers):
            if layers == 1:
                return 2**m
            sizes = lambda g: [len(p) for p in np.array_split(range(m), g)]  # noqa: E731
            return min(sum(2**b for b in sizes(g)) + best(g, layers - 1) for g in range(layers, m))

        return near(cheap.product_optimum(n, depth)[0], best(n, depth), 0)

    return check


COUNTED = [
    "(x+y+z+u+v+w)**60",
    "x**9999999999",
    "(x+y)**5000",
    "((x+1)**99+1)**99",
    "(x+y+z)**300",
    "((1+x)*(1-x))**300",
    "rf(x,99)",
]
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
    *(Row("cheap.relu_count", "truth", f"{w} units: linear programs over kinks", relu_best(w, g))
        for w, g in ((1, 60), (2, 14))),
    Row("cheap.relu_count", "truth", "1/32, .04, .05, 1/72, .014, .0201, .06, .001 at depth 1", relu_cases),
    Row("cheap.neuron_count", "null", "linear maps and constants: 0", linear_counts),
    Row("cheap.neuron_count", "truth", "random products of sums: at most what is built", counted_and_built, 12, 100),
    *(Row("cheap.neuron_count", "truth", f"{t[:40]}: an error of ours",
        lambda r, d, t=t: refused(lambda: cheap.neuron_count(t), "has up to|the degree is|exponent")) for t in COUNTED),
    *(Row("cheap.neurons_by_depth", "truth", f"a product of {n}: 2^n flat, 4 (n - 1) deep", products(n))
        for n in (2, 5, 9)),
    Row("cheap.neuron_count", "invariance", "names, scales, linear changes of variables", renamed),
    *(Row("cheap.product_optimum", "truth", f"{n} numbers in {k} layers: search", groups_by_search(n, k))
        for n, k in ((5, 2), (9, 3), (12, 2))),
    *(Row("cheap.real_groups", "truth", f"{n:g} in {k}: product n, eq. 5 from group to group", grouped(n, k))
            for n, k in ((20, 2), (100, 3), (1e4, 4))),
    *(Row("cheap.to_polynomial", "truth", f"{type(a).__name__}, degree {n}, on +-{s:g}, {str(k)[6:]}",
        read_back(a, n, s, k)) for (a, n, s), k in itertools.product(READ, (torch.float64, torch.float32))),
    *(Row("cheap.to_polynomial", "truth", f"{a}: refused", unreadable(a)) for a in UNREAD),
    *(Row("cheap.cost", "truth", f"{name}: every parameter once, at any scale", parameters(m))
        for name, m in MODULES.items()),
]  # fmt: skip
