"""One gate on paper: its weights as numbers, and what it gets wrong, truncation and rounding apart.

The gate is that of Lin, Tegmark & Rolnick 2017, eq. 11 and appendix A; the bounds are ours.
With x_i^r_i in r_i copies and U_j independent and uniform on [-1, 1], the mixed central difference is an average,
G(x) = prod_i x_i^r_i E[sigma^(d)(b + S)] / sigma^(d)(b), S = sum_j alpha_j x_j U_j. S is even, V = E S^2 =
sum_i r_i alpha_i^2 x_i^2 / 3 and E S^2k <= (2k - 1)!! V^k, so that for every J >= 0
|G - prod_i x_i^r_i| <= prod_i |x_i|^r_i (sum_{0<k<=J} |sigma^(d+2k)(b)| (V/2)^k / k! + sup|sigma^(d+2J+2)|
(V/2)^(J+1) / (J+1)!) / |sigma^(d)(b)|. For J = 0, d = 2 and |x| <= R this is l^2 M4 R^4 / (3 |sigma_2|). Rounding grows
as alpha^-d: one scale is best.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from deeptheory.cheap.compile.activations import Activation
from deeptheory.cheap.compile.functions import Function
from deeptheory.cheap.compile.rounding import TINY, gamma, is_power_of_two, short
from deeptheory.cheap.compile.stencils import Stencil, stencil
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number

SCALE_BITS = 5  # scales are short numbers, so that integers times a scale are exact
_VANISHES = 1e-12  # a derivative this small, against its bound on the unit disc, is none
_EXPANDED = 3  # J
MAX_UNITS = 2**16


@dataclass(frozen=True, eq=False)
class Design:
    """activation at bias, a stencil, alphas: [n] input weights, bits: of the dtype's significand."""

    activation: Activation
    stencil: Stencil
    bias: float
    alphas: np.ndarray
    bits: int

    @property
    def weights(self) -> np.ndarray:
        """Input weights, [m, n]; exact in the dtype."""
        return self.stencil.units * self.alphas

    @property
    def factor(self) -> float:
        """What a sign of 1 weighs at the output: 1 / (2^d sigma_d prod alpha_i^r_i). Infinite where that overflows."""
        logs = sum(r * math.log2(a) for r, a in zip(self.stencil.exponents, self.alphas)) + self.stencil.degree
        if logs < -1000 or logs > 1000:
            return math.inf
        power = math.prod(float(a) ** r for r, a in zip(self.stencil.exponents, self.alphas))
        return 1 / (2.0**self.stencil.degree * self.activation.derivative(self.stencil.degree, self.bias) * power)

    @property
    def exact(self) -> bool:
        """Whether sigma(z) - sigma(-z) = z makes the gate an identity without truncation."""
        return self.activation.reflects and self.bias == 0 and self.stencil.degree == 1

    @property
    def has_constant(self) -> bool:
        """Whether the unit that sees nothing adds to the output."""
        return self.stencil.constant != 0 and self.activation.derivative(0, self.bias) != 0

    def weight_error(self) -> float:
        """Relative, of the factor in the dtype: it is cut short, so that factor times sign is exact."""
        return 2.0 ** -(self.bits - self.stencil.bits) + 2.0**-50

    def shortened(self, factor: float) -> float:
        """The factor, cut short so that its product with every sign is exact in the dtype."""
        return short(factor, self.bits - self.stencil.bits)

    def truncation(self, size: np.ndarray) -> float:
        """Bound of |G - monomial| in exact arithmetic, for |x_i| <= size_i."""
        if self.exact:
            return 0.0
        r, d = np.array(self.stencil.exponents), self.stencil.degree
        reach = float(r @ (self.alphas * size))
        half = float(r @ (self.alphas * size) ** 2) / 6  # V / 2
        values = self.activation.series(self.bias, d + 2 * _EXPANDED) if not self.activation.assumed else ()
        head, least = 0.0, math.inf
        for k in range(1, _EXPANDED + 2):
            rest = float(self.activation.bound(d + 2 * k, self.bias, reach)) * half**k / math.factorial(k)
            least = min(least, head + rest)
            if not values or k > _EXPANDED:
                break
            head += abs(values[d + 2 * k]) * half**k / math.factorial(k)
        product = math.prod(float(x) ** k for x, k in zip(size, self.stencil.exponents))
        return product * least / abs(self.activation.derivative(d, self.bias))

    def losses(self, reach: np.ndarray, gross: np.ndarray, wide: np.ndarray) -> tuple[float, float, float, float]:
        """What rounding can do to the gate: by the units, per relative error of a summand, |constant|, and the sum of
        the units' sizes, which weights too small for the dtype would lose.

        By unit: reach bounds |argument - bias|, gross the sum of the sizes of what is added up, wide the roundings a
        summand meets on its way.
        """
        tiny = TINY[self.bits]
        slip = gamma(wide, self.bits) * gross + tiny * (1 + wide) * (1 + gross)
        furthest = float((reach + slip).max(initial=0.0)) + abs(self.bias)
        if furthest > self.activation.reach:
            raise InputError(
                f"a unit's argument reaches {furthest:.3g}; torch's {self.activation.name} is another function beyond "
                f"{self.activation.reach:g}: lower the scale"
            )
        values, slopes = (self.activation.bound(k, self.bias, reach + slip) for k in (0, 1))
        seen = reach + slip + abs(self.bias) if self.activation.of_argument else values
        off = slopes * slip + self.activation.ulps * 2.0**-self.bits * seen + 4 * tiny
        signs = np.abs(self.stencil.signs).astype(np.float64)
        factor = abs(self.factor)
        constant = abs(self.stencil.constant * self.activation.derivative(0, self.bias)) if self.has_constant else 0.0
        return (
            factor * float(signs @ off),
            factor * float(signs @ (values + off)),
            factor * constant,
            float((values + off).sum()),
        )

    def noise(self, size: np.ndarray, terms: int) -> float:
        """Bound of what rounding does to G, for |x_i| <= size_i, inputs as they come; terms: summands at the output."""
        w = np.abs(self.weights)
        reach = w @ size
        wide = (w != 0).sum(1) - 1 + (self.bias != 0) + (~(is_power_of_two(w) | (w == 0))).any(1)
        units, summed, constant, values = self.losses(reach, reach + abs(self.bias), wide)
        return (
            TINY[self.bits] * (values + terms)
            + units
            + float(gamma(terms + 1, self.bits)) * summed
            + float(gamma(terms + 4, self.bits)) * constant
        )

    def error(self, size: np.ndarray) -> tuple[float, float]:
        """Truncation and rounding of the gate alone, rounding of its own weights included."""
        product = math.prod(float(x) ** k for x, k in zip(size, self.stencil.exponents))
        terms = len(self.stencil.units) + self.has_constant
        return self.truncation(size), self.noise(size, terms) + self.weight_error() * product


