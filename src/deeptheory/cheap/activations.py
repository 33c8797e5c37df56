"""What a gate must know of an activation: its Taylor series at a bias, how fast that series dies, how well torch
evaluates it.

Source: Lin, Tegmark & Rolnick 2017, section on the product gate: s(a) = sigma(b + a) = sum_k sigma_k a^k / k!.
The tail is Cauchy's: |sigma_k| / k! <= S / rho^k, where S bounds |sigma| on the complex disc of radius rho around b.
Trap: a callable of the user's has no such disc; its tail is sampled, and the certificate then says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import cosh, exp, factorial, inf, pi
from typing import Any

import torch
from mpmath import mp, mpf

from deeptheory.errors import InputError
from deeptheory.names import pick

VANISHES = 1e-25  # a Taylor coefficient below this is zero: the series are made with 40 digits


@dataclass(frozen=True, eq=False)
class Expansion:
    """sigma(b + a) = sum_m coefficients[m] a^m + tail, |tail| <= tail(t) and |sigma'(b + a)| <= slope(t) for |a| <= t."""

    bias: float
    coefficients: tuple[float, ...]
    tail: Callable[[float], float]
    slope: Callable[[float], float]
    radius: float  # largest t for which the bounds hold


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation with certified expansions.

    series(b, n): n + 1 Taylor coefficients at b. disc(b, rho): bound on |sigma| for |z - b| <= rho <= radius.
    ulps: |torch's value - sigma| <= ulps * u * |sigma| near the biases tried (u: half the machine epsilon); measured
    against 40 digits in the tests. biases: tried in this order. parity: biases about which sigma is odd or even.
    """

    name: str
    function: Callable[[Any], Any]
    series: Callable[[Any, int], list]
    disc: Callable[[float, float], float]
    radius: float
    ulps: float
    biases: tuple[float, ...]
    parity: dict[float, int]  # bias -> 0 (even) or 1 (odd)
    rigorous: bool = True

    @lru_cache(maxsize=256)  # noqa: B019  registry entries live as long as the process
    def expand(self, bias: float, degree: int) -> Expansion:
        """Expansion at `bias`, long enough for a gate of that degree."""
        order = degree + 24
        with mp.workdps(40):
            a = tuple(float(c) if abs(c) > VANISHES else 0.0 for c in self.series(mpf(bias), order))
        bound, rho = self.disc(bias, self.radius), self.radius

        def tail(t: float) -> float:
            q = t / rho
            return bound * q ** (order + 1) / (1 - q)

        def slope(t: float) -> float:
            q = t / rho
            head = sum(m * abs(c) * t ** (m - 1) for m, c in enumerate(a) if m)
            return head + bound / rho * (order + 1) * q**order / (1 - q) ** 2

        return Expansion(bias, a, tail, slope, rho / 2)


def _logistic(b, n):
    a = [1 / (1 + mp.exp(-b))]
    for i in range(n):  # s' = s - s^2
        a.append((a[i] - sum(a[j] * a[i - j] for j in range(i + 1))) / (i + 1))
    return a


def _tanh(b, n):
    a = [mp.tanh(b)]
    for i in range(n):  # t' = 1 - t^2
        a.append(((i == 0) - sum(a[j] * a[i - j] for j in range(i + 1))) / (i + 1))
    return a


def _integral(first, a):
    return [first] + [c / (i + 1) for i, c in enumerate(a[:-1])]


def _times_argument(b, a):
    return [b * c + (a[i - 1] if i else 0) for i, c in enumerate(a)]


def _normal(b, n):
    p = [mp.npdf(b), -b * mp.npdf(b)]
    for i in range(1, n):  # phi' = -z phi
        p.append(-(b * p[i] + p[i - 1]) / (i + 1))
    return p


def _cos(b, n):
    return [mp.cos(b + i * mp.pi / 2) / mp.factorial(i) for i in range(n + 1)]


_GRID = tuple(s * k / 4 for k in range(1, 9) for s in (1, -1))  # exact in every float type

ACTIVATIONS: dict[str, Activation] = {
    "silu": Activation(
        "silu", torch.nn.functional.silu, lambda b, n: _times_argument(b, _logistic(b, n)),
        lambda b, r: abs(b) + r, pi / 2, 5.0, (0.0, *_GRID), {},
    ),
    "gelu": Activation(
        "gelu", torch.nn.functional.gelu, lambda b, n: _times_argument(b, _integral(mp.ncdf(b), _normal(b, n))),
        lambda b, r: (abs(b) + r) * (1 + 0.4 * r * exp(r * r / 2)), 1.5, 12.0, (0.0, *[g for g in _GRID if g > -1.1]), {},
    ),
    "softplus": Activation(
        "softplus", torch.nn.functional.softplus, lambda b, n: _integral(mp.log1p(mp.exp(b)), _logistic(b, n)),
        lambda b, r: abs(b) + 0.7 + r, pi / 2, 6.0, (0.0, *_GRID), {},
    ),
    "tanh": Activation("tanh", torch.tanh, _tanh, lambda b, r: 1.0, pi / 4, 4.0, (0.65625, 0.0, *_GRID), {0.0: 1}),
    "sigmoid": Activation(
        "sigmoid", torch.sigmoid, _logistic, lambda b, r: 1.0, pi / 2, 5.0, (1.3125, 0.0, *_GRID), {},
    ),
    "exp": Activation(
        "exp", torch.exp, lambda b, n: [mp.exp(b) / mp.factorial(i) for i in range(n + 1)],
        lambda b, r: exp(b + r), 4.0, 4.0, (0.0,), {},
    ),
    "cos": Activation("cos", torch.cos, _cos, lambda b, r: cosh(r), 4.0, 4.0, (0.0, *_GRID), {0.0: 0}),
}  # fmt: skip


class _Sampled(Activation):
    """A callable of the user's: derivatives by torch.func at the bias, the tail from samples of the next derivative."""

    @lru_cache(maxsize=64)  # noqa: B019  one small object a callable
    def expand(self, bias: float, degree: int) -> Expansion:
        order, radius = degree + 2, 0.25
        derivatives = [self.function]
        for _ in range(order + 1):
            derivatives.append(torch.func.grad(derivatives[-1]))
        at = torch.tensor(bias, dtype=torch.float64)
        a = tuple(float(f(at)) / factorial(m) for m, f in enumerate(derivatives[:-1]))
        a = tuple(c if abs(c) > 1e-12 else 0.0 for c in a)
        grid = bias + torch.linspace(-radius, radius, 129, dtype=torch.float64)
        top = torch.func.vmap(derivatives[-1])(grid).abs().max()
        largest = 2.0 * float(top) / factorial(order + 1) if torch.isfinite(top) else inf  # 2: between the samples

        def tail(t: float) -> float:
            return largest * t ** (order + 1)

        def slope(t: float) -> float:
            return sum(m * abs(c) * t ** (m - 1) for m, c in enumerate(a) if m) + (order + 1) * largest * t**order

        return Expansion(bias, a, tail, slope, radius)


