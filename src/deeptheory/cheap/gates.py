"""Gates: a handful of neurons that multiply, with both sides of their error.

Source: Lin, Tegmark & Rolnick 2017, appendix A (sign patterns, 2^n neurons); Rolnick & Tegmark 2018, Thm 4.1 (equal
copies merged: prod(r_i + 1) neurons for x_1^r_1 ... x_n^r_n).
With rows k, k_i in {-r_i, -r_i + 2, ..., r_i}, and signed binomial c_k,
    sum_k c_k sigma(b + k.y) = sum_m sigma_m [degree-m part of prod_i (2 sinh y_i)^r_i],
so the first term is sigma_d 2^d y^r, the next is of degree d + 2, and all coefficients of the product are positive:
the corner y_i = scale bounds the truncation exactly. Nobody's rounding is left out: see Gate.rounding.
Trap: scale -> 0 makes truncation vanish and rounding explode as scale^-d; "auto" takes the minimum of the sum.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import comb, frexp, inf, prod
from typing import Any

import numpy as np

from deeptheory.cheap.activations import Activation, Expansion
from deeptheory.errors import InputError

SLACK = 1.001  # covers second-order terms and the float64 arithmetic of the bounds themselves


@dataclass(frozen=True)
class Precision:
    """u: unit roundoff (half the machine epsilon). tiny: smallest normal number. largest: weights stay below it."""

    name: str
    u: float
    tiny: float
    largest: float

    def gamma(self, roundings: int) -> float:
        """Higham's gamma_k = k u / (1 - k u): bounds k roundings one after the other, in any order of summation."""
        return roundings * self.u / (1 - roundings * self.u)


PRECISIONS = {
    "float64": Precision("float64", 2.0**-53, 2.0**-1022, 2.0**1000),
    "float32": Precision("float32", 2.0**-24, 2.0**-126, 2.0**120),
}


def precision_of(dtype: Any) -> Precision:
    """InputError: not float32 or float64, the types for which the rounding is certified."""
    name = str(dtype).removeprefix("torch.")
    if name not in PRECISIONS:
        raise InputError(f"dtype is {dtype}; gates are certified in torch.float64 and torch.float32")
    return PRECISIONS[name]


@dataclass(frozen=True, eq=False)
class Pattern:
    """Rows k [N, n] and output coefficients c [N] of a gate before scaling; moments of c over the rows."""

    exponents: tuple[int, ...]
    rows: np.ndarray
    c: np.ndarray
    merged: bool  # k and -k merged: the activation has the parity of the degree

    @property
    def degree(self) -> int:
        return sum(self.exponents)

    @property
    def neurons(self) -> int:
        return len(self.c)

    def moment(self, m: int) -> float:
        """max over the cube |y_i| <= 1 of |sum_k c_k (k.y)^m|, attained at the corner (1, ..., 1)."""
        if self.merged and (m - self.degree) % 2:
            return 0.0  # the activation has no such coefficient
        return float(abs(sum(int(c) * int(k.sum()) ** m for c, k in zip(self.c, self.rows))))


@lru_cache(maxsize=512)
def pattern(exponents: tuple[int, ...], parity: int | None, origin_is_zero: bool, single: bool = False) -> Pattern:
    """The sign pattern. parity 0 or 1: of the activation about its bias; a degree of that parity needs half the rows.

    origin_is_zero: sigma(b) = 0, so the row of zeros is left out. single: one neuron for the identity.
    """
    if single:
        return Pattern((1,), np.ones((1, 1), dtype=np.int64), np.ones(1, dtype=np.int64), False)
    merged = parity is not None and parity == sum(exponents) % 2
    rows, c = [], []
    for flips in product(*(range(r + 1) for r in exponents)):
        k = tuple(r - 2 * f for r, f in zip(exponents, flips))
        weight = prod((-1) ** f * comb(r, f) for r, f in zip(exponents, flips))
        if not any(k) and origin_is_zero:
            continue
        if merged and any(k):
            if next(x for x in k if x) < 0:
                continue
            weight *= 2
        rows.append(k)
        c.append(weight)
    return Pattern(exponents, np.array(rows, dtype=np.int64).reshape(len(rows), len(exponents)), np.array(c), merged)


