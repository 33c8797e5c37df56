"""What a gate must know of its activation: the derivatives at a bias, how large they get nearby, and what floats lose.

The named activations have closed derivatives (polynomials in tanh, in the logistic function, Hermite polynomials),
evaluated with 60 digits; bounds over an interval are Taylor sums whose tail is Cauchy's estimate on discs of radius 1.
Of a user's callable the derivatives come from torch.func and the bounds from sampling: `assumed` is True, and the
certificates say so. Pitfall: an activation may have no derivative of the order asked (tanh at 0, ReLU): no gate exists.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from deeptheory.cheap.compile.functions import FUNCTIONS, RAMPS, Function
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick

_TERMS = 16  # of the Taylor sum of a bound
_PIECE = 0.25  # largest half-width of one Taylor sum; the radius of the discs is 1
_CELL = 0.25  # wider intervals are covered by cells of this width, whose bounds are kept


@dataclass(frozen=True)
class Activation:
    """name; function: torch, elementwise; series(z, order): sigma, sigma', ..., at z, floats, correctly rounded.

    size(low, high): a bound of |sigma| on discs of radius 1 around the interval. even, odd: points about which it is
    exactly so. reflects: sigma(z) - sigma(-z) = z exactly. ulps: |computed - true| <= ulps * u * |sigma(z)|, u the unit
    roundoff, or ulps * u * |z| where of_argument; torch promises nothing, so this is measured (at most 2.5 on a CPU)
    and taken with a margin. reach: the argument up to which torch's function is the one named. assumed: derivatives and
    bounds are sampled, not proven.
    """

    name: str
    function: Callable[[Any], Any]
    series: Callable[[float, int], tuple[float, ...]]
    size: Callable[[float, float], float] | None
    even: tuple[float, ...] = ()
    odd: tuple[float, ...] = ()
    reflects: bool = False
    ulps: float = 4.0
    of_argument: bool = False
    reach: float = math.inf
    assumed: bool = False

    def __repr__(self) -> str:
        return f"Activation({self.name})"

    def parity(self, bias: float) -> int:
        """1 if even about the bias, -1 if odd, 0 if neither is known."""
        return 1 if bias in self.even else -1 if bias in self.odd else 0

    def derivative(self, order: int, z: float) -> float:
        """The derivative of that order at z."""
        return self.series(float(z), order)[order]

    def bound(self, order: int, center: float, radius) -> np.ndarray:
        """A bound of |sigma^(order)| on [center - radius, center + radius]; radius: any shape, at or above 0."""
        radius = np.asarray(radius, dtype=np.float64)
        if self.size is None:
            return _sampled(self, order, center, radius)
        most = float(radius.max(initial=0.0))
        if not most <= 1e3:
            raise InputError(f"a unit's argument spans {most:.3g} to either side; lower the scale or the domain")
        flat = [_bound(self, order, float(center), _rounded_up(r)) for r in radius.ravel().tolist()]
        return np.array(flat).reshape(radius.shape)

    def _taylor(self, order: int, center: float, half: float) -> float:
        """The bound from one Taylor sum about the center; half <= 1/4."""
        assert self.size is not None
        values = self.series(float(center), order + _TERMS)
        total = 0.0
        for j in range(_TERMS - 1, -1, -1):
            total = total * half / (j + 1) + abs(values[order + j])
        tail = self.size(center - half, center + half) * half**_TERMS * math.perm(order + _TERMS, order)
        ratio = half * (order + _TERMS + 1) / (_TERMS + 1)
        return (total + tail / (1 - min(ratio, 0.99))) * (1 + 1e-12)


_NO_RELU = (
    "no gate exists for relu: it is straight on both sides of 0, so no derivative beyond the first lives; "
    "use a smooth activation such as silu, or compile_polynomial(..., activation='relu') for a route of its own"
)


def _rounded_up(radius: float) -> float:
    """Up to the next of 128 steps an octave, so that bounds can be kept."""
    if radius == 0:
        return 0.0
    m, e = math.frexp(radius)
    return math.ldexp(math.ceil(m * 256), e - 8)


@lru_cache(maxsize=2**18)
def _bound(activation: Activation, order: int, center: float, radius: float) -> float:
    if radius <= _PIECE:
        return float(activation._taylor(order, center, radius))
    first, last = math.floor((center - radius) / _CELL), math.floor((center + radius) / _CELL)
    return max(_cell(activation, order, k) for k in range(first, last + 1))


@lru_cache(maxsize=65536)
def _cell(activation: Activation, order: int, k: int) -> float:
    return float(activation._taylor(order, (k + 0.5) * _CELL, _CELL / 2))


def activation_of(activation: "str | Callable | Activation", relu: bool = False) -> Activation:
    """The Activation of that name, or of a callable. relu: whether that is one. InputError: an unknown name."""
    if isinstance(activation, Activation):
        return activation
    if (isinstance(activation, str) and activation == "relu") or _is_relu(activation):
        if not relu:
            raise InputError(_NO_RELU)
        return RELU
    if isinstance(activation, str):
        return pick(ACTIVATIONS, activation, what="activation")
    if not callable(activation):
        raise InputError(f"activation is {activation!r}; give a name ({', '.join(ACTIVATIONS)}) or a callable")
    return _of_callable(activation)


def _mp():
    import mpmath

    context = mpmath.mp.clone()
    context.dps = 60
    return context


@cache
def _ladder(kind: str, order: int) -> tuple[int, ...]:
    """Coefficients, lowest first, of the derivative of that order as a polynomial in t = tanh or in s = logistic."""
    if order == 0:
        return (0, 1)
    last = _ladder(kind, order - 1)
    slope = [k * c for k, c in enumerate(last)][1:]
    out = [0] * (len(slope) + 2)
    for k, c in enumerate(slope):  # t' = 1 - t^2, s' = s - s^2
        out[k if kind == "tanh" else k + 1] += c
        out[k + 2] -= c
    return tuple(out)


def _polynomial(coefficients: Sequence, at):
    total = 0
    for c in reversed(coefficients):
        total = total * at + c
    return total


def _logistics(mp, z, order: int) -> list:
    s = 1 / (1 + mp.exp(-z))
    return [_polynomial(_ladder("logistic", k), s) for k in range(order + 1)]


def _tanh(mp, z, order):
    t = mp.tanh(z)
    return [_polynomial(_ladder("tanh", k), t) for k in range(order + 1)]


def _softplus(mp, z, order):
    return [mp.log1p(mp.exp(z)), *_logistics(mp, z, max(order - 1, 0))]


def _silu(mp, z, order):
    s = _logistics(mp, z, order)
    return [z * s[k] + (k * s[k - 1] if k else 0) for k in range(order + 1)]


def _gelu(mp, z, order):
    phi, hermite = mp.npdf(z), [mp.mpf(1), z]
    while len(hermite) < order + 1:
        k = len(hermite)
        hermite.append(z * hermite[-1] - (k - 1) * hermite[-2])
    normal = [mp.ncdf(z)] + [(-1) ** (k - 1) * hermite[k - 1] * phi for k in range(1, order + 1)]
    return [z * normal[k] + (k * normal[k - 1] if k else 0) for k in range(order + 1)]


def _exp(mp, z, order):
    return [mp.exp(z)] * (order + 1)


def _cos(mp, z, order):
    return [(mp.cos(z), -mp.sin(z), -mp.cos(z), mp.sin(z))[k % 4] for k in range(order + 1)]


def _sin(mp, z, order):
    return _cos(mp, z, order + 3)[3:]


def _exactly(kernel) -> Callable[[float, int], tuple[float, ...]]:
    @lru_cache(maxsize=65536)
    def kept(z: float, order: int) -> tuple[float, ...]:
        mp = _mp()
        return tuple(float(v) for v in kernel(mp, mp.mpf(z), order))

    return lambda z, order: kept(z, -(-(order + 1) // 10) * 10)  # in tens, so that few are computed twice


def _torch(name: str) -> Callable:
    def function(z):
        import torch

        return getattr(torch, name)(z) if hasattr(torch, name) else getattr(torch.nn.functional, name)(z)

    function.__name__ = name
    return function


def _largest(low: float, high: float) -> float:
    return max(abs(low), abs(high)) + 1


ACTIVATIONS: dict[str, Activation] = {
    "silu": Activation("silu", _torch("silu"), _exactly(_silu), _largest, reflects=True),
    "gelu": Activation(
        "gelu",
        _torch("gelu"),
        _exactly(_gelu),
        lambda a, b: 1.7 * _largest(a, b),
        reflects=True,
        ulps=6,
        of_argument=True,
    ),
    "softplus": Activation(
        "softplus", _torch("softplus"), _exactly(_softplus), lambda a, b: max(b, 0) + 3, reflects=True, reach=20
    ),
    "tanh": Activation("tanh", _torch("tanh"), _exactly(_tanh), lambda a, b: 1.6, odd=(0.0,)),
    "sigmoid": Activation("sigmoid", _torch("sigmoid"), _exactly(_logistics), lambda a, b: 1.0),
    "exp": Activation("exp", _torch("exp"), _exactly(_exp), lambda a, b: math.exp(b + 1)),
    "cos": Activation("cos", _torch("cos"), _exactly(_cos), lambda a, b: 1.55, even=(0.0,)),
    "sin": Activation("sin", _torch("sin"), _exactly(_sin), lambda a, b: 1.55, odd=(0.0,)),
}  # a new one: its derivatives, a bound on discs of radius 1, one line


RELU = Activation("relu", _torch("relu"), lambda z, order: (), None)  # of a route of its own: relu.py


def _is_relu(activation: Any) -> bool:
    import torch

    return activation in (torch.relu, torch.nn.functional.relu) or type(activation) is torch.nn.ReLU


_OWN = {"sigmoid": "logistic", "tanh": "tanh", "exp": "exp", "sin": "sin", "cos": "cos", **{k: k for k in RAMPS}}


def own_name(activation: Activation) -> str:
    """The function in formulas, or the ramp, that one neuron of it is, "" where there is none."""
    return _OWN.get(activation.name, "") if not activation.assumed else ""


def own_function(activation: Activation) -> Function:
    """That function's bounds."""
    name = own_name(activation)
    return RAMPS[name][0] if name in RAMPS else FUNCTIONS[name]