@dataclass(frozen=True, eq=False)
class Own:
    """One neuron that is itself the function asked for: tanh in a network of tanh. reach: its argument's
    interval in exact arithmetic."""

    activation: Activation
    function: Function
    reach: tuple[float, float]
    bits: int
    bias: float = 0.0
    factor: float = 1.0
    has_constant: bool = False
    exact: bool = True

    stencil = Stencil((1,), np.ones((1, 1), dtype=np.int64), np.array([1], dtype=object), 0, 1)
    weights = np.ones((1, 1))

    def shortened(self, factor: float) -> float:
        """The factor as it is: one sign, 1."""
        return factor

    def weight_error(self) -> float:
        """Relative, of the factor in the dtype."""
        return 2.0**-self.bits + 2.0**-50

    def over(self, off: float) -> tuple[float, float]:
        """Bounds of |f'| and |f| for an argument that is off by so much."""
        low, high = self.reach[0] - off, self.reach[1] + off
        return self.function.slope(low, high) * (1 + 1e-12), max(map(abs, self.function.values(low, high)))

    def losses(self, off: float, gross: float, wide: float) -> tuple[float, float, float, float]:
        """As Design.losses, for an argument that came off by so much."""
        tiny = TINY[self.bits]
        slip = float(gamma(wide, self.bits)) * gross + tiny * (1 + wide) * (1 + gross)
        slope, value = self.over(off + slip)
        if self.activation.of_argument:
            value = max(value, *(abs(v) + off + slip for v in self.reach))
        lost = slope * slip + self.activation.ulps * 2.0**-self.bits * value + 4 * tiny
        return lost, value + lost, 0.0, value + lost


