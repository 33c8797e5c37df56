"""The optimizers of `fit`: their settings, and one update of one network's parameters from its gradient, all [P]
float32, in place.
"""

from dataclasses import dataclass

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.compiled import njit
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_number
from deeptheory.networks.population.elementary import FAST


@dataclass(frozen=True)
class Adam:
    """Settings of Adam for `fit` (Kingma & Ba 2015, algorithm 1); the step size is fit's lr.

    betas: fractions of the two running moments that stay at each step, each in [0, 1); eps: added to the root, above 0.
    InputError: a beta outside [0, 1), eps not above 0.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def __post_init__(self) -> None:
        betas = as_floats(self.betas)
        if betas.shape != (2,) or not ((betas >= 0) & (betas < 1)).all():
            raise InputError(f"betas is {self.betas}; needed: two numbers in [0, 1)")
        object.__setattr__(self, "betas", tuple(betas.tolist()))
        _check_eps(self.eps)


@dataclass(frozen=True)
class SGD:
    """Settings of stochastic gradient descent for `fit`: v = momentum v + gradient, weights -= lr v, with fit's lr.

    momentum: in [0, 1), 0 for plain descent. InputError: it is not.
    """

    momentum: float = 0.0

    def __post_init__(self) -> None:
        check_number(momentum=self.momentum)
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum is {self.momentum}; it lies in [0, 1)")


@dataclass(frozen=True)
class Adadelta:
    """Settings of Adadelta for `fit` (Zeiler 2012, algorithm 1): its step times fit's lr; the paper's own is lr=1.

    rho: fraction of the running means that stays at each step, in [0, 1); eps: in both roots, above 0. InputError: rho
    outside [0, 1), eps not above 0.
    """

    rho: float = 0.95
    eps: float = 1e-6

    def __post_init__(self) -> None:
        check_number(rho=self.rho)
        if not 0 <= self.rho < 1:
            raise InputError(f"rho is {self.rho}; it lies in [0, 1)")
        _check_eps(self.eps)


Optimizer = Adam | SGD | Adadelta
OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "sgd": SGD, "adadelta": Adadelta}
NUMBERS: dict[type[Optimizer], int] = {kind: n for n, kind in enumerate(OPTIMIZERS.values())}  # in the compiled step


def optimizer_of(given: str | Optimizer) -> Optimizer:
    """The settings by name, or the caller's own. InputError: an unknown name, or another kind of thing."""
    if isinstance(given, Adam | SGD | Adadelta):
        return given
    if not isinstance(given, str):
        known = ", ".join(f"dt.networks.{kind.__name__}(...)" for kind in NUMBERS)
        raise InputError(f"optimizer is {given!r}; needed: {', '.join(OPTIMIZERS)}, or {known}")
    return pick(OPTIMIZERS, given, what="optimizer")()


def _check_eps(eps: float) -> None:
    check_number(eps=eps)
    if not (eps > 0 and np.isfinite(eps)):
        raise InputError(f"eps is {eps}; needed: a finite number above 0")


@njit(**FAST)
def adam(theta, grad, m, v, lr, beta1, beta2, eps, step):
    """One step of Adam (Kingma & Ba 2015) in place: theta, grad, m, v are [parameter] float32; step counts from 1."""
    correct1 = 1.0 - beta1**step
    correct2 = 1.0 - beta2**step
    rate, root = np.float32(lr / correct1), np.float32(1.0 / np.sqrt(correct2))
    b1, b2, c1, c2, e = (
        np.float32(beta1),
        np.float32(beta2),
        np.float32(1 - beta1),
        np.float32(1 - beta2),
        np.float32(eps),
    )
    for p in range(len(theta)):
        m[p] = b1 * m[p] + c1 * grad[p]
        v[p] = b2 * v[p] + c2 * grad[p] * grad[p]
        theta[p] -= rate * m[p] / (np.sqrt(v[p]) * root + e)


@njit(**FAST)
def sgd(theta, grad, m, lr, momentum):
    """One step of gradient descent with momentum, in place: theta, grad, m are [parameter] float32."""
    rate, mu = np.float32(lr), np.float32(momentum)
    for p in range(len(theta)):
        m[p] = mu * m[p] + grad[p]
        theta[p] -= rate * m[p]


@njit(**FAST)
def adadelta(theta, grad, moved, v, lr, rho, eps):
    """moved, v: running means of the squares of past steps and gradients."""
    rate, r, c, e = np.float32(lr), np.float32(rho), np.float32(1 - rho), np.float32(eps)
    for p in range(len(theta)):
        v[p] = r * v[p] + c * grad[p] * grad[p]
        step = np.sqrt((moved[p] + e) / (v[p] + e)) * grad[p]
        moved[p] = r * moved[p] + c * step * step
        theta[p] -= rate * step