_MODULES = {"silu": "SiLU", "gelu": "GELU", "softplus": "Softplus", "tanh": "Tanh", "sigmoid": "Sigmoid"}


def _of_callable(function: Callable) -> Activation:
    """A user's elementwise torch function."""
    import torch

    if isinstance(function, torch.nn.Module):
        if any(True for _ in function.parameters()):
            raise InputError(
                "an activation with parameters changes while it trains; give one without, such as nn.SiLU()"
            )
        for name, kind in _MODULES.items():
            if type(function).__name__ == kind and repr(function) == repr(getattr(torch.nn, kind)()):
                return ACTIVATIONS[name]
    for known in ACTIVATIONS.values():
        if function is getattr(torch, known.name, None) or function is getattr(torch.nn.functional, known.name, None):
            return known

    def series(z: float, order: int) -> tuple[float, ...]:
        values, f = [], function
        at = torch.tensor(z, dtype=torch.float64)
        for k in range(order + 1):
            try:
                values.append(float(f(at)))
            except (RuntimeError, TypeError, ValueError) as error:
                raise InputError(
                    f"the activation has no derivative of order {k} that torch.func can take ({error})"
                ) from error
            f = torch.func.grad(f)
        return tuple(values)

    name = getattr(function, "__name__", type(function).__name__)
    return Activation(name, function, lru_cache(maxsize=4096)(series), None, ulps=16, assumed=True)


def _sampled(activation: Activation, order: int, center: float, radius: np.ndarray) -> np.ndarray:
    """Near the center two Taylor terms, with 1.25 times the largest second one of five samples; further out 1.25 times
    the largest of 17 samples and a 16th of their spread. Measured, not proven."""
    widest = float(radius.max(initial=0.0))
    if widest <= _PIECE:
        at = activation.series(center, order + 2)
        second = 1.25 * max(abs(activation.derivative(order + 2, center + t * _PIECE)) for t in (-1, -0.5, 0, 0.5, 1))
        return abs(at[order]) + radius * abs(at[order + 1]) + radius**2 / 2 * second
    seen = [activation.derivative(order, center + widest * t) for t in np.linspace(-1, 1, 17)]
    return np.full(radius.shape, 1.25 * max(map(abs, seen)) + (max(seen) - min(seen)) / 16)