_PIECEWISE_LINEAR = ("relu", "leaky_relu", "hardtanh", "relu6", "abs")
_MODULES = {
    torch.nn.SiLU: "silu", torch.nn.Softplus: "softplus", torch.nn.Tanh: "tanh", torch.nn.Sigmoid: "sigmoid", torch.nn.GELU: "gelu",
}  # fmt: skip


def activation_of(activation: Any) -> Activation:
    """The registered activation of that name, or one made of a callable (torch tensor in, tensor of the same shape out).

    InputError: unknown name; piecewise linear (no derivative of order two or more, so no gate); a callable that
    torch.func cannot differentiate.
    """
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, str):
        if activation in _PIECEWISE_LINEAR:
            raise InputError(
                f"{activation} is piecewise linear: its second derivative is 0, so no gate of fixed size exists. "
                "compile_polynomial(..., activation='relu') builds Yarotsky's network, whose size grows with the precision"
            )
        return pick(ACTIVATIONS, activation, what="activation")
    if not callable(activation):
        raise InputError(f"activation is {activation!r}; give a name ({', '.join(ACTIVATIONS)}) or a callable")
    name = _MODULES.get(type(activation))
    if name and not (name == "gelu" and getattr(activation, "approximate", "none") != "none"):
        if name != "softplus" or getattr(activation, "beta", 1) == 1:
            return ACTIVATIONS[name]
    return _sampled(activation)


@lru_cache(maxsize=64)
def _sampled(function: Callable) -> Activation:
    label = getattr(function, "__name__", type(function).__name__)
    try:
        torch.func.grad(function)(torch.tensor(0.5, dtype=torch.float64))
    except Exception as error:
        raise InputError(f"torch.func cannot differentiate {label}: {error}") from error
    grid = torch.linspace(-2.5, 2.5, 4097, dtype=torch.float64).float()
    fine = function(grid.double())
    miss = (function(grid).double() - fine).abs() / (fine.abs() + 1e-30)
    ulps = max(8.0, 4.0 * float(miss.quantile(0.999)) / 2.0**-24)
    return _Sampled(
        label,
        function,
        lambda b, n: [],
        lambda b, r: inf,
        0.25,
        ulps,
        (0.0, 0.5, -0.5, 1.0, -1.0, 1.5),
        {},
        rigorous=False,
    )
