"""Gates: small networks of neurons that multiply, with weights set, trainable, and a certificate each.

Source: Lin, Tegmark & Rolnick 2017, section II.B and figure 2 (product of two numbers from four neurons, product of
bits from one); Rolnick & Tegmark 2018, theorem 4.1 (a monomial in one layer from prod(r_i + 1) neurons), section 4
(square and identity gates). Pitfall: scales that are too small drown in rounding, an effect that neither paper counts.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import nn

from deeptheory.cheap.compile.activations import activation_of
from deeptheory.cheap.compile.certificates import ASSUMED, Certificate, bits_needed
from deeptheory.cheap.compile.designs import Design, design
from deeptheory.cheap.compile.rounding import precision
from deeptheory.cheap.domains import read_domain
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number, check_whole, check_within

if TYPE_CHECKING:
    from deeptheory.cheap.compile.activations import Activation

Auto = Literal["auto"]


class Activate(nn.Module):
    """An activation as a module without parameters."""

    def __init__(self, function: Callable, name: str):
        super().__init__()
        self.function, self.name = function, name

    def forward(self, x):
        """The activation of every entry of x."""
        return self.function(x)

    def extra_repr(self) -> str:
        """The activation's name, for torch's repr."""
        return self.name


class Gate(nn.Module):
    """A monomial as a network of one hidden layer: inner weights, activation, outer weights; [..., inputs] -> [..., 1].

    Made by product_gate, square_gate, identity_gate and monomial_layer. .exponents: of the monomial. .bias: of every
    unit; .scale: the input weight of each input. .neurons: hidden units. .certificate: bound of the error in the
    domain, of the weights as made; training changes them and not it. InputError: a dtype without certificates (float64
    and float32 have them), a weight above what it holds.
    """

    certificate: Certificate
    exponents: tuple[int, ...]

    def __init__(self, made: Design, domain: dict[str, tuple[float, float]], dtype: torch.dtype):
        super().__init__()
        name, bits, largest = precision(dtype)
        size = np.array([max(abs(low), abs(high)) for low, high in domain.values()])
        factor = made.shortened(made.factor)
        outer = np.array([factor * float(s) for s in made.stencil.signs])
        constant = factor * made.stencil.constant * made.activation.derivative(0, made.bias)
        most = float(max(np.abs(outer).max(), abs(constant), np.abs(made.weights).max(), abs(made.bias)))
        if not most < largest:
            raise InputError(
                f"the largest weight would be {most:.3g}, above what {name} holds ({largest:.2g}); "
                "raise the scale or use more layers"
            )
        self.inner = linear(made.weights, np.full(len(outer), made.bias) if made.bias else None, dtype)
        self.act = Activate(made.activation.function, made.activation.name)
        self.outer = linear(outer[None], np.array([constant]) if made.has_constant else None, dtype)
        truncation, rounding = made.error(size)
        self.exponents, self.bias, self.neurons = made.stencil.exponents, made.bias, len(outer)
        self.scale = tuple(float(a) for a in made.alphas)
        self.certificate = Certificate(
            truncation=truncation,
            rounding=rounding,
            total=truncation + rounding,
            outputs=(truncation + rounding,),
            domain=domain,
            largest_weight=most,
            dtype=name,
            bits=bits_needed(truncation, rounding, bits),
            notes=(ASSUMED,) if made.activation.assumed else (),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: [..., inputs] in the gate's dtype -> [..., 1], differentiable; NaN where x is NaN or infinite.

        InputError: another shape or dtype.
        """
        check_input(x, self.inner, len(self.exponents))
        return self.outer(self.act(self.inner(x)))

    def extra_repr(self) -> str:
        """What the gate is, for torch's repr."""
        return f"exponents={self.exponents}, neurons={self.neurons}, within {self.certificate.total:.3g}"


def check_input(x: torch.Tensor, module: nn.Module, inputs: int) -> None:
    """InputError: no tensor of the module's dtype, or another number of inputs."""
    weight = next(module.parameters())
    if not isinstance(x, torch.Tensor) or x.dtype != weight.dtype:
        kind = f"of {x.dtype}" if isinstance(x, torch.Tensor) else f"a {type(x).__name__}"
        raise InputError(
            f"x is {kind}, the network computes in {weight.dtype}, for which its certificate holds; give "
            f"torch.as_tensor(x, dtype={weight.dtype})"
        )
    if x.ndim == 0 or x.shape[-1] != inputs:
        raise InputError(f"x has shape {list(x.shape)}; needed: [..., {inputs}]")