def design(activation: Activation, exponents, bias, scale, size, bits: int) -> Design:
    """A gate for |x_i| <= size_i. bias, scale: numbers or "auto"; a scale is the input weight alpha of every input.

    InputError: the derivative that the gate needs vanishes, more than 65,536 units, a scale that is not above 0.
    """
    for name, given in (("bias", bias), ("scale", scale)):
        if isinstance(given, str) and given != "auto":
            raise InputError(f"{name} is {given!r}; needed: 'auto' or a number")
        if not isinstance(given, str):
            check_number(**{name: given})
    exponents = tuple(int(r) for r in exponents)
    if math.prod(r + 1 for r in exponents) > MAX_UNITS:
        raise InputError(
            f"the monomial with exponents {exponents} takes {math.prod(r + 1 for r in exponents)} units in one layer; "
            f"the limit is {MAX_UNITS}: use more layers"
        )
    at = best_bias(activation, exponents, bits) if isinstance(bias, str) else float(bias)
    if not math.isfinite(at):
        raise InputError(f"bias is {at}; needed: 'auto' or a finite number")
    if not isinstance(bias, str):
        at = short(at, 24)
        _check_derivative(activation, sum(exponents), at)
    grid = stencil(exponents, activation.parity(at))
    if isinstance(scale, str):
        alphas = scaled(best_scale(activation, exponents, at, bits), size)
    else:
        if not (math.isfinite(scale) and scale > 0):
            raise InputError(f"scale is {scale}; needed: 'auto' or a number above 0")
        alphas = np.full(len(exponents), short(float(scale), bits - 6))
    made = Design(activation, grid, at, alphas, bits)
    return made


def scaled(scale: float, size) -> np.ndarray:
    """Input weights of one reach for inputs of different size, as short numbers."""
    return np.array([short(scale / x if x > 0 else scale, SCALE_BITS) for x in size])


def _check_derivative(activation: Activation, degree: int, bias: float) -> None:
    value = activation.derivative(degree, bias)
    least = _VANISHES * max(1.0, abs(activation.derivative(0, bias)))
    if abs(value) > least:
        return
    names = {1: "first", 2: "second", 3: "third"}
    which = names.get(degree, f"{degree}th")
    try:
        other = best_bias(activation, (1,) * degree, 53)
        fix = f"use bias={other:g} or bias='auto'"
    except InputError:
        fix = "use a smooth activation such as silu, or compile_polynomial(..., activation='relu') for its own route"
    raise InputError(
        f"no gate of degree {degree} exists for {activation.name} at bias {bias:g}: "
        f"its {which} derivative is {value:g} there; {fix}"
    )


@lru_cache(maxsize=256)
def best_bias(activation: Activation, exponents: tuple[int, ...], bits: int) -> float:
    """The bias where the best scale loses least. InputError: the derivative vanishes wherever we look."""
    degree = sum(exponents)

    def usable(b: float) -> bool:
        return abs(activation.derivative(degree, b)) > 1e-9

    if (activation.derivative(0, 0.0) == 0 and usable(0.0)) or (
        activation.parity(0.0) == (-1) ** degree and usable(0.0)
    ):
        return 0.0
    scales = 2.0 ** np.arange(-40, 1, 0.5)
    best, at = math.inf, None
    for b in (0.0, *(k / 8 for k in range(-24, 25))) if not activation.assumed else (k / 4 for k in range(-8, 9)):
        s = activation.series(b, degree + 2)
        if not abs(s[degree]) > 1e-9:
            continue
        truncation = abs(s[degree + 2]) * degree * scales**2 / 6 + 1e-3 * scales**4
        rounding = 2.0**-bits * (8 * abs(s[0]) + 2 * abs(s[1] * b) + 8 * abs(s[1]) * scales) * scales ** -float(degree)
        least = float((truncation + rounding).min()) / abs(s[degree])
        if least < 0.99 * best:
            best, at = least, b
    if at is None:
        raise InputError(
            f"no gate of degree {degree} exists for {activation.name}: its derivative of that order vanishes at every "
            "bias looked at; use a smooth activation such as silu"
        )
    return at


@lru_cache(maxsize=1024)
def best_scale(activation: Activation, exponents: tuple[int, ...], bias: float, bits: int) -> float:
    """The scale, for inputs of size 1, at which truncation plus rounding is least."""
    grid, one = stencil(exponents, activation.parity(bias)), np.ones(len(exponents))

    def loss(power: float) -> float:
        made = Design(activation, grid, bias, scaled(2.0**power, one), bits)
        return sum(made.error(one)) if math.isfinite(made.factor) else math.inf

    if Design(activation, grid, bias, one, bits).exact:
        return 1.0
    losses = {float(p): loss(p) for p in range(-60, 1, 3)}
    coarse = _largest_good(losses)
    losses |= {p: loss(p) for k in range(-12, 13) if (p := coarse + k / 4) <= 0}
    return 2.0 ** _largest_good(losses)


def _largest_good(losses: dict[float, float]) -> float:
    """The largest scale that is as good as the best: larger scales mean smaller weights."""
    least = min(losses.values())
    return max(p for p, lost in losses.items() if lost <= 1.02 * least)