def _is_power_of_two(x: float) -> bool:
    return frexp(abs(x))[0] == 0.5


@dataclass(frozen=True, eq=False)
class Gate:
    """One gate: neurons sigma(rows @ y * scale + bias), output weights `out`; inputs and output in [-1, 1].

    truncation(reach), rounding(reach): bounds on |gate - product| for |inputs| <= reach (1 plus what came in as error).
    """

    pattern: Pattern
    activation: Activation
    expansion: Expansion
    scale: float
    precision: Precision

    @property
    def gain(self) -> float:
        """sum_k c_k sigma(b + scale k.y) = gain * y^r + higher orders."""
        d = self.pattern.degree
        return self.expansion.coefficients[d] * _signed_moment(self.pattern) * self.scale**d

    @property
    def bias(self) -> float:
        return self.expansion.bias

    @property
    def rows(self) -> np.ndarray:
        return self.pattern.rows * self.scale

    @property
    def out(self) -> np.ndarray:
        return self.pattern.c / self.gain

    @property
    def neurons(self) -> int:
        return self.pattern.neurons

    @property
    def largest_weight(self) -> float:
        return float(max(abs(self.out).max(), abs(self.rows).max()))

    def truncation(self, reach: float = 1.0) -> float:
        a, p = self.expansion.coefficients, self.pattern
        y = self.scale * reach
        total, furthest = _sums(p)[0], _sums(p)[3]
        if furthest * y > self.expansion.radius:
            return inf
        orders = (m for m, coefficient in enumerate(a) if coefficient and m != p.degree)
        terms = sum(abs(a[m]) * _moments(p, len(a))[m] * y**m for m in orders)
        return SLACK * (terms + total * self.expansion.tail(furthest * y)) / abs(self.gain)

    def rounding(self, reach: float = 1.0) -> float:
        """Rounding of the pre-activations, of the activation, of the weighted sum of neurons, of the weights."""
        a0, p, u = abs(self.expansion.coefficients[0]), self.pattern, self.precision
        total, mean_sum, mean_size, furthest, exact_rows, exact_out = _sums(p)
        y = self.scale * reach
        if furthest * y > self.expansion.radius:
            return inf
        slope = self.expansion.slope(furthest * y)
        terms = p.rows.shape[1] + (self.bias != 0)
        roundings = terms - 1 + (not (exact_rows and _is_power_of_two(self.scale))) * 2
        entering = slope * u.gamma(roundings) * (total * abs(self.bias) + y * mean_size) if roundings else 0.0
        size = total * a0 + slope * y * mean_sum  # bounds sum_k |c_k| |sigma(z_k)| over the cube
        summing = u.gamma(p.neurons + (not exact_out))
        amplified = entering + (self.activation.ulps * u.u + summing) * (size + entering)
        underflow = u.tiny * (p.neurons + 3) * total
        return SLACK * ((amplified + underflow) / abs(self.gain) + 3 * u.u * reach**p.degree)


@lru_cache(maxsize=4096)
def _signed_moment(p: Pattern) -> int:
    return sum(int(c) * int(k.sum()) ** p.degree for c, k in zip(p.c, p.rows))


@lru_cache(maxsize=4096)
def _moments(p: Pattern, n: int) -> tuple[float, ...]:
    return tuple(p.moment(m) for m in range(n))


@lru_cache(maxsize=4096)
def _sums(p: Pattern) -> tuple[float, float, float, int, bool, bool]:
    c = np.abs(p.c).astype(float)
    sums, sizes = np.abs(p.rows.sum(1)), np.abs(p.rows).sum(1)
    exact_rows = all(_is_power_of_two(x) for x in p.rows.ravel() if x)
    exact_out = all(_is_power_of_two(x) for x in p.c)
    return c.sum(), float(c @ sums), float(c @ sizes), int(sizes.max()), exact_rows, exact_out


MANTISSAS = (1.0, 1.1875, 1.4375, 1.6875)  # quarter octaves in five bits: products with small integers stay exact