def linear(weight: np.ndarray, bias: np.ndarray | None, dtype: torch.dtype) -> nn.Linear:
    """A Linear with these weights."""
    made = nn.Linear(1, 1, bias=bias is not None, dtype=dtype)  # its own initial weights are thrown away: make few
    made.out_features, made.in_features = weight.shape
    made.weight = nn.Parameter(torch.as_tensor(np.asarray(weight, dtype=np.float64)).to(dtype))
    if bias is not None:
        made.bias = nn.Parameter(torch.as_tensor(np.asarray(bias, dtype=np.float64)).to(dtype))
    return made


def monomial_layer(
    exponents: Sequence[int],
    activation: "str | Callable | Activation" = "silu",
    *,
    scale: float | Auto = "auto",
    bias: float | Auto = "auto",
    domain: Any = (-1, 1),
    dtype: torch.dtype = torch.float64,
) -> Gate:
    """prod_i x_i^exponents_i from one hidden layer (Rolnick & Tegmark 2018, theorem 4.1): [..., n] -> [..., 1].

    At most prod(r_i + 1) neurons: the one that sees nothing is the output's bias, and an activation even or odd about
    the bias needs half. activation: silu, gelu, softplus, tanh, sigmoid, exp, cos, sin, or a smooth elementwise torch
    function. scale: input weight of a unit of sign +-1, above 0, rounded to few digits; "auto" makes truncation plus
    rounding least for the dtype and the domain. bias: of every unit; "auto" is the best. domain: (low, high), or one
    pair per input; outside it the certificate says nothing. dtype: float64 or float32.
    InputError: exponents that are not whole and above 0, no gate (a derivative vanishes), over 65,536 units, weights
    out of range, a domain that is infinite or reversed, another dtype, activation, scale or bias.
    """
    exponents = tuple(exponents)
    if not exponents:
        raise InputError("exponents are (); needed: integers, 1 or more each")
    check_whole(**{f"exponents[{k}]": (r, 1) for k, r in enumerate(exponents)})
    names = [f"x{k}" for k in range(len(exponents))]
    box = read_domain(domain, names)
    size = np.array([max(abs(low), abs(high)) for low, high in box.values()])
    made = design(activation_of(activation), exponents, bias, scale, size, precision(dtype)[1])
    return Gate(made, box, dtype)


def product_gate(
    activation: "str | Callable | Activation" = "silu",
    scale: float | Auto = "auto",
    dtype: torch.dtype = torch.float64,
    *,
    bias: float | Auto = "auto",
    domain: Any = (-1, 1),
) -> Gate:
    """u v from four neurons (Lin, Tegmark & Rolnick 2017, eq. 11): [..., 2] -> [..., 1]; two, where cos is used.

    m(u, v) = [s(l(u+v)) + s(-l(u+v)) - s(l(u-v)) - s(-l(u-v))] / (4 s''(b) l^2), s(a) = sigma(b + a), l the scale.
    Arguments: as monomial_layer. InputError: sigma''(b) = 0, as for tanh at 0, or ReLU anywhere; and as there.
    """
    return monomial_layer((1, 1), activation, scale=scale, bias=bias, domain=domain, dtype=dtype)


def square_gate(
    activation: "str | Callable | Activation" = "silu",
    scale: float | Auto = "auto",
    dtype: torch.dtype = torch.float64,
    *,
    bias: float | Auto = "auto",
    domain: Any = (-1, 1),
) -> Gate:
    """x^2 = [s(lx) + s(-lx) - 2 s(0)] / (s''(b) l^2): [..., 1] -> [..., 1]; two neurons, and a bias.

    Rolnick & Tegmark 2018, section 4; with cos one neuron. scale is l, twice the gate's .scale, which as a monomial
    layer adds x twice. Arguments and InputError: as monomial_layer.
    """
    if not isinstance(scale, str):
        check_number(scale=scale)
    half = scale if isinstance(scale, str) else scale / 2
    return monomial_layer((2,), activation, scale=half, bias=bias, domain=domain, dtype=dtype)


