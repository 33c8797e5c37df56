"""to_polynomial: the way back, from a smooth network to the polynomial that it nearly is,
with a bound of the difference.

Each unit is carried as a polynomial of the inputs plus an interval for what that leaves out (a Taylor model; Makino &
Berz 2003). An activation becomes its Taylor or Chebyshev polynomial on the range that the unit has, and terms above the
degree go into the interval. Pitfalls: intervals forget that errors of two units belong together, so that the bound
grows with depth and with large weights; `seen` says what was measured. Of a network fresh from compile_polynomial the
certificate gives a closer bound, which is then used.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from deeptheory.cheap.compile.activations import ACTIVATIONS, Activation, activation_of
from deeptheory.cheap.compile.gates import Activate, BitGate, Gate
from deeptheory.cheap.compile.network import CompiledNetwork
from deeptheory.cheap.compile.rounding import gamma
from deeptheory.cheap.domains import read_domain
from deeptheory.cheap.expressions import Exponents, polynomial_terms
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole

if TYPE_CHECKING:
    import pandas
    import sympy

MOST_PRODUCTS = 3_000_000  # pairs of monomials in one multiplication
_GRID = 2001


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PolynomialApproximation(Result):
    """A polynomial for each output of a network, and how far the network is from it on the domain.

    expressions: sympy, one per output. bounds: one per output, at least |network - expression| on the domain, rounding
    of the network included. seen: the largest difference at the points looked at, which the bound must not be below.
    degree: the one asked for. domain: (low, high) by variable.
    """

    expressions: tuple["sympy.Expr", ...]
    bounds: tuple[float, ...]
    seen: float
    degree: int
    domain: dict[str, tuple[float, float]]
    notes: tuple[str, ...] = ()

    @property
    def expression(self) -> "sympy.Expr | list[sympy.Expr]":
        """The polynomial (sympy), or a list of them where there are several outputs."""
        return self.expressions[0] if len(self.expressions) == 1 else list(self.expressions)

    @property
    def bound(self) -> float:
        """The largest of the bounds: |network - expression| anywhere on the domain, for the worst output."""
        return max(self.bounds)

    def __repr__(self) -> str:
        shown = ", ".join(map(str, self.expressions))
        return (
            f"PolynomialApproximation({shown if len(shown) < 80 else shown[:77] + '...'}; within {self.bound:.3g}, "
            f"seen {self.seen:.3g})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per output: expression (text) and bound."""
        import pandas as pd

        return pd.DataFrame({"expression": [str(e) for e in self.expressions], "bound": self.bounds})


def to_polynomial(
    module: nn.Module, degree: int, domain: Any = (-1, 1), *, variables: Sequence[str] | None = None
) -> PolynomialApproximation:
    """The polynomial of that total degree which a smooth network nearly is on the domain, and a bound of the rest.

    By Taylor models (Makino & Berz 2003); the bound grows with depth and with large weights. module: Linear layers and
    smooth activations in Sequentials (dropout as in eval mode), a gate, or what compile_polynomial returns, trained or
    not. domain: as there. variables: names of the inputs; default x0, x1, ... or the network's own. Terms and digits
    that matter less than the bound are left out, and counted in it.
    InputError: a layer that is not known, an activation that is not smooth, a degree that is no integer of 0 or more,
    too many monomials, another number of names.
    """
    check_whole(degree=(degree, 0))
    steps = list(_steps(module))
    weights = [s for s in steps if isinstance(s, nn.Linear)]
    if not weights:
        raise InputError(f"{type(module).__name__} has no Linear layer; there is nothing to read")
    own = getattr(module, "variables", None)
    names = list(variables or own or (f"x{k}" for k in range(weights[0].in_features)))
    if len(names) != weights[0].in_features:
        raise InputError(
            f"{len(names)} variables for {weights[0].in_features} inputs: {', '.join(names)}; give one name an input"
        )
    box = read_domain(domain, names)
    model = _Model(len(names), int(degree))
    models, rest = model.run(steps, list(box.values()), 53 if weights[0].weight.dtype == torch.float64 else 24)
    bounds, notes, sides = list(rest), [], list(box.values())
    raw = [model.expression(row, names, sides) for row in models]
    if isinstance(module, CompiledNetwork) and module.as_compiled and _inside(box, module.certificate.domain):
        closer = _by_certificate(module, raw, names, box)
        if closer is not None:
            bounds = [min(b, c) for b, c in zip(bounds, closer)]
            notes.append("bounded by the certificate of the network as compiled")
    dtype = weights[0].weight.dtype
    measured = _seen(module, raw, names, sides, dtype)
    kept = [_tidied(row, min(b, 2 * measured)) for row, b in zip(models, bounds)]
    expressions = tuple(model.expression(row, names, sides) for row, _ in kept)
    bounds = [float(b) + spent for b, (_, spent) in zip(bounds, kept)]
    if any(a.assumed for a in steps if isinstance(a, Activation)):
        notes.append("derivatives of the activation were sampled: the bound is measured, not proven")
    seen = _seen(module, expressions, names, sides, dtype)
    if seen > max(bounds):
        notes.append(
            f"the bound was {max(bounds):.3g}, below what was seen, and was raised to it: "
            "the derivatives' bounds failed"
        )
        bounds = [max(b, seen) for b in bounds]
    return PolynomialApproximation(
        expressions=expressions, bounds=tuple(bounds), seen=seen, degree=int(degree), domain=box, notes=tuple(notes)
    )