class Library:
    """The gates of one activation in one precision; the scale is the largest that keeps an error within `budget`.

    bias: None chooses, per degree, the bias with the smallest certified error. scale: a number fixes every scale.
    """

    def __init__(self, activation: Activation, precision: Precision, bias: float | None = None, scale: Any = "auto"):
        if scale != "auto" and not (isinstance(scale, (int, float)) and 0 < scale < inf):
            raise InputError(f"scale is {scale!r}; give 'auto' or a positive number")
        self.activation, self.precision, self.bias, self.scale = activation, precision, bias, scale
        self._curves: dict[tuple[int, ...], list[tuple[float, Gate]]] = {}
        self._patterns: dict[tuple[int, ...], tuple[Pattern, Expansion]] = {}

    def pattern(self, exponents: tuple[int, ...]) -> Pattern:
        """Rows of the gate for these exponents. InputError: the activation has no such gate."""
        return self._choice(exponents)[0]

    def gate(self, exponents: tuple[int, ...], budget: float = 0.0) -> Gate:
        """The gate with the largest scale whose error is within budget, or the one with the least error."""
        curve = self._curve(exponents)
        best = min(curve, key=lambda point: point[0])
        return max((point for point in curve if point[0] <= max(budget, best[0])), key=lambda point: point[1].scale)[1]

    def _curve(self, exponents):
        if exponents not in self._curves:
            self._curves[exponents] = self._scan(*self._choice(exponents))
        return self._curves[exponents]

    def _scan(self, chosen: Pattern, expansion: Expansion, step: int = 1) -> list[tuple[float, Gate]]:
        if self.scale != "auto":
            scales = [float(self.scale)]
        else:
            top = frexp(expansion.radius / (1.2 * _sums(chosen)[3]))[1] - 1
            single = chosen.neurons == 1
            deepest = 3 - int(np.log2(self.precision.u)) if single else -int(np.log2(self.precision.u) / 2) + 2
            mantissas = (1.0,) if single else MANTISSAS
            scales = [m * 2.0**j for j in range(top, -deepest - 1, -step) for m in mantissas[::step]]
        points = []
        for scale in scales:
            gate = Gate(chosen, self.activation, expansion, scale, self.precision)
            if abs(gate.gain) < self.precision.tiny or gate.largest_weight > self.precision.largest:
                break
            points.append((gate.truncation() + gate.rounding(), gate))
        if not points:
            raise InputError(f"scale {self.scale} makes a weight overflow {self.precision.name}; take a larger scale")
        if not min(points, key=lambda p: p[0])[0] < inf:
            reach = expansion.radius / _sums(chosen)[3]
            raise InputError(
                f"scale {self.scale} is past the certified radius of {self.activation.name}; take at most {reach:.3g}"
            )
        return points

    def _choice(self, exponents):
        if exponents not in self._patterns:
            self._patterns[exponents] = self._choose(exponents)
        return self._patterns[exponents]

    def _choose(self, exponents):
        degree, act = sum(exponents), self.activation
        biases = act.biases if self.bias is None else (float(self.bias),)
        found = []
        for bias in biases:
            expansion = act.expand(bias, degree)
            if not abs(expansion.coefficients[degree]) > 1e-12 or not expansion.tail(expansion.radius) < inf:
                continue
            zero = bias == 0 and expansion.coefficients[0] == 0
            shape = pattern(exponents, act.parity.get(bias), zero, single=exponents == (1,) and zero)
            found.append((shape, expansion))
            if bias == biases[0] or (degree <= 2 and len(found) == 1):
                break  # the first bias that works was chosen by hand for products
        if not found:
            where = (
                f"at bias {biases[0]:g}"
                if len(biases) == 1
                else f"at every bias tried ({min(biases):g} to {max(biases):g})"
            )
            raise InputError(
                f"{act.name} has no gate of degree {degree} {where}: its derivative of order {degree} vanishes there. "
                + (
                    "Leave bias out, and one is chosen"
                    if self.bias is not None
                    else "Take a smooth activation such as silu"
                )
            )
        if len(found) == 1:
            return found[0]
        return min(found, key=lambda f: min(p[0] for p in self._scan(*f, step=4)))
