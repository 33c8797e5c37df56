"""Formulas of strangers: random, to depth 4, constants from 1e-8 to 1e8, domains of width 0 to 1e6;
and the search for errors.

The truth is mpmath's, in 40 digits, of the formula as text; the search looks at corners, random points and ascends on
the error from the worst of them.
"""

import ast
import itertools
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import torch

from deeptheory.cheap import ToleranceError, compile_polynomial
from deeptheory.core.errors import InputError

ACTIVATIONS = ("silu", "gelu", "softplus", "tanh", "sigmoid", "exp", "cos", "sin", "relu")
SMOOTH = ("sin", "cos", "exp", "tanh", "atan", "erf", "sinh", "cosh", "asinh", "erfc")
PARTIAL = ("log", "sqrt", "asin", "acos", "atanh", "acosh", "tan")
NAMES = ("x", "y", "z")


@dataclass(frozen=True)
class Stranger:
    """A formula as text, its domain, and how it is to be compiled."""

    text: str
    domain: dict[str, tuple[float, float]]
    activation: str
    dtype: torch.dtype
    share: float  # tolerance over the largest value met


def stranger(rng: np.random.Generator) -> Stranger:
    names = NAMES[: int(rng.integers(1, 4))]
    domain = {n: interval(rng) for n in names}
    text = formula(rng, names, int(rng.integers(1, 5)))
    share = 10.0 ** -rng.uniform(1, 6)
    single = rng.random() < 0.3
    return Stranger(
        text,
        domain,
        str(rng.choice(ACTIVATIONS)),
        torch.float32 if single else torch.float64,
        max(share, 1e-3) if single else share,
    )


def interval(rng: np.random.Generator) -> tuple[float, float]:
    """Width 0 (1 in 8), else from 1e-6 to 1e6; about 0, beside it or far from it."""
    width = (
        0.0
        if rng.random() < 0.125
        else 10.0 ** rng.uniform(-6, 6)
        if rng.random() < 0.5
        else 10.0 ** rng.uniform(-1, 1)
    )
    start = rng.choice(
        [-width / 2, 0.0, float(rng.uniform(-3, 3)), float(rng.choice([-1, 1]) * 10.0 ** rng.uniform(-3, 4))]
    )
    return float(start), float(start + width)


def constant(rng: np.random.Generator) -> str:
    if rng.random() < 0.5:
        return str(int(rng.integers(1, 8)))
    size = 10.0 ** (rng.uniform(-8, 8) if rng.random() < 0.5 else rng.uniform(-1, 1))
    return f"{size:.3g}"


def formula(rng: np.random.Generator, names: tuple[str, ...], depth: int) -> str:
    if depth == 0 or rng.random() < 0.1:
        return str(rng.choice(names)) if rng.random() < 0.8 else constant(rng)

    def part() -> str:
        return formula(rng, names, depth - 1)

    kind = rng.choice(["+", "-", "*", "*c", "/", "**", "f", "f", "f", "p", "1/"])
    if kind in "+-*":
        return f"({part()} {kind} {part()})"
    if kind == "*c":
        return f"{constant(rng)}*{part()}"
    if kind == "/":
        return f"{part()}/({part()} + {constant(rng)})"
    if kind == "1/":
        return f"1/({part()} + {constant(rng)})"
    if kind == "**":
        return f"({part()})**{rng.choice(['2', '3', '-1', '(-2)', '(1/2)', '1.5'])}"
    name = rng.choice(SMOOTH if kind == "f" else PARTIAL)
    return f"{name}({part()})"