def _steps(module: nn.Module) -> Iterable["nn.Linear | Activation"]:
    """Linear layers and activations, in order."""
    if isinstance(module, nn.Linear):
        yield module
    elif isinstance(module, (nn.Sequential, CompiledNetwork, Gate)):
        for part in module.children():
            yield from _steps(part)
    elif isinstance(module, BitGate):
        yield module.inner
        yield activation_of("sigmoid")
    elif isinstance(module, Activate):
        if module.name == "relu":
            raise InputError("relu is not smooth; no polynomial is near it at its kink")
        known = ACTIVATIONS.get(module.name)
        yield known if known is not None and known.function is module.function else activation_of(module.function)
    elif isinstance(module, (nn.Identity, nn.Dropout, nn.Flatten)):
        return
    elif type(module) in _smooth():
        if type(module) in (nn.ELU, nn.CELU) and module.alpha != 1:
            raise InputError(f"{module} has a kink at 0, so that no polynomial is near it there; alpha=1 has none")
        yield activation_of(module)
    elif type(module).__module__.startswith("torch.nn.modules.activation"):
        raise InputError(
            f"{type(module).__name__} is not smooth, or no function of one number at a time, so that no polynomial is "
            f"read from it; read are {', '.join(t.__name__ for t in _smooth())}"
        )
    else:
        raise InputError(
            f"{type(module).__name__} cannot be read; known: Linear, activations, Dropout and Identity in Sequentials, "
            "gates, compiled networks"
        )


def _smooth() -> tuple[type[nn.Module], ...]:
    """Activations that are functions of one number, with a slope everywhere and without parameters."""
    return nn.Tanh, nn.Sigmoid, nn.SiLU, nn.GELU, nn.Softplus, nn.Mish, nn.LogSigmoid, nn.Tanhshrink, nn.ELU, nn.CELU