def identity_gate(
    activation: "str | Callable | Activation" = "silu",
    scale: float | Auto = "auto",
    dtype: torch.dtype = torch.float64,
    *,
    bias: float | Auto = "auto",
    domain: Any = (-1, 1),
) -> Gate:
    """x, carried through one hidden layer: [..., 1] -> [..., 1].

    [s(lx) - s(-lx)] / (2 s'(b) l): two neurons, exact at any scale for silu, gelu and softplus; one for tanh and sin,
    which are odd. (Rolnick & Tegmark's single neuron s(lx)/(s' l) errs to first order in l; this errs to second.)
    Arguments and InputError: as monomial_layer.
    """
    return monomial_layer((1,), activation, scale=scale, bias=bias, domain=domain, dtype=dtype)


class BitGate(nn.Module):
    """One logistic neuron that fires iff all its k bits are 1: [..., k] -> [..., 1]; made by bit_product_gate.

    .k, .beta, .neurons (1), .certificate: for inputs that are 0 or 1.
    """

    certificate: Certificate

    def __init__(self, k: int, beta: float, dtype: torch.dtype):
        super().__init__()
        name, bits, _ = precision(dtype)
        self.inner = linear(np.full((1, k), beta), np.array([-beta * (k - 0.5)]), dtype)
        self.k, self.beta, self.neurons = k, beta, 1
        wrong = math.exp(-beta / 2) / (1 + math.exp(-beta / 2))
        # the margin is beta / 2; the argument is off by gamma_(k+1) beta (2k - 1/2) plus the roundings of its weights
        slip = (k + 3) * 2.0**-bits / (1 - (k + 3) * 2.0**-bits) * beta * (2 * k - 0.5)
        value = math.exp(-beta / 2 + slip) / (1 + math.exp(-beta / 2 + slip))
        rounding = (value - wrong) + 8 * 2.0**-bits
        self.certificate = Certificate(
            truncation=wrong,
            rounding=rounding,
            total=wrong + rounding,
            outputs=(wrong + rounding,),
            domain={f"x{i}": (0.0, 1.0) for i in range(k)},
            largest_weight=beta * max(1.0, k - 0.5),
            dtype=name,
            bits=bits_needed(wrong, rounding, bits),
            notes=("for inputs that are 0 or 1, and not between",),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: [..., k] of 0 and 1, in the gate's dtype -> [..., 1], near 0 or 1. InputError: another shape or dtype."""
        check_input(x, self.inner, self.k)
        return torch.sigmoid(self.inner(x))

    def extra_repr(self) -> str:
        """What the gate is, for torch's repr."""
        return f"k={self.k}, beta={self.beta:.6g}, within {self.certificate.total:.3g}"


def bit_product_gate(
    k: int, beta: float | None = None, *, decimals: float | None = None, dtype: torch.dtype = torch.float64
) -> BitGate:
    """prod of k bits from one neuron, sigmoid(-beta (k - 1/2 - sum x_i)): [..., k] of 0 and 1 -> [..., 1].

    Source: Lin, Tegmark & Rolnick 2017, eq. 14.
    Worst error e^(-beta/2) / (1 + e^(-beta/2)), since the margin is 1/2: D decimals take beta = 2 D ln 10, not the
    D ln 10 that is quoted. beta, or decimals= to have it from that rule; default 6 decimals. dtype: float64 or float32.
    InputError: k no integer of 1 or more, beta or decimals not above 0, both of them given, another dtype.
    """
    check_whole(k=(k, 1))
    if beta is not None and decimals is not None:
        raise InputError("beta and decimals were both given; one follows from the other: give one")
    given = {"decimals": 6 if decimals is None else decimals} if beta is None else {"beta": beta}
    check_within(**{name: (value, -math.inf, math.inf) for name, value in given.items()})
    beta = 2 * given["decimals"] * math.log(10) if beta is None else float(beta)
    if not (math.isfinite(beta) and beta > 0):
        raise InputError(f"beta is {beta}; needed: a number above 0 (2 D ln 10 for D decimals)")
    return BitGate(int(k), beta, dtype)