class Truth:
    """The formula in 40 digits, read by Python itself: sympy would work out exp(sinh(1e5)). A float is the binary
    fraction that it is. Values are None where it is no finite real number."""

    def __init__(self, text: str, names: tuple[str, ...]):
        self.mp = mpmath.mp.clone()
        self.mp.dps = 40
        self.names = names
        tree = ast.fix_missing_locations(_Marked().visit(ast.parse(text, mode="eval")))
        self.code = compile(tree, "formula", "eval")
        known = {k: self._bounded(getattr(self.mp, k)) for k in (*SMOOTH, *PARTIAL)}
        known |= {"atan2": self.mp.atan2, "pi": self.mp.pi}
        self.exact = known | {
            "number": self.mp.mpf,
            "divided": lambda a, b: a / b,
            "raised": self._raised,
            "tan_of": known["tan"],
        }
        self.split = False

    def _bounded(self, function):
        """mpmath works on exp of a number of 100,000 digits until memory ends."""

        def value(z):
            if z and abs(self.mp.mag(z)) > 5_000:
                raise OverflowError
            return function(z)

        return value

    def _raised(self, a, b):
        if a and abs(self.mp.mag(a) * b) > 1e9:
            raise OverflowError
        return a**b

    def __call__(self, x: np.ndarray) -> list[Any]:
        out = []
        for row in x:
            try:
                at = dict(zip(self.names, (self.mp.mpf(float(c)) for c in row)))
                v = self.mp.mpmathify(eval(self.code, self.exact | at))
                out.append(self.mp.re(v) if self.mp.im(v) == 0 and self.mp.isfinite(v) else None)
            except (ValueError, ZeroDivisionError, OverflowError, MemoryError, TypeError, mpmath.libmp.NoConvergence):
                out.append(None)
        return out

    def floats(self, x: np.ndarray) -> np.ndarray:
        """As numpy has it in float64; notes in .split whether a denominator or a cosine under a tan changed its
        sign."""
        from scipy import special

        def divided(a, b):
            b = np.asarray(b, dtype=np.float64)
            self.split |= not (np.all(b > 0) or np.all(b < 0))
            return a / b

        def tan_of(a):
            c = np.cos(a)
            self.split |= not (np.all(c > 0) or np.all(c < 0))
            return np.tan(a)

        known = {k: getattr(special, k, None) or getattr(np, k) for k in ("erf", "erfc")}
        known |= {
            k: getattr(np, {"a": "arc"}.get(k[0], k[0]) + k[1:] if k[0] == "a" else k)
            for k in (*SMOOTH, *PARTIAL, "atan2")
            if k not in known
        }
        known |= {"pi": np.pi, "number": np.float64, "divided": divided, "tan_of": tan_of}
        known["raised"] = lambda a, b: divided(1.0, np.asarray(a) ** -b) if b < 0 else np.asarray(a) ** b
        with np.errstate(all="ignore"):
            try:
                made = eval(self.code, known | dict(zip(self.names, x.T)))
                return np.broadcast_to(np.asarray(made, dtype=np.float64), (len(x),))
            except (TypeError, ValueError, ZeroDivisionError, OverflowError):
                return np.full(len(x), np.nan)


class _Marked(ast.NodeTransformer):
    """Numbers, quotients, powers and tan as calls, so that each arithmetic has its own."""

    def visit_Constant(self, node):
        return _call("number", node)

    def visit_BinOp(self, node):
        node = self.generic_visit(node)
        name = {ast.Div: "divided", ast.Pow: "raised"}.get(type(node.op))
        return _call(name, node.left, node.right) if name else node

    def visit_Call(self, node):
        node = self.generic_visit(node)
        if node.func.id == "tan":
            node.func.id = "tan_of"
        return node


def _call(name: str, *arguments) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def bounded(truth: Truth, domain: dict, rng) -> bool:
    """Whether no denominator and no cosine under a tan changes its sign at 500 points: else there is a pole between."""
    truth.split = False
    truth.floats(points(domain, torch.float64, 500, rng))
    return not truth.split


def points(domain: dict, dtype: torch.dtype, count: int, rng: np.random.Generator) -> np.ndarray:
    """Corners and random points, as numbers of the dtype that lie within the ends' own in it."""
    low, high = (np.array([d[k] for d in domain.values()]) for k in (0, 1))
    corners = np.array(list(itertools.product(*zip(low, high))))
    x = np.concatenate([corners, (low + high)[None] / 2, low + (high - low) * rng.random((count, len(low)))])
    return held(x, low, high, dtype)