class _Model:
    """Polynomials of n variables on [-1, 1]^n up to a degree, as rows of coefficients; what is dropped is bounded."""

    def __init__(self, n: int, degree: int):
        pairs = math.comb(2 * n + degree, degree)
        if pairs > MOST_PRODUCTS:
            raise InputError(
                f"degree {degree} in {n} variables takes {pairs} products of monomials at every step; the limit is "
                f"{MOST_PRODUCTS}: lower the degree"
            )
        self.n, self.degree = n, degree
        self.exponents = [k for d in range(degree + 1) for k in _of_degree(n, d)]
        index = {k: i for i, k in enumerate(self.exponents)}
        a, b, c = [], [], []
        for i, p in enumerate(self.exponents):
            for j, q in enumerate(self.exponents):
                if sum(p) + sum(q) > degree:
                    break
                a.append(i)
                b.append(j)
                c.append(index[tuple(x + y for x, y in zip(p, q))])
        order = np.argsort(c, kind="stable")
        self.a, self.b = np.array(a)[order], np.array(b)[order]
        self.starts = np.searchsorted(np.array(c)[order], np.arange(len(self.exponents)))

    def times(self, p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Products up to the degree, row by row, and bounds of what was dropped."""
        terms = p[:, self.a] * q[:, self.b]
        made = np.add.reduceat(terms, self.starts, axis=1)
        all_of_it = np.abs(p).sum(1) * np.abs(q).sum(1)
        return made, np.maximum(all_of_it - np.abs(terms).sum(1), 0) + 1e-15 * all_of_it

    def run(
        self, steps: Sequence["nn.Linear | Activation"], box: Sequence[tuple[float, float]], bits: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Polynomials of the outputs, and bounds of the rest."""
        rows = np.zeros((self.n, len(self.exponents)))
        rest = np.zeros(self.n)
        for i, (low, high) in enumerate(box):
            rows[i, 0] = (low + high) / 2
            if self.degree:
                rows[i, self.exponents.index(tuple(int(k == i) for k in range(self.n)))] = (high - low) / 2
            else:
                rest[i] = (high - low) / 2
        for step in steps:
            if isinstance(step, Activation):
                rows, rest = self._activate(step, rows, rest, bits)
            else:
                w = step.weight.detach().double().numpy()
                b = np.zeros(len(w)) if step.bias is None else step.bias.detach().double().numpy()
                gross = np.abs(w) @ (np.abs(rows).sum(1) + rest) + np.abs(b)
                slip = gamma((w != 0).sum(1) + 1, bits) * gross
                rest = np.abs(w) @ rest + slip + 1e-15 * gross
                rows = w @ rows
                rows[:, 0] += b
        return rows, rest

    def _activate(self, activation: Activation, rows: np.ndarray, rest: np.ndarray, bits: int):
        middle = rows[:, 0].copy()
        inner = rows.copy()
        inner[:, 0] = 0
        spread = np.abs(inner).sum(1)
        radius = spread + rest
        if not float(radius.max(initial=0)) <= 100:
            raise InputError(
                f"a unit's argument spans {radius.max():.3g} to either side; narrow the domain: so wide, "
                "an activation is no polynomial"
            )
        coefficients, off = np.zeros((len(rows), self.degree + 1)), np.zeros(len(rows))
        for u in range(len(rows)):
            coefficients[u], off[u] = _near(activation, float(middle[u]), float(spread[u]), self.degree)
        q = inner / np.where(spread > 0, spread, 1)[:, None]
        out, dropped = np.zeros_like(rows), np.zeros(len(rows))
        out[:, 0] = coefficients[:, -1]
        for k in range(self.degree - 1, -1, -1):  # Horner; what is dropped is multiplied by q later, and |q| <= 1
            out, lost = self.times(out, q)
            dropped += lost
            out[:, 0] += coefficients[:, k]
        slopes = np.array([float(activation.bound(1, float(m), float(r))) for m, r in zip(middle, radius)])
        sizes = np.array([float(activation.bound(0, float(m), float(r))) for m, r in zip(middle, radius)])
        seen = np.abs(middle) + radius if activation.of_argument else sizes
        beyond = np.where(middle + radius > activation.reach, 2.1e-9, 0.0)  # torch's softplus is z beyond 20
        return out, slopes * rest + off + dropped + beyond + activation.ulps * 2.0**-bits * seen

    def expression(self, row: np.ndarray, names: Sequence[str], box: Sequence[tuple[float, float]]) -> "sympy.Expr":
        """In the variables themselves; exact where the box is [-1, 1]."""
        import sympy

        terms: dict[Exponents, Fraction] = {}
        for powers, c in zip(self.exponents, row):
            if not c:
                continue
            parts: dict[Exponents, Fraction] = {(): Fraction(float(c))}
            for r, (low, high) in zip(powers, box):
                mid, radius = (Fraction(low) + Fraction(high)) / 2, (Fraction(high) - Fraction(low)) / 2
                ways = [
                    math.comb(r, k) * (-mid) ** (r - k) / radius**r if radius else Fraction(int(k == 0 and r == 0))
                    for k in range(r + 1)
                ]
                parts = {(*k, j): v * w for k, v in parts.items() for j, w in enumerate(ways) if w}
            for k, v in parts.items():
                terms[k] = terms.get(k, Fraction(0)) + v
        x = [sympy.Symbol(n) for n in names]
        return sympy.Add(*(_short(v) * sympy.prod([s**p for s, p in zip(x, k)]) for k, v in terms.items() if v))


def _short(value: Fraction) -> Any:
    import sympy

    return sympy.Integer(int(value)) if value.denominator == 1 else sympy.Float(float(value))


def _of_degree(n: int, d: int) -> Iterable[Exponents]:
    if n == 0:
        if d == 0:
            yield ()
        return
    for first in range(d, -1, -1):
        for others in _of_degree(n - 1, d - first):
            yield (first, *others)


def _near(activation: Activation, middle: float, radius: float, degree: int) -> tuple[np.ndarray, float]:
    """Power coefficients of the activation in t = (z - middle) / radius on [-1, 1], and their error."""
    if radius <= 0.25 and not activation.assumed:
        s = activation.series(middle, degree)
        made = np.array([s[k] * radius**k / math.factorial(k) for k in range(degree + 1)])
        beyond = (
            float(activation.bound(degree + 1, middle, radius)) * radius ** (degree + 1) / math.factorial(degree + 1)
        )
        return made, beyond + 2e-16 * float(np.abs(made).sum())
    nodes = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    chebyshev = np.polynomial.chebyshev
    fitted = chebyshev.chebfit(nodes, _values(activation, middle + radius * nodes), degree)
    t = np.linspace(-1, 1, _GRID)
    found = float(np.abs(_values(activation, middle + radius * t) - chebyshev.chebval(t, fitted)).max())
    k = np.arange(degree + 1)
    second = radius**2 * float(activation.bound(2, middle, radius)) + float(np.abs(fitted) @ (k**2 * (k**2 - 1) / 3))
    between = (2 / (_GRID - 1)) ** 2 / 8 * second
    made = np.zeros(degree + 1)
    power = chebyshev.cheb2poly(fitted)
    made[: len(power)] = power
    return made, found + between + 4e-16 * float(np.abs(made).sum()) * (degree + 1)


def _values(activation: Activation, z: np.ndarray) -> np.ndarray:
    return activation.function(torch.as_tensor(z)).detach().numpy()


def _tidied(row: np.ndarray, bound: float) -> tuple[np.ndarray, float]:
    """Terms and digits left out that sum to less than the bound, and to how much."""
    row, spent = row.copy(), 0.0
    for i in np.argsort(np.abs(row)):
        if spent + abs(row[i]) > bound:
            break
        spent += float(abs(row[i]))
        row[i] = 0.0
    alive = np.flatnonzero(row)
    for i in alive:
        for digits in range(1, 17):
            short = float(f"{row[i]:.{digits - 1}e}")
            if abs(short - row[i]) <= bound / len(alive) / 2:
                spent += float(abs(short - row[i]))
                row[i] = short
                break
    return row, spent


def _inside(box: dict[str, tuple[float, float]], other: Any) -> bool:
    return all(other[n][0] <= low and high <= other[n][1] for n, (low, high) in box.items())


def _by_certificate(
    network: CompiledNetwork,
    expressions: Sequence["sympy.Expr"],
    names: Sequence[str],
    box: dict[str, tuple[float, float]],
) -> list[float] | None:
    """Certificate plus the size of (formula - expression), term by term; None where the formula is no polynomial."""
    size, out = [max(abs(low), abs(high)) for low, high in box.values()], []
    for formula, e, total in zip(network.expressions, expressions, network.certificate.outputs):
        try:
            terms = polynomial_terms(formula, names)
            for k, v in polynomial_terms(e, names).items():
                terms[k] = terms.get(k, Fraction(0)) - v
        except InputError:
            return None
        out.append(total + sum(abs(float(v)) * math.prod(s**p for s, p in zip(size, k)) for k, v in terms.items()))
    return out


def _seen(
    module: nn.Module,
    expressions: Sequence["sympy.Expr"],
    names: Sequence[str],
    box: Sequence[tuple[float, float]],
    dtype: torch.dtype,
) -> float:
    """The largest difference at 2,000 points and up to 256 corners."""
    import sympy

    low, high = (np.array([b[k] for b in box]) for k in (0, 1))
    x = low + (high - low) * np.random.default_rng(0).random((2000, len(box)))
    corners = list(product(*zip(low, high))) if len(box) <= 8 else []
    t = torch.as_tensor(np.concatenate([x, np.array(corners).reshape(-1, len(box))])).to(dtype)
    f: Callable[..., Any] = sympy.lambdify([sympy.Symbol(n) for n in names], list(expressions), "numpy")
    training = module.training
    module.eval()
    with torch.no_grad():
        got = module(t).double().numpy()
    module.train(training)
    made = np.stack([np.broadcast_to(np.asarray(v, dtype=float), len(t)) for v in f(*t.double().numpy().T)], axis=1)
    return float(np.abs(got.reshape(made.shape) - made).max(initial=0.0))