def held(x: np.ndarray, low: np.ndarray, high: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    kind = np.float32 if dtype == torch.float32 else np.float64
    return np.clip(x.astype(kind), low.astype(kind), high.astype(kind)).astype(np.float64)


def errors(network, truth: Truth, x: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """|network - truth|, 0 where the formula has no value, or within 1e-30 of it: 40 digits round too."""
    with torch.no_grad():
        got = network(torch.tensor(x, dtype=dtype))[:, 0].double().numpy()

    def off(g: float, t: Any) -> float:
        if t is None:
            return 0.0
        e = abs(truth.mp.mpf(float(g)) - t) if np.isfinite(g) else np.inf
        return 0.0 if e <= 1e-30 * abs(t) else float(e)

    return np.array([off(g, t) for g, t in zip(got, truth(x))])


def worst_error(network, truth: Truth, domain: dict, dtype: torch.dtype, rng, count=1000, starts=50, steps=6) -> float:
    """The largest error found: corners, random points, and ascent from the worst of them, one coordinate at a time."""
    low, high = (np.array([d[k] for d in domain.values()]) for k in (0, 1))
    x = points(domain, dtype, count, rng)
    e = errors(network, truth, x, dtype)
    best = float(e.max())
    order = np.argsort(-e)[:starts]
    at, top, step = x[order], e[order], 0.05
    for _ in range(steps):
        move = np.zeros_like(at)
        side = rng.integers(0, at.shape[1], len(at))
        move[np.arange(len(at)), side] = rng.choice([-1.0, 1.0], len(at)) * step * (high - low)[side]
        new = held(at + move, low, high, dtype)
        ne = errors(network, truth, new, dtype)
        better = ne > top
        at[better], top[better] = new[better], ne[better]
        best = max(best, float(ne.max(initial=0.0)))
        step *= 0.6
    return best


@dataclass(frozen=True)
class Outcome:
    """kind: "held", "broken", "refused" (the formula's own float64 values meet the tolerance), "beyond"
    (they do not, or it has no values there), "raw" (an error that is none of ours)."""

    kind: str
    said: str
    ratio: float = 0.0  # worst error over certificate
    neurons: int = 0


def judged(s: Stranger, rng: np.random.Generator, count=1000, starts=50) -> Outcome:
    """Compiled, attacked, or refused: rightly or not."""
    try:
        truth = Truth(s.text, tuple(s.domain))
    except Exception as error:
        return Outcome("beyond", f"sympy: {error}")
    x = points(s.domain, torch.float64, 60, rng)
    exact, floats = truth(x), truth.floats(x)
    has_values = all(t is not None for t in exact) and bounded(truth, s.domain, rng)
    try:
        scale = max((abs(float(t)) for t in exact if t is not None), default=0.0)
    except OverflowError:
        scale = np.inf
    tolerance = s.share * scale if 0 < scale < 1e300 else s.share
    off = max(
        (
            float(abs(truth.mp.mpf(float(f)) - t)) if np.isfinite(f) else np.inf
            for f, t in zip(floats, exact)
            if t is not None
        ),
        default=np.inf,
    )
    try:
        network = compile_polynomial(
            s.text, domain=s.domain, activation=s.activation, dtype=s.dtype, tolerance=tolerance
        )
    except (InputError, ToleranceError) as error:
        fair = has_values and off <= tolerance and 0 < scale < 1e300
        return Outcome("refused" if fair else "beyond", str(error))
    except Exception as error:
        return Outcome("raw", f"{type(error).__name__}: {error}")
    certificate = network.certificate
    found = worst_error(network, truth, s.domain, s.dtype, rng, count, starts)
    kind = "held" if found <= certificate.total <= tolerance else "broken"
    return Outcome(
        kind, f"{found:.3g} of {certificate}", found / certificate.total if certificate.total else 0.0, network.neurons
    )
